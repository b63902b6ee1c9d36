//! What share of its period each step takes.

use serde::{Deserialize, Serialize};

/// Rules for the coming shape: the mean of so many last periods, or of the same day of last weeks.
const RECENT: [usize; 2] = [2, 7];

/// Same days of last weeks that are averaged.
const SAME_DAYS: usize = 4;

/// Past periods that the rules are judged by.
const JUDGED: usize = 21;

/// How sharply rules are weighted by their squared errors.
const SHARPNESS: i32 = 2;

/// The shapes of the coming periods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Shapes {
    steps: usize,
    /// One shape per day of the week, or one for all; each sums to 1.
    shapes: Vec<Vec<f64>>,
}

/// How much each rule counts: one for each of [`RECENT`], and one for the same days.
#[derive(Clone, Copy)]
pub(super) struct Weights([f64; RECENT.len() + 1]);

impl Shapes {
    /// The share of its period that a step has, `at` steps after the end of the fitted history.
    pub(super) fn at(&self, at: usize) -> f64 {
        let place = at / self.steps % self.shapes.len();
        self.shapes[place][at % self.steps]
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// One flat step.
    pub(super) fn flat() -> Self {
        Self {
            steps: 1,
            shapes: vec![vec![1.0]],
        }
    }

    /// The shapes after periods given as shares, oldest first.
    pub(super) fn after(
        shares: &[Option<Vec<f64>>],
        steps: usize,
        week: Option<usize>,
        weights: Weights,
    ) -> Self {
        let shape = |ahead| foretold(shares, ahead, steps, week, weights);
        Self {
            steps,
            shapes: (0..week.unwrap_or(1)).map(shape).collect(),
        }
    }
}

/// The share of each step in its period; `None` for an empty period.
pub(super) fn shares(period: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = period.iter().sum();
    (total > 0.0).then(|| period.iter().map(|value| value / total).collect())
}

/// Weighs the rules by how well they foretold the last periods.
pub(super) fn judge(shares: &[Option<Vec<f64>>], steps: usize, week: Option<usize>) -> Weights {
    let mut errors = [0.0; RECENT.len() + 1];
    for at in (RECENT[0]..shares.len()).rev().take(JUDGED) {
        let Some(actual) = &shares[at] else { continue };
        for (rule, error) in errors.iter_mut().enumerate() {
            let said = by_rule(&shares[..at], 0, rule, week);
            *error += match said {
                Some(said) => said
                    .iter()
                    .zip(actual)
                    .map(|(a, b)| (a - b) * (a - b))
                    .sum(),
                None => 1.0 / steps as f64,
            };
        }
    }
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    Weights(errors.map(|error| {
        if error > 0.0 {
            (least / error).powi(SHARPNESS)
        } else {
            1.0
        }
    }))
}

/// The shape of a period `ahead` periods after those seen; sums to 1.
pub(super) fn foretold(
    seen: &[Option<Vec<f64>>],
    ahead: usize,
    steps: usize,
    week: Option<usize>,
    weights: Weights,
) -> Vec<f64> {
    let mut shape = vec![0.0; steps];
    let mut sum = 0.0;
    for (rule, weight) in weights.0.iter().enumerate() {
        if let Some(said) = by_rule(seen, ahead, rule, week) {
            sum += weight;
            for (mean, share) in shape.iter_mut().zip(said) {
                *mean += weight * share;
            }
        }
    }
    if sum > 0.0 {
        shape.iter_mut().for_each(|share| *share /= sum);
    } else {
        shape.fill(1.0 / steps as f64);
    }
    shape
}

/// What one rule says; `None` where it has nothing to go by.
fn by_rule(
    seen: &[Option<Vec<f64>>],
    ahead: usize,
    rule: usize,
    week: Option<usize>,
) -> Option<Vec<f64>> {
    let newest: Vec<&Vec<f64>> = match RECENT.get(rule) {
        Some(&count) => seen.iter().rev().flatten().take(count).collect(),
        None => {
            let week = week?;
            let same = seen.len().checked_sub(week - ahead % week)?;
            let days = (0..).map_while(|back: usize| seen.get(same.checked_sub(back * week)?));
            days.flatten().take(SAME_DAYS).collect()
        }
    };
    let mut mean = newest.first()?.to_vec();
    for shares in &newest[1..] {
        for (mean, share) in mean.iter_mut().zip(*shares) {
            *mean += share;
        }
    }
    let count = newest.len() as f64;
    mean.iter_mut().for_each(|share| *share /= count);
    Some(mean)
}
