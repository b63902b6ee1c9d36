//! The first line of a CSV file.

use std::ops::Range;

use super::error::{BadRow, CsvError, cut};
use super::moment::Moment;

/// Which column is where.
#[derive(Debug)]
pub(super) struct Header {
    pub delimiter: u8,
    /// All columns as they are written.
    pub names: Vec<String>,
    pub timestamp: usize,
    pub value: usize,
    pub observed: Option<usize>,
    pub interaction_type: Option<usize>,
    pub region: Option<usize>,
    /// Columns that mean nothing to us.
    pub ignored: Vec<String>,
}

const TIMESTAMP: &str = "timestamp";
const VALUE: &str = "value";
const KNOWN: [&str; 5] = [TIMESTAMP, VALUE, "observed", "interaction_type", "region"];

/// Names that other tools give the two columns we need: worth a hint, too vague to be taken.
const OTHER_NAMES: [(&str, &[&str]); 2] = [
    (
        TIMESTAMP,
        &[
            "time",
            "date",
            "datetime",
            "date_time",
            "ds",
            "ts",
            "t",
            "day",
            "hour",
            "minute",
            "period",
            "_time",
        ],
    ),
    (
        VALUE,
        &[
            "values", "y", "v", "count", "requests", "sessions", "visits", "volume", "demand",
            "total", "_value",
        ],
    ),
];

impl Header {
    pub fn parse(line: u64, text: &[u8]) -> Result<Self, CsvError> {
        let text = str::from_utf8(text)
            .map_err(|_| BadRow::whole(line, text, "is not UTF-8: save the file as UTF-8"))?;
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .find(|delimiter| text.as_bytes().contains(delimiter));
        let delimiter = delimiter.unwrap_or(b',');
        let mut fields = Vec::new();
        split(text, delimiter, &mut fields).map_err(|()| {
            BadRow::whole(line, text.as_bytes(), "opens a quote and does not close it")
        })?;
        let names: Vec<String> = fields
            .into_iter()
            .map(|field| text[field].trim().to_string())
            .collect();
        if names
            .iter()
            .any(|name| Moment::parse(name).is_ok() || name.parse::<f64>().is_ok())
        {
            return Err(CsvError::NoHeader {
                line,
                found: cut(text),
            });
        }
        let place = |column: &'static str| find_once(&names, column);
        let needed = |column: &'static str| {
            let missing = || CsvError::NoColumn {
                column,
                found: cut(text),
                hint: hint(&names, column),
            };
            place(column)?.ok_or_else(missing)
        };
        let (timestamp, value) = (needed(TIMESTAMP)?, needed(VALUE)?);
        let (observed, interaction_type, region) =
            (place(KNOWN[2])?, place(KNOWN[3])?, place(KNOWN[4])?);
        let ignored: Vec<String> = names
            .iter()
            .filter(|name| !KNOWN.iter().any(|known| is(name, known)))
            .cloned()
            .collect();
        for (column, known) in [
            (observed, KNOWN[2]),
            (interaction_type, KNOWN[3]),
            (region, KNOWN[4]),
        ] {
            let near = ignored
                .iter()
                .find(|name| column.is_none() && near(name, known));
            if let Some(found) = near {
                return Err(CsvError::NearColumn {
                    found: found.clone(),
                    meant: known,
                });
            }
        }
        Ok(Self {
            delimiter,
            timestamp,
            value,
            observed,
            interaction_type,
            region,
            ignored,
            names,
        })
    }
}

/// Finds the fields of a line: without the quotes around them, and `Err` if a quote stays open.
/// Doubled quotes within a field stay doubled; no column of ours has any.
pub(super) fn split(text: &str, delimiter: u8, fields: &mut Vec<Range<usize>>) -> Result<(), ()> {
    let bytes = text.as_bytes();
    fields.clear();
    let mut start = 0;
    loop {
        let end_of = |from: usize| {
            bytes[from..]
                .iter()
                .position(|byte| *byte == delimiter)
                .map(|at| from + at)
        };
        let end = if bytes.get(start) == Some(&b'"') {
            let close = closing_quote(bytes, start + 1).ok_or(())?;
            fields.push(start + 1..close);
            end_of(close)
        } else {
            let end = end_of(start);
            fields.push(start..end.unwrap_or(bytes.len()));
            end
        };
        match end {
            Some(end) => start = end + 1,
            None => return Ok(()),
        }
    }
}

fn closing_quote(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + bytes[from..].iter().position(|byte| *byte == b'"')?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

fn is(name: &str, known: &str) -> bool {
    name.eq_ignore_ascii_case(known)
}

fn near(name: &str, known: &str) -> bool {
    let far = if known.len() < 8 { 1 } else { 2 };
    strsim::damerau_levenshtein(&name.to_ascii_lowercase(), known) <= far
}

fn find_once(names: &[String], column: &'static str) -> Result<Option<usize>, CsvError> {
    let mut places = names
        .iter()
        .enumerate()
        .filter(|(_, name)| is(name, column))
        .map(|(place, _)| place);
    let first = places.next();
    if places.next().is_some() {
        Err(CsvError::ColumnTwice { column })
    } else {
        Ok(first)
    }
}

fn hint(names: &[String], column: &'static str) -> String {
    let others = OTHER_NAMES
        .iter()
        .find(|(known, _)| *known == column)
        .map_or(&[][..], |(_, others)| others);
    let alike = names.iter().find(|name| near(name, column));
    let other = || {
        names
            .iter()
            .find(|name| others.iter().any(|other| is(name, other)))
    };
    match (alike, other()) {
        (Some(name), _) => format!("; did you mean `{column}` by `{name}`?"),
        (None, Some(name)) => format!("; if `{name}` is the {column}, rename it to `{column}`"),
        (None, None) => "; the header needs the columns `timestamp` and `value`".to_string(),
    }
}
