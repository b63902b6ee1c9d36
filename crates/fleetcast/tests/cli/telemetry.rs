//! Demand that becomes known late, or only as far as it was served.

use serde_json::{Value, json};

use crate::place::{DAY, Place};
use crate::unknown::blank;

/// Cost, and the share of demand that was not served, of a run.
fn judged(out: &str) -> (f64, f64) {
    let result: Value = serde_json::from_str(out).expect("JSON");
    let ours = &result["policies"][0];
    let number = |name: &str| {
        ours[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {ours}"))
    };
    (number("cost_usd"), 100.0 * number("unserved_share"))
}

#[test]
fn late_telemetry_is_older_when_it_decides() {
    let late = Place::with_fleet(3, |fleet| fleet["telemetry"] = json!({ "delay": "PT10M" }));
    let said = late.recorded()["notes"].to_string();
    assert!(said.contains("demand becomes known 10m late"), "{said}");
    let why = late.why("web", "2026-03-04T12:00:00Z");
    assert!(why.contains("interactions/min, 10 min old"), "{why}");
    assert!(late.check(&["replay", "run"]).contains("byte for byte"));
    // A plan knows what was told by then, and nothing newer.
    let at = ["--at", "2026-03-04T12:00:00Z", "--format", "json"];
    let plan = |place: &Place| place.of_shop("plan", &at);
    let known = plan(&late);
    blank(&late, 2 * DAY + 142..2 * DAY + 144);
    assert_eq!(plan(&late), known);
}

#[test]
fn what_is_not_served_is_not_seen_and_filled_in() {
    let place = Place::with_shop(3);
    let run = ["--policy", "fleetcast", "--format", "json"];
    let open = judged(&place.of_shop("backtest", &run));
    let closed = judged(&place.of_shop("backtest", &[&run[..], &["--served-only"]].concat()));
    assert_ne!(open, closed);
    assert!(
        closed.0 < open.0 * 1.3 && closed.1 < open.1 + 2.0,
        "{open:?} and {closed:?}"
    );
}

#[test]
fn a_delay_of_hours_is_refused() {
    let place = Place::with_shop(1);
    let demand = [
        "backtest",
        "shop",
        "--demand",
        "demand.csv",
        "--value-unit",
        "per-second",
    ];
    let ran = place.run(&[&demand[..], &["--telemetry-delay", "2h"]].concat());
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(
        ran.err.contains("--telemetry-delay: 2h: from 0s to 1h"),
        "{}",
        ran.err
    );
}
