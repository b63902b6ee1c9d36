//! When spot pools have capacity and when they take it back: outages of whole pools, which zones and regions share.

use fleetcast_model::{Offer, PurchaseKind};
use jiff::{SignedDuration, Timestamp};

use crate::random::Random;
use crate::spot_prices::SpotPrices;

/// Instances are told so long before they are taken (EC2; Azure and Google Cloud give 30 seconds).
const NOTICE: SignedDuration = SignedDuration::from_secs(120);
/// A reclaim takes a whole pool within so long (Spot-and-Scoot 2026: over 92 % of it).
const RECLAIM_SECONDS: u64 = 180;

/// How a region's spot capacity comes and goes.
///
/// A pool is one type in one zone, up or down as a whole. It goes down by itself, with its zone, or with its
/// region; in a bad spell of the region everything goes more often and stays away for longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarketSettings {
    /// Mean hours of a good and of a bad spell of a region.
    pub spell_hours: (f64, f64),
    /// Mean hours that a pool is up in a good spell, by a reason of its own. The runs are a mix of short and
    /// long ones: their mean is about three times their median.
    pub up_hours: f64,
    /// Mean hours that it is down.
    pub down_hours: f64,
    /// Mean hours between reclaims that take a whole zone, each of its pools with `zone_share`.
    pub zone_hours: f64,
    /// Probability that a reclaim of the zone takes a pool.
    pub zone_share: f64,
    /// Mean hours between reclaims that take part of a region, each of its zones with `region_share`.
    pub region_hours: f64,
    /// Probability that a reclaim of the region takes a zone.
    pub region_share: f64,
    /// In a bad spell all this happens so many times as often, and lasts half as long again.
    pub bad_times: f64,
}

impl MarketSettings {
    /// Like CPU pools in public availability traces: up 95 to 99 % of the time, in runs of hours to a day.
    pub const CPU: Self = Self {
        spell_hours: (72.0, 12.0),
        up_hours: 48.0,
        down_hours: 0.5,
        zone_hours: 48.0,
        zone_share: 0.5,
        region_hours: 240.0,
        region_share: 0.4,
        bad_times: 4.0,
    };
    /// Like scarce pools: up 60 to 85 % of the time, in runs of one to ten hours.
    pub const SCARCE: Self = Self {
        spell_hours: (48.0, 16.0),
        up_hours: 9.0,
        down_hours: 1.1,
        zone_hours: 16.0,
        zone_share: 0.6,
        region_hours: 72.0,
        region_share: 0.4,
        bad_times: 4.0,
    };
}

/// Where a pool lies; pools of one zone, and zones of one region, go down together at times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolPlace {
    /// Index of the region.
    pub region: u16,
    /// Index of the zone; unique over all regions.
    pub zone: u16,
}

/// The outages of all pools over a time, and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpotMarket {
    /// For each pool: outages in order, none overlapping.
    outages: Vec<Vec<Outage>>,
    prices: SpotPrices,
}

/// A time in which a pool has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// First moment.
    pub from: Timestamp,
    /// First moment after.
    pub until: Timestamp,
}

impl SpotMarket {
    /// Draws the outages of pools at these places. Equal seeds give equal markets, and one more pool changes
    /// nothing for the others.
    pub fn generate(
        settings: &MarketSettings,
        places: &[PoolPlace],
        start: Timestamp,
        length: SignedDuration,
        seed: u64,
    ) -> Self {
        let hours = length.as_secs_f64() / 3_600.0;
        let mut regions: Vec<u16> = places.iter().map(|place| place.region).collect();
        regions.sort_unstable();
        regions.dedup();
        let courses: Vec<Region> = regions
            .iter()
            .map(|region| Region::generate(settings, *region, places, hours, seed))
            .collect();
        let outages = places.iter().enumerate().map(|(pool, place)| {
            let at = regions.binary_search(&place.region);
            let region = &courses[at.unwrap_or_else(|next| next)];
            let spans = region.pool(settings, pool, *place, hours, seed);
            merge(spans, start)
        });
        Self::recorded(outages.collect())
    }

    /// A market of these offers, each a pool by its place; `None` if none of them is spot.
    pub fn of_offers(
        settings: &MarketSettings,
        offers: &[Offer],
        start: Timestamp,
        length: SignedDuration,
        seed: u64,
    ) -> Option<Self> {
        let spot = |offer: &Offer| offer.purchase == PurchaseKind::Spot;
        if !offers.iter().any(spot) {
            return None;
        }
        let mut regions = Vec::new();
        let mut zones = Vec::new();
        let places: Vec<PoolPlace> = offers
            .iter()
            .map(|offer| {
                let region = (offer.provider, &offer.region);
                PoolPlace {
                    region: place_in(&mut regions, region),
                    zone: place_in(&mut zones, (region, &offer.zone)),
                }
            })
            .collect();
        Some(Self::generate(settings, &places, start, length, seed))
    }

    /// Takes outages as they were recorded, for each pool in order.
    pub fn recorded(outages: Vec<Vec<Outage>>) -> Self {
        Self {
            outages,
            prices: SpotPrices::default(),
        }
    }

    /// The same market, in which prices move.
    #[must_use]
    pub fn priced(self, prices: SpotPrices) -> Self {
        Self { prices, ..self }
    }

    /// What the pools cost.
    pub fn prices(&self) -> &SpotPrices {
        &self.prices
    }

    /// Whether a pool has capacity at a moment; a pool that the market does not know always has.
    pub fn has_capacity(&self, pool: usize, at: Timestamp) -> bool {
        self.outages.get(pool).is_none_or(|outages| {
            let begun = outages.partition_point(|outage| outage.from <= at);
            begun == 0 || outages[begun - 1].until <= at
        })
    }

    /// The outage of a pool that began after one moment and not after another, if any.
    pub fn begun(&self, pool: usize, after: Timestamp, until: Timestamp) -> Option<Outage> {
        let outages = self.outages.get(pool)?;
        let next = outages.partition_point(|outage| outage.from <= after);
        outages
            .get(next)
            .copied()
            .filter(|outage| outage.from <= until)
    }

    /// Share of a time in which a pool has capacity.
    pub fn availability(&self, pool: usize, start: Timestamp, length: SignedDuration) -> f64 {
        let end = start + length;
        let down: f64 = self.outages.get(pool).map_or(0.0, |outages| {
            outages
                .iter()
                .map(|outage| outage.until.min(end).duration_since(outage.from.max(start)))
                .map(|down| down.as_secs_f64().max(0.0))
                .sum()
        });
        1.0 - down / length.as_secs_f64().max(1.0)
    }

    /// When an instance of a pool that is being taken back is told, and when it is gone.
    pub(crate) fn taken(random: &mut Random, outage: Outage) -> Timestamp {
        let spread = random.below(RECLAIM_SECONDS - NOTICE.as_secs().unsigned_abs() + 1);
        outage.from + NOTICE + SignedDuration::from_secs(spread as i64)
    }
}

/// The place of a value in a list, to whose end it is added if it is new.
fn place_in<T: PartialEq>(known: &mut Vec<T>, value: T) -> u16 {
    let place = known.iter().position(|known| *known == value);
    place.unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    }) as u16
}

/// Hours from the start, from and until.
type Span = (f64, f64);

/// What all pools of a region share.
struct Region {
    bad: Vec<Span>,
    /// Reclaims of zones: zone, hour, and how long it lasts.
    reclaims: Vec<(u16, f64, f64)>,
}

impl Region {
    fn generate(
        settings: &MarketSettings,
        region: u16,
        places: &[PoolPlace],
        hours: f64,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed, &format!("spot/region/{region}"));
        let mut bad = Vec::new();
        let mut at = random.exponential(settings.spell_hours.0);
        while at < hours {
            let until = at + random.exponential(settings.spell_hours.1);
            bad.push((at, until));
            at = until + random.exponential(settings.spell_hours.0);
        }
        let mut zones: Vec<u16> = places
            .iter()
            .filter(|place| place.region == region)
            .map(|place| place.zone)
            .collect();
        zones.sort_unstable();
        zones.dedup();
        let mut course = Self {
            bad,
            reclaims: Vec::new(),
        };
        let mut shared = Random::new(seed, &format!("spot/region/{region}/reclaims"));
        let mut at = course.wait(settings, 0.0, settings.region_hours, &mut shared);
        while at < hours {
            for zone in &zones {
                if shared.chance(settings.region_share) {
                    let lasts = course.lasts(settings, at, &mut shared);
                    course.reclaims.push((*zone, at, lasts));
                }
            }
            at = course.wait(settings, at, settings.region_hours, &mut shared);
        }
        for zone in zones {
            let mut own = Random::new(seed, &format!("spot/zone/{zone}"));
            let mut at = course.wait(settings, 0.0, settings.zone_hours, &mut own);
            while at < hours {
                let lasts = course.lasts(settings, at, &mut own);
                course.reclaims.push((zone, at, lasts));
                at = course.wait(settings, at, settings.zone_hours, &mut own);
            }
        }
        course
    }

    /// The outages of one pool, not yet in order.
    fn pool(
        &self,
        settings: &MarketSettings,
        pool: usize,
        place: PoolPlace,
        hours: f64,
        seed: u64,
    ) -> Vec<Span> {
        let mut random = Random::new(seed, &format!("spot/pool/{pool}"));
        let mut spans = Vec::new();
        for (zone, at, lasts) in &self.reclaims {
            if *zone == place.zone && random.chance(settings.zone_share) {
                spans.push((*at, at + lasts));
            }
        }
        // Seven runs of ten are short, three long: hyper-exponential with the stated mean.
        let run = |at: f64, random: &mut Random| {
            let mean = settings.up_hours * if random.chance(0.7) { 0.25 } else { 2.75 };
            self.wait(settings, at, mean, random)
        };
        let mut at = run(0.0, &mut random);
        while at < hours {
            let until = at + self.lasts(settings, at, &mut random);
            spans.push((at, until));
            at = run(until, &mut random);
        }
        spans
    }

    /// The next event of a process with a mean time between events, from `at` on: faster in bad spells.
    fn wait(
        &self,
        settings: &MarketSettings,
        mut at: f64,
        mean_hours: f64,
        random: &mut Random,
    ) -> f64 {
        // Unit-rate exponential, used up at the rate of each spell on the way.
        let mut left = random.exponential(1.0);
        for (from, until) in &self.bad {
            for (end, times) in [(*from, 1.0), (*until, settings.bad_times)] {
                if at >= end {
                    continue;
                }
                let used = (end - at) * times / mean_hours;
                if used >= left {
                    return at + left * mean_hours / times;
                }
                left -= used;
                at = end;
            }
        }
        at + left * mean_hours
    }

    fn lasts(&self, settings: &MarketSettings, at: f64, random: &mut Random) -> f64 {
        let in_bad = self
            .bad
            .iter()
            .any(|(from, until)| *from <= at && at < *until);
        // A pool that is gone for less than five minutes was never asked for in that time.
        let mean = settings.down_hours * if in_bad { 1.5 } else { 1.0 };
        random.exponential(mean).max(1.0 / 12.0)
    }
}

/// Puts spans in order and joins those that touch.
fn merge(mut spans: Vec<Span>, start: Timestamp) -> Vec<Outage> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let moment = |hours: f64| start + SignedDuration::from_secs((hours * 3_600.0) as i64);
    let mut outages: Vec<Outage> = Vec::new();
    for (from, until) in spans {
        let (from, until) = (moment(from), moment(until));
        match outages.last_mut() {
            Some(last) if from <= last.until => last.until = last.until.max(until),
            _ => outages.push(Outage { from, until }),
        }
    }
    outages
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

    fn places() -> Vec<PoolPlace> {
        (0..9)
            .map(|pool| PoolPlace {
                region: pool / 9,
                zone: pool / 3,
            })
            .collect()
    }

    fn market(settings: &MarketSettings) -> SpotMarket {
        SpotMarket::generate(settings, &places(), Timestamp::UNIX_EPOCH, YEAR, 7)
    }

    /// Whether each pool is up, by five minutes.
    fn up(market: &SpotMarket, pool: usize) -> Vec<f64> {
        (0..365 * 24 * 12)
            .map(|i| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(5) * i)
            .map(|at| f64::from(u8::from(market.has_capacity(pool, at))))
            .collect()
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let sum =
            |f: &dyn Fn(f64, f64) -> f64| -> f64 { a.iter().zip(b).map(|(a, b)| f(*a, *b)).sum() };
        let cov = sum(&|x, y| (x - ma) * (y - mb));
        let (va, vb) = (
            sum(&|x, _| (x - ma) * (x - ma)),
            sum(&|_, y| (y - mb) * (y - mb)),
        );
        cov / (va * vb).sqrt()
    }

    #[test]
    fn availability_and_runs_are_those_of_public_traces() {
        let start = Timestamp::UNIX_EPOCH;
        for (settings, range) in [
            (MarketSettings::CPU, 0.93..0.999),
            (MarketSettings::SCARCE, 0.55..0.92),
        ] {
            let market = market(&settings);
            for pool in 0..9 {
                let share = market.availability(pool, start, YEAR);
                assert!(range.contains(&share), "{share} in {settings:?}");
            }
            let mut runs: Vec<f64> = market.outages[0]
                .windows(2)
                .map(|pair| pair[1].from.duration_since(pair[0].until).as_secs_f64())
                .collect();
            runs.sort_by(f64::total_cmp);
            let mean = runs.iter().sum::<f64>() / runs.len() as f64;
            let heavy = mean / runs[runs.len() / 2];
            assert!((1.5..7.2).contains(&heavy), "mean over median {heavy}");
        }
    }

    #[test]
    fn pools_of_a_zone_fail_together_more_than_those_of_a_region() {
        let market = market(&MarketSettings::SCARCE);
        let (a, same_zone, other_zone) = (up(&market, 0), up(&market, 1), up(&market, 3));
        let (near, far) = (correlation(&a, &same_zone), correlation(&a, &other_zone));
        assert!(
            near > far + 0.05 && far > 0.02,
            "{near} in a zone, {far} in a region"
        );
    }

    #[test]
    fn one_more_pool_changes_nothing_for_the_others() {
        let more: Vec<PoolPlace> = places()
            .into_iter()
            .chain([PoolPlace {
                region: 5,
                zone: 90,
            }])
            .collect();
        let larger =
            SpotMarket::generate(&MarketSettings::CPU, &more, Timestamp::UNIX_EPOCH, YEAR, 7);
        assert_eq!(
            larger.outages[..9],
            market(&MarketSettings::CPU).outages[..]
        );
    }

    #[test]
    fn an_outage_begins_once() {
        let minute = |n: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n);
        let outage = Outage {
            from: minute(10),
            until: minute(20),
        };
        let market = SpotMarket::recorded(vec![vec![outage]]);
        assert_eq!(market.begun(0, minute(9), minute(10)), Some(outage));
        assert_eq!(market.begun(0, minute(10), minute(11)), None);
        assert!(market.has_capacity(0, minute(9)) && !market.has_capacity(0, minute(19)));
        assert!(market.has_capacity(0, minute(20)) && market.has_capacity(1, minute(10)));
    }
}
