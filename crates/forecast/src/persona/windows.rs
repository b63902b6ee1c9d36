//! By how much each hour of each pattern's window differs from what the persona says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PersonaPrior;
use super::expectation::Expectation;

/// Hours of observation after which a window's own deviation counts half.
const HOURS_FOR_HALF: f64 = 1.5;
/// Hours of one day err together: a day has two mornings' worth of news about the level.
const RUN_HOURS: f64 = 12.0;
/// A day's observations count half as much a fortnight later, as personas age.
const HALF_LIFE_DAYS: f64 = 14.0;
/// Deviations are kept within this factor.
const FACTOR_MAX: f64 = 20.0;

/// A persona whose level and windows have been corrected by what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CorrectedPersona {
    prior: PersonaPrior,
    windows: BTreeMap<u32, Deviation>,
    step_hours: f64,
    hours: f64,
}

/// Weighted hours, and the sum of log ratios, of one hour of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Deviation {
    as_of: f64,
    hours: f64,
    sum: f64,
}

impl CorrectedPersona {
    pub(super) fn new(expectation: &Expectation, step_hours: f64) -> Self {
        Self {
            prior: PersonaPrior::new(expectation.confidence)
                .with_run_length(RUN_HOURS / step_hours),
            windows: BTreeMap::new(),
            step_hours,
            hours: 0.0,
        }
    }

    /// Takes in the demand of a step; `None` is unknown.
    pub(super) fn observe(&mut self, expectation: &Expectation, step: usize, demand: Option<f64>) {
        self.hours += self.step_hours;
        let expected = expectation.at(step);
        let Some(demand) = demand.filter(|_| expected > 0.0) else {
            return;
        };
        let corrected = self.expected(expectation, step);
        let level = self.prior.level_correction();
        self.prior.observe(corrected, demand);
        let ratio = (demand / (expected * level)).clamp(1.0 / FACTOR_MAX, FACTOR_MAX);
        let now = self.hours;
        let window = self.windows.entry(expectation.window(step)).or_default();
        let kept = window.kept(now);
        *window = Deviation {
            as_of: now,
            hours: window.hours * kept + self.step_hours,
            sum: window.sum * kept + self.step_hours * libm::log(ratio),
        };
    }

    /// The expected demand of a step with its window's own deviation, before the common level.
    fn expected(&self, expectation: &Expectation, step: usize) -> f64 {
        let deviation = self.windows.get(&expectation.window(step));
        let log = deviation.map_or(0.0, |window| {
            let kept = window.kept(self.hours);
            kept * window.sum / (kept * window.hours + HOURS_FOR_HALF)
        });
        expectation.at(step) * libm::exp(log)
    }

    /// The quantile of a step's demand.
    pub(super) fn quantile(&self, expectation: &Expectation, step: usize, level: f64) -> f64 {
        self.prior.quantile(self.expected(expectation, step), level)
    }

    /// What the data weigh after so many days, before either has been judged by what it missed.
    pub(super) fn data_weight(&self, days: f64) -> f64 {
        self.prior.data_weight((days * 24.0) as usize, 24)
    }
}

impl Deviation {
    fn kept(&self, now: f64) -> f64 {
        libm::exp2(-(now - self.as_of) / (24.0 * HALF_LIFE_DAYS))
    }
}
