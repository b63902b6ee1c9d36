//! How often intervals held in one kind of time: coverage that is right on average may be wrong every night.

use serde::{Deserialize, Serialize};

use super::{LEVELS, Rolling};
use crate::QuantileForecast;

/// Hours of a day.
const HOURS: usize = 24;
/// Days of a week.
const WEEK_DAYS: usize = 7;
/// A day is a shift if it differs from the week before by more than this many times what days usually differ by: one
/// in a hundred days of a normal distribution.
const SHIFT: f64 = 4.0;

/// Places in [`LEVELS`] of the bounds of 80 and 95 %, and of the level 95 %.
const WITHIN_80: (usize, usize) = (2, 10);
const WITHIN_95: (usize, usize) = (0, 12);
const UNDER_95: usize = 11;

/// Outcomes in one kind of time, and how many of them held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Steps that were observed.
    pub steps: u64,
    /// Those within the interval of 80 %.
    pub within_80: u64,
    /// Those within the interval of 95 %.
    pub within_95: u64,
    /// Those at or under the level of 95 %.
    pub under_95: u64,
}

impl Held {
    /// The share within 80 %, within 95 %, and at or under 95 %; `None` of nothing.
    pub fn shares(&self) -> Option<[f64; 3]> {
        let share = |held: u64| held as f64 / self.steps as f64;
        (self.steps > 0).then(|| [self.within_80, self.within_95, self.under_95].map(share))
    }

    fn add(&mut self, quantiles: &[f64], actual: f64) {
        let within = |(low, high): (usize, usize)| {
            u64::from((quantiles[low]..=quantiles[high]).contains(&actual))
        };
        self.steps += 1;
        self.within_80 += within(WITHIN_80);
        self.within_95 += within(WITHIN_95);
        self.under_95 += u64::from(actual <= quantiles[UNDER_95]);
    }

    fn merge(&mut self, other: &Self) {
        self.steps += other.steps;
        self.within_80 += other.within_80;
        self.within_95 += other.within_95;
        self.under_95 += other.under_95;
    }
}

/// Coverage by hour of day and by regime. Regimes are known when the forecast is made: a regime that is told from the
/// outcome would make any forecast look wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionalCoverage {
    /// By local hour of day; empty cells where a step is a day or longer.
    pub hours: [Held; HOURS],
    /// Mondays to Fridays.
    pub weekdays: Held,
    /// Saturdays and Sundays.
    pub weekends: Held,
    /// Steps whose median forecast is under the lowest quarter of the history.
    pub low: Held,
    /// Between the quarters.
    pub middle: Held,
    /// Over the highest quarter of the history.
    pub high: Held,
    /// Forecasts made after a day like those before it.
    pub steady: Held,
    /// Forecasts made after a day whose mean left what was usual.
    pub shifted: Held,
}

impl ConditionalCoverage {
    /// Takes the outcomes of a forecast.
    ///
    /// # Panics
    /// Unless the forecast is at [`LEVELS`].
    pub fn add(&mut self, rolling: &Rolling<'_>, origin: usize, forecast: &QuantileForecast) {
        assert_eq!(forecast.levels(), LEVELS, "scores are of fixed levels");
        let window = rolling.window(origin);
        let quarters = quarters(window);
        let shifted = has_shifted(window, rolling.seasons.day);
        let day_seconds = 86_400;
        let later = rolling.observed.get(origin..).unwrap_or_default();
        for (step, actual) in later.iter().take(forecast.horizon()).enumerate() {
            let Some(actual) = *actual else { continue };
            let quantiles = forecast.step(step);
            let median = quantiles[LEVELS.len() / 2];
            let tell = |held: &mut Held| held.add(quantiles, actual);
            if let Some(dates) = rolling.dates {
                let at = dates.civil(origin + step);
                if dates.step().as_secs() < day_seconds {
                    tell(&mut self.hours[usize::from(at.hour().unsigned_abs()) % HOURS]);
                }
                let weekday = at.weekday().to_monday_zero_offset();
                tell(if weekday >= 5 {
                    &mut self.weekends
                } else {
                    &mut self.weekdays
                });
            }
            if let Some((low, high)) = quarters {
                tell(if median < low {
                    &mut self.low
                } else if median > high {
                    &mut self.high
                } else {
                    &mut self.middle
                });
            }
            match shifted {
                Some(true) => tell(&mut self.shifted),
                Some(false) => tell(&mut self.steady),
                None => (),
            }
        }
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.cells_mut().into_iter().zip(other.cells()) {
            own.merge(&more);
        }
    }

    /// What is shown: hours of day in blocks of three, then regimes; each with its name.
    pub fn rows(&self) -> Vec<(String, Held)> {
        const BLOCK: usize = 3;
        let block = |(place, hours): (usize, &[Held])| {
            let mut all = Held::default();
            hours.iter().for_each(|hour| all.merge(hour));
            let from = BLOCK * place;
            (format!("{from:02}–{:02} h", from + BLOCK), all)
        };
        let hours = self.hours.chunks(BLOCK).enumerate().map(block);
        let regimes = [
            ("weekdays", self.weekdays),
            ("weekends", self.weekends),
            ("forecast low", self.low),
            ("forecast middle", self.middle),
            ("forecast high", self.high),
            ("after steady days", self.steady),
            ("after a shift", self.shifted),
        ];
        hours
            .chain(regimes.map(|(name, held)| (name.to_string(), held)))
            .collect()
    }

    fn cells(&self) -> Vec<Held> {
        let mut copy = self.clone();
        copy.cells_mut().into_iter().map(|cell| *cell).collect()
    }

    fn cells_mut(&mut self) -> Vec<&mut Held> {
        let mut cells: Vec<&mut Held> = self.hours.iter_mut().collect();
        cells.extend([
            &mut self.weekdays,
            &mut self.weekends,
            &mut self.low,
            &mut self.middle,
            &mut self.high,
            &mut self.steady,
            &mut self.shifted,
        ]);
        cells
    }
}

/// The lowest and the highest quarter of what was seen.
fn quarters(window: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut seen: Vec<f64> = window.iter().flatten().copied().collect();
    seen.sort_unstable_by(f64::total_cmp);
    let last = seen.len().checked_sub(1)?;
    Some((seen[last / 4], seen[last - last / 4]))
}

/// Whether the mean of the last day left that of the week before by much more than days usually do; `None` without
/// two weeks of days to tell.
fn has_shifted(window: &[Option<f64>], day: usize) -> Option<bool> {
    let days = window.len().checked_div(day)?;
    if day < 2 || days < 2 * WEEK_DAYS {
        return None;
    }
    let start = window.len() - days * day;
    let means: Vec<f64> = window[start..]
        .chunks(day)
        .map(|day| {
            let seen: Vec<f64> = day.iter().flatten().copied().collect();
            seen.iter().sum::<f64>() / seen.len().max(1) as f64
        })
        .collect();
    let mut changes: Vec<f64> = means
        .windows(WEEK_DAYS + 1)
        .map(|week| {
            (week[WEEK_DAYS] - week[..WEEK_DAYS].iter().sum::<f64>() / WEEK_DAYS as f64).abs()
        })
        .collect();
    let newest = changes.pop()?;
    let usual = crate::robust::median(&mut changes)?;
    Some(newest > SHIFT * usual)
}

#[cfg(test)]
mod tests {
    use super::super::{Origins, Protocol};
    use super::*;
    use crate::{Dates, SeasonSpec};
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};

    /// Days at 100, of which the forecast covers the nights only; the last three days are doubled if wanted.
    fn coverage(shift: bool) -> ConditionalCoverage {
        let days = 30;
        let value = |step: usize| {
            let base = 100.0 + (step / 24 % 5) as f64;
            Some(if shift && step >= 24 * (days - 3) {
                2.0 * base
            } else {
                base
            })
        };
        let values: Vec<Option<f64>> = (0..24 * days).map(value).collect();
        let step = SignedDuration::from_hours(1);
        // A Thursday.
        let dates = Dates::new(Timestamp::UNIX_EPOCH, step, TimeZone::UTC);
        let rolling = Rolling {
            values: &values,
            observed: &values,
            dates: Some(&dates),
            seasons: SeasonSpec {
                day: 24,
                week: 168,
                year: 0,
            },
            protocol: Protocol {
                horizon: 24,
                window: 24 * 28,
                first: 24 * 28,
                first_share: 0.0,
                origins: Origins::Spread(1),
            },
        };
        let wide = [
            0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0,
        ];
        let narrow = [1.0; 13];
        let forecast: Vec<f64> = (0..24)
            .flat_map(|hour| if hour < 12 { wide } else { narrow })
            .collect();
        let mut found = ConditionalCoverage::default();
        found.add(&rolling, 24 * 28, &QuantileForecast::new(&LEVELS, forecast));
        found
    }

    #[test]
    fn a_forecast_that_fails_in_the_afternoon_is_told_from_one_that_fails_at_times() {
        let found = coverage(false);
        assert_eq!(found.hours[3].shares(), Some([1.0, 1.0, 1.0]));
        assert_eq!(found.hours[15].shares(), Some([0.0, 0.0, 0.0]));
        // The 28th day after a Thursday is a Thursday.
        assert_eq!((found.weekdays.steps, found.weekends.steps), (24, 0));
        assert_eq!(found.weekdays.shares(), Some([0.5, 0.5, 0.5]));
        assert_eq!((found.steady.steps, found.shifted.steps), (24, 0));
        assert_eq!(found.low.steps + found.middle.steps + found.high.steps, 24);
        assert_eq!(found.rows().len(), 8 + 7);
        let mut twice = found.clone();
        twice.merge(&found);
        assert_eq!((twice.hours[3].steps, twice.steady.steps), (2, 48));
    }

    #[test]
    fn a_day_that_left_the_usual_is_a_shift() {
        assert_eq!(coverage(true).shifted.steps, 24);
    }
}
