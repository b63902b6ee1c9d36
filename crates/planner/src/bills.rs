//! What is given back first where offers are mixed or billed by blocks: what costs most to keep, when what is paid for it runs out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use fleetcast_model::{Cohort, InstanceState, Plan, Token};
use jiff::{SignedDuration, Timestamp};

use crate::plan::{
    OfferChoice, PlanInput, choice_of, largest_instance, release_in_order, state_lets_go,
    still_bound,
};

/// What is known of the bills of what stands.
#[derive(Clone, Copy, Debug)]
pub struct Bills<'a> {
    /// When each order was placed, where that is known: bills run from then.
    pub ordered: &'a BTreeMap<Token, Timestamp>,
    /// Until somebody looks again.
    pub step_seconds: u32,
    /// What leaves service is billed for so much longer.
    pub drain_seconds: u32,
    /// Whether what is paid for anyway stays until that is over. Where it may stand by instead it need not.
    pub idles: bool,
}

impl Bills<'_> {
    /// Whether an instance costs nothing more until somebody looks again: its minimum or its granule is paid anyway.
    fn runs_on(&self, input: &PlanInput, choice: &OfferChoice, cohort: &Cohort) -> bool {
        if !self.idles {
            return still_bound(input, cohort);
        }
        let known = self.ordered.get(&cohort.token);
        // Of an order that is not known only the state's begin is: it then seems younger than its bill, and stays into another granule.
        let ordered = known.map_or(cohort.since, |ordered| cohort.since.min(*ordered));
        let drain = if cohort.state == InstanceState::InService {
            i64::from(self.drain_seconds)
        } else {
            0
        };
        let end = input.now + SignedDuration::from_secs(drain);
        let age = end.duration_since(ordered).as_secs().max(0).unsigned_abs();
        choice.billing.billed_seconds(age) - age >= u64::from(self.step_seconds.max(1))
    }
}

/// Gives back up to `surplus` units, the dearest by the unit first, of equals the newest.
///
/// What does not serve yet goes first. While it is waited for, it goes as ever only where a whole instance of any size could go:
/// it was ordered for what is missing, and giving something smaller back would undo that order. Of what serves anything that
/// fits goes. So a large cheap instance takes the place of small dear ones as soon as it serves.
pub(crate) fn release_dearest(input: &PlanInput, bills: &Bills, surplus: u64, plan: &mut Plan) {
    let mut surplus = surplus;
    let (ready, _) = input.ready_and_pending();
    if surplus >= largest_instance(input) || ready >= plan.wanted.get() {
        let pending = dearest_first(input, bills, false);
        surplus -= release_in_order(input, plan, false, surplus, pending);
    }
    // What is still on its way stands in for nothing that serves.
    surplus = surplus.min(ready.saturating_sub(plan.wanted.get()));
    if surplus > 0 {
        let serving = dearest_first(input, bills, true);
        release_in_order(input, plan, true, surplus, serving);
    }
}

/// What may be given back now, in this order.
fn dearest_first<'a>(input: &PlanInput<'a>, bills: &Bills, serving: bool) -> Vec<&'a Cohort> {
    let choice = |cohort: &Cohort| choice_of(input.offers, cohort.offer);
    let free = |cohort: &&Cohort| {
        state_lets_go(cohort, serving)
            && choice(cohort).is_none_or(|choice| {
                choice.has_lived(cohort, input.now) && !bills.runs_on(input, choice, cohort)
            })
    };
    let mut cohorts: Vec<&Cohort> = input.cohorts.iter().rev().filter(free).collect();
    cohorts.sort_by(|a, b| match (choice(a), choice(b)) {
        (Some(a), Some(b)) => b.cmp_price(a),
        // What may not be rented any more goes first.
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    cohorts
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{
        Billing, ComponentIndex, InstanceRange, InstanceState, MicroUsdPerHour, OfferIndex, Units,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{check, plan};

    const fn offer(place: u16, units_each: u32, price: u64, seconds: u32) -> OfferChoice {
        OfferChoice {
            offer: OfferIndex(place),
            units_each,
            price: MicroUsdPerHour::new(price),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: seconds,
                granularity_seconds: seconds,
            },
        }
    }

    /// A unit at 100 by the second, four units at 300 by the second, a unit at 90 by the hour.
    const OFFERS: [OfferChoice; 3] = [
        offer(0, 1, 100, 1),
        offer(1, 4, 300, 1),
        offer(2, 1, 90, 3_600),
    ];

    /// Listed in this state since `since` seconds after the epoch.
    fn cohort(token: u64, count: u32, offer: u16, state: InstanceState, since: i64) -> Cohort {
        Cohort {
            token: Token(token),
            first: 0,
            count,
            component: ComponentIndex(0),
            offer: OfferIndex(offer),
            state,
            since: at(since),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a moment")
    }

    struct Case<'a> {
        cohorts: &'a [Cohort],
        offers: &'a [OfferChoice],
        wanted: u64,
        now: i64,
        drain: u32,
        ordered: &'a [(u64, i64)],
        idles: bool,
    }

    impl<'a> Case<'a> {
        /// The problem, looked at each five minutes.
        fn input(&self, ordered: &'a BTreeMap<Token, Timestamp>) -> PlanInput<'a> {
            PlanInput {
                component: ComponentIndex(0),
                now: at(self.now),
                ready_by: at(self.now + 300),
                floor: Units::new(1),
                ceiling: Units::new(100),
                wanted: Units::new(self.wanted),
                cohorts: self.cohorts,
                offers: self.offers,
                drain_most: Units::new(u64::MAX),
                bills: Some(Bills {
                    ordered,
                    step_seconds: 300,
                    drain_seconds: self.drain,
                    idles: self.idles,
                }),
            }
        }
    }

    /// Tokens and counts of what is given back.
    fn released(case: &Case) -> Vec<(u64, u32)> {
        let placed = case
            .ordered
            .iter()
            .map(|(token, placed)| (Token(*token), at(*placed)));
        let ordered: BTreeMap<Token, Timestamp> = placed.collect();
        let input = case.input(&ordered);
        let plan = plan(&input);
        assert_eq!(check(&input, &plan), []);
        plan.releases
            .iter()
            .map(|range| (range.token.0, range.count))
            .collect()
    }

    fn case<'a>(cohorts: &'a [Cohort], wanted: u64) -> Case<'a> {
        Case {
            cohorts,
            offers: &OFFERS,
            wanted,
            now: 100_000,
            drain: 0,
            ordered: &[],
            idles: true,
        }
    }

    #[test]
    fn a_large_cheap_instance_takes_the_place_of_small_dear_ones_once_it_serves() {
        use InstanceState::{Booting, InService};
        let small = [
            cohort(1, 3, 0, InService, 0),
            cohort(2, 2, 0, InService, 50_000),
        ];
        let fleet = |state| [small[0], small[1], cohort(3, 1, 1, state, 99_000)];
        let boots = fleet(Booting);
        assert_eq!(released(&case(&boots, 6)), [], "it serves nobody yet");
        let serves = fleet(InService);
        let newest = "three are over: two of the newest that cost 100 a unit, one of the others, and not the newest of all";
        assert_eq!(released(&case(&serves, 6)), [(2, 2), (1, 1)], "{newest}");
    }

    #[test]
    fn what_boots_for_what_is_missing_is_not_given_back_for_a_larger_one_on_its_way() {
        use InstanceState::{Booting, InService};
        let cohorts = [
            cohort(1, 2, 1, InService, 0),
            cohort(2, 2, 0, Booting, 99_000),
            cohort(3, 1, 1, Booting, 99_500),
        ];
        assert_eq!(released(&case(&cohorts, 12)), []);
        assert_eq!(released(&case(&cohorts, 10)), [(2, 2)], "four are over");
    }

    #[test]
    fn an_hour_that_is_paid_for_is_used_to_its_end() {
        // Ordered at 0, in service five minutes later, and looked at every five minutes.
        let cohorts = [cohort(1, 5, 2, InstanceState::InService, 300)];
        let goes = |now, drain, ordered| {
            !released(&Case {
                now,
                drain,
                ordered,
                ..case(&cohorts, 3)
            })
            .is_empty()
        };
        let known: &[(u64, i64)] = &[(1, 0)];
        let minutes: Vec<i64> = (0..180).filter(|m| goes(m * 60, 0, known)).collect();
        let last: Vec<i64> = (56..=60).chain(116..=120).chain(176..180).collect();
        assert_eq!(minutes, last, "less than a look is left of the hour");
        assert!(
            !goes(55 * 60, 0, known) && goes(55 * 60, 300, known),
            "the drain is billed too"
        );
        assert!(
            !goes(60 * 60, 0, &[]) && goes(65 * 60, 0, &[]),
            "unknown orders count from the listing"
        );
    }

    #[test]
    fn a_lifetime_counts_from_service() {
        let lives = OfferChoice {
            lifetime_seconds: 7_200,
            ..OFFERS[0]
        };
        let cohorts = [cohort(1, 5, 0, InstanceState::InService, 300)];
        let goes = |now| {
            let offers = &[lives, OFFERS[1]];
            !released(&Case {
                now,
                offers,
                ordered: &[(1, 0)],
                ..case(&cohorts, 3)
            })
            .is_empty()
        };
        assert!(!goes(7_499) && goes(7_500));
    }

    #[test]
    fn a_lifetime_shorter_than_the_bill_holds_as_well() {
        let lives = OfferChoice {
            lifetime_seconds: 3_000,
            ..OFFERS[2]
        };
        // Ordered at 0, in service from 900: in the last look of the first hour, with a drain of a minute, it has not lived long enough.
        let cohorts = [cohort(1, 5, 2, InstanceState::InService, 900)];
        let offers = &[OFFERS[0], OFFERS[1], lives];
        let goes = |now| {
            let case = Case {
                now,
                offers,
                ordered: &[(1, 0)],
                ..case(&cohorts, 3)
            };
            !released(&case).is_empty()
        };
        assert!((3_000..3_900).step_by(60).all(|now| !goes(now)));
        assert!((7_000..7_200).any(goes));
    }

    #[test]
    fn where_it_may_stand_by_an_hour_is_not_waited_for_but_its_minimum_is() {
        let cohorts = [cohort(1, 5, 2, InstanceState::InService, 300)];
        let goes = |now, idles| {
            let case = Case {
                now,
                ordered: &[(1, 0)],
                idles,
                ..case(&cohorts, 3)
            };
            !released(&case).is_empty()
        };
        assert!(goes(5_000, false) && !goes(5_000, true));
        assert!(!goes(3_000, false), "the first hour is the minimum");
    }

    #[test]
    fn a_clock_that_is_ahead_holds_nothing() {
        let cohorts = [cohort(1, 5, 0, InstanceState::InService, 100_002)];
        assert_eq!(released(&case(&cohorts, 3)), [(1, 2)]);
        let ordered = BTreeMap::new();
        let without_minimum = offer(0, 1, 100, 0);
        let newest_first = PlanInput {
            bills: None,
            offers: &[without_minimum],
            ..case(&cohorts, 3).input(&ordered)
        };
        let plan = plan(&newest_first);
        assert_eq!(plan.drained, Units::new(2));
        assert_eq!(check(&newest_first, &plan), []);
    }

    #[test]
    fn a_plan_that_ends_a_lifetime_early_is_found_out() {
        let lives = [OfferChoice {
            lifetime_seconds: 3_600,
            ..OFFERS[0]
        }];
        let cohorts = [cohort(1, 5, 0, InstanceState::InService, 97_000)];
        let ordered = BTreeMap::new();
        let input = Case {
            offers: &lives,
            ..case(&cohorts, 3)
        }
        .input(&ordered);
        let mut early = Plan::keep(input.component, Units::new(3));
        early.drained = Units::new(2);
        early.releases = vec![InstanceRange {
            token: Token(1),
            first: 3,
            count: 2,
        }];
        let notes = check(&input, &early);
        assert_eq!(notes.len(), 1, "{notes:?}");
        let later = PlanInput {
            now: at(100_600),
            ..input
        };
        assert_eq!(check(&later, &early), []);
    }

    #[test]
    fn what_boots_goes_before_what_serves_once_that_is_enough() {
        let cohorts = [
            cohort(1, 2, 1, InstanceState::InService, 0),
            cohort(2, 2, 0, InstanceState::InService, 0),
            cohort(3, 3, 0, InstanceState::Booting, 0),
        ];
        let gone = released(&case(&cohorts, 10));
        assert_eq!(gone, [(3, 3)]);
    }

    proptest! {
        #[test]
        fn nothing_that_could_go_costs_more_than_what_goes(
            wanted in 1_u64..20,
            parts in proptest::collection::vec((1_u32..4, 0_u16..3, 0_i64..7_200), 1..8),
        ) {
            let cohorts: Vec<Cohort> = parts.iter().zip(0..)
                .map(|((count, offer, since), token)| cohort(token, *count, *offer, InstanceState::InService, 92_800 + since))
                .collect();
            let case = case(&cohorts, wanted);
            let gone = released(&case);
            let choice = |cohort: &Cohort| &OFFERS[usize::from(cohort.offer.0)];
            let each = |cohort: &Cohort| u64::from(choice(cohort).units_each);
            let have: u64 = cohorts.iter().map(|c| u64::from(c.count) * each(c)).sum();
            let freed: u64 = gone.iter().map(|(token, count)| u64::from(*count) * each(&cohorts[*token as usize])).sum();
            prop_assert!(freed <= have.saturating_sub(wanted));
            let left = have.saturating_sub(wanted) - freed;
            for cohort in &cohorts {
                let count = gone.iter().find(|(token, _)| *token == cohort.token.0).map_or(0, |(_, count)| *count);
                let age = (case.now - cohort.since.as_second()).unsigned_abs();
                let free = choice(cohort).billing.billed_seconds(age) - age < 300;
                prop_assert!(free || count == 0, "{cohort:?} is paid for");
                prop_assert!(!free || count == cohort.count || each(cohort) > left, "{cohort:?} could go");
            }
        }
    }
}
