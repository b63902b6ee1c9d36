//! `fleetcast forecast`

mod ahead;
mod dump;
mod evaluate;
mod events;
mod kept_scores;
mod models;
mod scores;
mod source;
mod state;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_report::{ForecastResult, forecast_html, forecast_text};

use super::backtest::text_style;
use crate::cli::{ForecastArgs, ForecastCommand, ForecastFormat};
use crate::files::{self, BadInput, Whole};

/// Runs the command.
pub fn run(args: &ForecastArgs) -> Result<ExitCode> {
    crate::stop::listen();
    if let Some(ForecastCommand::Evaluate(args)) = &args.command {
        return evaluate::run(args);
    }
    check_levels(&args.levels)?;
    // Begun before the work, so that a folder that cannot be written is told at once.
    let page = args
        .report
        .as_ref()
        .map(|folder| folder.join("forecast.html"));
    let page = page.as_deref().map(Whole::create).transpose()?;
    let found = ahead::forecast(args)?;
    crate::stop::check()?;
    if let Some(mut page) = page {
        page.write_all(forecast_html(&found.result).as_bytes())?;
        page.finish()?;
    }
    if let Some(path) = &args.save {
        files::write(path, &(found.saved.to_json() + "\n"))?;
    }
    let mut out = std::io::stdout().lock();
    match args.format {
        ForecastFormat::Json => {
            writeln!(out, "{}", serde_json::to_string_pretty(&found.result)?)?;
        }
        ForecastFormat::Csv => write!(out, "{}", csv(&found.result))?,
        ForecastFormat::Text => {
            write!(out, "{}", forecast_text(&found.result, text_style()))?;
            if let Some(folder) = &args.report {
                writeln!(out, "\nReport: {}", folder.join("forecast.html").display())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check_levels(levels: &[f64]) -> Result<()> {
    let within = levels.iter().all(|level| *level > 0.0 && *level < 1.0);
    let rising = levels.windows(2).all(|pair| pair[0] < pair[1]);
    if within && rising && !levels.is_empty() {
        return Ok(());
    }
    let text = "--levels: use rising levels between 0 and 1, such as 0.05,0.5,0.95";
    Err(BadInput(text.into()).into())
}

/// A row for each step, numbers as exact as they are.
fn csv(result: &ForecastResult) -> String {
    let mut out = String::from("timestamp");
    for level in &result.levels {
        let _ = write!(out, ",q{level}");
    }
    out.push('\n');
    for step in &result.steps {
        let _ = write!(out, "{}", step.at);
        for value in &step.quantiles {
            let _ = write!(out, ",{value}");
        }
        out.push('\n');
    }
    out
}
