//! Autoscaling on utilisation: the simple rule, and Kubernetes' horizontal pod autoscaler in full.

use serde::{Deserialize, Serialize};

use crate::window::ScaleInWindow;
use crate::{Surroundings, View, ceil_units};

/// Within so much of the target nothing is changed (Kubernetes' default).
const TOLERANCE: f64 = 0.1;
/// Scale-in goes to the highest that was wanted in the last so many minutes (Kubernetes' default).
const SCALE_IN_WINDOW_MINUTES: u32 = 5;

/// `ceil(ready · utilisation ÷ target)`, 10 % tolerance, 5 min scale-in window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimpleHpa {
    target: f64,
    floor: u64,
    window: ScaleInWindow,
}

impl SimpleHpa {
    pub(crate) fn new(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        let window = ScaleInWindow::new(surroundings.steps(SCALE_IN_WINDOW_MINUTES));
        Self {
            target,
            floor,
            window,
        }
    }

    /// What the rule says, before the scale-in window.
    pub(crate) fn rule(&self, view: &View) -> u64 {
        let ready = view.ready.max(1) as f64;
        let utilisation = view.demand / (ready * view.per_unit);
        let steady = (utilisation / self.target - 1.0).abs() <= TOLERANCE;
        let wanted = if steady {
            view.total
        } else {
            ceil_units(ready * utilisation / self.target)
        };
        wanted.max(self.floor).max(1)
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        let wanted = self.rule(view);
        self.window.apply(wanted, view.total)
    }
}

/// The horizontal pod autoscaler of `autoscaling/v2` on CPU utilisation, with its default behaviour.
///
/// Utilisation saturates: pods cannot use more than they have, so in overload it sees 100 % however much
/// was asked. Pods that are not ready count as idle on the way up; if that turns the direction or falls
/// within the tolerance, nothing happens. Each 15 s it may double or add 4 pods, whichever is more.
/// Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details and default behaviour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KubernetesHpa {
    target: f64,
    floor: u64,
    /// 15 s periods in a step.
    periods: u32,
    window: ScaleInWindow,
}

impl KubernetesHpa {
    pub(crate) fn new(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        let window = ScaleInWindow::new(surroundings.steps(SCALE_IN_WINDOW_MINUTES));
        Self {
            target,
            floor,
            periods: (surroundings.step_seconds / 15).clamp(1, 16),
            window,
        }
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        let wanted = self
            .rule(view)
            .min(self.rate_limit(view.total))
            .max(self.floor)
            .max(1);
        self.window.apply(wanted, view.total)
    }

    fn rule(&self, view: &View) -> u64 {
        let ready = view.ready.max(1) as f64;
        let used = view.demand.min(ready * view.per_unit);
        let ratio = used / (ready * view.per_unit) / self.target;
        if (ratio - 1.0).abs() <= TOLERANCE {
            return view.total;
        }
        if ratio < 1.0 || view.total == view.ready {
            return ceil_units(ready * ratio);
        }
        let all = view.total.max(1) as f64;
        let with_idle = used / (all * view.per_unit) / self.target;
        if with_idle <= 1.0 + TOLERANCE {
            view.total
        } else {
            ceil_units(all * with_idle)
        }
    }

    fn rate_limit(&self, total: u64) -> u64 {
        (0..self.periods).fold(total, |limit, _| (limit * 2).max(limit + 4))
    }
}
