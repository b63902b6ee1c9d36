//! What known events do to each component.

use fleetcast_forecast::event_book::{EventBook, Statement, Uplift, to_be_ignored};
use fleetcast_model::{Component, Event, InteractionType};
use fleetcast_series::event_factor;
use jiff::Timestamp;

/// Uplifts are kept where dividing by them still makes sense.
const FACTORS: (f64, f64) = (0.05, 20.0);

/// The events that concern one component, with what is said of each.
pub(crate) struct Known<'a> {
    events: Vec<(&'a Event, Statement)>,
}

impl<'a> Known<'a> {
    /// Picks the events of a component that serves these types in these volumes.
    pub(crate) fn new(
        events: &'a [Event],
        component: &Component,
        types: &[InteractionType],
        volumes: &[f64],
    ) -> Self {
        let all: f64 = volumes.iter().sum();
        let known = events.iter().filter_map(|event| {
            let scope = &event.scope;
            let here = scope.components.is_empty() || scope.components.contains(&component.name);
            let of_types = scope.interaction_types.is_empty()
                || types
                    .iter()
                    .any(|kind| scope.interaction_types.contains(kind));
            let concerned = here && of_types;
            concerned.then(|| (event, statement(event, component, types, volumes, all)))
        });
        Self {
            events: known.collect(),
        }
    }

    /// What the events that are on at a moment multiply demand by.
    pub(crate) fn factor(&self, book: &EventBook, at: Timestamp) -> f64 {
        let each = self.events.iter();
        let factor: f64 = each
            .map(|(event, statement)| book.factor(event, *statement, at))
            .product();
        factor.clamp(FACTORS.0, FACTORS.1)
    }

    /// What the events that will be on at arrival multiply demand by, as known now.
    pub(crate) fn uplift(&self, book: &EventBook, now: Timestamp, arrival: Timestamp) -> Uplift {
        let each = self.events.iter();
        let uplift = each
            .map(|(event, statement)| book.uplift(event, *statement, now, arrival))
            .fold(Uplift::NONE, Uplift::and);
        Uplift {
            factor: uplift.factor.clamp(FACTORS.0, FACTORS.1),
            ..uplift
        }
    }

    /// Whether nothing is to be learned from a moment.
    pub(crate) fn ignored(&self, at: Timestamp) -> bool {
        to_be_ignored(self.events.iter().map(|(event, _)| *event), at)
    }

    /// Lets the book learn from a step.
    pub(crate) fn teach(&self, book: &mut EventBook, at: Timestamp, demand: Option<f64>) {
        let demand = demand.filter(|_| !self.ignored(at));
        book.observe(at, demand, self.events.iter().copied());
    }
}

/// What an event is said to do to a component: over its types, by volume.
fn statement(
    event: &Event,
    component: &Component,
    types: &[InteractionType],
    volumes: &[f64],
    all: f64,
) -> Statement {
    let lifted = |(kind, volume): (&InteractionType, &f64)| {
        volume * event_factor(event, kind, Some(&component.name))
    };
    let stated = event.uplift.filter(|_| all > 0.0);
    Statement {
        factor: stated.map(|_| types.iter().zip(volumes).map(lifted).sum::<f64>() / all),
        confidence: event.confidence.get(),
    }
}
