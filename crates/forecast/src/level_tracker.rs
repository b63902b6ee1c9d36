//! The unclipped tracker that carries the guarantee.

use serde::{Deserialize, Serialize};

/// Adaptive conformal inference in its pure form: α ← α + γ·(target − miss), never clipped.
///
/// Gibbs and Candès: Adaptive conformal inference under distribution shift (2021), proposition 4.1:
/// as long as a forecast made at α ≤ 0 cannot be missed (it is infinite) and one made at α ≥ 1 is always missed
/// (it is empty), the share of misses after `T` outcomes lies within
/// `(max{α₁, 1 − α₁} + γ·(1 + delay)) / (γ·T)` of the target **for any sequence whatever**. With
/// outcomes that are known only after `delay` further forecasts, α can leave [0, 1] by `delay` more
/// moves, which is all that the delay costs. Clipping, as forecasts in use need it, voids this; so
/// run one of these beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelTracker {
    target: f64,
    gamma: f64,
    first: f64,
    alpha: f64,
    outcomes: u64,
    misses: u64,
    delay: usize,
}

impl LevelTracker {
    /// Tracks a target share of misses with moves of size `gamma`, starting at the target; outcomes
    /// arrive after `delay` further forecasts (0: before the next one).
    ///
    /// # Panics
    /// Unless the target lies between 0 and 1 and `gamma` is positive and finite.
    pub fn new(target: f64, gamma: f64, delay: usize) -> Self {
        assert!((0.0..=1.0).contains(&target), "a target of {target} misses");
        assert!(gamma > 0.0 && gamma.is_finite(), "moves of size {gamma}");
        Self {
            target,
            gamma,
            first: target,
            alpha: target,
            outcomes: 0,
            misses: 0,
            delay,
        }
    }

    /// The level that the next forecast is made at: its share of misses if the past were the future.
    /// At or under 0 the forecast must be infinite, at or over 1 empty.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Takes in whether a forecast was missed.
    pub fn observe(&mut self, missed: bool) {
        self.outcomes += 1;
        self.misses += u64::from(missed);
        self.alpha += self.gamma * (self.target - f64::from(u8::from(missed)));
    }

    /// The share of misses so far; the target before the first outcome.
    pub fn mean_error(&self) -> f64 {
        if self.outcomes == 0 {
            self.target
        } else {
            self.misses as f64 / self.outcomes as f64
        }
    }

    /// How far [`Self::mean_error`] can be from the target, whatever the sequence. Infinite before
    /// the first outcome.
    pub fn bound(&self) -> f64 {
        let reach = self.first.max(1.0 - self.first) + self.gamma * (1 + self.delay) as f64;
        reach / (self.gamma * self.outcomes as f64)
    }

    /// How many outcomes were taken in.
    pub fn outcomes(&self) -> u64 {
        self.outcomes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// An adversary decides each outcome, knowing the level, wherever the forecast leaves a choice.
        #[test]
        fn no_adversary_breaks_the_bound(
            target in 0.001_f64..0.999,
            gamma in 0.001_f64..0.5,
            delay in 0_usize..20,
            thresholds in proptest::collection::vec(-0.5_f64..1.5, 1..400),
        ) {
            let mut tracker = LevelTracker::new(target, gamma, delay);
            let mut waiting = VecDeque::new();
            for threshold in thresholds {
                let alpha = tracker.alpha();
                waiting.push_back(if alpha <= 0.0 { false } else { alpha >= 1.0 || alpha > threshold });
                if waiting.len() > delay {
                    tracker.observe(waiting.pop_front().expect("not empty"));
                    prop_assert!((tracker.mean_error() - target).abs() <= tracker.bound() + 1e-9, "{tracker:?}");
                }
            }
        }
    }
}
