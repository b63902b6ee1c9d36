//! Quotas and the loss of a zone, as `validate` and `plan` tell them, and the fourteen days that heed them.

use serde_json::{Value, json};

use crate::place::Place;

/// The shop with its fleet state changed.
fn shop(days: usize, change: impl Fn(&mut Value)) -> Place {
    Place::with_fleet(days, |fleet| {
        fleet["components"][0]["current"] = json!(2);
        change(fleet);
    })
}

/// All components run at AWS alone, within so many vCPU.
fn with_quota(fleet: &mut Value, limit: u64) {
    for component in fleet["components"].as_array_mut().expect("components") {
        component["placements"]
            .as_array_mut()
            .expect("places")
            .truncate(1);
        component["current"] = json!(2);
    }
    fleet["quotas"] = json!([{
        "name": "standard", "provider": "aws", "region": "us-east-1", "limit": limit
    }]);
}

fn planned(place: &Place, more: &[&str]) -> String {
    place.of_shop("plan", more)
}

fn planned_json(place: &Place, more: &[&str]) -> Value {
    let out = planned(place, &[more, &["--format", "json"]].concat());
    serde_json::from_str(&out).expect("it is JSON")
}

#[test]
fn a_quota_that_limits_nothing_is_warned_of_and_a_floor_that_it_does_not_hold_is_refused() {
    let place = shop(1, |fleet| {
        with_quota(fleet, 64);
        fleet["quotas"][0]["region"] = json!("us-est-1");
    });
    let ran = place.run(&["validate", "shop"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err.contains("warning: quota `standard` limits nothing"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("did you mean `us-east-1`?"), "{}", ran.err);
    let place = shop(1, |fleet| with_quota(fleet, 7));
    let ran = place.run(&["validate", "shop"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(
        ran.err.contains("over the 7 of quota `standard`"),
        "{}",
        ran.err
    );
}

#[test]
fn a_plan_says_which_quota_bound_and_what_lifting_it_costs() {
    let place = shop(3, |fleet| with_quota(fleet, 14));
    let text = planned(&place, &[]);
    assert!(text.contains("Limit: quota `standard` ("), "{text}");
    let plan = planned_json(&place, &[]);
    let limits = plan["plan"]["limits"].as_array().expect("limits");
    let bound = &limits[0];
    assert!(bound["missing_units"].as_u64() > Some(0), "{bound}");
    assert!(bound["enough"].as_u64() > Some(14), "{bound}");
    assert!(
        bound["lift_per_hour"]["amount"].as_f64() > Some(0.0),
        "{bound}"
    );
    // As much as is said to be enough is enough.
    let most = limits.iter().filter_map(|limit| limit["enough"].as_u64());
    let most = most.max().expect("a limit");
    let free = shop(3, |fleet| with_quota(fleet, 10 * most));
    assert_eq!(planned_json(&free, &[])["plan"]["limits"], Value::Null);
}

#[test]
fn a_plan_spreads_units_over_zones_and_gives_the_extra_ones_their_reason() {
    let place = shop(3, |fleet| {
        with_quota(fleet, 1_000);
        for component in fleet["components"].as_array_mut().expect("components") {
            component["placements"][0]["zones"] = json!(["us-east-1a", "us-east-1b"]);
            component["sla"]["zone_loss"] = json!("70%");
        }
    });
    let plan = planned_json(&place, &[]);
    let changes = plan["provisional_changes"].as_array().expect("changes");
    let mut zones: Vec<&str> = changes
        .iter()
        .filter_map(|change| change["zone"].as_str())
        .collect();
    zones.sort_unstable();
    zones.dedup();
    assert_eq!(zones, ["us-east-1a", "us-east-1b"]);
    let reasons = plan["plan"]["reasons"].as_array().expect("reasons");
    assert!(
        reasons.iter().any(|one| one["reason"] == "zone_loss"),
        "{reasons:?}"
    );
    for change in changes {
        let reasons = change["reasons"].as_array().expect("reasons");
        let sum: u64 = reasons.iter().filter_map(|one| one["units"].as_u64()).sum();
        assert_eq!(Some(sum), change["units"].as_u64());
    }
    assert!(planned(&place, &[]).contains("against the loss of a zone"));
}

#[test]
fn fourteen_days_say_what_to_rent_when_and_how_near_to_the_cheapest_that_is() {
    let place = shop(9, |_| {});
    let text = planned(&place, &["--horizon", "medium"]);
    assert!(text.contains("All of it: $"), "{text}");
    assert!(text.contains("over the cheapest possible"), "{text}");
    assert!(text.contains("comes and goes: up to "), "{text}");
    let plan = planned_json(&place, &["--horizon", "medium"]);
    let (cost, least) = (plan["cost_usd"].as_f64(), plan["lower_bound_usd"].as_f64());
    assert!(cost >= least && least > Some(0.0), "{cost:?} and {least:?}");
    assert!(
        plan["over_cheapest_percent_max"].as_f64() < Some(15.0),
        "{plan}"
    );
    for component in plan["components"].as_array().expect("components") {
        assert_eq!(component["missing"], json!([]));
        let rents = component["rents"].as_array().expect("rents");
        assert!(!rents.is_empty());
        for slot in component["slots"].as_array().expect("slots") {
            // What serves at the beginning of each slot is what it wants.
            let at = slot["from"].as_str();
            let serves = rents.iter().filter(|rent| {
                rent["from"].as_str() <= at
                    && (rent["until"].is_null() || rent["until"].as_str() > at)
            });
            let units: u64 = serves.filter_map(|rent| rent["units"].as_u64()).sum();
            assert!(Some(units) >= slot["units"].as_u64(), "{units} at {slot}");
        }
    }
}

#[test]
fn fourteen_days_heed_a_quota_and_say_what_it_keeps_away() {
    let place = shop(9, |fleet| with_quota(fleet, 14));
    let plan = planned_json(&place, &["--horizon", "medium"]);
    let missing: Vec<&Value> = plan["components"]
        .as_array()
        .expect("components")
        .iter()
        .flat_map(|component| component["missing"].as_array().expect("missing"))
        .collect();
    assert!(!missing.is_empty());
    assert!(
        missing.iter().all(|short| short["quota"] == "standard"),
        "{missing:?}"
    );
    let text = planned(&place, &["--horizon", "medium"]);
    assert!(text.contains("quota `standard` is used up"), "{text}");
    assert!(
        text.contains("raise quota `standard`, which allows 14"),
        "{text}"
    );
}

#[test]
fn fourteen_days_with_zones_keep_their_promise() {
    let place = shop(9, |fleet| {
        with_quota(fleet, 1_000);
        for component in fleet["components"].as_array_mut().expect("components") {
            component["placements"][0]["zones"] = json!(["us-east-1a", "us-east-1b", "us-east-1c"]);
            component["sla"]["zone_loss"] = json!("70%");
        }
    });
    let plan = planned_json(&place, &["--horizon", "medium"]);
    for component in plan["components"].as_array().expect("components") {
        assert_eq!(component["missing"], json!([]));
        let rents = component["rents"].as_array().expect("rents");
        for slot in component["slots"].as_array().expect("slots") {
            let at = slot["from"].as_str();
            let mut zones = std::collections::BTreeMap::<&str, u64>::new();
            for rent in rents.iter().filter(|rent| {
                rent["from"].as_str() <= at
                    && (rent["until"].is_null() || rent["until"].as_str() > at)
            }) {
                let zone = rent["zone"].as_str().unwrap_or_default();
                *zones.entry(zone).or_default() += rent["units"].as_u64().unwrap_or(0);
            }
            let left = zones.values().sum::<u64>() - zones.values().max().copied().unwrap_or(0);
            let wanted = slot["units"].as_u64().unwrap_or(0);
            assert!(left >= (wanted * 7).div_ceil(10), "{zones:?} at {slot}");
        }
    }
}
