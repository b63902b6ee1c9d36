//! `fleetcast plan` and `fleetcast apply`: what they say, what they write, and the codes they end with.

use serde_json::Value;

use crate::place::{Place, Ran};

/// A shop whose front runs with too few units.
fn shop() -> Place {
    let place = Place::with_shop(3);
    place.edit(
        "shop/fleet.json",
        "\"floor\": 2,",
        "\"floor\": 2,\n      \"current\": 2,",
    );
    place
}

/// Plans the shop, and keeps the plan.
pub const PLAN: [&str; 8] = [
    "plan",
    "shop",
    "--demand",
    "demand.csv",
    "--value-unit",
    "per-second",
    "--out",
    "plan.json",
];

fn plan(place: &Place, more: &[&str], code: i32) -> Ran {
    let ran = place.run(&[&PLAN[..], more].concat());
    assert_eq!(ran.code, Some(code), "{more:?}: {}{}", ran.out, ran.err);
    ran
}

fn apply(place: &Place, more: &[&str], code: i32) -> Ran {
    let args = ["apply", "plan.json", "--fleet", "shop"];
    let ran = place.run(&[&args[..], more].concat());
    assert_eq!(ran.code, Some(code), "{more:?}: {}{}", ran.out, ran.err);
    ran
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).expect("it is JSON")
}

/// The end of three days from Monday 2026-03-02 on: when the plan is made.
const AT: &str = "2026-03-05T00:00:00Z";

/// Applies at the time of the plan.
fn apply_then(place: &Place, more: &[&str], code: i32) -> Ran {
    apply(place, &[&["--at", AT], more].concat(), code)
}

fn hash(place: &Place) -> String {
    let hash = json(place, "plan.json")["change_set_hash"].clone();
    hash.as_str().expect("a hash").to_string()
}

/// Everything passes, or everything has to be approved.
fn with_threshold(place: &Place, dollars: &str) {
    place.edit(
        "shop/fleet.json",
        "\"approval_threshold\": {\n    \"amount\": 10,",
        &format!("\"approval_threshold\": {{\n    \"amount\": {dollars},"),
    );
}

#[test]
fn a_plan_says_what_would_change_and_changes_nothing() {
    let place = shop();
    with_threshold(&place, "1000");
    let before = place.read("shop/fleet.json");
    let ran = plan(&place, &["--quiet"], 0);
    assert!(ran.out.contains("+ web: "), "{}", ran.out);
    assert!(ran.out.contains("Gate: passed"), "{}", ran.out);
    assert!(ran.out.contains("If you refuse: web"), "{}", ran.out);
    assert_eq!(place.read("shop/fleet.json"), before);
    place.check(&["validate", "plan.json"]);
    let printed = plan(&place, &["--quiet", "--format", "json"], 0).out;
    assert_eq!(printed, place.read("plan.json"));
}

#[test]
fn each_reason_of_a_plan_accounts_for_its_units() {
    let place = shop();
    plan(&place, &[], 0);
    let plan = json(&place, "plan.json");
    let changes = plan["provisional_changes"].as_array().expect("changes");
    assert!(!changes.is_empty());
    let sum = |causes: &Value| {
        let causes = causes.as_array().expect("reasons");
        causes
            .iter()
            .filter_map(|cause| cause["units"].as_u64())
            .sum::<u64>()
    };
    let mut all = 0;
    for change in changes {
        assert_eq!(
            Some(sum(&change["reasons"])),
            change["units"].as_u64(),
            "{change}"
        );
        all += sum(&change["reasons"]);
        for field in [
            "provider",
            "region",
            "purchase_kind",
            "ready_by",
            "order_by",
            "sla",
        ] {
            assert!(!change[field].is_null(), "{field} of {change}");
        }
    }
    assert_eq!(sum(&plan["plan"]["reasons"]), all);
    let totals = plan["plan"]["units_added"]
        .as_u64()
        .zip(plan["plan"]["units_removed"].as_u64());
    assert_eq!(totals.map(|(added, removed)| added + removed), Some(all));
}

#[test]
fn the_exit_code_of_a_plan_tells_what_it_found() {
    let place = shop();
    with_threshold(&place, "1000");
    plan(&place, &["--detailed-exitcode"], 2);
    apply_then(&place, &[], 0);
    plan(&place, &["--detailed-exitcode"], 0);
    let place = shop();
    with_threshold(&place, "0.01");
    plan(&place, &["--detailed-exitcode"], 5);
    plan(&place, &[], 0);
    place.edit(
        "shop/fleet.json",
        "\"mode\": \"auto\"",
        "\"mode\": \"observe\"",
    );
    plan(&place, &["--detailed-exitcode"], 4);
    plan(&place, &["--at", "2020-01-01T00:00:00Z"], 3);
    plan(&place, &["--accept", "a-miracle"], 3);
}

/// Of demand whose interaction types are told apart; one volume for all is divided by the persona first.
#[test]
fn a_plan_knows_nothing_after_its_moment() {
    let place = shop();
    place.check(&["example", "example.csv"]);
    let at = ["--at", "2026-03-04T10:00:00Z"];
    // Told apart by interaction type, and not.
    for rows in [place.read("example.csv"), crate::place::demand(3)] {
        let until = |end: &str| {
            let kept: Vec<&str> = rows
                .lines()
                .filter(|line| line.starts_with("timestamp") || *line < end)
                .collect();
            kept.join("\n") + "\n"
        };
        place.write("demand.csv", until("2026-03-04T16:00:00Z"));
        plan(&place, &at, 0);
        let known = place.read("plan.json");
        place.write("demand.csv", until("2026-03-04T10:00:00Z"));
        plan(&place, &at, 0);
        assert_eq!(place.read("plan.json"), known);
    }
}

#[test]
fn an_applied_plan_is_confirmed_and_applying_it_again_changes_nothing() {
    let place = shop();
    with_threshold(&place, "1000");
    plan(&place, &[], 0);
    let ran = apply_then(&place, &[], 0);
    assert!(
        ran.out.contains("Applied at 2026-03-05 00:00 UTC"),
        "{}",
        ran.out
    );
    let planned = json(&place, "plan.json");
    let confirmation = json(&place, "shop/confirmation.json");
    let after = json(&place, "shop/fleet.json");
    assert_eq!(confirmation["change_set_hash"], planned["change_set_hash"]);
    let web = |document: &Value, field: &str| document["components"][0][field].as_u64();
    assert!(web(&after, "current") > Some(2), "{after}");
    assert_eq!(web(&after, "desired"), web(&planned, "desired"));
    assert_eq!(after["$schema"], "schemas/fleet-state-v1.json");
    for change in confirmation["changes"].as_array().expect("changes") {
        assert_eq!(change["instances_done"], change["instances_asked"]);
        assert!(change["done_at"].as_str() >= change["ordered_at"].as_str());
    }
    place.check(&["validate", "shop", "shop/confirmation.json"]);
    let files = (
        place.read("shop/fleet.json"),
        place.read("shop/confirmation.json"),
    );
    let ran = apply_then(&place, &[], 0);
    assert!(ran.out.contains("Already applied"), "{}", ran.out);
    assert_eq!(
        files,
        (
            place.read("shop/fleet.json"),
            place.read("shop/confirmation.json")
        )
    );
}

#[test]
fn a_plan_is_refused_when_the_fleet_has_moved_or_time_has_passed() {
    let place = shop();
    with_threshold(&place, "1000");
    plan(&place, &[], 0);
    let ran = apply(&place, &["--at", "2026-03-05T01:00:00Z"], 4);
    assert!(ran.err.contains("expired"), "{}", ran.err);
    apply(&place, &["--at", "2026-03-04T23:00:00Z"], 4);
    let fleet = place.read("shop/fleet.json");
    place.edit("shop/fleet.json", "\"ceiling\": 200", "\"ceiling\": 150");
    let ran = apply_then(&place, &[], 4);
    assert!(ran.err.contains("has moved"), "{}", ran.err);
    // The same document, laid out otherwise, has not.
    place.write("shop/fleet.json", fleet.replace("  ", " "));
    place.write(
        "shop/overrides.json",
        "{\"overrides\": [{\"component\": \"web\", \"decision\": \"pause\", \"start\": \"2026-03-04T00:00:00Z\", \
         \"expires\": \"2026-03-06T00:00:00Z\", \"owner\": \"me\", \"reason\": \"a test\"}]}",
    );
    let ran = apply_then(&place, &[], 4);
    assert!(ran.err.contains("decided otherwise"), "{}", ran.err);
    std::fs::remove_file(place.path("shop/overrides.json")).expect("it is there");
    apply_then(&place, &[], 0);
}

#[test]
fn what_is_over_the_threshold_needs_the_approval_of_exactly_these_changes() {
    let place = shop();
    with_threshold(&place, "0.01");
    plan(&place, &[], 0);
    let ran = apply_then(&place, &[], 5);
    assert!(ran.err.contains(&hash(&place)), "{}", ran.err);
    let other = format!("sha256:{:064}", 7);
    apply_then(&place, &["--approve", &other], 4);
    // A document whose changes were altered is not the one that was approved.
    let right = hash(&place);
    let good = place.read("plan.json");
    let first = json(&place, "plan.json")["provisional_changes"][0]["instances"].to_string();
    place.edit(
        "plan.json",
        &format!("\"instances\": {first}"),
        "\"instances\": 190",
    );
    apply_then(&place, &["--approve", &right], 3);
    place.write("plan.json", good);
    apply_then(&place, &["--approve", &right], 0);
    assert_eq!(json(&place, "shop/confirmation.json")["approved"], true);
}

#[test]
fn what_has_become_dearer_than_approved_is_not_ordered() {
    let place = shop();
    with_threshold(&place, "1000");
    plan(&place, &[], 0);
    let changes = json(&place, "plan.json")["provisional_changes"].clone();
    let text = |value: &Value| value.as_str().map(str::to_string);
    let changed = changes.as_array().expect("changes").iter();
    let mut offers: std::collections::BTreeSet<String> = changed
        .filter_map(|change| text(&change["offer"]))
        .collect();
    // A catalogue of one's own is all there is of its regions: it has to have what the fleet state names.
    for component in json(&place, "shop/fleet.json")["components"]
        .as_array()
        .expect("components")
    {
        for placement in component["placements"].as_array().expect("placements") {
            offers.extend(
                placement["offers"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(text),
            );
        }
    }
    let entry = |id: &String| {
        format!(
            "{{\"id\": \"{id}\", \"vcpu\": 64, \"memory_gib\": 256, \"price_per_hour\": 99, \"currency\": \"USD\", \
             \"source\": \"a test\", \"as_of\": \"2026-03-01\"}}"
        )
    };
    let entries: Vec<String> = offers.iter().map(entry).collect();
    let catalogue = format!(
        "{{\"schema\": \"offer-catalogue/v1\", \"offers\": [{}]}}",
        entries.join(", ")
    );
    place.write("dear.json", catalogue);
    let ran = apply_then(&place, &["--offers", "dear.json"], 6);
    assert!(ran.out.contains("the plan allows"), "{}", ran.out);
    let confirmation = json(&place, "shop/confirmation.json");
    let web = &confirmation["changes"][0];
    assert_eq!(
        (&web["instances_done"], &web["units_done"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn each_recommendation_is_priced_and_its_command_works() {
    let place = shop();
    with_threshold(&place, "0.01");
    let ran = plan(&place, &["--quiet"], 0);
    let planned = json(&place, "plan.json");
    let recommendations = planned["plan"]["recommendations"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(recommendations.len() >= 3, "{}", ran.out);
    for one in &recommendations {
        let command = one["command"].as_str().expect("a command");
        assert!(ran.out.contains(command), "{command}");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        place.check(&words);
        let taken = json(&place, "plan.json");
        assert_eq!(taken["plan"]["accepted"][0], one["name"]);
        assert_eq!(taken["plan"]["cost"]["high"], one["cost"], "{command}");
        assert_eq!(
            taken["plan"]["gate"]["verdict"], one["verdict"],
            "{command}"
        );
    }
    let names: Vec<&str> = recommendations
        .iter()
        .filter_map(|one| one["name"].as_str()?.split(':').next())
        .collect();
    for wanted in ["start-later", "lower-quantile", "raise-threshold"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
}

#[test]
fn an_accepted_recommendation_is_applied_with_what_it_changes() {
    let place = shop();
    with_threshold(&place, "0.01");
    plan(&place, &["--accept", "lower-quantile:0.5"], 0);
    let wanted = hash(&place);
    apply_then(&place, &["--approve", &wanted], 0);
    let overrides = json(&place, "shop/overrides.json");
    assert_eq!(overrides["overrides"][0]["decision"], "ceiling");
    place.check(&["validate", "shop"]);
    plan(&place, &["--accept", "raise-threshold"], 0);
    let raised = json(&place, "plan.json")["approval_threshold"]["amount"].as_f64();
    assert!(raised >= Some(0.01), "{raised:?}");
}

#[test]
fn why_tells_what_else_the_gate_would_have_let_pass() {
    let place = shop();
    with_threshold(&place, "0.02");
    place.check(&[
        "backtest",
        "shop",
        "--demand",
        "demand.csv",
        "--value-unit",
        "per-second",
        "--policy",
        "fleetcast",
        "--record",
        "run",
        "-q",
    ]);
    let mut moments =
        (0..48).map(|i| crate::place::START + jiff::SignedDuration::from_mins(1_440 + 300 + 5 * i));
    let held_back = moments.find_map(|at| {
        let why = place.check(&["why", "run", "--at", &at.to_string(), "--format", "json"]);
        let views: Vec<Value> = serde_json::from_str(&why).expect("JSON");
        let waits = |view: &Value| {
            view["gate"]
                .as_str()
                .is_some_and(|gate| gate.starts_with("waits for approval"))
        };
        views.into_iter().find(waits)
    });
    let view = held_back.expect("a decision that waits for approval");
    let told = view["recommendations"].as_array().expect("recommendations");
    let words = |part: &str| {
        told.iter()
            .any(|one| one.as_str().is_some_and(|one| one.contains(part)))
    };
    assert!(
        words("raise the approval threshold to") && words("falls short"),
        "{told:?}"
    );
    assert!(words("saves $"), "{told:?}");
}
