//! A plan: what is wanted, what to change for it, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ComponentIndex, InstanceRange, MicroUsdPerHour, OfferIndex, Units};

/// What to change for one component. Nothing in it is left to be chosen when it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The component.
    pub component: ComponentIndex,
    /// Units it should have once everything ordered has arrived.
    pub wanted: Units,
    /// Instances to rent.
    pub orders: Vec<PlannedOrder>,
    /// Instances to give back, by id.
    pub releases: Vec<InstanceRange>,
    /// Units given back that had not begun to serve.
    pub cancelled: Units,
    /// Units given back that serve now.
    pub drained: Units,
    /// What changes in standby.
    #[serde(default, skip_serializing_if = "StandbyChange::is_empty")]
    pub standby: StandbyChange,
}

/// What a plan changes in a component's standby.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyChange {
    /// Instances to rent for standby, at the full price of a running one.
    pub orders: Vec<PlannedOrder>,
    /// Serving instances that go into standby instead of being given back; their units count as drained.
    pub demotions: Vec<InstanceRange>,
    /// Standby instances to give back.
    pub releases: Vec<InstanceRange>,
    /// Units that go into standby from service.
    pub demoted: Units,
    /// Units of standby given back.
    pub released: Units,
}

impl StandbyChange {
    /// Whether there is nothing to carry out.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.demotions.is_empty() && self.releases.is_empty()
    }

    /// Units that the orders provide together.
    pub fn ordered(&self) -> Units {
        self.orders.iter().map(|order| order.units).sum()
    }
}

/// One group of instances to rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOrder {
    /// What.
    pub offer: OfferIndex,
    /// How many instances.
    pub instances: u32,
    /// How many units they provide together.
    pub units: Units,
    /// Price of each instance.
    pub price: MicroUsdPerHour,
    /// When they must serve.
    pub ready_by: Timestamp,
}

impl Plan {
    /// A plan that changes nothing.
    pub fn keep(component: ComponentIndex, wanted: Units) -> Self {
        Self {
            component,
            wanted,
            orders: Vec::new(),
            releases: Vec::new(),
            cancelled: Units::ZERO,
            drained: Units::ZERO,
            standby: StandbyChange::default(),
        }
    }

    /// Everything that is ordered, for service and for standby.
    pub fn all_orders(&self) -> impl Iterator<Item = &PlannedOrder> + Clone {
        self.orders.iter().chain(&self.standby.orders)
    }

    /// Units that the orders provide together.
    pub fn ordered(&self) -> Units {
        self.orders.iter().map(|order| order.units).sum()
    }

    /// Leaves out what it takes out of service, or out of what would serve.
    pub fn give_nothing_back(&mut self) {
        self.releases.clear();
        self.standby.demotions.clear();
        (self.cancelled, self.drained) = (Units::ZERO, Units::ZERO);
        self.standby.demoted = Units::ZERO;
    }

    /// Whether there is nothing to carry out.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.releases.is_empty() && self.standby.is_empty()
    }
}
