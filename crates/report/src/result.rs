//! The outcome of a backtest as data: what `--format json` prints and what every view here reads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One backtest: the settings, every policy's score, and what the charts show.
///
/// Shares are fractions of one. Steps without an observation and the warm-up are not scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename = "backtest-result/v1")]
pub struct BacktestResult {
    pub title: String,
    /// The demand was generated, not recorded; every view says so.
    pub synthetic: bool,
    /// Where the demand came from, in words: a file name, a query.
    pub demand_source: String,
    /// Start of the first step.
    pub first: Timestamp,
    /// Start of the last step.
    pub last: Timestamp,
    pub step_seconds: u64,
    pub steps: u64,
    pub scored_steps: u64,
    pub missing_steps: u64,
    pub warm_up_seconds: u64,
    pub boot_seconds: u64,
    pub drain_seconds: u64,
    pub objective: Option<ObjectiveView>,
    pub components: Vec<String>,
    pub policies: Vec<PolicyResult>,
    /// One sentence, from [`crate::verdict()`].
    pub verdict: String,
    /// The moments that left most demand unserved, worst first.
    pub worst: Vec<WorstMoment>,
    pub chart: ChartData,
    pub curve: Vec<CurvePoint>,
    /// Anything the reader must know to judge the numbers, one sentence each.
    pub notes: Vec<String>,
}

/// What the fleet was asked to keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveView {
    pub metric: Metric,
    pub target_share: f64,
}

/// What an objective counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Demand over capacity, as a share of all demand.
    Unserved,
    /// Steps with demand over capacity, as a share of all scored steps.
    Violation,
}

/// What one policy would have cost and left undone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyResult {
    /// The name given on the command line: `fleetcast`, `hpa:0.6,min=12`.
    pub name: String,
    /// The name for people: `Kubernetes HPA at 60 %, floor 12`.
    pub label: String,
    pub cost_usd: f64,
    /// `None` if no perfect-foresight fleet was run.
    pub cost_over_oracle: Option<f64>,
    /// Paid unit-steps over the unit-steps that demand needed.
    pub cost_over_need: f64,
    pub unserved_share: f64,
    pub violation_minutes: f64,
    pub violation_share: f64,
    pub scale_actions_per_day: f64,
    /// Unit starts a day in multiples of the mean fleet.
    pub starts_per_day_fleets: f64,
    pub peak_units: f64,
    pub mean_units: f64,
    /// The part of `cost_usd` spent on standby units; `None` without standby.
    pub standby_cost_usd: Option<f64>,
    pub is_ours: bool,
    /// Knows the future, or was tuned on it: a bound, not a choice anybody had.
    pub hindsight: bool,
}

/// One setting of one policy on the cost curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The curve's name; points of equal name are one line. Ours is the one a `PolicyResult` with
    /// `is_ours` names, or `fleetcast`.
    pub policy: String,
    /// The setting in words: `target 60 %, floor 12`.
    pub knob: String,
    pub cost_over_oracle: f64,
    pub unserved_share: f64,
}

/// A stretch of time in which our policy left demand unserved, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorstMoment {
    pub start: Timestamp,
    pub end: Timestamp,
    pub component: String,
    /// Highest demand in the stretch, in the chart's demand unit (interactions a minute).
    pub demand: f64,
    /// Capacity ready at that time, in the same unit.
    pub capacity: f64,
    /// The share of all unserved demand that fell into this stretch.
    pub unserved_share_of_all: f64,
    pub reason: String,
    /// When the capacity for this moment had to be ordered.
    pub ordered_at: Timestamp,
    /// What was forecast for this moment when it had to be ordered.
    pub forecast_p50: Option<f64>,
    pub forecast_p95: Option<f64>,
}

/// A stretch of time as the charts draw it, thinned by the caller to at most some 3,000 buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartData {
    /// How long a bucket is, in words: `10 min`.
    pub step_label: String,
    /// The unit of demand and of capacity: `interactions/min`.
    pub demand_unit: String,
    pub points: Vec<ChartPoint>,
    /// One chart for each worst moment, in the same order, at the native step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<ChartData>,
    /// The forecast beyond the last step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<FanPoint>,
}

/// One bucket. Everything is in the chart's demand unit; unknown values are `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartPoint {
    /// Start of the bucket.
    pub t: Timestamp,
    pub demand_min: Option<f64>,
    pub demand_mean: Option<f64>,
    pub demand_max: Option<f64>,
    /// The forecast for this bucket at the time its capacity had to be ordered.
    pub p05: Option<f64>,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    /// Capacity of the ready units.
    pub ready_min: f64,
    pub ready_max: f64,
    /// Capacity of the fewest units that carry the demand.
    pub need: Option<f64>,
    /// Demand left unserved, as a mean over the bucket.
    pub unserved: f64,
}

/// One time of the forecast fan beyond the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FanPoint {
    pub t: Timestamp,
    pub p05: f64,
    pub p50: f64,
    pub p95: f64,
}

impl Metric {
    /// The metric of a policy, as a share.
    pub fn of(self, policy: &PolicyResult) -> f64 {
        match self {
            Self::Unserved => policy.unserved_share,
            Self::Violation => policy.violation_share,
        }
    }

    /// The objective in words: `0.5 % of demand unserved`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unserved => "of demand unserved",
            Self::Violation => "of the time short of capacity",
        }
    }
}
