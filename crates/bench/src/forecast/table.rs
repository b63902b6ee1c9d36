//! The table of a tier: every model of ours beside its peer.

use std::collections::BTreeMap;

use fleetcast_forecast::evaluation::{Held, Scores, geometric_mean};
use fleetcast_report::{Column, TextTable};
use serde::Serialize;

use super::rolling::Figures;
use super::tier::{COVERAGE, Goals, Tier};
use crate::provisioning::STYLE;

/// Which peer has the same name as a model of ours.
const PEERS: [(&str, &str); 9] = [
    ("naive", "Naive"),
    ("seasonal-naive-day", "SeasonalNaive-day"),
    ("seasonal-naive-week", "SeasonalNaive-week"),
    ("theta", "DOT"),
    ("ets", "AutoETS"),
    ("mstl", "MSTL"),
    ("mstl-arima", "MSTL-ARIMA"),
    ("arima", "AutoARIMA-approx"),
    ("prophet", "Prophet"),
];

/// One model over all series of a tier. Pairs are of the short and the long horizon.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub model: String,
    pub peer: bool,
    /// Geometric means over the series, by the yardstick.
    pub relative_wql: [Option<f64>; 2],
    pub relative_ql95: [Option<f64>; 2],
    /// Arithmetic means over the series.
    pub protocol: [Scores; 2],
    /// The same from origins a horizon apart.
    pub apart: [Scores; 2],
    pub cpu_seconds: Option<f64>,
    pub failures: usize,
    pub series: Vec<Figures>,
}

/// Sums up a model over the series. `yardstick` holds the same series.
pub fn row(model: &str, peer: bool, series: Vec<Figures>, yardstick: &[Figures]) -> Row {
    let relative = |at: usize, part: fn(&Scores) -> Option<f64>| {
        geometric_mean(series.iter().filter_map(|one| {
            let other = yardstick.iter().find(|other| other.series == one.series)?;
            Some(part(&one.protocol[at])? / part(&other.protocol[at])?)
        }))
    };
    let mean =
        |part: fn(&Figures) -> Scores| Scores::mean(&series.iter().map(part).collect::<Vec<_>>());
    let cpu: Vec<f64> = series.iter().filter_map(|one| one.cpu_seconds).collect();
    Row {
        model: model.to_string(),
        peer,
        relative_wql: [relative(0, |one| one.wql), relative(1, |one| one.wql)],
        relative_ql95: [relative(0, |one| one.ql95), relative(1, |one| one.ql95)],
        protocol: [mean(|one| one.protocol[0]), mean(|one| one.protocol[1])],
        apart: [mean(|one| one.apart[0]), mean(|one| one.apart[1])],
        cpu_seconds: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
        failures: series.iter().map(|one| one.failures).sum(),
        series,
    }
}

/// Puts each peer under the model of ours of the same name, and the others at the end.
pub fn in_order(rows: Vec<Row>) -> Vec<Row> {
    let (peers, ours): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.peer);
    let mut peers: BTreeMap<String, Row> = peers
        .into_iter()
        .map(|row| (row.model.clone(), row))
        .collect();
    let mut ordered = Vec::new();
    for own in ours {
        let same = PEERS.iter().find(|(name, _)| *name == own.model);
        ordered.push(own);
        ordered.extend(same.and_then(|(_, peer)| peers.remove(*peer)));
    }
    ordered.extend(peers.into_values());
    ordered
}

/// Prints the table.
pub fn print(tier: &Tier, rows: &[Row]) {
    let [short, long] = tier.horizons;
    let mut table = TextTable::new(vec![
        Column::words("model"),
        Column::number(&format!("relWQL\n{short} / {long}")),
        Column::number("relQL95\n"),
        Column::number("cov80\nprotocol"),
        Column::number("cov95\nprotocol"),
        Column::number("cov80\nall origins"),
        Column::number("cov95\nall origins"),
        Column::number("MASE\n"),
        Column::number("CPU s\na fit"),
        Column::number("failed\n"),
    ]);
    for row in rows {
        let pair = |scores: &[Scores; 2], part: fn(&Scores) -> Option<f64>| {
            both([part(&scores[0]), part(&scores[1])])
        };
        let cells = vec![
            if row.peer {
                format!("  peer {}", row.model)
            } else {
                row.model.clone()
            },
            both(row.relative_wql),
            both(row.relative_ql95),
            pair(&row.protocol, |one| one.cov80),
            pair(&row.protocol, |one| one.cov95),
            pair(&row.apart, |one| one.cov80),
            pair(&row.apart, |one| one.cov95),
            pair(&row.protocol, |one| one.mase),
            row.cpu_seconds
                .map_or("–".into(), |seconds| format!("{seconds:.4}")),
            row.failures.to_string(),
        ];
        table.row(cells);
    }
    print!("{}", table.render(STYLE));
}

/// Prints relWQL of each series.
pub fn print_series(tier: &Tier, rows: &[Row], yardstick: &[Figures]) {
    let mut columns = vec![Column::words("model")];
    columns.extend(yardstick.iter().map(|one| {
        let name: String = one.series.chars().take(12).collect();
        Column::number(&name)
    }));
    let mut table = TextTable::new(columns);
    for row in rows {
        let relative = |other: &Figures| {
            let own = row.series.iter().find(|one| one.series == other.series);
            both([0, 1].map(|at| Some(own?.protocol[at].wql? / other.protocol[at].wql?)))
        };
        let mut cells = vec![row.model.clone()];
        cells.extend(yardstick.iter().map(relative));
        table.row(cells);
    }
    println!(
        "\nrelWQL by series, {} / {}",
        tier.horizons[0], tier.horizons[1]
    );
    print!("{}", table.render(STYLE));
}

/// Prints how often the intervals of the settings with goals held by hour of day and by regime: means over the series.
pub fn print_conditional(tier: &Tier, rows: &[Row]) {
    for goals in tier.goals {
        let Some(row) = rows
            .iter()
            .find(|row| !row.peer && row.model == goals.model)
        else {
            continue;
        };
        let each: Vec<Vec<(String, Held)>> = row
            .series
            .iter()
            .map(|one| one.conditional.rows())
            .collect();
        let mut table = TextTable::new(vec![
            Column::words("when"),
            Column::number("series"),
            Column::number("steps"),
            Column::number("cov80"),
            Column::number("cov95"),
            Column::number("at or under\nthe 95 % level"),
        ]);
        let names = each.first().into_iter().flatten().map(|(name, _)| name);
        for (place, name) in names.enumerate() {
            let cells = each.iter().map(|rows| rows[place].1);
            let steps: u64 = cells.clone().map(|held| held.steps).sum();
            let shares: Vec<[f64; 3]> = cells.filter_map(|held| held.shares()).collect();
            if shares.is_empty() {
                continue;
            }
            let mean = |at: usize| {
                shares.iter().map(|shares| shares[at]).sum::<f64>() / shares.len() as f64
            };
            let mut cells = vec![name.clone(), shares.len().to_string(), steps.to_string()];
            cells.extend((0..3).map(|at| format!("{:.3}", mean(at))));
            table.row(cells);
        }
        println!(
            "\n{}: coverage {} ahead by hour of day and by regime, all origins, means over the series",
            row.model, tier.horizons[1]
        );
        print!("{}", table.render(STYLE));
    }
}

/// A figure beside its goal.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub model: String,
    pub what: String,
    pub found: Option<f64>,
    pub least: f64,
    pub most: f64,
    pub met: Option<bool>,
}

/// Judges the settings that have goals.
pub fn verdicts(tier: &Tier, rows: &[Row], protocol_only: bool) -> Vec<Verdict> {
    let judged = |goals: &Goals| {
        let row = rows
            .iter()
            .find(|row| !row.peer && row.model == goals.model)?;
        let mut verdicts = Vec::new();
        let mut add = |what: String, found: Option<f64>, least: f64, most: f64| {
            verdicts.push(Verdict {
                model: row.model.clone(),
                what,
                found,
                least,
                most,
                met: found.map(|found| (least..=most).contains(&found)),
            });
        };
        for (at, horizon) in tier.horizons.into_iter().enumerate() {
            let what = format!("relWQL, {horizon}");
            add(what, row.relative_wql[at], 0.0, goals.relative_wql[at]);
            if let Some(most) = goals.relative_ql95 {
                let what = format!("relQL95, {horizon}");
                add(what, row.relative_ql95[at], 0.0, most[at]);
            }
            // Few origins are too few to tell.
            if !protocol_only && (at == 0 || goals.coverage_long) {
                let scores = &row.apart[at];
                for (name, found, (least, most)) in [
                    ("cov80", scores.cov80, COVERAGE[0]),
                    ("cov95", scores.cov95, COVERAGE[1]),
                ] {
                    add(
                        format!("{name}, {horizon}, all origins"),
                        found,
                        least,
                        most,
                    );
                }
            }
        }
        add(
            "CPU s a fit".into(),
            row.cpu_seconds,
            0.0,
            goals.cpu_seconds,
        );
        Some(verdicts)
    };
    tier.goals.iter().filter_map(judged).flatten().collect()
}

/// Prints the goals.
pub fn print_verdicts(verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    let mut table = TextTable::new(vec![
        Column::words("setting"),
        Column::words("figure"),
        Column::number("found"),
        Column::number("goal"),
        Column::words("met"),
    ]);
    for verdict in verdicts {
        let goal = if verdict.least > 0.0 {
            format!("{:.2}–{:.2}", verdict.least, verdict.most)
        } else {
            format!("≤ {}", crate::provisioning::trimmed(verdict.most))
        };
        table.row(vec![
            verdict.model.clone(),
            verdict.what.clone(),
            number(verdict.found),
            goal,
            outcome(verdict),
        ]);
    }
    println!("\n{}", table.render(STYLE).trim_end());
}

/// `yes`, or by how much it was missed.
fn outcome(verdict: &Verdict) -> String {
    match verdict.found {
        None => "–".into(),
        Some(found) if found > verdict.most && verdict.least > 0.0 => {
            format!("missed by {:.3} too much", found - verdict.most)
        }
        Some(found) if found < verdict.least => {
            format!("missed by {:.3} too little", verdict.least - found)
        }
        Some(found) if found > verdict.most => {
            format!("missed by {:.1} %", (found / verdict.most - 1.0) * 100.0)
        }
        Some(found) if verdict.least > 0.0 => {
            format!(
                "yes, {:.3} within",
                (found - verdict.least).min(verdict.most - found)
            )
        }
        Some(found) => format!("yes, {:.1} % better", (1.0 - found / verdict.most) * 100.0),
    }
}

/// Two numbers, of the short and the long horizon.
pub fn both(pair: [Option<f64>; 2]) -> String {
    format!("{} / {}", number(pair[0]), number(pair[1]))
}

/// Three decimals, or a dash.
pub fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.3}"),
        _ => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_forecast::evaluation::ConditionalCoverage;

    use super::*;

    fn figures(series: &str, wql: f64) -> Figures {
        let scores = Scores {
            wql: Some(wql),
            ..Scores::default()
        };
        Figures {
            series: series.into(),
            protocol: [scores; 2],
            apart: [scores; 2],
            conditional: ConditionalCoverage::default(),
            cpu_seconds: Some(0.25),
            failures: 0,
        }
    }

    #[test]
    fn ratios_are_of_the_same_series_and_averaged_geometrically() {
        let yardstick = [figures("a", 0.5), figures("b", 0.1)];
        let row = row(
            "theta",
            false,
            vec![figures("b", 0.2), figures("a", 0.25)],
            &yardstick,
        );
        assert!((row.relative_wql[0].unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(row.cpu_seconds, Some(0.25));
    }

    #[test]
    fn peers_stand_under_their_own_name() {
        let named = |model: &str, peer| row(model, peer, Vec::new(), &[]);
        let rows = in_order(vec![
            named("combination", false),
            named("theta", false),
            named("Naive", true),
            named("DOT", true),
        ]);
        let names: Vec<&str> = rows.iter().map(|row| row.model.as_str()).collect();
        assert_eq!(names, ["combination", "theta", "DOT", "Naive"]);
    }

    #[test]
    fn a_goal_is_met_or_missed_by_a_stated_margin() {
        let verdict = |found: f64, least: f64, most: f64| {
            outcome(&Verdict {
                model: String::new(),
                what: String::new(),
                found: Some(found),
                least,
                most,
                met: None,
            })
        };
        assert_eq!(verdict(0.715, 0.0, 0.65), "missed by 10.0 %");
        assert_eq!(verdict(0.585, 0.0, 0.65), "yes, 10.0 % better");
        assert_eq!(verdict(0.75, 0.78, 0.82), "missed by 0.030 too little");
        assert_eq!(verdict(0.97, 0.94, 0.96), "missed by 0.010 too much");
        assert_eq!(verdict(0.79, 0.78, 0.82), "yes, 0.010 within");
    }
}
