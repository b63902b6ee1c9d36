//! Minimising a smooth function whose derivatives are only known by trying.

/// How a search goes on and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Rounds at most.
    pub(super) rounds: usize,
    /// It ends when a round lowers the value by less.
    pub(super) tolerance: f64,
    /// Whether slopes are taken from both sides: exact to the square of the step, at twice the cost.
    pub(super) both_sides: bool,
}

/// The step that slopes are taken over. From one side its error is about the step itself, from both
/// about its square; rounding adds 1e-16 ÷ step.
const STEP: f64 = 1e-5;

/// The farthest that one round may go in any direction: numbers are arguments of a hyperbolic tangent,
/// which is flat beyond 3.
const REACH: f64 = 1.0;

/// How often a round may halve its way before it counts as blocked.
const HALVINGS: usize = 25;

/// The share of the promised decrease that is enough (Armijo 1966).
const ENOUGH: f64 = 1e-4;

/// Broyden, Fletcher, Goldfarb and Shanno's method (1970) from `start`; gives the best point and its
/// value. Infinite values are walls. Counted work only: equal arguments give equal results.
pub(super) fn minimise(
    mut loss: impl FnMut(&[f64]) -> f64,
    start: Vec<f64>,
    search: Search,
) -> (Vec<f64>, f64) {
    let size = start.len();
    let mut loss = |point: &[f64]| {
        let value = loss(point);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let mut point = start;
    let mut value = loss(&point);
    if size == 0 || !value.is_finite() {
        return (point, value);
    }
    let mut slope = slopes(&mut loss, &mut point, value, search.both_sides);
    let mut inverse = identity(size);
    let mut fresh = true;
    let mut calm = 0;
    for _ in 0..search.rounds {
        let mut way: Vec<f64> = (0..size)
            .map(|row| -inner(&inverse[row * size..][..size], &slope))
            .collect();
        if inner(&way, &slope) >= 0.0 {
            inverse = identity(size);
            fresh = true;
            way = slope.iter().map(|slope| -slope).collect();
        }
        let farthest = way.iter().fold(0.0, |most: f64, step| most.max(step.abs()));
        if farthest > REACH {
            way.iter_mut().for_each(|step| *step *= REACH / farthest);
        }
        let promised = inner(&way, &slope);
        let Some((next, lower)) = walk(&mut loss, &point, value, &way, promised) else {
            if fresh {
                break;
            }
            inverse = identity(size);
            fresh = true;
            continue;
        };
        calm = if value - lower < search.tolerance {
            calm + 1
        } else {
            0
        };
        let moved: Vec<f64> = next
            .iter()
            .zip(&point)
            .map(|(to, from)| to - from)
            .collect();
        (point, value) = (next, lower);
        // Twice, because one small step may have been a lucky corner.
        if calm == 2 {
            break;
        }
        let next_slope = slopes(&mut loss, &mut point, value, search.both_sides);
        let bent: Vec<f64> = next_slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        learn(&mut inverse, &moved, &bent, fresh);
        fresh = false;
        slope = next_slope;
    }
    (point, value)
}

/// Walks a way as far as it pays.
fn walk(
    loss: &mut impl FnMut(&[f64]) -> f64,
    point: &[f64],
    value: f64,
    way: &[f64],
    promised: f64,
) -> Option<(Vec<f64>, f64)> {
    let mut share = 1.0;
    for _ in 0..HALVINGS {
        let next: Vec<f64> = point
            .iter()
            .zip(way)
            .map(|(at, way)| at + share * way)
            .collect();
        let there = loss(&next);
        if there <= value + ENOUGH * share * promised {
            return Some((next, there));
        }
        // The bottom of the parabola through what is known, but neither too near nor too far.
        let bottom = -0.5 * promised * share / ((there - value) / share - promised);
        share = if bottom.is_finite() {
            bottom.clamp(0.1 * share, 0.5 * share)
        } else {
            0.1 * share
        };
    }
    None
}

fn slopes(
    loss: &mut impl FnMut(&[f64]) -> f64,
    point: &mut [f64],
    value: f64,
    both_sides: bool,
) -> Vec<f64> {
    (0..point.len())
        .map(|at| {
            let own = point[at];
            point[at] = own + STEP;
            let above = loss(point);
            let slope = if both_sides || !above.is_finite() {
                point[at] = own - STEP;
                let below = loss(point);
                if above.is_finite() {
                    (above - below) / (2.0 * STEP)
                } else {
                    (value - below) / STEP
                }
            } else {
                (above - value) / STEP
            };
            point[at] = own;
            if slope.is_finite() { slope } else { 0.0 }
        })
        .collect()
}

/// Puts what a step taught about the curvature into the inverse of the second derivatives.
fn learn(inverse: &mut [f64], moved: &[f64], bent: &[f64], fresh: bool) {
    let size = moved.len();
    let along = inner(moved, bent);
    if along <= 1e-14 {
        return;
    }
    if fresh {
        // The first step knows at least the scale (Shanno and Phua 1978).
        let scale = along / inner(bent, bent);
        inverse.iter_mut().for_each(|value| *value *= scale);
    }
    let seen: Vec<f64> = (0..size)
        .map(|row| inner(&inverse[row * size..][..size], bent))
        .collect();
    let weight = (1.0 + inner(&seen, bent) / along) / along;
    for row in 0..size {
        for column in 0..size {
            inverse[row * size + column] += weight * moved[row] * moved[column]
                - (seen[row] * moved[column] + moved[row] * seen[column]) / along;
        }
    }
}

fn identity(size: usize) -> Vec<f64> {
    (0..size * size)
        .map(|place| f64::from(u8::from(place % (size + 1) == 0)))
        .collect()
}

fn inner(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search {
        rounds: 200,
        tolerance: 1e-12,
        both_sides: true,
    };

    #[test]
    fn finds_the_bottom_of_a_bent_valley() {
        let valley = |point: &[f64]| {
            let (x, y) = (point[0], point[1]);
            (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)
        };
        let (point, value) = minimise(valley, vec![-1.2, 1.0], SEARCH);
        assert!(
            value < 1e-8 && (point[0] - 1.0).abs() < 1e-3,
            "{point:?} {value}"
        );
    }

    #[test]
    fn walls_are_not_walked_through() {
        let walled = |point: &[f64]| {
            if point[0] > 0.5 { f64::NAN } else { -point[0] }
        };
        let (point, _) = minimise(walled, vec![0.0], SEARCH);
        assert!(point[0] <= 0.5 && point[0] > 0.4, "{point:?}");
    }
}
