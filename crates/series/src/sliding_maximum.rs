//! The largest of the last so many values, at a constant cost for each.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The largest of the last `width` values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlidingMaximum {
    width: u64,
    count: u64,
    best: VecDeque<(u64, f64)>,
}

impl SlidingMaximum {
    /// `width` is at least one.
    pub fn new(width: u64) -> Self {
        Self {
            width: width.max(1),
            count: 0,
            best: VecDeque::new(),
        }
    }

    /// Changes the width from the next value on; what a narrower width dropped stays dropped.
    pub fn set_width(&mut self, width: u64) {
        self.width = width.max(1);
    }

    /// Adds a value and returns the largest of the last `width`, this one included.
    pub fn push(&mut self, value: f64) -> f64 {
        while self.best.back().is_some_and(|&(_, other)| other <= value) {
            self.best.pop_back();
        }
        self.best.push_back((self.count, value));
        self.count += 1;
        while self
            .best
            .front()
            .is_some_and(|&(index, _)| index + self.width < self.count)
        {
            self.best.pop_front();
        }
        self.get()
    }

    /// The maximum; zero before the first value.
    pub fn get(&self) -> f64 {
        self.best.front().map_or(0.0, |&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_looking_at_each_window() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0];
        for width in 1..=values.len() {
            let mut sliding = SlidingMaximum::new(width as u64);
            for (i, value) in values.iter().enumerate() {
                let window = &values[(i + 1).saturating_sub(width)..=i];
                let largest = window.iter().copied().fold(0.0, f64::max);
                assert_eq!(sliding.push(*value), largest, "width {width}, value {i}");
            }
        }
    }
}
