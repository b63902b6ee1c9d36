//! The synthetic demand, minute by minute.

use fleetcast_model::InteractionType;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use libm::{exp, sqrt};

use super::shape;
use super::{
    BLACKOUT, CAMPAIGN, CAMPAIGN_UPLIFT, MAINTENANCE, MAINTENANCE_UPLIFT, MINUTES, NEWS, START,
    TIME_ZONE, TYPES,
};
use crate::Random;

/// The noise beyond chance: the standard deviation of a minute as a share of its mean.
const NOISE: f64 = 0.03;
/// The slowly wandering level: the standard deviation of its logarithm.
const LEVEL_SPREAD: f64 = 0.04;
/// How much of the level's deviation is left a minute later: half of it after about three hours.
const LEVEL_KEPT: f64 = 0.996_16;
/// How long the sale takes to be noticed and to be over.
const RAMP_MINUTES: f64 = 10.0;
/// News: how long demand climbs, to how many times more, and how fast it falls back.
const NEWS_CLIMB_MINUTES: f64 = 4.0;
const NEWS_MORE: f64 = 2.0;
const NEWS_DECAY_MINUTES: f64 = 18.0;
/// Minutes, counted from the start, whose telemetry was lost.
const LOST: [u32; 6] = [3_017, 11_554, 11_555, 24_203, 38_880, 47_321];

/// The demand of one kind in one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct DemandRow {
    /// The start of the minute.
    pub at: Timestamp,
    /// What users did.
    pub interaction_type: InteractionType,
    /// Where they were: always [`super::REGION`].
    pub region: &'static str,
    /// Interactions in that minute, a whole number; `None`: telemetry is missing, which is not zero.
    pub per_minute: Option<f64>,
}

/// The synthetic demand of five weeks: for each minute one row of each kind in the order of
/// [`super::TYPES`]. Equal seeds give equal rows on every machine.
pub fn demand(seed: u64) -> impl Iterator<Item = DemandRow> {
    let mut generator = Generator::new(seed);
    (0..MINUTES).flat_map(move |minute| generator.minute(minute))
}

struct Generator {
    zone: TimeZone,
    first_day: Date,
    level: f64,
    levels: Random,
    /// One for each kind.
    noises: [Random; 4],
}

impl Generator {
    fn new(seed: u64) -> Self {
        let zone = TimeZoneDatabase::bundled()
            .get(TIME_ZONE)
            .expect("Berlin is in the built-in database");
        let first_day = zone.to_datetime(START).date();
        let mut levels = Random::new(seed, "example/level");
        let level = LEVEL_SPREAD * levels.normal();
        let noises = TYPES.map(|kind| Random::new(seed, &format!("example/noise/{kind}")));
        Self {
            zone,
            first_day,
            level,
            levels,
            noises,
        }
    }

    fn minute(&mut self, minute: u32) -> [DemandRow; 4] {
        let at = START + SignedDuration::from_mins(i64::from(minute));
        let civil = self.zone.to_datetime(at);
        let day = civil.date().duration_since(self.first_day).as_hours() / 24;
        let hour = f64::from(civil.hour()) + f64::from(civil.minute()) / 60.0;
        let total = shape::total(i32::try_from(day).expect("five weeks have few days"), hour);
        let mix = shape::mix(hour);
        let step = LEVEL_SPREAD * sqrt(1.0 - LEVEL_KEPT * LEVEL_KEPT);
        self.level = LEVEL_KEPT * self.level + step * self.levels.normal();
        let level = exp(self.level) * known_factor(at);
        let lost = (BLACKOUT.0 <= at && at < BLACKOUT.1) || LOST.contains(&minute);
        std::array::from_fn(|index| {
            let interaction_type = TYPES[index].clone();
            let news = 1.0 + (news_factor(at) - 1.0) * shape::news_pull(&interaction_type);
            let count = over_dispersed(&mut self.noises[index], total * mix[index] * level * news);
            DemandRow {
                at,
                interaction_type,
                region: super::REGION,
                per_minute: (!lost).then_some(count),
            }
        })
    }
}

/// A negative binomial count: Poisson with a mean that varies by chance.
fn over_dispersed(random: &mut Random, mean: f64) -> f64 {
    let varied = random.gamma(1.0 / (NOISE * NOISE), mean);
    random.poisson(varied) as f64
}

/// What the events that are known ahead really do: the sale comes and goes by a ramp.
fn known_factor(at: Timestamp) -> f64 {
    let into = minutes_between(CAMPAIGN.0, at);
    let left = minutes_between(at, CAMPAIGN.1);
    let ramp = (into.min(left) / RAMP_MINUTES).clamp(0.0, 1.0);
    let sale = 1.0 + (CAMPAIGN_UPLIFT - 1.0) * ramp;
    let maintenance = if MAINTENANCE.0 <= at && at < MAINTENANCE.1 {
        MAINTENANCE_UPLIFT
    } else {
        1.0
    };
    sale * maintenance
}

fn news_factor(at: Timestamp) -> f64 {
    let into = minutes_between(NEWS, at);
    if into <= 0.0 {
        return 1.0;
    }
    let climb = (into / NEWS_CLIMB_MINUTES).min(1.0);
    let over = (into - NEWS_CLIMB_MINUTES).max(0.0);
    1.0 + NEWS_MORE * climb * exp(-over / NEWS_DECAY_MINUTES)
}

fn minutes_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / 60.0
}
