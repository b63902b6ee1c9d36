//! `fleetcast anomalies`

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use fleetcast_anomaly::{Detector, DetectorKind, Kind, Refits, Response, Settings, Verdict};
use fleetcast_forecast::KnownEvent;
use fleetcast_forecast::event_book::{EventBook, to_be_ignored};
use fleetcast_report::{Column, TextTable};
use fleetcast_series::DemandOf;
use fleetcast_telemetry::{Sample, read_samples};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::backtest::text_style;
use super::documents;
use crate::cli::{AnomaliesArgs, Format, ScoreKind};
use crate::files::{BadInput, Whole};
use crate::stop;

/// What was found in a file.
#[derive(Serialize)]
struct Findings {
    file: String,
    detector: String,
    samples: usize,
    missing: usize,
    step_seconds: u32,
    weeks: f64,
    alarms_per_week_budget: f64,
    alarms_per_week: Option<f64>,
    fits: u64,
    anomalies: Vec<Anomaly>,
}

/// One alarm, and how long it lasted.
#[derive(Serialize)]
struct Anomaly {
    /// As it is written in the file.
    timestamp: String,
    /// Rows from the first, which is 0.
    row: usize,
    kind: Option<Kind>,
    value: Option<f64>,
    expected: Option<f64>,
    score: f64,
    /// Such a sample was expected once in so many.
    one_in: f64,
    /// Rows for which the series stayed abnormal, this one included.
    rows: usize,
    response: Response,
}

/// The table has no more rows; scores and JSON have all.
const SHOWN_MAX: usize = 50;
const WEEK_SECONDS: f64 = 7.0 * 86_400.0;

/// Runs the command.
pub fn run(args: &AnomaliesArgs) -> Result<ExitCode> {
    stop::listen();
    let kind: DetectorKind = args
        .detector
        .parse()
        .map_err(|error| BadInput(format!("--detector: {error}")))?;
    let samples = read(&args.file)?;
    let settings = settings(args, &samples);
    let mut detector = Detector::new(&kind, &settings);
    let mut heeded = Heeded::new(args.events.as_deref(), settings.step_seconds)?;
    let mut verdicts = Vec::with_capacity(samples.len());
    for sample in &samples {
        stop::check()?;
        verdicts.push(heeded.observe(&mut detector, sample));
    }
    if let Some(path) = &args.scores {
        write_scores(path, &samples, &verdicts, args.score)?;
        if path == Path::new("-") {
            return Ok(ExitCode::SUCCESS); // Only the scores, for another program.
        }
    }
    let findings = findings(args, &settings, &samples, &verdicts, detector.refits());
    match args.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&findings)?),
        Format::Text => print(&findings)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The events that are no anomalies: what they do is learned as they pass.
struct Heeded {
    events: Vec<KnownEvent>,
    book: EventBook,
}

impl Heeded {
    fn new(path: Option<&Path>, step_seconds: u32) -> Result<Self> {
        let whole = [(DemandOf::default(), 1.0)];
        let events = path.map(documents::read_events).transpose()?;
        let known = |event| KnownEvent::of(event, &whole);
        Ok(Self {
            events: events.into_iter().flatten().map(known).collect(),
            book: EventBook::new(SignedDuration::from_secs(i64::from(step_seconds))),
        })
    }

    /// Judges a sample beside what the events make usual.
    fn observe(&mut self, detector: &mut Detector, sample: &Sample) -> Verdict {
        let at = Timestamp::from_second(sample.at).ok();
        let Some(at) = at.filter(|_| !self.events.is_empty()) else {
            return detector.observe(sample.at, sample.value);
        };
        let known = || {
            self.events
                .iter()
                .map(|known| (&known.event, known.statement))
        };
        let factor: f64 = known()
            .map(|(event, statement)| self.book.factor(event, statement, at))
            .product();
        let value = sample
            .value
            .filter(|_| !to_be_ignored(known().map(|(event, _)| event), at));
        let mut verdict = detector.observe(sample.at, value.map(|value| value / factor));
        verdict.expected = verdict.expected.map(|expected| expected * factor);
        self.book.observe(
            at,
            value,
            self.events
                .iter()
                .map(|known| (&known.event, known.statement)),
        );
        verdict
    }
}

fn read(path: &Path) -> Result<Vec<Sample>> {
    let (name, found) = if path == Path::new("-") {
        let input = stop::Reader(io::stdin().lock());
        ("standard input".to_string(), read_samples(input))
    } else {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let input = stop::Reader(BufReader::with_capacity(1 << 16, file));
        (name, read_samples(input))
    };
    stop::check()?;
    found.map_err(|error| {
        let text = crate::chain(&anyhow::Error::new(error));
        BadInput(format!("{name}: {text}")).into()
    })
}

fn settings(args: &AnomaliesArgs, samples: &[Sample]) -> Settings {
    let settings = Settings::every_seconds(median_step(samples));
    match args.alarms_per_week {
        Some(alarms) => settings.with_alarms_per_week(alarms),
        None => settings,
    }
}

/// The median step between rows. It is the one thing that is taken from the whole file: it says how
/// often samples are taken, and nothing of their values.
fn median_step(samples: &[Sample]) -> u32 {
    let mut steps: Vec<i64> = samples
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .filter(|step| *step > 0)
        .collect();
    steps.sort_unstable();
    steps
        .get(steps.len() / 2)
        .map_or(60, |step| u32::try_from(*step).unwrap_or(u32::MAX))
}

fn write_scores(
    path: &Path,
    samples: &[Sample],
    verdicts: &[Verdict],
    kind: ScoreKind,
) -> Result<()> {
    if path == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        write_rows(&mut out, samples, verdicts, kind)?;
        return Ok(out.flush()?);
    }
    let mut file = Whole::create(path)?;
    write_rows(&mut file, samples, verdicts, kind)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()
}

fn write_rows(
    out: &mut impl Write,
    samples: &[Sample],
    verdicts: &[Verdict],
    kind: ScoreKind,
) -> io::Result<()> {
    writeln!(out, "timestamp,value,anomaly_score")?;
    for (sample, verdict) in samples.iter().zip(verdicts) {
        let score = match kind {
            ScoreKind::Both => verdict.score,
            ScoreKind::Onset => verdict.onset,
            ScoreKind::State => verdict.state,
        };
        let value = sample
            .value
            .map_or(String::new(), |value| value.to_string());
        writeln!(out, "{},{value},{score:.9}", sample.written)?;
    }
    Ok(())
}

fn findings(
    args: &AnomaliesArgs,
    settings: &Settings,
    samples: &[Sample],
    verdicts: &[Verdict],
    refits: Refits,
) -> Findings {
    let anomalies: Vec<Anomaly> = (0..samples.len())
        .filter(|&row| verdicts[row].is_alarm())
        .map(|row| anomaly(samples, verdicts, row))
        .collect();
    let ends = samples.iter().map(|sample| sample.at);
    let seconds = ends.clone().max().unwrap_or(0) - ends.min().unwrap_or(0);
    let weeks = seconds as f64 / WEEK_SECONDS;
    Findings {
        file: args.file.display().to_string(),
        detector: args.detector.clone(),
        samples: samples.len(),
        missing: samples
            .iter()
            .filter(|sample| sample.value.is_none())
            .count(),
        step_seconds: settings.step_seconds,
        weeks,
        alarms_per_week_budget: settings.alarms_per_week,
        alarms_per_week: (weeks > 0.0).then(|| anomalies.len() as f64 / weeks),
        fits: refits.made,
        anomalies,
    }
}

fn anomaly(samples: &[Sample], verdicts: &[Verdict], row: usize) -> Anomaly {
    let (sample, verdict) = (&samples[row], &verdicts[row]);
    let lasted = verdicts[row..]
        .iter()
        .take_while(|verdict| verdict.kind.is_some())
        .count();
    Anomaly {
        timestamp: sample.written.clone(),
        row,
        kind: verdict.kind,
        value: sample.value,
        expected: verdict.expected,
        score: verdict.score,
        one_in: 10_f64.powf(verdict.rarity).round(),
        rows: lasted.max(1),
        response: verdict.response,
    }
}

fn print(findings: &Findings) -> Result<()> {
    let missing = match findings.missing {
        0 => String::new(),
        missing => format!(", {missing} missing"),
    };
    outln!(
        "{}: {} samples{missing}, every {} s; detector {}",
        findings.file,
        findings.samples,
        findings.step_seconds,
        findings.detector
    );
    let mut shown: Vec<&Anomaly> = findings.anomalies.iter().collect();
    shown.sort_by(|one, other| other.score.total_cmp(&one.score));
    shown.truncate(SHOWN_MAX);
    shown.sort_by_key(|anomaly| anomaly.row);
    if !shown.is_empty() {
        outln!("\n{}", table(&shown).trim_end());
    }
    let all = findings.anomalies.len();
    if all > shown.len() {
        outln!(
            "the {} most striking of {all}; --format json and --scores have all",
            shown.len()
        );
    }
    let rate = findings
        .alarms_per_week
        .map_or(String::new(), |rate| format!(", {rate:.1} a week"));
    outln!(
        "\n{all} {} in {:.1} weeks{rate}; the budget allows {} false ones a week",
        if all == 1 { "anomaly" } else { "anomalies" },
        findings.weeks,
        findings.alarms_per_week_budget
    );
    Ok(())
}

fn table(anomalies: &[&Anomaly]) -> String {
    let mut table = TextTable::new(vec![
        Column::words("when"),
        Column::words("what"),
        Column::number("value"),
        Column::number("expected"),
        Column::number("score"),
        Column::number("one in"),
        Column::number("lasted\nrows"),
    ]);
    let number = |value: Option<f64>| value.map_or("—".to_string(), digits);
    for anomaly in anomalies {
        table.row(vec![
            anomaly.timestamp.clone(),
            anomaly
                .kind
                .map_or("anomaly".into(), |kind| kind.to_string()),
            number(anomaly.value),
            number(anomaly.expected),
            format!("{:.2}", anomaly.score),
            digits(anomaly.one_in),
            anomaly.rows.to_string(),
        ]);
    }
    table.render(text_style())
}

/// Four digits that matter.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let whole = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&whole) {
        return format!("{value:.3e}");
    }
    format!("{value:.*}", (3 - whole).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        for (value, expected) in [
            (0.0, "0"),
            (1234.567, "1235"),
            (-0.012_345, "-0.01235"),
            (3.0, "3.000"),
            (1e12, "1.000e12"),
            (98_765_432.1, "98765432"),
        ] {
            assert_eq!(digits(value), expected);
        }
    }

    #[test]
    fn the_step_is_the_usual_one() {
        let sample = |at| Sample {
            written: String::new(),
            at,
            value: None,
            label: None,
        };
        let uneven: Vec<Sample> = [0, 300, 300, 600, 5000, 5300].map(sample).into();
        assert_eq!(median_step(&uneven), 300);
        assert_eq!(median_step(&[sample(5)]), 60);
    }
}
