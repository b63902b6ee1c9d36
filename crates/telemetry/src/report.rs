//! What was found while reading demand.

use std::fmt;

use fleetcast_series::{DemandKey, Step};
use jiff::Timestamp;

use crate::BadRow;

/// What was found, and mended, while reading demand. Its text form is a few plain lines.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestReport {
    /// Rows (CSV) or samples (Prometheus) that were read, without skipped ones.
    pub rows: u64,
    /// The earliest one.
    pub first: Timestamp,
    /// The latest one.
    pub last: Timestamp,
    /// The step of the series.
    pub step: Step,
    /// How many series there are.
    pub series: usize,
    /// Steps between the first and the last row of each series, all series together.
    pub steps: u64,
    /// Those of them without a value.
    pub missing_steps: u64,
    /// Runs of missing steps.
    pub gaps: u64,
    /// The longest of these runs.
    pub longest_gap: Option<LongestGap>,
    /// Rows for a moment that another row of the same series speaks of, too. The last one counts.
    pub duplicates: u64,
    /// Rows that came after a later one of the same series.
    pub out_of_order: u64,
    /// Rows that did not lie on the grid and were moved to the start of their step.
    pub snapped: u64,
    /// Rows that could not be read.
    pub skipped: Option<SkippedRows>,
    /// Whatever else the reader should know, in sentences without a full stop.
    pub notes: Vec<String>,
}

/// The longest run of missing steps.
#[derive(Clone, Debug, PartialEq)]
pub struct LongestGap {
    /// Where its first step begins.
    pub start: Timestamp,
    /// How many steps it lasts.
    pub steps: u64,
    /// The series it is in.
    pub key: DemandKey,
}

/// Rows that could not be read and were left out, as was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedRows {
    /// How many.
    pub rows: u64,
    /// What was wrong with the first one.
    pub first: BadRow,
}

impl fmt::Display for IngestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} to {}, step {}",
            counted(self.rows, "row"),
            self.first,
            self.last,
            self.step
        )?;
        if self.series > 1 {
            write!(f, ", {} series", self.series)?;
        }
        if let Some(gap) = &self.longest_gap {
            let (missing, steps) = (self.missing_steps, counted(self.steps, "step"));
            write!(
                f,
                "\n{missing} of {steps} missing, in {}; ",
                counted(self.gaps, "gap")
            )?;
            write!(
                f,
                "the longest lasts {} from {}",
                counted(gap.steps, "step"),
                gap.start
            )?;
            if self.series > 1 {
                write!(f, " ({})", gap.key)?;
            }
        }
        let mended = [
            (self.duplicates, "repeated a moment: the last one counts"),
            (self.out_of_order, "out of order: sorted"),
            (
                self.snapped,
                "beside the grid: moved to the start of the step",
            ),
        ];
        for (rows, what) in mended.into_iter().filter(|(rows, _)| *rows > 0) {
            write!(f, "\n{} {what}", counted(rows, "row"))?;
        }
        if let Some(skipped) = &self.skipped {
            write!(
                f,
                "\n{} skipped; the first: {}",
                counted(skipped.rows, "row"),
                skipped.first
            )?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_few_plain_lines() {
        let report = IngestReport {
            rows: 1437,
            first: "2026-03-01T00:00:00Z".parse().unwrap(),
            last: "2026-03-01T23:59:00Z".parse().unwrap(),
            step: Step::MINUTE,
            series: 1,
            steps: 1440,
            missing_steps: 5,
            gaps: 2,
            longest_gap: Some(LongestGap {
                start: "2026-03-01T12:00:00Z".parse().unwrap(),
                steps: 4,
                key: DemandKey::default(),
            }),
            duplicates: 1,
            out_of_order: 2,
            snapped: 0,
            skipped: Some(SkippedRows {
                rows: 1,
                first: BadRow::new(
                    7,
                    "value",
                    "n/a",
                    "is not a number: leave it empty if it is missing",
                ),
            }),
            notes: vec!["12 rows carry no offset: read as UTC".to_string()],
        };
        let expected = "\
            1437 rows, 2026-03-01T00:00:00Z to 2026-03-01T23:59:00Z, step 1 min\n\
            5 of 1440 steps missing, in 2 gaps; the longest lasts 4 steps from 2026-03-01T12:00:00Z\n\
            1 row repeated a moment: the last one counts\n\
            2 rows out of order: sorted\n\
            1 row skipped; the first: line 7, column `value`: `n/a` is not a number: leave it empty if it is missing\n\
            12 rows carry no offset: read as UTC";
        assert_eq!(report.to_string(), expected);
    }
}
