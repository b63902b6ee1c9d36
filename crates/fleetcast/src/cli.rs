//! The command line's words.

mod decide;
mod demand;
mod forecast;
mod plan;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use fleetcast_policy::PolicySpec;
use jiff::SignedDuration;

pub use decide::{Decided, OverrideArgs};
pub use demand::{DemandArgs, UnitOfValue};
pub use forecast::{EvaluateArgs, ForecastArgs, ForecastCommand, ForecastFormat, Horizon};
pub use plan::{ApplyArgs, PlanArgs, PlanHorizon};

/// Forecasts the demand on a site and provisions the fleet before it arrives.
#[derive(Debug, Parser)]
#[command(name = "fleetcast", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a fleet state and a persona to start from, with a README beside them.
    Init(InitArgs),
    /// Check documents without any network; every problem with its file, line and mend.
    Validate(ValidateArgs),
    /// Show what Fleetcast, and the autoscalers you know, would have done on your own history.
    Backtest(Box<BacktestArgs>),
    /// Show what less breach costs: cost against breach probability, with the knee.
    Frontier(Box<FrontierArgs>),
    /// Say what should be changed now, why, and what it costs; nothing is changed.
    Plan(Box<PlanArgs>),
    /// Carry a plan out, if the fleet is still as it was planned for.
    Apply(ApplyArgs),
    /// Decide something yourself for a while: it wins over the engine, expires, and is scored afterwards.
    Override(Box<OverrideArgs>),
    /// Find anomalies in a series of samples, one pass, each judged by those before it.
    Anomalies(AnomaliesArgs),
    /// Forecast a history, explain the forecast, or judge models on recorded demand.
    Forecast(Box<ForecastArgs>),
    /// List what can be rented and at what price, each with its source and date; or take in newer prices.
    Offers(OffersArgs),
    /// Run a recording again: every step must come out the same, byte for byte.
    Replay(ReplayArgs),
    /// Explain one decision of a recorded run.
    Why(WhyArgs),
    /// Write the history of the built-in example shop (synthetic) as CSV.
    Example(ExampleArgs),
    /// Write the JSON Schemas of all documents into a folder.
    Schemas(SchemasArgs),
}

/// `fleetcast init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to write into; it is made if it is missing.
    pub folder: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
}

/// `fleetcast validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Documents, or folders of documents.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Offers of your own, instead of the folder's offers.json.
    #[arg(long, value_name = "FILE")]
    pub offers: Option<PathBuf>,
}

/// `fleetcast anomalies`
#[derive(Debug, Args)]
pub struct AnomaliesArgs {
    /// CSV with `timestamp,value` (a column `label` may be there too), plain or gzip; `-` is standard input.
    pub file: PathBuf,
    /// Also write `timestamp,value,anomaly_score`, one row for each row of the input; `-` writes it to
    /// standard output, and nothing else.
    #[arg(long, value_name = "FILE")]
    pub scores: Option<PathBuf>,
    /// Which score is written.
    #[arg(long, value_enum, default_value_t, requires = "scores")]
    pub score: ScoreKind,
    /// `default`, `forecast` (residuals of the default forecast), or a model's name for its residuals.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub detector: String,
    /// What was known to change demand: an events/v1 document. What events do is learned as they pass, and is no
    /// anomaly; the time of an incident counts as missing.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// False alarms that may be expected a week [default: 3].
    #[arg(long, value_name = "N", value_parser = positive_number)]
    pub alarms_per_week: Option<f64>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which score of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ScoreKind {
    /// An alarm from 0.5 on; below, how abnormal it is now.
    #[default]
    Both,
    /// Has something begun? Rests after an alarm.
    Onset,
    /// Is this abnormal now? Stays high as long as it lasts.
    State,
}

/// `fleetcast offers`
#[derive(Debug, Args)]
pub struct OffersArgs {
    /// A fleet's folder: its offers.json stands over the built-in catalogue, and only what it may rent is listed.
    pub folder: Option<PathBuf>,
    /// Your own offers, over the built-in catalogue.
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    pub offers: Option<PathBuf>,
    /// Only of this provider: aws, azure, gcp, kubernetes, own or simulated.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Only in this region.
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Only what is bought in this way: on_demand, spot, reserved or standby.
    #[arg(long, value_name = "KIND")]
    pub purchase: Option<String>,
    /// A catalogue with newer prices, to be taken in.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub refresh: Option<PathBuf>,
    /// Where the catalogue with the newer prices goes.
    #[arg(long, value_name = "FILE", requires = "refresh")]
    pub out: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `fleetcast replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder that `fleetcast backtest --record` wrote.
    pub folder: PathBuf,
}

/// `fleetcast why`
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The folder that `fleetcast backtest --record` wrote.
    pub folder: PathBuf,
    /// The moment whose decision is to be explained (RFC 3339); the last decision not after it counts.
    #[arg(long)]
    pub at: jiff::Timestamp,
    /// Only this component.
    #[arg(long)]
    pub component: Option<String>,
    /// Also write the provisional fleet state document of this decision into a folder.
    #[arg(long, value_name = "DIR")]
    pub documents: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `fleetcast example`
#[derive(Debug, Args)]
pub struct ExampleArgs {
    /// The file to write; it ends in `.gz` to be compressed, `-` is standard output.
    pub file: PathBuf,
    /// Another seed, another history.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `fleetcast schemas`
#[derive(Debug, Args)]
pub struct SchemasArgs {
    /// The folder to write into.
    pub folder: PathBuf,
}

/// How to print results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// `fleetcast backtest`
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// The folder with fleet.json, persona.json and, if there are any, events.json and overrides.json.
    /// Not needed with --capacity-per-unit.
    pub folder: Option<PathBuf>,

    #[command(flatten)]
    pub demand: DemandArgs,

    /// What the fleet really used: CSV with `timestamp,component,resource,value` and, if wanted, `units` (in
    /// service); resources are cpu_cores, memory_gb, disk_io_ops, network_bandwidth_mbps and storage_gb. The
    /// profiles of the persona are corrected by it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["capacity_per_unit", "true_persona"], help_heading = "Use")]
    pub usage: Option<PathBuf>,
    /// Let the simulated fleet really use what the profiles of another persona say, and observe that with noise;
    /// FILE@MOMENT: from then on, as after a deploy. May be repeated.
    #[arg(
        long,
        value_name = "FILE[@MOMENT]",
        conflicts_with = "capacity_per_unit",
        help_heading = "Use"
    )]
    pub true_persona: Vec<String>,

    /// Plain setting, without documents: demand that one unit carries, in the unit of the history's values.
    #[arg(
        long,
        value_name = "C",
        conflicts_with = "folder",
        help_heading = "Plain setting"
    )]
    pub capacity_per_unit: Option<f64>,
    /// From an order to a unit that serves; in a folder it overrides the documents' and the providers'.
    #[arg(long, value_name = "TIME", value_parser = any_time, help_heading = "Plain setting")]
    pub boot: Option<SignedDuration>,
    /// From leaving service to the end of the bill.
    #[arg(long, value_name = "TIME", value_parser = any_time, help_heading = "Plain setting")]
    pub drain: Option<SignedDuration>,

    /// Offers standby units: how long a promotion takes, and their price as a share of a running unit's, as in
    /// `60s:0.10`. What a step is short of promotes by itself; a new standby unit takes a boot at the full price.
    #[arg(long, value_name = "TIME:SHARE", requires = "capacity_per_unit", value_parser = crate::backtest::standby::parse, help_heading = "Plain setting")]
    pub standby: Option<fleetcast_sim::PlainStandby>,

    /// Demand becomes known so much later; in a folder it overrides the fleet state's telemetry.
    #[arg(long, value_name = "TIME", value_parser = any_time, help_heading = "Telemetry")]
    pub telemetry_delay: Option<SignedDuration>,
    /// Only what was served becomes known, and a third of the rest is asked for again in the next step.
    #[arg(long, help_heading = "Telemetry")]
    pub served_only: bool,

    /// The score, and the objective's budget, run from its end [default: 7d; of a history
    /// shorter than 28 days (8 in the plain setting) a quarter].
    #[arg(long, value_name = "TIME", value_parser = any_time, help_heading = "Judging")]
    pub warm_up: Option<SignedDuration>,
    /// What to hold: `unserved:0.5%` of the demand, or `violation:5%` of the steps.
    #[arg(long, value_name = "METRIC:SHARE", value_parser = crate::backtest::objective::parse, help_heading = "Judging")]
    pub objective: Option<fleetcast_model::Objective>,
    /// Run this policy only (may be repeated): fleetcast, hpa:0.6, kubernetes-hpa:0.6, target-tracking:0.6,
    /// aws-predictive:0.6, cluster-autoscaler:0.6, cluster-autoscaler-price:0.6, karpenter:0.6, react:1.2, max:0.8,
    /// static:N, oracle; each with a floor if wanted: hpa:0.6,min=12.
    #[arg(long, value_name = "NAME[:ARG][,min=N]", help_heading = "Judging")]
    pub policy: Vec<PolicySpec>,
    /// The floor of the autoscalers to compare with: the minimum that you run today
    /// [default: the fleet state's floor; 1 in the plain setting].
    #[arg(long, value_name = "UNITS", help_heading = "Judging")]
    pub floor: Option<u64>,
    /// Your own offers, instead of the folder's offers.json: JSON with
    /// {"schema": "offer-catalogue/v1", "offers": [{"id": "aws/eu-central-1/m7i.large", "vcpu": 2, "memory_gib": 8,
    /// "price_per_hour": 0.12, "currency": "USD", "source": "…", "as_of": "2026-11-01"}]}. For the regions that they
    /// are in, they are all there is; elsewhere the built-in catalogue stands (`fleetcast offers` lists it).
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "capacity_per_unit",
        help_heading = "Judging"
    )]
    pub offers: Option<PathBuf>,
    /// Seed of what is drawn: boot times.
    #[arg(long, default_value_t = 0, help_heading = "Judging")]
    pub seed: u64,
    /// Change a field of a document for this run (may be repeated): fleet.components[web].floor=3,
    /// persona.engagement_patterns[0].expected_volume=9000, events[0].uplift=2. A value that is not JSON is
    /// text; null takes the field out.
    #[arg(long, value_name = "PATH=VALUE", value_parser = crate::backtest::change::parse, conflicts_with = "capacity_per_unit", help_heading = "What if")]
    pub set: Vec<crate::backtest::change::Change>,
    /// Compare the documents with --set against those without, day by day on the same demand, with intervals.
    #[arg(long, requires = "set", conflicts_with_all = ["steps", "record", "report"], help_heading = "What if")]
    pub vs: bool,
    /// Fail (exit code 1) if this comes true: 'cost>+2% or violation>+0.1pp'. Metrics: cost, unserved, violation,
    /// starts. With a sign a number is a difference from the base of --vs, without one a bound: 'violation>1%'.
    #[arg(long, value_name = "RULE", value_parser = crate::backtest::fail_if::FailIf::parse, help_heading = "What if")]
    pub fail_if: Option<crate::backtest::fail_if::FailIf>,
    /// Leave out the cost curve: fewer runs, sooner done.
    #[arg(long, help_heading = "Judging")]
    pub no_curve: bool,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: Format,
    /// Where the HTML report and the last documents go [default: fleetcast-report, or no report with --policy].
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Write no report.
    #[arg(long, conflicts_with = "report", help_heading = "Output")]
    pub no_report: bool,
    /// Write a row for each step, of Fleetcast or of the one policy that is asked for.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub steps: Option<PathBuf>,
    /// Record Fleetcast's run, so that `fleetcast replay` and `fleetcast why` can read it.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub record: Option<PathBuf>,
    /// No progress bar and no account of the input; the result only.
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// `fleetcast frontier`
#[derive(Debug, Args)]
pub struct FrontierArgs {
    /// The history, the fleet and how they are judged; --policy shows autoscalers beside the frontier.
    #[command(flatten)]
    pub backtest: BacktestArgs,
    /// The objectives to try, such as 0.1%,0.5%,2%,10% [default: from a twentieth of the present one to forty
    /// times it].
    #[arg(long, value_name = "SHARES", value_delimiter = ',', value_parser = crate::backtest::objective::share, help_heading = "Judging")]
    pub levels: Vec<fleetcast_model::Share>,
}

/// `5m`, `1h30m`, `7d` or ISO 8601; not negative.
pub fn any_time(text: &str) -> Result<SignedDuration, String> {
    let clear = "use a time such as 90s, 5m, 2h or 7d";
    let text = text.trim();
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<f64>().ok());
    let time = match days {
        Some(days) if (0.0..=36_500.0).contains(&days) => {
            SignedDuration::from_secs((days * 86_400.0) as i64)
        }
        Some(_) => return Err(clear.into()),
        None if text == "0" => SignedDuration::ZERO,
        None => text.parse().map_err(|_| clear.to_string())?,
    };
    if time.is_negative() {
        Err(clear.into())
    } else {
        Ok(time)
    }
}

fn positive_number(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "use a number over 0".to_string())
}

fn positive_time(text: &str) -> Result<SignedDuration, String> {
    let time = any_time(text)?;
    if time.as_secs() < 1 {
        Err("a step is at least one second long".into())
    } else {
        Ok(time)
    }
}
