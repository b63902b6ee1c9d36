//! The quantiles of a forecaster's own past errors.

use std::collections::VecDeque;

use super::LEVELS;

/// Errors that are kept: a fortnight of five minutes, five days of minutes.
const KEPT: usize = 8192;
/// After so many new errors they are sorted again.
const REFRESH: usize = 60;

/// A point forecast made into quantiles by what it missed before.
pub struct PastErrors {
    lead: usize,
    waiting: VecDeque<f64>,
    errors: VecDeque<f64>,
    fresh: usize,
    quantiles: [f64; LEVELS.len()],
}

impl PastErrors {
    pub fn new(lead: usize) -> Self {
        Self {
            lead,
            waiting: VecDeque::new(),
            errors: VecDeque::new(),
            fresh: REFRESH,
            quantiles: [0.0; LEVELS.len()],
        }
    }

    /// Takes in what came, before the forecast of this step is asked for.
    pub fn outcome(&mut self, actual: Option<f64>) {
        if self.waiting.len() < self.lead {
            return;
        }
        if let (Some(forecast), Some(actual)) = (self.waiting.pop_front(), actual) {
            self.errors.push_back(actual - forecast);
            self.fresh += 1;
            if self.errors.len() > KEPT {
                self.errors.pop_front();
            }
        }
    }

    /// Keeps a forecast until its outcome is known, and makes it quantiles.
    pub fn quantiles(&mut self, forecast: f64) -> [f64; LEVELS.len()] {
        self.waiting.push_back(forecast);
        if self.fresh >= REFRESH && !self.errors.is_empty() {
            self.fresh = 0;
            let mut sorted: Vec<f64> = self.errors.iter().copied().collect();
            sorted.sort_unstable_by(f64::total_cmp);
            self.quantiles = LEVELS.map(|level| {
                sorted[((level * sorted.len() as f64) as usize).min(sorted.len() - 1)]
            });
        }
        self.quantiles.map(|error| (forecast + error).max(0.0))
    }
}
