//! Prices of missing units: those that lead the search, and those that are stated.

use super::chain::Prices;
use super::relax::Relaxed;
use super::terms::{PoolTerms, Terms};

/// Prices of missing units, those of the relaxation or more, that lead the peeling.
pub(super) struct Guide {
    pub(super) demand: Vec<i64>,
    pub(super) spare: Vec<Vec<i64>>,
}

impl Guide {
    /// The relaxation's prices.
    pub(super) fn new(terms: &Terms, relaxed: &Relaxed) -> Self {
        let prices = &relaxed.prices;
        let own = Self {
            demand: prices.demand.clone(),
            spare: prices.spare.clone(),
        };
        own.raised(terms, 1_000)
    }

    /// What a unit costs in the cheapest pool that may serve by then, if it runs throughout; where a zone may be lost,
    /// what serves is paid for by each zone that it spares as well.
    pub(super) fn guessed(terms: &Terms, pools: &[usize]) -> Self {
        let each = |pool: &PoolTerms| {
            let blocks = terms
                .periods
                .saturating_sub(pool.first)
                .div_ceil(pool.again);
            let costs = pool.first_cost() + blocks as i64 * pool.again_bill;
            costs / (pool.units * (pool.first + blocks * pool.again) as i64)
        };
        let pools = || pools.iter().map(|place| &terms.pools[*place]);
        let cheapest = |t: usize| pools().filter(|pool| pool.lead <= t).map(each).min();
        let prices: Vec<i64> = (0..terms.periods)
            .map(|t| cheapest(t).unwrap_or(0))
            .collect();
        let others = terms.zones.saturating_sub(1) as i64;
        let parts = |price: &i64| if others > 0 { price / 2 } else { *price };
        let zone: Vec<i64> = prices
            .iter()
            .map(|price| price / 2 / others.max(1))
            .collect();
        let own = Self {
            demand: prices.iter().map(parts).collect(),
            spare: vec![zone; terms.zones],
        };
        own.raised(terms, 1_000)
    }

    /// So many thousandths of these prices.
    pub(super) fn raised(&self, terms: &Terms, per_mille: i64) -> Self {
        let raised =
            |price: &i64, most: i64| (price.saturating_mul(per_mille) / 1_000 + 1).min(most);
        let demand = self.demand.iter().map(|price| raised(price, terms.short));
        let spare = self.spare.iter();
        Self {
            demand: demand.collect(),
            spare: spare
                .map(|zone| zone.iter().map(|p| raised(p, terms.no_spare)).collect())
                .collect(),
        }
    }

    pub(super) fn prices(&self) -> Prices<'_> {
        Prices {
            demand: &self.demand,
            spare: &self.spare,
            under_floor: 0,
        }
    }
}

/// The prices of missing units that the terms state.
pub(super) struct Stated {
    pub(super) demand: Vec<i64>,
    pub(super) spare: Vec<Vec<i64>>,
}

impl Stated {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            demand: vec![terms.short; terms.periods],
            spare: vec![vec![terms.no_spare; terms.periods]; terms.zones],
        }
    }

    pub(super) fn prices(&self, terms: &Terms) -> Prices<'_> {
        Prices {
            demand: &self.demand,
            spare: &self.spare,
            under_floor: terms.under_floor,
        }
    }
}
