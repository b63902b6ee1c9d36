//! The report's figures: each a chart, its legend, a read-out and its numbers as a table.

use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::chart::{
    NARROW, SMALL, Timeline, WIDE, ahead_chart, curve_chart, curve_key, curve_rows, demand_chart,
    hover_data, need_chart, point_rows,
};
use crate::escape::{escape, prose};
use crate::number::{maybe, percent, quantity};
use crate::result::{BacktestResult, ChartData, WorstMoment};
use crate::time;

/// Most points the script is given for one chart.
const MOST_HOVER_POINTS: usize = 3000;
/// How many moments are shown: the section's promise.
const MOST_MOMENTS: usize = 10;

const DEMAND: (&str, &str) = ("demand", "demand");
const BAND: (&str, &str) = ("band", "forecast, p05 to p95");
const MEDIAN: (&str, &str) = ("median", "forecast, median");
const READY: (&str, &str) = ("ready", "capacity of ready units");
const NEED: (&str, &str) = ("need", "capacity needed");
const IDLE: (&str, &str) = ("idle", "paid for and not needed");
const SHORT: (&str, &str) = ("short", "short of capacity");

/// Demand, forecast and capacity; then capacity against need.
pub fn over_time(result: &BacktestResult) -> String {
    let chart = &result.chart;
    if chart.points.is_empty() {
        return String::new();
    }
    let scored_from =
        SignedDuration::try_from(std::time::Duration::from_secs(result.warm_up_seconds)).ok();
    let scored_from = scored_from.and_then(|warm_up| result.first.checked_add(warm_up).ok());
    let numbered = &result.worst[..result.worst.len().min(MOST_MOMENTS)];
    let marks = |id: &str, title: &'static str| Timeline {
        id: id.to_owned(),
        title,
        scored_from,
        numbered,
        moment: None,
    };
    let step = escape(&chart.step_label);
    let demand = marks("demand", "Demand, forecast and capacity");
    let need = marks("need", "Capacity against need");
    let figure = |marks: &Timeline<'_>,
                  text: &str,
                  legend: &[_],
                  draw: fn(&ChartData, &Timeline<'_>, _) -> String,
                  table: &str| {
        let charts = draw(chart, marks, WIDE) + &draw(chart, marks, NARROW);
        format!(
            r#"<figure data-points="points"><figcaption><h3>{}</h3><p>{text}</p></figcaption>{}{charts}<p class="readout"><span class="hint">Point at the chart to read its numbers; drag to zoom, double-click for the whole. From the keyboard: arrows, + and −, Esc.</span></p>{table}</figure>
"#,
            marks.title,
            legend_of(legend),
        )
    };
    let mut out = String::from("<section><h2>What happened</h2>\n");
    let _ = writeln!(
        out,
        r#"<script type="application/json" id="points">{}</script>"#,
        hover_data(chart, MOST_HOVER_POINTS)
    );
    let text = format!(
        "Each forecast is the one in hand when capacity for that moment had to be ordered. Buckets of {step}; numbers mark the worst moments below. Times are UTC."
    );
    let (heads, rows) = point_rows(chart);
    let table = numbers_table(
        &heads,
        &rows,
        "The chart’s numbers (thinned for reading; --steps writes every step)",
    );
    out += &figure(
        &demand,
        &text,
        &[DEMAND, BAND, MEDIAN, READY, SHORT],
        demand_chart,
        &table,
    );
    let text = "The gap between the lines is what safety costs. “Needed” is the capacity of the fewest units that carry the demand of each step; no policy that cannot see the future gets by with it. The numbers are in the table above.";
    out += &figure(&need, text, &[READY, NEED, IDLE, SHORT], need_chart, "");
    out + "</section>\n"
}

/// The moments that left most demand unserved, each with its reason and the two hours around it.
pub fn worst(result: &BacktestResult) -> String {
    let mut out = String::from("<section><h2>The worst moments</h2>\n");
    if result.worst.is_empty() {
        return out + "<p>No demand was left unserved.</p></section>\n";
    }
    let heading = match result.worst.len().min(MOST_MOMENTS) {
        1 => "The one moment".to_owned(),
        count => format!("The {count} moments"),
    };
    let _ = write!(
        out,
        r#"<p class="soft">{heading} in which Fleetcast left most demand unserved, the worst first.</p>"#
    );
    out += &legend_of(&[DEMAND, BAND, MEDIAN, READY, SHORT]);
    out += "<ol class=\"moments\">\n";
    for (index, moment) in result.worst.iter().take(MOST_MOMENTS).enumerate() {
        let marks = Timeline {
            id: format!("moment{index}"),
            title: "The hours around this moment",
            moment: Some(moment),
            ..Timeline::default()
        };
        let detail = result
            .chart
            .detail
            .get(index)
            .map(|detail| demand_chart(detail, &marks, SMALL))
            .unwrap_or_default();
        let figure = if detail.is_empty() {
            detail
        } else {
            format!("<figure>{}</figure>", without_focus(&detail))
        };
        let _ = writeln!(
            out,
            r#"<li id="moment-{rank}"><h3><span class="rank">{rank}</span>{}</h3>{}{figure}</li>"#,
            time::stretch(moment.start, moment.end),
            moment_text(moment, &result.chart.demand_unit),
            rank = index + 1,
        );
    }
    out + "</ol></section>\n"
}

/// Cost against unserved demand.
pub fn curve(result: &BacktestResult) -> String {
    let charts = curve_chart(result, WIDE_CURVE) + &curve_chart(result, NARROW_CURVE);
    if charts.is_empty() {
        return String::new();
    }
    let (heads, rows) = curve_rows(result);
    let table = if rows.is_empty() {
        String::new()
    } else {
        numbers_table(&heads, &rows, "Every setting that was tried")
    };
    let entries = curve_key(result);
    let entries = entries
        .iter()
        .map(|(sign, facts)| format!("<li><b>{sign}</b>{}</li>", prose(facts)));
    let key = format!(r#"<ul class="legend">{}</ul>"#, entries.collect::<String>());
    format!(
        r#"<section><h2>What service costs</h2><figure><figcaption><p>Down and to the left is better. Each line joins the settings of a policy that no other setting of it beats; ◆ is Fleetcast, the letters the other policies, as they were run. Both axes are logarithmic; what left less than 0.0001 % unserved is drawn at that share.</p></figcaption>{charts}{key}{table}</figure></section>
"#
    )
}

/// The forecast beyond the data.
pub fn ahead(result: &BacktestResult) -> String {
    let charts = ahead_chart(&result.chart, WIDE) + &ahead_chart(&result.chart, NARROW);
    if charts.is_empty() {
        return String::new();
    }
    let unit = &result.chart.demand_unit;
    let heads = ["time, UTC", "p05", "p50", "p95"].map(|head| {
        if head.starts_with('p') {
            format!("{head} ({unit})")
        } else {
            head.to_owned()
        }
    });
    let rows: Vec<Vec<String>> = result
        .chart
        .ahead
        .iter()
        .map(|point| {
            vec![
                time::cell(point.t),
                quantity(point.p05),
                quantity(point.p50),
                quantity(point.p95),
            ]
        })
        .collect();
    format!(
        r#"<section><h2>What comes next</h2><figure><figcaption><p>The forecast made at the end of the data. With a well-calibrated forecast, demand stays within the band nine times in ten.</p></figcaption>{}{charts}{}</figure></section>
"#,
        legend_of(&[DEMAND, BAND, MEDIAN]),
        numbers_table(&heads, &rows, "The forecast’s numbers"),
    )
}

const WIDE_CURVE: crate::chart::Layout = crate::chart::Layout {
    height: 420.0,
    ..WIDE
};
const NARROW_CURVE: crate::chart::Layout = crate::chart::Layout {
    height: 380.0,
    ..NARROW
};

fn moment_text(moment: &WorstMoment, unit: &str) -> String {
    let forecast = match (moment.forecast_p50, moment.forecast_p95) {
        (None, None) => "nothing was forecast for it".to_owned(),
        (p50, p95) => format!(
            "the forecast for it was {} (p50) to {} (p95)",
            maybe(p50, quantity),
            maybe(p95, quantity)
        ),
    };
    let component = if moment.component.is_empty() {
        String::new()
    } else {
        format!("{}: ", moment.component)
    };
    let facts = format!(
        "{component}demand {} against capacity {} {unit}; {} of all unserved demand. Capacity had to be ordered by {}, when {forecast}.",
        quantity(moment.demand),
        quantity(moment.capacity),
        percent(moment.unserved_share_of_all),
        time::clock(moment.ordered_at),
    );
    format!(
        r#"<p>{}</p><p class="soft">{}</p>"#,
        prose(&sentence(&moment.reason)),
        prose(&facts)
    )
}

/// The text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.trim().chars();
    let Some(first) = rest.next() else {
        return "No reason was recorded.".to_owned();
    };
    let stop = if text.trim_end().ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    first.to_uppercase().chain(rest).collect::<String>() + stop
}

/// The small charts have no read-out, so they are no place for the keyboard to stop.
fn without_focus(svg: &str) -> String {
    svg.replacen(r#" tabindex="0""#, "", 1)
}

fn legend_of(entries: &[(&str, &str)]) -> String {
    let mut out = String::from(r#"<ul class="legend">"#);
    for (class, name) in entries {
        let shape = match *class {
            "band" | "idle" => "M1 1H25V11H1Z",
            "short" => "M9 2H17V10H9Z",
            "ready" => "M1 10H9V3H18V7H25",
            "need" => "M1 8H9V5H18V9H25",
            _ => "M1 8L8 4L16 8L25 3",
        };
        let _ = write!(
            out,
            r#"<li><svg viewBox="0 0 26 12" aria-hidden="true"><path class="{class}" d="{shape}"/></svg>{name}</li>"#
        );
    }
    out + "</ul>"
}

fn numbers_table(heads: &[String], rows: &[Vec<String>], summary: &str) -> String {
    let mut out = format!(
        r#"<details><summary>{summary}</summary><div class="scroll" tabindex="0" role="region" aria-label="{summary}"><table><thead><tr>"#
    );
    for head in heads {
        let _ = write!(out, r#"<th scope="col">{}</th>"#, escape(head));
    }
    out += "</tr></thead><tbody>";
    for row in rows {
        out += "<tr>";
        for cell in row {
            let _ = write!(out, "<td>{}</td>", escape(cell));
        }
        out += "</tr>\n";
    }
    out + "</tbody></table></div></details>"
}
