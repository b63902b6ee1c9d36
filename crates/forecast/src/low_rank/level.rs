//! How the totals of periods go on: a ridge around a random walk, on a transformed scale.

use serde::{Deserialize, Serialize};

/// Powers of Box and Cox (1964) that are tried.
const POWERS: [f64; 3] = [0.0, 0.5, 1.0];

/// Lags of the level, at most: a week of days.
const LAGS_MAX: usize = 7;

/// Periods for each lag that the past must hold.
const PERIODS_PER_LAG: usize = 4;

/// Penalties that are averaged, per observation of standardised regressors: from almost none to a
/// plain random walk.
const PENALTIES: [f64; 8] = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 100.0];

/// Periods after which the trend goes no further: nothing in a few weeks speaks for more.
const TREND_PERIODS: f64 = 14.0;

/// The share of the mean level that is added to each, so that an empty period has a logarithm.
const OFFSET: f64 = 0.01;

/// The level's own course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    power: f64,
    offset: f64,
    /// One level's scale, so that powers are of numbers around 1.
    unit: f64,
    /// What each place in the week adds on the transformed scale; one zero where there is no week.
    pub(super) week: Vec<f64>,
    coefficients: Vec<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// Transformed levels stay between these: an unstable recursion must not run away.
    low: f64,
    high: f64,
    /// Errors of each period foretold without itself, oldest first.
    pub(super) errors: Vec<f64>,
    lags: usize,
    trend_now: f64,
    trend_step: f64,
}

impl Level {
    /// Learns from totals, oldest first, at least three; `week` periods make a week, if any do.
    pub(super) fn fit(totals: &[f64], week: Option<usize>) -> Self {
        let count = totals.len();
        let unit = totals.iter().sum::<f64>() / count as f64;
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let power = best_power(totals, unit);
        let mut level = Self {
            power,
            offset: OFFSET,
            unit,
            week: vec![0.0],
            coefficients: Vec::new(),
            means: Vec::new(),
            deviations: Vec::new(),
            low: 0.0,
            high: 0.0,
            errors: Vec::new(),
            lags: (count / PERIODS_PER_LAG).clamp(1, LAGS_MAX),
            trend_now: 1.0,
            trend_step: 1.0 / count as f64,
        };
        let mut plain: Vec<f64> = totals
            .iter()
            .map(|&total| level.transformed(total))
            .collect();
        if let Some(week) = week.filter(|&week| count >= 2 * week) {
            level.week = week_effects(&plain, week);
            for (place, value) in plain.iter_mut().enumerate() {
                *value -= level.week[(place + week - count % week) % week];
            }
        }
        let (low, high) = plain
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
        let room = (high - low).max(0.1);
        (level.low, level.high) = (low - room, high + room);
        level.regress(&plain);
        level
    }

    /// Fits the change of each period from the one before on an intercept, a trend and the lags, by
    /// ridge regressions towards no change, averaged by how well each foretells left-out periods.
    fn regress(&mut self, plain: &[f64]) {
        let (count, lags) = (plain.len(), self.lags);
        let rows: Vec<Vec<f64>> = (lags..count)
            .map(|at| self.features(&plain[at - lags..at], at as f64 * self.trend_step))
            .collect();
        let changes: Vec<f64> = (lags..count).map(|at| plain[at] - plain[at - 1]).collect();
        let width = lags + 2;
        // The intercept is shrunk like all others: its mean is kept at 0.
        self.means = vec![0.0; width];
        self.deviations = vec![1.0; width];
        for column in 1..width {
            let mean = rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
            let squares = rows
                .iter()
                .map(|row| (row[column] - mean) * (row[column] - mean));
            let deviation = (squares.sum::<f64>() / rows.len() as f64).sqrt();
            self.means[column] = mean;
            self.deviations[column] = if deviation > 1e-9 { deviation } else { 1e9 };
        }
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| self.standardised(row)).collect();
        let mut gram = vec![0.0; width * width];
        let mut moments = vec![0.0; width];
        for (row, change) in rows.iter().zip(&changes) {
            for (a, left) in row.iter().enumerate() {
                moments[a] += left * change;
                for (b, right) in row.iter().enumerate() {
                    gram[a * width + b] += left * right;
                }
            }
        }
        let tried = PENALTIES.map(|penalty| {
            let mut ridge = gram.clone();
            for place in 0..width {
                ridge[place * width + place] += penalty * rows.len() as f64;
            }
            let inverse = inverse(ridge, width);
            let coefficients = times(&inverse, &moments);
            let errors: Vec<f64> = rows
                .iter()
                .zip(&changes)
                .map(|(row, change)| {
                    let said: f64 = row.iter().zip(&coefficients).map(|(x, b)| x * b).sum();
                    let spread = times(&inverse, row);
                    let leverage: f64 = row.iter().zip(&spread).map(|(x, y)| x * y).sum();
                    (change - said) / (1.0 - leverage.clamp(0.0, 0.9))
                })
                .collect();
            (coefficients, errors)
        });
        let losses = tried.each_ref().map(|(_, errors)| {
            let mean = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
            0.5 * errors.len() as f64 * libm::log(mean.max(1e-12))
        });
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let weights = losses.map(|loss| libm::exp(least - loss));
        let sum: f64 = weights.iter().sum();
        self.coefficients = vec![0.0; width];
        self.errors = vec![0.0; rows.len()];
        for ((coefficients, errors), weight) in tried.iter().zip(weights) {
            for (mean, value) in self.coefficients.iter_mut().zip(coefficients) {
                *mean += weight / sum * value;
            }
            for (mean, value) in self.errors.iter_mut().zip(errors) {
                *mean += weight / sum * value;
            }
        }
    }

    fn features(&self, newest: &[f64], trend: f64) -> Vec<f64> {
        let mut row = vec![1.0, trend];
        row.extend(newest.iter().rev());
        row
    }

    fn standardised(&self, row: &[f64]) -> Vec<f64> {
        row.iter()
            .zip(self.means.iter().zip(&self.deviations))
            .map(|(value, (mean, deviation))| (value - mean) / deviation)
            .collect()
    }

    /// How many past levels the next one follows from.
    pub(super) fn lags(&self) -> usize {
        self.lags
    }

    /// The transformed level after these, oldest first, `ahead` periods after the history.
    pub(super) fn next(&self, newest: &[f64], ahead: usize) -> f64 {
        let trend = self.trend_now + self.trend_step * (ahead as f64).min(TREND_PERIODS);
        let row = self.standardised(&self.features(newest, trend));
        let change: f64 = row.iter().zip(&self.coefficients).map(|(x, b)| x * b).sum();
        self.bounded(newest.last().copied().unwrap_or(0.0) + change)
    }

    /// A transformed level within what is believable.
    pub(super) fn bounded(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }

    /// A total on the scale on which levels walk.
    pub(super) fn transformed(&self, total: f64) -> f64 {
        let value = (total / self.unit).max(0.0) + self.offset;
        if self.power == 0.0 {
            libm::log(value)
        } else {
            (libm::pow(value, self.power) - 1.0) / self.power
        }
    }

    /// The total that a transformed level stands for.
    pub(super) fn total(&self, value: f64) -> f64 {
        let plain = if self.power == 0.0 {
            libm::exp(value)
        } else {
            libm::pow((self.power * value + 1.0).max(0.0), 1.0 / self.power)
        };
        self.unit * (plain - self.offset).max(0.0)
    }
}

/// The power under which changes of the level are most nearly normal (profile likelihood).
fn best_power(totals: &[f64], unit: f64) -> f64 {
    let mut best = (f64::INFINITY, 1.0);
    for power in POWERS {
        let logs = totals
            .iter()
            .map(|total| libm::log(total.max(0.0) / unit + OFFSET));
        let transformed: Vec<f64> = logs
            .clone()
            .map(|log| {
                if power == 0.0 {
                    log
                } else {
                    (libm::exp(power * log) - 1.0) / power
                }
            })
            .collect();
        let changes = transformed.windows(2).map(|pair| pair[1] - pair[0]);
        let count = (totals.len() - 1).max(1) as f64;
        let variance = changes.map(|change| change * change).sum::<f64>() / count;
        let jacobian = (power - 1.0) * logs.sum::<f64>() / totals.len() as f64;
        let loss = 0.5 * libm::log(variance.max(1e-12)) - jacobian;
        if loss < best.0 {
            best = (loss, power);
        }
    }
    best.1
}

/// What each place in a week adds, counted from the end; shrunk by its F ratio and left out where
/// the criterion of Schwarz says that it is noise.
fn week_effects(plain: &[f64], week: usize) -> Vec<f64> {
    let count = plain.len();
    let offset = count % week;
    let half = week / 2;
    let mut sums = vec![(0.0, 0.0); week];
    let mut centered = Vec::with_capacity(count);
    for at in half..count - (week - half - 1) {
        let window = &plain[at - half..at - half + week];
        let value = plain[at] - window.iter().sum::<f64>() / week as f64;
        let place = (at + week - offset) % week;
        sums[place].0 += value;
        sums[place].1 += 1.0;
        centered.push((place, value));
    }
    let effects: Vec<f64> = sums
        .iter()
        .map(|(sum, seen)| sum / f64::max(*seen, 1.0))
        .collect();
    let mean = effects.iter().sum::<f64>() / week as f64;
    let total: f64 = centered.iter().map(|(_, value)| value * value).sum();
    let rest: f64 = centered
        .iter()
        .map(|(place, value)| (value - effects[*place]) * (value - effects[*place]))
        .sum();
    let seen = centered.len() as f64;
    let parameters = week as f64 - 1.0;
    let gain = seen * libm::log(total.max(1e-300) / rest.max(1e-12 * total).max(1e-300));
    if gain <= parameters * libm::log(seen) {
        return vec![0.0; week];
    }
    let ratio = (total - rest) / parameters / (rest / (seen - parameters).max(1.0)).max(1e-300);
    let kept = (1.0 - 1.0 / ratio.max(1.0)).max(0.0);
    effects
        .into_iter()
        .map(|effect| kept * (effect - mean))
        .collect()
}

/// The inverse of a positive definite matrix, by Gauss and Jordan.
fn inverse(mut matrix: Vec<f64>, width: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; width * width];
    for place in 0..width {
        inverse[place * width + place] = 1.0;
    }
    for pivot in 0..width {
        let scale = 1.0 / matrix[pivot * width + pivot];
        for column in 0..width {
            matrix[pivot * width + column] *= scale;
            inverse[pivot * width + column] *= scale;
        }
        for row in (0..width).filter(|&row| row != pivot) {
            let factor = matrix[row * width + pivot];
            for column in 0..width {
                matrix[row * width + column] -= factor * matrix[pivot * width + column];
                inverse[row * width + column] -= factor * inverse[pivot * width + column];
            }
        }
    }
    inverse
}

fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix
        .chunks(vector.len())
        .map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_level_stays_and_a_week_returns() {
        let week = [1.2, 1.1, 1.0, 1.0, 1.0, 0.8, 0.6];
        let totals: Vec<f64> = (0..35_usize)
            .map(|day| 100.0 * week[day % 7] * (1.0 + 0.002 * (day * 31 % 7) as f64))
            .collect();
        let level = Level::fit(&totals, Some(7));
        let mut newest: Vec<f64> = totals
            .iter()
            .enumerate()
            .map(|(day, &total)| level.transformed(total) - level.week[day % 7])
            .collect();
        for (ahead, factor) in week.iter().enumerate() {
            let next = level.next(&newest[newest.len() - level.lags()..], ahead);
            newest.push(next);
            let total = level.total(next + level.week[ahead]);
            assert!(
                (total / (100.6 * factor) - 1.0).abs() < 0.05,
                "{ahead}: {total}"
            );
        }
    }

    #[test]
    fn inverses_invert() {
        let matrix = vec![4.0, 1.0, 0.5, 1.0, 3.0, 0.2, 0.5, 0.2, 2.0];
        let one = times(
            &inverse(matrix.clone(), 3),
            &times(&matrix, &[1.0, 2.0, 3.0]),
        );
        for (found, expected) in one.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{one:?}");
        }
    }
}
