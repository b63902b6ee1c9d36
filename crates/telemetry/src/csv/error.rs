//! What can be wrong with a CSV file.

use std::fmt;
use std::io;

use jiff::Timestamp;

use crate::GridError;
use crate::report::counted;

/// Why a CSV file could not be read as demand.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// There is nothing in it.
    #[error("the file is empty: it needs a header such as `timestamp,value`, and rows below it")]
    Empty,
    /// There is a header only.
    #[error("the file has a header but no rows")]
    NoRows,
    /// Bad rows were skipped, and nothing was left.
    #[error("no row could be read ({} skipped); the first: {first}", counted(*.rows, "row"))]
    OnlyBadRows {
        /// How many were skipped.
        rows: u64,
        /// The first of them.
        first: BadRow,
    },
    /// The first line holds data.
    #[error(
        "line {line} should name the columns, but is `{found}`: put a header such as `timestamp,value` above the first row"
    )]
    NoHeader {
        /// Where.
        line: u64,
        /// The line.
        found: String,
    },
    /// The header lacks a column that is needed.
    #[error("there is no column `{column}` in the header `{found}`{hint}")]
    NoColumn {
        /// The column.
        column: &'static str,
        /// The header.
        found: String,
        /// What may be meant, or nothing.
        hint: String,
    },
    /// The header has a column that is nearly one of ours.
    #[error(
        "the header has a column `{found}`: rename it to `{meant}` if that is what it is, else to something less alike"
    )]
    NearColumn {
        /// The column's name.
        found: String,
        /// The known name that it is like.
        meant: &'static str,
    },
    /// The header has a column twice.
    #[error("the header has the column `{column}` twice: remove one")]
    ColumnTwice {
        /// The column.
        column: &'static str,
    },
    /// A row cannot be read.
    #[error(transparent)]
    Row(#[from] BadRow),
    /// A row comes after a later one, where order was asked for.
    #[error(
        "line {line}: {at} comes after {latest}: sort the rows by time, or do not ask for strict order"
    )]
    OutOfOrder {
        /// Where.
        line: u64,
        /// Its moment.
        at: Timestamp,
        /// The latest moment of the lines above, in the same series.
        latest: Timestamp,
    },
    /// A row does not come one step after the row before it, where that was asked for.
    #[error("line {line}: {at} {problem}")]
    Irregular {
        /// Where.
        line: u64,
        /// Its moment.
        at: Timestamp,
        /// What is wrong, and how to mend it.
        problem: String,
    },
    /// A column with very many different entries was taken for a key.
    #[error(
        "line {line}: more than {max} series: do `interaction_type` and `region` name kinds and regions?"
    )]
    TooManySeries {
        /// Where the first one too many is.
        line: u64,
        /// How many there may be.
        max: usize,
    },
    /// The rows give no regular series.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// It is something else than text.
    #[error("this is not a CSV file but {what}: {mend}")]
    NotCsv {
        /// What it is.
        what: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// A line never ends.
    #[error("line {line} is longer than {max} bytes: is this a CSV file?")]
    LongLine {
        /// Where.
        line: u64,
        /// How long a line may be.
        max: usize,
    },
    /// The gzip data end too early.
    #[error("the gzip file is cut off after {}: copy or download it again", counted(*.rows, "complete row"))]
    GzipCutOff {
        /// Rows that were read.
        rows: u64,
    },
    /// The gzip data are damaged.
    #[error("the gzip file is damaged after {}: copy or download it again", counted(*.rows, "complete row"))]
    GzipDamaged {
        /// Rows that were read.
        rows: u64,
        /// What the decompressor says.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("reading failed after {}", counted(*.rows, "row"))]
    Read {
        /// Rows that were read.
        rows: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl CsvError {
    /// A row that comes so long after the one before it, which is not the step of the rows.
    pub(super) fn irregular(line: u64, at_ms: i64, apart_ms: i64, step_ms: i64) -> Self {
        let problem = if apart_ms == 0 {
            "repeats the row before it: keep one of them".to_string()
        } else if apart_ms < 0 {
            "comes before the row above it: sort the rows by time".to_string()
        } else {
            let (apart, step) = (apart_ms as f64 / 1e3, step_ms as f64 / 1e3);
            let mend = if apart_ms > step_ms {
                "write a row for each step, with an empty value where none is known"
            } else {
                "write rows that are equally far apart"
            };
            format!(
                "is {apart} s after the row before it, and the others are {step} s apart: {mend}"
            )
        };
        Self::Irregular {
            line,
            at: Timestamp::from_millisecond(at_ms).expect("rows are read from timestamps"),
            problem,
        }
    }

    pub(super) fn out_of_order(line: u64, at_ms: i64, latest_ms: i64) -> Self {
        let timestamp =
            |ms| Timestamp::from_millisecond(ms).expect("rows are read from timestamps");
        Self::OutOfOrder {
            line,
            at: timestamp(at_ms),
            latest: timestamp(latest_ms),
        }
    }
}

/// A row that cannot be read: where, what stands there, what is wrong with it and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadRow {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The column's name in the header. `None`: the row as a whole.
    pub column: Option<String>,
    /// What stands there, cut off if it is long.
    pub value: String,
    /// What is wrong, and how to mend it.
    pub problem: String,
}

impl BadRow {
    /// A field that cannot be read.
    pub(crate) fn new(line: u64, column: &str, value: &str, problem: &str) -> Self {
        Self {
            line,
            column: Some(column.to_string()),
            value: cut(value),
            problem: problem.to_string(),
        }
    }

    /// A row that cannot be read.
    pub(super) fn whole(line: u64, text: &[u8], problem: &str) -> Self {
        Self {
            line,
            column: None,
            value: cut(&String::from_utf8_lossy(text)),
            problem: problem.to_string(),
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        if self.value.is_empty() {
            write!(f, ": an empty field {}", self.problem)
        } else {
            write!(f, ": `{}` {}", self.value, self.problem)
        }
    }
}

/// Enough of a field to recognise it.
pub(super) fn cut(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
