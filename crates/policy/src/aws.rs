//! AWS Auto Scaling: target tracking, and an emulation of predictive scaling on top of it.
//!
//! Source: Amazon EC2 Auto Scaling user guide, "Target tracking scaling policies" and "Predictive
//! scaling"; the alarms' evaluation periods are those seen on real accounts. AWS does not publish its
//! forecasting model, so a seasonal ensemble stands in for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{Surroundings, View, ceil_units};

/// The metric must be over the target for so many minutes before anything is added.
const HIGH_MINUTES: u32 = 3;
/// The metric must be under 90 % of the target for so many minutes before anything is removed.
const LOW_MINUTES: u32 = 15;
const LOW_PART: f64 = 0.9;

/// Two alarms on the load of a unit in service; sizes are proportional; what is still warming up is
/// counted as capacity and not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetTracking {
    target: f64,
    floor: u64,
    high_after: usize,
    low_after: usize,
    high_for: usize,
    low_for: usize,
}

impl TargetTracking {
    pub(crate) fn new(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        Self {
            target,
            floor,
            high_after: surroundings.steps(HIGH_MINUTES),
            low_after: surroundings.steps(LOW_MINUTES),
            high_for: 0,
            low_for: 0,
        }
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        let ready = view.ready.max(1) as f64;
        let metric = view.demand / (ready * view.per_unit);
        self.high_for = if metric > self.target {
            self.high_for + 1
        } else {
            0
        };
        self.low_for = if metric < LOW_PART * self.target {
            self.low_for + 1
        } else {
            0
        };
        let proportional = ceil_units(ready * metric / self.target);
        let mut wanted = view.total;
        if self.high_for >= self.high_after {
            wanted = wanted.max(proportional);
        } else if self.low_for >= self.low_after && proportional < view.total {
            wanted = proportional;
        }
        wanted.max(self.floor).max(1)
    }
}

/// Hours of history that the forecast uses at most: 14 days.
const HISTORY_HOURS: usize = 14 * 24;
/// Hours between forecasts.
const REFRESH_HOURS: u64 = 6;
/// Hours that a forecast reaches.
const HORIZON_HOURS: usize = 48;
/// Capacity is ordered so many seconds before the hour that needs it (`SchedulingBufferTime`).
const BUFFER_SECONDS: u64 = 300;

/// Hourly forecasts refreshed every six hours after a day of history; they only ever raise capacity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsPredictive {
    tracking: TargetTracking,
    target: f64,
    step_seconds: u64,
    /// Mean demand of each past hour, oldest first.
    hours: VecDeque<f64>,
    /// Sum and count of the hour under way.
    hour: (f64, u32),
    hours_seen: u64,
    /// Forecast of mean demand by absolute hour, from `forecast_from`.
    forecast: Vec<f64>,
    forecast_from: u64,
}

impl AwsPredictive {
    pub(crate) fn new(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        Self {
            tracking: TargetTracking::new(target, floor, surroundings),
            target,
            step_seconds: u64::from(surroundings.step_seconds),
            hours: VecDeque::new(),
            hour: (0.0, 0),
            hours_seen: 0,
            forecast: Vec::new(),
            forecast_from: 0,
        }
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        self.hour = (self.hour.0 + view.demand, self.hour.1 + 1);
        let elapsed = (view.step + 1) * self.step_seconds;
        if elapsed / 3_600 > (elapsed - self.step_seconds) / 3_600 {
            self.close_hour();
        }
        let dynamic = self.tracking.wanted(view);
        let now = self.planned(elapsed / 3_600, view.per_unit);
        let soon = self.planned((elapsed + BUFFER_SECONDS) / 3_600, view.per_unit);
        dynamic.max(now).max(soon)
    }

    fn planned(&self, hour: u64, per_unit: f64) -> u64 {
        let index = hour
            .checked_sub(self.forecast_from)
            .map(|index| index as usize);
        let demand = index.and_then(|index| self.forecast.get(index));
        demand.map_or(0, |demand| ceil_units(demand / (per_unit * self.target)))
    }

    fn close_hour(&mut self) {
        let (sum, count) = std::mem::take(&mut self.hour);
        self.hours.push_back(sum / f64::from(count.max(1)));
        if self.hours.len() > HISTORY_HOURS {
            self.hours.pop_front();
        }
        self.hours_seen += 1;
        if self.hours.len() >= 24 && self.hours_seen.is_multiple_of(REFRESH_HOURS) {
            self.forecast_from = self.hours_seen;
            self.forecast = (0..HORIZON_HOURS)
                .map(|ahead| self.seasonal_mean(ahead))
                .collect();
        }
    }

    /// Mean of yesterday, of the same hour on the days of the last week, and of the weeks before.
    fn seasonal_mean(&self, ahead: usize) -> f64 {
        let hours = &self.hours;
        let lagged = |hours_back: usize| {
            let back = hours_back.checked_sub(ahead)?;
            hours
                .len()
                .checked_sub(back)
                .and_then(|index| hours.get(index))
                .copied()
        };
        let first_day = ahead / 24 + 1;
        let mean = |lags: Vec<usize>| {
            let found: Vec<f64> = lags.into_iter().filter_map(lagged).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
        };
        let yesterday = mean(vec![first_day * 24]);
        let days = mean((first_day..first_day + 7).map(|day| day * 24).collect());
        let weeks = mean(vec![7 * 24, 14 * 24]);
        let parts: Vec<f64> = [yesterday, days, weeks].into_iter().flatten().collect();
        parts.iter().sum::<f64>() / parts.len().max(1) as f64
    }
}
