//! Reads demand from CSV.

mod clock;
mod error;
mod header;
mod lines;
mod moment;
mod pace;
mod samples;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use fleetcast_model::{InteractionType, Region};
use fleetcast_series::{Demand, DemandKey, Step, ValueUnit};
use jiff::tz::TimeZone;

use self::clock::LocalClock;
pub use self::error::{BadRow, CsvError};
use self::header::{Header, split};
use self::lines::Lines;
use self::moment::Moment;
use self::pace::Pace;
pub use self::samples::{Sample, read_samples};
pub use self::usage::{UseRow, UseRows, UsedResource, read_usage};
use crate::grid::{GridOptions, lay_out};
use crate::report::{IngestReport, SkippedRows, counted};
use crate::rows::{Row, RowLog};

/// How a CSV file is to be read.
#[derive(Clone, Debug)]
pub struct CsvOptions {
    /// The zone of timestamps without an offset. UTC by default.
    pub time_zone: TimeZone,
    /// The step of the rows. By default the median difference of neighbouring rows.
    pub step: Option<Step>,
    /// Keeps steps finer than a minute instead of averaging them to a minute.
    pub keep_fine: bool,
    /// Leaves out rows that cannot be read, and reports them, instead of failing at the first.
    pub skip_bad_rows: bool,
    /// Fails at a row that comes after a later one of the same series.
    pub strict_order: bool,
    /// Fails at a row that does not come one step after the row before it in its series, so that rows
    /// can be told by their numbers.
    pub regular: bool,
    /// Keeps values that were filled in by the file's own account (`observed` is 0).
    pub keep_unobserved: bool,
    /// What the values count.
    pub value_unit: ValueUnit,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            step: None,
            keep_fine: false,
            skip_bad_rows: false,
            strict_order: false,
            regular: false,
            keep_unobserved: false,
            value_unit: ValueUnit::default(),
        }
    }
}

/// More series than this are a column read by mistake, such as a user's id.
const SERIES_MAX: usize = 1000;

/// Reads demand from CSV, plain or gzip.
///
/// The first line names the columns, in any order and case: `timestamp`, `value`, and if wanted
/// `observed` (0: the value is filled in and counts as missing), `interaction_type` and `region`.
/// Other columns are not read. Fields are divided by commas, semicolons or tabs.
///
/// - A timestamp is RFC 3339 (`2026-03-29T12:00:00+02:00`), the same without an offset
///   (`2026-03-29 12:00`, a date alone is its midnight), which is read in
///   [`CsvOptions::time_zone`], or Unix seconds or milliseconds (from 10¹¹ on). When clocks go
///   back, the repeated hour is told apart by the order of the rows; an hour that clocks skip is
///   a bad row.
/// - A value is a decimal number, finite and not negative. An empty one is missing.
/// - Of rows for the same series and moment the last one counts. Order does not matter.
/// - Steps finer than a minute are averaged to a minute unless [`CsvOptions::keep_fine`]; a minute
///   with less than half of its rows is missing. Counts stay counts of the finer step, and
///   [`Demand::per_minute`] knows.
///
/// Memory is bounded by the series, not by the file: about 2 to 9 bytes a row.
pub fn read_csv(
    reader: impl Read,
    options: &CsvOptions,
) -> Result<(Demand, IngestReport), CsvError> {
    let mut lines = Lines::new(reader)?;
    let header = loop {
        let Some((line, text)) = lines.next(0)? else {
            return Err(CsvError::Empty);
        };
        if !text.is_empty() {
            break Header::parse(line, text)?;
        }
    };
    let mut collector = Collector::new(header, options);
    while let Some((line, text)) = lines.next(collector.rows)? {
        if !text.is_empty() {
            collector.read(line, text)?;
        }
    }
    drop(lines);
    collector.finish()
}

/// Rows by series, and what was found so far.
struct Collector<'o> {
    header: Header,
    options: &'o CsvOptions,
    series: Vec<OneSeries>,
    /// Which series the two key fields of a row mean, as they are written.
    written_keys: HashMap<String, usize>,
    /// Reused for each row: the key fields as written.
    written: String,
    /// Reused for each row: where its fields lie.
    fields: Vec<std::ops::Range<usize>>,
    rows: u64,
    out_of_order: u64,
    not_observed: u64,
    without_offset: u64,
    skipped: Option<SkippedRows>,
}

struct OneSeries {
    key: DemandKey,
    rows: RowLog,
    clock: LocalClock,
    pace: Pace,
}

impl<'o> Collector<'o> {
    fn new(header: Header, options: &'o CsvOptions) -> Self {
        Self {
            header,
            options,
            series: Vec::new(),
            written_keys: HashMap::new(),
            written: String::new(),
            fields: Vec::new(),
            rows: 0,
            out_of_order: 0,
            not_observed: 0,
            without_offset: 0,
            skipped: None,
        }
    }

    fn read(&mut self, line: u64, text: &[u8]) -> Result<(), CsvError> {
        match self.read_row(line, text) {
            Err(CsvError::Row(bad)) if self.options.skip_bad_rows => {
                self.skipped
                    .get_or_insert(SkippedRows {
                        rows: 0,
                        first: bad,
                    })
                    .rows += 1;
                Ok(())
            }
            other => other,
        }
    }

    fn read_row(&mut self, line: u64, text: &[u8]) -> Result<(), CsvError> {
        let text = str::from_utf8(text)
            .map_err(|_| BadRow::whole(line, text, "is not UTF-8: save the file as UTF-8"))?;
        split(text, self.header.delimiter, &mut self.fields).map_err(|()| {
            BadRow::whole(line, text.as_bytes(), "opens a quote and does not close it")
        })?;
        if self.fields.len() != self.header.names.len() {
            return Err(self.wrong_width(line, text).into());
        }
        let field = |column: usize| text[self.fields[column].clone()].trim();
        let bad = |column: usize, problem: &str| {
            BadRow::new(line, &self.header.names[column], field(column), problem)
        };

        let column = self.header.timestamp;
        let moment = Moment::parse(field(column)).map_err(|problem| bad(column, problem))?;
        let column = self.header.value;
        let mut value = parse_value(field(column)).map_err(|problem| bad(column, problem))?;
        if let Some(column) = self.header.observed {
            let observed = parse_observed(field(column)).map_err(|problem| bad(column, problem))?;
            if !self.options.keep_unobserved {
                self.not_observed += u64::from(!observed && value.is_some());
                value = value.filter(|_| observed);
            }
        }

        self.written.clear();
        for column in [self.header.interaction_type, self.header.region] {
            self.written.push_str(column.map_or("", field));
            self.written.push('\n');
        }
        let index = match self.written_keys.get(&self.written) {
            Some(index) => *index,
            None => self.new_key(line, text)?,
        };
        let OneSeries {
            rows, clock, pace, ..
        } = &mut self.series[index];
        let at_ms = match moment {
            Moment::Instant { ms } => ms,
            Moment::Local { civil, ms } => {
                self.without_offset += 1;
                let second = clock
                    .read(civil, &self.options.time_zone)
                    .map_err(|problem| {
                        let column = self.header.timestamp;
                        BadRow::new(
                            line,
                            &self.header.names[column],
                            text[self.fields[column].clone()].trim(),
                            problem,
                        )
                    })?;
                second * 1000 + ms
            }
        };
        if self.options.regular {
            pace.follow(line, at_ms)?;
        }
        if let Some(latest) = rows.latest_ms().filter(|latest| at_ms < *latest) {
            if self.options.strict_order {
                return Err(CsvError::out_of_order(line, at_ms, latest));
            }
            self.out_of_order += 1;
        }
        rows.push(Row { at_ms, value }, line);
        self.rows += 1;
        Ok(())
    }

    /// The series of key fields that were not seen before, as they are written.
    fn new_key(&mut self, line: u64, text: &str) -> Result<usize, CsvError> {
        let field = |column: usize| text[self.fields[column].clone()].trim();
        let bad = |column: usize, problem: &str| {
            BadRow::new(line, &self.header.names[column], field(column), problem)
        };
        let given = |column: Option<usize>| column.filter(|column| !field(*column).is_empty());
        let mut key = DemandKey::default();
        if let Some(column) = given(self.header.interaction_type) {
            let kind = InteractionType::try_from(field(column).to_ascii_lowercase());
            let problem = "is not an interaction type: use search, transaction, content_view, api_call, or a name of your own that starts with `x-`";
            key.interaction_type = Some(kind.map_err(|_| bad(column, problem))?);
        }
        if let Some(column) = given(self.header.region) {
            let problem =
                "is not a region: use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`";
            key.region = Some(Region::new(field(column)).map_err(|_| bad(column, problem))?);
        }
        let index = match self.series.iter().position(|series| series.key == key) {
            Some(index) => index,
            None if self.series.len() == SERIES_MAX => {
                return Err(CsvError::TooManySeries {
                    line,
                    max: SERIES_MAX,
                });
            }
            None => {
                self.series.push(OneSeries {
                    key,
                    rows: RowLog::default(),
                    clock: LocalClock::default(),
                    pace: Pace::new(self.options.step),
                });
                self.series.len() - 1
            }
        };
        self.written_keys.insert(self.written.clone(), index);
        Ok(index)
    }

    fn wrong_width(&self, line: u64, text: &str) -> BadRow {
        let (found, wanted) = (self.fields.len(), self.header.names.len());
        let mend = if found > wanted {
            "write decimals with a point, and put fields that hold a delimiter in double quotes"
        } else {
            "write nothing between two delimiters for an empty field"
        };
        let problem = format!(
            "has {} where the header has {wanted}: {mend}",
            counted(found as u64, "field")
        );
        BadRow::whole(line, text.as_bytes(), &problem)
    }

    fn finish(self) -> Result<(Demand, IngestReport), CsvError> {
        let mut notes = self.notes();
        // A key whose only rows were bad has none.
        let rows: BTreeMap<_, _> = self
            .series
            .into_iter()
            .filter_map(|series| Some((series.key, series.rows.sort()?)))
            .collect();
        if rows.is_empty() {
            return Err(self
                .skipped
                .map_or(CsvError::NoRows, |skipped| CsvError::OnlyBadRows {
                    rows: skipped.rows,
                    first: skipped.first,
                }));
        }
        let options = self.options;
        let grid = GridOptions {
            step: options.step,
            keep_fine: options.keep_fine,
            unit: options.value_unit,
        };
        let (demand, mut report) = lay_out(rows, grid)?;
        if report.duplicates > 0 && !self.header.ignored.is_empty() {
            notes.push("rows which differ in a column that is not read repeat the same moment: add them up first".into());
        }
        report.out_of_order = self.out_of_order;
        report.skipped = self.skipped;
        report.notes.append(&mut notes);
        Ok((demand, report))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.without_offset > 0 {
            let zone = self
                .options
                .time_zone
                .iana_name()
                .unwrap_or("the given time zone");
            notes.push(format!(
                "{} without an offset: read in {zone}",
                counted(self.without_offset, "timestamp")
            ));
        }
        if self.not_observed > 0 {
            notes.push(format!(
                "{} not observed by the file's own account: missing",
                counted(self.not_observed, "value")
            ));
        }
        if !self.header.ignored.is_empty() {
            notes.push(format!(
                "columns that were not read: `{}`",
                self.header.ignored.join("`, `")
            ));
        }
        notes
    }
}

fn parse_value(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value.abs())), // -0 is 0.
        Ok(value) if value < 0.0 => Err(
            "is negative, which demand cannot be: correct it, or leave it empty if it is missing",
        ),
        Ok(_) => Err("is not a finite number: leave it empty if the value is missing"),
        Err(_) => Err(
            "is not a number: write a decimal such as `1234.5`, or leave it empty if the value is missing",
        ),
    }
}

fn parse_observed(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        other if other.eq_ignore_ascii_case("true") => Ok(true),
        other if other.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("does not say whether the value was observed: write 1 or 0"),
    }
}

#[cfg(test)]
mod tests;
