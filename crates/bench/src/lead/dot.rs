//! Theta, as a forecaster of the next minutes.

use std::collections::VecDeque;

use fleetcast_forecast::{Fit, FittedTheta, History, Predict, Season, SeasonSpec, Theta, Update};

use super::errors::PastErrors;
use super::{Forecaster, LEVELS, Setting};

/// Days that Theta is fitted to: with more its season lags behind.
const DOT_DAYS: usize = 14;

/// The dynamic optimised Theta model with the day's season, fitted once a day and updated with each step.
pub struct Dot {
    setting: Setting,
    history: VecDeque<Option<f64>>,
    steps: usize,
    fitted: Option<FittedTheta>,
    last: f64,
    errors: PastErrors,
}

impl Dot {
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            history: VecDeque::new(),
            steps: 0,
            fitted: None,
            last: 0.0,
            errors: PastErrors::new(setting.lead),
        }
    }
}

impl Forecaster for Dot {
    fn observe(&mut self, demand: Option<f64>) {
        self.errors.outcome(demand);
        self.last = demand.unwrap_or(self.last);
        self.history.push_back(demand);
        if self.history.len() > DOT_DAYS * self.setting.day {
            self.history.pop_front();
        }
        self.steps += 1;
        if self.steps.is_multiple_of(self.setting.day) && self.steps >= 2 * self.setting.day {
            let seasons = SeasonSpec {
                day: self.setting.day,
                week: 0,
                year: 0,
            };
            let history = History::new(self.history.make_contiguous(), seasons).ok();
            self.fitted = history.and_then(|history| Theta::new(Season::Day).fit(&history).ok());
        } else if let Some(fitted) = &mut self.fitted {
            fitted.update(demand);
        }
    }

    fn quantiles(&mut self) -> [f64; LEVELS.len()] {
        let forecast = self.fitted.as_ref().map_or(self.last, |fitted| {
            fitted.predict(self.setting.lead).steps[self.setting.lead - 1]
        });
        self.errors.quantiles(forecast)
    }
}
