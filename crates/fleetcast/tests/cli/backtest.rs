//! `fleetcast backtest`: the table, the JSON, the files, and that they all say the same.

use serde_json::Value;

use crate::place::{DAY, Place, of_step};

/// A plain run with a short warm-up and no report.
const PLAIN: [&str; 8] = [
    "backtest",
    "--demand",
    "demand.csv",
    "--capacity-per-unit",
    "40",
    "--warm-up",
    "1d",
    "--no-report",
];

/// Runs with `--format json` and gives the result.
#[track_caller]
fn check(place: &Place, more: &[&str]) -> Value {
    let args = [&PLAIN[..], &["--format", "json"], more].concat();
    serde_json::from_str(&place.check(&args)).expect("JSON")
}

fn policy<'a>(result: &'a Value, name: &str) -> &'a Value {
    let policies = result["policies"].as_array().expect("a list");
    let found = policies.iter().find(|policy| policy["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// The columns of a steps file.
fn column(text: &str, name: &str) -> Vec<f64> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = header
        .iter()
        .position(|column| *column == name)
        .expect("a column");
    let field = |line: &str| {
        line.split(',')
            .nth(place)
            .and_then(|field| field.parse().ok())
    };
    lines.map(|line| field(line).expect("a number")).collect()
}

#[test]
fn help_tells_what_can_be_done() {
    let place = Place::new();
    let help = place.check(&["--help"]);
    for command in [
        "init", "validate", "backtest", "frontier", "forecast", "offers", "replay", "why",
        "example", "schemas",
    ] {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command} is not in\n{help}"
        );
        let own = place.check(&[command, "--help"]);
        assert!(own.contains("Usage: fleetcast"), "{own}");
    }
    let nothing = place.run(&[]);
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.err.contains("Usage: fleetcast <COMMAND>"),
        "{}",
        nothing.err
    );
}

#[test]
fn the_table_has_everybody_and_the_verdict_is_a_sentence() {
    let place = Place::with_demand(3);
    let args = [&PLAIN[..7], &["--no-curve"]].concat();
    let ran = place.run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for label in [
        "Fleetcast (ours)",
        "Kubernetes HPA at 60 %",
        "target tracking at 60 %",
        "AWS predictive at 60 %",
        "HPA or yesterday at 80 %",
        "always ",
        "perfect foresight",
    ] {
        assert!(ran.out.contains(label), "{label} is not in\n{}", ran.out);
    }
    assert!(
        ran.out.contains("Fleetcast would have cost "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("Report: fleetcast-report/report.html\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains("864 rows, 2026-03-02T00:00:00Z to"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("no objective was stated"), "{}", ran.err);
}

#[test]
fn the_report_needs_nothing_but_itself() {
    let place = Place::with_demand(3);
    place.check(&[&PLAIN[..7], &["--report", "out", "--quiet"]].concat());
    let html = place.read("out/report.html");
    assert!(html.starts_with("<!DOCTYPE html>") || html.starts_with("<!doctype html>"));
    assert!(html.trim_end().ends_with("</html>"));
    for reach in [
        "http:",
        "https:",
        "<link",
        "<script src",
        "@import",
        "url(h",
        "//cdn",
    ] {
        assert!(
            !html.contains(reach),
            "the report asks for something else: {reach}"
        );
    }
    assert!(html.contains("<svg"), "it has a chart");
}

#[test]
fn the_steps_are_enough_to_work_everything_out_again() {
    let place = Place::with_demand(4);
    for name in ["fleetcast", "hpa:0.6", "aws-predictive:0.6"] {
        let result = check(&place, &["--policy", name, "--steps", "steps.csv"]);
        let steps = place.read("steps.csv");
        let (wanted, ready, cost) = (
            column(&steps, "wanted"),
            column(&steps, "ready"),
            column(&steps, "cost_usd"),
        );
        assert_eq!(wanted.len(), 4 * DAY);
        let again = ready_and_paid(&wanted);
        let mut figures = Figures::default();
        for (i, (ready_again, paid)) in again.into_iter().enumerate() {
            assert_eq!(ready[i], ready_again, "{name}: ready in step {i}");
            assert!(
                (cost[i] - paid / 12.0).abs() < 1e-9,
                "{name}: the bill of step {i}"
            );
            if i >= DAY {
                figures.add(of_step(i), ready_again, paid);
            }
        }
        let found = policy(&result, name);
        for (member, expected) in [
            ("cost_usd", figures.paid / 12.0),
            ("cost_over_need", figures.paid / figures.need),
            ("unserved_share", figures.unserved / figures.demand),
            ("peak_units", figures.peak),
        ] {
            let found = number(&found[member]);
            assert!(
                (found - expected).abs() < 1e-6 * expected.max(1.0),
                "{name}: {member} {found}, not {expected}"
            );
        }
    }
}

#[derive(Default)]
struct Figures {
    paid: f64,
    need: f64,
    demand: f64,
    unserved: f64,
    peak: f64,
}

impl Figures {
    fn add(&mut self, demand: f64, ready: f64, paid: f64) {
        self.paid += paid;
        self.need += (demand / 40.0).ceil().max(1.0);
        self.demand += demand;
        self.unserved += (demand - ready * 40.0).max(0.0);
        self.peak = self.peak.max(ready);
    }
}

/// The rules of the plain setting with a boot and a drain of one step: what serves and what is paid for.
fn ready_and_paid(wanted: &[f64]) -> Vec<(f64, f64)> {
    let mut ready = (of_step(0) / 40.0).ceil();
    // Ordered at the end of the step before the last, and of the last step.
    let (mut arriving, mut ordered, mut draining) = (0.0, 0.0, 0.0);
    let mut out = Vec::new();
    for wanted in wanted {
        ready += arriving;
        (arriving, ordered) = (ordered, 0.0);
        let total = ready + arriving;
        out.push((ready, total + draining));
        draining = 0.0;
        if *wanted > total {
            ordered = wanted - total;
        } else {
            let cancelled = (total - wanted).min(arriving);
            arriving -= cancelled;
            draining = total - wanted - cancelled;
            ready -= draining;
        }
    }
    out
}

#[test]
fn a_policy_runs_alone_as_in_company() {
    let place = Place::with_demand(3);
    let all = check(&place, &["--no-curve"]);
    for name in ["fleetcast", "kubernetes-hpa:0.6", "max:0.8"] {
        let alone = check(&place, &["--policy", name]);
        assert_eq!(alone["policies"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            policy(&alone, name)["cost_usd"],
            policy(&all, name)["cost_usd"],
            "{name}"
        );
    }
    let two = check(
        &place,
        &["--policy", "hpa:0.6,min=12", "--policy", "static:30"],
    );
    assert!(number(&policy(&two, "hpa:0.6,min=12")["cost_usd"]) > 0.0);
    let constant = policy(&two, "static:30");
    assert_eq!(
        (
            number(&constant["mean_units"]),
            number(&constant["peak_units"])
        ),
        (30.0, 30.0)
    );
}

#[test]
fn equal_input_gives_equal_output_whatever_the_threads() {
    let place = Place::with_demand(3);
    let first = check(&place, &["--steps", "a.csv", "--record", "a"]);
    assert_eq!(first, check(&place, &["--steps", "b.csv", "--record", "b"]));
    assert_eq!(place.read("a.csv"), place.read("b.csv"));
}

#[test]
fn the_order_of_rows_does_not_matter_and_is_reported() {
    let place = Place::with_demand(3);
    let sorted = check(&place, &["--policy", "fleetcast"]);
    let text = place.read("demand.csv");
    let (header, rows) = text.split_once('\n').expect("a header");
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.swap(100, 500);
    rows[600..].reverse();
    place.write("demand.csv", format!("{header}\n{}\n", rows.join("\n")));
    let ran = place.run(&[&PLAIN[..], &["--policy", "fleetcast"]].concat());
    assert!(
        ran.err.contains(" rows out of order: sorted\n"),
        "{}",
        ran.err
    );
    assert_eq!(
        check(&place, &["--policy", "fleetcast"])["policies"],
        sorted["policies"]
    );
}

#[test]
fn demand_is_read_from_gzip_and_from_standard_input_as_well() {
    let place = Place::with_demand(3);
    let plain = check(&place, &["--policy", "hpa:0.6"]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, place.read("demand.csv").as_bytes()).expect("memory");
    place.write("demand.csv.gz", packed.finish().expect("memory"));
    let args = |demand| {
        [
            "backtest",
            "--demand",
            demand,
            "--capacity-per-unit",
            "40",
            "--warm-up",
            "1d",
        ]
    };
    let more = ["--policy", "hpa:0.6", "--format", "json", "--quiet"];
    let result = |out: &str| serde_json::from_str::<Value>(out).expect("JSON")["policies"].clone();
    let gzip = place.check(&[&args("demand.csv.gz")[..], &more].concat());
    assert_eq!(result(&gzip), plain["policies"]);
    let mut command = place.command(&[&args("-")[..], &more].concat());
    let file = std::fs::File::open(place.path("demand.csv")).expect("it is there");
    let output = command.stdin(file).output().expect("the program starts");
    assert_eq!(
        result(&String::from_utf8(output.stdout).expect("text")),
        plain["policies"]
    );
}

#[test]
fn what_is_recorded_is_reproduced_and_explained() {
    let place = Place::with_demand(3);
    check(&place, &["--policy", "fleetcast", "--record", "run"]);
    assert_eq!(
        place.check(&["replay", "run"]),
        "864 steps reproduced byte for byte\n"
    );
    let why = place.check(&["why", "run", "--at", "2026-03-03T12:02:00Z"]);
    assert!(why.contains("(Tue 3 Mar 2026 12:00 UTC)"), "{why}");
    for word in [
        "seen", "expected", "wanted", "because", "plan", "cost", "gate",
    ] {
        assert!(
            why.contains(&format!("\n  {word}  ")),
            "{word} is not in\n{why}"
        );
    }
    let json = place.check(&[
        "why",
        "run",
        "--at",
        "2026-03-03T12:02:00Z",
        "--format",
        "json",
    ]);
    let decision: Value = serde_json::from_str(&json).expect("JSON");
    assert!(decision.is_object() || decision.is_array());
    let before = place.run(&["why", "run", "--at", "2026-03-01T00:00:00Z"]);
    assert_eq!(before.code, Some(3));
    assert!(
        before
            .err
            .contains("first decision was made at 2026-03-02T00:05:00Z"),
        "{}",
        before.err
    );
}

#[test]
fn a_recording_that_was_changed_is_not_reproduced() {
    use std::io::{Read, Write};
    let place = Place::with_demand(2);
    check(&place, &["--policy", "fleetcast", "--record", "run"]);
    let recording = "run/recording.jsonl.gz";
    let packed = std::fs::read(place.path(recording)).expect("it is there");
    let mut text = String::new();
    let mut unpacked = flate2::read::MultiGzDecoder::new(&packed[..]);
    unpacked.read_to_string(&mut text).expect("JSON lines");
    let last = text.rfind("\"wanted\":").expect("a member") + "\"wanted\":".len();
    text.insert(last, '9');
    let mut changed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    changed.write_all(text.as_bytes()).expect("memory");
    place.write(recording, changed.finish().expect("memory"));
    let ran = place.run(&["replay", "run"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("step 575 at ") && ran.err.contains("`/components/0/wanted`"),
        "{}",
        ran.err
    );
    place.write(recording, &packed[..packed.len() / 2]);
    let ran = place.run(&["replay", "run"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("of the recording is damaged or cut off"),
        "{}",
        ran.err
    );
}
