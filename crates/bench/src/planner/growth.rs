//! How time and memory grow with each dimension of a problem.

use std::fs;
use std::time::Instant;

use anyhow::Result;
use fleetcast_model::ComponentIndex;
use fleetcast_planner::fleet_plan::{FleetProblem, plan_fleet};
use fleetcast_report::{Column, TextTable};

use super::args::PlannerArgs;
use super::instances::{self, Size};
use super::ours::{limit, plan};
use crate::parallel;
use crate::provisioning::STYLE;

/// What grows is doubled and doubled again from here.
const FROM: Size = Size {
    offers: 25,
    zones: 1,
    periods: 24,
    components: 1,
    units: 400,
};
/// A pass over many components is planned on so many threads.
const THREADS: usize = 2;
/// Components that are planned as one problem, since they share its pools.
const TOGETHER: usize = 100;

/// Prints the tables.
pub fn run(args: &PlannerArgs, components: usize) -> Result<()> {
    let mut table = TextTable::new(vec![
        Column::words("what grows"),
        Column::number("offers"),
        Column::number("zones"),
        Column::number("periods"),
        Column::number("components"),
        Column::number("ms"),
        Column::number("million cells"),
        Column::number("over the bound"),
        Column::number("peak so far\nMiB"),
    ]);
    let dimensions: [(&str, [Size; 4]); 4] = [
        (
            "offers",
            [25, 50, 100, 200].map(|offers| Size { offers, ..FROM }),
        ),
        ("zones", [1, 2, 3, 4].map(|zones| Size { zones, ..FROM })),
        (
            "periods",
            [24, 48, 96, 192].map(|periods| Size { periods, ..FROM }),
        ),
        (
            "components",
            [1, 2, 4, 8].map(|components| Size { components, ..FROM }),
        ),
    ];
    for (name, sizes) in dimensions {
        for size in sizes {
            let problem = instances::of_size(size, 7).problem;
            let (planned, seconds) = plan(&problem, limit(args))?;
            let over = planned.cost.total().as_f64() / planned.lower_bound.as_f64().max(1.0) - 1.0;
            table.row(vec![
                name.to_string(),
                size.offers.to_string(),
                size.zones.to_string(),
                size.periods.to_string(),
                size.components.to_string(),
                format!("{:.1}", seconds * 1e3),
                format!("{:.1}", planned.work as f64 / 1e6),
                format!("{:.2} %", over * 100.0),
                peak().map_or("–".into(), |peak| format!("{peak:.0}")),
            ]);
        }
    }
    println!("{}", table.render(STYLE).trim_end());
    pass(args, components)
}

/// One pass over many components, each with its own demand: 25 offers, 24 periods.
fn pass(args: &PlannerArgs, components: usize) -> Result<()> {
    let parts: Vec<FleetProblem> = (0..components.div_ceil(TOGETHER))
        .map(|part| {
            let count = TOGETHER.min(components - part * TOGETHER);
            let size = Size {
                components: count,
                units: 120,
                ..FROM
            };
            let mut problem = instances::of_size(size, 500 + part as u64).problem;
            problem.quotas.clear();
            for (component, number) in problem.components.iter_mut().zip(0..) {
                component.component = ComponentIndex(number);
            }
            problem
        })
        .collect();
    let mut limit = limit(args);
    if args.kilocells.is_none() {
        limit.cells_per_component = 150_000;
    }
    let began = Instant::now();
    let plans = parallel::run_on(THREADS, &parts, |problem| {
        Ok(plan_fleet(problem, None, limit)?)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let (mut cost, mut bound) = (0.0, 0.0);
    for plan in &plans {
        cost += plan.cost.total().as_f64();
        bound += plan.lower_bound.as_f64();
    }
    println!(
        "{components} components in one pass, {THREADS} threads, 25 offers and 24 periods, {} thousand cells each: {seconds:.1} s \
         (goal ≤ 60 s for 10,000), {:.2} % over the bound, {} MiB at the peak",
        limit.cells_per_component / 1_000,
        (cost / bound.max(1.0) - 1.0) * 100.0,
        peak().map_or("–".into(), |peak| format!("{peak:.0}"))
    );
    Ok(())
}

/// The highest resident memory so far, where the system tells.
fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let found = status
        .lines()
        .find_map(|text| text.strip_prefix("VmHWM:"))?;
    let kib: f64 = found.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
