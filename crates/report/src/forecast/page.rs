//! A forecast as a page that needs nothing but itself.

use std::fmt::Write as _;

use super::{ForecastParts, ForecastResult, percent_of};
use crate::chart::{NARROW, WIDE, fan_chart, parts_chart};
use crate::escape::{escape, prose};
use crate::number::{grouped, percent, quantity};
use crate::time;

const STYLE: &str = include_str!("../html/style.css");
/// The colours of the parts, in their order; each is told by its place in the legend too.
const PARTS_STYLE: &str = "\
svg .part0{fill:var(--rule);stroke:none}svg .part1{fill:var(--peer3);stroke:none}svg .part2{fill:var(--accent);fill-opacity:.55;stroke:none}\
svg .part3{fill:var(--teal);fill-opacity:.6;stroke:none}svg .part4{fill:var(--peer5);fill-opacity:.6;stroke:none}\
svg .part5{fill:var(--short);fill-opacity:.75;stroke:none}svg .part6{fill:var(--peer2);fill-opacity:.6;stroke:none}\
svg .part7{fill:var(--peer1);fill-opacity:.6;stroke:none}svg .part8{fill:var(--ink);fill-opacity:.35;stroke:none}\
.bar{display:inline-block;height:.75em;background:var(--accent);border-radius:2px}";
/// Rows of the table of all steps.
const MOST_ROWS: usize = 1500;

/// The forecast as a page without any outside reference and without a script: it can be mailed and printed.
pub fn forecast_html(result: &ForecastResult) -> String {
    let mut page = String::with_capacity(1 << 17);
    let _ = write!(
        page,
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{} – Fleetcast forecast</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<style>
{STYLE}{PARTS_STYLE}</style></head><body><main>
"#,
        escape(&result.source),
    );
    page += &header(result);
    page += &fan(result);
    page += &days(result);
    page += &explained(result);
    page += &members(result);
    page += &list("What the history shows", &result.seasons);
    page += &list("Notes", &result.notes);
    page += "</main></body></html>\n";
    page
}

fn header(result: &ForecastResult) -> String {
    let verdict = result
        .verdict
        .as_deref()
        .map_or_else(String::new, |verdict| {
            format!(r#"<p class="verdict">{}</p>"#, prose(verdict))
        });
    let stretch = match (result.steps.first(), result.steps.last()) {
        (Some(first), Some(last)) => {
            format!("{} to {}", time::moment(first.at), time::moment(last.at))
        }
        _ => "nothing ahead".to_owned(),
    };
    format!(
        r#"<header><h1>Forecast of {}</h1>{verdict}<p class="soft">{stretch} · {} steps of {} · by {} · from {} steps, {} of them missing</p></header>
"#,
        escape(&result.source),
        grouped(result.steps.len() as f64, 0),
        time::duration(result.step_seconds),
        escape(&result.model),
        grouped(result.seen_steps as f64, 0),
        grouped(result.missing_steps as f64, 0),
    )
}

fn fan(result: &ForecastResult) -> String {
    let charts = fan_chart(result, WIDE) + &fan_chart(result, NARROW);
    if charts.is_empty() {
        return String::new();
    }
    let bounds = match (result.levels.first(), result.levels.last()) {
        (Some(low), Some(high)) if low < high => {
            format!("forecast, {} to {}", percent_of(*low), percent_of(*high))
        }
        _ => "forecast".to_owned(),
    };
    let legend = legend(&[
        ("demand", "demand", LINE),
        ("band", &bounds, AREA),
        ("median", "expected", LINE),
    ]);
    format!(
        r#"<section><h2>What lies ahead</h2><figure><figcaption><p>Times are UTC.</p></figcaption>{legend}{charts}{}</figure></section>
"#,
        numbers(result)
    )
}

const LINE: &str = "M1 8L8 4L16 8L25 3";
const AREA: &str = "M1 1H25V11H1Z";

fn legend(entries: &[(&str, &str, &str)]) -> String {
    let mut out = String::from(r#"<ul class="legend">"#);
    for (class, name, shape) in entries {
        let _ = write!(
            out,
            r#"<li><svg viewBox="0 0 26 12" aria-hidden="true"><path class="{class}" d="{shape}"/></svg>{}</li>"#,
            escape(name)
        );
    }
    out + "</ul>"
}

/// All steps as a table, thinned if there are very many.
fn numbers(result: &ForecastResult) -> String {
    let apart = result.steps.len().div_ceil(MOST_ROWS).max(1);
    let mut heads = vec!["step (UTC)".to_owned(), "expected".to_owned()];
    heads.extend(result.levels.iter().map(|level| percent_of(*level)));
    let rows = result.steps.iter().step_by(apart).map(|step| {
        let mut cells = vec![time::cell(step.at), quantity(step.expected)];
        cells.extend(step.quantiles.iter().map(|value| quantity(*value)));
        cells
    });
    format!(
        "<details><summary>The chart’s numbers</summary>{}</details>",
        table(&heads, rows)
    )
}

fn days(result: &ForecastResult) -> String {
    if result.days.is_empty() {
        return String::new();
    }
    let mut heads = vec!["day".to_owned(), "most likely at".to_owned()];
    heads.extend(result.levels.iter().map(|level| percent_of(*level)));
    let rows = result.days.iter().map(|day| {
        let mut cells = vec![
            day.date.strftime("%a %Y-%m-%d").to_string(),
            day.highest.strftime("%H:%M").to_string(),
        ];
        cells.extend(day.quantiles.iter().map(|value| quantity(*value)));
        cells
    });
    format!(
        r#"<section><h2>The highest step of each day</h2><p class="soft">Times of {}. The chance is of the whole day: that no step of it is higher.</p>{}</section>
"#,
        escape(&result.time_zone),
        table(&heads, rows)
    )
}

fn explained(result: &ForecastResult) -> String {
    let charts = parts_chart(result, WIDE) + &parts_chart(result, NARROW);
    if charts.is_empty() {
        return String::new();
    }
    let there = result.parts_there();
    let classes: Vec<String> = there.iter().map(|part| format!("part{part}")).collect();
    let mut entries: Vec<(&str, &str, &str)> = there
        .iter()
        .zip(&classes)
        .map(|(&part, class)| (class.as_str(), ForecastParts::NAMES[part], AREA))
        .collect();
    entries.push(("median", "expected: their sum", LINE));
    let mut heads = vec!["step (UTC)".to_owned()];
    heads.extend(
        there
            .iter()
            .map(|&part| ForecastParts::NAMES[part].to_owned()),
    );
    heads.push("expected".to_owned());
    let apart = result.steps.len().div_ceil(MOST_ROWS).max(1);
    let rows = result
        .steps
        .iter()
        .zip(&result.parts)
        .step_by(apart)
        .map(|(step, parts)| {
            let mut cells = vec![time::cell(step.at)];
            cells.extend(there.iter().map(|&part| quantity(parts.values()[part])));
            cells.push(quantity(step.expected));
            cells
        });
    format!(
        r#"<section><h2>What it is made of</h2><figure><figcaption><p>What adds stands above the line, what takes away below it; together they are the expected demand.</p></figcaption>{}{charts}<details><summary>The chart’s numbers</summary>{}</details></figure></section>
"#,
        legend(&entries),
        table(&heads, rows)
    )
}

fn members(result: &ForecastResult) -> String {
    if result.members.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        r#"<section><h2>Who forecasts</h2><p class="soft">Weights are learned from what each model lost lately.</p><div class="scroll" tabindex="0" role="region" aria-label="Who forecasts"><table><thead><tr><th scope="col">model</th><th scope="col">share of the first step</th><th scope="col">of the last</th><th scope="col"></th></tr></thead><tbody>
"#,
    );
    for member in &result.members {
        let _ = writeln!(
            out,
            r#"<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td><span class="bar" style="width:{}px"></span></td></tr>"#,
            escape(&member.model),
            percent(member.share_first),
            percent(member.share_last),
            (member.share_first.clamp(0.0, 1.0) * 200.0).round(),
        );
    }
    out + "</tbody></table></div></section>\n"
}

/// Sentences below a heading; nothing without any.
fn list(head: &str, sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let items: String = sentences
        .iter()
        .map(|sentence| format!("<li>{}</li>", prose(sentence)))
        .collect();
    format!("<section><h2>{head}</h2><ul class=\"notes\">{items}</ul></section>\n")
}

fn table(heads: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = String::from(r#"<div class="scroll"><table><thead><tr>"#);
    for head in heads {
        let _ = write!(out, r#"<th scope="col">{}</th>"#, escape(head));
    }
    out += "</tr></thead><tbody>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            let _ = write!(out, "<td>{}</td>", escape(&cell));
        }
        out += "</tr>\n";
    }
    out + "</tbody></table></div>"
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn the_page_needs_nothing_outside_itself() {
        let page = forecast_html(&example::result());
        for outside in [
            "http://", "https://", "src=", "@import", "url(//", "<link", "<script",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        for there in [
            "default-src 'none'",
            "Most of this demand",
            "part8",
            "theta_week",
            "2026-03-03",
        ] {
            assert!(page.contains(there), "{there}");
        }
    }

    #[test]
    fn every_text_of_the_user_is_escaped() {
        let bad = "<script>alert('1')</script>\"&";
        let mut result = example::result();
        for text in [
            &mut result.source,
            &mut result.asked,
            &mut result.model,
            &mut result.time_zone,
            &mut result.unit,
            &mut result.members[0].model,
            &mut result.notes[0],
        ] {
            bad.clone_into(text);
        }
        result.verdict = Some(bad.to_owned());
        let page = forecast_html(&result);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    }

    #[test]
    fn degenerate_forecasts_make_a_page_without_nonsense() {
        let mut zero = example::result();
        zero.tail = vec![None; 5];
        zero.parts = vec![ForecastParts::default(); 48];
        for step in &mut zero.steps {
            step.expected = 0.0;
            step.quantiles = vec![0.0; 3];
        }
        let mut one = example::result();
        one.steps.truncate(1);
        one.parts.truncate(1);
        one.levels = vec![0.5];
        one.steps[0].quantiles = vec![1e15];
        for result in [ForecastResult::default(), zero, one] {
            let page = forecast_html(&result);
            let body = page.split("<main>").nth(1).unwrap();
            for nonsense in ["NaN", "inf", "undefined"] {
                assert!(!body.contains(nonsense), "{nonsense} in {body}");
            }
        }
    }
}
