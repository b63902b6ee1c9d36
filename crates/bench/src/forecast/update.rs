//! What it costs to take in one sample: a table in microseconds.

use std::hint::black_box;

use anyhow::Result;
use fleetcast_forecast::lead::{self, LeadConfig, LeadForecaster};
use fleetcast_report::{Column, TextTable};

use super::clock::cpu_seconds;
use crate::provisioning::STYLE;

/// Samples that are timed.
const SAMPLES: usize = 20_000;
/// What a sample may cost with the default, in microseconds.
const GOAL: f64 = 50.0;

/// Something that takes in samples: its name, and a function that prepares it on a history and returns
/// what takes in one sample.
type Updater = (&'static str, fn(&[f64]) -> Box<dyn FnMut(f64)>);

/// All that update without a refit. A model whose fitted form implements `Update` gets a line here.
const UPDATERS: &[Updater] = &[
    ("lead tier: sample and forecast, 5 min steps", |history| {
        let mut forecaster = lead_forecaster(history);
        Box::new(move |value| {
            forecaster.observe(Some(value));
            black_box(forecaster.forecast());
        })
    }),
    ("lead tier: sample alone", |history| {
        let mut forecaster = lead_forecaster(history);
        Box::new(move |value| forecaster.observe(Some(value)))
    }),
];

/// Runs the benchmark.
pub fn run() -> Result<()> {
    let samples: Vec<f64> = (0..4 * 7 * 288 + SAMPLES).map(demand).collect();
    let (history, new) = samples.split_at(4 * 7 * 288);
    let mut table = TextTable::new(vec![
        Column::words("what takes in a sample"),
        Column::number("µs a sample"),
        Column::words("goal met"),
    ]);
    for (name, prepare) in UPDATERS {
        let mut update = prepare(history);
        let began = cpu_seconds();
        for value in new {
            update(*value);
        }
        let micros = (cpu_seconds() - began) * 1e6 / new.len() as f64;
        let met = if micros <= GOAL { "yes" } else { "no" };
        table.row(vec![(*name).into(), format!("{micros:.2}"), met.into()]);
    }
    print!("{}", table.render(STYLE));
    println!(
        "goal: ≤ {GOAL} µs; CPU of one thread, mean of {SAMPLES} samples after four weeks of history"
    );
    Ok(())
}

fn lead_forecaster(history: &[f64]) -> LeadForecaster {
    let mut forecaster = LeadForecaster::new(LeadConfig {
        step_seconds: 300,
        lead_steps: 2,
    });
    for value in history {
        forecaster.observe(Some(*value));
        if let Some(window) = forecaster.fit_due() {
            forecaster.install(lead::fit(&window));
        }
    }
    forecaster
}

/// A day's rise and fall, never twice the same.
fn demand(step: usize) -> f64 {
    let wave = (std::f64::consts::TAU * step as f64 / 288.0).sin();
    let noise = ((step * 7_919) % 101) as f64 / 101.0 - 0.5;
    (1_000.0 + 700.0 * wave) * (1.0 + 0.2 * noise)
}
