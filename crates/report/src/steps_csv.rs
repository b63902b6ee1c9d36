//! The `--steps` file: one row a step, enough for anybody to recompute the bill.

use std::fmt::Write as _;

use jiff::Timestamp;

/// The first line of the file, without its line end.
pub const STEPS_HEADER: &str = "timestamp,demand,forecast_p50,forecast_p95,wanted,ready,pending,cancelled,standby,promoted,unserved,cost_usd,standby_wanted,paid";

/// One step of one policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepRow {
    /// Start of the step.
    pub timestamp: Timestamp,
    /// `None` where nothing was observed.
    pub demand: Option<f64>,
    /// The forecast for this step at the time its capacity had to be ordered.
    pub forecast_p50: Option<f64>,
    pub forecast_p95: Option<f64>,
    /// Units wanted, as decided at the end of this step.
    pub wanted: u64,
    pub ready: u64,
    pub pending: u64,
    /// Units cancelled before they started.
    pub cancelled: u64,
    /// Units in standby, after the promotions of this step.
    pub standby: u64,
    /// Standby units promoted in this step.
    pub promoted: u64,
    pub unserved: f64,
    pub cost_usd: f64,
    /// Units to keep in standby, as decided at the end of this step.
    pub standby_wanted: u64,
    /// Units paid for in full in this step; those of `standby` cost their share.
    pub paid: u64,
}

/// Writes the first line.
pub fn write_header(out: &mut String) {
    out.push_str(STEPS_HEADER);
    out.push('\n');
}

/// Writes one row. Floats take the fewest digits that read back as the same number; what is unknown
/// (or not finite) is empty.
pub fn write_row(out: &mut String, row: &StepRow) {
    let _ = write!(out, "{}", row.timestamp); // A `String` takes everything.
    for value in [row.demand, row.forecast_p50, row.forecast_p95] {
        out.push(',');
        if let Some(value) = value {
            push_float(out, value);
        }
    }
    for value in [
        row.wanted,
        row.ready,
        row.pending,
        row.cancelled,
        row.standby,
        row.promoted,
    ] {
        out.push(',');
        push_integer(out, value);
    }
    for value in [row.unserved, row.cost_usd] {
        out.push(',');
        push_float(out, value);
    }
    for value in [row.standby_wanted, row.paid] {
        out.push(',');
        push_integer(out, value);
    }
    out.push('\n');
}

fn push_float(out: &mut String, value: f64) {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        push_integer(out, value as u64); // Counts are the common case, and three times as fast.
    } else if value.is_finite() {
        let _ = write!(out, "{value:?}");
    }
}

fn push_integer(out: &mut String, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(digits[start..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: &StepRow, expected: &str) {
        let mut out = String::new();
        write_row(&mut out, row);
        assert_eq!(out, expected);
    }

    #[test]
    fn a_row_has_a_field_for_each_head_and_reads_back() {
        let row = StepRow {
            timestamp: "2025-03-04T14:05:00Z".parse().unwrap(),
            demand: Some(12_300.0),
            forecast_p50: Some(0.1 + 0.2),
            forecast_p95: None,
            wanted: 44,
            ready: u64::MAX,
            unserved: 1.5e-9,
            cost_usd: 0.1,
            ..StepRow::default()
        };
        check(
            &row,
            "2025-03-04T14:05:00Z,12300,0.30000000000000004,,44,18446744073709551615,0,0,0,0,1.5e-9,0.1,0,0\n",
        );
        assert_eq!(STEPS_HEADER.split(',').count(), 14);
    }

    #[test]
    fn the_unknown_is_empty() {
        let row = StepRow {
            demand: Some(f64::NAN),
            cost_usd: f64::INFINITY,
            ..StepRow::default()
        };
        check(&row, "1970-01-01T00:00:00Z,,,,0,0,0,0,0,0,0,,0,0\n");
    }
}
