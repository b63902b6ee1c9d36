//! Every model by name: those of the catalogue, and the networks.

use std::ops::Range;
use std::str::FromStr;

use fleetcast_forecast::{
    Explain, Fit, FitError, FittedModel, History, Model, ModelName, Parts, PointForecast, Predict,
    QuantileForecast, SamplePaths, Update,
};
use fleetcast_neural::{Cell, FittedNetwork, RecurrentSpec};
use serde::{Deserialize, Serialize};

/// A model that can be asked for by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyModel {
    Catalog(Model),
    Network(RecurrentSpec),
}

/// A fitted [`AnyModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyFitted {
    Catalog(Box<FittedModel>),
    Network(Box<FittedNetwork>),
}

/// There is no model of this name.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownModel(String);

const NETWORKS: [(&str, Cell); 2] = [("gru", Cell::Gru), ("lstm", Cell::Lstm)];

impl AnyModel {
    /// All names, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Model::names().chain(NETWORKS.map(|(name, _)| name))
    }
}

impl FromStr for AnyModel {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let plain = plain(name);
        let network = NETWORKS.iter().find(|(known, _)| *known == plain);
        if let Some((_, cell)) = network {
            return Ok(Self::Network(RecurrentSpec::new(*cell)));
        }
        let known = plain.parse().map(Self::Catalog);
        known.map_err(|_| UnknownModel(name.to_string()))
    }
}

/// A name as it is listed.
pub fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('_', "-")
}

impl std::fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list: Vec<&str> = AnyModel::names().collect();
        let (name, list) = (&self.0, list.join(", "));
        write!(f, "there is no model `{name}`; the models are {list}")
    }
}

impl std::error::Error for UnknownModel {}

impl Fit for AnyModel {
    type Fitted = AnyFitted;

    fn fit(&self, history: &History<'_>) -> Result<AnyFitted, FitError> {
        Ok(match self {
            Self::Catalog(model) => AnyFitted::Catalog(model.fit(history)?.into()),
            Self::Network(spec) => AnyFitted::Network(spec.fit(history)?.into()),
        })
    }
}

impl AnyFitted {
    fn own(&self) -> &dyn Predict {
        match self {
            Self::Catalog(model) => model.as_ref(),
            Self::Network(network) => network.as_ref(),
        }
    }
}

impl Predict for AnyFitted {
    fn model(&self) -> ModelName {
        self.own().model()
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        self.own().predict(horizon)
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        self.own().paths(horizon, count, seed)
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        self.own().quantiles(horizon, levels)
    }

    fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
        self.own().highest(windows, levels)
    }
}

impl Update for AnyFitted {
    fn update(&mut self, value: Option<f64>) {
        match self {
            Self::Catalog(model) => model.update(value),
            Self::Network(network) => network.update(value),
        }
    }
}

impl Explain for AnyFitted {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        match self {
            Self::Catalog(model) => model.explain(horizon),
            Self::Network(network) => network.explain(horizon),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_model() {
        for name in AnyModel::names() {
            assert!(name.parse::<AnyModel>().is_ok(), "{name}");
        }
        let network = AnyModel::Network(RecurrentSpec::new(Cell::Lstm));
        assert_eq!(" LSTM".parse(), Ok(network));
        let error = "oracle".parse::<AnyModel>().unwrap_err().to_string();
        assert!(
            error.contains("`oracle`; the models are combination, "),
            "{error}"
        );
        assert!(error.ends_with(", gru, lstm"), "{error}");
    }
}
