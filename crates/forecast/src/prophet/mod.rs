//! Prophet: a trend that turns now and then, seasons, holidays and regressors.
//!
//! Taylor and Letham: Forecasting at Scale, The American Statistician 72(1), 2018, and what the documentation and the
//! published Stan model of the `prophet` package say that the paper does not. Demand `y(t)` is
//! `g(t)·(1 + m(t)) + a(t)` and normal noise, where `g` is a line with changes of slope (or
//! `capacity / (1 + exp(−line))`), and `m` and `a` are sums of effects: Fourier series, days around
//! holidays, regressors. Changes of slope have a Laplace prior, so that most of them are nothing; all else has normal ones.
//! The parameters are the most probable ones given the history ([`solve`]).
//!
//! A forecast continues the trend as it is; its spread comes from the noise and from changes of slope as
//! frequent and as large as those in the history. It knows nothing about the last hours: errors
//! that come in runs are noise to it, which is why others are closer in the short run.
//!
//! What differs from the package, on purpose:
//! - the optimum is found, not approached: the package's search may stop before it;
//! - steps are read by the clock on the wall where the zone is known, so that a day's season keeps to
//!   people's days in summer time; the package takes times as they are given;
//! - a trend with a floor that effects multiply is forecast as it was fitted (the package multiplies
//!   the floor too, but only in the forecast);
//! - without changepoints the trend's future is certain;
//! - of more than 20,000 observations, every so many-th is used.

mod clock;
mod effects;
mod fitted;
mod lasso;
mod posterior;
mod settings;
mod solve;
#[cfg(test)]
mod tests;
mod trend;

use self::clock::Clock;
use self::effects::Effect;
pub use self::fitted::FittedProphet;
use self::fitted::State;
use self::posterior::Posterior;
pub use self::settings::{
    CustomSeason, Growth, HolidayDays, HolidayEffect, Prophet, SeasonChoice, SeasonMode,
};
use self::solve::{Solution, most_probable};
use self::trend::{Change, Trend};
use crate::{Fit, FitError, History, ModelName};

/// Observations that a fit needs: level, slope and noise, and one to judge them by. With fewer, the last value
/// takes its place.
const OBSERVATIONS_MIN: usize = 4;

/// At most so many observations are fitted. A longer history is thinned evenly: two years of hours or ten of
/// days are taken whole, and ten years of minutes still are five a day, at all times of the day.
const OBSERVATIONS_MAX: usize = 20_000;

impl Fit for Prophet {
    type Fitted = FittedProphet;

    fn fit(&self, history: &History<'_>) -> Result<FittedProphet, FitError> {
        self.check().map_err(unfit)?;
        let values = history.values();
        let observed: Vec<usize> = (0..values.len())
            .filter(|&step| values[step].is_some())
            .collect();
        if observed.len() < OBSERVATIONS_MIN {
            let last = values.iter().flatten().next_back();
            return last
                .map(|value| FittedProphet::naive(*value))
                .ok_or(FitError::NoObservation);
        }
        let prepared = self.prepare(history, observed)?;
        let solution = most_probable(&prepared.posterior);
        Ok(prepared.fitted(solution))
    }
}

fn unfit(reason: &'static str) -> FitError {
    FitError::Unfit {
        model: ModelName::Prophet,
        reason,
    }
}

/// All that is known before the parameters are.
struct Prepared {
    clock: Clock,
    span: f64,
    next: usize,
    scale: f64,
    floor: f64,
    effects: Vec<Effect>,
    posterior: Posterior,
}

impl Prophet {
    /// Takes the observed steps of a history, at least two.
    fn prepare(&self, history: &History<'_>, observed: Vec<usize>) -> Result<Prepared, FitError> {
        let values = history.values();
        let clock = Clock::of(history.dates(), history.seasons())
            .filter(|clock| clock.has_dates() || self.holidays.is_empty())
            .ok_or(FitError::NoDates(ModelName::Prophet))?;
        let gaps = observed.windows(2).map(|pair| pair[1] - pair[0]);
        let gap = gaps.min().unwrap_or(1) as f64;
        // A history starts with an observation.
        let span = observed.last().copied().unwrap_or(0).max(1) as f64;
        let rows = thinned(observed, &clock);
        let day = clock.step_days();
        let mut effects = effects::seasons(self, span * day, gap * day);
        effects.extend(effects::holidays(self, &clock, &rows).map_err(unfit)?);
        effects.extend(effects::regressors(self, history, &rows).map_err(unfit)?);

        let (capacity, floor) = match self.growth {
            Growth::Linear | Growth::Flat => (None, 0.0),
            Growth::Logistic { capacity, floor } => (Some(capacity), floor),
        };
        let over_floor: Vec<f64> = rows
            .iter()
            .filter_map(|&row| Some(values[row]? - floor))
            .collect();
        let sizes = over_floor.iter().map(|value| value.abs());
        let largest = sizes.fold(0.0, f64::max);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let times: Vec<f64> = rows.iter().map(|&row| row as f64 / span).collect();
        let columns = effects.iter().flat_map(|effect| {
            let multiplies = effect.mode == SeasonMode::Multiplied;
            std::iter::repeat_n((effect.prior, multiplies), effect.columns())
        });
        let posterior = Posterior {
            sloped: self.growth != Growth::Flat,
            capacity: capacity.map(|capacity| (capacity - floor) / scale),
            changepoints: self.changepoints(&times),
            times,
            values: over_floor.iter().map(|value| value / scale).collect(),
            change_prior: self.changepoint_prior,
            features: features(&effects, &clock, &rows),
            columns: columns.collect(),
        };
        Ok(Prepared {
            clock,
            span,
            next: values.len(),
            scale,
            floor,
            effects,
            posterior,
        })
    }

    /// When the trend may turn: evenly over the observations, not over time (the package's rule).
    fn changepoints(&self, times: &[f64]) -> Vec<f64> {
        let within = (times.len() as f64 * self.changepoint_share).floor() as usize;
        let count = self.changepoints.min(within.saturating_sub(1));
        if self.growth == Growth::Flat || count == 0 {
            return Vec::new();
        }
        let apart = (within - 1) as f64 / count as f64;
        (1..=count)
            .map(|place| times[(place as f64 * apart).round_ties_even() as usize])
            .collect()
    }
}

impl Prepared {
    fn fitted(self, solution: Solution) -> FittedProphet {
        let Posterior {
            changepoints,
            columns,
            capacity,
            ..
        } = &self.posterior;
        let (trend, rest) = solution.parameters.split_at(self.posterior.trend_size());
        let (mut coefficients, changes) = rest.split_at(columns.len());
        let mut effects = self.effects;
        for effect in &mut effects {
            let own;
            (own, coefficients) = coefficients.split_at(effect.columns());
            effect.coefficients = own.to_vec();
            effect.forget_before(self.next);
        }
        let (slope, offset) = match *trend {
            [slope, offset] => (slope, offset),
            _ => (0.0, trend[0]),
        };
        let changes = changepoints.iter().zip(changes);
        let trend = Trend {
            capacity: *capacity,
            slope,
            offset,
            changes: changes.map(|(&time, &by)| Change { time, by }).collect(),
        };
        FittedProphet::new(State {
            clock: self.clock,
            span: self.span,
            next: self.next,
            scale: self.scale,
            floor: self.floor,
            trend,
            effects,
            noise: solution.noise,
        })
    }
}

/// Takes every so many-th row, counted from the last, where there are too many. The stride shares no factor with the steps
/// of a week, so that all times of the day and the week are met.
fn thinned(rows: Vec<usize>, clock: &Clock) -> Vec<usize> {
    if rows.len() <= OBSERVATIONS_MAX {
        return rows;
    }
    let week = (7.0 / clock.step_days()).round().max(1.0) as usize;
    let least = rows.len().div_ceil(OBSERVATIONS_MAX);
    let stride = (least..)
        .find(|&stride| common_factor(stride, week) == 1)
        .unwrap_or(least);
    let last = rows.last().copied().unwrap_or(0);
    rows.into_iter()
        .filter(|row| (last - row).is_multiple_of(stride))
        .collect()
}

/// The greatest common divisor (Euclid).
fn common_factor(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The columns of all effects, row by row.
fn features(effects: &[Effect], clock: &Clock, rows: &[usize]) -> Vec<f64> {
    let width: usize = effects.iter().map(Effect::columns).sum();
    let mut features = vec![0.0; width * rows.len()];
    if width == 0 {
        return features;
    }
    for (moment, row) in clock
        .moments(rows.iter().copied())
        .zip(features.chunks_exact_mut(width))
    {
        let mut left = row;
        for effect in effects {
            let own;
            (own, left) = left.split_at_mut(effect.columns());
            effect.fill(&moment, own);
        }
    }
    features
}
