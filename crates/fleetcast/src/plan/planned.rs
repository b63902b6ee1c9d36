//! A plan: the engine's decision with its account.

use anyhow::Result;
use fleetcast_document::{
    GateVerdict, Money, PlanAccount, ProvisionalFleetState, fleet_version, overrides_version,
    write_overrides,
};
use fleetcast_engine::{APPROVAL_LASTS, PRICED};
use fleetcast_model::{Fleet, Override};
use jiff::SignedDuration;

use super::account::{if_refused, provisional, total_cost, total_reasons, total_units, verdict};
use super::alternatives::{accept, recommend};
use super::expected::expect;
use super::{Decision, Prospect, alerts, limits, standby};

/// Plans, with the recommendations taken that were accepted by name. Where the gate does not let the plan pass it
/// says what else could be done; `command` is what was typed, to be typed again.
pub fn plan(
    prospect: &Prospect,
    accepted: &[String],
    command: &str,
) -> Result<ProvisionalFleetState> {
    let changed = accept(prospect, accepted)?;
    let mut solved = changed.solve(prospect)?;
    let verdict = solved.state.plan.as_ref().map(|plan| plan.gate.verdict);
    let held_back = matches!(
        verdict,
        Some(GateVerdict::NeedsApproval | GateVerdict::OverCap)
    );
    let limited = solved
        .state
        .plan
        .as_ref()
        .is_some_and(|plan| !plan.limits.is_empty());
    let recommendations = if held_back || limited {
        recommend(prospect, &changed, &solved, command, held_back)?
    } else {
        Vec::new()
    };
    if let Some(plan) = &mut solved.state.plan {
        plan.accepted = accepted.to_vec();
        plan.accepted_overrides = write_overrides(&changed.overrides);
        plan.recommendations = recommendations;
    }
    Ok(solved.state)
}

/// Places a plan's orders later: they serve later, and less of the priced hours is paid for.
pub fn delay(state: &mut ProvisionalFleetState, decision: &Decision, later: SignedDuration) {
    let config = decision.engine.config();
    for change in &mut state.provisional_changes {
        let offer = config.offers.iter().find(|offer| offer.id == change.offer);
        let (Some(cost), Some(offer)) = (&mut change.cost, offer) else {
            continue;
        };
        change.ready_by += later;
        change.order_by = change.order_by.map(|by| by + later);
        let left = (PRICED - later).as_secs();
        let high = fleetcast_engine::cost(offer, change.instances, left);
        for bound in [&mut cost.low, &mut cost.expected, &mut cost.high] {
            *bound = Money::usd(bound.micro_usd().min(high));
        }
    }
    let (fleet, step) = (&state.fleet, &decision.step);
    if let Some(plan) = &mut state.plan {
        plan.cost = total_cost(&state.provisional_changes);
        plan.gate = verdict(fleet, step, &state.provisional_changes);
    }
}

/// Plans under these documents.
pub fn plan_under(
    prospect: &Prospect,
    fleet: Fleet,
    overrides: Vec<Override>,
) -> Result<(ProvisionalFleetState, Decision)> {
    let decision = prospect.decide(fleet, overrides)?;
    let (engine, step) = (&decision.engine, &decision.step);
    let mut state = provisional(engine, step);
    expect(&mut state.provisional_changes, &decision, &prospect.volumes);
    let changes = &state.provisional_changes;
    let (units_added, units_removed) = total_units(changes);
    let saved = engine.changes(step);
    state.plan = Some(PlanAccount {
        planned_at: prospect.now,
        expires: prospect.now + APPROVAL_LASTS,
        parent: fleet_version(&prospect.documents.fleet),
        overrides: overrides_version(&prospect.documents.overrides),
        accepted: Vec::new(),
        accepted_overrides: Vec::new(),
        units_added,
        units_removed,
        cost: total_cost(changes),
        saves: Money::usd(saved.iter().map(|change| change.saves).sum()),
        reasons: total_reasons(changes),
        gate: verdict(&state.fleet, step, changes),
        limits: limits::of_plan(engine, step),
        alerts: alerts::of_step(engine, step),
        standby: standby::of_step(engine, step),
        if_refused: if_refused(engine, step, changes),
        recommendations: Vec::new(),
    });
    Ok((state, decision))
}
