//! Where the search for coefficients starts.

use super::lags::{PARTIAL_MAX, partials};
use super::order::ArimaOrder;
use super::regression::{dot, regress, without};

/// Numbers from which a search starts lie no farther out: at the tanh of 2.5, slopes are a fiftieth
/// of those at 0 and a search would stay where it is.
pub(super) const START_MAX: f64 = 2.5;

/// By which power of this coefficients shrink, lag by lag, until they are stationary.
const SHRINK: f64 = 0.95;

/// How often; 0.95⁶⁰ is 0.05.
const SHRINKS_MAX: usize = 60;

/// The start of Hannan and Rissanen (1982): a long autoregression gives innovations, and least squares
/// on past values and those innovations gives coefficients. `None` if the series is too short or has
/// nothing to explain.
pub(super) fn hannan_rissanen(order: &ArimaOrder, values: &[f64]) -> Option<Vec<f64>> {
    let steps = values.len();
    let farthest = (order.season * order.seasonal_p.max(order.seasonal_q)).max(1);
    let wanted = (10.0 * libm::log10(steps.max(2) as f64)) as usize + order.p + order.q;
    let long = wanted.max(farthest + order.p.max(order.q)).min(steps / 4);
    let innovations = innovations(values, long)?;
    let first = long + farthest.max(order.p).max(order.q);
    if first + 3 * order.lags() + 3 >= steps {
        return None;
    }
    let lagged = |series: &[f64], lag: usize| series[first - lag..steps - lag].to_vec();
    let mut columns = vec![lagged(values, 0)];
    columns.extend((1..=order.p).map(|lag| lagged(values, lag)));
    columns.extend((1..=order.q).map(|lag| lagged(&innovations, lag)));
    columns.extend((1..=order.seasonal_p).map(|lag| lagged(values, lag * order.season)));
    columns.extend((1..=order.seasonal_q).map(|lag| lagged(&innovations, lag * order.season)));
    let (found, _) = regress(&columns);
    let (ar, rest) = found.coefficients.split_at(order.p);
    let (ma, rest) = rest.split_at(order.q);
    let (seasonal_ar, seasonal_ma) = rest.split_at(order.seasonal_p);
    let minus = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
    let mut numbers = unbounded(ar)?;
    numbers.extend(unbounded(&minus(ma))?);
    numbers.extend(unbounded(seasonal_ar)?);
    numbers.extend(unbounded(&minus(seasonal_ma))?);
    Some(numbers)
}

/// What a long autoregression, by the Levinson recursion, leaves of a series; 0 at its start.
fn innovations(values: &[f64], long: usize) -> Option<Vec<f64>> {
    let covariance = |lag: usize| dot(&values[..values.len() - lag], &values[lag..]);
    let covariances: Vec<f64> = (0..=long).map(covariance).collect();
    let mut variance = covariances[0];
    if !variance.is_normal() {
        return None;
    }
    let mut coefficients: Vec<f64> = Vec::with_capacity(long);
    for lag in 0..long {
        let told: f64 = coefficients
            .iter()
            .enumerate()
            .map(|(at, value)| value * covariances[lag - at])
            .sum();
        let partial = (covariances[lag + 1] - told) / variance;
        let before = coefficients.clone();
        for (value, mirrored) in coefficients.iter_mut().zip(before.iter().rev()) {
            *value -= partial * mirrored;
        }
        coefficients.push(partial);
        variance *= 1.0 - partial * partial;
        if variance <= 1e-12 * covariances[0] {
            break;
        }
    }
    let long = coefficients.len();
    let mut columns = vec![values.get(long..)?.to_vec()];
    columns.extend((1..=long).map(|lag| values[long - lag..values.len() - lag].to_vec()));
    let mut left = vec![0.0; long];
    left.extend(without(&columns, &coefficients));
    Some(left)
}

/// The numbers that make these autoregressive coefficients, shrunk until they are stationary.
fn unbounded(coefficients: &[f64]) -> Option<Vec<f64>> {
    let mut shrunk = coefficients.to_vec();
    for _ in 0..SHRINKS_MAX {
        if let Some(partials) = partials(&shrunk) {
            let number = |partial: f64| {
                libm::atanh((partial / PARTIAL_MAX).clamp(-0.999, 0.999))
                    .clamp(-START_MAX, START_MAX)
            };
            return Some(partials.into_iter().map(number).collect());
        }
        let mut power = 1.0;
        for value in &mut shrunk {
            power *= SHRINK;
            *value *= power;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arima::lags::Lags;
    use crate::arima::testing::simulated;

    #[test]
    fn starts_near_what_made_the_series() {
        let order = ArimaOrder {
            p: 2,
            q: 1,
            ..ArimaOrder::differences(0, 0, 1)
        };
        let values: Vec<f64> = simulated(&[1.2, -0.5], &[0.4], 2000, 3)
            .into_iter()
            .flatten()
            .map(|value| value - 20.0)
            .collect();
        let numbers = hannan_rissanen(&order, &values).unwrap();
        let lags = Lags::from_unbounded(&order, &numbers);
        let found = [lags.ar[0], lags.ar[1], lags.ma[0]];
        for (found, expected) in found.into_iter().zip([1.2, -0.5, 0.4]) {
            assert!((found - expected).abs() < 0.1, "{lags:?}");
        }
        assert_eq!(hannan_rissanen(&order, &[0.0; 200]), None);
        assert_eq!(hannan_rissanen(&order, &values[..10]), None);
    }

    #[test]
    fn what_is_not_stationary_is_shrunk() {
        assert!(unbounded(&[1.3, 0.2]).is_some());
        assert!(unbounded(&[f64::NAN]).is_none());
    }
}
