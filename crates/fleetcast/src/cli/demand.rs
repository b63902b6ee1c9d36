//! Where the demand comes from: the words of every command that reads a history.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::positive_time;

/// What values of the demand count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnitOfValue {
    /// Interactions in one step of the file.
    #[value(name = "per-step")]
    Step,
    /// Interactions a minute.
    #[value(name = "per-minute")]
    Minute,
    /// Interactions a second, as `rate()` gives them.
    #[value(name = "per-second")]
    Second,
}

/// Where the history of demand comes from.
#[derive(Clone, Debug, Args)]
pub struct DemandArgs {
    /// History of demand: CSV with `timestamp,value` and, if wanted, `interaction_type` and `region`;
    /// plain or gzip; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prometheus", "example"], help_heading = "Demand")]
    pub demand: Option<PathBuf>,
    /// A Prometheus-compatible server to ask.
    #[arg(
        long,
        value_name = "URL",
        requires = "query",
        conflicts_with = "example",
        help_heading = "Demand"
    )]
    pub prometheus: Option<String>,
    /// The PromQL query that gives the demand, such as 'sum(rate(http_requests_total[1m]))'.
    #[arg(
        long,
        value_name = "PROMQL",
        requires = "prometheus",
        help_heading = "Demand"
    )]
    pub query: Option<String>,
    /// How far back to ask, such as 30d.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30d",
        help_heading = "Demand"
    )]
    pub since: String,
    /// Use the built-in example shop's demand (synthetic), and its documents if no folder is given.
    #[arg(long, help_heading = "Demand")]
    pub example: bool,
    /// Length of a step, such as 1m; by default the file's own, and one minute from Prometheus.
    #[arg(long, value_name = "TIME", value_parser = positive_time, help_heading = "Demand")]
    pub step: Option<SignedDuration>,
    /// What the values count [default: per-step for files, per-second from Prometheus]; the plain setting takes
    /// them as they are, as it does C.
    #[arg(long, value_enum, help_heading = "Demand")]
    pub value_unit: Option<UnitOfValue>,
    /// The zone of timestamps without an offset, and where people live (IANA name) [of people, the persona's
    /// where it states one].
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        help_heading = "Demand"
    )]
    pub time_zone: String,
    /// Leave out rows that cannot be read, and report them, instead of failing at the first.
    #[arg(long, help_heading = "Demand")]
    pub skip_bad_rows: bool,
    /// What is known to change demand: an events/v1 document; in the place of a folder's events.json.
    #[arg(long, value_name = "FILE", help_heading = "Demand")]
    pub events: Option<PathBuf>,
}
