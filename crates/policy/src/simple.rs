//! The rules that people write themselves.

use std::collections::VecDeque;

use fleetcast_series::SlidingMaximum;
use serde::{Deserialize, Serialize};

use crate::hpa::SimpleHpa;
use crate::window::ScaleInWindow;
use crate::{Surroundings, View, ceil_units};

/// `ceil(k · highest demand of the last boot time ÷ capacity of a unit)`, 5 min scale-in window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct React {
    factor: f64,
    floor: u64,
    highest: SlidingMaximum,
    window: ScaleInWindow,
}

impl React {
    pub(crate) fn new(factor: f64, floor: u64, surroundings: &Surroundings) -> Self {
        let highest = SlidingMaximum::new(u64::from(surroundings.boot_steps));
        Self {
            factor,
            floor,
            highest,
            window: ScaleInWindow::new(surroundings.steps(5)),
        }
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        let highest = self.highest.push(view.demand);
        let wanted = ceil_units(self.factor * highest / view.per_unit)
            .max(self.floor)
            .max(1);
        self.window.apply(wanted, view.total)
    }
}

/// The simple rule, or what the highest demand of the next boot time and 15 min needed one day ago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaxYesterday {
    rule: SimpleHpa,
    target: f64,
    floor: u64,
    day: usize,
    /// Demand of the last day that the peak's window has not passed yet, oldest first.
    waiting: VecDeque<f64>,
    /// From the newest demand to the end of the peak's window: the window, and what demand comes late by.
    ahead: usize,
    peak: SlidingMaximum,
    window: ScaleInWindow,
}

impl MaxYesterday {
    pub(crate) fn new(target: f64, floor: u64, surroundings: &Surroundings) -> Self {
        let ahead = surroundings.boot_steps as usize + surroundings.steps(15);
        Self {
            rule: SimpleHpa::new(target, 1, surroundings),
            target,
            floor,
            day: surroundings.day(),
            waiting: VecDeque::new(),
            ahead: ahead + surroundings.delay_steps as usize,
            peak: SlidingMaximum::new(ahead as u64 + 1),
            window: ScaleInWindow::new(surroundings.steps(5)),
        }
    }

    pub(crate) fn wanted(&mut self, view: &View) -> u64 {
        // Yesterday's demand from now to `ahead` later: the newest of it is day − ahead steps old.
        self.waiting.push_back(view.demand);
        let delay = self.day.saturating_sub(self.ahead);
        let mut peak = 0.0;
        if self.waiting.len() > delay {
            let newest = self.waiting.pop_front().unwrap_or(0.0);
            peak = self.peak.push(newest);
        }
        let yesterday = if view.step as usize >= self.day {
            ceil_units(peak / (view.per_unit * self.target))
        } else {
            1
        };
        let wanted = self.rule.rule(view).max(yesterday).max(self.floor).max(1);
        self.window.apply(wanted, view.total)
    }
}
