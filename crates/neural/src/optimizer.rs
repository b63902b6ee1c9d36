//! Adam with decoupled weight decay.

use std::f64::consts::PI;

use crate::spec::RecurrentSpec;

/// How long gradients and their squares are remembered: the usual choice for small noisy batches.
const MOMENTUM: f32 = 0.9;
const SQUARES: f32 = 0.99;

/// Keeps the quotient finite where a weight has had no gradient yet.
const TINY: f32 = 1e-8;

/// The longest gradient: recurrent networks have cliffs (Pascanu, Mikolov and Bengio 2013).
const NORM_MAX: f64 = 1.0;

/// Share of the steps over which the learning rate rises.
const RISE: f64 = 0.05;

/// Adam (Kingma and Ba 2015) with weight decay beside it (Loshchilov and Hutter 2019) and a learning
/// rate that rises for a twentieth of the steps and then falls by a cosine. On plain numbers rather than
/// on tensors: a few thousand of them, in an order that is always the same.
#[derive(Clone, Debug)]
pub(crate) struct Adam {
    momentum: Vec<f32>,
    squares: Vec<f32>,
    step: usize,
    steps: usize,
    rate: f64,
    decay: f64,
}

impl Adam {
    /// For this many weights.
    pub(crate) fn new(spec: &RecurrentSpec, weights: usize) -> Self {
        Self {
            momentum: vec![0.0; weights],
            squares: vec![0.0; weights],
            step: 0,
            steps: spec.steps,
            rate: spec.learning_rate,
            decay: spec.weight_decay,
        }
    }

    /// Moves the weights against their gradient. A gradient that is not finite moves nothing.
    pub(crate) fn step(&mut self, weights: &mut [f32], gradient: &[f32]) {
        let norm = gradient
            .iter()
            .map(|g| f64::from(*g) * f64::from(*g))
            .sum::<f64>()
            .sqrt();
        self.step += 1;
        if !norm.is_finite() {
            return;
        }
        let shrink = if norm > NORM_MAX {
            NORM_MAX / norm
        } else {
            1.0
        } as f32;
        let rate = self.rate_now();
        let power = |base: f32| 1.0 - libm::pow(f64::from(base), self.step as f64) as f32;
        let (mean, spread) = (power(MOMENTUM), power(SQUARES));
        let keep = (1.0 - rate * self.decay) as f32;
        let rate = rate as f32;
        let state = self.momentum.iter_mut().zip(&mut self.squares);
        for ((weight, gradient), (momentum, square)) in weights.iter_mut().zip(gradient).zip(state)
        {
            let gradient = gradient * shrink;
            *momentum = MOMENTUM * *momentum + (1.0 - MOMENTUM) * gradient;
            *square = SQUARES * *square + (1.0 - SQUARES) * gradient * gradient;
            *weight =
                keep * *weight - rate * (*momentum / mean) / ((*square / spread).sqrt() + TINY);
        }
    }

    fn rate_now(&self) -> f64 {
        let done = self.step as f64 / self.steps.max(1) as f64;
        let rise = (done / RISE).min(1.0);
        self.rate * rise * 0.5 * (1.0 + libm::cos(PI * done.min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_is_rolled_down_to_its_bottom() {
        let spec = RecurrentSpec {
            steps: 500,
            learning_rate: 0.1,
            weight_decay: 0.0,
            ..RecurrentSpec::default()
        };
        let mut adam = Adam::new(&spec, 2);
        let mut weights = [5.0, -3.0];
        for _ in 0..500 {
            let gradient = [2.0 * (weights[0] - 1.0), 200.0 * (weights[1] - 2.0)];
            adam.step(&mut weights, &gradient);
        }
        assert!(
            (weights[0] - 1.0).abs() < 1e-2 && (weights[1] - 2.0).abs() < 1e-2,
            "{weights:?}"
        );
    }

    #[test]
    fn gradients_that_are_no_numbers_move_nothing() {
        let mut adam = Adam::new(&RecurrentSpec::default(), 2);
        let mut weights = [5.0, -3.0];
        adam.step(&mut weights, &[f32::NAN, 1.0]);
        adam.step(&mut weights, &[f32::INFINITY, 1.0]);
        assert_eq!(weights, [5.0, -3.0]);
    }
}
