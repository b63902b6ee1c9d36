//! Calibration on line: forecasts learn from how often they were missed.
//!
//! Adaptive conformal inference (Gibbs and Candès 2021) on top of any forecast band, conformalised as
//! in Romano, Patterson and Candès: Conformalized quantile regression (2019). The score of an
//! outcome is by how much it left the band, in units of a local scale (an exponentially weighted
//! mean of recent such distances), so that calm nights and busy evenings share one window of
//! scores. The window is that of BACC (arXiv 2606.20575, 2026).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::LevelTracker;

/// Outcomes after which an outcome weighs half in the local scale.
const SCALE_HALF_LIFE: f64 = 48.0;

/// A range of demand. Bounds may be infinite; both are the forecast itself for a point forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
}

impl Band {
    /// A single number, such as a point forecast or the quantile to be calibrated.
    pub fn point(value: f64) -> Self {
        Self {
            lower: value,
            upper: value,
        }
    }
}

/// Which way a forecast can be missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// By demand above the upper bound only, as buying needs it; the lower bound is left as it is.
    Above,
    /// By demand outside the band.
    Both,
}

/// How a forecast is calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalSettings {
    /// Which way a forecast can be missed.
    pub side: Side,
    /// The share of outcomes that may miss: 0.05 for a P95.
    pub target: f64,
    /// How far one outcome moves the level in use.
    pub gamma: f64,
    /// How far one outcome moves the level of the shadow: larger, the sooner its promise binds.
    pub shadow_gamma: f64,
    /// How many of the newest scores count.
    pub window: usize,
    /// What the level in use is kept between, lowest and highest.
    pub clip: (f64, f64),
}

impl ConformalSettings {
    /// A tenth of the target per miss, 720 scores, level between a fifth of the target and 6 times
    /// it (0.5 at most): each miss counts the same at every target, and a steady demand is missed
    /// just as often as wanted. Shadow: γ = 0.05.
    pub fn new(side: Side, target: f64) -> Self {
        let clip = (0.2 * target, (6.0 * target).min(0.5).max(target));
        Self {
            side,
            target,
            gamma: 0.1 * target,
            shadow_gamma: 0.05,
            window: 720,
            clip,
        }
    }

    /// BACC's tuning: γ = 0.08, level between half the target and 6 times it (0.5 at most). One miss
    /// throws the level to its lower end, which is quick, but by itself misses more often than
    /// wanted (by 2 points of 5 on plain noise): it is meant to have the budget's feedback around it.
    pub fn bacc(side: Side, target: f64) -> Self {
        let clip = (0.5 * target, (6.0 * target).min(0.5).max(target));
        Self {
            gamma: 0.08,
            shadow_gamma: 0.08,
            clip,
            ..Self::new(side, target)
        }
    }
}

/// A forecast that was given out: kept until its outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    /// What came in.
    pub base: Band,
    /// What is in use: calibrated with the clipped level, finite wherever the base is.
    pub band: Band,
    /// What the guarantee holds for: calibrated with the unclipped level, infinite or empty at times.
    pub shadow: Band,
    scale: f64,
}

/// Calibrates one forecast at one lead.
///
/// [`Self::issue`] widens or narrows a forecast by what was learned; [`Self::observe`] learns from
/// its outcome. Before the first outcome forecasts pass unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveConformal {
    settings: ConformalSettings,
    alpha: f64,
    shadow: LevelTracker,
    scores: VecDeque<f64>,
    /// The same scores, smallest first.
    sorted: Vec<f64>,
    scale_sum: f64,
    scale_weight: f64,
    outcomes: u64,
    misses: u64,
}

impl AdaptiveConformal {
    /// Starts at the target.
    ///
    /// # Panics
    /// Unless the target lies between 0 and 1 and `shadow_gamma` is positive and finite.
    pub fn new(settings: ConformalSettings) -> Self {
        Self::delayed(settings, 0)
    }

    fn delayed(settings: ConformalSettings, delay: usize) -> Self {
        Self {
            settings,
            alpha: settings.target,
            shadow: LevelTracker::new(settings.target, settings.shadow_gamma, delay),
            scores: VecDeque::new(),
            sorted: Vec::new(),
            scale_sum: 0.0,
            scale_weight: 0.0,
            outcomes: 0,
            misses: 0,
        }
    }

    /// Calibrates a forecast.
    pub fn issue(&self, base: Band) -> Issued {
        let scale = if self.scale_weight > 0.0 {
            self.scale_sum / self.scale_weight
        } else {
            0.0
        };
        let shadow_alpha = self.shadow.alpha();
        let shadow_margin = if shadow_alpha <= 0.0 {
            f64::INFINITY
        } else if shadow_alpha >= 1.0 {
            f64::NEG_INFINITY
        } else {
            scale * self.score_quantile(1.0 - shadow_alpha)
        };
        let margin = scale * self.score_quantile(1.0 - self.alpha);
        Issued {
            base,
            band: self.widen(base, margin),
            shadow: self.widen(base, shadow_margin),
            scale,
        }
    }

    /// Learns from the outcome of a forecast.
    pub fn observe(&mut self, issued: &Issued, actual: f64) {
        let missed = self.misses_band(&issued.band, actual);
        self.outcomes += 1;
        self.misses += u64::from(missed);
        let (low, high) = self.settings.clip;
        let moved =
            self.alpha + self.settings.gamma * (self.settings.target - f64::from(u8::from(missed)));
        self.alpha = moved.max(low).min(high);
        self.shadow
            .observe(self.misses_band(&issued.shadow, actual));

        let above = actual - issued.base.upper;
        let distance = match self.settings.side {
            Side::Above => above,
            Side::Both => above.max(issued.base.lower - actual),
        };
        let keep = libm::exp2(-1.0 / SCALE_HALF_LIFE);
        self.scale_sum = self.scale_sum * keep + distance.abs();
        self.scale_weight = self.scale_weight * keep + 1.0;
        // The first outcomes have no scale from before them: they are judged by their own.
        let scale = if issued.scale > 0.0 {
            issued.scale
        } else {
            self.scale_sum / self.scale_weight
        };
        if scale > 0.0 && distance.is_finite() {
            self.keep_score(distance / scale);
        }
    }

    /// The share of outcomes that missed the band in use.
    pub fn mean_error(&self) -> f64 {
        if self.outcomes == 0 {
            self.settings.target
        } else {
            self.misses as f64 / self.outcomes as f64
        }
    }

    /// The level in use.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The tracker that carries the guarantee for the [`Issued::shadow`] bands.
    pub fn shadow(&self) -> &LevelTracker {
        &self.shadow
    }

    fn misses_band(&self, band: &Band, actual: f64) -> bool {
        let above = actual > band.upper || band.upper == f64::NEG_INFINITY;
        match self.settings.side {
            Side::Above => above,
            Side::Both => above || actual < band.lower,
        }
    }

    fn widen(&self, base: Band, margin: f64) -> Band {
        // Nothing learned, or nothing to scale by.
        let margin = if margin.is_nan() { 0.0 } else { margin };
        match self.settings.side {
            Side::Above => Band {
                lower: base.lower,
                upper: base.upper + margin,
            },
            Side::Both => Band {
                lower: base.lower - margin,
                upper: base.upper + margin,
            },
        }
    }

    /// The conformal quantile of the scores: the ⌈(n + 1)·level⌉-th smallest, at most the largest.
    /// 0 without scores.
    fn score_quantile(&self, level: f64) -> f64 {
        let rank = ((self.sorted.len() + 1) as f64 * level).ceil() as usize;
        match self.sorted.len() {
            0 => 0.0,
            count => self.sorted[rank.clamp(1, count) - 1],
        }
    }

    fn keep_score(&mut self, score: f64) {
        if self.scores.len() >= self.settings.window.max(1)
            && let Some(oldest) = self.scores.pop_front()
        {
            let place = self
                .sorted
                .partition_point(|other| other.total_cmp(&oldest).is_lt());
            self.sorted.remove(place);
        }
        self.scores.push_back(score);
        let place = self
            .sorted
            .partition_point(|other| other.total_cmp(&score).is_lt());
        self.sorted.insert(place, score);
    }
}

/// Calibrates forecasts whose outcome is known `lead` steps after them.
///
/// Call [`Self::step`] once per step; it keeps the forecasts that still wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DelayedConformal {
    inner: AdaptiveConformal,
    lead: usize,
    waiting: VecDeque<Issued>,
}

impl DelayedConformal {
    /// Calibrates forecasts of the demand `lead` steps ahead.
    ///
    /// # Panics
    /// Unless the target lies between 0 and 1 and `shadow_gamma` is positive and finite.
    pub fn new(settings: ConformalSettings, lead: usize) -> Self {
        let inner = AdaptiveConformal::delayed(settings, lead.saturating_sub(1));
        Self {
            inner,
            lead,
            waiting: VecDeque::new(),
        }
    }

    /// Takes in this step's demand, which is the outcome of the forecast made `lead` steps ago, and
    /// calibrates the forecast of the demand `lead` steps from now. A missing outcome teaches
    /// nothing. A lead of 0 is taken as 1.
    pub fn step(&mut self, actual: Option<f64>, base: Band) -> Issued {
        if self.waiting.len() >= self.lead.max(1)
            && let Some(issued) = self.waiting.pop_front()
            && let Some(actual) = actual
        {
            self.inner.observe(&issued, actual);
        }
        let issued = self.inner.issue(base);
        self.waiting.push_back(issued);
        issued
    }

    /// What was learned.
    pub fn learned(&self) -> &AdaptiveConformal {
        &self.inner
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Rng;

    /// The share of misses of the bands in use over noise of this size.
    fn misses(
        side: Side,
        target: f64,
        base: impl Fn(usize) -> Band,
        noise: impl Fn(usize) -> f64,
    ) -> f64 {
        let mut conformal = AdaptiveConformal::new(ConformalSettings::new(side, target));
        let mut rng = Rng::new(5, 0);
        for step in 0..5000 {
            let issued = conformal.issue(base(step));
            let unit = rng.uniform() + rng.uniform() + rng.uniform() - 1.5;
            conformal.observe(&issued, 100.0 + noise(step) * unit);
        }
        conformal.mean_error()
    }

    #[test]
    fn a_biased_forecast_is_put_right() {
        for target in [0.2, 0.05, 0.01] {
            let above = misses(Side::Above, target, |_| Band::point(90.0), |_| 20.0);
            assert!((above - target).abs() < 0.3 * target, "{target}: {above}");
            let both = misses(
                Side::Both,
                target,
                |_| Band {
                    lower: 104.0,
                    upper: 105.0,
                },
                |_| 20.0,
            );
            assert!((both - target).abs() < 0.3 * target, "{target}: {both}");
        }
    }

    #[test]
    fn a_change_of_spread_is_followed() {
        let spread = |step: usize| {
            if (step / 1000).is_multiple_of(2) {
                10.0
            } else {
                40.0
            }
        };
        let above = misses(Side::Above, 0.05, |_| Band::point(100.0), spread);
        assert!((above - 0.05).abs() < 0.015, "{above}");
    }

    #[test]
    fn the_first_forecast_passes_unchanged() {
        let conformal = AdaptiveConformal::new(ConformalSettings::new(Side::Both, 0.1));
        let base = Band {
            lower: 1.0,
            upper: 2.0,
        };
        assert_eq!(conformal.issue(base).band, base);
    }

    #[test]
    fn margins_scale_with_the_demand() {
        let run = |scale: f64| {
            let mut conformal = AdaptiveConformal::new(ConformalSettings::new(Side::Above, 0.1));
            let mut rng = Rng::new(9, 0);
            for _ in 0..300 {
                let issued = conformal.issue(Band::point(scale));
                conformal.observe(&issued, scale * 2.0 * rng.uniform());
            }
            conformal.issue(Band::point(scale)).band.upper
        };
        assert_eq!(run(1024.0), 1024.0 * run(1.0));
    }

    #[test]
    fn a_missing_outcome_teaches_nothing_and_keeps_its_place() {
        let settings = ConformalSettings::new(Side::Above, 0.1);
        let mut delayed = DelayedConformal::new(settings, 2);
        delayed.step(None, Band::point(1.0));
        delayed.step(None, Band::point(2.0));
        delayed.step(None, Band::point(3.0)); // Drops the outcome of 1.
        delayed.step(Some(2.0), Band::point(4.0)); // The outcome of 2, exactly met.
        assert_eq!(
            (delayed.learned().outcomes, delayed.learned().misses),
            (1, 0)
        );
        assert_eq!(delayed.learned().scale_sum, 0.0);
    }

    proptest! {
        /// Whatever the demand does, also against what it sees, the shadow keeps its promise.
        #[test]
        fn the_shadow_keeps_the_bound_on_any_sequence(
            target in 0.01_f64..0.5,
            lead in 1_usize..12,
            both: bool,
            moves in proptest::collection::vec((0.0_f64..1.0, -100.0_f64..100.0), 1..300),
        ) {
            let side = if both { Side::Both } else { Side::Above };
            let mut delayed = DelayedConformal::new(ConformalSettings::new(side, target), lead);
            let mut issued: Vec<Issued> = Vec::new();
            for (choice, free) in moves {
                // The adversary sees the forecast that it decides on.
                let seen = issued.len().checked_sub(lead).map(|at| issued[at].shadow.upper);
                let actual = match seen {
                    Some(upper) if choice < 0.4 && upper.is_finite() => upper + 1.0,
                    Some(upper) if choice < 0.7 && upper.is_finite() => upper - 1.0,
                    _ => free,
                };
                issued.push(delayed.step(Some(actual), Band::point(free / 2.0)));
                let shadow = delayed.learned().shadow();
                if shadow.outcomes() > 0 {
                    let apart = (shadow.mean_error() - target).abs();
                    prop_assert!(apart <= shadow.bound() + 1e-9, "{shadow:?}");
                }
            }
        }
    }
}
