//! The universal scalability law: units that wait for each other, and units that keep each other informed.
//!
//! With N units a request costs 1 + σ(N − 1) + κN(N − 1) times what it costs with one, so the throughput of a
//! fleet that is fully busy peaks at N* = √((1 − σ) ÷ κ). The law is accepted only where the data show it: over
//! fleets of different sizes, by much more than the noise. What is not accepted changes nothing.
//!
//! Source: N. J. Gunther, *Guerrilla Capacity Planning* (2007), §4–6.

use super::noise::Noise;
use super::regression::{Prior, Regression};

/// The smallest part of the fleet's range that must have been seen: the largest fleet is this many times the smallest.
const RANGE_MIN: f64 = 1.6;
/// Samples (as independent ones) before the law is asked.
const SAMPLES_MIN: f64 = 40.0;
/// A coefficient counts from so many of its standard deviations on.
const DEVIATIONS_MIN: f64 = 5.0;
/// The law matters from this much more work a request on, between the smallest and the largest fleet seen.
const EFFECT_MIN: f64 = 0.05;
/// A ceiling beyond so many times the largest fleet that was seen is a guess, and is not named.
const REACH: f64 = 3.0;
/// How fast the memory of the smallest and largest fleets narrows, a sample.
const RANGE_FADE: f64 = 0.9995;

/// The units beyond which more units do not help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleOutCeiling {
    /// So many units carry the most.
    pub units: f64,
    /// What units lose by waiting for each other: σ.
    pub contention: f64,
    /// What they lose by keeping each other informed: κ.
    pub coherency: f64,
    /// The largest fleet that was seen.
    pub seen_units: f64,
}

/// Learns σ and κ from the work that a request takes in fleets of different sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Contention {
    regression: Regression,
    samples: f64,
    /// The smallest and largest fleets of late, and a typical one; `None` before the first sample.
    range: Option<(f64, f64, f64)>,
}

impl Default for Contention {
    fn default() -> Self {
        Self::new()
    }
}

/// Fleets are measured in hundreds of units, so that the coefficients are of a size.
const HUNDRED: f64 = 100.0;

impl Contention {
    /// Starts without data.
    pub fn new() -> Self {
        // Work a request relative to what is believed: about 1; the growth with units is not known at all.
        let prior = Prior {
            mean: vec![1.0, 0.0, 0.0],
            covariance: vec![1.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0],
        };
        Self {
            regression: Regression::new(prior, Noise::new(0.2, 4.0, 0.005)),
            samples: 0.0,
            range: None,
        }
    }

    /// Takes the work that requests took, relative to what they would take by the linear model, in a fleet of
    /// `units`.
    pub fn learn(&mut self, units: f64, relative_work: f64, weight: f64, keep: f64) {
        if !(units >= 1.0 && relative_work.is_finite() && relative_work > 0.0) {
            return;
        }
        self.regression
            .learn(&features(units), relative_work, weight, keep);
        self.samples = self.samples * keep + weight;
        let (low, high, typical) = self.range.unwrap_or((units, units, units));
        let fade = |edge: f64| typical + (edge - typical) * RANGE_FADE;
        self.range = Some((
            units.min(fade(low)),
            units.max(fade(high)),
            typical + (units - typical) * (1.0 - RANGE_FADE),
        ));
    }

    /// σ and κ, where the data show them.
    pub fn accepted(&self) -> Option<(f64, f64)> {
        let (low, high, _) = self.range?;
        if self.samples < SAMPLES_MIN || high < RANGE_MIN * low {
            return None;
        }
        let coefficients = self.regression.coefficients();
        let one = coefficients[0];
        let (small, large) = (features(low), features(high));
        let difference: Vec<f64> = small.iter().zip(large).map(|(a, b)| b - a).collect();
        let effect = self.regression.predict(&difference);
        let sure = DEVIATIONS_MIN * libm::sqrt(self.regression.variance(&difference));
        if one <= 0.05 || effect < EFFECT_MIN * one || effect < sure {
            return None;
        }
        let contention = coefficients[1] / one / HUNDRED;
        // Where κ alone is not sure it is left out, and the ceiling with it.
        let alone = [0.0, 0.0, 1.0];
        let sure = DEVIATIONS_MIN * libm::sqrt(self.regression.variance(&alone));
        let coherency = if coefficients[2] > sure {
            coefficients[2] / one / (HUNDRED * HUNDRED)
        } else {
            0.0
        };
        Some((contention.min(0.99), coherency))
    }

    /// Work a request takes in a fleet of `units`, relative to a typical one; 1 where the law is not accepted.
    pub fn relative_work(&self, units: f64) -> f64 {
        let (Some(law), Some((_, _, typical))) = (self.accepted(), self.range) else {
            return 1.0;
        };
        work(law, units.max(1.0)) / work(law, typical.max(1.0))
    }

    /// Units that carry what `units` typical ones would, and whether more units would not help.
    pub fn stretch(&self, units: f64) -> (f64, bool) {
        let (Some(law), Some((_, _, typical))) = (self.accepted(), self.range) else {
            return (units, false);
        };
        if units <= 1.0 {
            return (units, false);
        }
        // N ÷ (1 + σ(N − 1) + κN(N − 1)) = units ÷ (work of a typical fleet), the smaller root in N.
        let (contention, coherency) = law;
        let load = units / work(law, typical.max(1.0));
        let linear = contention - coherency - 1.0 / load;
        let constant = 1.0 - contention;
        if coherency <= 0.0 {
            return if linear < 0.0 {
                (constant / -linear, false)
            } else {
                (units * REACH, true)
            };
        }
        let root = linear * linear - 4.0 * coherency * constant;
        let best = libm::sqrt(constant / coherency);
        if root < 0.0 || linear >= 0.0 {
            return (best, true);
        }
        let stretched = (-linear - libm::sqrt(root)) / (2.0 * coherency);
        (stretched.min(best), false)
    }

    /// The ceiling, where it is known and not far beyond what was seen.
    pub fn ceiling(&self) -> Option<ScaleOutCeiling> {
        let (contention, coherency) = self.accepted()?;
        let (_, seen, _) = self.range?;
        let units = libm::sqrt((1.0 - contention) / coherency);
        (coherency > 0.0 && units <= REACH * seen).then_some(ScaleOutCeiling {
            units: units.max(1.0),
            contention,
            coherency,
            seen_units: seen,
        })
    }
}

fn features(units: f64) -> [f64; 3] {
    let beyond = units - 1.0;
    [1.0, beyond / HUNDRED, units * beyond / (HUNDRED * HUNDRED)]
}

fn work((contention, coherency): (f64, f64), units: f64) -> f64 {
    1.0 + contention * (units - 1.0) + coherency * units * (units - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::tests::Draws;

    fn learned(contention: f64, coherency: f64, smallest: f64, largest: f64) -> Contention {
        let mut draws = Draws::new(5);
        let mut found = Contention::new();
        for i in 0..4_000 {
            let wave = 0.5 - 0.5 * libm::cos(f64::from(i) * 0.00436);
            let units = (smallest + (largest - smallest) * wave).round();
            let noise = 1.0 + 0.03 * draws.normal();
            let relative = work((contention, coherency), units) * noise;
            found.learn(units, relative, 0.2, 0.9999);
        }
        found
    }

    #[test]
    fn the_ceiling_is_found_where_the_data_show_one() {
        let found = learned(0.002, 0.000_1, 10.0, 60.0)
            .ceiling()
            .expect("a ceiling");
        // √((1 − 0.002) ÷ 0.0001) = 99.9
        assert!((found.units - 99.9).abs() < 12.0, "{found:?}");
    }

    #[test]
    fn no_law_is_seen_in_noise_or_in_fleets_of_one_size() {
        assert_eq!(learned(0.0, 0.0, 10.0, 60.0).accepted(), None);
        assert_eq!(learned(0.002, 0.000_1, 40.0, 44.0).accepted(), None);
        assert_eq!(Contention::new().stretch(7.0), (7.0, false));
    }

    #[test]
    fn stretched_units_carry_what_is_asked_or_say_that_nothing_would() {
        let found = learned(0.002, 0.000_1, 10.0, 60.0);
        let law = found.accepted().expect("a law");
        let typical = found.range.expect("a range").2;
        for asked in [20.0, 30.0, 45.0] {
            let (units, full) = found.stretch(asked);
            assert!(!full);
            let carried = units / work(law, units) * work(law, typical);
            assert!((carried - asked).abs() < 1e-6 * asked, "{asked}: {carried}");
        }
        let (units, full) = found.stretch(500.0);
        assert!(full && (units - found.ceiling().expect("a ceiling").units).abs() < 1e-9);
    }

    #[test]
    fn contention_alone_has_no_peak_and_names_no_ceiling() {
        let found = learned(0.01, 0.0, 10.0, 60.0);
        let (contention, _) = found.accepted().expect("a law");
        assert!(contention > 0.003, "{contention}");
        if let Some(ceiling) = found.ceiling() {
            panic!("{ceiling:?}");
        }
    }
}
