//! The words of `forecast`.

use std::path::PathBuf;

use clap::Args;

/// `forecast`
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// A folder of CSV files with `timestamp,value,observed` and the names `<trace>__1h.csv` or
    /// `<trace>__10min.csv` [default: data/traces/open/eval in $FLEETCAST_SHARED, or in `shared` beside the project].
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Only traces whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// These models of ours, by name [default: all but the networks].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub models: Vec<String>,
    /// One tier only: 1h or 10min.
    #[arg(long, value_name = "TIER")]
    pub tier: Option<String>,
    /// The recurrent networks gru and lstm too. They are trained anew at each origin, which takes seconds of CPU,
    /// so they run from the protocol's origins only.
    #[arg(long, conflicts_with_all = ["m4", "scale", "update", "fidelity", "lead"])]
    pub networks: bool,
    /// The protocol's origins only: sooner done, but coverage is then of a few origins.
    #[arg(long)]
    pub protocol_only: bool,
    /// Threads [default: one with --peers, so that CPU is measured alike; else all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// One JSON object instead of tables.
    #[arg(long)]
    pub json: bool,

    /// Run the peers too, one after the other on one thread (about ten minutes of CPU); sets up a
    /// Python environment with them below cargo's target folder at the first time.
    #[arg(long, help_heading = "Peers")]
    pub peers: bool,
    /// The slow peers too: AutoETS and AutoCES on all tiers, AutoARIMA on the 1 h tier (about ten minutes more).
    #[arg(long, requires = "peers", help_heading = "Peers")]
    pub slow_peers: bool,
    /// A Python that has the peers, instead of the environment of our own.
    #[arg(long, value_name = "FILE", help_heading = "Peers")]
    pub python: Option<PathBuf>,

    /// M4 hourly instead: 414 series, 48 steps ahead.
    #[arg(long, conflicts_with_all = ["scale", "update", "fidelity", "lead"], help_heading = "Other tables")]
    pub m4: bool,
    /// Refit 10,000 generated series on two threads instead: time, memory, and whether they grow in line.
    #[arg(long, conflicts_with_all = ["update", "fidelity", "lead"], help_heading = "Other tables")]
    pub scale: bool,
    /// What it costs to take in one sample instead.
    #[arg(long, conflicts_with_all = ["fidelity", "lead"], help_heading = "Other tables")]
    pub update: bool,
    /// Our point forecasts against the peers' of the same order instead, on M4 hourly; needs the peers.
    #[arg(long, conflicts_with = "lead", help_heading = "Other tables")]
    pub fidelity: bool,
    /// Demand when an order placed now would serve instead, which buying uses; also printed after the tiers when
    /// all of them run.
    #[arg(long, help_heading = "Other tables")]
    pub lead: bool,
    /// With --m4 or --fidelity: every so many-th series only.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one, help_heading = "Other tables")]
    pub every: usize,
    /// With --scale: how many series, rising.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1_000, 3_000, 10_000], help_heading = "Other tables")]
    pub series: Vec<usize>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse::<usize>()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "use a whole number over 0".to_string())
}
