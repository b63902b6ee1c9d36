//! What a plan changes in standby: what leaves service drains into it, what is missing is rented for it.

use fleetcast_model::{Cohort, InstanceRange, InstanceState, OfferIndex, Plan, Units};

use crate::plan::{OfferChoice, PlanInput, units_each};

/// Adds to a plan what brings standby to `wanted` units.
///
/// Instances that the plan takes out of service drain into standby first, because that costs no boot; the rest is
/// rented at the cheapest offer. What is too much is given back, what does not stand by yet before what does.
/// Whole instances: an order may bring more than was missing, and a surplus smaller than an instance stays.
/// Only offers that `may_stand_by` do: what can be taken back stands in for nothing that is.
pub fn plan_standby(
    input: &PlanInput,
    wanted: Units,
    may_stand_by: impl Fn(OfferIndex) -> bool,
    plan: &mut Plan,
) {
    let have = standby_units(input);
    if wanted.get() >= have {
        let demoted = demote(input, wanted.get() - have, &may_stand_by, plan);
        order(input, wanted.get() - have - demoted, &may_stand_by, plan);
    } else {
        give_back(input, have - wanted.get(), plan);
    }
}

/// Units that stand by, or boot or drain towards it.
pub fn standby_units(input: &PlanInput) -> u64 {
    let units = |cohort: &Cohort| u64::from(cohort.count) * input.units_each(cohort);
    let there = input.cohorts.iter().filter(|cohort| is_standby(cohort));
    there.map(units).sum()
}

/// The instances to promote so that up to so many units more serve: those that have stood by longest.
pub fn promote(cohorts: &[Cohort], offers: &[OfferChoice], units: u64) -> Vec<InstanceRange> {
    let mut standby: Vec<&Cohort> = (cohorts.iter())
        .filter(|cohort| cohort.state == InstanceState::Standby)
        .collect();
    standby.sort_by_key(|cohort| cohort.since);
    let mut left = units;
    let mut promoted = Vec::new();
    for cohort in standby {
        let each = units_each(offers, cohort).max(1);
        let count = left.div_ceil(each).min(u64::from(cohort.count));
        if count > 0 {
            left = left.saturating_sub(count * each);
            promoted.push(InstanceRange {
                token: cohort.token,
                first: cohort.first,
                count: count as u32,
            });
        }
    }
    promoted
}

fn is_standby(cohort: &Cohort) -> bool {
    use InstanceState::{Demoting, Preparing, Standby};
    matches!(cohort.state, Preparing | Standby | Demoting)
}

/// Turns releases of serving instances into demotions, up to so many units; says how many.
fn demote(
    input: &PlanInput,
    missing: u64,
    may_stand_by: impl Fn(OfferIndex) -> bool,
    plan: &mut Plan,
) -> u64 {
    let mut left = missing;
    let mut kept = Vec::with_capacity(plan.releases.len());
    for range in std::mem::take(&mut plan.releases) {
        let serving = input
            .cohorts
            .iter()
            .find(|cohort| cohort.state == InstanceState::InService && cohort.has(&range))
            .filter(|cohort| may_stand_by(cohort.offer));
        let each = serving.map_or(0, |cohort| input.units_each(cohort));
        let count = left
            .checked_div(each)
            .unwrap_or(0)
            .min(u64::from(range.count)) as u32;
        let rest = range.count - count;
        if count > 0 {
            left -= u64::from(count) * each;
            plan.standby.demotions.push(InstanceRange {
                first: range.first + rest,
                count,
                ..range
            });
        }
        if rest > 0 {
            kept.push(InstanceRange {
                count: rest,
                ..range
            });
        }
    }
    plan.releases = kept;
    plan.standby.demoted = Units::new(missing - left);
    missing - left
}

fn order(
    input: &PlanInput,
    missing: u64,
    may_stand_by: impl Fn(OfferIndex) -> bool,
    plan: &mut Plan,
) {
    let cost = |choice: &&OfferChoice| {
        let instances = missing.div_ceil(u64::from(choice.units_each.max(1)));
        u128::from(choice.price.get()) * u128::from(instances)
    };
    let offers = input
        .offers
        .iter()
        .filter(|choice| may_stand_by(choice.offer));
    let Some(choice) = offers.min_by_key(cost).filter(|_| missing > 0) else {
        return;
    };
    let each = u64::from(choice.units_each.max(1));
    let instances = missing.div_ceil(each);
    plan.standby
        .orders
        .push(choice.order(instances, input.ready_by));
}

fn give_back(input: &PlanInput, mut surplus: u64, plan: &mut Plan) {
    use InstanceState::{Demoting, Preparing, Standby};
    for state in [Preparing, Standby, Demoting] {
        let own = |cohort: &&Cohort| cohort.state == state;
        let mut newest: Vec<&Cohort> = input.cohorts.iter().rev().filter(own).collect();
        newest.sort_by_key(|cohort| std::cmp::Reverse(cohort.since));
        for cohort in newest {
            let each = input.units_each(cohort);
            let count = surplus
                .checked_div(each)
                .unwrap_or(0)
                .min(u64::from(cohort.count)) as u32;
            if count > 0 {
                surplus -= u64::from(count) * each;
                plan.standby.released += Units::new(u64::from(count) * each);
                plan.standby.releases.push(InstanceRange {
                    token: cohort.token,
                    first: cohort.first + cohort.count - count,
                    count,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{Billing, ComponentIndex, MicroUsdPerHour, Token};
    use jiff::Timestamp;

    use super::*;
    use crate::{check, plan};

    const OFFERS: [OfferChoice; 1] = [OfferChoice {
        offer: OfferIndex(0),
        units_each: 1,
        price: MicroUsdPerHour::new(100),
        lifetime_seconds: 0,
        billing: Billing {
            minimum_seconds: 0,
            granularity_seconds: 1,
        },
    }];

    fn cohort(token: u64, count: u32, state: InstanceState) -> Cohort {
        Cohort {
            token: Token(token),
            first: 0,
            count,
            component: ComponentIndex(0),
            offer: OfferIndex(0),
            state,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn planned(running: u64, standby: u64, cohorts: &[Cohort]) -> Plan {
        let input = PlanInput {
            component: ComponentIndex(0),
            now: Timestamp::UNIX_EPOCH,
            ready_by: Timestamp::UNIX_EPOCH,
            floor: Units::new(1),
            ceiling: Units::new(100),
            wanted: Units::new(running),
            cohorts,
            offers: &OFFERS,
            drain_most: Units::new(u64::MAX),
            bills: None,
        };
        let mut plan = plan(&input);
        plan_standby(&input, Units::new(standby), |_| true, &mut plan);
        assert_eq!(check(&input, &plan), []);
        plan
    }

    #[test]
    fn what_leaves_service_drains_into_standby_before_anything_is_rented_for_it() {
        let cohorts = [
            cohort(1, 10, InstanceState::InService),
            cohort(2, 1, InstanceState::Standby),
        ];
        let plan = planned(7, 6, &cohorts);
        let change = &plan.standby;
        assert_eq!(plan.releases, []);
        assert_eq!((change.demoted.get(), plan.drained.get()), (3, 3));
        assert_eq!(change.demotions[0].first, 7);
        assert_eq!(change.ordered().get(), 2);
    }

    #[test]
    fn standby_that_is_wanted_no_longer_is_given_back() {
        let cohorts = [
            cohort(1, 4, InstanceState::InService),
            cohort(2, 3, InstanceState::Standby),
            cohort(3, 2, InstanceState::Preparing),
            cohort(4, 1, InstanceState::Demoting),
        ];
        let plan = planned(4, 2, &cohorts);
        let released: Vec<_> = (plan.standby.releases.iter())
            .map(|range| (range.token.0, range.first, range.count))
            .collect();
        assert_eq!(released, [(3, 0, 2), (2, 1, 2)]);
        assert!(planned(4, 6, &cohorts).is_empty());
    }
}
