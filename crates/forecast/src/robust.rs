//! Averages that single outliers cannot move far.

/// How many robust standard deviations an observation may lie off the median before it is pulled
/// in. Keeps 95 % efficiency on normal data with room to spare.
const REACH: f64 = 2.5;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// The median; `None` of nothing. Reorders.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if lower.len() < middle || values.len() % 2 == 1 {
        return Some(upper);
    }
    let below = values[..middle]
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    Some(0.5 * (below + upper))
}

/// Sums up (value, weight) pairs into their weighted mean after pulling outliers in to 2.5 robust
/// standard deviations (winsorising). Keeps its buffer between calls.
#[derive(Default)]
pub(crate) struct RobustMean {
    pairs: Vec<(f64, f64)>,
    scratch: Vec<f64>,
}

impl RobustMean {
    /// Adds one value; ignored unless its weight is positive.
    pub(crate) fn add(&mut self, value: f64, weight: f64) {
        if weight > 0.0 {
            self.pairs.push((value, weight));
        }
    }

    /// How many values were added since the last [`Self::take`].
    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The robust mean of what was added, and forgets it. `None` of nothing.
    pub(crate) fn take(&mut self) -> Option<f64> {
        self.scratch.clear();
        self.scratch
            .extend(self.pairs.iter().map(|(value, _)| value));
        let center = median(&mut self.scratch)?;
        for value in &mut self.scratch {
            *value = (*value - center).abs();
        }
        let spread = MAD_TO_SIGMA * median(&mut self.scratch)?;
        // More than half equal: no scale to judge outliers by.
        let reach = if spread > 0.0 {
            REACH * spread
        } else {
            f64::INFINITY
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for (value, weight) in self.pairs.drain(..) {
            sum += weight * (center + (value - center).clamp(-reach, reach));
            weights += weight;
        }
        Some(sum / weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn one_outlier_moves_the_mean_little() {
        let mut mean = RobustMean::default();
        for value in [9.0, 10.0, 11.0, 10.5, 9.5, 1000.0] {
            mean.add(value, 1.0);
        }
        let robust = mean.take().unwrap();
        assert!((9.5..11.5).contains(&robust), "{robust}");
        assert_eq!(mean.take(), None);
    }
}
