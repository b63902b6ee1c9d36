//! A detector of any kind.

use fleetcast_forecast::{FittedModel, Model};
use serde::{Deserialize, Serialize};

use crate::default_detector::DefaultDetector;
use crate::{Chunk, DetectorKind, Refits, ResidualDetector, Settings, Verdict};

/// A detector: give it one sample after the other. It can be stored between two of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Of the stored form; another one is not read as this one.
    version: Version,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Version {
    #[serde(rename = "fleetcast-anomaly/v1")]
    V1,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Default(Box<DefaultDetector>),
    Residual(Box<ResidualDetector<Model, Chunk<FittedModel>>>),
}

/// Values are cut to this: sums and squares of the differences of such values are still finite.
const VALUE_MAX: f64 = 1e100;

impl Detector {
    /// A detector that has seen nothing.
    pub fn new(kind: &DetectorKind, settings: &Settings) -> Self {
        let state = match kind {
            DetectorKind::Default => State::Default(Box::new(DefaultDetector::new(settings))),
            DetectorKind::Residual(model) => {
                State::Residual(Box::new(ResidualDetector::new(model.clone(), settings)))
            }
        };
        Self {
            version: Version::V1,
            state,
        }
    }

    /// Takes the next sample, and judges it by those before. `at` is its time in seconds by the
    /// clock whose days and weeks matter: samples may come unevenly, and twice for one moment. What is no
    /// finite number is missing, as `None` is.
    pub fn observe(&mut self, at: i64, value: Option<f64>) -> Verdict {
        let value = value
            .filter(|value| value.is_finite())
            .map(|value| value.clamp(-VALUE_MAX, VALUE_MAX));
        match &mut self.state {
            State::Default(detector) => detector.observe(at, value),
            State::Residual(detector) => detector.observe(value),
        }
    }

    /// What fitting has taken so far; nothing for detectors that fit nothing.
    pub fn refits(&self) -> Refits {
        match &self.state {
            State::Default(_) => Refits::default(),
            State::Residual(detector) => detector.refits(),
        }
    }
}

#[cfg(test)]
mod tests;
