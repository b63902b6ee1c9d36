//! The length of a step.

use std::fmt;
use std::num::NonZeroU32;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long one step of a regular series lasts: a positive number of whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(NonZeroU32);

impl Step {
    /// One second.
    pub const SECOND: Self = Self::constant(1);
    /// One minute, the step at which demand is planned.
    pub const MINUTE: Self = Self::constant(60);
    /// A quarter of an hour.
    pub const QUARTER_HOUR: Self = Self::constant(15 * 60);
    /// One hour.
    pub const HOUR: Self = Self::constant(60 * 60);
    /// 24 hours.
    pub const DAY: Self = Self::constant(24 * 60 * 60);

    const fn constant(seconds: u32) -> Self {
        Self(NonZeroU32::new(seconds).expect("a constant step is positive"))
    }

    /// Wraps a number of seconds. `None` if it is zero.
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    /// Takes over a duration. `None` unless it is a positive number of whole seconds (and less
    /// than 136 years).
    pub fn from_duration(duration: SignedDuration) -> Option<Self> {
        if duration.subsec_nanos() != 0 {
            return None;
        }
        Self::from_seconds(u32::try_from(duration.as_secs()).ok()?)
    }

    /// The step in seconds.
    pub const fn seconds(self) -> u32 {
        self.0.get()
    }

    /// The step in minutes.
    pub fn minutes(self) -> f64 {
        f64::from(self.seconds()) / 60.0
    }

    /// The step as a duration.
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.seconds()))
    }

    /// How many steps of this length fit into 24 hours; less than one for longer steps.
    pub fn per_day(self) -> f64 {
        f64::from(Self::DAY.seconds()) / f64::from(self.seconds())
    }
}

impl fmt::Display for Step {
    /// Writes the step in the largest unit that leaves it whole: `1 min`, `90 s`, `6 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (size, unit) = [
            (Self::DAY, "d"),
            (Self::HOUR, "h"),
            (Self::MINUTE, "min"),
            (Self::SECOND, "s"),
        ]
        .into_iter()
        .find(|(size, _)| seconds.is_multiple_of(size.seconds()))
        .expect("each step is a multiple of a second");
        write!(f, "{} {unit}", seconds / size.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_its_largest_whole_unit() {
        let written = |seconds| Step::from_seconds(seconds).unwrap().to_string();
        assert_eq!(written(1), "1 s");
        assert_eq!(written(60), "1 min");
        assert_eq!(written(90), "90 s");
        assert_eq!(written(21_600), "6 h");
        assert_eq!(written(172_800), "2 d");
    }

    #[test]
    fn is_positive_and_whole() {
        assert_eq!(Step::from_seconds(0), None);
        assert_eq!(Step::from_duration(SignedDuration::from_millis(1500)), None);
        assert_eq!(Step::from_duration(SignedDuration::from_secs(-60)), None);
        assert_eq!(
            Step::from_duration(SignedDuration::from_mins(15)),
            Some(Step::QUARTER_HOUR)
        );
    }
}
