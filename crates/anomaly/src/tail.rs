//! How rare a number is among all that came before it.

use serde::{Deserialize, Serialize};

use crate::gpd::Pareto;

/// The distribution of all numbers seen, with a tail that reaches beyond them: streaming peaks over
/// threshold (SPOT: Siffer et al. 2017).
///
/// Numbers are counted in buckets whose bounds grow by 5 %, so that memory is bounded (a few KB)
/// and ranks are exact up to a bucket. What lies above the 98 % quantile is continued by a
/// generalised Pareto distribution, fitted again whenever the count has grown by a twentieth: not at each
/// excess, so that an anomaly does not at once excuse the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// How often numbers fell into each bucket, from bucket `first` on.
    counts: Vec<u32>,
    first: i32,
    /// Zeros and what is close to zero.
    zeros: u32,
    seen: u32,
    fit: Option<Fit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Fit {
    /// Numbers seen when it was made.
    seen: u32,
    /// Above it, the distribution counts.
    threshold: f64,
    /// How many were above it.
    above: f64,
    excesses: Pareto,
}

/// ln 1.05: a bucket's bounds are 5 % apart.
const BUCKET_LOG: f64 = 0.048_790_164_169_432;
/// Less than this is zero, more than the other is that: 1,400 buckets at most.
const RANGE: (f64, f64) = (1e-9, 1e21);
/// Before so many, nothing is rare.
const SEEN_MIN: u32 = 50;
/// The share above the threshold of the tail, and the fewest excesses that a fit is made from. The
/// share is that of Siffer et al.
const TAIL_SHARE: f64 = 0.02;
const EXCESSES_MIN: f64 = 20.0;
/// Numbers between two fits, at least, and as a share of all.
const REFIT_MIN: u32 = 16;
const REFIT_SHARE: u32 = 20;
/// Counts are halved when so many were seen, which is 38 years of minutes: they cannot overflow.
const SEEN_MAX: u32 = 20_000_000;

impl Default for Tail {
    fn default() -> Self {
        Self::new()
    }
}

impl Tail {
    /// Nothing has been seen.
    pub fn new() -> Self {
        Self {
            counts: Vec::new(),
            first: 0,
            zeros: 0,
            seen: 0,
            fit: None,
        }
    }

    /// Takes a number that is not negative, and says how rare it was among those before it, as
    /// −log₁₀ of a probability: 3 is one in a thousand. 0 while too few were seen.
    pub fn observe(&mut self, number: f64) -> f64 {
        let number = number.clamp(0.0, RANGE.1);
        self.refit();
        let rarity = self.rarity(number);
        self.count(number);
        rarity
    }

    /// How rare a number would be.
    pub fn rarity(&self, number: f64) -> f64 {
        let Some(fit) = &self.fit else {
            return 0.0;
        };
        let seen = f64::from(self.seen);
        let rarity = if number > fit.threshold {
            fit.excesses.rarity(number - fit.threshold) - libm::log10(fit.above / seen)
        } else {
            -libm::log10((self.at_least(number) + 1.0) / (seen + 1.0))
        };
        rarity.clamp(0.0, RARITY_MAX)
    }

    /// The number from which on others are at least this rare: the threshold z_q of SPOT. `None`
    /// while too few were seen, or if it lies within what was seen often.
    pub fn threshold(&self, rarity: f64) -> Option<f64> {
        let fit = self.fit.as_ref()?;
        let beyond = rarity + libm::log10(fit.above / f64::from(self.seen));
        (beyond >= 0.0).then(|| fit.threshold + fit.excesses.excess(beyond))
    }

    fn refit(&mut self) {
        let due = self.fit.map_or(SEEN_MIN, |fit| {
            fit.seen + (fit.seen / REFIT_SHARE).max(REFIT_MIN)
        });
        if self.seen < due {
            return;
        }
        let seen = f64::from(self.seen);
        let wanted = (seen * TAIL_SHARE).ceil().max(EXCESSES_MIN).min(seen / 2.0);
        let mut above = 0.0;
        let mut threshold = 0.0;
        let mut excesses = Vec::new();
        for (place, &count) in self.counts.iter().enumerate().rev() {
            if count == 0 {
                continue;
            }
            let value = self.value(place);
            if above >= wanted {
                threshold = value;
                break;
            }
            above += f64::from(count);
            excesses.push((value, f64::from(count)));
        }
        excesses.reverse();
        for (value, _) in &mut excesses {
            *value -= threshold;
        }
        if excesses.is_empty() {
            // All were zero: anything else is new.
            above = 1.0;
            excesses.push((RANGE.0, 1.0));
        }
        self.fit = Some(Fit {
            seen: self.seen,
            threshold,
            above,
            excesses: Pareto::fit(&excesses),
        });
    }

    fn count(&mut self, number: f64) {
        if self.seen == SEEN_MAX {
            self.halve();
        }
        self.seen += 1;
        let Some(bucket) = bucket(number) else {
            self.zeros += 1;
            return;
        };
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let more = (self.first - bucket) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first = bucket;
        }
        let place = (bucket - self.first) as usize;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
    }

    fn halve(&mut self) {
        self.counts.iter_mut().for_each(|count| *count /= 2);
        self.zeros /= 2;
        self.seen = self.zeros + self.counts.iter().sum::<u32>();
        self.fit = None;
        self.refit();
    }

    fn at_least(&self, number: f64) -> f64 {
        let Some(bucket) = bucket(number) else {
            return f64::from(self.seen);
        };
        let from = (bucket - self.first).max(0) as usize;
        let counts = self.counts.get(from..).unwrap_or_default();
        f64::from(counts.iter().sum::<u32>())
    }

    /// The middle of a bucket.
    fn value(&self, place: usize) -> f64 {
        libm::exp((f64::from(self.first) + place as f64 + 0.5) * BUCKET_LOG)
    }
}

/// No probability is known to be smaller than one in 10¹².
const RARITY_MAX: f64 = 12.0;

fn bucket(number: f64) -> Option<i32> {
    (number > RANGE.0).then(|| (libm::log(number.min(RANGE.1)) / BUCKET_LOG).floor() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Noise;

    #[test]
    fn rarity_is_the_tail_probability() {
        let mut tail = Tail::new();
        let mut noise = Noise::new(1);
        for _ in 0..20_000 {
            tail.observe(noise.normal().abs());
        }
        // Two-sided normal: P(|z| > 1.96) = 0.05, P(> 3.29) = 0.001, P(> 4.42) = 1e-5.
        for (z, expected, slack) in [(1.96, 1.3, 0.1), (3.29, 3.0, 0.25), (4.42, 5.0, 0.8)] {
            let rarity = tail.rarity(z);
            assert!((rarity - expected).abs() < slack, "{z}: {rarity}");
        }
        let threshold = tail.threshold(3.0).unwrap();
        assert!((tail.rarity(threshold) - 3.0).abs() < 1e-9);
        assert!((threshold - 3.29).abs() < 0.25, "{threshold}");
        assert_eq!(tail.threshold(0.5), None);
    }

    #[test]
    fn nothing_is_rare_at_first_and_news_after_zeros_is() {
        let mut tail = Tail::new();
        for _ in 0..SEEN_MIN {
            assert_eq!(tail.observe(0.0), 0.0);
        }
        assert_eq!(tail.observe(0.0), 0.0);
        assert!(tail.observe(1.0) > 3.0);
        // Once it has come often it is ordinary.
        for _ in 0..100 {
            tail.observe(1.0);
        }
        assert!(tail.rarity(1.0) < 1.0);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut tail = Tail::new();
        for exponent in -400..400 {
            let number = libm::pow(10.0, f64::from(exponent));
            let rarity = tail.observe(number);
            assert!((0.0..=RARITY_MAX).contains(&rarity));
        }
        tail.observe(f64::MAX);
        assert!(tail.counts.len() <= 1_420, "{}", tail.counts.len());
    }

    #[test]
    fn counts_are_halved_before_they_overflow() {
        let mut tail = Tail::new();
        for number in 1..=100 {
            tail.observe(f64::from(number));
        }
        let before = tail.rarity(90.0);
        tail.counts.iter_mut().for_each(|count| *count *= 1000);
        tail.seen *= 1000;
        tail.halve();
        assert!((tail.rarity(90.0) - before).abs() < 0.3);
    }
}
