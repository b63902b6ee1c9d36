//! The project's own commands, run as `cargo xtask …`.
//!
//! Each sets up what it needs, or says what is missing and how to get it. This crate stays small: it is
//! the first thing that a newcomer compiles.

mod bench;
mod demo;
mod fuzz;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo                   build Fleetcast and run it on a synthetic shop, from documents to report
  test [--quick]         format, lints, all tests; --quick: unit tests only
  fuzz [TARGET] [--seconds N]   random inputs for models, detector, CSV and documents, with cargo-fuzz
  bench provisioning …   cost at equal unserved demand, against the autoscalers people run
  bench forecast …       accuracy, calibration and CPU of every model; --peers runs the peers beside them
  bench engine …         steps a second of the engine, time and memory of a whole backtest

`cargo xtask bench provisioning --help` tells more.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let (command, rest) = args
        .split_first()
        .map_or(("help", args), |(command, rest)| (command.as_str(), rest));
    match command {
        "demo" if rest.is_empty() => demo::run(&workspace),
        "test" => test::run(&workspace, rest),
        "fuzz" => fuzz::run(&workspace, rest),
        "bench" => bench::run(&workspace, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("`{}` is not known\n\n{USAGE}", args.join(" ")),
    }
}
