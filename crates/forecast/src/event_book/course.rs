//! The course of an event: how its effect rises, lasts and fades.

use serde::{Deserialize, Serialize};

use super::group::Occurrence;

/// Parts of an event, and of its aftermath, that have their own effect: a two-hour match is told apart by
/// ten minutes, a two-day sale by four hours.
const PARTS: usize = 12;

/// Steps with less of the usual demand than this share of an even split say nothing of their part.
const SHARE_LEAST: f64 = 0.1;

/// How far one part strays from what the event as a whole would make of it, as a variance of its logarithm: 17 %.
const PART_VARIANCE: f64 = 0.03;

/// A part's effect is kept within this factor of the usual: beyond it is an error, not an effect.
const FACTOR_MAX: f64 = 50.0;

/// How far an event has come, as a share of its length, or its aftermath.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// It is about to begin.
    Before(f64),
    /// It is on.
    During(f64),
    /// It was on.
    After(f64),
}

/// The logarithm of what each part adds to the whole event's uplift, and of what demand is lifted by in each
/// part of the time before it and of its aftermath.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Relative to the usual.
    pub before: [f64; PARTS],
    /// Relative to the whole event.
    pub during: [f64; PARTS],
    /// Relative to the usual.
    pub after: [f64; PARTS],
}

impl Course {
    /// The same effect from start to end, and none before and after.
    pub const FLAT: Self = Self {
        before: [0.0; PARTS],
        during: [0.0; PARTS],
        after: [0.0; PARTS],
    };

    /// The logarithm of what an event whose uplift as a whole is given multiplies demand by at a place.
    pub(super) fn log_effect(&self, log_whole: f64, place: Place) -> f64 {
        match place {
            Place::Before(share) => between(&self.before, share),
            Place::During(share) => log_whole + between(&self.during, share),
            Place::After(share) => between(&self.after, share),
        }
    }

    /// Adds a share of another course.
    pub(super) fn add(&mut self, share: f64, other: &Self) {
        let ours = [&mut self.before, &mut self.during, &mut self.after];
        for (sums, values) in ours
            .into_iter()
            .zip([&other.before, &other.during, &other.after])
        {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += share * value;
            }
        }
    }
}

/// Straight lines between the middles of the parts.
fn between(parts: &[f64; PARTS], share: f64) -> f64 {
    let place = (share * PARTS as f64 - 0.5).clamp(0.0, (PARTS - 1) as f64);
    let below = (place as usize).min(PARTS - 2);
    parts[below] + (parts[below + 1] - parts[below]) * (place - below as f64)
}

/// Sums of what came and of what was usual, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    before: [Sums; PARTS],
    during: [Sums; PARTS],
    after: [Sums; PARTS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    came: f64,
    usual: f64,
}

impl Tally {
    /// Takes in a step.
    pub(super) fn add(&mut self, place: Place, came: f64, usual: f64) {
        let part = |share: f64| ((share * PARTS as f64) as usize).min(PARTS - 1);
        let sums = match place {
            Place::Before(share) => &mut self.before[part(share)],
            Place::During(share) => &mut self.during[part(share)],
            Place::After(share) => &mut self.after[part(share)],
        };
        sums.came += came;
        sums.usual += usual;
    }

    /// How strong the event has been so far beside what was expected of it: the amplitude that fits best to the parts
    /// seen, and how sure that makes it (its precision). `expected` gives the logarithm expected of a place.
    pub(super) fn amplitude(&self, expected: impl Fn(Place) -> f64) -> (f64, f64) {
        let (mut together, mut precision) = (0.0, 0.0);
        let middle = |part: usize| (part as f64 + 0.5) / PARTS as f64;
        for (parts, place) in [
            (&self.before, Place::Before as fn(f64) -> Place),
            (&self.during, Place::During),
            (&self.after, Place::After),
        ] {
            for (part, sums) in parts.iter().enumerate() {
                if sums.usual > 0.0 {
                    let log = expected(place(middle(part)));
                    together += log * sums.log_ratio() / PART_VARIANCE;
                    precision += log * log / PART_VARIANCE;
                }
            }
        }
        if precision > 0.0 {
            (together / precision, precision)
        } else {
            (1.0, 0.0)
        }
    }

    /// What the event did. `None` if there was nothing to compare.
    pub(super) fn occurrence(&self, name: &str, stated: Option<f64>) -> Option<Occurrence> {
        let total = |parts: &[Sums; PARTS]| Sums {
            came: parts.iter().map(|part| part.came).sum(),
            usual: parts.iter().map(|part| part.usual).sum(),
        };
        let whole = total(&self.during);
        if !(whole.usual > 0.0 && whole.came.is_finite()) {
            return None;
        }
        let log_uplift = whole.log_ratio();
        let even = whole.usual / PARTS as f64;
        let logs = |parts: &[Sums; PARTS], base: f64| {
            parts.map(|part| {
                if part.usual > SHARE_LEAST * even {
                    part.log_ratio() - base
                } else {
                    0.0
                }
            })
        };
        Some(Occurrence {
            name: name.to_string(),
            log_uplift,
            log_stated: stated.map(|factor| libm::log(factor.clamp(1.0 / FACTOR_MAX, FACTOR_MAX))),
            course: Course {
                before: logs(&self.before, 0.0),
                during: logs(&self.during, log_uplift),
                after: logs(&self.after, 0.0),
            },
        })
    }
}

impl Sums {
    fn log_ratio(self) -> f64 {
        libm::log((self.came / self.usual).clamp(1.0 / FACTOR_MAX, FACTOR_MAX))
    }
}
