//! Demand that nobody knows, as `plan`, `backtest`, `why` and `validate` tell it.

use serde_json::{Value, json};

use crate::place::Place;

/// Replaces the values of some steps of `demand.csv` by nothing.
pub fn blank(place: &Place, steps: std::ops::Range<usize>) {
    let row = |(index, line): (usize, &str)| match line.split_once(',') {
        Some((at, _)) if index > 0 && steps.contains(&(index - 1)) => format!("{at},"),
        _ => line.to_string(),
    };
    let rows: Vec<String> = (place.read("demand.csv").lines().enumerate())
        .map(row)
        .collect();
    place.write("demand.csv", rows.join("\n") + "\n");
}

/// The shop, with what its components are to do.
fn shop(days: usize, timing: &Value) -> Place {
    Place::with_fleet(days, |fleet| {
        for component in fleet["components"].as_array_mut().expect("components") {
            for (name, value) in timing.as_object().expect("settings") {
                component["timing"][name] = value.clone();
            }
        }
    })
}

#[test]
fn a_plan_begins_with_what_is_unknown() {
    let place = shop(2, &json!({ "hold_max": "PT30M", "fallback": "ceiling" }));
    blank(&place, 573..576);
    let plan = |place: &Place| place.of_shop("plan", &[]);
    let held = plan(&place);
    let words = "Alert: the demand of web is unknown since 2026-03-03 23:45 UTC: nothing is given back, and at \
                 2026-03-04 00:15 UTC its fallback applies.";
    assert!(held.contains(words), "{held}");
    blank(&place, 570..576);
    let fallen = plan(&place);
    let words = "is unknown since 2026-03-03 23:30 UTC: it falls back to the ceiling, 200 units.";
    assert!(fallen.contains(words), "{fallen}");
    assert!(
        fallen.contains("for the fallback while demand is unknown"),
        "{fallen}"
    );
}

#[test]
fn a_backtest_and_why_tell_of_the_fallback_and_of_its_end() {
    let place = shop(3, &json!({}));
    blank(&place, 600..624);
    let result = place.recorded();
    let notes = result["notes"].to_string();
    for words in [
        "web: its demand was unknown once, for 2h 5m at most",
        "alert: 2026-03-04 02:15 UTC: the demand of web is unknown since 2026-03-04 02:00 UTC: it falls back to the \
         peak of the day before, ",
    ] {
        assert!(notes.contains(words), "{words} is not in {notes}");
    }
    let why = |at: &str| place.why("web", at);
    assert!(why("2026-03-04T02:05:00Z").contains("alert     the demand of web is unknown"));
    assert!(why("2026-03-04T02:30:00Z").contains("it falls back to the peak"));
    assert!(why("2026-03-04T04:05:00Z").contains("is known again"));
    assert!(!why("2026-03-04T04:10:00Z").contains("  alert  "));
}

#[test]
fn a_fallback_that_there_is_not_is_refused() {
    let place = shop(1, &json!({ "fallback": "peak_of_day" }));
    let ran = place.run(&["validate", "shop"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    for words in [
        "fallback is \"peak_of_day\", which is not a fallback",
        "hint: did you mean `peak_of_day_before`?",
    ] {
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
