//! Robust Bayesian linear regression by normal equations, with errors out of fold.
//!
//! Weights have a normal prior around given values with a standard deviation in *natural* units:
//! features and target share one unit, so a weight of 1 copies a feature, and a prior as wide as that is
//! weak where the signal is strong and strong where there is only noise. (The usual ridge on
//! standardised features shrinks both alike.) Least absolute errors by reweighting, bounded near zero:
//! squares within the typical error, lines beyond (Huber 1964).
//!
//! The error of each row is taken from the fit without its stretch of time (cross-conformal: Vovk
//! 2015; "CV+": Barber, Candès, Ramdas and Tibshirani 2021); from the sums that is one small solve a stretch.

/// How wide the prior is, times how many rows tell as much as one independent one: 100 = 25 ÷ 0.5².
/// Rows overlap in target and origin; a weight may well be off its prior by a half.
const PRIOR_STRENGTH: f64 = 100.0;

/// Rounds of reweighting.
const ROUNDS: usize = 3;

/// Rows to learn from, all of one lead's neighbourhood.
pub(super) struct Rows {
    pub(super) width: usize,
    /// Row after row.
    pub(super) features: Vec<f64>,
    pub(super) targets: Vec<f64>,
    pub(super) weights: Vec<f64>,
    /// The stretch of time of each row, under [`FOLDS`].
    pub(super) folds: Vec<usize>,
}

/// Stretches of time that are left out in turn.
pub(super) const FOLDS: usize = 6;

/// What was learned.
pub(super) struct Fitted {
    pub(super) coefficients: Vec<f64>,
    /// The error of each row as seen from the other stretches.
    pub(super) errors: Vec<f64>,
}

/// Sums of products: the lower triangle of XᵀWX and XᵀWy.
#[derive(Clone)]
struct Sums {
    products: Vec<f64>,
    targets: Vec<f64>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self {
            products: vec![0.0; width * width],
            targets: vec![0.0; width],
        }
    }

    fn add(&mut self, row: &[f64], target: f64, weight: f64) {
        let width = row.len();
        for (place, &feature) in row.iter().enumerate() {
            let weighted = weight * feature;
            self.targets[place] += weighted * target;
            let products = &mut self.products[place * width..=place * width + place];
            for (product, &other) in products.iter_mut().zip(row) {
                *product += weighted * other;
            }
        }
    }

    fn plus(&mut self, other: &Self) {
        let add = |all: &mut [f64], other: &[f64]| {
            all.iter_mut()
                .zip(other)
                .for_each(|(all, &other)| *all += other);
        };
        add(&mut self.products, &other.products);
        add(&mut self.targets, &other.targets);
    }

    /// The solution with this penalty on each weight, by Cholesky; a direction without data stays at 0.
    fn solve(&self, penalty: f64) -> Vec<f64> {
        let width = self.targets.len();
        let largest = (0..width)
            .map(|place| self.products[place * width + place])
            .fold(0.0, f64::max);
        // A penalty of rounding size at least, so that copies of a feature do no harm.
        let penalty = penalty + 1e-9 * largest;
        let mut factor = self.products.clone();
        let mut solution = self.targets.clone();
        for row in 0..width {
            for column in 0..=row {
                let mut value = factor[row * width + column];
                for place in 0..column {
                    value -= factor[row * width + place] * factor[column * width + place];
                }
                factor[row * width + column] = if row == column {
                    (value + penalty).max(penalty).sqrt()
                } else {
                    divided(value, factor[column * width + column])
                };
            }
            let mut value = solution[row];
            for place in 0..row {
                value -= factor[row * width + place] * solution[place];
            }
            solution[row] = divided(value, factor[row * width + row]);
        }
        for row in (0..width).rev() {
            let mut value = solution[row];
            for place in row + 1..width {
                value -= factor[place * width + row] * solution[place];
            }
            solution[row] = divided(value, factor[row * width + row]);
        }
        solution
    }
}

fn divided(value: f64, by: f64) -> f64 {
    if by > 0.0 { value / by } else { 0.0 }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Learns the weights of the features around their prior.
pub(super) fn fit(rows: &Rows, prior: &[f64]) -> Fitted {
    let width = rows.width;
    let row = |at: usize| &rows.features[at * width..(at + 1) * width];
    // Relative to the prior's forecast.
    let targets: Vec<f64> = (0..rows.targets.len())
        .map(|at| rows.targets[at] - dot(row(at), prior))
        .collect();
    let mean_weight = rows.weights.iter().sum::<f64>() / rows.weights.len().max(1) as f64;
    let mut change = vec![0.0; width];
    let mut by_fold = vec![Sums::new(width); FOLDS];
    let mut penalty = 0.0;
    let mut sizes = Vec::with_capacity(targets.len());
    for _ in 0..ROUNDS {
        sizes.clear();
        sizes.extend((0..targets.len()).map(|at| (targets[at] - dot(row(at), &change)).abs()));
        let mut sorted = sizes.clone();
        let typical = crate::robust::median(&mut sorted).unwrap_or(0.0);
        penalty = PRIOR_STRENGTH * mean_weight * typical * typical;
        by_fold = vec![Sums::new(width); FOLDS];
        for (at, &size) in sizes.iter().enumerate() {
            let robust = if size > typical { typical / size } else { 1.0 };
            by_fold[rows.folds[at]].add(row(at), targets[at], rows.weights[at] * robust);
        }
        let mut all = Sums::new(width);
        by_fold.iter().for_each(|fold| all.plus(fold));
        change = all.solve(penalty);
    }
    let without: Vec<Vec<f64>> = (0..FOLDS)
        .map(|left_out| {
            let mut others = Sums::new(width);
            by_fold
                .iter()
                .enumerate()
                .filter(|(fold, _)| *fold != left_out)
                .for_each(|(_, sums)| others.plus(sums));
            others.solve(penalty)
        })
        .collect();
    let errors = (0..targets.len())
        .map(|at| targets[at] - dot(row(at), &without[rows.folds[at]]))
        .collect();
    let coefficients = prior
        .iter()
        .zip(&change)
        .map(|(prior, change)| prior + change)
        .collect();
    Fitted {
        coefficients,
        errors,
    }
}
