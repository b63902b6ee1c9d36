//! How far off the regression is, by time of day, and the quantiles of that.

use serde::{Deserialize, Serialize};

use crate::normal::normal_quantile;
use crate::weighted::weighted_quantiles;

/// Levels that quantiles are kept at; between them they follow straight lines over normal scores.
pub(super) const LEVELS: [f64; 17] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995,
];

/// Quantiles at [`LEVELS`].
pub(super) type Grid = [f64; LEVELS.len()];

/// The place of the median in [`LEVELS`].
pub(super) const MEDIAN: usize = 8;

/// Times of day told apart.
pub(super) const SLOTS: usize = 24;

/// How a time of day borrows from its neighbours, from two hours before to two after.
const KERNEL: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];

/// Rows' worth of trust that all times of day err alike; times the kernel's sum over its middle, nine
/// thirds, about a dozen rows an hour.
const EVEN_ROWS: f64 = 40.0;

/// By how much of themselves quantiles of one independent error must be widened: the next error has its own
/// spread and that of what was learned, and seasons drift.
const FURTHER: f64 = 1.5;

/// The share of the typical error by which a quantile moves at each new error: after some fifty
/// errors it has forgotten half of a wrong start.
const TRACKING: f64 = 0.02;

/// Errors at one lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    /// By time of day: how large errors are, around 1.
    slots: Vec<f64>,
    /// Of errors divided by their slot.
    quantiles: Grid,
}

/// One row's error: its place in the day, itself, its weight.
#[derive(Clone, Copy)]
pub(super) struct Error {
    pub(super) slot: usize,
    pub(super) error: f64,
    pub(super) weight: f64,
}

/// The slot of a step at this place of a day of so many steps.
pub(super) fn slot(place: usize, day: usize) -> usize {
    (place * SLOTS).checked_div(day).unwrap_or(0)
}

impl Spread {
    /// Learns from errors that hold as much as `independent` separate ones, each of which tells the next one only so
    /// well: quantiles lie farther out by [`FURTHER`] ÷ n.
    pub(super) fn learn(errors: &[Error], independent: f64) -> Self {
        let weights: f64 = errors.iter().map(|error| error.weight).sum();
        let sizes: f64 = errors
            .iter()
            .map(|error| error.weight * error.error.abs())
            .sum();
        let slots = if sizes > 0.0 && weights > 0.0 {
            slots(errors, sizes / weights, weights / errors.len() as f64)
        } else {
            vec![1.0; SLOTS]
        };
        let mut sorted: Vec<(f64, f64)> = errors
            .iter()
            .map(|error| (error.error / slots[error.slot], error.weight))
            .collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let further = 1.0 + FURTHER / independent.max(1.0);
        let wanted = LEVELS.map(|level| level * weights);
        let quantiles = weighted_quantiles(&sorted, &wanted).map(|quantile| further * quantile);
        Self { slots, quantiles }
    }

    pub(super) fn at(&self, slot: usize) -> f64 {
        self.slots[slot.min(SLOTS - 1)]
    }

    pub(super) fn quantiles(&self) -> &Grid {
        &self.quantiles
    }

    /// The width of the middle 80 %, in standard deviations of a normal distribution.
    pub(super) fn size(&self) -> f64 {
        (self.quantiles[12] - self.quantiles[4]) / 2.563
    }

    /// Moves each quantile towards or away from a new error so that in the long run the right share
    /// lies under it, whatever the errors do (quantile tracking: Gibbs and Candès 2021; Angelopoulos,
    /// Candès and Tibshirani 2023).
    pub(super) fn track(&mut self, error: f64, slot: usize) {
        let step = TRACKING * self.size();
        let error = error / self.at(slot);
        for (quantile, level) in self.quantiles.iter_mut().zip(LEVELS) {
            let under = f64::from(u8::from(error <= *quantile));
            *quantile += step * (level - under);
        }
        self.quantiles.sort_unstable_by(f64::total_cmp);
    }
}

fn slots(errors: &[Error], mean: f64, weight: f64) -> Vec<f64> {
    let mut sums = [(0.0, 0.0); SLOTS];
    for error in errors {
        let sum = &mut sums[error.slot];
        *sum = (
            sum.0 + error.weight * error.error.abs(),
            sum.1 + error.weight,
        );
    }
    let even = EVEN_ROWS * weight;
    (0..SLOTS)
        .map(|slot| {
            let (mut size, mut weights) = (even * mean, even);
            for (place, kernel) in KERNEL.iter().enumerate() {
                let near = sums[(slot + SLOTS + place - 2) % SLOTS];
                size += kernel * near.0;
                weights += kernel * near.1;
            }
            size / weights / mean
        })
        .collect()
}

/// The value at a level of quantiles at [`LEVELS`]; beyond them the last line goes on, to a level of
/// one in ten thousand.
pub(super) fn at_level(grid: &Grid, scores: &Grid, score: f64) -> f64 {
    let above = scores
        .partition_point(|&known| known < score)
        .clamp(1, LEVELS.len() - 1);
    let (from, to) = (scores[above - 1], scores[above]);
    let share = (score - from) / (to - from);
    grid[above - 1] + (grid[above] - grid[above - 1]) * share
}

/// The normal score of a level, bounded.
pub(super) fn score(level: f64) -> f64 {
    normal_quantile(level).clamp(-3.7, 3.7)
}

/// The normal scores of [`LEVELS`].
pub(super) fn scores() -> Grid {
    LEVELS.map(score)
}
