//! How fast demand changes around the start and the end of events: minute by minute, learned from those before.
//!
//! Where an event begins and ends, demand changes within minutes, and more than all that came before tells. What
//! buying needs is how demand at arrival will differ from now. [`EdgeBook`] keeps it for events that are alike (same
//! kind and scope), by the distance to their start and to their end: the mean of the logarithm, and how far events
//! differ. The lead tier tells its features at the level that is expected, and learns itself how far to trust that and
//! the doubt.

use std::collections::{BTreeMap, VecDeque};

use fleetcast_model::{Event, EventKind};
use jiff::{SignedDuration, Timestamp};

use super::group_of;

/// How long before and after its start an event is followed, in seconds.
const START: (i64, i64) = (3_600, 10_800);
/// And before and after its end.
const END: (i64, i64) = (5_400, 7_200);
/// What is now is the mean of so many seconds.
const NOW_SECONDS: i64 = 180;
/// Each occurrence counts so much less than the next one after it.
const FADING: f64 = 0.93;
/// Occurrences without any change that are thought to have been before the first.
const PRIOR_OCCURRENCES: f64 = 2.0;
/// One occurrence does not say how far they differ: half of it is believed after so many.
const DOUBT_OCCURRENCES: f64 = 2.0;
/// A change is kept within this logarithm: beyond it is an outage or a start from nothing.
const LOG_MAX: f64 = 3.0;
/// The doubt, a deviation of a logarithm, is at most this.
const DOUBT_MAX: f64 = 1.0;
/// Steps on either side that the mean is smoothed over, and the doubt: the end of a match is known to some minutes.
const SMOOTH: usize = 1;
const SMOOTH_DOUBT: usize = 2;

/// Steps of this length whose mean is now: at least one.
pub(crate) fn now_steps(step_seconds: i64) -> usize {
    ((NOW_SECONDS + step_seconds - 1) / step_seconds) as usize
}

/// How demand at arrival is expected to differ from now by what events do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EventChange {
    /// The mean of the logarithm of demand at arrival over that of now.
    pub log_change: f64,
    /// Its standard deviation between occurrences.
    pub doubt: f64,
    /// How many occurrences it was learned from, older ones counting less: of the event that is known least. `None`: no event
    /// is near.
    pub occurrences: Option<f64>,
}

impl EventChange {
    /// No event.
    pub const NONE: Self = Self {
        log_change: 0.0,
        doubt: 0.0,
        occurrences: None,
    };
}

/// What was learned of the starts and ends of events.
#[derive(Clone, Debug)]
pub struct EdgeBook {
    step_seconds: i64,
    lead: usize,
    groups: BTreeMap<String, Edges>,
    /// The newest steps, for the mean of now.
    recent: VecDeque<Option<f64>>,
    /// When the last steps began, and what was now, until their arrival has come.
    waiting: VecDeque<(Timestamp, Option<f64>)>,
}

/// The courses of a group around start and end.
#[derive(Clone, Debug)]
struct Edges {
    start: Course,
    end: Course,
}

/// Weighted sums by step.
#[derive(Clone, Debug)]
struct Course {
    before: i64,
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    weight: f64,
    sum: f64,
    squares: f64,
}

/// What is known at one distance from the start or the end of events.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    mean: f64,
    doubt: f64,
    /// Of how many occurrences.
    weight: f64,
}

/// Where in the courses of its group a moment lies.
#[derive(Clone, Copy, Debug)]
enum Position {
    Start(i64),
    End(i64),
}

impl EdgeBook {
    /// Starts without experience, for steps of this length, of which arrival is so many ahead.
    pub fn new(step: SignedDuration, lead: usize) -> Self {
        Self {
            step_seconds: step.as_secs().max(1),
            lead: lead.max(1),
            groups: BTreeMap::new(),
            recent: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes in the demand of the step that began at `at`; `None` is unknown.
    pub fn observe<'a>(
        &mut self,
        at: Timestamp,
        demand: Option<f64>,
        events: impl Iterator<Item = &'a Event> + Clone,
    ) {
        let demand = demand.filter(|demand| demand.is_finite());
        if self.recent.len() >= now_steps(self.step_seconds) {
            self.recent.pop_front();
        }
        self.recent.push_back(demand);
        if self.waiting.len() >= self.lead
            && let Some((then, Some(now))) = self.waiting.pop_front()
            && let Some(demand) = demand
            && now > 0.0
        {
            let least = now * libm::exp(-LOG_MAX);
            let log = libm::log(demand.max(least) / now).min(LOG_MAX);
            self.learn(then, log, events);
        }
        self.waiting.push_back((at, self.now()));
    }

    /// What the events known at the step that began at `at` do until its arrival.
    pub fn ahead<'a>(&self, at: Timestamp, events: impl Iterator<Item = &'a Event>) -> EventChange {
        let mut change = EventChange::NONE;
        let mut variance = 0.0;
        for event in events {
            let Some(position) = self.position(event, at) else {
                continue;
            };
            let known = self.known(event, position).unwrap_or_default();
            change.log_change += known.mean;
            variance += known.doubt * known.doubt;
            let fewest = change.occurrences.unwrap_or(f64::INFINITY);
            change.occurrences = Some(fewest.min(known.weight));
        }
        EventChange {
            log_change: change.log_change.clamp(-LOG_MAX, LOG_MAX),
            doubt: f64::min(variance.sqrt(), DOUBT_MAX),
            ..change
        }
    }

    fn learn<'a>(
        &mut self,
        at: Timestamp,
        log: f64,
        events: impl Iterator<Item = &'a Event> + Clone,
    ) {
        let expected = |event: &Event| {
            let known = self.known(event, self.position(event, at)?);
            known.map(|known| known.mean)
        };
        let all: f64 = events.clone().filter_map(expected).sum();
        for event in events {
            let Some(position) = self.position(event, at) else {
                continue;
            };
            // What the others account for is not this one's doing: changes of events at one time add.
            let own = self.known(event, position).map_or(0.0, |known| known.mean);
            let step_seconds = self.step_seconds;
            let edges = self
                .groups
                .entry(group_of(event))
                .or_insert_with(|| Edges::new(step_seconds));
            edges.add(position, log - (all - own));
        }
    }

    /// Where a moment lies by an event's start, or by its end if that is nearer; `None` for an incident, which has no
    /// course.
    fn position(&self, event: &Event, at: Timestamp) -> Option<Position> {
        if event.kind == EventKind::Incident {
            return None;
        }
        let since_start = at.as_second() - event.start.as_second();
        let since_end = at.as_second() - event.end.as_second();
        if since_start <= -since_end {
            let within = (-START.0..=START.1).contains(&since_start);
            within.then(|| Position::Start(since_start.div_euclid(self.step_seconds)))
        } else {
            let within = (-END.0..=END.1).contains(&since_end);
            within.then(|| Position::End(since_end.div_euclid(self.step_seconds)))
        }
    }

    /// What one event does until arrival, and how far its like differ.
    fn known(&self, event: &Event, position: Position) -> Option<Known> {
        let edges = self.groups.get(&group_of(event))?;
        match position {
            Position::Start(steps) => edges.start.at(steps),
            Position::End(steps) => edges.end.at(steps),
        }
    }

    /// The mean of the newest steps; `None` if one of them is unknown.
    fn now(&self) -> Option<f64> {
        let sum: Option<f64> = self.recent.iter().copied().sum();
        Some(sum? / self.recent.len() as f64)
    }
}

impl Edges {
    fn new(step_seconds: i64) -> Self {
        let course = |(before, after): (i64, i64)| {
            let (before, after) = (before / step_seconds, after / step_seconds);
            Course {
                before,
                bins: vec![Bin::default(); (before + after + 1) as usize],
            }
        };
        Self {
            start: course(START),
            end: course(END),
        }
    }

    fn add(&mut self, position: Position, log: f64) {
        let (course, steps) = match position {
            Position::Start(steps) => (&mut self.start, steps),
            Position::End(steps) => (&mut self.end, steps),
        };
        let bin = usize::try_from(steps + course.before)
            .ok()
            .and_then(|place| course.bins.get_mut(place));
        if let Some(bin) = bin {
            bin.weight = FADING * bin.weight + 1.0;
            bin.sum = FADING * bin.sum + log;
            bin.squares = FADING * bin.squares + log * log;
        }
    }
}

impl Course {
    /// What is known at a distance in steps; `None` beyond the course.
    fn at(&self, steps: i64) -> Option<Known> {
        let place = usize::try_from(steps + self.before).ok()?;
        let bin = self.bins.get(place)?;
        let around = |reach: usize| {
            let last = self.bins.len() - 1;
            &self.bins[place.saturating_sub(reach)..=(place + reach).min(last)]
        };
        let near = around(SMOOTH);
        let mean = near
            .iter()
            .map(|bin| bin.sum / (bin.weight + PRIOR_OCCURRENCES))
            .sum::<f64>()
            / near.len() as f64;
        let seen: Vec<&Bin> = around(SMOOTH_DOUBT)
            .iter()
            .filter(|bin| bin.weight > 0.0)
            .collect();
        let of = |value: fn(&Bin) -> f64| {
            seen.iter().map(|bin| value(bin) / bin.weight).sum::<f64>() / seen.len().max(1) as f64
        };
        let (first, second) = (of(|bin| bin.sum), of(|bin| bin.squares));
        let variance = (second - first * first).max(0.0);
        let believed = bin.weight / (bin.weight + DOUBT_OCCURRENCES);
        Some(Known {
            mean,
            doubt: variance.sqrt() * believed,
            weight: bin.weight,
        })
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{EventScope, Share};

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const LEAD: usize = 6;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + MINUTE * minute as i32
    }

    fn event(minute: i64) -> Event {
        Event {
            name: "match".into(),
            kind: EventKind::News,
            start: at(minute),
            end: at(minute + 120),
            confidence: Share::per_mille(1_000),
            scope: EventScope::default(),
            uplift: None,
        }
    }

    /// Demand doubles at the start of each event and falls back at its end.
    fn run(book: &mut EdgeBook, minutes: std::ops::Range<i64>, events: &[Event]) {
        for minute in minutes {
            let on = events
                .iter()
                .filter(|event| event.start <= at(minute) && at(minute) < event.end);
            let demand = 100.0 * libm::exp2(on.count() as f64);
            book.observe(at(minute), Some(demand), events.iter());
        }
    }

    #[test]
    fn the_change_until_arrival_is_learned_by_the_minute() {
        let events: Vec<Event> = (0..8).map(|day| event(1440 * day + 600)).collect();
        let mut book = EdgeBook::new(MINUTE, LEAD);
        let change =
            |book: &EdgeBook, minute: i64| book.ahead(at(minute), events.iter()).log_change;
        run(&mut book, 0..1440 + 500, &events);
        let first = change(&book, 1440 + 598);
        run(&mut book, 1440 + 500..7 * 1440 + 500, &events);
        let start = 7 * 1440 + 600;
        let two = libm::log(2.0);
        // Shrunk as if two had done nothing before the first.
        assert!((0.1..0.5 * two).contains(&first), "{first}");
        let later = change(&book, start - 3);
        assert!((0.55 * two..two).contains(&later), "{later}");
        assert!(change(&book, start - 12).abs() < 1e-9);
        assert!(change(&book, start + 60).abs() < 1e-9);
        assert!(change(&book, start + 120 - 3) < -0.55 * two);
        // They were all alike.
        assert!(book.ahead(at(start - 3), events.iter()).doubt < 0.05);
    }

    #[test]
    fn what_differs_is_doubted_and_what_never_was_is_not_expected() {
        let events: Vec<Event> = (0..8).map(|day| event(1440 * day + 600)).collect();
        let mut book = EdgeBook::new(MINUTE, LEAD);
        let unknown = EventChange {
            occurrences: Some(0.0),
            ..EventChange::NONE
        };
        assert_eq!(book.ahead(at(599), events.iter()), unknown);
        assert_eq!(book.ahead(at(100), events.iter()), EventChange::NONE);
        for day in 0..7 {
            // Every second one does nothing.
            let shown: &[Event] = if day % 2 == 0 { &events } else { &[] };
            for minute in 1440 * day..1440 * (day + 1) {
                let on = shown
                    .iter()
                    .any(|event| event.start <= at(minute) && at(minute) < event.end);
                let demand = if on { 300.0 } else { 100.0 };
                book.observe(at(minute), Some(demand), events.iter());
            }
        }
        let change = book.ahead(at(7 * 1440 + 597), events.iter());
        assert!(change.doubt > 0.2 && change.log_change > 0.1, "{change:?}");
    }

    #[test]
    fn events_at_one_time_add_and_an_incident_has_no_course() {
        let mut events: Vec<Event> = (0..8).map(|day| event(1440 * day + 600)).collect();
        let mut book = EdgeBook::new(MINUTE, LEAD);
        run(&mut book, 0..7 * 1440 + 500, &events);
        let start = at(7 * 1440 + 597);
        let one = book.ahead(start, events.iter()).log_change;
        events.push(event(7 * 1440 + 600));
        let two = book.ahead(start, events.iter()).log_change;
        assert!((two - 2.0 * one).abs() < 1e-9);
        events.truncate(7);
        let mut outage = event(7 * 1440 + 600);
        outage.kind = EventKind::Incident;
        events.push(outage);
        assert_eq!(book.ahead(start, events.iter()), EventChange::NONE);
    }
}
