//! The words of `planner`.

use std::path::PathBuf;

use clap::Args;

/// `planner`
#[derive(Debug, Args)]
pub struct PlannerArgs {
    /// Small instances, half of them on recorded demand; HiGHS solves each to 0.1 % or for --small-seconds.
    #[arg(long, value_name = "N", default_value_t = 480)]
    pub small: u64,
    /// The first seed of the small instances.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub seed: u64,
    /// HiGHS' time for a small instance.
    #[arg(long, value_name = "S", default_value_t = 60.0)]
    pub small_seconds: f64,
    /// Large instances: 200 offers in 3 zones over 96 periods.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub large: u64,
    /// HiGHS' time for a large instance.
    #[arg(long, value_name = "S", default_value_t = 300.0)]
    pub large_seconds: f64,
    /// A folder in which HiGHS' answers are kept: what is there is not asked again. They hold for its version and for an
    /// equal problem, gap and time; large ones have another program than small ones.
    #[arg(long, value_name = "DIR")]
    pub peer_answers: Option<PathBuf>,
    /// Of the small instances only each N-th.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub every: usize,
    /// Ours alone: cost against our own lower bound.
    #[arg(long)]
    pub without_peer: bool,
    /// How time and memory grow with offers, zones, periods and components instead, up to so many components.
    #[arg(long, value_name = "COMPONENTS", num_args = 0..=1, default_missing_value = "10000")]
    pub growth: Option<usize>,
    /// The engine's own orders of mixed offers instead, beside the same units in hindsight, on recordings of up to 5 minutes
    /// whose name contains TEXT.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    pub engine: Option<String>,
    /// Work for each component, in thousands of cells [default: the planner's].
    #[arg(long, value_name = "N")]
    pub kilocells: Option<u64>,
    /// A folder of CSV files with `timestamp,value` for half of the small instances
    /// [default: data/traces/open in $FLEETCAST_SHARED, or in `shared` beside the project].
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// One JSON line for each instance instead of tables.
    #[arg(long)]
    pub json: bool,
    /// A Python that has highspy, instead of the environment of our own.
    #[arg(long, value_name = "FILE")]
    pub python: Option<PathBuf>,
}
