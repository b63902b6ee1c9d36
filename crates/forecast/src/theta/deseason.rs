//! Taking a season out, if there is one.

/// The 95 % point of the normal distribution: how sure the test must be that there is a season.
const SURE: f64 = 1.644_853_626_951_472_2;

/// A factor under which a multiplied season cannot be divided by.
const FACTOR_MIN: f64 = 0.01;

/// A series without its season.
pub(super) struct Deseasoned {
    pub(super) values: Vec<f64>,
    /// One season from the step after the series on.
    pub(super) season: Vec<f64>,
    pub(super) multiplied: bool,
}

impl Deseasoned {
    /// A series that has no season.
    pub(super) fn none(values: Vec<f64>) -> Self {
        Self {
            values,
            season: vec![1.0],
            multiplied: true,
        }
    }
}

/// Takes the season of `steps` steps out by classical decomposition (centred moving average; mean
/// ratio or difference by place in the season), multiplied unless told otherwise or where values or
/// factors come near zero. `None` if it has fewer than four steps or the test on the
/// autocorrelation at its length fails, as in the Theta literature: |r_m| ≤ 1.645 √((1 + 2 Σ_{i<m} r_i²)/n).
pub(super) fn deseason(values: &[f64], steps: usize, additive: bool) -> Option<Deseasoned> {
    if steps < 4 || !is_seasonal(values, steps) {
        return None;
    }
    let trend = moving_average(values, steps);
    let positive = values.iter().all(|&value| value > 0.0);
    let factors = (!additive && positive).then(|| {
        let mut factors = by_place(values, &trend, steps, |value, trend| value / trend);
        let mean = factors.iter().sum::<f64>() / steps as f64;
        factors.iter_mut().for_each(|factor| *factor /= mean);
        factors
    });
    let (season, multiplied) =
        match factors.filter(|factors| factors.iter().all(|&factor| factor >= FACTOR_MIN)) {
            Some(factors) => (factors, true),
            None => {
                let mut offsets = by_place(values, &trend, steps, |value, trend| value - trend);
                let mean = offsets.iter().sum::<f64>() / steps as f64;
                offsets.iter_mut().for_each(|offset| *offset -= mean);
                (offsets, false)
            }
        };
    let without = |(at, value): (usize, &f64)| {
        let season = season[at % steps];
        if multiplied {
            value / season
        } else {
            value - season
        }
    };
    let values: Vec<f64> = values.iter().enumerate().map(without).collect();
    let mut season_ahead = season.clone();
    season_ahead.rotate_left(values.len() % steps);
    Some(Deseasoned {
        values,
        season: season_ahead,
        multiplied,
    })
}

fn is_seasonal(values: &[f64], steps: usize) -> bool {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centered: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| {
        centered
            .iter()
            .zip(&centered[lag..])
            .map(|(a, b)| a * b)
            .sum::<f64>()
    };
    let variance = covariance(0);
    // A constant series has no season; what rounding leaves of its variance is no variance.
    if variance <= 1e-18 * n * mean * mean {
        return false;
    }
    let correlation = |lag: usize| covariance(lag) / variance;
    let before: f64 = (1..steps)
        .map(|lag| correlation(lag) * correlation(lag))
        .sum();
    correlation(steps).abs() > SURE * ((1.0 + 2.0 * before) / n).sqrt()
}

/// The centred moving average over one season (the two ends weighted half if it is even); `None`
/// where it does not fit.
fn moving_average(values: &[f64], steps: usize) -> Vec<Option<f64>> {
    let half = steps / 2;
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push(0.0);
    for (at, value) in values.iter().enumerate() {
        sums.push(sums[at] + value);
    }
    let average = |at: usize| {
        let (from, to) = (at.checked_sub(half)?, at + half);
        if to >= values.len() {
            return None;
        }
        let ends = if steps.is_multiple_of(2) {
            0.5 * (values[from] + values[to])
        } else {
            0.0
        };
        Some((sums[to + 1] - sums[from] - ends) / steps as f64)
    };
    (0..values.len()).map(average).collect()
}

fn by_place(
    values: &[f64],
    trend: &[Option<f64>],
    steps: usize,
    compare: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); steps];
    for (at, (&value, trend)) in values.iter().zip(trend).enumerate() {
        if let Some(trend) = *trend {
            let (sum, count) = &mut sums[at % steps];
            *sum += compare(value, trend);
            *count += 1.0;
        }
    }
    sums.into_iter()
        .map(|(sum, count)| sum / f64::max(count, 1.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::testing::AIR_PASSENGERS;

    fn passengers() -> Vec<f64> {
        AIR_PASSENGERS
            .iter()
            .map(|&value| f64::from(value))
            .collect()
    }

    #[test]
    fn factors_are_those_of_statsmodels() {
        // seasonal_decompose(AirPassengers, period=12).seasonal[:12], statsmodels 0.15.0.
        let multiplied = deseason(&passengers(), 12, false).unwrap();
        let added = deseason(&passengers(), 12, true).unwrap();
        for (at, factor, offset) in GOLDEN {
            assert!(
                (multiplied.season[at] - factor).abs() < 1e-6,
                "{at}: {}",
                multiplied.season[at]
            );
            assert!(
                (added.season[at] - offset).abs() < 1e-4,
                "{at}: {}",
                added.season[at]
            );
        }
    }

    const GOLDEN: [(usize, f64, f64); 3] = [
        (0, 0.910_230_367, -24.748_737_4),
        (6, 1.226_555_543, 63.830_808_1),
        (10, 0.801_178_082, -53.593_434_3),
    ];

    #[test]
    fn noise_and_constants_have_no_season() {
        let mut rng = Rng::new(4, 0);
        let noise: Vec<f64> = (0..200).map(|_| 100.0 + rng.uniform()).collect();
        assert!(deseason(&noise, 12, false).is_none());
        assert!(deseason(&[0.1; 100], 12, false).is_none());
    }
}
