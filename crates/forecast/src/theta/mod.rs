//! The dynamic optimised Theta model (DOTM).
//!
//! Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler: Models for optimising the theta method
//! and their relationship to state space models, International Journal of Forecasting 32(4), 2016.
//! As there, and as in statsforecast's `DynamicOptimizedTheta`: a season that passes the test of
//! [`deseason`] is taken out first, the smoothing α, the weight θ and the first level are those
//! with the least squared one-step error, and the forecast is put back into season.

mod deseason;
mod nelder_mead;

use serde::{Deserialize, Serialize};

use self::deseason::{Deseasoned, deseason};
use self::nelder_mead::minimise;
use crate::history::interpolated;
use crate::residual_blocks::ResidualBlocks;
use crate::{
    Explain, Fit, FitError, FittedSeasonalNaive, History, ModelName, Parts, PointForecast, Predict,
    SamplePaths, Season, SeasonalNaive,
};

/// Steps that a fit needs: three parameters and one to judge them by.
const STEPS_MIN: usize = 4;

/// How many first errors do not count: the trend is undefined before.
const BURN_IN: usize = 3;

/// The dynamic optimised Theta model on the steps without one season.
///
/// Missing steps are bridged by straight lines before fitting; steps after the last observation
/// are forecast, not bridged. A history shorter than two weeks uses the day's season, one shorter
/// than two days or not seasonal none; under four steps the last value takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theta {
    season: Season,
    additive: bool,
}

impl Theta {
    /// With this season, multiplied; added where the demand has zeros or nearly empty times.
    pub fn new(season: Season) -> Self {
        Self {
            season,
            additive: false,
        }
    }

    /// With this season, added.
    pub fn additive(season: Season) -> Self {
        Self {
            season,
            additive: true,
        }
    }
}

/// A fitted [`Theta`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedTheta(Kind);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Theta(Box<State>),
    Simple(FittedSeasonalNaive),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    model: ModelName,
    line: ThetaLine,
    /// Steps between the last observation and the first forecast.
    ahead: usize,
    /// One season, its first step being the first one after the last observation.
    season: Vec<f64>,
    multiplied: bool,
    /// One-step errors of the deseasoned series, up to the last observation.
    errors: ResidualBlocks,
}

impl Fit for Theta {
    type Fitted = FittedTheta;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let values = history.values();
        let seen = values
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        if seen < STEPS_MIN {
            return SeasonalNaive::new(Season::Day)
                .fit(history)
                .map(|naive| FittedTheta(Kind::Simple(naive)));
        }
        let bridged = interpolated(&values[..seen]);
        let ahead = values.len() - seen;
        let mut tries = [
            (Season::Week, ModelName::ThetaWeek),
            (Season::Day, ModelName::ThetaDay),
        ]
        .into_iter();
        let found = tries.find_map(|(season, model)| {
            let wanted = season == Season::Day || self.season == Season::Week;
            let steps = history
                .seasons()
                .steps(season)
                .filter(|&steps| wanted && seen >= 2 * steps)?;
            Some((model, deseason(&bridged, steps, self.additive)?))
        });
        let (model, plain) = found.unwrap_or_else(|| (ModelName::Theta, Deseasoned::none(bridged)));
        let (line, errors) = ThetaLine::fit(&plain.values);
        let block = history
            .seasons()
            .steps(Season::Day)
            .filter(|&day| seen >= 2 * day)
            .unwrap_or(1);
        Ok(FittedTheta(Kind::Theta(Box::new(State {
            model,
            line,
            ahead,
            season: plain.season,
            multiplied: plain.multiplied,
            errors: ResidualBlocks::new(&errors, block),
        }))))
    }
}

impl State {
    /// The deseasoned step `at` steps after the last observation back in season.
    fn in_season(&self, value: f64, at: usize) -> f64 {
        let season = self.season[at % self.season.len()];
        if self.multiplied {
            value * season
        } else {
            value + season
        }
    }
}

impl Predict for FittedTheta {
    fn model(&self) -> ModelName {
        match &self.0 {
            Kind::Theta(state) => state.model,
            Kind::Simple(naive) => naive.model(),
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let state = match &self.0 {
            Kind::Theta(state) => state,
            Kind::Simple(naive) => return naive.predict(horizon),
        };
        let mut line = state.line;
        let mut steps = Vec::with_capacity(horizon);
        for at in 0..state.ahead + horizon {
            let value = line.next();
            line.see(value);
            if at >= state.ahead {
                steps.push(state.in_season(value, at).max(0.0));
            }
        }
        PointForecast { steps }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let state = match &self.0 {
            Kind::Theta(state) => state,
            Kind::Simple(naive) => return naive.paths(horizon, count, seed),
        };
        let mut errors = vec![0.0; state.ahead + horizon];
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            state.errors.draw(rng, &mut errors);
            let mut line = state.line;
            for (at, error) in errors.iter().enumerate() {
                let value = line.next() + error;
                line.see(value);
                if at >= state.ahead {
                    path[at - state.ahead] = state.in_season(value, at);
                }
            }
        })
    }
}

impl Explain for FittedTheta {
    /// The level is the first forecast without season; the trend is what the line adds to it.
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let state = match &self.0 {
            Kind::Theta(state) => state,
            Kind::Simple(naive) => return naive.explain(horizon),
        };
        let level = state.line.next();
        let mut line = state.line;
        let mut all = Vec::with_capacity(horizon);
        for at in 0..state.ahead + horizon {
            let value = line.next();
            line.see(value);
            if at < state.ahead {
                continue;
            }
            let season = state.in_season(value, at) - value;
            let (season_day, season_week) = if state.model == ModelName::ThetaWeek {
                (0.0, season)
            } else {
                (season, 0.0)
            };
            let parts = Parts {
                level,
                trend: value - level,
                season_day,
                season_week,
                ..Parts::default()
            };
            all.push(parts.not_negative());
        }
        all
    }
}

/// The state of the model: the smoothed level and the straight line through all that was seen, kept
/// up to date step by step (equations 17 to 23 of the paper).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ThetaLine {
    alpha: f64,
    theta: f64,
    seen: f64,
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
    /// (1 − α)^seen.
    fading: f64,
}

impl ThetaLine {
    /// The state after the first value.
    fn start(first: f64, level: f64, alpha: f64, theta: f64) -> Self {
        Self {
            alpha,
            theta,
            seen: 1.0,
            level: alpha * first + (1.0 - alpha) * level,
            mean: first,
            intercept: first,
            slope: 0.0,
            fading: 1.0 - alpha,
        }
    }

    /// The expected next value.
    fn next(&self) -> f64 {
        let line = self.intercept * self.fading
            + self.slope * (1.0 - self.fading * (1.0 - self.alpha)) / self.alpha;
        self.level + (1.0 - 1.0 / self.theta) * line
    }

    /// Takes in the next value.
    fn see(&mut self, value: f64) {
        let seen = self.seen;
        self.level = self.alpha * value + (1.0 - self.alpha) * self.level;
        self.slope =
            ((seen - 1.0) * self.slope + 6.0 * (value - self.mean) / (seen + 1.0)) / (seen + 2.0);
        self.mean = (seen * self.mean + value) / (seen + 1.0);
        self.intercept = self.mean - self.slope * (seen + 2.0) / 2.0;
        self.fading *= 1.0 - self.alpha;
        self.seen += 1.0;
    }

    /// The state at the end of the values with the least squared error, and its one-step errors
    /// (`None` while they do not count).
    fn fit(values: &[f64]) -> (Self, Vec<Option<f64>>) {
        let size = values.iter().map(|value| value.abs()).sum::<f64>() / values.len() as f64;
        let size = if size > 0.0 { size } else { 1.0 };
        // The straight lines depend on the values alone: once, not at each try.
        let mut line = Self::start(values[0], 0.0, 0.5, 2.0);
        let mut lines = Vec::with_capacity(values.len());
        for &value in &values[1..] {
            lines.push((value / size, line.intercept / size, line.slope / size));
            line.see(value);
        }
        let first = values[0] / size;
        let loss =
            |&[level, alpha, theta]: &[f64; 3]| squared_error(first, &lines, level, alpha, theta);
        let low = [-1e3, 0.1, 1.0];
        let high = [1e3, 0.99, 1e6];
        let starts = [
            [first / 2.0, 0.5, 2.0],
            [first, 0.15, 2.0],
            [0.0, 0.5, 20.0],
        ];
        let tried = starts.map(|start| minimise(&loss, start, low, high));
        let [level, alpha, theta] = tried
            .into_iter()
            .reduce(|best, next| if next.1 < best.1 { next } else { best })
            .map_or(starts[0], |it| it.0);
        let mut line = Self::start(values[0], level * size, alpha, theta);
        let mut errors = vec![None];
        for (step, &value) in values.iter().enumerate().skip(1) {
            errors.push((step >= BURN_IN).then(|| value - line.next()));
            line.see(value);
        }
        (line, errors)
    }
}

/// The sum of squared one-step errors given (value, intercept before, slope before) of each step
/// after the first.
fn squared_error(first: f64, lines: &[(f64, f64, f64)], level: f64, alpha: f64, theta: f64) -> f64 {
    let weight = 1.0 - 1.0 / theta;
    let mut level = alpha * first + (1.0 - alpha) * level;
    let mut fading = 1.0 - alpha;
    let mut sum = 0.0;
    for (step, &(value, intercept, slope)) in lines.iter().enumerate() {
        let line = intercept * fading + slope * (1.0 - fading * (1.0 - alpha)) / alpha;
        let error = value - (level + weight * line);
        if step + 1 >= BURN_IN {
            sum += error * error;
        }
        level += alpha * (value - level);
        fading *= 1.0 - alpha;
    }
    sum
}

#[cfg(test)]
mod tests;
