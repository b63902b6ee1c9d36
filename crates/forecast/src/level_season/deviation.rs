//! The present deviation from the usual, and how long deviations last.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::level::Level;
use super::profile::Profile;

/// What share of a deviation is taken for real.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// How the deviation from the usual is measured and how it fades; `now` is the present one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deviation {
    /// Steps it is averaged over.
    window: usize,
    /// The share of it taken for real.
    share: f64,
    /// What is left of it from step to step.
    fading: f64,
    now: f64,
}

/// Sums of the demand and of what one unit of level would have been, to average over any window.
struct Sums(Vec<[f64; 3]>);

impl Sums {
    fn new(values: &[Option<f64>], profile: &Profile, steps: Range<usize>) -> Self {
        let mut sums = Vec::with_capacity(steps.len() + 1);
        let mut sum = [0.0; 3];
        sums.push(sum);
        for at in steps {
            if let Some(value) = values[at] {
                let season = profile.season(at as i64 - values.len() as i64);
                let (value, unit) = if profile.is_multiplied() {
                    (value, season)
                } else {
                    (value - season, 1.0)
                };
                sum = [sum[0] + value, sum[1] + unit, sum[2] + 1.0];
            }
            sums.push(sum);
        }
        Self(sums)
    }

    /// The level without season over the steps `from..to`; `None` unless half was observed.
    fn level(&self, from: usize, to: usize) -> Option<f64> {
        let (above, below) = (self.0[to], self.0[from]);
        let unit = above[1] - below[1];
        let observed = 2.0 * (above[2] - below[2]) >= (to - from) as f64;
        // Well above what rounding leaves of a difference.
        (observed && unit > 1e-9 * above[1].abs()).then(|| (above[0] - below[0]) / unit)
    }
}

impl Deviation {
    /// Finds the window, share and fading that best foretold the next steps up to half a day in the
    /// past, seen from the mean of the day before.
    pub(super) fn learn(values: &[Option<f64>], day: usize, profile: &Profile) -> Self {
        let newest = values.len().saturating_sub(28 * day);
        let sums = Sums::new(values, profile, newest..values.len());
        let steps = values.len() - newest;
        let mut leads = [1, day / 24, day / 8, day / 4, day / 2]
            .map(|lead| lead.max(1))
            .to_vec();
        leads.dedup();
        let mut windows = [1, day / 24, day / 8].map(|window| window.max(1)).to_vec();
        windows.dedup();
        let stride = (day / 12).max(1);
        let mut best = (
            f64::INFINITY,
            Self {
                window: 1,
                share: 0.0,
                fading: 0.0,
                now: 0.0,
            },
        );
        for window in windows {
            // Of each lead: (deviation, what came after, how much one unit of level was worth).
            let mut seen = vec![Vec::new(); leads.len()];
            for origin in (day..steps).rev().step_by(stride) {
                let (Some(usual), Some(present)) = (
                    sums.level(origin - day, origin),
                    sums.level(origin - window, origin),
                ) else {
                    continue;
                };
                for (seen, lead) in seen.iter_mut().zip(&leads) {
                    let at = origin + lead - 1;
                    let Some(value) = values.get(newest + at).copied().flatten() else {
                        continue;
                    };
                    let ahead = at as i64 - steps as i64;
                    let unit = if profile.is_multiplied() {
                        profile.season(ahead)
                    } else {
                        1.0
                    };
                    seen.push((present - usual, value - profile.apply(usual, ahead), unit));
                }
            }
            for half_life in [
                day as f64 / 48.0,
                day as f64 / 12.0,
                day as f64 / 4.0,
                day as f64,
            ] {
                let fading = libm::exp2(-1.0 / half_life);
                for share in SHARES {
                    let error: f64 = seen
                        .iter()
                        .zip(&leads)
                        .map(|(seen, &lead)| {
                            let left = share * libm::exp2(-(lead as f64 - 1.0) / half_life);
                            seen.iter()
                                .map(|(was, came, unit)| (came - left * was * unit).abs())
                                .sum::<f64>()
                        })
                        .sum();
                    // Each more complicated answer must be better by more than rounding.
                    if error < best.0 * (1.0 - 1e-9) {
                        best = (
                            error,
                            Self {
                                window,
                                share,
                                fading,
                                now: 0.0,
                            },
                        );
                    }
                }
            }
        }
        best.1
    }

    /// The deviation from a level at the end of the first `origin` steps; what was last seen, faded.
    pub(super) fn at(
        &self,
        values: &[Option<f64>],
        origin: usize,
        profile: &Profile,
        level: &Level,
    ) -> Self {
        let day = profile.day_steps();
        let from = origin.saturating_sub(day + self.window);
        let sums = Sums::new(values, profile, from..origin);
        let found = (self.window..=origin - from).rev().find_map(|end| {
            let present = sums.level(end - self.window, end)?;
            Some((present - level.now(), origin - from - end))
        });
        let now = found.map_or(0.0, |(deviation, ago)| {
            self.share * deviation * libm::exp(ago as f64 * libm::log(self.fading.max(1e-300)))
        });
        Self { now, ..*self }
    }

    /// Fades by a step and takes in the deviation just seen, as one of its window.
    pub(super) fn update(&mut self, seen: Option<f64>) {
        self.now *= self.fading;
        if let Some(seen) = seen {
            self.now += (self.share * seen - self.now) / self.window as f64;
        }
    }

    /// What is left of it so many steps after the first one ahead.
    pub(super) fn after(&self, ahead: usize) -> f64 {
        if self.now == 0.0 {
            0.0
        } else {
            self.now * libm::exp(ahead as f64 * libm::log(self.fading.max(1e-300)))
        }
    }
}
