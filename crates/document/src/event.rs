//! Events and overrides: from JSON's types to the validated ones, and back.

use fleetcast_model as model;
use fleetcast_model::{Event, Override, OverrideDecision, Units};

use crate::amount::share;
use crate::problem::Problems;
use crate::wire::{
    Decision, EventEntry, EventsDocument, Fraction, OverrideEntry, OverridesDocument, Scope,
};

/// Turns a document into events. What is wrong with it goes into `problems`.
pub(crate) fn read_events(document: &EventsDocument, problems: &mut Problems) -> Vec<Event> {
    let mut events = Vec::new();
    for (i, event) in document.events.iter().enumerate() {
        let at = format!("/events/{i}");
        if event.end <= event.start {
            let message = format!(
                "event `{}` ends at {}, not after its start {}",
                event.name, event.end, event.start
            );
            problems.add(&format!("{at}/end"), message);
        }
        let Scope {
            components,
            interaction_types,
            regions,
        } = event.scope.clone();
        events.push(Event {
            name: event.name.clone(),
            kind: event.kind,
            start: event.start,
            end: event.end,
            confidence: share(event.confidence, &format!("{at}/confidence"), problems),
            scope: model::EventScope {
                components,
                interaction_types,
                regions,
            },
            uplift: event.uplift,
        });
    }
    events
}

/// Turns events into the form in which they are written.
pub(crate) fn write_events(events: &[Event]) -> EventsDocument {
    let write = |event: &Event| {
        let model::EventScope {
            components,
            interaction_types,
            regions,
        } = event.scope.clone();
        EventEntry {
            name: event.name.clone(),
            kind: event.kind,
            start: event.start,
            end: event.end,
            confidence: Fraction(event.confidence.get()),
            scope: Scope {
                components,
                interaction_types,
                regions,
            },
            uplift: event.uplift,
        }
    };
    EventsDocument {
        events: events.iter().map(write).collect(),
    }
}

/// Turns a document into overrides. What is wrong with it goes into `problems`.
pub(crate) fn read_overrides(
    document: &OverridesDocument,
    problems: &mut Problems,
) -> Vec<Override> {
    let mut overrides = Vec::new();
    for (i, entry) in document.overrides.iter().enumerate() {
        let at = format!("/overrides/{i}");
        if entry.expires <= entry.start {
            let message = format!(
                "the override expires at {}, not after its start {}",
                entry.expires, entry.start
            );
            problems.add(&format!("{at}/expires"), message);
        }
        overrides.push(Override {
            component: entry.component.clone(),
            decision: read_decision(entry, &at, problems),
            start: entry.start,
            expires: entry.expires,
            owner: entry.owner.clone(),
            reason: entry.reason.clone(),
        });
    }
    overrides
}

fn read_decision(entry: &OverrideEntry, at: &str, problems: &mut Problems) -> OverrideDecision {
    let units = Units::new(entry.units.unwrap_or_default());
    match (entry.decision, entry.units) {
        (Decision::Pause, Some(_)) => {
            let message = "`pause` takes no `units`";
            problems
                .add(&format!("{at}/units"), message)
                .hint("leave `units` out, or use `pin` to hold that number");
        }
        (Decision::Pin | Decision::Floor | Decision::Ceiling, None) => {
            problems
                .add(at, "`units` is missing from an override")
                .hint("say how many units it is about");
        }
        _ => {}
    }
    match entry.decision {
        Decision::Pin => OverrideDecision::Pin(units),
        Decision::Floor => OverrideDecision::Floor(units),
        Decision::Ceiling => OverrideDecision::Ceiling(units),
        Decision::Pause => OverrideDecision::Pause,
    }
}

/// Turns overrides into the form in which they are written.
pub(crate) fn write_overrides(overrides: &[Override]) -> OverridesDocument {
    let write = |one: &Override| {
        let (decision, units) = match one.decision {
            OverrideDecision::Pin(units) => (Decision::Pin, Some(units.get())),
            OverrideDecision::Floor(units) => (Decision::Floor, Some(units.get())),
            OverrideDecision::Ceiling(units) => (Decision::Ceiling, Some(units.get())),
            OverrideDecision::Pause => (Decision::Pause, None),
        };
        OverrideEntry {
            component: one.component.clone(),
            decision,
            units,
            start: one.start,
            expires: one.expires,
            owner: one.owner.clone(),
            reason: one.reason.clone(),
        }
    };
    OverridesDocument {
        overrides: overrides.iter().map(write).collect(),
    }
}
