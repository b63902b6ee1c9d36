//! Ours against the peers' of the same order: are the single models right?

use std::collections::BTreeMap;

use anyhow::Result;
use fleetcast_forecast::{Fit, History, Predict, Season, Theta};
use fleetcast_report::{Column, TextTable};
use serde::{Deserialize, Serialize};

use super::args::ForecastArgs;
use super::clock::cpu_seconds;
use super::m4::{self, HORIZON, SEASONS};
use super::peers::Peers;
use super::table::number;
use crate::provisioning::STYLE;

/// Differences up to this share are no difference.
const TOLERANCE: f64 = 0.01;
/// Share of fits that should hold it.
const GOAL: f64 = 0.95;

/// A kind of model that peers have too: its name, and a function from the peer's order and a history to our point
/// forecasts, or why there are none.
type Ours = (
    &'static str,
    fn(&serde_json::Value, &History<'_>) -> Result<Vec<f64>, String>,
);

/// All kinds that are compared. The names are those of `peers/fidelity.py`, where the orders stand.
const OURS: &[Ours] = &[("theta", |_, history| {
    let fitted = Theta::new(Season::Day)
        .fit(history)
        .map_err(|error| error.to_string())?;
    Ok(fitted.predict(HORIZON).steps)
})];

#[derive(Serialize)]
struct Job {
    kinds: Vec<&'static str>,
    season: usize,
    horizon: usize,
    series: Vec<JobSeries>,
}

#[derive(Serialize)]
struct JobSeries {
    name: String,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Answer {
    kind: String,
    series: String,
    order: serde_json::Value,
    #[serde(default)]
    forecast: Vec<f64>,
    error: Option<String>,
    cpu_seconds: f64,
}

/// One kind and order over all series that had it.
#[derive(Default)]
struct Tally {
    fits: usize,
    /// Fits of which every step is within the tolerance.
    every_step: usize,
    /// Fits whose mean absolute difference is within the tolerance of the mean forecast.
    on_average: usize,
    differences: Vec<f64>,
    cpu: [f64; 2],
    failures: usize,
}

/// Runs the benchmark.
pub fn run(args: &ForecastArgs) -> Result<()> {
    let series = m4::read(args)?;
    let kinds: Vec<_> = OURS.iter().map(|(kind, _)| *kind).collect();
    eprintln!(
        "{} series of M4 hourly, {} …",
        series.len(),
        kinds.join(", ")
    );
    let job = Job {
        kinds,
        season: SEASONS.day,
        horizon: HORIZON,
        series: series
            .iter()
            .map(|one| JobSeries {
                name: one.name.clone(),
                values: one.seen.clone(),
            })
            .collect(),
    };
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    Peers::find(args.python.as_deref())?.fidelity(&job, |answer: Answer| {
        let (Some((_, ours)), Some(one)) = (
            OURS.iter().find(|(kind, _)| *kind == answer.kind),
            series.iter().find(|one| one.name == answer.series),
        ) else {
            return;
        };
        let values: Vec<Option<f64>> = one.seen.iter().copied().map(Some).collect();
        let key = (answer.kind.clone(), answer.order.to_string());
        let tally = tallies.entry(key).or_default();
        let began = cpu_seconds();
        let found = History::new(&values, SEASONS)
            .map_err(|error| error.to_string())
            .and_then(|history| ours(&answer.order, &history));
        tally.cpu[0] += cpu_seconds() - began;
        tally.cpu[1] += answer.cpu_seconds;
        match (found, answer.error) {
            (Ok(found), None) => tally.add(&found, &answer.forecast),
            (found, error) => {
                tally.failures += 1;
                let why = error.or(found.err()).unwrap_or_default();
                eprintln!(
                    "{} {} on {}: {why}",
                    answer.kind, answer.order, answer.series
                );
            }
        }
    })?;
    print(&tallies);
    Ok(())
}

impl Tally {
    fn add(&mut self, ours: &[f64], peers: &[f64]) {
        let size = peers.iter().map(|value| value.abs()).sum::<f64>() / peers.len().max(1) as f64;
        let near =
            |(ours, peers): (&f64, &f64)| (ours - peers).abs() <= TOLERANCE * peers.abs().max(1e-9);
        let pairs = || ours.iter().zip(peers);
        let difference = pairs()
            .map(|(ours, peers)| (ours - peers).abs())
            .sum::<f64>()
            / peers.len().max(1) as f64
            / size.max(1e-9);
        self.fits += 1;
        self.every_step += usize::from(ours.len() == peers.len() && pairs().all(near));
        self.on_average += usize::from(difference <= TOLERANCE);
        self.differences.push(difference);
    }
}

fn print(tallies: &BTreeMap<(String, String), Tally>) {
    println!(
        "\npoint forecasts of the same order, ours against statsforecast's: M4 hourly, {HORIZON} ahead"
    );
    let mut table = TextTable::new(vec![
        Column::words("kind"),
        Column::words("order"),
        Column::number("fits"),
        Column::number("each step\nwithin 1 %"),
        Column::number("on average\nwithin 1 %"),
        Column::number("difference\nmedian"),
        Column::number("CPU s\nours"),
        Column::number("CPU s\npeer's"),
        Column::number("failed\n"),
        Column::words("goal met"),
    ]);
    for ((kind, order), tally) in tallies {
        let share = |count: usize| (tally.fits > 0).then(|| count as f64 / tally.fits as f64);
        let met =
            share(tally.on_average).map_or("–", |share| if share >= GOAL { "yes" } else { "no" });
        table.row(vec![
            kind.clone(),
            if order == "{}" {
                "–".into()
            } else {
                order.clone()
            },
            tally.fits.to_string(),
            number(share(tally.every_step)),
            number(share(tally.on_average)),
            crate::judgement::median(tally.differences.clone())
                .map_or("–".into(), |d| format!("{d:.5}")),
            format!("{:.2}", tally.cpu[0]),
            format!("{:.2}", tally.cpu[1]),
            tally.failures.to_string(),
            met.into(),
        ]);
    }
    print!("{}", table.render(STYLE));
    println!("goal: {GOAL} of the fits within 1 % on average over the steps");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_apart_is_not_every_step_but_may_be_on_average() {
        let mut tally = Tally::default();
        let peers = [100.0; 10];
        let mut ours = peers;
        tally.add(&ours, &peers);
        ours[3] = 102.0;
        tally.add(&ours, &peers);
        ours = [103.0; 10];
        tally.add(&ours, &peers);
        assert_eq!((tally.fits, tally.every_step, tally.on_average), (3, 1, 2));
    }
}
