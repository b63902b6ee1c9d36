//! The words of `fleetcast override`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::positive_time;

/// `fleetcast override`
#[derive(Clone, Debug, Args)]
pub struct OverrideArgs {
    /// The folder with fleet.json; the decision is added to its overrides.json.
    pub folder: PathBuf,
    /// What is decided.
    #[arg(value_enum)]
    pub decision: Decided,
    /// The component that it is for.
    #[arg(long, value_name = "NAME")]
    pub component: String,
    /// How many units; not with pause and forecast.
    #[arg(long, value_name = "N")]
    pub units: Option<u64>,
    /// With forecast: the median of the demand, in interactions a minute.
    #[arg(long, value_name = "VOLUME")]
    pub volume: Option<f64>,
    /// With forecast: what demand stays under with 95 % probability.
    #[arg(long, value_name = "VOLUME")]
    pub volume_p95: Option<f64>,
    /// From when (RFC 3339); what `provision` orders is ready then, and `forecast` begins then [default: now].
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Until when (RFC 3339); an override always expires.
    #[arg(
        long,
        value_name = "TIME",
        conflicts_with = "lasts",
        required_unless_present = "lasts"
    )]
    pub until: Option<Timestamp>,
    /// For how long, such as 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = positive_time)]
    pub lasts: Option<SignedDuration>,
    /// Who decides.
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// Why.
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
}

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Decided {
    /// Exactly so many units.
    Pin,
    /// At least so many units.
    Floor,
    /// At most so many units.
    Ceiling,
    /// No change at all.
    Pause,
    /// So many units more than are wanted otherwise.
    Provision,
    /// This demand, whatever the forecast says.
    Forecast,
}
