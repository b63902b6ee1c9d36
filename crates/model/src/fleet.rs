//! What a site's fleet is and should be: the validated form of a `fleet-state/v1` document.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Architecture, Bytes, ComponentName, FleetName, InteractionType, Iops, KilobitsPerSecond,
    MicroUsd, MilliCores, OfferId, ProviderKind, PurchaseKind, Quota, Region, Share, Units, Zone,
};

/// A fleet with all its components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Its name.
    pub name: FleetName,
    /// At least one; names are unique.
    pub components: Vec<Component>,
    /// Spending limits; `None`: no limit was set.
    pub budget: Option<Budget>,
    /// A change that costs more over the next two hours needs an approval; `None`: nothing does.
    pub approval_threshold: Option<MicroUsd>,
    /// How much the engine may do by itself.
    pub mode: Mode,
    /// When it may do more; `None`: only when a person says so.
    pub mode_promotion: Option<ModePromotion>,
    /// When nothing may be changed, except to hold the floor.
    pub freeze_windows: Vec<FreezeWindow>,
    /// What providers let all components together have at once; names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// How its demand becomes known.
    #[serde(default, skip_serializing_if = "TelemetryTerms::is_plain")]
    pub telemetry: TelemetryTerms,
}

/// How demand becomes known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelemetryTerms {
    /// From the end of a step until its demand is told; not negative.
    pub delay: SignedDuration,
    /// Whether only what was served is seen: what the units in service could not carry is not in the figures.
    pub served_only: bool,
}

impl TelemetryTerms {
    /// Demand that is told later than this is no help: by then nothing is provisioned in time.
    pub const DELAY_MAX: SignedDuration = SignedDuration::from_hours(1);

    /// Whether demand is told at the end of its step, and in full.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// One part of a fleet that scales by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its name, unique in the fleet.
    pub name: ComponentName,
    /// What one unit is.
    pub unit: UnitSize,
    /// Where it may run; at least one. The cheapest offer of all of them is rented.
    pub placements: Vec<Placement>,
    /// Never fewer units than this; at least one.
    pub floor: Units,
    /// Never more units than this; not below the floor.
    pub ceiling: Units,
    /// Units that are wanted now, if somebody has said so.
    pub desired: Option<Units>,
    /// Units that run now, if known.
    pub current: Option<Units>,
    /// What to apply to a new unit.
    pub configuration: Configuration,
    /// What is promised.
    pub sla: Sla,
    /// The interaction types whose users' volume it serves.
    pub serves: Vec<InteractionType>,
    /// The components that it calls.
    pub depends_on: Vec<Dependency>,
    /// Scales out only, and its units live long.
    pub stateful: bool,
    /// Standby capacity, if wanted.
    pub standby: Option<StandbyPolicy>,
    /// How long its units take to come and go.
    pub timing: Timing,
}

/// The stated amount of resources that one unit of a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSize {
    /// CPU of one unit; not zero.
    pub cpu: MilliCores,
    /// Memory of one unit; not zero.
    pub memory: Bytes,
    /// Disk operations of one unit, if they limit it.
    pub disk_io: Option<Iops>,
    /// Bandwidth of one unit, if it limits it.
    pub bandwidth: Option<KilobitsPerSecond>,
    /// Storage of one unit, if it limits it.
    pub storage: Option<Bytes>,
}

/// Where a component may run and what may be rented there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: Region,
    /// The zones that may be used, each named in the order; empty: any, as the provider chooses.
    pub zones: Vec<Zone>,
    /// The offers that may be rented; empty: all of the catalogue in this region.
    pub offers: Vec<OfferId>,
    /// The ways of buying that are allowed; at least one.
    pub purchase_kinds: Vec<PurchaseKind>,
}

/// What to apply to a new unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The image to boot.
    pub image: Option<String>,
    /// What the image runs on; `None`: anything.
    #[serde(default)]
    pub architecture: Option<Architecture>,
    /// User data, or a configuration document, given to the unit at boot.
    pub user_data: Option<String>,
    /// Tags for the unit, by name.
    pub tags: std::collections::BTreeMap<String, String>,
    /// How to tell that a unit is healthy.
    pub health_check: Option<HealthCheck>,
    /// Where to register a unit that is healthy.
    pub load_balancer: Option<String>,
}

/// How to tell that a unit is healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The path to ask for.
    pub path: String,
    /// The port to ask at.
    pub port: u16,
}

/// What is promised of a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sla {
    /// 95 % of responses are not slower than so many milliseconds.
    pub latency_ms_p95: Option<u32>,
    /// The share of time that the component must be available.
    pub availability: Option<Share>,
    /// 1 (first to give way) to 10 (last).
    pub importance: u8,
    /// The share of demand, or of time, that may be missed.
    pub objective: Option<Objective>,
    /// The share of what is wanted that must still be there after the loss of any one zone; `None`: none is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_loss: Option<Share>,
}

/// What an objective counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveMetric {
    /// The share of demand that finds no capacity.
    Unserved,
    /// The share of steps in which the latency target is missed.
    Violation,
}

/// The share of demand, or of time, that may be missed in a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// What is counted.
    pub metric: ObjectiveMetric,
    /// The share that may be missed.
    pub target: Share,
    /// The rolling window over which it is judged; 28 days by default.
    pub window: SignedDuration,
}

impl Objective {
    /// An objective over the default window of 28 days.
    pub fn over_28_days(metric: ObjectiveMetric, target: Share) -> Self {
        Self {
            metric,
            target,
            window: SignedDuration::from_hours(28 * 24),
        }
    }
}

/// A component that another one calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// The component that is called.
    pub component: ComponentName,
    /// Calls for each interaction that the caller serves.
    pub calls_per_interaction: f64,
    /// As what the calls count there.
    pub interaction_type: InteractionType,
}

/// Standby capacity of a component.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandbyPolicy {
    /// How long a standby unit takes to serve.
    pub promotion: SignedDuration,
    /// Its price as a share of a running unit's.
    pub price_share: Share,
    /// Units to keep; `None`: as many as pay for themselves.
    pub units: Option<Units>,
    /// How they are kept.
    #[serde(default)]
    pub tier: StandbyTier,
    /// What promotes them.
    #[serde(default)]
    pub promote_on: PromoteOn,
    /// How often one of them is promoted to prove that it can be; `None`: never.
    #[serde(default)]
    pub drill_every: Option<SignedDuration>,
    /// How else they may be kept; the one that costs least at equal loss is used.
    #[serde(default)]
    pub others: [Option<StandbyTerms>; 2],
}

/// What a tier of standby is offered at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandbyTerms {
    /// How a unit is kept.
    pub tier: StandbyTier,
    /// How long it takes to serve.
    pub promotion: SignedDuration,
    /// Its price as a share of a running unit's.
    pub price_share: Share,
}

impl StandbyPolicy {
    /// The terms of the tiers that may be used, the stated one first.
    pub fn terms(&self) -> impl Iterator<Item = StandbyTerms> + use<> {
        let first = StandbyTerms {
            tier: self.tier,
            promotion: self.promotion,
            price_share: self.price_share,
        };
        std::iter::once(first).chain(self.others.into_iter().flatten())
    }

    /// The same standby, kept at these terms.
    #[must_use]
    pub fn at(self, terms: StandbyTerms) -> Self {
        Self {
            tier: terms.tier,
            promotion: terms.promotion,
            price_share: terms.price_share,
            ..self
        }
    }
}

/// How a standby unit is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandbyTier {
    /// Up, and only without traffic.
    Running,
    /// Its memory lies on disk.
    Hibernated,
    /// Its disk alone is kept.
    #[default]
    Stopped,
}

impl StandbyTier {
    /// A person's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Hibernated => "hibernated",
            Self::Stopped => "stopped",
        }
    }

    /// How long a promotion usually takes. Starting a stopped machine took 34 s on one large cloud and 33 s on
    /// another in published measurements; with health check and registration a minute. An assumption until drills tell.
    pub const fn usual_promotion(self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            Self::Running => 15,
            Self::Hibernated => 40,
            Self::Stopped => 60,
        })
    }

    /// What it usually costs, as a share of the price of a running unit: its disk, and the memory written to it.
    pub const fn usual_price_share(self) -> Share {
        Share::per_mille(match self {
            Self::Running => 1_000,
            Self::Hibernated => 80,
            Self::Stopped => 50,
        })
    }
}

/// What promotes standby units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoteOn {
    /// Demand exceeds what the units in service carry, at once: the world is armed to do it by itself.
    #[default]
    OverCapacity,
    /// The budget of the objective burns too fast, over a short and a long window: one bad minute is none.
    Burn,
}

/// What a component is to be while its demand has been unknown for longer than it is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// What is there.
    Hold,
    /// The floor.
    Floor,
    /// What the highest demand of the day before it became unknown needs, and never less than what is there.
    #[default]
    PeakOfDayBefore,
    /// The ceiling.
    Ceiling,
}

impl Fallback {
    /// A person's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "what is there",
            Self::Floor => "the floor",
            Self::PeakOfDayBefore => "the peak of the day before",
            Self::Ceiling => "the ceiling",
        }
    }
}

/// How long units take to come and go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the order to a healthy unit; `None`: the distribution that the provider is known for.
    pub boot: Option<SignedDuration>,
    /// From leaving service to the end of the bill.
    pub drain: SignedDuration,
    /// From entering service to full capacity (cold caches, slow start).
    pub warm_up: SignedDuration,
    /// A unit that was started runs at least so long.
    pub lifetime: SignedDuration,
    /// The share of what served within the last hour that may be taken out of service in an hour; `None`: all.
    pub scale_in_per_hour: Option<Share>,
    /// At most so many changes between growing and shrinking in an hour; at least 3. Growing is never kept back.
    #[serde(default = "direction_changes_per_hour")]
    pub direction_changes_per_hour: u32,
    /// While demand is unknown a component is held as it is for so long, then the fallback applies.
    #[serde(default = "hold_max")]
    pub hold_max: SignedDuration,
    /// What it is to be from then on.
    #[serde(default)]
    pub fallback: Fallback,
}

/// Shrinking begins every twelve minutes at most: a boot and a drain of five minutes each, and a little.
const fn direction_changes_per_hour() -> u32 {
    12
}

/// A restart of a telemetry pipeline takes minutes; within a quarter of an hour the demand of most sites stays within
/// what is bought.
const fn hold_max() -> SignedDuration {
    SignedDuration::from_mins(15)
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            boot: None,
            drain: SignedDuration::ZERO,
            warm_up: SignedDuration::ZERO,
            lifetime: SignedDuration::ZERO,
            scale_in_per_hour: None,
            direction_changes_per_hour: direction_changes_per_hour(),
            hold_max: hold_max(),
            fallback: Fallback::default(),
        }
    }
}

impl Timing {
    /// The effective capacity of a unit that entered service so long ago, as a share of its full one:
    /// half at first (cold caches, slow start at the load balancer), growing evenly over the warm-up.
    pub fn warmth(&self, age: SignedDuration) -> f64 {
        if age >= self.warm_up || self.warm_up.is_zero() {
            return 1.0;
        }
        let grown = age.as_secs_f64().max(0.0) / self.warm_up.as_secs_f64();
        COLD_SHARE + (1.0 - COLD_SHARE) * grown
    }
}

/// Effective capacity of a unit that has just entered service. An assumption until it is learned.
const COLD_SHARE: f64 = 0.5;

/// Spending limits of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// What a month should cost; stated for people, nothing is decided by it yet.
    pub monthly: MicroUsd,
    /// Nothing beyond the floor is ordered once this month's spending, two more hours of what runs, what is on
    /// order, and the order would pass it, each at the worst price. What runs goes on.
    pub hard_cap: Option<MicroUsd>,
}

/// How much the engine may do by itself; later ones do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Watches and scores, changes nothing.
    Observe,
    /// Plans and asks for approval of everything that it would order; gives back by itself.
    Recommend,
    /// Acts, within budget, cap and approval threshold.
    Auto,
}

/// The rule by which the mode rises to the next one, and falls back, on measured regret.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModePromotion {
    /// So many days in a row must be good; whole days.
    pub after: SignedDuration,
    /// A day is good if following the engine would have cost at most so much more than the baseline, as a share.
    pub regret_max: f64,
    /// What it is held against.
    pub against: RegretBaseline,
    /// The mode that is never passed.
    pub up_to: Mode,
}

/// What the engine's decisions are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegretBaseline {
    /// A horizontal autoscaler at 60 % utilisation.
    Reactive,
    /// Perfect foresight.
    Foresight,
}

/// A mode was promoted or demoted by its rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeChange {
    /// The mode before.
    pub from: Mode,
    /// The mode from now on.
    pub to: Mode,
    /// The mean regret of the days that decided it, as a share.
    pub regret: f64,
    /// How many days those were.
    pub days: u32,
}

/// A time in which nothing may be changed, except to hold the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeWindow {
    /// First moment.
    pub start: Timestamp,
    /// First moment after.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
}
