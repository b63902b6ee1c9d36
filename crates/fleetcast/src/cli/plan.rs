//! The words of `fleetcast plan` and `fleetcast apply`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{BacktestArgs, DemandArgs, Format};

/// `fleetcast plan`
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// The folder with fleet.json, persona.json and, if there are any, events.json and overrides.json.
    pub folder: PathBuf,
    #[command(flatten)]
    pub demand: DemandArgs,
    /// Plan for this moment, knowing the demand until then and nothing after it [default: the end of the
    /// history].
    #[arg(long, value_name = "TIME", help_heading = "Planning")]
    pub at: Option<Timestamp>,
    /// How far ahead: the next order; a schedule and quotas for fourteen days; commitments and reservations for
    /// thirteen months.
    #[arg(long, value_enum, default_value_t, help_heading = "Planning")]
    pub horizon: PlanHorizon,
    /// What a commitment for a year saves on each hour, where the catalogue has no reserved price.
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = discount, help_heading = "Planning")]
    pub commitment_discount: f64,
    /// A catalogue of your own offers instead of the built-in one.
    #[arg(long, value_name = "FILE", help_heading = "Planning")]
    pub offers: Option<PathBuf>,
    /// Take a recommendation of an earlier plan, by name: scale-down:COMPONENT, cheaper-offer,
    /// cheaper-region:PROVIDER/REGION, start-later:TIME, lower-quantile:LEVEL, raise-threshold, raise-cap, raise-quota:NAME;
    /// may be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Planning")]
    pub accept: Vec<String>,

    /// Write the provisional fleet state, for `fleetcast apply`; `-` is standard output.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// End with 0 if there is nothing to change, 2 if there is, 5 if that needs an approval, 4 if it is denied.
    #[arg(long, help_heading = "Output")]
    pub detailed_exitcode: bool,
    /// How to print it; JSON is the provisional fleet state.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: Format,
    /// No progress and no account of the input; the plan only.
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

impl PlanArgs {
    /// The backtest on whose run the plan rests: the same engine on the same demand.
    pub fn as_backtest(&self) -> BacktestArgs {
        BacktestArgs {
            folder: Some(self.folder.clone()),
            demand: self.demand.clone(),
            usage: None,
            true_persona: Vec::new(),
            capacity_per_unit: None,
            standby: None,
            boot: None,
            drain: None,
            warm_up: None,
            objective: None,
            policy: Vec::new(),
            floor: None,
            offers: self.offers.clone(),
            seed: 0,
            set: Vec::new(),
            vs: false,
            fail_if: None,
            telemetry_delay: None,
            served_only: false,
            no_curve: true,
            format: self.format,
            report: None,
            no_report: true,
            steps: None,
            record: None,
            quiet: self.quiet,
        }
    }
}

/// How far ahead to plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanHorizon {
    /// What to order now.
    #[default]
    Short,
    /// Fourteen days: a schedule, and the quotas to ask for.
    Medium,
    /// Thirteen months: commitments, and capacity to reserve.
    Long,
}

fn discount(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    share
        .ok()
        .filter(|share| (0.0..1.0).contains(share))
        .ok_or_else(|| "use a share from 0 to less than 1, such as 30%".to_string())
}

/// `fleetcast apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The file that `fleetcast plan --out` wrote.
    pub plan: PathBuf,
    /// The folder with the fleet.json to change.
    #[arg(long, value_name = "FOLDER")]
    pub fleet: PathBuf,
    /// Approve exactly these changes: their hash, as the plan shows it.
    #[arg(long, value_name = "HASH")]
    pub approve: Option<fleetcast_document::ContentHash>,
    /// The time to apply at, for a plan on recorded demand [default: now].
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// The catalogue with the prices that hold now, instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub offers: Option<PathBuf>,
    /// How to print it; JSON is the confirmation.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
