//! Reads the demand that is forecast.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use fleetcast_forecast::{Dates, SeasonReport, SeasonSpec, find_seasons};
use fleetcast_series::{Aggregate, DemandKey, Series, Step, ValueUnit};
use fleetcast_telemetry::{CsvError, CsvOptions, GridError, read_csv};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::cli::{ForecastArgs, UnitOfValue};
use crate::files::BadInput;
use crate::stop;

const DAY_SECONDS: u32 = 86_400;

/// One series of demand, and where it came from.
pub struct Source {
    pub name: String,
    pub series: Series,
    pub zone: TimeZone,
    /// What the demand is made of, with the volume of each.
    pub parts: Vec<(DemandKey, f64)>,
    /// What was found and mended, one sentence each.
    pub notes: Vec<String>,
}

impl Source {
    /// The values in order.
    pub fn values(&self) -> Vec<Option<f64>> {
        self.series.values().collect()
    }

    /// When the steps were.
    pub fn dates(&self) -> Dates {
        dates(&self.series, &self.zone)
    }
}

/// A recorded series for judging: what models are fitted to, and what counts as observed.
pub struct Recorded {
    pub name: String,
    pub values: Vec<Option<f64>>,
    pub observed: Vec<Option<f64>>,
    pub dates: Dates,
    pub seasons: SeasonSpec,
}

/// Reads the history that is to be forecast.
pub fn read(args: &ForecastArgs, path: &Path) -> Result<Source> {
    let zone = time_zone(&args.time_zone)?;
    let unit = args.value_unit.unwrap_or(UnitOfValue::Step);
    let options = CsvOptions {
        time_zone: zone.clone(),
        skip_bad_rows: args.skip_bad_rows,
        value_unit: match unit {
            UnitOfValue::Step => ValueUnit::PerStep,
            UnitOfValue::Minute => ValueUnit::PerMinute,
            UnitOfValue::Second => ValueUnit::PerSecond,
        },
        ..CsvOptions::default()
    };
    let standard_input = path == Path::new("-");
    let name = if standard_input {
        "standard input".to_string()
    } else {
        path.display().to_string()
    };
    let wanted = args.step.map(step_of).transpose()?;
    let read = |options: &CsvOptions| {
        if standard_input {
            return Ok(read_csv(stop::Reader(io::stdin().lock()), options));
        }
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let file = BufReader::with_capacity(1 << 16, file);
        anyhow::Ok(read_csv(stop::Reader(file), options))
    };
    let mut found = read(&options)?;
    // A single row does not say how long a step is; then the wanted one is.
    if let (Err(CsvError::Grid(GridError::StepNeeded { .. })), Some(_), false) =
        (&found, wanted, standard_input)
    {
        found = read(&CsvOptions {
            step: wanted,
            ..options
        })?;
    }
    stop::check()?;
    let (demand, report) = found.map_err(|error| bad(&name, error))?;
    let mut series = demand.total();
    let parts = demand
        .iter()
        .map(|(key, series)| (key.clone(), series.values().flatten().sum()))
        .collect();
    if let Some(step) = wanted {
        let by = if unit == UnitOfValue::Step {
            Aggregate::Sum
        } else {
            Aggregate::Mean
        };
        series = series
            .aggregate(step, by)
            .map_err(|error| BadInput(format!("--step: {error}")))?;
    }
    // The first line says what was read; what follows was mended.
    let notes = report
        .to_string()
        .lines()
        .skip(1)
        .map(str::to_string)
        .collect();
    Ok(Source {
        name,
        series,
        zone,
        parts,
        notes,
    })
}

/// Reads a recorded series, whose rows must be one step apart because they are told by their numbers.
pub fn read_recorded(path: &Path, zone: &str) -> Result<Recorded> {
    let zone = time_zone(zone)?;
    let shown = path.display().to_string();
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let read = |keep_unobserved| {
        let options = CsvOptions {
            time_zone: zone.clone(),
            keep_fine: true,
            regular: true,
            keep_unobserved,
            ..CsvOptions::default()
        };
        read_csv(stop::Reader(bytes.as_slice()), &options).map_err(|error| bad(&shown, error))
    };
    let (values, observed) = (read(true)?.0.total(), read(false)?.0.total());
    Ok(Recorded {
        name: series_name(path),
        dates: dates(&values, &zone),
        seasons: seasons(values.step()),
        values: values.values().collect(),
        observed: observed.values().collect(),
    })
}

/// The file's name without its folder and extension.
fn series_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_string()
}

/// The seasons that are in the data. Steps that do not divide a day are taken to have those that they may have.
pub fn seasons_found(series: &Series) -> SeasonReport {
    let values: Vec<Option<f64>> = series.values().collect();
    let mut found = find_seasons(&values, series.step().duration());
    if found.evidence.is_empty() {
        found.seasons = seasons(series.step());
    }
    found
}

/// The seasons that steps of this length may have: a day and a week, where those are whole steps.
pub fn seasons(step: Step) -> SeasonSpec {
    let whole = |seconds: u32| {
        if seconds.is_multiple_of(step.seconds()) {
            (seconds / step.seconds()) as usize
        } else {
            0
        }
    };
    SeasonSpec {
        day: whole(DAY_SECONDS),
        week: whole(7 * DAY_SECONDS),
        year: 0,
    }
}

fn step_of(time: SignedDuration) -> Result<Step> {
    Step::from_duration(time)
        .ok_or_else(|| BadInput("--step: use whole seconds, up to 136 years".into()).into())
}

/// A zone by its name.
pub fn time_zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        let text = format!("`{name}` is not a time zone: use an IANA name such as Europe/Berlin");
        BadInput(text).into()
    })
}

fn dates(series: &Series, zone: &TimeZone) -> Dates {
    Dates::new(series.start(), series.step().duration(), zone.clone())
}

fn bad(name: &str, error: CsvError) -> BadInput {
    BadInput(format!(
        "{name}: {}",
        crate::chain(&anyhow::Error::new(error))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasons_are_whole_steps() {
        let of = |seconds| seasons(Step::from_seconds(seconds).expect("a step"));
        assert_eq!((of(3600).day, of(3600).week), (24, 168));
        assert_eq!((of(86_400).day, of(86_400).week), (1, 7));
        assert_eq!((of(2 * 86_400).day, of(2 * 86_400).week), (0, 0));
        // Seven minutes do not fill a day, but a week.
        assert_eq!((of(420).day, of(420).week), (0, 1440));
    }

    #[test]
    fn a_series_is_named_by_its_file() {
        assert_eq!(series_name(Path::new("a/b__1h.csv")), "b__1h");
        assert_eq!(series_name(Path::new("b.1.csv.gz")), "b.1");
        assert_eq!(series_name(Path::new("plain")), "plain");
    }
}
