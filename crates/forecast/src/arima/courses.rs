//! Equally likely courses of a process, by drawing its past innovations again.

use serde::{Deserialize, Serialize};

use super::filter::take;
use super::process::ArimaProcess;
use crate::rng::Rng;

/// Innovations that the usual size at a time of day is drawn towards the size over all with: as much
/// as ten at that time say.
const SHRINKAGE: f64 = 10.0;

/// Past innovations, without what is usual for their time of day.
///
/// Drawn instead of normal numbers, because innovations of demand have heavy tails, are larger by
/// day than by night, and large ones come in runs. So the size of each time of day is taken out and
/// put back, and in between, runs of a day are drawn that may start at any time (moving blocks:
/// Künsch 1989): whole days as they were would be few to draw from, and make poor upper quantiles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Innovations {
    /// With a mean square of 1.
    shapes: Vec<f64>,
    /// The size at each time of day, the first being that of the first step after the history.
    sizes: Vec<f64>,
}

impl Innovations {
    /// Takes innovations up to the end of the history, which are given this variance, and the steps
    /// in a day.
    pub(super) fn new(errors: &[Option<f64>], day: usize, variance: f64) -> Self {
        let day = day.clamp(1, errors.len().max(1));
        let place = |step: usize| (step + day - errors.len() % day) % day;
        let mean = |squares: (f64, f64)| squares.0 / f64::max(squares.1, 1.0);
        let seen = || {
            let numbered = errors.iter().enumerate();
            numbered.filter_map(|(step, error)| error.map(|error| (place(step), error)))
        };
        let over_all = mean(seen().fold((0.0, 0.0), |sum, (_, error)| {
            (sum.0 + error * error, sum.1 + 1.0)
        }));
        if over_all <= 0.0 {
            return Self::default();
        }
        let mut squares = vec![(SHRINKAGE * over_all, SHRINKAGE); day];
        for (place, error) in seen() {
            squares[place].0 += error * error;
            squares[place].1 += 1.0;
        }
        let sizes: Vec<f64> = squares
            .into_iter()
            .map(|squares| (mean(squares) / over_all * variance).sqrt())
            .collect();
        let mut shapes: Vec<f64> = seen().map(|(place, error)| error / sizes[place]).collect();
        let count = shapes.len() as f64;
        let size = (shapes.iter().map(|shape| shape * shape).sum::<f64>() / count).sqrt();
        if size.is_normal() {
            shapes.iter_mut().for_each(|shape| *shape /= size);
        } else {
            return Self::default();
        }
        Self { shapes, sizes }
    }

    /// Fills the steps that begin `late` steps after the history with drawn innovations.
    fn draw(&self, rng: &mut Rng, late: usize, steps: &mut [f64]) {
        let (count, day) = (self.shapes.len(), self.sizes.len());
        if count == 0 {
            steps.fill(0.0);
            return;
        }
        for (run, steps) in steps.chunks_mut(day).enumerate() {
            let start = rng.below(count);
            for (at, step) in steps.iter_mut().enumerate() {
                *step =
                    self.shapes[(start + at) % count] * self.sizes[(late + run * day + at) % day];
            }
        }
    }
}

/// What courses of the next steps are drawn from.
///
/// While the filter is not at rest (after gaps), an innovation stands for more than itself: it is drawn
/// as wide as the filter expects it, and told to the state by its gain, which gives the joint
/// distribution of the steps.
pub(crate) struct Courses<'a> {
    process: &'a ArimaProcess,
    /// The deviation of the innovation, and what it tells, until the filter is at rest.
    gains: Vec<(f64, Vec<f64>)>,
    told: Vec<f64>,
}

impl<'a> Courses<'a> {
    /// Prepares to draw courses of this many steps.
    pub(super) fn new(process: &'a ArimaProcess, horizon: usize) -> Self {
        let mut unknown = process.unknown.clone();
        let mut gains = Vec::new();
        while !unknown.at_rest() && gains.len() < horizon {
            let deviation = unknown.variance().sqrt();
            unknown.observe(&process.shape);
            gains.push((deviation, unknown.gain().to_vec()));
        }
        Self {
            process,
            gains,
            told: (0..horizon).map(|step| process.told_in_all(step)).collect(),
        }
    }

    /// Fills the steps of one course.
    pub(crate) fn draw(&self, rng: &mut Rng, steps: &mut [f64]) {
        let process = self.process;
        let mut errors = vec![0.0; steps.len()];
        process.innovations.draw(rng, process.late, &mut errors);
        let mut ahead = process.ahead(steps.len());
        for (step, (value, error)) in steps.iter_mut().zip(errors).enumerate() {
            let ahead = &mut ahead[step..];
            if let Some((deviation, gain)) = self.gains.get(step) {
                let error = deviation * error;
                *value = ahead[0] + error;
                take(&process.shape, gain, ahead, *value, error);
            } else {
                *value = ahead[0] + error;
                process.shape.see(ahead, *value);
            }
            *value += self.told[step];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_stay_quiet_and_the_variance_is_kept() {
        // Days of four steps, the last two ten times as noisy; the history ends after the second.
        let errors: Vec<Option<f64>> = (0..402)
            .map(|step| {
                let sign = if step * 7 % 11 < 5 { 1.0 } else { -1.0 };
                Some(sign * if step % 4 < 2 { 1.0 } else { 10.0 })
            })
            .collect();
        let innovations = Innovations::new(&errors, 4, 50.5);
        let mut squares = [0.0; 4];
        for path in 0..2000 {
            let mut steps = [0.0; 4];
            innovations.draw(&mut Rng::new(1, path), 0, &mut steps);
            for (sum, step) in squares.iter_mut().zip(steps) {
                *sum += step * step / 2000.0;
            }
        }
        assert!(squares[0] > 80.0 && squares[1] > 80.0, "{squares:?}");
        assert!(squares[2] < 12.0 && squares[3] < 12.0, "{squares:?}");
        let mean = squares.iter().sum::<f64>() / 4.0;
        assert!((mean / 50.5 - 1.0).abs() < 0.1, "{squares:?}");
        let mut late = [0.0; 1];
        innovations.draw(&mut Rng::new(1, 3), 2, &mut late);
        assert!(late[0].abs() < 6.0, "{late:?}");
    }

    #[test]
    fn no_innovations_are_no_spread() {
        let mut steps = [1.0; 3];
        for errors in [vec![], vec![None, Some(0.0)]] {
            Innovations::new(&errors, 4, 1.0).draw(&mut Rng::new(1, 0), 0, &mut steps);
            assert_eq!(steps, [0.0; 3]);
        }
    }
}
