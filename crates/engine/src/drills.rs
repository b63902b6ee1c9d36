//! Promotion drills: standby that nobody has started for weeks may not start. One unit at a time is promoted when
//! nothing is at stake, timed, and goes back; what came of it is kept.

use std::collections::BTreeMap;

use fleetcast_model::{
    Action, Cohort, Drill, DrillOutcome, InstanceRange, InstanceState, StandbyPolicy, Token,
};
use jiff::{SignedDuration, Timestamp};

/// A promotion that takes longer than so many times the planned one is slow …
const SLOW: i32 = 2;
/// … and has failed after so many.
const FAILED: i32 = 10;
/// A unit counts as proven for so long.
const PROVEN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One instance, by its order and its place in it.
type Id = (Token, u32);

/// The drills of one component.
#[derive(Clone, Debug, Default)]
pub struct Drills {
    /// When the next one is due; `None`: as soon as something stands by.
    due: Option<Timestamp>,
    /// The instance being drilled, and since when.
    running: Option<(Id, Timestamp)>,
    /// When each standby instance last came into service from standby.
    proven: BTreeMap<Id, Timestamp>,
    /// What came of the drills.
    pub book: DrillBook,
}

/// What came of the drills so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrillBook {
    /// Drills that came to an end.
    pub done: u64,
    /// Those that served in time.
    pub in_time: u64,
    /// Those that served late.
    pub slow: u64,
    /// Those that never served.
    pub failed: u64,
    /// Time until they served, summed over those that did.
    pub time: SignedDuration,
}

impl Drills {
    /// Whether this instance is being drilled.
    pub fn holds(&self, cohort: &Cohort) -> bool {
        let inside = |place: u32| (cohort.first..cohort.first + cohort.count).contains(&place);
        self.running
            .is_some_and(|((token, place), _)| token == cohort.token && inside(place))
    }

    /// Begins a drill if one is due.
    pub fn begin_if_due(
        &mut self,
        policy: &StandbyPolicy,
        cohorts: &[Cohort],
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let due = self.due.is_none_or(|due| due <= now) && self.running.is_none();
        if let Some(every) = policy.drill_every.filter(|_| due) {
            self.begin(cohorts, every, now, actions);
        }
    }

    /// Notes which instances came into service from standby in the step that began at `began`.
    pub fn note_promotions(&mut self, cohorts: &[Cohort], began: Timestamp) {
        let came =
            |cohort: &&Cohort| cohort.state == InstanceState::InService && cohort.since > began;
        for cohort in cohorts.iter().filter(came) {
            for place in cohort.first..cohort.first + cohort.count {
                self.proven.insert((cohort.token, place), cohort.since);
            }
        }
    }

    /// The share of standby that came into service at least once in the last 30 days; `None` without standby.
    pub fn proven_share(&self, cohorts: &[Cohort], now: Timestamp) -> Option<f64> {
        let standby = cohorts.iter().filter(|c| c.state == InstanceState::Standby);
        let (mut all, mut proven) = (0_u64, 0_u64);
        for cohort in standby {
            all += u64::from(cohort.count);
            let own = (cohort.token, cohort.first)..(cohort.token, cohort.first + cohort.count);
            let of_late = |at: &&Timestamp| now.duration_since(**at) <= PROVEN_FOR;
            proven += self
                .proven
                .range(own)
                .map(|(_, at)| at)
                .filter(of_late)
                .count() as u64;
        }
        (all > 0).then(|| proven as f64 / all as f64)
    }

    /// Follows the drill under way; says what came of it once it has ended.
    pub fn follow(
        &mut self,
        policy: &StandbyPolicy,
        cohorts: &[Cohort],
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Option<Drill> {
        let ((token, place), began) = self.running?;
        let own = |cohort: &&Cohort| {
            cohort.token == token && (cohort.first..cohort.first + cohort.count).contains(&place)
        };
        let cohort = cohorts.iter().find(own);
        let planned = policy.promotion.max(SignedDuration::from_secs(1));
        let outcome = match cohort.map(|cohort| (cohort.state, cohort.since)) {
            Some((InstanceState::InService, since)) => {
                let took = since.duration_since(began).max(SignedDuration::ZERO);
                self.proven.insert((token, place), since);
                self.book.time += took;
                if took > planned * SLOW {
                    self.book.slow += 1;
                    DrillOutcome::Slow(took)
                } else {
                    self.book.in_time += 1;
                    DrillOutcome::InTime(took)
                }
            }
            Some((InstanceState::Promoting, _)) if now.duration_since(began) < planned * FAILED => {
                return None;
            }
            still_there => {
                self.book.failed += 1;
                if still_there.is_some() {
                    // It does not come up: it is given back, and standby is refilled.
                    actions.push(Action::Release(InstanceRange {
                        token,
                        first: place,
                        count: 1,
                    }));
                }
                DrillOutcome::Failed
            }
        };
        self.running = None;
        self.book.done += 1;
        Some(Drill {
            began,
            token,
            place,
            outcome,
        })
    }

    /// Drills the instance that was proven longest ago.
    fn begin(
        &mut self,
        cohorts: &[Cohort],
        every: SignedDuration,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let standby = cohorts.iter().filter(|c| c.state == InstanceState::Standby);
        let ids = standby.flat_map(|c| (c.first..c.first + c.count).map(|place| (c.token, place)));
        let listed: std::collections::BTreeSet<Id> = (cohorts.iter())
            .flat_map(|c| (c.first..c.first + c.count).map(|place| (c.token, place)))
            .collect();
        self.proven.retain(|id, _| listed.contains(id));
        let Some(chosen) = ids.min_by_key(|id| self.proven.get(id).copied()) else {
            return;
        };
        self.running = Some((chosen, now));
        self.due = Some(now + every);
        actions.push(Action::Promote(InstanceRange {
            token: chosen.0,
            first: chosen.1,
            count: 1,
        }));
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{ComponentIndex, OfferIndex, PromoteOn, Share, StandbyTier};

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_secs(60);

    fn at(minutes: i32) -> Timestamp {
        Timestamp::UNIX_EPOCH + MINUTE * minutes
    }

    fn policy() -> StandbyPolicy {
        StandbyPolicy {
            promotion: MINUTE,
            price_share: Share::per_mille(100),
            units: None,
            tier: StandbyTier::Stopped,
            promote_on: PromoteOn::OverCapacity,
            drill_every: Some(MINUTE * 100),
            others: [None; 2],
        }
    }

    fn cohort(first: u32, count: u32, state: InstanceState, since: Timestamp) -> Cohort {
        Cohort {
            token: Token(7),
            first,
            count,
            component: ComponentIndex(0),
            offer: OfferIndex(0),
            state,
            since,
        }
    }

    #[test]
    fn each_unit_has_its_turn_and_what_does_not_come_up_is_given_back() {
        let mut drills = Drills::default();
        let standby = [cohort(0, 3, InstanceState::Standby, at(0))];
        let mut actions = Vec::new();
        drills.begin_if_due(&policy(), &standby, at(2), &mut actions);
        assert_eq!(actions.len(), 1);
        let served = [
            cohort(0, 1, InstanceState::InService, at(3)),
            cohort(1, 2, InstanceState::Standby, at(0)),
        ];
        assert!(drills.holds(&served[0]));
        let drill = drills.follow(&policy(), &served, at(3), &mut actions);
        let outcome = drill.map(|drill| drill.outcome);
        assert_eq!(outcome, Some(DrillOutcome::InTime(MINUTE)));
        assert_eq!(drills.proven_share(&standby, at(3)), Some(1.0 / 3.0));
        actions.clear();
        drills.begin_if_due(&policy(), &standby, at(50), &mut actions);
        assert_eq!(actions, [], "the next one is due after 100 minutes");
        drills.begin_if_due(&policy(), &standby, at(102), &mut actions);
        let promoted = InstanceRange {
            token: Token(7),
            first: 1,
            count: 1,
        };
        assert_eq!(actions, [Action::Promote(promoted)]);
        let stuck = [
            cohort(0, 1, InstanceState::Standby, at(4)),
            cohort(1, 1, InstanceState::Promoting, at(102)),
        ];
        assert_eq!(
            drills.follow(&policy(), &stuck, at(105), &mut actions),
            None
        );
        let drill = drills.follow(&policy(), &stuck, at(112), &mut actions);
        assert_eq!(drill.map(|drill| drill.outcome), Some(DrillOutcome::Failed));
        assert_eq!(actions.last(), Some(&Action::Release(promoted)));
        assert_eq!((drills.book.done, drills.book.failed), (2, 1));
    }
}
