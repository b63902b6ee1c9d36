//! The detector that is used where none is asked for.

use serde::{Deserialize, Serialize};

use crate::baselines::{BASELINES, Baselines};
use crate::judge::{Evidence, Judge};
use crate::novelty::{LENGTHS, Novelty};
use crate::{Settings, Tail, Verdict};

/// Baselines and novelty, each through its own tail, the rarest of which counts. See the crate's
/// documentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefaultDetector {
    baselines: Baselines,
    novelty: Novelty,
    tails: [Tail; BASELINES + LENGTHS.len()],
    judge: Judge,
    expected: Option<f64>,
}

impl DefaultDetector {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            baselines: Baselines::new(settings),
            novelty: Novelty::new(),
            tails: Default::default(),
            judge: Judge::new(settings),
            expected: None,
        }
    }

    pub(crate) fn observe(&mut self, at: i64, value: Option<f64>) -> Verdict {
        let Some(value) = value else {
            return self.judge.judge_missing(self.expected);
        };
        let distance = self.baselines.observe(at, value);
        let novelty = self.novelty.observe(value);
        let scores = distance
            .scores
            .map_or([None; BASELINES], |scores| scores.map(Some));
        let numbers = scores.into_iter().chain(novelty);
        let rarity = self
            .tails
            .iter_mut()
            .zip(numbers)
            .filter_map(|(tail, number)| Some(tail.observe(number?)))
            .fold(0.0, f64::max);
        self.expected = Some(distance.expected);
        self.judge.judge(
            value,
            Evidence {
                rarity,
                distance: distance.weighted,
                signed: distance.signed,
                expected: self.expected,
            },
        )
    }
}
