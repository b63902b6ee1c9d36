//! The built-in example: a **synthetic** shop in Europe with five weeks of **synthetic** demand.
//!
//! Nothing here was measured. The shop exists so that every part of Fleetcast can be tried without
//! data of one's own, and its names say that it is synthetic wherever they can be seen. Weeks run
//! in Berlin's civil time and hold what makes forecasting hard: a change of the clocks, an evening
//! that was announced, a rush that was not, a maintenance window, and telemetry that is missing.

mod demand;
mod fleet;
mod history;
mod persona;
mod shape;

use fleetcast_model::{Event, EventKind, EventScope, Fleet, InteractionType, Persona, Share};
use jiff::{SignedDuration, Timestamp};

pub use demand::{DemandRow, demand};
pub use history::{HISTORY_HEADER, history_csv, write_history};

/// The civil time that the shop's customers live in.
pub const TIME_ZONE: &str = "Europe/Berlin";
/// Where the shop's customers are, as it stands in the history.
pub const REGION: &str = "synthetic-europe";
/// The first minute of the demand: Monday 2026-03-02, 01:00 in Berlin.
pub const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
/// How many minutes of demand there are: five weeks. The clocks change on the last Sunday but one.
pub const MINUTES: u32 = 35 * 24 * 60;
/// The kinds of interaction, in the order of the rows of each minute.
pub const TYPES: [InteractionType; 4] = [
    InteractionType::Search,
    InteractionType::ContentView,
    InteractionType::Transaction,
    InteractionType::ApiCall,
];

/// The evening sale: Wednesday 2026-04-01, 18:00 to 22:00 in Berlin.
pub const CAMPAIGN: (Timestamp, Timestamp) = (
    Timestamp::constant(1_775_059_200, 0),
    Timestamp::constant(1_775_073_600, 0),
);
/// What the sale multiplies demand by while it is on.
pub const CAMPAIGN_UPLIFT: f64 = 1.8;
/// The news report that nobody announced: Thursday 2026-04-02, 11:40 in Berlin. Demand triples
/// within four minutes and falls back over an hour.
pub const NEWS: Timestamp = Timestamp::constant(1_775_122_800, 0);
/// The maintenance window: Tuesday 2026-03-31, 02:00 to 02:30 in Berlin.
pub const MAINTENANCE: (Timestamp, Timestamp) = (
    Timestamp::constant(1_774_915_200, 0),
    Timestamp::constant(1_774_917_000, 0),
);
/// What demand falls to during maintenance, as a share.
pub const MAINTENANCE_UPLIFT: f64 = 0.25;
/// Telemetry is missing from the fifth minute of the maintenance window for twenty minutes.
pub const BLACKOUT: (Timestamp, Timestamp) = (
    Timestamp::constant(1_774_915_500, 0),
    Timestamp::constant(1_774_916_700, 0),
);

/// The synthetic shop.
#[derive(Clone, Debug, PartialEq)]
pub struct ExampleShop {
    /// Three components on AWS and Google Cloud.
    pub fleet: Fleet,
    /// What its authors expect of its customers: roughly, not exactly, what they do.
    pub persona: Persona,
    /// What is known ahead: the sale and the maintenance, not the news.
    pub events: Vec<Event>,
}

/// The synthetic shop: its fleet, its persona and the events that are known ahead.
pub fn shop() -> ExampleShop {
    ExampleShop {
        fleet: fleet::fleet(),
        persona: persona::persona(),
        events: events(),
    }
}

/// The first minute after the demand.
pub fn end() -> Timestamp {
    START + SignedDuration::from_mins(i64::from(MINUTES))
}

fn events() -> Vec<Event> {
    let event = |name: &str, kind, (start, end), confidence, uplift| Event {
        name: name.to_string(),
        kind,
        start,
        end,
        confidence: Share::new(confidence).expect("a share"),
        scope: EventScope::default(),
        uplift: Some(uplift),
    };
    vec![
        event(
            "synthetic: night maintenance",
            EventKind::Maintenance,
            MAINTENANCE,
            1.0,
            MAINTENANCE_UPLIFT,
        ),
        event(
            "synthetic: evening sale",
            EventKind::Campaign,
            CAMPAIGN,
            0.9,
            CAMPAIGN_UPLIFT,
        ),
    ]
}

#[cfg(test)]
#[path = "example/tests.rs"]
mod tests;
