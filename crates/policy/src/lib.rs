//! The policy seam and the autoscalers to compare with.
//!
//! A policy sees what an autoscaler sees and says how many units it wants; ordering, cancelling,
//! draining and billing are the same for all of them, but for those that scale nodes: they see the nodes
//! too, and say which to rent and which to give back. The rules are those that the vendors document
//! (Kubernetes' horizontal pod autoscaler, AWS target tracking and predictive scaling) and the simple
//! ones that people write themselves.

mod aws;
mod hpa;
mod nodes;
mod simple;
mod spec;
mod window;

use serde::{Deserialize, Serialize};

pub use nodes::{Expander, NodeChange, NodeLayer, NodeLimits, NodeOffer, NodeView};
pub use spec::{PolicyKind, PolicySpec, SpecError};

/// What a policy may look at: the present, and nothing that comes later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Steps since the run began; this step has just ended.
    pub step: u64,
    /// Demand of the step that has just ended; where it is unknown, the last known one.
    pub demand: f64,
    /// Demand that one unit carries.
    pub per_unit: f64,
    /// Units in service during that step.
    pub ready: u64,
    /// Units in service or on their way.
    pub total: u64,
}

/// What a policy knows of its surroundings, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Length of a step in seconds.
    pub step_seconds: u32,
    /// From an order to the first step served, less one.
    pub boot_steps: u32,
    /// Steps by which demand comes late.
    pub delay_steps: u32,
}

impl Surroundings {
    /// Steps that cover so many minutes; at least one.
    pub fn steps(&self, minutes: u32) -> usize {
        (minutes * 60).div_ceil(self.step_seconds).max(1) as usize
    }

    /// Steps of a day.
    pub fn day(&self) -> usize {
        (86_400 / self.step_seconds).max(1) as usize
    }
}

/// An autoscaler other than our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Policy {
    /// The simple rule of an autoscaler on utilisation.
    Hpa(hpa::SimpleHpa),
    /// Kubernetes' horizontal pod autoscaler in full.
    KubernetesHpa(hpa::KubernetesHpa),
    /// AWS target tracking.
    TargetTracking(aws::TargetTracking),
    /// AWS predictive scaling with target tracking, as AWS advises.
    AwsPredictive(aws::AwsPredictive),
    /// The highest demand of the last boot time, times a factor.
    React(simple::React),
    /// The simple rule, or what the same time yesterday needed if that is more.
    MaxYesterday(simple::MaxYesterday),
    /// Kubernetes' horizontal pod autoscaler over an autoscaler of nodes.
    Nodes(Box<NodeLayer>),
    /// Always the same.
    Static(u64),
}

impl Policy {
    /// Whether the policy looks at how busy the units are, rather than at what they must carry.
    pub fn reads_utilisation(&self) -> bool {
        !matches!(self, Self::React(_) | Self::Static(_))
    }

    /// Whether it decides what is rented and given back too, and not only how many units are wanted.
    pub fn scales_nodes(&self) -> bool {
        matches!(self, Self::Nodes(_))
    }

    /// Looks at the nodes before it is asked what it wants; of no matter to a policy that does not scale nodes.
    pub fn see_nodes(&mut self, nodes: &NodeView<'_>) {
        if let Self::Nodes(policy) = self {
            policy.see(nodes);
        }
    }

    /// What to change about the nodes; `None`: whoever carries it out decides.
    pub fn change_nodes(&mut self, nodes: &NodeView<'_>, limits: NodeLimits) -> Option<NodeChange> {
        match self {
            Self::Nodes(policy) => Some(policy.change(nodes, limits)),
            _ => None,
        }
    }

    /// Units that the policy wants once this step has ended; at least one.
    pub fn wanted(&mut self, view: &View) -> u64 {
        let wanted = match self {
            Self::Hpa(policy) => policy.wanted(view),
            Self::KubernetesHpa(policy) => policy.wanted(view),
            Self::TargetTracking(policy) => policy.wanted(view),
            Self::AwsPredictive(policy) => policy.wanted(view),
            Self::React(policy) => policy.wanted(view),
            Self::MaxYesterday(policy) => policy.wanted(view),
            Self::Nodes(policy) => policy.wanted(view),
            Self::Static(units) => *units,
        };
        wanted.max(1)
    }
}

/// Rounds a positive float up to units; nonsense counts as nothing.
fn ceil_units(value: f64) -> u64 {
    if value.is_finite() && value > 0.0 {
        value.ceil().min(1e12) as u64
    } else {
        0
    }
}
