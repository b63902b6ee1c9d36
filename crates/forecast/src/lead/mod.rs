//! The lead tier: the distribution of demand one boot ahead, at the native step. This is what buying uses.
//!
//! Linear quantile regression on features that are all in units of demand, one function for each level,
//! refitted as rows grow and at most daily. `docs/adr/0002-buying.md` has the mathematics and what was tried.

mod features;
mod forecaster;
mod parameters;
mod quantile_regression;

pub use forecaster::{
    Fitted, LEVEL_COUNT, LEVELS, LeadConfig, LeadForecast, LeadForecaster, TrainingWindow, depth,
    fit,
};
