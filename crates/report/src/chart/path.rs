//! Path data of SVG: lines, steps and bands with gaps where nothing is known.

use std::fmt::Write as _;

/// A coordinate to a tenth of a pixel, as short as it can be.
pub fn number(value: f64) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

fn push(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round();
    if !tenths.is_finite() {
        out.push('0');
    } else if tenths % 10.0 == 0.0 {
        let _ = write!(out, "{}", (tenths / 10.0) as i64);
    } else {
        let _ = write!(out, "{:.1}", tenths / 10.0);
    }
}

fn push_point(out: &mut String, command: char, x: f64, y: f64) {
    out.push(command);
    push(out, x);
    out.push(' ');
    push(out, y);
}

/// A line through the known points; a lone point is a dot (with round line caps).
pub fn line(points: impl Iterator<Item = (f64, Option<f64>)>) -> String {
    let mut out = String::new();
    let mut drawing = 0;
    for (x, y) in points {
        match y {
            Some(y) => {
                push_point(&mut out, if drawing == 0 { 'M' } else { 'L' }, x, y);
                drawing += 1;
            }
            None => drawing = close_run(&mut out, drawing),
        }
    }
    close_run(&mut out, drawing);
    out
}

fn close_run(out: &mut String, drawn: usize) -> usize {
    if drawn == 1 {
        out.push_str("h.1");
    }
    0
}

/// A line that holds each value until the next point, the last one until `end`.
pub fn steps(points: impl Iterator<Item = (f64, Option<f64>)>, end: f64) -> String {
    let mut out = String::new();
    let mut last: Option<f64> = None;
    for (x, y) in points {
        match (last, y) {
            (None, Some(y)) => push_point(&mut out, 'M', x, y),
            (Some(before), Some(y)) if before != y => {
                out.push('H');
                push(&mut out, x);
                out.push('V');
                push(&mut out, y);
            }
            (Some(_), None) => {
                out.push('H');
                push(&mut out, x);
            }
            _ => {}
        }
        last = y;
    }
    if last.is_some() {
        out.push('H');
        push(&mut out, end);
    }
    out
}

/// The area between a lower and an upper line, where both are known.
pub fn band(points: impl Iterator<Item = (f64, Option<(f64, f64)>)>) -> String {
    let mut out = String::new();
    let mut run: Vec<(f64, f64, f64)> = Vec::new();
    for (x, bounds) in points {
        match bounds {
            Some((low, high)) => run.push((x, low, high)),
            None => close_band(&mut out, &mut run),
        }
    }
    close_band(&mut out, &mut run);
    out
}

fn close_band(out: &mut String, run: &mut Vec<(f64, f64, f64)>) {
    for (index, (x, _, high)) in run.iter().enumerate() {
        push_point(out, if index == 0 { 'M' } else { 'L' }, *x, *high);
    }
    for (x, low, _) in run.iter().rev() {
        push_point(out, 'L', *x, *low);
    }
    if !run.is_empty() {
        out.push('Z');
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_nothing_is_known() {
        let points = [
            (0.0, Some(1.0)),
            (1.0, Some(2.25)),
            (2.0, None),
            (3.0, Some(4.0)),
        ];
        assert_eq!(line(points.into_iter()), "M0 1L1 2.3M3 4h.1");
        assert_eq!(steps(points.into_iter(), 4.0), "M0 1H1V2.3H2M3 4H4");
        let bounds = points.map(|(x, y)| (x, y.map(|y| (y, y + 1.0))));
        assert_eq!(band(bounds.into_iter()), "M0 2L1 3.3L1 2.3L0 1ZM3 5L3 4Z");
        assert_eq!(
            line(std::iter::empty()) + &steps(std::iter::empty(), 1.0) + &band(std::iter::empty()),
            ""
        );
        assert_eq!(number(f64::NAN), "0");
    }
}
