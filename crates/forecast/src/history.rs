//! What a model is fitted to.

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
}

/// Demand seen so far at regular steps, oldest first; `None` is a missing step, never a zero.
///
/// The last entry is the step just before the first one forecast, missing or not. Missing steps
/// before the first observation are dropped.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    values: &'a [Option<f64>],
    seasons: SeasonSpec,
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
        })
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
            seasons: self.seasons,
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
            SeasonSpec { day: 24, week: 168 }.steps(Season::Week),
            Some(168)
        );
        assert_eq!(SeasonSpec { day: 24, week: 100 }.steps(Season::Week), None);
        assert_eq!(SeasonSpec { day: 0, week: 7 }.steps(Season::Week), Some(7));
    }
}
