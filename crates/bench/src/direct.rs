//! A peer in the plain setting without engine and cloud: its rule on a fleet of numbers.
//!
//! Curves of peers need hundreds of runs for each trace; a test holds this short way to the long one.

use anyhow::{Context, Result};
use fleetcast_planner::steering::PlainFleet;
use fleetcast_policy::{PolicySpec, Surroundings, View};

use crate::curve::Point;
use crate::traces::Trace;
use crate::{grids, parallel};

/// The peers of each trace at all their knobs.
pub fn curves(traces: &[Trace]) -> Result<Vec<Vec<Point>>> {
    let specs: Vec<Vec<PolicySpec>> = traces
        .iter()
        .map(|trace| grids::peers(trace.need_max, &trace.floors))
        .collect();
    let jobs: Vec<(usize, &PolicySpec)> = (specs.iter().enumerate())
        .flat_map(|(trace, specs)| specs.iter().map(move |spec| (trace, spec)))
        .collect();
    let found = parallel::run_all(&jobs, |(trace, spec)| run(&traces[*trace], spec))?;
    let mut points: Vec<Vec<Point>> = traces.iter().map(|_| Vec::new()).collect();
    for ((trace, _), point) in jobs.into_iter().zip(found) {
        points[trace].push(point);
    }
    Ok(points)
}

/// What a peer costs and leaves unserved, at one knob.
pub fn run(trace: &Trace, spec: &PolicySpec) -> Result<Point> {
    let rules = trace.fleet_rules();
    let telling = trace.simulation.telling;
    let surroundings = Surroundings {
        step_seconds: trace.demand.step().seconds(),
        boot_steps: rules.boot_steps as u32,
        delay_steps: telling.delay_steps,
    };
    let mut policy = spec
        .build(&surroundings)
        .with_context(|| format!("{spec} is no rule of a peer"))?;
    let units = |demand: f64| (demand / trace.per_unit).ceil().clamp(1.0, 1e12) as u64;
    let mut last = trace.demand.values().flatten().next().unwrap_or(0.0);
    let mut fleet = PlainFleet::new(rules, units(last));
    let mut untold = std::collections::VecDeque::new();
    let (mut told, mut again) = (0.0, 0.0);
    let (mut paid, mut need, mut demand, mut unserved) = (0u64, 0u64, 0.0, 0.0);
    for (index, value) in trace.demand.values().enumerate() {
        let at = fleet.enter(index as u64);
        last = value.unwrap_or(last);
        let offered = last + again;
        let lost = (offered - at.ready as f64 * trace.per_unit).max(0.0);
        let seen = telling.retried.map_or(last, |retried| {
            again = retried * lost;
            offered - lost
        });
        if index >= trace.warm_up_steps && value.is_some() {
            paid += at.paid;
            need += units(last);
            demand += last;
            unserved += lost;
        }
        untold.push_back(value.map(|_| seen));
        if untold.len() > telling.delay_steps as usize {
            told = untold.pop_front().flatten().unwrap_or(told);
        }
        let wanted = policy.wanted(&View {
            step: index as u64,
            demand: told,
            per_unit: trace.per_unit,
            ready: at.ready,
            total: at.total,
        });
        fleet.order(index as u64, wanted);
    }
    Ok(Point {
        spec: spec.clone(),
        cost: paid as f64 / need.max(1) as f64,
        unserved: if demand > 0.0 { unserved / demand } else { 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TraceArgs;
    use crate::run;
    use fleetcast_series::{Series, Step};
    use jiff::{SignedDuration, Timestamp};

    fn trace(delay: SignedDuration, closed_loop: bool) -> Trace {
        let step = Step::from_seconds(300).expect("a step");
        let values = (0..9 * 288_u64).map(|t| {
            let turn = (t % 288) as f64 / 288.0 * std::f64::consts::TAU;
            let noise = (t * 7919 % 1009) as f64 / 1009.0;
            let burst = if t % 97 < 3 { 3.0 } else { 1.0 };
            (t % 331 != 5).then_some(burst * (100.0 + 60.0 * turn.sin() + 50.0 * noise))
        });
        let demand = Series::from_values(Timestamp::UNIX_EPOCH, step, values);
        let args = TraceArgs {
            delay,
            closed_loop,
            ..TraceArgs::of(None, String::new())
        };
        Trace::new("generated".into(), None, demand, &args).expect("a trace")
    }

    #[test]
    fn the_short_way_and_the_engine_agree_under_every_condition() {
        let late = SignedDuration::from_mins(6);
        for (delay, closed_loop) in [
            (SignedDuration::ZERO, false),
            (late, false),
            (SignedDuration::ZERO, true),
            (late, true),
        ] {
            let trace = trace(delay, closed_loop);
            for text in ["hpa:0.6,min=8", "react:1.2", "max:0.7,min=3", "static:30"] {
                let spec: PolicySpec = text.parse().expect("a policy");
                let short = super::run(&trace, &spec).expect("a run");
                let long = run::run(&trace, &spec, None).expect("a run").tally;
                let found = (long.cost_over_need(), long.unserved_share());
                assert!(
                    (short.cost - found.0).abs() < 1e-9 && (short.unserved - found.1).abs() < 1e-9,
                    "{text} {delay}: {short:?} {found:?}"
                );
            }
        }
    }
}
