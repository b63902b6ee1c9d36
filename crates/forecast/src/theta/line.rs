//! The recursion of a Theta model on a series without season.

use serde::{Deserialize, Serialize};

use super::ThetaForm;
use crate::nelder_mead::{Tolerance, minimise};

/// How many first errors do not count: the trend is undefined before.
const BURN_IN: usize = 3;

/// Rounds that a search may take; it usually ends well before.
const ROUNDS_MAX: usize = 400;

/// The search ends when the errors at its corners differ by no more than this share.
const TOLERANCE: f64 = 1e-9;

/// The state of the model: the smoothed level and the straight line through all that was seen, kept
/// up to date step by step if the model is dynamic (equations 17 to 23 of the paper).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ThetaLine {
    alpha: f64,
    theta: f64,
    dynamic: bool,
    seen: f64,
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
    /// (1 − α)^seen.
    fading: f64,
}

impl ThetaLine {
    /// The state after the first value, if the line is kept up to date from there.
    fn start(first: f64, level: f64, alpha: f64, theta: f64) -> Self {
        Self {
            alpha,
            theta,
            dynamic: true,
            seen: 1.0,
            level: alpha * first + (1.0 - alpha) * level,
            mean: first,
            intercept: first,
            slope: 0.0,
            fading: 1.0 - alpha,
        }
    }

    /// The state after the first value, with this line for good or else one that is kept up to date.
    fn on(line: Option<(f64, f64)>, first: f64, level: f64, alpha: f64, theta: f64) -> Self {
        let start = Self::start(first, level, alpha, theta);
        match line {
            Some((intercept, slope)) => Self {
                dynamic: false,
                intercept,
                slope,
                ..start
            },
            None => start,
        }
    }

    /// The expected next value.
    pub(super) fn next(&self) -> f64 {
        let line = self.intercept * self.fading
            + self.slope * (1.0 - self.fading * (1.0 - self.alpha)) / self.alpha;
        self.level + (1.0 - 1.0 / self.theta) * line
    }

    /// Takes in the next value.
    pub(super) fn see(&mut self, value: f64) {
        let seen = self.seen;
        self.level = self.alpha * value + (1.0 - self.alpha) * self.level;
        if self.dynamic {
            self.slope = ((seen - 1.0) * self.slope + 6.0 * (value - self.mean) / (seen + 1.0))
                / (seen + 2.0);
            self.mean = (seen * self.mean + value) / (seen + 1.0);
            self.intercept = self.mean - self.slope * (seen + 2.0) / 2.0;
        }
        self.fading *= 1.0 - self.alpha;
        self.seen += 1.0;
    }

    /// The state at the end of the values with the least squared error, and its one-step errors
    /// (`None` while they do not count).
    pub(super) fn fit(values: &[f64], form: ThetaForm) -> (Self, Vec<Option<f64>>) {
        let size = values.iter().map(|value| value.abs()).sum::<f64>() / values.len() as f64;
        let size = if size > 0.0 { size } else { 1.0 };
        let whole = (!form.is_dynamic()).then(|| straight_line(values));
        // The straight lines depend on the values alone: once, not at each try.
        let mut line = Self::on(whole, values[0], 0.0, 0.5, 2.0);
        let mut lines = Vec::with_capacity(values.len());
        for &value in &values[1..] {
            lines.push((value / size, line.intercept / size, line.slope / size));
            line.see(value);
        }
        let first = values[0] / size;
        let theta = |point: &[f64]| point.get(2).copied().unwrap_or(2.0);
        let loss = |point: &[f64]| squared_error(first, &lines, point[0], point[1], theta(point));
        let starts = [
            [first / 2.0, 0.5, 2.0],
            [first, 0.15, 2.0],
            [0.0, 0.5, 20.0],
        ];
        let searched = if form.is_optimised() { 3 } else { 2 };
        let bounds = [(-1e3, 1e3), (0.1, 0.99), (1.0, 1e6)];
        let (point, _) = starts
            .map(|start| {
                let start = &start[..searched];
                let near = Tolerance::Relative(TOLERANCE);
                minimise(loss, start, &bounds[..searched], ROUNDS_MAX, near)
            })
            .into_iter()
            .reduce(|best, next| if next.1 < best.1 { next } else { best })
            .unwrap_or((starts[0].to_vec(), 0.0));
        let mut line = Self::on(whole, values[0], point[0] * size, point[1], theta(&point));
        let mut errors = vec![None];
        for (step, &value) in values.iter().enumerate().skip(1) {
            errors.push((step >= BURN_IN).then(|| value - line.next()));
            line.see(value);
        }
        (line, errors)
    }
}

/// Intercept (before the first value) and slope of the straight line through all values.
fn straight_line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let middle = (count + 1.0) / 2.0;
    let (mut across, mut along) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let time = at as f64 + 1.0 - middle;
        across += time * (value - mean);
        along += time * time;
    }
    let slope = if along > 0.0 { across / along } else { 0.0 };
    (mean - slope * middle, slope)
}

/// The sum of squared one-step errors given (value, intercept before, slope before) of each step
/// after the first.
fn squared_error(first: f64, lines: &[(f64, f64, f64)], level: f64, alpha: f64, theta: f64) -> f64 {
    let weight = 1.0 - 1.0 / theta;
    let mut level = alpha * first + (1.0 - alpha) * level;
    let mut fading = 1.0 - alpha;
    let mut sum = 0.0;
    for (step, &(value, intercept, slope)) in lines.iter().enumerate() {
        let line = intercept * fading + slope * (1.0 - fading * (1.0 - alpha)) / alpha;
        let error = value - (level + weight * line);
        if step + 1 >= BURN_IN {
            sum += error * error;
        }
        level += alpha * (value - level);
        fading *= 1.0 - alpha;
    }
    sum
}
