//! A forecast as data: what `fleetcast forecast --format json` prints, and what its table and its page read.

mod page;
mod text;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

pub use page::forecast_html;
pub use text::forecast_text;

/// A forecast of one series, with what explains it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename = "forecast/v1")]
pub struct ForecastResult {
    /// Where the demand came from: a file name.
    pub source: String,
    /// The model that was asked for.
    pub asked: String,
    /// The model that forecasts: a simpler one where history is too short.
    pub model: String,
    /// The length of a step.
    pub step_seconds: u64,
    /// The zone of local times (IANA name).
    pub time_zone: String,
    /// What a value counts, in words.
    pub unit: String,
    /// Steps of the history.
    pub seen_steps: u64,
    /// Those of them without an observation.
    pub missing_steps: u64,
    /// The levels of all quantiles, rising.
    pub levels: Vec<f64>,
    pub steps: Vec<ForecastStep>,
    /// The highest step of each day, as far as it is forecast.
    pub days: Vec<ForecastDay>,
    /// The end of the history, its last step being the one before the first forecast.
    pub tail: Vec<Option<f64>>,
    /// The models that forecast together, the heaviest first; empty if there is but one.
    pub members: Vec<Member>,
    /// What each step is made of; empty unless that was asked for.
    pub parts: Vec<ForecastParts>,
    /// What speaks for each season and against it, in words; empty unless that was asked for.
    pub seasons: Vec<String>,
    /// How far this demand can be foreseen, in words.
    pub verdict: Option<String>,
    /// Anything the reader must know, one sentence each.
    pub notes: Vec<String>,
}

/// One step that is forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastStep {
    /// Where it begins.
    pub at: Timestamp,
    /// The same by the clock on the wall.
    pub local: DateTime,
    /// The expected demand.
    pub expected: f64,
    /// In the order of the levels.
    pub quantiles: Vec<f64>,
}

/// A local day that is forecast, wholly or in part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastDay {
    pub date: Date,
    /// When it is most likely highest.
    pub highest: DateTime,
    /// Quantiles of its highest step, in the order of the levels.
    pub quantiles: Vec<f64>,
}

/// A model that takes part, with its share of the next step and of the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub model: String,
    pub share_first: f64,
    pub share_last: f64,
}

/// What one step is made of; the parts sum to the expected demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForecastParts {
    pub level: f64,
    pub trend: f64,
    pub day: f64,
    pub week: f64,
    pub year: f64,
    pub events: f64,
    pub persona: f64,
    pub margin: f64,
    pub remainder: f64,
}

impl ForecastParts {
    /// The names of the parts.
    pub const NAMES: [&'static str; 9] = [
        "level",
        "trend",
        "day",
        "week",
        "year",
        "events",
        "persona",
        "margin",
        "remainder",
    ];

    /// The parts in the order of their names.
    pub fn values(&self) -> [f64; 9] {
        [
            self.level,
            self.trend,
            self.day,
            self.week,
            self.year,
            self.events,
            self.persona,
            self.margin,
            self.remainder,
        ]
    }
}

impl ForecastResult {
    /// Which parts are anywhere more than dust.
    pub(crate) fn parts_there(&self) -> Vec<usize> {
        let size = |part: usize| {
            let sizes = self.parts.iter().map(|parts| parts.values()[part].abs());
            sizes.fold(0.0, f64::max)
        };
        let all = (0..ForecastParts::NAMES.len())
            .map(size)
            .fold(0.0, f64::max);
        (0..ForecastParts::NAMES.len())
            .filter(|&part| size(part) > 1e-9 * all)
            .collect()
    }
}

/// A level as it is said: `5 %`.
fn percent_of(level: f64) -> String {
    format!("{} %", crate::chart::short(level * 100.0))
}

#[cfg(test)]
mod example {
    use super::*;
    use jiff::SignedDuration;

    /// Two days by the hour, with two members and three parts.
    pub fn result() -> ForecastResult {
        let start: Timestamp = "2026-03-02T00:00:00Z".parse().expect("a moment");
        let at = |hour: usize| start + SignedDuration::from_hours(hour as i64);
        let expected = |hour: usize| 100.0 + 10.0 * (hour % 24) as f64;
        let local = |hour: usize| at(hour).to_zoned(jiff::tz::TimeZone::UTC).datetime();
        ForecastResult {
            source: "demand.csv".into(),
            asked: "combination".into(),
            model: "combination".into(),
            step_seconds: 3600,
            time_zone: "UTC".into(),
            unit: "interactions a step".into(),
            seen_steps: 672,
            missing_steps: 3,
            levels: vec![0.05, 0.5, 0.95],
            steps: (0..48)
                .map(|hour| ForecastStep {
                    at: at(hour),
                    local: local(hour),
                    expected: expected(hour),
                    quantiles: [0.8, 1.0, 1.2]
                        .map(|factor| factor * expected(hour))
                        .to_vec(),
                })
                .collect(),
            days: [23, 47]
                .map(|hour| ForecastDay {
                    date: local(hour).date(),
                    highest: local(hour),
                    quantiles: vec![290.0, 330.0, 400.0],
                })
                .to_vec(),
            tail: (0..96)
                .map(|hour| (hour != 50).then(|| expected(hour)))
                .collect(),
            members: [("theta_week", 0.75, 0.5), ("level_season_week", 0.25, 0.5)]
                .map(|(model, share_first, share_last)| Member {
                    model: model.into(),
                    share_first,
                    share_last,
                })
                .to_vec(),
            parts: (0..48)
                .map(|hour| ForecastParts {
                    level: 215.0,
                    day: expected(hour) - 215.0 + 5.0,
                    remainder: -5.0,
                    ..ForecastParts::default()
                })
                .collect(),
            seasons: vec!["a day's season explains 80 % of the variation (28 days)".into()],
            verdict: Some("Most of this demand repeats by the day.".into()),
            notes: vec!["3 steps were missing".into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forecast_reads_back_from_json() {
        let result = example::result();
        let json = serde_json::to_string(&result).unwrap();
        assert!(
            json.starts_with(r#"{"schema":"forecast/v1","source":"demand.csv""#),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<ForecastResult>(&json).unwrap(),
            result
        );
    }

    #[test]
    fn parts_that_are_nowhere_are_left_out() {
        assert_eq!(example::result().parts_there(), [0, 2, 8]);
        assert!(ForecastResult::default().parts_there().is_empty());
        assert_eq!(percent_of(0.025), "2.5 %");
    }
}
