//! Demand, forecast and capacity over time; and capacity against the capacity that was needed.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::bucket::{Bucket, end_of};
use super::path::{band, line, number, steps};
use super::{Layout, Plot, buckets, text, top_of};
use crate::number::quantity;
use crate::result::{ChartData, WorstMoment};
use crate::time;

/// Height of the strip under the plot that shows where demand went unserved.
const STRIP: f64 = 20.0;

/// What is marked on a chart over time besides its series.
#[derive(Clone, Debug, Default)]
pub struct Timeline<'a> {
    /// Unique on the page.
    pub id: String,
    pub title: &'a str,
    /// Scoring begins here; what lies before is shaded.
    pub scored_from: Option<Timestamp>,
    /// Moments to number, worst first.
    pub numbered: &'a [WorstMoment],
    /// The one moment this chart is about: shaded, with the last time to order for it.
    pub moment: Option<&'a WorstMoment>,
}

/// Demand with its spread, the forecast band, and ready capacity. Empty without points.
pub fn demand_chart(chart: &ChartData, marks: &Timeline<'_>, layout: Layout) -> String {
    draw(chart, marks, layout, |plot, buckets, end| {
        let x = |bucket: &Bucket| plot.x.place(bucket.t as f64);
        let y = |value: f64| plot.y.place(value);
        let of = |pick: fn(&Bucket) -> Option<f64>| {
            buckets
                .iter()
                .map(move |bucket| (x(bucket), pick(bucket).map(y)))
        };
        let spread = |pick: fn(&Bucket) -> Option<(f64, f64)>| {
            band(
                buckets
                    .iter()
                    .map(|bucket| (x(bucket), pick(bucket).map(|(low, high)| (y(low), y(high))))),
            )
        };
        let layers = [
            (
                "band",
                spread(|bucket| Some((bucket.p05.or(bucket.p50)?, bucket.p95?))),
            ),
            (
                "spread",
                spread(|bucket| bucket.demand.map(|demand| (demand.min, demand.max))),
            ),
            (
                "ready",
                steps(
                    of(|bucket| bucket.ready.map(|(least, _)| least)),
                    plot.x.place(end as f64),
                ),
            ),
            (
                "demand",
                line(of(|bucket| bucket.demand.map(|demand| demand.mean))),
            ),
            ("median", line(of(|bucket| bucket.p50))),
        ];
        paths(&layers)
    })
}

/// Ready capacity against the least that would have carried the demand. Empty without points.
pub fn need_chart(chart: &ChartData, marks: &Timeline<'_>, layout: Layout) -> String {
    draw(chart, marks, layout, |plot, buckets, end| {
        let end = plot.x.place(end as f64);
        let of = |pick: fn(&Bucket) -> Option<f64>| {
            buckets.iter().map(move |bucket| {
                (
                    plot.x.place(bucket.t as f64),
                    pick(bucket).map(|value| plot.y.place(value)),
                )
            })
        };
        let ends = buckets
            .iter()
            .skip(1)
            .map(|bucket| plot.x.place(bucket.t as f64))
            .chain([end]);
        let idle = buckets.iter().zip(ends).flat_map(|(bucket, end)| {
            let bounds = bucket
                .need
                .zip(bucket.ready)
                .filter(|(need, (least, _))| least > need);
            let bounds = bounds.map(|(need, (least, _))| (plot.y.place(need), plot.y.place(least)));
            [(plot.x.place(bucket.t as f64), bounds), (end, bounds)]
        });
        let layers = [
            ("idle", band(idle)),
            (
                "ready",
                steps(of(|bucket| bucket.ready.map(|(least, _)| least)), end),
            ),
            ("need", steps(of(|bucket| bucket.need), end)),
        ];
        paths(&layers)
    })
}

/// Layers of a chart, lowest first, each a class and its path data.
pub fn paths(layers: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (class, data) in layers.iter().filter(|(_, data)| !data.is_empty()) {
        let _ = write!(out, r#"<path class="{class}" d="{data}"/>"#);
    }
    out
}

fn draw(
    chart: &ChartData,
    marks: &Timeline<'_>,
    layout: Layout,
    series: impl Fn(&Plot, &[Bucket], i64) -> String,
) -> String {
    let buckets = buckets(&chart.points, layout.most_buckets);
    let Some(first) = buckets.first() else {
        return String::new();
    };
    let end = end_of(&buckets);
    let plot = Plot::over_time(layout, first.t, end, top_of(highest(&buckets)), STRIP);
    let mut out = plot.open(
        &description(marks.title, chart, &buckets),
        &plot.time_attributes(),
    );
    out += &plot.value_axis(&chart.demand_unit);
    out += &plot.time_axis();
    let (shades, shade_labels) = shades(&plot, first.t, end, marks);
    let (strip, strip_label) = strip(&plot, &buckets, end);
    let (flags, flag_heads) = flags(&plot, marks);
    out += &plot.clipped(
        &marks.id,
        &(shades + &series(&plot, &buckets, end) + &strip + &flags),
    );
    out += &strip_label;
    let _ = write!(out, r#"<g class="still">{shade_labels}{flag_heads}</g>"#);
    let (top, bottom) = (number(plot.top), number(plot.bottom));
    let _ = write!(out, r#"<path class="cursor" d="M0 {top}V{bottom}"/></svg>"#);
    out
}

/// A forecast gone astray must not flatten the rest: it counts up to twice what was seen.
fn highest(buckets: &[Bucket]) -> f64 {
    let seen = buckets.iter().map(Bucket::highest).fold(0.0, f64::max);
    let expected = buckets
        .iter()
        .filter_map(|bucket| bucket.p95)
        .fold(0.0, f64::max);
    if seen > 0.0 {
        seen.max(expected.min(2.0 * seen))
    } else {
        expected
    }
}

/// Shaded stretches, and apart from them their labels, which a zoom hides.
fn shades(plot: &Plot, from: i64, to: i64, marks: &Timeline<'_>) -> (String, String) {
    let x = |t: Timestamp| plot.x.place(t.as_second().clamp(from, to) as f64);
    let (mut out, mut labels) = (String::new(), String::new());
    if let Some(moment) = marks.moment {
        out += &shade(plot, "moment", x(moment.start), x(moment.end));
        let (order, top) = (x(moment.ordered_at), plot.top);
        let (place, bottom) = (number(order), number(plot.bottom));
        let _ = write!(
            out,
            r#"<path class="order" d="M{place} {}V{bottom}"/>"#,
            number(top)
        );
        labels += &text(order - 4.0, top + 10.0, "end", "order-label", "order by");
    }
    if let Some(scored) = marks.scored_from.filter(|scored| scored.as_second() > from) {
        out += &shade(plot, "warm-up", plot.left, x(scored));
        let label = match x(scored) - plot.left {
            width if width > 130.0 => "warm-up, not scored",
            width if width > 60.0 => "warm-up",
            _ => "",
        };
        labels += &text(plot.left + 6.0, plot.top + 13.0, "start", "unit", label);
    }
    (out, labels)
}

fn shade(plot: &Plot, class: &str, start: f64, end: f64) -> String {
    let (x, width) = (number(start), number((end - start).max(1.0)));
    let (y, height) = (number(plot.top), number(plot.bottom - plot.top));
    format!(r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"/>"#)
}

/// A bar wherever demand went unserved, neighbours as one bar; and the strip's label.
fn strip(plot: &Plot, buckets: &[Bucket], end: i64) -> (String, String) {
    let mut out = String::new();
    let ends = buckets.iter().skip(1).map(|bucket| bucket.t).chain([end]);
    let mut open: Option<(f64, f64)> = None;
    for (bucket, next) in buckets.iter().zip(ends) {
        if bucket.unserved <= 0.0 {
            continue;
        }
        let (from, to) = (plot.x.place(bucket.t as f64), plot.x.place(next as f64));
        let to = to.max(from + 1.5);
        open = match open {
            Some((start, until)) if from <= until + 0.05 => Some((start, to)),
            before => {
                push_bar(&mut out, plot, before);
                Some((from, to))
            }
        };
    }
    push_bar(&mut out, plot, open);
    if out.is_empty() {
        return (out, String::new());
    }
    let label = text(
        plot.left - 6.0,
        plot.bottom + 17.0,
        "end",
        "short-label",
        "short",
    );
    (paths(&[("short", out)]), label)
}

fn push_bar(out: &mut String, plot: &Plot, bar: Option<(f64, f64)>) {
    if let Some((from, to)) = bar {
        let (from, width, y) = (number(from), number(to - from), number(plot.bottom + 8.0));
        let _ = write!(out, "M{from} {y}h{width}v8h-{width}z");
    }
}

/// Lines at the worst moments, and their numbers over the plot; the worse stays where two overlap.
fn flags(plot: &Plot, marks: &Timeline<'_>) -> (String, String) {
    let mut placed: Vec<f64> = Vec::new();
    let (mut lines, mut heads) = (String::new(), String::new());
    for (index, moment) in marks.numbered.iter().enumerate() {
        let x = plot.x.place(moment.start.as_second() as f64);
        let overlaps = placed.iter().any(|other| (other - x).abs() < 17.0);
        if overlaps || !(plot.left..=plot.right).contains(&x) {
            continue;
        }
        placed.push(x);
        let (place, top, bottom) = (number(x), number(plot.top), number(plot.bottom));
        let _ = write!(lines, r#"<path class="flag" d="M{place} {top}V{bottom}"/>"#);
        let y = number(plot.top - 8.0);
        let _ = write!(
            heads,
            r#"<circle class="flag-head" cx="{place}" cy="{y}" r="8"/>"#
        );
        heads += &text(
            x,
            plot.top - 4.0,
            "middle",
            "flag-label",
            &(index + 1).to_string(),
        );
    }
    (lines, heads)
}

fn description(title: &str, chart: &ChartData, buckets: &[Bucket]) -> String {
    let span = match (chart.points.first(), chart.points.last()) {
        (Some(first), Some(last)) => {
            format!("{} to {}", time::moment(first.t), time::moment(last.t))
        }
        _ => String::new(),
    };
    let demand = buckets
        .iter()
        .filter_map(|bucket| bucket.demand)
        .map(|demand| demand.max)
        .reduce(f64::max);
    let ready = buckets
        .iter()
        .filter_map(|bucket| bucket.ready)
        .map(|(_, most)| most)
        .reduce(f64::max);
    let highest = |name: &str, value: Option<f64>| match value {
        Some(value) => format!(
            " Highest {name}: {} {}.",
            quantity(value),
            chart.demand_unit
        ),
        None => format!(" No {name} is known."),
    };
    let short = buckets
        .iter()
        .filter(|bucket| bucket.unserved > 0.0)
        .count();
    format!(
        "{title}, {span}.{}{} Short of capacity in {short} of {} intervals drawn.",
        highest("demand", demand),
        highest("ready capacity", ready),
        buckets.len(),
    )
}
