//! The persona as prior: all there is at first, overtaken as history earns it.
//!
//! A normal–normal model of the log ratio of actual to expected demand with learned noise. With
//! confidence `c`, the author's figure has the relative standard deviation **s = 0.05^c** (a guess, c = 0:
//! 100 %; c = 0.5: 22 %; certain, c = 1: 5 %), so its logarithm has the variance σ² = ln(1 + s²),
//! shared half and half between
//! - τ² = σ²/2, how far the level of the whole persona may be off: the log ratio's common part has
//!   the prior N(0, τ²) and is learned from each observation, with noise ω² (at least 0.1²);
//! - ω² = σ²/2 at first, how far single steps scatter around that: learned from how they did.
//!
//! Without observations demand is log-normal with the expected mean.

use fleetcast_model::Share;
use serde::{Deserialize, Serialize};

use crate::normal::normal_quantile;

/// The relative standard deviation of an author who claims to be certain.
const SPREAD_CERTAIN: f64 = 0.05;

/// How many observations the first guess at the scatter counts as.
const SCATTER_PRIOR: f64 = 4.0;

/// Observations after which one weighs half: personas age. At 15-minute steps it is 10 days.
const HALF_LIFE: f64 = 1000.0;

/// Ratios of actual to expected further than this factor from 1 are taken as this factor.
const RATIO_MAX: f64 = 100.0;

/// Neighbouring steps err together: of so many observations only one is new for the level, minutes ahead.
const RUN_LENGTH: f64 = 4.0;

/// The log variance between days in one kind of hour that the data-driven forecast is given: 30 %.
const DAILY_VARIANCE: f64 = 0.09;

/// The least noise that levels are learned with: single steps are 10 % off however well things are
/// known, so one good hour proves no sure author wrong.
const NOISE_MIN: f64 = 0.01;

/// Seasons after which data weigh at least half, however well the persona has matched.
const SEASONS_MAX: f64 = 14.0;

/// Against a persona that expects something, data that show nothing count as this share of it:
/// zero has no logarithm.
const FLOOR: f64 = 1e-3;

/// What is known about one persona's demand, and how well it matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonaPrior {
    /// σ²: the variance of the logarithm that the author's confidence stands for.
    variance: f64,
    /// The number of observations, older ones counting less.
    weight: f64,
    /// So many observations in a row err together: only one of them is new for the level.
    run_length: f64,
    /// Their weighted sum of log ratios, and of squared ones.
    sum: f64,
    square_sum: f64,
}

impl PersonaPrior {
    /// What the author's confidence says before any observation.
    pub fn new(confidence: Share) -> Self {
        let spread = libm::exp(confidence.get() * libm::log(SPREAD_CERTAIN));
        Self {
            variance: libm::log1p(spread * spread),
            weight: 0.0,
            run_length: RUN_LENGTH,
            sum: 0.0,
            square_sum: 0.0,
        }
    }

    /// Takes so many observations in a row for one: over days ahead, the hours of one day err together.
    #[must_use]
    pub fn with_run_length(self, steps: f64) -> Self {
        Self {
            run_length: steps.max(1.0),
            ..self
        }
    }

    /// Takes in one step: what the persona expected, and what came. A step of which the persona
    /// expected nothing teaches nothing. A demand of none counts as 1 % of the expected.
    pub fn observe(&mut self, expected: f64, actual: f64) {
        let ratio = actual / expected;
        if !(expected > 0.0 && expected.is_finite() && ratio >= 0.0) {
            return;
        }
        // The mean, not the median, is expected: see `location`.
        let log = libm::log(ratio.clamp(1.0 / RATIO_MAX, RATIO_MAX)) + self.variance / 2.0;
        let keep = libm::exp2(-1.0 / HALF_LIFE);
        self.weight = self.weight * keep + 1.0;
        self.sum = self.sum * keep + log;
        self.square_sum = self.square_sum * keep + log * log;
    }

    /// By what factor the persona's level is off, as far as is known: 1 before any observation.
    pub fn level_correction(&self) -> f64 {
        libm::exp(self.level().0)
    }

    /// The quantile of the demand, by the persona and what it was seen to miss, where it expects
    /// this mean. 0 where it expects nothing; 0 at level 0 and infinite at level 1.
    pub fn quantile(&self, expected: f64, level: f64) -> f64 {
        if expected.is_nan() || expected <= 0.0 || level <= 0.0 {
            return 0.0;
        }
        let (mean, uncertainty) = self.level();
        let deviation = (uncertainty + self.scatter()).sqrt();
        expected * libm::exp(mean - self.variance / 2.0 + normal_quantile(level) * deviation)
    }

    /// The quantile that the persona and the data-driven forecast give together: their average on
    /// the log scale, weighted by [`Self::data_weight`].
    ///
    /// `history_steps` is how many steps of history the data-driven quantile rests on (0: none; it
    /// is not looked at then), `season_steps` how many steps apart the same kind of hour is (a day's
    /// or a week's). Where the persona expects nothing, data alone speak.
    pub fn blend(
        &self,
        expected: f64,
        level: f64,
        data_quantile: f64,
        history_steps: usize,
        season_steps: usize,
    ) -> f64 {
        let persona = self.quantile(expected, level);
        if history_steps == 0 || data_quantile.is_nan() {
            return persona;
        }
        if persona <= 0.0 || !(persona.is_finite() && data_quantile.is_finite()) {
            return data_quantile;
        }
        let weight = self.data_weight(history_steps, season_steps);
        let data = data_quantile.max(FLOOR * persona);
        persona * libm::exp(weight * libm::log(data / persona))
    }

    /// What the data weigh against the persona, from 0 to under 1: k / (k + κ) after `k` seasons,
    /// where κ = 0.3² / (variance of the persona as known now), at most 14. The less the persona
    /// was sure or the worse it matched, the sooner data take over.
    pub fn data_weight(&self, history_steps: usize, season_steps: usize) -> f64 {
        let seasons = history_steps as f64 / season_steps.max(1) as f64;
        let persona_variance = self.level().1 + self.scatter();
        let half = (DAILY_VARIANCE / persona_variance).min(SEASONS_MAX);
        seasons / (seasons + half)
    }

    /// The mean and variance of the persona's common log ratio, given what was observed.
    fn level(&self) -> (f64, f64) {
        let independent = self.weight / self.run_length;
        let noise = self.scatter().max(NOISE_MIN);
        let precision = 2.0 / self.variance + independent / noise;
        let mean = if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        };
        (mean * independent / noise / precision, 1.0 / precision)
    }

    /// ω²: how far single steps scatter around the common log ratio.
    fn scatter(&self) -> f64 {
        let spread = if self.weight > 0.0 {
            self.square_sum - self.sum * self.sum / self.weight
        } else {
            0.0
        };
        (SCATTER_PRIOR * self.variance / 2.0 + spread.max(0.0)) / (SCATTER_PRIOR + self.weight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prior(confidence: f64) -> PersonaPrior {
        PersonaPrior::new(Share::new(confidence).unwrap())
    }

    #[test]
    fn without_history_the_persona_alone_speaks() {
        for confidence in [0.0, 0.5, 1.0] {
            let prior = prior(confidence);
            let steps = 2000;
            let quantile = |place: usize| {
                prior.quantile(200.0, (f64::from(place as u32) + 0.5) / f64::from(steps))
            };
            let quantiles: Vec<f64> = (0..steps as usize).map(quantile).collect();
            let mean = quantiles.iter().sum::<f64>() / f64::from(steps);
            let squares = quantiles
                .iter()
                .map(|quantile| (quantile - mean) * (quantile - mean))
                .sum::<f64>();
            let relative = (squares / f64::from(steps)).sqrt() / mean;
            assert!((mean / 200.0 - 1.0).abs() < 0.01, "{confidence}: {mean}");
            let stated = libm::pow(0.05, confidence);
            assert!(
                (relative / stated - 1.0).abs() < 0.05,
                "{confidence}: {relative} is not {stated}"
            );
            assert_eq!(
                prior.blend(200.0, 0.9, f64::NAN, 0, 24),
                prior.quantile(200.0, 0.9)
            );
        }
    }

    #[test]
    fn a_wrong_level_is_corrected_the_sooner_the_less_sure_the_author_was() {
        let learned = |confidence: f64, observations: usize| {
            let mut prior = prior(confidence);
            (0..observations).for_each(|_| prior.observe(100.0, 150.0));
            prior.quantile(100.0, 0.5)
        };
        assert!(
            learned(0.2, 24) > learned(0.9, 24),
            "{} {}",
            learned(0.2, 24),
            learned(0.9, 24)
        );
        assert!(
            (learned(0.9, 500) / 150.0 - 1.0).abs() < 0.05,
            "{}",
            learned(0.9, 500)
        );
        assert!((learned(0.5, 0) / 100.0 - 1.0).abs() < 0.05);
    }

    #[test]
    fn data_take_over_with_the_seasons_seen_and_where_the_persona_fails() {
        let mut matched = prior(0.8);
        let mut failed = prior(0.8);
        for step in 0..96_u32 {
            matched.observe(100.0, 100.0);
            failed.observe(100.0, if step % 3 == 0 { 20.0 } else { 300.0 });
        }
        assert_eq!(matched.data_weight(0, 24), 0.0);
        assert!(matched.data_weight(24, 24) < 0.2 && matched.data_weight(60 * 24, 24) > 0.8);
        assert!(
            failed.data_weight(3 * 24, 24) > 0.8,
            "{}",
            failed.data_weight(3 * 24, 24)
        );
        let blended = matched.blend(100.0, 0.5, 400.0, 14 * 24, 24);
        assert!((190.0..=400.0).contains(&blended), "{blended}");
    }

    #[test]
    fn nothing_expected_leaves_it_to_the_data() {
        let mut prior = prior(0.5);
        prior.observe(0.0, 50.0);
        assert_eq!(prior, super::tests::prior(0.5));
        assert_eq!(prior.quantile(0.0, 0.9), 0.0);
        assert_eq!(prior.blend(0.0, 0.9, 7.0, 10, 24), 7.0);
        assert!(prior.blend(100.0, 0.9, 0.0, 1_000_000, 24) < 1.0);
    }

    fn learned() -> impl Strategy<Value = PersonaPrior> {
        (
            0.0_f64..=1.0,
            proptest::collection::vec((0.1_f64..1e3, 0.0_f64..1e3), 0..50),
        )
            .prop_map(|(confidence, seen)| {
                let mut prior = prior(confidence);
                seen.into_iter()
                    .for_each(|(expected, actual)| prior.observe(expected, actual));
                prior
            })
    }

    proptest! {
        #[test]
        fn quantiles_rise_with_the_level(
            prior in learned(), expected in 0.1_f64..1e6, levels in (0.001_f64..0.999, 0.001_f64..0.999),
            data in 0.0_f64..1e6, more in 0.0_f64..1e3, steps in 0_usize..5000,
        ) {
            let (low, high) = (levels.0.min(levels.1), levels.0.max(levels.1));
            prop_assert!(prior.quantile(expected, low) <= prior.quantile(expected, high));
            let blend = |level: f64, data: f64| prior.blend(expected, level, data, steps, 96);
            prop_assert!(blend(low, data) <= blend(high, data + more) * (1.0 + 1e-12));
        }

        #[test]
        fn the_unit_does_not_matter(
            prior in learned(), expected in 0.1_f64..1e3, actual in 0.0_f64..1e3, data in 0.0_f64..1e3,
            level in 0.01_f64..0.99, scale in 0.01_f64..1e4, steps in 0_usize..5000,
        ) {
            let run = |scale: f64| {
                let mut prior = prior.clone();
                prior.observe(scale * expected, scale * actual);
                prior.blend(scale * expected, level, scale * data, steps, 96) / scale
            };
            let (one, scaled) = (run(1.0), run(scale));
            prop_assert!((one - scaled).abs() <= 1e-9 * one.abs(), "{one} {scaled}");
        }
    }
}
