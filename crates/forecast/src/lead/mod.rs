//! The lead tier: the distribution of demand one boot ahead, at the native step. This is what buying uses.
//!
//! Linear quantile regression on features that are all in units of demand, one function for each level,
//! refitted as rows grow and at most daily. `docs/adr/0002-buying.md` has the mathematics and what was tried.

mod distribution;
mod event_features;
mod features;
mod forecaster;
mod parameters;
pub mod quantile_regression;

pub use distribution::{LEVEL_COUNT, LEVELS, LeadForecast, depth};
pub use forecaster::{Fitted, LeadConfig, LeadForecaster, TrainingWindow, fit};
