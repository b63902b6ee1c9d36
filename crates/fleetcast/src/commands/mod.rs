//! One file for each command.

pub mod anomalies;
pub mod apply;
pub mod backtest;
pub mod decide;
pub mod documents;
pub mod example;
pub mod forecast;
pub mod frontier;
pub mod init;
pub mod offers;
pub mod plan;
pub mod replay;
pub mod schemas;
pub mod validate;
pub mod why;
