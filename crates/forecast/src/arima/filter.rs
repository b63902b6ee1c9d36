//! The Kalman filter of an ARIMA process in companion form, for series with and without gaps.

use serde::{Deserialize, Serialize};

use super::lags::{Tap, taps};

/// The filter has come to rest when the past says no more than this, in variances of an innovation,
/// about any value to come: the likelihood of a thousand steps then is right to six digits.
const AT_REST: f64 = 1e-9;

/// The process in Harvey's companion form. Entry i of its state is what all that was seen adds to
/// the value i steps ahead, so the state of a series is a window of a buffer that runs along with
/// it: a step is to add to the places ahead, and never to shift.
///
/// The autoregressive polynomial may hold differences (roots of 1). Deviations of the state from its
/// mean then are those of the differenced series, since both are φ(B) times what comes; so the
/// filter of the levels can start from the stationary covariance and a few known levels, without a
/// diffuse prior, and steps over a missing level without losing those around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// What each entry of the state takes from the value: φ₁, φ₂, …, as many as it has entries.
    pub(super) ar: Vec<f64>,
    /// What each takes from the innovation: 1, θ₁, θ₂, …
    pub(super) noise: Vec<f64>,
    /// The same without zeros.
    pub(super) taps: Vec<Tap>,
}

impl Shape {
    /// The process of lags that are multiplied out.
    pub(super) fn new(ar: &[f64], ma: &[f64]) -> Self {
        let size = ar.len().max(ma.len() + 1);
        let mut full_ar = ar.to_vec();
        full_ar.resize(size, 0.0);
        let mut noise = vec![1.0];
        noise.extend_from_slice(ma);
        noise.resize(size, 0.0);
        Self {
            ar: full_ar,
            noise,
            taps: taps(ar, ma),
        }
    }

    /// Entries of the state.
    pub(super) fn size(&self) -> usize {
        self.ar.len()
    }

    /// Adds to the places ahead what a value that is known but for its innovation adds.
    pub(super) fn carry(&self, ahead: &mut [f64], value: f64) {
        for tap in &self.taps {
            ahead[tap.lag] += tap.ar * value;
        }
    }

    /// Takes an observation once the filter is at rest; gives the innovation.
    pub(super) fn see(&self, ahead: &mut [f64], value: f64) -> f64 {
        let innovation = value - ahead[0];
        for tap in &self.taps {
            ahead[tap.lag] += tap.ar * value + tap.ma * innovation;
        }
        innovation
    }
}

/// What is not known about the state before a step: its covariance, in variances of an innovation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Unknown {
    /// Row after row, of which only what lies right of the diagonal is kept up to date. Empty once
    /// the filter is at rest: then only the coming innovation is unknown.
    covariance: Vec<f64>,
    /// What one unit of innovation tells about the entries of the state.
    #[serde(skip)]
    gain: Gain,
}

/// A buffer that is no part of the state.
#[derive(Clone, Debug, Default)]
struct Gain(Vec<f64>);

impl PartialEq for Gain {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Unknown {
    /// Starts from this covariance.
    pub(super) fn new(covariance: Vec<f64>) -> Self {
        Self {
            covariance,
            gain: Gain::default(),
        }
    }

    /// Whether the filter is at rest.
    pub(super) fn at_rest(&self) -> bool {
        self.covariance.is_empty()
    }

    /// The variance of the coming value.
    pub(super) fn variance(&self) -> f64 {
        self.covariance.first().copied().unwrap_or(1.0)
    }

    /// What one unit of innovation tells about each entry, as [`Self::observe`] found last.
    pub(super) fn gain(&self) -> &[f64] {
        &self.gain.0
    }

    /// Goes on to the next step after a value was seen.
    pub(super) fn observe(&mut self, shape: &Shape) {
        if self.at_rest() {
            return;
        }
        let size = shape.size();
        let variance = self.covariance[0];
        let gain = &mut self.gain.0;
        gain.clear();
        gain.extend_from_slice(&self.covariance[..size]);
        let mut largest: f64 = 0.0;
        for row in 0..size {
            let noise = shape.noise[row];
            let (above, below) = self.covariance.split_at_mut((row + 1) * size);
            let into = &mut above[row * size + row..];
            into[size - 1 - row] = noise * shape.noise[size - 1];
            if row + 1 == size {
                break;
            }
            let share = gain[row + 1] / variance;
            let sources = below[row + 1..size]
                .iter()
                .zip(&gain[row + 1..])
                .zip(&shape.noise[row..]);
            largest = largest.max(below[row + 1] - share * gain[row + 1]);
            for (into, ((from, gain), other)) in into.iter_mut().zip(sources) {
                *into = from - share * gain + noise * other;
            }
        }
        gain.iter_mut().for_each(|value| *value /= variance);
        if largest < AT_REST {
            self.covariance.clear();
        }
    }

    /// Goes on to the next step after nothing was seen.
    pub(super) fn miss(&mut self, shape: &Shape) {
        let size = shape.size();
        if self.at_rest() {
            let noise = &shape.noise;
            self.covariance = (0..size * size)
                .map(|place| noise[place / size] * noise[place % size])
                .collect();
        }
        let variance = self.covariance[0];
        let first = &mut self.gain.0;
        first.clear();
        first.extend_from_slice(&self.covariance[..size]);
        first.push(0.0);
        for row in 0..size {
            let (above, below) = self.covariance.split_at_mut((row + 1) * size);
            let into = &mut above[row * size + row..];
            let (ar, noise) = (shape.ar[row], shape.noise[row]);
            let beyond = first[row + 1] + ar * variance;
            for (at, into) in into.iter_mut().enumerate() {
                let column = row + at;
                let from = below.get(column + 1).filter(|_| column + 1 < size);
                *into = from.copied().unwrap_or(0.0)
                    + ar * first[column + 1]
                    + beyond * shape.ar[column]
                    + noise * shape.noise[column];
            }
        }
    }
}

/// What the filter makes of some series that share their gaps.
pub(super) struct Filtered {
    /// Per series, what each observation brought, in standard deviations of an innovation; nothing
    /// for steps that are missing.
    pub(super) innovations: Vec<Vec<f64>>,
    /// The sum of the logarithms of the variances that innovations were expected to have.
    pub(super) log_variances: f64,
    /// Per series, the state after its end.
    pub(super) states: Vec<Vec<f64>>,
    pub(super) unknown: Unknown,
}

/// Filters levels from step `start` on; those before are known and `covariance` is that of the
/// differenced series. `difference` is the polynomial that differences them.
pub(super) fn filter(
    shape: &Shape,
    covariance: Vec<f64>,
    difference: &[f64],
    series: &[&[f64]],
    observed: &[bool],
) -> Filtered {
    let (start, size) = (difference.len() - 1, shape.size());
    let steps = observed.len();
    let mut ahead: Vec<Vec<f64>> = series
        .iter()
        .map(|values| {
            let mut buffer = vec![0.0; steps + size + 1];
            let state = state_of(&values[..start], difference, shape);
            buffer[start..start + size].copy_from_slice(&state);
            buffer
        })
        .collect();
    let mut innovations = vec![Vec::with_capacity(steps - start); series.len()];
    let mut unknown = Unknown::new(covariance);
    let mut log_variances = 0.0;
    for step in start..steps {
        if !observed[step] {
            unknown.miss(shape);
            for ahead in &mut ahead {
                let ahead = &mut ahead[step..];
                shape.carry(ahead, ahead[0]);
            }
            continue;
        }
        let at_rest = unknown.at_rest();
        let variance = unknown.variance();
        unknown.observe(shape);
        let each = series.iter().zip(&mut ahead).zip(&mut innovations);
        if at_rest {
            for ((values, ahead), innovations) in each {
                innovations.push(shape.see(&mut ahead[step..], values[step]));
            }
            continue;
        }
        log_variances += libm::log(variance);
        let deviation = variance.sqrt();
        for ((values, ahead), innovations) in each {
            let ahead = &mut ahead[step..];
            let innovation = values[step] - ahead[0];
            take(shape, unknown.gain(), ahead, values[step], innovation);
            innovations.push(innovation / deviation);
        }
    }
    Filtered {
        innovations,
        log_variances,
        states: ahead
            .iter()
            .map(|ahead| ahead[steps..steps + size].to_vec())
            .collect(),
        unknown,
    }
}

/// Takes an observation with this gain.
pub(super) fn take(shape: &Shape, gain: &[f64], ahead: &mut [f64], value: f64, innovation: f64) {
    shape.carry(ahead, value);
    for (ahead, gain) in ahead[1..].iter_mut().zip(&gain[1..]) {
        *ahead += gain * innovation;
    }
}

/// The expected state after known levels: what comes then has differences of zero on average.
fn state_of(known: &[f64], difference: &[f64], shape: &Shape) -> Vec<f64> {
    let (start, size) = (known.len(), shape.size());
    let mut levels = known.to_vec();
    for at in start..start + size {
        let next: f64 = difference[1..]
            .iter()
            .enumerate()
            .filter(|it| *it.1 != 0.0)
            .map(|(lag, value)| -value * levels[at - 1 - lag])
            .sum();
        levels.push(next);
    }
    (0..size)
        .map(|at| {
            let told = shape
                .taps
                .iter()
                .take_while(|tap| tap.lag <= at)
                .map(|tap| tap.ar * levels[start + at - tap.lag])
                .sum::<f64>();
            levels[start + at] - told
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arima::stationary::Stationary;

    #[test]
    fn a_missing_step_is_as_its_expectation() {
        let shape = Shape::new(&[0.6, 0.2], &[0.4]);
        let start = Stationary::new(&[0.6, 0.2], &[0.4]).unwrap();
        let values = [1.0, -0.5, 0.3, 0.0, 0.0, 0.0];
        let seen = [true, true, true, false, false, false];
        let filtered = filter(&shape, start.covariance(2), &[1.0], &[&values], &seen);
        let known = filter(
            &shape,
            start.covariance(2),
            &[1.0],
            &[&values[..3]],
            &seen[..3],
        );
        // Three steps ahead of the known ones, by the recursion of the values.
        let state = &known.states[0];
        let one = state[0];
        let two = 0.6 * one + state[1];
        let three = 0.6 * two + 0.2 * one;
        let four = 0.6 * three + 0.2 * two;
        assert!((filtered.states[0][0] - four).abs() < 1e-12);
        // In the long run nothing is known but the process itself.
        let mut unknown = filtered.unknown;
        for _ in 0..200 {
            unknown.miss(&shape);
        }
        assert!((unknown.variance() - start.first[0]).abs() < 1e-9);
    }

    #[test]
    fn the_filter_comes_to_rest_and_wakes_at_a_gap() {
        let shape = Shape::new(&[0.6], &[0.4]);
        let start = Stationary::new(&[0.6], &[0.4]).unwrap();
        let mut unknown = Unknown::new(start.covariance(2));
        for _ in 0..60 {
            unknown.observe(&shape);
        }
        assert!(unknown.at_rest());
        unknown.miss(&shape);
        // Two steps ahead: 1 + (φ + θ)².
        assert!((unknown.variance() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn known_levels_are_carried_on() {
        // A random walk with a season of two steps on top.
        let difference = [1.0, -1.0, -1.0, 1.0];
        let shape = Shape::new(&[1.0, 1.0, -1.0], &[]);
        let state = state_of(&[5.0, 8.0, 6.0], &difference, &shape);
        // 6 → 9 → 7: the last season goes on, one higher.
        let one = state[0];
        let two = one + state[1];
        let three = two + one + state[2];
        assert_eq!([one, two, three], [9.0, 7.0, 10.0]);
    }
}
