//! What was held out of the training decides how far the network is trusted.
//!
//! A network of thousands of weights learns a few weeks of one series by heart if it is let, and then answers
//! far too narrowly. So a trial training leaves out the last stretch of each series, which then decides how many
//! steps of training do good, the share of the network against the profile it corrects, and how far its
//! quantiles are drawn apart.

use burn_tensor::Device;
use serde::{Deserialize, Serialize};

use crate::network::Layout;
use crate::quantiles::{COUNT, LEVELS, MEDIAN, SCORES, score_of};
use crate::series::Series;
use crate::spec::RecurrentSpec;
use crate::train::{held_from, numbers};
use crate::window::Batch;

/// Moments that are judged, over all series.
const MOMENTS: usize = 64;

/// Shares of the network that are tried.
const TRUSTS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

/// Widths that are tried, the likeliest first.
const STRETCHES: [f64; 9] = [1.0, 1.15, 0.85, 1.3, 0.7, 1.5, 1.75, 2.0, 2.5];

/// The correlation of neighbouring errors is no higher: paths must not freeze.
const CORRELATION_MAX: f64 = 0.98;

/// How a network did on what was held out, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// The share of the network in the answer; the rest is the profile with a normal spread.
    pub(crate) trust: f64,
    /// By how much the quantiles are drawn apart.
    pub(crate) stretch: f64,
    /// Of the normal scores of neighbouring leads.
    pub(crate) correlation: f64,
    /// The mean pinball loss with these, in usual residuals.
    pub(crate) loss: f64,
}

impl Verdict {
    /// The network's quantiles, in usual residuals off the profile, as far as they are trusted.
    pub(crate) fn apply(&self, network: &[f32]) -> [f64; COUNT] {
        let mixed: [f64; COUNT] = std::array::from_fn(|level| {
            self.trust * f64::from(network[level]) + (1.0 - self.trust) * SCORES[level]
        });
        mixed.map(|value| mixed[MEDIAN] + self.stretch * (value - mixed[MEDIAN]))
    }

    /// Whether it can come from judging.
    pub(crate) fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.trust)
            && (0.0..=100.0).contains(&self.stretch)
            && (0.0..1.0).contains(&self.correlation)
            && self.loss >= 0.0
    }
}

/// What was held out.
pub(crate) struct Judge {
    batch: Batch,
    device: Device,
}

impl Judge {
    /// Takes moments from the held-out stretch of each series, evenly.
    pub(crate) fn new(spec: &RecurrentSpec, series: &[Series]) -> Self {
        let mut batch = Batch::new(spec, spec.chunk);
        // Of many series, every so-and-so-many'th.
        let judged = || series.iter().step_by(series.len().div_ceil(MOMENTS).max(1));
        let each = (MOMENTS / judged().count().max(1)).max(1);
        for series in judged() {
            let (from, end) = (held_from(spec, series), series.len());
            let moments = each.min(end - from);
            for moment in 0..moments {
                let now = from + moment * (end - from) / moments;
                batch.add(spec, series, now, end);
            }
        }
        Self {
            batch,
            device: Device::flex(),
        }
    }

    /// Judges weights.
    pub(crate) fn judge(&self, layout: &Layout, weights: &[f32]) -> Verdict {
        let (_, network) = layout.load(weights, &self.device, false);
        let state = network.encode(&self.batch, &self.device);
        let answers = numbers(network.decode(&state, &self.batch, &self.device));
        let mut best = Verdict {
            trust: 0.0,
            stretch: 1.0,
            correlation: 0.0,
            loss: f64::INFINITY,
        };
        for trust in TRUSTS {
            for stretch in STRETCHES {
                let verdict = Verdict {
                    trust,
                    stretch,
                    ..best
                };
                let loss = self.loss(&verdict, &answers);
                if loss < best.loss {
                    best = Verdict { loss, ..verdict };
                }
            }
        }
        best.correlation = self.correlation(&best, &answers);
        best.loss = if best.loss.is_finite() {
            best.loss
        } else {
            0.0
        };
        best
    }

    /// Leads that were observed: what they cost, the answer, and what came true.
    fn leads<'a>(
        &'a self,
        verdict: &'a Verdict,
        answers: &'a [f32],
    ) -> impl Iterator<Item = Option<(f64, [f64; COUNT], f64)>> + 'a {
        let truths = self.batch.weight.iter().zip(&self.batch.target);
        answers
            .chunks_exact(COUNT)
            .zip(truths)
            .map(|(answer, (&weight, &target))| {
                (weight > 0.0)
                    .then(|| (f64::from(weight), verdict.apply(answer), f64::from(target)))
            })
    }

    fn loss(&self, verdict: &Verdict, answers: &[f32]) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (weight, quantiles, target) in self.leads(verdict, answers).flatten() {
            let pinball = |(quantile, level): (&f64, f64)| {
                let off = target - quantile;
                (level * off).max((level - 1.0) * off)
            };
            sum += weight * quantiles.iter().zip(LEVELS).map(pinball).sum::<f64>();
            weights += weight * COUNT as f64;
        }
        sum / weights
    }

    /// How the normal scores of what came true hang together from lead to lead.
    fn correlation(&self, verdict: &Verdict, answers: &[f32]) -> f64 {
        let scores: Vec<Option<f64>> = self
            .leads(verdict, answers)
            .map(|lead| lead.map(|(_, quantiles, target)| score_of(&quantiles, target)))
            .collect();
        let (mut products, mut squares) = (0.0, 0.0);
        for window in scores.chunks(self.batch.leads) {
            for pair in window.windows(2) {
                if let [Some(one), Some(next)] = *pair {
                    products += one * next;
                    squares += 0.5 * (one * one + next * next);
                }
            }
        }
        if squares > 0.0 {
            f64::clamp(products / squares, 0.0, CORRELATION_MAX)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_trust_is_the_profile_and_stretching_keeps_the_median() {
        let network: [f32; COUNT] = std::array::from_fn(|level| level as f32);
        let verdict = |trust, stretch| Verdict {
            trust,
            stretch,
            correlation: 0.0,
            loss: 0.0,
        };
        assert_eq!(verdict(0.0, 1.0).apply(&network), SCORES);
        let wide = verdict(1.0, 2.0).apply(&network);
        assert_eq!((wide[MEDIAN], wide[0]), (6.0, -6.0));
        assert!(verdict(0.5, 1.5).is_sound() && !verdict(1.5, 1.0).is_sound());
        assert!(!verdict(0.5, f64::NAN).is_sound());
    }

    #[test]
    fn a_network_that_answers_nonsense_is_not_trusted() {
        let traffic = crate::testing::traffic(6.0, 24, 100.0, 1);
        let spec = RecurrentSpec::default();
        let series = [Series::new(&traffic.history()).unwrap()];
        let judge = Judge::new(&spec, &series);
        let layout = Layout::new(&spec);
        let mut weights = layout.first_weights(1);
        let sound = judge.judge(&layout, &weights);
        // The bias of the median, far off.
        let bias = layout.len() - spec.hidden * crate::window::DECAYS - COUNT;
        weights[bias] = 50.0;
        let nonsense = judge.judge(&layout, &weights);
        assert_eq!(nonsense.trust, 0.0);
        assert!((nonsense.loss / sound.loss - 1.0).abs() < 1e-5);
        assert!(sound.correlation > 0.5, "{sound:?}");
    }
}
