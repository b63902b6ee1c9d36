//! How a fitted model is followed from sample to sample.

use std::collections::VecDeque;

use fleetcast_forecast::{Predict, Update};
use serde::{Deserialize, Serialize};

/// A forecast of the next step, and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextStep {
    /// The value that is expected.
    pub expected: f64,
    /// The standard deviation that the model's own 80 % interval stands for; 0 if it is not known.
    pub spread: f64,
}

/// A fitted model, one step at a time.
pub trait Follow: Sized {
    /// The fitted model.
    type Fitted: Predict;

    /// Starts at the first step after the history; `horizon` steps follow before the next fit.
    fn start(fitted: Self::Fitted, horizon: usize) -> Self;

    /// The forecast of the next step.
    fn next(&self) -> Option<NextStep>;

    /// Takes what came at that step.
    fn take(&mut self, value: Option<f64>);
}

/// The forecasts of all steps up to the next fit, made at once: for models that cannot take in
/// single samples, and cheaper than those that can.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk<P> {
    steps: VecDeque<NextStep>,
    #[serde(skip)]
    model: std::marker::PhantomData<P>,
}

/// A model that takes in each sample and forecasts one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stepwise<P>(P);

/// The ends of the 80 % interval, and its width in standard deviations of the normal distribution.
const LEVELS: [f64; 2] = [0.1, 0.9];
const WIDTH: f64 = 2.563_103_131_089_201;

impl<P: Predict> Follow for Chunk<P> {
    type Fitted = P;

    fn start(fitted: P, horizon: usize) -> Self {
        let expected = fitted.predict(horizon).steps;
        let quantiles = fitted.quantiles(horizon, &LEVELS);
        let step = |(step, expected): (usize, f64)| NextStep {
            expected,
            spread: match quantiles.step(step) {
                [low, high] => (high - low) / WIDTH,
                _ => 0.0,
            },
        };
        Self {
            steps: expected.into_iter().enumerate().map(step).collect(),
            model: std::marker::PhantomData,
        }
    }

    fn next(&self) -> Option<NextStep> {
        self.steps.front().copied()
    }

    fn take(&mut self, _: Option<f64>) {
        self.steps.pop_front();
    }
}

impl<P: Update> Follow for Stepwise<P> {
    type Fitted = P;

    fn start(fitted: P, _: usize) -> Self {
        Self(fitted)
    }

    /// The spread is not asked for: drawing paths at each sample would cost more than all else.
    fn next(&self) -> Option<NextStep> {
        let expected = *self.0.predict(1).steps.first()?;
        Some(NextStep {
            expected,
            spread: 0.0,
        })
    }

    fn take(&mut self, value: Option<f64>) {
        self.0.update(value);
    }
}
