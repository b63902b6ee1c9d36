//! When steps are.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Dates, Season, SeasonSpec};

/// The length of a year that the season of the year repeats by.
pub(super) const YEAR_DAYS: f64 = 365.25;

/// Places the steps of a history, counted from its first, in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clock {
    /// By the clock on the wall: what people do at seven, they do at seven in summer time too.
    Wall {
        start: Timestamp,
        step_seconds: i64,
        #[serde(with = "jiff::fmt::serde::tz::required")]
        zone: TimeZone,
    },
    /// Only the length of a step is known: seasons are, dates are not.
    Steps { days: f64 },
}

/// When one step begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Which step, counted from the first of the history.
    pub(super) step: usize,
    /// Days since the start of 1970, or of the history if dates are not known.
    pub(super) days: f64,
    pub(super) date: Option<Date>,
}

impl Clock {
    /// By the dates, else by how many steps the shortest season has; `None` if neither is known.
    pub(super) fn of(dates: Option<Dates>, seasons: SeasonSpec) -> Option<Self> {
        if let Some(dates) = dates {
            return Some(Self::Wall {
                start: dates.at(0),
                step_seconds: dates.step().as_secs(),
                zone: dates.zone().clone(),
            });
        }
        let lengths = [
            (Season::Day, 1.0),
            (Season::Week, 7.0),
            (Season::Year, YEAR_DAYS),
        ];
        lengths.into_iter().find_map(|(season, days)| {
            let steps = seasons.steps(season)?;
            Some(Self::Steps {
                days: days / steps as f64,
            })
        })
    }

    /// The length of a step in days.
    pub(super) fn step_days(&self) -> f64 {
        match self {
            Self::Wall { step_seconds, .. } => *step_seconds as f64 / 86_400.0,
            Self::Steps { days } => *days,
        }
    }

    /// Whether dates are known.
    pub(super) fn has_dates(&self) -> bool {
        matches!(self, Self::Wall { .. })
    }

    /// The beginnings of some steps.
    pub(super) fn moments(
        &self,
        steps: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Moment> {
        let dates = match self {
            Self::Wall {
                start,
                step_seconds,
                zone,
            } => {
                // A stored clock may have been tampered with; a step is at least a second.
                let step = SignedDuration::from_secs((*step_seconds).max(1));
                Some(Dates::new(*start, step, zone.clone()))
            }
            Self::Steps { .. } => None,
        };
        let step_days = self.step_days();
        steps.map(move |step| match &dates {
            Some(dates) => {
                let civil = dates.civil(step);
                Moment {
                    step,
                    days: days_since_1970(civil),
                    date: Some(civil.date()),
                }
            }
            None => Moment {
                step,
                days: step as f64 * step_days,
                date: None,
            },
        })
    }
}

fn days_since_1970(civil: DateTime) -> f64 {
    const START: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
    civil.duration_since(START).as_secs() as f64 / 86_400.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_counts_in_summer_too() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let start: Timestamp = "2026-03-28T06:00:00Z".parse().unwrap();
        let dates = Dates::new(start, SignedDuration::from_hours(24), zone);
        let clock = Clock::of(Some(dates), SeasonSpec::default()).unwrap();
        let hours: Vec<f64> = clock
            .moments(0..2)
            .map(|moment| (moment.days.fract() * 24.0).round())
            .collect();
        assert_eq!(hours, [7.0, 8.0]);
        let stored = serde_json::to_string(&clock).unwrap();
        assert_eq!(serde_json::from_str::<Clock>(&stored).unwrap(), clock);
    }

    #[test]
    fn without_dates_the_seasons_say_how_long_a_step_is() {
        let spec = |day, week, year| SeasonSpec { day, week, year };
        for (spec, days) in [
            (spec(24, 168, 0), Some(1.0 / 24.0)),
            (spec(0, 7, 0), Some(1.0)),
            (spec(1, 7, 365), Some(1.0)),
            (spec(0, 0, 12), Some(YEAR_DAYS / 12.0)),
            (spec(0, 0, 0), None),
        ] {
            assert_eq!(Clock::of(None, spec).map(|clock| clock.step_days()), days);
        }
    }
}
