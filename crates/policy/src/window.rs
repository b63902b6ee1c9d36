//! The highest of the last so many values, at a constant cost for each.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A sliding maximum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SlidingMax {
    length: u64,
    pushed: u64,
    /// (index, value), values falling.
    candidates: VecDeque<(u64, f64)>,
}

impl SlidingMax {
    pub(crate) fn new(length: usize) -> Self {
        Self {
            length: length.max(1) as u64,
            pushed: 0,
            candidates: VecDeque::new(),
        }
    }

    /// Adds a value and returns the highest of the last `length`, this one included.
    pub(crate) fn push(&mut self, value: f64) -> f64 {
        while self
            .candidates
            .back()
            .is_some_and(|(_, last)| *last <= value)
        {
            self.candidates.pop_back();
        }
        self.candidates.push_back((self.pushed, value));
        self.pushed += 1;
        while self
            .candidates
            .front()
            .is_some_and(|(index, _)| index + self.length < self.pushed)
        {
            self.candidates.pop_front();
        }
        self.candidates.front().map_or(value, |(_, value)| *value)
    }
}

/// Holds capacity back from scale-in: gives way only to the highest that was wanted lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScaleInWindow(SlidingMax);

impl ScaleInWindow {
    pub(crate) fn new(steps: usize) -> Self {
        Self(SlidingMax::new(steps))
    }

    /// What is wanted after the window, given what is wanted now and how many units there are.
    pub(crate) fn apply(&mut self, wanted: u64, total: u64) -> u64 {
        let highest = self.0.push(wanted as f64) as u64;
        if wanted > total {
            wanted
        } else {
            highest.min(total)
        }
    }
}
