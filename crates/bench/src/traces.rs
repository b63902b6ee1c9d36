//! Recorded demand, and what the plain setting makes of it.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fleetcast_engine::Telemetry;
use fleetcast_model::Objective;
use fleetcast_planner::steering::FleetRules;
use fleetcast_series::Series;
use fleetcast_sim::{PlainSetting, Simulation, Telling, example};
use fleetcast_telemetry::{CsvOptions, read_csv};
use jiff::SignedDuration;

use crate::cli::TraceArgs;
use crate::grids;

/// Not scored: policies learn.
pub const WARM_UP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Provisioning is judged at steps that are no longer than a boot.
const STEP_SECONDS_MAX: u32 = 300;

/// One trace in the plain setting.
pub struct Trace {
    pub name: String,
    /// The file that it was read from; `None`: generated.
    pub path: Option<PathBuf>,
    /// Demand that one unit carries.
    pub per_unit: f64,
    pub demand: Series,
    pub simulation: Simulation,
    setting: PlainSetting,
    pub telemetry: Telemetry,
    pub warm_up_steps: usize,
    pub day_steps: usize,
    /// The most units that any step needs.
    pub need_max: u64,
    /// Fleet sizes that are worth trying as floors.
    pub floors: Vec<u64>,
}

impl Trace {
    /// Prepares a trace. `None` if it has no scored demand.
    pub fn new(
        name: String,
        path: Option<PathBuf>,
        demand: Series,
        args: &TraceArgs,
    ) -> Option<Self> {
        let per_unit = demand.percentile(99.0)? / args.units;
        let setting = PlainSetting {
            per_unit,
            boot: args.boot,
            drain: args.drain,
            warm_up: WARM_UP,
            objective: None,
            standby: args.standby,
        };
        setting.check().ok()?;
        let step_seconds = demand.step().seconds();
        let telling = Telling {
            delay_steps: steps(args.delay, step_seconds),
            retried: args.closed_loop.then_some(Telling::RETRIED),
        };
        let warm_up_steps = (WARM_UP.as_secs() as u64).div_ceil(u64::from(step_seconds)) as usize;
        let scored: Vec<f64> = (warm_up_steps..demand.len())
            .filter_map(|step| demand.get(step))
            .collect();
        let highest = demand.values().flatten().fold(0.0, f64::max);
        if scored.is_empty() {
            return None;
        }
        Some(Self {
            name,
            path,
            per_unit,
            simulation: Simulation {
                telling,
                ..setting.simulation(&demand)
            },
            setting,
            telemetry: Telemetry {
                delay_steps: telling.delay_steps,
                served_only: args.closed_loop,
            },
            warm_up_steps,
            day_steps: (86_400 / step_seconds).max(1) as usize,
            need_max: ((highest / per_unit).ceil() as u64).max(1),
            floors: grids::floors(scored, per_unit),
            demand,
        })
    }

    /// The plain setting with an objective.
    pub fn setting(&self, objective: Option<Objective>) -> PlainSetting {
        PlainSetting {
            objective,
            ..self.setting.clone()
        }
    }

    /// How units come and go, in steps.
    pub fn fleet_rules(&self) -> FleetRules {
        let step_seconds = self.demand.step().seconds();
        FleetRules {
            boot_steps: steps(self.setting.boot, step_seconds) as usize,
            drain_steps: steps(self.setting.drain, step_seconds) as usize,
        }
    }

    /// Whether standby was asked for.
    pub fn has_standby(&self) -> bool {
        self.setting.standby.is_some()
    }

    pub fn steps(&self) -> usize {
        self.demand.len()
    }
}

/// Whole steps that cover a time.
fn steps(time: SignedDuration, step_seconds: u32) -> u32 {
    let seconds = time.as_secs().max(0).unsigned_abs();
    u32::try_from(seconds.div_ceil(u64::from(step_seconds))).unwrap_or(u32::MAX)
}

/// Reads the traces that the command line asks for, by name.
pub fn read(args: &TraceArgs) -> Result<Vec<Trace>> {
    let folder = folder(args);
    let files = csv_files(&folder).with_context(|| {
        format!(
            "there are no traces in {}: set FLEETCAST_SHARED to the folder of shared data, or use \
             --traces DIR with CSV files of your own (`timestamp,value`)",
            folder.display()
        )
    })?;
    let mut traces = Vec::new();
    for path in files {
        let name = name_of(&path);
        // In the shared folder the names say the step; elsewhere the files themselves.
        let coarse = args.traces.is_none() && !name.ends_with("_1min") && !name.ends_with("_5min");
        if coarse || !name.contains(&args.only) {
            continue;
        }
        let demand = read_file(&path)?;
        if demand.step().seconds() > STEP_SECONDS_MAX {
            eprintln!(
                "{name}: left out, its steps of {} are too long",
                demand.step()
            );
            continue;
        }
        match Trace::new(name.clone(), Some(path), demand, args) {
            Some(trace) => traces.push(trace),
            None => eprintln!("{name}: left out, it has no demand after a week of warm-up"),
        }
    }
    if traces.is_empty() {
        bail!("no trace in {} is left to run", folder.display());
    }
    Ok(traces)
}

/// The longest trace there is, or else generated demand.
pub fn longest(args: &TraceArgs) -> Result<Trace> {
    if args.traces.is_some() || folder(args).is_dir() {
        let longest = read(args)?.into_iter().max_by_key(Trace::steps);
        return longest.context("there is no trace");
    }
    let minutes = |rows: Vec<example::DemandRow>| {
        let start = rows[0].at;
        let mut values: Vec<Option<f64>> = Vec::new();
        for row in rows {
            let index = ((row.at - start).get_seconds() / 60) as usize;
            if values.len() <= index {
                values.resize(index + 1, Some(0.0));
            }
            values[index] = values[index]
                .zip(row.per_minute)
                .map(|(sum, more)| sum + more);
        }
        Series::from_values(start, fleetcast_series::Step::MINUTE, values)
    };
    let demand = minutes(example::demand(1).collect());
    let name = "generated demand of the built-in example (synthetic)".to_string();
    Trace::new(name, None, demand, args).context("the built-in example has no demand")
}

/// Where traces are looked for.
pub fn folder(args: &TraceArgs) -> PathBuf {
    args.traces
        .clone()
        .unwrap_or_else(|| shared().join("data/traces/open"))
}

/// The folder of shared data.
pub fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("FLEETCAST_SHARED").map_or_else(beside, PathBuf::from)
}

/// The CSV files of a folder, by name.
pub fn csv_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_file() && (name.ends_with(".csv") || name.ends_with(".csv.gz")) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("no CSV file");
    }
    files.sort();
    Ok(files)
}

/// The name of a file without its endings.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.trim_end_matches(".gz")
        .trim_end_matches(".csv")
        .to_string()
}

/// All demand of a file.
pub fn read_file(path: &Path) -> Result<Series> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (demand, _) = read_csv(BufReader::new(file), &CsvOptions::default())
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(demand.total())
}
