//! Seasons, holidays and regressors: what acts on the trend.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use fleetcast_series::Holidays;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::clock::{Clock, Moment, YEAR_DAYS};
use super::settings::{HolidayDays, HolidayEffect, Prophet, SeasonChoice, SeasonMode};
use crate::{History, Season};

/// The largest value of a regressor; a larger one is a mistake, and its square no number.
const REGRESSOR_MAX: f64 = 1e15;

/// How many of its spreads a regressor may ever lie off its mean: keeps forecasts finite whatever is
/// stated for the future.
const REGRESSOR_REACH: f64 = 1e6;

/// One thing that acts on the trend, by as many coefficients as it has columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Effect {
    pub(super) kind: Kind,
    pub(super) mode: SeasonMode,
    /// The scale of the normal prior of its coefficients.
    pub(super) prior: f64,
    /// What was learned; empty before.
    pub(super) coefficients: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Sines and cosines.
    Season { period_days: f64, order: usize },
    /// 1 on these days, in order, and else 0.
    Days { name: String, dates: Vec<Date> },
    /// A value per step from `first` on; the last stays.
    Regressor {
        name: String,
        mean: f64,
        spread: f64,
        first: usize,
        values: Vec<f64>,
    },
}

impl Effect {
    fn new(kind: Kind, mode: SeasonMode, prior: f64) -> Self {
        Self {
            kind,
            mode,
            prior,
            coefficients: Vec::new(),
        }
    }

    /// How many coefficients there are to learn.
    pub(super) fn columns(&self) -> usize {
        match self.kind {
            Kind::Season { order, .. } => 2 * order,
            Kind::Days { .. } | Kind::Regressor { .. } => 1,
        }
    }

    /// What the coefficients are multiplied by.
    pub(super) fn fill(&self, moment: &Moment, columns: &mut [f64]) {
        match &self.kind {
            Kind::Season { period_days, .. } => {
                let turn = moment.days / period_days;
                let angle = 2.0 * PI * (turn - turn.floor());
                let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
                let (mut s, mut c) = (sine, cosine);
                for pair in columns.chunks_exact_mut(2) {
                    pair.copy_from_slice(&[s, c]);
                    (s, c) = (s * cosine + c * sine, c * cosine - s * sine);
                }
            }
            Kind::Days { dates, .. } => {
                let is_one = moment
                    .date
                    .is_some_and(|date| dates.binary_search(&date).is_ok());
                columns[0] = f64::from(u8::from(is_one));
            }
            Kind::Regressor {
                mean,
                spread,
                first,
                values,
                ..
            } => {
                let place = moment.step.saturating_sub(*first);
                let value = values.get(place).or(values.last()).copied().unwrap_or(0.0);
                let standardised = (value - mean) / spread;
                columns[0] = standardised.clamp(-REGRESSOR_REACH, REGRESSOR_REACH);
            }
        }
    }

    /// What it does to the trend of a step.
    pub(super) fn at(&self, moment: &Moment) -> f64 {
        let mut columns = vec![0.0; self.columns()];
        self.fill(moment, &mut columns);
        columns
            .iter()
            .zip(&self.coefficients)
            .map(|(column, coefficient)| column * coefficient)
            .sum()
    }

    /// The kind of season it counts as: the shortest one that holds its period.
    pub(super) fn season(&self) -> Option<Season> {
        match self.kind {
            Kind::Season { period_days, .. } if period_days <= 1.0 => Some(Season::Day),
            Kind::Season { period_days, .. } if period_days <= 7.0 => Some(Season::Week),
            Kind::Season { .. } => Some(Season::Year),
            Kind::Days { .. } | Kind::Regressor { .. } => None,
        }
    }

    /// Forgets what lies before a step, which is not asked for again.
    pub(super) fn forget_before(&mut self, step: usize) {
        if let Kind::Regressor { first, values, .. } = &mut self.kind {
            // The last value stays, as it is what comes after.
            let past = step
                .saturating_sub(*first)
                .min(values.len().saturating_sub(1));
            values.drain(..past);
            *first += past;
        }
    }
}

/// The seasons to learn: those chosen, and of those left to choose the ones that the history spans
/// twice and resolves (the package's rules).
pub(super) fn seasons(settings: &Prophet, span_days: f64, gap_days: f64) -> Vec<Effect> {
    let standard = [
        (settings.year, YEAR_DAYS, 10, span_days >= 730.0),
        (settings.week, 7.0, 3, span_days >= 14.0 && gap_days < 7.0),
        (settings.day, 1.0, 4, span_days >= 2.0 && gap_days < 1.0),
    ];
    let standard = standard.into_iter().map(|(choice, period, order, seen)| {
        let order = match choice {
            SeasonChoice::Automatic if seen => order,
            SeasonChoice::Automatic | SeasonChoice::Off => 0,
            SeasonChoice::Order(order) => order,
        };
        (period, order, settings.season_prior, settings.mode)
    });
    let custom = settings
        .seasons
        .iter()
        .map(|season| (season.period_days, season.order, season.prior, season.mode));
    standard
        .chain(custom)
        .filter(|&(_, order, _, _)| order > 0)
        .map(|(period_days, order, prior, mode)| {
            Effect::new(Kind::Season { period_days, order }, mode, prior)
        })
        .collect()
}

/// One effect per holiday's name and day around it, of those that were seen in the history.
pub(super) fn holidays(
    settings: &Prophet,
    clock: &Clock,
    rows: &[usize],
) -> Result<Vec<Effect>, &'static str> {
    let seen: Vec<Date> = {
        let mut seen: Vec<Date> = clock
            .moments(rows.iter().copied())
            .filter_map(|moment| moment.date)
            .collect();
        seen.dedup();
        seen
    };
    let Some(first) = seen.first().copied() else {
        return Ok(Vec::new());
    };
    let mut effects = Vec::new();
    for holiday in &settings.holidays {
        let HolidayEffect { before, after, .. } = *holiday;
        for (name, dates) in named(&holiday.days, first)? {
            for offset in -i32::from(before)..=i32::from(after) {
                let mut moved: Vec<Date> = dates
                    .iter()
                    .filter_map(|date| date.checked_add(offset.days()).ok())
                    .filter(|date| *date >= first)
                    .collect();
                moved.sort_unstable();
                moved.dedup();
                if !seen.iter().any(|date| moved.binary_search(date).is_ok()) {
                    continue;
                }
                let kind = Kind::Days {
                    name: name.clone(),
                    dates: moved,
                };
                effects.push(Effect::new(kind, settings.mode, holiday.prior));
            }
        }
    }
    Ok(effects)
}

/// The days by their names, from a year before `first` on.
fn named(days: &HolidayDays, first: Date) -> Result<BTreeMap<String, Vec<Date>>, &'static str> {
    let mut all: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    match days {
        HolidayDays::Public(place) => {
            let known = Holidays::of(place).map_err(|_| {
                "the holidays of that place are not known; state a country such as `DE`, or a part such as `DE-BY`"
            })?;
            let from = first.checked_sub(1.year()).unwrap_or(first);
            for (day, name) in known.between(from, date(9999, 12, 31)) {
                all.entry(name.to_string()).or_default().push(day);
            }
        }
        HolidayDays::Named { name, dates } => {
            all.insert(name.clone(), dates.clone());
        }
    }
    Ok(all)
}

/// One effect per regressor of the history, standardised over the observed steps unless it is a switch.
pub(super) fn regressors(
    settings: &Prophet,
    history: &History<'_>,
    rows: &[usize],
) -> Result<Vec<Effect>, &'static str> {
    let effect = |regressor: &crate::Regressor| {
        let start = history
            .dropped()
            .min(regressor.values.len().saturating_sub(1));
        let values = &regressor.values[start..];
        if !values.iter().all(|value| value.abs() <= REGRESSOR_MAX) {
            return Err("a regressor has a value that is no number, or too large");
        }
        let seen: Vec<f64> = rows
            .iter()
            .map(|&row| regressor.at(history.dropped() + row))
            .collect();
        let (mean, spread) = standard(&seen);
        let kind = Kind::Regressor {
            name: regressor.name.clone(),
            mean,
            spread,
            first: 0,
            values: values.to_vec(),
        };
        Ok(Effect::new(kind, settings.mode, settings.regressor_prior))
    };
    history.regressors().iter().map(effect).collect()
}

/// Mean and standard deviation; 0 and 1 of what never changes, and of switches between 0 and 1.
fn standard(values: &[f64]) -> (f64, f64) {
    let constant = values.windows(2).all(|pair| pair[0] == pair[1]);
    let switch = values.iter().all(|&value| value == 0.0 || value == 1.0);
    if constant || switch {
        return (0.0, 1.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum();
    let spread = (squares / (count - 1.0)).sqrt();
    if spread > 0.0 {
        (mean, spread)
    } else {
        (0.0, 1.0)
    }
}
