//! `fleetcast backtest`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use fleetcast_report::{TextStyle, html_report, text_report};
use fleetcast_sim::Recorder;

use super::documents;
use crate::backtest::scenario::Scenario;
use crate::backtest::{backtest, demand, follow::Outputs};
use crate::cli::{BacktestArgs, Format};
use crate::files::{self, Whole};

/// The recording's name within its folder.
pub const RECORDING: &str = "recording.jsonl.gz";

/// Runs the command.
pub fn run(args: &BacktestArgs) -> Result<ExitCode> {
    crate::stop::listen();
    let history = demand::read(args)?;
    let scenario = Scenario::new(args, &history)?;
    let outcome = backtest(args, &history, &scenario, outputs(args, &scenario)?)?;
    // From here on everything is put in place, and Ctrl-C comes too late.
    crate::stop::check()?;
    for file in outcome.files {
        file.finish()?;
    }
    let report = report_folder(args);
    if let Some(folder) = &report {
        files::write(&folder.join("report.html"), &html_report(&outcome.result))?;
        if let Some(end) = &outcome.end {
            documents::write_predicted(folder, &end.engine, end.step.now, &end.volumes)?;
            documents::write_provisional(folder, &end.engine, &end.step)?;
        }
    }
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&outcome.result)?)?,
        Format::Text => {
            if !args.quiet {
                for line in &outcome.result.notes {
                    eprintln!("{line}");
                }
                eprintln!();
            }
            write!(out, "{}", text_report(&outcome.result, text_style()))?;
            if let (Some(folder), false) = (&report, args.quiet) {
                writeln!(out, "\nReport: {}", folder.join("report.html").display())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Colour only on a terminal that wants it.
pub fn text_style() -> TextStyle {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    TextStyle {
        colour,
        ..TextStyle::default()
    }
}

fn report_folder(args: &BacktestArgs) -> Option<PathBuf> {
    if args.no_report || (args.report.is_none() && !args.policy.is_empty()) {
        return None;
    }
    Some(
        args.report
            .clone()
            .unwrap_or_else(|| Path::new("fleetcast-report").to_path_buf()),
    )
}

fn outputs(args: &BacktestArgs, scenario: &Scenario) -> Result<Outputs> {
    let steps = args.steps.as_deref().map(Whole::create).transpose()?;
    let recorder = args.record.as_deref().map(|folder| {
        let file = Whole::create(&folder.join(RECORDING))?;
        Recorder::new(GzEncoder::new(file, Compression::fast()), &scenario.config)
            .context("cannot write the recording")
    });
    Ok(Outputs {
        steps,
        recorder: recorder.transpose()?,
    })
}
