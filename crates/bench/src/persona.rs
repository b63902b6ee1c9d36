//! How much a persona helps while history is short: the persona alone, the data alone, and both, on
//! recorded demand after none, one, three and fourteen days of history.
//!
//! The persona is fitted to an earlier stretch as a person would write it down: the usual volume of each
//! four hours of working days and of weekends. The forecast is of the next two days.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use fleetcast_forecast::{
    Dates, Expectation, Fit, FittedPersonaBlend, History, Model, PersonaBlend, Predict, SeasonSpec,
    pinball,
};
use fleetcast_model::{
    EngagementPattern, InteractionType, PatternName, Persona, PersonaName, Share, TimeWindow,
    WindowLength,
};
use fleetcast_report::{Column, TextTable};
use fleetcast_series::Series;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, civil};

use crate::cli::PersonaArgs;
use crate::provisioning::STYLE;
use crate::{parallel, traces};

/// Days of history that are looked at.
const DAYS: [usize; 4] = [0, 1, 3, 14];
/// What may be lost against the better of both.
const GOAL: f64 = 1.05;
/// Steps of the hourly traces.
const DAY: usize = 24;
const HORIZON: usize = 48;
/// Forecasts of each trace.
const ORIGINS: usize = 12;
/// The share of a trace that the persona is fitted to, and no forecast starts in.
const EARLIER: f64 = 0.4;
const LEVELS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/// A person who wrote down what was measured is fairly sure.
const CONFIDENCE: f64 = 0.7;

/// Pinball losses of the persona alone, the data alone and both.
type Losses = [f64; 3];

/// Prints the table.
pub fn run(args: &PersonaArgs) -> Result<()> {
    let folder = args
        .traces
        .clone()
        .unwrap_or_else(|| traces::shared().join("data/traces/open/eval"));
    let files = hourly(&folder)?;
    let results = parallel::run_all(&files, |file| {
        let demand = traces::read_file(file)?;
        Ok((traces::name_of(file), trace(&demand)?))
    })?;
    let mut table = TextTable::new(vec![
        Column::words("trace"),
        Column::number("days of\nhistory"),
        Column::number("data ÷\npersona alone"),
        Column::number("both ÷\nthe better"),
    ]);
    let mut logs = vec![Vec::new(); DAYS.len()];
    for (name, by_days) in &results {
        for (place, days) in DAYS.iter().enumerate() {
            let [persona, data, both] = by_days[place];
            let better = if *days == 0 {
                persona
            } else {
                persona.min(data)
            };
            let ratio = both / better;
            logs[place].push(ratio.ln());
            table.row(vec![
                name.clone(),
                days.to_string(),
                if *days == 0 {
                    "no data".into()
                } else {
                    format!("{:.3}", data / persona)
                },
                format!("{ratio:.3}"),
            ]);
        }
    }
    println!("{}", table.render(STYLE));
    for (place, days) in DAYS.iter().enumerate() {
        let mean = logs[place].iter().sum::<f64>() / logs[place].len() as f64;
        let worst = logs[place].iter().copied().fold(f64::MIN, f64::max).exp();
        println!(
            "{days:>2} days of history: both lose {:.3} times what the better of the two alone loses (geometric \
             mean), {worst:.3} at the worst; goal at most {GOAL}: {}",
            mean.exp(),
            if worst <= GOAL { "met" } else { "missed" }
        );
    }
    Ok(())
}

fn hourly(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let files = traces::csv_files(folder).with_context(|| {
        format!(
            "there are no hourly traces in {}: set FLEETCAST_SHARED, or use --traces DIR",
            folder.display()
        )
    })?;
    let hourly: Vec<PathBuf> = files
        .into_iter()
        .filter(|file| file.to_string_lossy().contains("__1h"))
        .collect();
    if hourly.is_empty() {
        bail!("no file in {} ends in `__1h.csv`", folder.display());
    }
    Ok(hourly)
}

/// The losses on one trace, by days of history.
fn trace(demand: &Series) -> Result<[Losses; DAYS.len()]> {
    let values: Vec<Option<f64>> = demand.values().collect();
    let earlier = ((EARLIER * values.len() as f64) as usize).max(14 * DAY);
    let last = values.len().saturating_sub(HORIZON);
    if last < earlier {
        bail!("too short");
    }
    let persona = persona(demand, earlier)?;
    let mut losses = [[0.0; 3]; DAYS.len()];
    for place in 0..ORIGINS {
        let origin = earlier + place * (last - earlier) / (ORIGINS - 1);
        for (days, losses) in DAYS.iter().zip(&mut losses) {
            let seen = (days * DAY).min(origin);
            let dates = Dates::new(
                demand.timestamp(origin - seen),
                demand.step().duration(),
                TimeZone::UTC,
            );
            let expectation = Expectation::of(&persona, &dates, seen + HORIZON, 60.0)?;
            let known = History::new(
                &values[origin - seen..origin],
                SeasonSpec {
                    day: DAY,
                    week: 7 * DAY,
                    year: 0,
                },
            )?
            .with_dates(&dates);
            let fit = |history: &History<'_>, start| -> Result<FittedPersonaBlend> {
                let blend = PersonaBlend {
                    model: Model::default(),
                    expectation: expectation.clone(),
                    start,
                };
                Ok(blend.fit(history)?)
            };
            let ahead = &values[origin..origin + HORIZON];
            let nothing = History::new(&[], known.seasons())?;
            let data = Model::default().fit(&known);
            if seen > 0 && data.is_err() {
                // Nothing was observed in these days: there is no data to compare with.
                continue;
            }
            losses[0] += loss(&fit(&nothing, seen)?, ahead);
            losses[1] += data.map_or(0.0, |data| loss(&data, ahead));
            losses[2] += loss(&fit(&known, seen)?, ahead);
        }
    }
    Ok(losses)
}

fn loss(fitted: &impl Predict, ahead: &[Option<f64>]) -> f64 {
    let quantiles = fitted.quantiles(ahead.len(), &LEVELS);
    let steps = ahead.iter().enumerate();
    steps
        .filter_map(|(step, actual)| Some((step, (*actual)?)))
        .map(|(step, actual)| {
            let each = LEVELS.iter().zip(quantiles.step(step));
            each.map(|(&level, &quantile)| pinball(level, quantile, actual))
                .sum::<f64>()
        })
        .sum()
}

/// The usual volume of each four hours, of working days and of weekends.
fn persona(demand: &Series, earlier: usize) -> Result<Persona> {
    let hours = 4;
    let mut patterns = Vec::new();
    for weekend in [false, true] {
        for part in 0..24 / hours {
            let inside = |step: usize| {
                let at = demand.timestamp(step).to_zoned(TimeZone::UTC);
                let of_weekend = at.weekday().to_monday_one_offset() >= 6;
                of_weekend == weekend && at.hour() as usize / hours == part
            };
            let seen: Vec<f64> = (0..earlier)
                .filter(|step| inside(*step))
                .filter_map(|step| demand.get(step))
                .collect();
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            let days = if weekend { "SA,SU" } else { "MO,TU,WE,TH,FR" };
            let first = demand.start().to_zoned(TimeZone::UTC).date() - 14.days();
            let length: Span = (hours as i64).hours();
            patterns.push(EngagementPattern {
                name: PatternName::new(&format!(
                    "{}-{part}",
                    if weekend { "weekend" } else { "weekday" }
                ))?,
                time_window: TimeWindow::Recurring {
                    length: WindowLength(length),
                    start: first.to_datetime(civil::time((part * hours) as i8, 0, 0, 0)),
                    time_zone: "UTC".into(),
                    rule: format!("FREQ=WEEKLY;BYDAY={days}"),
                },
                interaction_type: InteractionType::ContentView,
                expected_volume: mean * hours as f64,
                latency_target_ms: 200,
                shape: Vec::new(),
                confidence: Share::new(CONFIDENCE).unwrap_or(Share::NONE),
            });
        }
    }
    Ok(Persona {
        name: PersonaName::new("measured")?,
        engagement_patterns: patterns,
        resource_profiles: Vec::new(),
    })
}
