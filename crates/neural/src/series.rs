//! A history as the network sees it: logarithms, a seasonal profile, and what the profile leaves over.

use fleetcast_forecast::{FitError, History, Season, SeasonSpec};
use serde::{Deserialize, Serialize};

/// Steps of a history that count; earlier ones are left out, so that work is bounded. Six weeks of minutes, or
/// seven years of hours.
pub const HISTORY_MAX: usize = 65_536;

/// Added to demand, in units of its median, before the logarithm: zeros stay finite and small numbers
/// near them do not matter more than they cost.
const OFFSET: f64 = 0.1;

/// The largest demand in units of the scale. Keeps quotients finite where all but one step are next to 0.
const RATIO_MAX: f64 = 1e18;

/// Weights of yesterday, of the last days, of last week, and of the last weeks in the profile. Where
/// there is less history, what is there shares the weight.
const BLEND: [f64; 4] = [0.15, 0.25, 0.2, 0.4];

/// Share of the newest day in the mean of days: seven days count like the last four alike.
const DAY_SHARE: f64 = 0.25;

/// Share of the newest week in the mean of weeks.
const WEEK_SHARE: f64 = 0.35;

/// Share of the newest step in the level where there is no day.
const LEVEL_SHARE: f64 = 0.3;

/// The least usual residual, in logarithms: a hundredth of demand. A series without any noise has
/// something to be divided by.
const SPREAD_MIN: f64 = 0.01;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// How far over the largest demand seen a forecast may lie, in logarithms: ten times.
const HEADROOM: f64 = std::f64::consts::LN_10;

/// A history in logarithms beside its seasonal profile. Everything at a step is known at that step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    /// Demand is divided by this: its median.
    scale: f64,
    /// The usual size of a residual.
    pub(crate) spread: f64,
    /// The usual size of a deviation from the median.
    pub(crate) swing: f64,
    /// The largest logarithm seen.
    highest: f64,
    /// Lengths of the seasons of the clock, seen often enough or not.
    seasons: SeasonSpec,
    /// Lengths of the seasons of the profile; 0 is none.
    day: usize,
    week: usize,
    /// The time of the first slot, in steps from the start of a week or a day.
    phase: usize,
    slots: Vec<Slot>,
}

/// One step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    /// The logarithm of demand.
    seen: Option<f64>,
    /// That less what the profile said before.
    residual: Option<f64>,
    /// Mean of the last steps.
    level: Mean,
    /// At this time of day, and at this time of the week: the last and the mean.
    day_last: Option<f64>,
    day_mean: Mean,
    week_last: Option<f64>,
    week_mean: Mean,
}

/// An exponentially weighted mean that starts as a plain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    value: f64,
    count: u32,
}

impl Mean {
    fn get(self) -> Option<f64> {
        (self.count > 0).then_some(self.value)
    }

    fn add(self, value: Option<f64>, share: f64) -> Self {
        let Some(value) = value else { return self };
        let count = self.count.saturating_add(1);
        let share = share.max(1.0 / f64::from(count));
        Self {
            value: self.value + share * (value - self.value),
            count,
        }
    }
}

/// What the profile says of a step that has not come yet, in logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usual {
    /// The profile: what the network corrects.
    pub(crate) base: f64,
    /// Mean of the last steps at the time of asking.
    pub(crate) level: f64,
    /// The same by day alone, where there is a day.
    pub(crate) day: Option<f64>,
    /// Yesterday, the mean of days, last week, the mean of weeks.
    pub(crate) parts: [Option<f64>; 4],
}

impl Series {
    /// Takes in the last steps of a history. An error if nothing was observed.
    pub(crate) fn new(history: &History<'_>) -> Result<Self, FitError> {
        let all = history.values();
        let cut = all.len().saturating_sub(HISTORY_MAX);
        let values = &all[cut..];
        let mut observed: Vec<f64> = values.iter().flatten().copied().collect();
        let seasons = history.seasons();
        let seen_twice = |season| {
            let steps: Option<usize> = seasons.steps(season);
            steps
                .filter(|&steps| values.len() >= 2 * steps)
                .unwrap_or(0)
        };
        let scale = scale(&mut observed).ok_or(FitError::NoObservation)?;
        let mut series = Self {
            scale,
            spread: SPREAD_MIN,
            swing: SPREAD_MIN,
            highest: libm::log(OFFSET),
            seasons,
            day: seen_twice(Season::Day),
            week: seen_twice(Season::Week),
            phase: cut + start_of_clock(history),
            slots: Vec::with_capacity(values.len()),
        };
        for value in values {
            series.push(*value);
        }
        let warm = series.warm_up();
        series.spread = deviation(
            series.slots[warm..].iter().filter_map(|slot| slot.residual),
            0.0,
        );
        let middle = libm::log(1.0 + OFFSET);
        series.swing = deviation(series.slots.iter().filter_map(|slot| slot.seen), middle);
        Ok(series)
    }

    /// Steps seen, as far as they are kept.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Steps in a day of the profile; 0 if it has none.
    pub(crate) fn day_steps(&self) -> usize {
        self.day
    }

    /// The first step at which the profile has something to go by.
    pub(crate) fn warm_up(&self) -> usize {
        let season = self.week.max(self.day);
        (2 * season).min(self.len() / 3).max(season).min(self.len())
    }

    /// Takes in the next step.
    pub(crate) fn push(&mut self, value: Option<f64>) {
        let seen = value.map(|value| self.log(value));
        let at = self.len();
        let before = self.slots.last().copied().unwrap_or_default();
        let base = self.usual(at, at).map(|usual| usual.base);
        let day = self.slot_before(self.day, at, at).unwrap_or_default();
        let week = self.slot_before(self.week, at, at).unwrap_or_default();
        let level_share = if self.day > 0 {
            2.0 / (self.day + 1) as f64
        } else {
            LEVEL_SHARE
        };
        let only = |season: usize| seen.filter(|_| season > 0);
        self.highest = seen.map_or(self.highest, |seen| seen.max(self.highest));
        self.slots.push(Slot {
            seen,
            residual: seen.zip(base).map(|(seen, base)| seen - base),
            level: before.level.add(seen, level_share),
            day_last: only(self.day).or(day.day_last),
            day_mean: day.day_mean.add(only(self.day), DAY_SHARE),
            week_last: only(self.week).or(week.week_last),
            week_mean: week.week_mean.add(only(self.week), WEEK_SHARE),
        });
    }

    /// Forgets all but what a reader of the last `context` steps needs; amortised, so that a step costs
    /// the same however many came before.
    pub(crate) fn forget(&mut self, context: usize) {
        let keep = context.max(self.week).max(self.day) + 1;
        if self.len() > 2 * keep {
            let dropped = self.len() - keep;
            self.slots.drain(..dropped);
            self.phase += dropped;
        }
    }

    /// What the profile said at `now` of a step not before it; `None` while nothing has been seen.
    pub(crate) fn usual(&self, step: usize, now: usize) -> Option<Usual> {
        let level = now
            .checked_sub(1)
            .and_then(|last| self.slots[last].level.get())?;
        let day = self.slot_before(self.day, step, now).unwrap_or_default();
        let week = self.slot_before(self.week, step, now).unwrap_or_default();
        let parts = [
            day.day_last,
            day.day_mean.get(),
            week.week_last,
            week.week_mean.get(),
        ];
        let (mut sum, mut weights) = (0.0, 0.0);
        for (part, weight) in parts.iter().zip(BLEND) {
            if let Some(part) = part {
                sum += weight * part;
                weights += weight;
            }
        }
        Some(Usual {
            base: if weights > 0.0 { sum / weights } else { level },
            level,
            day: parts[1],
            parts,
        })
    }

    /// The last slot before `now` a whole number of seasons before `step`.
    fn slot_before(&self, season: usize, step: usize, now: usize) -> Option<Slot> {
        let back = season * ((step - now).checked_div(season)? + 1);
        step.checked_sub(back).map(|place| self.slots[place])
    }

    /// The logarithm of demand at a step, if it was observed.
    pub(crate) fn seen(&self, step: usize) -> Option<f64> {
        self.slots[step].seen
    }

    /// What the profile left over at a step.
    pub(crate) fn residual(&self, step: usize) -> Option<f64> {
        self.slots[step].residual
    }

    /// How far a step is into its day and its week, from 0 to under 1, where there are such.
    pub(crate) fn clock(&self, step: usize) -> [Option<f64>; 2] {
        [Season::Day, Season::Week].map(|season| {
            let steps = self.seasons.steps(season)?;
            Some(((self.phase + step) % steps) as f64 / steps as f64)
        })
    }

    /// The logarithm that the network works in.
    pub(crate) fn log(&self, value: f64) -> f64 {
        libm::log((value / self.scale).min(RATIO_MAX) + OFFSET)
    }

    /// Back to demand: not negative, and at most ten times the largest seen.
    pub(crate) fn demand(&self, log: f64) -> f64 {
        let bounded = log.min(self.highest + HEADROOM);
        self.scale * (libm::exp(bounded) - OFFSET).max(0.0)
    }

    /// How much an error at this logarithm costs in demand, against one at the median. Bounded, so that no
    /// spike drowns the rest.
    pub(crate) fn cost(log: f64) -> f64 {
        (libm::exp(log.min(10.0)) / (1.0 + OFFSET)).clamp(0.05, 10.0)
    }
}

#[cfg(test)]
impl Series {
    /// Forgets what came after.
    pub(crate) fn truncate(&mut self, steps: usize) {
        self.slots.truncate(steps);
    }
}

/// The median, or the mean where most is 0, or 1 where all is; `None` of nothing.
fn scale(observed: &mut [f64]) -> Option<f64> {
    let largest = observed.iter().copied().reduce(f64::max)?;
    let mean = observed.iter().sum::<f64>() / observed.len() as f64;
    let median = median(observed);
    let scale = if median > 0.0 { median } else { mean };
    Some(if largest > 0.0 {
        scale.max(largest / RATIO_MAX)
    } else {
        1.0
    })
}

/// The upper median of something. Reorders.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The robust standard deviation from a middle; where more than half lie on it, the mean distance.
fn deviation(values: impl Iterator<Item = f64>, middle: f64) -> f64 {
    let mut apart: Vec<f64> = values.map(|value| (value - middle).abs()).collect();
    if apart.is_empty() {
        return SPREAD_MIN;
    }
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    let robust = MAD_TO_SIGMA * median(&mut apart);
    if robust > 0.0 { robust } else { mean }.max(SPREAD_MIN)
}

/// When the first of the history's values was, in steps from the start of its week.
fn start_of_clock(history: &History<'_>) -> usize {
    let Some(dates) = history.dates() else {
        return history.dropped();
    };
    let civil = dates.civil(0);
    let days = i64::from(civil.weekday().to_monday_zero_offset());
    let seconds = days * 86_400
        + i64::from(civil.hour()) * 3_600
        + i64::from(civil.minute()) * 60
        + i64::from(civil.second());
    usize::try_from(seconds / dates.step().as_secs().max(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;

    #[test]
    fn the_profile_knows_only_what_was_seen() {
        let traffic = traffic(5.0, 24, 100.0, 1);
        let whole = Series::new(&traffic.history()).unwrap();
        let mut cut = Series {
            slots: Vec::new(),
            ..whole.clone()
        };
        for value in &traffic.values[..500] {
            cut.push(*value);
        }
        for step in [500, 523, 524, 700] {
            assert_eq!(whole.usual(step, 500), cut.usual(step, 500), "{step}");
        }
    }

    #[test]
    fn the_profile_of_a_repeating_week_is_that_week() {
        let values: Vec<_> = (0..24 * 7 * 6)
            .map(|step| Some(f64::from(step % 168 + 10)))
            .collect();
        let seasons = SeasonSpec {
            day: 24,
            week: 168,
            year: 0,
        };
        let series = Series::new(&History::new(&values, seasons).unwrap()).unwrap();
        let usual = series.usual(values.len() + 30, values.len()).unwrap();
        let expected = series.log(40.0);
        assert!((usual.parts[2].unwrap() - expected).abs() < 1e-12);
        assert!((usual.parts[3].unwrap() - expected).abs() < 1e-12);
        assert!((series.demand(expected) - 40.0).abs() < 1e-9);
    }

    #[test]
    fn forgetting_changes_nothing_that_is_asked() {
        let traffic = traffic(12.0, 24, 100.0, 2);
        let whole = Series::new(&traffic.history()).unwrap();
        let mut short = whole.clone();
        short.forget(48);
        assert_eq!(short.len(), 169);
        for ahead in [0, 1, 100, 400] {
            let (long, short_step) = (whole.len() + ahead, short.len() + ahead);
            assert_eq!(
                whole.usual(long, whole.len()),
                short.usual(short_step, short.len())
            );
            assert_eq!(whole.clock(long), short.clock(short_step));
        }
    }

    #[test]
    fn demand_comes_back_from_its_logarithm_at_any_scale() {
        for values in [
            vec![0.0, 0.0, 1e15],
            vec![1e-300, 1e15],
            vec![0.0; 5],
            vec![3.0, 4.0, 5.0],
        ] {
            let values: Vec<_> = values.into_iter().map(Some).collect();
            let history = History::new(&values, SeasonSpec::default()).unwrap();
            let series = Series::new(&history).unwrap();
            for value in values.into_iter().flatten() {
                let back = series.demand(series.log(value));
                assert!(
                    (back - value).abs() <= 1e-9 * value.max(series.scale),
                    "{value} is {back}"
                );
            }
            assert!(series.demand(1e9).is_finite() && series.demand(-1e9) == 0.0);
        }
    }
}
