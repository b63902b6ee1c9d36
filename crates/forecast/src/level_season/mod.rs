//! A robust level with a damped trend, times or plus the usual day and week.
//!
//! The idea of the naive composites that do well on web traffic (a day and a week season on a
//! level; M4 hourly, GIFT-Eval's web series), with each part robust to surges: level and profiles are
//! means of winsorised observations, older days and weeks weigh less
//! (exponential weights; Holt and Winters), the trend is damped (Gardner and McKenzie 1985) and shrunk towards none,
//! and the present deviation from the usual fades at the rate that deviations faded in the past.
//!
//! With level `l`, trend `b` per day, damping φ, present deviation `r`, and seasons D and W, the
//! forecast `h` steps ahead is `(l + b·(φ + … + φ^{h/day}) + r·ρ^h) × D × W`, or the sum of the same.

mod deviation;
mod level;
mod profile;

use serde::{Deserialize, Serialize};

use self::deviation::Deviation;
use self::level::Level;
use self::profile::Profile;
use crate::residual_blocks::ResidualBlocks;
use crate::{
    Explain, Fit, FitError, FittedSeasonalNaive, History, ModelName, Parts, PointForecast, Predict,
    SamplePaths, Season, SeasonalNaive, Update,
};

/// How many past days the errors for paths are taken from.
const ERROR_DAYS_MAX: usize = 28;

/// The share of the mean demand under which an error is not taken as relative to its time of day:
/// a few requests in an empty night are no tenfold day.
const SEASON_FLOOR: f64 = 0.2;

/// How level and season go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As they fit better.
    #[default]
    Best,
    /// The season is a factor: busy weeks have busier evenings.
    Multiplied,
    /// The season is added to the level.
    Added,
}

/// Level, damped trend, and the seasons of day and week.
///
/// Needs two days, else the last value takes its place; with less than two weeks the week is left
/// out. Missing steps are left out everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelSeason {
    /// How level and season go together.
    pub mode: Mode,
}

/// A fitted [`LevelSeason`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedLevelSeason(Kind);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    LevelSeason(Box<State>),
    Simple(FittedSeasonalNaive),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    profile: Profile,
    level: Level,
    deviation: Deviation,
    /// Errors of the first day ahead and of later days, per unit of the season.
    errors_first: ResidualBlocks,
    errors_later: ResidualBlocks,
}

impl Fit for LevelSeason {
    type Fitted = FittedLevelSeason;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let Some(day) = history.seen_twice(Season::Day) else {
            return SeasonalNaive::new(Season::Day)
                .fit(history)
                .map(|naive| FittedLevelSeason(Kind::Simple(naive)));
        };
        let week = history.seen_twice(Season::Week);
        let values = history.values();
        let profile = match self.mode {
            Mode::Multiplied => Profile::fit(values, day, week, true),
            Mode::Added => Profile::fit(values, day, week, false),
            Mode::Best => {
                let tried =
                    [true, false].map(|multiplied| Profile::fit(values, day, week, multiplied));
                let [multiplied, added] = tried;
                if multiplied.misfit <= added.misfit {
                    multiplied
                } else {
                    added
                }
            }
        };
        Ok(FittedLevelSeason(Kind::LevelSeason(Box::new(State::fit(
            values, day, profile,
        )))))
    }
}

impl State {
    fn fit(values: &[Option<f64>], day: usize, profile: Profile) -> Self {
        let daily = level::daily_levels(values, day, &profile);
        let half_life = level::best_half_life(&daily);
        let deviation = Deviation::learn(values, day, &profile);
        let at_origin = |days_ago: usize| {
            let level = Level::of(&daily[days_ago..], half_life);
            let deviation = deviation.at(values, values.len() - days_ago * day, &profile, &level);
            (level, deviation)
        };
        let (level, now) = at_origin(0);
        let days = daily.len();
        let (mut first, mut later) = (Vec::new(), Vec::new());
        for days_ago in (1..days.min(ERROR_DAYS_MAX + 1)).rev() {
            let (level, deviation) = at_origin(days_ago);
            let origin = values.len() - days_ago * day;
            for ahead in 0..(2 * day).min(values.len() - origin) {
                let from_now = ahead as i64 - (days_ago * day) as i64;
                let base = level.after(ahead, day) + deviation.after(ahead);
                let expected = profile.apply(base, from_now).max(0.0);
                let error = values[origin + ahead]
                    .map(|value| profile.widening * (value - expected) / profile.unit(from_now));
                if ahead < day {
                    first.push(error)
                } else {
                    later.push(error)
                }
            }
        }
        let errors_first = ResidualBlocks::from_rows(&first, day, true);
        let errors_later = if later.is_empty() {
            errors_first.clone()
        } else {
            ResidualBlocks::from_rows(&later, day, true)
        };
        Self {
            profile,
            level,
            deviation: now,
            errors_first,
            errors_later,
        }
    }

    fn base(&self, ahead: usize) -> f64 {
        self.level.after(ahead, self.profile.day_steps()) + self.deviation.after(ahead)
    }
}

impl Predict for FittedLevelSeason {
    fn model(&self) -> ModelName {
        match &self.0 {
            Kind::LevelSeason(state) if state.profile.has_week() => ModelName::LevelSeasonWeek,
            Kind::LevelSeason(_) => ModelName::LevelSeasonDay,
            Kind::Simple(naive) => naive.model(),
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        match &self.0 {
            Kind::LevelSeason(state) => {
                let step = |ahead: usize| {
                    state
                        .profile
                        .apply(state.base(ahead), ahead as i64)
                        .max(0.0)
                };
                PointForecast {
                    steps: (0..horizon).map(step).collect(),
                }
            }
            Kind::Simple(naive) => naive.predict(horizon),
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let state = match &self.0 {
            Kind::LevelSeason(state) => state,
            Kind::Simple(naive) => return naive.paths(horizon, count, seed),
        };
        let day = state.profile.day_steps();
        let ahead = |at: usize| (state.base(at), state.profile.unit(at as i64));
        let steps: Vec<(f64, f64)> = (0..horizon).map(ahead).collect();
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            let first = path.len().min(day);
            state.errors_first.draw(rng, &mut path[..first]);
            state.errors_later.draw(rng, &mut path[first..]);
            let mut wander = 0.0;
            for (at, value) in path.iter_mut().enumerate() {
                // The errors of the second day hold one day of wandering already.
                if at >= 2 * day && at % day == 0 {
                    wander += state.level.draw_wander(rng);
                }
                let (base, unit) = steps[at];
                *value = state.profile.apply(base + wander, at as i64) + *value * unit;
            }
        })
    }
}

impl Update for FittedLevelSeason {
    /// The level moves by a step's share of what it learns in a day, the present deviation as far as its window
    /// reaches; seasons stay those of the fit and turn by a step.
    fn update(&mut self, value: Option<f64>) {
        let state = match &mut self.0 {
            Kind::LevelSeason(state) => state,
            Kind::Simple(naive) => return naive.update(value),
        };
        let day = state.profile.day_steps();
        let seen = value.map(|value| {
            let rest = if state.profile.is_multiplied() {
                0.0
            } else {
                state.profile.season(0)
            };
            (value - rest) / state.profile.unit(0)
        });
        state.level.update(seen, day);
        state
            .deviation
            .update(seen.map(|seen| seen - state.level.now()));
        state.profile.turn();
        state.errors_first.turn();
        state.errors_later.turn();
    }
}

impl Explain for FittedLevelSeason {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let state = match &self.0 {
            Kind::LevelSeason(state) => state,
            Kind::Simple(naive) => return naive.explain(horizon),
        };
        let parts = |ahead: usize| {
            let usual = state.level.after(ahead, state.profile.day_steps());
            let at = ahead as i64;
            let (in_day, in_week) = (
                state.profile.apply_day(usual, at),
                state.profile.apply(usual, at),
            );
            let parts = Parts {
                level: state.level.now(),
                trend: usual - state.level.now(),
                season_day: in_day - usual,
                season_week: in_week - in_day,
                remainder: state.profile.apply(state.base(ahead), at) - in_week,
                ..Parts::default()
            };
            parts.not_negative()
        };
        (0..horizon).map(parts).collect()
    }
}

#[cfg(test)]
mod tests;
