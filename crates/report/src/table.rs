//! The terminal report of a backtest: what was run, the table of policies, the verdict.

use crate::number::{UNKNOWN, grouped, percent_number, ratio, target, usd, usd_number};
use crate::result::{BacktestResult, PolicyResult};
use crate::text_table::{Column, TextStyle, TextTable, cut, wrap};
use crate::time;

/// The report of a backtest as text, at most `style.width` columns wide (60 or more).
pub fn text_report(result: &BacktestResult, style: TextStyle) -> String {
    let mut out = String::new();
    for line in heading(result)
        .iter()
        .flat_map(|line| wrap(line, style.width))
    {
        out += &cut(&line, style.width);
        out.push('\n');
    }
    out.push('\n');
    out += &policy_table(&result.policies).render(style);
    for note in footnotes(result) {
        for line in wrap(&note, style.width) {
            out += &style.faint(&line);
            out.push('\n');
        }
    }
    out.push('\n');
    for line in wrap(&result.verdict, style.width) {
        out += &line;
        out.push('\n');
    }
    out
}

fn heading(result: &BacktestResult) -> Vec<String> {
    let kind = if result.synthetic {
        " (synthetic demand)"
    } else {
        ""
    };
    let mut lines = vec![
        format!("{}{kind}", result.title),
        format!(
            "{} to {}, step {}, {} of {} steps scored, boot {}, drain {}",
            time::moment(result.first),
            time::moment(result.last),
            time::duration(result.step_seconds),
            grouped(result.scored_steps as f64, 0),
            grouped(result.steps as f64, 0),
            time::duration(result.boot_seconds),
            time::duration(result.drain_seconds),
        ),
    ];
    if let Some(objective) = &result.objective {
        lines.push(format!(
            "objective: {} {}",
            target(objective.target_share),
            objective.metric.words()
        ));
    }
    lines
}

fn policy_table(policies: &[PolicyResult]) -> TextTable {
    let mut table = TextTable::new(vec![
        Column::words("  policy"),
        Column::number("cost\n$"),
        Column::number("cost\n÷ oracle"),
        Column::number("unserved\n%"),
        Column::number("violation\nminutes"),
        Column::number("scaling\nactions/day"),
        Column::number("unit starts\nfleets/day"),
    ]);
    let largest = policies
        .iter()
        .map(|policy| policy.cost_usd)
        .filter(|cost| cost.is_finite())
        .fold(0.0, f64::max);
    for policy in policies {
        let cells = vec![
            row_label(policy),
            usd_number(policy.cost_usd, largest),
            ratio(policy.cost_over_oracle),
            percent_number(policy.unserved_share),
            grouped(policy.violation_minutes, 0),
            grouped(policy.scale_actions_per_day, 1),
            ratio(Some(policy.starts_per_day_fleets)),
        ];
        if policy.is_ours {
            table.emphasised_row(cells)
        } else {
            table.row(cells)
        }
    }
    if policies.is_empty() {
        table.row(vec![
            "  no policies were run".to_owned(),
            UNKNOWN.to_owned(),
        ]);
    }
    table
}

fn row_label(policy: &PolicyResult) -> String {
    match policy {
        policy if policy.is_ours => format!("▸ {} (ours)", policy.label),
        policy if policy.hindsight => format!("  {} *", policy.label),
        policy => format!("  {}", policy.label),
    }
}

fn footnotes(result: &BacktestResult) -> Vec<String> {
    let mut notes = Vec::new();
    if result.policies.iter().any(|policy| policy.hindsight) {
        notes.push("* uses hindsight: a bound, not a choice anybody had".to_owned());
    }
    for policy in &result.policies {
        if let Some(standby) = policy.standby_cost_usd {
            notes.push(format!(
                "standby units are {} of the cost of {}",
                usd(standby),
                policy.label
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn the_table_shows_every_policy_and_ends_in_the_verdict() {
        let mut result = example::result(3);
        result.verdict = "One sentence.".to_owned();
        let text = text_report(&result, TextStyle::default());
        let expected = "\
Shop checkout, three weeks (synthetic demand)
Mon 3 Mar 2025 00:00 UTC to Sun 23 Mar 2025 23:59 UTC, step 1 min, 20,101 of 30,240 steps scored,
boot 5 min, drain 5 min
objective: 0.5 % of demand unserved

                                     cost      cost  unserved  violation      scaling  unit starts
  policy                                $  ÷ oracle         %    minutes  actions/day   fleets/day
──────────────────────────────────────────────────────────────────────────────────────────────────
▸ Fleetcast (ours)                  1,234      1.22      0.48        412         61.3         1.94
  Kubernetes HPA at 60 %, floor 12  1,890      1.87      0.61        655        143.8         6.20
  Same time yesterday               1,602      1.59      1.92      1,730         52.0         1.71
  Static, 44 units                  3,960      3.92    0.0034          4          0.0         0.00
  Perfect foresight *               1,010      1.00         0          0         58.9         1.88
* uses hindsight: a bound, not a choice anybody had

One sentence.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_colour_is_only_added() {
        let result = example::result(3);
        let plain = text_report(
            &result,
            TextStyle {
                colour: false,
                width: 80,
            },
        );
        assert!(
            plain.lines().all(|line| line.chars().count() <= 80),
            "{plain}"
        );
        assert!(plain.contains("▸ Fleetcast"));
        let coloured = text_report(
            &result,
            TextStyle {
                colour: true,
                width: 80,
            },
        );
        let stripped = ["\u{1b}[1;34m", "\u{1b}[2m", "\u{1b}[0m"]
            .iter()
            .fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, plain);
    }

    #[test]
    fn unknown_numbers_are_dashes() {
        let text = text_report(&example::degenerate(), TextStyle::default());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        assert!(text.contains('–'));
    }
}
