//! The coefficients of given orders.

use serde::{Deserialize, Serialize};

use super::conditional::Conditional;
use super::data::Data;
use super::exact::likelihood;
use super::lags::Lags;
use super::optimise::{Search, minimise};
use super::order::ArimaOrder;
use super::regression::Regression;
use super::start::{START_MAX, hannan_rissanen};

/// How coefficients are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Maximum likelihood, started from conditional least squares.
    #[default]
    CssMl,
    /// Conditional least squares alone (regressors by generalised least squares): a tenth of the
    /// cost; worse on short series and with strong moving averages. Bridges gaps.
    Css,
    /// Maximum likelihood, started from nothing.
    Ml,
}

/// The rough search: a thousandth in the likelihood of a thousand steps.
pub(super) const ROUGH: Search = Search {
    rounds: 40,
    tolerance: 1e-6,
    both_sides: false,
};

/// The search for the final coefficients, whose forecasts then are the same to four digits.
const FINE: Search = Search {
    rounds: 100,
    tolerance: 1e-9,
    both_sides: true,
};

/// Numbers that a filter across gaps may go through for the fine search: a quarter of a millisecond.
/// Above it (long seasons) the rough one must do.
const FINE_WORK_MAX: usize = 500_000;

/// Starts lead to the same top if the variances there differ by no more than this share.
const SAME_TOP: f64 = 1e-4;

/// A sum of squares under which a fit counts as perfect, where values are about 1.
const SQUARES_MIN: f64 = 1e-20;

/// Fitted coefficients.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) order: ArimaOrder,
    pub(super) lags: Lags,
    pub(super) regression: Regression,
    /// The variance of an innovation: squares over degrees of freedom.
    pub(super) variance: f64,
    pub(super) log_likelihood: f64,
    /// Akaike's criterion, corrected for small samples (Hurvich and Tsai 1989).
    pub(super) aicc: f64,
}

/// Fits the coefficients of an order; `None` where there are too few steps for them.
pub(super) fn estimate(
    order: &ArimaOrder,
    data: &Data,
    method: Method,
    start: Option<&[f64]>,
) -> Option<Estimate> {
    let count = order.lags();
    let numbers = if count == 0 {
        Vec::new()
    } else {
        let starts = starts(order, data, method, start);
        let found = starts
            .into_iter()
            .map(|start| match method {
                Method::Css => start,
                Method::CssMl | Method::Ml => maximise(order, data, start.0),
            })
            .reduce(|best, next| if next.1 < best.1 { next } else { best });
        found.map_or_else(|| vec![0.0; count], |found| found.0)
    };
    let lags = Lags::from_unbounded(order, &numbers);
    let found = likelihood(order, data, &lags)?;
    let steps = found.count as f64;
    let free = steps - (count + found.regression.rank) as f64;
    if free < 1.0 {
        return None;
    }
    Some(Estimate {
        order: *order,
        lags,
        variance: found.squares / free,
        log_likelihood: found.log_likelihood,
        aicc: aicc(
            -2.0 * found.log_likelihood,
            (count + found.regression.rank + 1) as f64,
            steps,
        ),
        regression: found.regression,
    })
}

/// Where to start from, with the conditional sum of squares there: one that is given, or else both
/// what least squares tells and nothing, because the likelihood may have more than one top.
fn starts(
    order: &ArimaOrder,
    data: &Data,
    method: Method,
    start: Option<&[f64]>,
) -> Vec<(Vec<f64>, f64)> {
    let nothing = vec![0.0; order.lags()];
    if method == Method::Ml {
        return vec![(nothing, 0.0)];
    }
    let values = data.unexplained();
    let starts = match start {
        Some(start) => vec![start.to_vec()],
        None => hannan_rissanen(order, &values)
            .into_iter()
            .chain([nothing])
            .collect(),
    };
    let mut scratch = Conditional::default();
    let mut found: Vec<(Vec<f64>, f64)> = Vec::new();
    for start in starts {
        let next = conditional(order, &values, start, FINE, &mut scratch);
        let is_new = found
            .iter()
            .all(|known| (known.1 / next.1 - 1.0).abs() > SAME_TOP);
        if is_new {
            found.push(next);
        }
    }
    found
}

/// Maximum likelihood from a start: the numbers, and the negative logarithm of the likelihood a step.
fn maximise(order: &ArimaOrder, data: &Data, mut start: Vec<f64>) -> (Vec<f64>, f64) {
    for number in &mut start {
        *number = number.clamp(-START_MAX, START_MAX);
    }
    let loss = |numbers: &[f64]| {
        let lags = Lags::from_unbounded(order, numbers);
        likelihood(order, data, &lags).map_or(f64::INFINITY, |found| {
            -found.log_likelihood / found.count as f64
        })
    };
    let state = order.lost() + order.lags_in_all();
    let work = data.observed().len() * state * state;
    let search = if data.complete() || work <= FINE_WORK_MAX {
        FINE
    } else {
        ROUGH
    };
    minimise(loss, start, search)
}

/// Conditional least squares of a differenced series: the numbers, and the variance of innovations.
pub(super) fn conditional(
    order: &ArimaOrder,
    values: &[f64],
    start: Vec<f64>,
    search: Search,
    scratch: &mut Conditional,
) -> (Vec<f64>, f64) {
    let loss = |numbers: &[f64]| {
        let lags = Lags::from_unbounded(order, numbers);
        let (squares, count) = scratch.squares(values, &lags);
        if count == 0 {
            return f64::INFINITY;
        }
        0.5 * libm::log((squares / count as f64).max(SQUARES_MIN))
    };
    let (numbers, value) = minimise(loss, start, search);
    (numbers, libm::exp(2.0 * value))
}

/// The criterion from twice the negative logarithm of the likelihood, with this many parameters;
/// infinite where there are too few steps for them.
pub(super) fn aicc(minus_twice: f64, parameters: f64, steps: f64) -> f64 {
    let free = steps - parameters - 1.0;
    if free <= 0.0 {
        return f64::INFINITY;
    }
    minus_twice + 2.0 * parameters * steps / free
}
