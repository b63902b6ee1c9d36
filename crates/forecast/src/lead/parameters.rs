//! A fitted model as bare numbers, as it stands in observations and recordings.

use super::distribution::LEVEL_COUNT;
use super::event_features::EVENT_FEATURES;
use super::features::FEATURE_COUNT;
use super::fit::Fitted;

impl Fitted {
    /// The coefficients, level by level; those of events, if there are any, follow.
    pub fn to_parameters(&self) -> Vec<f64> {
        let of_demand = self.coefficients.iter().flatten();
        of_demand
            .chain(self.of_events.iter().flatten())
            .copied()
            .collect()
    }

    /// Reads them back; `None` if there are too few, too many, or one is no number.
    pub fn from_parameters(parameters: &[f64]) -> Option<Self> {
        if !parameters.iter().all(|x| x.is_finite()) {
            return None;
        }
        let (of_demand, of_events) = parameters.split_at_checked(LEVEL_COUNT * FEATURE_COUNT)?;
        if !of_events.is_empty() && of_events.len() != LEVEL_COUNT * EVENT_FEATURES {
            return None;
        }
        let rows = of_demand.chunks_exact(FEATURE_COUNT);
        let event_rows = of_events.chunks_exact(EVENT_FEATURES);
        Some(Self {
            coefficients: rows.filter_map(|row| row.try_into().ok()).collect(),
            of_events: event_rows.filter_map(|row| row.try_into().ok()).collect(),
        })
    }
}
