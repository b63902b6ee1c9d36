//! `fleetcast backtest`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{TextStyle, comparison_text, html_report, text_report};

use super::documents;
use crate::backtest::scenario::Scenario;
use crate::backtest::{backtest, compare, demand, follow::Paths};
use crate::cli::{BacktestArgs, Format};
use crate::files::{BadInput, Whole};

/// The recording's name within its folder.
pub const RECORDING: &str = "recording.jsonl.gz";

/// Runs the command.
pub fn run(args: &BacktestArgs) -> Result<ExitCode> {
    crate::stop::listen();
    if args.fail_if.as_ref().is_some_and(|rule| rule.needs_base()) && !args.vs {
        let text = "--fail-if compares with a base: say what changes with --set PATH=VALUE --vs, or give bounds without a sign, as in 'violation>1%'";
        return Err(BadInput(text.into()).into());
    }
    let history = demand::read(&args.demand, args.seed, args.quiet)?;
    if args.vs {
        return versions(args, &history);
    }
    let scenario = Scenario::new(args, &history)?;
    // Begun before the long work, so that a folder that cannot be written is told at once.
    let report = report_folder(args);
    let page = report
        .as_ref()
        .map(|folder| Whole::create(&folder.join("report.html")))
        .transpose()?;
    let outcome = backtest(args, &history, &scenario, paths(args)?)?;
    // From here on everything is put in place, and Ctrl-C comes too late.
    crate::stop::check()?;
    for file in outcome.files {
        file.finish()?;
    }
    if let (Some(folder), Some(mut page)) = (&report, page) {
        page.write_all(html_report(&outcome.result).as_bytes())?;
        page.finish()?;
        if let Some(end) = &outcome.end {
            documents::write_predicted(
                folder,
                &end.engine,
                end.step.now,
                &end.volumes,
                &scenario.zone,
            )?;
            documents::write_provisional(folder, &end.engine, &end.step)?;
        }
    }
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&outcome.result)?)?,
        Format::Text => {
            if !args.quiet {
                let account = outcome.result.notes.iter();
                for line in account.filter(|note| !note.starts_with("warning: ")) {
                    errln!("{line}");
                }
                errln!("");
            }
            write!(out, "{}", text_report(&outcome.result, text_style()))?;
            let warnings = outcome.result.notes.iter();
            for warning in warnings.filter(|note| note.starts_with("warning: ")) {
                writeln!(out, "{warning}")?;
            }
            if let (Some(folder), false) = (&report, args.quiet) {
                writeln!(out, "\nReport: {}", folder.join("report.html").display())?;
            }
        }
    }
    drop(out);
    Ok(verdict_of(
        compare::failed(args, &compare::alone(&outcome.daily)).as_deref(),
    ))
}

/// Compares the documents as they are with those that `--set` makes of them.
fn versions(args: &BacktestArgs, history: &demand::History) -> Result<ExitCode> {
    let comparison = compare::compare_versions(args, history)?;
    crate::stop::check()?;
    match args.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&comparison)?),
        Format::Text => outln!("{}", comparison_text(&comparison, text_style()).trim_end()),
    }
    Ok(verdict_of(comparison.failed.as_deref()))
}

/// 1 with the reason, if what must not be came true.
fn verdict_of(failed: Option<&str>) -> ExitCode {
    match failed {
        None => ExitCode::SUCCESS,
        Some(reason) => {
            errln!("failed: {reason}");
            ExitCode::from(1)
        }
    }
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

fn paths(args: &BacktestArgs) -> Result<Paths> {
    let foresight = |spec: &PolicySpec| spec.kind == PolicyKind::Oracle;
    let ours =
        args.policy.is_empty() || args.policy.iter().any(|s| s.kind == PolicyKind::Fleetcast);
    if args.record.is_some() && !ours && args.policy.first().is_some_and(foresight) {
        let text = "perfect foresight decides nothing, so there is nothing to record: use another --policy";
        return Err(BadInput(text.into()).into());
    }
    Ok(Paths {
        steps: args.steps.clone(),
        recording: args.record.as_ref().map(|folder| folder.join(RECORDING)),
    })
}
