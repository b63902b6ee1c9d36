//! What a persona expects, and when: the expected volume of its patterns at any time.

use std::collections::BTreeMap;

use fleetcast_model::{EngagementPattern, InteractionType, Persona, TimeWindow};
use jiff::{SignedDuration, Timestamp};

use crate::calendar_rule::{Recurrence, RuleError};
use crate::calendar_shape::Shape;
use crate::calendar_window::{Expansion, Occurrence};

/// Midnight UTC of Monday 1970-01-05, from which endless windows are counted.
const ENDLESS_ANCHOR: Timestamp = Timestamp::constant(4 * 86_400, 0);

/// Why the calendar of a persona cannot be made: the persona's author must change the pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The window ends before it starts, or has no length.
    #[error("pattern `{pattern}` has a time window without length")]
    EmptyWindow {
        /// The pattern's name.
        pattern: String,
    },
    /// The volume is negative, infinite or not a number.
    #[error("pattern `{pattern}` has an expected volume that is not a number of interactions")]
    BadVolume {
        /// The pattern's name.
        pattern: String,
    },
    /// A weight is negative, infinite or not a number, or all are zero.
    #[error("pattern `{pattern}` has a shape whose weights are not shares of its volume")]
    BadShape {
        /// The pattern's name.
        pattern: String,
    },
    /// The recurrence cannot be followed.
    #[error("pattern `{pattern}` has a recurrence that cannot be followed")]
    BadRecurrence {
        /// The pattern's name.
        pattern: String,
        /// What is wrong with it.
        source: RuleError,
    },
}

/// The expected volume of a persona's patterns at any time.
///
/// The volume of an occurrence is spread evenly over it, or by the weights of its shape over equal
/// parts of it; occurrences that overlap add. Volumes are conserved: over any span that holds whole
/// occurrences, rate times minutes is their volume. The rate is what the author expects, not
/// weighted by the author's confidence.
///
/// The windows of a pattern without a recurrence follow one another in UTC, counted from midnight of
/// Monday 1970-01-05, with the nominal lengths of calendar units: a day is 24 hours, a month 30
/// days, a year 365 days.
///
/// The starts of a recurrence are computed in civil time and placed in its time zone, so that 09:00
/// stays 09:00 when the clocks change; the length is added in civil time for days and longer and in
/// exact time for hours and shorter. As RFC 5545 says, a time that the clocks skip is read with the
/// offset before the change (02:30 becomes 03:30), and of a time that happens twice the first is
/// taken. Starts that become the same moment by this count once. For `FREQ=HOURLY` and `MINUTELY`
/// it follows that the repeated hour has occurrences in its first pass only; windows that shall
/// follow one another without a gap need no recurrence. The first start counts only if the rule
/// meets it; its fractions of a second are dropped. `UNTIL` is inclusive, and without a `Z` it is
/// read in the rule's zone.
///
/// Occurrences are expanded as far as they are asked for and kept, so asking minute by minute costs
/// well below a microsecond for each pattern. Asking for times before those that are kept starts the
/// expansion again.
#[derive(Clone, Debug)]
pub struct PersonaCalendar {
    patterns: Vec<Pattern>,
}

impl PersonaCalendar {
    /// Reads the windows of all patterns.
    pub fn new(persona: &Persona) -> Result<Self, CalendarError> {
        let patterns = persona
            .engagement_patterns
            .iter()
            .map(Pattern::new)
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// How many patterns there are; their indexes are those of the persona.
    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// The mean expected rate of one pattern over `from..to`, in interactions a minute; zero if that
    /// is empty.
    ///
    /// # Panics
    /// If the persona has no pattern with that index.
    pub fn expected_rate(&mut self, pattern_index: usize, from: Timestamp, to: Timestamp) -> f64 {
        self.patterns[pattern_index].rate(from, to)
    }

    /// The mean expected rate over `from..to` of each interaction type that the persona names, in
    /// interactions a minute.
    pub fn expected_rate_by_type(
        &mut self,
        from: Timestamp,
        to: Timestamp,
    ) -> BTreeMap<InteractionType, f64> {
        let mut rates = BTreeMap::new();
        for pattern in &mut self.patterns {
            let rate = pattern.rate(from, to);
            match rates.get_mut(&pattern.interaction_type) {
                Some(sum) => *sum += rate,
                None => {
                    rates.insert(pattern.interaction_type.clone(), rate);
                }
            }
        }
        rates
    }

    /// The occurrences of one pattern that overlap `from..to`, by start.
    ///
    /// # Panics
    /// If the persona has no pattern with that index.
    pub fn occurrences(
        &mut self,
        pattern_index: usize,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Occurrence> {
        self.patterns[pattern_index].occurrences(from, to)
    }

    /// The first moment after `after` at which an expected rate may change: where an occurrence
    /// starts, ends or passes from one part of its shape to the next. `None`: it never does.
    pub fn next_change(&mut self, after: Timestamp) -> Option<Timestamp> {
        self.patterns
            .iter_mut()
            .filter_map(|pattern| pattern.next_change(after))
            .min()
    }
}

#[derive(Clone, Debug)]
struct Pattern {
    interaction_type: InteractionType,
    volume: f64,
    shape: Shape,
    windows: Windows,
}

#[derive(Clone, Debug)]
enum Windows {
    Endless(SignedDuration),
    Once(Occurrence),
    Recurring(Box<Expansion>),
}

impl Pattern {
    fn new(pattern: &EngagementPattern) -> Result<Self, CalendarError> {
        let name = || pattern.name.to_string();
        let volume = pattern.expected_volume;
        if !volume.is_finite() || volume < 0.0 {
            return Err(CalendarError::BadVolume { pattern: name() });
        }
        let shape = Shape::new(&pattern.shape)
            .ok_or_else(|| CalendarError::BadShape { pattern: name() })?;
        let empty = || CalendarError::EmptyWindow { pattern: name() };
        let windows = match &pattern.time_window {
            TimeWindow::Endless(length) => {
                let nominal = length.nominal();
                if !nominal.is_positive() {
                    return Err(empty());
                }
                Windows::Endless(nominal)
            }
            TimeWindow::Once { start, end } => {
                if start >= end {
                    return Err(empty());
                }
                Windows::Once(Occurrence {
                    start: *start,
                    end: *end,
                })
            }
            TimeWindow::Recurring {
                length,
                start,
                time_zone,
                rule,
            } => {
                let bad = |source| CalendarError::BadRecurrence {
                    pattern: name(),
                    source,
                };
                if !length.nominal().is_positive() {
                    return Err(empty());
                }
                let recurrence = Recurrence::new(*start, time_zone, rule).map_err(bad)?;
                Windows::Recurring(Box::new(Expansion::new(recurrence, length.0)))
            }
        };
        Ok(Self {
            interaction_type: pattern.interaction_type.clone(),
            volume,
            shape,
            windows,
        })
    }

    fn rate(&mut self, from: Timestamp, to: Timestamp) -> f64 {
        if from >= to {
            return 0.0;
        }
        let share = match &mut self.windows {
            Windows::Endless(length) => endless_share(&self.shape, *length, from, to),
            Windows::Once(occurrence) => share_in(&self.shape, occurrence, from, to),
            Windows::Recurring(expansion) => expansion
                .overlapping(from, to)
                .iter()
                .map(|one| share_in(&self.shape, one, from, to))
                .sum(),
        };
        self.volume * share / (to.duration_since(from).as_secs_f64() / 60.0)
    }

    fn occurrences(&mut self, from: Timestamp, to: Timestamp) -> Vec<Occurrence> {
        if from >= to {
            return Vec::new();
        }
        match &mut self.windows {
            Windows::Endless(length) => {
                let mut all = Vec::new();
                let mut start = endless_start(*length, from);
                while start < to {
                    let Ok(end) = start.checked_add(*length) else {
                        break;
                    };
                    all.push(Occurrence { start, end });
                    start = end;
                }
                all
            }
            Windows::Once(one) => {
                if one.overlaps(from, to) {
                    vec![*one]
                } else {
                    Vec::new()
                }
            }
            Windows::Recurring(expansion) => expansion
                .overlapping(from, to)
                .iter()
                .filter(|one| one.overlaps(from, to))
                .copied()
                .collect(),
        }
    }

    fn next_change(&mut self, after: Timestamp) -> Option<Timestamp> {
        match &mut self.windows {
            Windows::Endless(length) => {
                if self.shape.is_even() {
                    return None;
                }
                let start = endless_start(*length, after);
                let end = start.checked_add(*length).ok()?;
                self.shape.next_boundary(start, end, after)
            }
            Windows::Once(one) if after < one.start => Some(one.start),
            Windows::Once(one) => self.shape.next_boundary(one.start, one.end, after),
            Windows::Recurring(expansion) => {
                let start = expansion.next_start(after);
                let inside = expansion
                    .overlapping(
                        after,
                        after
                            .saturating_add(SignedDuration::from_nanos(1))
                            .unwrap_or(Timestamp::MAX),
                    )
                    .iter()
                    .filter_map(|one| self.shape.next_boundary(one.start, one.end, after))
                    .min();
                [start, inside].into_iter().flatten().min()
            }
        }
    }
}

/// The share of an occurrence's volume that falls into `from..to`.
fn share_in(shape: &Shape, occurrence: &Occurrence, from: Timestamp, to: Timestamp) -> f64 {
    let start = from.max(occurrence.start);
    let end = to.min(occurrence.end);
    if start >= end {
        return 0.0;
    }
    let length = occurrence
        .end
        .duration_since(occurrence.start)
        .as_secs_f64();
    if shape.is_even() {
        return end.duration_since(start).as_secs_f64() / length;
    }
    let fraction = |at: Timestamp| at.duration_since(occurrence.start).as_secs_f64() / length;
    shape.share_between(fraction(start), fraction(end))
}

/// How many windows' volumes fall into `from..to`.
fn endless_share(shape: &Shape, length: SignedDuration, from: Timestamp, to: Timestamp) -> f64 {
    let seconds = length.as_secs_f64();
    if shape.is_even() {
        return to.duration_since(from).as_secs_f64() / seconds;
    }
    let start = endless_start(length, from);
    let passed = |at: Timestamp| {
        let windows = at.duration_since(start).as_secs_f64() / seconds;
        windows.floor() + shape.share_between(0.0, windows - windows.floor())
    };
    passed(to) - passed(from)
}

/// The start of the endless window that holds `at`.
fn endless_start(length: SignedDuration, at: Timestamp) -> Timestamp {
    let into = at
        .duration_since(ENDLESS_ANCHOR)
        .as_nanos()
        .rem_euclid(length.as_nanos());
    at.saturating_sub(SignedDuration::from_nanos_i128(into))
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
