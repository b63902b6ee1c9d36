//! The trend: lines that meet, or a curve towards a capacity.

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// A trend over time, where 0 is the first observation and 1 the last, in shares of the largest
/// observation.
///
/// Between changepoints it is a straight line; a logistic trend is `capacity / (1 + exp(−line))`. That is the
/// package's trend, whose offsets after each changepoint are made so that the line is continuous.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trend {
    /// In shares of the scale; `None` of a straight line.
    pub(super) capacity: Option<f64>,
    pub(super) slope: f64,
    /// Where the line stands at time 0; of a logistic trend, when it passes half the capacity.
    pub(super) offset: f64,
    pub(super) changes: Vec<Change>,
}

/// The slope changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) time: f64,
    pub(super) by: f64,
}

/// Added to the scale of future changes, so that there is one (the package's value).
const CHANGE_SCALE_MIN: f64 = 1e-8;

impl Trend {
    /// The trend at a time, with what future changes add to its line.
    pub(super) fn at(&self, time: f64, bend: f64) -> f64 {
        bent(self.capacity, self.line(time) + bend)
    }

    fn line(&self, time: f64) -> f64 {
        let start = match self.capacity {
            Some(_) => self.slope * (time - self.offset),
            None => self.slope * time + self.offset,
        };
        let changes = self.changes.iter();
        start
            + changes
                .map(|change| change.by * (time - change.time).max(0.0))
                .sum::<f64>()
    }

    /// Draws what future changes add to the line at some rising times after 1: changes as often as in the history,
    /// each Laplace with the mean size of those in the history (Taylor and Letham 2018, section 3.1.4).
    pub(super) fn draw_bends(&self, rng: &mut Rng, times: &[f64], bends: &mut [f64]) {
        bends.fill(0.0);
        if self.changes.is_empty() {
            return;
        }
        let rate = self.changes.len() as f64;
        let sizes: f64 = self.changes.iter().map(|change| change.by.abs()).sum();
        let scale = sizes / rate + CHANGE_SCALE_MIN;
        let mut next = 1.0 + exponential(rng) / rate;
        let (mut slope, mut before) = (0.0, 0.0);
        for (time, bend) in times.iter().zip(bends) {
            while next <= *time {
                let size = scale * exponential(rng);
                let by = if rng.below(2) == 0 { size } else { -size };
                slope += by;
                before += by * next;
                next += exponential(rng) / rate;
            }
            *bend = slope * time - before;
        }
    }
}

/// What a line is made into.
pub(super) fn bent(capacity: Option<f64>, line: f64) -> f64 {
    match capacity {
        Some(capacity) => capacity / (1.0 + libm::exp(-line)),
        None => line,
    }
}

/// An exponential draw with mean 1.
fn exponential(rng: &mut Rng) -> f64 {
    -libm::log(1.0 - rng.uniform())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(capacity: Option<f64>) -> Trend {
        let change = |time, by| Change { time, by };
        Trend {
            capacity,
            slope: 2.0,
            offset: 0.5,
            changes: vec![change(0.25, -1.0), change(0.5, 3.0)],
        }
    }

    #[test]
    fn lines_meet_at_changepoints() {
        let line = trend(None);
        for (time, expected) in [(0.0, 0.5), (0.25, 1.0), (0.5, 1.25), (1.0, 3.25)] {
            assert!((line.at(time, 0.0) - expected).abs() < 1e-12, "{time}");
        }
        // The package's recursion: each change moves the offset to keep the curve in one piece.
        let (mut rate, mut offset) = (2.0, 0.5);
        for change in line.changes {
            let next = rate + change.by;
            offset += (change.time - offset) * (1.0 - rate / next);
            rate = next;
        }
        let expected = 7.0 / (1.0 + libm::exp(-rate * (0.9 - offset)));
        assert!((trend(Some(7.0)).at(0.9, 0.0) - expected).abs() < 1e-12);
    }

    #[test]
    fn future_changes_are_as_many_and_as_large_as_past_ones() {
        let trend = trend(None);
        let times: Vec<f64> = (1..=100)
            .map(|step| 1.0 + f64::from(step) / 100.0)
            .collect();
        let mut bends = vec![0.0; 100];
        let (mut mean, mut variance) = (0.0, 0.0);
        let count = 20_000;
        for path in 0..count {
            trend.draw_bends(&mut Rng::new(3, path), &times, &mut bends);
            mean += bends[99] / count as f64;
            variance += bends[99] * bends[99] / count as f64;
        }
        // A compound Poisson process: rate · E[size²] · ∫(1 − s)² ds = 2 · 2·2² / 3.
        assert!(mean.abs() < 0.08, "{mean}");
        assert!((variance / (16.0 / 3.0) - 1.0).abs() < 0.06, "{variance}");
    }
}
