//! Every model by name.

use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    Arima, Combination, Ets, Explain, Fit, FitError, FittedArima, FittedCombination, FittedEts,
    FittedLevelSeason, FittedLowRank, FittedMstl, FittedProphet, FittedRidge, FittedSeasonalNaive,
    FittedTheta, History, LevelSeason, LowRank, ModelName, Mstl, Parts, PointForecast, Predict,
    Prophet, QuantileForecast, Ridge, SamplePaths, Season, SeasonalNaive, Theta, Update,
};

/// Makes the two enums, what they share, and the table of names, from one list.
macro_rules! catalog {
    ($($variant:ident($spec:ty => $fitted:ty),)*) => {
        /// A model that can be asked for by name, or take part in a combination.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Model {
            $(#[doc = concat!("See [`", stringify!($variant), "`].")] $variant($spec),)*
        }

        /// A fitted [`Model`].
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FittedModel {
            $(#[doc = concat!("See [`", stringify!($variant), "`].")] $variant($fitted),)*
        }

        impl Fit for Model {
            type Fitted = FittedModel;

            fn fit(&self, history: &History<'_>) -> Result<FittedModel, FitError> {
                Ok(match self {
                    $(Self::$variant(model) => FittedModel::$variant(model.fit(history)?),)*
                })
            }
        }

        impl Predict for FittedModel {
            fn model(&self) -> ModelName {
                match self { $(Self::$variant(model) => model.model(),)* }
            }

            fn predict(&self, horizon: usize) -> PointForecast {
                match self { $(Self::$variant(model) => model.predict(horizon),)* }
            }

            fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
                match self { $(Self::$variant(model) => model.paths(horizon, count, seed),)* }
            }

            fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
                match self { $(Self::$variant(model) => model.quantiles(horizon, levels),)* }
            }

            fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
                match self { $(Self::$variant(model) => model.highest(windows, levels),)* }
            }
        }

        impl Update for FittedModel {
            fn update(&mut self, value: Option<f64>) {
                match self { $(Self::$variant(model) => model.update(value),)* }
            }
        }

        impl Explain for FittedModel {
            fn explain(&self, horizon: usize) -> Vec<Parts> {
                match self { $(Self::$variant(model) => model.explain(horizon),)* }
            }
        }
    };
}

catalog! {
    SeasonalNaive(SeasonalNaive => FittedSeasonalNaive),
    Theta(Theta => FittedTheta),
    Ets(Ets => FittedEts),
    Mstl(Mstl<Ets> => FittedMstl<FittedEts>),
    MstlArima(Mstl<Arima> => FittedMstl<FittedArima>),
    LevelSeason(LevelSeason => FittedLevelSeason),
    Prophet(Prophet => FittedProphet),
    Arima(Arima => FittedArima),
    LowRank(LowRank => FittedLowRank),
    Ridge(Ridge => FittedRidge),
    Combination(Combination => FittedCombination),
}

/// A name and what it stands for.
type Named = (&'static str, fn() -> Model);

/// The names of models, and what they stand for.
const NAMES: &[Named] = &[
    ("combination", || Model::Combination(Combination::default())),
    ("combination-accurate", || {
        Model::Combination(Combination::accurate())
    }),
    ("seasonal-naive-day", || {
        Model::SeasonalNaive(SeasonalNaive::new(Season::Day))
    }),
    ("seasonal-naive-week", || {
        Model::SeasonalNaive(SeasonalNaive::new(Season::Week))
    }),
    ("theta", || Model::Theta(Theta::new(Season::Day))),
    ("ets", || Model::Ets(Ets::auto(Some(Season::Day)))),
    ("mstl", || Model::Mstl(Mstl::default())),
    ("mstl-arima", || {
        Model::MstlArima(Mstl::new(Arima::auto(None)))
    }),
    ("theta-week", || Model::Theta(Theta::new(Season::Week))),
    (
        "level-season",
        || Model::LevelSeason(LevelSeason::default()),
    ),
    ("prophet", || Model::Prophet(Prophet::default())),
    ("arima", || Model::Arima(Arima::auto(Some(Season::Day)))),
    ("arima-nonseasonal", || Model::Arima(Arima::auto(None))),
    ("low-rank", || Model::LowRank(LowRank)),
    ("ridge", || Model::Ridge(Ridge::default())),
    ("ridge-accurate", || Model::Ridge(Ridge::accurate())),
];

impl Model {
    /// The names that [`Model::from_str`] knows, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

impl Default for Model {
    /// The combination.
    fn default() -> Self {
        Self::Combination(Combination::default())
    }
}

/// There is no model of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no model `{0}`; the models are {list}", list = Model::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownModel(pub String);

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let plain = name.trim().to_ascii_lowercase().replace('_', "-");
        let found = NAMES.iter().find(|(known, _)| *known == plain);
        found
            .map(|(_, model)| model())
            .ok_or_else(|| UnknownModel(name.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;

    #[test]
    fn every_name_is_a_model_that_forecasts() {
        let traffic = traffic(5.0, 24, 100.0, 3);
        for name in Model::names() {
            let model: Model = name.parse().unwrap();
            let fitted = model.fit(&traffic.history()).unwrap();
            assert_eq!(fitted.predict(48).steps.len(), 48, "{name}");
            let stored = serde_json::to_string(&fitted).unwrap();
            assert_eq!(
                serde_json::from_str::<FittedModel>(&stored).unwrap(),
                fitted,
                "{name}"
            );
        }
        assert!("nonsense".parse::<Model>().is_err());
        assert_eq!(
            "Seasonal_Naive_Day".parse(),
            "seasonal-naive-day".parse::<Model>()
        );
    }
}
