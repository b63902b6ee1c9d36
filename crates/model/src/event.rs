//! Things that are known to happen, and what people decided: events and overrides.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ComponentName, InteractionType, Region, Share, Units};

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
}
