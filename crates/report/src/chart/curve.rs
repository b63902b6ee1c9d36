//! Cost against unserved demand: what each policy costs at each level of service.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::path::{line, number};
use super::{Layout, Plot, Scale, text};
use crate::number::{percent, percent_number, ratio};
use crate::result::{BacktestResult, CurvePoint, Metric, PolicyResult};
use crate::text_table::cut;

/// Less than this share unserved is drawn at the left edge.
const LEAST_SHARE: f64 = 1e-6;

/// A share and a cost.
type Place = (f64, f64);
/// Left, top, right, bottom.
type Area = (f64, f64, f64, f64);

/// The frontier of each policy (the settings that no other setting of it beats), the policies as
/// they were run, and the objective. Empty without a point to draw.
pub fn curve_chart(result: &BacktestResult, layout: Layout) -> String {
    let fronts = frontiers(&result.curve);
    let spots = spots(&result.policies);
    let settings = fronts.values().flatten().map(place_of);
    let places: Vec<Place> = settings
        .chain(spots.iter().map(|(_, place, _)| *place))
        .collect();
    if places.is_empty() {
        return String::new();
    }
    let objective = result
        .objective
        .filter(|objective| objective.metric == Metric::Unserved && objective.target_share > 0.0);
    let shares = places
        .iter()
        .map(|place| place.0)
        .chain(objective.map(|objective| objective.target_share));
    let plot = frame(layout, shares, &places);
    let mut out = plot.open(&description(&fronts, result), "");
    out += &plot.value_axis_every(24.0, "cost ÷ cost of perfect foresight");
    out += &plot.share_axis("unserved, % of demand (log scale)");
    let mut taken: Vec<Area> = Vec::new();
    if let Some(objective) = objective {
        let x = plot.x.place(objective.target_share.max(LEAST_SHARE));
        let _ = write!(
            out,
            r#"<path class="objective" d="M{} {}V{}"/>"#,
            number(x),
            number(plot.top),
            number(plot.bottom)
        );
        let label = format!(
            "objective {}",
            crate::number::target(objective.target_share)
        );
        out += &text(x, plot.top - 5.0, "middle", "unit", &label);
    }
    let (mut lines, mut labels) = (String::new(), String::new());
    let mut ends: Vec<(f64, f64, String, &str)> = Vec::new();
    let mut peers = 0;
    for (name, front) in &fronts {
        let class = if is_ours(name, &result.policies) {
            "ours".to_owned()
        } else {
            peers += 1;
            format!("peer{}", (peers - 1) % 5 + 1)
        };
        let on_plot: Vec<(f64, f64)> = front
            .iter()
            .map(|point| at(&plot, place_of(point)))
            .collect();
        let data = line(on_plot.iter().map(|(x, y)| (*x, Some(*y))));
        let _ = write!(lines, r#"<path class="line {class}" d="{data}"/>"#);
        taken.extend(along(&on_plot));
        ends.extend(on_plot.last().map(|(x, y)| (*x, *y, class, name.as_str())));
    }
    labels += &end_labels(&plot, ends, &mut taken);
    for (policy, place, sign) in spots {
        let (x, y) = at(&plot, place);
        let (px, py) = (number(x), number(y));
        let (class, shape) = match policy.is_ours {
            true => ("ours", "m-6.5 0l6.5-6.5l6.5 6.5l-6.5 6.5z"),
            false => ("peer", "m-7.5 0a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0z"),
        };
        let _ = write!(
            lines,
            r#"<path class="spot {class}" d="M{px} {py}{shape}"/>"#
        );
        if !policy.is_ours {
            lines += &text(x, y + 3.5, "middle", "letter", &sign);
        }
        taken.push((x - 7.0, y - 7.0, x + 7.0, y + 7.0));
        let content = cut(&policy.label, 34);
        labels += &label(
            &plot,
            &mut taken,
            (x, y),
            &format!("{class}-label"),
            &content,
        )
        .unwrap_or_default();
    }
    out + &lines + &labels + "</svg>"
}

/// The sign and the meaning of each policy as it was run: its letter on the chart, ours a diamond.
pub fn curve_key(result: &BacktestResult) -> Vec<(String, String)> {
    let entry = |(policy, _, sign): (&PolicyResult, Place, String)| {
        let (cost, share) = (
            ratio(policy.cost_over_oracle),
            percent(policy.unserved_share),
        );
        (
            sign,
            format!("{} (× {cost}, {share} unserved)", policy.label),
        )
    };
    spots(&result.policies).into_iter().map(entry).collect()
}

/// The policies that can be drawn as they were run, each with its place and its sign.
fn spots(policies: &[PolicyResult]) -> Vec<(&PolicyResult, Place, String)> {
    let mut letters = (b'a'..=b'z').map(char::from);
    let mut out = Vec::new();
    for policy in policies {
        if let Some(place) = spot(policy) {
            let sign = if policy.is_ours {
                Some('◆')
            } else {
                letters.next()
            };
            out.push((policy, place, sign.map(String::from).unwrap_or_default()));
        }
    }
    out
}

/// Table rows of every point, with the heads of their columns.
pub fn curve_rows(result: &BacktestResult) -> (Vec<String>, Vec<Vec<String>>) {
    let heads = ["policy", "setting", "cost ÷ oracle", "unserved, %"]
        .map(str::to_owned)
        .to_vec();
    let row = |point: &CurvePoint| {
        vec![
            point.policy.clone(),
            point.knob.clone(),
            ratio(Some(point.cost_over_oracle)),
            percent_number(point.unserved_share),
        ]
    };
    (heads, result.curve.iter().map(row).collect())
}

fn frame(layout: Layout, shares: impl Iterator<Item = f64> + Clone, places: &[(f64, f64)]) -> Plot {
    let wide = layout.width > 600.0;
    let (left, right) = (44.0, layout.width - if wide { 150.0 } else { 82.0 });
    let (top, bottom) = (44.0, layout.height - 40.0);
    let low = shares.clone().fold(1.0, f64::min).max(LEAST_SHARE);
    let high = shares.fold(LEAST_SHARE, f64::max).min(1.0);
    let costs = places.iter().map(|place| place.1);
    let (cheapest, dearest) = (
        costs.clone().fold(f64::INFINITY, f64::min),
        costs.fold(0.0, f64::max),
    );
    let (cheapest, dearest) = ((cheapest / 1.06).min(1.0), dearest * 1.06);
    Plot {
        layout,
        left,
        right,
        top,
        bottom,
        x: Scale::logarithmic(low / 1.3, high * 1.3, left, right),
        y: Scale::logarithmic(cheapest, dearest, bottom, top),
    }
}

/// Boxes along a line, close enough that no label fits between them.
fn along(points: &[(f64, f64)]) -> Vec<Area> {
    let mut boxes = Vec::new();
    for pair in points.windows(2) {
        let ((x, y), (dx, dy)) = (pair[0], (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1));
        let steps = (dx.abs().max(dy.abs()) / 6.0).ceil().clamp(1.0, 500.0);
        for step in 0..=steps as u32 {
            let part = f64::from(step) / steps;
            let (x, y) = (x + part * dx, y + part * dy);
            boxes.push((x - 2.0, y - 2.0, x + 2.0, y + 2.0));
        }
    }
    boxes
}

/// The names of the lines in the right margin, in the order of the lines' ends and led to them.
fn end_labels(
    plot: &Plot,
    mut ends: Vec<(f64, f64, String, &str)>,
    taken: &mut Vec<Area>,
) -> String {
    const APART: f64 = 15.0;
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut places: Vec<f64> = ends.iter().map(|end| end.1).collect();
    // Down from the top where they crowd, then up again from the bottom of the plot.
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + APART);
    }
    let mut lowest = plot.bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(lowest);
        lowest = *place - APART;
    }
    let most = ((plot.layout.width - plot.right - 14.0) / 6.6) as usize;
    let mut out = String::new();
    for ((x, y, class, name), place) in ends.into_iter().zip(places) {
        taken.push((plot.right, place - 9.0, plot.layout.width, place + 6.0));
        let (from, to) = (number(x + 3.0), number(plot.right + 8.0));
        let (y, end) = (number(y), number(place));
        let _ = write!(out, r#"<path class="leader" d="M{from} {y}L{to} {end}"/>"#);
        out += &text(
            plot.right + 12.0,
            place + 4.0,
            "start",
            &format!("{class}-label"),
            &cut(name, most),
        );
    }
    out
}

/// The label beside a point, in the first place that is free.
fn label(
    plot: &Plot,
    taken: &mut Vec<Area>,
    (x, y): (f64, f64),
    class: &str,
    content: &str,
) -> Option<String> {
    let width = 6.9 * content.chars().count() as f64;
    let candidates = [
        ("start", x + 11.0, y + 4.0),
        ("start", x + 7.0, y - 10.0),
        ("end", x - 11.0, y + 4.0),
        ("end", x - 7.0, y - 10.0),
        ("start", x + 7.0, y + 18.0),
        ("middle", x, y - 22.0),
        ("middle", x, y + 26.0),
    ];
    candidates.into_iter().find_map(|(anchor, x, y)| {
        let from = match anchor {
            "start" => x,
            "end" => x - width,
            _ => x - width / 2.0,
        };
        let area = (from, y - 10.0, from + width, y + 3.0);
        let inside = area.0 >= plot.left + 2.0
            && area.2 <= plot.layout.width - 2.0
            && area.1 >= plot.top - 2.0
            && area.3 <= plot.bottom - 1.0;
        let free = taken.iter().all(|other| {
            area.2 < other.0 || other.2 < area.0 || area.3 < other.1 || other.3 < area.1
        });
        (inside && free).then(|| {
            taken.push(area);
            text(x, y, anchor, class, content)
        })
    })
}

/// The points of each policy that cost less than every point with no more unserved, left to right.
fn frontiers(curve: &[CurvePoint]) -> BTreeMap<String, Vec<CurvePoint>> {
    let mut fronts: BTreeMap<String, Vec<CurvePoint>> = BTreeMap::new();
    let drawable = |point: &&CurvePoint| {
        point.cost_over_oracle.is_finite()
            && point.cost_over_oracle > 0.0
            && point.unserved_share.is_finite()
    };
    for point in curve.iter().filter(drawable) {
        fronts
            .entry(point.policy.clone())
            .or_default()
            .push(point.clone());
    }
    for points in fronts.values_mut() {
        points.sort_by(|a, b| {
            a.unserved_share
                .total_cmp(&b.unserved_share)
                .then(a.cost_over_oracle.total_cmp(&b.cost_over_oracle))
        });
        let mut cheapest = f64::INFINITY;
        points.retain(|point| {
            let beats = point.cost_over_oracle < cheapest;
            cheapest = cheapest.min(point.cost_over_oracle);
            beats
        });
    }
    fronts
}

fn is_ours(name: &str, policies: &[PolicyResult]) -> bool {
    name == "fleetcast"
        || policies
            .iter()
            .any(|policy| policy.is_ours && policy.name == name)
}

fn place_of(point: &CurvePoint) -> (f64, f64) {
    (
        point.unserved_share.max(LEAST_SHARE),
        point.cost_over_oracle,
    )
}

/// Where a policy stood as it was run; the oracle is the axis itself.
fn spot(policy: &PolicyResult) -> Option<(f64, f64)> {
    let cost = policy
        .cost_over_oracle
        .filter(|cost| cost.is_finite() && *cost > 0.0)?;
    (policy.unserved_share.is_finite() && !policy.hindsight)
        .then_some((policy.unserved_share.max(LEAST_SHARE), cost))
}

fn at(plot: &Plot, (share, cost): (f64, f64)) -> (f64, f64) {
    (plot.x.place(share), plot.y.place(cost))
}

fn description(fronts: &BTreeMap<String, Vec<CurvePoint>>, result: &BacktestResult) -> String {
    let names: Vec<&str> = fronts.keys().map(String::as_str).collect();
    let ours = result.policies.iter().find(|policy| policy.is_ours);
    let ours = ours.map_or(String::new(), |ours| {
        format!(
            " Fleetcast stands at {} times the cost of perfect foresight with {} unserved.",
            ratio(ours.cost_over_oracle),
            percent(ours.unserved_share)
        )
    });
    format!(
        "Cost over that of perfect foresight against unserved demand, both on log scales, for {}.{ours}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::WIDE;
    use crate::example;

    #[test]
    fn dominated_settings_are_left_out() {
        let point = |cost_over_oracle, unserved_share| CurvePoint {
            policy: "hpa".to_owned(),
            knob: String::new(),
            cost_over_oracle,
            unserved_share,
        };
        let fronts = frontiers(&[
            point(2.0, 0.01),
            point(3.0, 0.001),
            point(2.5, 0.02),
            point(f64::NAN, 0.0),
        ]);
        let costs: Vec<f64> = fronts["hpa"]
            .iter()
            .map(|point| point.cost_over_oracle)
            .collect();
        assert_eq!(costs, [3.0, 2.0]);
    }

    #[test]
    fn every_policy_has_a_line_and_a_label() {
        let svg = curve_chart(&example::result(60), WIDE);
        assert_eq!(svg.matches("class=\"line").count(), 4);
        assert_eq!(svg.matches("class=\"spot").count(), 4);
        assert!(svg.contains(">fleetcast<") && svg.contains(">hpa<"));
        assert!(svg.contains(">objective 0.5 %<") && !svg.contains("NaN"));
        assert_eq!(curve_chart(&example::degenerate(), WIDE), "");
    }
}
