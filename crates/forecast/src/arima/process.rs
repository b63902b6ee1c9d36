//! A fitted ARIMA process: of any series, also of one that is negative at times.

use serde::{Deserialize, Serialize};

use super::courses::{Courses, Innovations};
use super::data::Data;
use super::estimate::{Estimate, Method, Starts, estimate};
use super::exact::{levels, with_differences};
use super::filter::{Shape, Unknown, take};
use super::lags::Lags;
use super::order::ArimaOrder;
use super::regression::without;
use super::search::{data, search};
use super::terms::{Term, with_constant};

/// Observations under which no order is fitted: the last value is carried on.
pub(super) const STEPS_MIN: usize = 10;

/// An ARIMA process with regressors, at the end of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArimaProcess {
    order: ArimaOrder,
    lags: Lags,
    pub(super) shape: Shape,
    /// What all that was seen adds to the steps ahead, without the regressors.
    state: Vec<f64>,
    pub(super) unknown: Unknown,
    /// The variance of an innovation.
    variance: f64,
    log_likelihood: f64,
    aicc: f64,
    terms: Vec<Term>,
    coefficients: Vec<f64>,
    /// The next step, counted from the first one fitted.
    next: usize,
    pub(super) innovations: Innovations,
    /// Steps taken in since the fit.
    pub(super) late: usize,
}

/// What to fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Choice {
    /// The best order for a season of this many steps; 1 for none.
    Auto(usize),
    /// This one.
    Fixed(ArimaOrder),
}

impl ArimaProcess {
    /// The best process for a series, with seasonal lags of `season` steps or, at 1, none; all of the
    /// series counts. Courses know days of `day` steps. `None` without an observation.
    ///
    /// # Panics
    /// If a value is not finite.
    pub fn auto(values: &[Option<f64>], season: usize, day: usize) -> Option<Self> {
        assert!(
            values.iter().flatten().all(|value| value.is_finite()),
            "values of a series are finite"
        );
        let season = season.clamp(1, (values.len() / 2).max(1));
        Self::fit(values, Choice::Auto(season), &[], Method::CssMl, day)
    }

    /// Fits a process to a series, of which at least one value is observed, and its regressors.
    pub(super) fn fit(
        values: &[Option<f64>],
        choice: Choice,
        terms: &[Term],
        method: Method,
        day: usize,
    ) -> Option<Self> {
        let unit = unit(values)?;
        let scaled: Vec<Option<f64>> = values
            .iter()
            .map(|value| value.map(|value| value / unit))
            .collect();
        let found = if scaled.iter().flatten().count() < STEPS_MIN {
            None
        } else {
            match choice {
                Choice::Auto(season) => search(&scaled, season, terms, method),
                Choice::Fixed(order) => {
                    let order = order.sensible();
                    let data = data(&scaled, &order, terms);
                    estimate(&order, &data, method, Starts::Many)
                }
            }
        };
        let walk = ArimaOrder::differences(1, 0, 1);
        match found {
            Some(found) => {
                let terms = with_constant(&found.order, terms);
                let data = data_of(&scaled, &found.order, &terms);
                Some(Self::at_end(found, &data, terms, unit, day))
            }
            None => {
                let data = data_of(&scaled, &walk, &[]);
                let found =
                    estimate(&walk, &data, Method::CssMl, Starts::Few).unwrap_or(Estimate {
                        order: walk,
                        lags: Lags::default(),
                        regression: super::regression::Regression::default(),
                        variance: 0.0,
                        log_likelihood: 0.0,
                        aicc: f64::INFINITY,
                    });
                Some(Self::at_end(found, &data, Vec::new(), unit, day))
            }
        }
    }

    /// Runs the filter through the data once more, for the state at their end.
    fn at_end(found: Estimate, data: &Data, terms: Vec<Term>, unit: f64, day: usize) -> Self {
        let order = found.order;
        let coefficients = found.regression.coefficients;
        let mut shape = Shape::new(
            &with_differences(&found.lags.full_ar(), &order.difference_polynomial()),
            &found.lags.full_ma(),
        );
        let steps = data.observed().len();
        let (mut state, unknown, innovations) = match levels(&order, data, &found.lags) {
            Some(filtered) => (
                without(&filtered.states, &coefficients),
                filtered.unknown,
                without(&filtered.innovations, &coefficients),
            ),
            // Lags that are not stationary do not come out of a fit; the last level then stays.
            None => {
                shape = Shape::new(&[1.0], &[]);
                let last = data.levels().next().and_then(|level| level.last());
                (
                    vec![last.copied().unwrap_or(0.0)],
                    Unknown::new(Vec::new()),
                    Vec::new(),
                )
            }
        };
        state.iter_mut().for_each(|value| *value *= unit);
        let mut seen = innovations.into_iter();
        let errors: Vec<Option<f64>> = data
            .observed()
            .iter()
            .enumerate()
            .map(|(step, &observed)| {
                let counts = observed && step >= order.lost();
                counts.then(|| seen.next()).flatten()
            })
            .collect();
        let count = errors.iter().flatten().count();
        let variance = found.variance * unit * unit;
        Self {
            order,
            lags: found.lags,
            shape,
            state,
            unknown,
            variance,
            log_likelihood: found.log_likelihood - count as f64 * libm::log(unit),
            // With too few steps it is infinite, which JSON cannot say.
            aicc: (found.aicc + 2.0 * count as f64 * libm::log(unit)).min(f64::MAX),
            terms,
            coefficients: coefficients.iter().map(|value| value * unit).collect(),
            next: steps,
            innovations: Innovations::new(&errors, day, variance),
            late: 0,
        }
    }

    /// The order.
    pub fn order(&self) -> ArimaOrder {
        self.order
    }

    /// The coefficients of lags by their usual names: `ar1`, `ma1`, `sar1`, `sma1`, …; moving averages
    /// add to the value (1 + θ₁ B + …).
    pub fn coefficients(&self) -> impl Iterator<Item = (String, f64)> {
        let named = |name: &'static str, values: &[f64]| -> Vec<(String, f64)> {
            let numbered = values.iter().zip(1..);
            numbered
                .map(|(&value, lag)| (format!("{name}{lag}"), value))
                .collect()
        };
        let lags = &self.lags;
        [
            named("ar", &lags.ar),
            named("ma", &lags.ma),
            named("sar", &lags.seasonal_ar),
            named("sma", &lags.seasonal_ma),
        ]
        .into_iter()
        .flatten()
    }

    /// The variance of an innovation.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The logarithm of the likelihood of the differenced series.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// Akaike's criterion, corrected for small samples.
    pub fn aicc(&self) -> f64 {
        self.aicc
    }

    /// Whether it is nothing but the last value.
    pub(super) fn is_last_value(&self) -> bool {
        self.terms.is_empty() && self.order == ArimaOrder::differences(1, 0, self.order.season)
    }

    /// What a drift added by the end of what was seen, given what it adds so many steps later.
    pub(super) fn drift_so_far(&self, ahead: usize, added: f64) -> f64 {
        let now = self.next as f64 - 1.0;
        added * now / (now + (ahead + 1) as f64)
    }

    /// What each regressor adds at a step ahead.
    pub(super) fn told(&self, ahead: usize) -> impl Iterator<Item = (&Term, f64)> {
        let with = self.terms.iter().zip(&self.coefficients);
        with.map(move |(term, &coefficient)| {
            let added = if coefficient == 0.0 {
                0.0
            } else {
                coefficient * term.at(self.next + ahead)
            };
            (term, added)
        })
    }

    pub(super) fn told_in_all(&self, ahead: usize) -> f64 {
        self.told(ahead).map(|(_, added)| added).sum()
    }

    /// The expected next values without what regressors add.
    pub(super) fn untold(&self, horizon: usize) -> Vec<f64> {
        let mut ahead = self.ahead(horizon);
        for step in 0..horizon {
            let ahead = &mut ahead[step..];
            self.shape.carry(ahead, ahead[0]);
        }
        ahead.truncate(horizon);
        ahead
    }

    /// The expected next values.
    pub fn predict(&self, horizon: usize) -> Vec<f64> {
        let mut forecast = self.untold(horizon);
        for (step, value) in forecast.iter_mut().enumerate() {
            *value += self.told_in_all(step);
        }
        forecast
    }

    /// The standard deviations of the next values around their forecasts, from the coefficients taken
    /// as known: the square root of σ² Σ ψ² where all of the past was seen.
    pub fn deviations(&self, horizon: usize) -> Vec<f64> {
        if !self.unknown.at_rest() {
            let mut unknown = self.unknown.clone();
            return (0..horizon)
                .map(|_| {
                    let variance = unknown.variance();
                    unknown.miss(&self.shape);
                    (self.variance * variance).sqrt()
                })
                .collect();
        }
        // What an innovation adds to the values after it.
        let mut weights = vec![0.0; horizon + self.shape.size() + 1];
        self.shape.see(&mut weights, 1.0);
        weights[0] = 1.0;
        let mut sum = 1.0;
        let mut deviations = Vec::with_capacity(horizon);
        for step in 1..=horizon {
            deviations.push((self.variance * sum).sqrt());
            let weights = &mut weights[step..];
            self.shape.carry(weights, weights[0]);
            sum += weights[0] * weights[0];
        }
        deviations
    }

    /// Prepares to draw courses of the next steps.
    pub(crate) fn courses(&self, horizon: usize) -> Courses<'_> {
        Courses::new(self, horizon)
    }

    /// Takes in the next value, or that there is none.
    pub fn update(&mut self, value: Option<f64>) {
        let told = self.told_in_all(0);
        let size = self.shape.size();
        self.state.push(0.0);
        if let Some(value) = value {
            let value = value - told;
            if self.unknown.at_rest() {
                self.shape.see(&mut self.state, value);
            } else {
                self.unknown.observe(&self.shape);
                let innovation = value - self.state[0];
                take(
                    &self.shape,
                    self.unknown.gain(),
                    &mut self.state,
                    value,
                    innovation,
                );
            }
        } else {
            self.unknown.miss(&self.shape);
            let expected = self.state[0];
            self.shape.carry(&mut self.state, expected);
        }
        self.state.copy_within(1..=size, 0);
        self.state.truncate(size);
        self.next += 1;
        self.late += 1;
    }

    /// The state and room for the steps ahead.
    pub(super) fn ahead(&self, horizon: usize) -> Vec<f64> {
        let mut ahead = self.state.clone();
        ahead.resize(horizon + self.shape.size() + 1, 0.0);
        ahead
    }
}

/// The power of two next to the size of the values, so that all arithmetic is on numbers about 1 and
/// the unit of the series changes no digit of it. `None` if nothing was observed.
fn unit(values: &[Option<f64>]) -> Option<f64> {
    let seen = || values.iter().flatten();
    let count = seen().count();
    if count == 0 {
        return None;
    }
    let mean = seen().map(|value| value.abs() / count as f64).sum::<f64>();
    Some(if mean > 1e-300 {
        libm::ldexp(1.0, libm::ilogb(mean))
    } else {
        1.0
    })
}

fn data_of(values: &[Option<f64>], order: &ArimaOrder, terms: &[Term]) -> Data {
    let columns = terms.iter().map(|term| term.column(values.len()));
    Data::new(values, order, columns.collect())
}
