//! Taking a season out, if there is one.

use crate::classical::season_by_place;

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
    let positive = values.iter().all(|&value| value > 0.0);
    let factors = (!additive && positive).then(|| season_by_place(values, steps, true));
    let (season, multiplied) =
        match factors.filter(|factors| factors.iter().all(|&factor| factor >= FACTOR_MIN)) {
            Some(factors) => (factors, true),
            None => (season_by_place(values, steps, false), false),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn noise_and_constants_have_no_season() {
        let mut rng = Rng::new(4, 0);
        let noise: Vec<f64> = (0..200).map(|_| 100.0 + rng.uniform()).collect();
        assert!(deseason(&noise, 12, false).is_none());
        assert!(deseason(&[0.1; 100], 12, false).is_none());
    }
}
