//! A fitted model as bare numbers, as it stands in observations and recordings.

use super::features::FEATURE_COUNT;
use super::forecaster::{Fitted, LEVEL_COUNT, LEVELS, LeadForecast};

impl Fitted {
    /// The coefficients, level by level.
    pub fn to_parameters(&self) -> Vec<f64> {
        self.coefficients.iter().flatten().copied().collect()
    }

    /// Reads them back; `None` if there are too few, too many, or one is no number.
    pub fn from_parameters(parameters: &[f64]) -> Option<Self> {
        let whole = parameters.len() == LEVEL_COUNT * FEATURE_COUNT
            && parameters.iter().all(|x| x.is_finite());
        let rows = parameters
            .chunks_exact(FEATURE_COUNT)
            .filter_map(|row| row.try_into().ok());
        whole.then(|| Self {
            coefficients: rows.collect(),
        })
    }
}

impl LeadForecast {
    /// Multiplies demand by a factor that is known to come.
    pub fn scale(&mut self, factor: f64) {
        for quantile in &mut self.quantiles {
            *quantile *= factor;
        }
    }

    /// Replaces each quantile by what `blend` makes of its level and value, and keeps them in order.
    pub fn map(&mut self, blend: impl Fn(f64, f64) -> f64) {
        for (level, quantile) in LEVELS.iter().zip(&mut self.quantiles) {
            let value = blend(*level, *quantile);
            *quantile = if value.is_finite() {
                value.max(0.0)
            } else {
                *quantile
            };
        }
        self.quantiles.sort_unstable_by(f64::total_cmp);
    }
}
