//! A fitted model as bare numbers, as it stands in observations and recordings.

use super::distribution::LEVEL_COUNT;
use super::features::FEATURE_COUNT;
use super::forecaster::Fitted;

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
