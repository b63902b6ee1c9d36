//! Benchmarks: commands that print figures, with the peers' from the same run beside them.
//!
//! Run through `cargo xtask bench …`, which builds them optimised. Nothing here is a test, and nothing
//! fails for being slow.

mod ablation;
mod all;
mod anomaly;
mod capacity;
mod cli;
mod curve;
mod direct;
mod engine;
mod forecast;
mod grids;
mod judgement;
mod lead;
mod parallel;
mod persona;
mod planner;
mod program;
mod provisioning;
mod python;
mod run;
mod spot;
mod traces;
mod violation;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let result = match Cli::parse() {
        Cli::Provisioning(args) if args.violation => violation::run(&args),
        Cli::Provisioning(args) if args.all => all::run(&args),
        Cli::Provisioning(args) if args.ablation => ablation::run(&args),
        Cli::Provisioning(args) => provisioning::run(&args),
        Cli::Engine(args) => engine::run(&args),
        Cli::Spot(args) => spot::run(&args),
        Cli::Persona(args) => persona::run(&args),
        Cli::Anomaly(args) => anomaly::run(&args),
        Cli::Forecast(args) => forecast::run(&args),
        Cli::Capacity(args) => capacity::run(&args),
        Cli::Planner(args) => planner::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
