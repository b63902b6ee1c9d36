//! Our plans: the whole one, and those that less work gives.

use anyhow::{Result, bail};
use fleetcast_model::MicroUsd;
use fleetcast_planner::fleet_plan::{
    ComponentProblem, FleetPlan, FleetProblem, Part, WorkLimit, check_fleet, plan_fleet,
    plan_fleet_telling,
};

use super::Line;
use super::args::PlannerArgs;
use super::instances::Instance;
use crate::forecast::clock::cpu_seconds;

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
    judge(problem, &plan)?;
    Ok((plan, seconds))
}

fn judge(problem: &FleetProblem, plan: &FleetPlan) -> Result<()> {
    let notes = check_fleet(problem, plan);
    if !notes.is_empty() {
        bail!("the plan is wrong: {notes:?}");
    }
    Ok(())
}

/// Plans an instance, and notes when each cheaper plan is found.
pub fn line(args: &PlannerArgs, instance: &Instance) -> Result<Line> {
    let problem = &instance.problem;
    let mut found = Vec::new();
    let began = cpu_seconds();
    let mut tell = |cost: MicroUsd| found.push((cpu_seconds() - began, cost.get() as f64));
    let best = plan_fleet_telling(problem, None, limit(args), Some(&mut tell))?;
    let seconds = cpu_seconds() - began;
    judge(problem, &best)?;
    let cost = best.cost.total().get() as f64;
    found.push((seconds, cost));
    Ok(Line {
        name: instance.name.clone(),
        cost,
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
