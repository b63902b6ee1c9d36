//! Theta models.
//!
//! Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler: Models for optimising the theta method
//! and their relationship to state space models, International Journal of Forecasting 32(4), 2016.
//! As there, and as in statsforecast's models of the same names: a season that passes the test of
//! [`deseason`] is taken out first, the smoothing α, the first level and (where it is optimised) the
//! weight θ are those with the least squared one-step error, and the forecast is put back into season.

mod deseason;
mod line;

use serde::{Deserialize, Serialize};

use self::deseason::{Deseasoned, deseason};
use self::line::ThetaLine;
use crate::history::interpolated;
use crate::residual_blocks::ResidualBlocks;
use crate::traits::QUANTILE_PATHS;
use crate::{
    Explain, Fit, FitError, FittedSeasonalNaive, History, ModelName, Parts, PointForecast, Predict,
    QuantileForecast, SamplePaths, Season, SeasonalNaive, Update,
};

/// Steps that are looked at, the last ones: two weeks of minutes, two years of hours.
const STEPS_MAX: usize = 20_160;

/// Steps that a fit needs: three parameters and one to judge them by.
const STEPS_MIN: usize = 4;

/// Which Theta model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThetaForm {
    /// The weight θ is 2 and the straight line that through the whole history (STM): the Theta method of
    /// Assimakopoulos and Nikolopoulos (2000).
    Standard,
    /// The weight is optimised (OTM).
    Optimised,
    /// The weight is 2 and the line kept up to date step by step (DSTM).
    Dynamic,
    /// The weight is optimised and the line kept up to date (DOTM).
    #[default]
    DynamicOptimised,
}

impl ThetaForm {
    fn is_optimised(self) -> bool {
        matches!(self, Self::Optimised | Self::DynamicOptimised)
    }

    fn is_dynamic(self) -> bool {
        matches!(self, Self::Dynamic | Self::DynamicOptimised)
    }
}

/// A Theta model, by default the dynamic optimised one, on the steps without one season.
///
/// Missing steps are bridged by straight lines before fitting; steps after the last observation
/// are forecast, not bridged. A history shorter than two weeks uses the day's season, one shorter
/// than two days or not seasonal none; under four steps the last value takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theta {
    season: Season,
    additive: bool,
    #[serde(default)]
    form: ThetaForm,
}

impl Theta {
    /// With this season, multiplied; added where the demand has zeros or nearly empty times.
    pub fn new(season: Season) -> Self {
        Self {
            season,
            additive: false,
            form: ThetaForm::default(),
        }
    }

    /// With this season, added.
    pub fn additive(season: Season) -> Self {
        Self {
            season,
            additive: true,
            form: ThetaForm::default(),
        }
    }

    /// The same in another form.
    #[must_use]
    pub fn with_form(self, form: ThetaForm) -> Self {
        Self { form, ..self }
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
    /// Steps taken in since the fit, within a block of errors.
    turned: usize,
}

impl Fit for Theta {
    type Fitted = FittedTheta;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let values = history.values();
        let values = &values[values.len().saturating_sub(STEPS_MAX)..];
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
        let (line, errors) = ThetaLine::fit(&plain.values, self.form);
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
            turned: 0,
        }))))
    }
}

impl State {
    /// Takes the season out of the next step that was not yet seen.
    fn without_season(&self, value: f64) -> f64 {
        let season = self.season[self.ahead % self.season.len()];
        if self.multiplied {
            value / season
        } else {
            value - season
        }
    }

    /// The course that demand takes with these one-step errors, from the first step after the last observation on.
    fn course(&self, errors: &[f64], path: &mut [f64]) {
        let mut line = self.line;
        for (at, error) in errors.iter().enumerate() {
            let value = line.next() + error;
            line.see(value);
            if at >= self.ahead {
                path[at - self.ahead] = self.in_season(value, at);
            }
        }
    }

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
            state.errors.draw_from(rng, state.turned, &mut errors);
            state.course(&errors, path);
        })
    }

    /// Read from paths that begin with the errors of each past day in turn: a few weeks hold few days, and drawing
    /// them at random only adds chance.
    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let state = match &self.0 {
            Kind::Theta(state) => state,
            Kind::Simple(naive) => return naive.quantiles(horizon, levels),
        };
        let paths = match state.errors.paths_in_turn() {
            None => self.paths(horizon, QUANTILE_PATHS, 0),
            Some(count) => {
                let mut errors = vec![0.0; state.ahead + horizon];
                let mut number = 0;
                SamplePaths::draw(horizon, count, 0, |_, path| {
                    state.errors.draw_in_turn(number, state.turned, &mut errors);
                    state.course(&errors, path);
                    number += 1;
                })
            }
        };
        QuantileForecast::from_paths(&paths, levels)
    }
}

impl Update for FittedTheta {
    /// One step of the recursion. Missing steps are made up for by their forecasts once an observation
    /// follows; season, α, θ and the errors that paths draw stay those of the fit.
    fn update(&mut self, value: Option<f64>) {
        let state = match &mut self.0 {
            Kind::Theta(state) => state,
            Kind::Simple(naive) => return naive.update(value),
        };
        let Some(value) = value else {
            state.ahead += 1;
            return;
        };
        let value = state.without_season(value);
        for _ in 0..state.ahead {
            let expected = state.line.next();
            state.line.see(expected);
        }
        state.line.see(value);
        let passed = state.ahead + 1;
        let season = state.season.len();
        state.season.rotate_left(passed % season);
        state.turned = (state.turned + passed) % state.errors.block();
        state.ahead = 0;
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

#[cfg(test)]
mod tests;
