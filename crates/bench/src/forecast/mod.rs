//! Forecasts: every model of ours from rolling origins on recorded demand, beside the peers from the same run.

mod args;
pub mod clock;
mod entrant;
mod fidelity;
mod m4;
mod peers;
mod rolling;
mod scale;
mod series;
mod short_history;
mod table;
mod tier;
mod update;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, bail};
use fleetcast_forecast::evaluation::LEVELS;
use fleetcast_forecast::{Model, QuantileForecast};
use serde::Serialize;

pub use self::args::ForecastArgs;
use self::entrant::Entrant;
use self::peers::{Job, Peers};
use self::rolling::{Figures, Place, Run};
use self::series::Trace;
use self::short_history::ShortHistory;
use self::table::{Row, Verdict};
use self::tier::{TIERS, Tier};
use crate::cli::TraceArgs;
use crate::{lead, parallel};

/// The peers of each tier; slow ones are asked for apart.
const PEERS: [(&str, &[&str], &[&str]); 2] = [
    (
        "1h",
        &[
            "SeasonalNaive-day",
            "SeasonalNaive-week",
            "DOT",
            "MSTL",
            "MSTL-ARIMA",
            "Prophet",
        ],
        &["AutoETS", "AutoCES", "AutoARIMA-approx"],
    ),
    (
        "10min",
        &[
            "Naive",
            "SeasonalNaive-day",
            "DOT",
            "MSTL",
            "MSTL-ARIMA",
            "Prophet",
        ],
        &["AutoETS", "AutoCES"],
    ),
];
/// The composite of peers whose figures are published.
const MEDIAN: (&str, [&str; 3]) = (
    "median of MSTL-ARIMA, Prophet, DOT",
    ["MSTL-ARIMA", "Prophet", "DOT"],
);
const YARDSTICK: &str = "(yardstick)";

/// What one tier gave.
#[derive(Serialize)]
struct Outcome {
    tier: &'static str,
    rows: Vec<Row>,
    yardstick: Vec<Figures>,
    verdicts: Vec<Verdict>,
    short_histories: Vec<ShortHistory>,
}

/// Runs the benchmark.
pub fn run(args: &ForecastArgs) -> Result<()> {
    if args.m4 {
        return m4::run(args, &models(args)?);
    }
    if args.scale {
        return scale::run(args, &models(args)?);
    }
    if args.update {
        return update::run(&models(args)?);
    }
    if args.fidelity {
        return fidelity::run(args);
    }
    if args.lead {
        return lead::run(&TraceArgs::of(args.traces.clone(), args.only.clone()));
    }
    let entrants = Entrant::all(args)?;
    let began = Instant::now();
    let peers = if args.peers {
        Some(Peers::find(args.python.as_deref())?)
    } else {
        None
    };
    let wanted = |tier: &&Tier| args.tier.as_deref().is_none_or(|name| name == tier.name);
    let mut outcomes = Vec::new();
    for tier in TIERS.iter().filter(wanted) {
        let traces = series::read(args, tier)?;
        if traces.is_empty() {
            continue;
        }
        let outcome = run_tier(args, tier, &traces, &entrants, peers.as_ref())?;
        if !args.json {
            print(tier, &outcome, args);
        }
        outcomes.push(outcome);
    }
    if outcomes.is_empty() {
        bail!(
            "no series of a tier (1h, 10min) in {} is left to run",
            series::folder(args).display()
        );
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else if everything(args) {
        println!();
        lead::run(&TraceArgs::of(None, String::new()))?;
    }
    eprintln!("took {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Whether nothing was left out: the lead tier is then shown too.
fn everything(args: &ForecastArgs) -> bool {
    args.models.is_empty() && args.only.is_empty() && args.tier.is_none() && args.traces.is_none()
}

/// The names of the models that are asked for.
fn names(args: &ForecastArgs) -> Vec<String> {
    if args.models.is_empty() {
        Model::names().map(str::to_string).collect()
    } else {
        args.models.clone()
    }
}

/// The models that are asked for, by name.
fn models(args: &ForecastArgs) -> Result<Vec<(String, Model)>> {
    names(args)
        .into_iter()
        .map(|name| Ok((name.clone(), name.parse::<Model>()?)))
        .collect()
}

fn threads(args: &ForecastArgs) -> usize {
    let usual = if args.peers { 1 } else { parallel::threads() };
    args.threads.unwrap_or(usual).max(1)
}

fn run_tier(
    args: &ForecastArgs,
    tier: &Tier,
    traces: &[Trace],
    entrants: &[Entrant],
    peers: Option<&Peers>,
) -> Result<Outcome> {
    let places: Vec<Vec<Place>> = traces
        .iter()
        .map(|trace| rolling::places(tier, trace, args.protocol_only))
        .collect::<Result<_>>()?;
    let origins: usize = places.iter().map(Vec::len).sum();
    eprintln!(
        "{}: {} models, {} series, {origins} origins, {} threads …",
        tier.name,
        entrants.len(),
        traces.len(),
        threads(args)
    );
    let yardstick: Vec<Figures> = traces
        .iter()
        .zip(&places)
        .map(|(trace, places)| rolling::run_yardstick(tier, trace, places).figures(&trace.name))
        .collect();
    let jobs: Vec<(usize, usize)> = (0..entrants.len())
        .flat_map(|model| (0..traces.len()).map(move |trace| (model, trace)))
        .collect();
    let runs = parallel::run_on(threads(args), &jobs, |&(model, trace)| {
        let run = entrants[model].run(tier, &traces[trace], &places[trace]);
        if let Some(why) = run.failures.first() {
            let (name, trace) = (entrants[model].name(), &traces[trace].name);
            eprintln!(
                "{name} on {trace}: {} failed, first at {why}",
                run.failures.len()
            );
        }
        Ok(run.figures(&traces[trace].name))
    })?;
    let mut runs = runs.into_iter();
    let mut rows = vec![table::row(YARDSTICK, false, yardstick.clone(), &yardstick)];
    rows.extend(entrants.iter().map(|entrant| {
        let figures = runs.by_ref().take(traces.len()).collect();
        table::row(entrant.name(), false, figures, &yardstick)
    }));
    if let Some(peers) = peers {
        rows.extend(run_peers(args, tier, traces, &yardstick, peers)?);
    }
    let rows = table::in_order(rows);
    let short_histories = if args.protocol_only {
        Vec::new()
    } else {
        short_history::run(tier, traces, entrants, threads(args))?
    };
    Ok(Outcome {
        tier: tier.name,
        verdicts: table::verdicts(tier, &rows, args.protocol_only),
        rows,
        yardstick,
        short_histories,
    })
}

/// The peers from the protocol's origins, and the median of three of them.
fn run_peers(
    args: &ForecastArgs,
    tier: &Tier,
    traces: &[Trace],
    yardstick: &[Figures],
    peers: &Peers,
) -> Result<Vec<Row>> {
    let (_, usual, slow) = PEERS
        .into_iter()
        .find(|(name, ..)| *name == tier.name)
        .unwrap_or_default();
    let mut names = usual.to_vec();
    if args.slow_peers {
        names.extend(slow);
    }
    let series = traces
        .iter()
        .map(|trace| trace.job_series(tier))
        .collect::<Result<_>>()?;
    let job = Job {
        models: &names,
        horizon: tier.protocol.horizon,
        window: tier.protocol.window,
        day: tier.seasons.day,
        week: tier.seasons.week,
        series,
    };
    let mut runs: BTreeMap<(String, String), Run> = BTreeMap::new();
    let mut parts: BTreeMap<(String, usize), Vec<QuantileForecast>> = BTreeMap::new();
    let mut now = String::new();
    let place = |origin| Place {
        origin,
        protocol: true,
        apart: false,
    };
    peers.forecast(&job, |answer| {
        if answer.model != now {
            now.clone_from(&answer.model);
            eprintln!("  peer {now} …");
        }
        let Some(trace) = traces.iter().find(|trace| trace.name == answer.series) else {
            return;
        };
        let run = runs
            .entry((answer.model.clone(), answer.series.clone()))
            .or_default();
        match answer.forecast() {
            Ok(forecast) => {
                run.add_cost(place(answer.origin), answer.cpu_seconds);
                let rolling = trace.rolling(tier, tier.protocol);
                run.add(tier, place(answer.origin), &rolling, &forecast);
                if MEDIAN.1.contains(&answer.model.as_str()) {
                    let key = (answer.series.clone(), answer.origin);
                    parts.entry(key).or_default().push(forecast);
                }
            }
            Err(why) => run.failures.push(format!("step {}: {why}", answer.origin)),
        }
    })?;
    for ((series, origin), forecasts) in &parts {
        if let (Some(trace), [_, _, _]) = (
            traces.iter().find(|trace| trace.name == *series),
            forecasts.as_slice(),
        ) {
            let rolling = trace.rolling(tier, tier.protocol);
            let run = runs
                .entry((MEDIAN.0.to_string(), series.clone()))
                .or_default();
            run.add(tier, place(*origin), &rolling, &median(forecasts));
        }
    }
    let figures = |name: &str| -> Vec<Figures> {
        runs.iter()
            .filter(|((model, _), _)| model == name)
            .map(|((_, series), run)| run.figures(series))
            .collect()
    };
    names.push(MEDIAN.0);
    Ok(names
        .iter()
        .map(|name| table::row(name, true, figures(name), yardstick))
        .collect())
}

/// The middle one of three, quantile by quantile.
fn median(forecasts: &[QuantileForecast]) -> QuantileForecast {
    let mut values = Vec::new();
    for step in 0..forecasts[0].horizon() {
        for level in 0..LEVELS.len() {
            let mut three: Vec<f64> = forecasts.iter().map(|one| one.step(step)[level]).collect();
            three.sort_by(f64::total_cmp);
            values.push(three[three.len() / 2]);
        }
    }
    QuantileForecast::new(&LEVELS, values)
}

fn print(tier: &Tier, outcome: &Outcome, args: &ForecastArgs) {
    let [short, long] = tier.horizons;
    println!(
        "\n{} tier: {short} and {long} ahead, refitted at each origin to the last {} steps; {} series",
        tier.name,
        tier.protocol.window,
        outcome.yardstick.len()
    );
    println!(
        "relWQL, relQL95: geometric mean over the series of the loss by the yardstick's, a seasonal naive forecast with \
         normal errors, from the\nprotocol's origins; coverage too, and again from every origin a horizon after the last; \
         CPU is one thread's, fit and forecast"
    );
    table::print(tier, &outcome.rows);
    let named = |row: &Row| !row.peer && entrant::is_network(&row.model);
    if outcome.rows.iter().any(named) {
        println!("{}", entrant::NOTE);
    }
    table::print_series(tier, &outcome.rows, &outcome.yardstick);
    if !args.protocol_only {
        table::print_conditional(tier, &outcome.rows);
    }
    short_history::print(tier, &outcome.short_histories);
    table::print_verdicts(&outcome.verdicts);
    if !args.peers {
        println!("{}", peers::HINT);
    }
}
