//! Use that is recorded, or that a simulated fleet shows: profiles are corrected, and every view says so.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::Value;

use crate::place::{DAY, Place, START, of_step};

/// Our own run alone, on the shop's documents.
const OURS: [&str; 6] = [
    "backtest",
    "shop",
    "--demand",
    "demand.csv",
    "--policy",
    "fleetcast",
];

fn notes(place: &Place, more: &[&str]) -> Vec<String> {
    let args = [&OURS[..], &["--format", "json"], more].concat();
    let result: Value = serde_json::from_str(&place.check(&args)).expect("JSON");
    let notes = result["notes"].as_array().expect("a list").iter();
    notes
        .map(|note| note.as_str().expect("text").to_string())
        .collect()
}

#[track_caller]
fn holds(notes: &[String], words: &[&str]) {
    let found = notes
        .iter()
        .any(|note| words.iter().all(|word| note.contains(word)));
    assert!(found, "no note has {words:?}: {notes:#?}");
}

/// The shop's persona with each profile's CPU times a factor, as a file.
fn write_truth(place: &Place, factor: f64) {
    let text = place.read("shop/persona.json");
    let mut persona: Value = serde_json::from_str(&text).expect("JSON");
    for profile in persona["resource_profiles"].as_array_mut().expect("a list") {
        let cores = profile["cpu_cores"].as_f64().expect("a number");
        profile["cpu_cores"] = Value::from((cores * factor * 1e3).round() / 1e3);
    }
    if let Some(document) = persona.as_object_mut() {
        document.remove("$schema");
    }
    place.write("truth.json", persona.to_string());
}

/// What the shop's front used: so many cores for each thousand of the demand.
fn write_usage(place: &Place, days: usize, cores: f64, component: &str) {
    let mut text = String::from("timestamp,component,resource,value,units\n");
    for i in 0..days * DAY {
        let at = START + SignedDuration::from_mins(5) * i as i32;
        let used = of_step(i) / 5.0 / 1e3 * cores;
        writeln!(text, "{at},{component},cpu_cores,{used:.4},40").expect("a string takes all");
    }
    place.write("usage.csv", text);
}

#[test]
fn a_fleet_that_uses_twice_what_the_persona_says_is_told_with_both_figures() {
    let place = Place::with_shop(3);
    write_truth(&place, 2.0);
    let notes = notes(&place, &["--true-persona", "truth.json"]);
    holds(&notes, &["really uses what the profiles of truth.json say"]);
    holds(
        &notes,
        &[
            "web: ",
            "CPU seconds for each",
            "learned from",
            "samples; the persona says",
        ],
    );
}

#[test]
fn recorded_use_corrects_the_persona_and_is_replayed_and_explained() {
    let place = Place::with_shop(3);
    write_usage(&place, 3, 30.0, "web");
    let notes = notes(&place, &["--usage", "usage.csv", "--record", "run"]);
    holds(&notes, &["recorded use of web in 864 of 864 steps"]);
    holds(&notes, &["no use of checkout was recorded"]);
    holds(&notes, &["web: ", "learned from", "the persona says"]);
    place.check(&["replay", "run"]);
    let why = place.check(&[
        "why",
        "run",
        "--at",
        "2026-03-04T12:00:00Z",
        "--component",
        "web",
    ]);
    assert!(
        why.contains("  learned   ") && why.contains("learned from"),
        "{why}"
    );
    let why = place.check(&[
        "why",
        "run",
        "--at",
        "2026-03-04T12:00:00Z",
        "--component",
        "api",
    ]);
    assert!(!why.contains("  learned   "), "{why}");
}

#[test]
fn use_that_cannot_be_taken_says_what_and_how_to_mend_it() {
    let place = Place::with_shop(2);
    let check = |more: &[&str], words: &[&str]| {
        let ran = place.run(&[&OURS[..], more].concat());
        assert_ne!(ran.code, Some(0), "{}", ran.out);
        for word in words {
            assert!(ran.err.contains(word), "{word:?} is not in\n{}", ran.err);
        }
    };
    write_usage(&place, 1, 30.0, "front");
    check(
        &["--usage", "usage.csv"],
        &["usage.csv: line 2", "no component `front`", "it has web"],
    );
    place.write(
        "late.csv",
        "timestamp,component,resource,value\n2030-01-01,web,cpu_cores,3\n",
    );
    check(
        &["--usage", "late.csv"],
        &["none of its 1 rows lies within the history of demand"],
    );
    place.write(
        "odd.csv",
        "timestamp,component,resource,value\n2026-03-02,web,cpu,3\n",
    );
    check(
        &["--usage", "odd.csv"],
        &["odd.csv: line 2, column `resource`", "use cpu_cores"],
    );
    check(
        &["--true-persona", "shop/persona.json@noon"],
        &["`noon` is not a moment", "FILE@2026-03-10T12:00:00Z"],
    );
    check(&["--true-persona", "nowhere.json"], &["nowhere.json"]);
    check(
        &[
            "--usage",
            "usage.csv",
            "--true-persona",
            "shop/persona.json",
        ],
        &["cannot be used with"],
    );
}
