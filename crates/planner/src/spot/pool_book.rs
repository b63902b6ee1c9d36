//! What is known of each spot pool: whether it gives, how often it is lost, and when to ask it again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How a book learns and how patiently it asks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolSettings {
    /// A pool that failed is left alone for so long, then twice as long, and so on.
    pub back_off_first: SignedDuration,
    /// And never for longer than this.
    pub back_off_longest: SignedDuration,
    /// Shut pools that may be asked again within an hour, over all pools.
    pub probes_per_hour: u32,
    /// Losses an hour that are assumed of a pool of which nothing is known.
    pub loss_per_hour: f64,
    /// That assumption weighs as much as so many hours of watching.
    pub assumed_hours: f64,
    /// What was seen so many hours ago counts half.
    pub half_life_hours: f64,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            // A reclaim takes a whole pool within three minutes (Spot-and-Scoot 2026): sooner there is nothing to get.
            back_off_first: SignedDuration::from_mins(5),
            back_off_longest: SignedDuration::from_hours(4),
            probes_per_hour: 6,
            // The middle of what public availability traces show: runs of 1.4 to 10 hours in poor zones, of
            // days in good ones.
            loss_per_hour: 1.0 / 24.0,
            assumed_hours: 24.0,
            half_life_hours: 7.0 * 24.0,
        }
    }
}

/// The spot pools of one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolBook {
    settings: PoolSettings,
    pools: Vec<Pool>,
    /// When shut pools were last asked, newest last.
    probes: Vec<Timestamp>,
    /// When a pool that was counted on last failed.
    failed: Option<Timestamp>,
}

/// What is known of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pool {
    /// Failures since it last gave.
    failures: u32,
    /// Not asked before.
    shut_until: Option<Timestamp>,
    /// Losses, the older the less.
    losses: f64,
    /// Hours in which instances of it ran, the older the less.
    hours: f64,
}

impl PoolBook {
    /// A book of so many pools, all open.
    pub fn new(pools: usize, settings: PoolSettings) -> Self {
        Self {
            settings,
            pools: vec![Pool::default(); pools],
            probes: Vec::new(),
            failed: None,
        }
    }

    /// Lets time pass in which instances of a pool ran.
    pub fn ran(&mut self, pool: usize, time: SignedDuration) {
        let hours = time.as_secs_f64().max(0.0) / 3_600.0;
        let faded = libm::exp2(-hours / self.settings.half_life_hours);
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.losses *= faded;
            pool.hours = pool.hours * faded + hours;
        }
    }

    /// Instances of a pool are being taken back. Told once for each loss, however many instances it takes.
    pub fn lost(&mut self, pool: usize, now: Timestamp) {
        if let Some(known) = self.pools.get_mut(pool) {
            known.losses += 1.0;
        }
        self.shut(pool, now);
    }

    /// A pool refused an order.
    pub fn refused(&mut self, pool: usize, now: Timestamp) {
        self.shut(pool, now);
    }

    /// A pool granted an order: it gives.
    pub fn gave(&mut self, pool: usize) {
        if let Some(pool) = self.pools.get_mut(pool) {
            (pool.failures, pool.shut_until) = (0, None);
        }
    }

    /// Whether a pool may be counted on: it has not failed since it last gave.
    pub fn is_open(&self, pool: usize) -> bool {
        self.pools
            .get(pool)
            .is_some_and(|pool| pool.shut_until.is_none())
    }

    /// Whether a pool that was counted on failed within a time: others may follow, and what is missing is not to
    /// depend on them.
    pub fn failed_within(&self, time: SignedDuration, now: Timestamp) -> bool {
        self.failed.is_some_and(|at| now.duration_since(at) < time)
    }

    /// Whether it is time to ask a shut pool again; asking is to be told by [`Self::probed`].
    pub fn may_probe(&self, pool: usize, now: Timestamp) -> bool {
        let over = |pool: &Pool| pool.shut_until.is_some_and(|until| until <= now);
        self.pools.get(pool).is_some_and(over)
    }

    /// How many shut pools may be asked again now.
    pub fn probes_left(&self, now: Timestamp) -> usize {
        let an_hour_ago = now - SignedDuration::from_hours(1);
        let lately = self.probes.iter().filter(|at| **at > an_hour_ago).count();
        (self.settings.probes_per_hour as usize).saturating_sub(lately)
    }

    /// A shut pool is being asked again. Until it answers it is not asked another time.
    pub fn probed(&mut self, pool: usize, now: Timestamp) {
        let an_hour_ago = now - SignedDuration::from_hours(1);
        self.probes.retain(|at| *at > an_hour_ago);
        self.probes.push(now);
        let wait = self.back_off(self.pools.get(pool).map_or(0, |pool| pool.failures));
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.shut_until = Some(now + wait);
        }
    }

    /// Losses an hour, as believed.
    pub fn loss_per_hour(&self, pool: usize) -> f64 {
        let PoolSettings {
            loss_per_hour,
            assumed_hours,
            ..
        } = self.settings;
        let Pool { losses, hours, .. } = self.pools.get(pool).copied().unwrap_or_default();
        (loss_per_hour * assumed_hours + losses) / (assumed_hours + hours)
    }

    fn shut(&mut self, pool: usize, now: Timestamp) {
        if self.is_open(pool) {
            self.failed = Some(now);
        }
        let failures = self
            .pools
            .get(pool)
            .map_or(0, |pool| pool.failures.saturating_add(1));
        let wait = self.back_off(failures);
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.failures = failures;
            pool.shut_until = Some(now + wait);
        }
    }

    fn back_off(&self, failures: u32) -> SignedDuration {
        let doublings = failures.saturating_sub(1).min(20);
        let wait = self
            .settings
            .back_off_first
            .checked_mul(1 << doublings)
            .unwrap_or(self.settings.back_off_longest);
        wait.min(self.settings.back_off_longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn book() -> PoolBook {
        PoolBook::new(8, PoolSettings::default())
    }

    #[test]
    fn waits_twice_as_long_after_each_failure_up_to_the_longest() {
        let mut book = book();
        let mut now = 0;
        for wait in [5, 10, 20, 40, 80, 160, 240, 240] {
            book.refused(0, minute(now));
            assert!(!book.may_probe(0, minute(now + wait - 1)), "{wait}");
            assert!(book.may_probe(0, minute(now + wait)), "{wait}");
            now += wait;
        }
    }

    #[test]
    fn is_open_again_once_it_gave() {
        let mut book = book();
        book.lost(3, minute(0));
        assert!(!book.is_open(3) && book.is_open(2));
        book.gave(3);
        assert!(book.is_open(3));
        book.refused(3, minute(1));
        assert!(
            book.may_probe(3, minute(6)),
            "the wait begins at the shortest again"
        );
    }

    #[test]
    fn what_was_shut_already_does_not_fail_again() {
        let mut book = book();
        let quarter = SignedDuration::from_mins(15);
        book.refused(0, minute(0));
        assert!(book.failed_within(quarter, minute(14)));
        book.refused(0, minute(14));
        assert!(!book.failed_within(quarter, minute(15)));
    }

    #[test]
    fn asks_no_more_than_the_budget_an_hour() {
        let mut book = book();
        for pool in 0..8 {
            book.refused(pool, minute(0));
        }
        assert_eq!(book.probes_left(minute(10)), 6);
        for pool in 0..6 {
            assert!(book.may_probe(pool, minute(10)));
            book.probed(pool, minute(10));
        }
        assert_eq!(book.probes_left(minute(10)), 0);
        assert_eq!(book.probes_left(minute(71)), 6, "an hour later");
    }

    #[test]
    fn the_rate_of_losses_moves_from_the_assumption_to_what_is_seen() {
        let mut book = book();
        assert!((book.loss_per_hour(0) - 1.0 / 24.0).abs() < 1e-12);
        for hour in 0..200 {
            book.ran(0, SignedDuration::from_hours(1));
            book.ran(1, SignedDuration::from_hours(1));
            if hour % 4 == 0 {
                book.lost(0, minute(hour * 60));
            }
        }
        let (often, never) = (book.loss_per_hour(0), book.loss_per_hour(1));
        assert!((0.2..0.26).contains(&often), "{often}");
        assert!(never < 0.01, "{never}");
    }
}
