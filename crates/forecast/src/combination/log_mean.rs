//! The mean of members' quantiles.

use serde::{Deserialize, Serialize};

use crate::robust::median;

/// Steps of history that the usual size is taken from: eight weeks by the hour.
const STEPS: usize = 1_344;
/// The part of the usual size that is added, so that quiet hours do not decide alone.
const PART: f64 = 0.1;

/// A mean of logarithms: demand's errors multiply, so that a member which is off by far above counts no more than one that is off
/// as many times below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LogMean {
    /// Added before the logarithm is taken; 0: the mean is that of the values themselves.
    added: f64,
}

impl LogMean {
    /// For demand that was observed so; where its median is 0, values are averaged as they are.
    pub(super) fn of(values: &[Option<f64>]) -> Self {
        let late = &values[values.len().saturating_sub(STEPS)..];
        let mut known: Vec<f64> = late.iter().copied().flatten().collect();
        Self {
            added: PART * median(&mut known).unwrap_or(0.0),
        }
    }

    /// What is summed of a value, each times its weight.
    pub(super) fn term(&self, value: f64) -> f64 {
        if self.added > 0.0 {
            libm::log(value.max(0.0) + self.added)
        } else {
            value
        }
    }

    /// The mean, of the sum over members whose weights sum to 1.
    pub(super) fn mean(&self, sum: f64) -> f64 {
        if self.added > 0.0 {
            (libm::exp(sum) - self.added).max(0.0)
        } else {
            sum
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_lies_between_and_nearer_to_the_lower_value() {
        let mean = LogMean::of(&[Some(10.0), None, Some(20.0), Some(30.0)]);
        let of = |a: f64, b: f64| mean.mean(0.5 * mean.term(a) + 0.5 * mean.term(b));
        // Of 10 and 40 with 2 added: the square root of 12 times 42, less 2.
        assert!((of(10.0, 40.0) - (504.0_f64.sqrt() - 2.0)).abs() < 1e-9);
        assert!((of(7.0, 7.0) - 7.0).abs() < 1e-9);
        assert!(of(0.0, 0.0).abs() < 1e-9);
    }

    #[test]
    fn where_demand_is_mostly_nothing_values_are_averaged_as_they_are() {
        let mean = LogMean::of(&[Some(0.0), Some(0.0), Some(9.0)]);
        assert_eq!(mean.mean(0.5 * mean.term(0.0) + 0.5 * mean.term(8.0)), 4.0);
    }
}
