//! The lead tier: the distribution of demand one boot ahead, at the native step. This is what buying uses.

mod features;
mod forecaster;
mod parameters;
mod quantile_regression;

pub use features::SlidingMaximum;
pub use forecaster::{
    Fitted, LEVEL_COUNT, LEVELS, LeadConfig, LeadForecast, LeadForecaster, TrainingWindow, depth,
    fit,
};

pub(crate) fn knob(_name: &str, default: f64) -> f64 {
    default
}
