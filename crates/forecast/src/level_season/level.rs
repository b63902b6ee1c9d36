//! The level, its trend and how it wanders.

use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::rng::Rng;
use crate::robust::{RobustMean, median};

/// The share of the trend that is left from day to day: half of it is gone in a week.
const DAMPING_PER_DAY: f64 = 0.9;

/// Days after which a day weighs half in the level; the best of these on the past.
const HALF_LIVES_DAYS: [f64; 5] = [0.3, 1.0, 2.0, 4.0, 8.0];

/// The level at the end of a history and where it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    now: f64,
    /// Per day, before damping.
    trend: f64,
    /// By how much it changed unforeseen from day to day, times how much of that stays.
    wander: Vec<f64>,
    /// The share of a day's surprise that the level takes in.
    stays: f64,
}

/// The robust mean without season of each whole day before the end of the history, newest first;
/// `None` where less than a quarter of the day was observed.
pub(super) fn daily_levels(
    values: &[Option<f64>],
    day: usize,
    profile: &Profile,
) -> Vec<Option<f64>> {
    let mut mean = RobustMean::default();
    (0..values.len() / day)
        .map(|days_ago| {
            let end = values.len() - days_ago * day;
            for at in end - day..end {
                let Some(value) = values[at] else { continue };
                let season = profile.season(at as i64 - values.len() as i64);
                if profile.is_multiplied() {
                    // Weighted by the season: a level is the ratio of sums, not the mean of ratios.
                    if season > 0.0 {
                        mean.add(value / season, season);
                    }
                } else {
                    mean.add(value - season, 1.0);
                }
            }
            let enough = 4 * mean.len() >= day;
            mean.take().filter(|_| enough)
        })
        .collect()
}

/// The half-life, in days, that best foretold each day's level from the days before.
pub(super) fn best_half_life(daily: &[Option<f64>]) -> f64 {
    let mut best = (f64::INFINITY, HALF_LIVES_DAYS[2]);
    for half_life in HALF_LIVES_DAYS {
        let error: f64 = foretold(daily, half_life).map(f64::abs).sum();
        if error < best.0 {
            best = (error, half_life);
        }
    }
    best.1
}

/// What each day's level had beyond the smoothed level of the days before it, oldest first.
fn foretold(daily: &[Option<f64>], half_life: f64) -> impl Iterator<Item = f64> {
    let keep = libm::exp2(-1.0 / half_life);
    let (mut sum, mut weight) = (0.0, 0.0);
    daily.iter().rev().filter_map(move |level| {
        let surprise = level
            .filter(|_| weight > 0.0)
            .map(|level| level - sum / weight);
        (sum, weight) = (sum * keep, weight * keep);
        if let Some(level) = *level {
            (sum, weight) = (sum + level, weight + 1.0);
        }
        surprise
    })
}

impl Level {
    /// The level after these days, newest first.
    pub(super) fn of(daily: &[Option<f64>], half_life: f64) -> Self {
        let trend = trend(daily);
        let keep = libm::exp2(-1.0 / half_life);
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for (days_ago, level) in daily.iter().enumerate() {
            if let Some(level) = *level {
                // A day's level stands for its middle.
                sum += weight * (level + trend * (days_ago as f64 + 0.5));
                weights += weight;
            }
            weight *= keep;
        }
        let now = if weights > 0.0 {
            f64::max(sum / weights, 0.0)
        } else {
            0.0
        };
        let stays = 1.0 - keep;
        Self {
            now,
            trend,
            wander: foretold(daily, half_life)
                .map(|surprise| stays * surprise)
                .collect(),
            stays,
        }
    }

    pub(super) fn now(&self) -> f64 {
        self.now
    }

    /// Takes in one step's level without season, with a step's share of a day's weight.
    pub(super) fn update(&mut self, seen: Option<f64>, day: usize) {
        if let Some(seen) = seen {
            // A surge moves the level no more than twice its size would.
            let surprise = (seen - self.now).clamp(-2.0 * self.now, 2.0 * self.now);
            self.now = f64::max(self.now + self.stays * surprise / day as f64, 0.0);
        }
        let faded = libm::exp(libm::log(DAMPING_PER_DAY) / day as f64);
        self.now = f64::max(self.now + self.trend / day as f64, 0.0);
        self.trend *= faded;
    }

    /// The level so many steps after the first one ahead. Not under a tenth of the present one:
    /// a fall that deep is a change of regime, which the trend of a few weeks does not foretell.
    pub(super) fn after(&self, ahead: usize, day: usize) -> f64 {
        let days = (ahead as f64 + 0.5) / day as f64;
        let damped =
            (1.0 - libm::exp(days * libm::log(DAMPING_PER_DAY))) / -libm::log(DAMPING_PER_DAY);
        (self.now + self.trend * damped).max(0.1 * self.now)
    }

    /// By how much the level changes unforeseen in one day.
    pub(super) fn draw_wander(&self, rng: &mut Rng) -> f64 {
        if self.wander.is_empty() {
            return 0.0;
        }
        // Up as well as down, whichever the past happened to have more of.
        let change = self.wander[rng.below(self.wander.len())];
        if rng.below(2) == 0 { change } else { -change }
    }
}

/// The median change per day, between days a week apart where there are enough, shrunk by its
/// uncertainty: b·max(0, 1 − (se/b)²), so that noise is no trend.
fn trend(daily: &[Option<f64>]) -> f64 {
    let apart = if daily.len() >= 14 { 7 } else { 1 };
    let newest = &daily[..daily.len().min(4 * 7)];
    let mut changes: Vec<f64> = newest
        .iter()
        .zip(newest.get(apart..).unwrap_or_default())
        .filter_map(|(&new, &old)| Some((new? - old?) / apart as f64))
        .collect();
    let independent = changes.len() as f64 / apart as f64;
    let Some(slope) = median(&mut changes).filter(|_| changes.len() >= 3) else {
        return 0.0;
    };
    let mut apart: Vec<f64> = changes
        .iter()
        .map(|change| (change - slope).abs())
        .collect();
    let spread = 1.4826 * median(&mut apart).unwrap_or(0.0);
    let squared_error = spread * spread / independent.max(1.0);
    if slope == 0.0 {
        0.0
    } else {
        slope * (1.0 - squared_error / (slope * slope)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_trend_is_followed_and_damped() {
        let daily: Vec<Option<f64>> = (0..28)
            .map(|days_ago| Some(200.0 - f64::from(days_ago)))
            .collect();
        let level = Level::of(&daily, 2.0);
        assert!((level.now - 200.5).abs() < 1e-9, "{level:?}");
        let (day, month) = (
            level.after(24, 24) - level.now,
            level.after(30 * 24, 24) - level.now,
        );
        assert!(
            (0.9..1.1).contains(&day) && (8.0..10.0).contains(&month),
            "{day} {month}"
        );
    }

    #[test]
    fn noise_is_no_trend() {
        let daily: Vec<Option<f64>> = (0..28_u32)
            .map(|day| Some(f64::from(100 + day * 7919 % 13)))
            .collect();
        assert!(trend(&daily).abs() < 0.2, "{}", trend(&daily));
    }

    #[test]
    fn a_jump_shortens_the_memory() {
        let walk: Vec<Option<f64>> = (0..30)
            .map(|day| Some(if day < 10 { 300.0 } else { 100.0 }))
            .collect();
        let mut rng = Rng::new(2, 0);
        let noise: Vec<Option<f64>> = (0..30)
            .map(|_| Some(100.0 + 10.0 * rng.uniform()))
            .collect();
        assert!(best_half_life(&walk) < best_half_life(&noise));
    }

    #[test]
    fn nothing_seen_is_nothing() {
        let level = Level::of(&[None, None], 1.0);
        assert_eq!((level.now(), level.after(100, 24)), (0.0, 0.0));
    }
}
