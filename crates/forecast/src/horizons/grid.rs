//! The steps of the horizons, and histories at such steps.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::HorizonsError;

const DAY_SECONDS: i64 = 86_400;
/// The short horizon.
const SHORT_SECONDS: i64 = 2 * 3600;
const SHORT_STEP_SECONDS: i64 = 60;
const MEDIUM_STEP_SECONDS: i64 = 900;
/// Days of the medium horizon.
pub(super) const MEDIUM_DAYS: usize = 14;
/// Days of the long horizon: thirteen months.
pub(super) const LONG_DAYS: usize = 396;

/// One horizon's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tier {
    /// Steps of the history in one.
    pub(super) of_history: usize,
    /// Steps ahead.
    pub(super) ahead: usize,
    /// Steps in a day.
    pub(super) a_day: usize,
    pub(super) step: SignedDuration,
}

/// The steps of the three horizons. Each step of a longer horizon is a whole number of the next
/// shorter one's, and the short horizon is whole steps of the medium one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// `None`: a step of the history is longer than the horizon.
    pub(super) short: Option<Tier>,
    pub(super) medium: Tier,
    pub(super) long: Tier,
}

impl Grid {
    /// The grid of a history with steps of this length: minutes, quarters of an hour and days, or the
    /// next longer steps that are whole numbers of the history's and divide a day.
    pub(super) fn of(step: SignedDuration) -> Result<Self, HorizonsError> {
        let native = step.as_secs();
        if native <= 0 || DAY_SECONDS % native != 0 {
            return Err(HorizonsError::Step(step));
        }
        let at_least = |least: i64, divides: i64| {
            (1..=divides / native)
                .map(|times| times * native)
                .find(|seconds| *seconds >= least && divides % seconds == 0)
                .unwrap_or(divides)
        };
        let tier = |seconds: i64, ahead_seconds: i64| Tier {
            of_history: (seconds / native) as usize,
            ahead: (ahead_seconds / seconds) as usize,
            a_day: (DAY_SECONDS / seconds) as usize,
            step: SignedDuration::from_secs(seconds),
        };
        let medium = at_least(MEDIUM_STEP_SECONDS, DAY_SECONDS);
        let short = at_least(SHORT_STEP_SECONDS, medium);
        // Whole steps of the medium horizon, the last one reaching a little further if need be.
        let ahead = (SHORT_SECONDS + medium - 1) / medium * medium;
        Ok(Self {
            short: (medium <= SHORT_SECONDS).then(|| tier(short, ahead)),
            medium: tier(medium, MEDIUM_DAYS as i64 * DAY_SECONDS),
            long: tier(DAY_SECONDS, LONG_DAYS as i64 * DAY_SECONDS),
        })
    }
}

/// The means of the newest bins of so many steps, which end where the values end, oldest first; at
/// most `most`. A bin of which less than half was observed is missing.
pub(super) fn binned(values: &[Option<f64>], steps: usize, most: usize) -> Vec<Option<f64>> {
    let count = (values.len() / steps).min(most);
    values[values.len() - count * steps..]
        .chunks(steps)
        .map(|bin| {
            let (sum, seen) = bin
                .iter()
                .flatten()
                .fold((0.0, 0_usize), |(sum, seen), value| (sum + value, seen + 1));
            (2 * seen >= steps).then(|| sum / seen as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_nest_and_divide_a_day() {
        for seconds in 1..=DAY_SECONDS {
            let Ok(grid) = Grid::of(SignedDuration::from_secs(seconds)) else {
                assert_ne!(DAY_SECONDS % seconds, 0);
                continue;
            };
            assert_eq!(
                grid.long.of_history % grid.medium.of_history,
                0,
                "{seconds}"
            );
            assert_eq!(grid.medium.ahead, MEDIUM_DAYS * grid.medium.a_day);
            if let Some(short) = grid.short {
                assert_eq!(grid.medium.of_history % short.of_history, 0, "{seconds}");
                assert_eq!(short.ahead * short.of_history % grid.medium.of_history, 0);
                assert!(short.step.as_secs() * short.ahead as i64 >= SHORT_SECONDS);
            }
        }
        let minutes = Grid::of(SignedDuration::from_mins(1)).unwrap();
        assert_eq!(
            (minutes.short.unwrap().ahead, minutes.medium.ahead),
            (120, 1344)
        );
        let hours = Grid::of(SignedDuration::from_hours(1)).unwrap();
        assert_eq!((hours.short.unwrap().ahead, hours.medium.ahead), (2, 336));
        assert_eq!(Grid::of(SignedDuration::from_hours(6)).unwrap().short, None);
    }
}
