//! The smoothed check loss of many rows and its gradient: nearly all of the work of a fit.

use super::quantile_regression::Rows;

/// Rows that are worked on together: their features stay in the nearest cache between residuals and gradient.
const BLOCK: usize = 128;
/// A sample has so many blocks at least, which are so far apart at most.
const SAMPLE_BLOCKS: usize = 16;
const SAMPLE_APART: usize = 4;
/// Rows that are worked on at once, so that their sums stay in registers.
const LANES: usize = 16;

/// Rows in blocks, each feature's values side by side. The last block is filled up with rows of no weight.
#[derive(Clone, Debug)]
pub(super) struct Blocks<const N: usize> {
    blocks: Vec<Block<N>>,
    rows: usize,
}

#[derive(Clone, Debug)]
struct Block<const N: usize> {
    features: [[f32; BLOCK]; N],
    outcomes: [f32; BLOCK],
    weights: [f32; BLOCK],
}

/// A level of the check loss, rounded off around zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckLoss {
    /// The quantile level.
    pub level: f32,
    /// Half the width of the part that is rounded off.
    pub width: f32,
}

impl CheckLoss {
    /// The loss of a residual, and how it falls as the residual's prediction rises.
    fn of(self, residual: f32) -> (f32, f32) {
        let inside = (0.5 - residual * (0.5 / self.width)).clamp(0.0, 1.0);
        let distance = residual.abs();
        let rounded = if distance < self.width {
            0.5 * (residual * residual / self.width + self.width)
        } else {
            distance
        };
        (
            0.5 * rounded + (self.level - 0.5) * residual,
            inside - self.level,
        )
    }
}

impl<const N: usize> Blocks<N> {
    /// Arranges rows.
    pub(super) fn of(rows: &Rows<N>) -> Self {
        let arrange = |(first, features): (usize, &[[f32; N]])| {
            let mut block = Block {
                features: [[0.0; BLOCK]; N],
                outcomes: [0.0; BLOCK],
                weights: [0.0; BLOCK],
            };
            for (place, row) in features.iter().enumerate() {
                for (values, x) in block.features.iter_mut().zip(row) {
                    values[place] = *x;
                }
            }
            let own = first * BLOCK..first * BLOCK + features.len();
            block.outcomes[..features.len()].copy_from_slice(&rows.outcomes[own.clone()]);
            block.weights[..features.len()].copy_from_slice(&rows.weights[own]);
            block
        };
        Self {
            blocks: rows
                .features
                .chunks(BLOCK)
                .enumerate()
                .map(arrange)
                .collect(),
            rows: rows.len(),
        }
    }

    /// What the rows' outcomes are over a linear function of their features.
    pub(super) fn residuals(&self, factors: &[f64; N]) -> Vec<f32> {
        let factors = factors.map(|factor| factor as f32);
        let mut residuals = Vec::with_capacity(self.blocks.len() * BLOCK);
        for block in &self.blocks {
            residuals.extend_from_slice(&block.residuals(&factors));
        }
        residuals.truncate(self.rows);
        residuals
    }

    /// How far apart the blocks of a sample are that is large enough to find the way by; 1: all are needed.
    pub(super) fn sample(&self) -> usize {
        (self.blocks.len() / SAMPLE_BLOCKS).clamp(1, SAMPLE_APART)
    }

    /// The loss per weight and its gradient, over every so many-th block from the newest on.
    pub(super) fn evaluate(
        &self,
        factors: &[f64; N],
        check: CheckLoss,
        apart: usize,
    ) -> (f64, [f64; N]) {
        let factors = factors.map(|factor| factor as f32);
        let (mut loss, mut weight, mut gradient) = (0.0f64, 0.0f64, [0.0f64; N]);
        for block in self.blocks.iter().rev().step_by(apart) {
            let residuals = block.residuals(&factors);
            let (mut slopes, mut losses) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
            for place in 0..BLOCK {
                let (loss, slope) = check.of(residuals[place]);
                losses[place] = block.weights[place] * loss;
                slopes[place] = block.weights[place] * slope;
            }
            loss += f64::from(sum(&losses));
            weight += f64::from(sum(&block.weights));
            for (total, values) in gradient.iter_mut().zip(&block.features) {
                *total += f64::from(dot(values, &slopes));
            }
        }
        let each = 1.0 / weight.max(1e-9);
        (loss * each, gradient.map(|sum| sum * each))
    }
}

impl<const N: usize> Block<N> {
    fn residuals(&self, factors: &[f32; N]) -> [f32; BLOCK] {
        let mut residuals = self.outcomes;
        for (at, residuals) in residuals.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut left = *residuals;
            for (values, factor) in self.features.iter().zip(factors) {
                let values = &values.as_chunks::<LANES>().0[at];
                for lane in 0..LANES {
                    left[lane] -= factor * values[lane];
                }
            }
            *residuals = left;
        }
        residuals
    }
}

fn dot(one: &[f32; BLOCK], other: &[f32; BLOCK]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let pairs = one.as_chunks::<LANES>().0.iter();
    for (one, other) in pairs.zip(other.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes[lane] += one[lane] * other[lane];
        }
    }
    // In halves: one after the other each addition would wait for the one before.
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

fn sum(values: &[f32; BLOCK]) -> f32 {
    dot(values, &[1.0; BLOCK])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, row by row.
    fn plain(rows: &Rows<8>, factors: &[f64; 8], check: CheckLoss) -> (f64, [f64; 8]) {
        let (mut loss, mut gradient, mut total) = (0.0, [0.0; 8], 0.0);
        for ((row, outcome), weight) in rows.features.iter().zip(&rows.outcomes).zip(&rows.weights)
        {
            let value: f64 = row
                .iter()
                .zip(factors)
                .map(|(x, b)| f64::from(*x) * b)
                .sum();
            let (of_it, slope) = check.of((f64::from(*outcome) - value) as f32);
            let weight = f64::from(*weight);
            total += weight;
            loss += weight * f64::from(of_it);
            for (sum, x) in gradient.iter_mut().zip(row) {
                *sum += weight * f64::from(slope) * f64::from(*x);
            }
        }
        (loss / total, gradient.map(|sum| sum / total))
    }

    #[test]
    fn blocks_sum_what_rows_do_whatever_their_number() {
        let mut seed = 7u64;
        let mut draw = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f32 / (1u64 << 24) as f32
        };
        for count in [1, 127, 128, 300] {
            let rows = Rows {
                features: (0..count)
                    .map(|_| std::array::from_fn(|_| draw()))
                    .collect(),
                outcomes: (0..count).map(|_| 4.0 * draw()).collect(),
                weights: (0..count).map(|_| 0.5 + draw()).collect(),
            };
            let (factors, check) = (
                [0.3, 0.9, 0.1, 0.7, 0.2, 0.5, 0.4, 0.6],
                CheckLoss {
                    level: 0.9,
                    width: 0.4,
                },
            );
            let blocks = Blocks::of(&rows);
            let (loss, gradient) = blocks.evaluate(&factors, check, 1);
            let (own_loss, own_gradient) = plain(&rows, &factors, check);
            assert!((loss - own_loss).abs() < 1e-5, "{count}: {loss} {own_loss}");
            for (one, other) in gradient.iter().zip(own_gradient) {
                assert!((one - other).abs() < 1e-5, "{count}: {one} {other}");
            }
            assert_eq!(blocks.residuals(&factors).len(), count);
        }
    }
}
