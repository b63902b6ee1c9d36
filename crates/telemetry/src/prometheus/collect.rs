//! From the answers of a server to demand.

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_model::{InteractionType, Region};
use fleetcast_series::{Demand, DemandKey, Series, Step};
use jiff::Timestamp;

use super::answer::{Answer, SeriesAnswer};
use super::{PrometheusError, PrometheusQuery};
use crate::IngestReport;
use crate::grid::report_gaps;
use crate::report::counted;

/// The steps that are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Steps {
    /// Where the first one begins, in seconds since 1970-01-01 UTC: a multiple of the step.
    start_s: i64,
    step: Step,
    count: usize,
}

/// The steps of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chunk {
    /// Where the query is evaluated first: at the end of the first step.
    pub first_s: i64,
    /// Where it is evaluated last: at the end of the last step.
    pub last_s: i64,
    pub step: Step,
}

/// Longer ranges are a wrong year or a wrong step: 19 years of minutes.
const STEPS_MAX: u64 = 10_000_000;
/// More series than these are a forgotten `sum(…)`.
const SERIES_MAX: usize = 1000;

impl Steps {
    pub fn new(query: &PrometheusQuery) -> Result<Self, PrometheusError> {
        let PrometheusQuery {
            start, end, step, ..
        } = *query;
        let step_s = i64::from(step.seconds());
        let floor = |moment: Timestamp| moment.as_second() - moment.as_second().rem_euclid(step_s);
        let start_s = floor(start);
        let steps = u64::try_from((floor(end) - start_s) / step_s).unwrap_or(0);
        match steps {
            0 => Err(PrometheusError::EmptyRange { start, end, step }),
            1..=STEPS_MAX => Ok(Self {
                start_s,
                step,
                count: steps as usize,
            }),
            _ => Err(PrometheusError::LongRange {
                steps,
                max: STEPS_MAX,
                step,
            }),
        }
    }

    /// Parts of at most so many steps, which meet.
    pub fn chunks(&self, points: usize) -> Vec<Chunk> {
        let points = points.max(1);
        let end_of = |index: usize| self.moment_s(index + 1);
        let chunk = |first: usize| Chunk {
            first_s: end_of(first),
            last_s: end_of((first + points).min(self.count) - 1),
            step: self.step,
        };
        (0..self.count).step_by(points).map(chunk).collect()
    }

    /// Where a step begins.
    fn moment_s(&self, index: usize) -> i64 {
        self.start_s + index as i64 * i64::from(self.step.seconds())
    }

    fn timestamp(&self, index: usize) -> Timestamp {
        Timestamp::from_second(self.moment_s(index)).expect("the range was given as timestamps")
    }

    /// The step that ends at a moment. `None` if none does.
    fn index_ending_at(&self, moment_s: f64) -> Option<usize> {
        let steps = (moment_s - self.start_s as f64) / f64::from(self.step.seconds());
        let index = steps.round() - 1.0;
        let meets =
            (steps - steps.round()).abs() < 1e-3 && (0.0..self.count as f64).contains(&index);
        meets.then_some(index as usize)
    }
}

type Labels = BTreeMap<String, String>;

/// What the server has answered so far.
pub(super) struct Collected {
    steps: Steps,
    /// Not finite where there is no value.
    readings: BTreeMap<Labels, Vec<f64>>,
    samples: u64,
    not_finite: u64,
    warnings: BTreeSet<String>,
}

impl Collected {
    pub fn new(steps: Steps) -> Self {
        Self {
            steps,
            readings: BTreeMap::new(),
            samples: 0,
            not_finite: 0,
            warnings: BTreeSet::new(),
        }
    }

    pub fn add(&mut self, answer: Answer) -> Result<(), PrometheusError> {
        self.warnings.extend(answer.warnings);
        self.warnings.extend(answer.infos);
        if answer.is_partial {
            self.warnings.insert("the answer is partial".to_string());
        }
        for series in &answer.data.result {
            self.readings.entry(series.metric.clone()).or_default();
        }
        // At once, so that a forgotten sum is noticed in the first answer.
        keys(self.readings.keys())?;
        answer
            .data
            .result
            .into_iter()
            .try_for_each(|series| self.add_series(series))
    }

    fn add_series(&mut self, series: SeriesAnswer) -> Result<(), PrometheusError> {
        if !series.histograms.is_empty() {
            return Err(PrometheusError::Histograms);
        }
        let steps = self.steps;
        let readings = self.readings.entry(series.metric).or_default();
        readings.resize(steps.count, f64::NAN);
        for (moment_s, text) in series.values {
            let Some(index) = steps.index_ending_at(moment_s) else {
                continue;
            };
            self.samples += 1;
            // Prometheus writes NaN, +Inf and -Inf as Rust reads them.
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() && value < 0.0 => {
                    return Err(PrometheusError::Negative {
                        value,
                        at: steps.timestamp(index + 1),
                    });
                }
                Ok(value) if value.is_finite() => readings[index] = value,
                _ => self.not_finite += 1,
            }
        }
        Ok(())
    }

    pub fn finish(
        self,
        query: &PrometheusQuery,
    ) -> Result<(Demand, IngestReport), PrometheusError> {
        let steps = self.steps;
        let observed = |readings: &Vec<f64>| readings.iter().position(|value| value.is_finite());
        let first = self.readings.values().filter_map(observed).min();
        let Some(first) = first else {
            return Err(PrometheusError::Empty {
                start: steps.timestamp(0),
                end: steps.timestamp(steps.count),
            });
        };
        let notes = self.notes(first);
        let keys = keys(self.readings.keys())?;
        let trimmed = |mut readings: Vec<f64>| {
            readings.drain(..first);
            Series::from_readings(steps.timestamp(first), steps.step, readings)
        };
        let series: BTreeMap<DemandKey, Series> = keys
            .into_iter()
            .zip(self.readings.into_values().map(trimmed))
            .collect();
        let demand =
            Demand::new(series, query.value_unit).expect("all readings lie on the same steps");
        let last = (0..demand.len()).rfind(|index| {
            demand
                .iter()
                .any(|(_, series)| series.get(*index).is_some())
        });
        let mut report = IngestReport {
            rows: self.samples,
            first: demand.start(),
            last: steps
                .timestamp(first + last.expect("there is a first value, so there is a last one")),
            step: steps.step,
            series: demand.series_count(),
            steps: 0,
            missing_steps: 0,
            gaps: 0,
            longest_gap: None,
            duplicates: 0,
            out_of_order: 0,
            snapped: 0,
            skipped: None,
            notes,
        };
        for (key, series) in demand.iter() {
            report_gaps(key, series, 0..=series.len() - 1, &mut report);
        }
        Ok((demand, report))
    }

    fn notes(&self, first: usize) -> Vec<String> {
        let mut notes = Vec::new();
        if first > 0 {
            let (begin, wanted) = (self.steps.timestamp(first), self.steps.timestamp(0));
            notes.push(format!(
                "the first sample is of {begin}; {wanted} was asked for"
            ));
        }
        if self.not_finite > 0 {
            notes.push(format!(
                "{} not a finite number: missing",
                counted(self.not_finite, "sample")
            ));
        }
        notes.extend(
            self.warnings
                .iter()
                .map(|warning| format!("the server warns: {warning}")),
        );
        notes
    }
}

/// What each series is about. One series alone may have any labels; several must differ in what they
/// are about, and all must say it.
fn keys<'a>(
    labels: impl ExactSizeIterator<Item = &'a Labels> + Clone,
) -> Result<Vec<DemandKey>, PrometheusError> {
    if labels.len() > SERIES_MAX {
        return Err(PrometheusError::TooManySeries { max: SERIES_MAX });
    }
    let keys = labels.clone().map(key).collect::<Result<Vec<_>, _>>()?;
    let distinct: BTreeSet<_> = keys.iter().collect();
    let says = |key: &DemandKey| (key.interaction_type.is_some(), key.region.is_some());
    let alike = keys.windows(2).all(|pair| says(&pair[0]) == says(&pair[1]));
    if distinct.len() < keys.len() || !alike {
        return Err(PrometheusError::Ambiguous {
            count: keys.len(),
            examples: labels.take(2).map(shown).collect(),
        });
    }
    Ok(keys)
}

fn key(labels: &Labels) -> Result<DemandKey, PrometheusError> {
    let given = |label: &str| labels.get(label).filter(|value| !value.is_empty()).cloned();
    let bad = |label, value, problem| PrometheusError::BadLabel {
        label,
        value,
        problem,
    };
    let mut key = DemandKey::default();
    if let Some(value) = given("interaction_type") {
        let problem = "is not an interaction type: use search, transaction, content_view, api_call or x-…, if need be with `label_replace(…)`";
        let kind = InteractionType::try_from(value.to_ascii_lowercase());
        key.interaction_type = Some(kind.map_err(|_| bad("interaction_type", value, problem))?);
    }
    if let Some(value) = given("region") {
        let problem = "is not a region: use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`";
        key.region = Some(Region::new(&value).map_err(|_| bad("region", value, problem))?);
    }
    Ok(key)
}

/// Labels as Prometheus writes them.
fn shown(labels: &Labels) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", labels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, end: &str, points: usize, expected: &[(i64, i64)]) {
        let query = PrometheusQuery::new(
            "",
            "",
            start.parse().unwrap(),
            end.parse().unwrap(),
            Step::MINUTE,
        );
        let chunks = Steps::new(&query).unwrap().chunks(points);
        let found: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk.first_s / 60, chunk.last_s / 60))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn chunks_meet() {
        check(
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:07:00Z",
            3,
            &[(1, 3), (4, 6), (7, 7)],
        );
        check(
            "1970-01-01T00:00:59Z",
            "1970-01-01T00:06:59Z",
            3,
            &[(1, 3), (4, 6)],
        );
        check("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", 0, &[(2, 2)]);
    }
}
