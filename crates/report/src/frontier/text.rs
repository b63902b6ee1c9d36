//! The frontier on a terminal: a plot, the numbers, a sentence.

use super::{FrontierPoint, FrontierResult};
use crate::number::{UNKNOWN, percent_number, ratio, target, usd_number};
use crate::text_table::{Column, TextStyle, TextTable};

const ROWS: usize = 14;
const KNEE: char = '◉';
const PRESENT: char = '◆';

/// The frontier as a plot with its numbers and its verdict.
pub fn frontier_text(result: &FrontierResult, style: TextStyle) -> String {
    let mut out = format!(
        "{}: cost against breach probability, {:.0} scored days of {}{}\n\n",
        result.title,
        result.scored_days,
        result.demand_source,
        if result.synthetic {
            " (synthetic demand)"
        } else {
            ""
        },
    );
    out += &plot(result, style.width);
    out += "\n";
    out += &table(result).render(style);
    out += &format!("\n{}\n", result.verdict);
    for note in &result.notes {
        out += &format!("{note}\n");
    }
    out
}

/// A grid of characters: breach probability to the right (a logarithmic scale), money upwards.
fn plot(result: &FrontierResult, width: usize) -> String {
    let least = result.least_breach();
    let mut places: Vec<(f64, f64, char)> = Vec::new();
    for (i, point) in result.points.iter().enumerate() {
        let sign = match point {
            point if point.present => PRESENT,
            _ if result.knee.is_some_and(|knee| knee.point == i) => KNEE,
            point if point.dominated => '·',
            _ => '•',
        };
        places.push((point.breach_share.max(least), point.cost_usd_month, sign));
    }
    let letters = ('a'..='z').cycle();
    for (peer, letter) in result.peers.iter().zip(letters) {
        places.push((peer.breach_share.max(least), peer.cost_usd_month, letter));
    }
    places.retain(|place| place.0.is_finite() && place.1.is_finite());
    if places.is_empty() {
        return String::new();
    }
    let bounds = |part: fn(&(f64, f64, char)) -> f64| {
        let values = places.iter().map(part);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        (low, values.fold(f64::NEG_INFINITY, f64::max))
    };
    let (left, right) = bounds(|place| place.0.log10());
    let (bottom, top) = bounds(|place| place.1);
    let margin = usd_number(top, top)
        .len()
        .max(usd_number(bottom, top).len())
        + 2;
    let columns = width.saturating_sub(margin + 4).clamp(20, 90);
    let at = |value: f64, low: f64, high: f64, cells: usize| {
        let part = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        (part * (cells - 1) as f64).round() as usize
    };
    let mut grid = vec![vec![' '; columns]; ROWS];
    // Signs that say more are drawn last, over the others.
    places.sort_by_key(|place| match place.2 {
        '·' => 0,
        '•' => 1,
        KNEE => 3,
        PRESENT => 4,
        _ => 2,
    });
    for (breach, cost, sign) in &places {
        let column = at(breach.log10(), left, right, columns);
        let row = ROWS - 1 - at(*cost, bottom, top, ROWS);
        grid[row][column] = *sign;
    }
    let mut out = String::from("$ in 30 days\n");
    for (i, row) in grid.iter().enumerate() {
        let label = match i {
            0 => usd_number(top, top),
            i if i == ROWS - 1 => usd_number(bottom, top),
            _ => String::new(),
        };
        let line: String = row.iter().collect();
        out += &format!("{label:>margin$} │{}\n", line.trim_end());
    }
    out += &format!("{:margin$} └{}\n", "", "─".repeat(columns));
    let low = format!("{} %", percent_number(libm::pow(10.0, left)));
    let high = format!("{} %", percent_number(libm::pow(10.0, right)));
    let middle = "breach probability (share of steps, log scale)";
    let gap = columns.saturating_sub(low.len() + high.len());
    let middle = if middle.len() + 2 <= gap { middle } else { "" };
    out += &format!("{:margin$}  {low}{middle:^gap$}{high}\n", "");
    out += &format!("{:margin$}  {}\n", "", key(result));
    out
}

fn key(result: &FrontierResult) -> String {
    let mut parts = vec![format!("{PRESENT} the present objective")];
    if let Some(knee) = &result.knee {
        parts.push(if result.points[knee.point].present {
            "which is the knee".to_string()
        } else {
            format!("{KNEE} the knee")
        });
    }
    for (peer, letter) in result.peers.iter().zip(('a'..='z').cycle()) {
        parts.push(format!("{letter} {}", peer.label));
    }
    parts.join("   ")
}

fn table(result: &FrontierResult) -> TextTable {
    let mut table = TextTable::new(vec![
        Column::words("objective"),
        Column::number("$ in\n30 days"),
        Column::number("breach\n% of steps"),
        Column::number("95 % interval\nby day"),
        Column::number("unserved\n% of demand"),
        Column::number("unit starts\nfleets/day"),
    ]);
    let largest = result
        .points
        .iter()
        .map(|point| point.cost_usd_month)
        .fold(0.0, f64::max);
    for (i, point) in result.points.iter().enumerate() {
        let mark = match point {
            point if point.present => format!(" {PRESENT} now"),
            _ if result.knee.is_some_and(|knee| knee.point == i) => format!(" {KNEE} knee"),
            point if point.dominated => " (beaten)".to_string(),
            _ => String::new(),
        };
        let cells = vec![
            format!("{}{mark}", objective(point)),
            usd_number(point.cost_usd_month, largest),
            percent_number(point.breach_share),
            point.breach_interval.map_or_else(
                || UNKNOWN.to_string(),
                |(low, high)| format!("{} to {}", percent_number(low), percent_number(high)),
            ),
            percent_number(point.unserved_share),
            ratio(Some(point.starts_per_day_fleets)),
        ];
        if point.present {
            table.emphasised_row(cells);
        } else {
            table.row(cells);
        }
    }
    for peer in &result.peers {
        table.row(vec![
            peer.label.clone(),
            usd_number(peer.cost_usd_month, largest),
            percent_number(peer.breach_share),
            String::new(),
            percent_number(peer.unserved_share),
        ]);
    }
    table
}

/// What a point was asked to hold.
pub(super) fn objective(point: &FrontierPoint) -> String {
    point
        .target_share
        .map_or_else(|| "as documented".to_string(), target)
}

#[cfg(test)]
mod tests {
    use super::super::tests::result;
    use super::*;

    #[test]
    fn the_plot_marks_the_knee_and_the_present_objective() {
        let text = frontier_text(&result(), TextStyle::default());
        for part in [
            "◉ the knee",
            "◆ the present objective",
            "a Kubernetes HPA",
            "1 % ◉ knee",
            "0.5 % ◆ now",
            "(beaten)",
            "A verdict.",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let plotted: Vec<&str> = text.lines().filter(|line| line.contains('│')).collect();
        assert_eq!(plotted.len(), ROWS);
        assert!(
            plotted.iter().any(|line| line.contains('◉'))
                && plotted.iter().any(|line| line.contains('◆'))
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn nothing_to_plot_is_no_panic() {
        let text = frontier_text(&FrontierResult::default(), TextStyle::default());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
