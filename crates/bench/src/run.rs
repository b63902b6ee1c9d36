//! One policy on one trace, through the engine and the simulated cloud.

use std::time::Instant;

use anyhow::Result;
use fleetcast_engine::{EngineConfig, Step};
use fleetcast_model::{Objective, Observation};
use fleetcast_policy::PolicySpec;
use fleetcast_sim::{Interval, Sink, Tally, simulate};

use crate::traces::Trace;

/// What came of a run.
pub struct Outcome {
    pub tally: Tally,
    /// Unserved demand and all demand of each scored day.
    pub days: Vec<(f64, f64)>,
    /// Time of the whole simulation, engine and cloud, by the step.
    pub micros_per_step: f64,
}

/// Runs a policy.
pub fn run(trace: &Trace, spec: &PolicySpec, objective: Option<Objective>) -> Result<Outcome> {
    run_as(trace, spec, objective, |_| {})
}

/// Runs a policy with another configuration.
pub fn run_as(
    trace: &Trace,
    spec: &PolicySpec,
    objective: Option<Objective>,
    configure: impl Fn(&mut EngineConfig),
) -> Result<Outcome> {
    let mut config = trace
        .setting(objective)
        .engine_config(&trace.demand, spec.clone());
    config.telemetry = trace.telemetry;
    configure(&mut config);
    let cheapest = config
        .offers
        .iter()
        .map(|offer| offer.price.get())
        .collect();
    let sink = Daily {
        tally: Tally::new(trace.warm_up_steps, config.step_seconds, cheapest),
        warm_up_steps: trace.warm_up_steps,
        day_steps: trace.day_steps,
        days: Vec::new(),
    };
    let began = Instant::now();
    let sink = simulate(config, &trace.simulation, sink)?;
    let micros_per_step = began.elapsed().as_secs_f64() * 1e6 / trace.steps().max(1) as f64;
    Ok(Outcome {
        tally: sink.tally,
        // A day that nobody observed says nothing.
        days: sink.days.into_iter().filter(|day| day.1 > 0.0).collect(),
        micros_per_step,
    })
}

/// A tally, and sums by the day.
struct Daily {
    tally: Tally,
    warm_up_steps: usize,
    day_steps: usize,
    days: Vec<(f64, f64)>,
}

impl Sink for Daily {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        self.tally.step(interval, seen, step);
        let Some(scored) = interval.index.checked_sub(self.warm_up_steps) else {
            return;
        };
        let day = scored / self.day_steps;
        if self.days.len() <= day {
            self.days.resize(day + 1, (0.0, 0.0));
        }
        for at in interval.components.iter().filter(|at| at.observed) {
            self.days[day].0 += at.unserved;
            self.days[day].1 += at.volume;
        }
    }
}
