//! The words of `fleetcast forecast`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;

use super::{Format, UnitOfValue, any_time, positive_time};

/// `fleetcast forecast`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ForecastArgs {
    /// Judge models on recorded demand instead.
    #[command(subcommand)]
    pub command: Option<ForecastCommand>,

    /// History of demand: CSV with `timestamp,value` and, if wanted, `observed` (0: the value does not count); plain or
    /// gzip; `-` reads standard input.
    #[arg(required_unless_present = "load")]
    pub file: Option<PathBuf>,
    /// The model: combination, prophet, theta, ets, mstl, arima, ridge, the networks gru and lstm, …; an unknown name
    /// lists them all [default: combination].
    #[arg(long, value_name = "NAME", conflicts_with = "load")]
    pub model: Option<String>,
    /// How far ahead: steps, or a time such as 14d.
    #[arg(long, value_name = "STEPS|TIME", default_value = "48", value_parser = horizon)]
    pub horizon: Horizon,
    /// The levels of the quantiles, rising.
    #[arg(
        long,
        value_name = "LEVEL,…",
        value_delimiter = ',',
        default_value = "0.05,0.5,0.95"
    )]
    pub levels: Vec<f64>,
    /// Explain each step: level, trend, seasons, events, persona, margin.
    #[arg(long)]
    pub explain: bool,

    /// Forecast in steps of this length, a multiple of the file's [default: the file's own].
    #[arg(long, value_name = "TIME", value_parser = positive_time, help_heading = "Demand")]
    pub step: Option<SignedDuration>,
    /// What the values count: of counts longer steps are sums, of rates they are means [default: per-step].
    #[arg(long, value_enum, help_heading = "Demand")]
    pub value_unit: Option<UnitOfValue>,
    /// Where people live (IANA name): the zone of timestamps without an offset, and of days.
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        help_heading = "Demand"
    )]
    pub time_zone: String,
    /// What is known to change demand, past and to come: an events/v1 document. What each event did is learned from
    /// the history, and expected of those ahead that are like it; the time of an incident teaches nothing.
    #[arg(long, value_name = "FILE", help_heading = "Demand")]
    pub events: Option<PathBuf>,
    /// The country, or a part of it, whose holidays count, such as DE or DE-BY.
    #[arg(
        long,
        value_name = "CODE",
        conflicts_with = "load",
        help_heading = "Demand"
    )]
    pub country: Option<String>,
    /// Leave out rows that cannot be read, and report them, instead of failing at the first.
    #[arg(long, help_heading = "Demand")]
    pub skip_bad_rows: bool,

    /// How to print the forecast.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: ForecastFormat,
    /// Write a page with charts, forecast.html, into a folder.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Keep the fitted model.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub save: Option<PathBuf>,
    /// Go on with a model that was kept; FILE may hold later demand, or be left out.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub load: Option<PathBuf>,
}

/// What else `fleetcast forecast` does.
#[derive(Debug, Subcommand)]
pub enum ForecastCommand {
    /// Forecast recorded demand from many origins, and score what came of it.
    Evaluate(EvaluateArgs),
}

/// `fleetcast forecast evaluate`
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Recorded demand: CSV with `timestamp,value` and, if wanted, `observed`, a row for each step. Models are fitted to
    /// all values; nothing is scored where `observed` is 0.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How far ahead, in steps.
    #[arg(long, value_name = "STEPS", default_value_t = 48, value_parser = at_least_one)]
    pub horizon: usize,
    /// The most history that a model is fitted to, in steps.
    #[arg(long, value_name = "STEPS", default_value_t = 1344, value_parser = at_least_one)]
    pub window: usize,
    /// No origin comes before this row, counted from 0.
    #[arg(long, value_name = "ROW", default_value_t = 336)]
    pub first: usize,
    /// No origin comes before this share of the rows.
    #[arg(long, value_name = "SHARE", default_value_t = 0.4, value_parser = share)]
    pub first_share: f64,
    /// So many origins, spread evenly.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = at_least_one)]
    pub origins: usize,
    /// Instead an origin each so many rows.
    #[arg(long, value_name = "ROWS", conflicts_with = "origins", value_parser = at_least_one)]
    pub every: Option<usize>,
    /// Instead an origin each horizon.
    #[arg(long, conflicts_with_all = ["origins", "every"])]
    pub non_overlapping: bool,
    /// A model by name, such as theta, prophet or gru; may be repeated [default: combination].
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// Write every forecast: series,origin,step,timestamp and its quantiles; of several models into FILE-NAME.csv each.
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
    /// Also keep the scores of each model by lead in this file, beside those of earlier evaluations, and show them all.
    #[arg(long, value_name = "FILE.json")]
    pub save_scores: Option<PathBuf>,
    /// How to print the scores.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The zone of timestamps without an offset, and where people live (IANA name).
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: String,
    /// What was known to change demand: an events/v1 document. From each origin on, what events do is learned from
    /// those before it.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// The country, or a part of it, whose holidays count, such as DE or DE-BY.
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
}

/// How to print a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ForecastFormat {
    /// For people.
    #[default]
    Text,
    /// For programs, with all there is to tell.
    Json,
    /// For spreadsheets: a row for each step.
    Csv,
}

/// How far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    Steps(usize),
    Time(SignedDuration),
}

fn horizon(text: &str) -> Result<Horizon, String> {
    if let Ok(steps) = text.trim().parse::<usize>() {
        return at_least_one_of(steps).map(Horizon::Steps);
    }
    any_time(text)
        .ok()
        .filter(|time| time.is_positive())
        .map(Horizon::Time)
        .ok_or_else(|| "use a number of steps, or a time such as 2h or 14d".into())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let steps = text.parse::<usize>().map_err(|_| "use a whole number")?;
    at_least_one_of(steps)
}

fn at_least_one_of(steps: usize) -> Result<usize, String> {
    if steps > 0 {
        Ok(steps)
    } else {
        Err("use a whole number over 0".into())
    }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|share| (0.0..1.0).contains(share))
        .ok_or_else(|| "use a share from 0 to less than 1, such as 0.4".into())
}
