//! Training: a counted number of steps, each on a few moments drawn from all series.

use burn_tensor::Device;

use crate::judge::{Judge, Verdict};
use crate::network::Layout;
use crate::optimizer::Adam;
use crate::series::Series;
use crate::spec::RecurrentSpec;
use crate::window::Batch;
use fleetcast_forecast::Rng;

/// Least steps of a series after a moment that it can be trained on.
const AHEAD_MIN: usize = 4;

/// How often training stops to see whether it has got better on what it does not learn from.
const CHECKS: usize = 10;

/// What training gives.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    pub(crate) weights: Vec<f32>,
    pub(crate) verdict: Verdict,
}

/// Trains twice on series of which at least one has moments to train on: first without what is held out, to
/// learn from it how many steps do good and how far to trust them; then as many steps on all there is, as the
/// latest weeks teach most.
pub(crate) fn train(spec: &RecurrentSpec, series: &[Series], device: &Device) -> Learned {
    let judge = Judge::new(spec, series);
    let layout = Layout::new(spec);
    let mut verdict = judge.judge(&layout, &layout.first_weights(spec.seed));
    let mut enough = 0;
    let every = spec.steps.div_ceil(CHECKS).max(1);
    let ends = series
        .iter()
        .map(|series| held_from(spec, series))
        .collect();
    let mut trial = Course::new(spec, series, ends, device);
    for step in 1..=spec.steps {
        trial.step();
        if step.is_multiple_of(every) || step == spec.steps {
            let next = judge.judge(&layout, &trial.weights);
            if next.loss < verdict.loss {
                (verdict, enough) = (next, step);
            }
        }
    }
    let ends = series.iter().map(Series::len).collect();
    let mut course = Course::new(spec, series, ends, device);
    (0..enough).for_each(|_| course.step());
    Learned {
        weights: course.weights,
        verdict,
    }
}

/// One training from first weights on.
struct Course<'a> {
    spec: &'a RecurrentSpec,
    series: &'a [Series],
    moments: Moments,
    layout: Layout,
    weights: Vec<f32>,
    adam: Adam,
    rng: Rng,
    device: Device,
}

impl<'a> Course<'a> {
    /// A training on each series up to its end.
    fn new(
        spec: &'a RecurrentSpec,
        series: &'a [Series],
        ends: Vec<usize>,
        device: &Device,
    ) -> Self {
        let layout = Layout::new(spec);
        Self {
            spec,
            series,
            moments: Moments::new(series, ends),
            weights: layout.first_weights(spec.seed),
            adam: Adam::new(spec, layout.len()),
            rng: Rng::new(spec.seed, u64::MAX),
            device: device.clone().autodiff(),
            layout,
        }
    }

    fn step(&mut self) {
        let batch = self.moments.draw(self.spec, self.series, &mut self.rng);
        let (flat, network) = self.layout.load(&self.weights, &self.device, true);
        let gradients = network.loss(&batch, &self.device).backward();
        if let Some(gradient) = flat.grad(&gradients) {
            self.adam.step(&mut self.weights, &numbers(gradient));
        }
    }
}

/// The numbers of a tensor.
pub(crate) fn numbers<const D: usize>(tensor: burn_tensor::Tensor<D>) -> Vec<f32> {
    tensor
        .try_into_vec_as::<f32>()
        .expect("tensors of the network hold 32-bit floats")
}

/// Whether there is a moment to train on.
pub(crate) fn can_train(spec: &RecurrentSpec, series: &Series) -> bool {
    moments(series, held_from(spec, series)) > 0
}

/// The first step of a series that is held out: the last eighth of it, or two chunks where an eighth is
/// shorter, but never more than a quarter.
pub(crate) fn held_from(spec: &RecurrentSpec, series: &Series) -> usize {
    let steps = series.len();
    steps - (steps / 8).max((2 * spec.chunk).min(steps / 4))
}

/// How many moments of a series can be trained on if only what comes before `end` is known.
fn moments(series: &Series, end: usize) -> usize {
    (end + 1).saturating_sub(AHEAD_MIN + series.warm_up().max(1))
}

/// All moments of all series.
struct Moments {
    /// What is known of each series.
    ends: Vec<usize>,
    /// How many there are up to and with each series.
    until: Vec<usize>,
}

impl Moments {
    fn new(series: &[Series], ends: Vec<usize>) -> Self {
        let mut sum = 0;
        let mut add = |(series, end): (&Series, &usize)| {
            sum += moments(series, *end);
            sum
        };
        Self {
            until: series.iter().zip(&ends).map(&mut add).collect(),
            ends,
        }
    }

    /// Draws moments, each as likely.
    fn draw(&self, spec: &RecurrentSpec, series: &[Series], rng: &mut Rng) -> Batch {
        let mut batch = Batch::new(spec, spec.chunk);
        let all = self.until.last().copied().unwrap_or(0);
        for _ in 0..spec.batch {
            let place = rng.below(all.max(1));
            let which = self.until.partition_point(|&until| until <= place);
            let before = if which == 0 { 0 } else { self.until[which - 1] };
            let now = series[which].warm_up().max(1) + place - before;
            batch.add(spec, &series[which], now, self.ends[which]);
        }
        batch
    }
}
