//! The frontier as a page that needs nothing but itself.

use std::fmt::Write as _;

use super::FrontierResult;
use super::chart::frontier_chart;
use super::text::objective;
use crate::chart::{Layout, NARROW, WIDE};
use crate::escape::{escape, prose};
use crate::number::{UNKNOWN, grouped, percent_number, ratio, usd_number};
use crate::time;

const STYLE: &str = include_str!("../html/style.css");
/// The knee is told by its ring and its word, not by its colour alone.
const OWN_STYLE: &str = "svg .knee{fill:none;stroke:var(--short);stroke-width:2.5}";

const CHARTS: [Layout; 2] = [
    Layout {
        height: 420.0,
        ..WIDE
    },
    Layout {
        height: 360.0,
        ..NARROW
    },
];

/// The frontier as a page without any outside reference and without a script: it can be mailed and printed.
pub fn frontier_html(result: &FrontierResult) -> String {
    let mut page = String::with_capacity(1 << 16);
    let badge = if result.synthetic {
        r#"<span class="badge synthetic">Synthetic data: nothing here was measured</span>"#
    } else {
        ""
    };
    let title = escape(&result.title);
    let _ = write!(
        page,
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} – Fleetcast frontier</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<style>
{STYLE}{OWN_STYLE}</style></head><body><main>
<header>{badge}<h1>{title}: what less breach costs</h1><p class="verdict">{}</p><p class="soft">{} to {} · {} · {} scored days</p></header>
"#,
        prose(&result.verdict),
        time::moment(result.first),
        time::moment(result.last),
        escape(&result.demand_source),
        grouped(result.scored_days, 1),
    );
    let charts: String = CHARTS
        .into_iter()
        .map(|layout| frontier_chart(result, layout))
        .collect();
    if !charts.is_empty() {
        let _ = writeln!(
            page,
            r#"<section><h2>Cost against breach probability</h2><figure><figcaption><p>Each point is a whole run of Fleetcast with another objective, which its label states. The diamond is the present objective, the ring the knee: left of it, each halving of the breach probability costs much more than right of it. The thin lines are 95 % intervals from resampled days.</p></figcaption>{charts}</figure></section>"#
        );
    }
    page += &numbers(result);
    page += &notes(result);
    page += "</main></body></html>\n";
    page
}

fn numbers(result: &FrontierResult) -> String {
    let heads = [
        "objective",
        "$ in 30 days",
        "breach, % of steps",
        "95 % interval by day",
        "unserved, % of demand",
        "unit starts, fleets a day",
        "",
    ];
    let mut out = String::from(
        r#"<section><h2>The numbers</h2><div class="scroll" tabindex="0" role="region" aria-label="The numbers"><table><thead><tr>"#,
    );
    for head in heads {
        let _ = write!(out, r#"<th scope="col">{head}</th>"#);
    }
    out += "</tr></thead><tbody>\n";
    let largest = result
        .points
        .iter()
        .map(|point| point.cost_usd_month)
        .fold(0.0, f64::max);
    for (i, point) in result.points.iter().enumerate() {
        let knee = result.knee.is_some_and(|knee| knee.point == i);
        let mut words = Vec::new();
        if point.present {
            words.push("the present objective");
        }
        if knee {
            words.push("the knee");
        }
        if point.dominated {
            words.push("another point is better in both");
        }
        let interval = point.breach_interval.map_or_else(
            || UNKNOWN.to_string(),
            |(low, high)| format!("{} to {}", percent_number(low), percent_number(high)),
        );
        let class = if point.present { "ours" } else { "" };
        let _ = writeln!(
            out,
            r#"<tr class="{class}"><th scope="row">{}</th><td>{}</td><td>{}</td><td>{interval}</td><td>{}</td><td>{}</td><td>{}</td></tr>"#,
            escape(&objective(point)),
            usd_number(point.cost_usd_month, largest),
            percent_number(point.breach_share),
            percent_number(point.unserved_share),
            ratio(Some(point.starts_per_day_fleets)),
            words.join(", "),
        );
    }
    for peer in &result.peers {
        let _ = writeln!(
            out,
            r#"<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td></td><td>{}</td><td></td><td></td></tr>"#,
            escape(&peer.label),
            usd_number(peer.cost_usd_month, largest),
            percent_number(peer.breach_share),
            percent_number(peer.unserved_share),
        );
    }
    out + "</tbody></table></div></section>\n"
}

fn notes(result: &FrontierResult) -> String {
    let mut out = String::from("<section><h2>Notes</h2><ul class=\"notes\">\n");
    out += "<li>The breach probability is the share of scored steps in which a component’s demand was over what served it.</li>\n";
    out += "<li>The knee is the point farthest under the straight line between the ends of the frontier, in halvings of the breach probability against money.</li>\n";
    for note in &result.notes {
        let _ = writeln!(out, "<li>{}</li>", prose(note));
    }
    out + "</ul></section>\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::result;
    use super::*;

    #[test]
    fn the_page_needs_nothing_outside_itself_and_shows_knee_and_objective() {
        let page = frontier_html(&result());
        for outside in [
            "http://", "https://", "src=", "@import", "url(", "<link", "<script",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        for there in [
            "knee: 1 %",
            "now: 0.5 %",
            "spot knee",
            "the present objective",
            "Kubernetes HPA",
        ] {
            assert!(page.contains(there), "{there}");
        }
    }

    #[test]
    fn every_text_of_the_user_is_escaped_and_nothing_is_nonsense() {
        let bad = "<script>alert('1')</script>\"&";
        let mut result = result();
        for text in [
            &mut result.title,
            &mut result.demand_source,
            &mut result.verdict,
            &mut result.peers[0].label,
        ] {
            bad.clone_into(text);
        }
        result.notes.push(bad.to_owned());
        for result in [result, FrontierResult::default()] {
            let page = frontier_html(&result);
            let body = page.split("<main>").nth(1).unwrap();
            for nonsense in ["<script", "NaN", "inf,"] {
                assert!(!body.contains(nonsense), "{nonsense}");
            }
        }
    }
}
