//! What takes the model's place before there is a level to learn.

use serde::{Deserialize, Serialize};

use crate::SamplePaths;

/// The last value, and the changes that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LastValue {
    value: f64,
    changes: Vec<f64>,
}

/// Newest changes that paths draw from.
const CHANGES_MAX: usize = 64;

impl LastValue {
    /// Of values without gaps, at least one.
    pub(super) fn of(filled: &[f64]) -> Self {
        Self {
            value: filled.last().copied().unwrap_or(0.0),
            changes: filled.windows(2).map(|pair| pair[1] - pair[0]).collect(),
        }
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    pub(super) fn update(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            if self.changes.len() == CHANGES_MAX {
                self.changes.remove(0);
            }
            self.changes.push(value - self.value);
            self.value = value;
        }
    }

    /// Walks of past changes, up as well as down.
    pub(super) fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            let mut value = self.value;
            for step in path {
                if !self.changes.is_empty() {
                    let change = self.changes[rng.below(self.changes.len())];
                    value += if rng.below(2) == 0 { change } else { -change };
                }
                *step = value;
            }
        })
    }
}
