//! Which member to trust at which lead: by what each recently lost.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::scores::pinball;
use crate::{FittedModel, Predict, QuantileForecast};

/// How sharply weights follow losses: a member that loses a tenth more than the best weighs a quarter
/// as much. Losses are out of sample over days, so a tenth is more than luck.
const ETA: f64 = 15.0;

/// What each member but the first weighs beside it where they lose alike, so that a few days' luck
/// does not turn the forecast.
const TRUST_OTHERS: f64 = 1.0 / 3.0;

/// A weight under this is none: the member is not asked.
const WEIGHT_MIN: f64 = 0.02;

/// Levels the loss is taken at. Buying lives in the upper tail.
const LEVELS: [f64; 4] = [0.1, 0.5, 0.9, 0.95];

/// Leads that are judged at each forecast, at most.
const LEADS_MAX: usize = 288;

/// Days after which a loss weighs half.
const HALF_LIFE_DAYS: f64 = 7.0;

/// Bands of leads: an hour, six, a day, more.
const BANDS: usize = 4;

/// Recent losses of each member at leads of an hour, six hours, a day and more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trust {
    /// Steps in a day, or what counts as one.
    day: usize,
    /// By band and member: sums that fade.
    losses: [Vec<f64>; BANDS],
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
    members: Vec<QuantileForecast>,
}

impl Trust {
    /// Equal trust in so many members. They forecast four times a day, and not always at the same hours.
    pub(super) fn new(day: usize, members: usize) -> Self {
        Self {
            apart: (day / 4 + 1).max(2),
            day: day.max(4),
            losses: std::array::from_fn(|_| vec![0.0; members]),
            issued: VecDeque::new(),
            until_next: 0,
        }
    }

    /// From now on members forecast once a day: what each update may cost.
    pub(super) fn slow_down(&mut self) {
        self.apart = self.day + 1;
    }

    /// The last lead of a band, from 1.
    fn bound(&self, band: usize) -> usize {
        match band {
            0 => (self.day / 24).max(1),
            1 => (self.day / 4).max(2),
            2 => self.day,
            _ => usize::MAX,
        }
    }

    /// Lets the members forecast if it is time to, and judges by this observation what they forecast before.
    /// Call before they see it.
    pub(super) fn judge(&mut self, members: &[FittedModel], value: Option<f64>) {
        if self.until_next == 0 {
            let horizon = (2 * self.day).min(LEADS_MAX);
            self.issued.push_back(Issued {
                seen: 0,
                members: members
                    .iter()
                    .map(|member| member.quantiles(horizon, &LEVELS))
                    .collect(),
            });
            self.until_next = self.apart;
        }
        self.until_next -= 1;
        let keep = libm::exp2(-1.0 / (HALF_LIFE_DAYS * self.day as f64));
        self.losses
            .iter_mut()
            .flatten()
            .for_each(|loss| *loss *= keep);
        let bounds: [usize; BANDS] = std::array::from_fn(|band| self.bound(band));
        for issued in &mut self.issued {
            let lead = issued.seen + 1;
            issued.seen = lead;
            let band = bounds
                .iter()
                .position(|&bound| lead <= bound)
                .unwrap_or(BANDS - 1);
            let Some(value) = value else { continue };
            for (loss, forecast) in self.losses[band].iter_mut().zip(&issued.members) {
                *loss += LEVELS
                    .iter()
                    .zip(forecast.step(lead - 1))
                    .map(|(&level, &quantile)| pinball(level, quantile, value))
                    .sum::<f64>();
            }
        }
        self.issued.retain(|issued| {
            issued
                .members
                .iter()
                .all(|member| issued.seen < member.horizon())
        });
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
        let middles = [
            0.5 * self.bound(0) as f64,
            0.5 * self.bound(1) as f64,
            0.5 * self.bound(2) as f64,
            1.5 * self.day as f64,
        ];
        let at = lead as f64;
        let above = middles
            .iter()
            .position(|&middle| at <= middle)
            .unwrap_or(BANDS - 1);
        let below = if at <= middles[above] {
            above.saturating_sub(1)
        } else {
            above
        };
        let width = middles[above] - middles[below];
        let share = if width > 0.0 {
            (at - middles[below]) / width
        } else {
            0.0
        };
        let (from, to) = (of(below), of(above));
        from.iter()
            .zip(&to)
            .map(|(from, to)| from + share * (to - from))
            .collect()
    }

    fn band_weights(&self, band: usize) -> Vec<f64> {
        let own = &self.losses[band];
        if own.iter().any(|&loss| loss > 0.0) {
            return weights(own);
        }
        // A band that nothing is known about yet is judged like all leads.
        let all: Vec<f64> = (0..own.len())
            .map(|member| self.losses.iter().map(|band| band[member]).sum())
            .collect();
        weights(&all)
    }
}

/// The weights that members earn by their losses: exponential weights (Vovk 1990) on relative losses,
/// so that the unit does not matter.
pub(super) fn weights(losses: &[f64]) -> Vec<f64> {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |&loss: &f64| {
        if loss <= least {
            1.0
        } else if least > 0.0 {
            libm::exp(-ETA * (loss / least - 1.0))
        } else {
            0.0
        }
    };
    let trust = |place: usize| if place == 0 { 1.0 } else { TRUST_OTHERS };
    let raw: Vec<f64> = losses
        .iter()
        .enumerate()
        .map(|(place, loss)| trust(place) * weight(loss))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}
