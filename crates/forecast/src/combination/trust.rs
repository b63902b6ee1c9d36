//! Which member to trust at which lead: by what each recently lost.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::bands::{BANDS, Bands, Between};
use super::calibration::{Calibration, Promised, score_of};
use super::evened::even_out;
use super::log_mean::LogMean;
use crate::normal::normal_quantile;
use crate::scores::pinball;
use crate::{FittedModel, Predict};

/// A weight under this is none: the member is not asked.
const WEIGHT_MIN: f64 = 0.02;

/// Levels that forecasts are kept at until their outcome is known.
const LEVELS: [f64; 11] = [
    0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.975, 0.99,
];

/// Places of the levels that the loss is taken at: .1, .5, .9, .95. Buying lives in the upper tail.
const LOSS: [usize; 4] = [3, 5, 7, 8];

/// Leads that are judged at each forecast, at most.
const LEADS_MAX: usize = 288;

/// Days after which a loss weighs half.
const HALF_LIFE_DAYS: f64 = 7.0;

/// Recent losses of each member at leads of an hour, six hours, a day and more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trust {
    /// Steps in a day, or what counts as one.
    day: usize,
    /// How sharply weights follow losses.
    #[serde(default = "super::chosen")]
    sharpness: f64,
    /// How members' quantiles are averaged.
    #[serde(default)]
    mean: LogMean,
    /// By band and member: sums that fade.
    losses: [Vec<f64>; BANDS],
    /// Where outcomes lay in what all members together forecast.
    calibration: Calibration,
    /// Forecasts whose steps are not all seen yet, the oldest first.
    issued: VecDeque<Issued>,
    /// Steps from one forecast to the next, and until the next one.
    apart: usize,
    until_next: usize,
}

/// Forecasts of all members from one moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Issued {
    /// How many of its steps were seen.
    seen: usize,
    /// How many steps after the one before it.
    apart: usize,
    promised: Promised,
    /// The highest outcome so far, and whether one was missing.
    highest: f32,
    missing: bool,
    /// By member, step after step, the quantiles that the loss is taken at.
    members: Vec<Vec<f32>>,
    /// Step after step, all members' quantiles at [`LEVELS`].
    all: Vec<f32>,
}

impl Trust {
    /// Equal trust in so many members. They forecast four times a day, and not always at the same hours.
    /// `steps` is the length of the history.
    pub(super) fn new(
        day: usize,
        members: usize,
        sharpness: f64,
        steps: usize,
        mean: LogMean,
    ) -> Self {
        let apart = (day / 4 + 1).max(2);
        let awaited = (2 * day.max(4)).min(LEADS_MAX).div_ceil(apart);
        Self {
            calibration: Calibration::new(day, steps, awaited),
            apart,
            day: day.max(4),
            sharpness,
            mean,
            losses: std::array::from_fn(|_| vec![0.0; members]),
            issued: VecDeque::new(),
            until_next: 0,
        }
    }

    /// From now on members forecast once a day: what each update may cost.
    pub(super) fn slow_down(&mut self) {
        self.apart = self.day + 1;
        self.calibration.adapt();
    }

    /// Lets the members forecast if it is time to, and judges by this observation what they forecast before.
    /// Call before they see it.
    pub(super) fn judge(&mut self, members: &[FittedModel], value: Option<f64>) {
        if self.until_next == 0 {
            self.issue(members);
            self.until_next = self.apart;
        }
        self.until_next -= 1;
        let keep = libm::exp2(-1.0 / (HALF_LIFE_DAYS * self.day as f64));
        self.losses
            .iter_mut()
            .flatten()
            .for_each(|loss| *loss *= keep);
        self.calibration.fade(keep);
        let bands = Bands::new(self.day);
        let scores = LEVELS.map(normal_quantile);
        for issued in &mut self.issued {
            let step = issued.seen;
            issued.seen += 1;
            let Some(value) = value else {
                issued.missing = true;
                continue;
            };
            let losses = &mut self.losses[bands.of(step + 1)];
            for (loss, member) in losses.iter_mut().zip(&issued.members) {
                let own = &member[step * LOSS.len()..][..LOSS.len()];
                let each = LOSS.iter().zip(own);
                *loss += each
                    .map(|(&place, &quantile)| pinball(LEVELS[place], quantile.into(), value))
                    .sum::<f64>();
            }
            let all = &issued.all[step * LEVELS.len()..][..LEVELS.len()];
            let all: [f64; LEVELS.len()] = std::array::from_fn(|place| all[place].into());
            let score = score_of(value, &all, &scores);
            issued.highest = issued.highest.max(value as f32);
            if !issued.missing
                && let Some(band) = self.calibration.window_ends(step + 1)
            {
                let highest: [f64; LEVELS.len()] = std::array::from_fn(|place| {
                    let each = issued.all.iter().skip(place).step_by(LEVELS.len());
                    each.take(step + 1).copied().fold(0.0, f32::max).into()
                });
                let score = score_of(issued.highest.into(), &highest, &scores);
                self.calibration.add_highest(band, score, issued.apart);
            }
            self.calibration.judge(step + 1, score, &issued.promised);
            self.calibration.add(step + 1, score, issued.apart);
        }
        self.issued
            .retain(|issued| issued.seen * LEVELS.len() < issued.all.len());
    }

    /// Keeps what the members forecast now.
    fn issue(&mut self, members: &[FittedModel]) {
        let horizon = (2 * self.day).min(LEADS_MAX);
        let mut all = vec![0.0; horizon * LEVELS.len()];
        let weights: Vec<Vec<f64>> = (1..=horizon).map(|lead| self.weights(lead)).collect();
        let mut kept = Vec::with_capacity(members.len());
        for (member, model) in members.iter().enumerate() {
            let forecast = model.quantiles(horizon, &LEVELS);
            let mut own = Vec::with_capacity(horizon * LOSS.len());
            for step in 0..horizon {
                let quantiles = forecast.step(step);
                own.extend(LOSS.map(|place| quantiles[place] as f32));
                let sums = &mut all[step * LEVELS.len()..][..LEVELS.len()];
                for (sum, quantile) in sums.iter_mut().zip(quantiles) {
                    *sum += weights[step][member] * self.mean.term(*quantile);
                }
            }
            kept.push(own);
        }
        for (step, sums) in all.chunks_mut(LEVELS.len()).enumerate() {
            self.combine(sums, step + 1);
        }
        self.issued.push_back(Issued {
            seen: 0,
            apart: self.apart,
            promised: self.calibration.promised(),
            highest: 0.0,
            missing: false,
            members: kept,
            all: all.into_iter().map(|value| value as f32).collect(),
        });
    }

    /// How members' quantiles are averaged.
    pub(super) fn mean(&self) -> LogMean {
        self.mean
    }

    /// From the weighted sums of members' quantiles at a lead from 1 to what all members together forecast.
    pub(super) fn combine(&self, sums: &mut [f64], lead: usize) {
        sums.iter_mut().for_each(|sum| *sum = self.mean.mean(*sum));
        even_out(sums, lead, self.day);
    }

    /// What was learned about how often quantiles hold.
    pub(super) fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The weight of each member at a lead from 1; between the middles of the bands, on a line.
    pub(super) fn weights(&self, lead: usize) -> Vec<f64> {
        let mut weights = self.between(lead, |band| self.band_weights(band));
        weights.iter_mut().for_each(|weight| {
            if *weight < WEIGHT_MIN {
                *weight = 0.0;
            }
        });
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        weights
    }

    fn between(&self, lead: usize, of: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
        let Between {
            below,
            above,
            share,
        } = Bands::new(self.day).between(lead);
        let (from, to) = (of(below), of(above));
        from.iter()
            .zip(&to)
            .map(|(from, to)| from + share * (to - from))
            .collect()
    }

    fn band_weights(&self, band: usize) -> Vec<f64> {
        let own = &self.losses[band];
        if own.iter().any(|&loss| loss > 0.0) {
            return weights(own, self.sharpness);
        }
        // A band that nothing is known about yet is judged like all leads.
        let all: Vec<f64> = (0..own.len())
            .map(|member| self.losses.iter().map(|band| band[member]).sum())
            .collect();
        weights(&all, self.sharpness)
    }
}

/// The weights that members earn by their losses: exponential weights (Vovk 1990) on relative losses,
/// so that the unit does not matter. A member that loses a share s more than the best weighs exp(−sharpness · s) as
/// much. Where all lose alike, the first weighs as much as all others and two more together, so that a few days' luck does
/// not turn the forecast.
pub(super) fn weights(losses: &[f64], sharpness: f64) -> Vec<f64> {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |&loss: &f64| {
        if loss <= least {
            1.0
        } else if least > 0.0 {
            libm::exp(-sharpness * (loss / least - 1.0))
        } else {
            0.0
        }
    };
    let other = 1.0 / (losses.len() + 1) as f64;
    let trust = |place: usize| if place == 0 { 1.0 } else { other };
    let raw: Vec<f64> = losses
        .iter()
        .enumerate()
        .map(|(place, loss)| trust(place) * weight(loss))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}
