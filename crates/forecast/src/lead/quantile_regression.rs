//! Linear quantile regression by preconditioned gradient descent on a smoothed check loss.
//!
//! The check loss at level `q` is the Lagrangian of buying: a unit too many costs 1, a unit too few
//! costs `q / (1 − q)`. Minimising it over linear policies is therefore buying itself, whether or not
//! demand is linear in the features. Smoothing (He et al. 2023, "conquer") gives a gradient; the
//! Barzilai–Borwein step makes it converge in tens of passes; the last move is exact.

/// Index of the feature that the last, exact move is along: a floor that every fit has.
pub const FLOOR: usize = 0;

/// Rows to fit: features and outcomes, both already divided by one common scale.
#[derive(Clone, Debug)]
pub struct Rows<const N: usize> {
    /// One row of features per outcome.
    pub features: Vec<[f32; N]>,
    /// Demand at arrival.
    pub outcomes: Vec<f32>,
    /// Weight of each row, mean about 1.
    pub weights: Vec<f32>,
}

/// Rows the second moments are taken from, about: forty for each feature.
const MOMENT_ROWS: usize = 1600;

/// What all levels of one fit share: feature scales and the factorised second moments.
#[derive(Clone, Debug)]
pub struct Preconditioner<const N: usize> {
    scales: [f32; N],
    factor: Vec<[f64; N]>,
}

/// Coefficients on scaled features.
pub type Coefficients<const N: usize> = [f32; N];

impl<const N: usize> Rows<N> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }
}

impl<const N: usize> Preconditioner<N> {
    /// Scales the features of `rows` in place to a mean square of one and factorises their moments.
    pub fn prepare(rows: &mut Rows<N>, ridge: f64) -> Self {
        Self::prepare_with(rows, ridge, (N, 1.0))
    }

    /// The same, but features from a place on are scaled so much smaller, so that the ridge holds their coefficients by
    /// the square of that more strongly.
    pub fn prepare_with(rows: &mut Rows<N>, ridge: f64, (from, strictness): (usize, f64)) -> Self {
        let mut squares = [0.0f64; N];
        for row in &rows.features {
            for j in 0..N {
                squares[j] += f64::from(row[j]) * f64::from(row[j]);
            }
        }
        let count = rows.len().max(1) as f64;
        let mut scales = squares.map(|square| (libm::sqrt(square / count) as f32).max(1e-6));
        for scale in scales.iter_mut().skip(from) {
            *scale *= strictness as f32;
        }
        for row in &mut rows.features {
            for j in 0..N {
                row[j] /= scales[j];
            }
        }
        let mut moments = vec![[0.0f64; N]; N];
        // Some rows are enough: the moments only precondition.
        let stride = (rows.len() / MOMENT_ROWS).max(1);
        let mut total = 0.0;
        for (row, &weight) in rows.features.iter().zip(&rows.weights).step_by(stride) {
            total += f64::from(weight);
            for j in 0..N {
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
        }
    }

    /// The scale a feature was divided by.
    pub fn scale(&self, feature: usize) -> f64 {
        f64::from(self.scales[feature])
    }

    /// Coefficients on features as observed.
    pub fn outward(&self, coefficients: &Coefficients<N>) -> [f64; N] {
        std::array::from_fn(|j| f64::from(coefficients[j]) / f64::from(self.scales[j]))
    }

    /// Coefficients on scaled features.
    pub fn inward(&self, raw: &[f64; N]) -> Coefficients<N> {
        std::array::from_fn(|j| (raw[j] * f64::from(self.scales[j])) as f32)
    }

    fn solve(&self, gradient: &[f64; N]) -> [f64; N] {
        let mut x = *gradient;
        for j in 0..N {
            for k in 0..j {
                x[j] -= self.factor[j][k] * x[k];
            }
            x[j] /= self.factor[j][j];
        }
        for j in (0..N).rev() {
            for k in j + 1..N {
                x[j] -= self.factor[k][j] * x[k];
            }
            x[j] /= self.factor[j][j];
        }
        x
    }
}

/// One level to fit; coefficients on scaled features.
#[derive(Clone, Copy, Debug)]
pub struct LevelFit<const N: usize> {
    /// The quantile level.
    pub level: f64,
    /// Where to start.
    pub start: Coefficients<N>,
    /// Where to shrink to.
    pub prior: Coefficients<N>,
    /// How much to shrink, per row.
    pub ridge: f64,
    /// Passes over the rows.
    pub passes: usize,
}

/// Fits one level.
pub fn fit_level<const N: usize>(
    rows: &Rows<N>,
    shared: &Preconditioner<N>,
    task: &LevelFit<N>,
) -> Coefficients<N> {
    let mut beta = task.start.map(f64::from);
    let mut residuals = vec![0.0f32; rows.len()];
    fill_residuals(rows, &beta, &mut residuals);
    // Wide smoothing finds the way, narrow smoothing the place.
    for (share, passes) in [
        (0.5, task.passes / 2),
        (0.12, task.passes - task.passes / 2),
    ] {
        let width = (share * mean_absolute(&residuals)).max(1e-6);
        descend(
            rows,
            shared,
            &LevelFit { passes, ..*task },
            width,
            &mut beta,
            &mut residuals,
        );
    }
    beta[FLOOR] += f64::from(exact_shift(rows, &residuals, task.level));
    beta.map(|value| value as f32)
}

fn descend<const N: usize>(
    rows: &Rows<N>,
    shared: &Preconditioner<N>,
    task: &LevelFit<N>,
    width: f32,
    beta: &mut [f64; N],
    residuals: &mut [f32],
) {
    let total: f64 = rows
        .weights
        .iter()
        .map(|&weight| f64::from(weight))
        .sum::<f64>()
        .max(1e-9);
    let mut step = f64::from(width) * 2.0;
    let mut best = (f64::INFINITY, *beta);
    let mut before: Option<([f64; N], [f64; N])> = None;
    for _ in 0..task.passes {
        let (loss, mut gradient) = evaluate(rows, beta, task.level, width, total, residuals);
        let mut penalty = 0.0;
        for j in 0..N {
            let away = beta[j] - f64::from(task.prior[j]);
            penalty += 0.5 * task.ridge * away * away;
            gradient[j] += task.ridge * away;
        }
        if loss + penalty < best.0 {
            best = (loss + penalty, *beta);
        }
        let direction = shared.solve(&gradient);
        if let Some((beta_before, gradient_before)) = before {
            // Barzilai–Borwein in the metric of the moments: how far the last move went ÷ how much it turned.
            let along: [f64; N] = std::array::from_fn(|j| gradient[j] - gradient_before[j]);
            let turned: f64 = (0..N).map(|j| (beta[j] - beta_before[j]) * along[j]).sum();
            let solved = shared.solve(&along);
            let curved: f64 = (0..N).map(|j| along[j] * solved[j]).sum();
            if turned > 0.0 && curved > 0.0 {
                step = (turned / curved).clamp(step * 0.2, step * 5.0);
            }
        }
        before = Some((*beta, gradient));
        for j in 0..N {
            beta[j] -= step * direction[j];
        }
    }
    *beta = best.1;
    fill_residuals(rows, beta, residuals);
}

fn fill_residuals<const N: usize>(rows: &Rows<N>, beta: &[f64; N], residuals: &mut [f32]) {
    let factors = beta.map(|value| value as f32);
    for ((residual, row), outcome) in residuals.iter_mut().zip(&rows.features).zip(&rows.outcomes) {
        *residual = outcome - dot(row, &factors);
    }
}

/// Rows handled together, so that a block stays in the nearest cache between residual and gradient.
const BLOCK: usize = 128;

/// The smoothed check loss per row and its gradient; leaves the residuals of `beta` behind.
fn evaluate<const N: usize>(
    rows: &Rows<N>,
    beta: &[f64; N],
    level: f64,
    width: f32,
    total: f64,
    residuals: &mut [f32],
) -> (f64, [f64; N]) {
    let mut sums = [0.0f64; N];
    let mut loss = 0.0f64;
    let (above, inverse) = (level as f32, 0.5 / width);
    let factors = beta.map(|value| value as f32);
    let blocks = rows
        .features
        .chunks(BLOCK)
        .zip(rows.outcomes.chunks(BLOCK))
        .zip(rows.weights.chunks(BLOCK))
        .zip(residuals.chunks_mut(BLOCK));
    for (((features, outcomes), weights), residuals) in blocks {
        let mut block = [0.0f32; N];
        let mut block_loss = 0.0f32;
        for (((row, &outcome), &weight), kept) in features
            .iter()
            .zip(outcomes)
            .zip(weights)
            .zip(residuals.iter_mut())
        {
            let residual = outcome - dot(row, &factors);
            *kept = residual;
            let inside = (0.5 - residual * inverse).clamp(0.0, 1.0);
            let slope = weight * (inside - above);
            let distance = residual.abs();
            let rounded = if distance < width {
                0.5 * (residual * residual / width + width)
            } else {
                distance
            };
            block_loss += weight * (0.5 * rounded + (above - 0.5) * residual);
            for j in 0..N {
                block[j] += slope * row[j];
            }
        }
        loss += f64::from(block_loss);
        for j in 0..N {
            sums[j] += f64::from(block[j]);
        }
    }
    (loss / total, sums.map(|sum| sum / total))
}

fn dot<const N: usize>(row: &[f32; N], factors: &[f32; N]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (chunk, factors) in row.chunks_exact(8).zip(factors.chunks_exact(8)) {
        for lane in 0..8 {
            lanes[lane] += chunk[lane] * factors[lane];
        }
    }
    lanes.iter().sum()
}

/// The change of the level's coefficient that minimises the exact check loss along it.
fn exact_shift<const N: usize>(rows: &Rows<N>, residuals: &[f32], level: f64) -> f32 {
    let mut ratios: Vec<(f32, f32)> = Vec::with_capacity(residuals.len());
    for ((row, &residual), &weight) in rows.features.iter().zip(residuals).zip(&rows.weights) {
        if row[FLOOR] > 1e-6 {
            ratios.push((residual / row[FLOOR], weight * row[FLOOR]));
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

/// The value of a linear function on every row.
pub fn values<const N: usize>(rows: &Rows<N>, coefficients: &Coefficients<N>) -> Vec<f32> {
    rows.features
        .iter()
        .map(|row| row.iter().zip(coefficients).map(|(x, b)| x * b).sum())
        .collect()
}

fn mean_absolute(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|value| f64::from(value.abs())).sum();
    (sum / values.len().max(1) as f64) as f32
}

#[expect(clippy::needless_range_loop, reason = "three indices of one triangle")]
fn cholesky<const N: usize>(mut matrix: Vec<[f64; N]>) -> Vec<[f64; N]> {
    for j in 0..N {
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
        let mut rows = Rows {
            features: Vec::new(),
            outcomes: Vec::new(),
            weights: Vec::new(),
        };
        let mut seed = 1u64;
        for _ in 0..2000 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let noise = (seed >> 40) as f32 / (1u64 << 24) as f32;
            let base = 1.0 + ((seed >> 20) & 1023) as f32 / 1024.0;
            let mut features = [0.0; 8];
            features[0] = 1.0;
            features[1] = base;
            rows.features.push(features);
            rows.outcomes.push(base * (1.0 + noise));
            rows.weights.push(1.0);
        }
        let shared = Preconditioner::prepare(&mut rows, 1e-4);
        let zero = [0.0; 8];
        let beta = fit_level(
            &rows,
            &shared,
            &LevelFit {
                level: 0.9,
                start: zero,
                prior: zero,
                ridge: 1e-4,
                passes: 60,
            },
        );
        let raw = shared.outward(&beta);
        assert!((raw[1] - 1.9).abs() < 0.1 && raw[0].abs() < 0.15, "{raw:?}");
    }
}
