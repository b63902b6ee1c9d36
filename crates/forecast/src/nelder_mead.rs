//! Minimising a function of a few bounded numbers without its derivatives.

/// How much the first corners lie off the start: a share of each number, or this if it is 0.
const STEP: f64 = 0.05;
const STEP_FROM_ZERO: f64 = 1e-4;

/// When a search has come far enough.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tolerance {
    /// The values at the corners have no larger standard deviation than this.
    Absolute(f64),
    /// They differ by no more than this share of the least.
    Relative(f64),
}

/// The simplex search of Nelder and Mead (1965) from `start`, each number kept between its bounds.
///
/// How far it reflects, stretches and shrinks depends on how many numbers there are (Gao and Han:
/// Implementing the Nelder–Mead simplex algorithm with adaptive parameters, 2012), without which it
/// stalls beyond ten. Gives the best point and its value. Counted work only, at most `rounds_max`
/// rounds: the same start gives the same end. A value that is not a number counts as infinite.
pub(crate) fn minimise(
    mut loss: impl FnMut(&[f64]) -> f64,
    start: &[f64],
    bounds: &[(f64, f64)],
    rounds_max: usize,
    tolerance: Tolerance,
) -> (Vec<f64>, f64) {
    let mut value_of = |point: &mut [f64]| {
        for (number, &(low, high)) in point.iter_mut().zip(bounds) {
            *number = number.clamp(low, high);
        }
        let value = loss(point);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let count = start.len();
    let mut corners = first_corners(start, bounds);
    let mut values: Vec<f64> = corners.iter_mut().map(|it| value_of(it)).collect();
    let inverse = 1.0 / count.max(1) as f64;
    let (stretch, contract, shrink) = (1.0 + 2.0 * inverse, 0.75 - 0.5 * inverse, 1.0 - inverse);
    let mut center = vec![0.0; count];
    let mut tried = vec![0.0; count];
    let mut further = vec![0.0; count];
    for _ in 0..rounds_max {
        if count == 0 || near_enough(&values, tolerance) {
            break;
        }
        let (best, second, worst) = ranks(&values);
        center.fill(0.0);
        for (place, corner) in corners.iter().enumerate() {
            if place != worst {
                for (sum, number) in center.iter_mut().zip(corner) {
                    *sum += number;
                }
            }
        }
        center.iter_mut().for_each(|sum| *sum *= inverse);
        along(&mut tried, &center, &corners[worst], -1.0);
        let reflected = value_of(&mut tried);
        if reflected < values[best] {
            along(&mut further, &center, &tried, stretch);
            let stretched = value_of(&mut further);
            let (point, value) = if stretched < reflected {
                (&further, stretched)
            } else {
                (&tried, reflected)
            };
            corners[worst].copy_from_slice(point);
            values[worst] = value;
            continue;
        }
        if reflected < values[second] {
            corners[worst].copy_from_slice(&tried);
            values[worst] = reflected;
            continue;
        }
        let outside = reflected < values[worst];
        along(
            &mut further,
            &center,
            &tried,
            if outside { contract } else { -contract },
        );
        let contracted = value_of(&mut further);
        if contracted <= reflected && contracted < values[worst] {
            corners[worst].copy_from_slice(&further);
            values[worst] = contracted;
            continue;
        }
        let anchor = corners[best].clone();
        for (place, corner) in corners.iter_mut().enumerate() {
            if place != best {
                for (number, anchor) in corner.iter_mut().zip(&anchor) {
                    *number = anchor + shrink * (*number - anchor);
                }
                values[place] = value_of(corner);
            }
        }
    }
    let (best, _, _) = ranks(&values);
    (corners.swap_remove(best), values[best])
}

/// The start, and the start with one number after the other moved.
fn first_corners(start: &[f64], bounds: &[(f64, f64)]) -> Vec<Vec<f64>> {
    let mut start = start.to_vec();
    for (number, &(low, high)) in start.iter_mut().zip(bounds) {
        *number = number.clamp(low, high);
    }
    let mut corners = vec![start.clone(); start.len() + 1];
    for (place, corner) in corners.iter_mut().take(start.len()).enumerate() {
        corner[place] = if start[place] == 0.0 {
            STEP_FROM_ZERO
        } else {
            start[place] * (1.0 + STEP)
        };
    }
    corners
}

/// The point this share of the way from the center to another.
fn along(point: &mut [f64], center: &[f64], other: &[f64], share: f64) {
    for ((number, center), other) in point.iter_mut().zip(center).zip(other) {
        *number = center + share * (other - center);
    }
}

fn near_enough(values: &[f64], tolerance: Tolerance) -> bool {
    let count = values.len() as f64;
    match tolerance {
        Tolerance::Absolute(spread) => {
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|it| (it - mean) * (it - mean)).sum();
            (squares / count).sqrt() < spread
        }
        Tolerance::Relative(share) => {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most - least <= share * least.abs()
        }
    }
}

/// The places of the least, the second largest and the largest value.
fn ranks(values: &[f64]) -> (usize, usize, usize) {
    let (mut best, mut second, mut worst) = (0, 0, 0);
    for (place, value) in values.iter().enumerate().skip(1) {
        if *value < values[best] {
            best = place;
        }
        if *value >= values[worst] {
            (second, worst) = (worst, place);
        } else if second == worst || *value >= values[second] {
            second = place;
        }
    }
    (best, second, worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_valley_within_bounds() {
        let valley = |point: &[f64]| {
            let [x, y, z] = [point[0], point[1], point[2]];
            (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x) + (z - 5.0) * (z - 5.0) + 1.0
        };
        let bounds = [(-5.0, 5.0), (-5.0, 5.0), (-5.0, 3.0)];
        let relative = Tolerance::Relative(1e-9);
        let (point, value) = minimise(valley, &[-1.2, 1.0, 0.0], &bounds, 600, relative);
        assert!((value - 5.0).abs() < 1e-4, "{point:?} {value}");
    }

    #[test]
    fn twenty_numbers_are_not_too_many() {
        let bowl = |point: &[f64]| -> f64 {
            let off = |(place, number): (usize, &f64)| (number - place as f64) * (number - 2.0);
            point.iter().enumerate().map(|it| off(it).abs()).sum()
        };
        let round = |point: &[f64]| -> f64 {
            let square = |(place, it): (usize, &f64)| (it - place as f64) * (it - place as f64);
            point.iter().enumerate().map(square).sum()
        };
        let bounds = [(-50.0, 50.0); 20];
        let absolute = Tolerance::Absolute(1e-6);
        let (_, value) = minimise(round, &[1.0; 20], &bounds, 8000, absolute);
        assert!(value < 1e-4, "{value}");
        let (_, value) = minimise(bowl, &[1.0; 20], &bounds, 0, absolute);
        assert!(value <= bowl(&[1.0; 20]));
    }

    #[test]
    fn ranks_are_of_different_places() {
        assert_eq!(ranks(&[3.0, 1.0, 2.0]), (1, 2, 0));
        assert_eq!(ranks(&[1.0, 2.0]), (0, 0, 1));
        assert_eq!(ranks(&[2.0, 1.0]), (1, 1, 0));
        assert_eq!(ranks(&[1.0, 3.0, 2.0, 0.0]), (3, 2, 1));
    }
}
