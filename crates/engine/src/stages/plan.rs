//! Fifth stage: what to change.

use fleetcast_model::{ComponentIndex, Plan, Units};
use fleetcast_planner::{PlanInput, check};
use jiff::Timestamp;

use crate::component::ComponentState;
use crate::stages::projection::Projection;

/// Plans one component's change, and refuses to go on with a plan that the checker finds fault with.
pub fn plan(
    index: ComponentIndex,
    state: &ComponentState,
    projection: &Projection,
    now: Timestamp,
    ready_by: Timestamp,
) -> Plan {
    let input = problem(index, state, projection, now, ready_by);
    if projection.paused {
        return Plan::keep(index, projection.wanted);
    }
    let mut plan = fleetcast_planner::plan(&input);
    if state.standby.is_some() {
        let drilling = Units::new(state.drilling());
        let wanted = projection.standby.saturating_sub(drilling);
        fleetcast_planner::plan_standby(&input, wanted, &mut plan);
    }
    let notes = check(&input, &plan);
    assert!(
        notes.is_empty(),
        "the planner broke its own rules: {notes:?} in {plan:?} of {input:?}"
    );
    plan
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
        stateful: state.stateful,
    }
}
