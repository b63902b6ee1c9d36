//! `fleetcast plan`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::{GateVerdict, ProvisionalFleetState, provisional_to_json};

use crate::backtest::demand;
use crate::cli::{Format, PlanArgs, PlanHorizon};
use crate::files::{self, BadInput};
use crate::plan::{self, Prospect, words};

/// Runs the command.
pub fn run(args: &PlanArgs) -> Result<ExitCode> {
    crate::stop::listen();
    let history = demand::read(&args.demand, 1, args.quiet)?;
    let prospect = Prospect::new(args, &history)?;
    if args.horizon != PlanHorizon::Short {
        return ahead(args, &prospect);
    }
    let state = plan::plan(&prospect, &args.accept, &typed())?;
    crate::stop::check()?;
    let to_stdout = args.out.as_deref() == Some(Path::new("-"));
    let json = provisional_to_json(&state);
    if let Some(path) = args.out.as_deref().filter(|_| !to_stdout) {
        files::write(path, &json)?;
    }
    if !args.quiet {
        let told = history.account.iter().chain(&prospect.assumptions);
        for line in told {
            errln!("{line}");
        }
        errln!("");
    }
    if to_stdout || args.format == Format::Json {
        std::io::Write::write_all(&mut std::io::stdout(), json.as_bytes())?;
    } else {
        std::io::Write::write_all(&mut std::io::stdout(), words::plan_words(&state).as_bytes())?;
        next(args, &state)?;
    }
    Ok(exit_code(args, &state))
}

/// Prints a plan for weeks or months; there is nothing in it to apply now.
fn ahead(args: &PlanArgs, prospect: &Prospect) -> Result<ExitCode> {
    if args.out.is_some() || !args.accept.is_empty() {
        let text = "--out and --accept go with the short horizon: only its plan can be applied";
        return Err(BadInput(text.into()).into());
    }
    let decision = prospect.decide(prospect.fleet(), prospect.documents.overrides.clone())?;
    let (words, json) = if args.horizon == PlanHorizon::Medium {
        let plan = plan::ahead::medium(prospect, &decision)?;
        (
            plan::ahead::medium_words(&plan),
            serde_json::to_string_pretty(&plan)?,
        )
    } else {
        let plan = plan::ahead::long(prospect, &decision, args.commitment_discount);
        (
            plan::ahead::long_words(&plan),
            serde_json::to_string_pretty(&plan)?,
        )
    };
    crate::stop::check()?;
    match args.format {
        Format::Json => outln!("{json}"),
        Format::Text => outln!("{}", words.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The command as it was typed, in words that a shell reads again.
fn typed() -> String {
    let words = std::env::args()
        .skip(1)
        .map(|word| words::shell_word(&word));
    std::iter::once("fleetcast".to_string())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Says how to go on.
fn next(args: &PlanArgs, state: &ProvisionalFleetState) -> Result<()> {
    let Some(plan) = state
        .plan
        .as_ref()
        .filter(|_| !state.provisional_changes.is_empty())
    else {
        return Ok(());
    };
    if let Some(path) = &args.out {
        let approve = match plan.gate.verdict {
            GateVerdict::NeedsApproval => format!(" --approve {}", state.change_set_hash()),
            _ => String::new(),
        };
        // The plan is for the end of recorded demand, which may be long ago.
        outln!(
            "Apply it: fleetcast apply {} --fleet {} --at {}{approve}",
            path.display(),
            args.folder.display(),
            plan.planned_at
        );
        outln!(
            "(without --at it is applied now; it expires at {})",
            plan.expires
        );
    } else {
        outln!("Nothing was changed. Write it with --out plan.json to apply it.");
    }
    Ok(())
}

fn exit_code(args: &PlanArgs, state: &ProvisionalFleetState) -> ExitCode {
    let verdict = state.plan.as_ref().map(|plan| plan.gate.verdict);
    ExitCode::from(match verdict {
        _ if !args.detailed_exitcode => 0,
        None | Some(GateVerdict::Nothing) => 0,
        Some(GateVerdict::Go) => 2,
        Some(GateVerdict::NeedsApproval) => 5,
        Some(GateVerdict::Withheld | GateVerdict::OverCap) => 4,
    })
}
