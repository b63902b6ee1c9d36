//! Charts as SVG, legible without a script: scales, axes and the frame that all of them share.
//!
//! Colours are classes that the page's style sheet sets, so that they follow light, dark and print.
//! Each chart over time is drawn twice, for a wide and for a narrow page, because text that
//! shrinks with its chart cannot be read on a telephone.

mod ahead;
mod bucket;
mod curve;
mod data;
mod forecast;
mod path;
mod timeline;

use std::fmt::Write as _;

pub use ahead::ahead_chart;
pub use curve::{curve_chart, curve_key, curve_rows};
pub use data::{hover_data, point_rows};
pub use forecast::{fan_chart, parts_chart};
pub use timeline::{Timeline, demand_chart, need_chart};

use crate::escape::escape;
use crate::number::{grouped, significant};
use crate::time;
use bucket::buckets;
pub use path::{line, number};

/// How large a chart is drawn, in units that are about a pixel.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub class: &'static str,
    pub width: f64,
    pub height: f64,
    /// Most buckets worth drawing at this width.
    pub most_buckets: usize,
}

pub const WIDE: Layout = Layout {
    class: "wide",
    width: 1080.0,
    height: 340.0,
    most_buckets: 3000,
};
pub const NARROW: Layout = Layout {
    class: "narrow",
    width: 400.0,
    height: 280.0,
    most_buckets: 400,
};
pub const SMALL: Layout = Layout {
    class: "small",
    width: 400.0,
    height: 210.0,
    most_buckets: 400,
};

/// Maps values to places along one axis.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    /// Where `low` and `high` are drawn.
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Scale {
    pub fn linear(low: f64, high: f64, from: f64, to: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
            logarithmic: false,
        }
    }

    /// A logarithmic scale; both ends must be positive.
    pub fn logarithmic(low: f64, high: f64, from: f64, to: f64) -> Self {
        let high = if high > low { high } else { low * 10.0 };
        Self {
            low: low.log10(),
            high: high.log10(),
            from,
            to,
            logarithmic: true,
        }
    }

    pub fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round values to mark: on a linear scale 1, 2 or 5 times a power of ten apart.
    pub fn ticks(&self, least_gap: f64) -> Vec<f64> {
        if self.logarithmic {
            self.log_ticks(least_gap)
        } else {
            self.linear_ticks(least_gap)
        }
    }

    fn linear_ticks(&self, least_gap: f64) -> Vec<f64> {
        let length = (self.to - self.from).abs();
        let step = nice_step((self.high - self.low) * least_gap / length.max(1.0));
        let first = (self.low / step).ceil();
        (0..50)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|tick| *tick <= self.high * (1.0 + 1e-9))
            .collect()
    }

    fn log_ticks(&self, least_gap: f64) -> Vec<f64> {
        const DENSITIES: [&[f64]; 5] = [
            &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        let decades = (self.low.floor() as i32..=self.high.ceil() as i32).map(decade);
        let within = |tick: &f64| (self.low - 1e-9..=self.high + 1e-9).contains(&tick.log10());
        let marks = |steps: &[f64]| -> Vec<f64> {
            decades
                .clone()
                .flat_map(|decade| steps.iter().map(move |step| step * decade))
                .filter(within)
                .collect()
        };
        let fits = |marks: &Vec<f64>| {
            marks
                .windows(2)
                .all(|pair| (self.place(pair[0]) - self.place(pair[1])).abs() >= least_gap)
        };
        DENSITIES
            .iter()
            .map(|steps| marks(steps))
            .find(fits)
            .unwrap_or_else(|| marks(&[1.0]))
    }
}

fn decade(power: i32) -> f64 {
    10.0_f64.powi(power)
}

/// The least of 1, 2 and 5 times a power of ten that is at least `least`.
pub fn nice_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = decade(least.log10().floor() as i32);
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A linear axis from zero to a little over `largest`.
pub fn top_of(largest: f64) -> f64 {
    if !(largest.is_finite() && largest > 0.0) {
        return 1.0;
    }
    let step = nice_step(largest / 8.0);
    (largest * 1.04 / step).ceil() * step
}

/// The label of a value on an axis.
pub fn axis_label(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 => format!("{} G", short(value / 1e9)),
        size if size >= 1e6 => format!("{} M", short(value / 1e6)),
        size if size >= 1000.0 => grouped(value, 0),
        _ => short(value),
    }
}

/// At most three significant digits, without trailing zeros.
pub fn short(value: f64) -> String {
    let text = significant(value, 3);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The drawing area with its two scales.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    pub layout: Layout,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x: Scale,
    pub y: Scale,
}

impl Plot {
    /// A plot over time, from zero to `top` in the unit of demand; `under` is kept free under it.
    pub fn over_time(layout: Layout, from: i64, to: i64, highest: f64, under: f64) -> Self {
        let top = 26.0;
        let bottom = layout.height - 22.0 - under;
        let y = Scale::linear(0.0, highest, bottom, top);
        let widest = y
            .ticks(34.0)
            .into_iter()
            .map(|tick| axis_label(tick).chars().count())
            .max()
            .unwrap_or(1);
        let left = 12.0 + 7.2 * widest.max(4) as f64;
        let right = layout.width - 14.0;
        Self {
            layout,
            left,
            right,
            top,
            bottom,
            x: Scale::linear(from as f64, to as f64, left, right),
            y,
        }
    }

    /// The opening tag; `label` says in words what the chart shows.
    pub fn open(&self, label: &str, attributes: &str) -> String {
        let Layout {
            class,
            width,
            height,
            ..
        } = self.layout;
        format!(
            r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="{}"{attributes}>"#,
            escape(label)
        )
    }

    /// What the script needs to find a time under the pointer.
    pub fn time_attributes(&self) -> String {
        let Scale { low, high, .. } = self.x;
        format!(
            r#" tabindex="0" data-x="{} {}" data-t="{low} {high}""#,
            number(self.left),
            number(self.right),
        )
    }

    /// Lines across with their values, and the unit above them.
    pub fn value_axis(&self, unit: &str) -> String {
        self.value_axis_every(34.0, unit)
    }

    /// The same with lines at least so far apart.
    pub fn value_axis_every(&self, room: f64, unit: &str) -> String {
        let mut out = String::new();
        for tick in self.y.ticks(room) {
            let y = number(self.y.place(tick));
            let (left, right) = (number(self.left), number(self.right));
            let _ = write!(out, r#"<path class="grid" d="M{left} {y}H{right}"/>"#);
            out += &text(
                self.left - 6.0,
                self.y.place(tick) + 4.0,
                "end",
                "",
                &axis_label(tick),
            );
        }
        out + &text(2.0, 12.0, "start", "unit", unit)
    }

    /// The line under the plot with shares along it as percentages, and what they are below.
    pub fn share_axis(&self, title: &str) -> String {
        let (left, right, bottom) = (number(self.left), number(self.right), number(self.bottom));
        let mut out = format!(r#"<path class="tick" d="M{left} {bottom}H{right}"/>"#);
        for tick in self.x.ticks(46.0) {
            let x = self.x.place(tick);
            let _ = write!(out, r#"<path class="tick" d="M{} {bottom}v5"/>"#, number(x));
            out += &text(x, self.bottom + 18.0, "middle", "", &short(tick * 100.0));
        }
        let middle = (self.left + self.right) / 2.0;
        out + &text(middle, self.layout.height - 4.0, "middle", "unit", title)
    }

    /// Round times under the plot.
    pub fn time_axis(&self) -> String {
        let room = if self.layout.width > 600.0 {
            84.0
        } else {
            62.0
        };
        let most = ((self.right - self.left) / room) as usize;
        let (line, base) = (number(self.layout.height - 22.0), self.layout.height - 4.0);
        let mut out = String::from(r#"<g class="times">"#);
        for (t, label) in time::ticks(self.x.low as i64, self.x.high as i64, most) {
            let x = self.x.place(t as f64);
            let _ = write!(out, r#"<path class="tick" d="M{} {line}v5"/>"#, number(x));
            let at_end = x > self.right - 22.0;
            let (x, anchor) = if at_end {
                (self.right, "end")
            } else {
                (x, "middle")
            };
            out += &text(x, base, anchor, "", &label);
        }
        out + "</g>"
    }

    /// Keeps what is drawn between the axes, in a group that the script stretches to zoom.
    pub fn clipped(&self, id: &str, inside: &str) -> String {
        let (x, y) = (number(self.left), number(self.top));
        let width = number(self.right - self.left);
        let height = number(self.layout.height - 22.0 - self.top);
        let id = format!("{id}-{}", self.layout.class);
        format!(
            r##"<clipPath id="{id}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath><g clip-path="url(#{id})"><g class="zoom">{inside}</g></g>"##
        )
    }
}

/// A text at a place.
pub fn text(x: f64, y: f64, anchor: &str, class: &str, content: &str) -> String {
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(r#" class="{class}""#)
    };
    format!(
        r#"<text x="{}" y="{}" text-anchor="{anchor}"{class}>{}</text>"#,
        number(x),
        number(y),
        escape(content)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_marked_on_round_values() {
        assert_eq!(
            Scale::linear(0.0, 14_000.0, 300.0, 0.0).ticks(34.0),
            [
                0.0, 2000.0, 4000.0, 6000.0, 8000.0, 10_000.0, 12_000.0, 14_000.0
            ]
        );
        assert_eq!(
            Scale::logarithmic(1.0, 4.0, 300.0, 0.0).ticks(30.0),
            [1.0, 1.5, 2.0, 3.0]
        );
        assert_eq!(
            Scale::logarithmic(0.001, 10.0, 0.0, 300.0).ticks(50.0),
            [0.001, 0.01, 0.1, 1.0, 10.0]
        );
        assert_eq!(
            [0.0, 2000.0, 1.5e6, 0.25].map(axis_label),
            ["0", "2,000", "1.5 M", "0.25"]
        );
    }

    #[test]
    fn degenerate_domains_still_have_an_axis() {
        for largest in [0.0, f64::NAN, f64::INFINITY, -3.0] {
            assert_eq!(top_of(largest), 1.0);
        }
        assert!(Scale::linear(5.0, 5.0, 0.0, 100.0).place(5.0).is_finite());
        assert!(
            Scale::logarithmic(5.0, 5.0, 0.0, 100.0)
                .place(5.0)
                .is_finite()
        );
        assert_eq!(nice_step(f64::NAN), 1.0);
    }
}
