//! One component's problem, compiled: whole blocks of periods with their prices, and what missing units cost.

use super::loads::Loads;
use super::problem::{ComponentProblem, FleetProblem, Pool};

/// More than any sum of costs that can be met; two of them still add up.
pub(super) const NEVER: i64 = i64::MAX / 4;

/// One component's problem.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) periods: usize,
    /// Zones among its pools; 0 where no spare is asked for, so that they do not matter.
    pub(super) zones: usize,
    pub(super) pools: Vec<PoolTerms>,
    /// Units wanted in each period, between floor and ceiling.
    pub(super) wanted: Vec<i64>,
    /// Units wanted without any one zone.
    pub(super) spare: Vec<i64>,
    /// Units of the floor, not over what is wanted.
    pub(super) floor: Vec<i64>,
    pub(super) ceiling: i64,
    /// What one missing unit costs in a period, and what it costs more under the floor.
    pub(super) short: i64,
    pub(super) under_floor: i64,
    pub(super) no_spare: i64,
    /// Whether the shortage price is stated, and not merely larger than what a unit could cost.
    pub(super) priced: bool,
    pub(super) stateful: bool,
    pub(super) standing: Vec<StandingTerms>,
    /// The problem's quotas that its pools take from.
    pub(super) quotas: Vec<usize>,
    /// What the search pays for what it takes of them, summed over the periods before each one, so that others get
    /// their share; empty: nothing.
    pub(super) held: Vec<Vec<i64>>,
}

/// One pool as the component sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolTerms {
    /// Its place in the problem.
    pub(super) pool: u32,
    pub(super) units: i64,
    pub(super) zone: usize,
    pub(super) lead: usize,
    /// Periods of the first block, and of each block that it is prolonged by.
    pub(super) first: usize,
    pub(super) again: usize,
    pub(super) first_bill: i64,
    pub(super) again_bill: i64,
    /// What starting costs beside the bill.
    pub(super) start: i64,
    /// Places in [`Terms::quotas`] that it takes from, and how much of each.
    pub(super) quotas: Vec<(usize, i64)>,
}

/// Standing instances as the component sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StandingTerms {
    /// Place in [`Terms::pools`].
    pub(super) pool: usize,
    pub(super) count: u32,
    pub(super) serves_from: usize,
    /// Bound until this period, at most the horizon's end.
    pub(super) bound: usize,
    /// What going on from there to the horizon's end costs each, where it must.
    pub(super) forced_bill: i64,
}

impl Terms {
    /// Compiles one need of a validated problem.
    pub(super) fn new(problem: &FleetProblem, need: &ComponentProblem) -> Self {
        let periods = problem.periods as usize;
        let ceiling = clamp(need.ceiling.max(need.floor).get());
        let floor = clamp(need.floor.get());
        let wanted: Vec<i64> = need
            .demand
            .iter()
            .map(|units| clamp(units.get()).max(floor).min(ceiling))
            .collect();
        let share = i64::from(need.survives_zone_per_mille.min(1_000));
        let spare: Vec<i64> = wanted
            .iter()
            .map(|units| (units * share + 999) / 1_000)
            .collect();
        let spread = spare.iter().any(|units| *units > 0);
        let mut zone_names: Vec<u16> = Vec::new();
        let mut pools: Vec<PoolTerms> = Vec::with_capacity(need.offers.len());
        for &(index, units) in &need.offers {
            let pool = &problem.pools[index.0 as usize];
            let zone = zone_names
                .iter()
                .position(|zone| *zone == pool.zone)
                .unwrap_or_else(|| {
                    zone_names.push(pool.zone);
                    zone_names.len() - 1
                });
            let mut terms = PoolTerms::new(problem, need, pool, index.0, i64::from(units));
            terms.zone = if spread { zone } else { 0 };
            pools.push(terms);
        }
        let mut quotas: Vec<usize> = pools
            .iter()
            .flat_map(|pool| pool.quotas.iter().map(|(place, _)| *place))
            .collect();
        quotas.sort_unstable();
        quotas.dedup();
        for (place, _) in pools.iter_mut().flat_map(|pool| &mut pool.quotas) {
            *place = quotas.binary_search(place).unwrap_or_default();
        }
        let stands = |standing: &super::problem::Standing| {
            let pool = pools.iter().position(|pool| pool.pool == standing.pool.0);
            let pool = pool.unwrap_or_default();
            let bound = (standing.bound_until as usize).min(periods);
            let goes_on = (periods - bound).div_ceil(pools[pool].again) as i64;
            StandingTerms {
                pool,
                count: standing.count,
                serves_from: standing.serves_from as usize,
                bound: if need.stateful { periods } else { bound },
                forced_bill: if need.stateful {
                    goes_on * pools[pool].again_bill
                } else {
                    0
                },
            }
        };
        let standing: Vec<StandingTerms> = need.standing.iter().map(stands).collect();
        let dear = dear(periods, &pools, &wanted, &spare, zone_names.len());
        let priced = need.shortage_price.is_some();
        // What is under the floor is dearer still: where something has to be missing, it is what is over it.
        let short = need
            .shortage_price
            .map_or(3 * dear, |price| clamp(price.get()).min(4 * dear));
        Self {
            periods,
            zones: if spread { zone_names.len() } else { 0 },
            pools,
            floor: wanted.iter().map(|units| floor.min(*units)).collect(),
            wanted,
            spare,
            ceiling,
            short,
            under_floor: 4 * dear - short,
            no_spare: dear,
            priced,
            stateful: need.stateful,
            standing,
            quotas,
            held: Vec::new(),
        }
    }

    /// The same, with the floor wanted and nothing else.
    pub(super) fn of_floor(&self) -> Self {
        Self {
            wanted: self.floor.clone(),
            spare: vec![0; self.periods],
            ..self.clone()
        }
    }

    /// The same, where no more of what has no price is wanted than these runs give.
    pub(super) fn of_served(&self, loads: &Loads) -> Self {
        let least = |wanted: &[i64], has: &dyn Fn(usize) -> i64| -> Vec<i64> {
            let least = |(t, wanted): (usize, &i64)| (*wanted).min(has(t));
            wanted.iter().enumerate().map(least).collect()
        };
        let serving = |t: usize| loads.serving[t];
        Self {
            wanted: if self.priced {
                self.wanted.clone()
            } else {
                least(&self.wanted, &serving)
            },
            floor: least(&self.floor, &serving),
            spare: least(&self.spare, &|t| loads.without_zone(t)),
            ..self.clone()
        }
    }

    /// What the search pays for an instance of a pool that is there in these periods.
    pub(super) fn holding(&self, pool: &PoolTerms, from: usize, until: usize) -> i64 {
        if self.held.is_empty() {
            return 0;
        }
        let of = pool.quotas.iter();
        of.map(|(place, each)| each * (self.held[*place][until] - self.held[*place][from]))
            .sum()
    }

    /// Units of demand that are missing in a period, not under nothing.
    pub(super) fn short_of(&self, loads: &Loads, period: usize) -> i64 {
        (self.wanted[period] - loads.serving[period]).max(0)
    }

    /// Units of spare that are missing in a period without the zone that has the most, not under nothing.
    pub(super) fn bare_of(&self, loads: &Loads, period: usize) -> i64 {
        (self.spare[period] - loads.without_zone(period)).max(0)
    }

    /// What it costs to have so many units serving, and so many in each zone.
    pub(super) fn penalty(
        &self,
        period: usize,
        serving: i64,
        in_zone: impl Iterator<Item = i64>,
    ) -> i64 {
        let bare = |units: i64| (self.spare[period] - (serving - units)).max(0) * self.no_spare;
        (self.wanted[period] - serving).max(0) * self.short
            + (self.floor[period] - serving).max(0) * self.under_floor
            + in_zone.map(bare).sum::<i64>()
    }
}

impl PoolTerms {
    fn new(
        problem: &FleetProblem,
        need: &ComponentProblem,
        pool: &Pool,
        index: u32,
        units: i64,
    ) -> Self {
        let in_periods = |seconds: u32| seconds.div_ceil(problem.period_seconds).max(1);
        let again = in_periods(pool.billing.granularity_seconds);
        let least = in_periods(pool.billing.minimum_seconds)
            .max(need.lifetime_periods)
            .max(pool.lead_periods.saturating_add(1));
        let first = least.div_ceil(again).saturating_mul(again);
        let periods = problem.periods as usize;
        let within = (again as usize).min(periods);
        let bill = |blocks: u32| {
            let seconds = u64::from(blocks) * u64::from(problem.period_seconds);
            clamp(pool.price.for_seconds(seconds).get())
        };
        let uses = problem
            .quotas
            .iter()
            .enumerate()
            .filter_map(|(place, quota)| {
                let used = quota.uses.iter().filter(|(of, _)| of.0 == index);
                let used: i64 = used.map(|(_, each)| i64::from(*each)).sum();
                (used > 0).then_some((place, used))
            });
        Self {
            pool: index,
            units,
            zone: 0,
            // Beyond the horizon all blocks are alike; what is billed is the whole block.
            lead: (pool.lead_periods as usize).min(periods),
            first: (first as usize).min(periods.div_ceil(within) * within),
            again: within,
            first_bill: bill(first),
            again_bill: bill(again),
            start: clamp(need.start_price.get())
                .saturating_mul(units)
                .min(NEVER / 1_000_000),
            quotas: uses.collect(),
        }
    }

    /// What the first block costs, with the start.
    pub(super) fn first_cost(&self) -> i64 {
        self.first_bill + self.start
    }
}

/// A price of a missing unit for which every unit that can be had is worth its money, as far as sums allow.
fn dear(periods: usize, pools: &[PoolTerms], wanted: &[i64], spare: &[i64], zones: usize) -> i64 {
    let through = |pool: &PoolTerms| {
        i128::from(pool.first_cost())
            + i128::from(pool.again_bill) * (periods.div_ceil(pool.again)) as i128
    };
    let worth = pools.iter().map(through).max().unwrap_or(1) + 1;
    let missing = wanted.iter().sum::<i64>() + zones as i64 * spare.iter().sum::<i64>() + 1;
    let fits = i128::from(NEVER / 64 / missing);
    worth.min(fits).max(1) as i64
}

/// Units and money as they are summed here.
fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX).min(NEVER / 1_000)
}
