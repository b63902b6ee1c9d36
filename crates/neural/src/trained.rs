//! A trained network, for all series.

use std::sync::Arc;

use fleetcast_forecast::{Fit, FitError, History, ModelName};
use serde::{Deserialize, Serialize};

use crate::fitted::FittedNetwork;
use crate::judge::Verdict;
use crate::network::Layout;
use crate::series::Series;
use crate::spec::RecurrentSpec;
use crate::train::{can_train, train};

/// The form in which networks are stored. It grows by one whenever what the numbers mean changes.
const VERSION: u32 = 1;

/// Observed steps that a series must have to train on it: under that there is no telling what is usual.
const OBSERVED_MIN: usize = 32;

/// A network that has learned, and forecasts any series from then on without learning again.
///
/// Stored as its weights and the version of their form; another version is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct TrainedNetwork {
    version: u32,
    spec: RecurrentSpec,
    weights: Vec<f32>,
    verdict: Verdict,
}

impl RecurrentSpec {
    /// Trains one network on all these histories. Those too short to learn from are left out; if
    /// all are, that is an error.
    pub fn train(&self, histories: &[History<'_>]) -> Result<TrainedNetwork, FitError> {
        let spec = self.bounded();
        let model = spec.model();
        let device = spec
            .compute
            .device()
            .map_err(|reason| FitError::Unfit { model, reason })?;
        let mut series = Vec::new();
        let mut most_seen = 0;
        for history in histories {
            let seen = history.values().iter().flatten().count();
            most_seen = most_seen.max(seen);
            if seen >= OBSERVED_MIN {
                series.push(Series::new(history)?);
            }
        }
        series.retain(|series| can_train(&spec, series));
        if series.is_empty() {
            return Err(match most_seen {
                0 => FitError::NoObservation,
                seen if seen < OBSERVED_MIN => FitError::TooShort {
                    model,
                    needed: OBSERVED_MIN,
                    seen,
                },
                _ => FitError::Unfit {
                    model,
                    reason: "its last steps are all missing",
                },
            });
        }
        let learned = train(&spec, &series, &device);
        Ok(TrainedNetwork {
            version: VERSION,
            spec,
            weights: learned.weights,
            verdict: learned.verdict,
        })
    }
}

impl TrainedNetwork {
    /// Puts the network to work on one series, which need not be one that it has learned from.
    pub fn fit(&self, history: &History<'_>) -> Result<FittedNetwork, FitError> {
        Self::share(&Arc::new(self.clone()), history)
    }

    /// The same for a network that many series share, without a copy for each.
    pub fn share(self: &Arc<Self>, history: &History<'_>) -> Result<FittedNetwork, FitError> {
        Ok(FittedNetwork::new(self.clone(), Series::new(history)?))
    }

    /// What was trained.
    pub fn spec(&self) -> &RecurrentSpec {
        &self.spec
    }

    /// The name of the model.
    pub fn model(&self) -> ModelName {
        self.spec.model()
    }

    /// The mean pinball loss of the trial training on what it left out, in units of each series' usual
    /// deviation from its profile.
    pub fn loss(&self) -> f64 {
        self.verdict.loss
    }

    /// The share of the network in its forecasts, from 0 to 1, as it earned on what the trial left out; the rest is the
    /// seasonal profile's.
    pub fn trust(&self) -> f64 {
        self.verdict.trust
    }

    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub(crate) fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

impl Fit for RecurrentSpec {
    type Fitted = FittedNetwork;

    /// Trains on this one history.
    fn fit(&self, history: &History<'_>) -> Result<FittedNetwork, FitError> {
        Arc::new(self.train(&[*history])?).share(history)
    }
}

/// A network as it is stored, before anybody has looked at it.
#[derive(Deserialize)]
struct Stored {
    version: u32,
    spec: RecurrentSpec,
    weights: Vec<f32>,
    verdict: Verdict,
}

impl TryFrom<Stored> for TrainedNetwork {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        if stored.version != VERSION {
            return Err(format!(
                "a network of version {} where {VERSION} is known",
                stored.version
            ));
        }
        let spec = stored.spec.bounded();
        let expected = Layout::new(&spec).len();
        let finite = stored.weights.iter().all(|weight| weight.is_finite());
        if stored.weights.len() != expected || !finite || !stored.verdict.is_sound() {
            return Err(format!(
                "a network that is not {expected} numbers and a verdict on them"
            ));
        }
        Ok(Self {
            version: VERSION,
            spec,
            weights: stored.weights,
            verdict: stored.verdict,
        })
    }
}
