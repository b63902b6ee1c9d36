//! Events and overrides: from JSON's types to the validated ones, and back.

use fleetcast_model as model;
use fleetcast_model::{Event, MilliPerMinute, Override, OverrideDecision, StatedForecast, Units};

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
        if entry.decision != Decision::Forecast {
            for (field, volume) in [("volume", entry.volume), ("volume_p95", entry.volume_p95)] {
                if volume.is_some() {
                    let message = format!("`{}` takes no `{field}`", word(entry.decision));
                    problems
                        .add(&format!("{at}/{field}"), message)
                        .hint("only `forecast` does");
                }
            }
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
        (Decision::Pause | Decision::Forecast, Some(_)) => {
            let message = format!("`{}` takes no `units`", word(entry.decision));
            problems
                .add(&format!("{at}/units"), message)
                .hint("leave `units` out, or use `pin` to hold that number");
        }
        (Decision::Pin | Decision::Floor | Decision::Ceiling | Decision::Provision, None) => {
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
        Decision::Provision => OverrideDecision::Provision(units),
        Decision::Forecast => OverrideDecision::Forecast(read_forecast(entry, at, problems)),
    }
}

/// The demand that a person expects; only `forecast` takes one.
fn read_forecast(entry: &OverrideEntry, at: &str, problems: &mut Problems) -> StatedForecast {
    let volume = entry.volume.unwrap_or_default();
    if entry.volume.is_none() {
        problems
            .add(at, "`volume` is missing from a `forecast`")
            .hint("say how many interactions a minute are expected");
    }
    if let Some(p95) = entry.volume_p95.filter(|p95| *p95 < volume) {
        let message = format!("volume_p95 is {p95}, under the volume of {volume}");
        problems
            .add(&format!("{at}/volume_p95"), message)
            .hint("95 % of the time demand stays under it, so it lies above the median");
    }
    let milli = |volume: f64| MilliPerMinute::from_f64_rounded_up(volume * 1e3).unwrap_or_default();
    StatedForecast {
        median: milli(volume),
        p95: entry.volume_p95.map(milli),
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pin => "pin",
        Decision::Floor => "floor",
        Decision::Ceiling => "ceiling",
        Decision::Pause => "pause",
        Decision::Provision => "provision",
        Decision::Forecast => "forecast",
    }
}

/// Turns overrides into the entries of a document.
pub fn write_overrides(overrides: &[Override]) -> Vec<OverrideEntry> {
    override_document(overrides).overrides
}

/// Turns entries that a valid document holds into overrides; those that are wrong are left out.
pub fn read_entries(entries: &[OverrideEntry]) -> Vec<Override> {
    let read = |entry: &OverrideEntry| {
        let mut problems = Problems::default();
        let document = OverridesDocument {
            overrides: vec![entry.clone()],
        };
        let read = read_overrides(&document, &mut problems);
        read.into_iter().next().filter(|_| problems.is_empty())
    };
    entries.iter().filter_map(read).collect()
}

/// Turns overrides into the form in which they are written.
pub(crate) fn override_document(overrides: &[Override]) -> OverridesDocument {
    let write = |one: &Override| {
        let (decision, units) = match one.decision {
            OverrideDecision::Pin(units) => (Decision::Pin, Some(units.get())),
            OverrideDecision::Floor(units) => (Decision::Floor, Some(units.get())),
            OverrideDecision::Ceiling(units) => (Decision::Ceiling, Some(units.get())),
            OverrideDecision::Pause => (Decision::Pause, None),
            OverrideDecision::Provision(units) => (Decision::Provision, Some(units.get())),
            OverrideDecision::Forecast(_) => (Decision::Forecast, None),
        };
        let stated = match one.decision {
            OverrideDecision::Forecast(stated) => Some(stated),
            _ => None,
        };
        let volume = |milli: MilliPerMinute| milli.as_f64() / 1e3;
        OverrideEntry {
            component: one.component.clone(),
            decision,
            units,
            volume: stated.map(|stated| volume(stated.median)),
            volume_p95: stated.and_then(|stated| stated.p95.map(volume)),
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
