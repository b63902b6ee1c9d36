//! Fifth stage: what to change.

use fleetcast_model::{ComponentIndex, Plan, Units};
use fleetcast_planner::spot::{ComposedInput, plan_composed};
use fleetcast_planner::{Bills, OfferChoice, PlanInput, check};
use jiff::Timestamp;

use crate::component::{Brain, ComponentState};
use crate::limits::Limits;
use crate::stages::projection::Projection;

/// Plans one component's change, and refuses to go on with a plan that the checker finds fault with.
pub fn plan(
    index: ComponentIndex,
    state: &mut ComponentState,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
    mut limits: Option<&mut Limits>,
) -> Plan {
    if projection.paused {
        return Plan::keep(index, projection.wanted);
    }
    let with_spot =
        (state.hedge.is_some()).then(|| with_spot(index, state, projection, now, ready_by));
    let input = PlanInput {
        bills: bills(state, projection),
        ..problem(index, state, projection, now, ready_by)
    };
    let mut plan = with_spot.unwrap_or_else(|| fleetcast_planner::plan(&input));
    if let Some(limits) = limits.as_deref_mut() {
        let domains = state.hedge.as_ref().map(|hedge| hedge.domains());
        limits.heed(&input, domains, projection, &mut plan);
    }
    if state.standby.is_some() {
        let drilling = Units::new(state.drilling());
        let wanted = projection.standby.saturating_sub(drilling);
        // Spot that stood by would go with the spot that it stands by for.
        let hedge = state.hedge.as_deref();
        let firm = |offer| hedge.is_none_or(|hedge| hedge.is_firm(&state.offers, offer));
        fleetcast_planner::plan_standby(&input, wanted, firm, &mut plan);
        if let Some(limits) = limits {
            limits.heed_standby(&input, firm, &mut plan);
        }
    }
    let notes = check(&input, &plan);
    assert!(
        notes.is_empty(),
        "the planner broke its own rules: {notes:?} in {plan:?} of {input:?}"
    );
    plan
}

/// What goes ahead even when a change is withheld: the floor is a promise already made.
#[expect(
    clippy::too_many_arguments,
    reason = "what a step knows of one component"
)]
pub fn only_the_floor(
    place: ComponentIndex,
    state: &mut ComponentState,
    have: Units,
    standby: Units,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
    limits: Option<&mut Limits>,
) -> Plan {
    if have >= projection.floor || state.workflow.in_flight() > Units::ZERO {
        return Plan::keep(place, projection.wanted);
    }
    let wanted = projection.floor;
    let floor_only = Projection {
        wanted,
        standby,
        kept: Units::ZERO,
        cover: Units::ZERO,
        zone: Units::ZERO,
        for_losses: Units::ZERO,
        spare: Units::ZERO,
        ..projection.clone()
    };
    plan(place, state, &floor_only, now, ready_by, limits)
}

/// Adds to what is wanted the units that cover the loss of a spot domain, and to what stands by those that pay for
/// themselves where a loss is more than the cover bears. Steps last `step_seconds`.
pub fn cover_spot(
    state: &mut ComponentState,
    projection: &mut Projection,
    known: bool,
    step_seconds: u32,
) {
    let Some(hedge) = &mut state.hedge else {
        return;
    };
    let (floor, ceiling) = (projection.floor.get(), projection.ceiling.get());
    let demanded = projection.wanted.saturating_sub(projection.kept).get();
    let composition = hedge.compose(&state.offers, demanded, floor, ceiling);
    projection.cover(Units::new(composition.units()).saturating_sub(projection.wanted));
    let policy = state.standby.filter(|policy| policy.units.is_none());
    let (Some(policy), Brain::Ours(ours)) = (policy, &mut state.brain) else {
        return;
    };
    // What stands by already is kept while demand is unknown, those for losses among it.
    if known {
        let units = ours.standby_for_losses(hedge, &policy, step_seconds);
        projection.stand_by_for_losses(Units::new(units));
    }
}

/// The same for a component that may buy spot: the composition first, then the way to it.
fn with_spot(
    index: ComponentIndex,
    state: &mut ComponentState,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
) -> Plan {
    let Some(mut hedge) = state.hedge.take() else {
        return Plan::keep(index, projection.wanted);
    };
    let bare = (projection.wanted).saturating_sub(projection.cover + projection.zone);
    let composition = hedge.compose(
        &state.offers,
        bare.saturating_sub(projection.kept).get(),
        projection.floor.get(),
        projection.ceiling.get(),
    );
    let probes = hedge.probes(&state.offers, now);
    let input = ComposedInput {
        plan: PlanInput {
            wanted: bare,
            ..problem(index, state, projection, now, ready_by)
        },
        composition: &composition,
        domains: hedge.domains(),
        falling_back: hedge.is_falling_back(now),
        probes: &probes,
    };
    let plan = plan_composed(&input);
    state.hedge = Some(hedge);
    plan
}

/// What is known of the bills, where our own plan may choose what to give back: spot keeps to its composition, and what the
/// loss of a zone has to leave is given back by zone.
fn bills<'a>(state: &'a ComponentState, projection: &Projection) -> Option<Bills<'a>> {
    let ours = matches!(state.brain, Brain::Ours(_)) && state.hedge.is_none();
    let by_blocks = |offer: &OfferChoice| offer.billing.granularity_seconds > state.step_seconds;
    let differ = state.offers.len() > 1 || state.offers.iter().any(by_blocks);
    let chosen = ours && differ && projection.spare == Units::ZERO;
    let drain = state.timing.drain.as_secs();
    chosen.then(|| Bills {
        ordered: state.workflow.placed(),
        step_seconds: state.step_seconds,
        drain_seconds: u32::try_from(drain.max(0)).unwrap_or(u32::MAX),
        idles: state.standby.is_none(),
    })
}

/// States the component's problem.
pub fn problem<'a>(
    index: ComponentIndex,
    state: &'a ComponentState,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
) -> PlanInput<'a> {
    PlanInput {
        component: index,
        now,
        ready_by,
        floor: projection.floor,
        ceiling: projection.ceiling,
        wanted: projection.wanted,
        cohorts: &state.cohorts,
        offers: &state.offers,
        drain_most: if state.stateful || !projection.may_drain {
            Units::ZERO
        } else {
            state.scale_in.left()
        },
        bills: None,
    }
}
