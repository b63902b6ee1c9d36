//! The recorded series that forecasts are judged on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fleetcast_forecast::Dates;
use fleetcast_forecast::evaluation::{Protocol, Rolling};
use fleetcast_series::Series;
use fleetcast_telemetry::{CsvOptions, read_csv};
use jiff::tz::TimeZone;

use super::args::ForecastArgs;
use super::peers::JobSeries;
use super::tier::Tier;

/// One series of a tier.
pub struct Trace {
    pub name: String,
    path: PathBuf,
    values: Vec<Option<f64>>,
    observed: Vec<Option<f64>>,
    dates: Dates,
}

impl Trace {
    /// The series as the peers get it, with the protocol's origins.
    pub fn job_series(&self, tier: &Tier) -> Result<JobSeries> {
        let whole = self.values.iter().copied().collect::<Option<Vec<f64>>>();
        Ok(JobSeries {
            name: self.name.clone(),
            start: Some(self.dates.at(0).to_string()),
            step_seconds: tier.step_seconds,
            values: whole.with_context(|| {
                format!(
                    "{}: the peers need a value in each row",
                    self.path.display()
                )
            })?,
            origins: self.rolling(tier, tier.protocol).origins()?,
        })
    }

    /// The series under a protocol.
    pub fn rolling<'a>(&'a self, tier: &Tier, protocol: Protocol) -> Rolling<'a> {
        Rolling {
            values: &self.values,
            observed: &self.observed,
            dates: Some(&self.dates),
            seasons: tier.seasons,
            protocol,
        }
    }
}

/// Reads the series of a tier, by name.
pub fn read(args: &ForecastArgs, tier: &Tier) -> Result<Vec<Trace>> {
    let folder = folder(args);
    let entries = fs::read_dir(&folder).with_context(|| {
        format!(
            "there are no traces in {}: set FLEETCAST_SHARED to the folder of shared data, or use \
             --traces DIR with CSV files of your own (`timestamp,value,observed`)",
            folder.display()
        )
    })?;
    let ending = format!("__{}.csv", tier.name);
    let mut traces = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = file.strip_suffix(&ending).map(str::to_string) else {
            continue;
        };
        if name.contains(&args.only) {
            traces.push(read_trace(name, &path, tier)?);
        }
    }
    traces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(traces)
}

/// Where the series are looked for.
pub fn folder(args: &ForecastArgs) -> PathBuf {
    args.traces
        .clone()
        .unwrap_or_else(|| crate::traces::shared().join("data/traces/open/eval"))
}

fn read_trace(name: String, path: &Path, tier: &Tier) -> Result<Trace> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let values = read_series(&bytes, true).with_context(|| format!("cannot read {shown}"))?;
    let observed = read_series(&bytes, false).with_context(|| format!("cannot read {shown}"))?;
    if values.step().seconds() != tier.step_seconds {
        bail!(
            "{shown}: its steps last {}, not {}",
            values.step(),
            tier.name
        );
    }
    Ok(Trace {
        name,
        path: path.to_path_buf(),
        dates: Dates::new(values.start(), values.step().duration(), TimeZone::UTC),
        values: values.values().collect(),
        observed: observed.values().collect(),
    })
}

fn read_series(bytes: &[u8], keep_unobserved: bool) -> Result<Series> {
    let options = CsvOptions {
        regular: true,
        keep_unobserved,
        ..CsvOptions::default()
    };
    Ok(read_csv(bytes, &options)?.0.total())
}
