//! Steps by the clock on the wall, so that seasons follow people and not the sun.
//!
//! Histories step in physical time; people get up by the clock. On the days on which clocks change,
//! a day has 23 or 25 hours, and from then on all seasons lie an hour off. [`LocalTime`] gives a
//! model the history by local slots instead: a slot that the clock leaps over is missing, steps that
//! share a slot are averaged, and each forecast step takes its slot's forecast.

use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Dates, Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict,
    QuantileForecast, Regressor, SamplePaths, Update,
};

/// How long after a history changes of the clock are known: longer than any horizon, and laws on
/// time change more often than that.
const KNOWN_AHEAD_SECONDS: i64 = 3 * 366 * 86_400;

/// Which slot by the clock on the wall each step of a history falls into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalClock {
    start: i64,
    step: i64,
    /// From when (in seconds since 1970) which offset from UTC holds, in seconds; never empty.
    offsets: Vec<(i64, i64)>,
}

impl LocalClock {
    /// The clock of a history of so many steps, and of three years after it.
    pub fn new(dates: &Dates, steps: usize) -> Self {
        let (start, zone) = (dates.at(0), dates.zone());
        let end = dates
            .at(steps)
            .as_second()
            .saturating_add(KNOWN_AHEAD_SECONDS);
        let mut offsets = vec![(
            start.as_second(),
            i64::from(zone.to_offset(start).seconds()),
        )];
        let changes = zone
            .following(start)
            .map(|change| {
                let at = change.timestamp().as_second();
                (at, i64::from(change.offset().seconds()))
            })
            .take_while(|(at, _)| *at <= end);
        offsets.extend(changes);
        Self {
            start: start.as_second(),
            step: dates.step().as_secs(),
            offsets,
        }
    }

    /// Whether the clock never changes: then slots are steps.
    pub fn is_even(&self) -> bool {
        self.offsets
            .iter()
            .all(|(_, offset)| *offset == self.offsets[0].1)
    }

    /// The slot of a step, the first step's being 0. Slots are as long as steps. It is the nearest
    /// one, so that steps of days do not fall between two; it may come before the slot of an earlier
    /// step where the clock was set back.
    pub fn slot(&self, step: usize) -> i64 {
        let past = i64::try_from(step)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.step);
        let at = self.start.saturating_add(past);
        let known = self.offsets.partition_point(|(from, _)| *from <= at).max(1);
        let leap = self.offsets[known - 1].1 - self.offsets[0].1;
        past.saturating_add(leap)
            .saturating_add(self.step / 2)
            .div_euclid(self.step)
    }

    /// The values by slot: the mean of those that share one, nothing where the clock leapt. What a
    /// clock set back puts before the first slot is left out.
    pub fn by_slot(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let mut sums: Vec<(f64, u32)> = Vec::with_capacity(values.len() + 4);
        for (step, value) in values.iter().enumerate() {
            let Ok(slot) = usize::try_from(self.slot(step)) else {
                continue;
            };
            if slot >= sums.len() {
                sums.resize(slot + 1, (0.0, 0));
            }
            if let Some(value) = value {
                sums[slot].0 += value;
                sums[slot].1 += 1;
            }
        }
        sums.into_iter()
            .map(|(sum, seen)| (seen > 0).then(|| sum / f64::from(seen)))
            .collect()
    }

    /// When slots are, by a clock that never changes.
    fn dates(&self) -> Dates {
        let local = Timestamp::from_second(self.start + self.offsets[0].1);
        let step = SignedDuration::from_secs(self.step);
        Dates::new(local.unwrap_or(Timestamp::MIN), step, TimeZone::UTC)
    }

    /// The time on the wall at which a slot begins.
    pub fn civil(&self, slot: usize) -> DateTime {
        self.dates().civil(slot)
    }

    /// A regressor by slot, from the first one on; where the clock leapt, what was before.
    fn regressor(&self, regressor: &Regressor, dropped: usize) -> Regressor {
        let values = regressor.values.get(dropped..).unwrap_or_default();
        let by_slot = self.by_slot(&values.iter().map(|&value| Some(value)).collect::<Vec<_>>());
        let mut last = regressor.at(dropped);
        let filled = by_slot.into_iter().map(|value| {
            last = value.unwrap_or(last);
            last
        });
        let mut values: Vec<f64> = filled.collect();
        if values.is_empty() {
            values.push(last);
        }
        Regressor {
            name: regressor.name.clone(),
            values,
        }
    }
}

/// A model that sees the history by the clock on the wall. Without dates, or where clocks never
/// change, it is the model itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime<M> {
    /// The model.
    pub model: M,
}

/// A fitted [`LocalTime`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedLocalTime<F> {
    model: F,
    clock: Option<LocalClock>,
    /// Steps of the history seen.
    steps: usize,
    /// Slots that the model has seen.
    slots: i64,
}

impl<M: Fit> Fit for LocalTime<M> {
    type Fitted = FittedLocalTime<M::Fitted>;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let steps = history.values().len();
        let clock = history
            .dates()
            .map(|dates| LocalClock::new(&dates, steps))
            .filter(|clock| !clock.is_even());
        let Some(clock) = clock else {
            return Ok(FittedLocalTime {
                model: self.model.fit(history)?,
                clock: None,
                steps,
                slots: 0,
            });
        };
        let values = clock.by_slot(history.values());
        let dates = clock.dates();
        let regressors: Vec<Regressor> = history
            .regressors()
            .iter()
            .map(|regressor| clock.regressor(regressor, history.dropped()))
            .collect();
        let local = History::new(&values, history.seasons())
            .expect("means of demand are demand")
            .with_dates(&dates)
            .with_regressors(&regressors);
        Ok(FittedLocalTime {
            model: self.model.fit(&local)?,
            slots: values.len() as i64,
            steps,
            clock: Some(clock),
        })
    }
}

impl<F> FittedLocalTime<F> {
    /// The fitted model, whose steps are slots.
    pub fn model_by_slot(&self) -> &F {
        &self.model
    }

    /// Which of the model's steps each of the next steps takes: one already seen takes the first.
    fn leads(&self, clock: &LocalClock, horizon: usize) -> Vec<usize> {
        (self.steps..self.steps + horizon)
            .map(|step| usize::try_from(clock.slot(step) - self.slots).unwrap_or(0))
            .collect()
    }
}

/// How many steps the model must look ahead to reach all leads.
fn reach(leads: &[usize]) -> usize {
    leads.iter().max().map_or(0, |lead| lead + 1)
}

impl<F: Predict> Predict for FittedLocalTime<F> {
    fn model(&self) -> ModelName {
        self.model.model()
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let Some(clock) = &self.clock else {
            return self.model.predict(horizon);
        };
        let leads = self.leads(clock, horizon);
        let local = self.model.predict(reach(&leads)).steps;
        PointForecast {
            steps: leads.iter().map(|&lead| local[lead]).collect(),
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let Some(clock) = &self.clock else {
            return self.model.paths(horizon, count, seed);
        };
        let leads = self.leads(clock, horizon);
        let local = self.model.paths(reach(&leads), count, seed);
        let paths: Vec<Vec<f64>> = local
            .iter()
            .map(|path| leads.iter().map(|&lead| path[lead]).collect())
            .collect();
        SamplePaths::from_paths(&paths)
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let Some(clock) = &self.clock else {
            return self.model.quantiles(horizon, levels);
        };
        let leads = self.leads(clock, horizon);
        let local = self.model.quantiles(reach(&leads), levels);
        let values = leads.iter().flat_map(|&lead| local.step(lead).to_vec());
        QuantileForecast::new(levels, values.collect())
    }

    fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
        let Some(clock) = &self.clock else {
            return self.model.highest(windows, levels);
        };
        let horizon = windows.iter().map(|window| window.end).max().unwrap_or(0);
        let leads = self.leads(clock, horizon);
        let by_slot = |window: &Range<usize>| {
            let own = &leads[window.clone()];
            let first = own.iter().min().copied().unwrap_or(0);
            first..reach(own).max(first + 1)
        };
        let windows: Vec<Range<usize>> = windows.iter().map(by_slot).collect();
        self.model.highest(&windows, levels)
    }
}

impl<F: Update> Update for FittedLocalTime<F> {
    /// In the hour that comes twice the model has seen its slots already: they are not changed.
    fn update(&mut self, value: Option<f64>) {
        let Some(clock) = &self.clock else {
            self.steps += 1;
            return self.model.update(value);
        };
        let slot = clock.slot(self.steps);
        self.steps += 1;
        if slot < self.slots {
            return;
        }
        while self.slots < slot {
            self.model.update(None);
            self.slots += 1;
        }
        self.model.update(value);
        self.slots += 1;
    }
}

impl<F: Explain> Explain for FittedLocalTime<F> {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let Some(clock) = &self.clock else {
            return self.model.explain(horizon);
        };
        let leads = self.leads(clock, horizon);
        let local = self.model.explain(reach(&leads));
        leads.iter().map(|&lead| local[lead]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{LowRank, Season, SeasonSpec, SeasonalNaive};

    const ZONES: [&str; 6] = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Sydney",
        "America/Santiago",
        "Australia/Lord_Howe",
        "UTC",
    ];

    fn dates(start: &str, minutes: i64, zone: &str) -> Dates {
        let zone = TimeZone::get(zone).unwrap();
        Dates::new(
            start.parse().unwrap(),
            SignedDuration::from_mins(minutes),
            zone,
        )
    }

    /// Demand that follows the clock on the wall.
    fn by_clock(dates: &Dates, step: usize) -> f64 {
        let time = dates.civil(step);
        let minutes = f64::from(time.hour()) * 60.0 + f64::from(time.minute());
        let weekend = if i32::from(time.date().weekday().to_monday_zero_offset()) >= 5 {
            0.5
        } else {
            1.0
        };
        weekend * (10.0 + minutes)
    }

    #[test]
    fn a_day_of_23_hours_lacks_a_slot_and_one_of_25_merges_two() {
        // Berlin's clocks leap on 2024-03-31 and are set back on 2024-10-27; Sydney's on 2024-10-06
        // and 2024-04-07.
        for (zone, leap, back) in [
            (
                "Europe/Berlin",
                "2024-03-30T23:00:00Z",
                "2024-10-26T22:00:00Z",
            ),
            (
                "Australia/Sydney",
                "2024-10-05T14:00:00Z",
                "2024-04-06T13:00:00Z",
            ),
        ] {
            let clock = LocalClock::new(&dates(leap, 60, zone), 24);
            let values: Vec<Option<f64>> = (0..24).map(|step| Some(f64::from(step))).collect();
            let slots = clock.by_slot(&values);
            assert_eq!(
                (slots.len(), slots[1], slots[2], slots[3]),
                (25, Some(1.0), None, Some(2.0))
            );
            let clock = LocalClock::new(&dates(back, 60, zone), 24);
            let slots = clock.by_slot(&values);
            assert_eq!(
                (slots.len(), slots[1], slots[2], slots[3]),
                (23, Some(1.0), Some(2.5), Some(4.0))
            );
        }
    }

    #[test]
    fn forecasts_follow_the_clock_over_the_change() {
        for (zone, start) in [
            ("Europe/Berlin", "2024-03-10T23:00:00Z"),
            ("Europe/Berlin", "2024-10-06T22:00:00Z"),
            ("Australia/Sydney", "2024-09-15T14:00:00Z"),
            ("Australia/Sydney", "2024-03-17T13:00:00Z"),
        ] {
            let dates = dates(start, 30, zone);
            let values: Vec<Option<f64>> = (0..48 * 19)
                .map(|step| Some(by_clock(&dates, step)))
                .collect();
            let spec = SeasonSpec {
                day: 48,
                week: 336,
                year: 0,
            };
            let history = History::new(&values, spec).unwrap().with_dates(&dates);
            let naive = SeasonalNaive::new(Season::Week);
            let local = LocalTime { model: naive }.fit(&history).unwrap();
            let off = |forecast: Vec<f64>| {
                let wrong = |(ahead, said): (usize, &f64)| {
                    (said - by_clock(&dates, values.len() + ahead)).abs() > 1e-6
                };
                forecast.iter().enumerate().filter(|&at| wrong(at)).count()
            };
            assert_eq!(off(local.predict(48 * 7).steps), 0, "{zone} {start}");
            assert!(off(naive.fit(&history).unwrap().predict(48 * 7).steps) > 48);
            assert_eq!(local.explain(48 * 7).len(), 48 * 7);
            assert_eq!(local.paths(400, 3, 1).horizon(), 400);
        }
    }

    #[test]
    fn updates_through_the_change_keep_the_clock() {
        let dates = dates("2024-10-06T22:00:00Z", 60, "Europe/Berlin");
        let value = |step: usize| Some(by_clock(&dates, step));
        let values: Vec<Option<f64>> = (0..24 * 14).map(value).collect();
        let spec = SeasonSpec {
            day: 24,
            week: 168,
            year: 0,
        };
        let history = History::new(&values, spec).unwrap().with_dates(&dates);
        let mut fitted = LocalTime { model: LowRank }.fit(&history).unwrap();
        for step in values.len()..values.len() + 24 * 9 {
            fitted.update(value(step));
        }
        // Deep in winter time: low at midnight by the clock, which is now an hour later.
        let ahead = fitted.predict(24).steps;
        let lowest = (0..24)
            .min_by(|&a, &b| ahead[a].total_cmp(&ahead[b]))
            .unwrap();
        assert_eq!(dates.civil(24 * 23 + lowest).hour(), 0, "{ahead:?}");
    }

    proptest! {
        #[test]
        fn each_step_lies_in_the_slot_of_its_time(
            zone in 0..ZONES.len(),
            hours in 0_i64..24 * 365 * 30,
            minutes in prop_oneof![Just(1_i64), Just(5), Just(15), Just(30), Just(60), Just(1440)],
            steps in 1_usize..2000,
        ) {
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let start = Timestamp::from_second(hours * 3600).unwrap();
            let dates = Dates::new(start, SignedDuration::from_mins(minutes), zone);
            let clock = LocalClock::new(&dates, steps);
            let first = dates.civil(0);
            for step in (0..steps).step_by(7) {
                let wall = dates.civil(step).duration_since(first).as_secs();
                let apart = wall - clock.slot(step) * minutes * 60;
                prop_assert!(2 * apart.abs() <= minutes * 60, "{step}: {apart} s");
            }
            let values: Vec<Option<f64>> = (0..steps).map(|step| Some(step as f64)).collect();
            let slots = clock.by_slot(&values);
            prop_assert!(slots.len().abs_diff(steps) <= 4 * (60 / minutes.min(60)) as usize);
            prop_assert!(!clock.is_even() || slots == values);
        }

        #[test]
        fn any_history_is_forecast_as_long_as_asked(
            zone in 0..ZONES.len(),
            day in 0_i64..400,
            values in proptest::collection::vec(proptest::option::of(0.0_f64..100.0), 0..120),
            horizon in 0_usize..60,
        ) {
            let start = Timestamp::from_second(1_700_000_000 / 3600 * 3600 + day * 86_400).unwrap();
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let dates = Dates::new(start, SignedDuration::from_hours(1), zone);
            let spec = SeasonSpec { day: 24, week: 168, year: 0 };
            let history = History::new(&values, spec).unwrap().with_dates(&dates);
            let Ok(mut fitted) = (LocalTime { model: LowRank }).fit(&history) else {
                return Ok(());
            };
            for value in [Some(3.0), None] {
                prop_assert_eq!(fitted.predict(horizon).steps.len(), horizon);
                prop_assert_eq!(fitted.paths(horizon, 4, 2).horizon(), horizon);
                prop_assert_eq!(fitted.quantiles(horizon, &[0.5, 0.9]).horizon(), horizon);
                fitted.update(value);
            }
        }
    }
}
