//! What an engine is told: demand, the fleet as the provider lists it, and results of its actions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Bytes, ComponentIndex, ContentHash, InstanceRange, Iops, KilobitsPerSecond, MicroUsdPerHour,
    MilliCores, ModelForm, OfferIndex, PerMinute, Token, Units,
};

/// One thing the engine is told. Results of actions come back only this way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// Demand that was offered in an interval.
    Demand(DemandObserved),
    /// The fleet as the provider lists it.
    Inventory(Inventory),
    /// A model was fitted: the result of [`crate::Action::Fit`].
    Fitted(Fitted),
    /// A person answered a request for approval.
    Approval(Approval),
    /// The provider refused an order.
    Refused(Refused),
    /// What a component used in an interval.
    Use(UseObserved),
    /// Prices have changed.
    Prices(PricesObserved),
    /// Another engine leads: nothing of this one's last step was carried out.
    Fenced(Fenced),
}

/// Prices that have changed; all others are what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricesObserved {
    /// When the provider was asked.
    pub as_of: Timestamp,
    /// The new prices.
    pub prices: Vec<OfferPrice>,
}

/// What an offer costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferPrice {
    /// The offer.
    pub offer: OfferIndex,
    /// The price of one instance; zero: nobody knows.
    pub price: MicroUsdPerHour,
}

/// Another engine leads, under a later term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fenced {
    /// The latest term that anybody has led under.
    pub term: u64,
}

/// Demand that was *offered* (not what was served) in an interval, by interaction type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemandObserved {
    /// First moment of the interval.
    pub from: Timestamp,
    /// First moment after it.
    pub until: Timestamp,
    /// One volume for each interaction type of the fleet, in the engine's order; `None`: nobody knows.
    pub per_minute: Vec<Option<PerMinute>>,
}

/// What a component used in the interval of a demand observation, told with it or after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UseObserved {
    /// The component.
    pub component: ComponentIndex,
    /// First moment of the interval.
    pub from: Timestamp,
    /// First moment after it; what is not of the last demand's interval teaches nothing.
    pub until: Timestamp,
    /// Units that were in service; `None`: nobody knows, so neither whether they were full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
    /// The amounts, over all of its units.
    pub used: ResourceUse,
    /// The 95 % quantile of the latency in milliseconds, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms_p95: Option<f64>,
}

/// Amounts of resources in use; `None`: not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceUse {
    /// CPU that was busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<MilliCores>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Disk operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_io: Option<Iops>,
    /// Bandwidth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<KilobitsPerSecond>,
    /// Storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Bytes>,
}

/// A listing of the fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// When the provider was asked.
    pub as_of: Timestamp,
    /// Whether the listing reached its last page; absence means nothing in one that did not.
    pub complete: bool,
    /// Instances in groups that are alike.
    pub cohorts: Vec<Cohort>,
}

/// Instances of one order that are in the same state; ids are `token#first` … `token#(first+count-1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// The order they came from.
    pub token: Token,
    /// Index of the first within its order.
    pub first: u32,
    /// How many instances.
    pub count: u32,
    /// The component they are for.
    pub component: ComponentIndex,
    /// What was rented.
    pub offer: OfferIndex,
    /// Where they are in their life.
    pub state: InstanceState,
    /// Since when they are in that state.
    pub since: Timestamp,
}

impl InstanceState {
    /// Whether it was ordered and neither serves nor stands by yet: its order's lease holds it.
    pub fn is_on_order(self) -> bool {
        matches!(
            self,
            Self::Booting | Self::Configuring | Self::Healthy | Self::Preparing
        )
    }
}

impl Cohort {
    /// Whether a range begins with one of these instances.
    pub fn has(&self, range: &InstanceRange) -> bool {
        self.token == range.token && (self.first..self.first + self.count).contains(&range.first)
    }
}

/// Where an instance is in its life. All states are billed: standby at its share of the price, all others in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Ordered, and not yet up.
    Booting,
    /// Up, and applying its configuration.
    Configuring,
    /// Configured, healthy, and not yet in service.
    Healthy,
    /// Serving users.
    InService,
    /// Out of service, finishing what it had begun.
    Draining,
    /// Ordered for standby, and not yet up.
    Preparing,
    /// Booted and kept out of service, to be promoted at short notice.
    Standby,
    /// On its way from standby into service.
    Promoting,
    /// Out of service, finishing what it had begun; from then on it is standby again.
    Demoting,
    /// Still serving, and about to be taken back by the provider: its notice has come.
    Interrupted,
}

impl InstanceState {
    /// Whether it is on its way out for good.
    pub fn is_going(self) -> bool {
        matches!(self, Self::Draining | Self::Interrupted)
    }

    /// Whether it is on its way out of service, for good or into standby.
    pub fn is_leaving(self) -> bool {
        self.is_going() || self == Self::Demoting
    }

    /// Whether it serves or is on its way into service.
    pub fn is_counted(self) -> bool {
        !self.is_leaving() && !matches!(self, Self::Preparing | Self::Standby)
    }
}

/// A fitted model came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The component it forecasts.
    pub component: ComponentIndex,
    /// The request that it answers.
    pub request: u64,
    /// Which of the component's models it is.
    #[serde(default, skip_serializing_if = "ModelForm::is_linear")]
    pub form: ModelForm,
    /// The model's parameters; empty if the fit failed and the model before stays.
    pub parameters: Vec<f64>,
}

/// A person's answer to a request for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The change set that was approved or refused.
    pub change_set: ContentHash,
    /// Whether it may be carried out.
    pub granted: bool,
}

/// The provider refused an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The order.
    pub token: Token,
    /// What was wanted.
    pub offer: OfferIndex,
}
