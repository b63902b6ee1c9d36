//! The distribution of demand at arrival, as quantiles at fixed levels.

use crate::event_book::Uplift;

/// Number of quantile levels.
pub const LEVEL_COUNT: usize = 12;
/// The levels of every forecast. Dense where buying lands: from .3 (smooth demand, loose objective) to .999.
pub const LEVELS: [f64; LEVEL_COUNT] = [
    0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.998, 0.999, 0.9995,
];

/// A conditional distribution of demand at arrival, in units of demand.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeadForecast {
    /// One value per level of [`LEVELS`], not decreasing.
    pub quantiles: [f64; LEVEL_COUNT],
}

impl LeadForecast {
    /// The quantile at any level: linear in −ln(1 − level) between the fixed ones, and beyond the last
    /// with its slope (an exponential tail).
    pub fn at(&self, level: f64) -> f64 {
        self.at_depth(depth(level))
    }

    /// How fast quantiles rise with depth between .9 and .99: the scale of an exponential tail, in units of demand.
    pub fn tail_scale(&self) -> f64 {
        (self.quantiles[7] - self.quantiles[4]) / (LEVEL_DEPTHS[7] - LEVEL_DEPTHS[4])
    }

    /// The quantile at depth −ln(1 − level).
    pub fn at_depth(&self, wanted: f64) -> f64 {
        let mut i = 0;
        while i + 2 < LEVEL_COUNT && LEVEL_DEPTHS[i + 1] < wanted {
            i += 1;
        }
        let (low, high) = (LEVEL_DEPTHS[i], LEVEL_DEPTHS[i + 1]);
        let slope = (self.quantiles[i + 1] - self.quantiles[i]) / (high - low);
        (self.quantiles[i] + slope * (wanted - low)).max(0.0)
    }

    /// The depth at which the quantile reaches a demand, up to 9 (one in eight thousand).
    pub fn depth_of(&self, demand: f64) -> f64 {
        // Quantiles do not fall with depth, so the place is found by halving.
        let (mut low, mut high) = (0.0, 9.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.at_depth(middle) <= demand {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The mean of what both say, quantile by quantile.
    pub(super) fn mean_with(&self, other: &Self) -> Self {
        Self {
            quantiles: std::array::from_fn(|place| {
                0.5 * (self.quantiles[place] + other.quantiles[place])
            }),
        }
    }

    /// Multiplies demand by a factor that is known to come.
    pub fn scale(&mut self, factor: f64) {
        for quantile in &mut self.quantiles {
            *quantile *= factor;
        }
    }

    /// Replaces each quantile by what `blend` makes of its level and value, and keeps them in order.
    pub fn map(&mut self, blend: impl Fn(f64, f64) -> f64) {
        for (level, quantile) in LEVELS.iter().zip(&mut self.quantiles) {
            let value = blend(*level, *quantile);
            *quantile = if value.is_finite() {
                value.max(0.0)
            } else {
                *quantile
            };
        }
        self.quantiles.sort_unstable_by(f64::total_cmp);
    }

    /// Multiplies demand by a factor that is known to come, but not for sure: on the logarithm, its deviation adds
    /// to the distance of each quantile from the median.
    pub fn lift(&mut self, uplift: Uplift) {
        let median = self.at(0.5);
        if uplift.deviation <= 0.0 || median <= 0.0 {
            return self.scale(uplift.factor);
        }
        self.map(|level, value| uplift.lift(level, value, median));
    }
}

/// −ln(1 − level): how deep in the tail a level lies.
pub fn depth(level: f64) -> f64 {
    -libm::log((1.0 - level).clamp(1e-9, 1.0))
}

/// `depth` of each of [`LEVELS`]: a table, because libm has no constant functions.
#[expect(
    clippy::approx_constant,
    reason = "ln 2 and ln 10 are entries of a table"
)]
pub(super) const LEVEL_DEPTHS: [f64; LEVEL_COUNT] = [
    0.356_674_943_938_732_4,
    0.693_147_180_559_945_3,
    1.049_822_124_498_677_8,
    1.609_437_912_434_100_5,
    2.302_585_092_994_046,
    2.995_732_273_553_991,
    3.688_879_454_113_936,
    4.605_170_185_988_091,
    5.298_317_366_548_036,
    6.214_608_098_422_191,
    6.907_755_278_982_137,
    7.600_902_459_542_082,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_depths_is_right() {
        for (level, expected) in LEVELS.iter().zip(LEVEL_DEPTHS) {
            assert!((depth(*level) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn quantiles_between_and_beyond_the_levels_go_on() {
        let forecast = LeadForecast {
            quantiles: LEVEL_DEPTHS,
        };
        for level in [0.3, 0.42, 0.9, 0.93, 0.9995, 0.99999] {
            assert!((forecast.at(level) - depth(level)).abs() < 1e-9);
        }
    }

    #[test]
    fn an_unsure_uplift_widens_what_it_lifts() {
        let mut sure = LeadForecast {
            quantiles: LEVEL_DEPTHS.map(|depth| 10.0 + depth),
        };
        let mut unsure = sure;
        sure.lift(Uplift {
            factor: 2.0,
            deviation: 0.0,
        });
        unsure.lift(Uplift {
            factor: 2.0,
            deviation: 0.5,
        });
        assert!((sure.at(0.5) - unsure.at(0.5)).abs() < 1e-9);
        assert!(unsure.at(0.95) > 1.5 * sure.at(0.95) && unsure.at(0.3) < sure.at(0.3));
    }
}
