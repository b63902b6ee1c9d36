//! Last stage: what was forecast against what happened.

use std::collections::VecDeque;

use fleetcast_model::{Feedback, Units};
use serde::{Deserialize, Serialize};

use crate::stages::observe::Seen;
use crate::stages::requirement::round_up;

/// Forecasts that wait for their outcome, and the sums of those that have had it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedbackState {
    /// (median, 95 % quantile) of each step under way, oldest first.
    waiting: VecDeque<(f64, f64)>,
    /// Steps from a forecast to its outcome.
    lead_steps: usize,
    /// The scores so far.
    pub book: ScoreSums,
}

/// Sums of scores, from which means are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSums {
    /// Forecasts scored.
    pub count: u64,
    /// Sum of absolute errors of the median.
    pub absolute_error: f64,
    /// Sum of demand.
    pub demand: f64,
    /// Outcomes at or under the 95 % quantile.
    pub under_p95: u64,
}

impl FeedbackState {
    /// Starts without forecasts.
    pub fn new(lead_steps: usize) -> Self {
        Self {
            lead_steps,
            ..Self::default()
        }
    }

    /// Scores the forecast whose outcome has just been seen, if there was one and the outcome is known.
    pub fn score(&mut self, seen: &Seen, per_unit: f64) -> Option<Feedback> {
        if self.waiting.len() < self.lead_steps {
            return None;
        }
        let (p50, p95) = self.waiting.pop_front()?;
        if !seen.known {
            return None;
        }
        let under_p95 = seen.measure <= p95;
        self.book.count += 1;
        self.book.absolute_error += (seen.measure - p50).abs();
        self.book.demand += seen.measure;
        self.book.under_p95 += u64::from(under_p95);
        let needed = round_up(seen.measure / per_unit).max(1);
        Some(Feedback {
            error: (seen.measure - p50) * seen.to_volume(),
            under_p95,
            short: Units::new(needed.saturating_sub(seen.ready_then)),
            spare: Units::new(seen.ready_then.saturating_sub(needed)),
        })
    }

    /// Keeps a forecast until its outcome is seen.
    pub fn keep(&mut self, p50: f64, p95: f64) {
        self.waiting.push_back((p50, p95));
    }
}
