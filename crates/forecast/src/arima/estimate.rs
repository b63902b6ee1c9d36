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
    /// Maximum likelihood, started from conditional least squares and, where the order is given, from
    /// lags that nearly cancel out.
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
/// Above it (long seasons) the rough one must do, from few starts.
const FINE_WORK_MAX: usize = 500_000;

/// Starts lead to the same top if the variances there differ by no more than this share.
const SAME_TOP: f64 = 1e-4;

/// A sum of squares under which a fit counts as perfect, where values are about 1.
const SQUARES_MIN: f64 = 1e-20;

/// Where searches for coefficients start.
#[derive(Clone, Copy, Debug)]
pub(super) enum Starts<'a> {
    /// From these numbers alone: those of an order that differs by a lag or so.
    Given(&'a [f64]),
    /// From what least squares tells and from nothing, as is enough where many orders are tried.
    Few,
    /// From opposed lags too: where an order is given, no other one makes up for a lower top.
    Many,
}

/// Numbers of the first two lags, autoregressive and moving average, of processes whose lags nearly cancel out. Least
/// squares hardly ever leads there, but the likelihood has tops of its own: a slow return to a line that was
/// differenced though it need not be, steps that alternate, and a line where one more difference was needed.
const OPPOSED: [([f64; 2], [f64; 2]); 3] = [
    ([1.0, 0.0], [1.5, 0.0]),
    ([-1.0, 0.0], [-1.0, 0.0]),
    ([2.0, -0.4], [2.0, -1.2]),
];

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
    from: Starts<'_>,
) -> Option<Estimate> {
    let count = order.lags();
    let numbers = if count == 0 {
        Vec::new()
    } else {
        search(order, data, method, from).unwrap_or_else(|| vec![0.0; count])
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

/// The best numbers that searches from all starts lead to.
fn search(order: &ArimaOrder, data: &Data, method: Method, from: Starts<'_>) -> Option<Vec<f64>> {
    let lower = |best: (Vec<f64>, f64), next: (Vec<f64>, f64)| {
        if next.1 < best.1 { next } else { best }
    };
    let found = starts(order, data, method, from);
    if method == Method::Css {
        return found.into_iter().reduce(lower).map(|best| best.0);
    }
    let state = order.lost() + order.lags_in_all();
    let work = data.observed().len() * state * state;
    let is_dear = !data.complete() && work > FINE_WORK_MAX;
    let last = if is_dear { ROUGH } else { FINE };
    let found = found.into_iter().map(|start| start.0);
    if is_dear || method == Method::Ml || !matches!(from, Starts::Many) {
        let tops = found.map(|start| maximise(order, data, inside(start), last));
        return tops.reduce(lower).map(|best| best.0);
    }
    let found: Vec<Vec<f64>> = found.collect();
    let opposed = found
        .first()
        .map_or_else(Vec::new, |known| opposed(order, known));
    let tops = found
        .into_iter()
        .chain(opposed)
        .map(|start| maximise(order, data, inside(start), ROUGH));
    let best = tops.reduce(lower)?.0;
    Some(maximise(order, data, best, last).0)
}

/// Where to start from, with the conditional sum of squares there: what is given, or else both what
/// least squares tells and nothing, because the likelihood may have more than one top.
fn starts(
    order: &ArimaOrder,
    data: &Data,
    method: Method,
    from: Starts<'_>,
) -> Vec<(Vec<f64>, f64)> {
    let nothing = vec![0.0; order.lags()];
    if method == Method::Ml {
        return vec![(nothing, 0.0)];
    }
    let values = data.unexplained();
    let starts = match from {
        Starts::Given(start) => vec![start.to_vec()],
        Starts::Few | Starts::Many => hannan_rissanen(order, &values)
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

/// Starts with opposed lags, plain ones and then seasonal ones, the others as they are known.
fn opposed(order: &ArimaOrder, known: &[f64]) -> Vec<Vec<f64>> {
    let with = |first: usize, ar: usize, ma: usize, opposed: &([f64; 2], [f64; 2])| {
        let mut start = known.to_vec();
        let (into_ar, into_ma) = start[first..first + ar + ma].split_at_mut(ar);
        for (into, from) in [(into_ar, opposed.0), (into_ma, opposed.1)] {
            into.fill(0.0);
            into.iter_mut()
                .zip(from)
                .for_each(|(into, from)| *into = from);
        }
        start
    };
    let mut all = Vec::new();
    if order.q > 0 {
        // The last one differs from the first by its second lags.
        let distinct = if order.p.min(order.q) > 1 { 3 } else { 2 };
        all.extend(
            OPPOSED[..distinct]
                .iter()
                .map(|opposed| with(0, order.p, order.q, opposed)),
        );
    }
    if order.seasonal_p.min(order.seasonal_q) > 0 {
        let first = order.p + order.q;
        all.push(with(first, order.seasonal_p, order.seasonal_q, &OPPOSED[0]));
    }
    all
}

/// Numbers from which slopes lead on.
fn inside(mut start: Vec<f64>) -> Vec<f64> {
    for number in &mut start {
        *number = number.clamp(-START_MAX, START_MAX);
    }
    start
}

/// Maximum likelihood from a start: the numbers, and the negative logarithm of the likelihood a step.
fn maximise(order: &ArimaOrder, data: &Data, start: Vec<f64>, search: Search) -> (Vec<f64>, f64) {
    let loss = |numbers: &[f64]| {
        let lags = Lags::from_unbounded(order, numbers);
        likelihood(order, data, &lags).map_or(f64::INFINITY, |found| {
            -found.log_likelihood / found.count as f64
        })
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
