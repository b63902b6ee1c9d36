//! How fast the budget of an objective burns, over several windows at once.
//!
//! The burn rate of a window is the share missed in it over the share that may be missed. A short window alone is
//! one bad minute, a long one alone is old news: a pair burns when both do. The pairs are the usual ones of service
//! levels (5 minutes and 1 hour, 30 minutes and 6 hours), and each burns when the long window alone would spend the
//! stated part of the whole budget.

use std::collections::VecDeque;

use fleetcast_model::{Objective, ObjectiveMetric};
use jiff::SignedDuration;

/// (short window, long window, part of the budget that the long one spends), in minutes.
const PAIRS: [(i64, i64, f64); 2] = [(5, 60, 0.02), (30, 360, 0.05)];
/// What burns goes on to burn until the short window is under this part of the threshold.
const ENDS_UNDER: f64 = 0.5;

/// Follows one objective.
#[derive(Clone, Debug)]
pub struct BurnWatch {
    metric: ObjectiveMetric,
    target: f64,
    pairs: Vec<Pair>,
    /// What was missed and out of how much, of the steps of the longest window, newest last.
    steps: VecDeque<(f64, f64)>,
}

#[derive(Clone, Debug)]
struct Pair {
    windows: [Window; 2],
    threshold: f64,
    burning: bool,
}

#[derive(Clone, Debug)]
struct Window {
    steps: usize,
    lost: f64,
    base: f64,
}

impl BurnWatch {
    /// Watches an objective in steps of so many seconds.
    pub fn new(objective: &Objective, step_seconds: u32) -> Self {
        let whole = objective.window.as_secs_f64().max(1.0);
        let window = |minutes: i64| {
            let seconds = SignedDuration::from_mins(minutes).as_secs().unsigned_abs();
            Window {
                steps: seconds.div_ceil(u64::from(step_seconds)).max(1) as usize,
                lost: 0.0,
                base: 0.0,
            }
        };
        let pair = |&(short, long, spends): &(i64, i64, f64)| Pair {
            windows: [window(short), window(long)],
            threshold: spends * whole / (long as f64 * 60.0),
            burning: false,
        };
        Self {
            metric: objective.metric,
            target: objective.target.get().max(1e-9),
            pairs: PAIRS.iter().map(pair).collect(),
            steps: VecDeque::new(),
        }
    }

    /// Takes a step in: its demand, and what could be carried. Says whether the budget burns too fast.
    pub fn observe(&mut self, demand: f64, carried: f64) -> bool {
        let (lost, base) = match self.metric {
            ObjectiveMetric::Unserved => ((demand - carried).max(0.0), demand),
            ObjectiveMetric::Violation => (f64::from(u8::from(demand > carried)), 1.0),
        };
        self.steps.push_back((lost, base));
        let count = self.steps.len();
        let mut longest = 0;
        for pair in &mut self.pairs {
            for window in &mut pair.windows {
                window.lost += lost;
                window.base += base;
                if count > window.steps {
                    let (lost, base) = self.steps[count - 1 - window.steps];
                    window.lost = (window.lost - lost).max(0.0);
                    window.base = (window.base - base).max(0.0);
                }
                longest = longest.max(window.steps);
            }
            let [short, long] = &pair.windows;
            let rate = |window: &Window| window.lost / window.base.max(1e-300) / self.target;
            // A window that is not full yet counts as if nothing had been missed before.
            let full = |window: &Window| (count as f64 / window.steps as f64).min(1.0);
            let (short, long) = (rate(short) * full(short), rate(long) * full(long));
            pair.burning = if pair.burning {
                short >= ENDS_UNDER * pair.threshold
            } else {
                short >= pair.threshold && long >= pair.threshold
            };
        }
        if count > longest {
            self.steps.pop_front();
        }
        self.burning()
    }

    /// Whether the budget burns too fast.
    pub fn burning(&self) -> bool {
        self.pairs.iter().any(|pair| pair.burning)
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_model::Share;

    use super::*;

    #[test]
    fn one_bad_minute_is_none_and_a_bad_quarter_of_an_hour_is() {
        let objective = Objective::over_28_days(ObjectiveMetric::Unserved, Share::per_mille(5));
        let mut watch = BurnWatch::new(&objective, 60);
        for _ in 0..600 {
            assert!(!watch.observe(100.0, 100.0));
        }
        assert!(
            !watch.observe(100.0, 0.0),
            "a minute in which nothing was served"
        );
        for _ in 0..60 {
            assert!(!watch.observe(100.0, 100.0));
        }
        // 13.44 × 0.5 % is 6.72 %: at 40 % missed the hour has missed it after 11 minutes.
        let burns_after = (1..30).find(|_| watch.observe(100.0, 60.0));
        assert_eq!(burns_after, Some(11));
        let ends_after = (1..30).find(|_| !watch.observe(100.0, 100.0));
        assert!(
            ends_after.is_some_and(|minutes| minutes <= 5),
            "{ends_after:?}"
        );
    }
}
