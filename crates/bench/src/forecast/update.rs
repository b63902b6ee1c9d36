//! What it costs to take in one sample: a table in microseconds.

use std::hint::black_box;

use anyhow::Result;
use fleetcast_forecast::lead::{self, LeadConfig, LeadForecaster};
use fleetcast_forecast::{Dates, Fit, History, Model, Update};
use fleetcast_report::{Column, TextTable};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::clock::cpu_seconds;
use super::tier::{DEFAULT, TIERS, Tier};
use crate::provisioning::STYLE;

/// Samples that are timed for the lead tier.
const SAMPLES: usize = 20_000;
/// Samples that are timed for a model: some take part only until the next fit, a day or so later.
const MODEL_SAMPLES: usize = 2_000;
/// What a sample may cost with the default model and the lead tier, in microseconds.
const GOAL: f64 = 50.0;

/// Something that takes in samples: its name, and a function that prepares it on a history and returns
/// what takes in one sample.
type Updater = (&'static str, fn(&[f64]) -> Box<dyn FnMut(f64)>);

/// The lead tier, which is no model of the catalogue.
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
pub fn run(models: &[(String, Model)]) -> Result<()> {
    let mut table = TextTable::new(vec![
        Column::words("what takes in a sample"),
        Column::number("µs a sample\n1 h steps"),
        Column::number("µs a sample\n10 min steps"),
        Column::words("goal met"),
    ]);
    for (name, model) in models {
        let micros = [
            model_micros(model, &TIERS[0])?,
            model_micros(model, &TIERS[1])?,
        ];
        let met = match name.as_str() {
            DEFAULT if micros.iter().all(|micros| *micros <= GOAL) => "yes",
            DEFAULT => "no",
            _ => "",
        };
        let [hours, tens] = micros.map(|micros| format!("{micros:.2}"));
        table.row(vec![name.clone(), hours, tens, met.into()]);
    }
    print!("{}", table.render(STYLE));
    println!(
        "goal of `{DEFAULT}`: ≤ {GOAL} µs; CPU of one thread, mean of {MODEL_SAMPLES} samples after a fit to the \
         tier's window (1,344 hours, 2,016 times 10 min)\n"
    );

    let samples: Vec<f64> = (0..4 * 7 * 288 + SAMPLES)
        .map(|step| demand(step, 288))
        .collect();
    let (history, new) = samples.split_at(4 * 7 * 288);
    let mut table = TextTable::new(vec![
        Column::words("what takes in a sample"),
        Column::number("µs a sample"),
        Column::words("goal met"),
    ]);
    for (name, prepare) in UPDATERS {
        let mut update = prepare(history);
        let micros = micros(new, &mut update);
        let met = if micros <= GOAL { "yes" } else { "no" };
        table.row(vec![(*name).into(), format!("{micros:.2}"), met.into()]);
    }
    print!("{}", table.render(STYLE));
    println!(
        "goal: ≤ {GOAL} µs; CPU of one thread, mean of {SAMPLES} samples after four weeks of history"
    );
    Ok(())
}

/// A model fitted to a tier's window takes in what comes then.
fn model_micros(model: &Model, tier: &Tier) -> Result<f64> {
    let window = tier.protocol.window;
    let samples: Vec<f64> = (0..window + MODEL_SAMPLES)
        .map(|step| demand(step, tier.seasons.day))
        .collect();
    let (seen, new) = samples.split_at(window);
    let seen: Vec<Option<f64>> = seen.iter().copied().map(Some).collect();
    let step = SignedDuration::from_secs(tier.step_seconds.into());
    let dates = Dates::new(Timestamp::UNIX_EPOCH, step, TimeZone::UTC);
    let history = History::new(&seen, tier.seasons)?.with_dates(&dates);
    let mut fitted = model.fit(&history)?;
    Ok(micros(new, &mut |value| fitted.update(Some(value))))
}

/// Microseconds of CPU for each sample.
fn micros(samples: &[f64], update: &mut dyn FnMut(f64)) -> f64 {
    let began = cpu_seconds();
    for value in samples {
        update(*value);
    }
    (cpu_seconds() - began) * 1e6 / samples.len() as f64
}

fn lead_forecaster(history: &[f64]) -> LeadForecaster {
    let mut forecaster = LeadForecaster::new(LeadConfig {
        step_seconds: 300,
        lead_steps: 2,
        boot_steps: 1,
        challenger: true,
    });
    for value in history {
        forecaster.observe(Some(*value));
        if let Some(window) = forecaster.fit_due() {
            forecaster.install(window.form(), lead::fit(&window));
        }
    }
    forecaster
}

/// A day's rise and fall, never twice the same.
fn demand(step: usize, day: usize) -> f64 {
    let wave = (std::f64::consts::TAU * step as f64 / day as f64).sin();
    let noise = ((step * 7_919) % 101) as f64 / 101.0 - 0.5;
    (1_000.0 + 700.0 * wave) * (1.0 + 0.2 * noise)
}
