//! What events do to demand: stated at first, learned with each occurrence, reused for look-alikes.
//!
//! While an event is on, demand is compared with what was usual at that time of day, at the level of the
//! hours before. Once it and its aftermath are over, the occurrence is kept: by how much it lifted demand,
//! and with what course ([`Course`]). The next event of the same kind and scope starts from there: the
//! stated uplift, corrected by how wrong earlier statements were, and the uplifts seen before, each
//! weighted by how sure it is. So a stated uplift is a prior in the sense of Bayes, and counts for less
//! the more is known.
//!
//! An incident is no event that recurs: its time is marked so that nothing is learned from it.

mod course;
mod edges;
mod group;
mod hindsight;
#[cfg(test)]
mod tests;
mod usual;

use std::collections::BTreeMap;

use fleetcast_model::{Event, EventKind};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::course::Course;
use self::course::{Place, Tally};
pub(crate) use self::edges::now_steps;
pub use self::edges::{EdgeBook, EventChange};
use self::group::{Group, Stated};
pub use self::group::{Occurrence, Uplift};
pub use self::hindsight::{Sampled, concerns, span_of};
use self::usual::Usual;

/// The longest aftermath that is looked at, and twice the longest eve: what lasts longer is a new level, not an event.
const AFTERMATH_MAX: SignedDuration = SignedDuration::from_hours(24);

/// An event that is expected to do less than this, as a logarithm, has a strength of its own all the same.
const LOG_LEAST: f64 = 0.2;
/// No event is taken to be stronger than this many times its logarithm: the flash crowd of the year is not known
/// by its first minutes.
const AMPLITUDE_MAX: f64 = 3.0;

/// What an event is said to multiply the demand of one component by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The factor, over all that the component serves; `None`: to be learned.
    pub factor: Option<f64>,
    /// How sure the author is, from 0 to 1.
    pub confidence: f64,
}

/// What the events of one component taught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventBook {
    usual: Usual,
    /// By kind and scope: events that are alike.
    groups: BTreeMap<String, Group>,
    running: Vec<Running>,
}

/// An event that is on, or whose aftermath is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    group: String,
    name: String,
    start: Timestamp,
    /// When its aftermath is over.
    over: Timestamp,
    stated: Option<f64>,
    tally: Tally,
}

impl EventBook {
    /// Starts without experience, for steps of this length.
    pub fn new(step: SignedDuration) -> Self {
        Self {
            usual: Usual::new(step),
            groups: BTreeMap::new(),
            running: Vec::new(),
        }
    }

    /// What an event multiplies demand by at a moment; nothing before its eve and after its aftermath.
    pub fn factor(&self, event: &Event, statement: Statement, at: Timestamp) -> f64 {
        concerned(event, at).map_or(1.0, |place| {
            let (amplitude, _, effect) = self.effect(event, statement);
            libm::exp(amplitude * effect(place))
        })
    }

    /// The same at a later moment, `ahead` of `now`, and how sure that is: what is in doubt is how far the effect
    /// changes until then, since as far as it is there it is seen.
    pub fn uplift(
        &self,
        event: &Event,
        statement: Statement,
        now: Timestamp,
        ahead: Timestamp,
    ) -> Uplift {
        let Some(place) = concerned(event, ahead) else {
            return Uplift::NONE;
        };
        let (amplitude, deviation, effect) = self.effect(event, statement);
        let (then, before) = (effect(place), concerned(event, now).map_or(0.0, &effect));
        Uplift {
            factor: libm::exp(amplitude * then),
            deviation: deviation * (then - before).abs(),
        }
    }

    /// How strong an event is beside what is expected of it, the standard deviation of that, and the logarithm
    /// of what is expected of it at each place.
    fn effect(
        &self,
        event: &Event,
        statement: Statement,
    ) -> (f64, f64, impl Fn(Place) -> f64 + use<>) {
        let stated = Stated::new(statement);
        let key = group_of(event);
        let (course, whole) = match self.groups.get(&key) {
            Some(group) => (
                group.course(&event.name),
                group.uplift(&event.name, &stated),
            ),
            None => (Course::FLAT, stated.uplift()),
        };
        let log_whole = libm::log(whole.factor);
        let effect = move |place| course.log_effect(log_whole, place);
        let prior = whole.deviation / log_whole.abs().max(LOG_LEAST);
        let running = self.running.iter().find(|running| running.is(event, &key));
        let (seen, precision) =
            running.map_or((1.0, 0.0), |running| running.tally.amplitude(effect));
        let all = 1.0 / (prior * prior).max(1e-6);
        let amplitude = (all + precision * seen) / (all + precision);
        (
            amplitude.clamp(0.0, AMPLITUDE_MAX),
            1.0 / (all + precision).sqrt(),
            effect,
        )
    }

    /// Takes in the demand of the step that began at `at`; `None` is unknown. `events` are those of this
    /// component; which of them are on is found here.
    pub fn observe<'a>(
        &mut self,
        at: Timestamp,
        demand: Option<f64>,
        events: impl IntoIterator<Item = (&'a Event, Statement)>,
    ) {
        let on: Vec<(&Event, Statement, Place, f64)> = events
            .into_iter()
            .filter_map(|(event, statement)| {
                let place = concerned(event, at)?;
                let factor = self.factor(event, statement, at);
                Some((event, statement, place, factor))
            })
            .collect();
        let all: f64 = on.iter().map(|(.., factor)| factor).product();
        // The level that demand had before the first of them is the one they are judged against.
        let usual = self.usual.at(at, on.is_empty());
        for &(event, statement, place, own) in &on {
            let running = self.running(event, statement);
            if let (Some(demand), Some(usual)) = (demand, usual) {
                // What the other events that are on account for is not this one's doing.
                running.tally.add(place, demand, usual * all / own);
            }
        }
        self.usual.observe(at, demand.map(|demand| demand / all));
        self.close(at);
    }

    /// The account of an event that is on.
    fn running(&mut self, event: &Event, statement: Statement) -> &mut Running {
        let group = group_of(event);
        let started = self
            .running
            .iter()
            .position(|running| running.is(event, &group));
        let place = started.unwrap_or_else(|| {
            self.running.push(Running {
                group,
                name: event.name.clone(),
                start: event.start,
                over: event.end + aftermath(event),
                stated: statement.factor,
                tally: Tally::default(),
            });
            self.running.len() - 1
        });
        &mut self.running[place]
    }

    /// Keeps the occurrences whose aftermath is over.
    fn close(&mut self, at: Timestamp) {
        let mut place = 0;
        while place < self.running.len() {
            if at < self.running[place].over {
                place += 1;
                continue;
            }
            let closed = self.running.remove(place);
            if let Some(occurrence) = closed.tally.occurrence(&closed.name, closed.stated) {
                self.groups
                    .entry(closed.group)
                    .or_default()
                    .keep(occurrence);
            }
        }
    }

    /// The occurrences of events of the same kind and scope, oldest first.
    pub fn occurrences(&self, event: &Event) -> &[Occurrence] {
        let group = self.groups.get(&group_of(event));
        group.map_or(&[], Group::occurrences)
    }

    /// The occurrences that were learned from, by kind and scope, oldest first.
    pub fn learned(&self) -> impl Iterator<Item = (&str, &[Occurrence])> {
        self.groups
            .iter()
            .map(|(group, learned)| (group.as_str(), learned.occurrences()))
    }
}

impl Running {
    fn is(&self, event: &Event, group: &str) -> bool {
        self.start == event.start && self.name == event.name && self.group == group
    }
}

/// Whether nothing is to be learned from what was seen at a moment: an incident was on.
pub fn to_be_ignored<'a>(events: impl IntoIterator<Item = &'a Event>, at: Timestamp) -> bool {
    events
        .into_iter()
        .any(|event| event.kind == EventKind::Incident && event.start <= at && at < event.end)
}

/// Whether an event, its eve or its aftermath is on, and how far it has come. Incidents have no uplift.
fn concerned(event: &Event, at: Timestamp) -> Option<Place> {
    let over = event.end + aftermath(event);
    let eve = event.start - aftermath(event) / 2;
    if event.kind == EventKind::Incident || at < eve || at >= over {
        return None;
    }
    let share = |from: Timestamp, to: Timestamp| {
        let length = to.duration_since(from).as_secs_f64();
        (at.duration_since(from).as_secs_f64() / length.max(1.0)).clamp(0.0, 1.0)
    };
    Some(if at < event.start {
        Place::Before(share(eve, event.start))
    } else if at < event.end {
        Place::During(share(event.start, event.end))
    } else {
        Place::After(share(event.end, over))
    })
}

/// How long after an event its effect is looked for.
fn aftermath(event: &Event) -> SignedDuration {
    event.end.duration_since(event.start).min(AFTERMATH_MAX)
}

/// Events of one kind and scope are alike.
fn group_of(event: &Event) -> String {
    let scope = &event.scope;
    let components = scope.components.iter().map(ToString::to_string);
    let types = scope.interaction_types.iter().map(ToString::to_string);
    let regions = scope.regions.iter().map(ToString::to_string);
    let mut words: Vec<String> = components.chain(types).chain(regions).collect();
    words.sort_unstable();
    words.insert(0, format!("{:?}", event.kind).to_lowercase());
    words.join(" ")
}
