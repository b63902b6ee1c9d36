//! Fleet plans beside the exact optimum: cost, our own bound, time to equal cost, and how it grows.

mod args;
mod growth;
mod instances;

use anyhow::{Context, Result, bail};
use fleetcast_planner::fleet_plan::{FleetPlan, FleetProblem, WorkLimit, check_fleet, plan_fleet};
use fleetcast_report::{Column, TextTable};
use serde::{Deserialize, Serialize};

pub use self::args::PlannerArgs;
use self::instances::{Instance, Size};
use crate::cli::TraceArgs;
use crate::forecast::clock::cpu_seconds;
use crate::provisioning::STYLE;
use crate::python::Python;
use crate::traces;

const SCRIPT: &str = include_str!("../../peers/planner.py");
const REQUIREMENTS: &str = include_str!("../../peers/requirements-planner.txt");
/// HiGHS ends within this share of its bound.
const GAP: f64 = 0.001;
/// Two costs are equal within this share: HiGHS sums floats.
const EQUAL: f64 = 1e-7;

/// What HiGHS is asked.
#[derive(Serialize)]
struct Job<'a> {
    gap: f64,
    seconds: f64,
    problems: Vec<Stated<'a>>,
}

#[derive(Serialize)]
struct Stated<'a> {
    name: &'a str,
    problem: &'a FleetProblem,
}

/// What HiGHS found.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Answer {
    name: String,
    #[serde(default)]
    status: String,
    objective: Option<f64>,
    bound: Option<f64>,
    #[serde(default)]
    seconds: f64,
    /// When each better solution was found, and what it costs.
    #[serde(default)]
    found: Vec<(f64, f64)>,
    error: Option<String>,
}

/// One instance, planned.
#[derive(Serialize)]
struct Line {
    name: String,
    cost: f64,
    lower_bound: f64,
    seconds: f64,
    work: u64,
    /// Whether everything without a price is there: else the costs cannot be compared.
    whole: bool,
    peer: Option<Answer>,
}

/// Runs the benchmark.
pub fn run(args: &PlannerArgs) -> Result<()> {
    if let Some(components) = args.growth {
        return growth::run(args, components);
    }
    let python = if args.without_peer {
        None
    } else {
        Some(Python::find(
            args.python.as_deref(),
            "peers-planner",
            REQUIREMENTS,
        )?)
    };
    if args.small > 0 {
        let recorded = recorded(args);
        let all: Vec<Instance> = (0..args.small)
            .map(|number| {
                let from = match (number % 2, recorded.len()) {
                    (0, _) | (_, 0) => None,
                    (_, count) => recorded.get(number as usize / 2 % count),
                };
                instances::small(args.seed + number, from)
            })
            .collect();
        let lines = compare(args, &all, python.as_ref(), args.small_seconds)?;
        print(args, "small instances", &lines, 0.01, 0.03)?;
    }
    if args.large > 0 {
        let all: Vec<Instance> = (0..args.large).map(large).collect();
        let lines = compare(args, &all, python.as_ref(), args.large_seconds)?;
        print(args, "large instances", &lines, 0.02, 0.02)?;
    }
    Ok(())
}

/// 200 offers in 3 zones over 96 periods, for one component of some hundreds to some thousands of units.
fn large(number: u64) -> Instance {
    let units = [400, 1_000, 2_000, 4_000][number as usize % 4];
    let size = Size {
        offers: 200,
        zones: 3,
        periods: 96,
        components: 1,
        units,
    };
    instances::of_size(size, 77_000 + number)
}

/// Recorded demand by name; none where the folder is not there.
fn recorded(args: &PlannerArgs) -> Vec<(String, Vec<f64>)> {
    let folder = traces::folder(&TraceArgs::of(args.traces.clone(), String::new()));
    let Ok(files) = traces::csv_files(&folder) else {
        eprintln!(
            "{} is not there: all demand is generated (set FLEETCAST_SHARED, or use --traces DIR)",
            folder.display()
        );
        return Vec::new();
    };
    let read = files.iter().filter_map(|path| {
        let series = traces::read_file(path).ok()?;
        // Every third step: so a horizon holds some hours of a recording by five minutes.
        let values: Vec<f64> = series.values().flatten().step_by(3).collect();
        (values.len() > 100).then(|| (traces::name_of(path), values))
    });
    read.collect()
}

fn limit(args: &PlannerArgs) -> WorkLimit {
    args.kilocells
        .map_or_else(WorkLimit::default, |kilo| WorkLimit {
            cells_per_component: kilo * 1_000,
        })
}

/// Plans an instance, and has the plan judged.
fn ours(problem: &FleetProblem, limit: WorkLimit) -> Result<(FleetPlan, f64)> {
    let began = cpu_seconds();
    let plan = plan_fleet(problem, None, limit)?;
    let seconds = cpu_seconds() - began;
    let notes = check_fleet(problem, &plan);
    if !notes.is_empty() {
        bail!("the plan is wrong: {notes:?}");
    }
    Ok((plan, seconds))
}

fn compare(
    args: &PlannerArgs,
    all: &[Instance],
    python: Option<&Python>,
    seconds: f64,
) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for instance in all {
        let (plan, seconds) =
            ours(&instance.problem, limit(args)).with_context(|| instance.name.clone())?;
        let unpriced = |(stated, part): (
            &fleetcast_planner::fleet_plan::ComponentProblem,
            &fleetcast_planner::fleet_plan::Part,
        )| { stated.shortage_price.is_none() && !part.unmet.is_empty() };
        lines.push(Line {
            name: instance.name.clone(),
            cost: plan.cost.total().get() as f64,
            lower_bound: plan.lower_bound.get() as f64,
            seconds,
            work: plan.work,
            whole: !instance
                .problem
                .components
                .iter()
                .zip(&plan.parts)
                .any(unpriced),
            peer: None,
        });
    }
    if let Some(python) = python {
        let problems = all.iter().map(|instance| Stated {
            name: &instance.name,
            problem: &instance.problem,
        });
        let job = Job {
            gap: GAP,
            seconds,
            problems: problems.collect(),
        };
        let mut number = 0;
        python.run(SCRIPT, &job, |answer: Answer| {
            eprint!("\rHiGHS {}/{} ", number + 1, all.len());
            if let Some(line) = lines.get_mut(number) {
                line.peer = Some(answer);
            }
            number += 1;
        })?;
        eprintln!();
    }
    Ok(lines)
}

/// Prints what came of some instances, beside the goals at the median and at the worst.
fn print(args: &PlannerArgs, title: &str, lines: &[Line], median: f64, worst: f64) -> Result<()> {
    if args.json {
        for line in lines {
            println!("{}", serde_json::to_string(line)?);
        }
        return Ok(());
    }
    println!("{title}: {}", lines.len());
    let mut table = TextTable::new(vec![
        Column::words(""),
        Column::number("instances"),
        Column::number("median"),
        Column::number("90 %"),
        Column::number("worst"),
        Column::words("goal"),
    ]);
    let mut row = |name: &str, mut values: Vec<f64>, unit: &str, goal: String| {
        if values.is_empty() {
            return;
        }
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let shown = |value: f64| match unit {
            "%" => format!("{:.2} %", value * 100.0),
            "×" => format!("{value:.1} ×"),
            _ => format!("{value:.1} ms"),
        };
        let tail = if unit == "×" {
            [0.5, 0.1, 0.0]
        } else {
            [0.5, 0.9, 1.0]
        };
        let mut cells = vec![name.to_string(), values.len().to_string()];
        cells.extend(tail.map(|share| shown(at(share))));
        cells.push(goal);
        table.row(cells);
    };
    let goal = format!("≤ {:.0} %, worst ≤ {:.0} %", median * 100.0, worst * 100.0);
    let whole = || lines.iter().filter(|line| line.whole);
    let peers = || whole().filter_map(|line| Some((line, line.peer.as_ref()?)));
    let solved = |answer: &Answer| answer.status == "Optimal";
    let over = |line: &Line, than: f64| line.cost / than - 1.0;
    let optimal = peers().filter(|(_, peer)| solved(peer));
    row(
        "over HiGHS' solution, where it is within 0.1 %",
        optimal
            .filter_map(|(line, peer)| Some(over(line, peer.objective?)))
            .collect(),
        "%",
        goal.clone(),
    );
    let ended = peers().filter(|(_, peer)| !solved(peer));
    row(
        "over HiGHS' best solution, where its time was up",
        ended
            .clone()
            .filter_map(|(line, peer)| Some(over(line, peer.objective?)))
            .collect(),
        "%",
        String::new(),
    );
    row(
        "over HiGHS' best bound, where its time was up",
        ended
            .filter_map(|(line, peer)| Some(over(line, peer.bound.filter(|bound| *bound > 0.0)?)))
            .collect(),
        "%",
        "≤ 2 % on large ones".into(),
    );
    row(
        "over our own lower bound",
        whole()
            .map(|line| over(line, line.lower_bound.max(1.0)))
            .collect(),
        "%",
        String::new(),
    );
    row(
        "faster than HiGHS to equal cost (at least)",
        peers()
            .map(|(line, peer)| peer_seconds(line, peer) / line.seconds.max(1e-6))
            .collect(),
        "×",
        "≥ 100 ×".into(),
    );
    row(
        "HiGHS' CPU time to equal cost (at least)",
        peers()
            .map(|(line, peer)| peer_seconds(line, peer) * 1e3)
            .collect(),
        "ms",
        String::new(),
    );
    row(
        "our CPU time",
        lines.iter().map(|line| line.seconds * 1e3).collect(),
        "ms",
        String::new(),
    );
    println!("{}", table.render(STYLE).trim_end());
    let missing = lines.len() - whole().count();
    if missing > 0 {
        println!("{missing} in which something without a price is missing are not compared");
    }
    let failed = lines.iter().filter(|line| {
        line.peer
            .as_ref()
            .is_some_and(|peer| peer.objective.is_none())
    });
    for line in failed {
        let peer = line.peer.as_ref();
        let why = peer.map(|peer| peer.error.clone().unwrap_or_else(|| peer.status.clone()));
        println!(
            "{}: HiGHS has no solution ({})",
            line.name,
            why.unwrap_or_default()
        );
    }
    println!();
    Ok(())
}

/// When HiGHS had a solution that costs no more than ours; else all of its time.
fn peer_seconds(line: &Line, peer: &Answer) -> f64 {
    let equal = peer
        .found
        .iter()
        .filter(|(_, cost)| *cost <= line.cost * (1.0 + EQUAL));
    equal
        .map(|(seconds, _)| *seconds)
        .fold(peer.seconds, f64::min)
}
