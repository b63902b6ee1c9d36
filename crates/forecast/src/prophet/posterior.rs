//! How probable parameters are, given the history.

use super::trend::bent;

/// The normal prior of the trend's slope and offset (the package's Stan model).
const TREND_PRIOR: f64 = 5.0;

/// The scale of the half-normal prior of the noise, in shares of the largest observation (likewise).
const NOISE_PRIOR: f64 = 0.5;

/// The noise is never less, in shares of the largest observation: a history without any noise would
/// make everything else infinitely certain.
pub(super) const NOISE_MIN: f64 = 1e-7;

/// What is known, scaled: times from 0 to 1, values in shares of the largest observation.
///
/// Parameters stand in this order: the trend's slope (unless it is flat) and offset, the coefficients of the effects, the
/// changes of the slope. All but the last have normal priors, those a Laplace prior.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    /// Whether there is a slope and changes of it.
    pub(super) sloped: bool,
    pub(super) capacity: Option<f64>,
    /// When each observation was, rising.
    pub(super) times: Vec<f64>,
    pub(super) values: Vec<f64>,
    /// When the slope may change, rising.
    pub(super) changepoints: Vec<f64>,
    /// The scale of its changes.
    pub(super) change_prior: f64,
    /// One row of effects' columns per observation.
    pub(super) features: Vec<f64>,
    /// Of each column, the scale of its prior, and whether it multiplies the trend.
    pub(super) columns: Vec<(f64, bool)>,
}

impl Posterior {
    /// Parameters of the trend before the changes.
    pub(super) fn trend_size(&self) -> usize {
        if self.sloped { 2 } else { 1 }
    }

    /// Parameters with a normal prior.
    pub(super) fn normal_size(&self) -> usize {
        self.trend_size() + self.columns.len()
    }

    pub(super) fn size(&self) -> usize {
        self.normal_size() + self.changepoints.len()
    }

    /// Whether the forecast bends in the parameters, so that no single least squares problem finds them.
    pub(super) fn is_curved(&self) -> bool {
        self.capacity.is_some() || self.columns.iter().any(|(_, multiplies)| *multiplies)
    }

    /// One over the variance of each normal prior.
    pub(super) fn precisions(&self) -> Vec<f64> {
        let trend = std::iter::repeat_n(TREND_PRIOR, self.trend_size());
        let effects = self.columns.iter().map(|(prior, _)| *prior);
        trend
            .chain(effects)
            .map(|prior| 1.0 / (prior * prior))
            .collect()
    }

    /// The line, what multiplies the trend, and what is added to it, for each observation in order.
    fn each(&self, x: &[f64], mut visit: impl FnMut(usize, &Row<'_>)) {
        let effects = &x[self.trend_size()..self.normal_size()];
        let changes = &x[self.normal_size()..];
        let (mut slope, mut level) = match (self.sloped, self.capacity) {
            (false, _) => (0.0, x[0]),
            (true, None) => (x[0], x[1]),
            (true, Some(_)) => (x[0], -x[0] * x[1]),
        };
        let mut passed = 0;
        let width = self.columns.len();
        for (place, &time) in self.times.iter().enumerate() {
            while passed < changes.len() && self.changepoints[passed] <= time {
                slope += changes[passed];
                level -= changes[passed] * self.changepoints[passed];
                passed += 1;
            }
            let features = &self.features[place * width..][..width];
            let (mut factor, mut added) = (1.0, 0.0);
            for ((feature, effect), (_, multiplies)) in
                features.iter().zip(effects).zip(&self.columns)
            {
                let part = feature * effect;
                if *multiplies {
                    factor += part;
                } else {
                    added += part;
                }
            }
            let trend = bent(self.capacity, slope * time + level);
            let row = Row {
                time,
                passed,
                features,
                trend,
                factor,
                expected: trend * factor + added,
            };
            visit(place, &row);
        }
    }

    /// The sum of squared errors.
    pub(super) fn squares(&self, x: &[f64]) -> f64 {
        let mut squares = 0.0;
        self.each(x, |place, row| {
            let error = self.values[place] - row.expected;
            squares += error * error;
        });
        squares
    }

    /// Visits the errors, and how the expectation changes with each parameter.
    pub(super) fn linearised(&self, x: &[f64], mut visit: impl FnMut(f64, &[f64])) {
        let mut columns = vec![0.0; self.size()];
        self.each(x, |place, row| {
            self.derivatives(x, row, &mut columns);
            visit(self.values[place] - row.expected, &columns);
        });
    }

    fn derivatives(&self, x: &[f64], row: &Row<'_>, columns: &mut [f64]) {
        let bend = match self.capacity {
            Some(capacity) => row.trend * (1.0 - row.trend / capacity),
            None => 1.0,
        };
        let by_line = bend * row.factor;
        match (self.sloped, self.capacity) {
            (false, _) => columns[0] = by_line,
            (true, None) => {
                columns[0] = by_line * row.time;
                columns[1] = by_line;
            }
            (true, Some(_)) => {
                columns[0] = by_line * (row.time - x[1]);
                columns[1] = -by_line * x[0];
            }
        }
        let (effects, changes) = columns[self.trend_size()..].split_at_mut(self.columns.len());
        for ((column, feature), (_, multiplies)) in
            effects.iter_mut().zip(row.features).zip(&self.columns)
        {
            *column = if *multiplies {
                row.trend * feature
            } else {
                *feature
            };
        }
        changes[row.passed..].fill(0.0);
        for (column, changepoint) in changes[..row.passed].iter_mut().zip(&self.changepoints) {
            *column = by_line * (row.time - changepoint);
        }
    }

    /// What the priors of the parameters take off.
    pub(super) fn penalty(&self, x: &[f64]) -> f64 {
        let (normal, changes) = x.split_at(self.normal_size());
        let squares = normal
            .iter()
            .zip(self.precisions())
            .map(|(x, precision)| 0.5 * precision * x * x);
        let kinks = changes
            .iter()
            .map(|change| change.abs() / self.change_prior);
        squares.sum::<f64>() + kinks.sum::<f64>()
    }

    /// The negative logarithm of the posterior without its constants, less [`Self::penalty`].
    pub(super) fn misfit(&self, squares: f64, noise: f64) -> f64 {
        let count = self.values.len() as f64;
        count * libm::log(noise)
            + 0.5 * squares / (noise * noise)
            + 0.5 * (noise / NOISE_PRIOR) * (noise / NOISE_PRIOR)
    }

    /// How [`Self::misfit`] changes with the logarithm of the noise.
    pub(super) fn noise_slope(&self, squares: f64, noise: f64) -> f64 {
        let relative = noise / NOISE_PRIOR;
        self.values.len() as f64 - squares / (noise * noise) + relative * relative
    }

    /// The most probable noise: where the derivative of [`Self::misfit`] is 0, a quadratic equation in the variance.
    pub(super) fn noise(&self, squares: f64) -> f64 {
        let count = self.values.len() as f64;
        let precision = 1.0 / (NOISE_PRIOR * NOISE_PRIOR);
        // The root in the form that does not cancel.
        let variance = 2.0 * squares / (count + (count * count + 4.0 * precision * squares).sqrt());
        variance.sqrt().max(NOISE_MIN)
    }
}

/// What the parameters say about one observation.
struct Row<'a> {
    time: f64,
    /// Changepoints that lie before.
    passed: usize,
    features: &'a [f64],
    trend: f64,
    factor: f64,
    expected: f64,
}
