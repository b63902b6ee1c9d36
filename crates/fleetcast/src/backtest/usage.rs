//! What the fleet really used: recorded, or simulated from a persona that tells the truth.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use fleetcast_model::{Fleet, Persona};
use fleetcast_series::Series;
use fleetcast_sim::{RecordedUse, Usage};
use fleetcast_telemetry::{CsvOptions, UseRows, UsedResource, read_usage};
use jiff::Timestamp;

use super::demand;
use crate::cli::BacktestArgs;
use crate::commands::documents;
use crate::files::BadInput;
use crate::stop;

/// How far observed use of a simulated fleet spreads around the true one.
const NOISE: f64 = 0.03;

/// The use that the command line asks for, with an account of it; `grid` is a series of the demand.
pub fn usage(
    args: &BacktestArgs,
    fleet: &Fleet,
    grid: &Series,
) -> Result<(Option<Usage>, Vec<String>)> {
    if let Some(path) = &args.usage {
        let (recorded, notes) = recorded(args, path, fleet, grid)?;
        let usage = Usage {
            recorded,
            ..Usage::default()
        };
        return Ok((Some(usage), notes));
    }
    if args.true_persona.is_empty() {
        return Ok((None, Vec::new()));
    }
    let mut truths: Vec<(Timestamp, Persona)> = Vec::new();
    let mut notes = Vec::new();
    for written in &args.true_persona {
        let (path, from) = moment_of(written)?;
        let persona = documents::read_persona(Path::new(path))?;
        notes.push(format!(
            "the simulated fleet really uses what the profiles of {path} say{}; its use is observed with {:.0} % of noise",
            from.map_or_else(String::new, |from| format!(" from {from} on")),
            NOISE * 100.0
        ));
        truths.push((from.unwrap_or(Timestamp::MIN), persona));
    }
    truths.sort_by_key(|(from, _)| *from);
    let usage = Usage {
        truths,
        noise: NOISE,
        ..Usage::default()
    };
    Ok((Some(usage), notes))
}

/// `FILE` or `FILE@2026-03-10T12:00:00Z`.
fn moment_of(written: &str) -> Result<(&str, Option<Timestamp>)> {
    let Some((path, moment)) = written.rsplit_once('@') else {
        return Ok((written, None));
    };
    match moment.parse() {
        Ok(moment) => Ok((path, Some(moment))),
        // A file's name may hold an `@` of its own.
        Err(_) if Path::new(written).exists() => Ok((written, None)),
        Err(_) => {
            let text = format!(
                "--true-persona: `{moment}` is not a moment: write FILE, or FILE@2026-03-10T12:00:00Z for what is true from then on"
            );
            Err(BadInput(text).into())
        }
    }
}

type ByStep = Vec<Vec<Option<RecordedUse>>>;

fn recorded(
    args: &BacktestArgs,
    path: &Path,
    fleet: &Fleet,
    grid: &Series,
) -> Result<(ByStep, Vec<String>)> {
    let name = path.display().to_string();
    let options = CsvOptions {
        time_zone: demand::time_zone(&args.demand)?,
        skip_bad_rows: args.demand.skip_bad_rows,
        ..CsvOptions::default()
    };
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let rows = read_usage(
        stop::Reader(BufReader::with_capacity(1 << 16, file)),
        &options,
    );
    stop::check()?;
    let rows = rows.map_err(|error| {
        BadInput(format!(
            "{name}: {}",
            crate::chain(&anyhow::Error::new(error))
        ))
    })?;
    let (by_step, mut notes) = lay_out(&name, &rows, fleet, grid)?;
    if let Some(skipped) = &rows.skipped {
        notes.push(format!(
            "{name}: {} rows could not be read and were left out; the first: {}",
            skipped.rows, skipped.first
        ));
    }
    Ok((by_step, notes))
}

/// Sums of the rows that fall into one step.
#[derive(Clone, Copy, Default)]
struct Sums {
    used: [(f64, f64); 5],
    units: (f64, f64),
}

/// Averages the rows of each step of the demand's grid.
fn lay_out(
    name: &str,
    rows: &UseRows,
    fleet: &Fleet,
    grid: &Series,
) -> Result<(ByStep, Vec<String>)> {
    let names: Vec<&str> = fleet
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    let mut sums = vec![vec![Sums::default(); grid.len()]; names.len()];
    let step = i64::from(grid.step().seconds());
    let (mut inside, mut outside) = (0_u64, 0_u64);
    for row in &rows.rows {
        let Some(component) = names.iter().position(|name| *name == row.component) else {
            let text = format!(
                "{name}: line {}: the fleet has no component `{}`; it has {}",
                row.line,
                row.component,
                names.join(", ")
            );
            return Err(BadInput(text).into());
        };
        let passed = row.at.duration_since(grid.start()).as_secs();
        let place = usize::try_from(passed.div_euclid(step)).ok();
        let Some(sum) = place.and_then(|place| sums[component].get_mut(place)) else {
            outside += 1;
            continue;
        };
        inside += 1;
        let (index, times) = match row.resource {
            UsedResource::CpuCores => (0, 1.0),
            UsedResource::MemoryGb => (1, 1e9),
            UsedResource::DiskIoOps => (2, 1.0),
            UsedResource::NetworkBandwidthMbps => (3, 1e3),
            UsedResource::StorageGb => (4, 1e9),
        };
        sum.used[index].0 += row.value * times;
        sum.used[index].1 += 1.0;
        if let Some(units) = row.units {
            sum.units.0 += units;
            sum.units.1 += 1.0;
        }
    }
    if inside == 0 {
        let text = format!(
            "{name}: none of its {} rows lies within the history of demand, {} to {}: is the time zone right?",
            rows.rows.len(),
            grid.start(),
            grid.end()
        );
        return Err(BadInput(text).into());
    }
    let mean = |(sum, count): (f64, f64)| (count > 0.0).then(|| sum / count);
    let of_step = |sums: &Sums| {
        let used = sums.used.map(mean);
        used.iter().any(Option::is_some).then(|| RecordedUse {
            units: mean(sums.units),
            used,
        })
    };
    let by_step: ByStep = sums
        .iter()
        .map(|sums| sums.iter().map(of_step).collect())
        .collect();
    let mut notes = Vec::new();
    for (name, steps) in names.iter().zip(&by_step) {
        let known = steps.iter().flatten().count();
        if known > 0 {
            notes.push(format!(
                "recorded use of {name} in {known} of {} steps",
                steps.len()
            ));
        } else {
            notes.push(format!(
                "no use of {name} was recorded: its profiles decide"
            ));
        }
    }
    if outside > 0 {
        notes.push(format!(
            "{outside} rows of {name} lie outside the history of demand and were left out"
        ));
    }
    Ok((by_step, notes))
}
