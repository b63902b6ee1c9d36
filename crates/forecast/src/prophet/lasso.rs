//! Least squares in which some coefficients are drawn to nothing.

/// A least squares problem as its normal equations, ½·xᵀGx − bᵀx, with normal priors on the first
/// coefficients and Laplace priors on the rest: adds v·(½·Σ pᵢ·xᵢ² + w·Σ |xⱼ|), where v is the variance
/// of the noise, i runs over the first coefficients and j over the rest.
#[derive(Clone, Debug)]
pub(super) struct Lasso {
    size: usize,
    /// Row by row; only the upper triangle is filled.
    gram: Vec<f64>,
    right: Vec<f64>,
}

/// Keeps solutions finite where columns say the same; far under what the data can tell.
const RIDGE: f64 = 1e-11;

/// Slopes this close to a kink, as a share of its weight, count as at rest.
const SLACK: f64 = 1e-7;

impl Lasso {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            gram: vec![0.0; size * size],
            right: vec![0.0; size],
        }
    }

    /// Adds one observation.
    pub(super) fn add(&mut self, columns: &[f64], value: f64) {
        for (place, &column) in columns.iter().enumerate() {
            // Holidays and late changepoints are nearly always 0.
            if column == 0.0 {
                continue;
            }
            self.right[place] += column * value;
            let row = &mut self.gram[place * self.size + place..(place + 1) * self.size];
            for (sum, other) in row.iter_mut().zip(&columns[place..]) {
                *sum += column * other;
            }
        }
    }

    /// Improves `x` to the solution, as it stands for a noise of this variance.
    ///
    /// The first coefficients are eliminated (a Cholesky factorisation in part); the rest is solved exactly
    /// by trying signs (Lee, Battle, Raina and Ng 2006: Efficient sparse coding algorithms), starting at `x`.
    pub(super) fn solve(&self, precisions: &[f64], weight: f64, variance: f64, x: &mut [f64]) {
        let (size, first) = (self.size, precisions.len());
        let mut matrix = self.gram.clone();
        let mut right = self.right.clone();
        for place in 0..size {
            let diagonal = &mut matrix[place * size + place];
            *diagonal += RIDGE * *diagonal + f64::MIN_POSITIVE;
            if let Some(precision) = precisions.get(place) {
                *diagonal += variance * precision;
            }
        }
        // Upper triangular rows; what is left of the matrix below them belongs to the rest.
        for pivot in 0..first {
            let floor = RIDGE * self.gram[pivot * size + pivot] + f64::MIN_POSITIVE;
            let root = matrix[pivot * size + pivot].max(floor).sqrt();
            for column in pivot..size {
                matrix[pivot * size + column] /= root;
            }
            right[pivot] /= root;
            for row in pivot + 1..size {
                let share = matrix[pivot * size + row];
                if share == 0.0 {
                    continue;
                }
                let (above, below) = matrix.split_at_mut(row * size);
                let pivot_row = &above[pivot * size + row..(pivot + 1) * size];
                for (cell, other) in below[row..size].iter_mut().zip(pivot_row) {
                    *cell -= share * other;
                }
                right[row] -= share * right[pivot];
            }
        }
        let rest = Rest {
            size: size - first,
            matrix: (first..size)
                .flat_map(|row| {
                    let matrix = &matrix;
                    (first..size)
                        .map(move |column| matrix[row.min(column) * size + row.max(column)])
                })
                .collect(),
            right: right[first..].to_vec(),
            weight: variance * weight,
        };
        rest.solve(&mut x[first..]);
        for row in (0..first).rev() {
            let known: f64 = (row + 1..size)
                .map(|column| matrix[row * size + column] * x[column])
                .sum();
            x[row] = (right[row] - known) / matrix[row * size + row];
        }
    }
}

/// ½·xᵀAx − bᵀx + w·Σ |x|.
struct Rest {
    size: usize,
    matrix: Vec<f64>,
    right: Vec<f64>,
    weight: f64,
}

impl Rest {
    fn row(&self, place: usize) -> &[f64] {
        &self.matrix[place * self.size..][..self.size]
    }

    fn slope(&self, place: usize, x: &[f64]) -> f64 {
        let product: f64 = self.row(place).iter().zip(x).map(|(a, x)| a * x).sum();
        product - self.right[place]
    }

    fn value(&self, x: &[f64]) -> f64 {
        (0..self.size)
            .map(|place| {
                let half = 0.5 * (self.slope(place, x) - self.right[place]);
                x[place] * half + self.weight * x[place].abs()
            })
            .sum()
    }

    /// Frees one coefficient after the other from 0, and fits those that are free for as long as none
    /// changes its sign.
    fn solve(&self, x: &mut [f64]) {
        let mut signs: Vec<f64> = x.iter().map(|&x| sign(x)).collect();
        // Each round lowers the value or ends; the bound is for rounding errors.
        for _ in 0..20 * self.size + 20 {
            let settled = self.fit(x, &mut signs);
            if !settled {
                continue;
            }
            let slack = self.weight * (1.0 + SLACK) + f64::MIN_POSITIVE;
            let free = (0..self.size)
                .filter(|&place| signs[place] == 0.0)
                .map(|place| (place, self.slope(place, x)))
                .filter(|(_, slope)| slope.abs() > slack)
                .reduce(|most, next| {
                    if next.1.abs() > most.1.abs() {
                        next
                    } else {
                        most
                    }
                });
            let Some((place, slope)) = free else { return };
            signs[place] = -sign(slope);
        }
    }

    /// Moves the free coefficients towards the optimum for their signs, to the best place on the way
    /// at which one reaches 0. Says whether the optimum was reached.
    fn fit(&self, x: &mut [f64], signs: &mut [f64]) -> bool {
        let free: Vec<usize> = (0..self.size)
            .filter(|&place| signs[place] != 0.0)
            .collect();
        let Some(target) = self.optimum(&free, signs) else {
            return true;
        };
        let start = x.to_vec();
        let moved = |share: f64, x: &mut [f64]| {
            for (&place, target) in free.iter().zip(&target) {
                x[place] = start[place] + share * (target - start[place]);
            }
        };
        let crossings = free.iter().zip(&target).filter_map(|(&place, target)| {
            let leaves = start[place] * target < 0.0;
            leaves.then(|| (start[place] / (start[place] - target), Some(place)))
        });
        let consistent = free
            .iter()
            .zip(&target)
            .all(|(&place, target)| target * signs[place] >= 0.0);
        if consistent {
            moved(1.0, x);
            return true;
        }
        let mut best: Option<(f64, f64, Option<usize>)> = None;
        for (share, at_zero) in crossings.chain([(1.0, None)]) {
            moved(share, x);
            if let Some(place) = at_zero {
                x[place] = 0.0;
            }
            let value = self.value(x);
            if best.is_none_or(|(least, _, _)| value < least) {
                best = Some((value, share, at_zero));
            }
        }
        if let Some((_, share, at_zero)) = best {
            moved(share, x);
            if let Some(place) = at_zero {
                x[place] = 0.0;
            }
        }
        for &place in &free {
            signs[place] = sign(x[place]);
        }
        false
    }

    /// The least over the free coefficients if they keep their signs; `None` if none is free.
    fn optimum(&self, free: &[usize], signs: &[f64]) -> Option<Vec<f64>> {
        let size = free.len();
        let mut lower = vec![0.0; size * size];
        let mut x: Vec<f64> = free
            .iter()
            .map(|&place| self.right[place] - self.weight * signs[place])
            .collect();
        for row in 0..size {
            for column in 0..=row {
                let (before, cells) = (column * size, row * size);
                let done: f64 = (0..column)
                    .map(|place| lower[cells + place] * lower[before + place])
                    .sum();
                let cell = self.row(free[row])[free[column]] - done;
                lower[cells + column] = if row == column {
                    let floor = RIDGE * self.row(free[row])[free[row]] + f64::MIN_POSITIVE;
                    cell.max(floor).sqrt()
                } else {
                    cell / lower[before + column]
                };
            }
            let known: f64 = (0..row)
                .map(|place| lower[row * size + place] * x[place])
                .sum();
            x[row] = (x[row] - known) / lower[row * size + row];
        }
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size)
                .map(|place| lower[place * size + row] * x[place])
                .sum();
            x[row] = (x[row] - known) / lower[row * size + row];
        }
        (size > 0).then_some(x)
    }
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimise::Lbfgs;
    use crate::rng::Rng;

    #[test]
    fn reaches_what_a_general_search_reaches() {
        let (first, size, rows) = (4, 12, 60);
        for seed in 0..20 {
            let mut rng = Rng::new(seed, 0);
            let data: Vec<(Vec<f64>, f64)> = (0..rows)
                .map(|row| {
                    let hinge =
                        |place: usize| (f64::from(row) / 60.0 - place as f64 / 9.0).max(0.0);
                    let column = |place: usize| {
                        if place < first {
                            rng.uniform() - 0.5
                        } else {
                            hinge(place - first)
                        }
                    };
                    let columns: Vec<f64> = (0..size).map(column).collect();
                    let value = columns[1] + 3.0 * columns[7] + rng.uniform();
                    (columns, value)
                })
                .collect();
            let mut lasso = Lasso::new(size);
            for (columns, value) in &data {
                lasso.add(columns, *value);
            }
            let (precisions, weight, variance) = ([0.1; 4], 3.0, 0.2);
            let smooth = |x: &[f64], gradient: &mut [f64]| {
                gradient.fill(0.0);
                let mut value = 0.0;
                for (columns, target) in &data {
                    let off: f64 = columns.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() - target;
                    value += 0.5 * off * off;
                    for (slope, column) in gradient.iter_mut().zip(columns) {
                        *slope += off * column;
                    }
                }
                for place in 0..first {
                    value += 0.5 * variance * precisions[place] * x[place] * x[place];
                    gradient[place] += variance * precisions[place] * x[place];
                }
                value
            };
            let weights: Vec<f64> = (0..size)
                .map(|place| {
                    if place < first {
                        0.0
                    } else {
                        variance * weight
                    }
                })
                .collect();
            let penalised = |x: &[f64]| {
                let kinks: f64 = weights.iter().zip(x).map(|(w, x)| w * x.abs()).sum();
                smooth(x, &mut vec![0.0; size]) + kinks
            };
            let mut exact = vec![0.0; size];
            lasso.solve(&precisions, weight, variance, &mut exact);
            let mut searched = vec![0.0; size];
            Lbfgs::default().minimise(&mut searched, &weights, smooth);
            let (reached, other) = (penalised(&exact), penalised(&searched));
            assert!(
                reached <= other + 1e-9 && other < reached + 1e-4,
                "{reached} {other}"
            );
            let mut again = vec![-0.3; size];
            lasso.solve(&precisions, weight, variance, &mut again);
            assert!((penalised(&again) - reached).abs() < 1e-9, "seed {seed}");
        }
    }
}
