//! The course of an event: how its effect rises, lasts and fades.

use serde::{Deserialize, Serialize};

use super::group::{Occurrence, Uplift};

/// Parts of an event, and of its aftermath, that have their own effect: a two-hour match is told apart by
/// ten minutes, a two-day sale by four hours.
const PARTS: usize = 12;

/// Steps with less of the usual demand than this share of an even split say nothing of their part.
const SHARE_LEAST: f64 = 0.1;

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

    /// The uplift at a place of the event whose uplift as a whole is given.
    pub(super) fn apply(&self, whole: Uplift, place: Place) -> Uplift {
        match place {
            Place::During(share) => Uplift {
                factor: whole.factor * libm::exp(between(&self.during, share)),
                ..whole
            },
            // What is little is little in doubt.
            Place::Before(share) => Uplift::surely(libm::exp(between(&self.before, share))),
            Place::After(share) => Uplift::surely(libm::exp(between(&self.after, share))),
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

    /// By how much the event has lifted demand so far beside what this course would, as a logarithm, and what share
    /// of the event that is. `None` before it began.
    pub(super) fn so_far(&self, course: &Course) -> Option<(f64, f64)> {
        let seen = self.during.iter().zip(&course.during);
        let (came, usual) = seen.fold((0.0, 0.0), |sums, (part, log)| {
            (sums.0 + part.came, sums.1 + part.usual * libm::exp(*log))
        });
        let begun = self.during.iter().filter(|part| part.usual > 0.0).count();
        (usual > 0.0).then(|| {
            let sums = Sums { came, usual };
            (sums.log_ratio(), begun as f64 / PARTS as f64)
        })
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
