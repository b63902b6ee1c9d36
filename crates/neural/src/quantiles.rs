//! The levels that networks are trained for, and the quantile function through them.

/// The levels of the quantile head.
pub(crate) const LEVELS: [f64; COUNT] = [
    0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975,
];
pub(crate) const COUNT: usize = 13;

/// The place of the median.
pub(crate) const MEDIAN: usize = COUNT / 2;

/// Standard normal quantiles of the levels.
pub(crate) const SCORES: [f64; COUNT] = [
    -1.959_963_984_540_054,
    -1.644_853_626_951_472_7,
    -1.281_551_565_544_600_4,
    -0.841_621_233_572_914_2,
    -0.524_400_512_708_040_7,
    -0.253_347_103_135_799_7,
    0.0,
    0.253_347_103_135_799_7,
    0.524_400_512_708_040_7,
    0.841_621_233_572_914_2,
    1.281_551_565_544_600_4,
    1.644_853_626_951_472_7,
    1.959_963_984_540_054,
];

/// Beyond this many standard deviations tails are cut off: five in ten million.
const SCORE_MAX: f64 = 5.0;

/// The quantile at a standard normal score: straight lines between the levels, whose slopes go on in the
/// tails, so that what is normal stays normal.
pub(crate) fn at_score(quantiles: &[f64], score: f64) -> f64 {
    let score = score.clamp(-SCORE_MAX, SCORE_MAX);
    let above = SCORES
        .partition_point(|&known| known < score)
        .clamp(1, COUNT - 1);
    let share = (score - SCORES[above - 1]) / (SCORES[above] - SCORES[above - 1]);
    quantiles[above - 1] + share * (quantiles[above] - quantiles[above - 1])
}

/// The standard normal score of a value under these rising quantiles.
pub(crate) fn score_of(quantiles: &[f64], value: f64) -> f64 {
    let above = quantiles
        .partition_point(|&known| known < value)
        .clamp(1, COUNT - 1);
    let width = (quantiles[above] - quantiles[above - 1]).max(f64::MIN_POSITIVE);
    let share = (value - quantiles[above - 1]) / width;
    let score = SCORES[above - 1] + share * (SCORES[above] - SCORES[above - 1]);
    score.clamp(-SCORE_MAX, SCORE_MAX)
}

/// The standard normal quantile of a level, by bisection: exact to 1e-12, and cut off in the tails.
pub(crate) fn score(level: f64) -> f64 {
    let (mut low, mut high) = (-SCORE_MAX, SCORE_MAX);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        let share = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
        if share < level {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_levels() {
        for (level, expected) in LEVELS.iter().zip(SCORES) {
            assert!((score(*level) - expected).abs() < 1e-10, "{level}");
        }
        assert!(score(0.0) < -4.99 && score(1.0) > 4.99);
    }

    #[test]
    fn normal_quantiles_stay_normal_and_come_back() {
        let quantiles = SCORES.map(|score| 3.0 + 2.0 * score);
        for score in [-4.0, -1.7, -0.1, 0.0, 0.9, 3.0] {
            assert!((at_score(&quantiles, score) - (3.0 + 2.0 * score)).abs() < 1e-12);
            assert!((score_of(&quantiles, 3.0 + 2.0 * score) - score).abs() < 1e-12);
        }
        assert!(score_of(&[1.0; COUNT], 2.0).is_finite());
    }
}
