//! Limited-memory BFGS, also where absolute values are penalised.

use std::collections::VecDeque;

/// Steps are halved until the function falls at least by this share of what its slope promises
/// (Armijo's condition; the usual value of Nocedal and Wright 2006, chapter 3).
const SLOPE_SHARE: f64 = 1e-4;

/// Halvings after which a direction is given up: by then a step is lost in rounding.
const HALVINGS_MAX: usize = 50;

/// Iterations in a row that must hardly gain anything before the search ends.
const STALLS_MAX: usize = 5;

/// Minimises f(x) + Σ wᵢ·|xᵢ|, where f is smooth.
///
/// L-BFGS with the two-loop recursion (Nocedal 1980); with weights, orthant-wise (Andrew and Gao 2007:
/// Scalable training of L1-regularized log-linear models), which keeps within one orthant a step, so
/// that numbers come to rest at exactly 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lbfgs {
    /// Past steps that the curvature is taken from.
    pub(crate) memory: usize,
    /// At most so many iterations.
    pub(crate) iterations_max: usize,
    /// The search ends when iterations gain less than this share of the value.
    pub(crate) tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            memory: 20,
            iterations_max: 2_000,
            tolerance: 1e-10,
        }
    }
}

impl Lbfgs {
    /// Improves `x` in place and returns the value reached. `smooth` gives f and fills its gradient; where f
    /// is no number, x is out of bounds, and the search turns back. `weights` is empty, or one per number.
    ///
    /// # Panics
    /// If there are weights, but not one per number.
    pub(crate) fn minimise(
        &self,
        x: &mut [f64],
        weights: &[f64],
        mut smooth: impl FnMut(&[f64], &mut [f64]) -> f64,
    ) -> f64 {
        assert!(
            weights.is_empty() || weights.len() == x.len(),
            "{} weights of {} numbers",
            weights.len(),
            x.len()
        );
        let weight = |place: usize| weights.get(place).copied().unwrap_or(0.0);
        let penalty = |x: &[f64]| -> f64 {
            weights
                .iter()
                .zip(x)
                .map(|(weight, x)| weight * x.abs())
                .sum()
        };
        let count = x.len();
        let mut gradient = vec![0.0; count];
        let mut value = smooth(x, &mut gradient) + penalty(x);
        let mut past: VecDeque<Pair> = VecDeque::with_capacity(self.memory);
        let (mut next, mut next_gradient) = (vec![0.0; count], vec![0.0; count]);
        let mut stalls = 0;
        for _ in 0..self.iterations_max {
            let slope: Vec<f64> = (0..count)
                .map(|place| steepest(gradient[place], x[place], weight(place)))
                .collect();
            let norm = dot(&slope, &slope).sqrt();
            if !norm.is_finite() || norm == 0.0 {
                break;
            }
            let mut direction = descent(&slope, &past);
            for (place, towards) in direction.iter_mut().enumerate() {
                if weight(place) > 0.0 && *towards * slope[place] >= 0.0 {
                    *towards = 0.0;
                }
            }
            if dot(&direction, &slope) >= 0.0 {
                past.clear();
                direction = slope.iter().map(|slope| -slope).collect();
            }
            let mut length = if past.is_empty() {
                1.0 / norm.max(1.0)
            } else {
                1.0
            };
            let mut reached = None;
            for _ in 0..HALVINGS_MAX {
                for place in 0..count {
                    let moved = x[place] + length * direction[place];
                    let side = if x[place] == 0.0 {
                        -slope[place]
                    } else {
                        x[place]
                    };
                    let crossed = weight(place) > 0.0 && moved * side <= 0.0;
                    next[place] = if crossed { 0.0 } else { moved };
                }
                let promised: f64 = (0..count)
                    .map(|place| slope[place] * (next[place] - x[place]))
                    .sum();
                let there = smooth(&next, &mut next_gradient) + penalty(&next);
                if there <= value + SLOPE_SHARE * promised.min(0.0)
                    && next_gradient.iter().all(|slope| slope.is_finite())
                {
                    reached = Some(there);
                    break;
                }
                length *= 0.5;
            }
            let Some(there) = reached else {
                if past.is_empty() {
                    break;
                }
                past.clear();
                continue;
            };
            let pair = Pair::new(x, &next, &gradient, &next_gradient);
            if let Some(pair) = pair {
                if past.len() == self.memory {
                    past.pop_front();
                }
                past.push_back(pair);
            }
            let gained = value - there;
            value = there;
            x.copy_from_slice(&next);
            gradient.copy_from_slice(&next_gradient);
            stalls = if gained <= self.tolerance * value.abs().max(1.0) {
                stalls + 1
            } else {
                0
            };
            if stalls == STALLS_MAX {
                break;
            }
        }
        value
    }
}

/// What one step told about the curvature.
struct Pair {
    step: Vec<f64>,
    turn: Vec<f64>,
    /// One over the product of the two.
    inverse: f64,
}

impl Pair {
    /// `None` if the function does not curve upwards along the step.
    fn new(from: &[f64], to: &[f64], before: &[f64], after: &[f64]) -> Option<Self> {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let (step, turn): (Vec<f64>, Vec<f64>) = (difference(to, from), difference(after, before));
        let product = dot(&step, &turn);
        (product > 1e-12 * dot(&turn, &turn).min(dot(&step, &step))).then(|| Self {
            inverse: 1.0 / product,
            step,
            turn,
        })
    }
}

/// The slope of f + w·|x|; at 0, the nearest to none that the kink has.
fn steepest(slope: f64, x: f64, weight: f64) -> f64 {
    if weight == 0.0 {
        slope
    } else if x != 0.0 {
        slope + weight * x.signum()
    } else {
        slope - slope.clamp(-weight, weight)
    }
}

/// The way down by the curvature so far.
fn descent(slope: &[f64], past: &VecDeque<Pair>) -> Vec<f64> {
    let mut way: Vec<f64> = slope.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(past.len());
    for pair in past.iter().rev() {
        let share = pair.inverse * dot(&pair.step, &way);
        add(&mut way, -share, &pair.turn);
        shares.push(share);
    }
    if let Some(newest) = past.back() {
        let scale = 1.0 / (newest.inverse * dot(&newest.turn, &newest.turn));
        way.iter_mut().for_each(|way| *way *= scale);
    }
    for (pair, share) in past.iter().zip(shares.into_iter().rev()) {
        let back = pair.inverse * dot(&pair.turn, &way);
        add(&mut way, share - back, &pair.step);
    }
    way
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], share: f64, other: &[f64]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += share * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_bent_valley() {
        // Rosenbrock's function in ten dimensions: least at all ones.
        let rosenbrock = |x: &[f64], gradient: &mut [f64]| {
            gradient.fill(0.0);
            let mut value = 0.0;
            for place in 0..x.len() - 1 {
                let (bend, off) = (x[place + 1] - x[place] * x[place], 1.0 - x[place]);
                value += 100.0 * bend * bend + off * off;
                gradient[place] -= 400.0 * bend * x[place] + 2.0 * off;
                gradient[place + 1] += 200.0 * bend;
            }
            value
        };
        let mut x = vec![-1.2; 10];
        let value = Lbfgs::default().minimise(&mut x, &[], rosenbrock);
        assert!(value < 1e-10, "{value}");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-4), "{x:?}");
    }

    #[test]
    fn weights_shrink_to_exactly_nothing() {
        // Σ (xᵢ − tᵢ)²/2 + |xᵢ|: each is its target, less one towards 0.
        let targets = [3.0, -2.5, 0.5, -0.9, 1.5];
        let smooth = |x: &[f64], gradient: &mut [f64]| {
            for place in 0..x.len() {
                gradient[place] = x[place] - targets[place];
            }
            0.5 * dot(gradient, gradient)
        };
        let mut x = vec![-1.0, 1.0, 1.0, 0.0, 0.0];
        Lbfgs::default().minimise(&mut x, &[1.0; 5], smooth);
        for (x, expected) in x.iter().zip([2.0, -1.5, 0.0, 0.0, 0.5]) {
            assert!((x - expected).abs() < 1e-6, "{x} is not {expected}");
        }
        assert_eq!((x[2], x[3]), (0.0, 0.0));
    }

    #[test]
    fn turns_back_from_where_there_is_nothing() {
        // −ln x + x is least at 1, and no number under 0.
        let smooth = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0 - 1.0 / x[0];
            if x[0] > 0.0 {
                x[0] - libm::log(x[0])
            } else {
                f64::NAN
            }
        };
        let mut x = [20.0];
        Lbfgs::default().minimise(&mut x, &[], smooth);
        assert!((x[0] - 1.0).abs() < 1e-5, "{x:?}");
    }
}
