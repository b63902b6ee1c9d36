//! Our plans: the whole one, and those that less work gives.

use anyhow::{Result, bail};
use fleetcast_planner::fleet_plan::{
    ComponentProblem, FleetPlan, FleetProblem, Part, WorkLimit, check_fleet, plan_fleet,
};

use super::Line;
use super::args::PlannerArgs;
use super::instances::Instance;
use crate::forecast::clock::cpu_seconds;

/// Work in thousands of cells, for the plans that less work gives.
const LESS: [u64; 13] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048];

/// How much work a plan may take.
pub fn limit(args: &PlannerArgs) -> WorkLimit {
    args.kilocells
        .map_or_else(WorkLimit::default, |kilo| WorkLimit {
            cells_per_component: kilo * 1_000,
        })
}

/// Plans an instance, and has the plan judged.
pub fn plan(problem: &FleetProblem, limit: WorkLimit) -> Result<(FleetPlan, f64)> {
    let began = cpu_seconds();
    let plan = plan_fleet(problem, None, limit)?;
    let seconds = cpu_seconds() - began;
    let notes = check_fleet(problem, &plan);
    if !notes.is_empty() {
        bail!("the plan is wrong: {notes:?}");
    }
    Ok((plan, seconds))
}

/// Plans an instance with all work, and with less and less.
pub fn line(args: &PlannerArgs, instance: &Instance) -> Result<Line> {
    let problem = &instance.problem;
    let whole = limit(args);
    let (best, seconds) = plan(problem, whole)?;
    let cost = |plan: &FleetPlan| plan.cost.total().get() as f64;
    let mut found = Vec::new();
    for kilo in LESS {
        let cells_per_component = kilo * 1_000;
        if !args.without_peer && cells_per_component < whole.cells_per_component {
            let (less, seconds) = plan(
                problem,
                WorkLimit {
                    cells_per_component,
                },
            )?;
            if is_whole(problem, &less) {
                found.push((seconds, cost(&less)));
            }
        }
    }
    found.push((seconds, cost(&best)));
    Ok(Line {
        name: instance.name.clone(),
        cost: cost(&best),
        lower_bound: best.lower_bound.get() as f64,
        seconds,
        work: best.work,
        found,
        whole: is_whole(problem, &best),
        peer: None,
    })
}

/// Whether nothing without a price is missing.
fn is_whole(problem: &FleetProblem, plan: &FleetPlan) -> bool {
    let unpriced = |(stated, part): (&ComponentProblem, &Part)| {
        stated.shortage_price.is_none() && !part.unmet.is_empty()
    };
    !problem.components.iter().zip(&plan.parts).any(unpriced)
}
