//! Linear quantile regression by preconditioned gradient descent on a smoothed check loss.
//!
//! The check loss at level `q` is the Lagrangian of buying: a unit too many costs 1, a unit too few
//! costs `q / (1 − q)`. Minimising it over linear policies is therefore buying itself, whether or not
//! demand is linear in the features. Smoothing (He et al. 2023, "conquer") gives a gradient; the
//! Barzilai–Borwein step makes it converge in tens of passes; the last move is exact.

use super::features::{FEATURE_COUNT, LEVEL_WEEK};

/// Rows to fit: features and outcomes, both already divided by one common scale.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// One row of features per outcome.
    pub features: Vec<[f32; FEATURE_COUNT]>,
    /// Demand at arrival.
    pub outcomes: Vec<f32>,
    /// Weight of each row, mean about 1.
    pub weights: Vec<f32>,
}

/// What all levels of one fit share: feature scales and the factorised second moments.
#[derive(Clone, Debug)]
pub struct Preconditioner {
    scales: [f32; FEATURE_COUNT],
    factor: Vec<[f64; FEATURE_COUNT]>,
    ridge: f64,
}

/// Coefficients on scaled features.
pub type Coefficients = [f32; FEATURE_COUNT];

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }
}

impl Preconditioner {
    /// Scales the features of `rows` in place to a mean square of one and factorises their moments.
    pub fn prepare(rows: &mut Rows, ridge: f64) -> Self {
        let mut squares = [0.0f64; FEATURE_COUNT];
        for row in &rows.features {
            for j in 0..FEATURE_COUNT {
                squares[j] += f64::from(row[j]) * f64::from(row[j]);
            }
        }
        let count = rows.len().max(1) as f64;
        let scales = squares.map(|square| (libm::sqrt(square / count) as f32).max(1e-6));
        for row in &mut rows.features {
            for j in 0..FEATURE_COUNT {
                row[j] /= scales[j];
            }
        }
        let mut moments = vec![[0.0f64; FEATURE_COUNT]; FEATURE_COUNT];
        // A third of the rows is enough: the moments only precondition.
        let stride = if rows.len() > 3000 { 3 } else { 1 };
        let mut total = 0.0;
        for (row, &weight) in rows.features.iter().zip(&rows.weights).step_by(stride) {
            total += f64::from(weight);
            for j in 0..FEATURE_COUNT {
                let weighted = f64::from(row[j] * weight);
                for k in 0..=j {
                    moments[j][k] += weighted * f64::from(row[k]);
                }
            }
        }
        for (j, line) in moments.iter_mut().enumerate() {
            for value in line.iter_mut() {
                *value /= total.max(1e-9);
            }
            line[j] += ridge.max(1e-4);
        }
        Self {
            scales,
            factor: cholesky(moments),
            ridge,
        }
    }

    /// Coefficients on features as observed.
    pub fn to_raw(&self, coefficients: &Coefficients) -> [f64; FEATURE_COUNT] {
        std::array::from_fn(|j| f64::from(coefficients[j]) / f64::from(self.scales[j]))
    }

    /// Coefficients on scaled features.
    pub fn from_raw(&self, raw: &[f64; FEATURE_COUNT]) -> Coefficients {
        std::array::from_fn(|j| (raw[j] * f64::from(self.scales[j])) as f32)
    }

    fn solve(&self, gradient: &[f64; FEATURE_COUNT]) -> [f64; FEATURE_COUNT] {
        let mut x = *gradient;
        for j in 0..FEATURE_COUNT {
            for k in 0..j {
                x[j] -= self.factor[j][k] * x[k];
            }
            x[j] /= self.factor[j][j];
        }
        for j in (0..FEATURE_COUNT).rev() {
            for k in j + 1..FEATURE_COUNT {
                x[j] -= self.factor[k][j] * x[k];
            }
            x[j] /= self.factor[j][j];
        }
        x
    }
}

/// Fits one level, starting at `start` and shrinking towards `prior` (both on scaled features).
pub fn fit_level(
    rows: &Rows,
    shared: &Preconditioner,
    level: f64,
    start: &Coefficients,
    prior: &Coefficients,
    passes: usize,
) -> Coefficients {
    let mut beta = start.map(f64::from);
    let mut residuals = vec![0.0f32; rows.len()];
    fill_residuals(rows, &beta, &mut residuals);
    // Wide smoothing finds the way, narrow smoothing the place.
    for (share, stage_passes) in [(0.5, passes / 2), (0.12, passes - passes / 2)] {
        let width = (share * mean_absolute(&residuals)).max(1e-6);
        descend(
            rows,
            shared,
            level,
            width,
            prior,
            stage_passes,
            &mut beta,
            &mut residuals,
        );
    }
    let shift = exact_shift(rows, &residuals, level);
    beta[LEVEL_WEEK] += f64::from(shift);
    beta.map(|value| value as f32)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the inner loop of one function, split for reading"
)]
fn descend(
    rows: &Rows,
    shared: &Preconditioner,
    level: f64,
    width: f32,
    prior: &Coefficients,
    passes: usize,
    beta: &mut [f64; FEATURE_COUNT],
    residuals: &mut [f32],
) {
    let mut step = f64::from(width) * 2.0;
    let mut best = (f64::INFINITY, *beta);
    let mut before: Option<([f64; FEATURE_COUNT], [f64; FEATURE_COUNT])> = None;
    for _ in 0..passes {
        fill_residuals(rows, beta, residuals);
        let (loss, mut gradient) = gradient(rows, residuals, level, width);
        let mut penalty = 0.0;
        for j in 0..FEATURE_COUNT {
            let away = beta[j] - f64::from(prior[j]);
            penalty += 0.5 * shared.ridge * away * away;
            gradient[j] += shared.ridge * away;
        }
        if loss + penalty < best.0 {
            best = (loss + penalty, *beta);
        }
        let direction = shared.solve(&gradient);
        if let Some((beta_before, gradient_before)) = before {
            // Barzilai–Borwein in the metric of the moments: how far the last move went ÷ how much it turned.
            let mut turned = 0.0;
            let mut along = [0.0; FEATURE_COUNT];
            for j in 0..FEATURE_COUNT {
                along[j] = gradient[j] - gradient_before[j];
                turned += (beta[j] - beta_before[j]) * along[j];
            }
            let solved = shared.solve(&along);
            let curved: f64 = (0..FEATURE_COUNT).map(|j| along[j] * solved[j]).sum();
            if turned > 0.0 && curved > 0.0 {
                step = (turned / curved).clamp(step * 0.2, step * 5.0);
            }
        }
        before = Some((*beta, gradient));
        for j in 0..FEATURE_COUNT {
            beta[j] -= step * direction[j];
        }
    }
    *beta = best.1;
    fill_residuals(rows, beta, residuals);
}

fn fill_residuals(rows: &Rows, beta: &[f64; FEATURE_COUNT], residuals: &mut [f32]) {
    let beta = beta.map(|value| value as f32);
    for ((residual, row), outcome) in residuals.iter_mut().zip(&rows.features).zip(&rows.outcomes) {
        let mut lanes = [0.0f32; 8];
        for (chunk, factors) in row.chunks_exact(8).zip(beta.chunks_exact(8)) {
            for lane in 0..8 {
                lanes[lane] += chunk[lane] * factors[lane];
            }
        }
        *residual = outcome - lanes.iter().sum::<f32>();
    }
}

/// The smoothed check loss per row, and its gradient.
fn gradient(rows: &Rows, residuals: &[f32], level: f64, width: f32) -> (f64, [f64; FEATURE_COUNT]) {
    let mut sums = [0.0f64; FEATURE_COUNT];
    let mut loss = 0.0f64;
    let (above, inverse) = (level as f32, 0.5 / width);
    let total: f64 = rows
        .weights
        .iter()
        .map(|&weight| f64::from(weight))
        .sum::<f64>()
        .max(1e-9);
    let blocks = rows
        .features
        .chunks(256)
        .zip(residuals.chunks(256))
        .zip(rows.weights.chunks(256));
    for ((features, residuals), weights) in blocks {
        let mut block = [0.0f32; FEATURE_COUNT];
        let mut block_loss = 0.0f32;
        for ((row, &residual), &weight) in features.iter().zip(residuals).zip(weights) {
            let inside = (0.5 - residual * inverse).clamp(0.0, 1.0);
            let slope = weight * (inside - above);
            let distance = residual.abs();
            let rounded = if distance < width {
                0.5 * (residual * residual / width + width)
            } else {
                distance
            };
            block_loss += weight * (0.5 * rounded + (above - 0.5) * residual);
            for j in 0..FEATURE_COUNT {
                block[j] += slope * row[j];
            }
        }
        loss += f64::from(block_loss);
        for j in 0..FEATURE_COUNT {
            sums[j] += f64::from(block[j]);
        }
    }
    (loss / total, sums.map(|sum| sum / total))
}

/// The change of the level's coefficient that minimises the exact check loss along it.
fn exact_shift(rows: &Rows, residuals: &[f32], level: f64) -> f32 {
    let mut ratios: Vec<(f32, f32)> = Vec::with_capacity(residuals.len());
    for ((row, &residual), &weight) in rows.features.iter().zip(residuals).zip(&rows.weights) {
        if row[LEVEL_WEEK] > 1e-6 {
            ratios.push((residual / row[LEVEL_WEEK], weight * row[LEVEL_WEEK]));
        }
    }
    weighted_quantile(&mut ratios, level)
}

/// The weighted quantile of (value, weight) pairs; zero of none.
pub fn weighted_quantile(pairs: &mut [(f32, f32)], level: f64) -> f32 {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = pairs.iter().map(|pair| f64::from(pair.1)).sum();
    let mut below = 0.0;
    for &(value, weight) in pairs.iter() {
        below += f64::from(weight);
        if below >= level * total {
            return value;
        }
    }
    pairs.last().map_or(0.0, |pair| pair.0)
}

fn mean_absolute(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|value| f64::from(value.abs())).sum();
    (sum / values.len().max(1) as f64) as f32
}

fn cholesky(mut matrix: Vec<[f64; FEATURE_COUNT]>) -> Vec<[f64; FEATURE_COUNT]> {
    for j in 0..FEATURE_COUNT {
        for k in 0..=j {
            let mut value = matrix[j][k];
            for i in 0..k {
                value -= matrix[j][i] * matrix[k][i];
            }
            matrix[j][k] = if j == k {
                libm::sqrt(value.max(1e-9))
            } else {
                value / matrix[k][k]
            };
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_level_leaves_its_share_above() {
        let mut rows = Rows::default();
        let mut seed = 1u64;
        for _ in 0..2000 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let noise = (seed >> 40) as f32 / (1u64 << 24) as f32;
            let base = 1.0 + ((seed >> 20) & 1023) as f32 / 1024.0;
            let mut features = [0.0; FEATURE_COUNT];
            features[0] = 1.0;
            features[1] = base;
            rows.features.push(features);
            rows.outcomes.push(base * (1.0 + noise));
            rows.weights.push(1.0);
        }
        let shared = Preconditioner::prepare(&mut rows, 1e-4);
        let zero = [0.0; FEATURE_COUNT];
        let beta = fit_level(&rows, &shared, 0.9, &zero, &zero, 60);
        let raw = shared.to_raw(&beta);
        assert!((raw[1] - 1.9).abs() < 0.1 && raw[0].abs() < 0.15, "{raw:?}");
    }
}
