//! The numbers behind a chart over time: a table to read and compact JSON for the pointer.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::bucket::{Bucket, Demand, buckets};
use super::short;
use crate::number::{maybe, quantity};
use crate::result::ChartData;
use crate::time;

/// Most rows of a table behind a chart: more are no help to a reader.
const MOST_ROWS: usize = 300;

/// Table rows, and the heads of their columns.
pub fn point_rows(chart: &ChartData) -> (Vec<String>, Vec<Vec<String>>) {
    let unit = &chart.demand_unit;
    let heads = [
        "time, UTC",
        "demand, mean",
        "demand, most",
        "forecast p05",
        "forecast p50",
        "forecast p95",
        "capacity ready",
        "capacity needed",
        "unserved",
    ];
    let heads = heads.iter().enumerate().map(|(index, head)| {
        if index == 0 {
            (*head).to_owned()
        } else {
            format!("{head} ({unit})")
        }
    });
    let row = |bucket: &Bucket| {
        let demand = |pick: fn(Demand) -> f64| maybe(bucket.demand.map(pick), quantity);
        let t = Timestamp::from_second(bucket.t)
            .map(time::cell)
            .unwrap_or_default();
        vec![
            t,
            demand(|demand| demand.mean),
            demand(|demand| demand.max),
            maybe(bucket.p05, quantity),
            maybe(bucket.p50, quantity),
            maybe(bucket.p95, quantity),
            maybe(bucket.ready.map(|(least, _)| least), quantity),
            maybe(bucket.need, quantity),
            quantity(bucket.unserved),
        ]
    };
    (
        heads.collect(),
        buckets(&chart.points, MOST_ROWS).iter().map(row).collect(),
    )
}

/// What the script shows under the pointer: names, times in seconds, and a list of values per name.
///
/// Holds only numbers and fixed names, so it is safe inside a script element.
pub fn hover_data(chart: &ChartData, most: usize) -> String {
    const NAMES: [&str; 6] = [
        "demand",
        "forecast p50",
        "p95",
        "capacity",
        "needed",
        "unserved",
    ];
    let buckets = buckets(&chart.points, most);
    let start = buckets.first().map_or(0, |bucket| bucket.t);
    let mut out = format!(
        r#"{{"names":["{}"],"start":{start},"t":["#,
        NAMES.join(r#"",""#)
    );
    for (index, bucket) in buckets.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{}", bucket.t - start);
    }
    out += r#"],"v":["#;
    let picks: [fn(&Bucket) -> Option<f64>; 6] = [
        |bucket| bucket.demand.map(|demand| demand.mean),
        |bucket| bucket.p50,
        |bucket| bucket.p95,
        |bucket| bucket.ready.map(|(least, _)| least),
        |bucket| bucket.need,
        |bucket| Some(bucket.unserved),
    ];
    for (index, pick) in picks.iter().enumerate() {
        out += if index == 0 { "[" } else { ",[" };
        for (index, bucket) in buckets.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match pick(bucket) {
                Some(value) if value.abs() >= 100.0 => _ = write!(out, "{comma}{value:.0}"),
                Some(value) => _ = write!(out, "{comma}{}", short(value)),
                None => _ = write!(out, "{comma}null"),
            }
        }
        out.push(']');
    }
    out + "]}"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn hover_data_is_json_without_anything_unknown_as_a_number() {
        for result in [example::result(30), example::degenerate()] {
            let data: serde_json::Value =
                serde_json::from_str(&hover_data(&result.chart, 3000)).unwrap();
            assert_eq!(
                data["v"][0].as_array().unwrap().len(),
                result.chart.points.len()
            );
        }
        assert!(hover_data(&ChartData::default(), 10).contains(r#""t":[]"#));
    }

    #[test]
    fn tables_stay_short() {
        let (heads, rows) = point_rows(&example::result(10).chart);
        assert!(rows.len() <= MOST_ROWS && rows.iter().all(|row| row.len() == heads.len()));
    }
}
