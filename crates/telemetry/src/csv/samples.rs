//! Reads samples from CSV as they stand: one for each row, in the file's order.

use std::io::Read;

use super::header::{Header, split};
use super::lines::Lines;
use super::moment::Moment;
use super::{BadRow, CsvError, parse_observed};

/// One row of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The timestamp as it is written.
    pub written: String,
    /// The same in seconds since 1970-01-01: UTC if it has an offset, else as if it were.
    pub at: i64,
    /// The value; `None` is missing.
    pub value: Option<f64>,
    /// Whether the row is marked as an anomaly, if the file has a column `label`.
    pub label: Option<bool>,
}

const LABEL: &str = "label";

/// Reads samples of any metric from CSV, plain or gzip: one for each row, in the file's order, however
/// uneven the times are, and also where two rows have the same.
///
/// Columns, delimiters and timestamps are those of [`super::read_csv`]; values may be negative, an
/// empty one or `nan` is missing, and a column `label` of 0 and 1 is read too.
pub fn read_samples(reader: impl Read) -> Result<Vec<Sample>, CsvError> {
    let mut lines = Lines::new(reader)?;
    let header = loop {
        let Some((line, text)) = lines.next(0)? else {
            return Err(CsvError::Empty);
        };
        if !text.is_empty() {
            break Header::parse(line, text)?;
        }
    };
    let label = header
        .names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(LABEL));
    let mut samples = Vec::new();
    let mut fields = Vec::new();
    while let Some((line, text)) = lines.next(samples.len() as u64)? {
        if !text.is_empty() {
            samples.push(read_row(line, text, &header, label, &mut fields)?);
        }
    }
    if samples.is_empty() {
        return Err(CsvError::NoRows);
    }
    Ok(samples)
}

fn read_row(
    line: u64,
    text: &[u8],
    header: &Header,
    label: Option<usize>,
    fields: &mut Vec<std::ops::Range<usize>>,
) -> Result<Sample, CsvError> {
    let text = str::from_utf8(text)
        .map_err(|_| BadRow::whole(line, text, "is not UTF-8: save the file as UTF-8"))?;
    split(text, header.delimiter, fields).map_err(|()| {
        BadRow::whole(line, text.as_bytes(), "opens a quote and does not close it")
    })?;
    if fields.len() != header.names.len() {
        let problem = format!(
            "has {} fields where the header has {}",
            fields.len(),
            header.names.len()
        );
        return Err(BadRow::whole(line, text.as_bytes(), &problem).into());
    }
    let field = |column: usize| text[fields[column].clone()].trim();
    let bad = |column: usize, problem: &str| {
        BadRow::new(line, &header.names[column], field(column), problem)
    };
    let written = field(header.timestamp);
    let moment = Moment::parse(written).map_err(|problem| bad(header.timestamp, problem))?;
    let mut value =
        parse_value(field(header.value)).map_err(|problem| bad(header.value, problem))?;
    if let Some(column) = header.observed {
        let observed = parse_observed(field(column)).map_err(|problem| bad(column, problem))?;
        value = value.filter(|_| observed);
    }
    let label = label
        .map(|column| parse_observed(field(column)).map_err(|_| bad(column, NO_LABEL)))
        .transpose()?;
    Ok(Sample {
        written: written.to_string(),
        at: seconds(moment),
        value,
        label,
    })
}

const NO_LABEL: &str = "does not say whether the row is an anomaly: write 1 or 0";

fn seconds(moment: Moment) -> i64 {
    match moment {
        Moment::Instant { ms } => ms.div_euclid(1000),
        Moment::Local { civil, .. } => {
            let epoch = jiff::civil::Date::constant(1970, 1, 1).at(0, 0, 0, 0);
            civil.duration_since(epoch).as_secs()
        }
    }
}

fn parse_value(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        Ok(_) => Err("is not a finite number: leave it empty if the value is missing"),
        Err(_) => Err(
            "is not a number: write a decimal such as `1234.5`, or leave it empty if the value is missing",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Sample>, String> {
        read_samples(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_stay_as_they_are() {
        let text = "timestamp,value\n2014-02-14 14:30:00,-0.5\n2014-02-14 14:30:00,3\n2014-02-14 14:00:00,\n";
        let samples = read(text).unwrap();
        assert_eq!(samples[0].written, "2014-02-14 14:30:00");
        assert_eq!(samples[0].at, 1_392_388_200);
        assert_eq!(samples[1].at, samples[0].at);
        assert_eq!(samples[2].at, samples[0].at - 1800);
        let values: Vec<Option<f64>> = samples.iter().map(|sample| sample.value).collect();
        assert_eq!(values, [Some(-0.5), Some(3.0), None]);
        assert_eq!(samples[0].label, None);
    }

    #[test]
    fn labelled_files_are_read() {
        let text = "\"TimeStamp\",\"Value\",\"Label\"\n\"2018-04-25T00:00:00Z\",\"6034.7\",\"0\"\n2018-04-25T01:00:00+01:00,nan,1\n";
        let samples = read(text).unwrap();
        assert_eq!(samples[0].at, samples[1].at);
        assert_eq!(
            (samples[0].value, samples[0].label),
            (Some(6034.7), Some(false))
        );
        assert_eq!((samples[1].value, samples[1].label), (None, Some(true)));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, expected) in [
            ("", "empty"),
            ("timestamp,value\n", "no rows"),
            ("time,value\n1,2\n", "timestamp"),
            ("timestamp,value\n2014-02-14,x\n", "line 2"),
            ("timestamp,value\nyesterday,1\n", "is not a timestamp"),
            ("timestamp,value\n2014-02-14,inf\n", "finite"),
            (
                "timestamp,value,label\n2014-02-14,1,maybe\n",
                "write 1 or 0",
            ),
            ("timestamp,value\n2014-02-14,1,2\n", "3 fields"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
