//! The highest quarter of an hour of each day: what a fleet must carry on it.

use serde::{Deserialize, Serialize};

use super::grid::Tier;
use crate::SamplePaths;
use crate::rng::Rng;

/// Days of a week with at least so many past days are drawn from alone.
const SAME_DAYS_MIN: usize = 3;

/// Keeps the draws of peaks apart from those of the paths themselves.
const STREAM: u64 = 0x7065_616B;

/// Past days' highest step over their mean, by how many days ago modulo 7.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Peaks {
    ratios: [Vec<f64>; 7],
}

impl Peaks {
    /// Learns from values at the medium horizon's steps, ending where the history ends.
    pub(super) fn learn(values: &[Option<f64>], a_day: usize) -> Self {
        let mut ratios: [Vec<f64>; 7] = Default::default();
        for (days_ago, day) in values.rchunks_exact(a_day).enumerate() {
            let seen = day.iter().flatten().count();
            let mean = day.iter().flatten().sum::<f64>() / seen.max(1) as f64;
            let highest = day.iter().flatten().copied().fold(0.0, f64::max);
            if 2 * seen >= a_day && mean > 0.0 {
                ratios[days_ago % 7].push(highest / mean);
            }
        }
        Self { ratios }
    }

    /// Peaks of the days of `long`, all in the same unit per step: read off `medium` as far as that
    /// goes, then each day's mean times a past ratio of the same day of the week.
    pub(super) fn draw(
        &self,
        long: &SamplePaths,
        medium: &SamplePaths,
        tier: Tier,
        seed: u64,
    ) -> SamplePaths {
        let all: Vec<f64> = self.ratios.iter().flatten().copied().collect();
        let paths: Vec<Vec<f64>> = long
            .iter()
            .zip(medium.iter())
            .enumerate()
            .map(|(place, (days, quarters))| {
                let mut rng = Rng::new(seed ^ STREAM, place as u64);
                let mut read = quarters
                    .chunks_exact(tier.a_day)
                    .map(|day| day.iter().copied().fold(0.0, f64::max));
                let peak = |(day, &mean): (usize, &f64)| {
                    read.next().unwrap_or_else(|| {
                        // Day 0 is the weekday of six days before the last one.
                        let same = &self.ratios[6 - day % 7];
                        let pool = if same.len() >= SAME_DAYS_MIN {
                            same
                        } else {
                            &all
                        };
                        if pool.is_empty() {
                            mean
                        } else {
                            mean * pool[rng.below(pool.len())]
                        }
                    })
                };
                days.iter().enumerate().map(peak).collect()
            })
            .collect();
        SamplePaths::from_paths(&paths)
    }
}
