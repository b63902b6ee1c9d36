//! M4 hourly: 414 series, 48 steps ahead, one origin each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use fleetcast_forecast::evaluation::{LEVELS, OriginScore, Scores};
use fleetcast_forecast::{Fit, History, Model, Predict, QuantileForecast, SeasonSpec};
use fleetcast_report::{Column, TextTable};
use serde::Serialize;

use super::args::ForecastArgs;
use super::clock::cpu_seconds;
use super::peers::{self, Job, JobSeries, Peers};
use super::table::number;
use crate::parallel;
use crate::provisioning::STYLE;

/// Steps ahead.
pub const HORIZON: usize = 48;
/// Hours of a day and a week.
pub const SEASONS: SeasonSpec = SeasonSpec {
    day: 24,
    week: 168,
    year: 0,
};
/// The published sMAPE and MASE of Naive 2 on these series, which OWA is relative to.
const NAIVE_2: (f64, f64) = (18.383, 2.395);
/// What the accurate setting should reach.
const GOALS: (f64, f64) = (0.41, 6.1);
const PEERS: [&str; 4] = ["SeasonalNaive-day", "DOT", "MSTL", "MSTL-ARIMA"];

/// One series: what may be seen, and what came then.
pub struct Series {
    pub name: String,
    pub seen: Vec<f64>,
    pub ahead: Vec<f64>,
}

/// The score of one forecast, or why there is none, and its CPU seconds.
type Scored = (Result<OriginScore, String>, f64);

/// One model over all series.
#[derive(Serialize)]
struct Row {
    model: String,
    series: usize,
    owa: Option<f64>,
    scores: Scores,
    cpu_seconds: f64,
    failures: usize,
}

/// Runs the benchmark.
pub fn run(args: &ForecastArgs, models: &[(String, Model)]) -> Result<()> {
    let began = Instant::now();
    let series = read(args)?;
    eprintln!(
        "M4 hourly: {} series, {} models …",
        series.len(),
        models.len()
    );
    let mut rows = Vec::new();
    for (name, model) in models {
        let threads = super::threads(args);
        let found = parallel::run_on(threads, &series, |one| Ok(forecast(model, one)))?;
        let scored = series.iter().zip(found);
        rows.push(sum_up(
            name,
            scored.map(|(one, (forecast, seconds))| (score(one, forecast), seconds)),
        ));
    }
    if args.peers {
        rows.extend(run_peers(args, &series)?);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows, series.len());
        if !args.peers {
            println!("{}", peers::HINT);
        }
    }
    eprintln!("took {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Reads every so many-th series.
pub fn read(args: &ForecastArgs) -> Result<Vec<Series>> {
    let folder = crate::traces::shared().join("data/m4_hourly");
    let (seen, ahead) = (
        read_rows(&folder.join("Hourly-train.csv"))?,
        read_rows(&folder.join("Hourly-test.csv"))?,
    );
    let mut all = Vec::new();
    for (name, seen) in seen.into_iter().step_by(args.every) {
        let found = ahead.iter().find(|(other, _)| *other == name);
        let (_, ahead) = found.with_context(|| format!("the test part lacks series {name}"))?;
        all.push(Series {
            name,
            seen,
            ahead: ahead.clone(),
        });
    }
    if all.is_empty() {
        bail!("there is no series in {}", folder.display());
    }
    Ok(all)
}

/// Lines of a name and numbers, in double quotes or not, with nothing after the last number.
fn read_rows(path: &Path) -> Result<Vec<(String, Vec<f64>)>> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read {}: set FLEETCAST_SHARED to the folder of shared data",
            path.display()
        )
    })?;
    let row = |line: &str| {
        let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
        let name = fields.next()?.to_string();
        let values: Result<Vec<f64>, _> = fields
            .filter(|field| !field.is_empty())
            .map(str::parse)
            .collect();
        Some((name, values.ok()?))
    };
    text.lines()
        .skip(1)
        .map(|line| row(line).with_context(|| format!("{}: `{line}`", path.display())))
        .collect()
}

/// The forecast of one of ours, or why there is none, and what it cost.
fn forecast(model: &Model, one: &Series) -> (Result<QuantileForecast, String>, f64) {
    let values: Vec<Option<f64>> = one.seen.iter().copied().map(Some).collect();
    let began = cpu_seconds();
    let found = History::new(&values, SEASONS)
        .map_err(|error| error.to_string())
        .and_then(|history| model.fit(&history).map_err(|error| error.to_string()))
        .map(|fitted| fitted.quantiles(HORIZON, &LEVELS));
    (found, cpu_seconds() - began)
}

fn score(one: &Series, forecast: Result<QuantileForecast, String>) -> Result<OriginScore, String> {
    let day = SEASONS.day;
    let changes = one
        .seen
        .iter()
        .zip(&one.seen[day..])
        .map(|(old, new)| (new - old).abs());
    let scale = changes.sum::<f64>() / (one.seen.len() - day) as f64;
    let ahead: Vec<Option<f64>> = one.ahead.iter().copied().map(Some).collect();
    OriginScore::new(one.seen.len(), &forecast?, &ahead, HORIZON, Some(scale))
        .ok_or_else(|| "nothing to score".into())
}

fn sum_up(model: &str, found: impl Iterator<Item = Scored>) -> Row {
    let mut scores = Vec::new();
    let (mut cpu_seconds, mut failures) = (0.0, 0);
    for (score, seconds) in found {
        cpu_seconds += seconds;
        match score {
            Ok(score) => scores.push(score),
            Err(why) => {
                if failures == 0 {
                    eprintln!("{model} failed: {why}");
                }
                failures += 1;
            }
        }
    }
    // All have 48 steps, so that means over steps are means over series.
    let all = Scores::of(&scores);
    let owa = all
        .smape
        .zip(all.mase)
        .map(|(smape, mase)| 0.5 * (smape / NAIVE_2.0 + mase / NAIVE_2.1));
    Row {
        model: model.into(),
        series: scores.len(),
        owa,
        scores: all,
        cpu_seconds,
        failures,
    }
}

fn run_peers(args: &ForecastArgs, series: &[Series]) -> Result<Vec<Row>> {
    let mut names = PEERS.to_vec();
    if args.slow_peers {
        names.extend(["AutoETS", "AutoCES"]);
    }
    let longest = series.iter().map(|one| one.seen.len()).max().unwrap_or(0);
    let job = Job {
        models: &names,
        horizon: HORIZON,
        window: longest,
        day: SEASONS.day,
        week: SEASONS.week,
        series: series
            .iter()
            .map(|one| JobSeries {
                name: one.name.clone(),
                start: None,
                step_seconds: 3600,
                values: one.seen.clone(),
                origins: vec![one.seen.len()],
            })
            .collect(),
    };
    let mut found: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
    Peers::find(args.python.as_deref())?.forecast(&job, |answer| {
        if let Some(one) = series.iter().find(|one| one.name == answer.series) {
            let scored = (score(one, answer.forecast()), answer.cpu_seconds);
            found.entry(answer.model).or_default().push(scored);
        }
    })?;
    Ok(names
        .into_iter()
        .filter_map(|name| {
            let scored = found.remove(name)?;
            Some(sum_up(&format!("  peer {name}"), scored.into_iter()))
        })
        .collect())
}

fn print(rows: &[Row], series: usize) {
    println!(
        "\nM4 hourly, {series} of 414 series, {HORIZON} ahead; MASE with a season of 24, OWA against the published Naive 2"
    );
    let mut table = TextTable::new(vec![
        Column::words("model"),
        Column::number("sMAPE"),
        Column::number("MASE"),
        Column::number("OWA"),
        Column::number("WQL"),
        Column::number("cov80"),
        Column::number("cov95"),
        Column::number("MSIS"),
        Column::number("CPU s\nall"),
        Column::number("failed\n"),
    ]);
    for row in rows {
        let scores = &row.scores;
        table.row(vec![
            row.model.clone(),
            number(scores.smape),
            number(scores.mase),
            number(row.owa),
            number(scores.wql),
            number(scores.cov80),
            number(scores.cov95),
            number(scores.msis),
            format!("{:.1}", row.cpu_seconds),
            row.failures.to_string(),
        ]);
    }
    print!("{}", table.render(STYLE));
    println!(
        "goals of the accurate setting: OWA ≤ {} and MSIS ≤ {}; published: best 0.410 and 6.139 (Doornik et al.), winner \
         overall 0.440 and 7.928 (Smyl)",
        GOALS.0, GOALS.1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_quotes_and_different_lengths() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.csv");
        fs::write(
            &path,
            "\"V1\",\"V2\",\"V3\"\n\"H1\",\"605\",\"58.5\"\nH2,7,\n",
        )
        .expect("a file");
        let rows = read_rows(&path).expect("rows");
        assert_eq!(
            rows,
            [("H1".into(), vec![605.0, 58.5]), ("H2".into(), vec![7.0])]
        );
    }
}
