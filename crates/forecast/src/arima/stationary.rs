//! Where a stationary ARMA process starts: the covariance of its state before anything is seen.

use super::lags::partials;

/// An ARMA process in Harvey's state space form (1989, section 3.3) with innovations of variance 1:
/// the state's first entry is the value, entry i is what the values and innovations so far add to the
/// value i steps ahead.
pub(super) struct Stationary {
    /// What each entry takes from the first one, as many as the state has entries.
    pub(super) ar: Vec<f64>,
    /// What each entry takes from the newest innovation: 1, θ₁, θ₂, …
    pub(super) noise: Vec<f64>,
    /// The covariances of each entry with the first.
    pub(super) first: Vec<f64>,
}

impl Stationary {
    /// The process of these lags; `None` if it is not stationary.
    ///
    /// The autocovariances of the autoregressive part come from its partial autocorrelations (the
    /// Levinson recursion backwards), those of the whole by filtering them with the moving average:
    /// O(p²) where solving for them directly is O(p³).
    pub(super) fn new(ar: &[f64], ma: &[f64]) -> Option<Self> {
        let size = ar.len().max(ma.len() + 1);
        let far = size + ma.len();
        let pure = autocovariances(ar, far)?;
        // The autocovariances of the moving average, then of the whole.
        let theta = |lag: usize| {
            if lag == 0 {
                1.0
            } else {
                ma.get(lag - 1).copied().unwrap_or(0.0)
            }
        };
        let of_noise: Vec<f64> = (0..=ma.len())
            .map(|apart| {
                (0..=ma.len() - apart)
                    .map(|lag| theta(lag) * theta(lag + apart))
                    .sum()
            })
            .collect();
        let whole: Vec<f64> = (0..=size)
            .map(|apart| {
                let beside = |lag: usize| pure[apart + lag] + pure[apart.abs_diff(lag)];
                let sides = of_noise.iter().enumerate().skip(1);
                of_noise[0] * pure[apart]
                    + sides
                        .filter(|(_, weight)| **weight != 0.0)
                        .map(|(lag, weight)| weight * beside(lag))
                        .sum::<f64>()
            })
            .collect();
        let noise: Vec<f64> = (0..size).map(theta).collect();
        let mut full_ar = ar.to_vec();
        full_ar.resize(size, 0.0);
        let weights = impulse(&full_ar, &noise);
        let mut first = vec![0.0; size];
        for (lag, &value) in full_ar.iter().enumerate().filter(|it| *it.1 != 0.0) {
            for (at, sum) in first[..=lag].iter_mut().enumerate() {
                *sum += value * whole[lag + 1 - at];
            }
        }
        for (lag, &value) in noise.iter().enumerate().filter(|it| *it.1 != 0.0) {
            for (at, sum) in first[..=lag].iter_mut().enumerate() {
                *sum += value * weights[lag - at];
            }
        }
        let sound = first[0].is_finite() && first[0] >= 1.0 - 1e-6;
        sound.then_some(Self {
            ar: full_ar,
            noise,
            first,
        })
    }

    /// The whole covariance, row after row, in the upper left corner of a state of `size` entries.
    /// It stays the same from step to step, which gives each diagonal from its last entry backwards.
    pub(super) fn covariance(&self, size: usize) -> Vec<f64> {
        let own = self.ar.len();
        let mut covariance = vec![0.0; size * size];
        let first = |at: usize| self.first.get(at).copied().unwrap_or(0.0);
        for row in (0..own).rev() {
            for column in (row..own).rev() {
                let beyond = if column + 1 < own {
                    covariance[(row + 1) * size + column + 1]
                } else {
                    0.0
                };
                let value = if row == 0 {
                    first(column)
                } else {
                    beyond
                        + self.ar[row] * first(column + 1)
                        + self.ar[column] * first(row + 1)
                        + self.ar[row] * self.ar[column] * self.first[0]
                        + self.noise[row] * self.noise[column]
                };
                covariance[row * size + column] = value;
                covariance[column * size + row] = value;
            }
        }
        covariance
    }
}

/// What an innovation adds to the values 0, 1, … steps later, as many as there is noise.
fn impulse(ar: &[f64], noise: &[f64]) -> Vec<f64> {
    let mut weights: Vec<f64> = noise.to_vec();
    for at in 0..weights.len() {
        let mut sum = noise[at];
        for (lag, &value) in ar.iter().enumerate().take(at) {
            if value != 0.0 {
                sum += value * weights[at - 1 - lag];
            }
        }
        weights[at] = sum;
    }
    weights
}

/// The autocovariances at lags 0..=far of an autoregressive process; `None` if it is not stationary.
fn autocovariances(ar: &[f64], far: usize) -> Option<Vec<f64>> {
    let partials = partials(ar)?;
    let mut variance: f64 = partials.iter().map(|r| 1.0 / (1.0 - r * r)).product();
    let mut covariances = Vec::with_capacity(far + 1);
    covariances.push(variance);
    let mut shorter: Vec<f64> = Vec::with_capacity(ar.len());
    let mut before = Vec::with_capacity(ar.len());
    for (at, &partial) in partials.iter().enumerate() {
        let explained: f64 = shorter
            .iter()
            .enumerate()
            .map(|(lag, value)| value * covariances[at - lag])
            .sum();
        covariances.push(explained + partial * variance);
        variance *= 1.0 - partial * partial;
        before.clone_from(&shorter);
        for (value, mirrored) in shorter.iter_mut().zip(before.iter().rev()) {
            *value -= partial * mirrored;
        }
        shorter.push(partial);
    }
    for at in covariances.len()..=far {
        let next = ar
            .iter()
            .enumerate()
            .map(|(lag, value)| value * covariances[at - 1 - lag])
            .sum();
        covariances.push(next);
    }
    covariances.truncate(far + 1);
    Some(covariances)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The covariance that the step of the process leaves as it is, by taking the step very often.
    fn by_stepping(ar: &[f64], noise: &[f64]) -> Vec<f64> {
        let size = ar.len();
        let mut covariance = vec![0.0; size * size];
        for _ in 0..4000 {
            let at = |row: usize, column: usize| {
                if row < size && column < size {
                    covariance[row * size + column]
                } else {
                    0.0
                }
            };
            let next = (0..size * size).map(|place| {
                let (i, j) = (place / size, place % size);
                at(i + 1, j + 1)
                    + ar[i] * at(0, j + 1)
                    + ar[j] * at(i + 1, 0)
                    + ar[i] * ar[j] * at(0, 0)
                    + noise[i] * noise[j]
            });
            covariance = next.collect();
        }
        covariance
    }

    #[test]
    fn the_start_is_what_stepping_leads_to() {
        for (ar, ma) in [
            (vec![0.7], vec![]),
            (vec![], vec![0.4, -0.3]),
            (vec![1.2, -0.5], vec![0.4]),
            (vec![0.5, 0.0, 0.0, 0.6, -0.3], vec![-0.4, 0.0, 0.3]),
            (vec![0.2], vec![0.5, 0.0, 0.0, -0.7, -0.35]),
            (vec![], vec![]),
        ] {
            let start = Stationary::new(&ar, &ma).unwrap();
            let expected = by_stepping(&start.ar, &start.noise);
            let covariance = start.covariance(start.ar.len());
            for (ours, expected) in covariance.iter().zip(&expected) {
                assert!(
                    (ours - expected).abs() < 1e-9,
                    "{ar:?} {ma:?}: {covariance:?} is not {expected:?}"
                );
            }
        }
        assert!(Stationary::new(&[1.01], &[]).is_none());
    }
}
