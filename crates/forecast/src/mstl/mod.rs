//! Seasons by loess, what is left by another model (MSTL).
//!
//! Bandara, Hyndman and Bergmeir: MSTL, a seasonal-trend decomposition algorithm for time series with
//! multiple seasonal patterns, 2021. As in statsforecast's `MSTL`: the last pass of each season repeats, and a
//! model without season forecasts the series without them.

mod loess;
mod stl;

use serde::{Deserialize, Serialize};

use self::stl::decompose;
use crate::history::interpolated;
use crate::{
    Arima, Ets, Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict,
    QuantileForecast, SamplePaths, Season, SeasonSpec, Update,
};

/// Steps that are decomposed, the last ones: two weeks of minutes, two years of hours. The seasons change
/// within a dozen passes anyway.
const STEPS_MAX: usize = 20_160;

/// What is left after the seasons is handed on as a history only while it stays this far under the
/// largest demand that a history takes; else at a fraction.
const LARGE: f64 = 1e14;
const FRACTION: f64 = 1.0 / 64.0;

/// A model that can forecast what is left after the seasons.
pub trait Remainder: Fit + Clone
where
    Self::Fitted: Update + Explain,
{
    /// What a decomposition that ends in this model is called.
    const NAME: ModelName;

    /// The same model without all to which a constant added to every step makes a difference: what is left
    /// may be negative, and is raised by a constant then, because a history holds nothing negative.
    #[must_use]
    fn on_raised(&self) -> Self;
}

impl Remainder for Ets {
    const NAME: ModelName = ModelName::Mstl;

    fn on_raised(&self) -> Self {
        self.added_only()
    }
}

impl Remainder for Arima {
    const NAME: ModelName = ModelName::MstlArima;

    fn on_raised(&self) -> Self {
        *self
    }
}

/// A decomposition into the seasons that history holds two of, and a model of what is left.
///
/// Missing steps are filled by straight lines, and after a first decomposition by its seasons and trend; the
/// model of what is left sees them as missing. Where history holds two of no season, that model forecasts alone,
/// under its own name. Only the last 20,160 steps are used.
///
/// Quantiles and paths are those of what is left, moved by the seasons, as in statsforecast. They are too
/// narrow: nothing in them is unsure of the seasons, and what is left was smoothed with the
/// same errors that it is judged by. Calibrate them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mstl<R> {
    remainder: R,
}

impl<R: Remainder> Mstl<R>
where
    R::Fitted: Update + Explain,
{
    /// With this model of what is left, which should be one without season.
    pub fn new(remainder: R) -> Self {
        Self { remainder }
    }
}

impl Default for Mstl<Ets> {
    /// What is left by exponential smoothing, its form chosen.
    fn default() -> Self {
        Self::new(Ets::auto(None))
    }
}

/// A fitted [`Mstl`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedMstl<F> {
    name: ModelName,
    seasons: Vec<Repeated>,
    remainder: F,
    /// What every step of what is left was raised by before it was fitted, and then multiplied by.
    raised: f64,
    fraction: f64,
    /// Steps taken in since the fit.
    turned: usize,
}

/// One pass of a season, its first step being the first one forecast by the fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Repeated {
    kind: Season,
    steps: Vec<f64>,
}

impl<R: Remainder> Fit for Mstl<R>
where
    R::Fitted: Update + Explain,
{
    type Fitted = FittedMstl<R::Fitted>;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let all = history.values();
        let values = &all[all.len().saturating_sub(STEPS_MAX)..];
        let mut kinds: Vec<(usize, Season)> = [Season::Day, Season::Week, Season::Year]
            .into_iter()
            .filter_map(|kind| Some((history.seasons().steps(kind)?, kind)))
            .filter(|(steps, _)| 2 * steps <= values.len())
            .collect();
        kinds.sort_unstable_by_key(|(steps, _)| *steps);
        if kinds.is_empty() {
            let remainder = self.remainder.fit(history)?;
            return Ok(FittedMstl {
                name: remainder.model(),
                seasons: Vec::new(),
                remainder,
                raised: 0.0,
                fraction: 1.0,
                turned: 0,
            });
        }
        let (left, seasons) = split(values, &kinds);
        let (low, high) = left
            .iter()
            .flatten()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &it| {
                (low.min(it), high.max(it))
            });
        // By so much that forecasts of what is left can be lower than it ever was.
        let raised = if low > 0.0 { 0.0 } else { high - 2.0 * low };
        let fraction = if high + raised > LARGE { FRACTION } else { 1.0 };
        let handed: Vec<Option<f64>> = left
            .iter()
            .map(|value| value.map(|value| (value + raised) * fraction))
            .collect();
        let spec = SeasonSpec {
            week: 0,
            year: 0,
            ..history.seasons()
        };
        let handed = History::new(&handed, spec).map_err(|_| FitError::Unfit {
            model: R::NAME,
            reason: "what is left after the seasons is out of all bounds",
        })?;
        let remainder = if raised > 0.0 {
            self.remainder.on_raised().fit(&handed)?
        } else {
            self.remainder.fit(&handed)?
        };
        Ok(FittedMstl {
            name: R::NAME,
            seasons,
            remainder,
            raised,
            fraction,
            turned: 0,
        })
    }
}

/// What is left without the seasons, and the last pass of each season.
fn split(values: &[Option<f64>], kinds: &[(usize, Season)]) -> (Vec<Option<f64>>, Vec<Repeated>) {
    let lengths: Vec<usize> = kinds.iter().map(|(steps, _)| *steps).collect();
    let mut filled = interpolated(values);
    if filled.is_empty() {
        filled.resize(values.len(), 0.0);
    }
    let mut parts = decompose(&filled, &lengths);
    if values.contains(&None) {
        for (step, value) in values.iter().enumerate() {
            if value.is_none() {
                filled[step] = parts.trend[step] + parts.season_at(step);
            }
        }
        parts = decompose(&filled, &lengths);
    }
    let left = values
        .iter()
        .enumerate()
        .map(|(step, value)| value.map(|value| value - parts.season_at(step)))
        .collect();
    let repeated = parts
        .seasons
        .iter()
        .zip(kinds)
        .map(|(season, &(steps, kind))| Repeated {
            kind,
            steps: season[season.len() - steps..].to_vec(),
        });
    (left, repeated.collect())
}

impl<F> FittedMstl<F> {
    /// The sum of the seasons of a step from the next one on.
    fn season_at(&self, ahead: usize) -> f64 {
        self.seasons
            .iter()
            .map(|season| season.at(self.turned + ahead))
            .sum()
    }

    /// A step of what is left back in demand, which is not negative.
    fn in_season(&self, ahead: usize, left: f64) -> f64 {
        (left / self.fraction - self.raised + self.season_at(ahead)).max(0.0)
    }

    /// The model of what is left.
    pub fn remainder(&self) -> &F {
        &self.remainder
    }
}

impl Repeated {
    fn at(&self, ahead: usize) -> f64 {
        self.steps[ahead % self.steps.len()]
    }
}

impl<F: Predict> Predict for FittedMstl<F> {
    fn model(&self) -> ModelName {
        self.name
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let mut forecast = self.remainder.predict(horizon);
        for (ahead, step) in forecast.steps.iter_mut().enumerate() {
            *step = self.in_season(ahead, *step);
        }
        forecast
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let mut paths = self.remainder.paths(horizon, count, seed);
        for path in paths.values_mut().chunks_mut(horizon.max(1)) {
            for (ahead, step) in path.iter_mut().enumerate() {
                *step = self.in_season(ahead, *step);
            }
        }
        paths
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let left = self.remainder.quantiles(horizon, levels);
        let values = (0..horizon).flat_map(|ahead| {
            let step = left.step(ahead).to_vec();
            step.into_iter()
                .map(move |value| self.in_season(ahead, value))
        });
        QuantileForecast::new(levels, values.collect())
    }
}

impl<F: Update> Update for FittedMstl<F> {
    /// The model of what is left takes the step without its seasons, which stay those of the fit.
    fn update(&mut self, value: Option<f64>) {
        let season = self.season_at(0);
        let left = value.map(|value| (value - season + self.raised) * self.fraction);
        self.remainder.update(left);
        self.turned += 1;
    }
}

impl<F: Explain> Explain for FittedMstl<F> {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let mut all = self.remainder.explain(horizon);
        if self.seasons.is_empty() {
            return all;
        }
        for (ahead, parts) in all.iter_mut().enumerate() {
            let left = *parts;
            *parts = Parts::default();
            parts.add(1.0 / self.fraction, &left);
            parts.level -= self.raised;
            for season in &self.seasons {
                let part = season.at(self.turned + ahead);
                match season.kind {
                    Season::Day => parts.season_day += part,
                    Season::Week => parts.season_week += part,
                    Season::Year => parts.season_year += part,
                }
            }
            *parts = parts.not_negative();
        }
        all
    }
}

#[cfg(test)]
mod tests;
