//! The polynomials of lags: kept stationary and invertible, multiplied out, checked for roots.

use serde::{Deserialize, Serialize};

use super::order::ArimaOrder;

/// How near to ±1 a partial autocorrelation may come: a variance of 10⁵ innovations is no longer a
/// stationary series, and beyond it the first steps of the filter lose their digits.
pub(super) const PARTIAL_MAX: f64 = 0.999_99;

/// The coefficients of the lags, each factor for itself. Autoregressive ones are what past values add
/// (y = φ₁ y₋₁ + …), moving average ones what past innovations add (… + θ₁ e₋₁).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lags {
    pub(super) season: usize,
    pub(super) ar: Vec<f64>,
    pub(super) ma: Vec<f64>,
    pub(super) seasonal_ar: Vec<f64>,
    pub(super) seasonal_ma: Vec<f64>,
}

impl Lags {
    /// Makes coefficients of unbounded numbers, in the order p, q, P, Q: their hyperbolic tangents are
    /// partial autocorrelations (Barndorff-Nielsen and Schou 1973; Monahan 1984), so that whatever the
    /// numbers, the process is stationary and invertible.
    pub(super) fn from_unbounded(order: &ArimaOrder, numbers: &[f64]) -> Self {
        let (ar, rest) = numbers.split_at(order.p);
        let (ma, rest) = rest.split_at(order.q);
        let (seasonal_ar, seasonal_ma) = rest.split_at(order.seasonal_p);
        let minus = |partials: &[f64]| -> Vec<f64> {
            let mut coefficients = coefficients(partials);
            coefficients.iter_mut().for_each(|value| *value = -*value);
            coefficients
        };
        Self {
            season: order.season,
            ar: coefficients(ar),
            ma: minus(ma),
            seasonal_ar: coefficients(seasonal_ar),
            seasonal_ma: minus(seasonal_ma),
        }
    }

    /// The autoregressive factors multiplied out: what each lag from 1 on adds.
    pub(super) fn full_ar(&self) -> Vec<f64> {
        let minus = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
        let mut full = multiplied(&minus(&self.ar), &minus(&self.seasonal_ar), self.season);
        full.iter_mut().for_each(|value| *value = -*value);
        full
    }

    /// The moving average factors multiplied out.
    pub(super) fn full_ma(&self) -> Vec<f64> {
        multiplied(&self.ma, &self.seasonal_ma, self.season)
    }

    /// Whether each factor's roots have at least this modulus, which is over 1. Seasonal factors are
    /// polynomials in B^m and are judged as such: multiplied out, the roots of 1 − 0.8 B²⁴ have the
    /// modulus 1.009, though a seasonal memory of 0.8 is nothing unusual.
    pub(super) fn roots_beyond(&self, modulus: f64) -> bool {
        let minus = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
        [
            &self.ar,
            &minus(&self.ma),
            &self.seasonal_ar,
            &minus(&self.seasonal_ma),
        ]
        .into_iter()
        .all(|factor| {
            let mut power = 1.0;
            let shrunk: Vec<f64> = factor
                .iter()
                .map(|value| {
                    power *= modulus;
                    value * power
                })
                .collect();
            partials(&shrunk).is_some()
        })
    }
}

/// The autoregressive coefficients of tanh(numbers) as partial autocorrelations (Durbin 1960).
fn coefficients(numbers: &[f64]) -> Vec<f64> {
    let mut coefficients: Vec<f64> = Vec::with_capacity(numbers.len());
    let mut before = Vec::with_capacity(numbers.len());
    for &number in numbers {
        let partial = PARTIAL_MAX * libm::tanh(number);
        before.clone_from(&coefficients);
        for (value, mirrored) in coefficients.iter_mut().zip(before.iter().rev()) {
            *value -= partial * mirrored;
        }
        coefficients.push(partial);
    }
    coefficients
}

/// The partial autocorrelations of an autoregressive polynomial; `None` if it is not stationary.
pub(super) fn partials(coefficients: &[f64]) -> Option<Vec<f64>> {
    let mut left = coefficients.to_vec();
    let mut partials = vec![0.0; left.len()];
    let mut before = Vec::with_capacity(left.len());
    while let Some(partial) = left.pop() {
        if partial.is_nan() || partial.abs() >= 1.0 {
            return None;
        }
        partials[left.len()] = partial;
        before.clone_from(&left);
        for (value, mirrored) in left.iter_mut().zip(before.iter().rev()) {
            *value = (*value + partial * mirrored) / (1.0 - partial * partial);
        }
    }
    Some(partials)
}

/// The product of 1 + Σ aᵢ Bⁱ and 1 + Σ bⱼ B^(m j), without its 1.
fn multiplied(plain: &[f64], seasonal: &[f64], season: usize) -> Vec<f64> {
    let mut product = vec![0.0; plain.len() + seasonal.len() * season];
    product[..plain.len()].copy_from_slice(plain);
    for (at, factor) in seasonal.iter().enumerate() {
        let lag = (at + 1) * season;
        product[lag - 1] += factor;
        for (lags, value) in plain.iter().enumerate() {
            product[lag + lags] += factor * value;
        }
    }
    product
}

/// What one lag adds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tap {
    /// Steps back, from 1.
    pub(super) lag: usize,
    /// Of past values.
    pub(super) ar: f64,
    /// Of past innovations.
    pub(super) ma: f64,
}

/// The lags that add something: of a seasonal model most add nothing.
pub(super) fn taps(ar: &[f64], ma: &[f64]) -> Vec<Tap> {
    let at = |values: &[f64], lag: usize| values.get(lag - 1).copied().unwrap_or(0.0);
    (1..=ar.len().max(ma.len()))
        .map(|lag| Tap {
            lag,
            ar: at(ar, lag),
            ma: at(ma, lag),
        })
        .filter(|tap| tap.ar != 0.0 || tap.ma != 0.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> ArimaOrder {
        ArimaOrder {
            p: 2,
            q: 1,
            seasonal_p: 1,
            seasonal_q: 1,
            ..ArimaOrder::differences(0, 0, 4)
        }
    }

    #[test]
    fn any_numbers_give_a_stationary_process_and_come_back() {
        let numbers = [0.7, -1.3, 2.0, -0.4, 30.0];
        let lags = Lags::from_unbounded(&order(), &numbers);
        let back = partials(&lags.ar).unwrap();
        assert!((back[0] / PARTIAL_MAX - libm::tanh(0.7)).abs() < 1e-12);
        assert!((back[1] / PARTIAL_MAX - libm::tanh(-1.3)).abs() < 1e-12);
        assert!(partials(&lags.full_ar()).is_some());
        assert!(partials(&[1.2]).is_none() && partials(&[0.5, 0.6]).is_none());
    }

    #[test]
    fn factors_multiply_out() {
        let lags = Lags {
            season: 4,
            ar: vec![0.5],
            ma: vec![0.3],
            seasonal_ar: vec![0.8],
            seasonal_ma: vec![-0.6],
        };
        assert_eq!(lags.full_ar(), [0.5, 0.0, 0.0, 0.8, -0.4]);
        assert_eq!(lags.full_ma(), [0.3, 0.0, 0.0, -0.6, -0.18]);
        assert_eq!(taps(&lags.full_ar(), &lags.full_ma()).len(), 3);
        assert!(lags.roots_beyond(1.2) && !lags.roots_beyond(1.3));
    }
}
