//! The cheapest mix of offers for one moment where quotas are shared and the loss of a zone has to leave enough.
//!
//! Not exact as [`crate::mix`] is: zones are filled one after another, the cheapest first, each with its exact mix, and
//! what passes a quota is cut and tried elsewhere. Instance sizes up to each of those there are get tried, and the cheapest
//! outcome with the fewest units missing is taken.

use fleetcast_model::MicroUsdPerHour;

use crate::mix::cheapest_mix;
use crate::plan::OfferChoice;
use crate::spread::with_spare;

/// One component's problem at one moment, with what limits it.
#[derive(Clone, Copy, Debug)]
pub struct LimitedInput<'a> {
    /// What may be rented.
    pub offers: &'a [OfferChoice],
    /// The zone of each offer: a place in `standing`, one of the first `zones`.
    pub zone_of: &'a [usize],
    /// Zones that offers lie in; with one, nothing is spread.
    pub zones: usize,
    /// Units that are there, by zone; after the first `zones` those where nothing may be rented any more.
    pub standing: &'a [u64],
    /// Units that should be there, whatever the zones.
    pub wanted: u64,
    /// Units that should be left after the loss of any zone; 0: none have to.
    pub spare: u64,
    /// Units never exceeded by an order.
    pub ceiling: u64,
    /// What one instance of each offer takes: places in `left`, and how much.
    pub takes: &'a [Vec<(usize, u64)>],
    /// What is left of each quota.
    pub left: &'a [u64],
}

/// What to rent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitedMix {
    /// Instances by place of the offer; no zeros.
    pub instances: Vec<(usize, u64)>,
    /// The units that they provide.
    pub units: u64,
    /// Their price.
    pub price: MicroUsdPerHour,
    /// Units still missing of what is wanted.
    pub missing: u64,
    /// Units that the loss of the worst zone would leave too few.
    pub spare_short: u64,
}

impl LimitedMix {
    /// What it takes of each quota.
    pub fn taken(&self, input: &LimitedInput) -> Vec<u64> {
        let mut taken = vec![0; input.left.len()];
        for (place, count) in &self.instances {
            for (quota, each) in &input.takes[*place] {
                taken[*quota] += each * count;
            }
        }
        taken
    }
}

/// Chooses what to rent: first so that the fewest units are missing, then so that the loss of a zone leaves as many as it
/// can, then at the least price. Never over a quota, never over the ceiling.
pub fn limited_mix(input: &LimitedInput) -> LimitedMix {
    let mut sizes: Vec<u32> = input.offers.iter().map(|offer| offer.units_each).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let by_price = sizes.iter().map(|size| fill(input, input.offers, *size));
    let best = by_price.min_by_key(rank);
    let Some(mut best) = best else {
        return LimitedMix::default();
    };
    if best.missing > 0 || best.spare_short > 0 {
        // Where a quota is what is scarce, units that take little of it count more than their price.
        let frugal: Vec<OfferChoice> = (input.offers.iter().zip(input.takes))
            .map(|(offer, takes)| OfferChoice {
                price: scarce_price(offer, takes),
                ..*offer
            })
            .collect();
        for size in sizes {
            let mut tried = fill(input, &frugal, size);
            tried.price = price_of(input.offers, &tried.instances);
            if rank(&tried) < rank(&best) {
                best = tried;
            }
        }
    }
    best
}

fn rank(mix: &LimitedMix) -> (u64, u64, MicroUsdPerHour, u64) {
    (mix.missing, mix.spare_short, mix.price, mix.units)
}

/// A price by which what takes the least of quotas is the cheapest, and among equals what costs least.
fn scarce_price(offer: &OfferChoice, takes: &[(usize, u64)]) -> MicroUsdPerHour {
    const HOUR_MAX: u64 = 1_000_000_000;
    let most = takes.iter().map(|(_, each)| *each).max().unwrap_or(0);
    MicroUsdPerHour::new(most.saturating_mul(HOUR_MAX) + offer.price.get().min(HOUR_MAX))
}

fn price_of(offers: &[OfferChoice], instances: &[(usize, u64)]) -> MicroUsdPerHour {
    let each = |(place, count): &(usize, u64)| offers[*place].price * *count;
    instances.iter().map(each).sum()
}

/// Fills zone by zone with instances of at most so many units.
fn fill(input: &LimitedInput, offers: &[OfferChoice], largest: u32) -> LimitedMix {
    let mut standing = input.standing.to_vec();
    let mut left = input.left.to_vec();
    let mut counts = vec![0_u64; offers.len()];
    let mut closed = vec![false; input.zones];
    loop {
        let have: u64 = standing.iter().sum();
        let in_all = with_spare(input.wanted, input.spare, &standing, input.zones);
        let target = in_all.min(input.ceiling);
        if have >= target {
            break;
        }
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); input.zones];
        for (place, offer) in offers.iter().enumerate() {
            let zone = input.zone_of[place];
            let mut takes = input.takes[place].iter();
            let fits =
                offer.units_each <= largest && takes.all(|(quota, each)| left[*quota] >= *each);
            if fits && !closed[zone] {
                places[zone].push(place);
            }
        }
        let has_room = |zone: &usize| !places[*zone].is_empty();
        let open: Vec<usize> = (0..input.zones).filter(has_room).collect();
        let (level, goal) = level(input, &standing, &open, have, target);
        let below = open.into_iter().filter(|zone| standing[*zone] < level);
        let with_cheapest = below.filter_map(|zone| {
            let own = places[zone].iter().map(|place| &offers[*place]);
            Some((zone, own.min_by(|a, b| a.cmp_price(b))?))
        });
        let cheapest = with_cheapest.min_by(|(a, own), (b, other)| {
            let by_price = own.cmp_price(other);
            by_price.then((standing[*a], *a).cmp(&(standing[*b], *b)))
        });
        let Some((zone, _)) = cheapest else {
            break;
        };
        let places = &places[zone];
        let units = (level - standing[zone]).min(goal - have);
        let chosen: Vec<OfferChoice> = places.iter().map(|place| offers[*place]).collect();
        let mix = cheapest_mix(&chosen, units, input.ceiling - have);
        let mut got = 0;
        for (at, count) in mix {
            let place = places[at];
            let takes = &input.takes[place];
            let room = takes
                .iter()
                .map(|(quota, each)| left[*quota] / each.max(&1));
            let count = count.min(room.min().unwrap_or(u64::MAX));
            takes
                .iter()
                .for_each(|(quota, each)| left[*quota] -= each * count);
            counts[place] += count;
            got += count * u64::from(offers[place].units_each.max(1));
        }
        standing[zone] += got;
        closed[zone] |= got == 0;
    }
    let have: u64 = standing.iter().sum();
    let before: u64 = input.standing.iter().sum();
    let instances = counts.into_iter().enumerate();
    let instances: Vec<(usize, u64)> = instances.filter(|(_, count)| *count > 0).collect();
    let worst = standing.iter().copied().max().unwrap_or(0);
    LimitedMix {
        price: price_of(offers, &instances),
        instances,
        units: have - before,
        missing: input.wanted.min(input.ceiling).saturating_sub(have),
        spare_short: input.spare.saturating_sub(have - worst),
    }
}

/// How full a zone may get, and how many units there should be in all.
fn level(
    input: &LimitedInput,
    standing: &[u64],
    open: &[usize],
    have: u64,
    target: u64,
) -> (u64, u64) {
    if input.spare == 0 {
        return (u64::MAX, target);
    }
    let level = target.saturating_sub(input.spare);
    let room: u64 = (open
        .iter()
        .map(|zone| level.saturating_sub(standing[*zone])))
    .sum();
    if room >= target - have {
        return (level, target);
    }
    if have >= input.wanted {
        // What is beyond the wanted units is of use only where the loss of a fuller zone would leave it.
        return (standing.iter().copied().max().unwrap_or(0), target);
    }
    // The promise cannot be kept: as near to it as what is wanted comes.
    let goal = input.wanted.min(target);
    (water_level(standing, open, goal - have), goal)
}

/// The lowest level at which the open zones take so many units.
fn water_level(standing: &[u64], open: &[usize], units: u64) -> u64 {
    let lowest = open.iter().map(|zone| standing[*zone]).min().unwrap_or(0);
    let (mut low, mut high) = (lowest, lowest.saturating_add(units));
    let takes = |level: u64| -> u64 {
        let of = |zone: &usize| level.saturating_sub(standing[*zone]);
        open.iter().map(of).fold(0, u64::saturating_add)
    };
    while low < high {
        let middle = low + (high - low) / 2;
        if takes(middle) >= units {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{Billing, OfferIndex};
    use proptest::prelude::*;

    use super::*;

    fn offer(place: usize, units_each: u32, price: u64) -> OfferChoice {
        OfferChoice {
            offer: OfferIndex(place as u16),
            units_each,
            price: MicroUsdPerHour::new(price),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: 0,
                granularity_seconds: 1,
            },
        }
    }

    /// Offers as zone, units, price, and what they take of two quotas.
    type Stated = (usize, u32, u64, u64, u64);

    fn solved(
        stated: &[Stated],
        standing: &[u64],
        wanted: u64,
        spare: u64,
        left: &[u64],
    ) -> (LimitedMix, Vec<u64>, Vec<u64>) {
        let offers: Vec<OfferChoice> = (stated.iter().enumerate())
            .map(|(place, (_, units, price, ..))| offer(place, *units, *price))
            .collect();
        let zone_of: Vec<usize> = stated.iter().map(|(zone, ..)| *zone).collect();
        let takes: Vec<Vec<(usize, u64)>> = (stated.iter())
            .map(|(.., one, two)| {
                let both = [(0, *one), (1, *two)].into_iter();
                both.filter(|(_, each)| *each > 0).collect()
            })
            .collect();
        let input = LimitedInput {
            offers: &offers,
            zone_of: &zone_of,
            zones: standing.len(),
            standing,
            wanted,
            spare,
            ceiling: 1_000,
            takes: &takes,
            left,
        };
        let mix = limited_mix(&input);
        let mut after = standing.to_vec();
        for (place, count) in &mix.instances {
            after[zone_of[*place]] += count * u64::from(offers[*place].units_each);
        }
        let taken = mix.taken(&input);
        (mix, after, taken)
    }

    #[test]
    fn what_a_quota_cuts_is_bought_outside_of_it() {
        let offers = [(0, 1, 100, 2, 0), (0, 1, 150, 0, 0)];
        let (mix, ..) = solved(&offers, &[0], 5, 0, &[6, 0]);
        assert_eq!(mix.instances, [(0, 3), (1, 2)]);
        let (mix, ..) = solved(&offers[..1], &[0], 5, 0, &[6, 0]);
        assert_eq!((mix.units, mix.missing), (3, 2));
    }

    #[test]
    fn a_scarce_quota_goes_to_what_takes_the_least_of_it() {
        // A large one takes eight for four units, a small one three for two.
        let offers = [(0, 4, 300, 8, 0), (0, 2, 190, 3, 0)];
        let (mix, ..) = solved(&offers, &[0], 6, 0, &[9, 0]);
        assert_eq!((mix.instances.as_slice(), mix.missing), (&[(1, 3)][..], 0));
    }

    #[test]
    fn the_loss_of_a_zone_leaves_what_is_promised() {
        let zones = [(0, 1, 100, 0, 0), (1, 1, 100, 0, 0), (2, 1, 101, 0, 0)];
        let (mix, after, _) = solved(&zones, &[0, 0, 0], 10, 7, &[0, 0]);
        assert_eq!((mix.units, mix.spare_short), (11, 0), "{after:?}");
        let (mix, after, _) = solved(&zones[..2], &[10, 0], 10, 7, &[0, 0]);
        assert_eq!(after, [10, 7], "{mix:?}");
    }

    #[test]
    fn a_zone_that_takes_no_more_gets_nothing_that_is_of_no_use() {
        let zones = [(0, 1, 100, 0, 0), (1, 1, 100, 1, 0)];
        let (mix, after, _) = solved(&zones, &[10, 0], 10, 7, &[3, 0]);
        assert_eq!((after, mix.spare_short), (vec![10, 3], 4));
    }

    proptest! {
        #[test]
        fn limits_hold_and_what_can_be_had_is_had(
            stated in proptest::collection::vec((0_usize..3, 1_u32..5, 1_u64..400, 0_u64..4, 0_u64..4), 1..8),
            standing in proptest::collection::vec(0_u64..30, 3),
            wanted in 0_u64..60,
            share in 0_u64..=100,
            left in proptest::collection::vec(0_u64..60, 2),
        ) {
            let spare = (wanted * share).div_ceil(100);
            let (mix, after, taken) = solved(&stated, &standing, wanted, spare, &left);
            prop_assert!(taken.iter().zip(&left).all(|(taken, left)| taken <= left));
            let have: u64 = after.iter().sum();
            prop_assert_eq!(mix.missing, wanted.saturating_sub(have));
            prop_assert_eq!(mix.spare_short, spare.saturating_sub(have - after.iter().max().unwrap()));
            // Something is missing only where nothing else fits.
            if mix.missing > 0 {
                let fits = |(_, _, _, one, two): &&Stated| taken[0] + one <= left[0] && taken[1] + two <= left[1];
                prop_assert_eq!(stated.iter().find(fits), None);
            }
            // Planned again, nothing more is ordered.
            let rest: Vec<u64> = left.iter().zip(&taken).map(|(left, taken)| left - taken).collect();
            if mix.missing == 0 && mix.spare_short == 0 {
                prop_assert_eq!(solved(&stated, &after, wanted, spare, &rest).0.units, 0);
            }
        }
    }
}
