//! The frontier as a chart: breach probability to the right on a log scale, money upwards.

use std::fmt::Write as _;

use super::FrontierResult;
use super::text::objective;
use crate::chart::{Layout, Plot, Scale, axis_label, line, number, text};
use crate::number::{percent, usd};
use crate::text_table::cut;

/// The chart; empty without a point to draw.
pub(super) fn frontier_chart(result: &FrontierResult, layout: Layout) -> String {
    if result.points.is_empty() {
        return String::new();
    }
    let least = result.least_breach();
    let plot = frame(result, layout, least);
    let at = |breach: f64, cost: f64| (plot.x.place(breach.max(least)), plot.y.place(cost));
    let mut out = plot.open(&description(result), "");
    out += &plot.value_axis("$ in 30 days");
    out += &plot.share_axis("breach probability, % of steps (log scale)");
    let front: Vec<(f64, f64)> = result
        .front()
        .map(|(_, point)| at(point.breach_share, point.cost_usd_month))
        .collect();
    let data = line(front.iter().map(|(x, y)| (*x, Some(*y))));
    let _ = write!(out, r#"<path class="line ours" d="{data}"/>"#);
    let (mut spots, mut labels) = (String::new(), String::new());
    let mut label_ends = Vec::new();
    for (i, point) in result.points.iter().enumerate() {
        let (x, y) = at(point.breach_share, point.cost_usd_month);
        let knee = result.knee.is_some_and(|knee| knee.point == i);
        let (px, py) = (number(x), number(y));
        if let (Some((low, high)), true) = (point.breach_interval, knee || point.present) {
            let (low, high) = (at(low, 0.0).0, at(high, 0.0).0);
            let _ = write!(
                spots,
                r#"<path class="leader" d="M{} {py}H{}"/>"#,
                number(low.clamp(plot.left, plot.right)),
                number(high.clamp(plot.left, plot.right))
            );
        }
        if knee {
            let _ = write!(
                spots,
                r#"<circle class="spot knee" cx="{px}" cy="{py}" r="9"/>"#
            );
        }
        let class = if point.present {
            "spot ours"
        } else {
            "spot peer"
        };
        let shape = match point.present {
            true => "m-6.5 0l6.5-6.5l6.5 6.5l-6.5 6.5z",
            false => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
        };
        if point.dominated && !point.present {
            continue;
        }
        let _ = write!(spots, r#"<path class="{class}" d="M{px} {py}{shape}"/>"#);
        let words = match (point.present, knee) {
            (true, true) => format!("now, and the knee: {}", objective(point)),
            (true, false) => format!("now: {}", objective(point)),
            (false, true) => format!("knee: {}", objective(point)),
            (false, false) => objective(point),
        };
        // Above the curve, which falls to the right, there is room.
        let (lx, ly) = (x + 10.0, y - 8.0);
        let crowded = label_ends
            .iter()
            .any(|(ex, ey): &(f64, f64)| (ex - lx).abs() < 44.0 && (ey - ly).abs() < 13.0);
        if point.present || knee || !crowded {
            let class = if point.present {
                "ours-label"
            } else {
                "peer-label"
            };
            labels += &text(lx, ly, "start", class, &words);
            label_ends.push((lx, ly));
        }
    }
    for (peer, letter) in result.peers.iter().zip(('a'..='z').cycle()) {
        let (x, y) = at(peer.breach_share, peer.cost_usd_month);
        let _ = write!(
            spots,
            r#"<path class="spot peer" d="M{} {}m-7.5 0a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0z"/>"#,
            number(x),
            number(y)
        );
        spots += &text(x, y + 3.5, "middle", "letter", &letter.to_string());
        labels += &text(
            x + 11.0,
            y + 4.0,
            "start",
            "peer-label",
            &cut(&peer.label, 30),
        );
    }
    out + &spots + &labels + "</svg>"
}

fn frame(result: &FrontierResult, layout: Layout, least: f64) -> Plot {
    let points = result
        .points
        .iter()
        .map(|point| (point.breach_share, point.cost_usd_month));
    let peers = result
        .peers
        .iter()
        .map(|peer| (peer.breach_share, peer.cost_usd_month));
    let all: Vec<(f64, f64)> = points.chain(peers).collect();
    let shares = all.iter().map(|place| place.0.max(least));
    let costs = all
        .iter()
        .map(|place| place.1)
        .filter(|cost| cost.is_finite());
    let low = shares.clone().fold(1.0, f64::min).max(1e-9);
    let high = shares.fold(low, f64::max);
    let (cheapest, dearest) = (
        costs.clone().fold(f64::INFINITY, f64::min),
        costs.fold(0.0, f64::max),
    );
    let pad = ((dearest - cheapest) * 0.08).max(dearest * 0.01);
    let bottom = layout.height - 40.0;
    let y = Scale::linear((cheapest - pad).max(0.0), dearest + pad, bottom, 44.0);
    let widest = y
        .ticks(34.0)
        .into_iter()
        .map(|tick| axis_label(tick).chars().count())
        .max()
        .unwrap_or(4);
    let left = 14.0 + 7.2 * widest as f64;
    let right = layout.width - 30.0;
    Plot {
        layout,
        left,
        right,
        top: 44.0,
        bottom,
        x: Scale::logarithmic(low / 1.3, high * 1.5, left, right),
        y,
    }
}

fn description(result: &FrontierResult) -> String {
    let place = |i: usize| {
        let point = &result.points[i];
        format!(
            "{} in 30 days at a breach probability of {}",
            usd(point.cost_usd_month),
            percent(point.breach_share)
        )
    };
    let present = result.points.iter().position(|point| point.present);
    let present = present.map_or_else(String::new, |i| {
        format!(" The present objective: {}.", place(i))
    });
    let knee = result.knee.map_or_else(String::new, |knee| {
        format!(" The knee: {}.", place(knee.point))
    });
    format!("Cost of 30 days against breach probability on a log scale.{present}{knee}")
}
