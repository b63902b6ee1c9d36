//! What known events do to each component.

use fleetcast_forecast::event_book::{
    EdgeBook, EventBook, EventChange, Statement, Uplift, to_be_ignored,
};
use fleetcast_model::{Component, Event, InteractionType};
use fleetcast_series::event_factor;
use jiff::{SignedDuration, Timestamp};

/// Uplifts are kept where dividing by them still makes sense.
const FACTORS: (f64, f64) = (0.05, 20.0);

/// Longer events are a matter of days, not of minutes.
const SHORT_MAX: SignedDuration = SignedDuration::from_hours(6);

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

    /// The events with what is said of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Event, Statement)> {
        self.events.iter().copied()
    }

    /// What all of them do from the step that began at `began` until its arrival.
    pub(crate) fn change(&self, edges: &EdgeBook, began: Timestamp) -> EventChange {
        edges.ahead(began, self.events.iter().map(|(event, _)| *event))
    }

    /// How often the like of the event that is known least was seen, of those near by of which nothing is stated; `None`: none is near.
    pub(crate) fn least_seen(&self, edges: &EdgeBook, began: Timestamp) -> Option<f64> {
        let unstated = (self.events.iter()).filter(|(_, statement)| statement.factor.is_none());
        edges
            .ahead(began, unstated.map(|(event, _)| *event))
            .occurrences
    }

    /// What the events that are on at a moment multiply demand by.
    pub(crate) fn factor(&self, book: &EventBook, at: Timestamp) -> f64 {
        let factor: f64 = self
            .divided()
            .map(|(event, statement)| book.factor(event, *statement, at))
            .product();
        factor.clamp(FACTORS.0, FACTORS.1)
    }

    /// What the events that will be on at arrival multiply demand by, as known now.
    pub(crate) fn uplift(&self, book: &EventBook, now: Timestamp, arrival: Timestamp) -> Uplift {
        let uplift = self
            .divided()
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
        book.observe(at, demand, self.divided().copied());
    }

    /// Lets what is known of starts and ends learn from a step.
    pub(crate) fn teach_edges(&self, edges: &mut EdgeBook, at: Timestamp, usual: Option<f64>) {
        let usual = usual.filter(|_| !self.ignored(at));
        edges.observe(at, usual, self.events.iter().map(|(event, _)| *event));
    }

    /// The events that are divided out and multiplied in: those of which something is stated, and those so long that
    /// they would spoil what is usual. What short ones do is learned as a change from one moment to the next.
    fn divided(&self) -> impl Iterator<Item = &(&'a Event, Statement)> {
        self.events.iter().filter(|(event, statement)| {
            let length = event.end.duration_since(event.start);
            statement.factor.is_some() || length > SHORT_MAX
        })
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

#[cfg(test)]
mod tests {
    use fleetcast_model::{EventKind, EventScope, Share};

    use super::*;

    #[test]
    fn what_is_stated_leaves_nothing_else_in_doubt() {
        let start = Timestamp::UNIX_EPOCH;
        let event = Event {
            name: "sale".into(),
            kind: EventKind::Campaign,
            start,
            end: start + SignedDuration::from_hours(2),
            confidence: Share::per_mille(1_000),
            scope: EventScope::default(),
            uplift: None,
        };
        let seen = |stated: &[Option<f64>], at: Timestamp| {
            let one = |factor: &Option<f64>| {
                let (factor, confidence) = (*factor, 1.0);
                (&event, Statement { factor, confidence })
            };
            let known = Known {
                events: stated.iter().map(one).collect(),
            };
            let edges = EdgeBook::new(SignedDuration::from_mins(1), 6);
            known.least_seen(&edges, at)
        };
        let before = start - SignedDuration::from_mins(10);
        assert_eq!(seen(&[None], before), Some(0.0));
        assert_eq!(seen(&[Some(3.0)], before), None);
        assert_eq!(seen(&[Some(3.0), None], before), Some(0.0));
        assert_eq!(seen(&[None], start - SignedDuration::from_hours(5)), None);
    }
}
