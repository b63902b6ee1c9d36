//! The fifth stage of policies that scale nodes: what they change, in the form of a plan.

use fleetcast_model::{
    Cohort, Component, ComponentIndex, InstanceRange, InstanceState, OfferIndex, Plan,
    PlannedOrder, Units,
};
use fleetcast_planner::{OfferChoice, PlanInput, check};
use fleetcast_policy::{NodeLimits, NodeOffer, NodeView, Policy};
use jiff::Timestamp;

use crate::component::{Brain, ComponentState};
use crate::config::EngineConfig;
use crate::stages::plan::problem;
use crate::stages::projection::Projection;

/// The offers of a component as an autoscaler of nodes sees them.
pub fn offers(
    config: &EngineConfig,
    component: &Component,
    choices: &[OfferChoice],
) -> Vec<NodeOffer> {
    let see = |choice: &OfferChoice| {
        let offer = &config.offers[usize::from(choice.offer.0)];
        let unit = &component.unit;
        NodeOffer {
            offer: choice.offer,
            room: choice.units_each,
            price: choice.price,
            pod_shares: [
                unit.cpu.as_f64() / offer.cpu.as_f64(),
                unit.memory.as_f64() / offer.memory.as_f64(),
            ],
        }
    };
    choices.iter().map(see).collect()
}

/// Shows a policy the nodes as they are listed.
pub fn see(policy: &mut Policy, cohorts: &[Cohort], offers: &[NodeOffer], now: Timestamp) {
    policy.see_nodes(&NodeView {
        now,
        cohorts,
        offers,
    });
}

/// What a policy that scales nodes changes; `None` for all others.
pub fn plan(
    index: ComponentIndex,
    state: &mut ComponentState,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
) -> Option<Plan> {
    let Brain::Peer(policy) = &mut state.brain else {
        return None;
    };
    if !policy.scales_nodes() {
        return None;
    }
    if projection.paused {
        return Some(Plan::keep(index, projection.wanted));
    }
    let limits = NodeLimits {
        wanted: projection.wanted.get(),
        ceiling: projection.ceiling.get(),
        may_drain: !state.stateful,
    };
    let change = policy.change_nodes(
        &NodeView {
            now,
            cohorts: &state.cohorts,
            offers: &state.node_offers,
        },
        limits,
    )?;
    let mut plan = Plan::keep(index, projection.wanted);
    for (offer, instances) in change.orders {
        plan.orders
            .extend(planned(&state.node_offers, offer, instances, ready_by));
    }
    for range in change.releases {
        let (cohort, room) = listed(state, &range)?;
        let freed = Units::new(u64::from(range.count) * room);
        if cohort.state == InstanceState::InService {
            plan.drained += freed;
        } else {
            plan.cancelled += freed;
        }
        plan.releases.push(range);
    }
    // A peer scales in by its own rules, which know no lifetime of ours.
    let offers: Vec<OfferChoice> = (state.offers.iter())
        .map(|choice| OfferChoice {
            lifetime_seconds: 0,
            ..*choice
        })
        .collect();
    let input = PlanInput {
        offers: &offers,
        ..problem(index, state, projection, now, ready_by)
    };
    let notes = check(&input, &plan);
    assert!(
        notes.is_empty(),
        "a policy broke the planner's rules: {notes:?} in {plan:?} of {input:?}"
    );
    Some(plan)
}

fn planned(
    offers: &[NodeOffer],
    offer: OfferIndex,
    instances: u32,
    ready_by: Timestamp,
) -> Option<PlannedOrder> {
    let chosen = offers.iter().find(|one| one.offer == offer)?;
    Some(PlannedOrder {
        offer,
        instances,
        units: Units::new(u64::from(instances) * u64::from(chosen.room)),
        price: chosen.price,
        ready_by,
    })
}

/// The cohort that a range is of, with the units that each of its instances provides.
fn listed<'a>(state: &'a ComponentState, range: &InstanceRange) -> Option<(&'a Cohort, u64)> {
    let cohort = state
        .cohorts
        .iter()
        .find(|cohort| cohort.state != InstanceState::Draining && cohort.has(range))?;
    Some((cohort, state.units_each(cohort)))
}
