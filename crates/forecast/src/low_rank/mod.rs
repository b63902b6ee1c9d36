//! A shape times a level: the periods of the demand as a matrix of nearly rank one.
//!
//! After the idea of FLAIR (arXiv 2605.07222), worked out anew: the history is cut into periods that
//! end where it ends; whether a common shape is worth its parameters is judged by the Bayesian information criterion
//! on the singular values, flat being allowed. The shape is the mean of each step's share of its
//! period, over the last periods and the same days of the last weeks, weighted by what foretold the
//! past. The totals of the periods, shrunk to the rank-one part (Gavish and Donoho 2017), are the level:
//! on the scale of Box and Cox, less a week's effects that pass the same criterion, it goes on by a
//! ridge regression towards a random walk, its penalties averaged by leave-one-out errors. The share of the last
//! steps' deviation that lasted in the past is added in the first period.
//!
//! Paths draw a past period: its leave-one-out error of the level, scaled by leverage, and what its
//! steps lay off its shape. Levels walk on along each path.
//!
//! Missing steps are bridged by straight lines. Of long histories the last [`PERIODS_MAX`] periods
//! count ([`STEPS_MAX`] steps where there is no period). Under three periods there is none; under
//! eight steps the last value takes the model's place.

mod deviation;
mod last_value;
mod level;
mod shape;
mod spectrum;

use serde::{Deserialize, Serialize};

use self::deviation::{Deviation, Past};
use self::last_value::LastValue;
use self::level::Level;
use self::shape::Shapes;
use self::spectrum::{Spectrum, criterion_of_flat};
use crate::history::interpolated;
use crate::residual_blocks::ResidualBlocks;
use crate::{
    Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict, SamplePaths, Season,
    Update,
};

/// Newest periods that count: a season of the year is not this model's.
pub const PERIODS_MAX: usize = 120;

/// Newest steps that count where no period is found.
pub const STEPS_MAX: usize = 1000;

/// Periods that a shape and a level need.
const PERIODS_MIN: usize = 3;

/// Steps that a level alone needs.
const STEPS_MIN: usize = 8;

/// Past periods that paths draw from.
const DRAWN_MAX: usize = 56;

/// The share of a flat shape in the scale of errors: empty nights have errors, too.
const FLAT_SHARE: f64 = 0.2;

/// Shape times level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowRank;

/// A fitted [`LowRank`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedLowRank(Kind);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    LowRank(Box<State>),
    Short(LastValue),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    level: Level,
    shapes: Shapes,
    deviation: Deviation,
    /// Errors of the first period ahead and of steps given their period's total, row by row the same
    /// past periods as the last of the level's errors; relative to [`State::scale`].
    errors_first: ResidualBlocks,
    errors_shape: ResidualBlocks,
    /// The newest values, oldest first: as many periods as the level has lags.
    newest: Vec<f64>,
    /// Steps taken in since the fit.
    since: usize,
}

impl Fit for LowRank {
    type Fitted = FittedLowRank;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let filled = interpolated(history.values());
        if filled.len() < STEPS_MIN {
            if filled.is_empty() {
                return Err(FitError::NoObservation);
            }
            return Ok(FittedLowRank(Kind::Short(LastValue::of(&filled))));
        }
        let (day, week) = (
            history.seasons().steps(Season::Day),
            history.seasons().steps(Season::Week),
        );
        // A week without days is the only period; with days it is a season of their level and shape.
        let (steps, in_week) = match (day, week) {
            (Some(day), week) => (day, week.map(|week| week / day)),
            (None, Some(week)) => (week, None),
            (None, None) => (1, None),
        };
        let shaped = steps > 1 && filled.len() >= PERIODS_MIN * steps && {
            let periods = periods_of(&filled, steps);
            Spectrum::of(&periods).criterion_of_shape() < criterion_of_flat(&periods)
        };
        let state = if shaped {
            State::fit(&filled, steps, in_week)
        } else {
            State::fit(&filled[filled.len().saturating_sub(STEPS_MAX)..], 1, None)
        };
        Ok(FittedLowRank(Kind::LowRank(Box::new(state))))
    }
}

/// The newest whole periods, oldest first.
fn periods_of(filled: &[f64], steps: usize) -> Vec<&[f64]> {
    let most = if steps == 1 { STEPS_MAX } else { PERIODS_MAX };
    let count = (filled.len() / steps).min(most);
    filled[filled.len() - count * steps..]
        .chunks(steps)
        .collect()
}

impl State {
    fn fit(filled: &[f64], steps: usize, week: Option<usize>) -> Self {
        let periods = periods_of(filled, steps);
        let count = periods.len();
        let totals = if steps == 1 {
            filled[filled.len() - count..].to_vec()
        } else {
            Spectrum::of(&periods).totals(&periods)
        };
        let level = Level::fit(&totals, week);
        let shares: Vec<Option<Vec<f64>>> =
            periods.iter().map(|period| shape::shares(period)).collect();
        let of_week = week.filter(|&week| count >= 2 * week);
        let (shapes, foretold) = if steps == 1 {
            (Shapes::flat(), vec![vec![1.0]; count])
        } else {
            let weights = shape::judge(&shares, steps, of_week);
            let foretold = (0..count)
                .map(|at| shape::foretold(&shares[..at], 0, steps, of_week, weights))
                .collect();
            (Shapes::after(&shares, steps, of_week, weights), foretold)
        };
        let mut state = Self {
            level,
            shapes,
            deviation: Deviation::none(),
            errors_first: ResidualBlocks::default(),
            errors_shape: ResidualBlocks::default(),
            newest: Vec::new(),
            since: 0,
        };
        state.newest =
            filled[filled.len() - steps * (state.level.lags() + 1).min(count)..].to_vec();
        state.learn_errors(&periods, &foretold, &totals);
        state
    }

    /// Learns what lasts of deviations, and the errors of past periods with it.
    fn learn_errors(&mut self, periods: &[&[f64]], foretold: &[Vec<f64>], totals: &[f64]) {
        let (count, steps) = (periods.len(), self.shapes.steps());
        let first = PERIODS_MIN.min(count - 1);
        let (values, expected) = (periods[first..].concat(), foretold[first..].concat());
        if steps > 1 {
            let past = Past {
                values: &values,
                expected: &expected,
            };
            self.deviation = Deviation::learn(&past, steps);
        }
        let drawn = self.level.errors.len().min(DRAWN_MAX).min(count - 1);
        let (mut errors_first, mut errors_shape) = (Vec::new(), Vec::new());
        for back in (1..=drawn).rev() {
            let at = count - back;
            let error = self.level.errors[self.level.errors.len() - back];
            let total = self.level.total(self.level.transformed(totals[at]) - error);
            let shape = &foretold[at];
            let before = &foretold[at - 1];
            let now = self
                .deviation
                .now(periods[at - 1], &self.shapes, |ago| before[steps - ago]);
            for (lead, (&value, &share)) in periods[at].iter().zip(shape).enumerate() {
                let said = total * share * (1.0 + now * self.deviation.lasts(lead + 1));
                let scale = |total: f64| total * blended(share, steps);
                let relative =
                    |off: f64, scale: f64| Some(if scale > 0.0 { off / scale } else { 0.0 });
                errors_first.push(relative(value - said, scale(total)));
                let own: f64 = periods[at].iter().sum();
                errors_shape.push(relative(value - own * share, scale(own)));
            }
        }
        self.errors_first = ResidualBlocks::from_rows(&errors_first, steps, false);
        self.errors_shape = ResidualBlocks::from_rows(&errors_shape, steps, false);
    }

    fn steps(&self) -> usize {
        self.shapes.steps()
    }

    /// What the week adds to the level over the period that starts at a step after the fit: the days
    /// that it touches, by their share. Before the fit: negative.
    fn week_over(&self, start: i64) -> f64 {
        let (steps, week) = (self.steps() as i64, self.level.week.len() as i64);
        let day = start.div_euclid(steps);
        let into = start.rem_euclid(steps) as f64 / steps as f64;
        let effect = |day: i64| self.level.week[day.rem_euclid(week) as usize];
        (1.0 - into) * effect(day) + into * effect(day + 1)
    }

    /// The newest levels on the scale on which they walk, without the week, oldest first.
    fn levels(&self) -> Vec<f64> {
        let steps = self.steps();
        let whole = &self.newest[self.newest.len() % steps..];
        let count = whole.len() / steps;
        let level = |(place, period): (usize, &[f64])| {
            let start = self.since as i64 - ((count - place) * steps) as i64;
            let total = period.iter().sum::<f64>();
            self.level
                .bounded(self.level.transformed(total) - self.week_over(start))
        };
        whole.chunks(steps).enumerate().map(level).collect()
    }

    /// Levels of the coming periods, each drawn `error` off its expectation.
    fn walk(&self, periods: usize, mut error: impl FnMut(usize) -> f64) -> Vec<f64> {
        let lags = self.level.lags();
        let mut levels = self.levels();
        let known = levels.len();
        for ahead in 0..periods {
            let from = levels.len().saturating_sub(lags);
            let next = self.level.next(&levels[from..], ahead);
            levels.push(self.level.bounded(next + error(ahead)));
        }
        levels.split_off(known)
    }

    /// The deviation of the last steps.
    fn present(&self) -> f64 {
        let round = self.level.week.len() * self.steps();
        let expected = |ago: usize| self.shapes.at(self.since % round + round * ago - ago);
        self.deviation.now(&self.newest, &self.shapes, expected)
    }

    /// What a step so many steps ahead is by its period's level: (without the week, in a flat period
    /// of its day, in shape).
    fn step(&self, ahead: usize, level: f64) -> (f64, f64, f64) {
        let at = self.since + ahead;
        let (steps, week) = (self.steps(), self.level.week.len());
        let plain = self.level.total(level) / steps as f64;
        let total = self.level.total(level + self.level.week[at / steps % week]);
        (plain, total / steps as f64, total * self.shapes.at(at))
    }

    fn forecast(&self, horizon: usize) -> Vec<f64> {
        let levels = self.walk(horizon.div_ceil(self.steps()), |_| 0.0);
        let present = self.present();
        let step = |ahead: usize| {
            let (_, _, usual) = self.step(ahead, levels[ahead / self.steps()]);
            (usual * (1.0 + present * self.deviation.lasts(ahead + 1))).max(0.0)
        };
        (0..horizon).map(step).collect()
    }
}

/// The share of a step, and some of a flat one.
fn blended(share: f64, steps: usize) -> f64 {
    (1.0 - FLAT_SHARE) * share + FLAT_SHARE / steps as f64
}

impl Predict for FittedLowRank {
    fn model(&self) -> ModelName {
        match &self.0 {
            Kind::LowRank(_) => ModelName::LowRank,
            Kind::Short(_) => ModelName::Naive,
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        match &self.0 {
            Kind::LowRank(state) => PointForecast {
                steps: state.forecast(horizon),
            },
            Kind::Short(last) => PointForecast {
                steps: vec![last.value(); horizon],
            },
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let state = match &self.0 {
            Kind::LowRank(state) => state,
            Kind::Short(last) => return last.paths(horizon, count, seed),
        };
        let steps = state.steps();
        let usual = state.forecast(horizon.min(steps));
        let rows = state.errors_first.rows();
        let errors = &state.level.errors[state.level.errors.len() - rows..];
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            let periods = path.len().div_ceil(steps);
            let drawn: Vec<usize> = (0..periods).map(|_| rng.below(rows.max(1))).collect();
            let levels = state.walk(periods, |ahead| {
                errors.get(drawn[ahead]).copied().unwrap_or(0.0)
            });
            let flat = state.level.total(state.walk(1, |_| 0.0)[0]) / steps as f64;
            for (ahead, value) in path.iter_mut().enumerate() {
                let (period, lead) = (ahead / steps, ahead % steps);
                let at = state.since + ahead;
                let share = state.shapes.at(at);
                let (_, mean, in_shape) = state.step(ahead, levels[period]);
                let per_unit = blended(share, steps) * steps as f64;
                *value = if rows == 0 {
                    in_shape
                } else if period == 0 {
                    usual[lead] + flat * per_unit * state.errors_first.row(drawn[0])[lead]
                } else {
                    in_shape + mean * per_unit * state.errors_shape.row(drawn[period])[at % steps]
                };
            }
        })
    }
}

impl Update for FittedLowRank {
    /// A missing value is taken as foreseen.
    fn update(&mut self, value: Option<f64>) {
        match &mut self.0 {
            Kind::LowRank(state) => {
                let value = value.unwrap_or_else(|| state.forecast(1)[0]);
                state.newest.push(value);
                state.since += 1;
                // A fit keeps one period more than the level needs; it is cut off a period at a time.
                let most = state.steps() * (state.level.lags() + 2);
                if state.newest.len() >= most {
                    state.newest.drain(..state.steps());
                }
            }
            Kind::Short(last) => last.update(value),
        }
    }
}

impl Explain for FittedLowRank {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let state = match &self.0 {
            Kind::LowRank(state) => state,
            Kind::Short(last) => {
                let parts = Parts {
                    level: last.value(),
                    ..Parts::default()
                };
                return vec![parts; horizon];
            }
        };
        let levels = state.walk(horizon.div_ceil(state.steps()), |_| 0.0);
        let now = state.levels().last().copied().unwrap_or(0.0);
        let now = state.level.total(now) / state.steps() as f64;
        let present = state.present();
        let parts = |ahead: usize| {
            let (plain, in_week, in_shape) = state.step(ahead, levels[ahead / state.steps()]);
            let parts = Parts {
                level: now,
                trend: plain - now,
                season_week: in_week - plain,
                season_day: in_shape - in_week,
                remainder: in_shape * present * state.deviation.lasts(ahead + 1),
                ..Parts::default()
            };
            parts.not_negative()
        };
        (0..horizon).map(parts).collect()
    }
}

#[cfg(test)]
mod tests;
