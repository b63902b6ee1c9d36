//! `fleetcast offers`, and offers of one's own beside a fleet.

use serde_json::Value;

use crate::place::Place;
use crate::plan::PLAN;

const OWN: &str = r#"{"schema": "offer-catalogue/v1", "offers": [
  {"id": "kubernetes/site/pod-2x4", "vcpu": 2, "memory_gib": 4, "price_per_hour": 0.05, "currency": "USD",
   "source": "a pod's share of a node", "as_of": "2026-02-01"}]}"#;

/// Moves the example shop onto pods of a cluster.
fn on_pods(place: &Place) {
    let fleet = place.read("shop/fleet.json");
    let mut fleet: Value = serde_json::from_str(&fleet).expect("JSON");
    for component in fleet["components"].as_array_mut().expect("a list") {
        component["placements"] = serde_json::json!([{"provider": "kubernetes", "region": "site"}]);
    }
    place.write("shop/fleet.json", fleet.to_string());
}

#[test]
fn all_offers_are_listed_with_price_and_date() {
    let place = Place::new();
    let text = place.check(&["offers", "--provider", "aws", "--region", "us-east-1"]);
    assert!(
        text.contains("aws/us-east-1/m7i.xlarge") && text.contains("0.2016"),
        "{text}"
    );
    assert!(
        !text.contains("gcp/") && text.contains("≤, not known"),
        "{text}"
    );
    let json = place.check(&["offers", "--purchase", "spot", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    assert!(rows.len() > 20 && rows.iter().all(|row| row["offer"]["purchase"] == "spot"));
    let bad = place.run(&["offers", "--provider", "ibm"]);
    assert_eq!(bad.code, Some(3));
    assert!(
        bad.err
            .contains("use aws, azure, gcp, kubernetes, own or simulated"),
        "{}",
        bad.err
    );
}

#[test]
fn a_folder_brings_its_own_offers() {
    let place = Place::with_shop(2);
    on_pods(&place);
    let without = place.run(&["validate", "shop"]);
    assert_eq!(without.code, Some(3));
    assert!(
        without.err.contains("fleet.json:") && without.err.contains("offers.json"),
        "{}",
        without.err
    );
    place.write("shop/offers.json", OWN);
    assert_eq!(place.run(&["validate", "shop"]).code, Some(0));
    let listed = place.check(&["offers", "shop"]);
    assert!(
        listed.contains("kubernetes/site/pod-2x4") && !listed.contains("aws/"),
        "{listed}"
    );
    let ran = place.run(&[
        "backtest",
        "shop",
        "--demand",
        "demand.csv",
        "--policy",
        "fleetcast",
        "--no-report",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    place.write("shop/offers.json", OWN.replace("\"USD\"", "\"EUR\""));
    let bad = place.run(&["validate", "shop"]);
    assert_eq!(bad.code, Some(3));
    for words in ["offers.json:", "the price is in `EUR`", "exchange_rates"] {
        assert!(bad.err.contains(words), "{words} is not in\n{}", bad.err);
    }
}

#[test]
fn newer_prices_are_taken_in() {
    let place = Place::new();
    place.write(
        "newer.json",
        r#"{"schema": "offer-catalogue/v1", "offers": [
          {"id": "aws/us-east-1/m7i.xlarge", "vcpu": 4, "memory_gib": 16, "price_per_hour": 0.21, "currency": "USD",
           "source": "price list", "as_of": "2026-11-01"},
          {"id": "aws/us-east-1/nothing", "vcpu": 4, "memory_gib": 16, "price_per_hour": 0.21, "currency": "USD",
           "source": "price list", "as_of": "2026-11-01"}]}"#,
    );
    let said = place.check(&["offers", "--refresh", "newer.json", "--out", "all.json"]);
    assert!(
        said.contains("aws/us-east-1/m7i.xlarge: 0.2016 → 0.21"),
        "{said}"
    );
    assert!(
        said.contains("nothing: not taken over") && said.contains("1 changed"),
        "{said}"
    );
    place.check(&["validate", "all.json"]);
    let listed = place.check(&["offers", "--offers", "all.json", "--region", "us-east-1"]);
    assert!(listed.contains("0.2100"), "{listed}");
}

#[test]
fn a_plan_gives_back_what_is_billed_by_the_hour() {
    let place = Place::with_shop(3);
    on_pods(&place);
    let by_the_hour = r#""price_per_hour": 0.05, "billing_minimum_seconds": 3600, "billing_granularity_seconds": 3600,"#;
    place.write(
        "shop/offers.json",
        OWN.replace(r#""price_per_hour": 0.05,"#, by_the_hour),
    );
    let mut fleet: Value = serde_json::from_str(&place.read("shop/fleet.json")).expect("JSON");
    for component in fleet["components"].as_array_mut().expect("a list") {
        component["current"] = serde_json::json!(60);
    }
    place.write("shop/fleet.json", fleet.to_string());
    let ran = place.run(&PLAN);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let plan: Value = serde_json::from_str(&place.read("plan.json")).expect("JSON");
    let changes = plan["provisional_changes"].as_array().expect("a list");
    let removed = changes.iter().filter(|change| change["action"] == "remove");
    assert!(removed.count() > 0, "{}", ran.out);
}
