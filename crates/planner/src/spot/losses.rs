//! How many units should stand by for spot that is taken back together.

use super::composition::{Composition, HedgeProblem, domains_lost, short_share};

/// What standing by costs and brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerms {
    /// Hours from a loss until a promoted unit serves.
    pub promotion_hours: f64,
    /// The price of a unit that is missing, as a multiple of that of a running one for the same time.
    pub missing_price: f64,
    /// The price of a standby unit, as a share of that of a running one.
    pub price_share: f64,
}

/// Units to keep in standby for what a composition may lose at once, beyond what its cover bears.
///
/// A newsvendor: the last of x units is needed in the share P of the time in which at least x are missing, that is from a
/// loss until its replacement has booted. It saves what they would miss less what a promotion takes, and costs its share
/// of the price all along: it is kept if P · ((1 − γ) · p − (1 − h)) > h, γ being the part of the time that is over before
/// it serves. P comes from the rate of losses that was learned of each pool, and from pools of a domain going together.
pub fn standby_for_losses(
    problem: &HedgeProblem,
    composition: &Composition,
    terms: &LossTerms,
) -> u64 {
    if problem.replace_hours <= 0.0 {
        return 0;
    }
    let lost = domains_lost(problem, composition);
    let total = composition.units();
    let spare = total.saturating_sub(problem.wanted);
    let before = (terms.promotion_hours / problem.replace_hours).clamp(0.0, 1.0);
    let share = terms.price_share.clamp(0.0, 1.0);
    let saved = (1.0 - before) * terms.missing_price - (1.0 - share);
    let worth = |units: &u64| {
        let missing = short_share(&lost, total, (problem.wanted + 1).saturating_sub(*units));
        *units > 0 && missing * saved > share
    };
    let pair = |i: usize, j: usize| if i == j { 0 } else { lost[j].0 };
    let losses = (0..lost.len()).flat_map(|i| (0..lost.len()).map(move |j| (i, j)));
    losses
        .map(|(i, j)| (lost[i].0 + pair(i, j)).saturating_sub(spare))
        .filter(worth)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{MicroUsdPerHour, OfferIndex};
    use proptest::prelude::*;

    use super::*;
    use crate::spot::{HedgePool, Part};

    const TERMS: LossTerms = LossTerms {
        promotion_hours: 1.0 / 60.0,
        missing_price: 100.0,
        price_share: 0.1,
    };

    /// Pools of spot, each in its own domain, with their rates of loss, and a firm one.
    fn pools(rates: &[f64]) -> Vec<HedgePool> {
        let pool = |(place, rate): (usize, &f64)| HedgePool {
            offer: OfferIndex(place as u16),
            units_each: 1,
            price: MicroUsdPerHour::new(40),
            domain: (place > 0).then_some(place as u16),
            open: true,
            loss_per_hour: *rate,
        };
        [0.0].iter().chain(rates).enumerate().map(pool).collect()
    }

    fn standby(rates: &[f64], units: &[u64], wanted: u64, terms: &LossTerms) -> u64 {
        let pools = pools(rates);
        let part = |(place, units): (usize, &u64)| Part {
            offer: OfferIndex(place as u16 + 1),
            instances: *units,
            units: *units,
            domain: Some(place as u16 + 1),
        };
        let composition = Composition {
            parts: units.iter().enumerate().map(part).collect(),
            ..Composition::default()
        };
        let problem = HedgeProblem {
            wanted,
            floor: 0,
            ceiling: 1_000,
            replace_hours: 0.1,
            short_share_max: 1.0,
            pools: &pools,
        };
        standby_for_losses(&problem, &composition, terms)
    }

    #[test]
    fn much_spot_in_one_zone_has_more_standby_than_the_same_in_three() {
        let rate = 1.0 / 24.0;
        assert_eq!(standby(&[rate], &[30], 30, &TERMS), 30);
        assert_eq!(standby(&[rate; 3], &[10; 3], 30, &TERMS), 10);
        // The cover bears the first units.
        assert_eq!(standby(&[rate; 3], &[12; 3], 30, &TERMS), 6);
    }

    #[test]
    fn what_is_never_lost_or_serves_too_late_has_none() {
        assert_eq!(standby(&[1e-6], &[30], 30, &TERMS), 0);
        let late = LossTerms {
            promotion_hours: 0.1,
            ..TERMS
        };
        assert_eq!(standby(&[0.1], &[30], 30, &late), 0);
        // A pool that is lost every hour is worth two domains.
        assert_eq!(standby(&[1.0; 3], &[10; 3], 30, &TERMS), 20);
    }

    proptest! {
        #[test]
        fn never_more_than_can_be_missing_and_never_less_for_a_dearer_miss(
            units in proptest::collection::vec(1_u64..50, 1..6), wanted in 1_u64..200, rate in 0.0_f64..1.0,
            price in 1.0_f64..1_000.0,
        ) {
            let rates = vec![rate; units.len()];
            let at = |missing_price| standby(&rates, &units, wanted, &LossTerms { missing_price, ..TERMS });
            let mut sorted = units.clone();
            sorted.sort_unstable();
            let two: u64 = sorted.iter().rev().take(2).sum();
            let spare = units.iter().sum::<u64>().saturating_sub(wanted);
            prop_assert!(at(price) <= two.saturating_sub(spare));
            prop_assert!(at(price) <= at(2.0 * price));
        }
    }
}
