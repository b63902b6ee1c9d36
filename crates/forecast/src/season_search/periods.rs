//! Periods of values whose step length nobody knows, from the peaks of their autocorrelation.

use super::rows::{Comparison, compare, profile};
use crate::history::interpolated;

/// Newest values that periods are looked for in: bounds the work to some ten million products.
pub(super) const VALUES_MAX: usize = 4096;

/// Peaks of the autocorrelation that are tried.
const PEAKS: usize = 8;

/// A peak under this is noise.
const PEAK_MIN: f64 = 0.1;

/// A shorter period is taken unless a longer one foretells this much more: the double of a period
/// repeats as well.
const WORTH: f64 = 0.02;

/// The shortest period that foretells nearly as much as the best one.
pub(super) fn first_period(values: &[Option<f64>]) -> Option<(usize, Comparison)> {
    let tried = tries(values, &peaks(values));
    shortest_of_best(tried)
}

/// The best multiple of `first` in what its profile leaves.
pub(super) fn second_period(values: &[Option<f64>], first: usize) -> Option<(usize, Comparison)> {
    let shape = profile(values, first)?;
    let offset = values.len() % first;
    let left: Vec<Option<f64>> = values
        .iter()
        .enumerate()
        .map(|(place, value)| value.map(|value| value - shape[(place + first - offset) % first]))
        .collect();
    let mut multiples: Vec<usize> = peaks(&left)
        .into_iter()
        .map(|peak| (peak + first / 2) / first * first)
        .filter(|&multiple| multiple > first)
        .collect();
    multiples.dedup();
    shortest_of_best(tries(&left, &multiples))
}

fn tries(values: &[Option<f64>], periods: &[usize]) -> Vec<(usize, Comparison)> {
    let tried = periods
        .iter()
        .filter_map(|&period| Some((period, compare(values, period)?)));
    tried.filter(|(_, said)| said.found).collect()
}

fn shortest_of_best(tried: Vec<(usize, Comparison)>) -> Option<(usize, Comparison)> {
    let best = tried
        .iter()
        .map(|(_, said)| said.gain)
        .fold(f64::NEG_INFINITY, f64::max);
    tried
        .into_iter()
        .filter(|(_, said)| said.gain >= best - WORTH)
        .min_by_key(|(period, _)| *period)
}

/// The lags at which the values resemble themselves most, best first: local maxima of the
/// autocorrelation of the values less their running mean.
fn peaks(values: &[Option<f64>]) -> Vec<usize> {
    let values = &values[values.len().saturating_sub(VALUES_MAX)..];
    let lag_max = values.len() / 2;
    let mut straight = interpolated(values);
    let mean = straight.iter().sum::<f64>() / straight.len().max(1) as f64;
    // A line takes most of a trend; what is left of it is no peak.
    let middle = (straight.len() as f64 - 1.0) / 2.0;
    let (mut up, mut across) = (0.0, 0.0);
    for (place, value) in straight.iter().enumerate() {
        let off = place as f64 - middle;
        up += off * (value - mean);
        across += off * off;
    }
    let slope = if across > 0.0 { up / across } else { 0.0 };
    for (place, value) in straight.iter_mut().enumerate() {
        *value -= mean + slope * (place as f64 - middle);
    }
    let variance: f64 = straight.iter().map(|value| value * value).sum();
    if variance <= 0.0 {
        return Vec::new();
    }
    let correlation: Vec<f64> = (0..=lag_max)
        .map(|lag| {
            let sum: f64 = straight
                .iter()
                .zip(&straight[lag..])
                .map(|(a, b)| a * b)
                .sum();
            // Fewer pairs at longer lags must not make them look less alike.
            sum / variance * straight.len() as f64 / (straight.len() - lag) as f64
        })
        .collect();
    let mut found: Vec<usize> = (2..lag_max)
        .filter(|&lag| {
            correlation[lag] > PEAK_MIN
                && correlation[lag] >= correlation[lag - 1]
                && correlation[lag] > correlation[lag + 1]
        })
        .collect();
    // Of a run of peaks on one hill the highest stands for all.
    found.sort_by(|&a, &b| correlation[b].total_cmp(&correlation[a]).then(a.cmp(&b)));
    let mut apart: Vec<usize> = Vec::new();
    for lag in found {
        let hill = |&other: &usize| lag.abs_diff(other) * 10 <= lag.min(other);
        if !apart.iter().any(hill) {
            apart.push(lag);
        }
    }
    apart.truncate(PEAKS);
    apart.sort_unstable();
    apart
}
