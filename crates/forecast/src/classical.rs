//! Classical decomposition: a season as what is usual at each of its places.

/// One season from the first value on: the mean ratio to the centred moving average over a season
/// (or difference from it, if not `multiplied`) by place, centred so that factors have mean 1 and
/// offsets mean 0. Needs two seasons of values; with `multiplied`, positive ones.
pub(crate) fn season_by_place(values: &[f64], steps: usize, multiplied: bool) -> Vec<f64> {
    let trend = moving_average(values, steps);
    if multiplied {
        let mut factors = by_place(values, &trend, steps, |value, trend| value / trend);
        let mean = factors.iter().sum::<f64>() / steps as f64;
        factors.iter_mut().for_each(|factor| *factor /= mean);
        factors
    } else {
        let mut offsets = by_place(values, &trend, steps, |value, trend| value - trend);
        let mean = offsets.iter().sum::<f64>() / steps as f64;
        offsets.iter_mut().for_each(|offset| *offset -= mean);
        offsets
    }
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
    use crate::testing::AIR_PASSENGERS;

    #[test]
    fn seasons_are_those_of_statsmodels() {
        // seasonal_decompose(AirPassengers, period=12).seasonal[:12], statsmodels 0.15.0.
        const GOLDEN: [(usize, f64, f64); 3] = [
            (0, 0.910_230_367, -24.748_737_4),
            (6, 1.226_555_543, 63.830_808_1),
            (10, 0.801_178_082, -53.593_434_3),
        ];
        let passengers: Vec<f64> = AIR_PASSENGERS.iter().map(|&it| f64::from(it)).collect();
        let factors = season_by_place(&passengers, 12, true);
        let offsets = season_by_place(&passengers, 12, false);
        for (at, factor, offset) in GOLDEN {
            assert!((factors[at] - factor).abs() < 1e-6, "{at}: {}", factors[at]);
            assert!((offsets[at] - offset).abs() < 1e-4, "{at}: {}", offsets[at]);
        }
    }
}
