//! Periods side by side as a matrix, and what its singular values say.

/// Sweeps of Jacobi's method, at most; a handful suffice.
const SWEEPS_MAX: usize = 30;

/// What a matrix with one period per column is made of.
pub(super) struct Spectrum {
    /// Singular values, largest first.
    singular: Vec<f64>,
    /// The right singular vector of the largest: how much of the common shape each period holds.
    weights: Vec<f64>,
    steps: usize,
}

impl Spectrum {
    /// Takes periods of equal length, through the eigenvalues of their Gram matrix (Jacobi 1846).
    pub(super) fn of(periods: &[&[f64]]) -> Self {
        let count = periods.len();
        let steps = periods.first().map_or(0, |period| period.len());
        let mut gram = vec![0.0; count * count];
        for (row, first) in periods.iter().enumerate() {
            for (column, second) in periods.iter().enumerate().take(row + 1) {
                let product: f64 = first.iter().zip(*second).map(|(a, b)| a * b).sum();
                gram[row * count + column] = product;
                gram[column * count + row] = product;
            }
        }
        let vectors = diagonalise(&mut gram, count);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| {
            gram[b * count + b]
                .total_cmp(&gram[a * count + a])
                .then(a.cmp(&b))
        });
        let first = order.first().copied().unwrap_or(0);
        Self {
            singular: order
                .iter()
                .map(|&place| gram[place * count + place].max(0.0).sqrt())
                .collect(),
            weights: (0..count).map(|row| vectors[row * count + first]).collect(),
            steps,
        }
    }

    /// The Bayesian information criterion (Schwarz 1978) of one common shape, each period its own
    /// multiple of it.
    pub(super) fn criterion_of_shape(&self) -> f64 {
        let rest: f64 = self
            .singular
            .iter()
            .skip(1)
            .map(|value| value * value)
            .sum();
        criterion(rest, self.steps, self.weights.len(), self.steps - 1)
    }

    /// The totals of the periods in the rank-one part of the matrix, its singular value shrunk as is
    /// best for the noise that the median singular value speaks of (Gavish and Donoho 2017,
    /// Frobenius loss): periods that follow the common shape by chance only lose their excess.
    pub(super) fn totals(&self, periods: &[&[f64]]) -> Vec<f64> {
        let largest = self.singular.first().copied().unwrap_or(0.0);
        if largest <= 0.0 {
            return vec![0.0; periods.len()];
        }
        // The sum of the left singular vector times the singular value.
        let total: f64 = periods
            .iter()
            .zip(&self.weights)
            .map(|(period, weight)| weight * period.iter().sum::<f64>())
            .sum();
        let kept = self.kept() * total;
        self.weights.iter().map(|weight| kept * weight).collect()
    }

    /// The share of the largest singular value that is kept.
    fn kept(&self) -> f64 {
        let (short, long) = (
            self.steps.min(self.weights.len()) as f64,
            self.steps.max(self.weights.len()) as f64,
        );
        let aspect = short / long;
        let spread = self.singular[(short as usize).div_ceil(2).min(self.singular.len() - 1)];
        // The median of the Marčenko–Pastur law, by a straight line between its ends 0.4549 (square)
        // and 1 (one column); exact to 4 %.
        let median = (1.0 - 0.5451 * aspect).max(1e-3);
        let noise = spread * spread / median;
        let signal = self.singular[0] * self.singular[0];
        // In units of the noise: y² = signal ÷ noise; shrunk to √((y² − β − 1)² − 4β) ÷ y.
        if noise <= 1e-18 * signal {
            return 1.0;
        }
        let squared = signal / noise;
        let excess = squared - aspect - 1.0;
        if excess <= 2.0 * aspect.sqrt() {
            return 0.0;
        }
        (excess * excess - 4.0 * aspect).max(0.0).sqrt() / squared
    }
}

/// The same criterion without a shape: each period is flat.
pub(super) fn criterion_of_flat(periods: &[&[f64]]) -> f64 {
    let steps = periods.first().map_or(0, |period| period.len());
    let rest: f64 = periods
        .iter()
        .map(|period| {
            let mean = period.iter().sum::<f64>() / steps.max(1) as f64;
            period
                .iter()
                .map(|value| (value - mean) * (value - mean))
                .sum::<f64>()
        })
        .sum();
    criterion(rest, steps, periods.len(), 0)
}

/// N·ln(RSS ÷ N) + k·ln N.
fn criterion(rest: f64, steps: usize, periods: usize, more: usize) -> f64 {
    let count = (steps * periods).max(1) as f64;
    count * libm::log((rest / count).max(1e-300)) + (periods + more) as f64 * libm::log(count)
}

/// Turns a symmetric matrix into its eigenvalues on the diagonal; gives the eigenvectors by column.
fn diagonalise(matrix: &mut [f64], count: usize) -> Vec<f64> {
    let mut vectors = vec![0.0; count * count];
    for place in 0..count {
        vectors[place * count + place] = 1.0;
    }
    for _ in 0..SWEEPS_MAX {
        let diagonal: f64 = (0..count).map(|at| matrix[at * count + at].abs()).sum();
        let off: f64 = (0..count)
            .flat_map(|row| (0..row).map(move |column| (row, column)))
            .map(|(row, column)| matrix[row * count + column].abs())
            .sum();
        if off <= 1e-14 * diagonal {
            break;
        }
        for p in 0..count {
            for q in p + 1..count {
                rotate(matrix, &mut vectors, count, p, q);
            }
        }
    }
    vectors
}

/// One rotation that makes the element at (p, q) zero.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], count: usize, p: usize, q: usize) {
    let between = matrix[p * count + q];
    if between == 0.0 {
        return;
    }
    let theta = (matrix[q * count + q] - matrix[p * count + p]) / (2.0 * between);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    if !tangent.is_finite() {
        return;
    }
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for row in 0..count {
        let (a, b) = (matrix[row * count + p], matrix[row * count + q]);
        matrix[row * count + p] = cosine * a - sine * b;
        matrix[row * count + q] = sine * a + cosine * b;
    }
    for column in 0..count {
        let (a, b) = (matrix[p * count + column], matrix[q * count + column]);
        matrix[p * count + column] = cosine * a - sine * b;
        matrix[q * count + column] = sine * a + cosine * b;
        let (a, b) = (vectors[column * count + p], vectors[column * count + q]);
        vectors[column * count + p] = cosine * a - sine * b;
        vectors[column * count + q] = sine * a + cosine * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn singular_values_are_those_of_numpy() {
        // numpy.linalg.svd([[1, 4], [2, 5], [3, 7]], compute_uv=False), numpy 2.4.6.
        let spectrum = Spectrum::of(&[&[1.0, 2.0, 3.0], &[4.0, 5.0, 7.0]]);
        for (ours, theirs) in spectrum.singular.iter().zip([10.181_471_67, 0.581_063_32]) {
            assert!((ours - theirs).abs() < 1e-5, "{:?}", spectrum.singular);
        }
    }

    #[test]
    fn a_common_shape_is_kept_and_noise_is_not() {
        let mut rng = Rng::new(1, 0);
        let shape: Vec<f64> = (0..24).map(|step| f64::from(10 + step % 7)).collect();
        let rows: Vec<Vec<f64>> = (0..30)
            .map(|period| {
                let level = 1.0 + 0.1 * f64::from(period % 5);
                shape
                    .iter()
                    .map(|share| level * share + rng.uniform() - 0.5)
                    .collect()
            })
            .collect();
        let periods: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let spectrum = Spectrum::of(&periods);
        assert!(spectrum.criterion_of_shape() < criterion_of_flat(&periods));
        for (total, row) in spectrum.totals(&periods).iter().zip(&rows) {
            let sum: f64 = row.iter().sum();
            assert!((total / sum - 1.0).abs() < 0.02, "{total} of {sum}");
        }
        let noise: Vec<Vec<f64>> = (0..30)
            .map(|_| (0..24).map(|_| rng.uniform() - 0.5).collect())
            .collect();
        let noise: Vec<&[f64]> = noise.iter().map(Vec::as_slice).collect();
        let spectrum = Spectrum::of(&noise);
        assert!(spectrum.kept() < 0.5, "{}", spectrum.kept());
        assert!(spectrum.criterion_of_shape() > criterion_of_flat(&noise));
    }
}
