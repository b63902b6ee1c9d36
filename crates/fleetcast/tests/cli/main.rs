//! The program as people run it: real files, real signals, the messages they read and the code it ends with.

mod anomalies;
mod backtest;
mod bad_input;
mod cancel;
mod documents;
mod events;
mod forecast;
mod large;
mod limits;
mod nasty;
mod offers;
mod place;
mod plan;
mod standby;
mod telemetry;
mod unknown;
mod usage;
mod what_if;
