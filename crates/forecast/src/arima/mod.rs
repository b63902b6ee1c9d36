//! ARIMA: autoregressive integrated moving averages, with a season or without, with regressors, for
//! given orders or automatic ones.
//!
//! Box and Jenkins: Time Series Analysis (1970); the likelihood by the Kalman filter after Harvey:
//! Forecasting, Structural Time Series Models and the Kalman Filter (1989); the automatic order after
//! Hyndman and Khandakar (2008), see [`search`].
//!
//! - **Likelihood.** Exact and Gaussian, of the differenced series given its first d + m D levels;
//!   regressors, mean and drift take their generalised least squares coefficients at each try, so
//!   that only lags are searched for. Conditional least squares find where to start; for a given
//!   order the likelihood's other usual tops, where lags nearly cancel out, are tried as well.
//! - **Gaps** are left open: the filter of the levels steps over them, which is exact, and a missing
//!   level costs no other level its differences. Only those among the first d + m D levels are
//!   bridged, and all of them while the automatic order is searched for.
//! - **Long seasons.** A seasonal ARIMA with m steps in the season carries a state of m numbers and
//!   learns each place of the season for itself; beyond [`SEASON_MAX`] steps, waves of the season
//!   (Fourier regressors) with ARIMA errors take its place (dynamic harmonic regression; Young,
//!   Pedregal and Tych 1999). So do the waves of a week or year beside a day.
//! - **Bounded history.** The last [`STEPS_MAX`] steps are fitted, or four of the longest season if
//!   that is more, but never over [`STEPS_LIMIT`].
//! - **Short history.** Under ten observations, or under what the orders need, the last value is
//!   carried on, as [`ModelName::Naive`].

mod conditional;
mod courses;
mod data;
mod differencing;
mod estimate;
mod exact;
mod explain;
mod filter;
mod lags;
mod optimise;
mod order;
mod process;
mod regression;
mod search;
mod start;
mod stationary;
mod terms;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};

pub use self::estimate::Method;
pub use self::order::ArimaOrder;
use self::order::{LAGS_MAX, SEASONAL_LAGS_MAX};
pub use self::process::ArimaProcess;
use self::process::Choice;
use self::terms::Term;
use crate::normal::normal_quantile;
use crate::{
    Fit, FitError, History, ModelName, PointForecast, Predict, QuantileForecast, SamplePaths,
    Season, Update,
};

/// Steps of the longest season that a seasonal ARIMA is searched for: half hours of a day. Its state
/// has a number for each, and a filter across gaps has their square.
const SEASON_MAX: usize = 48;

/// Steps of the longest season that may be asked for: hours of a week.
const SEASON_LIMIT: usize = 168;

/// Steps that are fitted: twelve weeks of hours. More would make coefficients, which are known to
/// about 1/√n, hardly surer, and demand of three months ago is not that of today.
const STEPS_MAX: usize = 2_016;

/// Steps that are fitted at most, however long the season: two weeks of minutes.
const STEPS_LIMIT: usize = 20_160;

/// Waves of a day, of a week beside it, and of a year: what hourly web traffic needs for its day to
/// be told to a few percent, and days of the week and months from each other.
const WAVES: [usize; 3] = [10, 6, 3];

/// The largest forecast: a thousand times the largest demand. A trend that is carried on far enough
/// passes it.
const FORECAST_MAX: f64 = 1e18;

/// Levels nearer to 0 or 1 than this are taken as this: beyond it the normal distribution is a guess.
const LEVEL_MIN: f64 = 1e-9;

/// An ARIMA model that has seen no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arima {
    orders: Orders,
    season: Option<Season>,
    #[serde(default)]
    method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Orders {
    Auto,
    Given {
        plain: (usize, usize, usize),
        seasonal: (usize, usize, usize),
        constant: bool,
    },
}

impl Arima {
    /// Finds the best order, with all seasons up to this one that the history holds twice: the
    /// shortest by seasonal lags (unless too long), longer ones by their waves.
    pub fn auto(season: Option<Season>) -> Self {
        Self {
            orders: Orders::Auto,
            season,
            method: Method::default(),
        }
    }

    /// Takes the orders (p, d, q)(P, D, Q) with this season as its m, and a constant (mean or
    /// drift) if asked for and d + D < 2. Where the history does not hold the season twice, (P, D, Q)
    /// is left out.
    pub fn with_order(
        plain: (usize, usize, usize),
        seasonal: (usize, usize, usize),
        season: Option<Season>,
        constant: bool,
    ) -> Self {
        Self {
            orders: Orders::Given {
                plain,
                seasonal,
                constant,
            },
            season,
            method: Method::default(),
        }
    }

    /// Finds coefficients in this way.
    #[must_use]
    pub fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// What to fit to a window of `steps` of a history, the kind of its seasonal lags, and the waves
    /// beside them.
    fn choice(
        &self,
        history: &History<'_>,
        steps: usize,
    ) -> Result<(Choice, Season, Vec<Term>), FitError> {
        let length = |season: Season| {
            let length = history.seasons().steps(season)?;
            (2 * length <= steps).then_some(length)
        };
        match self.orders {
            Orders::Given {
                plain: (p, d, q),
                seasonal,
                constant,
            } => {
                let season = self.season.and_then(length).unwrap_or(1);
                let (seasonal_p, seasonal_d, seasonal_q) = seasonal;
                let order = ArimaOrder {
                    p,
                    d,
                    q,
                    seasonal_p,
                    seasonal_d,
                    seasonal_q,
                    season,
                    constant,
                };
                refuse(&order)?;
                let kind = self.season.unwrap_or(Season::Day);
                Ok((Choice::Fixed(order), kind, Vec::new()))
            }
            Orders::Auto => {
                let mut lags = 1;
                let mut kind = Season::Day;
                let mut waves = Vec::new();
                let mut shorter = Vec::new();
                for (season, turns) in [Season::Day, Season::Week, Season::Year]
                    .into_iter()
                    .zip(WAVES)
                    .filter(|(season, _)| self.season.is_some_and(|longest| *season <= longest))
                {
                    let Some(length) = length(season) else {
                        continue;
                    };
                    if shorter.is_empty() && length <= SEASON_MAX {
                        (lags, kind) = (length, season);
                    } else {
                        waves.extend(Term::waves(season, length, turns, &shorter));
                    }
                    shorter.push(length);
                }
                Ok((Choice::Auto(lags), kind, waves))
            }
        }
    }
}

/// Refuses orders that nobody needs and no fit survives.
fn refuse(order: &ArimaOrder) -> Result<(), FitError> {
    let reason = if order.p > LAGS_MAX || order.q > LAGS_MAX {
        "p and q are 12 at most"
    } else if order.d > 2 || order.seasonal_d > 1 {
        "d is 2 at most, and D is 1"
    } else if order.seasonal_p > SEASONAL_LAGS_MAX || order.seasonal_q > SEASONAL_LAGS_MAX {
        "P and Q are 2 at most"
    } else if order.season > SEASON_LIMIT {
        "the season has 168 steps at most: longer steps, or the automatic order, would do"
    } else {
        return Ok(());
    };
    Err(FitError::Unfit {
        model: ModelName::Arima,
        reason,
    })
}

impl Fit for Arima {
    type Fitted = FittedArima;

    fn fit(&self, history: &History<'_>) -> Result<FittedArima, FitError> {
        let values = history.values();
        if values.is_empty() {
            return Err(FitError::NoObservation);
        }
        let longest = [Season::Day, Season::Week, Season::Year]
            .into_iter()
            .filter(|season| self.season.is_some_and(|asked| *season <= asked))
            .filter_map(|season| history.seasons().steps(season))
            .max()
            .unwrap_or(1);
        let most = STEPS_MAX.max(longest.saturating_mul(4)).min(STEPS_LIMIT);
        let window = window(values, most);
        let first = values.len() - window.len();
        let (choice, season, mut terms) = self.choice(history, window.len())?;
        let given = history.regressors().iter().map(|regressor| {
            let skipped = (history.dropped() + first).min(regressor.values.len().max(1) - 1);
            Term::Given(regressor.values[skipped.min(regressor.values.len())..].to_vec())
        });
        terms.extend(given);
        let day = history.seasons().steps(Season::Day).unwrap_or(1);
        let process = ArimaProcess::fit(window, choice, &terms, self.method, day)
            .ok_or(FitError::NoObservation)?;
        Ok(FittedArima {
            process: Box::new(process),
            season,
        })
    }
}

/// The last steps, from an observation on; more of them if all of the last ones are missing.
fn window(values: &[Option<f64>], most: usize) -> &[Option<f64>] {
    let from = values.len().saturating_sub(most);
    let seen = values[from..].iter().position(Option::is_some);
    let from = seen.map_or_else(
        || values.iter().rposition(Option::is_some).unwrap_or(0),
        |skipped| from + skipped,
    );
    &values[from..]
}

/// A fitted [`Arima`].
///
/// Point forecasts and quantiles are those of the normal distribution, with the coefficients taken as
/// known; paths draw past innovations again, by the day, and so keep their heavy tails and their quiet
/// nights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedArima {
    /// In a box, because it is several times as large as other fitted models.
    process: Box<ArimaProcess>,
    /// What seasonal lags are the season of.
    season: Season,
}

impl FittedArima {
    /// The order that was fitted.
    pub fn order(&self) -> ArimaOrder {
        self.process.order()
    }

    /// The coefficients of lags by their usual names: `ar1`, `ma1`, `sar1`, `sma1`, …
    pub fn coefficients(&self) -> impl Iterator<Item = (String, f64)> {
        self.process.coefficients()
    }

    /// The variance of an innovation: the sum of squares over the degrees of freedom.
    pub fn variance(&self) -> f64 {
        self.process.variance()
    }

    /// The logarithm of the likelihood of the differenced history.
    pub fn log_likelihood(&self) -> f64 {
        self.process.log_likelihood()
    }

    /// Akaike's criterion, corrected for small samples; comparable between equal differences.
    pub fn aicc(&self) -> f64 {
        self.process.aicc()
    }
}

impl Predict for FittedArima {
    fn model(&self) -> ModelName {
        if self.process.is_last_value() {
            ModelName::Naive
        } else {
            ModelName::Arima
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let mut steps = self.process.predict(horizon);
        steps
            .iter_mut()
            .for_each(|value| *value = value.clamp(0.0, FORECAST_MAX));
        PointForecast { steps }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let courses = self.process.courses(horizon);
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            courses.draw(rng, path);
            path.iter_mut()
                .for_each(|value| *value = value.min(FORECAST_MAX));
        })
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let scores: Vec<f64> = levels
            .iter()
            .map(|level| normal_quantile(level.clamp(LEVEL_MIN, 1.0 - LEVEL_MIN)))
            .collect();
        let expected = self.process.predict(horizon);
        let deviations = self.process.deviations(horizon);
        let of_step = |(expected, deviation): (&f64, &f64)| {
            let (expected, deviation) = (*expected, *deviation);
            scores
                .iter()
                .map(move |score| (expected + score * deviation).clamp(0.0, FORECAST_MAX))
                .collect::<Vec<_>>()
        };
        let values = expected.iter().zip(&deviations).flat_map(of_step).collect();
        QuantileForecast::new(levels, values)
    }
}

impl Update for FittedArima {
    fn update(&mut self, value: Option<f64>) {
        self.process.update(value);
    }
}

#[cfg(test)]
mod tests;
