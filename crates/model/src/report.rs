//! Why a step did what it did: data, for `fleetcast why`, reports and the record.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ContentHash, Fallback, MicroUsd, MicroUsdPerHour, Plan, StandbyTier, Token, Units};

/// What limits a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// CPU, at the latency target.
    Cpu,
    /// Memory.
    Memory,
    /// Disk operations.
    DiskIo,
    /// Network bandwidth.
    Bandwidth,
    /// Storage.
    Storage,
    /// The stated capacity of a unit, in the plain setting.
    Unit,
}

impl Resource {
    /// A person's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU at the latency target",
            Self::Memory => "memory",
            Self::DiskIo => "disk I/O",
            Self::Bandwidth => "bandwidth",
            Self::Storage => "storage",
            Self::Unit => "capacity of a unit",
        }
    }
}

/// Why a unit is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The floor of the fleet state.
    Floor,
    /// Demand as it is now.
    Baseline,
    /// More demand is forecast for when an order arrives.
    Forecast,
    /// An event is coming or under way.
    Event,
    /// The forecast may be wrong.
    Uncertainty,
    /// The reactive lower bound: no healthy forecast.
    Reactive,
    /// A start and a drain are dearer than keeping it for a while.
    Hold,
    /// Demand has been unknown for too long: the declared fallback.
    Fallback,
    /// A spot pool may be taken back: so many more leave enough if one is.
    SpotRisk,
    /// A zone may be lost: so many more leave the promised share if one is.
    ZoneLoss,
    /// A person decided.
    Override,
    /// A policy other than Fleetcast's own wants it.
    Policy,
    /// Kept out of service at a share of the price, for what no forecast sees in time. Beyond the units wanted.
    Standby,
    /// Instances come whole: more units than were wanted.
    WholeInstances,
    /// Of what is given back: no reason is left to keep it.
    Surplus,
}

/// The capacity ledger: each wanted unit with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger(pub Vec<(Reason, Units)>);

impl Ledger {
    /// Adds units for a reason.
    pub fn add(&mut self, reason: Reason, units: u64) {
        if units > 0 {
            self.0.push((reason, Units::new(units)));
        }
    }

    /// All units.
    pub fn total(&self) -> Units {
        self.0.iter().map(|(_, units)| *units).sum()
    }

    /// Units for one reason.
    pub fn units_for(&self, reason: Reason) -> Units {
        let own = self.0.iter().filter(|(other, _)| *other == reason);
        own.map(|(_, units)| *units).sum()
    }

    /// Takes the reasons added last away until `limit` units are left.
    pub fn cut_to(&mut self, limit: Units) {
        let mut surplus = self.total().saturating_sub(limit);
        while surplus > Units::ZERO {
            let Some((_, last)) = self.0.last_mut() else {
                break;
            };
            let cut = surplus.min(*last);
            *last = *last - cut;
            surplus = surplus - cut;
            if *last == Units::ZERO {
                self.0.pop();
            }
        }
    }
}

/// The use per request of a resource has changed, as a deploy changes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UseDrift {
    /// The resource.
    pub resource: Resource,
    /// Since when, as far as the errors tell it.
    pub since: Timestamp,
    /// When it was found.
    pub found: Timestamp,
    /// Use per request now, as a multiple of before.
    pub factor: f64,
}

/// What the gate said of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Nothing to change.
    Nothing,
    /// Under the threshold, or already approved: carried out.
    Go,
    /// Over the approval threshold: a person is asked; what the floor needs goes ahead.
    NeedsApproval {
        /// What the change costs over the next two hours.
        cost: MicroUsd,
        /// The threshold of the fleet state.
        threshold: MicroUsd,
        /// The change set to approve.
        change_set: ContentHash,
    },
    /// Over the hard cap: refused.
    OverCap {
        /// What the month would come to.
        cost: MicroUsd,
        /// The hard cap of the fleet state.
        cap: MicroUsd,
    },
    /// The mode or a freeze window allows no change.
    Withheld,
}

/// Quantiles of the demand that is expected when an order placed now would serve, in interactions a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalForecast {
    /// The 5 % quantile.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The level that is bought.
    pub bought_level: f64,
    /// The quantile at that level.
    pub bought: f64,
    /// The weight of the persona beside the data, 0 to 1.
    pub persona_weight: f64,
}

/// Why one component was treated as it was in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentReport {
    /// Demand of the interval that has just ended, in interactions a minute; `None`: unknown.
    pub demand: Option<f64>,
    /// What is expected when an order placed now would serve; `None`: no forecast was made.
    pub forecast: Option<ArrivalForecast>,
    /// When an order placed now would serve.
    pub arrival: Timestamp,
    /// Units that the present demand needs.
    pub needed_now: Units,
    /// What limits the component.
    pub binding: Resource,
    /// Units wanted.
    pub wanted: Units,
    /// The reasons, which sum to `wanted` and the standby units wanted.
    pub ledger: Ledger,
    /// Units in service.
    pub ready: Units,
    /// Units ordered and not in service.
    pub pending: Units,
    /// Pending units given back in this step.
    pub cancelled: Units,
    /// Units ordered in this step.
    pub ordered: Units,
    /// Units taken out of service in this step.
    pub drained: Units,
    /// What the gate said.
    pub gate: Gate,
    /// What was planned and held back at the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Plan>,
    /// The score of the forecast for the interval that has just ended; `None`: there was none.
    pub feedback: Option<Feedback>,
    /// What is unusual about the demand now, in a word: `spike`, `outage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<String>,
    /// Changes of the use per request that were found in this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub use_drifts: Vec<UseDrift>,
    /// The units beyond which more units do not help, if so many were wanted; nothing over them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_out_ceiling: Option<Units>,
    /// Its standby units; `None`: it has none and is to have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<StandbyReport>,
    /// Who forecasts from now on, if that has changed in this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succession: Option<Succession>,
    /// What quotas and zones kept its orders from being; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsReport>,
    /// Its demand is unknown, or has just become known again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<UnknownDemand>,
}

/// Demand that is missing, stale or no number, and what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownDemand {
    /// When the first step of it began.
    pub since: Timestamp,
    /// What is done.
    pub response: UnknownResponse,
    /// People are to be told: this begins in this step.
    pub alert: bool,
}

/// What is done while demand is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownResponse {
    /// What is there is kept until a moment.
    Held {
        /// When the fallback applies.
        until: Timestamp,
    },
    /// The declared fallback applies.
    FellBack {
        /// What it is.
        to: Fallback,
        /// The fewest units that it wants; for the floor as many as it leaves.
        units: Units,
    },
    /// It is known again.
    KnownAgain,
}

/// What quotas and the zones that there are kept a component's orders from being.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsReport {
    /// The quotas that bound.
    pub quotas: Vec<QuotaBound>,
    /// Units that are wanted and were not ordered because of them.
    pub missing: Units,
    /// What the missing units would cost an hour.
    pub lift: MicroUsdPerHour,
    /// What is ordered costs so much more an hour than it would without the quotas.
    pub dearer: MicroUsdPerHour,
    /// Units that the loss of the worst zone would leave too few; a full ceiling, a full quota or too few zones are why.
    pub zone_short: Units,
}

/// A quota that bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaBound {
    /// Its name.
    pub name: String,
    /// Its limit.
    pub limit: u64,
    /// How much of it is taken with what is ordered.
    pub taken: u64,
    /// The limit that would have sufficed.
    pub enough: u64,
}

/// The standby units of a component in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyReport {
    /// Units to keep in standby.
    pub wanted: Units,
    /// How they are kept.
    #[serde(default)]
    pub tier: StandbyTier,
    /// Those of them that are for spot that may be lost at once.
    #[serde(default)]
    pub for_losses: Units,
    /// Units that can be promoted.
    pub units: Units,
    /// Units that boot for standby, or drain towards it.
    pub coming: Units,
    /// Units that were promoted in the step that has just ended.
    pub promoted: Units,
    /// Units ordered for standby in this step.
    pub ordered: Units,
    /// Units taken out of service for standby in this step; counted in `drained` too.
    pub demoted: Units,
    /// Units of standby given back in this step.
    pub released: Units,
    /// The drill that came to an end in this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
}

/// A standby instance that was promoted to prove that it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it was promoted.
    pub began: Timestamp,
    /// The order it came from …
    pub token: Token,
    /// … and its place in it.
    pub place: u32,
    /// What came of it.
    pub outcome: DrillOutcome,
}

/// What came of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillOutcome {
    /// It served, after so long.
    InTime(SignedDuration),
    /// It served, after more than twice the planned time.
    Slow(SignedDuration),
    /// It never served, and was given back.
    Failed,
}

/// A challenger forecast better on held-out time and has taken over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Succession {
    /// The new champion, in words.
    pub champion: String,
    /// Its check loss over that of the one before: under 1.
    pub loss_ratio: f64,
}

/// A forecast scored against what happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// The demand that happened less the median that was forecast, in interactions a minute.
    pub error: f64,
    /// Whether demand stayed at or under the 95 % quantile.
    pub under_p95: bool,
    /// Units that were missing.
    pub short: Units,
    /// Units that were not needed.
    pub spare: Units,
}
