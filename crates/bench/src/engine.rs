//! How fast the engine steps: alone, and with the simulated cloud; and the program as a whole.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use fleetcast_engine::{Engine, EngineConfig, Step};
use fleetcast_model::{Objective, ObjectiveMetric, Observation, Share};
use fleetcast_policy::PolicySpec;
use fleetcast_report::{Column, TextTable};
use fleetcast_sim::{Interval, Sink, simulate};
use jiff::Timestamp;

use crate::cli::EngineArgs;
use crate::provisioning::STYLE;
use crate::{program, run, traces};

/// Ours, and the peers at ordinary knobs.
const POLICIES: [&str; 8] = [
    "fleetcast",
    "hpa:0.6",
    "kubernetes-hpa:0.6",
    "target-tracking:0.6",
    "aws-predictive:0.6",
    "react:1.2",
    "max:0.8",
    "static:40",
];
/// The engine alone is measured over so many steps: their observations are held in memory.
const STEPS_MAX: usize = 60_000;
/// Steps a second of one fleet with one component.
const GOAL: f64 = 25_000.0;

/// What the engine is fed with, step by step.
struct Script {
    frames: Vec<(Timestamp, Vec<Observation>)>,
}

impl Sink for Script {
    fn step(&mut self, _: &Interval, seen: &[Observation], step: &Step) {
        self.frames.push((step.now, seen.to_vec()));
    }
    fn go_on(&self) -> bool {
        self.frames.len() < STEPS_MAX
    }
}

/// Runs the benchmark.
pub fn run(args: &EngineArgs) -> Result<()> {
    let trace = traces::longest(&args.traces)?;
    println!(
        "{}: {} steps of {}; one thread",
        trace.name,
        trace.steps(),
        trace.demand.step()
    );
    let mut table = TextTable::new(vec![
        Column::words("policy"),
        Column::number("engine alone\nsteps a second"),
        Column::number("fits\nof all time"),
        Column::number("with cloud and fits\nsteps a second"),
    ]);
    let objective = Objective::over_28_days(ObjectiveMetric::Unserved, Share::per_mille(5));
    for text in POLICIES {
        let spec: PolicySpec = text.parse()?;
        let config = trace
            .setting(Some(objective))
            .engine_config(&trace.demand, spec.clone());
        let script = Script { frames: Vec::new() };
        let script = simulate(config.clone(), &trace.simulation, script)?;
        let (stepping, fitting) = replay(config, &script)?;
        let steps = script.frames.len() as f64;
        let whole = run::run(&trace, &spec, Some(objective))?;
        let share = fitting.as_secs_f64() / (fitting + stepping).as_secs_f64();
        table.row(vec![
            text.into(),
            thousands(steps / stepping.as_secs_f64()),
            format!("{:.0} %", share * 100.0),
            thousands(1e6 / whole.micros_per_step),
        ]);
    }
    print!("{}", table.render(STYLE));
    println!("goal for ours: {} steps a second\n", thousands(GOAL));
    program::measure(&trace)
}

/// Steps the engine through what it saw before; the time in it, and the time of the fits it asked for.
fn replay(config: EngineConfig, script: &Script) -> Result<(Duration, Duration)> {
    let mut engine = Engine::new(config)?;
    let (mut stepping, mut fitting) = (Duration::ZERO, Duration::ZERO);
    let mut began = Instant::now();
    for (now, seen) in &script.frames {
        let step = black_box(engine.step(*now, seen));
        if !step.fits.is_empty() {
            stepping += began.elapsed();
            began = Instant::now();
            for job in &step.fits {
                black_box(job.run());
            }
            fitting += began.elapsed();
            began = Instant::now();
        }
    }
    Ok((stepping + began.elapsed(), fitting))
}

/// A whole number with its thousands apart.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }
}
