//! Linear quantile regression on two dozen features, refitted daily: the strongest quick script that was
//! tried before the product was written.
//!
//! Means over 5, 15, 30, 60 and 180 minutes, as they are and times the seasonal ratios of a day and a week;
//! local deviations over 1, 6 and 24 hours and the one at the same time yesterday; the trend; the last
//! value; the level of the day as a floor.

use std::collections::VecDeque;

use fleetcast_forecast::lead::quantile_regression::{LevelFit, Preconditioner, Rows, fit_level};

use super::{Forecaster, LEVELS, Setting};

const FEATURES: usize = 24;
/// Rows of a fit: a fortnight of five minutes.
const ROWS: usize = 4096;
const PASSES: usize = 40;
/// Seasonal ratios are kept within this factor.
const RATIO: f64 = 4.0;

pub struct Regression {
    setting: Setting,
    values: Vec<f64>,
    sums: Vec<f64>,
    waiting: VecDeque<[f64; FEATURES]>,
    rows: VecDeque<([f64; FEATURES], f64)>,
    fits: Option<[[f64; FEATURES]; LEVELS.len()]>,
}

impl Regression {
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            values: Vec::new(),
            sums: vec![0.0],
            waiting: VecDeque::new(),
            rows: VecDeque::new(),
            fits: None,
        }
    }

    fn steps(&self, minutes: f64) -> usize {
        ((minutes * 60.0 / f64::from(self.setting.step_seconds)).round() as usize).max(1)
    }

    /// The mean of `count` steps before step `end`.
    fn mean(&self, end: usize, count: usize) -> f64 {
        let from = end.saturating_sub(count);
        if end <= from {
            return self.values.last().copied().unwrap_or(0.0);
        }
        (self.sums[end] - self.sums[from]) / (end - from) as f64
    }

    /// The mean absolute difference between neighbouring quarter-hours, a feature of noise.
    fn deviation(&self, end: usize, count: usize) -> f64 {
        let quarter = self.steps(15.0);
        let parts = (count / quarter).max(1);
        let each = (0..parts).filter_map(|part| {
            let at = end.checked_sub(part * quarter)?;
            Some((self.mean(at, quarter) - self.mean(at.checked_sub(quarter)?, quarter)).abs())
        });
        each.sum::<f64>() / parts as f64
    }

    fn features(&self) -> [f64; FEATURES] {
        let now = self.values.len();
        let (day, lead) = (self.setting.day, self.setting.lead);
        let level = self.mean(now, day);
        let soft = 0.1 * level + 1e-9;
        let around = self.steps(10.0);
        let ratio = |lag: usize| {
            let (Some(then), Some(before)) =
                ((now + lead + around).checked_sub(lag), now.checked_sub(lag))
            else {
                return 1.0;
            };
            if then > now || before == 0 {
                return 1.0;
            }
            let ratio = (self.mean(then, 2 * around + 1) + soft)
                / (self.mean(before, 2 * around + 1) + soft);
            ratio.clamp(1.0 / RATIO, RATIO)
        };
        let (of_day, of_week) = (ratio(day), ratio(7 * day));
        let means =
            [5.0, 15.0, 30.0, 60.0, 180.0].map(|minutes| self.mean(now, self.steps(minutes)));
        let mut features = [0.0; FEATURES];
        features[0] = level;
        for (place, mean) in means.into_iter().enumerate() {
            features[1 + place] = mean;
            features[6 + place] = mean * of_day;
            features[11 + place] = mean * of_week;
        }
        features[16] = self.deviation(now, self.steps(60.0));
        features[17] = self.deviation(now, self.steps(360.0));
        features[18] = self.deviation(now, day);
        features[19] = (now + lead)
            .checked_sub(day)
            .map_or(0.0, |then| self.deviation(then.min(now), self.steps(60.0)));
        features[20] = (means[1] - means[3]).max(0.0);
        features[21] = (means[3] - means[1]).max(0.0);
        features[22] = self.values.last().copied().unwrap_or(0.0);
        features[23] = self.mean(now, 7 * day);
        features
    }

    fn fit(&mut self) {
        let stride = self.rows.len().div_ceil(ROWS).max(1);
        let kept: Vec<_> = self.rows.iter().rev().step_by(stride).collect();
        let scale = kept.iter().map(|row| row.1).sum::<f64>() / kept.len().max(1) as f64;
        if scale <= 0.0 {
            return;
        }
        let mut rows = Rows::<FEATURES> {
            features: kept
                .iter()
                .map(|row| row.0.map(|value| (value / scale) as f32))
                .collect(),
            outcomes: kept.iter().map(|row| (row.1 / scale) as f32).collect(),
            weights: vec![1.0; kept.len()],
        };
        let ridge = 4.0 / kept.len() as f64;
        let shared = Preconditioner::prepare(&mut rows, ridge);
        let zero = shared.inward(&[0.0; FEATURES]);
        let mut start = zero;
        let mut fits = [[0.0; FEATURES]; LEVELS.len()];
        for (fit, &level) in fits.iter_mut().zip(&LEVELS) {
            let task = LevelFit {
                level,
                start,
                prior: zero,
                ridge,
                passes: PASSES,
            };
            start = fit_level(&rows, &shared, &task);
            *fit = shared.outward(&start);
        }
        self.fits = Some(fits);
    }
}

impl Forecaster for Regression {
    fn observe(&mut self, demand: Option<f64>) {
        let value = demand.or(self.values.last().copied()).unwrap_or(0.0);
        if self.waiting.len() == self.setting.lead
            && let Some(features) = self.waiting.pop_front()
            && demand.is_some()
        {
            self.rows.push_back((features, value));
            if self.rows.len() > 21 * self.setting.day {
                self.rows.pop_front();
            }
        }
        self.values.push(value);
        self.sums
            .push(self.sums.last().copied().unwrap_or(0.0) + value);
        self.waiting.push_back(self.features());
        if self.values.len().is_multiple_of(self.setting.day) && self.rows.len() > 2 * FEATURES {
            self.fit();
        }
    }

    fn quantiles(&mut self) -> [f64; LEVELS.len()] {
        let features = self.waiting.back().copied().unwrap_or([0.0; FEATURES]);
        let Some(fits) = &self.fits else {
            return [self.values.last().copied().unwrap_or(0.0); LEVELS.len()];
        };
        let mut quantiles = fits.map(|fit| {
            let value: f64 = fit.iter().zip(&features).map(|(a, b)| a * b).sum();
            value.max(0.0)
        });
        quantiles.sort_unstable_by(f64::total_cmp);
        quantiles
    }
}
