//! Histories that are odd but real: they are forecast, or refused with the reason.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::place::{Place, START, of_step, rows};

#[track_caller]
fn forecast(place: &Place, args: &[&str]) -> Value {
    let args = [&["forecast"], args, &["--format", "json"]].concat();
    serde_json::from_str(&place.check(&args)).expect("JSON")
}

fn steps(result: &Value) -> &[Value] {
    result["steps"].as_array().expect("a list")
}

fn expected(step: &Value) -> f64 {
    step["expected"].as_f64().expect("a number")
}

/// People are at work from nine to five by the clock, on the day of 23 hours and on that of 25 too.
#[test]
fn a_forecast_over_the_change_of_clocks_keeps_the_hours_of_work() {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    for (first, last) in [
        ("2026-02-28T23:00:00Z", "2026-03-28T23:00:00Z"),
        ("2026-09-26T22:00:00Z", "2026-10-24T22:00:00Z"),
    ] {
        let first: Timestamp = first.parse().expect("a time");
        let last: Timestamp = last.parse().expect("a time");
        let busy = |at: Timestamp| {
            let hour = at.to_zoned(zone.clone()).hour();
            if (9..17).contains(&hour) { 100.0 } else { 10.0 }
        };
        let hours = last.duration_since(first).as_hours();
        let place = Place::new();
        place.write(
            "demand.csv",
            rows((0..hours).map(|hour| {
                let at = first + SignedDuration::from_hours(hour);
                (at, busy(at))
            })),
        );
        let args = [
            "demand.csv",
            "--time-zone",
            "Europe/Berlin",
            "--horizon",
            "49",
        ];
        for model in ["combination", "seasonal-naive-day"] {
            let result = forecast(&place, &[&args[..], &["--model", model]].concat());
            for step in steps(&result) {
                let at: Timestamp = step["at"]
                    .as_str()
                    .and_then(|at| at.parse().ok())
                    .expect("a time");
                let (said, real) = (expected(step), busy(at));
                assert!(
                    (said - real).abs() < 20.0,
                    "{model} at {at}: {said} is not {real}"
                );
            }
        }
    }
}

/// Minutes, and from half-way on a row each five minutes.
#[test]
fn rows_whose_step_changes_half_way_are_told_and_forecast() {
    let place = Place::new();
    let fine = (0..4 * 1440).map(|minute| START + SignedDuration::from_mins(minute));
    let from = START + SignedDuration::from_hours(4 * 24);
    let coarse = (0..4 * 288).map(|row| from + SignedDuration::from_mins(5 * row));
    let value = |at: Timestamp| {
        let minutes = at.duration_since(START).as_mins() as usize;
        (at, of_step(minutes / 5))
    };
    place.write("demand.csv", rows(fine.chain(coarse).map(value)));
    let result = forecast(
        &place,
        &["demand.csv", "--step", "5m", "--value-unit", "per-minute"],
    );
    assert_eq!(result["step_seconds"], 300);
    assert!(
        steps(&result)
            .iter()
            .all(|step| (10.0..5e3).contains(&expected(step)))
    );
    // By itself the step is that of most rows, and what lacks is counted as missing.
    let result = forecast(&place, &["demand.csv"]);
    assert_eq!(result["step_seconds"], 60);
    assert_eq!(result["missing_steps"], 4 * 288 * 4 - 4);
    assert!(
        steps(&result)
            .iter()
            .all(|step| (1.0..1e4).contains(&expected(step)))
    );
    let ran = place.run(&["forecast", "evaluate", "demand.csv"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("demand.csv: line "), "{}", ran.err);
}

#[test]
fn one_reading_of_a_million_millions_does_not_carry_the_forecast_away() {
    let place = Place::new();
    let mut text = String::from("timestamp,value\n");
    for hour in 0..24 * 28 {
        let value = if hour == 24 * 20 + 5 {
            1e12
        } else {
            of_step(hour * 12)
        };
        let at = START + SignedDuration::from_hours(hour as i64);
        writeln!(text, "{at},{value}").expect("text");
    }
    place.write("demand.csv", text);
    let result = forecast(&place, &["demand.csv"]);
    assert!(
        steps(&result).iter().all(|step| expected(step) < 1e4),
        "{result}"
    );
}
