//! How spot prices move: by small steps around the price that is listed, pools of a region partly together.
//!
//! Since 2017 providers no longer auction spot capacity but let its price follow supply and demand over the long run
//! ("gradually", Amazon EC2 User Guide, *Spot Instance pricing history*), so that a price says little about when a pool is
//! taken back: both are drawn apart.

use fleetcast_model::{MicroUsdPerHour, Offer, PurchaseKind};
use jiff::{SignedDuration, Timestamp};

use crate::random::Random;

/// No price falls under this part of the one that is listed.
const LOWEST_PART: f64 = 0.25;

/// How spot prices move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceSettings {
    /// A deviation from the listed price is halved within so many hours.
    pub half_life_hours: f64,
    /// Standard deviation of the logarithm of a price, in the long run.
    pub spread: f64,
    /// The part of its variance that all pools of a region share.
    pub shared: f64,
    /// Mean hours between two changes of a pool's price; never less than one.
    pub change_hours: f64,
}

impl PriceSettings {
    /// Some changes a day and fifths of the price within weeks. Assumptions: no price history is at hand to fit.
    pub const GRADUAL: Self = Self {
        half_life_hours: 96.0,
        spread: 0.2,
        shared: 0.3,
        change_hours: 4.0,
    };
}

/// From when on what a pool costs.
pub type PriceCourse = Vec<(Timestamp, MicroUsdPerHour)>;

/// The prices of all offers over a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpotPrices {
    /// For each offer by place, in order of time; empty: as listed.
    courses: Vec<PriceCourse>,
}

impl SpotPrices {
    /// Draws the prices of the spot offers, which begin as they are listed and never pass `at_most` (by place; where
    /// there is none, four times the listed price). Equal seeds give equal prices, and one more offer changes
    /// nothing for the others.
    pub fn generate(
        settings: &PriceSettings,
        offers: &[Offer],
        at_most: &[MicroUsdPerHour],
        start: Timestamp,
        length: SignedDuration,
        seed: u64,
    ) -> Self {
        let hours = usize::try_from(length.as_hours()).unwrap_or(0) + 1;
        let wander = |purpose: &str| wander(settings, hours, &mut Random::new(seed, purpose));
        let course = |(place, offer): (usize, &Offer)| {
            if offer.purchase != PurchaseKind::Spot {
                return PriceCourse::new();
            }
            let region = format!("spot price/region/{:?}/{}", offer.provider, offer.region);
            let purpose = format!("spot price/offer/{}", offer.id);
            let (shared, own) = (wander(&region), wander(&purpose));
            let mut changes = Random::new(seed, &format!("{purpose}/changes"));
            let listed = offer.price.as_f64();
            let most = at_most
                .get(place)
                .map_or(4.0 * listed, |most| most.as_f64());
            let mut course = PriceCourse::new();
            let mut at = 0.0;
            loop {
                at += changes.exponential(settings.change_hours - 1.0) + 1.0;
                let hour = at as usize;
                if hour >= hours {
                    return course;
                }
                let log = settings.shared.sqrt() * shared[hour]
                    + (1.0 - settings.shared).sqrt() * own[hour];
                let price = (listed * libm::exp(log)).clamp(LOWEST_PART * listed, most.max(listed));
                let moment = start + SignedDuration::from_secs((at * 3_600.0) as i64);
                course.push((moment, MicroUsdPerHour::new(libm::round(price) as u64)));
            }
        };
        Self {
            courses: offers.iter().enumerate().map(course).collect(),
        }
    }

    /// Takes prices as they were recorded, for each offer in order of time.
    pub fn recorded(courses: Vec<PriceCourse>) -> Self {
        Self { courses }
    }

    /// What an offer costs at a moment; `None`: what it is listed at.
    pub fn at(&self, place: usize, at: Timestamp) -> Option<MicroUsdPerHour> {
        let course = self.courses.get(place)?;
        let begun = course.partition_point(|(from, _)| *from <= at);
        begun.checked_sub(1).map(|last| course[last].1)
    }

    /// Offers whose price changed after one moment and not after another, with the new price.
    pub(crate) fn changed(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (usize, MicroUsdPerHour)> {
        let courses = self.courses.iter().enumerate();
        courses.filter_map(move |(place, course)| {
            let begun = course.partition_point(|(from, _)| *from <= until);
            let (from, price) = course[..begun].last()?;
            (*from > after).then_some((place, *price))
        })
    }
}

/// A logarithm of a price by the hour that returns to 0 (Ornstein and Uhlenbeck 1930, in discrete time).
fn wander(settings: &PriceSettings, hours: usize, random: &mut Random) -> Vec<f64> {
    let keep = libm::exp2(-1.0 / settings.half_life_hours);
    let kick = settings.spread * (1.0 - keep * keep).sqrt();
    let mut at = 0.0;
    let mut next = || {
        at = keep * at + kick * random.normal();
        at
    };
    (0..hours).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{Billing, Bytes, MilliCores, OfferId, ProviderKind, Region};

    use super::*;

    const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
    const LISTED: MicroUsdPerHour = MicroUsdPerHour::new(40_000);
    const MOST: MicroUsdPerHour = MicroUsdPerHour::new(50_000);

    fn offer(name: &str, purchase: PurchaseKind) -> Offer {
        Offer {
            id: OfferId::new(name).expect("a name"),
            provider: ProviderKind::Simulated,
            region: Region::new("here").expect("a name"),
            zone: None,
            instance_type: name.into(),
            purchase,
            term_months: None,
            architecture: None,
            cpu: MilliCores::new(1_000),
            memory: Bytes::new(1),
            disk: None,
            disk_io: None,
            bandwidth: None,
            price: LISTED,
            billing: Billing {
                minimum_seconds: 60,
                granularity_seconds: 1,
            },
        }
    }

    fn offers(count: usize) -> Vec<Offer> {
        let spot = (0..count).map(|at| offer(&format!("spot-{at}"), PurchaseKind::Spot));
        std::iter::once(offer("firm", PurchaseKind::OnDemand))
            .chain(spot)
            .collect()
    }

    fn drawn(count: usize) -> SpotPrices {
        let most = vec![MOST; count + 1];
        let settings = PriceSettings::GRADUAL;
        SpotPrices::generate(
            &settings,
            &offers(count),
            &most,
            Timestamp::UNIX_EPOCH,
            YEAR,
            5,
        )
    }

    /// The logarithm of a price over the listed one, by the hour.
    fn hourly(prices: &SpotPrices, place: usize) -> Vec<f64> {
        (0..365 * 24)
            .map(|hour| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour))
            .map(|at| prices.at(place, at).unwrap_or(LISTED).as_f64())
            .map(|price| libm::log(price / LISTED.as_f64()))
            .collect()
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (mean_a, mean_b) = (mean(a), mean(b));
        let covariance = |x: &[f64], y: &[f64], mean_x: f64, mean_y: f64| -> f64 {
            x.iter()
                .zip(y)
                .map(|(x, y)| (x - mean_x) * (y - mean_y))
                .sum()
        };
        covariance(a, b, mean_a, mean_b)
            / (covariance(a, a, mean_a, mean_a) * covariance(b, b, mean_b, mean_b)).sqrt()
    }

    #[test]
    fn prices_begin_as_listed_stay_near_and_keep_their_bound() {
        let prices = drawn(6);
        assert_eq!(
            prices.courses[0],
            [],
            "what is bought on demand has one price"
        );
        let mut mean = 0.0;
        for place in 1..=6 {
            assert_eq!(prices.at(place, Timestamp::UNIX_EPOCH), None);
            let course = &prices.courses[place];
            let a_day = course.len() as f64 / 365.0;
            assert!((4.0..9.0).contains(&a_day), "{a_day} changes a day");
            let steps = course.windows(2).map(|pair| {
                let ratio = pair[1].1.as_f64() / pair[0].1.as_f64();
                libm::log(ratio).abs()
            });
            let mean_step = steps.sum::<f64>() / (course.len() - 1) as f64;
            assert!((0.005..0.06).contains(&mean_step), "{mean_step} a change");
            assert!(
                course
                    .iter()
                    .all(|(_, price)| *price <= MOST && price.as_f64() > 9_999.0)
            );
            mean += hourly(&prices, place).iter().sum::<f64>() / (6.0 * 365.0 * 24.0);
        }
        assert!(mean.abs() < 0.12, "they return to what is listed: {mean}");
    }

    #[test]
    fn pools_of_a_region_move_partly_together() {
        let prices = drawn(6);
        let courses: Vec<Vec<f64>> = (1..=6).map(|place| hourly(&prices, place)).collect();
        let pairs = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
        let all: Vec<f64> = pairs
            .map(|(a, b)| correlation(&courses[a], &courses[b]))
            .collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((0.1..0.6).contains(&mean), "{mean}");
    }

    #[test]
    fn one_more_pool_changes_nothing_for_the_others() {
        assert_eq!(drawn(7).courses[..7], drawn(6).courses[..]);
    }

    #[test]
    fn a_change_is_told_once() {
        let minute = |n: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n);
        let price = MicroUsdPerHour::new;
        let course = vec![(minute(10), price(7)), (minute(12), price(8))];
        let prices = SpotPrices::recorded(vec![PriceCourse::new(), course]);
        let told = |after, until| {
            prices
                .changed(minute(after), minute(until))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(9, 10), [(1, price(7))]);
        assert_eq!(told(10, 11), []);
        assert_eq!(told(0, 20), [(1, price(8))], "the newest only");
        assert_eq!(prices.at(1, minute(11)), Some(price(7)));
        assert_eq!(
            (prices.at(1, minute(9)), prices.at(0, minute(11))),
            (None, None)
        );
    }
}
