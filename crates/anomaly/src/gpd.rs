//! The generalised Pareto distribution of what exceeds a high threshold.

use serde::{Deserialize, Serialize};

/// A generalised Pareto distribution: survival (1 + shape · x / scale)^(−1/shape).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pareto {
    pub shape: f64,
    pub scale: f64,
}

/// Heavier tails have no mean, and a fit that says so comes from too few excesses.
const SHAPE_MAX: f64 = 1.0;
/// Under this the formula is that of the exponential distribution to all digits.
const SHAPE_TINY: f64 = 1e-6;

impl Pareto {
    /// Fits by probability-weighted moments (Hosking and Wallis 1987), which are as good as the
    /// likelihood for few excesses, and never fail to converge. `excesses` are pairs of a value and how often it
    /// occurred, smallest first. A negative shape would say that nothing larger than some bound can
    /// ever come, which no history can promise: then the exponential distribution is taken.
    pub fn fit(excesses: &[(f64, f64)]) -> Self {
        let count: f64 = excesses.iter().map(|(_, times)| times).sum();
        let mean = excesses
            .iter()
            .map(|(value, times)| value * times)
            .sum::<f64>()
            / count;
        // E[X · (1 − F(X))], of equal values by their mean rank.
        let mut below = 0.0;
        let mut weighted = 0.0;
        for (value, times) in excesses {
            let share_above = (count - below - (times + 1.0) / 2.0) / (count - 1.0).max(1.0);
            weighted += times * share_above.max(0.0) * value;
            below += times;
        }
        weighted /= count;
        let exponential = Self {
            shape: 0.0,
            scale: mean.max(f64::MIN_POSITIVE),
        };
        let divisor = mean - 2.0 * weighted;
        if !divisor.is_finite() || divisor <= 0.0 {
            return exponential;
        }
        let shape = 2.0 - mean / divisor;
        let scale = 2.0 * mean * weighted / divisor;
        if shape <= SHAPE_TINY || !(scale > 0.0 && scale.is_finite()) {
            return exponential;
        }
        Self {
            shape: shape.min(SHAPE_MAX),
            scale,
        }
    }

    /// −log₁₀ of the probability that an excess is larger than this one.
    pub fn rarity(&self, excess: f64) -> f64 {
        let ratio = excess / self.scale;
        if self.shape < SHAPE_TINY {
            ratio * std::f64::consts::LOG10_E
        } else {
            libm::log10(1.0 + self.shape * ratio) / self.shape
        }
    }

    /// The excess that is this rare: the inverse of [`Self::rarity`].
    pub fn excess(&self, rarity: f64) -> f64 {
        if self.shape < SHAPE_TINY {
            self.scale * rarity / std::f64::consts::LOG10_E
        } else {
            self.scale / self.shape * (libm::pow(10.0, rarity * self.shape) - 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of a distribution with this shape and scale 2.
    fn quantiles(shape: f64) -> Vec<(f64, f64)> {
        let excess = |share: f64| {
            if shape == 0.0 {
                -2.0 * libm::log(1.0 - share)
            } else {
                2.0 / shape * (libm::pow(1.0 - share, -shape) - 1.0)
            }
        };
        (0..2000)
            .map(|place| (excess((f64::from(place) + 0.5) / 2000.0), 1.0))
            .collect()
    }

    #[test]
    fn shape_and_scale_are_found_again() {
        for shape in [0.0, 0.1, 0.3] {
            let fitted = Pareto::fit(&quantiles(shape));
            assert!((fitted.shape - shape).abs() < 0.03, "{shape}: {fitted:?}");
            assert!((fitted.scale - 2.0).abs() < 0.1, "{shape}: {fitted:?}");
        }
    }

    #[test]
    fn rarity_and_excess_are_inverse() {
        for shape in [0.0, 0.2, 1.0] {
            let pareto = Pareto { shape, scale: 3.0 };
            for rarity in [0.1, 1.0, 4.0] {
                assert!((pareto.rarity(pareto.excess(rarity)) - rarity).abs() < 1e-9);
            }
        }
        let exponential = Pareto {
            shape: 0.0,
            scale: 1.0,
        };
        assert!((exponential.rarity(std::f64::consts::LN_10) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bounded_tails_are_taken_as_exponential() {
        let uniform: Vec<(f64, f64)> = (1..100).map(|value| (f64::from(value), 1.0)).collect();
        assert_eq!(Pareto::fit(&uniform).shape, 0.0);
        assert!(Pareto::fit(&[(0.0, 5.0)]).rarity(1.0).is_finite());
    }
}
