//! How well a requested share of steps in violation is held.

use anyhow::Result;
use fleetcast_model::{Objective, ObjectiveMetric, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{Column, TextTable};
use serde::Serialize;

use crate::cli::ProvisioningArgs;
use crate::provisioning::{STYLE, Settings, print_settings, settings, trimmed};
use crate::traces::Trace;
use crate::{parallel, run, traces};

/// Requested shares of steps, in thousandths.
const REQUESTED: [u16; 3] = [100, 50, 10];
/// From this mean need on a unit serves less than a tenth of the load, and shares can be held finely.
const FINE_MEAN_NEED: f64 = 10.0;
/// Percentage points over the finely divided traces.
pub const GAP_GOAL: f64 = 0.4;

/// One trace at one requested share.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    trace: String,
    mean_need: f64,
    target_share: f64,
    violation_share: f64,
    /// |achieved − requested| in percentage points.
    gap_points: f64,
    cost_over_need: f64,
}

#[derive(Serialize)]
struct Output {
    settings: Settings,
    rows: Vec<Row>,
    mean_gap_points: Option<f64>,
    mean_gap_points_fine: Option<f64>,
}

/// Runs the benchmark.
pub fn run(args: &ProvisioningArgs) -> Result<()> {
    let traces = traces::read(&args.traces)?;
    let rows = measure(&traces)?;
    let output = Output {
        settings: settings(&args.traces, &traces),
        mean_gap_points: mean(rows.iter().map(|row| row.gap_points)),
        mean_gap_points_fine: mean_gap_fine(&rows),
        rows,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&output)?);
    } else {
        print_table(&output);
    }
    Ok(())
}

/// The mean gap over the traces where a unit serves less than a tenth of the load, in percentage points.
pub fn mean_gap_fine(rows: &[Row]) -> Option<f64> {
    let fine = rows.iter().filter(|row| row.mean_need >= FINE_MEAN_NEED);
    mean(fine.map(|row| row.gap_points))
}

/// Each trace at each requested share.
pub fn measure(traces: &[Trace]) -> Result<Vec<Row>> {
    let spec = PolicySpec::new(PolicyKind::Fleetcast, 0.0);
    let jobs: Vec<_> = traces
        .iter()
        .flat_map(|trace| REQUESTED.map(|target| (trace, Share::per_mille(target))))
        .collect();
    parallel::run_all(&jobs, |(trace, target)| {
        let objective = Objective::over_28_days(ObjectiveMetric::Violation, *target);
        let tally = run::run(trace, &spec, Some(objective))?.tally;
        Ok(Row {
            trace: trace.name.clone(),
            mean_need: tally.need as f64 / tally.steps.max(1) as f64,
            target_share: target.get(),
            violation_share: tally.violation_share(),
            gap_points: (tally.violation_share() - target.get()).abs() * 100.0,
            cost_over_need: tally.cost_over_need(),
        })
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn print_table(output: &Output) {
    print_settings(&output.settings);
    println!();
    let mut table = TextTable::new(vec![
        Column::words("trace"),
        Column::number("mean\nneed"),
        Column::number("requested\n% of steps"),
        Column::number("achieved\n%"),
        Column::number("gap\npoints"),
        Column::number("our cost\n÷ need"),
    ]);
    for row in &output.rows {
        table.row(vec![
            row.trace.clone(),
            format!("{:.1}", row.mean_need),
            trimmed(row.target_share * 100.0),
            format!("{:.3}", row.violation_share * 100.0),
            format!("{:.3}", row.gap_points),
            format!("{:.3}", row.cost_over_need),
        ]);
    }
    print!("{}", table.render(STYLE));
    let shown = |gap: Option<f64>| gap.map_or("–".to_string(), |gap| format!("{gap:.3}"));
    println!(
        "\nmean gap in percentage points: {} over all traces; {} where a unit serves less than a tenth of the \
         load (mean need ≥ {FINE_MEAN_NEED}), goal ≤ {GAP_GOAL}",
        shown(output.mean_gap_points),
        shown(output.mean_gap_points_fine),
    );
}
