//! Ours against the peers' of the same order: are the single models right?

use std::collections::BTreeMap;

use anyhow::Result;
use fleetcast_forecast::{Arima, Ets, Fit, Form, History, Predict, Season, Theta};
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

/// Log likelihoods up to this far apart are of the same maximum.
const SAME_LIKELIHOOD: f64 = 0.1;

/// What ours found: point forecasts, and the log likelihood where the peer tells its own.
struct Found {
    forecast: Vec<f64>,
    log_likelihood: Option<f64>,
}

/// A kind of model that peers have too: its name, and a function from the peer's order and a history to what ours
/// finds, or why it finds nothing.
type Ours = (
    &'static str,
    fn(&serde_json::Value, &History<'_>) -> Result<Found, String>,
);

/// All kinds that are compared. The names are those of `peers/fidelity.py`, where the orders stand.
const OURS: &[Ours] = &[
    ("theta", theta),
    ("ets", ets),
    ("arima", arima),
    ("arima, statsforecast alone", arima),
];

fn theta(_: &serde_json::Value, history: &History<'_>) -> Result<Found, String> {
    let fitted = Theta::new(Season::Day).fit(history).map_err(in_words)?;
    Ok(Found {
        forecast: fitted.predict(HORIZON).steps,
        log_likelihood: None,
    })
}

fn ets(order: &serde_json::Value, history: &History<'_>) -> Result<Found, String> {
    #[derive(Deserialize)]
    struct Order {
        error: String,
        trend: String,
        season: String,
        damped: bool,
    }
    let order = Order::deserialize(order).map_err(in_words)?;
    let damped = if order.damped { "d" } else { "" };
    let name = format!("{}{}{damped}{}", order.error, order.trend, order.season);
    let form: Form = name.parse().map_err(in_words)?;
    // One search, as the peer makes it: with more, ours ends at a larger likelihood and elsewhere.
    let fitted = Ets::with_form(form, Some(Season::Day))
        .with_restarts(0)
        .fit(history)
        .map_err(in_words)?;
    Ok(Found {
        forecast: fitted.predict(HORIZON).steps,
        log_likelihood: None,
    })
}

fn arima(order: &serde_json::Value, history: &History<'_>) -> Result<Found, String> {
    type Lags = (usize, usize, usize);
    #[derive(Deserialize)]
    struct Order {
        order: Lags,
        seasonal: Lags,
        drift: bool,
    }
    let order = Order::deserialize(order).map_err(in_words)?;
    // The peer has a mean wherever it does not difference.
    let constant = order.drift || order.order.1 + order.seasonal.1 == 0;
    let fitted = Arima::with_order(order.order, order.seasonal, Some(Season::Day), constant)
        .fit(history)
        .map_err(in_words)?;
    Ok(Found {
        forecast: fitted.predict(HORIZON).steps,
        log_likelihood: Some(fitted.log_likelihood()),
    })
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

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
    log_likelihood: Option<f64>,
    error: Option<String>,
    cpu_seconds: f64,
}

/// One kind and order over all series that had it.
#[derive(Clone, Default)]
struct Tally {
    fits: usize,
    /// Fits of which every step is within the tolerance.
    every_step: usize,
    /// Fits whose mean absolute difference is within the tolerance of the mean forecast.
    on_average: usize,
    differences: Vec<f64>,
    likelihood: Likelihood,
    cpu: [f64; 2],
    failures: usize,
}

/// Where both tell their log likelihood: who found the maximum?
#[derive(Clone, Default)]
struct Likelihood {
    same: usize,
    /// Of the same, those within the tolerance on average.
    same_on_average: usize,
    ours_higher: usize,
    peers_higher: usize,
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
            .map_err(in_words)
            .and_then(|history| ours(&answer.order, &history));
        tally.cpu[0] += cpu_seconds() - began;
        tally.cpu[1] += answer.cpu_seconds;
        match (found, answer.error) {
            (Ok(found), None) => {
                let near = tally.add(&found.forecast, &answer.forecast);
                let both = found.log_likelihood.zip(answer.log_likelihood);
                if let Some((ours, peers)) = both {
                    tally.likelihood.add(ours - peers, near);
                }
            }
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
    /// Whether they are within the tolerance on average. Demand under 0 counts as 0, as ours forecast it.
    fn add(&mut self, ours: &[f64], peers: &[f64]) -> bool {
        let peers: Vec<f64> = peers.iter().map(|value| value.max(0.0)).collect();
        let size = peers.iter().map(|value| value.abs()).sum::<f64>() / peers.len().max(1) as f64;
        let near =
            |(ours, peers): (&f64, &f64)| (ours - peers).abs() <= TOLERANCE * peers.abs().max(1e-9);
        let pairs = || ours.iter().zip(&peers);
        let difference = pairs()
            .map(|(ours, peers)| (ours - peers).abs())
            .sum::<f64>()
            / peers.len().max(1) as f64
            / size.max(1e-9);
        self.fits += 1;
        self.every_step += usize::from(ours.len() == peers.len() && pairs().all(near));
        let within = difference <= TOLERANCE;
        self.on_average += usize::from(within);
        self.differences.push(difference);
        within
    }

    fn take_in(&mut self, other: &Self) {
        self.fits += other.fits;
        self.every_step += other.every_step;
        self.on_average += other.on_average;
        self.differences.extend_from_slice(&other.differences);
        self.likelihood.take_in(&other.likelihood);
        self.cpu
            .iter_mut()
            .zip(other.cpu)
            .for_each(|(own, its)| *own += its);
        self.failures += other.failures;
    }
}

impl Likelihood {
    fn take_in(&mut self, other: &Self) {
        self.same += other.same;
        self.same_on_average += other.same_on_average;
        self.ours_higher += other.ours_higher;
        self.peers_higher += other.peers_higher;
    }

    fn add(&mut self, ahead: f64, near: bool) {
        if ahead.abs() <= SAME_LIKELIHOOD {
            self.same += 1;
            self.same_on_average += usize::from(near);
        } else if ahead > 0.0 {
            self.ours_higher += 1;
        } else {
            self.peers_higher += 1;
        }
    }
}

fn print(tallies: &BTreeMap<(String, String), Tally>) {
    println!(
        "\npoint forecasts of the same order, ours against the peer's: M4 hourly, {HORIZON} ahead\n\
         the peer is statsforecast; of arima the likelier of statsforecast and statsmodels from many starts"
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
    for (kind, order, tally) in &with_sums(tallies) {
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
    print_likelihoods(tallies);
}

/// All tallies, with the sum over all orders under each kind that has several.
fn with_sums(tallies: &BTreeMap<(String, String), Tally>) -> Vec<(String, String, Tally)> {
    let mut rows: Vec<(String, String, Tally)> = Vec::new();
    let mut kinds: Vec<&String> = tallies.keys().map(|(kind, _)| kind).collect();
    kinds.dedup();
    for kind in kinds {
        let of_kind = tallies.iter().filter(|((its, _), _)| its == kind);
        let first = rows.len();
        rows.extend(
            of_kind.map(|((kind, order), tally)| (kind.clone(), order.clone(), tally.clone())),
        );
        if rows.len() > first + 1 {
            let mut sum = Tally::default();
            rows[first..]
                .iter()
                .for_each(|(_, _, one)| sum.take_in(one));
            rows.push((kind.clone(), "all".into(), sum));
        }
    }
    rows
}

/// Which of the two stopped before the maximum; forecasts can only be alike where neither did.
fn print_likelihoods(tallies: &BTreeMap<(String, String), Tally>) {
    let mut table = TextTable::new(vec![
        Column::words("kind"),
        Column::words("order"),
        Column::number("same log\nlikelihood"),
        Column::number("of these on\naverage within 1 %"),
        Column::number("ours\nhigher"),
        Column::number("peer's\nhigher"),
    ]);
    let told = |one: &Likelihood| one.same + one.ours_higher + one.peers_higher;
    let rows = with_sums(tallies);
    let mut rows = rows
        .iter()
        .filter(|(_, _, tally)| told(&tally.likelihood) > 0)
        .peekable();
    if rows.peek().is_none() {
        return;
    }
    for (kind, order, tally) in rows {
        table.row(tally.likelihood.cells(kind, order));
    }
    println!(
        "\nlog likelihoods, the same up to {SAME_LIKELIHOOD}: who stopped before the maximum?"
    );
    print!("{}", table.render(STYLE));
}

impl Likelihood {
    fn cells(&self, kind: &str, order: &str) -> Vec<String> {
        let within = (self.same > 0).then(|| self.same_on_average as f64 / self.same as f64);
        vec![
            kind.into(),
            order.into(),
            self.same.to_string(),
            number(within),
            self.ours_higher.to_string(),
            self.peers_higher.to_string(),
        ]
    }
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
