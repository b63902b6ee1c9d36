//! A forecast: the end of the history with the fan after it, and what the fan's middle is made of.

use std::fmt::Write as _;

use super::path::{band, line, number};
use super::timeline::paths;
use super::{Layout, Plot, Scale, text, top_of};
use crate::forecast::{ForecastParts, ForecastResult};
use crate::number::quantity;
use crate::time;

/// The history, the now-line and the fan between the outermost levels. Empty without a forecast.
pub fn fan_chart(result: &ForecastResult, layout: Layout) -> String {
    let (Some(first), Some(last)) = (result.steps.first(), result.steps.last()) else {
        return String::new();
    };
    let step = result.step_seconds.max(1) as i64;
    let (now, end) = (first.at.as_second(), last.at.as_second());
    let from = now - step * result.tail.len() as i64;
    let past = result
        .tail
        .iter()
        .enumerate()
        .map(|(i, value)| (from + step * i as i64, *value));
    let outer = |step: &crate::forecast::ForecastStep| {
        let low = step.quantiles.first().copied().unwrap_or(step.expected);
        (low, step.quantiles.last().copied().unwrap_or(step.expected))
    };
    let highest = past
        .clone()
        .filter_map(|(_, value)| value)
        .chain(
            result
                .steps
                .iter()
                .map(|step| outer(step).1.max(step.expected)),
        )
        .fold(0.0, f64::max);
    let plot = Plot::over_time(layout, from, end.max(from + step), top_of(highest), 0.0);
    let x = |t: i64| plot.x.place(t as f64);
    let y = |value: f64| plot.y.place(value);
    let peak = result
        .steps
        .iter()
        .max_by(|a, b| a.expected.total_cmp(&b.expected))
        .unwrap_or(first);
    let label = format!(
        "Demand until {}, and its forecast until {}. At its highest, {}, {} {} are expected.",
        time::moment(first.at),
        time::moment(last.at),
        time::moment(peak.at),
        quantity(peak.expected),
        result.unit,
    );
    let fan = result.steps.iter().map(|step| {
        let (low, high) = outer(step);
        (x(step.at.as_second()), Some((y(low), y(high))))
    });
    let middle = result
        .steps
        .iter()
        .map(|step| (x(step.at.as_second()), Some(y(step.expected))));
    let layers = [
        ("band", band(fan)),
        ("demand", line(past.map(|(t, value)| (x(t), value.map(y))))),
        ("median", line(middle)),
    ];
    let mut out = plot.open(&label, "");
    out += &plot.value_axis(&result.unit);
    out += &plot.time_axis();
    out += &plot.clipped("fan", &paths(&layers));
    let (top, bottom) = (number(plot.top), number(plot.bottom));
    let _ = write!(
        out,
        r#"<path class="now" d="M{} {top}V{bottom}"/>"#,
        number(x(now))
    );
    out + &text(
        x(now) + 5.0,
        plot.top + 11.0,
        "start",
        "unit",
        "end of the data",
    ) + "</svg>"
}

/// The parts of each step: what adds stacked upwards, what takes away downwards. Empty without any.
pub fn parts_chart(result: &ForecastResult, layout: Layout) -> String {
    let steps: Vec<(i64, &ForecastParts)> = result
        .steps
        .iter()
        .map(|step| step.at.as_second())
        .zip(&result.parts)
        .collect();
    let (Some((from, _)), Some((to, _))) = (steps.first(), steps.last()) else {
        return String::new();
    };
    let sum = |sign: f64| {
        let of = |parts: &ForecastParts| {
            parts
                .values()
                .iter()
                .map(|value| (sign * value).max(0.0))
                .sum::<f64>()
        };
        steps.iter().map(|(_, parts)| of(parts)).fold(0.0, f64::max)
    };
    let (above, below) = (sum(1.0), sum(-1.0));
    let step = result.step_seconds.max(1) as i64;
    let mut plot = Plot::over_time(layout, *from, (*to).max(from + step), top_of(above), 0.0);
    let under = if below > 0.0 { -top_of(below) } else { 0.0 };
    plot.y = Scale::linear(under, top_of(above), plot.bottom, plot.top);
    let x = |t: i64| plot.x.place(t as f64);
    let y = |value: f64| plot.y.place(value);
    let mut drawn: Vec<(String, String)> = Vec::new();
    let there = result.parts_there();
    for sign in [1.0, -1.0] {
        let mut stacked = vec![0.0; steps.len()];
        for &part in &there {
            let bounds = steps.iter().zip(&mut stacked).map(|((t, parts), below)| {
                let size = (sign * parts.values()[part]).max(0.0);
                let from = *below;
                *below += size;
                (x(*t), Some((y(sign * from), y(sign * *below))))
            });
            drawn.push((format!("part{part}"), band(bounds)));
        }
    }
    let total = result.steps.iter().zip(&result.parts);
    let total = total.map(|(step, _)| (x(step.at.as_second()), Some(y(step.expected))));
    drawn.push(("median".to_owned(), line(total)));
    let layers: Vec<(&str, String)> = drawn
        .iter()
        .map(|(class, path)| (class.as_str(), path.clone()))
        .collect();
    let names: Vec<&str> = there
        .iter()
        .map(|&part| ForecastParts::NAMES[part])
        .collect();
    let label = format!(
        "The expected demand of each step as the sum of {}.",
        names.join(", ")
    );
    let mut out = plot.open(&label, "");
    out += &plot.value_axis(&result.unit);
    out += &plot.time_axis();
    out += &plot.clipped("parts", &paths(&layers));
    let (left, right) = (number(plot.left), number(plot.right));
    let _ = write!(
        out,
        r#"<path class="tick" d="M{left} {}H{right}"/>"#,
        number(y(0.0))
    );
    out + "</svg>"
}
