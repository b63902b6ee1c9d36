//! `fleetcast apply`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::{
    ChangeAction, Confirmation, ConfirmedChange, GateVerdict, Money, PlanAccount,
    ProvisionalFleetState, confirmation_to_json, fleet_to_json, fleet_version, overrides_to_json,
    overrides_version, parse_provisional, read_entries,
};
use fleetcast_model::{Fleet, MicroUsd, Mode, Override};
use jiff::Timestamp;

use super::documents;
use crate::cli::{ApplyArgs, Format};
use crate::files::{self, BadInput, Refused};
use crate::plan::carry_out::{CarriedOut, carry_out};
use crate::plan::rentable;
use crate::plan::words::moment;

/// Where the last confirmation lies beside the documents.
pub const CONFIRMATION: &str = "confirmation.json";
/// Not all of it came.
const PARTIAL: u8 = 6;

/// Runs the command: 0 if it is done (or was done before), 4 denied, 5 over the threshold, 6 partly done.
pub fn run(args: &ApplyArgs) -> Result<ExitCode> {
    let state = read(&args.plan)?;
    let Some(plan) = state.plan.clone() else {
        let text = format!(
            "{} does not say what it was planned from: `fleetcast plan --out` writes what can be applied",
            args.plan.display()
        );
        return Err(BadInput(text).into());
    };
    let there = documents::read_folder(&args.fleet, args.offers.as_deref())?;
    let at = args.at.unwrap_or_else(Timestamp::now);
    let offers = rentable(&state.fleet, &there.catalogue, at);
    let done = carry_out(&state, &offers, at);
    let (before, after) = (fleet_version(&there.fleet), fleet_version(&done.fleet));
    if state.provisional_changes.is_empty() && before == plan.parent {
        outln!("Nothing to change.");
        return Ok(ExitCode::SUCCESS);
    }
    let code = if done.is_complete() { 0 } else { PARTIAL };
    if before == after && before != plan.parent {
        outln!(
            "Already applied: {} is as the plan leaves it.",
            args.fleet.display()
        );
        return Ok(ExitCode::from(code));
    }
    if before != plan.parent {
        let text = format!(
            "the fleet state has moved since the plan was made: {} is not the one that it was planned from; plan again",
            args.fleet.join(documents::FLEET).display()
        );
        return Err(Refused::Denied(text).into());
    }
    if overrides_version(&there.overrides) != plan.overrides {
        let text =
            "people have decided otherwise since the plan was made (overrides.json): plan again";
        return Err(Refused::Denied(text.into()).into());
    }
    may_be_done(args, &state, &plan, at)?;
    check_limits(&state.fleet, &done.fleet, &done.changes)?;
    let confirmation = Confirmation {
        fleet: done.fleet.name.clone(),
        change_set_hash: state.change_set_hash(),
        applied_at: at,
        approved: args.approve.is_some(),
        parent: plan.parent,
        result: after,
        price_per_hour_added: Money::usd(price_added(&done)),
        changes: done.changes.clone(),
    };
    // The fleet state last: it is what tells that a plan was applied.
    write_overrides(&args.fleet, there.overrides, &plan)?;
    write(&args.fleet, &done.fleet, &confirmation)?;
    match args.format {
        Format::Json => outln!("{}", confirmation_to_json(&confirmation).trim_end()),
        Format::Text => say(args, &confirmation)?,
    }
    Ok(ExitCode::from(code))
}

fn read(path: &Path) -> Result<ProvisionalFleetState> {
    let text = files::read(path)?;
    let shown = path.display().to_string();
    Ok(parse_provisional(&text)
        .map_err(|problems| BadInput(problems.render(&shown, &text).trim_end().to_string()))?)
}

/// Expiry, mode, freeze windows, hard cap, and the approval that binds to exactly these changes.
fn may_be_done(
    args: &ApplyArgs,
    state: &ProvisionalFleetState,
    plan: &PlanAccount,
    at: Timestamp,
) -> Result<()> {
    let denied = |text: String| Err(Refused::Denied(text).into());
    let hash = state.change_set_hash();
    if let Some(approved) = args.approve.filter(|approved| *approved != hash) {
        return denied(format!(
            "the approval is of {approved}, and these changes are {hash}: approve what is to be applied"
        ));
    }
    if at >= plan.expires {
        return denied(format!(
            "the plan expired at {} (it is {at}): plan again, or give --at for a plan on recorded demand",
            plan.expires
        ));
    }
    if at < plan.planned_at {
        return denied(format!(
            "the plan is for {}, and it is {at}: give --at for a plan on recorded demand",
            plan.planned_at
        ));
    }
    let fleet = &state.fleet;
    if fleet.mode == Mode::Observe {
        return denied(
            "in mode `observe` nothing is changed: set `mode` to recommend or auto, and plan again"
                .into(),
        );
    }
    let frozen = fleet
        .freeze_windows
        .iter()
        .find(|window| window.start <= at && at < window.end);
    if let Some(window) = frozen {
        return denied(format!(
            "nothing is changed until {} ({}): a freeze window of the fleet state",
            window.end, window.reason
        ));
    }
    if plan.gate.verdict == GateVerdict::OverCap {
        return denied(format!(
            "{}: raise the cap, or accept a recommendation of the plan",
            plan.gate.words
        ));
    }
    // What it costs is worked out again from the changes: what the file says of it is for people.
    let cost = state
        .provisional_changes
        .iter()
        .filter_map(|change| change.cost.as_ref())
        .map(|cost| cost.high.micro_usd())
        .sum::<MicroUsd>();
    let threshold = match fleet.mode {
        Mode::Recommend => MicroUsd::ZERO,
        Mode::Observe | Mode::Auto => fleet.approval_threshold.unwrap_or(MicroUsd::new(u64::MAX)),
    };
    if cost > threshold && args.approve.is_none() {
        let text = format!(
            "the change costs {cost} over two hours, more than the threshold of {threshold}, and nobody has approved \
             it: add --approve {hash}, or take a recommendation of the plan"
        );
        return Err(Refused::OverThreshold(text).into());
    }
    Ok(())
}

/// Nothing is driven under its floor or over its ceiling, whatever a file says.
fn check_limits(before: &Fleet, after: &Fleet, changes: &[ConfirmedChange]) -> Result<()> {
    for (old, new) in before.components.iter().zip(&after.components) {
        let (was, is) = (
            old.current.unwrap_or_default(),
            new.current.unwrap_or_default(),
        );
        let own = |action| {
            changes
                .iter()
                .any(|change| change.component == new.name && change.action == action)
        };
        if own(ChangeAction::Remove) && is < new.floor && is < was {
            let text = format!(
                "the plan would leave `{}` with {is} units, under its floor of {}",
                new.name, new.floor
            );
            return Err(BadInput(text).into());
        }
        if own(ChangeAction::Add) && is > new.ceiling && is > was {
            let text = format!(
                "the plan would give `{}` {is} units, over its ceiling of {}",
                new.name, new.ceiling
            );
            return Err(BadInput(text).into());
        }
    }
    Ok(())
}

/// Writes the confirmation and the fleet state, each whole or not at all; a plan applied again finds them.
fn write(folder: &Path, fleet: &Fleet, confirmation: &Confirmation) -> Result<()> {
    let path = folder.join(documents::FLEET);
    let schema = documents::schema_hint(&files::read(&path)?);
    let json = documents::with_schema(&fleet_to_json(fleet), schema.as_deref());
    files::write(&path, &json)?;
    files::write(
        &folder.join(CONFIRMATION),
        &confirmation_to_json(confirmation),
    )
}

/// Writes the overrides that accepted recommendations bring, beside those that people wrote.
fn write_overrides(folder: &Path, mut there: Vec<Override>, plan: &PlanAccount) -> Result<()> {
    let new = read_entries(&plan.accepted_overrides);
    if new.is_empty() {
        return Ok(());
    }
    there.extend(new);
    files::write(
        &folder.join(documents::OVERRIDES),
        &overrides_to_json(&there),
    )
}

fn price_added(done: &CarriedOut) -> MicroUsd {
    let came = done
        .changes
        .iter()
        .filter(|change| change.action != ChangeAction::Remove);
    came.filter_map(|change| {
        let price = change.price_per_hour.as_ref()?.micro_usd();
        Some(price * change.instances_done)
    })
    .sum()
}

fn say(args: &ApplyArgs, confirmation: &Confirmation) -> Result<()> {
    for change in &confirmation.changes {
        let sign = if change.action == ChangeAction::Remove {
            '-'
        } else {
            '+'
        };
        let what = format!(
            "{sign} {}: {} of {} × {}",
            change.component, change.instances_done, change.instances_asked, change.offer
        );
        let when = match (change.action, change.done_at) {
            (_, None) => String::new(),
            (ChangeAction::Remove, Some(at)) => format!(", gone at {}", moment(at)),
            (_, Some(at)) => format!(", healthy at {}", moment(at)),
        };
        let price = change
            .price_per_hour
            .as_ref()
            .map_or_else(String::new, |price| {
                format!(", at ${:.4}/h each", price.amount)
            });
        let refused = change
            .refused
            .as_ref()
            .map_or_else(String::new, |why| format!("; not all: {why}"));
        outln!("  {what}{when}{price}{refused}");
    }
    outln!(
        "\nApplied at {} in the simulated world: {} an hour more. Wrote {} and {}.",
        moment(confirmation.applied_at),
        confirmation.price_per_hour_added.micro_usd(),
        args.fleet.join(documents::FLEET).display(),
        args.fleet.join(CONFIRMATION).display()
    );
    Ok(())
}
