//! The occurrences of a recurring window, expanded as far as they are asked for.

use jiff::{SignedDuration, Span, Timestamp};

use crate::calendar_rule::{Recurrence, Starts};

/// One occurrence of a time window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// First moment.
    pub start: Timestamp,
    /// First moment after.
    pub end: Timestamp,
}

impl Occurrence {
    /// Whether any of it is in `from..to`.
    pub fn overlaps(&self, from: Timestamp, to: Timestamp) -> bool {
        self.start < to && from < self.end
    }
}

/// Civil order and the order of instants differ by less than this: the largest jump that a zone has
/// made is a whole day (Samoa, 2011-12-30, left out).
const REORDER: SignedDuration = SignedDuration::from_hours(25);
/// A question so far beyond what is kept starts a new expansion rather than walking there.
const WALK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Occurrences kept before those that are long over are dropped: a minutely rule's week.
const KEPT: usize = 10_080;

/// The occurrences of a recurring window, sorted by start, complete for starts in
/// `complete_from..complete_to`.
#[derive(Clone, Debug)]
pub(crate) struct Expansion {
    recurrence: Recurrence,
    length: Span,
    /// No occurrence is longer than this.
    longest: SignedDuration,
    kept: Vec<Occurrence>,
    complete_from: Timestamp,
    complete_to: Timestamp,
    /// Where the expansion goes on; `None`: nothing has been expanded yet.
    starts: Option<Starts>,
}

impl Expansion {
    pub(crate) fn new(recurrence: Recurrence, length: Span) -> Self {
        Self {
            recurrence,
            length,
            longest: longest(&length),
            kept: Vec::new(),
            complete_from: Timestamp::MAX,
            complete_to: Timestamp::MAX,
            starts: None,
        }
    }

    /// All occurrences that overlap `from..to`, and possibly some that ended shortly before.
    pub(crate) fn overlapping(&mut self, from: Timestamp, to: Timestamp) -> &[Occurrence] {
        let earliest = from.saturating_sub(self.longest).unwrap_or(Timestamp::MIN);
        self.cover(earliest, to);
        let first = self
            .kept
            .partition_point(|one| one.start <= earliest && one.end <= from);
        let last = self.kept.partition_point(|one| one.start < to);
        &self.kept[first.min(last)..last]
    }

    /// The first start after `after`.
    pub(crate) fn next_start(&mut self, after: Timestamp) -> Option<Timestamp> {
        self.cover(after, after);
        loop {
            let index = self.kept.partition_point(|one| one.start <= after);
            match self.kept.get(index) {
                Some(one) if one.start < self.complete_to => return Some(one.start),
                _ if self.complete_to == Timestamp::MAX => {
                    return self.kept.get(index).map(|one| one.start);
                }
                _ => self.expand(),
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Makes the expansion complete for starts in `from..to`.
    fn cover(&mut self, from: Timestamp, to: Timestamp) {
        let too_far = from.duration_since(self.complete_to) > WALK && self.recurrence.can_skip();
        if self.starts.is_none() || from < self.complete_from || too_far {
            self.kept.clear();
            self.complete_from = from;
            self.complete_to = from;
            self.starts = Some(self.recurrence.starts(Some(from)));
        }
        while self.complete_to < to {
            self.expand();
        }
        if self.kept.len() > KEPT {
            let over = self.kept.partition_point(|one| one.start < from);
            if over > KEPT / 2 {
                self.kept.drain(..over);
                self.complete_from = from;
            }
        }
    }

    /// Takes one more occurrence.
    fn expand(&mut self) {
        let next = self
            .starts
            .as_mut()
            .and_then(|starts| starts.next(&self.recurrence));
        let Some(start) = next else {
            self.complete_to = Timestamp::MAX;
            return;
        };
        let seen_to = start
            .timestamp()
            .saturating_sub(REORDER)
            .unwrap_or(Timestamp::MIN);
        self.complete_to = self.complete_to.max(seen_to);
        let Ok(end) = start.checked_add(self.length) else {
            return;
        };
        let one = Occurrence {
            start: start.timestamp(),
            end: end.timestamp(),
        };
        let index = self.kept.partition_point(|other| other.start < one.start);
        let known = self
            .kept
            .get(index)
            .is_some_and(|other| other.start == one.start);
        if !known && one.start < one.end && one.start >= self.complete_from {
            self.kept.insert(index, one);
        }
    }
}

/// A length that no occurrence exceeds: calendar units at their longest, and a zone's jump.
fn longest(length: &Span) -> SignedDuration {
    let days = i64::from(length.get_years()) * 366
        + i64::from(length.get_months()) * 31
        + i64::from(length.get_weeks()) * 7
        + i64::from(length.get_days());
    let time = i64::from(length.get_hours()) * 3_600
        + length.get_minutes() * 60
        + length.get_seconds()
        + 1;
    let jump = if days > 0 {
        REORDER
    } else {
        SignedDuration::ZERO
    };
    SignedDuration::from_secs(days * 86_400 + time).saturating_add(jump)
}
