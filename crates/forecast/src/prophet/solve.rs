//! The most probable parameters.

use super::lasso::Lasso;
use super::posterior::{NOISE_MIN, Posterior};
use crate::optimise::Lbfgs;

/// Rounds in which parameters and noise are each fitted to the other.
const ROUNDS_MAX: usize = 100;

/// The search ends when a round changes the noise by less than this share.
const NOISE_TOLERANCE: f64 = 1e-6;

/// ... and gains less than this; a difference of 1 is hardly evidence (Jeffreys), so this is none.
const GAIN_MIN: f64 = 1e-6;

/// Iterations of L-BFGS, where it is needed: more gain little, and cost more than all rounds.
const SEARCH_MAX: usize = 500;

/// Halvings of a step that leads uphill before it is given up.
const HALVINGS_MAX: usize = 30;

/// The noise to start with, in shares of the largest observation: the package's.
pub(super) const NOISE_FIRST: f64 = 1.0;

/// The most probable parameters, in the order of [`Posterior`], and noise.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) parameters: Vec<f64>,
    pub(super) noise: f64,
}

/// Finds the maximum a posteriori.
///
/// For a given noise, what is linear is a lasso and solved exactly; what is not (effects that multiply, a
/// logistic trend) is solved by lassos for its linearisation (Gauss and Newton). The noise for given
/// parameters is a formula; a few rounds of both end at a point that none improves. Should they not,
/// which a logistic trend may bring about, L-BFGS searches on, and the rounds finish from there.
pub(super) fn most_probable(posterior: &Posterior) -> Solution {
    let start = Solution {
        parameters: first_guess(posterior),
        noise: NOISE_FIRST,
    };
    let (solution, settled) = rounds(posterior, start);
    if settled {
        return solution;
    }
    let (other, _) = rounds(posterior, searched(posterior, solution.clone()));
    if value(posterior, &other) < value(posterior, &solution) {
        other
    } else {
        solution
    }
}

/// The negative logarithm of the posterior without its constants.
pub(super) fn value(posterior: &Posterior, solution: &Solution) -> f64 {
    let squares = posterior.squares(&solution.parameters);
    posterior.misfit(squares, solution.noise) + posterior.penalty(&solution.parameters)
}

/// Fits parameters and noise to each other in turn, and says whether they came to rest.
fn rounds(posterior: &Posterior, mut solution: Solution) -> (Solution, bool) {
    let precisions = posterior.precisions();
    let weight = 1.0 / posterior.change_prior;
    let curved = posterior.is_curved();
    let mut lasso = linear(posterior, &solution.parameters);
    let mut before = value(posterior, &solution);
    for round in 0..ROUNDS_MAX {
        if round > 0 && curved {
            lasso = linear(posterior, &solution.parameters);
        }
        let variance = solution.noise * solution.noise;
        let mut target = solution.parameters.clone();
        lasso.solve(&precisions, weight, variance, &mut target);
        let Some((parameters, squares)) = step(posterior, &solution, &target, before) else {
            return (solution, false);
        };
        let noise = posterior.noise(squares);
        let change = (noise / solution.noise - 1.0).abs();
        solution = Solution { parameters, noise };
        let after = posterior.misfit(squares, noise) + posterior.penalty(&solution.parameters);
        let gained = before - after;
        before = after;
        if change < NOISE_TOLERANCE && gained < GAIN_MIN {
            return (solution, true);
        }
    }
    (solution, !curved)
}

/// Goes from a solution to a target, or as far towards it as it does not lead uphill; gives the parameters there
/// and their squared errors. `None` if it leads uphill at once.
fn step(
    posterior: &Posterior,
    from: &Solution,
    target: &[f64],
    before: f64,
) -> Option<(Vec<f64>, f64)> {
    let mut share = 1.0;
    for _ in 0..HALVINGS_MAX {
        let parameters: Vec<f64> = from
            .parameters
            .iter()
            .zip(target)
            .map(|(start, target)| start + share * (target - start))
            .collect();
        let squares = posterior.squares(&parameters);
        let there = posterior.misfit(squares, from.noise) + posterior.penalty(&parameters);
        // Rounding is not uphill; and where nothing is curved, the full step is exact.
        if there <= before + GAIN_MIN * 0.1 || !posterior.is_curved() && there.is_finite() {
            return Some((parameters, squares));
        }
        share *= 0.5;
    }
    None
}

/// The least squares problem that the posterior is near some parameters.
fn linear(posterior: &Posterior, parameters: &[f64]) -> Lasso {
    let mut lasso = Lasso::new(posterior.size());
    posterior.linearised(parameters, |error, columns| {
        let here: f64 = columns.iter().zip(parameters).map(|(a, x)| a * x).sum();
        lasso.add(columns, error + here);
    });
    lasso
}

/// Improves a solution by L-BFGS over the parameters and the logarithm of the noise.
pub(super) fn searched(posterior: &Posterior, start: Solution) -> Solution {
    let size = posterior.size();
    let precisions = posterior.precisions();
    let mut x = start.parameters;
    x.push(libm::log(start.noise));
    let mut weights = vec![0.0; size + 1];
    weights[posterior.normal_size()..size].fill(1.0 / posterior.change_prior);
    let search = Lbfgs {
        iterations_max: SEARCH_MAX,
        ..Lbfgs::default()
    };
    search.minimise(&mut x, &weights, |x, gradient| {
        let noise = libm::exp(x[size]);
        gradient.fill(0.0);
        let mut squares = 0.0;
        posterior.linearised(&x[..size], |error, columns| {
            squares += error * error;
            for (slope, column) in gradient.iter_mut().zip(columns) {
                *slope -= error * column;
            }
        });
        let mut value = posterior.misfit(squares, noise);
        for slope in &mut gradient[..size] {
            *slope /= noise * noise;
        }
        for (place, precision) in precisions.iter().enumerate() {
            gradient[place] += precision * x[place];
            value += 0.5 * precision * x[place] * x[place];
        }
        gradient[size] = posterior.noise_slope(squares, noise);
        value
    });
    let log_noise = x.pop().unwrap_or_default();
    Solution {
        parameters: x,
        noise: libm::exp(log_noise).max(NOISE_MIN),
    }
}

/// How near 0 and the capacity the first guess of a logistic trend may come, as a share of it.
const MARGIN: f64 = 0.01;

/// A line (or curve) through the first and the last observation, or the mean, and nothing else; the
/// package's.
pub(super) fn first_guess(posterior: &Posterior) -> Vec<f64> {
    let mut parameters = vec![0.0; posterior.size()];
    let values = &posterior.values;
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
        return parameters;
    };
    match (posterior.sloped, posterior.capacity) {
        (false, _) => parameters[0] = values.iter().sum::<f64>() / values.len() as f64,
        (true, None) => {
            parameters[0] = last - first;
            parameters[1] = first;
        }
        (true, Some(capacity)) => {
            let inside =
                |value: f64| capacity / value.clamp(MARGIN * capacity, (1.0 - MARGIN) * capacity);
            let (mut from, to) = (inside(first), inside(last));
            // Equal ends leave the middle undetermined.
            if (from - to).abs() <= MARGIN {
                from *= 1.05;
            }
            let (from, to) = (libm::log(from - 1.0), libm::log(to - 1.0));
            parameters[0] = from - to;
            parameters[1] = from / (from - to);
        }
    }
    parameters
}
