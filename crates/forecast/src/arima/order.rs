//! Which ARIMA: the orders, and what differencing does.

use serde::{Deserialize, Serialize};

/// The most that each of p and q may be.
pub(super) const LAGS_MAX: usize = 12;

/// The most that each of P and Q may be.
pub(super) const SEASONAL_LAGS_MAX: usize = 2;

/// The orders (p, d, q)(P, D, Q) with a season of m steps, in the notation of Box and Jenkins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArimaOrder {
    /// Autoregressive lags, p.
    pub p: usize,
    /// Differences, d.
    pub d: usize,
    /// Moving average lags, q.
    pub q: usize,
    /// Autoregressive lags of whole seasons, P.
    pub seasonal_p: usize,
    /// Differences over a season, D.
    pub seasonal_d: usize,
    /// Moving average lags of whole seasons, Q.
    pub seasonal_q: usize,
    /// Steps in the season, m; 1 if there is none.
    pub season: usize,
    /// Whether there is a mean (d + D = 0) or a drift (d + D = 1).
    pub constant: bool,
}

impl ArimaOrder {
    /// Without lags: only differences.
    pub(super) fn differences(d: usize, seasonal_d: usize, season: usize) -> Self {
        Self {
            p: 0,
            d,
            q: 0,
            seasonal_p: 0,
            seasonal_d,
            seasonal_q: 0,
            season,
            constant: false,
        }
    }

    /// Steps at the start that differencing uses up.
    pub(super) fn lost(&self) -> usize {
        self.d + self.seasonal_d * self.season
    }

    /// Coefficients of lags.
    pub(super) fn lags(&self) -> usize {
        self.p + self.q + self.seasonal_p + self.seasonal_q
    }

    /// How many steps back lags reach on the differenced series.
    pub(super) fn lags_in_all(&self) -> usize {
        (self.p + self.season * self.seasonal_p).max(self.q + self.season * self.seasonal_q)
    }

    /// Whether a constant means something: with two differences it would be a parabola.
    pub(super) fn may_have_constant(&self) -> bool {
        self.d + self.seasonal_d < 2
    }

    /// Takes out what cannot be: seasonal lags without a season, a constant after two differences.
    pub(super) fn sensible(mut self) -> Self {
        if self.season < 2 {
            self.season = 1;
            (self.seasonal_p, self.seasonal_d, self.seasonal_q) = (0, 0, 0);
        }
        self.constant &= self.may_have_constant();
        self
    }

    /// The differenced series, without the steps that this uses up.
    pub(super) fn difference(&self, values: &[f64]) -> Vec<f64> {
        let mut left = values.to_vec();
        for _ in 0..self.seasonal_d {
            left = difference(&left, self.season);
        }
        for _ in 0..self.d {
            left = difference(&left, 1);
        }
        left
    }

    /// (1 − B)^d (1 − B^m)^D as coefficients of B⁰, B¹, …
    pub(super) fn difference_polynomial(&self) -> Vec<f64> {
        let mut polynomial = vec![1.0];
        for lag in
            std::iter::repeat_n(self.season, self.seasonal_d).chain(std::iter::repeat_n(1, self.d))
        {
            let mut next = polynomial.clone();
            next.resize(polynomial.len() + lag, 0.0);
            for (at, coefficient) in polynomial.iter().enumerate() {
                next[at + lag] -= coefficient;
            }
            polynomial = next;
        }
        polynomial
    }
}

impl std::fmt::Display for ArimaOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({},{},{})", self.p, self.d, self.q)?;
        if self.season > 1 {
            write!(
                f,
                "({},{},{})[{}]",
                self.seasonal_p, self.seasonal_d, self.seasonal_q, self.season
            )?;
        }
        match (self.constant, self.d + self.seasonal_d) {
            (true, 0) => write!(f, " with mean"),
            (true, _) => write!(f, " with drift"),
            _ => Ok(()),
        }
    }
}

/// What each step adds to the one `lag` steps before.
fn difference(values: &[f64], lag: usize) -> Vec<f64> {
    values
        .iter()
        .zip(values.get(lag..).unwrap_or(&[]))
        .map(|(before, after)| after - before)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differencing_is_its_polynomial() {
        let order = ArimaOrder::differences(1, 1, 4);
        let polynomial = order.difference_polynomial();
        assert_eq!(polynomial, [1.0, -1.0, 0.0, 0.0, -1.0, 1.0]);
        let values: Vec<f64> = (0..12).map(|step| f64::from(step * step % 7)).collect();
        for (at, value) in order.difference(&values).into_iter().enumerate() {
            let expected: f64 = polynomial
                .iter()
                .enumerate()
                .map(|(lag, coefficient)| coefficient * values[at + 5 - lag])
                .sum();
            assert_eq!(value, expected);
        }
        assert!(order.difference(&values[..3]).is_empty());
    }

    #[test]
    fn what_cannot_be_is_taken_out() {
        let mut order = ArimaOrder::differences(2, 1, 1);
        order.constant = true;
        let order = order.sensible();
        assert_eq!((order.seasonal_d, order.constant), (0, false));
        assert_eq!(order.to_string(), "(0,2,0)");
    }
}
