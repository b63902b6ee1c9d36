//! Fleet plans beside the exact optimum: cost, our own bound, time to equal cost, and how it grows.

mod args;
mod engine;
mod growth;
mod instances;
mod ours;
mod peer;
mod table;

use anyhow::{Context, Result};
use serde::Serialize;

pub use self::args::PlannerArgs;
use self::instances::{Instance, Size};
use self::peer::{Answer, Asked, Peer};
use crate::cli::TraceArgs;
use crate::traces;

/// One instance, planned.
#[derive(Serialize)]
struct Line {
    name: String,
    cost: f64,
    lower_bound: f64,
    /// CPU seconds of the whole plan.
    seconds: f64,
    work: u64,
    /// When each cheaper plan was found, in CPU seconds from the stated problem on, and its cost; the whole one last.
    found: Vec<(f64, f64)>,
    /// Whether everything without a price is there: else the costs cannot be compared.
    whole: bool,
    peer: Option<Answer>,
}

/// Runs the benchmark.
pub fn run(args: &PlannerArgs) -> Result<()> {
    if let Some(components) = args.growth {
        return growth::run(args, components);
    }
    if let Some(only) = &args.engine {
        return engine::run(args, only);
    }
    let peer = Peer::find(args)?;
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
            .step_by(args.every.max(1))
            .collect();
        let asked = Asked {
            seconds: args.small_seconds,
            tight: false,
        };
        let lines = compare(args, &all, peer.as_ref(), asked)?;
        table::print(args, "small instances", &lines, 0.01, 0.03)?;
    }
    if args.large > 0 {
        let all: Vec<Instance> = (0..args.large).map(large).collect();
        // As it is stated, HiGHS spends its time on offers that are of no use, and its bound is lower.
        let asked = Asked {
            seconds: args.large_seconds,
            tight: true,
        };
        let lines = compare(args, &all, peer.as_ref(), asked)?;
        table::print(args, "large instances", &lines, 0.02, 0.02)?;
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

fn compare(
    args: &PlannerArgs,
    all: &[Instance],
    peer: Option<&Peer>,
    asked: Asked,
) -> Result<Vec<Line>> {
    let mut lines = Vec::with_capacity(all.len());
    for instance in all {
        lines.push(ours::line(args, instance).with_context(|| instance.name.clone())?);
    }
    if let Some(peer) = peer {
        for (line, answer) in lines.iter_mut().zip(peer.solve(all, asked)?) {
            line.peer = answer;
        }
    }
    Ok(lines)
}
