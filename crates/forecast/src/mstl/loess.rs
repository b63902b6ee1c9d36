//! Locally weighted regression on evenly spaced values.

/// In windows of more steps than this, only some steps are fitted and the others lie on straight lines
/// between them, so that a window has about as many fitted steps as this number says. The weights vary so
/// slowly within a window that it makes no difference of a thousandth of what the curve does in it.
const FITTED_PER_WINDOW: usize = 200;

/// A loess smoother (Cleveland 1979) for series of one length, with tricube weights.
///
/// Values that are evenly spaced make it linear, with weights that depend on nothing but the place: away
/// from the ends always the same, so they are computed once, and smoothing is a moving weighted sum.
pub(super) struct Loess {
    length: usize,
    /// Steps between two that are fitted.
    jump: usize,
    /// By fitted place from the first on: where the window starts, and its weights. Places in the
    /// middle share those of `middle`.
    places: Vec<Window>,
    middle: Vec<f64>,
}

struct Window {
    /// The place, counted from 0; −1 is one step before the series.
    place: isize,
    from: usize,
    /// `None`: those of the middle.
    weights: Option<Vec<f64>>,
}

impl Loess {
    /// For series of `length` values and windows of `window` steps, an odd number; by straight lines,
    /// or else by constants. `beyond` more steps are fitted before and after the series.
    pub(super) fn new(length: usize, window: usize, straight: bool, beyond: usize) -> Self {
        let jump = if beyond == 0 {
            (window / FITTED_PER_WINDOW).clamp(1, length.saturating_sub(1).max(1))
        } else {
            1
        };
        let half = window / 2;
        let (start, end) = (-(beyond as isize), (length + beyond) as isize - 1);
        let mut fitted: Vec<isize> = (start..=end).step_by(jump).collect();
        if fitted.last() != Some(&end) {
            fitted.push(end);
        }
        let at = |place: isize| {
            let from = (place - half as isize).clamp(0, length.saturating_sub(window) as isize);
            let from = from as usize;
            let centered = window <= length && place == (from + half) as isize;
            let weights = (!centered)
                .then(|| weights(place, from, window.min(length), window, length, straight));
            Window {
                place,
                from,
                weights,
            }
        };
        let middle = if window <= length {
            weights(half as isize, 0, window, window, length, straight)
        } else {
            Vec::new()
        };
        Self {
            length,
            jump,
            places: fitted.into_iter().map(at).collect(),
            middle,
        }
    }

    /// Smooths a series into `smooth`, which begins at the first fitted place.
    pub(super) fn smooth(&self, values: &[f64], smooth: &mut [f64]) {
        debug_assert_eq!(values.len(), self.length);
        let first = self.places.first().map_or(0, |window| window.place);
        let mut last = 0;
        for window in &self.places {
            let weights = window.weights.as_ref().unwrap_or(&self.middle);
            let at = (window.place - first) as usize;
            smooth[at] = sum_of_products(weights, &values[window.from..]);
            if self.jump > 1 && at > last + 1 {
                let (from, to) = (smooth[last], smooth[at]);
                let step = (to - from) / (at - last) as f64;
                for (passed, between) in smooth[last + 1..at].iter_mut().enumerate() {
                    *between = from + step * (passed + 1) as f64;
                }
            }
            last = at;
        }
    }
}

/// The weights of the `count` values from `from` on in the fit at a place.
fn weights(
    place: isize,
    from: usize,
    count: usize,
    window: usize,
    length: usize,
    straight: bool,
) -> Vec<f64> {
    let distance = |at: usize| ((from + at) as isize - place) as f64;
    let mut reach = distance(0)
        .abs()
        .max(distance(count.saturating_sub(1)).abs());
    if window > length {
        reach += ((window - length) / 2) as f64;
    }
    let tricube = |at: usize| {
        let away = distance(at).abs();
        if away > 0.999 * reach && reach > 0.0 {
            return 0.0;
        }
        if away <= 0.001 * reach {
            return 1.0;
        }
        let share = away / reach;
        let left = 1.0 - share * share * share;
        left * left * left
    };
    let mut weights: Vec<f64> = (0..count).map(tricube).collect();
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        // Only a series of one value, fitted beyond it.
        weights.fill(1.0 / count.max(1) as f64);
        return weights;
    }
    weights.iter_mut().for_each(|weight| *weight /= sum);
    if straight {
        let mean: f64 = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| weight * distance(at))
            .sum();
        let spread: f64 = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| weight * (distance(at) - mean) * (distance(at) - mean))
            .sum();
        // Points that lie too close together have no slope.
        if spread.sqrt() > 0.001 * (length as f64 - 1.0) {
            for (at, weight) in weights.iter_mut().enumerate() {
                *weight *= 1.0 - mean * (distance(at) - mean) / spread;
            }
        }
    }
    weights
}

/// Σ weight · value, in eight sums so that the processor need not wait for one.
fn sum_of_products(weights: &[f64], values: &[f64]) -> f64 {
    const SUMS: usize = 8;
    let values = &values[..weights.len()];
    let mut sums = [0.0; SUMS];
    let (weight_blocks, weight_rest) = weights.as_chunks::<SUMS>();
    let (value_blocks, value_rest) = values.as_chunks::<SUMS>();
    for (weights, values) in weight_blocks.iter().zip(value_blocks) {
        for place in 0..SUMS {
            sums[place] += weights[place] * values[place];
        }
    }
    let rest: f64 = weight_rest.iter().zip(value_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smooth(values: &[f64], window: usize) -> Vec<f64> {
        let mut smooth = vec![0.0; values.len()];
        Loess::new(values.len(), window, true, 0).smooth(values, &mut smooth);
        smooth
    }

    #[test]
    fn a_straight_line_stays_what_it_is() {
        let line: Vec<f64> = (0..700).map(|at| 3.0 + 0.5 * f64::from(at)).collect();
        for window in [25, 301, 701, 901] {
            for (ours, line) in smooth(&line, window).iter().zip(&line) {
                assert!((ours - line).abs() < 1e-9 * line, "{window}: {ours} {line}");
            }
        }
    }

    #[test]
    fn fitting_only_some_steps_makes_little_difference() {
        let wave: Vec<f64> = (0..2400)
            .map(|at| libm::sin(f64::from(at) / 150.0))
            .collect();
        let exact = Loess {
            jump: 1,
            ..Loess::new(2400, 199, true, 0)
        };
        let mut all = vec![0.0; 2400];
        exact.smooth(&wave, &mut all);
        // The same window with every second step fitted.
        let some = Loess {
            jump: 2,
            places: exact
                .places
                .iter()
                .filter(|window| window.place % 2 == 0 || window.place == 2399)
                .map(|window| Window {
                    place: window.place,
                    from: window.from,
                    weights: window.weights.clone(),
                })
                .collect(),
            middle: exact.middle.clone(),
            length: 2400,
        };
        let mut few = vec![0.0; 2400];
        some.smooth(&wave, &mut few);
        for (at, (all, few)) in all.iter().zip(&few).enumerate() {
            assert!((all - few).abs() < 1e-3, "{at}: {all} {few}");
        }
    }

    #[test]
    fn one_value_is_its_own_smooth() {
        let mut out = vec![0.0; 3];
        Loess::new(1, 11, false, 1).smooth(&[7.0], &mut out);
        assert_eq!(out, [7.0; 3]);
    }
}
