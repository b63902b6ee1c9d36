//! `provisional-fleet-state/v1`: a fleet state with the changes that are about to be made to it.

pub use fleetcast_model::ChangeAction;
use fleetcast_model::{ComponentName, OfferId, ProviderKind, PurchaseKind, Region, Zone};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ChangeActionText, ChangeReasonText, FleetState, Fraction, HashText, Money, NameText,
    PlanAccount, ProviderText, PurchaseText, TimeText, WordsText,
};
use crate::ContentHash;

/// A fleet state with the changes that are about to be made to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a provisional fleet state"))]
pub struct ProvisionalDocument {
    /// All of a fleet state's members.
    #[serde(flatten)]
    pub fleet: FleetState,
    /// The changes, in the order in which they were decided.
    pub provisional_changes: Vec<ProvisionalChange>,
    /// What an approval binds to: the hash of what the changes may do and cost at most (place,
    /// offer, purchase kind, count, price, `ready_by`, `expires`), without costs, reasons or SLAs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HashText>")]
    pub change_set_hash: Option<ContentHash>,
    /// How the changes came about, as `fleetcast plan` writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanAccount>,
}

/// One change that is about to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a provisional change"))]
pub struct ProvisionalChange {
    /// The component that changes.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// What happens: `add` rents instances, `remove` gives them back, `promote` puts standby
    /// instances into service.
    #[schemars(with = "ChangeActionText")]
    pub action: ChangeAction,
    /// The provider.
    #[schemars(with = "ProviderText")]
    pub provider: ProviderKind,
    /// The provider's region.
    #[schemars(with = "NameText")]
    pub region: Region,
    /// The zone, if it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NameText>")]
    pub zone: Option<Zone>,
    /// The offer of the catalogue.
    #[schemars(with = "NameText")]
    pub offer: OfferId,
    /// How it is bought: `on_demand`, `spot`, `reserved` or `standby`.
    #[schemars(with = "PurchaseText")]
    pub purchase_kind: PurchaseKind,
    /// At most so many instances.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-noun" = "a number of instances"))]
    pub instances: u64,
    /// The units of the component that they are.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub units: u64,
    /// The price of one instance for an hour, at most; without it the price was not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_hour_max: Option<Money>,
    /// When it must be ready, RFC 3339.
    #[schemars(with = "TimeText")]
    pub ready_by: Timestamp,
    /// When it must be ordered to be ready by then, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeText>")]
    pub order_by: Option<Timestamp>,
    /// When an approval of it ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeText>")]
    pub expires: Option<Timestamp>,
    /// What it is expected to cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostRange>,
    /// The SLA that it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla: Option<ServedSla>,
    /// Why, by number of units; the units add up to `units`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ChangeCause>,
}

/// What a change is expected to cost, with its range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a cost"))]
pub struct CostRange {
    /// What is expected.
    pub expected: Money,
    /// What it costs at least, as far as the forecast can tell.
    pub low: Money,
    /// What it costs at most, as far as the forecast can tell.
    pub high: Money,
}

/// The SLA that a change serves, as it stood when the change was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a served SLA"))]
pub struct ServedSla {
    /// Its importance, 1 to 10.
    #[schemars(range(min = 1, max = 10), extend("x-noun" = "importance"))]
    pub importance: u8,
    /// Its latency target at p95 in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000), extend("x-noun" = "a latency target", "x-unit" = "ms"))]
    pub latency_ms_p95: Option<u32>,
    /// The share that its objective allows to be missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Fraction>,
}

/// One reason for a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a cause"))]
pub struct ChangeCause {
    /// The kind of reason.
    #[schemars(with = "ChangeReasonText")]
    pub reason: ChangeReason,
    /// Which one, such as the name of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<WordsText>")]
    pub name: Option<String>,
    /// How many units it accounts for.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub units: u64,
}

/// Why a unit is wanted, or no longer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeReason {
    /// The floor of the fleet state.
    Floor,
    /// Demand as it is now.
    Baseline,
    /// The time of the day, the week or the year.
    Season,
    /// Other demand that is forecast for when an order arrives.
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
    /// Spot instances may be taken back.
    SpotRisk,
    /// A zone may be lost.
    ZoneLoss,
    /// Standby capacity.
    Standby,
    /// A person decided.
    Override,
    /// A policy other than Fleetcast's own wants it.
    Policy,
    /// Instances come whole: more units than were wanted.
    WholeInstances,
    /// Of what is given back: no reason is left to keep it.
    Surplus,
}
