//! Reads the history: a file, a Prometheus server or the built-in example.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use fleetcast_model::{InteractionType, Persona};
use fleetcast_series::{Demand, DemandKey, PersonaCalendar, Series, Step, ValueUnit};
use fleetcast_sim::example;
use fleetcast_telemetry::prometheus::{self, PrometheusError, PrometheusQuery};
use fleetcast_telemetry::{CsvOptions, IngestReport, read_csv};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::cli::{DemandArgs, UnitOfValue};
use crate::files::BadInput;
use crate::stop;

/// A history, with an account of how it was read.
#[derive(Clone, Debug)]
pub struct History {
    pub demand: Demand,
    pub source: String,
    pub synthetic: bool,
    pub account: Vec<String>,
}

/// Reads the history that the command line asks for; `seed` is the built-in example's.
pub fn read(args: &DemandArgs, seed: u64, quiet: bool) -> Result<History> {
    if args.example {
        return Ok(read_example(seed));
    }
    if let (Some(url), Some(query)) = (&args.prometheus, &args.query) {
        return read_prometheus(args, url, query, quiet);
    }
    let Some(path) = &args.demand else {
        let hint = "no demand was given: use --demand FILE, or --prometheus URL --query PROMQL, or --example for the built-in shop";
        return Err(BadInput(hint.into()).into());
    };
    read_file(args, path, quiet)
}

/// The zone of timestamps without an offset.
pub fn time_zone(args: &DemandArgs) -> Result<TimeZone> {
    let zone = TimeZone::get(&args.time_zone).map_err(|_| {
        BadInput(format!(
            "`{}` is not a time zone: use an IANA name such as Europe/Berlin",
            args.time_zone
        ))
    })?;
    Ok(zone)
}

fn read_file(args: &DemandArgs, path: &Path, quiet: bool) -> Result<History> {
    let options = CsvOptions {
        time_zone: time_zone(args)?,
        step: step(args)?,
        skip_bad_rows: args.skip_bad_rows,
        value_unit: value_unit(args, ValueUnit::PerStep),
        ..CsvOptions::default()
    };
    let standard_input = path == Path::new("-");
    let name = if standard_input {
        "standard input".to_string()
    } else {
        path.display().to_string()
    };
    let found = if standard_input {
        read_csv(stop::Reader(io::stdin().lock()), &options)
    } else {
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let length = file.metadata().map(|data| data.len()).unwrap_or(0);
        let bar = reading_bar(length, quiet);
        let result = read_csv(
            bar.wrap_read(stop::Reader(BufReader::with_capacity(1 << 16, file))),
            &options,
        );
        bar.finish_and_clear();
        result
    };
    stop::check()?;
    let (demand, report) = found.map_err(|error| {
        BadInput(format!(
            "{name}: {}",
            crate::chain(&anyhow::Error::new(error))
        ))
    })?;
    Ok(History {
        demand,
        source: name,
        synthetic: false,
        account: account(&report),
    })
}

fn read_prometheus(args: &DemandArgs, url: &str, query: &str, quiet: bool) -> Result<History> {
    let since =
        prometheus::since(&args.since).map_err(|error| BadInput(format!("--since: {error}")))?;
    let step = step(args)?.unwrap_or(Step::MINUTE);
    let seconds = i64::from(step.seconds());
    let end = Timestamp::now().as_second() / seconds * seconds;
    let end = Timestamp::from_second(end)?;
    let mut question = PrometheusQuery::new(url, query, end - since, end, step);
    question.value_unit = value_unit(args, ValueUnit::PerSecond);
    question.timeout = Duration::from_secs(60);
    question.bearer = std::env::var("FLEETCAST_PROMETHEUS_TOKEN").ok();
    let bar = reading_bar(0, quiet);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let found = runtime.block_on(prometheus::fetch(&question, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }));
    bar.finish_and_clear();
    stop::check()?;
    let (demand, report) = found.map_err(|error| {
        // Who cannot be reached is nobody's bad input.
        let unreachable = matches!(
            error,
            PrometheusError::Connect { .. }
                | PrometheusError::TimedOut { .. }
                | PrometheusError::Broken { .. }
        );
        let error = anyhow::Error::new(error);
        if unreachable {
            error
        } else {
            BadInput(crate::chain(&error)).into()
        }
    })?;
    Ok(History {
        demand,
        source: format!("{url}: {query}"),
        synthetic: false,
        account: account(&report),
    })
}

/// The example's demand, as the series that its CSV would give.
fn read_example(seed: u64) -> History {
    let mut values: BTreeMap<InteractionType, Vec<Option<f64>>> = BTreeMap::new();
    let mut start = None;
    for row in example::demand(seed) {
        start.get_or_insert(row.at);
        values
            .entry(row.interaction_type)
            .or_default()
            .push(row.per_minute);
    }
    let start = start.unwrap_or_default();
    let series = values.into_iter().map(|(kind, values)| {
        let key = DemandKey {
            interaction_type: Some(kind),
            region: None,
        };
        (key, Series::from_values(start, Step::MINUTE, values))
    });
    let demand = Demand::new(series.collect(), ValueUnit::PerStep)
        .unwrap_or_else(|error| panic!("the example's series: {error}"));
    let source = format!("the built-in example shop, seed {seed}");
    History {
        demand,
        source,
        synthetic: true,
        account: vec!["synthetic demand of the built-in example shop".into()],
    }
}

fn account(report: &IngestReport) -> Vec<String> {
    report.to_string().lines().map(str::to_string).collect()
}

fn step(args: &DemandArgs) -> Result<Option<Step>> {
    let Some(step) = args.step else {
        return Ok(None);
    };
    let step = u32::try_from(step.as_secs())
        .ok()
        .and_then(Step::from_seconds);
    Ok(Some(step.ok_or_else(|| {
        BadInput("--step: use one second to 136 years".into())
    })?))
}

fn value_unit(args: &DemandArgs, otherwise: ValueUnit) -> ValueUnit {
    match args.value_unit {
        None => otherwise,
        Some(UnitOfValue::Step) => ValueUnit::PerStep,
        Some(UnitOfValue::Minute) => ValueUnit::PerMinute,
        Some(UnitOfValue::Second) => ValueUnit::PerSecond,
    }
}

fn reading_bar(length: u64, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("reading {wide_bar} {percent} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// The volumes of each interaction type in interactions a minute, and what was assumed.
pub fn by_type(
    demand: &Demand,
    types: &[InteractionType],
    persona: &Persona,
) -> Result<(Vec<Series>, Vec<String>)> {
    let named = demand.iter().any(|(key, _)| key.interaction_type.is_some());
    if !named {
        let note = "the history does not tell interaction types apart: it was divided as the persona expects them at each time";
        return Ok((
            divided(&per_minute(demand, &demand.total()), types, persona)?,
            vec![note.into()],
        ));
    }
    if demand.iter().any(|(key, _)| key.interaction_type.is_none()) {
        let text = "some rows of the history have an interaction_type and some have none: fill it in, or drop the column";
        return Err(BadInput(text.into()).into());
    }
    let mut notes = Vec::new();
    let mut series = Vec::new();
    for kind in types {
        let own: BTreeMap<DemandKey, Series> = demand
            .iter()
            .filter(|(key, _)| key.interaction_type.as_ref() == Some(kind))
            .map(|(key, series)| (key.clone(), series.clone()))
            .collect();
        if own.is_empty() {
            let text = format!(
                "the history has no `{kind}`, which the fleet serves: add its rows, or take it out of `serves`"
            );
            return Err(BadInput(text).into());
        }
        let own = Demand::new(own, demand.unit())?.total();
        series.push(per_minute(demand, &own));
    }
    let unserved = demand
        .iter()
        .filter_map(|(key, _)| key.interaction_type.as_ref())
        .filter(|kind| !types.contains(kind));
    let unserved: std::collections::BTreeSet<String> = unserved.map(ToString::to_string).collect();
    for kind in unserved {
        notes.push(format!(
            "`{kind}` of the history was left out: no component serves it"
        ));
    }
    Ok((series, notes))
}

fn per_minute(demand: &Demand, series: &Series) -> Series {
    Series::from_values(
        series.start(),
        series.step(),
        series
            .values()
            .map(|value| value.map(|value| demand.per_minute(value))),
    )
}

/// Divides a total between types as the persona expects them in each step.
fn divided(total: &Series, types: &[InteractionType], persona: &Persona) -> Result<Vec<Series>> {
    let mut calendar = PersonaCalendar::new(persona)?;
    let step = SignedDuration::from_secs(i64::from(total.step().seconds()));
    let mut parts = vec![Vec::with_capacity(total.len()); types.len()];
    for (at, value) in total.iter() {
        let expected = calendar.expected_rate_by_type(at, at + step);
        let expected: Vec<f64> = types
            .iter()
            .map(|kind| expected.get(kind).copied().unwrap_or(0.0))
            .collect();
        let sum: f64 = expected.iter().sum();
        for (part, expected) in parts.iter_mut().zip(&expected) {
            // Where nothing is expected of any type, all get the same.
            let share = if sum > 0.0 {
                expected / sum
            } else {
                1.0 / types.len() as f64
            };
            part.push(value.map(|value| value * share));
        }
    }
    Ok(parts
        .into_iter()
        .map(|part| Series::from_values(total.start(), total.step(), part))
        .collect())
}
