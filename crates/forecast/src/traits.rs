//! How models are fitted and asked, after augurs' `traits.rs`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{History, PointForecast, QuantileForecast, SamplePaths};

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

    /// The quantiles of each of the next `horizon` steps at these levels between 0 and 1. Models that
    /// know them better than by drawing paths say so here.
    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let paths = self.paths(horizon, QUANTILE_PATHS, 0);
        QuantileForecast::from_paths(&paths, levels)
    }

    /// The quantiles of the highest demand within each of some windows of the next steps: what capacity for a whole
    /// window must hold. Models that have watched how often their own held say so here.
    ///
    /// # Panics
    /// If a window is empty.
    fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
        let horizon = windows.iter().map(|window| window.end).max().unwrap_or(0);
        highest_of(&self.paths(horizon, QUANTILE_PATHS, 0), windows, levels)
    }
}

/// The quantiles of the highest of each window, as paths have them.
pub(crate) fn highest_of(
    paths: &SamplePaths,
    windows: &[Range<usize>],
    levels: &[f64],
) -> Vec<Vec<f64>> {
    let of = |window: &Range<usize>| {
        let highest = paths.maximum_over(window.clone());
        let each = levels.iter().map(|&level| highest.quantile(level));
        each.collect()
    };
    windows.iter().map(of).collect()
}

/// A fitted model that takes in new observations without being fitted again.
pub trait Update: Predict {
    /// Takes the observation of the first step that was forecast so far; from then on forecasts start
    /// one step later. `None` is a missing observation.
    fn update(&mut self, value: Option<f64>);
}

/// Paths that quantiles are read from: at the 2.5 % level ten lie beyond.
pub(crate) const QUANTILE_PATHS: usize = 400;

/// Why a model could not be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Wait for data; until then the persona alone forecasts.
    #[error("the history holds no observation")]
    NoObservation,
    /// Wait for data, or choose a simpler model.
    #[error("{model} needs {needed} steps and there are {seen}")]
    TooShort {
        /// The model.
        model: ModelName,
        /// Steps that it needs.
        needed: usize,
        /// Steps with an observation.
        seen: usize,
    },
    /// Say when the steps were.
    #[error("{0} needs to know the dates of the steps")]
    NoDates(ModelName),
    /// Choose another model, or other settings.
    #[error("{model} cannot be fitted to this history: {reason}")]
    Unfit {
        /// The model.
        model: ModelName,
        /// Why, and what would mend it.
        reason: &'static str,
    },
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
    /// Exponential smoothing in state space form.
    Ets,
    /// Seasons by loess, what is left by exponential smoothing.
    Mstl,
    /// Seasons by loess, what is left by ARIMA.
    MstlArima,
    /// Autoregressive integrated moving average, with a season or without.
    Arima,
    /// Piecewise trend, Fourier seasons, holidays.
    Prophet,
    /// A shape times a level.
    LowRank,
    /// Level, damped trend, week and year, for months ahead.
    LongTrend,
    /// Direct regression on seasonal profiles.
    Ridge,
    /// A recurrent network of gated units.
    Gru,
    /// A recurrent network with long short-term memory.
    Lstm,
    /// Several models, weighted.
    Combination,
    /// The persona alone: there is no history.
    Persona,
}

impl ModelName {
    /// The name as it is typed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SeasonalNaiveDay => "seasonal_naive_day",
            Self::SeasonalNaiveWeek => "seasonal_naive_week",
            Self::Theta => "theta",
            Self::ThetaDay => "theta_day",
            Self::ThetaWeek => "theta_week",
            Self::LevelSeasonDay => "level_season_day",
            Self::LevelSeasonWeek => "level_season_week",
            Self::Ets => "ets",
            Self::Mstl => "mstl",
            Self::MstlArima => "mstl_arima",
            Self::Arima => "arima",
            Self::Prophet => "prophet",
            Self::LowRank => "low_rank",
            Self::LongTrend => "long_trend",
            Self::Ridge => "ridge",
            Self::Gru => "gru",
            Self::Lstm => "lstm",
            Self::Combination => "combination",
            Self::Persona => "persona",
        }
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
