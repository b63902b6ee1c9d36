//! Level, growth and season as they are now, and how one more step changes them.

use serde::{Deserialize, Serialize};

use super::form::{Form, Seasonality};

/// The smallest factor of a season, here and in the likelihood: below, dividing by it makes too much of one
/// step, and under 0 forecasts lose all sense.
pub(super) const FACTOR_MIN: f64 = 1e-3;

/// How fast the parts of the state follow the errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Smoothing {
    /// Of the level.
    pub(super) alpha: f64,
    /// Of the growth; 0 without trend.
    pub(super) beta: f64,
    /// Of the season; 0 without.
    pub(super) gamma: f64,
    /// What stays of the growth from step to step; 1 unless the trend is damped.
    pub(super) phi: f64,
}

/// The state after a step, in the error correction form (Hyndman et al. 2008, tables 2.2 and 2.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) form: Form,
    pub(super) smoothing: Smoothing,
    pub(super) level: f64,
    pub(super) growth: f64,
    /// One season; `at` is the place of the next step. Empty without.
    pub(super) season: Vec<f64>,
    pub(super) at: usize,
}

impl State {
    /// The level of the next step.
    fn base(&self) -> f64 {
        self.level + self.smoothing.phi * self.growth
    }

    /// What a step of this level amounts to at a place of the season, counted from the next step.
    pub(super) fn in_season(&self, base: f64, ahead: usize) -> f64 {
        match self.form.season() {
            Seasonality::None => base,
            Seasonality::Added => base + self.season[(self.at + ahead) % self.season.len()],
            Seasonality::Multiplied => base * self.season[(self.at + ahead) % self.season.len()],
        }
    }

    /// The expected next value.
    pub(super) fn expected(&self) -> f64 {
        self.in_season(self.base(), 0)
    }

    /// The error of an observation of the next step, as the form counts errors. One that is a share
    /// of nothing is none.
    pub(super) fn error_of(&self, value: f64) -> f64 {
        let expected = self.expected();
        let error = value - expected;
        if !self.form.multiplied_errors() {
            return error;
        }
        let share = error / expected;
        if share.is_finite() { share } else { 0.0 }
    }

    /// The next value if this error is made.
    pub(super) fn with_error(&self, error: f64) -> f64 {
        let expected = self.expected();
        if self.form.multiplied_errors() {
            expected * (1.0 + error)
        } else {
            expected + error
        }
    }

    /// Goes on by one step; `None` was not observed, so nothing is learned. Nor is it from a value
    /// that would throw the state out of all bounds.
    pub(super) fn see(&mut self, value: Option<f64>) {
        let base = self.base();
        let error = value.map_or(0.0, |value| value - self.in_season(base, 0));
        let Smoothing {
            alpha,
            beta,
            gamma,
            phi,
        } = self.smoothing;
        let (error_of_level, error_of_season) = match self.form.season() {
            Seasonality::Multiplied => (error / self.season[self.at], error / base),
            _ => (error, error),
        };
        let level = base + alpha * error_of_level;
        let growth = phi * self.growth + beta * error_of_level;
        let learns = level.is_finite() && growth.is_finite();
        (self.level, self.growth) = if learns {
            (level, growth)
        } else {
            (base, phi * self.growth)
        };
        if self.form.is_seasonal() {
            let place = self.season[self.at] + gamma * error_of_season;
            if learns && place.is_finite() {
                self.season[self.at] = match self.form.season() {
                    Seasonality::Multiplied => place.max(FACTOR_MIN),
                    _ => place,
                };
            }
            self.at = (self.at + 1) % self.season.len();
        }
    }

    /// The level and what the growth adds to it, of each of the next steps.
    pub(super) fn bases(&self, horizon: usize) -> impl Iterator<Item = (f64, f64)> {
        let phi = self.smoothing.phi;
        let mut weight = 1.0;
        let mut grown = 0.0;
        (0..horizon).map(move |_| {
            weight *= phi;
            grown += weight * self.growth;
            (self.level, grown)
        })
    }
}
