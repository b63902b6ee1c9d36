//! `--events` and `--country`: what is known to change demand, past and to come.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::place::{Place, START, rows};

const HOURS: usize = 24 * 35;

/// A demand by the hour that weekends are quieter in.
fn usual(hour: usize) -> f64 {
    let wave = (std::f64::consts::TAU * (hour % 24) as f64 / 24.0).sin();
    (100.0 + 60.0 * wave) * if hour / 24 % 7 >= 5 { 0.5 } else { 1.0 }
}

/// Sales of six hours from these hours on.
fn sales(first: &[usize]) -> Vec<Value> {
    first
        .iter()
        .map(|hour| event("campaign", *hour, 6))
        .collect()
}

fn event(kind: &str, hour: usize, hours: usize) -> Value {
    let at = |hour: usize| START + SignedDuration::from_hours(hour as i64);
    json!({
        "name": "sale", "kind": kind, "start": at(hour).to_string(), "end": at(hour + hours).to_string(),
        "confidence": 0.5
    })
}

fn document(events: Vec<Value>) -> String {
    json!({"schema": "events/v1", "events": events}).to_string()
}

/// Five weeks in which sales doubled demand, and the calendar with one to come in ten hours.
fn with_sales() -> Place {
    let past = [24 * 9 + 12, 24 * 15 + 12, 24 * 22 + 12, 24 * 30 + 12];
    let on = |hour: usize| past.iter().any(|first| (*first..first + 6).contains(&hour));
    let place = Place::new();
    place.write(
        "demand.csv",
        rows((0..HOURS).map(|hour| {
            let at = START + SignedDuration::from_hours(hour as i64);
            (at, usual(hour) * if on(hour) { 2.0 } else { 1.0 })
        })),
    );
    let mut all = sales(&past);
    all.extend(sales(&[HOURS + 10]));
    place.write("events.json", document(all));
    place
}

#[track_caller]
fn forecast(place: &Place, args: &[&str]) -> Value {
    let args = [&["forecast"], args, &["--format", "json"]].concat();
    serde_json::from_str(&place.check(&args)).expect("JSON")
}

#[test]
fn a_sale_ahead_is_expected_to_do_what_those_before_did_by_any_model() {
    let place = with_sales();
    for model in ["combination", "theta", "prophet"] {
        let args = [
            "demand.csv",
            "--model",
            model,
            "--explain",
            "--horizon",
            "24",
        ];
        let without = forecast(&place, &args);
        let with = forecast(&place, &[&args[..], &["--events", "events.json"]].concat());
        let expected = |result: &Value, step: usize| {
            result["steps"][step]["expected"]
                .as_f64()
                .expect("a number")
        };
        let ratio = expected(&with, 12) / expected(&without, 12);
        assert!((1.5..2.6).contains(&ratio), "{model}: {ratio}");
        let calm = expected(&with, 2) / expected(&without, 2);
        assert!((0.8..1.25).contains(&calm), "{model}: {calm}");
        let part = with["parts"][12]["events"].as_f64().expect("a part");
        assert!(part > 0.3 * expected(&with, 12), "{model}: {part}");
        let notes = with["notes"].to_string();
        assert!(
            notes.contains("`sale` from 2026-04-06 10:00: × ")
                && notes.contains("learned from 4 that were alike"),
            "{notes}"
        );
    }
}

#[test]
fn evaluation_and_anomalies_heed_events() {
    let place = with_sales();
    let loss = |more: &[&str]| {
        let args = [
            &[
                "forecast",
                "evaluate",
                "demand.csv",
                "--format",
                "json",
                "--horizon",
                "24",
            ][..],
            &["--non-overlapping", "--model", "seasonal-naive-week"],
            more,
        ]
        .concat();
        let result: Value = serde_json::from_str(&place.check(&args)).expect("JSON");
        result["models"][0]["series"][0]["wql"]
            .as_f64()
            .expect("a score")
    };
    let (with, without) = (loss(&["--events", "events.json"]), loss(&[]));
    assert!(with < 0.6 * without, "{with} and {without}");

    let alarms = |more: &[&str]| {
        let args = [&["anomalies", "demand.csv", "--format", "json"], more].concat();
        let result: Value = serde_json::from_str(&place.check(&args)).expect("JSON");
        result["anomalies"].as_array().expect("a list").len()
    };
    let (with, without) = (alarms(&["--events", "events.json"]), alarms(&[]));
    assert!(with < without, "{with} and {without}");
}

#[test]
fn a_kept_model_keeps_its_events_and_takes_new_ones() {
    let place = with_sales();
    let args = ["demand.csv", "--model", "theta", "--events", "events.json"];
    let first = forecast(&place, &[&args[..], &["--save", "kept.json"]].concat());
    let again = forecast(&place, &["--load", "kept.json"]);
    assert_eq!(first["steps"], again["steps"]);
    place.write("later.json", document(sales(&[HOURS + 30])));
    let later = forecast(&place, &["--load", "kept.json", "--events", "later.json"]);
    let expected = |result: &Value, step: usize| result["steps"][step]["expected"].as_f64();
    assert!(expected(&later, 32) > expected(&first, 32));
    assert!(expected(&later, 12) < expected(&first, 12));

    place.check(&[
        "forecast",
        "demand.csv",
        "--model",
        "theta",
        "--save",
        "plain.json",
    ]);
    let ran = place.run(&["forecast", "--load", "plain.json", "--events", "later.json"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.err.contains("was fitted without events"), "{}", ran.err);
}

#[test]
fn any_model_learns_the_holidays_of_a_country() {
    // A year and a half of days; on holidays in Germany little is asked for.
    let place = Place::new();
    let holidays = [
        "01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "10-03", "12-25", "12-26", "03-26",
        "03-29", "05-06", "05-17",
    ];
    let mut text = String::from("timestamp,value\n");
    let first = jiff::civil::date(2025, 12, 1);
    for day in 0..500 {
        let date = first + jiff::Span::new().days(day);
        let shown = date.strftime("%m-%d").to_string();
        let year = i32::from(date.year());
        let is_one = holidays.contains(&shown.as_str())
            && !(year == 2026 && ["03-26", "03-29", "05-06", "05-17"].contains(&shown.as_str()))
            && !(year == 2027 && ["04-03", "04-06", "05-14", "05-25"].contains(&shown.as_str()));
        let value = if is_one { 20 } else { 100 + day % 7 };
        writeln!(text, "{date}T00:00:00Z,{value}").expect("text");
    }
    place.write("days.csv", text);
    // The history ends on 2027-04-14; the first of May is a holiday.
    let args = ["days.csv", "--model", "theta", "--horizon", "30"];
    let with = forecast(&place, &[&args[..], &["--country", "DE"]].concat());
    let steps = with["steps"].as_array().expect("a list");
    let may = steps
        .iter()
        .find(|step| {
            step["at"]
                .as_str()
                .is_some_and(|at| at.starts_with("2027-05-01"))
        })
        .expect("the first of May");
    assert!(may["expected"].as_f64().expect("a number") < 60.0, "{may}");
    assert!(steps[0]["expected"].as_f64().expect("a number") > 90.0);
    let notes = with["notes"].to_string();
    assert!(
        notes.contains("Labor Day") || notes.contains("2027-05-01"),
        "{notes}"
    );
}

#[test]
fn an_events_document_with_problems_is_refused_by_line() {
    let place = with_sales();
    place.write("bad.json", document(vec![event("circus", 1, 2)]));
    for command in [
        &["forecast", "demand.csv"][..],
        &["anomalies", "demand.csv"],
        &["forecast", "evaluate", "demand.csv"],
        &[
            "backtest",
            "--demand",
            "demand.csv",
            "--capacity-per-unit",
            "20",
        ],
    ] {
        let ran = place.run(&[command, &["--events", "bad.json"]].concat());
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(
            ran.err.contains("bad.json") && ran.err.contains("circus"),
            "{}",
            ran.err
        );
    }
    let ran = place.run(&["forecast", "demand.csv", "--events", "none.json"]);
    assert!(ran.code == Some(3) || ran.code == Some(1), "{}", ran.err);
    assert!(ran.err.contains("none.json"), "{}", ran.err);
}

#[test]
fn a_plain_backtest_takes_events() {
    let place = with_sales();
    let run = |more: &[&str]| {
        let args = [
            &[
                "backtest",
                "--demand",
                "demand.csv",
                "--capacity-per-unit",
                "20",
            ][..],
            &[
                "--policy",
                "fleetcast",
                "--format",
                "json",
                "--warm-up",
                "7d",
            ],
            more,
        ]
        .concat();
        let result: Value = serde_json::from_str(&place.check(&args)).expect("JSON");
        result["policies"][0].clone()
    };
    assert_ne!(run(&[]), run(&["--events", "events.json"]));
}
