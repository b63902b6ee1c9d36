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

use std::ops::Range;

use super::rows::{Rows, Sums};

/// How wide the prior is, times how many rows tell as much as one independent one: 100 = 25 ÷ 0.5².
/// Rows overlap in target and origin; a weight may well be off its prior by a half.
const PRIOR_STRENGTH: f64 = 100.0;

/// Rounds of reweighting.
const ROUNDS: usize = 3;

/// Stretches of time that are left out in turn.
pub(super) const FOLDS: usize = 6;

/// What to learn from, all of one lead's neighbourhood.
pub(super) struct Lesson {
    pub(super) rows: Rows,
    /// How much each row weighs.
    pub(super) weights: Vec<f64>,
    /// The rows of each stretch of time, one after the other; all of them together are all rows.
    pub(super) folds: [Range<usize>; FOLDS],
}

impl Lesson {
    /// Nothing yet, in rows of so many features.
    pub(super) fn new(features: usize) -> Self {
        Self {
            rows: Rows::new(features),
            weights: Vec::new(),
            folds: Default::default(),
        }
    }

    /// Forgets all rows, and keeps their room.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.weights.clear();
    }
}

/// What was learned.
pub(super) struct Fitted {
    pub(super) coefficients: Vec<f64>,
    /// The error of each row as seen from the other stretches.
    pub(super) errors: Vec<f64>,
}

/// Learns the weights of the features around their prior; the rows' targets are then relative to what it forecasts.
pub(super) fn fit(lesson: &mut Lesson, prior: &[f64]) -> Fitted {
    let all = 0..lesson.rows.len();
    let relative = lesson.rows.errors(all.clone(), prior);
    lesson.rows.aim_at(relative);
    let Lesson {
        rows,
        weights,
        folds,
    } = lesson;
    let mean_weight = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    let mut change = vec![0.0; rows.features()];
    let mut by_fold = Vec::new();
    let mut penalty = 0.0;
    for _ in 0..ROUNDS {
        let mut sizes = rows.errors(all.clone(), &change);
        sizes.iter_mut().for_each(|size| *size = size.abs());
        let mut sorted = sizes.clone();
        let typical = crate::robust::median(&mut sorted).unwrap_or(0.0);
        penalty = PRIOR_STRENGTH * mean_weight * typical * typical;
        let robust = |size: f64| if size > typical { typical / size } else { 1.0 };
        let weights: Vec<f64> = (weights.iter().zip(&sizes))
            .map(|(weight, &size)| weight * robust(size))
            .collect();
        by_fold.clear();
        by_fold.extend((folds.iter()).map(|fold| rows.sums(fold.clone(), &weights[fold.clone()])));
        change = solve(by_fold.iter(), penalty);
    }
    let mut errors = Vec::with_capacity(rows.len());
    for (left_out, fold) in folds.iter().enumerate() {
        let others = by_fold.iter().enumerate();
        let others = others.filter(|(fold, _)| *fold != left_out);
        let without = solve(others.map(|(_, sums)| sums), penalty);
        errors.extend(rows.errors(fold.clone(), &without));
    }
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

/// The weights that all of these sums together ask for.
fn solve<'a>(sums: impl Iterator<Item = &'a Sums>, penalty: f64) -> Vec<f64> {
    Sums::of(sums).map_or_else(Vec::new, |sums| sums.solve(penalty))
}
