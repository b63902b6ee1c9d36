//! How often a component turns from growing to shrinking. Growing is never kept back, so that of the changes of
//! direction in an hour every other one can be bounded, and so all of them.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Keeps when a component turned to shrinking within the last hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// Its last change made it smaller; `None`: it has not changed.
    shrinking: Option<bool>,
    lately: VecDeque<Timestamp>,
}

impl Turns {
    /// Whether anything may be given back now, where so many changes of direction are allowed in an hour.
    ///
    /// Between two turns to growing lies one to shrinking: of the latter i in any hour make 2·i + 1 changes at most.
    pub(crate) fn may_shrink(&self, now: Timestamp, changes_per_hour: u32) -> bool {
        let within = |at: &&Timestamp| now.duration_since(**at) < WINDOW;
        let turns = self.lately.iter().filter(within).count();
        self.shrinking != Some(false) || turns < (changes_per_hour.saturating_sub(1) / 2) as usize
    }

    /// Something was ordered, or given back.
    pub(crate) fn changed(&mut self, now: Timestamp, ordered: bool, given_back: bool) {
        if ordered {
            self.shrinking = Some(false);
        }
        if given_back {
            if self.shrinking == Some(false) {
                self.lately.push_back(now);
            }
            self.shrinking = Some(true);
        }
        let over = |at: &Timestamp| now.duration_since(*at) >= WINDOW;
        while self.lately.front().is_some_and(over) {
            self.lately.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_flaps_turns_as_often_as_it_may() {
        for most in 3..16 {
            let mut turns = Turns::default();
            let mut changes: Vec<i64> = Vec::new();
            let mut grew = None;
            for minute in 0..300 {
                let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
                let wants_more = minute % 2 == 0;
                let shrinks = !wants_more && turns.may_shrink(now, most);
                turns.changed(now, wants_more, shrinks);
                if (wants_more || shrinks) && grew.replace(wants_more) == Some(!wants_more) {
                    changes.push(minute);
                }
            }
            let in_hour = |from: i64| {
                let hour = from..from + 60;
                changes.iter().filter(|at| hour.contains(at)).count()
            };
            let highest = changes.iter().map(|from| in_hour(*from)).max();
            let highest = highest.unwrap_or(0) as u32;
            assert!(
                highest <= most && highest + 2 >= most,
                "{highest} of {most}"
            );
        }
    }
}
