//! What the events of one series did, and what those ahead will do.

use std::ops::Range;

use fleetcast_model::{Event, EventKind};
use fleetcast_series::{DemandOf, event_factor_of};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::usual::Past;
use crate::Dates;
use crate::event_book::{
    EventBook, Occurrence, Sampled, Statement, Uplift, concerns, span_of, to_be_ignored,
};

/// Uplifts are kept where dividing by them still makes sense.
const FACTORS: (f64, f64) = (0.05, 20.0);
/// History that is kept to judge the next occurrences by.
const KEPT_SECONDS: i64 = 35 * 86_400;
/// And at most so many steps of it: two weeks of minutes.
const KEPT_STEPS_MAX: usize = 20_160;
/// An event that is on is looked at again so many times from its eve to its end.
const LOOKS: usize = 48;

/// An event, and what is said of it for the series at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownEvent {
    /// The event.
    pub event: Event,
    /// What it is said to do.
    pub statement: Statement,
}

impl KnownEvent {
    /// An event beside a demand whose parts have these volumes: its stated uplift counts by the volumes that it
    /// concerns.
    pub fn of(event: Event, parts: &[(DemandOf<'_>, f64)]) -> Self {
        let all: f64 = parts.iter().map(|(_, volume)| volume).sum();
        let stated = event.uplift.filter(|_| all > 0.0).map(|_| {
            let lifted =
                |(part, volume): &(DemandOf<'_>, f64)| volume * event_factor_of(&event, *part);
            parts.iter().map(lifted).sum::<f64>() / all
        });
        Self {
            statement: Statement {
                factor: stated,
                confidence: event.confidence.get(),
            },
            event,
        }
    }
}

/// What events do to one series: learned from each occurrence in hindsight, reused for those ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventEffects {
    book: EventBook,
    /// By start.
    events: Vec<KnownEvent>,
    start: Timestamp,
    step: SignedDuration,
    /// Steps seen.
    steps: usize,
    /// The newest steps as they came.
    came: Vec<Option<f64>>,
    /// The same without what events did.
    clean: Vec<Option<f64>>,
}

impl EventEffects {
    /// Learns from a history, and returns it without what events did: each occurrence is divided out by what
    /// it really did as far as that can be told, and the time of an incident is missing.
    pub fn learn(
        values: &[Option<f64>],
        dates: &Dates,
        events: &[KnownEvent],
    ) -> (Self, Vec<Option<f64>>) {
        let mut effects = Self {
            book: EventBook::new(dates.step()),
            events: events.to_vec(),
            start: dates.at(0),
            step: dates.step(),
            steps: values.len(),
            came: values.to_vec(),
            clean: values.to_vec(),
        };
        effects.events.sort_by_key(|known| known.event.start);
        // What an event did is not known yet, so its time tells nothing of what is usual.
        for place in 0..effects.events.len() {
            let steps = effects.steps_of(place, effects.steps);
            effects.clean[steps].fill(None);
        }
        for place in 0..effects.events.len() {
            effects.look_at(place, place + 1);
        }
        let clean = effects.clean.clone();
        effects.forget();
        (effects, clean)
    }

    /// Other events from now on; what was learned stays.
    pub fn expect(&mut self, events: Vec<KnownEvent>) {
        self.events = events;
        self.events.sort_by_key(|known| known.event.start);
    }

    /// The events, by start.
    pub fn events(&self) -> &[KnownEvent] {
        &self.events
    }

    /// The occurrences that were learned from, by kind and scope.
    pub fn learned(&self) -> impl Iterator<Item = (&str, &[Occurrence])> {
        self.book.learned()
    }

    /// How many occurrences of events of this kind and scope were learned from.
    pub fn alike(&self, event: &Event) -> usize {
        self.book.occurrences(event).len()
    }

    /// What events multiply demand by at a moment not before the end of the history.
    pub fn uplift(&self, at: Timestamp) -> Uplift {
        let now = self.at(self.steps.saturating_sub(1));
        let uplift = self
            .events
            .iter()
            .map(|known| self.book.uplift(&known.event, known.statement, now, at))
            .fold(Uplift::NONE, Uplift::and);
        Uplift {
            factor: uplift.factor.clamp(FACTORS.0, FACTORS.1),
            ..uplift
        }
    }

    /// The same for each of the next steps.
    pub fn uplifts(&self, horizon: usize) -> Vec<Uplift> {
        (self.steps..self.steps + horizon)
            .map(|step| self.uplift(self.at(step)))
            .collect()
    }

    /// Takes in the next step; returns it without what events do, as far as is known by now.
    pub fn take(&mut self, value: Option<f64>) -> Option<f64> {
        let at = self.at(self.steps);
        let ignored = self.is_incident(at) || self.is_unknown(at);
        let clean = value
            .filter(|_| !ignored)
            .map(|value| value / self.uplift(at).factor);
        self.steps += 1;
        self.came.push(value);
        self.clean.push(clean);
        let ends = self.at(self.steps);
        for place in 0..self.events.len() {
            let known = &self.events[place].event;
            if !concerns(known, at) {
                continue;
            }
            let span = self.steps_of(place, usize::MAX);
            let look = (span.len() / LOOKS).max(1);
            if (self.steps - span.start).is_multiple_of(look) || !concerns(known, ends) {
                self.look_at(place, self.events.len());
            }
        }
        self.forget();
        clean
    }

    /// Learns what an event did by the newest step, and divides it out. The events from `unknown` on are not known
    /// yet, and their time stays untold.
    fn look_at(&mut self, place: usize, unknown: usize) {
        let known = self.events[place].clone();
        let kept_from = self.steps - self.clean.len();
        let span = self.steps_of(place, self.steps);
        let span = span.start.max(kept_from)..span.end.max(kept_from);
        if span.is_empty() || known.event.kind == EventKind::Incident {
            return;
        }
        let past = Past {
            clean: &self.clean,
            step: self.step,
        };
        let usual = past.usual(span.start - kept_from..span.end - kept_from);
        let came =
            |step: usize| self.came[step - kept_from].filter(|_| !self.is_incident(self.at(step)));
        let sampled: Vec<Sampled> = span
            .clone()
            .zip(&usual)
            .filter_map(|(step, usual)| {
                let at = self.at(step);
                Some(Sampled {
                    at,
                    came: came(step)?,
                    // What other events account for is not this one's doing.
                    usual: (*usual)? * self.others(place, at),
                })
            })
            .collect();
        let now = self.at(self.steps);
        let KnownEvent { event, statement } = &known;
        let occurrence = self.book.learn(event, *statement, &sampled, now);
        let clean: Vec<Option<f64>> = span
            .clone()
            .map(|step| {
                let at = self.at(step);
                if self.events[unknown..]
                    .iter()
                    .any(|later| concerns(&later.event, at))
                {
                    return None;
                }
                let own = match &occurrence {
                    Some(occurrence) => occurrence.factor(event, at),
                    None => self.book.factor(event, *statement, at),
                };
                let all = (own * self.others(place, at)).clamp(FACTORS.0, FACTORS.1);
                let ignored = self.is_incident(at) || occurrence.is_none() && self.is_unknown(at);
                self.came[step - kept_from]
                    .filter(|_| !ignored)
                    .map(|value| value / all)
            })
            .collect();
        self.clean[span.start - kept_from..span.end - kept_from].copy_from_slice(&clean);
    }

    /// What all events but one are expected to do at a moment.
    fn others(&self, place: usize, at: Timestamp) -> f64 {
        let others = self.events.iter().enumerate();
        others
            .filter(|(other, known)| *other != place && concerns(&known.event, at))
            .map(|(_, known)| self.book.factor(&known.event, known.statement, at))
            .product()
    }

    fn is_incident(&self, at: Timestamp) -> bool {
        to_be_ignored(self.events.iter().map(|known| &known.event), at)
    }

    /// Whether an event is on of which nothing is stated, and nothing was learned of its like: what it does is not
    /// known, so what comes does not tell what is usual.
    fn is_unknown(&self, at: Timestamp) -> bool {
        self.events.iter().any(|known| {
            let event = &known.event;
            let on = event.start <= at && at < event.end && event.kind != EventKind::Incident;
            on && known.statement.factor.is_none() && self.book.occurrences(event).is_empty()
        })
    }

    /// The steps that an event concerns, with its eve and aftermath, before step `end`.
    fn steps_of(&self, place: usize, end: usize) -> Range<usize> {
        let (from, to) = span_of(&self.events[place].event);
        let step = |at: Timestamp| {
            let seconds = at.duration_since(self.start).as_secs();
            let length = self.step.as_secs().max(1);
            // The first step that begins at `at` or later.
            usize::try_from(seconds.saturating_add(length - 1).div_euclid(length)).unwrap_or(0)
        };
        step(from).min(end)..step(to).min(end)
    }

    fn at(&self, step: usize) -> Timestamp {
        Dates::new(self.start, self.step, jiff::tz::TimeZone::UTC).at(step)
    }

    /// Lets go of what is too old to compare with.
    fn forget(&mut self) {
        let wanted = usize::try_from(KEPT_SECONDS / self.step.as_secs().max(1)).unwrap_or(1);
        let most = wanted.clamp(1, KEPT_STEPS_MAX);
        // Dropped in blocks, so that a step costs no move of them all.
        if self.clean.len() > most + most / 8 {
            let old = self.clean.len() - most;
            self.clean.drain(..old);
            self.came.drain(..old);
        }
    }
}
