//! What an engine asks for. Each action carries a token derived from its body, so that repeating it
//! after a crash does nothing new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ComponentIndex, ContentHash, MicroUsd, MicroUsdPerHour, OfferIndex, StandbyTier, Token, Units,
};

/// One thing the engine asks its world to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Rent instances.
    Order(Order),
    /// Go on waiting for what is on its way from an order.
    Renew(Renewal),
    /// Put healthy instances into service.
    Register(InstanceRange),
    /// Give instances back: those in service drain first, the others are cancelled.
    Release(InstanceRange),
    /// Let the world promote standby units by itself: minutes decide, and the engine looks once a step.
    Arm(Arming),
    /// Bring standby instances into service.
    Promote(InstanceRange),
    /// Take instances out of service and, once they have drained, into standby.
    Demote(InstanceRange),
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
    /// They go into standby once they are up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standby: bool,
    /// What neither serves nor stands by at that moment is given up, unless it was renewed: an engine that is dead
    /// leaves nothing behind that goes on growing. What serves by then has no expiry.
    pub lease_until: Timestamp,
}

/// A longer lease for what is still on its way from an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The order.
    pub token: Token,
    /// When what is still on its way then is given up.
    pub lease_until: Timestamp,
}

/// When the world promotes standby units of a component by itself. What it did is seen in the next listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arming {
    /// The component.
    pub component: ComponentIndex,
    /// As soon as demand exceeds what the units in service carry, as many are promoted as are missing.
    pub over_capacity: bool,
    /// How what stands by is kept from now on.
    #[serde(default)]
    pub tier: StandbyTier,
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
    /// Which of its models.
    #[serde(default, skip_serializing_if = "ModelForm::is_linear")]
    pub form: ModelForm,
}

/// The models that forecast demand at arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelForm {
    /// Quantiles of demand, linear in its features.
    #[default]
    Linear,
    /// Quantiles of the square root of demand, linear in the roots of its features.
    Root,
}

impl ModelForm {
    /// Whether it is the linear one.
    pub fn is_linear(&self) -> bool {
        *self == Self::Linear
    }
}

/// Asks a person whether a change may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The change set, by its hash.
    pub change_set: ContentHash,
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
