//! Cost at equal unserved demand: ours at each objective, against the cheapest peer with hindsight.

use std::time::Instant;

use anyhow::Result;
use fleetcast_model::{Objective, ObjectiveMetric, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{BOOTSTRAP_SEED, Column, TextStyle, TextTable, share_interval};
use serde::Serialize;

use crate::cli::{ProvisioningArgs, TraceArgs};
use crate::curve::{self, Point};
use crate::judgement::Judgement;
use crate::run::{self, Outcome};
use crate::traces::Trace;
use crate::{direct, parallel, traces};

/// Wide enough for all columns; these tables are for terminals of developers and for logs.
pub const STYLE: TextStyle = TextStyle {
    colour: false,
    width: 150,
};

/// One trace at one objective.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    trace: String,
    pub target_share: f64,
    unserved_share: f64,
    pub achieved_over_target: f64,
    /// Of achieved ÷ target, with the days drawn again.
    interval: Option<(f64, f64)>,
    cost_over_need: f64,
    peer: Option<String>,
    /// The cheapest peer at the unserved share that we achieved.
    peer_cost_over_need: Option<f64>,
    /// The same at the target.
    peer_cost_over_need_at_target: Option<f64>,
    ratio: Option<f64>,
    /// Ours without standby at the same objective, where standby was asked for.
    without_standby: Option<Without>,
    starts_per_day_fleets: f64,
    micros_per_step: f64,
}

/// Ours without standby, beside ours with it.
#[derive(Clone, Debug, Serialize)]
struct Without {
    unserved_share: f64,
    cost_over_need: f64,
    /// Our cost with standby ÷ our cost without, both at the same objective.
    with_over_without: f64,
    /// Mean standby units in multiples of the mean units in service.
    standby_fleets: f64,
    /// Units promoted a day, in the same.
    promoted_fleets_per_day: f64,
}

/// What a run was made with: everything that decides its figures, beside the code.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    pub traces: Vec<String>,
    pub folder: String,
    pub units_at_p99: f64,
    pub boot: String,
    pub drain: String,
    pub delay: String,
    pub closed_loop: bool,
    pub warm_up: String,
    pub bootstrap_seed: u64,
    pub threads: usize,
    /// Promotion time and share of the price.
    pub standby: Option<String>,
}

#[derive(Serialize)]
struct Output {
    settings: Settings,
    rows: Vec<Row>,
    judgements: Vec<Judgement>,
}

/// One simulation of ours.
#[derive(Clone, Copy, PartialEq)]
struct Job {
    trace: usize,
    target: Share,
    /// Without the standby that was asked for.
    without_standby: bool,
}

/// Runs the benchmark.
pub fn run(args: &ProvisioningArgs) -> Result<()> {
    let began = Instant::now();
    let traces = traces::read(&args.traces)?;
    let objectives = objectives(args);
    let points = if args.ours {
        vec![Vec::new(); traces.len()]
    } else {
        direct::curves(&traces)?
    };
    let rows = measure(&traces, &objectives, &points)?;
    let judgements = objectives
        .iter()
        .map(|target| judge(*target, &rows))
        .collect();
    let output = Output {
        settings: settings(&args.traces, &traces),
        rows,
        judgements,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&output)?);
    } else {
        print_tables(&output);
    }
    eprintln!("took {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The objectives that are asked for.
pub fn objectives(args: &ProvisioningArgs) -> Vec<Share> {
    if args.objective.is_empty() {
        vec![Share::per_mille(5), Share::per_mille(1)]
    } else {
        args.objective.clone()
    }
}

/// Ours on each trace at each objective, beside the peers' points.
pub fn measure(traces: &[Trace], objectives: &[Share], points: &[Vec<Point>]) -> Result<Vec<Row>> {
    let ours = PolicySpec::new(PolicyKind::Fleetcast, 0.0);
    let jobs = jobs(traces, objectives);
    eprintln!(
        "{} simulations of {} traces on {} threads …",
        jobs.len(),
        traces.len(),
        parallel::threads()
    );
    let outcomes = parallel::run_all(&jobs, |job| {
        let objective = Objective::over_28_days(ObjectiveMetric::Unserved, job.target);
        run::run_as(&traces[job.trace], &ours, Some(objective), |config| {
            if job.without_standby {
                for component in &mut config.fleet.components {
                    component.standby = None;
                }
            }
        })
    })?;
    let mut rows = Vec::new();
    for target in objectives {
        for (index, trace) in traces.iter().enumerate() {
            let own = |without_standby: bool| {
                let wanted = Job {
                    trace: index,
                    target: *target,
                    without_standby,
                };
                jobs.iter()
                    .position(|job| *job == wanted)
                    .map(|place| &outcomes[place])
            };
            rows.extend(own(false).map(|outcome| Row {
                without_standby: own(true).map(|without| compare(outcome, without)),
                ..row(trace, *target, outcome, &points[index])
            }));
        }
    }
    Ok(rows)
}

/// Long traces before short ones, so that no thread idles at the end.
fn jobs(traces: &[Trace], objectives: &[Share]) -> Vec<Job> {
    let mut order: Vec<usize> = (0..traces.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(traces[*index].steps()));
    let mut jobs = Vec::new();
    for trace in order {
        for without_standby in [false, true] {
            let own = objectives
                .iter()
                .filter(|_| !without_standby || traces[trace].has_standby());
            jobs.extend(own.map(|target| Job {
                trace,
                target: *target,
                without_standby,
            }));
        }
    }
    jobs
}

fn compare(with: &Outcome, without: &Outcome) -> Without {
    let tally = &with.tally;
    let cost = without.tally.cost_over_need();
    let mean = tally.ready.max(1) as f64;
    Without {
        unserved_share: without.tally.unserved_share(),
        cost_over_need: cost,
        with_over_without: tally.cost_over_need() / cost,
        standby_fleets: tally.standby as f64 / mean,
        promoted_fleets_per_day: tally.promoted as f64 / mean * tally.steps as f64 / tally.days(),
    }
}

fn row(trace: &Trace, target: Share, outcome: &Outcome, points: &[Point]) -> Row {
    let tally = &outcome.tally;
    let target = target.get();
    let unserved_share = tally.unserved_share();
    let cost_over_need = tally.cost_over_need();
    let peer = curve::cheapest(points, unserved_share);
    let interval = share_interval(&outcome.days);
    Row {
        trace: trace.name.clone(),
        target_share: target,
        unserved_share,
        achieved_over_target: unserved_share / target,
        interval: interval.map(|(low, high)| (low / target, high / target)),
        cost_over_need,
        ratio: peer.as_ref().map(|peer| cost_over_need / peer.cost),
        peer_cost_over_need: peer.as_ref().map(|peer| peer.cost),
        peer: peer.map(|peer| peer.peer),
        peer_cost_over_need_at_target: curve::cheapest(points, target).map(|peer| peer.cost),
        without_standby: None,
        starts_per_day_fleets: tally.starts_per_day(),
        micros_per_step: outcome.micros_per_step,
    }
}

/// Sums up the rows of one objective.
pub fn judge(target: Share, rows: &[Row]) -> Judgement {
    let of_target: Vec<(Option<f64>, f64, f64)> = rows
        .iter()
        .filter(|row| row.target_share == target.get())
        .map(|row| {
            (
                row.ratio,
                row.achieved_over_target,
                row.starts_per_day_fleets,
            )
        })
        .collect();
    Judgement::new(target.get(), &of_target)
}

/// What the figures depend on.
pub fn settings(args: &TraceArgs, traces: &[Trace]) -> Settings {
    Settings {
        traces: traces.iter().map(|trace| trace.name.clone()).collect(),
        folder: traces::folder(args).display().to_string(),
        units_at_p99: args.units,
        boot: format!("{:#}", args.boot),
        drain: format!("{:#}", args.drain),
        delay: format!("{:#}", args.delay),
        closed_loop: args.closed_loop,
        warm_up: format!("{:#}", traces::WARM_UP),
        bootstrap_seed: BOOTSTRAP_SEED,
        threads: parallel::threads(),
        standby: args
            .standby
            .map(|standby| format!("{:#}:{}", standby.promotion, standby.price_share.get())),
    }
}

/// Says what the figures depend on, in two lines.
pub fn print_settings(settings: &Settings) {
    println!(
        "plain setting: capacity of a unit P99 ÷ {}, boot {}, drain {}, warm-up {} (not scored)",
        settings.units_at_p99, settings.boot, settings.drain, settings.warm_up
    );
    if let Some(standby) = &settings.standby {
        println!(
            "standby {standby}: what a step is short of promotes by itself, paid for in full from this step on; a new unit boots at the full price"
        );
    }
    if settings.closed_loop {
        println!(
            "closed loop: only what was served is seen, a third of the rest comes again in the next step"
        );
    }
    if settings.delay != "0s" {
        println!("demand becomes known {} late", settings.delay);
    }
    println!(
        "{} traces of {}; {} threads; bootstrap of days with seed {}",
        settings.traces.len(),
        settings.folder,
        settings.threads,
        settings.bootstrap_seed
    );
}

fn print_tables(output: &Output) {
    print_settings(&output.settings);
    println!(
        "peers: hpa, react and max with every floor, and constant fleets, their knobs turned in hindsight to \
         the unserved\nshare that we achieved; ours is given the objective and nothing else"
    );
    for judgement in &output.judgements {
        let target = judgement.target_share;
        println!("\nunserved {} %", trimmed(target * 100.0));
        let mut table = TextTable::new(vec![
            Column::words("trace"),
            Column::number("unserved\n%"),
            Column::number("÷ target"),
            Column::number("95 %\ninterval"),
            Column::number("our cost\n÷ need"),
            Column::number("peer\n÷ need"),
            Column::number("ratio"),
            Column::number("peer\nat target"),
            Column::number("starts\nfleets/day"),
            Column::number("µs a\nstep"),
            Column::words("cheapest peer"),
        ]);
        for row in output.rows.iter().filter(|row| row.target_share == target) {
            table.row(cells(row));
        }
        print!("{}", table.render(STYLE));
        print_judgement(judgement);
        if output.settings.standby.is_some() {
            print_standby(output, target);
        }
    }
}

/// Ours with standby beside ours without it.
fn print_standby(output: &Output, target: f64) {
    let mut table = TextTable::new(vec![
        Column::words("standby"),
        Column::number("÷ target\nwith"),
        Column::number("÷ target\nwithout"),
        Column::number("our cost\nwith"),
        Column::number("our cost\nwithout"),
        Column::number("with ÷\nwithout"),
        Column::number("standby\nfleets"),
        Column::number("promoted\nfleets/day"),
    ]);
    let mut logs = Vec::new();
    for row in output.rows.iter().filter(|row| row.target_share == target) {
        let Some(without) = &row.without_standby else {
            continue;
        };
        logs.push(without.with_over_without.ln());
        table.row(vec![
            row.trace.clone(),
            format!("{:.2}", row.achieved_over_target),
            format!("{:.2}", without.unserved_share / target),
            format!("{:.3}", row.cost_over_need),
            format!("{:.3}", without.cost_over_need),
            format!("{:.3}", without.with_over_without),
            format!("{:.2}", without.standby_fleets),
            format!("{:.1}", without.promoted_fleets_per_day),
        ]);
    }
    print!("\n{}", table.render(STYLE));
    let mean = (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp();
    println!(
        "with ÷ without standby, geometric mean: {mean:.3} (goal ≤ {STANDBY_GOAL}: {}; next goal ≤ {STANDBY_NEXT}: {})",
        if mean <= STANDBY_GOAL {
            "met"
        } else {
            "not met"
        },
        if mean <= STANDBY_NEXT {
            "met"
        } else {
            "not met"
        },
    );
}

/// Cost with standby over cost without: to be held now, and to be reached next.
const STANDBY_GOAL: f64 = 0.9;
const STANDBY_NEXT: f64 = 0.8;

fn cells(row: &Row) -> Vec<String> {
    let interval = row.interval.map_or_else(
        || "–".to_string(),
        |(low, high)| format!("{low:.2}–{high:.2}"),
    );
    vec![
        row.trace.clone(),
        format!("{:.4}", row.unserved_share * 100.0),
        format!("{:.2}", row.achieved_over_target),
        interval,
        format!("{:.3}", row.cost_over_need),
        number(row.peer_cost_over_need),
        number(row.ratio),
        number(row.peer_cost_over_need_at_target),
        format!("{:.2}", row.starts_per_day_fleets),
        format!("{:.1}", row.micros_per_step),
        row.peer
            .clone()
            .unwrap_or_else(|| "no knob reaches it".into()),
    ]
}

fn print_judgement(judgement: &Judgement) {
    let mut table = TextTable::new(vec![
        Column::words("all traces"),
        Column::number("found"),
        Column::number("goal"),
        Column::words("met"),
        Column::number("next goal"),
        Column::words("met"),
    ]);
    for line in judgement.lines() {
        let met = |goal: f64| match line.value {
            Some(value) if value <= goal => "yes",
            Some(_) => "no",
            None => "–",
        };
        table.row(vec![
            line.what.clone(),
            number(line.value),
            format!("≤ {}", trimmed(line.goal)),
            met(line.goal).into(),
            format!("≤ {}", trimmed(line.next)),
            met(line.next).into(),
        ]);
    }
    println!("\n{}", table.render(STYLE).trim_end());
}

/// Three decimals, or a dash.
fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.3}"),
        Some(_) => "∞".into(),
        None => "–".into(),
    }
}

/// As short as it can be written, without the dust of binary fractions.
pub fn trimmed(value: f64) -> String {
    format!("{}", (value * 1e9).round() / 1e9)
}
