//! How much of what serves may be taken out of service within an hour, where somebody has said so: a source that
//! reads nothing by mistake, or a change of plan, then takes a fleet down slowly enough for people to see it.

use std::collections::VecDeque;

use fleetcast_model::{Share, Units};
use jiff::{SignedDuration, Timestamp};

/// The budget is for so long.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Keeps what served and what was drained in the last hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScaleInBudget {
    share: Option<Share>,
    lately: VecDeque<Step>,
    /// Another fleet may stand in place of the one that was observed so far.
    handed_over: bool,
}

/// What served at a moment, and what was drained then.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: Timestamp,
    ready: Units,
    drained: Units,
}

impl ScaleInBudget {
    /// Of what serves this share may go in an hour; `None`: all of it.
    pub(crate) fn new(share: Option<Share>) -> Self {
        Self {
            share,
            ..Self::default()
        }
    }

    /// Another share holds from now on, maybe of another fleet. What was drained in the last hour still counts.
    pub(crate) fn amend(&mut self, share: Option<Share>) {
        self.share = share;
        self.handed_over = true;
    }

    /// So much serves now.
    pub(crate) fn observe(&mut self, now: Timestamp, ready: Units) {
        if std::mem::take(&mut self.handed_over) {
            self.believe_at_most(ready);
        }
        let over = |step: &Step| now.duration_since(step.at) >= WINDOW;
        while self.lately.front().is_some_and(over) {
            self.lately.pop_front();
        }
        self.lately.push_back(Step {
            at: now,
            ready,
            drained: Units::ZERO,
        });
    }

    /// Units that may still be drained now. Rounded up, so that a small fleet is never stuck.
    pub(crate) fn left(&self) -> Units {
        let Some(share) = self.share else {
            return Units::new(u64::MAX);
        };
        let most = self.lately.iter().map(|step| step.ready).max();
        let most = most.unwrap_or_default().get();
        let allowed =
            (u128::from(most) * u128::from(share.parts_per_million())).div_ceil(1_000_000);
        let drained = self.lately.iter().map(|step| step.drained).sum();
        Units::new(allowed as u64).saturating_sub(drained)
    }

    /// No more served before than what serves now and what has been drained since: a fleet that was larger than
    /// the one that is there now allows nothing.
    fn believe_at_most(&mut self, ready: Units) {
        let mut most = ready;
        for step in self.lately.iter_mut().rev() {
            most += step.drained;
            step.ready = step.ready.min(most);
        }
    }

    /// So much is being drained.
    pub(crate) fn drained(&mut self, now: Timestamp, units: Units) {
        if let Some(step) = self.lately.back_mut().filter(|step| step.at == now) {
            step.drained += units;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_an_hour_is_a_quarter_in_any_hour() {
        let mut budget = ScaleInBudget::new(Share::new(0.25));
        let at = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        let (mut ready, mut gone) = (Units::new(40), Vec::new());
        for minute in 0..180 {
            budget.observe(at(minute), ready);
            let drained = budget.left().min(Units::new(3));
            budget.drained(at(minute), drained);
            ready = ready.saturating_sub(drained);
            gone.push(drained.get());
        }
        assert_eq!(gone[..60].iter().sum::<u64>(), 10);
        assert!(gone.windows(60).all(|hour| hour.iter().sum::<u64>() <= 10));
        assert!(ready < Units::new(20), "it goes on: {ready}");
        assert_eq!(ScaleInBudget::default().left(), Units::new(u64::MAX));
    }

    #[test]
    fn a_handover_renews_no_budget() {
        let quarter = Share::new(0.25);
        let at = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        let drained = |share, ready: u64| {
            let mut budget = ScaleInBudget::new(share);
            budget.observe(at(0), Units::new(40));
            budget.drained(at(0), Units::new(6));
            budget.amend(quarter);
            budget.observe(at(20), Units::new(ready));
            budget
        };
        assert_eq!(drained(quarter, 34).left(), Units::new(4));
        // What went while nobody limited it counts too.
        assert_eq!(drained(None, 34).left(), Units::new(4));
        // A smaller fleet than the one before: a quarter of what it can have been.
        assert_eq!(drained(quarter, 10).left(), Units::ZERO);
        assert_eq!(drained(quarter, 80).left(), Units::new(14));
        let mut later = drained(quarter, 34);
        later.observe(at(60), Units::new(34));
        assert_eq!(later.left(), Units::new(9));
    }

    #[test]
    fn the_last_unit_of_a_small_fleet_may_go() {
        let mut budget = ScaleInBudget::new(Share::new(0.1));
        budget.observe(Timestamp::UNIX_EPOCH, Units::new(2));
        assert_eq!(budget.left(), Units::new(1));
    }
}
