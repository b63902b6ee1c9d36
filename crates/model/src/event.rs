//! Things that are known to happen, and what people decided: events and overrides.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ComponentName, InteractionType, MicroUsd, MilliPerMinute, Region, Share, Units};

/// Something that changes demand for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What to call it.
    pub name: String,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// First moment.
    pub start: Timestamp,
    /// First moment after.
    pub end: Timestamp,
    /// How sure it is to happen.
    pub confidence: Share,
    /// What it changes.
    pub scope: EventScope,
    /// Demand is multiplied by so much; `None`: to be learned. Not negative.
    pub uplift: Option<f64>,
}

/// What kind of thing an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A marketing campaign.
    Campaign,
    /// News.
    News,
    /// A release.
    Release,
    /// A holiday.
    Holiday,
    /// Scheduled maintenance.
    Maintenance,
    /// An incident.
    Incident,
}

/// What an event changes; an empty list means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventScope {
    /// These components.
    pub components: Vec<ComponentName>,
    /// These interaction types.
    pub interaction_types: Vec<InteractionType>,
    /// Users in these regions.
    pub regions: Vec<Region>,
}

/// A person's decision that wins over the engine's until it expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// The component it is for.
    pub component: ComponentName,
    /// What was decided.
    pub decision: OverrideDecision,
    /// From when.
    pub start: Timestamp,
    /// Until when; an override always expires.
    pub expires: Timestamp,
    /// Who decided.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// What a person decided about a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideDecision {
    /// Exactly so many units.
    Pin(Units),
    /// At least so many units.
    Floor(Units),
    /// At most so many units.
    Ceiling(Units),
    /// No change at all.
    Pause,
    /// So many more units than are required otherwise, to which units that are only kept count; they are ready when the
    /// override starts.
    Provision(Units),
    /// This demand is expected between start and expiry, whatever the forecast says.
    Forecast(StatedForecast),
}

/// Demand that a person expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedForecast {
    /// The median.
    pub median: MilliPerMinute,
    /// The 95 % quantile, not under the median; `None`: as much above the median as the forecast's own, in
    /// proportion.
    pub p95: Option<MilliPerMinute>,
}

impl Override {
    /// Whether it is in force: what must be ready when it starts is ordered before.
    pub fn holds(&self, now: Timestamp, arrival: Timestamp) -> bool {
        match self.decision {
            OverrideDecision::Provision(_) => self.start <= arrival && now < self.expires,
            OverrideDecision::Forecast(_) => self.start <= arrival && arrival < self.expires,
            OverrideDecision::Pin(_)
            | OverrideDecision::Floor(_)
            | OverrideDecision::Ceiling(_)
            | OverrideDecision::Pause => self.start <= now && now < self.expires,
        }
    }
}

/// What an override brought, judged when it was over by two fleets that are only thought of: one that followed it
/// and one that did not, with the same boots and drains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverrideScore {
    /// The override.
    pub decided: Override,
    /// What the units cost with it.
    pub cost_with: MicroUsd,
    /// What they would have cost without it.
    pub cost_without: MicroUsd,
    /// Interactions that found no capacity with it.
    pub unserved_with: f64,
    /// Interactions that would have found none without it.
    pub unserved_without: f64,
}
