//! A forecast in the terminal: a line that draws it, a few steps, the highest of each day, and what it is made of.

use super::{ForecastParts, ForecastResult, percent_of};
use crate::number::{grouped, percent, quantity};
use crate::text_table::{Column, TextStyle, TextTable, cut, wrap};
use crate::time;

/// Characters for the history and the forecast in the drawn line.
const DRAWN: (usize, usize) = (48, 32);
/// Most steps that are explained one by one; of longer forecasts so many are taken, equally far apart.
const MOST_EXPLAINED: usize = 48;
/// Days that are listed.
const MOST_DAYS: usize = 14;

/// The forecast as text, at most `style.width` columns wide.
pub fn forecast_text(result: &ForecastResult, style: TextStyle) -> String {
    let mut out = String::new();
    for line in heading(result) {
        out += &cut(&line, style.width);
        out.push('\n');
    }
    out += &drawn(result, style);
    out.push('\n');
    out += &steps(result).render(style);
    if !result.days.is_empty() {
        out += "\nthe highest step of each day\n";
        out += &days(result).render(style);
        if result.days.len() > MOST_DAYS {
            let more = result.days.len() - MOST_DAYS;
            out += &style.faint(&format!("and {more} days more: see --format csv or json"));
            out.push('\n');
        }
    }
    if !result.members.is_empty() {
        out += "\n";
        for line in wrap(&members(result), style.width) {
            out += &line;
            out.push('\n');
        }
    }
    if !result.parts.is_empty() {
        out += "\nwhat the expected demand is made of\n";
        out += &parts(result).render(style);
    }
    if !result.seasons.is_empty() {
        out += "\nwhat the history shows\n";
        for season in &result.seasons {
            for line in wrap(season, style.width) {
                out += &line;
                out.push('\n');
            }
        }
    }
    for text in result.verdict.iter().chain(&result.notes) {
        out.push('\n');
        for line in wrap(text, style.width) {
            out += &line;
            out.push('\n');
        }
    }
    out
}

fn heading(result: &ForecastResult) -> [String; 2] {
    let missing = match result.missing_steps {
        0 => String::new(),
        missing => format!(", {} missing", grouped(missing as f64, 0)),
    };
    let instead = if result.model.replace('_', "-") == result.asked {
        String::new()
    } else {
        format!(" (asked for: {})", result.asked)
    };
    [
        format!(
            "{}: {} steps of {}{missing}",
            result.source,
            grouped(result.seen_steps as f64, 0),
            time::duration(result.step_seconds),
        ),
        format!(
            "{}{instead}, {} ahead; {}, times of {}",
            result.model,
            match result.steps.len() {
                1 => "1 step".to_owned(),
                steps => format!("{} steps", grouped(steps as f64, 0)),
            },
            result.unit,
            result.time_zone
        ),
    ]
}

/// The end of the history and the forecast as one line of blocks on one scale.
fn drawn(result: &ForecastResult, style: TextStyle) -> String {
    let ahead: Vec<Option<f64>> = result
        .steps
        .iter()
        .map(|step| Some(step.expected))
        .collect();
    let (past, ahead) = (thinned(&result.tail, DRAWN.0), thinned(&ahead, DRAWN.1));
    let highest = past
        .iter()
        .chain(&ahead)
        .flatten()
        .copied()
        .fold(0.0, f64::max);
    let line = |values: &[Option<f64>]| -> String {
        values.iter().map(|value| block(*value, highest)).collect()
    };
    format!(
        "\n{}│{}  up to {}\n",
        line(&past),
        style.accent(&line(&ahead)),
        quantity(highest)
    )
}

/// The highest of each of `most` stretches.
fn thinned(values: &[Option<f64>], most: usize) -> Vec<Option<f64>> {
    let each = values.len().div_ceil(most).max(1);
    values
        .chunks(each)
        .map(|stretch| stretch.iter().flatten().copied().reduce(f64::max))
        .collect()
}

fn block(value: Option<f64>, highest: f64) -> char {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    match value {
        None => ' ',
        Some(value) if highest > 0.0 => {
            let eighth = (value / highest * 8.0).floor().clamp(0.0, 7.0);
            BLOCKS[eighth as usize]
        }
        Some(_) => BLOCKS[0],
    }
}

fn columns(first: &str, between: Option<&str>, levels: &[f64]) -> Vec<Column> {
    let mut columns = vec![Column::words(first)];
    columns.extend(between.map(Column::number));
    columns.extend(
        levels
            .iter()
            .map(|level| Column::number(&percent_of(*level))),
    );
    columns
}

/// The next steps, then ever fewer, and the last.
fn steps(result: &ForecastResult) -> TextTable {
    let mut table = TextTable::new(columns("step", Some("expected"), &result.levels));
    let mut shown = vec![0, 1, 2];
    while let Some(next) = shown
        .last()
        .map(|last| 2 * last + 1)
        .filter(|&next| next < result.steps.len())
    {
        shown.push(next);
    }
    shown.push(result.steps.len().saturating_sub(1));
    shown.sort_unstable();
    shown.dedup();
    for step in shown.into_iter().filter_map(|step| result.steps.get(step)) {
        let mut cells = vec![
            step.local.strftime("%Y-%m-%d %H:%M").to_string(),
            quantity(step.expected),
        ];
        cells.extend(step.quantiles.iter().map(|value| quantity(*value)));
        table.row(cells);
    }
    table
}

fn days(result: &ForecastResult) -> TextTable {
    let mut table = TextTable::new(columns("day", Some("most likely at"), &result.levels));
    for day in result.days.iter().take(MOST_DAYS) {
        let mut cells = vec![
            day.date.strftime("%a %Y-%m-%d").to_string(),
            day.highest.strftime("%H:%M").to_string(),
        ];
        cells.extend(day.quantiles.iter().map(|value| quantity(*value)));
        table.row(cells);
    }
    table
}

fn members(result: &ForecastResult) -> String {
    let each = result.members.iter().map(|member| {
        let (first, last) = (percent(member.share_first), percent(member.share_last));
        format!("{} {first} → {last}", member.model)
    });
    format!(
        "members, and their shares of the first → the last step: {}",
        each.collect::<Vec<_>>().join(", ")
    )
}

fn parts(result: &ForecastResult) -> TextTable {
    let there = result.parts_there();
    let mut columns = vec![Column::words("step")];
    columns.extend(
        there
            .iter()
            .map(|&part| Column::number(ForecastParts::NAMES[part])),
    );
    columns.push(Column::number("expected"));
    let mut table = TextTable::new(columns);
    let apart = result.parts.len().div_ceil(MOST_EXPLAINED).max(1);
    for (step, parts) in result.steps.iter().zip(&result.parts).step_by(apart) {
        let mut cells = vec![step.local.strftime("%Y-%m-%d %H:%M").to_string()];
        cells.extend(there.iter().map(|&part| quantity(parts.values()[part])));
        cells.push(quantity(step.expected));
        table.row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_quiet_table() {
        let mut result = example::result();
        result.parts.truncate(2);
        let text = forecast_text(&result, TextStyle::default());
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("demand.csv: 672 steps of 1 h, 3 missing")
        );
        let second = "combination, 48 steps ahead; interactions a step, times of UTC";
        assert_eq!(lines.next(), Some(second));
        let drawn = lines.nth(1).unwrap();
        assert!(
            drawn.starts_with('▃') && drawn.contains("█│▃") && drawn.ends_with("█  up to 330"),
            "{drawn}"
        );
        for line in [
            "2026-03-02 00:00       100   80   100   120",
            "2026-03-03 23:00       330  264   330   396",
            "Mon 2026-03-02           23:00  290   330   400",
            "members, and their shares of the first → the last step: theta_week 75.0 % → 50.0 %,",
            "2026-03-02 01:00    215  -100         -5       110",
            "Most of this demand repeats by the day.",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn a_model_that_took_the_place_of_another_is_named() {
        let mut result = example::result();
        result.model = "naive".into();
        let text = forecast_text(&result, TextStyle::default());
        assert!(
            text.contains("naive (asked for: combination), 48 steps ahead"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_forecast_is_no_nonsense() {
        let text = forecast_text(&ForecastResult::default(), TextStyle::default());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
