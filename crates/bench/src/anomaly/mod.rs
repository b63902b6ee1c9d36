//! Anomalies: the Numenta benchmark and Microsoft's labelled series, with the peers of the same run.
//!
//! The scorers here are written from the published rules. `--results DIR` keeps the scores in the
//! Numenta benchmark's own layout, `DIR/<detector>/<group>/<detector>_<file>.csv`, so that any other scorer
//! of it can be run on the same files.

mod corpus;
mod microsoft;
mod nab;
mod peers;
mod precision;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fleetcast_anomaly::{Detector, DetectorKind, Refits, Settings, Verdict};
use fleetcast_report::{Column, TextTable};

use self::corpus::Recording;
use self::peers::Peer;
use crate::cli::{AnomalyArgs, AnomalyScore};
use crate::provisioning::STYLE;

/// Who judges.
enum Judge {
    Ours(String, DetectorKind),
    Peer(Peer),
}

impl Judge {
    fn name(&self) -> &str {
        match self {
            Self::Ours(name, _) => name,
            Self::Peer(peer) => peer.name(),
        }
    }
}

/// The scores of one recording after the other, and what they cost.
#[derive(Default)]
struct Judged {
    scores: Vec<Vec<f64>>,
    took: Duration,
    rows: usize,
    alarms: usize,
    weeks: f64,
    refits: Refits,
}

/// Runs the benchmark.
pub fn run(args: &AnomalyArgs) -> Result<()> {
    let data = args.data.clone().unwrap_or_else(|| {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
        std::env::var_os("FLEETCAST_SHARED")
            .map_or_else(beside, PathBuf::from)
            .join("data")
    });
    let asked = if args.detector.is_empty() {
        vec!["default".to_string()]
    } else {
        args.detector.clone()
    };
    let mut judges = Vec::new();
    for name in asked {
        let kind = name.parse()?;
        judges.push(Judge::Ours(name, kind));
    }
    judges.extend(Peer::ALL.map(Judge::Peer));

    let recordings = corpus::nab(&data.join("nab"))?;
    let judged = judge_all(&judges, &recordings, args.score);
    if let Some(folder) = &args.results {
        for (judge, judged) in judges.iter().zip(&judged) {
            nab::write(folder, judge.name(), &recordings, &judged.scores)
                .with_context(|| format!("cannot write into {}", folder.display()))?;
        }
    }
    print_nab(&judges, &recordings, &judged);
    let recordings = corpus::microsoft(&data.join("ms_cloud_monitoring"))?;
    let judged = judge_all(&judges, &recordings, args.score);
    print_microsoft(&judges, &recordings, &judged);
    Ok(())
}

fn judge_all(judges: &[Judge], recordings: &[Recording], score: AnomalyScore) -> Vec<Judged> {
    let one = |judge: &Judge| {
        let mut judged = Judged::default();
        for recording in recordings {
            let began = cpu_time();
            let scores = match judge {
                Judge::Ours(_, kind) => {
                    let settings = Settings::every_seconds(recording.step_seconds);
                    let mut detector = Detector::new(kind, &settings);
                    let scores = scores(&mut detector, recording, score);
                    let refits = detector.refits();
                    judged.refits.made += refits.made;
                    judged.refits.refused += refits.refused;
                    scores
                }
                Judge::Peer(peer) => peer.scores(recording),
            };
            judged.took += cpu_time().saturating_sub(began);
            judged.rows += scores.len();
            judged.alarms += scores
                .iter()
                .filter(|score| **score >= Verdict::ALARM)
                .count();
            judged.weeks += recording.weeks();
            judged.scores.push(scores);
        }
        judged
    };
    judges.iter().map(one).collect()
}

/// CPU time of this thread where the system tells (Linux), else the time that has passed.
fn cpu_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn scores(detector: &mut Detector, recording: &Recording, score: AnomalyScore) -> Vec<f64> {
    let samples = recording.samples.iter();
    samples
        .map(|sample| {
            let verdict = detector.observe(sample.at, sample.value);
            match score {
                AnomalyScore::Both => verdict.score,
                AnomalyScore::Onset => verdict.onset,
                AnomalyScore::State => verdict.state,
            }
        })
        .collect()
}

fn print_nab(judges: &[Judge], recordings: &[Recording], judged: &[Judged]) {
    println!(
        "Numenta benchmark: {} series, {} windows. Perfect is 100, silence 0; the threshold is the best one for \
         the corpus, as its rules want, except where stated.",
        recordings.len(),
        recordings
            .iter()
            .map(|recording| recording.windows.len())
            .sum::<usize>()
    );
    let mut table = TextTable::new(vec![
        Column::words("detector"),
        Column::number("standard"),
        Column::number("low FP"),
        Column::number("low FN"),
        Column::number("threshold of\nother groups"),
        Column::number("threshold\n0.5"),
        Column::number("alarms\na week"),
        Column::number("CPU µs\na point"),
        Column::number("fits"),
    ]);
    for (judge, judged) in judges.iter().zip(judged) {
        let points = nab::points(recordings, &judged.scores);
        let best = |profile| format!("{:.1}", nab::best(&points, profile).score);
        let ours = matches!(judge, Judge::Ours(..));
        table.row(vec![
            judge.name().into(),
            best(nab::STANDARD),
            best(nab::LOW_FALSE_POSITIVES),
            best(nab::LOW_FALSE_NEGATIVES),
            format!("{:.1}", nab::leave_group_out(recordings, &points)),
            or_dash(
                ours,
                format!("{:.1}", nab::at(&points, nab::STANDARD, Verdict::ALARM)),
            ),
            or_dash(ours, format!("{:.1}", judged.alarms as f64 / judged.weeks)),
            micros(judged),
            or_dash(judged.refits.made > 0, judged.refits.made.to_string()),
        ]);
    }
    table.rule();
    for (name, scores) in nab::PUBLISHED {
        let mut cells = vec![format!("{name} (published)")];
        cells.extend(scores.map(|score| format!("{score:.1}")));
        table.row(cells);
    }
    print!("{}", table.render(STYLE));
    println!("goal: standard ≥ 65, a sanity check (its labels are disputed), < 200 µs a point\n");
    for (judge, judged) in judges.iter().zip(judged) {
        if let Judge::Ours(name, _) = judge {
            let points = nab::points(recordings, &judged.scores);
            let threshold = nab::best(&points, nab::STANDARD).threshold;
            println!("{name} by group, at its best threshold {threshold:.3}:");
            for line in nab::by_group(recordings, &points, threshold) {
                println!("  {line}");
            }
            println!();
        }
    }
}

fn print_microsoft(judges: &[Judge], recordings: &[Recording], judged: &[Judged]) {
    let scored: Vec<usize> = (0..recordings.len())
        .filter(|&index| microsoft::is_scored(&recordings[index]))
        .collect();
    println!(
        "Microsoft cloud monitoring: {} series with labels after the first 20 %, {} without. Average precision, \
         point by point.",
        scored.len(),
        recordings.len() - scored.len()
    );
    let groups = corpus::groups(recordings);
    let mut columns = vec![
        Column::words("detector"),
        Column::number("mean AP"),
        Column::number("mean of\ngroups"),
        Column::number("least mean\nwithout a group"),
        Column::number("alarms\na week"),
        Column::number("CPU µs\na point"),
    ];
    columns.extend(groups.iter().map(|group| Column::number(&head(group))));
    let mut table = TextTable::new(columns);
    for (judge, judged) in judges.iter().zip(judged) {
        let result = microsoft::result(recordings, &judged.scores);
        let ours = matches!(judge, Judge::Ours(..));
        let mut cells = vec![
            judge.name().to_string(),
            format!("{:.3}", result.mean),
            format!("{:.3}", result.mean_of_groups),
            format!("{:.3}", result.least_without_a_group),
            or_dash(ours, format!("{:.1}", judged.alarms as f64 / judged.weeks)),
            micros(judged),
        ];
        cells.extend(groups.iter().map(|group| {
            result
                .by_group
                .get(group)
                .map_or("—".into(), |mean| format!("{mean:.2}"))
        }));
        table.row(cells);
    }
    print!("{}", table.render(STYLE));
    println!(
        "goal: mean AP ≥ .55 on line; offline isolation forest .600 and STL residual .494 (measured with scikit-learn \
         and statsmodels)"
    );
}

/// A column's head from a group's name: one word a line.
fn head(group: &str) -> String {
    let words: Vec<String> = group
        .split('-')
        .map(|word| word.chars().take(8).collect())
        .collect();
    words.join("\n")
}

fn micros(judged: &Judged) -> String {
    format!(
        "{:.1}",
        judged.took.as_secs_f64() * 1e6 / judged.rows.max(1) as f64
    )
}

fn or_dash(shown: bool, text: String) -> String {
    if shown { text } else { "—".into() }
}
