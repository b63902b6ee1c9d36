//! Prices of missing units: those that lead the search, and those that are stated.

use super::chain::Prices;
use super::relax::Relaxed;
use super::terms::Terms;

/// Prices of missing units, those of the relaxation or more, that lead the peeling.
pub(super) struct Guide {
    pub(super) demand: Vec<i64>,
    pub(super) spare: Vec<Vec<i64>>,
}

impl Guide {
    /// So many thousandths of the relaxation's prices.
    pub(super) fn new(terms: &Terms, relaxed: &Relaxed, per_mille: i64) -> Self {
        let raised = |price: i64| (price.saturating_mul(per_mille) / 1_000 + 1).max(0);
        let prices = &relaxed.prices;
        let zone = |zone: &Vec<i64>| {
            zone.iter()
                .map(|p| raised(*p).min(terms.no_spare))
                .collect()
        };
        Self {
            demand: (prices.demand.iter())
                .map(|price| raised(*price).min(terms.short))
                .collect(),
            spare: prices.spare.iter().map(zone).collect(),
        }
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
