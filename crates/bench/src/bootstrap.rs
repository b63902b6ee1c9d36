//! How far a share could have come out otherwise, had the days been others.

use crate::grids::quantile;

const RESAMPLES: usize = 2_000;
/// Fixed, so that two runs print the same.
pub const SEED: u64 = 20_260_301;
/// The interval holds so much of the resamples.
pub const COVERAGE: f64 = 0.95;

/// The interval of Σ part ÷ Σ whole when days, given as (part, whole), are drawn with replacement.
pub fn interval(days: &[(f64, f64)]) -> Option<(f64, f64)> {
    if days.len() < 2 {
        return None;
    }
    let mut random = SplitMix(SEED);
    let mut shares: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut part, mut whole) = (0.0, 0.0);
            for _ in 0..days.len() {
                let day = days[random.below(days.len())];
                part += day.0;
                whole += day.1;
            }
            if whole > 0.0 { part / whole } else { 0.0 }
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let tail = (1.0 - COVERAGE) / 2.0;
    Some((quantile(&shares, tail), quantile(&shares, 1.0 - tail)))
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

    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_days_leave_no_doubt_and_one_day_no_interval() {
        assert_eq!(interval(&[(1.0, 2.0); 9]), Some((0.5, 0.5)));
        assert_eq!(interval(&[(1.0, 2.0)]), None);
    }

    /// The share of ones among 400 is .25 ± 1.96 · sqrt(.25 · .75 ÷ 400).
    #[test]
    fn the_interval_is_as_wide_as_theory_says() {
        let days: Vec<(f64, f64)> = (0..400)
            .map(|i| (f64::from(u8::from(i % 4 == 0)), 1.0))
            .collect();
        let (low, high) = interval(&days).unwrap();
        assert!(
            (low - 0.2076).abs() < 0.006 && (high - 0.2924).abs() < 0.006,
            "{low} {high}"
        );
    }
}
