//! What comes of the horizons.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::HorizonKind;
use crate::{Dates, LONG_TREND_STEPS_MIN, QuantileForecast, SamplePaths};

/// The forecast of one horizon, in agreement with the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HorizonForecast {
    /// When its first step begins.
    pub start: Timestamp,
    /// How long a step lasts.
    pub step: SignedDuration,
    /// The expected demand of each step.
    pub points: Vec<f64>,
    /// Courses; path by path the same futures in all horizons.
    pub paths: SamplePaths,
}

impl HorizonForecast {
    /// The quantiles of each step.
    pub fn quantiles(&self, levels: &[f64]) -> QuantileForecast {
        QuantileForecast::from_paths(&self.paths, levels)
    }

    /// When a step begins.
    pub fn at(&self, step: usize) -> Timestamp {
        Dates::new(self.start, self.step, TimeZone::UTC).at(step)
    }
}

/// The forecasts of all horizons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HorizonForecasts {
    /// Two hours by minute; `None` where the history's steps are too long.
    pub short: Option<HorizonForecast>,
    /// Fourteen days by quarter of an hour.
    pub medium: HorizonForecast,
    /// Thirteen months by day; `None` with less than two weeks of history.
    pub long: Option<HorizonForecast>,
    /// The highest quarter of an hour (or medium step) of each day of the long horizon, counted as the
    /// medium horizon's steps are: what a fleet must carry.
    pub peaks: Option<SamplePaths>,
    /// What is not as usual.
    pub notes: Vec<Note>,
}

/// What is not as the horizons usually are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Its steps are longer because the history's are.
    CoarserSteps {
        /// The horizon.
        horizon: HorizonKind,
        /// Its steps.
        step: SignedDuration,
    },
    /// The history's steps are longer than the horizon.
    NoShortHorizon {
        /// The history's step.
        step: SignedDuration,
    },
    /// Less than two weeks say nothing of months.
    NoLongHorizon {
        /// Whole days of history.
        days: usize,
    },
    /// The year's season is not known, and the trend fades instead.
    NoYear {
        /// Whole days of history.
        days: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoarserSteps { horizon, step } => {
                write!(
                    f,
                    "the {horizon} horizon has steps of {step:#}, as the history allows no finer"
                )
            }
            Self::NoShortHorizon { step } => {
                write!(
                    f,
                    "no short horizon: the history's steps of {step:#} are too long for it"
                )
            }
            Self::NoLongHorizon { days } => write!(
                f,
                "no long horizon: it needs {LONG_TREND_STEPS_MIN} days of history and there are {days}"
            ),
            Self::NoYear { days } => write!(
                f,
                "the long horizon has no year's season, which {days} days of history do not show"
            ),
        }
    }
}
