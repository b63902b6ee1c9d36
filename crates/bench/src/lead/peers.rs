//! Point forecasts to compare with, made into quantiles by their own past errors.

use std::collections::VecDeque;

use super::errors::PastErrors;
use super::{Forecaster, LEVELS, Setting};

/// What is, will be.
pub struct LastValue {
    last: f64,
    errors: PastErrors,
}

impl LastValue {
    pub fn new(setting: Setting) -> Self {
        Self {
            last: 0.0,
            errors: PastErrors::new(setting.lead),
        }
    }
}

impl Forecaster for LastValue {
    fn observe(&mut self, demand: Option<f64>) {
        self.errors.outcome(demand);
        self.last = demand.unwrap_or(self.last);
    }

    fn quantiles(&mut self) -> [f64; LEVELS.len()] {
        self.errors.quantiles(self.last)
    }
}

/// What was at that time yesterday.
pub struct SeasonalNaive {
    setting: Setting,
    last: f64,
    day: VecDeque<f64>,
    errors: PastErrors,
}

impl SeasonalNaive {
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            last: 0.0,
            day: VecDeque::new(),
            errors: PastErrors::new(setting.lead),
        }
    }
}

impl Forecaster for SeasonalNaive {
    fn observe(&mut self, demand: Option<f64>) {
        self.errors.outcome(demand);
        self.last = demand.unwrap_or(self.last);
        self.day.push_back(self.last);
        if self.day.len() > self.setting.day {
            self.day.pop_front();
        }
    }

    fn quantiles(&mut self) -> [f64; LEVELS.len()] {
        let full = self.day.len() == self.setting.day;
        let then = self.day.get(self.setting.lead - 1).copied();
        self.errors
            .quantiles(then.filter(|_| full).unwrap_or(self.last))
    }
}
