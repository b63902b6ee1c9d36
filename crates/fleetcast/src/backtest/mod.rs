//! `fleetcast backtest`: what Fleetcast, and the autoscalers people know, would have done on a history.
//!
//! `demand` reads the history, `scenario` turns documents (or the plain setting) into an engine's
//! configuration and a simulation, `runs` runs every policy through the same engine and cloud, `follow`
//! keeps what the views need of our own run, and `outcome` makes the result of it all.

pub mod change;
mod chart;
pub mod compare;
pub mod demand;
pub mod fail_if;
pub mod follow;
pub mod frontier;
pub mod objective;
mod outcome;
mod runs;
pub mod scenario;
pub mod standby;
mod usage;
mod worst;
pub mod worst_price;

pub use outcome::backtest;
