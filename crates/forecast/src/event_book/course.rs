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
    /// It is on.
    During(f64),
    /// It was on.
    After(f64),
}

/// The logarithm of what each part adds to the whole event's uplift, and of what is left in each part of
/// its aftermath.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Relative to the whole event.
    pub during: [f64; PARTS],
    /// Relative to the usual.
    pub after: [f64; PARTS],
}

impl Course {
    /// The same effect from start to end, and none after.
    pub const FLAT: Self = Self {
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
            Place::After(share) => {
                let log = between(&self.after, share);
                // Doubt fades with the effect.
                let left = (log.abs() / libm::log(whole.factor).abs().max(1e-9)).min(1.0);
                Uplift {
                    factor: libm::exp(log),
                    deviation: whole.deviation * left,
                }
            }
        }
    }

    /// Adds a share of another course.
    pub(super) fn add(&mut self, share: f64, other: &Self) {
        let sums = self.during.iter_mut().chain(&mut self.after);
        for (sum, value) in sums.zip(other.during.iter().chain(&other.after)) {
            *sum += share * value;
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
            Place::During(share) => &mut self.during[part(share)],
            Place::After(share) => &mut self.after[part(share)],
        };
        sums.came += came;
        sums.usual += usual;
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
