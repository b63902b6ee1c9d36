//! Ridge regression on a few features, from sums that are kept (Hoerl and Kennard 1970).

use super::triangle::{cholesky, solve};

/// Sums of rows, and the coefficients that were last fitted to them. The last feature is the constant.
#[derive(Clone, Debug)]
pub(super) struct SmallRidge<const N: usize> {
    moments: [[f64; N]; N],
    outcomes: [f64; N],
    weight: f64,
    /// Rows that are thought to have been seen in which nothing depended on a feature.
    prior_rows: f64,
    coefficients: [f64; N],
}

/// The constant is pulled so much less strongly to nothing than what depends on a feature.
const CONSTANT_PRIOR: f64 = 1e-3;

impl<const N: usize> SmallRidge<N> {
    pub(super) fn new(prior_rows: f64) -> Self {
        Self {
            moments: [[0.0; N]; N],
            outcomes: [0.0; N],
            weight: 0.0,
            prior_rows,
            coefficients: [0.0; N],
        }
    }

    /// Adds a row.
    pub(super) fn learn(&mut self, features: &[f64; N], outcome: f64) {
        for ((line, sum), x) in (self.moments.iter_mut().zip(&mut self.outcomes)).zip(features) {
            for (moment, other) in line.iter_mut().zip(features) {
                *moment += x * other;
            }
            *sum += x * outcome;
        }
        self.weight += 1.0;
    }

    /// Lets all rows so far count less.
    pub(super) fn fade(&mut self, keep: f64) {
        let sums = self.moments.iter_mut().flatten().chain(&mut self.outcomes);
        sums.for_each(|sum| *sum *= keep);
        self.weight *= keep;
    }

    /// Fits to all rows so far, each feature in proportion to its own size.
    pub(super) fn fit(&mut self) {
        if self.weight <= 0.0 {
            return;
        }
        let sizes: [f64; N] =
            std::array::from_fn(|j| libm::sqrt(self.moments[j][j] / self.weight) + 1e-6);
        let line = |j: usize| -> [f64; N] {
            std::array::from_fn(|k| {
                let prior = match (j == k, j + 1 == N) {
                    (true, true) => self.prior_rows * CONSTANT_PRIOR,
                    (true, false) => self.prior_rows,
                    (false, _) => 0.0,
                };
                self.moments[j][k] / (sizes[j] * sizes[k]) + prior
            })
        };
        let factor = cholesky((0..N).map(line).collect());
        let right = std::array::from_fn(|j| self.outcomes[j] / sizes[j]);
        let solved = solve(&factor, &right);
        self.coefficients = std::array::from_fn(|j| solved[j] / sizes[j]);
    }

    /// What the last fit says of a row; nothing before the first.
    pub(super) fn says(&self, features: &[f64; N]) -> f64 {
        let each = self.coefficients.iter().zip(features);
        each.map(|(coefficient, x)| coefficient * x).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_outcomes_depend_on_and_pulls_few_rows_to_nothing() {
        let fitted = |rows: u64| {
            let mut ridge = SmallRidge::new(30.0);
            for row in 0..rows {
                let x = ((row * 7_919) % 101) as f64 / 50.0 - 1.0;
                let other = ((row * 104_729) % 103) as f64 / 51.0 - 1.0;
                ridge.learn(&[x, other, 1.0], 3.0 * x - other + 0.5);
            }
            ridge.fit();
            ridge.coefficients
        };
        let many = fitted(100_000);
        for (found, is) in many.iter().zip([3.0, -1.0, 0.5]) {
            assert!((found - is).abs() < 0.01, "{many:?}");
        }
        let few = fitted(10);
        assert!(few[0] > 0.0 && few[0] < 1.5, "{few:?}");
    }
}
