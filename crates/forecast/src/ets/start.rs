//! Where the search for a form's parameters starts, and within what bounds.
//!
//! The heuristics are those of R's `forecast` and of statsforecast, so that the same local optimum
//! is found: a season by classical decomposition, a straight line through the first steps without it.

use super::form::{Form, Seasonality};
use super::state::Smoothing;
use crate::classical::season_by_place;

/// Bounds of α, β and γ: inside the region in which old errors fade.
const SMOOTHING: (f64, f64) = (0.0001, 0.9999);

/// Bounds of φ: stronger damping is no trend, weaker cannot be told from none.
const DAMPING: (f64, f64) = (0.8, 0.98);

/// Steps that the first level is taken from, at least; else two seasons.
const LEVEL_STEPS_MIN: usize = 10;

/// The smallest factor of a first season.
const FACTOR_MIN: f64 = 0.01;

/// Where to start.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) smoothing: Smoothing,
    /// Upper bounds of the same.
    pub(super) high: Smoothing,
    pub(super) level: f64,
    pub(super) growth: f64,
    /// The season's first pass, its place 0 being the first step. Empty without.
    pub(super) season: Vec<f64>,
}

/// The lower bound of α, β, γ, and of φ.
pub(super) const LOW: Smoothing = Smoothing {
    alpha: SMOOTHING.0,
    beta: SMOOTHING.0,
    gamma: SMOOTHING.0,
    phi: DAMPING.0,
};

/// The start for a form on values without gaps, which hold two seasons if the form is seasonal.
///
/// Growth never follows errors faster than the level does at the start: as in statsforecast, β stays
/// under the first α.
pub(super) fn start(values: &[f64], form: Form, steps: usize) -> Start {
    let steps = if form.is_seasonal() { steps } else { 1 };
    let (low, high) = SMOOTHING;
    let alpha = low + 0.2 * (high - low) / steps as f64;
    let beta_high = high.min(alpha);
    let gamma_high = high.min(1.0 - alpha);
    let season = match form.season() {
        Seasonality::None => Vec::new(),
        Seasonality::Added => season_by_place(values, steps, false),
        Seasonality::Multiplied => factors(values, steps),
    };
    let (level, growth) = first_level(values, form, &season);
    Start {
        smoothing: Smoothing {
            alpha,
            beta: low + 0.1 * (beta_high - low),
            gamma: low + 0.05 * (gamma_high - low),
            phi: DAMPING.0 + 0.99 * (DAMPING.1 - DAMPING.0),
        },
        high: Smoothing {
            alpha: high,
            beta: beta_high,
            gamma: gamma_high,
            phi: DAMPING.1,
        },
        level,
        growth,
        season,
    }
}

/// Factors none of which is so small that the others cannot make up for it.
fn factors(values: &[f64], steps: usize) -> Vec<f64> {
    let mut factors = season_by_place(values, steps, true);
    for factor in &mut factors {
        *factor = factor.max(FACTOR_MIN);
    }
    // The first follows from the others, which sum to the number of places with it.
    let others: f64 = factors[1..].iter().sum();
    let room = steps as f64 - FACTOR_MIN;
    if others > room {
        factors[1..]
            .iter_mut()
            .for_each(|factor| *factor *= room / others);
    }
    factors
}

/// Level and growth just before the first step: the mean of the first steps without season, or the
/// straight line through them.
fn first_level(values: &[f64], form: Form, season: &[f64]) -> (f64, f64) {
    let count = LEVEL_STEPS_MIN.max(2 * season.len()).min(values.len());
    let plain = |(at, value): (usize, &f64)| match form.season() {
        Seasonality::None => *value,
        Seasonality::Added => value - season[at % season.len()],
        Seasonality::Multiplied => value / season[at % season.len()],
    };
    let first: Vec<f64> = values[..count].iter().enumerate().map(plain).collect();
    let mean = first.iter().sum::<f64>() / count as f64;
    if !form.has_trend() {
        return (mean, 0.0);
    }
    let middle = (count as f64 + 1.0) / 2.0;
    let (mut across, mut along) = (0.0, 0.0);
    for (at, value) in first.iter().enumerate() {
        let time = at as f64 + 1.0 - middle;
        across += time * (value - mean);
        along += time * time;
    }
    let growth = if along > 0.0 { across / along } else { 0.0 };
    let level = mean - growth * middle;
    // A first forecast of nothing would make any error an infinite share of it.
    if (level + growth).abs() < 1e-8 {
        (level * (1.0 + 1e-3), growth * (1.0 - 1e-3))
    } else {
        (level, growth)
    }
}
