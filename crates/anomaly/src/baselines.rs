//! Where a sample belongs: three baselines that learn on line, and how far the sample is from each.

use serde::{Deserialize, Serialize};

use crate::settings::{DAY_SECONDS, Settings};
use crate::sorted_window::SortedWindow;

/// How far a sample is from each baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distance {
    /// Residuals over their usual size, for the median of the week, the profile of the day and the
    /// profile of the week; not negative. `None` before residuals are known.
    pub scores: Option<[f64; BASELINES]>,
    /// Their mean, weighted by how well each baseline fits.
    pub weighted: f64,
    /// The same with the sign: positive above the baseline.
    pub signed: f64,
    /// The baseline that has fitted best so far.
    pub expected: f64,
    /// The usual size of its residuals (1.48 times the median, as for a normal deviation).
    pub scale: f64,
}

/// The week's median, the profile of the day, the profile of the week.
pub const BASELINES: usize = 3;

/// Three robust baselines and the usual size of their residuals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    week: SortedWindow,
    day: SortedWindow,
    sizes: SortedWindow,
    residuals: [SortedWindow; BASELINES],
    profile_day: Profile,
    profile_week: Profile,
}

/// What each part of a season adds to the level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    season_seconds: i64,
    /// The offset of each part, and how many samples it was learned from.
    parts: Vec<(f64, u32)>,
    /// Samples that fall into a part in one season.
    per_part: f64,
    /// Weighs this many seasons of "adds nothing" against what is learned.
    prior_seasons: f64,
    /// Older seasons than this many fade.
    memory_seasons: f64,
}

/// Values kept of a week, and of a day: hourly samples are all kept, finer ones thinned.
const WEEK_VALUES: usize = 336;
const DAY_VALUES: usize = 144;
/// The level of the day is a median over at least this many samples.
const LEVEL_ROWS_MIN: usize = 24;
/// A profile of the day has half-hours at most: finer ones are learned from too few samples.
const PARTS_PER_DAY: usize = 48;
/// The median of absolute normal deviations times this is their standard deviation.
const NORMAL: f64 = 1.4826;
/// Residuals are not taken for smaller than this share of the usual value: where nothing ever
/// varies, the first least change would be infinitely far off.
const FLOOR_SHARE: f64 = 0.1;
/// For series of zeros.
const FLOOR: f64 = 1e-9;
/// A sample teaches a profile as if it were no further off than this many usual residuals.
const TEACHES_MAX: f64 = 4.0;
/// Before so many samples nothing is known.
const ROWS_MIN: usize = 8;

impl Baselines {
    /// Nothing is known yet.
    pub fn new(settings: &Settings) -> Self {
        let per_day = settings.rows_per_day();
        let per_week = 7 * per_day;
        let window = || SortedWindow::over(per_week.max(LEVEL_ROWS_MIN), WEEK_VALUES);
        let parts = per_day.min(PARTS_PER_DAY);
        let per_part = per_day as f64 / parts as f64;
        Self {
            week: window(),
            day: SortedWindow::over(per_day.max(LEVEL_ROWS_MIN), DAY_VALUES),
            sizes: window(),
            residuals: [window(), window(), window()],
            profile_day: Profile::new(DAY_SECONDS, parts, per_part, 0.0, 7.0),
            // A week's part is learned from one day in seven, so it starts as that of any day.
            profile_week: Profile::new(7 * DAY_SECONDS, 7 * parts, per_part, 1.0, 4.0),
        }
    }

    /// Says how far a sample is from where it belongs, and then learns from it. `at` is in seconds.
    pub fn observe(&mut self, at: i64, value: f64) -> Distance {
        if self.week.len() < ROWS_MIN {
            self.week.push(value);
            self.day.push(value);
            self.sizes.push(value.abs());
            return Distance {
                expected: value,
                ..Distance::default()
            };
        }
        let level = self.day.median();
        let of_day = self.profile_day.offset(at);
        let of_week = self.profile_week.offset(at);
        let expected = [self.week.median(), level + of_day, level + of_day + of_week];
        let floor = FLOOR + FLOOR_SHARE * self.sizes.median();
        let residuals = expected.map(|expected| value - expected);
        let scales = [0, 1, 2].map(|index| NORMAL * self.residuals[index].median() + floor);
        let known = self.residuals[0].len() >= ROWS_MIN;
        let distance = known.then(|| distance(expected, residuals, scales));

        let limit = TEACHES_MAX * scales[0].min(scales[1]);
        self.profile_day.learn(at, value - level, limit);
        let rest = value - level - self.profile_day.offset(at);
        self.profile_week.learn(at, rest, limit);
        for (window, residual) in self.residuals.iter_mut().zip(residuals) {
            window.push(residual.abs());
        }
        self.week.push(value);
        self.sizes.push(value.abs());
        self.day.push(value);
        distance.unwrap_or(Distance {
            expected: expected[0],
            scale: scales[0],
            ..Distance::default()
        })
    }
}

fn distance(
    expected: [f64; BASELINES],
    residuals: [f64; BASELINES],
    scales: [f64; BASELINES],
) -> Distance {
    let best = (0..BASELINES)
        .min_by(|&a, &b| scales[a].total_cmp(&scales[b]))
        .unwrap_or(0);
    // Relative to the best, so that no square overflows.
    let weights = scales.map(|scale| {
        let ratio = scales[best] / scale;
        ratio * ratio
    });
    let total: f64 = weights.iter().sum();
    let scaled = [0, 1, 2].map(|index| residuals[index] / scales[index]);
    let mean = |part: fn(f64) -> f64| {
        (0..BASELINES)
            .map(|index| part(scaled[index]) * weights[index])
            .sum::<f64>()
            / total
    };
    Distance {
        scores: Some(scaled.map(f64::abs)),
        weighted: mean(f64::abs),
        signed: mean(|scaled| scaled),
        expected: expected[best],
        scale: scales[best],
    }
}

impl Profile {
    fn new(
        season_seconds: i64,
        parts: usize,
        per_part: f64,
        prior_seasons: f64,
        memory_seasons: f64,
    ) -> Self {
        Self {
            season_seconds,
            parts: vec![(0.0, 0); parts],
            per_part,
            prior_seasons,
            memory_seasons,
        }
    }

    fn part(&self, at: i64) -> usize {
        let share = at.rem_euclid(self.season_seconds) as f64 / self.season_seconds as f64;
        ((share * self.parts.len() as f64) as usize).min(self.parts.len() - 1)
    }

    fn offset(&self, at: i64) -> f64 {
        self.parts[self.part(at)].0
    }

    fn learn(&mut self, at: i64, offset: f64, limit: f64) {
        let part = self.part(at);
        let (known, seen) = &mut self.parts[part];
        *seen = seen.saturating_add(1);
        let prior = self.prior_seasons * self.per_part;
        let weight = (f64::from(*seen) + prior).min(self.memory_seasons * self.per_part + prior);
        *known += (offset - *known).clamp(-limit, limit) / weight.max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Noise, daily};

    const HOUR: i64 = 3600;

    fn after(days: i64, sample: impl Fn(i64, f64) -> f64, last: f64) -> Distance {
        let mut baselines = Baselines::new(&Settings::every_seconds(3600));
        let mut noise = Noise::new(3);
        for hour in 0..days * 24 {
            baselines.observe(hour * HOUR, sample(hour, noise.normal()));
        }
        baselines.observe(days * 24 * HOUR, last)
    }

    #[test]
    fn a_season_is_expected_once_it_was_seen() {
        let sample = |hour, noise: f64| daily(hour) + noise;
        let usual = after(14, sample, daily(0));
        assert!((usual.expected - daily(0)).abs() < 6.0, "{usual:?}");
        assert!(usual.weighted < 2.0, "{usual:?}");
        // The value of noon at midnight: ordinary for a whole week, not for midnight.
        let strange = after(14, sample, daily(12));
        assert!(
            strange.scores.unwrap()[0] < 3.0 && strange.scores.unwrap()[1] > 6.0,
            "{strange:?}"
        );
        assert!(
            strange.weighted > 4.0 && strange.signed > 4.0,
            "{strange:?}"
        );
    }

    #[test]
    fn without_a_season_the_median_of_the_week_is_as_good() {
        let usual = after(10, |_, noise| 100.0 + 30.0 * noise, 100.0);
        assert!(usual.weighted < 1.0, "{usual:?}");
        let strange = after(10, |_, noise| 100.0 + 30.0 * noise, 400.0);
        assert!(
            strange.scores.unwrap().iter().all(|&score| score > 4.0),
            "{strange:?}"
        );
    }

    #[test]
    fn an_outage_hardly_teaches() {
        let outage = |hour, noise: f64| {
            if (150..156).contains(&hour) {
                0.0
            } else {
                daily(hour) + noise
            }
        };
        let mut baselines = Baselines::new(&Settings::every_seconds(3600));
        let mut noise = Noise::new(3);
        for hour in 0..7 * 24 + 8 {
            let value = outage(hour, noise.normal());
            let distance = baselines.observe(hour * HOUR, value);
            if (150..156).contains(&hour) {
                assert!(distance.signed < -4.0, "{hour}: {distance:?}");
            }
            if hour > 7 * 24 + 6 {
                // The same time of day, a day after.
                assert!(distance.weighted < 4.0, "{hour}: {distance:?}");
            }
        }
    }

    #[test]
    fn no_value_breaks_it() {
        let mut baselines = Baselines::new(&Settings::every_seconds(3600));
        for (hour, value) in [0.0, 1e15, -1e15, 1e300, -1e300, 0.0]
            .iter()
            .cycle()
            .take(600)
            .enumerate()
        {
            let distance = baselines.observe(hour as i64 * HOUR, *value);
            assert!(distance.weighted.is_finite() && distance.signed.is_finite());
        }
    }
}
