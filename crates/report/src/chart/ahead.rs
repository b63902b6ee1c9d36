//! What is expected beyond the data: the end of the demand, the now-line and the fan.

use std::fmt::Write as _;

use super::bucket::Bucket;
use super::path::{band, line, number};
use super::timeline::paths;
use super::{Layout, Plot, buckets, text, top_of};
use crate::number::quantity;
use crate::result::{ChartData, FanPoint};
use crate::time;

/// The last of the demand and the forecast after it. Empty without a forecast.
pub fn ahead_chart(chart: &ChartData, layout: Layout) -> String {
    let finite = |point: &&FanPoint| {
        [point.p05, point.p50, point.p95]
            .iter()
            .all(|value| value.is_finite())
    };
    let fan: Vec<&FanPoint> = chart.ahead.iter().filter(finite).collect();
    let (Some(first), Some(last)) = (fan.first(), fan.last()) else {
        return String::new();
    };
    let (now, end) = (first.t.as_second(), last.t.as_second());
    let since = now - 2 * (end - now).max(3600);
    let tail: Vec<_> = chart
        .points
        .iter()
        .filter(|point| (since..=now).contains(&point.t.as_second()))
        .cloned()
        .collect();
    let past = buckets(&tail, layout.most_buckets);
    let from = past.first().map_or(now, |bucket| bucket.t);
    let highest = past
        .iter()
        .map(Bucket::highest)
        .chain(fan.iter().map(|point| point.p95))
        .fold(0.0, f64::max);
    let plot = Plot::over_time(layout, from, end, top_of(highest), 0.0);
    let peak = fan
        .iter()
        .max_by(|a, b| a.p95.total_cmp(&b.p95))
        .unwrap_or(first);
    let label = format!(
        "Forecast from {} to {}. At its highest, {}, half of the chance lies above {} and one in twenty above {} {}.",
        time::moment(first.t),
        time::moment(last.t),
        time::moment(peak.t),
        quantity(peak.p50),
        quantity(peak.p95),
        chart.demand_unit,
    );
    let x = |t: i64| plot.x.place(t as f64);
    let y = |value: f64| plot.y.place(value);
    let at = |point: &FanPoint| x(point.t.as_second());
    let layers = [
        (
            "band",
            band(
                fan.iter()
                    .map(|point| (at(point), Some((y(point.p05), y(point.p95))))),
            ),
        ),
        (
            "spread",
            band(past.iter().map(|bucket| {
                (
                    x(bucket.t),
                    bucket.demand.map(|demand| (y(demand.min), y(demand.max))),
                )
            })),
        ),
        (
            "demand",
            line(
                past.iter()
                    .map(|bucket| (x(bucket.t), bucket.demand.map(|demand| y(demand.mean)))),
            ),
        ),
        (
            "median",
            line(fan.iter().map(|point| (at(point), Some(y(point.p50))))),
        ),
    ];
    let mut out = plot.open(&label, "");
    out += &plot.value_axis(&chart.demand_unit);
    out += &plot.time_axis();
    out += &plot.clipped("ahead", &paths(&layers));
    let _ = write!(
        out,
        r#"<path class="now" d="M{} {}V{}"/>"#,
        number(x(now)),
        number(plot.top),
        number(plot.bottom)
    );
    out + &text(
        x(now) + 5.0,
        plot.top + 11.0,
        "start",
        "unit",
        "end of the data",
    ) + "</svg>"
}
