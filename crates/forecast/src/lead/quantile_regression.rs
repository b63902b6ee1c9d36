//! Linear quantile regression by preconditioned gradient descent on a smoothed check loss.
//!
//! The check loss at level `q` is the Lagrangian of buying: a unit too many costs 1, a unit too few
//! costs `q / (1 − q)`. Minimising it over linear policies is therefore buying itself, whether or not
//! demand is linear in the features. Smoothing (He et al. 2023, "conquer") gives a gradient; the
//! Barzilai–Borwein step makes it converge in tens of passes; the last move is exact.

use super::check_loss::{Blocks, CheckLoss};
use super::triangle::{cholesky, solve};

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

/// What all levels of one fit share: feature scales, the factorised second moments, and the rows as passes read them.
#[derive(Clone, Debug)]
pub struct Preconditioner<const N: usize> {
    scales: [f32; N],
    factor: Vec<[f64; N]>,
    blocks: Blocks<N>,
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
            let wide = row.map(f64::from);
            for (j, line) in moments.iter_mut().enumerate() {
                let weighted = f64::from(row[j] * weight);
                for (moment, x) in line[..=j].iter_mut().zip(&wide) {
                    *moment += weighted * x;
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
            blocks: Blocks::of(rows),
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

/// Fits one level to the rows that the preconditioner was prepared with.
pub fn fit_level<const N: usize>(
    rows: &Rows<N>,
    shared: &Preconditioner<N>,
    task: &LevelFit<N>,
) -> Coefficients<N> {
    let mut beta = task.start.map(f64::from);
    let mut residuals = shared.blocks.residuals(&beta);
    // Wide smoothing finds the way, for which a sample is enough, narrow smoothing the place.
    for (share, passes, apart) in [
        (0.5, task.passes / 2, shared.blocks.sample()),
        (0.12, task.passes - task.passes / 2, 1),
    ] {
        let check = CheckLoss {
            level: task.level as f32,
            width: (share * mean_absolute(&residuals)).max(1e-6),
        };
        beta = descend(shared, &LevelFit { passes, ..*task }, check, apart, beta);
        residuals = shared.blocks.residuals(&beta);
    }
    beta[FLOOR] += f64::from(exact_shift(rows, &residuals, task.level));
    beta.map(|value| value as f32)
}

/// Goes down from `beta`; gives the best place that was seen on the way.
fn descend<const N: usize>(
    shared: &Preconditioner<N>,
    task: &LevelFit<N>,
    check: CheckLoss,
    apart: usize,
    mut beta: [f64; N],
) -> [f64; N] {
    let mut step = f64::from(check.width) * 2.0;
    let mut best = (f64::INFINITY, beta);
    let mut before: Option<([f64; N], [f64; N])> = None;
    for _ in 0..task.passes {
        let (loss, mut gradient) = shared.blocks.evaluate(&beta, check, apart);
        let mut penalty = 0.0;
        for j in 0..N {
            let away = beta[j] - f64::from(task.prior[j]);
            penalty += 0.5 * task.ridge * away * away;
            gradient[j] += task.ridge * away;
        }
        if loss + penalty < best.0 {
            best = (loss + penalty, beta);
        }
        let direction = solve(&shared.factor, &gradient);
        if let Some((beta_before, gradient_before)) = before {
            // Barzilai–Borwein in the metric of the moments: how far the last move went ÷ how much it turned.
            let along: [f64; N] = std::array::from_fn(|j| gradient[j] - gradient_before[j]);
            let turned: f64 = (0..N).map(|j| (beta[j] - beta_before[j]) * along[j]).sum();
            let solved = solve(&shared.factor, &along);
            let curved: f64 = (0..N).map(|j| along[j] * solved[j]).sum();
            if turned > 0.0 && curved > 0.0 {
                step = (turned / curved).clamp(step * 0.2, step * 5.0);
            }
        }
        before = Some((beta, gradient));
        for j in 0..N {
            beta[j] -= step * direction[j];
        }
    }
    best.1
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

/// The weighted quantile of (value, weight) pairs; zero of none. Halves what the quantile may be in, so that it takes
/// time in proportion to their number.
pub fn weighted_quantile(mut pairs: &mut [(f32, f32)], level: f64) -> f32 {
    let weigh = |pairs: &[(f32, f32)]| pairs.iter().map(|pair| f64::from(pair.1)).sum::<f64>();
    let mut wanted = level * weigh(pairs);
    while pairs.len() > 1 {
        let half = pairs.len() / 2;
        pairs.select_nth_unstable_by(half, |a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (below, rest) = pairs.split_at_mut(half);
        let weight = weigh(below);
        if weight >= wanted {
            pairs = below;
        } else {
            wanted -= weight;
            pairs = rest;
        }
    }
    pairs.first().map_or(0.0, |pair| pair.0)
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
