//! Reads recorded use of resources from CSV.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

use super::clock::LocalClock;
use super::error::cut;
use super::header::{Header, split};
use super::lines::Lines;
use super::moment::Moment;
use super::{BadRow, CsvError, CsvOptions};
use crate::report::SkippedRows;

/// A resource as recordings of use name it, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsedResource {
    /// `cpu_cores`: cores that were busy.
    CpuCores,
    /// `memory_gb`: 10⁹ bytes.
    MemoryGb,
    /// `disk_io_ops`: operations a second.
    DiskIoOps,
    /// `network_bandwidth_mbps`: megabits a second.
    NetworkBandwidthMbps,
    /// `storage_gb`: 10⁹ bytes.
    StorageGb,
}

/// All names, in the order of [`UsedResource`].
const RESOURCE_NAMES: [(&str, UsedResource); 5] = [
    ("cpu_cores", UsedResource::CpuCores),
    ("memory_gb", UsedResource::MemoryGb),
    ("disk_io_ops", UsedResource::DiskIoOps),
    ("network_bandwidth_mbps", UsedResource::NetworkBandwidthMbps),
    ("storage_gb", UsedResource::StorageGb),
];

/// One row: what a component used of a resource, over all of its units.
#[derive(Clone, Debug, PartialEq)]
pub struct UseRow {
    /// Its line in the file.
    pub line: u64,
    /// When.
    pub at: Timestamp,
    /// The component, as it is written.
    pub component: String,
    /// The resource.
    pub resource: UsedResource,
    /// The amount, in the unit of the resource's name.
    pub value: f64,
    /// Units that were in service, if the file says.
    pub units: Option<f64>,
}

/// Rows of recorded use, in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UseRows {
    /// The rows with a value.
    pub rows: Vec<UseRow>,
    /// Rows that were left out because they cannot be read, where that was asked for.
    pub skipped: Option<SkippedRows>,
}

/// Reads recorded use from CSV, plain or gzip: `timestamp`, `component`, `resource`, `value` and, if wanted, `units`
/// (in service). Rows with an empty value are left out.
///
/// Delimiters and timestamps are those of [`super::read_csv`]; of `options` the time zone and
/// [`CsvOptions::skip_bad_rows`] count.
pub fn read_usage(reader: impl Read, options: &CsvOptions) -> Result<UseRows, CsvError> {
    let mut lines = Lines::new(reader)?;
    let header = loop {
        let Some((line, text)) = lines.next(0)? else {
            return Err(CsvError::Empty);
        };
        if !text.is_empty() {
            break UseHeader::parse(line, text)?;
        }
    };
    let mut clocks = BTreeMap::new();
    let mut fields = Vec::new();
    let mut found = UseRows::default();
    let mut read = 0;
    while let Some((line, text)) = lines.next(read)? {
        if text.is_empty() {
            continue;
        }
        read += 1;
        match header.read(line, text, options, &mut fields, &mut clocks) {
            Ok(row) => found.rows.extend(row),
            Err(bad) if options.skip_bad_rows => {
                found
                    .skipped
                    .get_or_insert(SkippedRows {
                        rows: 0,
                        first: bad,
                    })
                    .rows += 1;
            }
            Err(bad) => return Err(bad.into()),
        }
    }
    if found.rows.is_empty() {
        return Err(match found.skipped {
            Some(SkippedRows { rows, first }) => CsvError::OnlyBadRows { rows, first },
            None => CsvError::NoRows,
        });
    }
    Ok(found)
}

struct UseHeader {
    columns: Header,
    component: usize,
    resource: usize,
    units: Option<usize>,
}

impl UseHeader {
    fn parse(line: u64, text: &[u8]) -> Result<Self, CsvError> {
        let columns = Header::parse(line, text)?;
        let place = |wanted: &'static str| {
            let mut all = columns.names.iter().enumerate();
            let mut same = all
                .by_ref()
                .filter(|(_, name)| name.eq_ignore_ascii_case(wanted));
            let first = same.next().map(|(place, _)| place);
            if same.next().is_some() {
                return Err(CsvError::ColumnTwice { column: wanted });
            }
            Ok(first)
        };
        let needed = |wanted: &'static str| {
            place(wanted)?.ok_or_else(|| CsvError::NoColumn {
                column: wanted,
                found: cut(&String::from_utf8_lossy(text)),
                hint: "; recorded use needs the columns `timestamp`, `component`, `resource` and `value`"
                    .to_string(),
            })
        };
        Ok(Self {
            component: needed("component")?,
            resource: needed("resource")?,
            units: place("units")?,
            columns,
        })
    }

    fn read(
        &self,
        line: u64,
        text: &[u8],
        options: &CsvOptions,
        fields: &mut Vec<std::ops::Range<usize>>,
        clocks: &mut BTreeMap<(String, UsedResource), LocalClock>,
    ) -> Result<Option<UseRow>, BadRow> {
        let text = str::from_utf8(text)
            .map_err(|_| BadRow::whole(line, text, "is not UTF-8: save the file as UTF-8"))?;
        split(text, self.columns.delimiter, fields).map_err(|()| {
            BadRow::whole(line, text.as_bytes(), "opens a quote and does not close it")
        })?;
        let names = &self.columns.names;
        if fields.len() != names.len() {
            let problem = format!(
                "has {} fields where the header has {}",
                fields.len(),
                names.len()
            );
            return Err(BadRow::whole(line, text.as_bytes(), &problem));
        }
        let field = |column: usize| text[fields[column].clone()].trim();
        let bad = |column: usize, problem: &str| {
            BadRow::new(line, &names[column], field(column), problem)
        };
        let component = field(self.component);
        if component.is_empty() {
            return Err(bad(
                self.component,
                "names no component: write one of the fleet's",
            ));
        }
        let resource = resource(field(self.resource)).ok_or_else(|| {
            bad(
                self.resource,
                "is not a resource: use cpu_cores, memory_gb, disk_io_ops, network_bandwidth_mbps or storage_gb",
            )
        })?;
        let column = self.columns.timestamp;
        let moment = Moment::parse(field(column)).map_err(|problem| bad(column, problem))?;
        let clock = clocks.entry((component.to_string(), resource)).or_default();
        let at_ms = match moment {
            Moment::Instant { ms } => ms,
            Moment::Local { civil, ms } => {
                let second = clock.read(civil, &options.time_zone);
                second.map_err(|problem| bad(column, problem))? * 1_000 + ms
            }
        };
        let at = Timestamp::from_millisecond(at_ms)
            .map_err(|_| bad(column, "is too far from today: check its digits"))?;
        let value = amount(field(self.columns.value))
            .map_err(|problem| bad(self.columns.value, problem))?;
        let units = match self.units {
            Some(column) => amount(field(column)).map_err(|problem| bad(column, problem))?,
            None => None,
        };
        Ok(value.map(|value| UseRow {
            line,
            at,
            component: component.to_string(),
            resource,
            value,
            units,
        }))
    }
}

fn resource(name: &str) -> Option<UsedResource> {
    let known = RESOURCE_NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known));
    known.map(|(_, resource)| *resource)
}

/// A number that is not negative; `None` where nothing stands.
fn amount(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if !value.is_finite() => {
            Err("is not a finite number: leave it empty if the value is missing")
        }
        Ok(value) if value < 0.0 => Err("is negative: use is an amount, 0 or more"),
        Ok(value) if value > 1e15 => {
            Err("is absurdly large: is it in the unit that the resource's name says?")
        }
        Ok(value) => Ok(Some(value)),
        Err(_) => Err("is not a number: write a decimal such as `12.5`, or leave it empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<UseRows, String> {
        read_usage(text.as_bytes(), &CsvOptions::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_are_read_in_any_order_of_columns() {
        let text = "resource;value;component;timestamp;units\n\
            cpu_cores;12.5;web;2026-03-02T00:00:00Z;7\n\
            Memory_GB;;web;2026-03-02T00:00:00Z;7\n\
            memory_gb;40;web;2026-03-02 00:01;\n";
        let found = read(text).unwrap();
        assert_eq!(found.rows.len(), 2);
        let (first, second) = (&found.rows[0], &found.rows[1]);
        assert_eq!(
            (first.resource, first.value, first.units),
            (UsedResource::CpuCores, 12.5, Some(7.0))
        );
        assert_eq!(
            (second.resource, second.units, second.line),
            (UsedResource::MemoryGb, None, 4)
        );
        assert_eq!(second.at.to_string(), "2026-03-02T00:01:00Z");
    }

    #[test]
    fn errors_say_where_what_and_how_to_mend_it() {
        let head = "timestamp,component,resource,value\n";
        let cases = [
            ("", "empty"),
            (head, "no rows"),
            ("timestamp,component,value\n1,a,2\n", "no column `resource`"),
            ("timestamp,resource,value\n1,a,2\n", "no column `component`"),
            (
                &format!("{head}2026-03-02,web,cpu,1\n"),
                "line 2, column `resource`: `cpu` is not a resource: use cpu_cores",
            ),
            (
                &format!("{head}2026-03-02,web,cpu_cores,-1\n"),
                "is negative",
            ),
            (
                &format!("{head}2026-03-02,web,cpu_cores,many\n"),
                "is not a number",
            ),
            (
                &format!("{head}2026-03-02,,cpu_cores,1\n"),
                "names no component",
            ),
            (
                &format!("{head}soon,web,cpu_cores,1\n"),
                "is not a timestamp",
            ),
            (&format!("{head}2026-03-02,web,cpu_cores\n"), "has 3 fields"),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn bad_rows_are_left_out_and_counted_where_that_is_asked_for() {
        let text = "timestamp,component,resource,value\n2026-03-02,web,cpu_cores,x\n2026-03-02,web,cpu_cores,3\n";
        let options = CsvOptions {
            skip_bad_rows: true,
            ..CsvOptions::default()
        };
        let found = read_usage(text.as_bytes(), &options).unwrap();
        assert_eq!(found.rows.len(), 1);
        assert_eq!(found.skipped.map(|skipped| skipped.rows), Some(1));
    }
}
