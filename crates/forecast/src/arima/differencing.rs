//! How often to difference a series.

/// The 5 % point of the test statistic of Kwiatkowski, Phillips, Schmidt and Shin (1992) around a
/// level: above it, the series is no stationary one.
const KPSS_CRITICAL: f64 = 0.463;

/// The strength of a season from which it is differenced: Hyndman, Athanasopoulos and others chose
/// it in the `forecast` package for the accuracy of automatic ARIMA on the M3 competition.
const STRENGTH_MIN: f64 = 0.64;

/// Seasons to either side that the shape of a season is averaged over: together eleven, the span of
/// the seasonal loess in `stl` as automatic ARIMA uses it.
const SEASONS_BESIDE: usize = 5;

/// Values that differ by less than this share are equal: what rounding leaves.
const EQUAL: f64 = 1e-9;

/// Whether all values are the same but for rounding.
pub(super) fn is_constant(values: &[f64]) -> bool {
    let (low, high) = range(values);
    let size = low.abs().max(high.abs());
    values.is_empty() || high - low <= EQUAL * size
}

/// How often to difference for a level that stays: 0, 1 or up to `most` times.
pub(super) fn differences(values: &[f64], most: usize) -> usize {
    let mut left = values.to_vec();
    for times in 0..most {
        if is_constant(&left) || kpss(&left) <= KPSS_CRITICAL {
            return times;
        }
        left = left.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // Differences of a straight line: nothing is left but rounding.
        let (low, high) = range(&left);
        let (least, most) = range(values);
        if high - low <= EQUAL * (most - least) {
            return times + 1;
        }
    }
    most
}

/// Whether to difference over the season of `steps`.
pub(super) fn is_seasonal(values: &[f64], steps: usize) -> bool {
    strength(values, steps) > STRENGTH_MIN
}

/// The test statistic around a level. The long-run variance takes ⌊3√n/13⌋ lags, as `ndiffs` does.
fn kpss(values: &[f64]) -> f64 {
    let steps = values.len() as f64;
    let mean = values.iter().sum::<f64>() / steps;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let mut sum = 0.0;
    let mut squares = 0.0;
    for value in &centred {
        sum += value;
        squares += sum * sum;
    }
    let lags = (3.0 * steps.sqrt() / 13.0) as usize;
    let covariance = |lag: usize| {
        let later = centred.get(lag..).unwrap_or(&[]);
        super::regression::dot(&centred[..later.len()], later) / steps
    };
    let mut variance = covariance(0);
    for lag in 1..=lags {
        variance += 2.0 * (1.0 - lag as f64 / (lags + 1) as f64) * covariance(lag);
    }
    if variance > 0.0 {
        squares / (steps * steps * variance)
    } else {
        0.0
    }
}

/// The share of the variance around the trend that the season explains (Wang, Smith and Hyndman
/// 2006), by a centred moving average and seasons averaged with their neighbours by tricube weights:
/// what one pass of STL does, without its loess.
fn strength(values: &[f64], season: usize) -> f64 {
    if season < 2 || values.len() < 2 * season + 1 {
        return 0.0;
    }
    let trend = trend(values, season);
    let around: Vec<f64> = values.iter().zip(&trend).map(|(a, b)| a - b).collect();
    let shape = |step: usize| {
        let (mut sum, mut weights) = (around[step], 1.0);
        for beside in 1..=SEASONS_BESIDE {
            let share = beside as f64 / (SEASONS_BESIDE + 1) as f64;
            let rest = 1.0 - share * share * share;
            let weight = rest * rest * rest;
            let before = step.checked_sub(beside * season);
            for place in [before, Some(step + beside * season)].into_iter().flatten() {
                if let Some(value) = around.get(place) {
                    sum += weight * value;
                    weights += weight;
                }
            }
        }
        sum / weights
    };
    let left: Vec<f64> = (0..around.len())
        .map(|step| around[step] - shape(step))
        .collect();
    let whole = variance(&around);
    if whole <= 0.0 {
        return 0.0;
    }
    (1.0 - variance(&left) / whole).clamp(0.0, 1.0)
}

/// The centred moving average over a season, whose ends weigh half if it is even; its first and last
/// values go on beyond it.
fn trend(values: &[f64], season: usize) -> Vec<f64> {
    let half = season / 2;
    let mut sums = vec![0.0];
    for value in values {
        sums.push(sums[sums.len() - 1] + value);
    }
    let average = |at: usize| {
        let at = at.clamp(half, values.len() - 1 - half);
        let ends = if season.is_multiple_of(2) {
            0.5 * (values[at - half] + values[at + half])
        } else {
            0.0
        };
        (sums[at + half + 1] - sums[at - half] - ends) / season as f64
    };
    (0..values.len()).map(average).collect()
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / count
}

fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::testing::AIR_PASSENGERS;

    fn noise(steps: usize) -> Vec<f64> {
        let mut rng = Rng::new(3, 0);
        (0..steps).map(|_| rng.uniform() - 0.5).collect()
    }

    fn summed(values: &[f64]) -> Vec<f64> {
        let mut sum = 0.0;
        let add = |value: &f64| {
            sum += value;
            sum
        };
        values.iter().map(add).collect()
    }

    #[test]
    fn sums_of_noise_are_differenced_as_often_as_they_were_summed() {
        let once = summed(&noise(300));
        assert_eq!(differences(&noise(300), 2), 0);
        assert_eq!(differences(&once, 2), 1);
        assert_eq!(differences(&summed(&once), 2), 2);
        assert_eq!(differences(&[4.0; 50], 2), 0);
        let line: Vec<f64> = (0..100).map(|step| 0.1 * f64::from(step)).collect();
        assert_eq!(differences(&line, 2), 1);
    }

    #[test]
    fn the_statistic_is_that_of_statsmodels() {
        // kpss(AirPassengers, "c", nlags=2)[0], statsmodels 0.15.0.
        let passengers: Vec<f64> = AIR_PASSENGERS.iter().map(|&v| f64::from(v)).collect();
        assert!(
            (kpss(&passengers) - KPSS_PASSENGERS).abs() < 1e-6,
            "{}",
            kpss(&passengers)
        );
        assert!(is_seasonal(&passengers, 12) && !is_seasonal(&noise(300), 12));
    }

    const KPSS_PASSENGERS: f64 = 4.342_286_797_114_149;
}
