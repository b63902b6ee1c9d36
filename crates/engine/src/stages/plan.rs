//! Fifth stage: what to change.

use fleetcast_model::{ComponentIndex, Plan};
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
    let plan = fleetcast_planner::plan(&input);
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
