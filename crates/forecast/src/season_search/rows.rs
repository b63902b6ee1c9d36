//! Whether values repeat with a period: rows of one period each, compared column by column.

use crate::robust::median;

/// How far an observation may lie off the median of its column, in robust standard deviations.
const REACH: f64 = 4.0;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Adjacent periods whose changes of level give the slope within one: enough that a single jump is
/// no slope, few enough to follow a trend that bends.
const SLOPES: usize = 5;

/// Lags at which what a profile leaves is looked at for runs, at most.
const LAGS_MAX: usize = 200;

/// The 0.5 % point of the normal distribution: two hundred searches find one season that is none.
const SURE: f64 = 2.576;

/// A season that foretells less than this share of the variation is not worth its parameters.
const GAIN_MIN: f64 = 0.02;

/// The least root mean square of a profile, on the logarithmic scale of the search: about a hundredth
/// of the usual demand. Less serves nobody, and the bend of a smooth trend repeats as faintly.
const AMPLITUDE_MIN: f64 = 0.005;

/// What a comparison of periods said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Comparison {
    /// Whole periods compared.
    pub(super) periods: usize,
    /// The share of the variation within periods that the other periods foretell; negative where
    /// they mislead.
    pub(super) gain: f64,
    /// Whether that is more than chance would give.
    pub(super) found: bool,
}

/// Compares the whole periods that the values end with; `None` with fewer than two, or where
/// nothing varies.
///
/// Each period loses its level and the slope that leads to its neighbours, so that trends and jumps
/// are no season; outliers are pulled in. The gain is cross-validated: each period is foretold by
/// the others' mean. The test is an analysis of variance by column whose degrees of freedom shrink by
/// the runs of what is left (effective sample size; Bartlett 1946), without which a random walk has
/// a season.
pub(super) fn compare(values: &[Option<f64>], period: usize) -> Option<Comparison> {
    let mut rows = detrended(values, period)?;
    winsorise(&mut rows, period);
    let profile = column_means(&rows, period);
    let (mut between, mut within, mut left_out, mut total) = (0.0, 0.0, 0.0, 0.0);
    let mut residuals = vec![None; rows.len()];
    for (place, value) in rows.iter().enumerate() {
        let (Some(value), (mean, count)) = (*value, profile[place % period]) else {
            continue;
        };
        if count < 2 {
            continue;
        }
        let residual = value - mean;
        residuals[place] = Some(residual);
        between += mean * mean;
        within += residual * residual;
        let stretch = count as f64 / (count as f64 - 1.0);
        left_out += (residual * stretch) * (residual * stretch);
        total += value * value;
    }
    let scale = rows.iter().flatten().map(|value| value.abs()).sum::<f64>();
    if total <= 0.0 || scale <= 0.0 {
        return None;
    }
    let periods = rows.len() / period;
    let free = period as f64 / run_length(&residuals, period);
    let (above, below) = (free, free * (periods as f64 - 1.0));
    let ratio = between / within.max(1e-12 * total) * (periods as f64 - 1.0);
    let gain = 1.0 - left_out / total;
    let seen = residuals.iter().flatten().count().max(1) as f64;
    let amplitude = (between / seen).sqrt();
    Some(Comparison {
        periods,
        gain,
        found: gain >= GAIN_MIN
            && amplitude >= AMPLITUDE_MIN
            && deviate(ratio, above, below) > SURE,
    })
}

/// The mean course of a period, its first step being the first after the values; levels and trends
/// are taken out as in [`compare`]. Columns never observed are 0.
pub(crate) fn profile(values: &[Option<f64>], period: usize) -> Option<Vec<f64>> {
    let mut rows = detrended(values, period)?;
    winsorise(&mut rows, period);
    Some(
        column_means(&rows, period)
            .into_iter()
            .map(|(mean, _)| mean)
            .collect(),
    )
}

/// The newest whole periods, oldest first, without their levels and slopes. `None` under two periods.
fn detrended(values: &[Option<f64>], period: usize) -> Option<Vec<Option<f64>>> {
    let periods = values.len().checked_div(period)?;
    if period < 2 || periods < 2 {
        return None;
    }
    let whole = &values[values.len() - periods * period..];
    let levels: Vec<Option<f64>> = whole
        .chunks(period)
        .map(|row| {
            let mut seen: Vec<f64> = row.iter().flatten().copied().collect();
            let enough = 2 * seen.len() >= period;
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            // Where much is missing the mean leans on the hours that are not.
            let level = if seen.len() == period {
                Some(mean)
            } else {
                median(&mut seen)
            };
            level.filter(|_| enough)
        })
        .collect();
    let slopes: Vec<Option<f64>> = levels
        .windows(2)
        .map(|pair| Some((pair[1]? - pair[0]?) / period as f64))
        .collect();
    let middle = (period as f64 - 1.0) / 2.0;
    let mut rows = Vec::with_capacity(whole.len());
    for (place, row) in whole.chunks(period).enumerate() {
        let first = place
            .saturating_sub(SLOPES.div_ceil(2))
            .min(slopes.len().saturating_sub(SLOPES));
        let near = &slopes[first..(first + SLOPES).min(slopes.len())];
        let mut near: Vec<f64> = near.iter().flatten().copied().collect();
        let slope = median(&mut near).unwrap_or(0.0);
        let straight = row.iter().enumerate().map(|(column, value)| {
            value
                .zip(levels[place])
                .map(|(value, level)| value - level - slope * (column as f64 - middle))
        });
        let straight: Vec<Option<f64>> = straight.collect();
        let seen = straight.iter().flatten().count().max(1) as f64;
        let mean = straight.iter().flatten().sum::<f64>() / seen;
        rows.extend(
            straight
                .into_iter()
                .map(|value| value.map(|value| value - mean)),
        );
    }
    Some(rows)
}

/// Pulls outliers in towards the median of their column.
fn winsorise(rows: &mut [Option<f64>], period: usize) {
    let mut scratch = Vec::new();
    let centers: Vec<f64> = (0..period)
        .map(|column| {
            scratch.clear();
            scratch.extend(rows.iter().skip(column).step_by(period).flatten());
            // Of two, either may be the outlier: what moves less is nearer to the usual.
            if scratch.len() == 2 {
                if f64::abs(scratch[0]) < f64::abs(scratch[1]) {
                    scratch[0]
                } else {
                    scratch[1]
                }
            } else {
                median(&mut scratch).unwrap_or(0.0)
            }
        })
        .collect();
    scratch.clear();
    let off = rows.iter().enumerate().filter_map(|(place, value)| {
        let off = ((*value)? - centers[place % period]).abs();
        (off > 0.0).then_some(off)
    });
    scratch.extend(off);
    let Some(spread) = median(&mut scratch) else {
        return;
    };
    let reach = REACH * MAD_TO_SIGMA * spread;
    for (place, value) in rows.iter_mut().enumerate() {
        let center = centers[place % period];
        *value = value.map(|value| center + (value - center).clamp(-reach, reach));
    }
}

/// The mean and the number of observations of each column.
fn column_means(rows: &[Option<f64>], period: usize) -> Vec<(f64, usize)> {
    let column = |column: usize| {
        let (sum, count) = rows
            .iter()
            .skip(column)
            .step_by(period)
            .flatten()
            .fold((0.0, 0_usize), |(sum, count), value| {
                (sum + value, count + 1)
            });
        (sum / count.max(1) as f64, count)
    };
    (0..period).map(column).collect()
}

/// How many steps in a row say no more than one independent one would: 1 + 2·Σρ², less what chance
/// adds to it. At most the period.
fn run_length(residuals: &[Option<f64>], period: usize) -> f64 {
    let variance: f64 = residuals.iter().flatten().map(|value| value * value).sum();
    let count = residuals.iter().flatten().count().max(1) as f64;
    if variance <= 0.0 {
        return 1.0;
    }
    let squares = (1..=(period / 2).min(LAGS_MAX)).map(|lag| {
        let pairs = residuals.iter().zip(&residuals[lag..]);
        let sum: f64 = pairs
            .filter_map(|(before, after)| Some((*before)? * (*after)?))
            .sum();
        let correlation = sum / variance;
        (correlation * correlation - 1.0 / count).max(0.0)
    });
    (1.0 + 2.0 * squares.sum::<f64>()).min(period as f64)
}

/// How many standard deviations a normal variable lies above its mean that is as rare as a ratio of
/// variances this large (Paulson 1942).
fn deviate(ratio: f64, above: f64, below: f64) -> f64 {
    let (a, b) = (2.0 / (9.0 * above), 2.0 / (9.0 * below));
    let root = libm::cbrt(ratio);
    ((1.0 - b) * root - (1.0 - a)) / (b * root * root + a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn rare_ratios_of_variances_are_those_of_the_tables() {
        // scipy.stats.f.isf(0.005, d1, d2), scipy 1.17.1: each should lie at the normal 0.5 % point.
        for (above, below, ratio) in [
            (10.0, 10.0, 5.8467),
            (4.0, 20.0, 5.1743),
            (23.0, 46.0, 2.4389),
        ] {
            let found = deviate(ratio, above, below);
            assert!((found - SURE).abs() < 0.06, "{above} {below}: {found}");
        }
    }

    #[test]
    fn noise_and_walks_seldom_repeat() {
        let mut found = [0, 0];
        for seed in 0..100 {
            let mut rng = Rng::new(seed, 0);
            let mut walk = 0.0;
            let (mut noise, mut walks) = (Vec::new(), Vec::new());
            for _ in 0..24 * (2 + seed as usize % 10) {
                let draw = rng.uniform() - 0.5;
                walk += draw;
                noise.push(Some(draw));
                walks.push(Some(walk));
            }
            for (found, values) in found.iter_mut().zip([noise, walks]) {
                *found += usize::from(compare(&values, 24).is_some_and(|said| said.found));
            }
        }
        assert!(found[0] <= 3 && found[1] <= 6, "{found:?} of 100");
    }
}
