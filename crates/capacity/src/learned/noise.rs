//! How far samples lie from what is believed: a robust scale that knows how little it knows at first.

/// Squared residuals in a memory that fades, beside a prior.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noise {
    /// The prior's standard deviation, and the samples that it counts for.
    prior: (f64, f64),
    least: f64,
    squares: f64,
    count: f64,
}

/// A residual counts as at most so many standard deviations.
pub(super) const OUTLIER_DEVIATIONS: f64 = 2.5;
/// The mean square of a standard normal cut at ±2.5, by which cutting makes the scale too small.
const CUT_VARIANCE: f64 = 0.978;

impl Noise {
    /// Starts with a guess that counts for so many samples; the deviation is never under `least`.
    pub(super) fn new(guess: f64, counts_for: f64, least: f64) -> Self {
        Self {
            prior: (guess, counts_for),
            least,
            squares: 0.0,
            count: 0.0,
        }
    }

    /// Takes a squared residual that has already been cut, or scaled to what the noise alone explains.
    pub(super) fn learn(&mut self, squared: f64, weight: f64, keep: f64) {
        self.squares = self.squares * keep + weight * squared / CUT_VARIANCE;
        self.count = self.count * keep + weight;
    }

    /// The variance, the prior included.
    pub(super) fn variance(&self) -> f64 {
        let (guess, counts_for) = self.prior;
        let all = guess * guess * counts_for + self.squares;
        (all / (counts_for + self.count)).max(self.least * self.least)
    }

    /// The standard deviation that was measured, without the prior; 0 before anything was.
    pub(super) fn measured(&self) -> f64 {
        if self.count > 0.0 {
            libm::sqrt(self.squares / self.count)
        } else {
            0.0
        }
    }
}
