//! Standby in the tier that costs least, as `plan`, `backtest`, `why` and `validate` tell it.

use serde_json::{Value, json};

use crate::place::Place;

/// The shop whose front has standby.
fn shop(days: usize, standby: &Value) -> Place {
    Place::with_fleet(days, |fleet| {
        fleet["components"][0]["standby"] = standby.clone();
    })
}

#[test]
fn the_tier_is_told_with_what_each_would_have_cost() {
    let place = shop(
        3,
        &json!({ "tier": "stopped", "other_tiers": [{ "tier": "hibernated" }, { "tier": "running" }] }),
    );
    let result = place.recorded();
    let words = "what stands by for web is kept ";
    assert!(result["notes"].to_string().contains(words), "{result}");
    let why = place.why("web", "2026-03-04T12:00:00Z");
    assert!(
        why.contains("  standby   what stands by for web is kept"),
        "{why}"
    );
    let plan = place.of_shop("plan", &["--format", "json"]);
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let told = plan["plan"]["standby"][0].as_str().expect("words");
    assert!(
        told.starts_with(words) && told.contains(" one without standby, "),
        "{told}"
    );
}

#[test]
fn a_tier_that_stands_twice_is_refused() {
    let place = shop(
        1,
        &json!({ "tier": "stopped", "other_tiers": [{ "tier": "stopped", "price_share": 0.2 }] }),
    );
    let ran = place.run(&["validate", "shop"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let words = "tier `stopped` stands twice in this standby";
    assert!(ran.err.contains(words), "{}", ran.err);
}
