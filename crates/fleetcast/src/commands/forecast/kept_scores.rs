//! The scores of each model by lead, kept as history from one evaluation to the next.

use std::path::Path;

use anyhow::Result;
use fleetcast_forecast::evaluation::LEVELS;
use fleetcast_forecast::{Dates, QuantileForecast, ScoreBook};
use fleetcast_report::{Column, TextStyle, TextTable};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::{self, BadInput};

/// What the file calls itself.
const SCHEMA: &str = "forecast-scores/v1";
/// Rows of the newest entries that are shown.
const SHOWN: usize = 20;

/// All that was kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptScores {
    schema: String,
    /// In the order in which they were first kept.
    entries: Vec<Entry>,
}

/// One model on one series in one evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    series: String,
    model: String,
    step_seconds: u64,
    /// When the first forecast began.
    from: Timestamp,
    /// When the last forecast ended.
    until: Timestamp,
    forecasts: usize,
    /// The sums of each lead in steps.
    scores: ScoreBook,
}

impl Entry {
    /// Starts the scores of a model on a series.
    pub fn new(series: &str, model: &str, dates: &Dates) -> Self {
        Self {
            series: series.to_string(),
            model: model.to_string(),
            step_seconds: dates.step().as_secs().unsigned_abs(),
            from: Timestamp::MAX,
            until: Timestamp::MIN,
            forecasts: 0,
            scores: ScoreBook::new(LEVELS.to_vec()),
        }
    }

    /// Takes in a forecast from a row on, and what was observed from there on.
    pub fn add(
        &mut self,
        dates: &Dates,
        origin: usize,
        forecast: &QuantileForecast,
        observed: &[Option<f64>],
    ) {
        let horizon = forecast.horizon().min(observed.len());
        self.from = self.from.min(dates.at(origin));
        self.until = self.until.max(dates.at(origin + horizon));
        self.forecasts += 1;
        for (step, actual) in observed.iter().take(horizon).enumerate() {
            if let Some(actual) = *actual {
                self.scores.observe(step + 1, forecast.step(step), actual);
            }
        }
    }

    /// Whether it is about the same forecasts, made again.
    fn replaces(&self, other: &Self) -> bool {
        self.series == other.series
            && self.model == other.model
            && self.step_seconds == other.step_seconds
            && (self.from, self.until, self.forecasts) == (other.from, other.until, other.forecasts)
    }
}

impl KeptScores {
    /// Reads the file; none is a history without entries.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self {
                schema: SCHEMA.into(),
                entries: Vec::new(),
            });
        }
        let kept: Self = serde_json::from_str(&files::read(path)?).map_err(|error| {
            let text = format!(
                "{}: not a file of kept scores ({error}): name another file, or move this one away",
                path.display()
            );
            BadInput(text)
        })?;
        if kept.schema != SCHEMA {
            let text = format!(
                "{}: its schema is `{}`, not `{SCHEMA}`: name another file",
                path.display(),
                kept.schema
            );
            return Err(BadInput(text).into());
        }
        Ok(kept)
    }

    /// Adds an entry; the same forecasts made again take the place of the old ones.
    pub fn add(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|old| entry.replaces(old)) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<()> {
        files::write(path, &(serde_json::to_string(self)? + "\n"))
    }

    /// The newest entries: the loss of each model at some leads, by evaluation.
    pub fn text(&self, style: TextStyle) -> String {
        let longest = self
            .entries
            .iter()
            .flat_map(|entry| entry.scores.leads())
            .map(|(lead, _)| lead)
            .max()
            .unwrap_or(1);
        let mut leads = vec![1, longest.div_ceil(4), longest.div_ceil(2), longest];
        leads.dedup();
        let mut columns = vec![
            Column::words("series"),
            Column::words("model"),
            Column::words("from"),
            Column::words("until"),
        ];
        columns.extend(
            leads
                .iter()
                .map(|lead| Column::number(&format!("WQL\nstep {lead}"))),
        );
        let mut table = TextTable::new(columns);
        let from = self.entries.len().saturating_sub(SHOWN);
        for entry in &self.entries[from..] {
            let date = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
            let mut cells = vec![
                entry.series.clone(),
                entry.model.clone(),
                date(entry.from),
                date(entry.until),
            ];
            cells.extend(leads.iter().map(|lead| {
                entry
                    .scores
                    .lead(*lead)
                    .and_then(|score| score.weighted_quantile_loss())
                    .map_or("–".into(), |loss| format!("{loss:.3}"))
            }));
            table.row(cells);
        }
        format!(
            "\nkept scores, {} in all, by how far ahead\n{}",
            self.entries.len(),
            table.render(style)
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn the_same_forecasts_made_again_are_kept_once() {
        let dates = Dates::new(
            Timestamp::UNIX_EPOCH,
            SignedDuration::from_hours(1),
            TimeZone::UTC,
        );
        let forecast = QuantileForecast::new(&LEVELS, vec![1.0; 2 * LEVELS.len()]);
        let entry = |origin| {
            let mut entry = Entry::new("shop", "theta", &dates);
            entry.add(&dates, origin, &forecast, &[Some(1.0), None, Some(9.0)]);
            entry
        };
        let mut kept = KeptScores::read(Path::new("there/is/none.json")).expect("empty");
        [entry(5), entry(5), entry(6)]
            .into_iter()
            .for_each(|one| kept.add(one));
        assert_eq!(kept.entries.len(), 2);
        let score = kept.entries[0].scores.lead(1).expect("a score");
        assert_eq!((score.outcomes, score.pinball_sums[0]), (1, 0.0));
        assert!(kept.entries[0].scores.lead(2).is_none(), "not observed");
    }
}
