//! Quantiles of the last values.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last values, sorted: exact quantiles, in time linear in the (small) capacity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SortedWindow {
    capacity: usize,
    /// Only each so-many-th value is kept, so that a long time fits into the capacity.
    stride: usize,
    seen: usize,
    recent: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl SortedWindow {
    /// A window over the last `span` values of which it keeps at most `capacity`, evenly.
    pub fn over(span: usize, capacity: usize) -> Self {
        let stride = span.div_ceil(capacity.max(1)).max(1);
        Self {
            capacity: (span / stride).max(1),
            stride,
            seen: 0,
            recent: VecDeque::new(),
            sorted: Vec::new(),
        }
    }

    /// Takes a finite value; the oldest one leaves.
    pub fn push(&mut self, value: f64) {
        let kept = self.seen.is_multiple_of(self.stride);
        self.seen += 1;
        if !kept {
            return;
        }
        if self.recent.len() == self.capacity
            && let Some(oldest) = self.recent.pop_front()
        {
            let place = self.sorted.partition_point(|&other| other < oldest);
            self.sorted.remove(place);
        }
        self.recent.push_back(value);
        let place = self.sorted.partition_point(|&other| other < value);
        self.sorted.insert(place, value);
    }

    /// How many values are kept.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The median; 0 if nothing was seen.
    pub fn median(&self) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else {
            return 0.0;
        };
        let (low, high) = (self.sorted[last / 2], self.sorted[last.div_ceil(2)]);
        low + (high - low) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_last_values() {
        let mut window = SortedWindow::over(3, 3);
        assert_eq!((window.len(), window.median()), (0, 0.0));
        for (value, median) in [(5.0, 5.0), (1.0, 3.0), (9.0, 5.0), (2.0, 2.0), (2.0, 2.0)] {
            window.push(value);
            assert_eq!(window.median(), median);
        }
        assert_eq!(window.len(), 3);
    }

    #[test]
    fn a_long_span_is_thinned_evenly() {
        let mut window = SortedWindow::over(1000, 100);
        for value in 0..5000 {
            window.push(f64::from(value));
        }
        assert_eq!(window.len(), 100);
        assert!(
            (window.median() - 4495.0).abs() < 1.0,
            "{}",
            window.median()
        );
    }
}
