//! Whether a series has moved to another level.

use serde::{Deserialize, Serialize};

use crate::Settings;

/// Two-sided cumulative sums (Page 1954) of the signed distance from the baseline: samples that are
/// off by more than one usual residual, in one direction, for long enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shift {
    above: f64,
    below: f64,
    limit: f64,
    /// Whether it has passed the limit and not yet come back to nothing.
    shifted: Option<bool>,
}

/// A single sample counts no more than this, or one spike would be a shift.
const DISTANCE_MAX: f64 = 3.0;
/// Distances up to this are usual.
const DRIFT: f64 = 1.0;
/// The sum passes the limit after this share of a day, of samples that are as far off as counts.
const DAY_SHARE: usize = 8;
/// Samples that it takes at least and at most.
const ROWS: (usize, usize) = (12, 72);

impl Shift {
    pub fn new(settings: &Settings) -> Self {
        let rows = (settings.rows_per_day() / DAY_SHARE).clamp(ROWS.0, ROWS.1);
        Self {
            above: 0.0,
            below: 0.0,
            limit: rows as f64 * (DISTANCE_MAX - DRIFT),
            shifted: None,
        }
    }

    /// Takes the signed distance of a sample. `Some(true)`: the level is higher than it was,
    /// `Some(false)`: lower.
    pub fn observe(&mut self, signed: f64) -> Option<bool> {
        let distance = signed.clamp(-DISTANCE_MAX, DISTANCE_MAX);
        // Once over, it ends as soon as it began.
        self.above = (self.above + distance - DRIFT).clamp(0.0, 2.0 * self.limit);
        self.below = (self.below - distance - DRIFT).clamp(0.0, 2.0 * self.limit);
        match self.shifted {
            Some(true) if self.above == 0.0 => self.shifted = None,
            Some(false) if self.below == 0.0 => self.shifted = None,
            _ => {}
        }
        if self.above >= self.limit {
            self.shifted = Some(true);
        } else if self.below >= self.limit {
            self.shifted = Some(false);
        }
        self.shifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Noise;

    #[test]
    fn noise_and_spikes_are_no_shift() {
        let mut shift = Shift::new(&Settings::every_seconds(300));
        let mut noise = Noise::new(2);
        for step in 0..20_000 {
            let spike = if step % 100 == 0 { 50.0 } else { 0.0 };
            assert_eq!(shift.observe(noise.normal() + spike), None, "{step}");
        }
    }

    #[test]
    fn a_step_is_a_shift_within_hours_until_it_is_the_new_level() {
        let mut shift = Shift::new(&Settings::every_seconds(300));
        let after = (0..288).position(|_| shift.observe(-4.0) == Some(false));
        assert_eq!(after, Some(35)); // An eighth of a day.
        assert!((0..500).any(|_| shift.observe(0.0).is_none()));
    }
}
