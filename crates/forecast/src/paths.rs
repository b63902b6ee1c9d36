//! What forecasts are made of: one number per step, or many courses over all steps.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// The expected demand of the steps after the history, the next one first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointForecast {
    /// One number per step, finite and not negative, in the unit of the history.
    pub steps: Vec<f64>,
}

/// Quantiles of the demand of each step after the history, the next one first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuantileForecast {
    levels: Vec<f64>,
    /// Step after step, one value per level.
    values: Vec<f64>,
}

impl QuantileForecast {
    /// Takes the quantiles of each step, in the order of the levels; what crosses is put in order and
    /// nothing is under 0.
    ///
    /// # Panics
    /// Unless levels rise and each step has one finite value per level.
    pub fn new(levels: &[f64], mut values: Vec<f64>) -> Self {
        assert!(levels.is_sorted(), "levels {levels:?} do not rise");
        assert!(
            values.iter().all(|value| value.is_finite())
                && (levels.is_empty() && values.is_empty()
                    || !levels.is_empty() && values.len().is_multiple_of(levels.len())),
            "quantiles {values:?} at {levels:?}"
        );
        for step in values.chunks_mut(levels.len().max(1)) {
            step.sort_unstable_by(f64::total_cmp);
            step.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        Self {
            levels: levels.to_vec(),
            values,
        }
    }

    /// Reads the quantiles of paths.
    pub fn from_paths(paths: &SamplePaths, levels: &[f64]) -> Self {
        let at = |step| {
            let sample = paths.at(step);
            levels
                .iter()
                .map(move |&level| sample.quantile(level))
                .collect::<Vec<_>>()
        };
        Self::new(levels, (0..paths.horizon()).flat_map(at).collect())
    }

    /// The levels, rising.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// How many steps there are.
    pub fn horizon(&self) -> usize {
        self.values
            .len()
            .checked_div(self.levels.len())
            .unwrap_or(0)
    }

    /// The quantiles of one step, in the order of the levels.
    ///
    /// # Panics
    /// If the step lies beyond the horizon.
    pub fn step(&self, step: usize) -> &[f64] {
        let each = self.levels.len();
        &self.values[step * each..(step + 1) * each]
    }
}

/// Equally likely courses of the demand over the steps after the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplePaths {
    horizon: usize,
    /// Path after path, `horizon` numbers each.
    values: Vec<f64>,
}

impl SamplePaths {
    /// Draws `count` paths, at least one: `draw` fills the steps of one from its own stream.
    pub(crate) fn draw(
        horizon: usize,
        count: usize,
        seed: u64,
        mut draw: impl FnMut(&mut Rng, &mut [f64]),
    ) -> Self {
        let mut values = vec![0.0; horizon * count.max(1)];
        for (path, steps) in values.chunks_mut(horizon.max(1)).enumerate() {
            draw(&mut Rng::new(seed, path as u64), steps);
            for value in steps {
                *value = value.max(0.0);
            }
        }
        Self { horizon, values }
    }

    /// Takes paths computed elsewhere.
    ///
    /// # Panics
    /// Unless all paths are equally long.
    pub fn from_paths(paths: &[Vec<f64>]) -> Self {
        let horizon = paths.first().map_or(0, Vec::len);
        assert!(
            paths.iter().all(|path| path.len() == horizon),
            "paths differ in length"
        );
        Self {
            horizon,
            values: paths.concat(),
        }
    }

    /// How many steps each path has.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// How many paths there are; 0 if the horizon is 0.
    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.horizon).unwrap_or(0)
    }

    /// The paths, one slice of `horizon` numbers each.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(self.horizon.max(1))
    }

    /// The demand of one step over all paths.
    ///
    /// # Panics
    /// If the step lies beyond the horizon.
    pub fn at(&self, step: usize) -> Sample {
        assert!(
            step < self.horizon,
            "step {step} of a forecast of {} steps",
            self.horizon
        );
        Sample::new(self.iter().map(|path| path[step]).collect())
    }

    /// One quantile per step.
    pub fn quantiles(&self, level: f64) -> Vec<f64> {
        (0..self.horizon)
            .map(|step| self.at(step).quantile(level))
            .collect()
    }

    /// The highest demand within a range of steps, over all paths. Its quantile is what capacity
    /// for the whole range must hold; it is no less than the quantile of each single step.
    ///
    /// # Panics
    /// If the range is empty or reaches beyond the horizon.
    pub fn maximum_over(&self, steps: Range<usize>) -> Sample {
        assert!(
            !steps.is_empty() && steps.end <= self.horizon,
            "{steps:?} of a forecast of {} steps",
            self.horizon
        );
        let highest = |path: &[f64]| {
            path[steps.clone()]
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max)
        };
        Sample::new(self.iter().map(highest).collect())
    }

    /// Gives each step other values in the order of rank: the dependence between steps stays (empirical
    /// copula coupling; Schefzik, Thorarinsdottir and Gneiting 2013).
    pub(crate) fn take_marginals(&mut self, value: impl Fn(usize, usize) -> f64) {
        let (horizon, count) = (self.horizon, self.count());
        let mut order: Vec<usize> = Vec::with_capacity(count);
        for step in 0..horizon {
            order.clear();
            order.extend(0..count);
            let values = &self.values;
            let at = |path: usize| values[path * horizon + step];
            order.sort_unstable_by(|&a, &b| at(a).total_cmp(&at(b)).then(a.cmp(&b)));
            for (rank, &path) in order.iter().enumerate() {
                self.values[path * horizon + step] = value(step, rank);
            }
        }
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }
}

/// Equally likely values of one quantity; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Sorts the values.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "a sample of nothing");
        values.sort_unstable_by(f64::total_cmp);
        Self { sorted: values }
    }

    /// The quantile at a level between 0 and 1, by straight lines between order statistics (type 7
    /// of Hyndman and Fan 1996, the default of NumPy and R). Levels outside are taken as the ends.
    pub fn quantile(&self, level: f64) -> f64 {
        let last = self.sorted.len() - 1;
        let place = level.clamp(0.0, 1.0) * last as f64;
        let below = (place as usize).min(last);
        let above = (below + 1).min(last);
        self.sorted[below] + (self.sorted[above] - self.sorted[below]) * (place - below as f64)
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.sorted.iter().sum::<f64>() / self.sorted.len() as f64
    }

    /// The values, smallest first.
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8, 16], q), numpy 2.4.6.
        let sample = Sample::new(vec![8.0, 1.0, 16.0, 2.0, 4.0]);
        for (level, expected) in [
            (0.0, 1.0),
            (0.1, 1.4),
            (0.5, 4.0),
            (0.9, 12.8),
            (1.0, 16.0),
            (2.0, 16.0),
        ] {
            assert!((sample.quantile(level) - expected).abs() < 1e-12, "{level}");
        }
    }

    #[test]
    fn the_maximum_is_taken_within_each_path() {
        // Each step is 0 in two of three paths, but every path has a 9 somewhere.
        let paths = SamplePaths::from_paths(&[
            vec![9.0, 0.0, 0.0],
            vec![0.0, 9.0, 0.0],
            vec![0.0, 0.0, 9.0],
        ]);
        assert_eq!(paths.quantiles(0.5), [0.0, 0.0, 0.0]);
        assert_eq!(paths.maximum_over(0..3).quantile(0.0), 9.0);
        assert_eq!(paths.maximum_over(1..2).quantile(0.5), 0.0);
    }

    #[test]
    fn nothing_ahead_is_no_paths() {
        let paths = SamplePaths::draw(0, 5, 1, |_, _| {});
        assert_eq!((paths.count(), paths.horizon()), (0, 0));
        assert!(paths.quantiles(0.5).is_empty());
    }
}
