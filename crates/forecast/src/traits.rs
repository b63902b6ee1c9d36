//! How models are fitted and asked, after augurs' `traits.rs`.

use serde::{Deserialize, Serialize};

use crate::{History, PointForecast, SamplePaths};

/// A model that has seen no data yet.
pub trait Fit {
    /// What fitting makes of it.
    type Fitted: Predict;

    /// Learns from a history. Where it is too short for this model, a simpler one takes its place
    /// and says so by its [`Predict::model`].
    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError>;
}

/// A model that knows a history and forecasts the steps right after it.
pub trait Predict {
    /// Which model forecasts: the one asked for, or the simpler one that took its place.
    fn model(&self) -> ModelName;

    /// The expected demand of the next `horizon` steps.
    fn predict(&self, horizon: usize) -> PointForecast;

    /// At least one and else `count` equally likely courses of the next `horizon` steps. Equal
    /// seeds give equal paths, and the first paths do not depend on how many are drawn.
    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths;
}

/// Why a model could not be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Wait for data; until then the persona alone forecasts.
    #[error("the history holds no observation")]
    NoObservation,
}

/// The name of a fitted model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// The last value.
    Naive,
    /// What was there a day before.
    SeasonalNaiveDay,
    /// What was there a week before.
    SeasonalNaiveWeek,
    /// Theta without a season.
    Theta,
    /// Theta on what is left after the day's season.
    ThetaDay,
    /// Theta on what is left after the week's season.
    ThetaWeek,
    /// Level and the day's season.
    LevelSeasonDay,
    /// Level, the day's and the week's season.
    LevelSeasonWeek,
    /// Several models, weighted.
    Combination,
}
