//! A comparison as text, and its verdict in a sentence.

use super::{ComparedFigure, ComparedMetric, Comparison};
use crate::number::{UNKNOWN, grouped, maybe, percent_number, significant, usd};
use crate::text_table::{Column, TextStyle, TextTable};

/// Fewer days than this tell little, whatever the test says.
const FEW_DAYS: u64 = 7;

impl ComparedMetric {
    fn head(self) -> &'static str {
        match self {
            Self::Cost => "cost, $",
            Self::Unserved => "unserved, % of demand",
            Self::Violation => "violation, % of steps",
            Self::Starts => "unit starts",
        }
    }

    fn value(self, value: f64) -> String {
        match self {
            Self::Cost if value >= 1_000.0 => grouped(value, 0),
            Self::Cost => grouped(value, 2),
            Self::Unserved | Self::Violation => percent_number(value),
            Self::Starts => grouped(value, 0),
        }
    }
}

/// A difference with its sign: percentage points of a share, percent of an amount.
fn signed(metric: ComparedMetric, difference: f64, relative: Option<f64>) -> String {
    if metric.is_share() {
        return format!("{} pp", with_sign(difference * 100.0));
    }
    match relative {
        Some(relative) => format!("{} %", with_sign(relative * 100.0)),
        None => with_sign(difference),
    }
}

fn with_sign(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 10.0 => grouped(value, 1),
        size if size >= 0.095 => grouped(value, 2),
        _ => significant(value, 2),
    };
    if value > 0.0 {
        format!("+{text}")
    } else {
        text
    }
}

fn interval(figure: &ComparedFigure) -> String {
    let metric = figure.metric;
    let both = match (
        metric.is_share(),
        figure.relative_interval,
        figure.difference_interval,
    ) {
        (true, _, Some((low, high))) => Some((with_sign(low * 100.0), with_sign(high * 100.0))),
        (false, Some((low, high)), _) => Some((with_sign(low * 100.0), with_sign(high * 100.0))),
        (false, None, Some((low, high))) => Some((with_sign(low), with_sign(high))),
        _ => None,
    };
    both.map_or_else(
        || UNKNOWN.to_string(),
        |(low, high)| format!("{low} to {high}"),
    )
}

/// The comparison as a table with its verdict.
pub fn comparison_text(comparison: &Comparison, style: TextStyle) -> String {
    let mut table = TextTable::new(vec![
        Column::words(""),
        Column::number("base"),
        Column::number("changed"),
        Column::number("difference"),
        Column::number("95 % interval\nby day"),
        Column::number("days more,\nless"),
        Column::number("signed-rank\np"),
    ]);
    for figure in &comparison.figures {
        let cells = vec![
            figure.metric.head().to_string(),
            figure.metric.value(figure.base),
            figure.metric.value(figure.changed),
            signed(figure.metric, figure.difference, figure.relative),
            interval(figure),
            format!("{}, {}", figure.days_more, figure.days_less),
            maybe(figure.p_value, |p| {
                if p < 0.001 {
                    "< 0.001".to_string()
                } else {
                    format!("{p:.3}")
                }
            }),
        ];
        table.row(cells);
    }
    let mut out = format!(
        "{}: as it is, against {}\n{}, {} scored days, both versions on the same demand\n\n",
        comparison.title,
        comparison.changes.join(", "),
        comparison.policy,
        comparison.days,
    );
    out += &table.render(style);
    out += &format!("\n{}\n", comparison.verdict);
    for note in &comparison.notes {
        out += &format!("{note}\n");
    }
    out
}

/// Says in a sentence what a change does, and how sure that is.
pub fn verdict(figures: &[ComparedFigure], days: u64) -> String {
    let of = |metric| figures.iter().find(|figure| figure.metric == metric);
    let same = figures.iter().all(|figure| figure.difference == 0.0);
    if same {
        return "The change makes no difference: cost, unserved demand, violations and starts are the same.".into();
    }
    let cost = of(ComparedMetric::Cost).map(|cost| {
        let size = match cost.relative {
            Some(relative) => format!("{} %", grouped(relative.abs() * 100.0, 2)),
            None => usd(cost.difference.abs()),
        };
        let word = if cost.difference > 0.0 {
            "more"
        } else {
            "less"
        };
        match (cost.difference == 0.0, cost.is_clear()) {
            (true, _) => "costs the same".to_string(),
            (false, true) => format!("costs {size} {word} (95 %: {} %)", interval(cost)),
            (false, false) => format!(
                "costs {size} {word}, which may be chance (95 %: {} %)",
                interval(cost)
            ),
        }
    });
    let shares = [
        (ComparedMetric::Unserved, "unserved demand"),
        (ComparedMetric::Violation, "the share of steps in violation"),
    ];
    let shares = shares.into_iter().filter_map(|(metric, name)| {
        let figure = of(metric)?;
        let points = format!(
            "{} pp",
            with_sign(figure.difference.abs() * 100.0).trim_start_matches('+')
        );
        let word = if figure.difference > 0.0 {
            "raises"
        } else {
            "lowers"
        };
        Some(match (figure.difference == 0.0, figure.is_clear()) {
            (true, _) => format!("leaves {name} as it is"),
            (false, true) => format!("{word} {name} by {points} (95 %: {} pp)", interval(figure)),
            (false, false) => format!(
                "{word} {name} by {points}, which may be chance (95 %: {} pp)",
                interval(figure)
            ),
        })
    });
    let parts: Vec<String> = cost.into_iter().chain(shares).collect();
    let mut sentence = match parts.as_slice() {
        [] => "There is nothing to compare".to_string(),
        [one] => format!("The change {one}"),
        [before @ .., last] => format!("The change {}, and {last}", before.join(", ")),
    };
    sentence.push('.');
    if days < FEW_DAYS {
        sentence.push_str(&format!(
            " {days} days are few: with a week or more the intervals mean something."
        ));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::super::{DayFigures, DayPair, compare};
    use super::*;

    fn comparison(cost: f64, unserved: f64) -> Comparison {
        let day = |i: u32| {
            let base = DayFigures {
                cost_usd: 100.0 + f64::from(i % 7),
                demand: 1e6,
                unserved: 400.0 + f64::from(i % 3) * 100.0,
                steps: 1_440.0,
                steps_in_violation: 6.0,
                unit_starts: 30.0,
            };
            let changed = DayFigures {
                cost_usd: base.cost_usd * cost,
                unserved: base.unserved * unserved,
                ..base
            };
            DayPair { base, changed }
        };
        let days: Vec<DayPair> = (0..21).map(day).collect();
        let figures = compare(&days);
        Comparison {
            title: "Shop".into(),
            changes: vec!["fleet.components[web].floor=3".into()],
            policy: "Fleetcast".into(),
            days: 21,
            verdict: verdict(&figures, 21),
            figures,
            failed: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_table_shows_differences_with_their_intervals() {
        let text = comparison_text(&comparison(1.02, 0.5), TextStyle::default());
        for part in [
            "Shop: as it is, against fleet.components[web].floor=3",
            "21 scored days",
            "+2.00 %",
            "-0.025 pp",
            "21, 0",
            "< 0.001",
            "The change costs 2.00 % more (95 %: +2.00 to +2.00 %), lowers unserved demand by 0.025 pp",
            "and leaves the share of steps in violation as it is.",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn no_difference_is_said_in_a_word() {
        let text = comparison(1.0, 1.0).verdict;
        assert!(text.starts_with("The change makes no difference"), "{text}");
    }
}
