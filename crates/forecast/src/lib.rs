//! Forecasts of demand: models, calibration, scores.
//!
//! A model is a value that implements [`Fit`]; fitting it to a [`History`] gives another value
//! that implements [`Predict`]. What has not been fitted cannot predict, and what has been fitted
//! does not change: a refit is a new value. Forecasts are sample paths, because buying needs the
//! quantile of the *maximum* over the lead window and not the maximum of quantiles
//! ([`SamplePaths::maximum_over`]).
//!
//! | part | what it does |
//! |---|---|
//! | [`SeasonalNaive`], [`Theta`], [`LevelSeason`] | models; each degrades by name ([`ModelName`]) when history is short |
//! | [`Arima`] | ARIMA of given or automatic order; [`ArimaProcess`] for series that may be negative |
//! | [`SeasonalNaive`], [`Theta`], [`Ets`], [`Mstl`], [`LevelSeason`] | models; each degrades by name ([`ModelName`]) when history is short |
//! | [`Model`] | every model by name |
//! | [`Combination`] | several models, weighted by what they recently lost |
//! | [`Explain`] | level, trend, seasons and remainder of a forecast, which sum to it |
//! | [`event_book`] | what events do: stated, then learned |
//! | [`PersonaPrior`], [`PersonaBlend`] | the persona as prior: all there is at first, overtaken as history earns it |
//! | [`AdaptiveConformal`], [`DelayedConformal`], [`LevelTracker`] | calibration on line, and the shadow that carries the guarantee |
//! | [`CoverageMonitor`] | how often each level held, by hour of day, and an alarm when it does not |
//! | [`evaluation`] | how good a model is, from many origins of a recorded series |
//! | [`SavedModel`] | a fitted model that outlives the program |
//! | [`ScoreBook`] and [`pinball`] and others | scores after the fact |
//!
//! The crate reads no clock and draws no entropy: seeds are arguments, and equal arguments give
//! equal results, bit for bit, on the same target. Steps are counted from the end of the history:
//! step 0 of a forecast is the first step after it. Demand is in whatever unit the history is in,
//! and never negative.

mod arima;
mod catalog;
mod classical;
mod combination;
mod conformal;
mod coverage;
mod ets;
pub mod evaluation;
pub mod event_book;
mod explain;
mod history;
mod horizons;
pub mod lead;
mod level_season;
mod level_tracker;
mod local_time;
mod long_trend;
mod low_rank;
mod mstl;
mod naive;
mod nelder_mead;
mod normal;
mod optimise;
mod paths;
mod persona;
mod prophet;
mod residual_blocks;
mod ridge;
mod rng;
mod robust;
mod saved;
mod score_book;
mod scores;
mod season_search;
#[cfg(test)]
mod testing;
mod theta;
mod traits;
mod weighted;
mod with_events;

pub use arima::{Arima, ArimaOrder, ArimaProcess, FittedArima, Method as ArimaMethod};
pub use catalog::{FittedModel, Model, UnknownModel};
pub use combination::{Combination, FittedCombination};
pub use conformal::{AdaptiveConformal, Band, ConformalSettings, DelayedConformal, Issued, Side};
pub use coverage::{CoverageAlarm, CoverageMonitor, CoverageSettings, CoverageVerdict};
pub use ets::{Ets, FittedEts, Form, InadmissibleForm, Seasonality, Trend};
pub use explain::{Explain, Parts};
pub use history::{Dates, History, HistoryError, Regressor, Season, SeasonSpec};
pub use horizons::{
    FittedHorizons, HorizonAggregate, HorizonForecast, HorizonForecasts, HorizonKind, Horizons,
    HorizonsError, LONG_HISTORY_DAYS, MEDIUM_HISTORY_DAYS, Note as HorizonNote, SHORT_HISTORY_DAYS,
};
pub use level_season::{FittedLevelSeason, LevelSeason, Mode};
pub use level_tracker::LevelTracker;
pub use local_time::{FittedLocalTime, LocalClock, LocalTime};
pub use long_trend::{FittedLongTrend, LONG_TREND_STEPS_MIN, LongTrend};
pub use low_rank::{FittedLowRank, LowRank};
pub use mstl::{FittedMstl, Mstl, Remainder};
pub use naive::{FittedSeasonalNaive, SeasonalNaive};
pub use paths::{PointForecast, QuantileForecast, Sample, SamplePaths};
pub use persona::{Expectation, FittedPersonaBlend, PersonaBlend, PersonaPrior};
pub use prophet::{
    CustomSeason, FittedProphet, Growth, HolidayDays, HolidayEffect, Prophet, SeasonChoice,
    SeasonMode,
};
pub use ridge::{FittedRidge, Ridge, Scaling, Variant};
pub use rng::Rng;
pub use saved::{MadeOf, SavedModel, SavedModelError};
pub use score_book::{LeadScore, ScoreBook};
pub use scores::{coverage, mase, pinball, weighted_quantile_loss};
pub use season_search::{
    Predictability, SeasonEvidence, SeasonReport, SimpleRule, Skill, find_periods, find_seasons,
};
pub use theta::{FittedTheta, Theta, ThetaForm};
pub use traits::{Fit, FitError, ModelName, Predict, Update};
pub use with_events::{EventEffects, FittedWithEvents, KnownEvent, WithEvents, holiday_events};
