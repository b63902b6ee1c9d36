//! How many units a component has to have so that the loss of a zone leaves what is promised, and which it may give back.

use fleetcast_model::{InstanceRange, OfferIndex, Plan, Units};

use crate::plan::{PlanInput, may_go};

/// The fewest units in all that are as many as wanted and leave `spare` after the loss of any zone, when nothing that
/// stands is moved. The first `zones` of them take more; with fewer than two nothing can be promised.
pub fn with_spare(wanted: u64, spare: u64, standing: &[u64], zones: usize) -> u64 {
    if spare == 0 || zones < 2 {
        return wanted;
    }
    let highest = standing.iter().copied().max().unwrap_or(0);
    let elsewhere: u64 = standing[zones..].iter().sum();
    let zones = zones as u64;
    let even = (zones * spare)
        .saturating_sub(elsewhere)
        .div_ceil(zones - 1);
    wanted.max(spare + highest).max(even)
}

/// The units that a component wants in all. What stands is not moved only to be spread more evenly: where no more than an
/// instance (of `largest` units) is beyond what its places take, they are what counts; else what could be given back.
pub fn zone_target(wanted: u64, spare: u64, standing: &[u64], zones: usize, largest: u64) -> u64 {
    let as_it_stands = with_spare(wanted, spare, standing, zones);
    let have: u64 = standing.iter().sum();
    if spare == 0 || zones < 2 || have < as_it_stands + largest.max(1) {
        return as_it_stands;
    }
    // The lowest level to which the fullest zones can be lowered.
    let at = |level: u64| -> u64 { standing.iter().map(|units| (*units).min(level)).sum() };
    let (mut low, mut high) = (0, standing.iter().copied().max().unwrap_or(0));
    while low < high {
        let middle = low + (high - low) / 2;
        if at(middle) >= wanted.max(spare + middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    wanted.max(spare + low)
}

/// Units that may leave a zone without the loss of another one leaving fewer than `spare`.
pub fn may_leave(standing: &[u64], zone: usize, spare: u64) -> u64 {
    let have: u64 = standing.iter().sum();
    let without = beside(standing, zone).map(|units| (have - units).saturating_sub(spare));
    without.min().unwrap_or(u64::MAX)
}

/// The units of all zones but one.
fn beside(standing: &[u64], zone: usize) -> impl Iterator<Item = u64> + '_ {
    let others = standing.iter().enumerate();
    others
        .filter(move |(other, _)| *other != zone)
        .map(|(_, units)| *units)
}

/// Gives back what is beyond the plan's wanted units, from the fullest zone first, and nothing without which the loss of a
/// zone would leave less than `spare`. Within a zone as ever: what does not serve yet before what serves, newest first.
pub fn release_spread(
    input: &PlanInput,
    zone_of: impl Fn(OfferIndex) -> usize,
    standing: &[u64],
    spare: u64,
    plan: &mut Plan,
) {
    let mut standing = standing.to_vec();
    let mut kept: Vec<u32> = input.cohorts.iter().map(|cohort| cohort.count).collect();
    let (ready, _) = input.ready_and_pending();
    let drainable = ready.saturating_sub(plan.wanted.get());
    let mut drainable = drainable.min(input.drain_most.get());
    (plan.cancelled, plan.drained) = (Units::ZERO, Units::ZERO);
    plan.releases.clear();
    for serving in [false, true] {
        let mut closed = vec![false; standing.len()];
        loop {
            let have: u64 = standing.iter().sum();
            let surplus = have.saturating_sub(plan.wanted.get());
            let surplus = if serving {
                surplus.min(drainable)
            } else {
                surplus
            };
            let fullest = (0..standing.len())
                .filter(|zone| !closed[*zone])
                .max_by_key(|zone| (standing[*zone], std::cmp::Reverse(*zone)));
            let Some(zone) = fullest.filter(|_| surplus > 0) else {
                break;
            };
            let most = surplus.min(may_leave(&standing, zone, spare));
            let fullest_other = beside(&standing, zone).max().unwrap_or(0);
            let over = standing[zone].saturating_sub(fullest_other);
            let share = over.max(surplus / (2 * standing.len() as u64)).max(1);
            let candidate = input.cohorts.iter().enumerate().rev().find(|(at, cohort)| {
                let each = input.units_each(cohort);
                kept[*at] > 0
                    && zone_of(cohort.offer) == zone
                    && (1..=most).contains(&each)
                    && may_go(input, cohort, serving)
            });
            let Some((at, cohort)) = candidate else {
                closed[zone] = true;
                continue;
            };
            let each = input.units_each(cohort);
            let count = share
                .div_ceil(each)
                .min(most / each)
                .min(u64::from(kept[at]));
            kept[at] -= count as u32;
            let freed = count * each;
            standing[zone] -= freed;
            if serving {
                drainable -= freed;
                plan.drained += Units::new(freed);
            } else {
                plan.cancelled += Units::new(freed);
            }
        }
    }
    for (cohort, kept) in input.cohorts.iter().zip(kept).rev() {
        if kept < cohort.count {
            plan.releases.push(InstanceRange {
                token: cohort.token,
                first: cohort.first + kept,
                count: cohort.count - kept,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_zones_need_half_as_much_again_for_all_of_it_and_two_need_twice() {
        assert_eq!(with_spare(10, 10, &[0, 0, 0], 3), 15);
        assert_eq!(with_spare(10, 10, &[0, 0], 2), 20);
        assert_eq!(
            with_spare(10, 7, &[10, 0], 2),
            17,
            "what stands is not moved"
        );
        assert_eq!(with_spare(10, 7, &[10], 1), 10, "one zone promises nothing");
    }

    #[test]
    fn what_is_given_back_is_what_no_zone_needs() {
        assert_eq!(
            zone_target(10, 7, &[10, 7], 2, 1),
            17,
            "nothing is moved for the spread alone"
        );
        assert_eq!(zone_target(8, 6, &[10, 7], 2, 1), 12);
        assert_eq!(zone_target(8, 6, &[6, 6], 2, 1), 12);
    }

    proptest! {
        #[test]
        fn the_target_can_be_reached_and_keeps_the_promise(
            wanted in 0_u64..200,
            share in 0_u64..=100,
            standing in proptest::collection::vec(0_u64..100, 2..5),
            largest in 1_u64..8,
        ) {
            let spare = (wanted * share).div_ceil(100);
            let zones = standing.len();
            let have: u64 = standing.iter().sum();
            let target = zone_target(wanted, spare, &standing, zones, largest);
            prop_assert!(target >= wanted);
            if have >= target {
                let highest = standing.iter().max().unwrap();
                prop_assert!(have - highest >= spare || have < target);
            }
        }
    }
}
