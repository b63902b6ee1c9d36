//! The forecast, and what explains it.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use fleetcast_forecast::{
    Dates, Explain, FittedLocalTime, FittedModel, Parts, Predict, SamplePaths, Skill,
};
use fleetcast_report::{ForecastDay, ForecastParts, ForecastResult, ForecastStep, Member};
use jiff::SignedDuration;
use jiff::civil::Date;

use super::events;
use super::models::AnyFitted;
use super::source::time_zone;
use super::state::{self, Kept, State};
use crate::cli::{ForecastArgs, Horizon, UnitOfValue};
use crate::files::BadInput;

/// Paths that the highest step of a day is read from: at a level of 5 % twenty lie beyond.
const PATHS: usize = 400;
/// Paths are kept in memory: 400 of so many steps take 160 MB.
const HORIZON_MAX: usize = 50_000;
/// The history that is shown before the forecast, by the forecast's length.
const TAIL: usize = 2;
/// At least so many steps of it.
const TAIL_LEAST: usize = 96;

/// A forecast, and the model that made it.
pub struct Found {
    pub result: ForecastResult,
    pub saved: Kept,
}

/// Forecasts what the command line asks for.
pub fn forecast(args: &ForecastArgs) -> Result<Found> {
    let state = state::fitted(args)?;
    let made_of = &state.saved.made_of;
    let horizon = steps_of(args.horizon, made_of.step_seconds)?;
    let zone = match &state.source {
        Some(source) => source.zone.clone(),
        None => time_zone(&made_of.time_zone)?,
    };
    let step = SignedDuration::from_secs(i64::from(made_of.step_seconds));
    let dates = Dates::new(state.first(), step, zone);
    let fitted = &state.saved.fitted;
    let expected = fitted.predict(horizon).steps;
    let quantiles = fitted.quantiles(horizon, &args.levels);
    let steps = (0..horizon).map(|ahead| ForecastStep {
        at: dates.at(ahead),
        local: dates.civil(ahead),
        expected: expected[ahead],
        quantiles: quantiles.step(ahead).to_vec(),
    });
    let mut notes = state.notes.clone();
    notes.extend(
        fitted
            .effects()
            .iter()
            .flat_map(|effects| events::told(effects, &dates, horizon)),
    );
    let parts = if args.explain {
        fitted.explain(horizon).iter().map(parts_of).collect()
    } else {
        Vec::new()
    };
    let result = ForecastResult {
        source: name_of(&state, args),
        asked: state
            .asked
            .clone()
            .unwrap_or_else(|| fitted.model().as_str().replace('_', "-")),
        model: fitted.model().to_string(),
        step_seconds: u64::from(made_of.step_seconds),
        time_zone: dates.zone().iana_name().unwrap_or("UTC").into(),
        unit: unit(args).into(),
        seen_steps: made_of.steps as u64,
        missing_steps: (made_of.steps - made_of.observed.min(made_of.steps)) as u64,
        levels: args.levels.clone(),
        days: days(fitted, horizon, &dates, &args.levels),
        steps: steps.collect(),
        tail: tail(&state, horizon),
        members: members(fitted.model_without_events(), horizon),
        parts,
        seasons: match &state.seasons {
            Some(found) if args.explain => found.evidence.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        verdict: state
            .seasons
            .as_ref()
            .and_then(|found| found.skill.as_ref())
            .map(verdict),
        notes,
    };
    Ok(Found {
        result,
        saved: state.saved,
    })
}

fn steps_of(horizon: Horizon, step_seconds: u32) -> Result<usize> {
    let steps = match horizon {
        Horizon::Steps(steps) => steps,
        Horizon::Time(time) => {
            let seconds = time.as_secs().unsigned_abs();
            usize::try_from(seconds.div_ceil(u64::from(step_seconds.max(1)))).unwrap_or(usize::MAX)
        }
    };
    if steps > HORIZON_MAX {
        let text = format!(
            "--horizon: {steps} steps are too many, {HORIZON_MAX} is the most: forecast in longer steps with --step"
        );
        return Err(BadInput(text).into());
    }
    Ok(steps)
}

fn name_of(state: &State, args: &ForecastArgs) -> String {
    let kept = || args.load.as_ref().map(|path| path.display().to_string());
    let source = state.source.as_ref().map(|source| source.name.clone());
    source.or_else(kept).unwrap_or_default()
}

fn unit(args: &ForecastArgs) -> &'static str {
    match args.value_unit {
        None | Some(UnitOfValue::Step) => "interactions a step",
        Some(UnitOfValue::Minute) => "interactions a minute",
        Some(UnitOfValue::Second) => "interactions a second",
    }
}

/// The end of the history.
fn tail(state: &State, horizon: usize) -> Vec<Option<f64>> {
    let Some(source) = &state.source else {
        return Vec::new();
    };
    let length = (TAIL * horizon).max(TAIL_LEAST).min(source.series.len());
    let from = source.series.len() - length;
    source
        .series
        .slice(from..source.series.len())
        .values()
        .collect()
}

/// The highest step of each local day. Steps of a day or more have none.
fn days(fitted: &impl Predict, horizon: usize, dates: &Dates, levels: &[f64]) -> Vec<ForecastDay> {
    if dates.step() >= SignedDuration::from_hours(24) {
        return Vec::new();
    }
    let mut steps: BTreeMap<Date, Vec<usize>> = BTreeMap::new();
    for step in 0..horizon {
        steps
            .entry(dates.civil(step).date())
            .or_default()
            .push(step);
    }
    let windows: Vec<Range<usize>> = steps
        .values()
        .filter_map(|steps| Some(*steps.first()?..steps.last()? + 1))
        .collect();
    let paths = fitted.paths(horizon, PATHS, 0);
    let quantiles = fitted.highest(&windows, levels);
    let days = steps.into_keys().zip(windows).zip(quantiles);
    days.map(|((date, window), quantiles)| ForecastDay {
        date,
        highest: dates.civil(most_often_highest(&paths, window)),
        quantiles,
    })
    .collect()
}

/// The step that is the highest on most paths; the earliest of equals.
fn most_often_highest(paths: &SamplePaths, steps: Range<usize>) -> usize {
    let mut wins = vec![0_usize; steps.len()];
    for path in paths.iter() {
        let own = &path[steps.clone()];
        let highest =
            (0..own.len()).reduce(|best, next| if own[next] > own[best] { next } else { best });
        wins[highest.unwrap_or(0)] += 1;
    }
    let most =
        (0..wins.len()).reduce(|best, next| if wins[next] > wins[best] { next } else { best });
    steps.start + most.unwrap_or(0)
}

/// The members of a combination, the heaviest first.
fn members(fitted: &FittedLocalTime<AnyFitted>, horizon: usize) -> Vec<Member> {
    let AnyFitted::Catalog(model) = fitted.model_by_slot() else {
        return Vec::new();
    };
    let FittedModel::Combination(combination) = model.as_ref() else {
        return Vec::new();
    };
    let last = combination.weights(horizon.saturating_sub(1));
    let mut members: Vec<Member> = combination
        .weights(0)
        .zip(last)
        .map(|((model, share_first), (_, share_last))| Member {
            model: model.to_string(),
            share_first,
            share_last,
        })
        .collect();
    members.sort_by(|a, b| b.share_first.total_cmp(&a.share_first));
    members
}

/// How far the demand can be foreseen, in words.
fn verdict(skill: &Skill) -> String {
    format!(
        "This demand is {}: {} misses it by {:.0} % on average, the best flat guess by {:.0} %.",
        skill.verdict,
        skill.rule,
        100.0 * skill.error,
        100.0 * skill.error_flat
    )
}

fn parts_of(parts: &Parts) -> ForecastParts {
    ForecastParts {
        level: parts.level,
        trend: parts.trend,
        day: parts.season_day,
        week: parts.season_week,
        year: parts.season_year,
        events: parts.events,
        persona: parts.persona,
        margin: parts.margin,
        remainder: parts.remainder,
    }
}
