//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use fleetcast_model::Share;
use fleetcast_sim::PlainStandby;
use jiff::SignedDuration;

/// Benchmarks of Fleetcast, on recorded demand.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", max_term_width = 100)]
pub enum Cli {
    /// Cost at equal unserved demand, against the cheapest autoscaler of each trace with hindsight.
    Provisioning(ProvisioningArgs),
    /// Steps a second of the engine; time and memory of a whole `fleetcast backtest`.
    Engine(EngineArgs),
    /// Cost and availability of a fleet on spot whose pools are taken back together, beside on demand.
    Spot(SpotArgs),
    /// How much a persona helps after none, one, three and fourteen days of history.
    Persona(PersonaArgs),
    /// Anomalies found in labelled series: the Numenta benchmark and Microsoft cloud monitoring.
    Anomaly(AnomalyArgs),
    /// Accuracy, calibration and CPU of every forecasting model, beside the peers.
    Forecast(crate::forecast::ForecastArgs),
    /// Requirements learned from observed use: errors of wrong profiles, deploys found, cost of a sample.
    Capacity(CapacityArgs),
    /// Cost and time of fleet plans, beside the exact optimum of the same problem.
    Planner(crate::planner::PlannerArgs),
}

/// Which traces.
#[derive(Clone, Debug, Args)]
pub struct TraceArgs {
    /// A folder of CSV files with `timestamp,value` in steps of up to 5 minutes
    /// [default: data/traces/open in $FLEETCAST_SHARED, or in `shared` beside the project].
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Only traces whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// A unit carries the 99th percentile of the demand divided by this.
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = positive)]
    pub units: f64,
    /// From an order to a unit that serves.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub boot: SignedDuration,
    /// From leaving service to the end of the bill.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub drain: SignedDuration,
    /// Offers standby units, and shows ours with them beside ours without: promotion time and share of the price,
    /// as in `60s:0.10`.
    #[arg(long, value_name = "TIME:SHARE", value_parser = standby)]
    pub standby: Option<PlainStandby>,
    /// Demand becomes known so much later; rounds up to whole steps.
    #[arg(long, value_name = "TIME", default_value = "0m")]
    pub delay: SignedDuration,
    /// Only what was served is seen, and a third of the rest is asked for again in the next step.
    #[arg(long)]
    pub closed_loop: bool,
}

impl TraceArgs {
    /// Traces whose name contains a text, in the usual setting.
    pub fn of(traces: Option<PathBuf>, only: String) -> Self {
        let minutes = SignedDuration::from_mins(5);
        Self {
            traces,
            only,
            units: 40.0,
            boot: minutes,
            drain: minutes,
            standby: None,
            delay: SignedDuration::ZERO,
            closed_loop: false,
        }
    }
}

/// `persona`
#[derive(Debug, Args)]
pub struct PersonaArgs {
    /// A folder of hourly CSV files whose names end in `__1h.csv`
    /// [default: data/traces/open/eval in $FLEETCAST_SHARED, or in `shared` beside the project].
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
}

/// `provisioning`
#[derive(Debug, Args)]
pub struct ProvisioningArgs {
    #[command(flatten)]
    pub traces: TraceArgs,
    /// Share of demand that may stay unserved, such as 0.5%; may be repeated [default: 0.5% and 0.1%].
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "violation")]
    pub objective: Vec<Share>,
    /// How well a requested share of steps in violation (10 %, 5 % and 1 %) is held, instead of costs.
    #[arg(long)]
    pub violation: bool,
    /// What each part brings: the same without it, and the World Cup with its match calendar as events.
    #[arg(long, conflicts_with_all = ["violation", "json"])]
    pub ablation: bool,
    /// Ours alone, without the peers: soon done, and without a ratio.
    #[arg(long, conflicts_with_all = ["violation", "ablation"])]
    pub ours: bool,
    /// All conditions, one line each: other boots, late telemetry, a closed loop, a strict objective, violation rates.
    #[arg(long, conflicts_with_all = ["violation", "ablation", "json", "objective", "ours"])]
    pub all: bool,
    /// One JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// `engine`
#[derive(Debug, Args)]
pub struct EngineArgs {
    #[command(flatten)]
    pub traces: TraceArgs,
}

/// `capacity`
#[derive(Debug, Args)]
pub struct CapacityArgs {
    /// How far observed use spreads around the true one, as a share.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = positive)]
    pub noise: f64,
}

/// `spot`
#[derive(Debug, Args)]
pub struct SpotArgs {
    /// Markets drawn, each of thirty days.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub markets: u64,
    /// From an order to a unit that serves.
    #[arg(long, value_name = "TIME", default_value = "3m")]
    pub boot: SignedDuration,
    /// Units that serve at the peak.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub units: u64,
    /// Every pool keeps the price that it is listed at.
    #[arg(long)]
    pub still_prices: bool,
}

/// `anomaly`
#[derive(Debug, Args)]
pub struct AnomalyArgs {
    /// A folder that holds `nab` and `ms_cloud_monitoring`
    /// [default: data in $FLEETCAST_SHARED, or in `shared` beside the project].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A detector, or the name of a model whose residuals are one; may be repeated [default: default].
    #[arg(long, value_name = "NAME")]
    pub detector: Vec<String>,
    /// Which of a verdict's scores is judged.
    #[arg(long, value_enum, default_value_t)]
    pub score: AnomalyScore,
    /// Also write all scores into a folder, in the layout of the Numenta benchmark.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// Which of a verdict's scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AnomalyScore {
    /// One number for both questions, as in score files.
    #[default]
    Both,
    /// Has something begun?
    Onset,
    /// Is this abnormal now?
    State,
}

/// `60s:0.10`.
fn standby(text: &str) -> Result<PlainStandby, String> {
    let clear = || "use TIME:SHARE such as 60s:0.10".to_string();
    let (promotion, price_share) = text.rsplit_once(':').ok_or_else(clear)?;
    let promotion: SignedDuration = promotion.parse().map_err(|_| clear())?;
    Ok(PlainStandby {
        promotion: Some(promotion)
            .filter(|time| !time.is_negative())
            .ok_or_else(clear)?,
        price_share: share(price_share)?,
    })
}

/// `0.5%` or `0.005`.
fn share(text: &str) -> Result<Share, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    text.strip_suffix('%')
        .map_or_else(
            || number(text),
            |percent| number(percent).map(|p| p / 100.0),
        )
        .and_then(Share::new)
        .filter(|share| share.get() > 0.0)
        .ok_or_else(|| "use a share such as 0.5%".to_string())
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "use a number over 0".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_typed_as_percentages() {
        assert_eq!(share("0.5%").map(Share::get), Ok(0.005));
        assert_eq!(share("0.005").map(Share::get), Ok(0.005));
        assert!(share("0").is_err() && share("120%").is_err() && share("x").is_err());
    }
}
