//! From rows at any moments to series on one grid.

use std::collections::BTreeMap;

use fleetcast_series::{Demand, DemandError, DemandKey, Gap, Series, Step, ValueUnit};
use jiff::Timestamp;

use crate::IngestReport;
use crate::report::{LongestGap, counted};
use crate::rows::{Row, SortedRows};

/// Why rows give no regular series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// The step can neither be seen nor was it given.
    #[error(
        "each series has a single moment ({at}), so the step between rows cannot be seen: give the step, or add rows"
    )]
    StepNeeded {
        /// The moment of the first row.
        at: Timestamp,
    },
    /// The rows follow one another too fast.
    #[error(
        "the rows are {apart_ms} ms apart, which is less than a step of one second: add up the rows of each second first, or give the step"
    )]
    TooFine {
        /// The median difference of neighbouring rows.
        apart_ms: i64,
    },
    /// Nearly all steps would be missing.
    #[error(
        "{rows} rows from {first} (line {first_line}) to {last} (line {last_line}) would be {steps} steps of {step}, nearly all of them missing: mend the timestamp of the wrong line, or give a coarser step"
    )]
    TooSparse {
        /// How many rows there are.
        rows: u64,
        /// The earliest moment.
        first: Timestamp,
        /// Where it stands.
        first_line: u64,
        /// The latest moment.
        last: Timestamp,
        /// Where it stands.
        last_line: u64,
        /// How many steps the series would have.
        steps: u64,
        /// The step.
        step: Step,
    },
    /// The series do not fit together.
    #[error(transparent)]
    Demand(#[from] DemandError),
}

/// How rows are laid out on a grid.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GridOptions {
    /// The step of the rows. `None`: the median difference of neighbouring rows.
    pub step: Option<Step>,
    /// Keeps steps finer than a minute.
    pub keep_fine: bool,
    pub unit: ValueUnit,
}

/// Series may be up to so many steps long however few rows there are: two years of minutes …
const STEPS_ALWAYS_ALLOWED: u64 = 1_100_000;
/// … and beyond that have up to so many steps for each row,
const STEPS_PER_ROW_MAX: u64 = 100;
/// but never more than these in all (800 MB).
const STEPS_MAX: u64 = 100_000_000;

/// Puts each row into its step, and reports what was found. There must be at least one series.
pub(crate) fn lay_out(
    rows: BTreeMap<DemandKey, SortedRows>,
    options: GridOptions,
) -> Result<(Demand, IngestReport), GridError> {
    let spacing = Spacing::of(rows.values());
    let grid = Grid::choose(&rows, &spacing, options)?;
    let mut report = empty_report(&rows, &spacing, &grid);
    report.notes.extend(grid.note(options));
    let mut series = BTreeMap::new();
    for (key, rows) in rows {
        let filled = grid.fill(&rows, &mut report);
        report_gaps(
            &key,
            &filled,
            grid.index(rows.first.0)..=grid.index(rows.last.0),
            &mut report,
        );
        series.insert(key, filled);
    }
    Ok((
        Demand::new(series, options.unit)?.counted_over(grid.counted_over),
        report,
    ))
}

/// How far neighbouring rows are apart.
struct Spacing {
    /// How often each difference occurs, in all series.
    differences_ms: BTreeMap<i64, u64>,
    /// Rows for a moment which another row of the same series speaks of, too.
    duplicates: u64,
}

impl Spacing {
    fn of<'a>(series: impl Iterator<Item = &'a SortedRows>) -> Self {
        let mut spacing = Self {
            differences_ms: BTreeMap::new(),
            duplicates: 0,
        };
        for rows in series {
            let (mut last, mut distinct) = (None, 0);
            let mut run = (0, 0);
            for row in rows.iter() {
                distinct += 1;
                if let Some(last) = last.replace(row.at_ms) {
                    let difference = row.at_ms - last;
                    if difference == run.0 {
                        run.1 += 1;
                    } else {
                        spacing.count(run);
                        run = (difference, 1);
                    }
                }
            }
            spacing.count(run);
            spacing.duplicates += rows.rows - distinct;
        }
        spacing
    }

    fn count(&mut self, (difference, times): (i64, u64)) {
        if times > 0 {
            *self.differences_ms.entry(difference).or_default() += times;
        }
    }

    /// The median, for an even number the mean of the middle two, as pandas computes it.
    fn median_ms(&self) -> Option<i64> {
        let count: u64 = self.differences_ms.values().sum();
        let nth = |n: u64| {
            let mut seen = 0;
            self.differences_ms.iter().find_map(|(difference, times)| {
                seen += times;
                (seen > n).then_some(*difference)
            })
        };
        Some((nth(count.checked_sub(1)? / 2)? + nth(count / 2)?) / 2)
    }
}

/// Where the steps begin, and how rows become values.
struct Grid {
    origin_ms: i64,
    step: Step,
    len: usize,
    /// Rows in a step where none is missing: more than one when rows are averaged.
    rows_per_step: f64,
    /// What a count counts over: the distance of the rows.
    counted_over: Step,
}

impl Grid {
    fn choose(
        rows: &BTreeMap<DemandKey, SortedRows>,
        spacing: &Spacing,
        options: GridOptions,
    ) -> Result<Self, GridError> {
        let first = rows
            .values()
            .map(|rows| rows.first)
            .min()
            .expect("there is a series");
        let last = rows
            .values()
            .map(|rows| rows.last)
            .max()
            .expect("there is a series");
        let median_ms = spacing.median_ms();
        let rows_step = match (options.step, median_ms) {
            (Some(step), _) => step,
            (None, Some(apart_ms)) => {
                whole_seconds(apart_ms).ok_or(GridError::TooFine { apart_ms })?
            }
            (None, None) => {
                return Err(GridError::StepNeeded {
                    at: timestamp(first.0),
                });
            }
        };
        let step = if options.keep_fine {
            rows_step
        } else {
            rows_step.max(Step::MINUTE)
        };
        let apart_ms = median_ms.unwrap_or(i64::MAX).min(step_ms(rows_step));
        let rows_per_step = step_ms(step) as f64 / apart_ms as f64;
        // Jitter and rounding to whole seconds never reach this; the next possible ratio is 2.
        let averages = rows_per_step >= 1.5;
        let phase_ms = if averages {
            0
        } else {
            commonest_phase_ms(rows.values(), step)
        };
        let origin_ms = first.0 - (first.0 - phase_ms).rem_euclid(step_ms(step));
        let steps = (last.0 - origin_ms) as u64 / step_ms(step) as u64 + 1;
        let count: u64 = rows.values().map(|rows| rows.rows).sum();
        let all_steps = steps.saturating_mul(rows.len() as u64);
        let sparse = all_steps > STEPS_ALWAYS_ALLOWED.max(count.saturating_mul(STEPS_PER_ROW_MAX));
        if sparse || all_steps > STEPS_MAX {
            return Err(GridError::TooSparse {
                rows: count,
                first: timestamp(first.0),
                first_line: first.1,
                last: timestamp(last.0),
                last_line: last.1,
                steps,
                step,
            });
        }
        let counted_over = if averages {
            whole_seconds(apart_ms).unwrap_or(Step::SECOND)
        } else {
            step
        };
        let rows_per_step = if averages { rows_per_step } else { 1.0 };
        Ok(Self {
            origin_ms,
            step,
            len: steps as usize,
            rows_per_step,
            counted_over,
        })
    }

    fn averages(&self) -> bool {
        self.rows_per_step > 1.0
    }

    fn index(&self, at_ms: i64) -> usize {
        ((at_ms - self.origin_ms) / step_ms(self.step)) as usize
    }

    /// The mean of the rows in each step; a step with less than half of its rows is missing.
    fn fill(&self, rows: &SortedRows, report: &mut IngestReport) -> Series {
        let mut values = vec![f64::NAN; self.len];
        let mut open = Bin::default();
        let mut merged = 0;
        for row in rows.iter() {
            let index = self.index(row.at_ms);
            if index == open.index {
                merged += u64::from(open.rows > 0);
            } else {
                values[open.index] = open.mean(self.rows_per_step);
                open = Bin {
                    index,
                    ..Bin::default()
                };
            }
            open.add(row);
            if !self.averages() && (row.at_ms - self.origin_ms) % step_ms(self.step) != 0 {
                report.snapped += 1;
            }
        }
        values[open.index] = open.mean(self.rows_per_step);
        if merged > 0 && !self.averages() {
            let rows = counted(merged, "row");
            report.notes.push(format!(
                "{rows} beside the grid fell into a step that had one: the step's mean is kept"
            ));
        }
        Series::from_readings(timestamp(self.origin_ms), self.step, values)
    }

    /// What the reader should know about the step.
    fn note(&self, options: GridOptions) -> Option<String> {
        if !self.averages() {
            return None;
        }
        let (apart, step) = (self.counted_over, self.step);
        let counts = match options.unit {
            ValueUnit::PerStep => format!("; each value still counts {apart}"),
            ValueUnit::PerMinute | ValueUnit::PerSecond => String::new(),
        };
        Some(format!(
            "rows are {apart} apart: the mean of each {step} is kept{counts}"
        ))
    }
}

/// The rows of one step.
#[derive(Default)]
struct Bin {
    index: usize,
    rows: u64,
    sum: f64,
    present: u64,
}

impl Bin {
    fn add(&mut self, row: Row) {
        self.rows += 1;
        if let Some(value) = row.value {
            self.sum += value;
            self.present += 1;
        }
    }

    fn mean(&self, rows_per_step: f64) -> f64 {
        let present = self.present as f64;
        if self.present > 0 && present * 2.0 >= rows_per_step {
            self.sum / present
        } else {
            f64::NAN
        }
    }
}

/// Where within a step most rows lie, so that a source which reports at half past the hour keeps
/// its moments; the earliest place where several are equal.
fn commonest_phase_ms<'a>(series: impl Iterator<Item = &'a SortedRows>, step: Step) -> i64 {
    let mut places: BTreeMap<i64, u64> = BTreeMap::new();
    for row in series.flat_map(SortedRows::iter) {
        let second = row.at_ms.div_euclid(1000);
        *places
            .entry(second.rem_euclid(i64::from(step.seconds())))
            .or_default() += 1;
    }
    let commonest = places
        .into_iter()
        .max_by_key(|(place, rows)| (*rows, -place));
    commonest.map_or(0, |(place, _)| place * 1000)
}

fn empty_report(
    rows: &BTreeMap<DemandKey, SortedRows>,
    spacing: &Spacing,
    grid: &Grid,
) -> IngestReport {
    IngestReport {
        rows: rows.values().map(|rows| rows.rows).sum(),
        first: timestamp(
            rows.values()
                .map(|rows| rows.first.0)
                .min()
                .expect("there is a series"),
        ),
        last: timestamp(
            rows.values()
                .map(|rows| rows.last.0)
                .max()
                .expect("there is a series"),
        ),
        step: grid.step,
        series: rows.len(),
        steps: 0,
        missing_steps: 0,
        gaps: 0,
        longest_gap: None,
        duplicates: spacing.duplicates,
        out_of_order: 0,
        snapped: 0,
        skipped: None,
        notes: Vec::new(),
    }
}

/// Adds the missing steps of one series between its first and last row.
pub(crate) fn report_gaps(
    key: &DemandKey,
    series: &Series,
    span: std::ops::RangeInclusive<usize>,
    report: &mut IngestReport,
) {
    let (first, last) = (*span.start(), *span.end());
    let mut open: Option<Gap> = None;
    // One more step than there are, so that a gap at the end is closed, too.
    for index in first..=last + 1 {
        if index <= last && series.get(index).is_none() {
            let begun = open.unwrap_or(Gap { index, steps: 0 });
            open = Some(Gap {
                steps: begun.steps + 1,
                ..begun
            });
        } else if let Some(gap) = open.take() {
            let steps = gap.steps as u64;
            report.gaps += 1;
            report.missing_steps += steps;
            if report
                .longest_gap
                .as_ref()
                .is_none_or(|longest| longest.steps < steps)
            {
                report.longest_gap = Some(LongestGap {
                    start: series.timestamp(gap.index),
                    steps,
                    key: key.clone(),
                });
            }
        }
    }
    report.steps += (last - first + 1) as u64;
}

fn step_ms(step: Step) -> i64 {
    i64::from(step.seconds()) * 1000
}

fn whole_seconds(ms: i64) -> Option<Step> {
    Step::from_seconds(u32::try_from((ms + 500) / 1000).ok()?)
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("rows are read from timestamps, so they are in range")
}
