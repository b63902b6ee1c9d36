//! What a detector must know.

use serde::{Deserialize, Serialize};

/// Seconds in a day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// What a detector must know about the stream, and the budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds between samples, as a rule; single gaps do not matter.
    pub step_seconds: u32,
    /// False alarms that may be expected a week.
    pub alarms_per_week: f64,
}

/// False alarms a week by default: every other day someone looks in vain.
const ALARMS_PER_WEEK: f64 = 3.0;
/// Whatever the budget, an onset is rarer than one sample in 500 (10^2.7): rarer than that nothing
/// can be called before about so many samples were seen, and hourly samples would otherwise alarm at
/// what comes each week.
const RARITY_MIN: f64 = 2.7;
/// Nobody's budget is outside this.
const BUDGET: (f64, f64) = (1e-6, 1e6);
/// After an alarm the next one waits a day, but no fewer and no more samples than this: hourly ones
/// need some to have moved on, and with those by minute three hours are long enough.
const QUIET_ROWS: (usize, usize) = (60, 200);

impl Settings {
    /// The default budget for samples that come every so many seconds.
    pub fn every_seconds(step_seconds: u32) -> Self {
        Self {
            step_seconds: step_seconds.max(1),
            alarms_per_week: ALARMS_PER_WEEK,
        }
    }

    /// With another budget.
    #[must_use]
    pub fn with_alarms_per_week(self, alarms_per_week: f64) -> Self {
        Self {
            alarms_per_week,
            ..self
        }
    }

    /// Samples in a day, at least one.
    pub fn rows_per_day(&self) -> usize {
        let days = DAY_SECONDS as f64 / f64::from(self.step_seconds.max(1));
        (days.round() as usize).max(1)
    }

    /// How rare a sample must be for an alarm, as −log₁₀ of a probability: such that no more than
    /// the budget is expected from samples that are all ordinary.
    pub fn threshold(&self) -> f64 {
        let rows_per_week = 7.0 * self.rows_per_day() as f64;
        let budget = if self.alarms_per_week.is_nan() {
            ALARMS_PER_WEEK
        } else {
            self.alarms_per_week.clamp(BUDGET.0, BUDGET.1)
        };
        libm::log10(rows_per_week / budget).max(RARITY_MIN)
    }

    /// Samples after an alarm for which the next one waits.
    pub fn quiet_rows(&self) -> usize {
        self.rows_per_day().clamp(QUIET_ROWS.0, QUIET_ROWS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_budget() {
        let five_minutes = Settings::every_seconds(300);
        assert_eq!(five_minutes.rows_per_day(), 288);
        // 2016 samples a week, 3 alarms: one in 672.
        assert!((five_minutes.threshold() - 2.827).abs() < 1e-3);
        let strict = five_minutes.with_alarms_per_week(0.3);
        assert!((strict.threshold() - 3.827).abs() < 1e-3);
        assert_eq!(Settings::every_seconds(3600).threshold(), RARITY_MIN);
        assert_eq!(Settings::every_seconds(60).quiet_rows(), 200);
    }

    #[test]
    fn nonsense_is_bounded() {
        for budget in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
            let settings = Settings::every_seconds(0).with_alarms_per_week(budget);
            assert!(settings.threshold().is_finite() && settings.rows_per_day() == 86_400);
        }
        assert_eq!(Settings::every_seconds(u32::MAX).rows_per_day(), 1);
    }
}
