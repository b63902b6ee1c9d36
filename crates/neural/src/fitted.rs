//! A network at work on one series.

use std::sync::Arc;

use burn_tensor::Device;
use fleetcast_forecast::{
    Explain, ModelName, Parts, PointForecast, Predict, QuantileForecast, SamplePaths, Update,
};
use serde::{Deserialize, Serialize};

use crate::network::Layout;
use crate::quantiles::{COUNT, at_score, score};
use crate::series::Series;
use crate::train::numbers;
use crate::trained::TrainedNetwork;
use crate::window::Batch;
use fleetcast_forecast::Rng;

/// Leads that are answered at once, so that a long horizon needs no more memory than a short one.
const BLOCK: usize = 1024;

/// Evenly likely quantiles that the mean is taken over.
const MEAN_OF: usize = 20;

/// A trained network and what it knows of one series.
///
/// The median and the spread of each lead come from the network. Paths draw a normal score for each lead
/// and read the lead's quantile function there; the scores of neighbouring leads are correlated as those of
/// what came true were (a Gaussian copula with the dependence of a first-order autoregression). So a path's
/// errors come in runs, yet errors over days hang together less than they do in truth.
///
/// A new observation costs a push onto the profile, and nothing is forecast until somebody asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedNetwork {
    #[serde(with = "shared")]
    network: Arc<TrainedNetwork>,
    series: Series,
}

impl FittedNetwork {
    pub(crate) fn new(network: Arc<TrainedNetwork>, mut series: Series) -> Self {
        series.forget(network.spec().reads());
        Self { network, series }
    }

    /// The network.
    pub fn network(&self) -> &TrainedNetwork {
        &self.network
    }

    /// The quantiles of the logarithm of each lead.
    fn answers(&self, horizon: usize) -> Vec<[f64; COUNT]> {
        let spec = self.network.spec();
        let device = Device::flex();
        let now = self.series.len();
        let (_, weights) = Layout::new(spec).load(self.network.weights(), &device, false);
        let mut read = Batch::new(spec, 0);
        read.read(spec, &self.series, now);
        let state = weights.encode(&read, &device);
        let mut answers = Vec::with_capacity(horizon);
        for first in (0..horizon).step_by(BLOCK) {
            let mut batch = Batch::new(spec, BLOCK.min(horizon - first));
            batch.windows = 1;
            batch.know(spec, &self.series, now, first);
            let offs = numbers(weights.decode(&state, &batch, &device));
            for (lead, offs) in offs.chunks_exact(COUNT).enumerate() {
                let offs = self.network.verdict().apply(offs);
                let base = self.usual(first + lead).base;
                answers.push(offs.map(|off| base + self.series.spread * off));
            }
        }
        answers
    }

    fn usual(&self, lead: usize) -> crate::series::Usual {
        let now = self.series.len();
        self.series.usual(now + lead, now).unwrap_or_default()
    }

    fn mean(&self, answer: &[f64; COUNT], scores: &[f64]) -> f64 {
        let sum: f64 = scores
            .iter()
            .map(|&score| self.series.demand(at_score(answer, score)))
            .sum();
        sum / scores.len() as f64
    }
}

impl Predict for FittedNetwork {
    fn model(&self) -> ModelName {
        self.network.model()
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let level = |place: usize| (place as f64 + 0.5) / MEAN_OF as f64;
        let scores: Vec<f64> = (0..MEAN_OF).map(|place| score(level(place))).collect();
        let answers = self.answers(horizon);
        PointForecast {
            steps: answers
                .iter()
                .map(|answer| self.mean(answer, &scores))
                .collect(),
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let answers = self.answers(horizon);
        let carry = self.network.verdict().correlation;
        let fresh = (1.0 - carry * carry).sqrt();
        let path = |path: usize| {
            let mut rng = Rng::new(seed, path as u64);
            let mut score = rng.normal();
            let mut step = |answer: &[f64; COUNT]| {
                let value = self.series.demand(at_score(answer, score));
                score = carry * score + fresh * rng.normal();
                value
            };
            answers.iter().map(&mut step).collect()
        };
        let paths: Vec<Vec<f64>> = (0..count.max(1)).map(path).collect();
        SamplePaths::from_paths(&paths)
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let scores: Vec<f64> = levels.iter().map(|&level| score(level)).collect();
        let answers = self.answers(horizon);
        let each = |answer: &[f64; COUNT]| {
            let at = |&score: &f64| self.series.demand(at_score(answer, score));
            scores.iter().map(at).collect::<Vec<_>>()
        };
        QuantileForecast::new(levels, answers.iter().flat_map(each).collect())
    }
}

impl Update for FittedNetwork {
    fn update(&mut self, value: Option<f64>) {
        self.series
            .push(value.filter(|value| value.is_finite() && *value >= 0.0));
        self.series.forget(self.network.spec().reads());
    }
}

impl Explain for FittedNetwork {
    /// Level and seasons are those of the profile; what the network makes of the present deviation from
    /// it is the remainder, as is the mean's distance from the median: a network has no parts to show.
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let parts = |(lead, total): (usize, f64)| {
            let usual = self.usual(lead);
            let level = self.series.demand(usual.level);
            let base = self.series.demand(usual.base);
            let day = usual.day.map_or(level, |day| self.series.demand(day));
            Parts {
                level,
                season_day: day - level,
                season_week: base - day,
                remainder: total - base,
                ..Parts::default()
            }
        };
        self.predict(horizon)
            .steps
            .into_iter()
            .enumerate()
            .map(parts)
            .collect()
    }
}

/// A shared network is stored with each series that uses it.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::trained::TrainedNetwork;

    pub(super) fn serialize<S: Serializer>(
        network: &Arc<TrainedNetwork>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        network.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<TrainedNetwork>, D::Error> {
        TrainedNetwork::deserialize(deserializer).map(Arc::new)
    }
}

#[cfg(test)]
mod tests;
