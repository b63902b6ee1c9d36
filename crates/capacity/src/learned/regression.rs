//! Non-negative linear regression, learned sample by sample with a prior.
//!
//! The prior and the data are kept apart, both as information (precision) matrices. The data fade with a
//! half-life; the prior stays, so that a direction in which the data say nothing any more falls back to it.
//! The estimate is the most probable one with no coefficient below 0: the minimum of a quadratic form over the
//! non-negative ones. An outlier pulls no harder than a residual of 2.5 standard deviations (Huber's weight),
//! where the standard deviation holds what is not yet known of the coefficients: a prior that is off by
//! factors is no outlier.

use super::cholesky::{decompose, forward, invert, solve};
use super::noise::{Noise, OUTLIER_DEVIATIONS};

/// Sweeps of coordinate descent where a coefficient is held at 0: with at most a handful of coefficients the
/// rest is below the noise by then, and the next sample goes on from there.
const SWEEPS: usize = 30;

/// What is believed before there are data.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prior {
    /// The coefficients.
    pub mean: Vec<f64>,
    /// Their covariance, row by row.
    pub covariance: Vec<f64>,
}

/// Coefficients, none below 0, with what is known of their errors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Regression {
    prior: Prior,
    /// The inverse of the prior's covariance.
    prior_precision: Vec<f64>,
    /// Of the data, before division by the noise's variance.
    precision: Vec<f64>,
    information: Vec<f64>,
    noise: Noise,
    coefficients: Vec<f64>,
    /// Cholesky's triangle of the posterior precision.
    lower: Vec<f64>,
}

/// How one sample compared with what was believed before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Innovation {
    /// The sample less the prediction.
    pub residual: f64,
    /// The variance of the prediction, without the noise of the sample.
    pub model_variance: f64,
}

impl Regression {
    /// Starts from a prior.
    pub(super) fn new(prior: Prior, noise: Noise) -> Self {
        let n = prior.mean.len();
        let mut regression = Self {
            prior_precision: Vec::new(),
            precision: vec![0.0; n * n],
            information: vec![0.0; n],
            noise,
            coefficients: prior.mean.clone(),
            lower: Vec::new(),
            prior,
        };
        regression.set_prior();
        regression
    }

    /// Forgets the data and starts again from another prior; what is known of the noise stays.
    pub(super) fn restart(&mut self, prior: Prior) {
        self.precision.fill(0.0);
        self.information.fill(0.0);
        self.coefficients.clone_from(&prior.mean);
        self.prior = prior;
        self.set_prior();
    }

    fn set_prior(&mut self) {
        let n = self.prior.mean.len();
        let inverse = invert(&self.prior.covariance, n);
        self.prior_precision = inverse.unwrap_or_else(|| {
            panic!("no covariance: {:?}", self.prior.covariance);
        });
        self.solve();
    }

    /// The coefficients.
    pub(super) fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// What is believed of the noise.
    pub(super) fn noise(&self) -> &Noise {
        &self.noise
    }

    /// What the coefficients say of these features.
    pub(super) fn predict(&self, features: &[f64]) -> f64 {
        dot(&self.coefficients, features)
    }

    /// The variance of that.
    pub(super) fn variance(&self, features: &[f64]) -> f64 {
        let half = forward(&self.lower, features);
        dot(&half, &half)
    }

    /// The variance of the same by the prior alone.
    pub(super) fn prior_variance(&self, features: &[f64]) -> f64 {
        let rows = self.prior.covariance.chunks_exact(features.len());
        rows.zip(features)
            .map(|(row, feature)| feature * dot(row, features))
            .sum()
    }

    /// How a sample compares with what is believed.
    pub(super) fn compare(&self, features: &[f64], value: f64) -> Innovation {
        Innovation {
            residual: value - self.predict(features),
            model_variance: self.variance(features),
        }
    }

    /// Learns a sample that counts as `weight` independent ones; everything before it counts `keep` times what
    /// it did.
    pub(super) fn learn(&mut self, features: &[f64], value: f64, weight: f64, keep: f64) {
        let n = features.len();
        let Innovation {
            residual,
            model_variance,
        } = self.compare(features, value);
        let noise_variance = self.noise.variance();
        let variance = noise_variance + model_variance;
        let deviations = residual.abs() / libm::sqrt(variance);
        let robust = (OUTLIER_DEVIATIONS / deviations.max(1e-12)).min(1.0);
        let pull = weight * robust;
        let rows = self.precision.chunks_exact_mut(n);
        for ((row, information), feature) in rows.zip(&mut self.information).zip(features) {
            for (data, other) in row.iter_mut().zip(features) {
                *data = *data * keep + pull * feature * other;
            }
            *information = *information * keep + pull * feature * value;
        }
        // The part of the squared residual that is the noise's, and not the coefficients' error.
        let cut = deviations.min(OUTLIER_DEVIATIONS);
        self.noise.learn(cut * cut * noise_variance, weight, keep);
        self.solve();
    }

    /// Finds the most probable coefficients, none below 0.
    fn solve(&mut self) {
        let n = self.coefficients.len();
        let scale = 1.0 / self.noise.variance();
        let all: Vec<f64> = self
            .prior_precision
            .iter()
            .zip(&self.precision)
            .map(|(prior, data)| prior + data * scale)
            .collect();
        let rows = self.prior_precision.chunks_exact(n);
        let right: Vec<f64> = rows
            .zip(&self.information)
            .map(|(row, data)| dot(row, &self.prior.mean) + data * scale)
            .collect();
        let Some(lower) = decompose(&all, n) else {
            return; // Nonsense of rounding: what was believed stays.
        };
        let free = solve(&lower, &right);
        if free.iter().all(|one| *one >= 0.0) {
            self.coefficients = free;
        } else {
            descend(&all, &right, &mut self.coefficients);
        }
        self.lower = lower;
    }
}

/// Coordinate descent on ½xᵀAx − bᵀx over x ≥ 0, from where `x` is.
fn descend(matrix: &[f64], right: &[f64], x: &mut [f64]) {
    let n = x.len();
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for (i, (row, right)) in matrix.chunks_exact(n).zip(right).enumerate() {
            let others = dot(row, x) - row[i] * x[i];
            let new = ((right - others) / row[i]).max(0.0);
            moved = moved.max((new - x[i]).abs());
            x[i] = new;
        }
        if moved < 1e-10 {
            break;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prior(mean: &[f64], deviation: f64) -> Prior {
        let n = mean.len();
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            covariance[i * n + i] = deviation * deviation;
        }
        Prior {
            mean: mean.to_vec(),
            covariance,
        }
    }

    fn regression(mean: &[f64]) -> Regression {
        Regression::new(prior(mean, 1.0), Noise::new(0.5, 4.0, 0.01))
    }

    #[test]
    fn finds_the_coefficients_that_made_the_samples() {
        let mut found = regression(&[1.0, 1.0, 0.0]);
        for i in 0..400 {
            let wave = f64::from(i % 24) / 24.0;
            let features = [wave, 1.0 - 0.5 * wave * wave, 1.0];
            let value = 2.0 * features[0] + 0.5 * features[1] + 0.25 * features[2];
            found.learn(&features, value, 1.0, 1.0);
        }
        for (found, true_one) in found.coefficients().iter().zip([2.0, 0.5, 0.25]) {
            assert!((found - true_one).abs() < 0.03, "{found} for {true_one}");
        }
    }

    #[test]
    fn no_coefficient_is_ever_below_zero() {
        let mut found = regression(&[1.0, 1.0]);
        for i in 0..300 {
            let x = f64::from(i % 7) / 7.0;
            // A line that falls: its slope would be negative.
            found.learn(&[x, 1.0], 1.0 - 0.8 * x, 1.0, 1.0);
            assert!(found.coefficients().iter().all(|one| *one >= 0.0));
        }
        assert_eq!(found.coefficients()[0], 0.0);
        assert!((found.coefficients()[1] - 0.66).abs() < 0.05);
    }

    #[test]
    fn one_absurd_sample_among_many_changes_little() {
        let mut found = regression(&[1.0]);
        for i in 0..200 {
            let noise = 0.02 * (f64::from(i % 5) - 2.0);
            found.learn(&[1.0], 1.5 + noise, 1.0, 1.0);
        }
        let before = found.coefficients()[0];
        found.learn(&[1.0], 1e6, 1.0, 1.0);
        assert!((found.coefficients()[0] - before).abs() < 0.01);
    }

    #[test]
    fn what_the_data_do_not_tell_stays_as_the_prior_has_it() {
        let mut found = regression(&[1.0, 1.0]);
        for _ in 0..200 {
            found.learn(&[1.0, 0.0], 3.0, 1.0, 1.0);
        }
        assert!((found.coefficients()[0] - 3.0).abs() < 0.02);
        assert_eq!(found.coefficients()[1], 1.0);
        assert!(found.variance(&[0.0, 1.0]) > 0.99);
        assert!(found.variance(&[1.0, 0.0]) < 0.01);
    }
}
