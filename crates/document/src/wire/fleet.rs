//! `fleet-state/v1`: what a site's fleet is and should be.

use std::collections::BTreeMap;

use fleetcast_model::{
    self as model, Architecture, ComponentName, Fallback, FleetName, InteractionType, Mode,
    ObjectiveMetric, OfferId, PromoteOn, ProviderKind, PurchaseKind, QuotaCount, Region,
    RegretBaseline, StandbyTier, Zone,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ArchitectureText, FallbackText, Fraction, InteractionText, IsoDuration, ModeText, Money,
    NameText, ObjectiveText, PromoteText, ProviderText, PurchaseText, QuotaCountText, RegretText,
    TierText, TimeText, TypePatternText, WordsText,
};

/// What a site's fleet is and should be. Capacity is counted in units of a component, a unit being
/// a stated amount of CPU and memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a fleet state"))]
pub struct FleetState {
    /// The fleet's name.
    #[schemars(with = "NameText")]
    pub name: FleetName,
    /// How much the engine may do by itself: `observe` watches and scores and changes nothing,
    /// `recommend` asks for approval before it orders anything beyond the floor, and gives back by
    /// itself what is no longer needed, `auto` acts within the hard cap and the approval threshold.
    #[serde(default = "default_mode")]
    #[schemars(with = "ModeText")]
    pub mode: Mode,
    /// When the mode rises to the next one by itself, and falls back; without it only a person changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode_promotion: Option<ModePromotion>,
    /// Spending limits; without it there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// A change that costs more than this over the next two hours needs an approval; without it
    /// none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_threshold: Option<Money>,
    /// Times in which nothing may be changed, except to hold the floor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze_windows: Vec<FreezeWindow>,
    /// What providers let all components together have at once: no order passes it. Without it nothing is
    /// known to be limited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub quotas: Vec<Quota>,
    /// How demand becomes known; without it all of it is known at the end of its step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// The parts of the fleet that scale by themselves.
    #[schemars(length(min = 1, max = 1_000))]
    pub components: Vec<Component>,
}

fn default_mode() -> Mode {
    Mode::Recommend
}

/// The rule by which the mode rises to the next one, and falls back, on measured regret: what following
/// the engine would have cost each day, with demand that it would have left unserved priced as the
/// objective values it, beside what the baseline would have cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a promotion rule"))]
pub struct ModePromotion {
    /// So many days in a row must be good; at least one day, in whole days.
    #[serde(default = "default_after")]
    pub after: IsoDuration,
    /// A day is good if the engine would have cost at most so much more than the baseline: 0.25 is a
    /// quarter more, -0.1 a tenth less.
    #[schemars(range(min = -1, max = 100), extend("x-noun" = "a regret"))]
    pub regret_max: f64,
    /// The baseline: `reactive` is a horizontal autoscaler at 60 % utilisation, `foresight` knows all demand.
    #[serde(default = "default_against")]
    #[schemars(with = "RegretText")]
    pub against: RegretBaseline,
    /// The mode that is never passed.
    #[serde(default = "default_up_to")]
    #[schemars(with = "ModeText")]
    pub up_to: Mode,
}

fn default_after() -> IsoDuration {
    IsoDuration(SignedDuration::from_hours(14 * 24))
}

fn default_against() -> RegretBaseline {
    RegretBaseline::Reactive
}

fn default_up_to() -> Mode {
    Mode::Auto
}

/// Spending limits of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a budget"))]
pub struct Budget {
    /// What a month should cost. It is stated for people; nothing enforces it yet.
    pub monthly: Money,
    /// Stops new orders, except those that the floor needs, once this month's spending, what runs for
    /// two more hours, what is on order and the order itself would together pass it, each at the worst
    /// price that it may come to. It does not shut down what runs, so a month can still cost more. Not
    /// below `monthly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_cap: Option<Money>,
}

/// A time in which nothing may be changed, except to hold the floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a freeze window"))]
pub struct FreezeWindow {
    /// First moment, RFC 3339.
    #[schemars(with = "TimeText")]
    pub start: Timestamp,
    /// First moment after, RFC 3339.
    #[schemars(with = "TimeText")]
    pub end: Timestamp,
    /// Why.
    #[schemars(with = "WordsText")]
    pub reason: String,
}

/// How demand becomes known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "the telemetry"))]
pub struct Telemetry {
    /// From the end of a step until its demand is told, an hour at most: scrape interval, aggregation, export.
    #[serde(default = "no_delay")]
    pub delay: IsoDuration,
    /// Only what was served is counted, as by most load balancers and applications: what the units in service
    /// could not carry is not in the figures. It is filled in, so that the fleet does not learn from being too small.
    #[serde(default)]
    pub served_only: bool,
}

fn no_delay() -> IsoDuration {
    IsoDuration(SignedDuration::ZERO)
}

/// How much a provider lets all components of the fleet have at once, in one region. Everything that is there
/// counts: what boots, serves, stands by and drains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a quota"))]
pub struct Quota {
    /// What you call it, unique in the fleet, such as `standard on demand`.
    #[schemars(with = "WordsText")]
    pub name: String,
    /// The provider.
    #[schemars(with = "ProviderText")]
    pub provider: ProviderKind,
    /// Its region.
    #[schemars(with = "NameText")]
    pub region: Region,
    /// The ways of buying that count; without it all do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<PurchaseText>")]
    pub purchase_kinds: Vec<PurchaseKind>,
    /// The types that count, such as `m7i.large` or, with `*` for the rest of a name, `m*`; without it all do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<TypePatternText>", length(max = 100))]
    pub instance_types: Vec<String>,
    /// At most so much at once.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a limit"))]
    pub limit: u64,
    /// What the limit counts: `vcpu` or `instances`.
    #[serde(default)]
    #[schemars(with = "QuotaCountText")]
    pub counts: QuotaCount,
}

/// One part of a fleet that scales by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a component"))]
pub struct Component {
    /// Its name, unique in the fleet.
    #[schemars(with = "NameText")]
    pub name: ComponentName,
    /// What one unit is.
    pub unit: Unit,
    /// Where it may run. Of all the offers that they allow the cheapest is chosen; their order does
    /// not matter.
    #[schemars(length(min = 1))]
    pub placements: Vec<Placement>,
    /// Never fewer units than this.
    #[serde(default = "default_floor")]
    #[schemars(range(min = 1, max = 1_000_000), extend("x-noun" = "a floor"))]
    pub floor: u64,
    /// Never more units than this; not below the floor.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-noun" = "a ceiling"))]
    pub ceiling: u64,
    /// Units that are wanted now, if somebody has said so. Kept, not used yet: an override is what
    /// the engine follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub desired: Option<u64>,
    /// Units that run now, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub current: Option<u64>,
    /// The interaction types whose users' volume it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<InteractionText>")]
    pub serves: Vec<InteractionType>,
    /// The components that it calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub depends_on: Vec<Dependency>,
    /// What is promised.
    #[serde(default)]
    pub sla: Sla,
    /// What to apply to a new unit.
    #[serde(default, skip_serializing_if = "Configuration::is_default")]
    pub configuration: Configuration,
    /// Whether it holds data: then it scales out only, and its units live long.
    #[serde(default)]
    pub stateful: bool,
    /// Standby capacity; without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<Standby>,
    /// How long its units take to come and go.
    #[serde(default)]
    pub timing: Timing,
}

fn default_floor() -> u64 {
    1
}

/// The amount of resources that one unit of a component is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a unit"))]
pub struct Unit {
    /// CPU of one unit in cores; decimals are allowed, thousandths are the smallest part.
    #[schemars(range(max = 10_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "the CPU of a unit", "x-unit" = "cores"))]
    pub cpu_cores: f64,
    /// Memory of one unit in GB (10⁹ bytes); decimals are allowed.
    #[schemars(range(max = 4_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "the memory of a unit", "x-unit" = "GB"))]
    pub memory_gb: f64,
    /// Disk operations of one unit in a second, if they limit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of disk operations", "x-unit" = "operations a second"))]
    pub disk_io_ops: Option<f64>,
    /// Network bandwidth of one unit in Mbps (10⁶ bits a second), if it limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "bandwidth", "x-unit" = "Mbps"))]
    pub network_bandwidth_mbps: Option<f64>,
    /// Storage of one unit in GB (10⁹ bytes), if it limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_000_000), extend("x-noun" = "storage", "x-unit" = "GB"))]
    pub storage_gb: Option<f64>,
}

/// Where a component may run and what may be rented there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a placement"))]
pub struct Placement {
    /// The provider: `aws`, `azure`, `gcp`, `kubernetes`, `own` (your machines, containers on them), or
    /// `simulated`.
    #[schemars(with = "ProviderText")]
    pub provider: ProviderKind,
    /// The provider's region, such as `us-east-1`.
    #[schemars(with = "NameText")]
    pub region: Region,
    /// The zones that may be used: each order names one of them. Empty: any, as the provider chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<NameText>")]
    pub zones: Vec<Zone>,
    /// The offers of the catalogue that may be rented, such as `aws/us-east-1/m7i.xlarge` for the type in
    /// any zone and in all the ways of buying below; empty: all in this region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<NameText>")]
    pub offers: Vec<OfferId>,
    /// The ways of buying that are allowed: `on_demand` at the list price, `spot` cheaper and taken
    /// back at short notice, `reserved` committed for a year or more, `standby` booted ahead and
    /// kept out of service.
    #[serde(default = "default_purchase_kinds")]
    #[schemars(with = "Vec<PurchaseText>", length(min = 1))]
    pub purchase_kinds: Vec<PurchaseKind>,
}

fn default_purchase_kinds() -> Vec<PurchaseKind> {
    vec![PurchaseKind::OnDemand]
}

/// What to apply to a new unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a configuration"))]
pub struct Configuration {
    /// The image to boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What the image runs on: `x86_64` or `arm64`; without it, on both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ArchitectureText")]
    pub architecture: Option<Architecture>,
    /// User data, or a configuration document, given to the unit at boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// Tags for the unit, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How to tell that a unit is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Where to register a unit that is healthy, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<String>,
}

impl Configuration {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How to tell that a unit is healthy: an HTTP request to it succeeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a health check"))]
pub struct HealthCheck {
    /// The path to ask for, such as `/healthz`.
    #[schemars(extend("pattern" = "^/", "x-noun" = "a path", "x-hint" = "start it with `/`, such as `/healthz`"))]
    pub path: String,
    /// The port to ask at.
    #[schemars(range(min = 1, max = 65535), extend("x-noun" = "a port"))]
    pub port: u16,
}

/// What is promised of a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an SLA"))]
pub struct Sla {
    /// 95 % of responses are not slower than so many milliseconds. Where the persona states a
    /// target too, the stricter one binds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000), extend("x-noun" = "a latency target", "x-unit" = "ms"))]
    pub latency_ms_p95: Option<u32>,
    /// The share of time that the component must be available, such as 0.999 or "99.9%". Kept, not
    /// used yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Fraction>,
    /// How important the component is when quotas or money do not suffice for all: 1 gives way first, 10
    /// last.
    #[serde(default = "default_importance")]
    #[schemars(range(min = 1, max = 10), extend("x-noun" = "importance"))]
    pub importance: u8,
    /// The share of demand, or of time, that may be missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// The share of the wanted units that must still be there after the loss of any one zone, such as "70%";
    /// "100%" is one zone more than is needed. Every placement then names its zones, at least two in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_loss: Option<Fraction>,
}

fn default_importance() -> u8 {
    5
}

impl Default for Sla {
    fn default() -> Self {
        Self {
            latency_ms_p95: None,
            availability: None,
            importance: default_importance(),
            objective: None,
            zone_loss: None,
        }
    }
}

/// The share of demand, or of time, that may be missed in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an objective"))]
pub struct Objective {
    /// What is counted: `unserved` is the share of demand that finds no capacity, `violation` the
    /// share of steps in which the latency target is missed.
    #[schemars(with = "ObjectiveText")]
    pub metric: ObjectiveMetric,
    /// The share that may be missed, such as "0.5%" or 0.005; more than 0 and less than 1.
    pub target: Fraction,
    /// The rolling window over which it is judged. Kept, not used yet.
    #[serde(default = "default_window")]
    pub window: IsoDuration,
}

fn default_window() -> IsoDuration {
    IsoDuration(SignedDuration::from_hours(28 * 24))
}

/// A component that another one calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a dependency"))]
pub struct Dependency {
    /// The component that is called.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// Calls for each interaction that the caller serves.
    #[serde(default = "default_calls")]
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "a number of calls"))]
    pub calls_per_interaction: f64,
    /// As what the calls count there.
    #[serde(default = "default_call_type")]
    #[schemars(with = "InteractionText")]
    pub interaction_type: InteractionType,
}

fn default_calls() -> f64 {
    1.0
}

fn default_call_type() -> InteractionType {
    InteractionType::ApiCall
}

/// Standby capacity of a component: units that are booted ahead and kept out of service, at a share of
/// the price, for what no forecast sees in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a standby policy"))]
pub struct Standby {
    /// How it is kept: `running` is up and only lacks traffic, `hibernated` has its memory on disk, `stopped`
    /// has its disk alone. It decides `promotion` and `price_share` where they are not stated: 15 s at the full
    /// price, 40 s at 8 %, 60 s at 5 % (assumptions; measure your own).
    #[serde(default)]
    #[schemars(with = "TierText")]
    pub tier: StandbyTier,
    /// How long a standby unit takes to serve; without it what the tier is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<IsoDuration>,
    /// Its price as a share of a running unit's; without it what the tier is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_share: Option<Fraction>,
    /// Units to keep; without it as many as pay for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub units: Option<u64>,
    /// What promotes them: `over_capacity` as soon as demand exceeds what serves, `burn` when the objective's
    /// budget burns too fast over a short and a long window, so that one bad minute promotes nothing.
    #[serde(default)]
    #[schemars(with = "PromoteText")]
    pub promote_on: PromoteOn,
    /// How often one standby unit is promoted to prove that it can be; without it every week, `PT0S` never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill_every: Option<IsoDuration>,
    /// How else it may be kept. The tier is used that would have cost least for the same unserved demand, on
    /// this component's own history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_tiers: Vec<OtherTier>,
}

/// Another tier that standby may be kept in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a tier of standby"))]
pub struct OtherTier {
    /// How it is kept.
    #[schemars(with = "TierText")]
    pub tier: StandbyTier,
    /// How long a standby unit takes to serve; without it what the tier is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<IsoDuration>,
    /// Its price as a share of a running unit's; without it what the tier is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_share: Option<Fraction>,
}

/// How long units take to come and go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "the timing of a component"))]
pub struct Timing {
    /// From the order to a healthy unit; without it what the provider is known for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<IsoDuration>,
    /// From leaving service to the end of the bill. Five minutes is how long cloud load balancers
    /// wait by default for open requests.
    #[serde(default = "default_drain")]
    pub drain: IsoDuration,
    /// From entering service to full capacity (cold caches, slow start).
    #[serde(default = "default_warm_up")]
    pub warm_up: IsoDuration,
    /// A unit that was started runs at least so long, whatever demand does.
    #[serde(default = "default_warm_up")]
    pub lifetime: IsoDuration,
    /// At most this share of what served within the last hour is taken out of service in an hour,
    /// rounded up, such as "25%"; without it as much as demand lets go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_in_per_hour: Option<Fraction>,
    /// At most so many changes between growing and shrinking in an hour, from 3 on. Growing is never kept back, so
    /// shrinking is begun at most half as often as this, less one.
    #[serde(default = "default_direction_changes")]
    #[schemars(range(min = 3, max = 1_000), extend("x-noun" = "a number of changes of direction"))]
    pub direction_changes_per_hour: u32,
    /// While the demand is unknown (missing, stale, no number) what is there is kept for so long, then `fallback`
    /// applies, with an alert at the start and at the end.
    #[serde(default = "default_hold_max")]
    pub hold_max: IsoDuration,
    /// What a component is to be from then on: `peak_of_day_before` is what the highest demand of the day before
    /// needs, and never less than what is there; `hold` goes on keeping what is there; `ceiling` and `floor` are the
    /// component's own. Only `floor` gives anything back.
    #[serde(default)]
    #[schemars(with = "FallbackText")]
    pub fallback: Fallback,
}

fn default_direction_changes() -> u32 {
    model::Timing::default().direction_changes_per_hour
}

fn default_hold_max() -> IsoDuration {
    IsoDuration(model::Timing::default().hold_max)
}

fn default_drain() -> IsoDuration {
    IsoDuration(SignedDuration::from_mins(5))
}

fn default_warm_up() -> IsoDuration {
    IsoDuration(SignedDuration::ZERO)
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            boot: None,
            drain: default_drain(),
            warm_up: default_warm_up(),
            lifetime: default_warm_up(),
            scale_in_per_hour: None,
            direction_changes_per_hour: default_direction_changes(),
            hold_max: default_hold_max(),
            fallback: Fallback::default(),
        }
    }
}
