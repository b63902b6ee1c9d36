//! The benchmark table of provisioning: our cost against the cheapest peer, trace by trace.

use crate::number::{UNKNOWN, grouped, maybe, percent_number, ratio, significant, target};
use crate::text_table::{Column, TextStyle, TextTable};

/// One trace at one objective.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BenchRow {
    pub trace: String,
    pub target_share: f64,
    pub unserved_share: f64,
    /// Our paid unit-steps over the unit-steps that demand needed.
    pub cost_over_need: f64,
    /// The cheapest peer of this trace at the unserved share *we* achieved, with hindsight.
    pub peer: String,
    /// Its cost; `None` if no peer's curve reaches that share.
    pub peer_cost_over_need: Option<f64>,
    pub starts_per_day_fleets: f64,
}

impl BenchRow {
    /// Our cost over the peer's at equal unserved demand; below one is a win.
    pub fn ratio(&self) -> Option<f64> {
        self.peer_cost_over_need
            .map(|peer| self.cost_over_need / peer)
            .filter(|ratio| ratio.is_finite())
    }

    /// Achieved over target unserved demand; one is perfect calibration.
    pub fn achieved_over_target(&self) -> Option<f64> {
        Some(self.unserved_share / self.target_share)
            .filter(|factor| factor.is_finite() && *factor > 0.0)
    }
}

/// The benchmark as a table, with the two figures we are judged by underneath.
pub fn bench_table(rows: &[BenchRow], style: TextStyle) -> String {
    let mut table = TextTable::new(vec![
        Column::words("trace"),
        Column::number("target\n%"),
        Column::number("unserved\n%"),
        Column::number("÷ target"),
        Column::number("our cost\n÷ need"),
        Column::number("peer cost\n÷ need"),
        Column::number("ratio"),
        Column::number("starts\nfleets/day"),
        Column::words("cheapest peer"),
    ]);
    for row in rows {
        table.row(vec![
            row.trace.clone(),
            target(row.target_share).trim_end_matches(" %").to_owned(),
            percent_number(row.unserved_share),
            ratio(row.achieved_over_target()),
            grouped(row.cost_over_need, 3),
            maybe(row.peer_cost_over_need, |cost| grouped(cost, 3)),
            maybe(row.ratio(), |ratio| grouped(ratio, 3)),
            ratio(Some(row.starts_per_day_fleets)),
            row.peer.clone(),
        ]);
    }
    table.render(style) + &summary(rows)
}

fn summary(rows: &[BenchRow]) -> String {
    let ratios: Vec<f64> = rows.iter().filter_map(BenchRow::ratio).collect();
    let mut errors: Vec<f64> = rows
        .iter()
        .filter_map(BenchRow::achieved_over_target)
        .map(|factor| ln(factor).abs())
        .collect();
    errors.sort_by(f64::total_cmp);
    let worst = |values: &[f64]| values.iter().copied().max_by(f64::total_cmp);
    let mean = (!ratios.is_empty()).then(|| {
        (ratios.iter().map(|ratio| ratio.log2()).sum::<f64>() / ratios.len() as f64).exp2()
    });
    let starts: Vec<f64> = rows
        .iter()
        .map(|row| row.starts_per_day_fleets)
        .filter(|starts| starts.is_finite())
        .collect();
    let three = |value: f64| grouped(value, 3);
    format!(
        "ratio: geometric mean {} over {} of {} traces, worst {}\n\
         calibration: median |ln(unserved ÷ target)| {}, worst {}\n\
         unit starts: at most {} fleets a day\n",
        maybe(mean, three),
        ratios.len(),
        rows.len(),
        maybe(worst(&ratios), three),
        maybe(median(&errors), three),
        maybe(errors.last().copied(), three),
        worst(&starts).map_or_else(|| UNKNOWN.to_owned(), |starts| significant(starts, 3)),
    )
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        _ => Some(sorted[middle]),
    }
}

fn ln(value: f64) -> f64 {
    value.log2() * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_figures_stand_under_the_rows() {
        let row = |trace: &str, unserved_share, cost_over_need, peer_cost_over_need| BenchRow {
            trace: trace.to_owned(),
            target_share: 0.005,
            unserved_share,
            cost_over_need,
            peer: "hpa 0.7, floor 9".to_owned(),
            peer_cost_over_need,
            starts_per_day_fleets: 2.5,
        };
        let rows = [
            row("elb", 0.005, 1.6, Some(2.0)),
            row("goog", 0.01, 1.8, Some(1.8)),
            row("none", 0.0, 1.0, None),
        ];
        let expected = "       target  unserved            our cost  peer cost             starts
trace       %         %  ÷ target    ÷ need     ÷ need  ratio  fleets/day  cheapest peer
───────────────────────────────────────────────────────────────────────────────────────────
elb       0.5      0.50      1.00     1.600      2.000  0.800        2.50  hpa 0.7, floor 9
goog      0.5      1.00      2.00     1.800      1.800  1.000        2.50  hpa 0.7, floor 9
none      0.5         0         –     1.000          –      –        2.50  hpa 0.7, floor 9
ratio: geometric mean 0.894 over 2 of 3 traces, worst 1.000
calibration: median |ln(unserved ÷ target)| 0.347, worst 0.693
unit starts: at most 2.50 fleets a day
";
        assert_eq!(bench_table(&rows, TextStyle::default()), expected);
        assert!(
            bench_table(&[], TextStyle::default()).contains("geometric mean – over 0 of 0 traces")
        );
    }
}
