//! How well intervals hold when there is little history yet.

use anyhow::Result;
use fleetcast_forecast::evaluation::{Origins, Protocol, Scores};
use fleetcast_report::{Column, TextTable};
use serde::Serialize;

use super::entrant::Entrant;
use super::rolling::Place;
use super::series::Trace;
use super::table::both;
use super::tier::{COVERAGE, Tier};
use crate::parallel;
use crate::provisioning::STYLE;

/// Weeks of history that are looked at, as far as a tier's window reaches.
const WEEKS: [usize; 3] = [1, 2, 3];
/// How far coverage may be off its level.
const TOLERANCE: f64 = 0.05;
/// The levels of the intervals.
const LEVELS: [f64; 2] = [0.8, 0.95];

/// One setting with so much history, means over the series. Pairs are of the short and the long horizon.
#[derive(Clone, Debug, Serialize)]
pub struct ShortHistory {
    pub model: String,
    pub weeks: usize,
    pub origins: usize,
    pub scores: [Scores; 2],
}

/// Runs the settings that have goals from every origin a horizon after the last, with less history than the tier's.
pub fn run(
    tier: &Tier,
    traces: &[Trace],
    entrants: &[Entrant],
    threads: usize,
) -> Result<Vec<ShortHistory>> {
    let judged = entrants
        .iter()
        .filter(|entrant| tier.goals.iter().any(|goals| goals.model == entrant.name()));
    let mut found = Vec::new();
    for entrant in judged {
        for weeks in WEEKS {
            let window = weeks * tier.seasons.week;
            if window >= tier.protocol.window {
                continue;
            }
            let protocol = Protocol {
                window,
                first: tier.protocol.first.max(window),
                origins: Origins::Every(tier.protocol.horizon),
                ..tier.protocol
            };
            let series = parallel::run_on(threads, traces, |trace| {
                let shorter = Tier { protocol, ..*tier };
                let Ok(origins) = trace.rolling(&shorter, protocol).origins() else {
                    return Ok(None);
                };
                let place = |origin| Place {
                    origin,
                    protocol: false,
                    apart: true,
                };
                let places: Vec<Place> = origins.into_iter().map(place).collect();
                Ok(Some(
                    entrant.run(&shorter, trace, &places).figures("").apart,
                ))
            })?;
            let series: Vec<[Scores; 2]> = series.into_iter().flatten().collect();
            let at = |place: usize| {
                Scores::mean(&series.iter().map(|pair| pair[place]).collect::<Vec<_>>())
            };
            found.push(ShortHistory {
                model: entrant.name().to_string(),
                weeks,
                origins: at(0).origins,
                scores: [at(0), at(1)],
            });
        }
    }
    Ok(found)
}

/// Prints the table.
pub fn print(tier: &Tier, rows: &[ShortHistory]) {
    if rows.is_empty() {
        return;
    }
    let [short, long] = tier.horizons;
    let mut table = TextTable::new(vec![
        Column::words("setting"),
        Column::number("weeks of\nhistory"),
        Column::number("origins"),
        Column::number(&format!("cov80\n{short} / {long}")),
        Column::number("cov95\n"),
        Column::number("WQL\n"),
        Column::words("within ± .05"),
    ]);
    for row in rows {
        let pair = |part: fn(&Scores) -> Option<f64>| [part(&row.scores[0]), part(&row.scores[1])];
        let (cov80, cov95) = (pair(|one| one.cov80), pair(|one| one.cov95));
        let far = cov80
            .iter()
            .map(|found| (found, LEVELS[0]))
            .chain(cov95.iter().map(|found| (found, LEVELS[1])))
            .filter_map(|(found, level)| Some((found.as_ref()? - level).abs()))
            .fold(0.0, f64::max);
        let verdict = if far <= TOLERANCE {
            "yes".to_string()
        } else {
            format!("missed by {:.3}", far - TOLERANCE)
        };
        table.row(vec![
            row.model.clone(),
            row.weeks.to_string(),
            row.origins.to_string(),
            both(cov80),
            both(cov95),
            both(pair(|one| one.wql)),
            verdict,
        ]);
    }
    println!(
        "\nwith less history than the tier's window, from every origin a horizon after the last (with all of it: {:.2}–{:.2} and \
         {:.2}–{:.2} are the goals)",
        COVERAGE[0].0, COVERAGE[0].1, COVERAGE[1].0, COVERAGE[1].1
    );
    print!("{}", table.render(STYLE));
}
