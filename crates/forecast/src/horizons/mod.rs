//! Three horizons from one history, which agree with each other.
//!
//! | horizon | ahead | by | from the last | model |
//! |---|---|---|---|---|
//! | short | 2 h | minute | [`SHORT_HISTORY_DAYS`] | the first model, by the clock on the wall |
//! | medium | 14 days | quarter of an hour | [`MEDIUM_HISTORY_DAYS`] | the same |
//! | long | 396 days | day | [`LONG_HISTORY_DAYS`] | the second model |
//!
//! All begin where the history ends, and so do their days: the first day is the 24 hours after it,
//! through changes of the clock too. A coarser history gives coarser steps, which [`Note`]s
//! say. Seasons are those that [`find_seasons`] finds. The forecasts are reconciled (the `reconcile`
//! file says how), so that on every path the minutes of two hours sum to its quarters, and 96
//! quarters to its day. Work is bounded by the days above; older history is read once, to be
//! added up.

mod forecast;
mod grid;
mod peaks;
mod reconcile;

use std::fmt;

use fleetcast_series::Aggregate;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::forecast::{HorizonForecast, HorizonForecasts, Note};
use self::grid::{Grid, Tier, binned};
use self::peaks::Peaks;
use self::reconcile::{Level, gather, spread};
use crate::{
    Combination, Dates, Fit, FitError, FittedLocalTime, History, LONG_TREND_STEPS_MIN, LocalTime,
    LongTrend, Predict, SamplePaths, SeasonReport, SeasonSpec, find_seasons,
};

/// Newest days that the short horizon is fitted to: a week and a day, so that the same hours of the
/// same weekday are known. More would cost a second a fit and say nothing of two hours.
pub const SHORT_HISTORY_DAYS: usize = 8;
/// Newest days that the medium horizon is fitted to.
pub const MEDIUM_HISTORY_DAYS: usize = 56;
/// Newest days that the long horizon is fitted to.
pub const LONG_HISTORY_DAYS: usize = 10 * 366;

/// Which horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HorizonKind {
    /// Two hours by minute.
    Short,
    /// Fourteen days by quarter of an hour.
    Medium,
    /// Thirteen months by day.
    Long,
}

impl fmt::Display for HorizonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        })
    }
}

/// Forecasts three horizons: the near ones by one model, the long one by another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Horizons<M = Combination, L = LongTrend> {
    /// The model of the short and the medium horizon.
    pub near: M,
    /// The model of the long horizon; its steps are days.
    pub far: L,
    /// What a value of a longer step is of the values of shorter ones.
    pub aggregate: HorizonAggregate,
}

/// What longer steps are of shorter ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HorizonAggregate {
    /// Their mean: rates and levels.
    #[default]
    Mean,
    /// Their sum: counts.
    Sum,
}

impl From<Aggregate> for HorizonAggregate {
    fn from(aggregate: Aggregate) -> Self {
        match aggregate {
            Aggregate::Mean => Self::Mean,
            Aggregate::Sum => Self::Sum,
        }
    }
}

impl Default for Horizons {
    /// The combination near, level with trend and seasons far, of rates.
    fn default() -> Self {
        Self {
            near: Combination::default(),
            far: LongTrend,
            aggregate: HorizonAggregate::Mean,
        }
    }
}

/// Why there is no forecast of any horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HorizonsError {
    /// Say when the steps were.
    #[error("horizons need to know the dates of the steps")]
    NoDates,
    /// Resample the history.
    #[error("steps of {0:#} do not divide a day")]
    Step(SignedDuration),
    /// See the model.
    #[error("the {horizon} horizon cannot be fitted")]
    Fit {
        /// The horizon.
        horizon: HorizonKind,
        /// What the model says.
        source: FitError,
    },
}

/// Fitted [`Horizons`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedHorizons<N, F> {
    short: Option<(Tier, FittedLocalTime<N>)>,
    medium: (Tier, FittedLocalTime<N>),
    long: Option<(Tier, F)>,
    peaks: Peaks,
    /// Where the history ends.
    start: Timestamp,
    aggregate: HorizonAggregate,
    seasons: SeasonReport,
    notes: Vec<Note>,
}

impl<M, L> Horizons<M, L>
where
    M: Fit + Clone,
    L: Fit,
{
    /// Fits all horizons to a history with dates. The history's own season lengths are not used.
    pub fn fit(
        &self,
        history: &History<'_>,
    ) -> Result<FittedHorizons<M::Fitted, L::Fitted>, HorizonsError> {
        let dates = history.dates().ok_or(HorizonsError::NoDates)?;
        let grid = Grid::of(dates.step())?;
        let values = history.values();
        let end = dates.at(values.len());
        let seasons = find_seasons(values, dates.step());
        let near = LocalTime {
            model: self.near.clone(),
        };
        let fit_near = |tier: Tier, days: usize, horizon| {
            let binned = binned(values, tier.of_history, days * tier.a_day);
            let spec = spec_of(seasons.seasons, tier);
            let at = dates_before(end, tier, binned.len(), &dates);
            let fitted = History::new(&binned, spec)
                .map_err(|_| FitError::NoObservation)
                .and_then(|history| near.fit(&history.with_dates(&at)))
                .map_err(|source| HorizonsError::Fit { horizon, source })?;
            Ok((binned, fitted))
        };
        let short = match grid.short {
            Some(tier) => {
                let (_, fitted) = fit_near(tier, SHORT_HISTORY_DAYS, HorizonKind::Short)?;
                Some((tier, fitted))
            }
            None => None,
        };
        let (quarters, medium) = fit_near(grid.medium, MEDIUM_HISTORY_DAYS, HorizonKind::Medium)?;
        let days = binned(values, grid.long.of_history, LONG_HISTORY_DAYS);
        let spec = spec_of(seasons.seasons, grid.long);
        let long = if days.len() < LONG_TREND_STEPS_MIN || !days.iter().any(Option::is_some) {
            None
        } else {
            let at = dates_before(end, grid.long, days.len(), &dates);
            let fitted = History::new(&days, spec)
                .map_err(|_| FitError::NoObservation)
                .and_then(|history| self.far.fit(&history.with_dates(&at)));
            match fitted {
                Ok(fitted) => Some((grid.long, fitted)),
                // Leading days without observations do not count as history.
                Err(FitError::TooShort { .. }) => None,
                Err(source) => {
                    return Err(HorizonsError::Fit {
                        horizon: HorizonKind::Long,
                        source,
                    });
                }
            }
        };
        Ok(FittedHorizons {
            notes: notes(&grid, dates.step(), days.len(), long.is_some(), spec),
            short,
            medium: (grid.medium, medium),
            long,
            peaks: Peaks::learn(&quarters, grid.medium.a_day),
            start: end,
            aggregate: self.aggregate,
            seasons,
        })
    }
}

/// The seasons in steps of a horizon.
fn spec_of(found: SeasonSpec, tier: Tier) -> SeasonSpec {
    let steps = |steps: usize, days: usize| if steps > 0 { days * tier.a_day } else { 0 };
    SeasonSpec {
        day: if tier.a_day > 1 {
            steps(found.day, 1)
        } else {
            0
        },
        week: steps(found.week, 7),
        year: steps(found.year, 365),
    }
}

/// When the bins were that end with the history.
fn dates_before(end: Timestamp, tier: Tier, count: usize, dates: &Dates) -> Dates {
    let back = tier.step.as_secs().saturating_mul(count as i64);
    let start = end
        .checked_sub(SignedDuration::from_secs(back))
        .unwrap_or(Timestamp::MIN);
    Dates::new(start, tier.step, dates.zone().clone())
}

fn notes(
    grid: &Grid,
    step: SignedDuration,
    days: usize,
    long: bool,
    spec: SeasonSpec,
) -> Vec<Note> {
    let mut notes = Vec::new();
    match grid.short {
        None => notes.push(Note::NoShortHorizon { step }),
        Some(tier) if tier.step > SignedDuration::from_mins(1) => notes.push(Note::CoarserSteps {
            horizon: HorizonKind::Short,
            step: tier.step,
        }),
        Some(_) => {}
    }
    if grid.medium.step > SignedDuration::from_mins(15) {
        notes.push(Note::CoarserSteps {
            horizon: HorizonKind::Medium,
            step: grid.medium.step,
        });
    }
    if !long {
        notes.push(Note::NoLongHorizon { days });
    } else if spec.year == 0 {
        notes.push(Note::NoYear { days });
    }
    notes
}

impl<N: Predict, F: Predict> FittedHorizons<N, F> {
    /// Which seasons were found, and why.
    pub fn seasons(&self) -> &SeasonReport {
        &self.seasons
    }

    /// Forecasts all horizons by so many paths, at least two.
    pub fn forecast(&self, count: usize, seed: u64) -> HorizonForecasts {
        let count = count.max(2);
        let mut short = self
            .short
            .as_ref()
            .map(|(scale, model)| level(model, scale, count, seed));
        let (scale, model) = &self.medium;
        let mut medium = level(model, scale, count, seed);
        let mut long = self
            .long
            .as_ref()
            .map(|(scale, model)| level(model, scale, count, seed));
        let in_quarter = |short: &Tier| scale.of_history / short.of_history;
        if let (Some((tier, _)), Some(level)) = (&self.short, &short) {
            gather(&mut medium, level, in_quarter(tier));
        }
        if let Some(long) = &mut long {
            gather(long, &medium, scale.a_day);
            spread(long, &mut medium, scale.a_day);
        }
        if let (Some((tier, _)), Some(level)) = (&self.short, &mut short) {
            spread(&medium, level, in_quarter(tier));
        }
        let short = self
            .short
            .as_ref()
            .zip(short)
            .map(|((scale, _), level)| self.finished(scale, level));
        let long = self
            .long
            .as_ref()
            .zip(long)
            .map(|((scale, _), level)| self.finished(scale, level));
        let medium = self.finished(scale, medium);
        let peaks = long.as_ref().map(|days| self.peaks(days, &medium, seed));
        HorizonForecasts {
            short,
            medium,
            long,
            peaks,
            notes: self.notes.clone(),
        }
    }

    /// The highest medium step of each day.
    fn peaks(&self, days: &HorizonForecast, medium: &HorizonForecast, seed: u64) -> SamplePaths {
        let (scale, _) = &self.medium;
        let mut mean_of_day = days.paths.clone();
        if self.aggregate == HorizonAggregate::Sum {
            let each = scale.a_day as f64;
            mean_of_day
                .values_mut()
                .iter_mut()
                .for_each(|day| *day /= each);
        }
        self.peaks.draw(&mean_of_day, &medium.paths, *scale, seed)
    }

    /// Sums back to the caller's unit, with their dates.
    fn finished(&self, scale: &Tier, level: Level) -> HorizonForecast {
        let unit = match self.aggregate {
            HorizonAggregate::Mean => scale.of_history as f64,
            HorizonAggregate::Sum => 1.0,
        };
        let back =
            |steps: Vec<f64>| -> Vec<f64> { steps.into_iter().map(|step| step / unit).collect() };
        let paths: Vec<Vec<f64>> = level.paths.into_iter().map(back).collect();
        HorizonForecast {
            start: self.start,
            step: scale.step,
            points: back(level.points),
            paths: SamplePaths::from_paths(&paths),
        }
    }
}

/// A model's forecast of a horizon, as sums of the history's steps.
fn level(model: &impl Predict, scale: &Tier, count: usize, seed: u64) -> Level {
    let unit = scale.of_history as f64;
    let sums = |steps: &[f64]| -> Vec<f64> { steps.iter().map(|step| step * unit).collect() };
    let paths = model.paths(scale.ahead, count, seed);
    Level {
        points: sums(&model.predict(scale.ahead).steps),
        paths: paths.iter().map(sums).collect(),
    }
}

#[cfg(test)]
mod tests;
