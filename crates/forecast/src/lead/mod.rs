//! The lead tier: the distribution of demand one boot ahead, at the native step. This is what buying uses.
//!
//! Linear quantile regression on features that are all in units of demand, one function for each level,
//! refitted as rows grow and at most daily; beside it a challenger that takes over where it forecasts better.
//! `docs/adr/0002-buying.md` has the mathematics and what was tried.

mod check_loss;
mod contest;
mod distribution;
mod event_features;
mod features;
mod fit;
mod forecaster;
mod gap;
mod near_events;
mod parameters;
mod peak_tail;
pub mod quantile_regression;
mod rows;
mod small_ridge;
mod triangle;

pub use contest::{Contender, Succession};
pub use distribution::{LEVEL_COUNT, LEVELS, LeadForecast, depth};
pub use fit::{Fitted, TrainingWindow, fit};
pub use forecaster::{LeadConfig, LeadForecaster, STEPS_BEFORE};
