//! The cheapest mix of offers for one moment, exactly.

use crate::plan::OfferChoice;

/// Beyond so many missing units the offer that is cheapest for a unit takes the bulk: the rest is where a mix matters.
const EXACT_MAX: u64 = 2_048;

/// Instances of each offer, by its place, that provide the missing units at the least price and stay within the room;
/// where none does both, the most that fits, at the least price. Ties go to fewer units, then to the offer listed first.
pub(crate) fn cheapest_mix(offers: &[OfferChoice], missing: u64, room: u64) -> Vec<(usize, u64)> {
    if let [only] = offers {
        let each = u64::from(only.units_each.max(1));
        let count = missing.div_ceil(each).min(room / each);
        return if count > 0 {
            vec![(0, count)]
        } else {
            Vec::new()
        };
    }
    let mut counts = vec![0; offers.len()];
    let each = |place: usize| u64::from(offers[place].units_each.max(1));
    let mut missing = missing;
    let mut room = room;
    let by_unit = (0..offers.len()).min_by(|&a, &b| {
        let (left, right) = (offers[a].price.get(), offers[b].price.get());
        let of = |price: u64, units: u64| u128::from(price) * u128::from(units);
        of(left, each(b)).cmp(&of(right, each(a)))
    });
    let Some(by_unit) = by_unit else {
        return Vec::new();
    };
    if missing > EXACT_MAX {
        let bulk = ((missing - EXACT_MAX) / each(by_unit)).min(room / each(by_unit));
        counts[by_unit] += bulk;
        missing -= bulk * each(by_unit);
        room -= bulk * each(by_unit);
    }
    let largest = (0..offers.len()).map(each).max().unwrap_or(1);
    let most = room.min(missing + largest - 1).min(EXACT_MAX + largest) as usize;
    // The least price of exactly so many units, and the offer that was added last.
    let mut least: Vec<Option<(u128, usize)>> = vec![None; most + 1];
    for units in 1..=most {
        for (place, offer) in offers.iter().enumerate() {
            let Some(before) = units.checked_sub(each(place) as usize) else {
                continue;
            };
            let paid = match before {
                0 => Some(0),
                _ => least[before].map(|(paid, _)| paid),
            };
            if let Some(paid) = paid {
                let paid = paid + u128::from(offer.price.get());
                if least[units].is_none_or(|(so_far, _)| paid < so_far) {
                    least[units] = Some((paid, place));
                }
            }
        }
    }
    let had = |units: usize| least[units].map(|(paid, _)| (paid, units));
    let enough = (missing as usize..=most).filter_map(had).min();
    let all_that_fits = || (1..=most.min(missing as usize)).rev().find_map(had);
    let mut units = enough.or_else(all_that_fits).map_or(0, |(_, units)| units);
    while let Some((_, place)) = least.get(units).copied().flatten() {
        counts[place] += 1;
        units -= each(place) as usize;
    }
    let taken = counts.into_iter().enumerate();
    taken.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{Billing, MicroUsdPerHour, OfferIndex};
    use proptest::prelude::*;

    use super::*;

    fn offers(all: &[(u32, u64)]) -> Vec<OfferChoice> {
        let of = |(place, (units_each, price)): (usize, &(u32, u64))| OfferChoice {
            offer: OfferIndex(place as u16),
            units_each: *units_each,
            price: MicroUsdPerHour::new(*price),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: 0,
                granularity_seconds: 1,
            },
        };
        all.iter().enumerate().map(of).collect()
    }

    #[test]
    fn mixes_where_that_is_cheaper_than_any_single_offer() {
        let all = offers(&[(1, 100), (4, 300)]);
        assert_eq!(cheapest_mix(&all, 5, 50), [(0, 1), (1, 1)]);
        let idle = "as dear as two at 300, with no unit idle";
        assert_eq!(cheapest_mix(&all, 7, 50), [(0, 3), (1, 1)], "{idle}");
        assert_eq!(cheapest_mix(&all, 6, 6), [(0, 2), (1, 1)]);
        assert_eq!(cheapest_mix(&all, 100_001, 200_000), [(0, 1), (1, 25_000)]);
    }

    #[test]
    fn takes_the_most_that_fits_where_nothing_covers() {
        assert_eq!(
            cheapest_mix(&offers(&[(4, 300), (3, 250)]), 10, 9),
            [(1, 3)]
        );
        assert_eq!(cheapest_mix(&offers(&[(4, 300)]), 3, 3), []);
    }

    proptest! {
        #[test]
        fn no_single_offer_is_cheaper(
            all in proptest::collection::vec((1_u32..9, 50_u64..900), 1..5),
            missing in 1_u64..60,
        ) {
            let all = offers(&all);
            let mix = cheapest_mix(&all, missing, u64::MAX);
            let price = |mix: &[(usize, u64)]| -> u64 { mix.iter().map(|(p, n)| all[*p].price.get() * n).sum() };
            let units: u64 = mix.iter().map(|(p, n)| u64::from(all[*p].units_each) * n).sum();
            prop_assert!(units >= missing);
            for (place, offer) in all.iter().enumerate() {
                let single = [(place, missing.div_ceil(u64::from(offer.units_each)))];
                prop_assert!(price(&mix) <= price(&single));
            }
        }
    }
}
