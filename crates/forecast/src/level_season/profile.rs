//! The usual day and week around a level.

use serde::{Deserialize, Serialize};

use super::SEASON_FLOOR;
use crate::robust::RobustMean;

/// Days after which a day weighs half in the profile of the day.
const HALF_LIFE_DAYS: f64 = 14.0;

/// Weeks after which a week weighs half in the profile of the week.
const HALF_LIFE_WEEKS: f64 = 4.0;

/// How much of the week's profile may be believed; the best of these on the last week held out.
const WEEK_SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// What is believed where there is no week to hold out.
const WEEK_SHARE_UNTRIED: f64 = 0.5;

/// The seasons, each with its first entry for the first step after the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    multiplied: bool,
    /// By step of the day: factors around 1 or offsets around 0.
    day: Vec<f64>,
    /// By step of the week: factor on or offset to the day's; empty without a week.
    week: Vec<f64>,
    /// By how much errors are widened, since the profile has seen the days it is judged by.
    pub(super) widening: f64,
    /// The mean absolute error around moving averages; only to choose between profiles.
    pub(super) misfit: f64,
}

impl Profile {
    pub(super) fn fit(
        values: &[Option<f64>],
        day: usize,
        week: Option<usize>,
        multiplied: bool,
    ) -> Self {
        let base = moving_level(values, week.unwrap_or(day));
        let mut profile = Self::of(values, &base, day, week, multiplied);
        if let Some(week) = week {
            let share = if values.len() >= 3 * week {
                let cut = values.len() - week;
                let before = Self::of(&values[..cut], &base[..cut], day, Some(week), multiplied);
                before.best_share(&values[cut..], &base[cut..])
            } else {
                WEEK_SHARE_UNTRIED
            };
            let none = f64::from(u8::from(multiplied));
            profile
                .week
                .iter_mut()
                .for_each(|week| *week = none + share * (*week - none));
        }
        let seasons = values.len() / week.unwrap_or(day);
        profile.widening = 1.0 + 0.5 / seasons as f64;
        profile.misfit = profile.mean_error(values, &base, -(values.len() as i64), 1.0);
        profile
    }

    fn of(
        values: &[Option<f64>],
        base: &[Option<f64>],
        day: usize,
        week: Option<usize>,
        multiplied: bool,
    ) -> Self {
        let none = f64::from(u8::from(multiplied));
        let compared: Vec<Option<f64>> = values
            .iter()
            .zip(base)
            .map(|(&value, &base)| {
                let (value, base) = (value?, base?);
                if multiplied {
                    (base > 0.0).then(|| value / base)
                } else {
                    Some(value - base)
                }
            })
            .collect();
        let mut by_day = by_place(&compared, day, HALF_LIFE_DAYS, none);
        let mean = by_day.iter().sum::<f64>() / day as f64;
        for place in &mut by_day {
            *place = if !multiplied {
                *place - mean
            } else if mean > 0.0 {
                *place / mean
            } else {
                1.0
            };
        }
        let by_week = week.map_or(Vec::new(), |week| {
            let first = (values.len() / day + 1) * day - values.len();
            let beyond: Vec<Option<f64>> = compared
                .iter()
                .enumerate()
                .map(|(at, &compared)| {
                    let usual = by_day[(at + first) % day];
                    if multiplied {
                        Some(compared? / usual).filter(|ratio| ratio.is_finite())
                    } else {
                        Some(compared? - usual)
                    }
                })
                .collect();
            by_place(&beyond, week, HALF_LIFE_WEEKS, none)
        });
        Self {
            multiplied,
            day: by_day,
            week: by_week,
            widening: 1.0,
            misfit: 0.0,
        }
    }

    /// The share of the week's profile that fits these next steps best.
    fn best_share(&self, values: &[Option<f64>], base: &[Option<f64>]) -> f64 {
        let mut best = (f64::INFINITY, 0.0);
        for share in WEEK_SHARES {
            let error = self.mean_error(values, base, 0, share);
            if error < best.0 {
                best = (error, share);
            }
        }
        best.1
    }

    fn mean_error(
        &self,
        values: &[Option<f64>],
        base: &[Option<f64>],
        first: i64,
        share: f64,
    ) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (at, (value, base)) in values.iter().zip(base).enumerate() {
            let (Some(value), Some(base)) = (*value, *base) else {
                continue;
            };
            let ahead = first + at as i64;
            let (in_day, in_week) = (self.apply_day(base, ahead), self.apply(base, ahead));
            sum += (value - (in_day + share * (in_week - in_day)).max(0.0)).abs();
            count += 1.0;
        }
        sum / f64::max(count, 1.0)
    }

    pub(super) fn day_steps(&self) -> usize {
        self.day.len()
    }

    pub(super) fn has_week(&self) -> bool {
        !self.week.is_empty()
    }

    pub(super) fn is_multiplied(&self) -> bool {
        self.multiplied
    }

    /// The level in the season of a step, counted from the first after the history (before: < 0).
    pub(super) fn apply(&self, level: f64, ahead: i64) -> f64 {
        let in_day = self.apply_day(level, ahead);
        match place(&self.week, ahead) {
            Some(week) if self.multiplied => in_day * week,
            Some(week) => in_day + week,
            None => in_day,
        }
    }

    /// The level in the season of the day alone.
    pub(super) fn apply_day(&self, level: f64, ahead: i64) -> f64 {
        let day = place(&self.day, ahead).unwrap_or_default();
        if self.multiplied {
            level * day
        } else {
            level + day
        }
    }

    /// Moves on by one step.
    pub(super) fn turn(&mut self) {
        for season in [&mut self.day, &mut self.week] {
            if !season.is_empty() {
                season.rotate_left(1);
            }
        }
    }

    /// The factor or offset of a step.
    pub(super) fn season(&self, ahead: i64) -> f64 {
        self.apply(f64::from(u8::from(self.multiplied)), ahead)
    }

    /// What one unit of the level is worth at a step, bounded below so that errors can be divided
    /// by it.
    pub(super) fn unit(&self, ahead: i64) -> f64 {
        if self.multiplied {
            self.season(ahead).max(SEASON_FLOOR)
        } else {
            1.0
        }
    }
}

fn place(season: &[f64], ahead: i64) -> Option<f64> {
    (!season.is_empty()).then(|| season[ahead.rem_euclid(season.len() as i64) as usize])
}

/// The mean over one season around each step, at the ends over the first or last season; `None`
/// where less than half of it was observed.
fn moving_level(values: &[Option<f64>], steps: usize) -> Vec<Option<f64>> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push((0.0, 0_usize));
    for (at, value) in values.iter().enumerate() {
        let (sum, count) = sums[at];
        sums.push(value.map_or((sum, count), |value| (sum + value, count + 1)));
    }
    let level = |at: usize| {
        let from = at
            .saturating_sub(steps / 2)
            .min(values.len() - steps.min(values.len()));
        let (above, below) = (sums[(from + steps).min(values.len())], sums[from]);
        let count = above.1 - below.1;
        // What rounding leaves of a sum of zeros is zero.
        (2 * count >= steps).then(|| f64::max(above.0 - below.0, 0.0) / count as f64)
    };
    (0..values.len()).map(level).collect()
}

/// The robust mean of each place of a season, newer seasons weighing more, the first place being
/// the step after the last.
fn by_place(compared: &[Option<f64>], steps: usize, half_life: f64, none: f64) -> Vec<f64> {
    let mut mean = RobustMean::default();
    let weights: Vec<f64> = (0..compared.len() / steps + 1)
        .map(|age| libm::exp2(-(age as f64) / half_life))
        .collect();
    (0..steps)
        .map(|ahead| {
            let newest = (compared.len() + ahead).checked_sub(steps);
            let mut at = newest;
            let mut age = 0;
            while let Some(place) = at {
                if let Some(compared) = compared.get(place).copied().flatten() {
                    mean.add(compared, weights[age]);
                }
                at = place.checked_sub(steps);
                age += 1;
            }
            mean.take().unwrap_or(none)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;

    #[test]
    fn each_place_is_the_mean_of_its_own() {
        let compared: Vec<Option<f64>> = (0..11).map(|at| Some(f64::from(at % 4))).collect();
        // The step after the last is at place 3.
        assert_eq!(by_place(&compared, 4, 1.0, 0.0), [3.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn the_weekend_is_believed_where_there_is_one() {
        let traffic = traffic(4.0, 24, 100.0, 2);
        let profile = Profile::fit(&traffic.values, 24, Some(168), true);
        let ratio = profile.apply(1.0, 5 * 24 + 12) / profile.apply(1.0, 12);
        assert!((ratio - 0.6 / 1.1).abs() < 0.05, "{ratio}");
        assert_eq!(profile.season(-1), profile.season(167));
    }
}
