//! The node layer: what rents machines for the pods that a horizontal autoscaler wants.
//!
//! A unit is a pod, an instance is a node that has room for one or more of them. The horizontal autoscaler
//! sees pods, and pods that found no node as not ready; the node autoscaler sees pods without a node, and
//! nodes without pods. What a node serves is what the simulated cloud counts: all of its room, which is
//! kinder to these policies than a scheduler is.

mod cluster_autoscaler;
mod karpenter;
mod pool;
#[cfg(test)]
mod tests;

use fleetcast_model::{Cohort, InstanceRange, MicroUsdPerHour, OfferIndex};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use cluster_autoscaler::{ClusterAutoscaler, Expander};
pub use karpenter::Karpenter;
use pool::Pool;

use crate::hpa::KubernetesHpa;
use crate::{Surroundings, View};

/// What a node autoscaler may look at: the nodes as the provider lists them, and what may be rented.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    /// Now.
    pub now: Timestamp,
    /// The component's nodes, oldest order first.
    pub cohorts: &'a [Cohort],
    /// What may be rented; not empty.
    pub offers: &'a [NodeOffer],
}

/// An offer as a node autoscaler sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeOffer {
    /// Which one.
    pub offer: OfferIndex,
    /// Pods that one node has room for; not zero.
    pub room: u32,
    /// Price of one node.
    pub price: MicroUsdPerHour,
    /// The share of a node's CPU, and of its memory, that one pod takes.
    pub pod_shares: [f64; 2],
}

/// Within what nodes may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Pods that should run, between floor and ceiling.
    pub wanted: u64,
    /// Never room for more pods than this.
    pub ceiling: u64,
    /// Whether nodes with pods may be given back.
    pub may_drain: bool,
}

/// What to rent, or what to give back; never both at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeChange {
    /// Offers with numbers of nodes.
    pub orders: Vec<(OfferIndex, u32)>,
    /// Nodes to give back.
    pub releases: Vec<InstanceRange>,
}

/// A horizontal autoscaler with a node autoscaler under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeLayer {
    pods: KubernetesHpa,
    pool: Pool,
    scaler: Scaler,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Scaler {
    ClusterAutoscaler(ClusterAutoscaler),
    Karpenter(Karpenter),
}

impl NodeLayer {
    /// Kubernetes' autoscaler of pods over its autoscaler of nodes.
    pub(crate) fn cluster_autoscaler(
        target: f64,
        floor: u64,
        expander: Expander,
        surroundings: &Surroundings,
    ) -> Self {
        Self {
            pods: KubernetesHpa::new(target, floor, surroundings),
            pool: Pool::default(),
            scaler: Scaler::ClusterAutoscaler(ClusterAutoscaler::new(expander, surroundings)),
        }
    }

    /// Kubernetes' autoscaler of pods over Karpenter.
    pub(crate) fn karpenter(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        Self {
            pods: KubernetesHpa::new(target, floor, surroundings),
            pool: Pool::default(),
            scaler: Scaler::Karpenter(Karpenter::new(surroundings)),
        }
    }

    /// Looks at the nodes: pods whose node is gone look for another one, and waiting pods take new room.
    pub(crate) fn see(&mut self, nodes: &NodeView<'_>) {
        let first = self.pool.is_new();
        self.pool.see(nodes);
        if first {
            // Before the first decision the nodes that run are full.
            self.pool.want(self.pool.room());
        }
    }

    /// Pods wanted. The autoscaler of pods sees pods, not the room that nodes have.
    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        let view = View {
            ready: self.pool.placed(),
            total: self.pool.wanted(),
            ..*view
        };
        self.pods.wanted(&view)
    }

    /// What to change about the nodes so that these pods find room.
    pub(crate) fn change(&mut self, nodes: &NodeView<'_>, limits: NodeLimits) -> NodeChange {
        self.pool.want(limits.wanted);
        match &mut self.scaler {
            Scaler::ClusterAutoscaler(scaler) => scaler.change(&mut self.pool, nodes, limits),
            Scaler::Karpenter(scaler) => scaler.change(&mut self.pool, nodes, limits),
        }
    }
}
