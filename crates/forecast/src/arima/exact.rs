//! The exact Gaussian likelihood.

use super::data::Data;
use super::filter::{Filtered, Shape, filter};
use super::lags::Lags;
use super::order::ArimaOrder;
use super::regression::{Regression, regress};
use super::stationary::Stationary;

/// The covariance has come to rest when one more step would change it by less than this.
const AT_REST: f64 = 1e-10;

/// Variances under which a fit counts as perfect, where values are about 1: what rounding leaves.
const VARIANCE_MIN: f64 = 1e-20;

/// How likely the data are under some lags, with the regressors at their best coefficients.
pub(super) struct Likelihood {
    /// The coefficients of the regressors, by generalised least squares.
    pub(super) regression: Regression,
    /// The sum of the squared standardised innovations.
    pub(super) squares: f64,
    /// The logarithm of the likelihood at the best variance of the innovations.
    pub(super) log_likelihood: f64,
    /// Observations that count.
    pub(super) count: usize,
}

/// The likelihood of the differenced data: of complete data by fast recursions on the differenced
/// series, of data with gaps by the filter of the levels, which gives the same where both apply.
/// `None` if the lags are not stationary.
pub(super) fn likelihood(order: &ArimaOrder, data: &Data, lags: &Lags) -> Option<Likelihood> {
    let (innovations, log_variances) = if data.complete() {
        let start = Stationary::new(&lags.full_ar(), &lags.full_ma())?;
        fast(&start, lags, data.differenced())
    } else {
        let filtered = levels(order, data, lags)?;
        (filtered.innovations, filtered.log_variances)
    };
    let count = innovations[0].len();
    if count == 0 {
        return None;
    }
    let (regression, squares) = regress(&innovations);
    let steps = count as f64;
    let variance = (squares / steps).max(VARIANCE_MIN);
    let log_likelihood =
        -0.5 * (steps * (libm::log(2.0 * std::f64::consts::PI * variance) + 1.0) + log_variances);
    log_likelihood.is_finite().then_some(Likelihood {
        regression,
        squares,
        log_likelihood,
        count,
    })
}

/// The filter of the levels, and of each regressor as if it were one.
pub(super) fn levels(order: &ArimaOrder, data: &Data, lags: &Lags) -> Option<Filtered> {
    let start = Stationary::new(&lags.full_ar(), &lags.full_ma())?;
    let difference = order.difference_polynomial();
    let shape = Shape::new(
        &with_differences(&lags.full_ar(), &difference),
        &lags.full_ma(),
    );
    let covariance = start.covariance(shape.size());
    let series: Vec<&[f64]> = data.levels().collect();
    Some(filter(
        &shape,
        covariance,
        &difference,
        &series,
        data.observed(),
    ))
}

/// The autoregressive lags of the levels: those of the differences times the differencing.
pub(super) fn with_differences(ar: &[f64], difference: &[f64]) -> Vec<f64> {
    let mut full = vec![0.0; ar.len() + difference.len()];
    for (at, &factor) in difference.iter().enumerate() {
        full[at] -= factor;
        for (lag, value) in ar.iter().enumerate() {
            full[at + lag + 1] += factor * value;
        }
    }
    // The polynomial is 1 − full: its leading 1 goes.
    full.remove(0);
    full
}

/// The standardised innovations of each complete stationary series, and the sum of the logarithms of
/// their variances.
///
/// The covariance of a state that starts stationary changes by a matrix of rank one at each step
/// (Morf, Sidhu and Kailath 1974; Pearlman 1980; Mélard 1984), so that one vector stands for it:
/// O(r) a step where the covariance itself costs O(r²). At rest only lags that are not 0 count.
fn fast(start: &Stationary, lags: &Lags, series: &[Vec<f64>]) -> (Vec<Vec<f64>>, f64) {
    let shape = Shape::new(&lags.full_ar(), &lags.full_ma());
    let (size, steps) = (shape.size(), series[0].len());
    let mut variance = start.first[0];
    let next = |at: usize| start.first.get(at + 1).copied().unwrap_or(0.0);
    // The covariance of the next state with the present value; `change` says by which vector it
    // will differ, `scale` by how much.
    let mut told: Vec<f64> = (0..size)
        .map(|at| shape.ar[at] * variance + next(at))
        .collect();
    let mut change = told.clone();
    let mut scale = -1.0 / variance;
    let mut log_variances = 0.0;
    let mut innovations = vec![vec![0.0; steps]; series.len()];
    let mut ahead = vec![vec![0.0; steps + size + 1]; series.len()];
    let mut moved = vec![0.0; size];
    let mut rest = steps;
    for step in 0..steps {
        if at_rest(&change, scale) {
            rest = step;
            break;
        }
        log_variances += libm::log(variance);
        let deviation = variance.sqrt();
        for ((values, ahead), innovations) in series.iter().zip(&mut ahead).zip(&mut innovations) {
            let ahead = &mut ahead[step..];
            let innovation = values[step] - ahead[0];
            innovations[step] = innovation / deviation;
            shape.carry(ahead, ahead[0]);
            let share = innovation / variance;
            for (ahead, told) in ahead[1..].iter_mut().zip(&told) {
                *ahead += told * share;
            }
        }
        let first = change[0];
        for (at, moved) in moved.iter_mut().enumerate() {
            *moved = shape.ar[at] * first + change.get(at + 1).copied().unwrap_or(0.0);
        }
        let after = variance + scale * first * first;
        let (share, weight) = (first / variance, scale * first);
        for ((told, change), moved) in told.iter_mut().zip(&mut change).zip(&moved) {
            *change = moved - share * *told;
            *told += weight * moved;
        }
        scale *= variance / after;
        variance = after;
    }
    for ((values, ahead), innovations) in series.iter().zip(&mut ahead).zip(&mut innovations) {
        for step in rest..steps {
            innovations[step] = shape.see(&mut ahead[step..], values[step]);
        }
    }
    (innovations, log_variances)
}

/// Whether the covariance changes no more.
fn at_rest(change: &[f64], scale: f64) -> bool {
    let bound = AT_REST / -scale;
    change.iter().all(|value| value * value < bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn data(order: &ArimaOrder, steps: usize, gaps: bool) -> Data {
        let mut rng = Rng::new(7, 0);
        let mut level = 0.0;
        let values: Vec<Option<f64>> = (0..steps)
            .map(|step| {
                level += rng.uniform() - 0.5;
                let season = (step % order.season) as f64;
                let value = level + season + rng.uniform();
                (!gaps || step % 11 != 10).then_some(value)
            })
            .collect();
        let column = (0..steps).map(|step| ((step * step) % 17) as f64).collect();
        Data::new(&values, order, vec![column])
    }

    /// The fast recursions and the filter of the levels agree on complete data.
    #[test]
    fn both_ways_to_the_likelihood_agree() {
        let lags = Lags {
            season: 4,
            ar: vec![0.5, -0.2],
            ma: vec![0.4],
            seasonal_ar: vec![0.3],
            seasonal_ma: vec![-0.6],
        };
        for (d, seasonal_d) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let order = ArimaOrder {
                p: 2,
                q: 1,
                seasonal_p: 1,
                seasonal_q: 1,
                ..ArimaOrder::differences(d, seasonal_d, 4)
            };
            let data = data(&order, 120, false);
            let ours = likelihood(&order, &data, &lags).unwrap();
            let filtered = levels(&order, &data, &lags).unwrap();
            let (regression, squares) = regress(&filtered.innovations);
            assert!((ours.squares / squares - 1.0).abs() < 1e-7, "{order}");
            let apart = ours.regression.coefficients[0] - regression.coefficients[0];
            assert!(apart.abs() < 1e-7, "{order}");
            let steps = ours.count as f64;
            let other = -0.5
                * (steps * (libm::log(2.0 * std::f64::consts::PI * squares / steps) + 1.0)
                    + filtered.log_variances);
            assert!((ours.log_likelihood - other).abs() < 1e-5, "{order}");
        }
    }

    /// Skipping a level is as marginalising over it: the same as the density of a normal vector.
    #[test]
    fn gaps_are_integrated_out() {
        let order = ArimaOrder {
            p: 1,
            ..ArimaOrder::differences(0, 0, 1)
        };
        let values = [Some(0.3), None, Some(-0.8)];
        let data = Data::new(&values, &order, Vec::new());
        let lags = Lags {
            season: 1,
            ar: vec![0.5],
            ..Lags::default()
        };
        let found = likelihood(&order, &data, &lags).unwrap();
        // Variance 4/3 each, correlation 0.25.
        let (variance, correlation) = (4.0 / 3.0, 0.25);
        let squares = (0.09 - 2.0 * correlation * 0.3 * -0.8 + 0.64)
            / (variance * (1.0 - correlation * correlation));
        let determinant = variance * variance * (1.0 - correlation * correlation);
        let expected = -0.5
            * (2.0 * (libm::log(2.0 * std::f64::consts::PI * squares / 2.0) + 1.0)
                + libm::log(determinant));
        assert!((found.squares - squares).abs() < 1e-9);
        assert!((found.log_likelihood - expected).abs() < 1e-9);
    }
}
