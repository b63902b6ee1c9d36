//! How often the combination's own quantiles held, and the levels that hold as often as wanted.
//!
//! Each outcome is told by its *normal score* in the forecast that was made before it: where it lay among the
//! quantiles. If forecasts were right, scores would be standard normal. What they are instead, band of leads by band of
//! leads, is the record; a wanted level is exchanged for the one that would have held so often (recalibration:
//! Kuleshov, Fenner and Ermon 2018; conformal in that it ranks outcomes among past ones: Vovk, Gammerman and
//! Shafer 2005). How far outcomes lie off is counted, not to which side: in a record of days the side is luck more often
//! than not, and the median stays the forecast.
//!
//! A record is short, and neighbouring outcomes are alike. So it is weighed against what a forecaster may expect who
//! has learned the spread from so many separate errors and nothing else, Student's t: the posterior mean of a
//! Dirichlet process with that as its base (Ferguson 1973). A short history is widened by its few degrees of freedom.
//!
//! From the first update on, adaptive conformal inference (Gibbs and Candès 2021) moves the shares that may miss, within
//! bounds; beside it runs the unclipped tracker, whose long-run share is guaranteed whatever demand does.

use serde::{Deserialize, Serialize};

use super::bands::{BANDS, Bands};
use crate::LevelTracker;
use crate::normal::{normal_quantile, normal_share};

/// Scores are kept in bins this wide, from 0 on; those beyond the last lie in it.
const WIDTH: f64 = 0.25;
const BINS: usize = 16;
/// The farthest score that is asked for.
const REACH: f64 = WIDTH * BINS as f64;

/// How many separate outcomes the base weighs as much as: four weeks' four forecasts a day. The record says how often quantiles held
/// over all days and hours; the members' own spread, which follows them, loses less where both count for something.
const STRENGTH: f64 = 112.0;
/// The same for the highest of a window, whose base says less: a week's.
const STRENGTH_OF_HIGHEST: f64 = 28.0;

/// How much an outcome tells of leads in other bands than its own: errors of a day and of an hour have causes in common.
const ELSEWHERE: f64 = 0.25;

/// Separate errors that make one degree of freedom: seasons and weights were learned from the same history.
const ERRORS_A_DEGREE: f64 = 0.75;

/// Errors less than a quarter of a day apart are not separate.
const SEPARATE_DAYS: f64 = 0.25;

/// The shares that may miss, of intervals of 80 and of 95 %, and by how much of itself one outcome moves each.
const TARGETS: [f64; 2] = [0.2, 0.05];
const GAMMA: f64 = 0.1;
/// Moves of the unclipped tracker: larger, the sooner its promise binds.
const SHADOW_GAMMA: f64 = 0.05;
/// A share in use lies between half and twice its target.
const CLIP: (f64, f64) = (0.5, 2.0);

/// How often forecasts held, by band of leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    bands: Bands,
    /// Steps of history.
    steps: usize,
    /// By band: weights of past outcomes by how far they lay off, the older counting less.
    records: Vec<Vec<f64>>,
    /// The same for the highest outcome up to the end of each band but the last, and to which side.
    highest: Vec<Vec<f64>>,
    /// By band, for the two intervals.
    adaptive: Vec<[Adaptive; 2]>,
    /// Whether outcomes move the shares: not while the record is made that they are measured by.
    adapts: bool,
}

/// The share that may miss, as moved by outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Adaptive {
    target: f64,
    /// In use: clipped.
    alpha: f64,
    /// Guaranteed: never clipped.
    shadow: LevelTracker,
}

/// What was promised when a forecast was made: by band and interval, the shares in use and of the shadow.
pub(super) type Promised = Vec<[(f64, f64); 2]>;

/// Which score to ask a forecast for, to get what holds as often as another promises.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// At the bins' edges: the score that holds as often in truth.
    wanted: Vec<f64>,
    /// By which the shares that miss are multiplied, of the two intervals.
    factors: [f64; 2],
}

impl Calibration {
    /// Nothing is known yet but the length of the history. Outcomes of so many forecasts may be awaited at once.
    pub(super) fn new(day: usize, steps: usize, awaited: usize) -> Self {
        let adaptive = TARGETS.map(|target| Adaptive {
            target,
            alpha: target,
            shadow: LevelTracker::new(target, SHADOW_GAMMA, awaited),
        });
        Self {
            bands: Bands::new(day),
            steps,
            records: vec![vec![0.0; BINS]; BANDS],
            highest: vec![vec![0.0; 2 * BINS]; BANDS - 1],
            adaptive: vec![adaptive; BANDS],
            adapts: false,
        }
    }

    /// The band whose end a forecast's highest outcome is taken up to, if it is taken after this lead.
    pub(super) fn window_ends(&self, lead: usize) -> Option<usize> {
        (0..BANDS - 1).find(|&band| self.bands.bound(band) == lead)
    }

    /// Takes in where the highest outcome up to the end of a band lay among the highest of each quantile.
    pub(super) fn add_highest(&mut self, band: usize, score: f64, apart: usize) {
        let place = ((score + REACH) / WIDTH).clamp(0.0, (2 * BINS - 1) as f64);
        let weight = (apart as f64 / self.bands.bound(band) as f64).min(1.0);
        self.highest[band][place as usize] += weight;
    }

    /// The scores at which the highest outcome of a window of so many steps lies with these shares under it. `drawn` are the
    /// scores, rising, that paths have: the base that the record is weighed against.
    pub(super) fn highest(&self, steps: usize, drawn: &[f64], shares: &[f64]) -> Vec<f64> {
        let apart = |&band: &usize| (self.bands.bound(band)).abs_diff(steps);
        let band = (0..BANDS - 1).min_by_key(apart).unwrap_or(0);
        let bins = &self.highest[band];
        let total: f64 = STRENGTH_OF_HIGHEST + bins.iter().sum::<f64>();
        let mut under = 0.0;
        let mut known = Vec::with_capacity(bins.len() + 1);
        for edge in 0..=bins.len() {
            let at = edge as f64 * WIDTH - REACH;
            let base =
                drawn.partition_point(|&score| score < at) as f64 / drawn.len().max(1) as f64;
            known.push((STRENGTH_OF_HIGHEST * base + under) / total);
            under += bins.get(edge).copied().unwrap_or(0.0);
        }
        let score = |&share: &f64| {
            let above = known
                .partition_point(|&other| other < share)
                .clamp(1, known.len() - 1);
            let (from, to) = (known[above - 1], known[above]);
            let within = if to > from {
                (share - from) / (to - from)
            } else {
                1.0
            };
            (above as f64 - 1.0 + within.clamp(0.0, 1.0)) * WIDTH - REACH
        };
        shares.iter().map(score).collect()
    }

    /// From now on outcomes move the shares that may miss.
    pub(super) fn adapt(&mut self) {
        self.adapts = true;
    }

    /// Takes in where an outcome lay in a forecast made `lead` steps before; forecasts are made `apart` steps apart, so
    /// that some of them tell of the same outcomes.
    pub(super) fn add(&mut self, lead: usize, score: f64, apart: usize) {
        let band = self.bands.of(lead);
        let from = band
            .checked_sub(1)
            .map_or(0, |before| self.bands.bound(before));
        let span = (self.last_lead(band) - from).max(1) as f64;
        let place = (score.abs() / WIDTH).min((BINS - 1) as f64);
        self.records[band][place as usize] += (apart as f64 / span).min(1.0) / span;
    }

    /// Moves the shares by the outcome at the last lead of a band, as far as there is one.
    pub(super) fn judge(&mut self, lead: usize, score: f64, promised: &Promised) {
        let band = self.bands.of(lead);
        if !self.adapts || lead != self.last_lead(band) {
            return;
        }
        // The share of outcomes that lie as far off, by the record.
        let beyond = 2.0 * normal_share(-self.record_exchange(band).back(score.abs()));
        for (own, (alpha, shadow)) in self.adaptive[band].iter_mut().zip(promised[band]) {
            let moved = f64::from(u8::from(beyond < alpha));
            let alpha = own.alpha + GAMMA * own.target * (own.target - moved);
            own.alpha = alpha.clamp(CLIP.0 * own.target, CLIP.1 * own.target);
            // At or under 0 the interval is everything, at or over 1 nothing.
            own.shadow
                .observe(shadow >= 1.0 || (shadow > 0.0 && beyond < shadow));
        }
    }

    /// What a forecast made now promises.
    pub(super) fn promised(&self) -> Promised {
        let both = |own: &Adaptive| (own.alpha, own.shadow.alpha());
        self.adaptive
            .iter()
            .map(|[inner, outer]| [both(inner), both(outer)])
            .collect()
    }

    /// The trackers that carry the guarantee, of intervals of 80 and of 95 % at the last lead of a band.
    pub(super) fn shadows(&self, band: usize) -> [&LevelTracker; 2] {
        let [inner, outer] = &self.adaptive[band];
        [&inner.shadow, &outer.shadow]
    }

    /// Lets a step pass: what was learned before counts less.
    pub(super) fn fade(&mut self, keep: f64) {
        for record in self.records.iter_mut().chain(&mut self.highest) {
            record.iter_mut().for_each(|bin| *bin *= keep);
        }
        self.steps += 1;
    }

    /// The exchanges of all bands.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        (0..BANDS)
            .map(|band| {
                let factors = std::array::from_fn(|place| {
                    let own = &self.adaptive[band][place];
                    own.alpha / own.target
                });
                Exchange {
                    factors,
                    ..self.record_exchange(band)
                }
            })
            .collect()
    }

    /// By the record alone.
    fn record_exchange(&self, band: usize) -> Exchange {
        let day = self.bands.day as f64;
        let apart = (self.last_lead(band) as f64).max(SEPARATE_DAYS * day);
        let freedom = (self.steps as f64 / apart / ERRORS_A_DEGREE).max(1.0);
        let bin = |place: usize| {
            let all: f64 = self.records.iter().map(|record| record[place]).sum();
            let own = self.records[band][place];
            own + ELSEWHERE * (all - own)
        };
        let bins: Vec<f64> = (0..BINS).map(bin).collect();
        let total: f64 = bins.iter().sum();
        let mut within = 0.0;
        let mut wanted = Vec::with_capacity(BINS + 1);
        for edge in 0..=BINS {
            let base = 2.0 * normal_share(student_to_normal(edge as f64 * WIDTH, freedom)) - 1.0;
            let share = (STRENGTH * base + within) / (STRENGTH + total);
            let last = wanted.last().map_or(0.0, |last| last + 1e-9);
            let score = normal_quantile(0.5 + 0.5 * share.clamp(0.0, 1.0 - 1e-7));
            wanted.push(score.max(last));
            within += bins.get(edge).copied().unwrap_or(0.0);
        }
        Exchange {
            wanted,
            factors: [1.0; 2],
        }
    }

    pub(super) fn bands(&self) -> Bands {
        self.bands
    }

    /// The last lead of a band that forecasts are judged at.
    fn last_lead(&self, band: usize) -> usize {
        self.bands.bound(band).min(2 * self.bands.day)
    }
}

impl Exchange {
    /// The score to ask for.
    pub(super) fn at(&self, wanted: f64) -> f64 {
        let size = self.adapted(wanted.abs());
        let above = self
            .wanted
            .partition_point(|&known| known < size)
            .clamp(1, self.wanted.len() - 1);
        let (from, to) = (self.wanted[above - 1], self.wanted[above]);
        let share = (size - from) / (to - from);
        (((above - 1) as f64 + share) * WIDTH)
            .min(REACH)
            .copysign(wanted)
    }

    /// The score that holds in truth as often as one that is asked for, without adaptation.
    fn back(&self, asked: f64) -> f64 {
        let place = (asked / WIDTH).min(BINS as f64);
        let below = (place as usize).min(BINS - 1);
        let (from, to) = (self.wanted[below], self.wanted[below + 1]);
        from + (place - below as f64) * (to - from)
    }

    /// The score whose share beyond is moved as those of the two intervals were: in between by the logarithm of
    /// the share, beyond like the nearer one.
    fn adapted(&self, size: f64) -> f64 {
        if self.factors == [1.0; 2] {
            return size;
        }
        let beyond = 2.0 * normal_share(-size);
        let at = libm::log(TARGETS[0] / beyond.max(1e-9)) / libm::log(TARGETS[0] / TARGETS[1]);
        let at = at.clamp(0.0, 1.0);
        // The middle stays the middle.
        let inner = self.factors[0] + (1.0 - self.factors[0]) * (1.0 - (size / 1.28).min(1.0));
        let factor = inner + at * (self.factors[1] - inner);
        -normal_quantile((0.5 * beyond * factor).clamp(1e-9, 0.5))
    }
}

/// The normal score of a value of Student's t with so many degrees of freedom (Wallace 1959; off by less than .02 in
/// the score from two degrees on).
fn student_to_normal(value: f64, freedom: f64) -> f64 {
    let size = (freedom * libm::log1p(value * value / freedom)).sqrt();
    size.copysign(value) * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
}

/// The normal score of a value among quantiles at these scores, by straight lines; of several that fit, the one nearest
/// to the middle, as an interval holds what lies on its bound.
pub(super) fn score_of(value: f64, quantiles: &[f64], scores: &[f64]) -> f64 {
    let under = quantiles.partition_point(|&quantile| quantile < value);
    let upto = quantiles.partition_point(|&quantile| quantile <= value);
    if upto > under {
        let (low, high) = (scores[under], scores[upto - 1]);
        return 0.0_f64.clamp(low, high);
    }
    let above = under.clamp(1, scores.len() - 1);
    let (from, to) = (quantiles[above - 1], quantiles[above]);
    let slope = (scores[above] - scores[above - 1]) / (to - from);
    if slope.is_finite() {
        (scores[above - 1] + (value - from) * slope).clamp(-REACH, REACH)
    } else {
        REACH.copysign(value - to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Rng;

    /// A normal score that is `spread` times as large as promised.
    fn scores(count: usize, spread: f64) -> impl Iterator<Item = f64> {
        let mut rng = Rng::new(3, 0);
        (0..count).map(move |_| spread * normal_quantile(rng.uniform().clamp(1e-6, 1.0 - 1e-6)))
    }

    fn recorded(days: usize, spread: f64) -> Calibration {
        let mut calibration = Calibration::new(24, 24 * 56, 4);
        for score in scores(4 * days, spread) {
            for lead in [1, 6, 24, 48] {
                // As much as all leads of its band would weigh together.
                (0..18).for_each(|_| calibration.add(lead, score, 24));
            }
        }
        calibration
    }

    #[test]
    fn what_held_too_rarely_is_widened_and_the_median_stays() {
        let at = |spread: f64| recorded(200, spread).exchanges()[2].at(1.645);
        assert!((at(1.5) / 1.645 - 1.5).abs() < 0.1, "{}", at(1.5));
        assert!((at(0.7) / 1.645 - 0.7).abs() < 0.1, "{}", at(0.7));
        assert!((at(1.0) / 1.645 - 1.0).abs() < 0.06, "{}", at(1.0));
        assert!(recorded(20, 3.0).exchanges()[0].at(0.0).abs() < 1e-9);
    }

    #[test]
    fn the_highest_of_a_window_is_widened_as_it_was_missed() {
        let drawn: Vec<f64> = (1..100)
            .map(|at| normal_quantile(f64::from(at) / 100.0))
            .collect();
        let mut calibration = Calibration::new(24, 24 * 56, 4);
        let before = calibration.highest(24, &drawn, &[0.5, 0.95]);
        assert!(
            before[0].abs() < 0.1 && (before[1] - 1.645).abs() < 0.15,
            "{before:?}"
        );
        assert_eq!(
            (calibration.window_ends(24), calibration.window_ends(23)),
            (Some(2), None)
        );
        scores(900, 1.0).for_each(|score| calibration.add_highest(2, score + 1.0, 24));
        let after = calibration.highest(30, &drawn, &[0.5, 0.95]);
        assert!(
            (after[0] - before[0] - 1.0).abs() < 0.15,
            "{before:?} {after:?}"
        );
        assert_eq!(calibration.highest(1, &drawn, &[0.95]), before[1..]);
    }

    #[test]
    fn levels_stay_in_order() {
        let exchange = &recorded(3, 1.4).exchanges()[1];
        let found: Vec<f64> = (-50..=50)
            .map(|at| exchange.at(f64::from(at) / 10.0))
            .collect();
        assert!(found.is_sorted(), "{found:?}");
    }

    #[test]
    fn the_shorter_the_history_the_wider() {
        let at = |days: usize| Calibration::new(24, 24 * days, 4).exchanges()[2].at(1.96);
        assert!(
            at(2) > at(7) && at(7) > at(56) && at(56) > 1.96,
            "{} {}",
            at(7),
            at(56)
        );
        // Seven days by three quarters: Student's t with 9.3 degrees of freedom has 2.25 there.
        assert!((at(7) - 2.25).abs() < 0.05, "{}", at(7));
    }

    #[test]
    fn an_outcome_on_a_bound_lies_within() {
        let scores = [-1.0, 0.0, 1.0];
        assert_eq!(score_of(0.0, &[0.0, 0.0, 5.0], &scores), 0.0);
        assert_eq!(score_of(0.0, &[0.0, 2.0, 5.0], &scores), -1.0);
        assert_eq!(score_of(3.5, &[0.0, 2.0, 5.0], &scores), 0.5);
        assert_eq!(score_of(9.0, &[3.0; 3], &scores), REACH);
    }

    #[test]
    fn outcomes_after_the_fit_move_the_shares_that_may_miss() {
        let mut calibration = recorded(300, 1.0);
        let before = calibration.exchanges()[2].at(1.96);
        calibration.adapt();
        for score in scores(400, 1.5) {
            let promised = calibration.promised();
            calibration.judge(24, score, &promised);
        }
        let after = &calibration.exchanges();
        assert!(
            after[2].at(1.96) > 1.05 * before,
            "{before} {}",
            after[2].at(1.96)
        );
        assert!(after[2].at(0.0).abs() < 1e-9);
        assert!(
            (after[1].at(1.96) - before).abs() < 0.2,
            "another band is left alone"
        );
    }

    proptest! {
        /// Whatever demand does, and with outcomes that come late, the shadows keep their promise.
        #[test]
        fn shadows_keep_their_bound_on_any_sequence(
            awaited in 0_usize..6,
            outcomes in proptest::collection::vec((0.0_f64..1.0, -6.0_f64..6.0), 1..300),
        ) {
            let mut calibration = Calibration::new(24, 500, awaited);
            calibration.adapt();
            let mut waiting = std::collections::VecDeque::new();
            for (choice, free) in outcomes {
                waiting.push_back(calibration.promised());
                if waiting.len() <= awaited {
                    continue;
                }
                let promised = waiting.pop_front().expect("not empty");
                // The adversary knows what was promised, and lies just within or just beyond.
                let share = promised[2][1].1.clamp(1e-6, 1.0);
                let bound = calibration.record_exchange(2).at(-normal_quantile(0.5 * share));
                let score = match choice {
                    ..0.4 => bound + 0.01,
                    0.4..0.7 => bound - 0.01,
                    _ => free,
                };
                calibration.judge(24, score, &promised);
                for (tracker, target) in calibration.shadows(2).into_iter().zip(TARGETS) {
                    let off = (tracker.mean_error() - target).abs();
                    prop_assert!(off <= tracker.bound() + 1e-9, "{tracker:?}");
                }
            }
        }
    }
}
