//! From numbers about one sample to a verdict.

use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::runs::{Absent, Dead};
use crate::shift::Shift;
use crate::{Kind, Response, Settings, Verdict};

/// What a detector found out about a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// How rare it is.
    pub rarity: f64,
    /// How far it is from what was expected, in usual residuals; not negative.
    pub distance: f64,
    /// The same with the sign.
    pub signed: f64,
    pub expected: Option<f64>,
}

/// What all detectors share: the budget, the episodes, and the names of what is seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judge {
    gate: Gate,
    shift: Shift,
    dead: Dead,
    absent: Absent,
    /// Distances of the last samples, smoothed.
    state: f64,
    /// The alarm that lasts.
    episode: Option<Kind>,
}

/// The state is a mean over about three samples: what is between two abnormal ones is abnormal too.
const SMOOTHING: f64 = 0.5;
/// An alarm lasts as long as the state is over so many usual residuals.
const LASTS: f64 = 3.0;
/// Samples nearer than this are where they belong: if they are rare all the same, it is their course.
const BELONGS: f64 = 2.0;
/// Less than this share of what was expected is next to nothing.
const NOTHING: f64 = 0.1;
/// The state that is half of the way to 1 has this logarithm: about six usual residuals.
const STATE_HALF: f64 = 2.0;

impl Judge {
    pub fn new(settings: &Settings) -> Self {
        Self {
            gate: Gate::new(settings),
            shift: Shift::new(settings),
            dead: Dead::default(),
            absent: Absent::default(),
            state: 0.0,
            episode: None,
        }
    }

    /// Judges a sample.
    pub fn judge(&mut self, value: f64, evidence: Evidence) -> Verdict {
        self.absent.observe(false);
        let dead = self.dead.observe(value);
        let shift = self.shift.observe(evidence.signed);
        self.state += SMOOTHING * (evidence.distance - self.state);
        let mut rarity = evidence.rarity;
        if dead {
            // Longer than three times the longest so far: rare enough, if not by a number.
            rarity = rarity.max(self.gate.threshold());
        }
        let alarm = self.gate.observe(rarity);
        let abnormal = alarm || dead || self.episode.is_some() && self.state > LASTS;
        self.episode = abnormal.then(|| {
            let now = kind(value, dead, shift, &evidence);
            // Within an episode, values that are back for a moment change nothing.
            match self.episode {
                Some(kind) if now == Kind::Pattern => kind,
                _ => now,
            }
        });
        self.verdict(rarity, alarm, &evidence)
    }

    /// Judges a sample that is missing.
    pub fn judge_missing(&mut self, expected: Option<f64>) -> Verdict {
        let absent = self.absent.observe(true);
        let rarity = if absent { self.gate.threshold() } else { 0.0 };
        let alarm = self.gate.observe(rarity);
        self.episode = if absent {
            Some(Kind::Missing)
        } else {
            self.episode
        };
        let evidence = Evidence {
            expected,
            ..Evidence::default()
        };
        self.verdict(rarity, alarm, &evidence)
    }

    fn verdict(&self, rarity: f64, alarm: bool, evidence: &Evidence) -> Verdict {
        let threshold = self.gate.threshold();
        let logarithm = libm::log1p(self.state);
        let state = logarithm / (logarithm + STATE_HALF);
        let onset = if alarm {
            let excess = rarity - threshold;
            Verdict::ALARM + (1.0 - Verdict::ALARM) * excess / (1.0 + excess)
        } else if self.gate.is_quiet() {
            0.0
        } else {
            Verdict::ALARM * (rarity / threshold).min(BELOW_ALARM)
        };
        Verdict {
            score: if alarm { onset } else { Verdict::ALARM * state },
            onset,
            state,
            rarity,
            threshold,
            kind: self.episode,
            expected: evidence.expected,
            response: Response::to(self.episode, evidence.signed > 0.0),
        }
    }
}

/// What is no alarm stays under that score.
const BELOW_ALARM: f64 = 0.999;

fn kind(value: f64, dead: bool, shift: Option<bool>, evidence: &Evidence) -> Kind {
    let nothing = evidence
        .expected
        .is_some_and(|expected| expected > 0.0 && value >= 0.0 && value < NOTHING * expected);
    if nothing && (dead || evidence.signed < -BELONGS) {
        Kind::Outage
    } else if dead {
        Kind::Dead
    } else if shift.is_some_and(|above| above == (evidence.signed > 0.0)) {
        Kind::LevelShift
    } else if evidence.distance < BELONGS {
        Kind::Pattern
    } else if evidence.signed > 0.0 {
        Kind::Spike
    } else {
        Kind::Dip
    }
}
