//! Simple detectors that everybody can write, as the baseline figures were measured with.

use std::collections::VecDeque;

use super::corpus::Recording;

/// A detector to compare with.
#[derive(Clone, Copy)]
pub enum Peer {
    /// |z| against mean and deviation of the last day.
    WindowedGaussian,
    /// Distance to the mean of the same time on three days before, over the median one of the last day.
    SeasonalRobustZ,
}

/// Values before a window counts.
const KNOWN_MIN: usize = 8;
const NORMAL: f64 = 1.4826;

impl Peer {
    pub const ALL: [Self; 2] = [Self::WindowedGaussian, Self::SeasonalRobustZ];

    pub fn name(self) -> &'static str {
        match self {
            Self::WindowedGaussian => "windowed Gaussian (1 day)",
            Self::SeasonalRobustZ => "seasonal robust z (3 days)",
        }
    }

    /// Scores between 0 and 1. Both know the median size of all values beforehand, for the floor of
    /// their scale: a little of the future, in their favour.
    pub fn scores(self, recording: &Recording) -> Vec<f64> {
        let values = filled(recording);
        let floor = 1e-9 + 0.01 * median(values.iter().map(|value| value.abs()).collect());
        let numbers = match self {
            Self::WindowedGaussian => windowed_gaussian(&values, recording.day(), floor),
            Self::SeasonalRobustZ => seasonal_robust_z(&values, recording.day(), floor),
        };
        numbers
            .into_iter()
            .map(|number| number / (1.0 + number))
            .collect()
    }
}

/// The last value where one is missing.
fn filled(recording: &Recording) -> Vec<f64> {
    let mut last = 0.0;
    let samples = recording.samples.iter();
    samples
        .map(|sample| {
            last = sample.value.unwrap_or(last);
            last
        })
        .collect()
}

fn windowed_gaussian(values: &[f64], day: usize, floor: f64) -> Vec<f64> {
    let score = |row: usize| {
        let before = &values[row.saturating_sub(day)..row];
        if before.len() < KNOWN_MIN {
            return 0.0;
        }
        let count = before.len() as f64;
        let mean = before.iter().sum::<f64>() / count;
        let squares: f64 = before.iter().map(|value| (value - mean).powi(2)).sum();
        (values[row] - mean).abs() / ((squares / (count - 1.0)).sqrt() + floor)
    };
    (0..values.len()).map(score).collect()
}

fn seasonal_robust_z(values: &[f64], day: usize, floor: f64) -> Vec<f64> {
    let mut residuals = Sorted::default();
    let mut seen = Sorted::default();
    let mut recent = VecDeque::new();
    let mut scores = Vec::with_capacity(values.len());
    for (row, &value) in values.iter().enumerate() {
        let usual = if row >= 3 * day {
            (values[row - day] + values[row - 2 * day] + values[row - 3 * day]) / 3.0
        } else {
            seen.median().unwrap_or(value)
        };
        let residual = (value - usual).abs();
        let scale = residuals
            .median()
            .filter(|_| residuals.0.len() >= KNOWN_MIN);
        scores.push(scale.map_or(0.0, |median| residual / (NORMAL * median + floor)));
        if recent.len() == day
            && let Some(oldest) = recent.pop_front()
        {
            residuals.remove(oldest);
        }
        recent.push_back(residual);
        residuals.insert(residual);
        if row < 3 * day {
            seen.insert(value);
        }
    }
    scores
}

#[derive(Default)]
struct Sorted(Vec<f64>);

impl Sorted {
    fn insert(&mut self, value: f64) {
        let place = self.0.partition_point(|other| *other < value);
        self.0.insert(place, value);
    }
    fn remove(&mut self, value: f64) {
        let place = self.0.partition_point(|other| *other < value);
        self.0.remove(place);
    }
    fn median(&self) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        Some((self.0[last / 2] + self.0[last.div_ceil(2)]) / 2.0)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    Sorted(values).median().unwrap_or(0.0)
}
