//! `fleetcast frontier`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_policy::PolicyKind;
use fleetcast_report::{frontier_html, frontier_text};

use super::backtest::text_style;
use crate::backtest::frontier::frontier;
use crate::backtest::{demand, scenario::Scenario};
use crate::cli::{Format, FrontierArgs};
use crate::files::{BadInput, Whole};

/// Runs the command.
pub fn run(args: &FrontierArgs) -> Result<ExitCode> {
    crate::stop::listen();
    refuse(args)?;
    let asked = &args.backtest;
    let history = demand::read(&asked.demand, asked.seed, asked.quiet)?;
    let scenario = Scenario::new(asked, &history)?;
    // Begun before the long work, so that a folder that cannot be written is told at once.
    let path = report(args);
    let page = path.as_deref().map(Whole::create).transpose()?;
    let result = frontier(args, &history, &scenario)?;
    crate::stop::check()?;
    if let Some(mut page) = page {
        page.write_all(frontier_html(&result).as_bytes())?;
        page.finish()?;
    }
    match asked.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&result)?),
        Format::Text => {
            let mut shown = result.clone();
            if !asked.quiet {
                for note in shown
                    .notes
                    .iter()
                    .filter(|note| !note.starts_with("warning: "))
                {
                    errln!("{note}");
                }
                errln!("");
            }
            shown.notes.retain(|note| note.starts_with("warning: "));
            outln!("{}", frontier_text(&shown, text_style()).trim_end());
            if let (Some(path), false) = (&path, asked.quiet) {
                outln!("\nReport: {}", path.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(args: &FrontierArgs) -> Option<PathBuf> {
    let asked = &args.backtest;
    if asked.no_report {
        return None;
    }
    let folder = asked.report.as_deref();
    let folder = folder.unwrap_or_else(|| Path::new("fleetcast-report"));
    Some(folder.join("frontier.html"))
}

/// Options of a backtest that say nothing here.
fn refuse(args: &FrontierArgs) -> Result<()> {
    let asked = &args.backtest;
    let idle = [
        ("--steps", asked.steps.is_some()),
        ("--record", asked.record.is_some()),
        ("--vs", asked.vs),
        ("--fail-if", asked.fail_if.is_some()),
    ];
    if let Some((option, _)) = idle.into_iter().find(|(_, given)| *given) {
        let text =
            format!("{option} is for one run, and a frontier is many: use `fleetcast backtest`");
        return Err(BadInput(text).into());
    }
    let other = |kind| !matches!(kind, PolicyKind::Fleetcast | PolicyKind::Oracle);
    if asked.policy.iter().any(|spec| !other(spec.kind)) {
        let text = "--policy names autoscalers to show beside the frontier, such as kubernetes-hpa:0.6; Fleetcast is the frontier";
        return Err(BadInput(text.into()).into());
    }
    Ok(())
}
