//! The HTML report of a backtest: one page that needs nothing but itself.

mod figures;
mod words;

use std::fmt::Write as _;

use crate::escape::{escape, prose};
use crate::number::{grouped, percent_number, ratio, target, usd_number};
use crate::result::{BacktestResult, PolicyResult};
use crate::time;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The report as a page without any outside reference: it can be mailed, archived and printed.
///
/// Light and dark follow the reader's system; every chart has its numbers as a table, and the
/// small script only adds a read-out under the pointer.
pub fn html_report(result: &BacktestResult) -> String {
    let mut page = String::with_capacity(1 << 19);
    let title = if result.title.is_empty() {
        "Backtest"
    } else {
        &result.title
    };
    let _ = write!(
        page,
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{} – Fleetcast backtest</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<style>
{STYLE}</style></head><body><main>
"#,
        escape(title),
    );
    page += &header(result, title);
    page += &policies(result);
    page += &figures::over_time(result);
    page += &figures::worst(result);
    page += &figures::curve(result);
    page += &figures::ahead(result);
    page += &settings(result);
    page += &notes(result);
    let _ = write!(page, "</main>\n<script>\n{SCRIPT}</script></body></html>\n");
    page
}

fn header(result: &BacktestResult, title: &str) -> String {
    let badge = if result.synthetic {
        r#"<span class="badge synthetic">Synthetic data: nothing here was measured</span>"#
    } else {
        ""
    };
    format!(
        r#"<header>{badge}<h1>{}</h1><p class="verdict">{}</p><p class="soft">{} to {} · {} · {} of {} steps scored</p></header>
"#,
        escape(title),
        prose(&result.verdict),
        time::moment(result.first),
        time::moment(result.last),
        escape(&result.demand_source),
        grouped(result.scored_steps as f64, 0),
        grouped(result.steps as f64, 0),
    )
}

fn policies(result: &BacktestResult) -> String {
    let standby = result
        .policies
        .iter()
        .any(|policy| policy.standby_cost_usd.is_some());
    let mut heads = vec![
        "policy",
        "cost, $",
        "cost ÷ oracle",
        "cost ÷ need",
        "unserved, %",
        "violation, min",
        "violation, % of time",
        "scaling actions a day",
        "unit starts, fleets a day",
        "units, mean",
        "units, peak",
    ];
    if standby {
        heads.insert(2, "of which standby, $");
    }
    let largest = result
        .policies
        .iter()
        .map(|policy| policy.cost_usd)
        .filter(|cost| cost.is_finite())
        .fold(0.0, f64::max);
    let mut out = String::from("<section><h2>What each policy would have cost</h2>\n");
    out += r#"<div class="scroll" tabindex="0" role="region" aria-label="Policies compared"><table><thead><tr>"#;
    for head in &heads {
        let _ = write!(out, r#"<th scope="col">{head}</th>"#);
    }
    out += "</tr></thead><tbody>\n";
    for policy in &result.policies {
        out += &policy_row(policy, standby, largest);
    }
    if result.policies.is_empty() {
        let _ = write!(
            out,
            r#"<tr><td colspan="{}">No policies were run.</td></tr>"#,
            heads.len()
        );
    }
    out += "</tbody></table></div>\n";
    if result.policies.iter().any(|policy| policy.hindsight) {
        out += r#"<p class="soft">“Hindsight” marks a policy that knows the future or was tuned on it: a bound, not a choice anybody had.</p>"#;
    }
    out + "</section>\n"
}

fn policy_row(policy: &PolicyResult, standby: bool, largest: f64) -> String {
    let (class, badge) = match policy {
        policy if policy.is_ours => ("ours", r#"<span class="badge ours">ours</span>"#),
        policy if policy.hindsight => ("bound", " (hindsight)"),
        _ => ("", ""),
    };
    let mut cells = vec![
        usd_number(policy.cost_usd, largest),
        ratio(policy.cost_over_oracle),
        ratio(Some(policy.cost_over_need)),
        percent_number(policy.unserved_share),
        grouped(policy.violation_minutes, 0),
        percent_number(policy.violation_share),
        grouped(policy.scale_actions_per_day, 1),
        ratio(Some(policy.starts_per_day_fleets)),
        grouped(policy.mean_units, 1),
        grouped(policy.peak_units, 0),
    ];
    if standby {
        cells.insert(
            1,
            crate::number::maybe(policy.standby_cost_usd, |cost| usd_number(cost, largest)),
        );
    }
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{}</td>", escape(cell)))
        .collect();
    format!(
        r#"<tr class="{class}"><th scope="row" title="{}">{}{badge}</th>{cells}</tr>
"#,
        escape(&policy.name),
        escape(&policy.label),
    )
}

fn settings(result: &BacktestResult) -> String {
    let objective = result.objective.map_or_else(
        || "none was set".to_owned(),
        |objective| {
            format!(
                "at most {} {}",
                target(objective.target_share),
                objective.metric.words()
            )
        },
    );
    let kind = if result.synthetic { " (synthetic)" } else { "" };
    let components = if result.components.is_empty() {
        "one, unnamed".to_owned()
    } else {
        result.components.join(", ")
    };
    let entries = [
        ("Demand", format!("{}{kind}", result.demand_source)),
        (
            "Period",
            format!(
                "{} to {}",
                time::moment(result.first),
                time::moment(result.last)
            ),
        ),
        ("Step", time::duration(result.step_seconds)),
        (
            "Steps",
            format!(
                "{}, of which {} are scored and {} had no observation",
                grouped(result.steps as f64, 0),
                grouped(result.scored_steps as f64, 0),
                grouped(result.missing_steps as f64, 0),
            ),
        ),
        (
            "Warm-up, not scored",
            time::duration(result.warm_up_seconds),
        ),
        ("Boot of a unit", time::duration(result.boot_seconds)),
        ("Drain of a unit", time::duration(result.drain_seconds)),
        ("Objective", objective),
        ("Components", components),
    ];
    let mut out = String::from("<section><h2>Settings</h2><dl>\n");
    for (term, meaning) in entries {
        let _ = writeln!(out, "<dt>{term}</dt><dd>{}</dd>", escape(&meaning));
    }
    out + "</dl></section>\n"
}

fn notes(result: &BacktestResult) -> String {
    let mut out =
        String::from("<section><h2>How each number is computed</h2><ul class=\"notes\">\n");
    for (name, meaning) in words::COMPUTED {
        let _ = writeln!(out, "<li><b>{name}</b>: {meaning}</li>");
    }
    out += "</ul>\n";
    if !result.notes.is_empty() {
        out += "<h2>Notes</h2><ul class=\"notes\">\n";
        for note in &result.notes {
            let _ = writeln!(out, "<li>{}</li>", prose(note));
        }
        out += "</ul>\n";
    }
    out + "</section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::result::{ChartData, ChartPoint};

    #[test]
    fn the_page_needs_nothing_outside_itself() {
        let page = html_report(&example::result(10));
        for outside in [
            "http://", "https://", "//cdn", "src=", "@import", "url(//", "xlink", "<link",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'") && page.contains("Synthetic data"));
    }

    #[test]
    fn three_thousand_buckets_stay_small() {
        let page = html_report(&example::result(10));
        assert_eq!(example::result(10).chart.points.len(), 3024);
        assert!(page.len() < 1_500_000, "{} bytes", page.len());
    }

    #[test]
    fn every_text_of_the_user_is_escaped() {
        let bad = "<script>alert('1')</script>\"&";
        let mut result = example::result(60);
        for text in [
            &mut result.title,
            &mut result.demand_source,
            &mut result.verdict,
            &mut result.chart.demand_unit,
        ] {
            bad.clone_into(text);
        }
        for policy in &mut result.policies {
            bad.clone_into(&mut policy.label);
            bad.clone_into(&mut policy.name);
        }
        for point in &mut result.curve {
            bad.clone_into(&mut point.policy);
            bad.clone_into(&mut point.knob);
        }
        for moment in &mut result.worst {
            bad.clone_into(&mut moment.reason);
            bad.clone_into(&mut moment.component);
        }
        for detail in &mut result.chart.detail {
            bad.clone_into(&mut detail.demand_unit);
        }
        for text in result.notes.iter_mut().chain(&mut result.components) {
            bad.clone_into(text);
        }
        result.chart.step_label = bad.to_owned();
        let page = html_report(&result);
        assert!(
            !page.contains("<script>alert")
                && !page.contains("\"&\"")
                && page.contains("&lt;script&gt;")
        );
        assert_eq!(
            page.matches("<script").count(),
            2,
            "the data of the charts, and the page's own"
        );
    }

    #[test]
    fn degenerate_results_make_a_page_without_nonsense() {
        let mut nothing_seen = example::result(60);
        for point in &mut nothing_seen.chart.points {
            (
                point.demand_min,
                point.demand_mean,
                point.demand_max,
                point.need,
            ) = (None, None, None, None);
        }
        let mut zero = example::result(60);
        for point in &mut zero.chart.points {
            (
                point.demand_min,
                point.demand_mean,
                point.demand_max,
                point.need,
            ) = (Some(0.0), Some(0.0), Some(0.0), Some(0.0));
            (
                point.ready_min,
                point.ready_max,
                point.p05,
                point.p50,
                point.p95,
            ) = (0.0, 0.0, Some(0.0), Some(0.0), Some(0.0));
        }
        let one = BacktestResult {
            chart: ChartData {
                points: zero.chart.points[..1].to_vec(),
                ..ChartData::default()
            },
            ..BacktestResult::default()
        };
        for result in [
            BacktestResult::default(),
            example::degenerate(),
            nothing_seen,
            zero,
            one,
        ] {
            let page = html_report(&result);
            let body = page
                .split("<main>")
                .nth(1)
                .unwrap()
                .split("</main>")
                .next()
                .unwrap();
            for nonsense in ["NaN", "inf", "undefined"] {
                assert!(!body.contains(nonsense), "{nonsense} in {body}");
            }
        }
    }

    #[test]
    fn the_result_reads_back_from_json() {
        let result = BacktestResult {
            objective: example::result(60).objective,
            policies: vec![PolicyResult {
                cost_usd: 1234.5,
                ..PolicyResult::default()
            }],
            chart: ChartData {
                points: vec![ChartPoint {
                    need: Some(0.5),
                    ..ChartPoint::default()
                }],
                ..ChartData::default()
            },
            ..BacktestResult::default()
        };
        let json = serde_json::to_string(&result).unwrap();
        assert!(
            json.starts_with(r#"{"schema":"backtest-result/v1","title":"""#),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<BacktestResult>(&json).unwrap(),
            result
        );
    }
}
