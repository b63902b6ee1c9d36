//! A level, a damped trend, and the seasons of week and year: months of days ahead.
//!
//! On the logarithm of demand the week's and the year's usual courses are taken out; what is left
//! has a level (exponentially weighted mean) and a slope (the median of changes a quarter of the
//! past apart, shrunk by its uncertainty) that fades with a half-life of two months (Gardner and
//! McKenzie 1985). Levels that forget fast and slowly, with a trend and without, are averaged by how
//! well they foretold the past, weeks to months ahead. Paths begin as far off as those forecasts were, and walk
//! randomly by what these erred more with each day ahead, shrunk to no less than a prior of 3 % a week: a month of history must not promise a
//! sure year.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::history::interpolated;
use crate::residual_blocks::ResidualBlocks;
use crate::robust::median;
use crate::season_search::profile;
use crate::{
    Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict, SamplePaths, Season,
    Update,
};

/// Steps that a fit needs: two weeks of days.
pub const LONG_TREND_STEPS_MIN: usize = 14;

/// Newest steps that count: twelve years of days.
const STEPS_MAX: usize = 12 * 366;

/// The share of the mean that is added to all demand, so that an empty day has a logarithm.
const OFFSET: f64 = 0.05;

/// Steps after which an observation weighs half in the level.
const HALF_LIVES: [f64; 4] = [2.0, 5.0, 12.0, 30.0];

/// Levels that are averaged: by each memory, with a trend and without.
const CANDIDATES: usize = 2 * HALF_LIVES.len();

/// How sharply they are weighted by their past errors.
const SHARPNESS: i32 = 8;

/// Steps after which half of a slope is gone.
const TREND_HALF_LIFE: f64 = 60.0;

/// Steps that a slope is taken from.
const TREND_STEPS: usize = 365;

/// How much more the level's variance grows per step before anything was seen: 3 % in a week.
const WANDER_PRIOR: f64 = 0.03 * 0.03 / 7.0;

/// The prior counts as much as so many stretches of four weeks.
const PRIOR_MONTHS: f64 = 3.0;

/// Past forecasts that are judged.
const ORIGINS: usize = 40;

/// How many steps ahead past forecasts are judged, at most.
const JUDGED_AHEAD: usize = 120;

/// Logarithms stay within this of what was seen: twenty times more or less.
const REACH: f64 = 3.0;

/// Steps to either side that the year's course is averaged over, by straight weights.
const YEAR_SMOOTHING: usize = 10;

/// Level, damped trend, week and year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongTrend;

/// A fitted [`LongTrend`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedLongTrend {
    offset: f64,
    /// The usual course of a week and a year from the first step after the fit on.
    week: Vec<f64>,
    year: Vec<f64>,
    level: Level,
    /// The variance of the level at once, how much it grows per step, and draws of a walk of variance one.
    unsure: f64,
    wander: f64,
    draws: Vec<f64>,
    errors: ResidualBlocks,
    low: f64,
    high: f64,
    since: usize,
}

/// The level and its slope on the logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Level {
    now: f64,
    slope: f64,
    half_life: f64,
}

impl Level {
    /// The level at the end of values without seasons, which rose by `slope` a step.
    fn of(plain: &[f64], half_life: f64, slope: f64) -> Self {
        let keep = libm::exp2(-1.0 / half_life);
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for (ago, value) in plain.iter().rev().enumerate() {
            sum += weight * (value + slope * ago as f64);
            weights += weight;
            weight *= keep;
            if weight < 1e-9 {
                break;
            }
        }
        Self {
            now: sum / weights.max(1e-300),
            slope,
            half_life,
        }
    }

    /// So many steps after the first one ahead.
    fn after(&self, ahead: usize) -> f64 {
        let fading = std::f64::consts::LN_2 / TREND_HALF_LIFE;
        self.now + self.slope * (1.0 - libm::exp(-fading * (ahead as f64 + 1.0))) / fading
    }
}

/// The median change per step, between means of weeks a quarter of the past apart, shrunk by its
/// uncertainty.
fn slope(plain: &[f64]) -> f64 {
    let newest = &plain[plain.len().saturating_sub(TREND_STEPS)..];
    let weeks: Vec<f64> = newest
        .rchunks_exact(7)
        .map(|week| week.iter().sum::<f64>() / 7.0)
        .collect();
    let apart = (weeks.len() / 4).max(1);
    let mut changes: Vec<f64> = weeks
        .iter()
        .zip(weeks.get(apart..).unwrap_or_default())
        .map(|(new, old)| (new - old) / (7 * apart) as f64)
        .collect();
    let independent = weeks.len() as f64 / apart as f64;
    let Some(found) = median(&mut changes).filter(|found| changes.len() >= 3 && *found != 0.0)
    else {
        return 0.0;
    };
    let mut off: Vec<f64> = changes
        .iter()
        .map(|change| (change - found).abs())
        .collect();
    let spread = 1.4826 * median(&mut off).unwrap_or(0.0);
    found * (1.0 - spread * spread / independent / (found * found)).max(0.0)
}

impl Fit for LongTrend {
    type Fitted = FittedLongTrend;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let values = history.values();
        if values.is_empty() {
            return Err(FitError::NoObservation);
        }
        if values.len() < LONG_TREND_STEPS_MIN {
            return Err(FitError::TooShort {
                model: ModelName::LongTrend,
                needed: LONG_TREND_STEPS_MIN,
                seen: values.len(),
            });
        }
        let filled = interpolated(&values[values.len().saturating_sub(STEPS_MAX)..]);
        let mean = filled.iter().sum::<f64>() / filled.len() as f64;
        // Under the smallest normal number nothing is left of a share of it.
        let offset = (OFFSET * mean).max(1e-300);
        let mut plain: Vec<f64> = filled
            .iter()
            .map(|value| libm::log(value + offset))
            .collect();
        let (low, high) = bounds(&plain);
        let week = take_out(&mut plain, history.seasons().steps(Season::Week), 0);
        let year = take_out(
            &mut plain,
            history.seasons().steps(Season::Year),
            YEAR_SMOOTHING,
        );
        let smooth = centered_mean(&plain, 7);
        let errors: Vec<Option<f64>> = plain
            .iter()
            .zip(&smooth)
            .map(|(value, mean)| Some(value - mean))
            .collect();
        let newest = &errors[errors.len().saturating_sub(TREND_STEPS)..];
        let squares = newest.iter().flatten().map(|error| error * error);
        let noise = squares.sum::<f64>() / newest.len() as f64;
        let (level, unsure, wander) = learn(&plain, noise);
        Ok(FittedLongTrend {
            offset,
            week,
            year,
            level,
            unsure,
            wander,
            draws: walk_draws(&plain),
            errors: ResidualBlocks::new(newest, 7),
            low,
            high,
            since: 0,
        })
    }
}

/// Between what the logarithms lie, with room.
fn bounds(plain: &[f64]) -> (f64, f64) {
    let seen = |fold: fn(f64, f64) -> f64, start| plain.iter().copied().fold(start, fold);
    (
        seen(f64::min, f64::INFINITY) - REACH,
        seen(f64::max, f64::NEG_INFINITY) + REACH,
    )
}

/// Takes the usual course of a season out of values that hold two of it, smoothed over so many steps
/// to either side; gives one season from the first step after them on, or a single 0.
fn take_out(plain: &mut [f64], steps: Option<usize>, smoothing: usize) -> Vec<f64> {
    let values: Vec<Option<f64>> = plain.iter().copied().map(Some).collect();
    let Some((steps, course)) = steps.and_then(|steps| Some((steps, profile(&values, steps)?)))
    else {
        return vec![0.0];
    };
    let reach = smoothing.min(steps / 8) as i64;
    let smoothed = |at: usize| {
        let near = (-reach..=reach).map(|off| {
            let weight = (reach + 1 - off.abs()) as f64;
            let place = (at as i64 + off).rem_euclid(steps as i64) as usize;
            (weight * course[place], weight)
        });
        let (sum, weights) = near.fold((0.0, 0.0), |(sum, all), (value, weight)| {
            (sum + value, all + weight)
        });
        sum / weights
    };
    let course: Vec<f64> = (0..steps).map(smoothed).collect();
    let offset = plain.len() % steps;
    for (at, value) in plain.iter_mut().enumerate() {
        *value -= course[(at + steps - offset) % steps];
    }
    course
}

/// The level by the memories and trends that foretold the past, each weighing by how well, and how
/// the errors of that mean grow: (level, variance at once beyond `noise`, variance more per step).
fn learn(plain: &[f64], noise: f64) -> (Level, f64, f64) {
    let count = plain.len();
    let ahead = (count / 3).clamp(1, JUDGED_AHEAD);
    let first = (count / 2).max(7).min(count - 1);
    let apart = ((count - first) / ORIGINS).max(1);
    let origins: Vec<usize> = (first..count).rev().step_by(apart).take(ORIGINS).collect();
    let tried: Vec<Vec<Level>> = origins
        .iter()
        .map(|&origin| candidates(&plain[..origin]))
        .collect();
    let mut losses = [0.0; CANDIDATES];
    for (&origin, levels) in origins.iter().zip(&tried) {
        for (loss, level) in losses.iter_mut().zip(levels) {
            let actual = plain[origin..].iter().take(ahead).enumerate();
            *loss += actual
                .map(|(lead, value)| (value - level.after(lead)).abs())
                .sum::<f64>();
        }
    }
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weights = losses.map(|loss| {
        if loss > 0.0 {
            (least / loss).powi(SHARPNESS)
        } else {
            1.0
        }
    });
    let mut squares = vec![(0.0, 0.0); ahead];
    for (&origin, levels) in origins.iter().zip(&tried) {
        let level = mean_level(levels, &weights);
        for (lead, value) in plain[origin..].iter().take(ahead).enumerate() {
            let error = value - level.after(lead);
            squares[lead].0 += error * error;
            squares[lead].1 += 1.0;
        }
    }
    let (at_once, per_step) = growth(&squares, count);
    let level = mean_level(&candidates(plain), &weights);
    (level, (at_once - noise).max(0.0), per_step)
}

/// The level with and without a trend, by each memory.
fn candidates(plain: &[f64]) -> Vec<Level> {
    let slope = slope(plain);
    [0.0, slope]
        .into_iter()
        .flat_map(|slope| HALF_LIVES.map(|half_life| Level::of(plain, half_life, slope)))
        .collect()
}

fn mean_level(levels: &[Level], weights: &[f64; CANDIDATES]) -> Level {
    let all: f64 = weights.iter().sum();
    let mean = |part: fn(&Level) -> f64| {
        let parts = levels.iter().zip(weights);
        parts
            .map(|(level, weight)| weight * part(level))
            .sum::<f64>()
            / all
    };
    Level {
        now: mean(|level| level.now),
        slope: mean(|level| level.slope),
        half_life: mean(|level| level.half_life),
    }
}

/// The mean squared error at once and how much it grows per step ahead: what was seen, and no less
/// growth than its average with the prior.
fn growth(squares: &[(f64, f64)], count: usize) -> (f64, f64) {
    let mean = |leads: Range<usize>| {
        let (sum, seen) = squares[leads]
            .iter()
            .fold((0.0, 0.0), |(sum, seen), (square, one)| {
                (sum + square, seen + one)
            });
        sum / f64::max(seen, 1.0)
    };
    let third = squares.len() / 3;
    let early = mean(0..third.max(1));
    let seen = if third == 0 {
        0.0
    } else {
        let apart = (squares.len() - third) as f64;
        ((mean(squares.len() - third..squares.len()) - early) / apart).max(0.0)
    };
    let months = count as f64 / 28.0;
    let blended = (months * seen + PRIOR_MONTHS * WANDER_PRIOR) / (months + PRIOR_MONTHS);
    let at_once = early - seen * third as f64 / 2.0;
    (at_once.max(0.0), seen.max(blended))
}

/// Draws for a walk: changes between weeks, of variance one and no direction. Both signs stand in it.
fn walk_draws(plain: &[f64]) -> Vec<f64> {
    let weeks: Vec<f64> = plain
        .rchunks_exact(7)
        .take(STEPS_MAX / 7)
        .map(|week| week.iter().sum::<f64>() / 7.0)
        .collect();
    let changes: Vec<f64> = weeks.windows(2).map(|pair| pair[0] - pair[1]).collect();
    let variance =
        changes.iter().map(|change| change * change).sum::<f64>() / changes.len().max(1) as f64;
    if changes.len() < 8 || variance <= 1e-24 {
        return vec![-1.5, -0.5, 0.5, 1.5]
            .into_iter()
            .map(|draw: f64| draw / 1.25_f64.sqrt())
            .collect();
    }
    let scale = 1.0 / variance.sqrt();
    changes
        .iter()
        .flat_map(|change| [scale * change, -scale * change])
        .collect()
}

/// The mean of so many steps around each.
fn centered_mean(plain: &[f64], width: usize) -> Vec<f64> {
    (0..plain.len())
        .map(|at| {
            let near = &plain[at.saturating_sub(width / 2)..(at + width / 2 + 1).min(plain.len())];
            near.iter().sum::<f64>() / near.len() as f64
        })
        .collect()
}

impl FittedLongTrend {
    fn week_at(&self, ahead: usize) -> f64 {
        self.week[(self.since + ahead) % self.week.len()]
    }

    fn year_at(&self, ahead: usize) -> f64 {
        self.year[(self.since + ahead) % self.year.len()]
    }

    fn demand(&self, logarithm: f64) -> f64 {
        (libm::exp(logarithm.clamp(self.low, self.high)) - self.offset).max(0.0)
    }
}

impl Predict for FittedLongTrend {
    fn model(&self) -> ModelName {
        ModelName::LongTrend
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let step = |at| self.demand(self.level.after(at) + self.week_at(at) + self.year_at(at));
        PointForecast {
            steps: (0..horizon).map(step).collect(),
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let step = |at| self.level.after(at) + self.week_at(at) + self.year_at(at);
        let expected: Vec<f64> = (0..horizon).map(step).collect();
        let pace = self.wander.sqrt();
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            self.errors.draw(rng, path);
            let mut walk = self.unsure.sqrt() * self.draws[rng.below(self.draws.len())];
            for (value, expected) in path.iter_mut().zip(&expected) {
                walk += pace * self.draws[rng.below(self.draws.len())];
                *value = self.demand(expected + walk + *value);
            }
        })
    }
}

impl Update for FittedLongTrend {
    fn update(&mut self, value: Option<f64>) {
        let mut now = self.level.after(0);
        if let Some(value) = value {
            let usual = now + self.week_at(0) + self.year_at(0);
            let seen = libm::log(value + self.offset).clamp(self.low, self.high);
            now += (1.0 - libm::exp2(-1.0 / self.level.half_life)) * (seen - usual);
        }
        self.level.now = now;
        self.level.slope *= libm::exp2(-1.0 / TREND_HALF_LIFE);
        self.since += 1;
    }
}

impl Explain for FittedLongTrend {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let level = self.demand(self.level.now);
        let parts = |at: usize| {
            let trended = self.level.after(at);
            let (usual, in_week, in_year) = (
                self.demand(trended),
                self.demand(trended + self.week_at(at)),
                self.demand(trended + self.week_at(at) + self.year_at(at)),
            );
            Parts {
                level,
                trend: usual - level,
                season_week: in_week - usual,
                season_year: in_year - in_week,
                ..Parts::default()
            }
        };
        (0..horizon).map(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SeasonSpec;

    const SEASONS: SeasonSpec = SeasonSpec {
        day: 0,
        week: 7,
        year: 365,
    };

    /// Days with a weekend, a year, growth per year and noise.
    fn days(count: usize, growth: f64) -> Vec<Option<f64>> {
        let day = |day: usize| {
            let year = libm::sin(2.0 * std::f64::consts::PI * day as f64 / 365.0);
            let weekend = if day % 7 >= 5 { 0.6 } else { 1.0 };
            let noise = 1.0 + 0.04 * ((day * 7919 % 31) as f64 / 15.0 - 1.0);
            Some(
                1000.0 * weekend * (1.0 + 0.4 * year) * (1.0 + growth * day as f64 / 365.0) * noise,
            )
        };
        (0..count).map(day).collect()
    }

    fn fit(values: &[Option<f64>]) -> FittedLongTrend {
        LongTrend
            .fit(&History::new(values, SEASONS).unwrap())
            .unwrap()
    }

    #[test]
    fn a_year_ahead_has_its_year_and_week() {
        let all = days(1095 + 396, 0.0);
        let fitted = fit(&all[..1095]);
        let said = fitted.predict(396).steps;
        let pairs = || said.iter().zip(all[1095..].iter().flatten());
        let error = pairs()
            .map(|(said, actual)| (said - actual).abs())
            .sum::<f64>()
            / pairs().map(|(_, actual)| actual).sum::<f64>();
        assert!(error < 0.08, "{error}");
        for (said, parts) in said.iter().zip(fitted.explain(396)) {
            assert!(
                (said - parts.total()).abs() < 1e-9 * said,
                "{said} {parts:?}"
            );
        }
    }

    #[test]
    fn growth_goes_on_for_a_while_and_ends() {
        let values: Vec<Option<f64>> = (0..200)
            .map(|day| Some(1e3 * libm::exp(0.004 * f64::from(day))))
            .collect();
        let said = fit(&values).predict(396).steps;
        let last = values[199].unwrap();
        assert!(said[13] > 1.03 * last, "{} {last}", said[13]);
        assert!(
            said[395] < 1.6 * last && said[395] > said[100],
            "{} {last}",
            said[395]
        );
    }

    #[test]
    fn a_month_of_days_promises_no_sure_year() {
        let fitted = fit(&days(28, 0.0));
        let said = fitted.quantiles(396, &[0.1, 0.5, 0.9]);
        let spread = |day: usize| said.step(day)[2] / said.step(day)[0];
        assert!(
            spread(395) > 1.4 && spread(395) > 1.15 * spread(4),
            "{} {}",
            spread(4),
            spread(395)
        );
    }

    #[test]
    fn updates_follow_the_level() {
        let mut fitted = fit(&days(700, 0.0));
        let before = fitted.predict(1).steps[0];
        for _ in 0..70 {
            fitted.update(Some(5000.0));
            fitted.update(None);
        }
        assert!(fitted.predict(1).steps[0] > 2.0 * before);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_days_get_a_forecast_or_a_refusal(
            mut values in proptest::collection::vec(proptest::option::of(prop_oneof![Just(0.0), 0.0_f64..1e6]), 0..900),
            spike in 0_usize..900,
            constant in proptest::option::of(prop_oneof![Just(0.0), Just(1e15), Just(1e-300)]),
        ) {
            if let Some(constant) = constant {
                values.iter_mut().for_each(|value| *value = Some(constant));
            } else if let Some(value) = values.get_mut(spike) {
                *value = Some(1e15);
            }
            let history = History::new(&values, SEASONS).unwrap();
            let Ok(mut fitted) = LongTrend.fit(&history) else {
                prop_assert!(history.values().len() < LONG_TREND_STEPS_MIN);
                return Ok(());
            };
            for value in [None, Some(0.0), Some(1e15)] {
                let sane = |value: &f64| value.is_finite() && *value >= 0.0;
                prop_assert!(fitted.predict(400).steps.iter().all(sane));
                prop_assert!(fitted.paths(400, 4, 1).iter().flatten().all(sane));
                fitted.update(value);
            }
        }
    }
}
