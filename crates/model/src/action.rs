//! What an engine asks for. Each action carries a token derived from its body, so that repeating it
//! after a crash does nothing new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ComponentIndex, MicroUsd, MicroUsdPerHour, OfferIndex, Token, Units};

/// One thing the engine asks its world to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Rent instances.
    Order(Order),
    /// Put healthy instances into service.
    Register(InstanceRange),
    /// Give instances back: those in service drain first, the others are cancelled.
    Release(InstanceRange),
    /// Fit a component's forecasting model.
    Fit(FitRequest),
    /// Ask a person whether a change may be made.
    RequestApproval(ApprovalRequest),
    /// Store that the fleet state now counts so many units.
    UpdateFleetState(FleetStateUpdate),
}

/// Instances to rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Derived from the rest of the order and when it was placed.
    pub token: Token,
    /// For whom.
    pub component: ComponentIndex,
    /// What.
    pub offer: OfferIndex,
    /// How many.
    pub instances: u32,
    /// When they must serve.
    pub ready_by: Timestamp,
    /// The price that was planned with, each.
    pub price: MicroUsdPerHour,
}

/// Instances of one order, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRange {
    /// The order they came from.
    pub token: Token,
    /// Index of the first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Asks for a model to be fitted; its result comes back as [`crate::Fitted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitRequest {
    /// The component to forecast.
    pub component: ComponentIndex,
    /// Counts the requests of this component.
    pub request: u64,
}

/// Asks a person whether a change may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The change set, by its hash.
    pub change_set: Token,
    /// For whom.
    pub component: ComponentIndex,
    /// At most so many more units.
    pub units: Units,
    /// What they cost over the next two hours.
    pub cost: MicroUsd,
    /// The threshold that this is over.
    pub threshold: MicroUsd,
}

/// What the fleet state document is to say of a component from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetStateUpdate {
    /// The component.
    pub component: ComponentIndex,
    /// Units in service.
    pub current: Units,
    /// Units that are wanted.
    pub desired: Units,
}
