//! The planner: a pure function from a stated problem to a plan.

use std::cmp::Ordering;

use fleetcast_model::{
    Billing, Cohort, ComponentIndex, InstanceRange, InstanceState, MicroUsdPerHour, OfferIndex,
    Plan, PlannedOrder, Units,
};
use jiff::Timestamp;

use crate::bills::{Bills, release_dearest};
use crate::mix::cheapest_mix;

/// One component's problem.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// The component.
    pub component: ComponentIndex,
    /// Now.
    pub now: Timestamp,
    /// When something ordered now would serve.
    pub ready_by: Timestamp,
    /// Never fewer units.
    pub floor: Units,
    /// Never more units.
    pub ceiling: Units,
    /// Units that should be there, before floor and ceiling.
    pub wanted: Units,
    /// The component's instances, oldest order first; draining ones count for nothing.
    pub cohorts: &'a [Cohort],
    /// What may be rented; not empty.
    pub offers: &'a [OfferChoice],
    /// Units of what serves that may be given back at most: none of what is stateful.
    pub drain_most: Units,
    /// Where offers are mixed or billed by blocks: what is known of the bills, so that what costs most to keep goes first.
    /// `None`: what is newest goes first.
    pub bills: Option<Bills<'a>>,
}

/// An offer as the planner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferChoice {
    /// Which one.
    pub offer: OfferIndex,
    /// Units that one instance provides; not zero.
    pub units_each: u32,
    /// Price of one instance.
    pub price: MicroUsdPerHour,
    /// An instance stays at least for so many seconds, because its component says so.
    pub lifetime_seconds: u32,
    /// How an instance is billed.
    pub billing: Billing,
}

impl OfferChoice {
    /// Compares what a unit costs.
    pub fn cmp_price(&self, other: &Self) -> Ordering {
        let priced = |choice: &Self| (choice.price, u64::from(choice.units_each));
        MicroUsdPerHour::cmp_by_unit(priced(self), priced(other))
    }

    /// Whether an instance has been in its state for the lifetime that its component asks for.
    pub(crate) fn has_lived(&self, cohort: &Cohort, now: Timestamp) -> bool {
        // A provider's clock may be ahead of ours.
        let lived = now.duration_since(cohort.since).as_secs().max(0);
        lived >= i64::from(self.lifetime_seconds)
    }

    /// An order of so many instances.
    pub fn order(&self, instances: u64, ready_by: Timestamp) -> PlannedOrder {
        PlannedOrder {
            offer: self.offer,
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
            units: Units::new(instances * u64::from(self.units_each.max(1))),
            price: self.price,
            ready_by,
        }
    }
}

impl PlanInput<'_> {
    /// Units that one instance of a cohort provides.
    pub fn units_each(&self, cohort: &Cohort) -> u64 {
        units_each(self.offers, cohort)
    }

    /// Units that serve, and units on their way.
    pub fn ready_and_pending(&self) -> (u64, u64) {
        let (mut ready, mut pending) = (0, 0);
        for cohort in self.cohorts {
            let units = u64::from(cohort.count) * self.units_each(cohort);
            match cohort.state {
                InstanceState::InService => ready += units,
                InstanceState::Booting
                | InstanceState::Configuring
                | InstanceState::Healthy
                | InstanceState::Promoting => pending += units,
                // What stands by, or is on its way there, serves nobody until it is promoted.
                InstanceState::Draining
                | InstanceState::Interrupted
                | InstanceState::Preparing
                | InstanceState::Standby
                | InstanceState::Demoting => {}
            }
        }
        (ready, pending)
    }
}

/// Units that one instance of a cohort provides; 1 for an offer that is not among these.
pub fn units_each(offers: &[OfferChoice], cohort: &Cohort) -> u64 {
    units_of(offers, cohort.offer)
}

/// Units that one instance of an offer provides; 1 for one that is not among these.
pub fn units_of(offers: &[OfferChoice], offer: OfferIndex) -> u64 {
    u64::from(choice_of(offers, offer).map_or(1, |choice| choice.units_each))
}

/// An offer among these.
pub(crate) fn choice_of(offers: &[OfferChoice], offer: OfferIndex) -> Option<&OfferChoice> {
    offers.iter().find(|choice| choice.offer == offer)
}

/// Chooses what to order or to release so that the wanted units are there at the least cost.
pub fn plan(input: &PlanInput) -> Plan {
    let wanted = input.wanted.max(input.floor).min(input.ceiling);
    let (ready, pending) = input.ready_and_pending();
    let have = ready + pending;
    let mut plan = Plan::keep(input.component, wanted);
    if wanted.get() > have {
        let missing = wanted.get() - have;
        let room = input.ceiling.get().saturating_sub(have);
        plan.orders = cheapest_orders(input, missing, room);
    } else if let Some(bills) = &input.bills {
        release_dearest(input, bills, have - wanted.get(), &mut plan);
    } else if have - wanted.get() >= largest_instance(input) {
        release(input, have - wanted.get(), &mut plan);
    }
    plan
}

/// Units of the largest instance that is there. A surplus of less is what whole instances leave over: giving
/// something smaller back for it would undo the order that brought it.
pub(crate) fn largest_instance(input: &PlanInput) -> u64 {
    let there = input
        .cohorts
        .iter()
        .filter(|cohort| cohort.state.is_counted());
    there
        .map(|cohort| input.units_each(cohort))
        .max()
        .unwrap_or(1)
}

/// The cheapest offers that together provide the missing units and stay under the ceiling; where none do both, the
/// most that fits.
fn cheapest_orders(input: &PlanInput, missing: u64, room: u64) -> Vec<PlannedOrder> {
    let mix = cheapest_mix(input.offers, missing, room);
    mix.into_iter()
        .map(|(place, instances)| input.offers[place].order(instances, input.ready_by))
        .collect()
}

/// Gives back up to `surplus` units: first what does not serve yet, newest first.
fn release(input: &PlanInput, mut surplus: u64, plan: &mut Plan) {
    surplus -= release_cohorts(input, plan, false, surplus, |_| true);
    // What is still on its way stands in for nothing that serves.
    let (ready, _) = input.ready_and_pending();
    surplus = surplus.min(ready.saturating_sub(plan.wanted.get()));
    release_cohorts(input, plan, true, surplus, |_| true);
}

/// Gives back at most so many units of what serves, or of what does not serve yet, newest first; says how many.
/// No more is drained than may be, and what is paid for anyway stays.
pub(crate) fn release_cohorts(
    input: &PlanInput,
    plan: &mut Plan,
    serving: bool,
    most: u64,
    of: impl Fn(&Cohort) -> bool,
) -> u64 {
    let free = |cohort: &&Cohort| of(cohort) && may_go(input, cohort, serving);
    let newest_first = input.cohorts.iter().rev().filter(free);
    release_in_order(input, plan, serving, most, newest_first)
}

/// Gives back at most so many units of these cohorts, in this order; says how many.
pub(crate) fn release_in_order<'a>(
    input: &PlanInput,
    plan: &mut Plan,
    serving: bool,
    most: u64,
    cohorts: impl IntoIterator<Item = &'a Cohort>,
) -> u64 {
    let most = if serving {
        most.min(input.drain_most.saturating_sub(plan.drained).get())
    } else {
        most
    };
    let mut left = most;
    for cohort in cohorts {
        let each = input.units_each(cohort);
        if left == 0 || each == 0 {
            continue;
        }
        let count = (left / each).min(u64::from(cohort.count));
        if count == 0 {
            continue;
        }
        left -= count * each;
        let freed = Units::new(count * each);
        if serving {
            plan.drained += freed;
        } else {
            plan.cancelled += freed;
        }
        let count = count as u32;
        plan.releases.push(InstanceRange {
            token: cohort.token,
            first: cohort.first + cohort.count - count,
            count,
        });
    }
    most - left
}

/// Whether these instances may be given back among those that serve, or among those that do not serve yet.
pub(crate) fn may_go(input: &PlanInput, cohort: &Cohort, serving: bool) -> bool {
    state_lets_go(cohort, serving) && !still_bound(input, cohort)
}

/// The same by their state alone: lifetime and bill may hold them.
pub(crate) fn state_lets_go(cohort: &Cohort, serving: bool) -> bool {
    cohort.state.is_counted()
        && cohort.state != InstanceState::Promoting
        && (cohort.state == InstanceState::InService) == serving
}

/// Whether the minimum bill or the lifetime of these instances runs on anyway.
pub(crate) fn still_bound(input: &PlanInput, cohort: &Cohort) -> bool {
    let minimum = choice_of(input.offers, cohort.offer).map_or(0, |choice| {
        (choice.billing.minimum_seconds).max(choice.lifetime_seconds)
    });
    // `since` is when this state began, so the age is never overstated.
    minimum > 0 && input.now.duration_since(cohort.since).as_secs() < i64::from(minimum)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fleetcast_model::Token;
    use proptest::prelude::*;

    use super::*;
    use crate::check;

    fn cohort(token: u64, count: u32, offer: u16, state: InstanceState) -> Cohort {
        Cohort {
            token: Token(token),
            first: 0,
            count,
            component: ComponentIndex(0),
            offer: OfferIndex(offer),
            state,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    const OFFERS: [OfferChoice; 2] = [
        OfferChoice {
            offer: OfferIndex(0),
            units_each: 1,
            price: MicroUsdPerHour::new(100),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: 0,
                granularity_seconds: 1,
            },
        },
        OfferChoice {
            offer: OfferIndex(1),
            units_each: 4,
            price: MicroUsdPerHour::new(300),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: 60,
                granularity_seconds: 1,
            },
        },
    ];

    fn input<'a>(wanted: u64, cohorts: &'a [Cohort]) -> PlanInput<'a> {
        PlanInput {
            component: ComponentIndex(0),
            now: Timestamp::from_second(3_600).unwrap_or_default(),
            ready_by: Timestamp::from_second(3_960).unwrap_or_default(),
            floor: Units::new(2),
            ceiling: Units::new(50),
            wanted: Units::new(wanted),
            cohorts,
            offers: &OFFERS,
            drain_most: Units::new(u64::MAX),
            bills: None,
        }
    }

    /// Carries a plan out on the listing, as a provider with no delay would.
    fn carried_out(input: &PlanInput, plan: &Plan) -> Vec<Cohort> {
        let mut cohorts = input.cohorts.to_vec();
        for range in &plan.releases {
            for cohort in &mut cohorts {
                let inside = cohort.token == range.token
                    && cohort.first + cohort.count == range.first + range.count;
                if inside && cohort.state != InstanceState::Draining {
                    cohort.count -= range.count;
                    break;
                }
            }
        }
        for (i, order) in plan.orders.iter().enumerate() {
            cohorts.push(cohort(
                1_000 + i as u64,
                order.instances,
                order.offer.0,
                InstanceState::Booting,
            ));
        }
        cohorts
    }

    #[test]
    fn cancels_what_does_not_serve_before_it_drains_newest_first() {
        let cohorts = [
            cohort(1, 10, 0, InstanceState::InService),
            cohort(2, 3, 0, InstanceState::Booting),
            cohort(3, 2, 0, InstanceState::Booting),
        ];
        let plan = plan(&PlanInput {
            offers: &OFFERS[..1],
            ..input(9, &cohorts)
        });
        let released: Vec<_> = plan
            .releases
            .iter()
            .map(|r| (r.token.0, r.first, r.count))
            .collect();
        assert_eq!(released, [(3, 0, 2), (2, 0, 3), (1, 9, 1)]);
        assert_eq!(
            (plan.cancelled, plan.drained),
            (Units::new(5), Units::new(1))
        );
    }

    #[test]
    fn orders_the_cheapest_mix() {
        assert_eq!(
            plan(&input(2, &[])).orders[0].offer,
            OfferIndex(0),
            "two at 100 are under one at 300"
        );
        let four = &plan(&input(8, &[])).orders[0];
        assert_eq!(
            (four.offer, four.instances),
            (OfferIndex(1), 2),
            "two at 300 are under eight at 100"
        );
        let mixed: Vec<_> = (plan(&input(5, &[])).orders.iter())
            .map(|order| (order.offer, order.instances))
            .collect();
        assert_eq!(
            mixed,
            [(OfferIndex(0), 1), (OfferIndex(1), 1)],
            "one of each is under two at 300"
        );
    }

    #[test]
    fn keeps_what_is_paid_for_anyway() {
        let mut young = cohort(1, 5, 1, InstanceState::Booting);
        young.since = Timestamp::from_second(3_590).unwrap_or_default();
        assert!(plan(&input(2, &[young])).is_empty());
    }

    fn states() -> impl Strategy<Value = InstanceState> {
        use InstanceState::{Booting, Draining, Healthy, InService};
        prop_oneof![
            Just(Booting),
            Just(Healthy),
            Just(InService),
            Just(Draining)
        ]
    }

    static NOTHING_KNOWN: BTreeMap<Token, Timestamp> = BTreeMap::new();

    proptest! {
        #[test]
        fn planning_twice_changes_nothing(
            by_bill in any::<bool>(),
            wanted in 0_u64..80,
            parts in proptest::collection::vec((1_u32..9, 0_u16..2, states()), 0..8),
        ) {
            let cohorts: Vec<_> = parts.iter().enumerate().map(|(i, (n, offer, state))| cohort(i as u64, *n, *offer, *state)).collect();
            let bills = Bills { ordered: &NOTHING_KNOWN, step_seconds: 60, drain_seconds: 60, idles: true };
            let problem = PlanInput { bills: by_bill.then_some(bills), ..input(wanted, &cohorts) };
            let first = plan(&problem);
            prop_assert_eq!(check(&problem, &first), vec![]);
            let after = carried_out(&problem, &first);
            let again = plan(&PlanInput { cohorts: &after, ..problem });
            prop_assert!(again.is_empty(), "{:?} then {:?}", first, again);
        }
    }
}
