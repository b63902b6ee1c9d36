//! `events/v1` and `overrides/v1`: what is known to happen, and what people decided.

use fleetcast_model::{ComponentName, EventKind, InteractionType, Region};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DecisionText, EventKindText, Fraction, InteractionText, NameText, TimeText, WordsText,
};

/// Things that are known to change demand for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an events document"))]
pub struct EventsDocument {
    /// The events, in any order.
    pub events: Vec<EventEntry>,
}

/// Something that changes demand for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an event"))]
pub struct EventEntry {
    /// What to call it.
    #[schemars(with = "WordsText")]
    pub name: String,
    /// What kind of thing it is: `campaign`, `news`, `release`, `holiday`, `maintenance` or `incident`.
    #[schemars(with = "EventKindText")]
    pub kind: EventKind,
    /// First moment, RFC 3339.
    #[schemars(with = "TimeText")]
    pub start: Timestamp,
    /// First moment after, RFC 3339.
    #[schemars(with = "TimeText")]
    pub end: Timestamp,
    /// How sure it is to happen: 1 is certain.
    #[serde(default = "certain")]
    pub confidence: Fraction,
    /// What it changes; without it everything.
    #[serde(default, skip_serializing_if = "Scope::is_everything")]
    pub scope: Scope,
    /// Demand is multiplied by so much: 2 doubles it, 0 stops it. Without it, it is learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "an uplift"))]
    pub uplift: Option<f64>,
}

fn certain() -> Fraction {
    Fraction(1.0)
}

/// What an event changes; an empty list means everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a scope"))]
pub struct Scope {
    /// These components.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<NameText>")]
    pub components: Vec<ComponentName>,
    /// These interaction types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<InteractionText>")]
    pub interaction_types: Vec<InteractionType>,
    /// Users in these regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<NameText>")]
    pub regions: Vec<Region>,
}

impl Scope {
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// People's decisions that win over the engine's until they expire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an overrides document"))]
pub struct OverridesDocument {
    /// The overrides, in any order.
    pub overrides: Vec<OverrideEntry>,
}

/// A person's decision that wins over the engine's until it expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an override"))]
pub struct OverrideEntry {
    /// The component it is for.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// What was decided: `pin` is exactly `units`, `floor` at least, `ceiling` at most; `pause` is
    /// no change at all; `provision` is `units` more than are required otherwise (units that are
    /// only kept count towards them), ready when it starts; `forecast` is a demand of `volume` from
    /// its start to its expiry, whatever the forecast says.
    #[schemars(with = "DecisionText")]
    pub decision: Decision,
    /// How many units; not with `pause` and `forecast`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000), extend("x-noun" = "a number of units"))]
    pub units: Option<u64>,
    /// With `forecast`: the median of the demand, in interactions a minute over all types.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1e12), extend("x-noun" = "a volume", "x-unit" = "interactions a minute"))]
    pub volume: Option<f64>,
    /// With `forecast`: what the demand stays under with 95 % probability; without it as much above
    /// `volume` as in the engine's own forecast, in proportion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1e12), extend("x-noun" = "a volume", "x-unit" = "interactions a minute"))]
    pub volume_p95: Option<f64>,
    /// From when, RFC 3339.
    #[schemars(with = "TimeText")]
    pub start: Timestamp,
    /// Until when, RFC 3339; an override always expires.
    #[schemars(with = "TimeText")]
    pub expires: Timestamp,
    /// Who decided.
    #[schemars(with = "WordsText")]
    pub owner: String,
    /// Why.
    #[schemars(with = "WordsText")]
    pub reason: String,
}

/// What a person decided about a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Exactly so many units.
    Pin,
    /// At least so many units.
    Floor,
    /// At most so many units.
    Ceiling,
    /// No change at all.
    Pause,
    /// So many units more.
    Provision,
    /// This demand.
    Forecast,
}
