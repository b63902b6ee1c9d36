//! Lower bounds that hold exactly, from prices that a relaxation found in floats.
//!
//! With a price `λ(t)` on a unit of demand, `ζ(z,t)` on a unit of spare without zone `z`, and `κ(q,t)` on what is taken of
//! a quota, no plan costs less than `Σ λ·demand + Σ ζ·spare − Σ κ·room`, less what standing instances may earn, if no run
//! that could be started earns more than it costs. Prices are whole micro-dollars, checked by the best run of each pool,
//! and scaled down until that holds: so whatever the floats did, the bound is a bound.

use super::loads::{Loads, Room, bound_spans};
use super::oracle::{Worth, sums};
use super::terms::{PoolTerms, Terms};

/// What is needed beside what is bound, and what is left of the quotas.
#[derive(Clone, Debug)]
pub(super) struct Residual {
    /// Units of demand, by period.
    pub(super) demand: Vec<i64>,
    /// Units without a zone, by zone and period.
    pub(super) spare: Vec<Vec<i64>>,
    /// By quota and period.
    pub(super) quota: Vec<Vec<i64>>,
}

/// Prices of a unit, by period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnitPrices {
    /// Of demand.
    pub(super) demand: Vec<i64>,
    /// Of spare without a zone, by zone.
    pub(super) spare: Vec<Vec<i64>>,
    /// Of what is taken of a quota, by quota.
    pub(super) quota: Vec<Vec<i64>>,
}

impl Residual {
    /// Beside what is bound.
    pub(super) fn new(terms: &Terms, room: &Room) -> Self {
        let mut bound = Loads::empty(terms);
        for (span, count) in bound_spans(terms) {
            bound.add(terms, &span, count);
        }
        Self::beside(terms, room, &bound)
    }

    /// Beside what runs already.
    pub(super) fn beside(terms: &Terms, room: &Room, runs: &Loads) -> Self {
        let missing = |wanted: &[i64], serving: &dyn Fn(usize) -> i64| {
            let missing = |t: usize| (wanted[t] - serving(t)).max(0);
            (0..terms.periods).map(missing).collect::<Vec<i64>>()
        };
        let without =
            |zone: usize| missing(&terms.spare, &|t| runs.serving[t] - runs.in_zone[zone][t]);
        let quota = |(room, used): (&Vec<i64>, &[i64])| {
            room.iter()
                .zip(used)
                .map(|(room, used)| (room - used).max(0))
                .collect()
        };
        Self {
            demand: missing(&terms.wanted, &|t| runs.serving[t]),
            spare: (0..terms.zones).map(without).collect(),
            quota: room
                .quota
                .iter()
                .zip(runs.quota.iter())
                .map(quota)
                .collect(),
        }
    }

    /// Whether nothing is needed.
    pub(super) fn is_met(&self) -> bool {
        let all = self.demand.iter().chain(self.spare.iter().flatten());
        all.copied().all(|units| units <= 0)
    }

    /// What one serving instance of a pool counts for in a period, at these prices: for no more units than are
    /// needed.
    fn earns(&self, pool: &PoolTerms, prices: &UnitPrices, t: usize) -> i64 {
        let mut earned = pool.units.min(self.demand[t]) * prices.demand[t];
        for (zone, (needed, price)) in self.spare.iter().zip(&prices.spare).enumerate() {
            if zone != pool.zone {
                earned += pool.units.min(needed[t]) * price[t];
            }
        }
        earned
    }

    /// What it earns by serving, and takes of quotas by being there, summed over the periods before each one.
    fn earned(
        &self,
        pool: &PoolTerms,
        prices: &UnitPrices,
        serves_from: usize,
    ) -> (Vec<i64>, Vec<i64>) {
        let periods = 0..self.demand.len();
        let earns = |t: usize| {
            if t < serves_from {
                0
            } else {
                self.earns(pool, prices, t)
            }
        };
        let takes = |t: usize| -> i64 {
            let of = pool.quotas.iter();
            of.map(|(place, each)| each * prices.quota[*place][t]).sum()
        };
        (sums(periods.clone().map(earns)), sums(periods.map(takes)))
    }
}

/// The bound that prices prove, after those of units were made small enough to prove one. The price of the room that
/// quotas leave is not taken off yet, so that components which share one can be added up.
pub(super) fn certify(
    terms: &Terms,
    needs: &Residual,
    pools: &[usize],
    mut prices: UnitPrices,
) -> i64 {
    for price in &mut prices.demand {
        *price = (*price).clamp(0, terms.short);
    }
    for price in prices.spare.iter_mut().flatten() {
        *price = (*price).clamp(0, terms.no_spare);
    }
    for price in prices.quota.iter_mut().flatten() {
        *price = (*price).max(0);
    }
    let mut more = Vec::new();
    // Rounding down earns less, so few rounds of scaling are enough.
    for _ in 0..8 {
        let mut worst: Option<(i64, i64)> = None;
        for &place in pools {
            let pool = &terms.pools[place];
            let (served, held) = needs.earned(pool, &prices, 0);
            let costs = (pool.first_cost(), pool.again_bill);
            let worth = Worth::new(terms, pool, costs, &served, &held, &mut more);
            let Some(best) = worth.best_start() else {
                continue;
            };
            let best_costs = best.costs + best.takes;
            let dearer = worst.is_none_or(|(earns, costs)| {
                i128::from(best.earns) * i128::from(costs)
                    > i128::from(earns) * i128::from(best_costs)
            });
            if best.earns > best_costs && dearer {
                worst = Some((best.earns, best_costs));
            }
        }
        let Some((earns, costs)) = worst else {
            return value(terms, needs, &prices);
        };
        for price in prices
            .demand
            .iter_mut()
            .chain(prices.spare.iter_mut().flatten())
        {
            *price = scaled(*price, costs, earns);
        }
    }
    // Prices of nothing prove what is forced.
    forced(terms)
}

/// What the room that quotas leave is worth at these prices.
pub(super) fn room_price(room: &[Vec<i64>], prices: &[Vec<i64>]) -> i64 {
    let each = room.iter().flatten().zip(prices.iter().flatten());
    each.map(|(room, price)| room.saturating_mul((*price).max(0)))
        .sum()
}

fn forced(terms: &Terms) -> i64 {
    let each = terms.standing.iter();
    each.map(|s| s.forced_bill * i64::from(s.count)).sum()
}

/// What no plan costs less than, if no run that can be started earns more than it costs.
fn value(terms: &Terms, needs: &Residual, prices: &UnitPrices) -> i64 {
    let mut total = forced(terms);
    let sum = |needed: &[i64], prices: &[i64]| -> i64 {
        needed
            .iter()
            .zip(prices)
            .map(|(needed, price)| needed.saturating_mul(*price))
            .sum()
    };
    total += sum(&needs.demand, &prices.demand);
    for (needed, price) in needs.spare.iter().zip(&prices.spare) {
        total += sum(needed, price);
    }
    let mut more = Vec::new();
    for standing in &terms.standing {
        let pool = &terms.pools[standing.pool];
        let (served, held) = needs.earned(pool, prices, standing.serves_from);
        let costs = (pool.first_cost(), pool.again_bill);
        let worth = Worth::new(terms, pool, costs, &served, &held, &mut more);
        total -= i64::from(standing.count) * worth.goes_on(standing.bound).max(0);
    }
    total
}

/// `value · numerator / denominator`, rounded down.
fn scaled(value: i64, numerator: i64, denominator: i64) -> i64 {
    (i128::from(value) * i128::from(numerator) / i128::from(denominator.max(1))) as i64
}
