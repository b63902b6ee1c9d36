//! What a model is fitted to.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The largest demand taken for real: far under it, floats still count single interactions.
const DEMAND_MAX: f64 = 1e15;

/// The lengths of the seasons, in steps of the history. Less than 2 steps: there is no such season.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeasonSpec {
    /// Steps in a day.
    pub day: usize,
    /// Steps in a week. Used only where it is a multiple of the day's, or there is no day.
    pub week: usize,
    /// Steps in a year.
    #[serde(default)]
    pub year: usize,
}

impl SeasonSpec {
    /// Steps in a season of this kind, if there is one.
    pub fn steps(self, season: Season) -> Option<usize> {
        match season {
            Season::Day => Some(self.day).filter(|&steps| steps >= 2),
            Season::Week => {
                let whole_days =
                    self.day < 2 || (self.week > self.day && self.week.is_multiple_of(self.day));
                Some(self.week).filter(|&steps| steps >= 2 && whole_days)
            }
            Season::Year => Some(self.year).filter(|&steps| steps >= 2),
        }
    }
}

/// A kind of season.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// Repeats every day.
    Day,
    /// Repeats every week.
    Week,
    /// Repeats every year.
    Year,
}

/// When the steps of a history were: what models with calendars (holidays, days of the year) need.
#[derive(Clone, Debug, PartialEq)]
pub struct Dates {
    start: Timestamp,
    step: SignedDuration,
    zone: TimeZone,
}

impl Dates {
    /// The first step of a history begins at `start`, and each lasts `step`; people live in `zone`.
    ///
    /// # Panics
    /// Unless a step is at least a second long.
    pub fn new(start: Timestamp, step: SignedDuration, zone: TimeZone) -> Self {
        assert!(step.as_secs() >= 1, "steps of {step}");
        Self { start, step, zone }
    }

    /// When a step begins, counted from the first.
    pub fn at(&self, step: usize) -> Timestamp {
        let ahead = i64::try_from(step)
            .ok()
            .and_then(|step| self.step.as_secs().checked_mul(step));
        ahead
            .and_then(|seconds| {
                self.start
                    .checked_add(SignedDuration::from_secs(seconds))
                    .ok()
            })
            .unwrap_or(Timestamp::MAX)
    }

    /// The same by the clock on the wall.
    pub fn civil(&self, step: usize) -> DateTime {
        self.at(step).to_zoned(self.zone.clone()).datetime()
    }

    /// The length of a step.
    pub fn step(&self) -> SignedDuration {
        self.step
    }

    /// Where people live.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The dates of the steps from this one on.
    #[must_use]
    pub fn from(&self, step: usize) -> Self {
        Self {
            start: self.at(step),
            ..self.clone()
        }
    }
}

/// A quantity that is known before demand is, such as a campaign's spend or whether a day is a holiday.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regressor {
    /// What it is called in explanations.
    pub name: String,
    /// One value per step from the first of the history on, through all steps that will be forecast;
    /// where it ends, its last value stays.
    pub values: Vec<f64>,
}

impl Regressor {
    /// The value at a step counted from the first of the history; 0 if there is none at all.
    pub fn at(&self, step: usize) -> f64 {
        self.values
            .get(step)
            .or(self.values.last())
            .copied()
            .unwrap_or(0.0)
    }
}

/// Demand seen so far at regular steps, oldest first; `None` is a missing step, never a zero.
///
/// The last entry is the step just before the first one forecast, missing or not. Missing steps
/// before the first observation are dropped.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    values: &'a [Option<f64>],
    seasons: SeasonSpec,
    dates: Option<&'a Dates>,
    regressors: &'a [Regressor],
    /// Missing steps dropped from the front, by which dates and regressors start earlier.
    dropped: usize,
}

/// Why a history was refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum HistoryError {
    /// The caller made a step that is no demand: negative, not a number, or absurdly large.
    #[error("{value} at step {step} is not a demand")]
    NotADemand {
        /// Its place, counted from the oldest.
        step: usize,
        /// What stands there.
        value: f64,
    },
}

impl<'a> History<'a> {
    /// Takes a history whose observations are all between 0 and 10¹⁵.
    pub fn new(values: &'a [Option<f64>], seasons: SeasonSpec) -> Result<Self, HistoryError> {
        for (step, value) in values.iter().enumerate() {
            if let Some(value) = *value
                && !(0.0..=DEMAND_MAX).contains(&value)
            {
                return Err(HistoryError::NotADemand { step, value });
            }
        }
        let first = values
            .iter()
            .position(Option::is_some)
            .unwrap_or(values.len());
        Ok(Self {
            values: &values[first..],
            seasons,
            dates: None,
            regressors: &[],
            dropped: first,
        })
    }

    /// Says when the steps were; `dates` starts at the first step that [`Self::new`] was given.
    #[must_use]
    pub fn with_dates(self, dates: &'a Dates) -> Self {
        Self {
            dates: Some(dates),
            ..self
        }
    }

    /// Adds what is known beforehand, from the first step that [`Self::new`] was given on.
    #[must_use]
    pub fn with_regressors(self, regressors: &'a [Regressor]) -> Self {
        Self { regressors, ..self }
    }

    /// When the steps of [`Self::values`] were, if that is known.
    pub fn dates(&self) -> Option<Dates> {
        self.dates.map(|dates| dates.from(self.dropped))
    }

    /// The names and values of what is known beforehand, at a step counted from the first of
    /// [`Self::values`], which may lie beyond their end.
    pub fn regressors_at(&self, step: usize) -> impl Iterator<Item = (&'a str, f64)> {
        let step = self.dropped + step;
        self.regressors
            .iter()
            .map(move |regressor| (regressor.name.as_str(), regressor.at(step)))
    }

    /// What is known beforehand; its values start [`Self::dropped`] steps before [`Self::values`].
    pub fn regressors(&self) -> &'a [Regressor] {
        self.regressors
    }

    /// Missing steps that were dropped from the front.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The steps from the first observation on, oldest first.
    pub fn values(&self) -> &'a [Option<f64>] {
        self.values
    }

    /// The lengths of the seasons.
    pub fn seasons(&self) -> SeasonSpec {
        self.seasons
    }

    /// The history as it stood when it had only the first `steps` of [`Self::values`].
    pub fn until(&self, steps: usize) -> Self {
        Self {
            values: &self.values[..steps.min(self.values.len())],
            ..*self
        }
    }

    /// Steps in a season of this kind, if there is one and the history holds two of it.
    pub(crate) fn seen_twice(&self, season: Season) -> Option<usize> {
        self.seasons
            .steps(season)
            .filter(|&steps| self.values.len() >= 2 * steps)
    }
}

/// The steps without gaps: straight lines between observations, level before the first and after
/// the last. Empty if nothing was observed.
pub(crate) fn interpolated(values: &[Option<f64>]) -> Vec<f64> {
    let mut filled = Vec::with_capacity(values.len());
    let mut last: Option<f64> = None;
    for value in values.iter().copied() {
        let Some(value) = value else { continue };
        let from = filled.len();
        let gap = values[from..]
            .iter()
            .take_while(|value| value.is_none())
            .count();
        for place in 1..=gap {
            let before = last.unwrap_or(value);
            filled.push(before + (value - before) * place as f64 / (gap + 1) as f64);
        }
        filled.push(value);
        last = Some(value);
    }
    if let Some(last) = last {
        filled.resize(values.len(), last);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_demand_is_taken() {
        for nonsense in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            let steps = [Some(1.0), None, Some(nonsense)];
            assert!(
                History::new(&steps, SeasonSpec::default()).is_err(),
                "{nonsense}"
            );
        }
        let steps = [None, None, Some(0.0), None];
        let history = History::new(&steps, SeasonSpec::default()).unwrap();
        assert_eq!(history.values(), &[Some(0.0), None]);
    }

    #[test]
    fn gaps_are_bridged_by_straight_lines() {
        let steps = [None, Some(2.0), None, None, Some(8.0), None];
        assert_eq!(interpolated(&steps), [2.0, 2.0, 4.0, 6.0, 8.0, 8.0]);
        assert!(interpolated(&[None, None]).is_empty());
    }

    #[test]
    fn a_week_is_whole_days() {
        assert_eq!(
            SeasonSpec {
                day: 24,
                week: 168,
                year: 0
            }
            .steps(Season::Week),
            Some(168)
        );
        assert_eq!(
            SeasonSpec {
                day: 24,
                week: 100,
                year: 0
            }
            .steps(Season::Week),
            None
        );
        assert_eq!(
            SeasonSpec {
                day: 0,
                week: 7,
                year: 0
            }
            .steps(Season::Week),
            Some(7)
        );
    }
}
