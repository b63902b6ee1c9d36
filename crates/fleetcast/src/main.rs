//! The command line: parses, builds, and lets the engine run in the world that was asked for.

/// Prints a line to standard output; a reader that has gone away is an error and no panic.
macro_rules! outln {
    ($($words:tt)*) => { std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($words)*)))? };
}

/// Prints a line to standard error; nobody reading it is no error.
macro_rules! errln {
    ($($words:tt)*) => { let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{}\n", format_args!($($words)*))); };
}

mod backtest;
mod cli;
mod commands;
mod cpu;
mod files;
mod learned;
mod outlook;
mod plan;
mod stop;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Init(args) => commands::init::run(args),
        Command::Validate(args) => commands::validate::run(args),
        Command::Backtest(args) => commands::backtest::run(args),
        Command::Frontier(args) => commands::frontier::run(args),
        Command::Plan(args) => commands::plan::run(args),
        Command::Apply(args) => commands::apply::run(args),
        Command::Override(args) => commands::decide::run(args),
        Command::Anomalies(args) => commands::anomalies::run(args),
        Command::Forecast(args) => commands::forecast::run(args),
        Command::Offers(args) => commands::offers::run(args),
        Command::Replay(args) => commands::replay::run(args),
        Command::Why(args) => commands::why::run(args),
        Command::Example(args) => commands::example::run(args),
        Command::Schemas(args) => commands::schemas::run(args),
    };
    match result {
        Ok(code) => code,
        // The reader of our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            errln!("error: {}", chain(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The error and what is behind it, once each.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// 3: the input is invalid; 4: denied; 5: over the cost threshold; 130: cancelled; 1: anything else.
fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<stop::Cancelled>() {
        130
    } else if error.is::<files::BadInput>() {
        3
    } else if let Some(refused) = error.downcast_ref::<files::Refused>() {
        match refused {
            files::Refused::Denied(_) => 4,
            files::Refused::OverThreshold(_) => 5,
        }
    } else {
        1
    }
}
