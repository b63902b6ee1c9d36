//! `confirmation/v1`: what came of a plan that was applied.

use fleetcast_model::{
    ChangeAction, ComponentName, ContentHash, FleetName, OfferId, ProviderKind, PurchaseKind,
    Region,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ChangeActionText, HashText, Money, NameText, ProviderText, PurchaseText, TimeText, WordsText,
};

/// What was ordered, what came, when, and at what price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a confirmation"))]
pub struct Confirmation {
    /// The fleet.
    #[schemars(with = "NameText")]
    pub fleet: FleetName,
    /// The changes that were applied, by their hash.
    #[schemars(with = "HashText")]
    pub change_set_hash: ContentHash,
    /// When, RFC 3339.
    #[schemars(with = "TimeText")]
    pub applied_at: Timestamp,
    /// Whether a person approved exactly these changes.
    pub approved: bool,
    /// The hash of the fleet state before.
    #[schemars(with = "HashText")]
    pub parent: ContentHash,
    /// The hash of the fleet state after.
    #[schemars(with = "HashText")]
    pub result: ContentHash,
    /// What came of each change.
    pub changes: Vec<ConfirmedChange>,
    /// What the fleet pays an hour for what came, beside what it paid before.
    pub price_per_hour_added: Money,
}

/// What came of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a confirmed change"))]
pub struct ConfirmedChange {
    /// The component.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// What was done.
    #[schemars(with = "ChangeActionText")]
    pub action: ChangeAction,
    /// The provider.
    #[schemars(with = "ProviderText")]
    pub provider: ProviderKind,
    /// Its region.
    #[schemars(with = "NameText")]
    pub region: Region,
    /// The offer.
    #[schemars(with = "NameText")]
    pub offer: OfferId,
    /// How it is bought.
    #[schemars(with = "PurchaseText")]
    pub purchase_kind: PurchaseKind,
    /// Instances that were asked for.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of instances"))]
    pub instances_asked: u64,
    /// Instances that came, or that were given back.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of instances"))]
    pub instances_done: u64,
    /// The units that they are.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub units_done: u64,
    /// The price that was paid for each instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_hour: Option<Money>,
    /// When it was ordered, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeText>")]
    pub ordered_at: Option<Timestamp>,
    /// When the last instance served, or was gone, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TimeText>")]
    pub done_at: Option<Timestamp>,
    /// Why not all of it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<WordsText>")]
    pub refused: Option<String>,
}
