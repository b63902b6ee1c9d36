//! How far a difference could have come out otherwise, had the days been others.

const RESAMPLES: usize = 2_000;
/// Fixed, so that equal days give equal intervals.
pub const SEED: u64 = 20_261_128;
/// The interval holds so much of the resamples.
const COVERAGE: f64 = 0.95;

/// The days of each resample, drawn with replacement; the same draws for all figures. None of fewer than
/// two days.
pub fn draws(days: usize) -> Vec<Vec<u32>> {
    if days < 2 {
        return Vec::new();
    }
    let mut random = SplitMix(SEED);
    let draw = |_| (0..days).map(|_| random.below(days)).collect();
    (0..RESAMPLES).map(draw).collect()
}

/// Where the middle 95 % of the values lie.
pub fn interval(mut values: Vec<f64>) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = |level: f64| {
        let place = level * (values.len() - 1) as f64;
        let (low, high) = (
            values[place.floor() as usize],
            values[place.ceil() as usize],
        );
        low + (high - low) * place.fract()
    };
    let tail = (1.0 - COVERAGE) / 2.0;
    Some((at(tail), at(1.0 - tail)))
}

/// Vigna's splitmix64: small, and good enough to draw days.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> u32 {
        ((u128::from(self.next()) * count as u128) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of ones among 400 is .25 ± 1.96 · sqrt(.25 · .75 ÷ 400).
    #[test]
    fn the_interval_is_as_wide_as_theory_says() {
        let shares = draws(400)
            .iter()
            .map(|draw| draw.iter().filter(|day| **day % 4 == 0).count() as f64 / 400.0)
            .collect();
        let (low, high) = interval(shares).unwrap();
        assert!((low - 0.2076).abs() < 0.006 && (high - 0.2924).abs() < 0.006);
    }
}
