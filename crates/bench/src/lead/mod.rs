//! The lead tier: the distribution of demand when an order placed now would serve, at the native step.
//!
//! This is what buying uses. Nobody has published figures for it, so the forecasts to compare with are
//! worked out here, on the same demand in the same run: the last value and the seasonal naive with the
//! quantiles of their own past errors, and linear quantile regression on two dozen features.

mod dot;
mod errors;
mod ours;
mod peers;
mod regression;

use anyhow::Result;
use fleetcast_report::{Column, TextTable};
use jiff::SignedDuration;

use self::dot::Dot;
use self::ours::Ours;
use self::peers::{LastValue, SeasonalNaive};
use self::regression::Regression;
use crate::cli::TraceArgs;
use crate::provisioning::STYLE;
use crate::traces::Trace;
use crate::{parallel, traces};

/// The levels that buying lives between.
pub const LEVELS: [f64; 4] = [0.9, 0.95, 0.99, 0.995];

/// Leads that are looked at.
const LEADS: [SignedDuration; 4] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(20),
    SignedDuration::from_mins(30),
];

/// One of the forecasters to compare.
pub trait Forecaster {
    /// Takes in the newest step, and what it learns from it.
    fn observe(&mut self, demand: Option<f64>);
    /// The quantiles at [`LEVELS`] of the demand a lead after the newest step.
    fn quantiles(&mut self) -> [f64; LEVELS.len()];
}

/// What a forecaster is built for.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Steps from the newest observation to the one that is forecast.
    pub lead: usize,
    pub day: usize,
    pub step_seconds: u32,
}

type Build = fn(Setting) -> Box<dyn Forecaster>;

/// The forecasters by name, the one that others are measured by first.
const FORECASTERS: [(&str, Build); 5] = [
    ("last value", |setting| Box::new(LastValue::new(setting))),
    ("seasonal naive, day", |setting| {
        Box::new(SeasonalNaive::new(setting))
    }),
    ("DOT, fitted daily", |setting| Box::new(Dot::new(setting))),
    ("linear quantile regression", |setting| {
        Box::new(Regression::new(setting))
    }),
    ("Fleetcast", |setting| Box::new(Ours::new(setting))),
];

/// Sums over the scored steps of one trace.
#[derive(Clone, Copy, Default)]
struct Score {
    pinball: [f64; LEVELS.len()],
    covered: [f64; LEVELS.len()],
    steps: f64,
}

/// Prints the table for each lead.
pub fn run(args: &TraceArgs) -> Result<()> {
    let traces = traces::read(args)?;
    println!(
        "lead tier: {} traces at their own step, scored after a week; pinball loss ÷ that of the last value \
         (geometric mean), and the share at or under each quantile (mean)",
        traces.len()
    );
    let mut jobs: Vec<(usize, SignedDuration, usize)> = Vec::new();
    for lead in LEADS {
        for model in 0..FORECASTERS.len() {
            jobs.extend((0..traces.len()).map(|trace| (trace, lead, model)));
        }
    }
    let scores = parallel::run_all(&jobs, |&(trace, lead, model)| {
        Ok(score(&traces[trace], lead, FORECASTERS[model].1))
    })?;
    let of = |trace: usize, lead: SignedDuration, model: usize| {
        let place = jobs.iter().position(|job| *job == (trace, lead, model));
        place.map(|place| scores[place]).unwrap_or_default()
    };
    for lead in LEADS {
        println!("\nlead {lead:#}");
        let mut columns = vec![Column::words("forecast")];
        for level in LEVELS {
            columns.push(Column::number(&format!("pinball\n{level}")));
        }
        columns.push(Column::number("all"));
        for level in LEVELS {
            columns.push(Column::number(&format!("covers\n{level}")));
        }
        let mut table = TextTable::new(columns);
        for (model, (name, _)) in FORECASTERS.iter().enumerate() {
            let mut row = vec![(*name).to_string()];
            let mut all = 0.0;
            for level in 0..LEVELS.len() {
                let logs = (0..traces.len()).map(|trace| {
                    let (own, base) = (of(trace, lead, model), of(trace, lead, 0));
                    (own.pinball[level] / base.pinball[level]).ln()
                });
                let mean = logs.sum::<f64>() / traces.len() as f64;
                all += mean / LEVELS.len() as f64;
                row.push(format!("{:.3}", mean.exp()));
            }
            row.push(format!("{:.3}", all.exp()));
            for level in 0..LEVELS.len() {
                let shares = (0..traces.len()).map(|trace| {
                    let own = of(trace, lead, model);
                    own.covered[level] / own.steps
                });
                row.push(format!("{:.4}", shares.sum::<f64>() / traces.len() as f64));
            }
            table.row(row);
        }
        println!("{}", table.render(STYLE));
    }
    Ok(())
}

/// One forecaster on one trace: each step is forecast a lead before, and scored after the warm-up.
fn score(trace: &Trace, lead: SignedDuration, build: Build) -> Score {
    let step_seconds = trace.demand.step().seconds();
    let boot = (lead.as_secs().unsigned_abs()).div_ceil(u64::from(step_seconds)) as usize;
    let setting = Setting {
        lead: boot + 1,
        day: trace.day_steps,
        step_seconds,
    };
    let mut forecaster = build(setting);
    let mut waiting = std::collections::VecDeque::new();
    let mut score = Score::default();
    for (step, actual) in trace.demand.values().enumerate() {
        if waiting.len() == setting.lead
            && let Some(quantiles) = waiting.pop_front()
            && let Some(actual) = actual
            && step >= trace.warm_up_steps
        {
            score.add(&quantiles, actual);
        }
        forecaster.observe(actual);
        waiting.push_back(forecaster.quantiles());
    }
    score
}

impl Score {
    fn add(&mut self, quantiles: &[f64; LEVELS.len()], actual: f64) {
        self.steps += 1.0;
        for (place, (&level, &quantile)) in LEVELS.iter().zip(quantiles).enumerate() {
            self.pinball[place] += fleetcast_forecast::pinball(level, quantile, actual);
            self.covered[place] += f64::from(u8::from(actual <= quantile));
        }
    }
}
