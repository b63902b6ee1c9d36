//! Seeded randomness: one generator for each purpose, so that one more draw for one purpose never
//! shifts what happens in another.

use libm::{cos, exp, floor, lgamma, log, sqrt};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// Means below this are drawn exactly, term by term; from here on by rejection, which is as exact
/// but only pays for larger means. Hörmann's method asks for at least 10.
const POISSON_BY_REJECTION: f64 = 10.0;

/// A generator for one purpose: equal seeds and purposes give equal draws on every machine.
///
/// The bits are those of PCG XSL RR 128/64 (O'Neill 2014, crate `rand_pcg`), whose streams do not
/// overlap; the purpose's name chooses the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    bits: Pcg64,
}

impl Random {
    /// The generator of one purpose, such as `boot/web`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, 64 bit, then spread by SplitMix64 (Steele, Lea, Flood 2014): nearby seeds and
        // names must not give nearby states.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let state = wide(split_mix(seed), split_mix(seed ^ hash));
        let stream = wide(split_mix(hash), split_mix(!hash));
        Self {
            bits: Pcg64::new(state, stream),
        }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// Uniform in 0..1, in steps of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0..`end`; 0 if that is empty.
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of the product; it is biased by less than `end`/2⁶⁴, beyond any simulation.
        u64::try_from((u128::from(self.bits()) * u128::from(end)) >> 64)
            .expect("the high half of 128 bits")
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Standard normal (Box and Muller 1958, the cosine only, so that each draw takes two uniforms).
    pub fn normal(&mut self) -> f64 {
        let radius = sqrt(-2.0 * log(1.0 - self.uniform()));
        radius * cos(std::f64::consts::TAU * self.uniform())
    }

    /// Log-normal with a median, where `sigma` is the standard deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// Exponential with a mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * log(1.0 - self.uniform())
    }

    /// Gamma with a shape of at least 1 and a mean (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64, mean: f64) -> f64 {
        assert!(shape >= 1.0, "a gamma shape of {shape} is below 1");
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if log(1.0 - self.uniform()) < 0.5 * x * x + d * (1.0 - v + log(v)) {
                return mean * d * v / shape;
            }
        }
    }

    /// Poisson with a mean; 0 if that is not positive.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean.is_nan() || mean <= 0.0 {
            0
        } else if mean < POISSON_BY_REJECTION {
            self.poisson_by_terms(mean)
        } else {
            self.poisson_by_rejection(mean)
        }
    }

    /// Inverts the distribution function term by term: one uniform for each draw.
    fn poisson_by_terms(&mut self, mean: f64) -> u64 {
        let mut left = self.uniform();
        let mut term = exp(-mean);
        let mut count = 0_u64;
        while left >= term && term > 0.0 {
            left -= term;
            count += 1;
            term *= mean / count as f64;
        }
        count
    }

    /// Transformed rejection with squeeze (PTRS; Hörmann 1993), whose constants these are.
    fn poisson_by_rejection(&mut self, mean: f64) -> u64 {
        let b = 0.931 + 2.53 * sqrt(mean);
        let a = -0.059 + 0.024_83 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.uniform() - 0.5;
            let v = 1.0 - self.uniform();
            let us = 0.5 - u.abs();
            let k = floor((2.0 * a / us + b) * u + mean + 0.43);
            if us >= 0.07 && v <= v_r {
                return k as u64;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = log(v) + log(inverse_alpha) - log(a / (us * us) + b);
            if accepted <= k * log(mean) - mean - lgamma(k + 1.0) {
                return k as u64;
            }
        }
    }
}

/// One step of SplitMix64, as a mixing function.
fn split_mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many draws.
    fn moments(draws: usize, mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let all: Vec<f64> = (0..draws).map(|_| draw()).collect();
        let mean = all.iter().sum::<f64>() / draws as f64;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws as f64;
        (mean, variance)
    }

    #[track_caller]
    fn check(name: &str, found: (f64, f64), expected: (f64, f64)) {
        let near =
            |found: f64, expected: f64| (found - expected).abs() <= 0.02 * expected.abs().max(0.5);
        assert!(
            near(found.0, expected.0) && near(found.1, expected.1),
            "{name}: {found:?} and not {expected:?}"
        );
    }

    #[test]
    fn equal_seeds_and_purposes_give_equal_bits_for_ever() {
        let draw = |seed, purpose| Random::new(seed, purpose).bits();
        assert_eq!(draw(1, "boot"), 1_043_377_302_445_562_572);
        assert_eq!(draw(1, "boot"), draw(1, "boot"));
        assert_ne!(draw(1, "boot"), draw(2, "boot"));
        assert_ne!(draw(1, "boot"), draw(1, "demand"));
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let mut random = Random::new(7, "moments");
        check(
            "uniform",
            moments(100_000, || random.uniform()),
            (0.5, 1.0 / 12.0),
        );
        check(
            "below",
            moments(100_000, || random.below(6) as f64),
            (2.5, 35.0 / 12.0),
        );
        check("normal", moments(100_000, || random.normal()), (0.0, 1.0));
        check(
            "exponential",
            moments(200_000, || random.exponential(3.0)),
            (3.0, 9.0),
        );
        check(
            "gamma",
            moments(100_000, || random.gamma(4.0, 10.0)),
            (10.0, 25.0),
        );
        let sigma: f64 = 0.5;
        let mean = 2.0 * exp(sigma * sigma / 2.0);
        let variance = mean * mean * (exp(sigma * sigma) - 1.0);
        check(
            "log-normal",
            moments(200_000, || random.log_normal(2.0, sigma)),
            (mean, variance),
        );
        for mean in [0.1, 3.0, 9.9, 10.0, 40.0, 6_000.0] {
            check(
                "poisson",
                moments(100_000, || random.poisson(mean) as f64),
                (mean, mean),
            );
        }
    }

    #[test]
    fn both_ways_to_draw_poisson_agree_in_the_tail() {
        let mut random = Random::new(8, "tail");
        let mut above = |by_rejection: bool| {
            let mut draw = || {
                if by_rejection {
                    random.poisson_by_rejection(12.0)
                } else {
                    random.poisson_by_terms(12.0)
                }
            };
            (0..200_000).filter(|_| draw() > 19).count() as f64 / 200_000.0
        };
        let exact = 0.021_28; // P(X > 19) of a mean of 12.
        for by_rejection in [true, false] {
            let share = above(by_rejection);
            assert!((share - exact).abs() < 0.001, "{by_rejection}: {share}");
        }
    }

    #[test]
    fn nonsense_means_give_nothing() {
        let mut random = Random::new(9, "nonsense");
        for mean in [0.0, -1.0, f64::NAN] {
            assert_eq!(random.poisson(mean), 0);
        }
        assert_eq!(random.below(0), 0);
    }
}
