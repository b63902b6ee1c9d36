//! Events that are alike: what the next one may be expected to do.

use serde::{Deserialize, Serialize};

use super::Statement;
use super::course::Course;
use crate::normal::normal_quantile;

/// Occurrences that are kept: a season of weekly events.
const OCCURRENCES_MAX: usize = 26;
/// Each occurrence counts so much less than the next one after it: campaigns wear out.
const FADING: f64 = 0.93;
/// An occurrence of another name counts so much beside one of the same name.
const OTHER_NAME: f64 = 0.4;
/// Before two occurrences show how far they differ, alike events are taken to differ by a quarter.
const SCATTER_PRIOR: f64 = 0.25;
/// That belief counts as so many occurrences.
const SCATTER_PRIOR_WEIGHT: f64 = 2.0;
/// The relative standard deviation of an author who claims to be certain, as for personas.
const SPREAD_CERTAIN: f64 = 0.05;
/// Where nothing is stated and nothing was learned, an event may do anything: a factor of three either way.
const SPREAD_UNKNOWN: f64 = 1.1;

/// What an event multiplies demand by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uplift {
    /// The factor that is expected.
    pub factor: f64,
    /// The standard deviation of its logarithm.
    pub deviation: f64,
}

impl Uplift {
    /// No event.
    pub const NONE: Self = Self {
        factor: 1.0,
        deviation: 0.0,
    };

    /// A quantile under an uplift that is not sure, given the median beside it: on the logarithm, the deviation adds
    /// to the distance from the median.
    pub(crate) fn lift(self, level: f64, value: f64, median: f64) -> f64 {
        if self.deviation <= 0.0 || median <= 0.0 {
            return value * self.factor;
        }
        let own = libm::log((value / median).max(1e-9));
        let added = normal_quantile(level) * self.deviation;
        let spread = libm::hypot(own, added).copysign(level - 0.5);
        median * self.factor * libm::exp(spread)
    }

    /// Two events at a time.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            factor: self.factor * other.factor,
            deviation: libm::hypot(self.deviation, other.deviation),
        }
    }
}

/// An event that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// What it was called.
    pub name: String,
    /// The logarithm of what it multiplied demand by, over its whole length.
    pub log_uplift: f64,
    /// The logarithm of what it had been said to.
    pub log_stated: Option<f64>,
    /// Its course.
    pub course: Course,
}

/// A stated uplift as a distribution of its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stated {
    log_factor: Option<f64>,
    variance: f64,
}

impl Stated {
    pub(super) fn new(statement: Statement) -> Self {
        let confidence = statement.confidence.clamp(0.0, 1.0);
        let spread = libm::exp(confidence * libm::log(SPREAD_CERTAIN));
        Self {
            log_factor: statement
                .factor
                .map(|factor| libm::log(factor.clamp(0.02, 50.0))),
            variance: libm::log1p(spread * spread),
        }
    }

    /// What is known without experience.
    pub(super) fn uplift(&self) -> Uplift {
        match self.log_factor {
            Some(log) => Uplift {
                factor: libm::exp(log),
                deviation: self.variance.sqrt(),
            },
            // Nothing is known, and nothing is bought for it but what the lead tier leaves in doubt around its start and end.
            None => Uplift::NONE,
        }
    }
}

/// What alike events did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    occurrences: Vec<Occurrence>,
}

impl Group {
    pub(super) fn keep(&mut self, occurrence: Occurrence) {
        if self.occurrences.len() == OCCURRENCES_MAX {
            self.occurrences.remove(0);
        }
        self.occurrences.push(occurrence);
    }

    pub(super) fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// The occurrences and what each counts for an event of this name.
    fn weighted(&self, name: &str) -> impl Iterator<Item = (f64, &Occurrence)> {
        let newest_first = self.occurrences.iter().rev().enumerate();
        newest_first.map(move |(age, occurrence)| {
            let alike = if occurrence.name == name {
                1.0
            } else {
                OTHER_NAME
            };
            (alike * libm::pow(FADING, age as f64), occurrence)
        })
    }

    /// What the next event of this name may be expected to do: two estimates, of its uplift itself and of
    /// how wrong its statement is, weighted by their precision.
    pub(super) fn uplift(&self, name: &str, stated: &Stated) -> Uplift {
        let unstated = Belief {
            mean: 0.0,
            variance: SPREAD_UNKNOWN * SPREAD_UNKNOWN,
        };
        let seen = unstated.learn(
            self.weighted(name)
                .map(|(weight, occurrence)| (weight, occurrence.log_uplift)),
        );
        let Some(log_stated) = stated.log_factor else {
            return seen.uplift();
        };
        let corrected = Belief {
            mean: 0.0,
            variance: stated.variance,
        }
        .learn(self.weighted(name).filter_map(|(weight, occurrence)| {
            Some((weight, occurrence.log_uplift - occurrence.log_stated?))
        }));
        let corrected = Belief {
            mean: log_stated + corrected.mean,
            ..corrected
        };
        if self.occurrences.is_empty() {
            return corrected.uplift();
        }
        let precision = 1.0 / seen.variance + 1.0 / corrected.variance;
        Belief {
            mean: (seen.mean / seen.variance + corrected.mean / corrected.variance) / precision,
            // Both rest on the same occurrences: together they are no surer than the surer one.
            variance: seen.variance.min(corrected.variance),
        }
        .uplift()
    }

    /// The mean course, shrunk towards the flat one as if that had been seen once.
    pub(super) fn course(&self, name: &str) -> Course {
        let total: f64 = 1.0 + self.weighted(name).map(|(weight, _)| weight).sum::<f64>();
        let mut course = Course::FLAT;
        for (weight, occurrence) in self.weighted(name) {
            course.add(weight / total, &occurrence.course);
        }
        course
    }
}

/// A normal distribution of a logarithm.
#[derive(Clone, Copy, Debug)]
struct Belief {
    mean: f64,
    variance: f64,
}

impl Belief {
    /// What to expect of the next value after weighted ones: the mean by precision, and how far values
    /// scatter plus how unsure the mean is (a normal mean of unknown scatter, with the moments plugged in).
    fn learn(self, values: impl Iterator<Item = (f64, f64)>) -> Self {
        let values: Vec<(f64, f64)> = values.collect();
        let weight: f64 = values.iter().map(|(weight, _)| weight).sum();
        if weight <= 0.0 {
            return self;
        }
        let mean = values
            .iter()
            .map(|(weight, value)| weight * value)
            .sum::<f64>()
            / weight;
        let squares: f64 = values
            .iter()
            .map(|(weight, value)| weight * (value - mean) * (value - mean))
            .sum();
        let scatter = (SCATTER_PRIOR_WEIGHT * SCATTER_PRIOR * SCATTER_PRIOR + squares)
            / (SCATTER_PRIOR_WEIGHT + weight);
        // The prior's own scatter is in its variance: what is unsure of its mean is the rest, and never nothing.
        let precision = 1.0 / self.variance.max(1e-4) + weight / scatter;
        Self {
            mean: (self.mean / self.variance.max(1e-4) + weight * mean / scatter) / precision,
            variance: scatter.min(self.variance) + 1.0 / precision,
        }
    }

    fn uplift(self) -> Uplift {
        Uplift {
            factor: libm::exp(self.mean),
            deviation: self.variance.sqrt(),
        }
    }
}
