//! What is printed of the plans beside HiGHS.

use anyhow::Result;
use fleetcast_report::{Column, TextTable};

use super::Line;
use super::args::PlannerArgs;
use super::peer::{Answer, GAP};
use crate::provisioning::STYLE;

/// Two costs are the same within this share: HiGHS sums floats.
const SAME: f64 = 1e-7;

/// Prints what came of some instances, beside the goals at the median and at the worst.
pub fn print(
    args: &PlannerArgs,
    title: &str,
    lines: &[Line],
    median: f64,
    worst: f64,
) -> Result<()> {
    if args.json {
        for line in lines {
            println!("{}", serde_json::to_string(line)?);
        }
        return Ok(());
    }
    println!("{title}: {}", lines.len());
    let mut table = TextTable::new(vec![
        Column::words(""),
        Column::number("instances"),
        Column::number("median"),
        Column::number("90 %"),
        Column::number("worst"),
        Column::words("goal"),
    ]);
    let mut row = |name: &str, mut values: Vec<f64>, unit: &str, goal: String| {
        if values.is_empty() {
            return;
        }
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let shown = |value: f64| match unit {
            "%" => format!("{:.2} %", value * 100.0),
            "×" => format!("{value:.1} ×"),
            _ => format!("{value:.2} ms"),
        };
        let tail = if unit == "×" {
            [0.5, 0.1, 0.0]
        } else {
            [0.5, 0.9, 1.0]
        };
        let mut cells = vec![name.to_string(), values.len().to_string()];
        cells.extend(tail.map(|share| shown(at(share))));
        cells.push(goal);
        table.row(cells);
    };
    let goal = format!("≤ {:.0} %, worst ≤ {:.0} %", median * 100.0, worst * 100.0);
    let whole = || lines.iter().filter(|line| line.whole);
    let peers = || whole().filter_map(|line| Some((line, line.peer.as_ref()?)));
    let over = |line: &Line, than: f64| line.cost / than - 1.0;
    let optimal = peers().filter(|(_, peer)| peer.is_solved());
    row(
        "over HiGHS' solution, where it is within 0.1 %",
        optimal
            .filter_map(|(line, peer)| Some(over(line, peer.objective?)))
            .collect(),
        "%",
        goal.clone(),
    );
    let ended = peers().filter(|(_, peer)| !peer.is_solved());
    row(
        "over HiGHS' best solution, where its time was up",
        ended
            .clone()
            .filter_map(|(line, peer)| Some(over(line, peer.objective?)))
            .collect(),
        "%",
        String::new(),
    );
    row(
        "over HiGHS' best bound, where its time was up",
        ended
            .filter_map(|(line, peer)| Some(over(line, peer.bound.filter(|bound| *bound > 0.0)?)))
            .collect(),
        "%",
        "≤ 2 % on large ones".into(),
    );
    row(
        "over our own lower bound",
        whole()
            .map(|line| over(line, line.lower_bound.max(1.0)))
            .collect(),
        "%",
        String::new(),
    );
    let faster = |(line, peer): (&Line, &Answer), within: f64, building: f64| {
        let (ours, theirs) = to_equal_cost(line, peer, within);
        (theirs + building) / ours.max(1e-6)
    };
    // HiGHS ends within its gap: it does not tell costs nearer than that apart.
    row(
        "faster than HiGHS to equal cost, within 0.1 % as it solves",
        peers().map(|both| faster(both, GAP, 0.0)).collect(),
        "×",
        "≥ 100 ×".into(),
    );
    row(
        "the same, to the very cost",
        peers().map(|both| faster(both, SAME, 0.0)).collect(),
        "×",
        String::new(),
    );
    let built = peers().filter(|(_, peer)| peer.with_building > peer.seconds);
    row(
        "to the very cost, with building HiGHS' model",
        built
            .map(|both| faster(both, SAME, both.1.with_building - both.1.seconds))
            .collect(),
        "×",
        String::new(),
    );
    row(
        "HiGHS' CPU time to equal cost within 0.1 %",
        peers()
            .map(|(line, peer)| to_equal_cost(line, peer, GAP).1 * 1e3)
            .collect(),
        "ms",
        String::new(),
    );
    row(
        "our CPU time to equal cost within 0.1 %",
        peers()
            .map(|(line, peer)| to_equal_cost(line, peer, GAP).0 * 1e3)
            .collect(),
        "ms",
        String::new(),
    );
    row(
        "our CPU time, whole plan with its bound",
        lines.iter().map(|line| line.seconds * 1e3).collect(),
        "ms",
        String::new(),
    );
    println!("{}", table.render(STYLE).trim_end());
    let missing = lines.len() - whole().count();
    if missing > 0 {
        println!("{missing} in which something without a price is missing are not compared");
    }
    let failed = lines.iter().filter(|line| {
        line.peer
            .as_ref()
            .is_some_and(|peer| peer.objective.is_none())
    });
    for line in failed {
        let peer = line.peer.as_ref();
        let why = peer.map(|peer| peer.error.clone().unwrap_or_else(|| peer.status.clone()));
        println!(
            "{}: HiGHS has no solution ({})",
            line.name,
            why.unwrap_or_default()
        );
    }
    println!();
    Ok(())
}

/// CPU seconds until we, and until HiGHS, had a solution that costs no more than the dearer one of the two last
/// solutions, but for this share of it: each within its one run, ours from the stated problem on. HiGHS that has no
/// solution took all of its time.
fn to_equal_cost(line: &Line, peer: &Answer, within: f64) -> (f64, f64) {
    let dearer = peer.objective.map_or(line.cost, |cost| cost.max(line.cost));
    let first = |found: &[(f64, f64)], at_most: f64| {
        found
            .iter()
            .filter(|(_, cost)| *cost <= dearer * (1.0 + within))
            .map(|(seconds, _)| *seconds)
            .fold(at_most, f64::min)
    };
    (
        first(&line.found, line.seconds),
        first(&peer.found, peer.seconds),
    )
}
