//! What a persona expects, step by step.

use fleetcast_model::{Persona, Share};
use fleetcast_series::{CalendarError, PersonaCalendar};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::Dates;

/// Windows are told apart by the hour since their start, up to two days.
const HOURS_MAX: i64 = 48;

/// The demand that a persona expects in each step from the first of a history on, through all steps that
/// will be forecast, and which hour of which pattern's window each step lies in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    pub(super) values: Vec<f64>,
    pub(super) windows: Vec<u32>,
    pub(super) confidence: Share,
}

impl Expectation {
    /// Reads a persona for `steps` steps; `per_minute` is what one interaction a minute is in the history's
    /// unit (1 for rates a minute, the step in minutes for counts by step).
    pub fn of(
        persona: &Persona,
        dates: &Dates,
        steps: usize,
        per_minute: f64,
    ) -> Result<Self, CalendarError> {
        let mut calendar = PersonaCalendar::new(persona)?;
        let mut values = vec![0.0; steps];
        let mut windows = vec![0; steps];
        // The pattern that brings most of a step's demand names its window.
        let mut largest = vec![0.0; steps];
        for pattern in 0..calendar.patterns() {
            for occurrence in calendar.occurrences(pattern, dates.at(0), dates.at(steps)) {
                let seconds = dates.step().as_secs().max(1);
                let ahead = |at: jiff::Timestamp| at.duration_since(dates.at(0)).as_secs();
                let first = ahead(occurrence.start).div_euclid(seconds).max(0) as usize;
                let last = (ahead(occurrence.end) + seconds - 1).div_euclid(seconds);
                for step in first..(last.max(0) as usize).min(steps) {
                    let from = dates.at(step);
                    let rate = calendar.expected_rate(pattern, from, from + dates.step());
                    if rate > largest[step] {
                        largest[step] = rate;
                        let hours = from.duration_since(occurrence.start);
                        let hour = (hours.max(SignedDuration::ZERO).as_hours()).min(HOURS_MAX);
                        windows[step] = (pattern as u32 + 1) * 64 + hour as u32;
                    }
                }
            }
            for (step, value) in values.iter_mut().enumerate() {
                let from = dates.at(step);
                *value += per_minute * calendar.expected_rate(pattern, from, from + dates.step());
            }
        }
        let patterns = &persona.engagement_patterns;
        let sure: f64 = patterns
            .iter()
            .map(|pattern| pattern.confidence.get())
            .sum();
        Ok(Self {
            values,
            windows,
            confidence: Share::new(sure / patterns.len().max(1) as f64).unwrap_or(Share::NONE),
        })
    }

    /// The expected demand of a step; the last one's beyond the end.
    pub fn at(&self, step: usize) -> f64 {
        let value = self.values.get(step).or(self.values.last());
        value.copied().unwrap_or(0.0)
    }

    pub(super) fn window(&self, step: usize) -> u32 {
        let window = self.windows.get(step).or(self.windows.last());
        window.copied().unwrap_or(0)
    }
}
