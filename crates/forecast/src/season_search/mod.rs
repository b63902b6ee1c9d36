//! Finding the seasons in the data, and saying why.
//!
//! Where the length of a step is known, the calendar gives the candidates: a day, a week, a year.
//! Where it is not, the peaks of the autocorrelation do. A candidate is a season only if whole
//! periods foretell each other, cross-validated and beyond chance (the `rows` file has the test), so a
//! history of noise, of a trend or of a jump has none. The search runs on the logarithm of demand
//! in coarse bins and looks at no more than [`DAYS_MAX`] days for the day, [`WEEKS_MAX`] weeks for
//! the week and [`YEARS_MAX`] years for the year, so that its work is bounded.

mod periods;
mod predictability;
mod rows;

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::predictability::{Predictability, SimpleRule, Skill};
pub(crate) use self::rows::profile;
use self::rows::{Comparison, compare};
use crate::robust::median;
use crate::{Season, SeasonSpec};

/// Newest days that a day's season is looked for in.
pub const DAYS_MAX: usize = 120;
/// Newest weeks that a week's season is looked for in.
pub const WEEKS_MAX: usize = 104;
/// Newest years that a year's season is looked for in.
pub const YEARS_MAX: usize = 12;

/// Bins in a day, at most: hours show a day's season, and finer steps only its noise.
const DAY_BINS: usize = 24;
/// Bins of a day in which a week's season is looked for.
const WEEK_DAY_BINS: usize = 4;
/// Days in a bin in which a year's season is looked for; 73 of them are a year.
const YEAR_BIN_DAYS: usize = 5;
/// Seconds in a day.
const DAY_SECONDS: i64 = 86_400;

/// The seasons found in a history, with what speaks for and against them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeasonReport {
    /// The seasons to fit with.
    pub seasons: SeasonSpec,
    /// What was looked for and what came of it.
    pub evidence: Vec<SeasonEvidence>,
    /// What simple rules would have foretold; `None` where history is too short to say.
    pub skill: Option<Skill>,
}

/// What came of looking for one season.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeasonEvidence {
    /// Its name, where it has one in the calendar.
    pub season: Option<Season>,
    /// Its length in steps of the history.
    pub steps: usize,
    /// Whole periods in the history that were compared; under two nothing was.
    pub periods: usize,
    /// The share of the variation within such periods that the other periods foretell (for a week:
    /// of what the day leaves; for a year: of what the week leaves), held out.
    pub share: f64,
    /// Whether it is a season.
    pub found: bool,
}

impl SeasonEvidence {
    fn new(season: Option<Season>, steps: usize, said: Option<Comparison>, periods: usize) -> Self {
        Self {
            season,
            steps,
            periods: said.map_or(periods, |said| said.periods),
            share: said.map_or(0.0, |said| said.gain.max(0.0)),
            found: said.is_some_and(|said| said.found),
        }
    }
}

impl fmt::Display for SeasonEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, many) = match self.season {
            Some(Season::Day) => ("a day's season".to_owned(), "days"),
            Some(Season::Week) => ("a week's season".to_owned(), "weeks"),
            Some(Season::Year) => ("a year's season".to_owned(), "years"),
            None => (format!("a season of {} steps", self.steps), "periods"),
        };
        let bare = name.strip_prefix("a ").unwrap_or(&name);
        if self.found {
            let left = match self.season {
                Some(Season::Week) => "of what the day leaves",
                Some(Season::Year) => "of what the week leaves",
                _ => "of the variation",
            };
            let share = (100.0 * self.share).round();
            write!(
                f,
                "{name} explains {share} % {left} ({} {many})",
                self.periods
            )
        } else if self.periods < 2 {
            write!(f, "{name} cannot be told from less than two {many}")
        } else {
            write!(f, "no {bare} in {} {many}", self.periods)
        }
    }
}

impl fmt::Display for SeasonReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, evidence) in self.evidence.iter().enumerate() {
            write!(f, "{}{evidence}", if place == 0 { "" } else { "; " })?;
        }
        if self.evidence.is_empty() {
            f.write_str("no season in the history")?;
        }
        if let Some(skill) = self.skill {
            let (error, flat) = (100.0 * skill.error, 100.0 * skill.error_flat);
            write!(
                f,
                ". {}: {} errs by {error:.0} % of the demand, a flat guess by {flat:.0} %",
                skill.verdict, skill.rule
            )?;
        }
        Ok(())
    }
}

/// Finds the seasons of the calendar in values at steps of this length, oldest first.
///
/// Steps must divide a day, or be a day, to have any; the last value is the newest.
pub fn find_seasons(values: &[Option<f64>], step: SignedDuration) -> SeasonReport {
    let seconds = step.as_secs();
    if seconds <= 0 || DAY_SECONDS % seconds != 0 {
        return SeasonReport {
            seasons: SeasonSpec::default(),
            evidence: Vec::new(),
            skill: None,
        };
    }
    let day = usize::try_from(DAY_SECONDS / seconds).unwrap_or(1);
    let mut seasons = SeasonSpec::default();
    let mut evidence = Vec::new();
    let logarithms = logarithms(newest(values, YEARS_MAX * 365 * day));
    if day >= 2 {
        let bins = bins_in(day, DAY_BINS);
        let binned = bins_of(newest(&logarithms, DAYS_MAX * day), day / bins);
        let said = compare(&binned, bins);
        evidence.push(SeasonEvidence::new(
            Some(Season::Day),
            day,
            said,
            values.len() / day,
        ));
        if said.is_some_and(|said| said.found) {
            seasons.day = day;
        }
    }
    let bins = bins_in(day, WEEK_DAY_BINS);
    let binned = bins_of(newest(&logarithms, WEEKS_MAX * 7 * day), day / bins);
    let said = compare(&less_profile(&binned, bins), 7 * bins);
    evidence.push(SeasonEvidence::new(
        Some(Season::Week),
        7 * day,
        said,
        values.len() / (7 * day),
    ));
    if said.is_some_and(|said| said.found) {
        seasons.week = 7 * day;
    }
    let days = bins_of(&logarithms, day);
    let binned = bins_of(&less_profile(&days, 7), YEAR_BIN_DAYS);
    let said = compare(&binned, 365 / YEAR_BIN_DAYS);
    evidence.push(SeasonEvidence::new(
        Some(Season::Year),
        365 * day,
        said,
        values.len() / (365 * day),
    ));
    if said.is_some_and(|said| said.found) {
        seasons.year = 365 * day;
    }
    let bins = bins_in(day, DAY_BINS);
    let plain = bins_of(newest(values, DAYS_MAX * day), day / bins);
    let (ahead, in_day) = if day >= 2 {
        (bins, Some(bins))
    } else {
        (7, None)
    };
    SeasonReport {
        seasons,
        evidence,
        skill: predictability::judge(&plain, ahead, in_day, Some(7 * bins)),
    }
}

/// Finds up to two periods in values whose step length is not known, the longer a multiple of the
/// shorter. The shorter stands in the place of the day, the longer in that of the week.
pub fn find_periods(values: &[Option<f64>]) -> SeasonReport {
    let logarithms = logarithms(newest(values, periods::VALUES_MAX));
    let mut report = SeasonReport {
        seasons: SeasonSpec::default(),
        evidence: Vec::new(),
        skill: None,
    };
    let first = periods::first_period(&logarithms);
    if let Some((steps, said)) = first {
        report.seasons.day = steps;
        let evidence = SeasonEvidence::new(None, steps, Some(said), said.periods);
        report.evidence.push(evidence);
        if let Some((steps, said)) = periods::second_period(&logarithms, steps) {
            report.seasons.week = steps;
            let evidence = SeasonEvidence::new(None, steps, Some(said), said.periods);
            report.evidence.push(evidence);
        }
    }
    let ahead = first.map_or(values.len() / 20, |(steps, _)| steps);
    let week = Some(report.seasons.week).filter(|&week| week > 0);
    if ahead > 0 {
        report.skill = predictability::judge(
            newest(values, periods::VALUES_MAX),
            ahead,
            first.map(|(steps, _)| steps),
            week,
        );
    }
    report
}

/// The last `count` values.
fn newest<T>(values: &[T], count: usize) -> &[T] {
    &values[values.len().saturating_sub(count)..]
}

/// The logarithms of one plus each value in units of the usual one: seasons that multiply become
/// sums, surges count little, and zeros stay finite.
fn logarithms(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut seen: Vec<f64> = values
        .iter()
        .flatten()
        .copied()
        .filter(|&value| value > 0.0)
        .collect();
    let Some(usual) = median(&mut seen) else {
        return vec![None; values.len()];
    };
    values
        .iter()
        .map(|value| value.map(|value| libm::log1p(value / usual)))
        .collect()
}

/// The largest number of equal bins of whole steps in a day that is at most `most`.
fn bins_in(day: usize, most: usize) -> usize {
    (1..=most.min(day))
        .rev()
        .find(|&bins| day.is_multiple_of(bins))
        .unwrap_or(1)
}

/// The means of bins counted back from the end; a bin of which less than half was observed is missing.
fn bins_of(values: &[Option<f64>], steps: usize) -> Vec<Option<f64>> {
    let whole = &values[values.len() % steps..];
    whole
        .chunks(steps)
        .map(|bin| {
            let (sum, seen) = bin
                .iter()
                .flatten()
                .fold((0.0, 0_usize), |(sum, seen), value| (sum + value, seen + 1));
            (2 * seen >= steps && seen > 0).then(|| sum / seen as f64)
        })
        .collect()
}

/// The values without the usual course of a shorter period.
fn less_profile(values: &[Option<f64>], period: usize) -> Vec<Option<f64>> {
    let Some(shape) = profile(values, period) else {
        return values.to_vec();
    };
    let offset = values.len() % period;
    values
        .iter()
        .enumerate()
        .map(|(place, value)| value.map(|value| value - shape[(place + period - offset) % period]))
        .collect()
}

#[cfg(test)]
mod tests;
