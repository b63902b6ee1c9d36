//! `fleetcast init` and `fleetcast validate`, and a backtest with documents.

use crate::place::{Place, Ran};

/// Validates, expecting this code.
#[track_caller]
fn check(place: &Place, paths: &[&str], code: i32) -> Ran {
    let ran = place.run(&[&["validate"], paths].concat());
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    ran
}

#[test]
fn init_writes_documents_that_are_valid_and_run() {
    let place = Place::with_shop(3);
    let files = place.files();
    for name in ["fleet.json", "persona.json", "README.md"] {
        assert!(
            files.contains(&format!("shop/{name}")),
            "{name} is not among {files:?}"
        );
    }
    check(&place, &["shop"], 0);
    check(&place, &["shop/fleet.json", "shop/persona.json"], 0);
    let ran = place.run(&["backtest", "shop", "--demand", "demand.csv", "--no-curve"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("Fleetcast (ours)"), "{}", ran.out);
    let html = place.read("fleetcast-report/report.html");
    assert!(!html.contains("http:") && !html.contains("https:"));
    let written = place.files();
    let left: Vec<&String> = written
        .iter()
        .filter(|name| name.ends_with(".partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_a_run_writes_as_documents_is_valid() {
    let place = Place::with_shop(2);
    place.check(&[
        "backtest",
        "shop",
        "--demand",
        "demand.csv",
        "--no-curve",
        "--report",
        "out",
        "--quiet",
    ]);
    let documents: Vec<String> = place
        .files()
        .into_iter()
        .filter(|name| name.starts_with("out/") && name.ends_with(".json"))
        .collect();
    assert!(!documents.is_empty());
    let paths: Vec<&str> = documents.iter().map(String::as_str).collect();
    check(&place, &paths, 0);
}

#[test]
fn init_replaces_nothing_unless_it_is_told_to() {
    let place = Place::with_shop(1);
    place.edit("shop/fleet.json", "\"ceiling\": 200", "\"ceiling\": 77");
    let mine = place.read("shop/fleet.json");
    let ran = place.run(&["init", "shop"]);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.err.contains("shop/fleet.json is there already") && ran.err.contains("--force"),
        "{}",
        ran.err
    );
    assert_eq!(place.read("shop/fleet.json"), mine);
    place.check(&["init", "shop", "--force"]);
    assert!(!place.read("shop/fleet.json").contains("\"ceiling\": 77"));
}

#[test]
fn validate_lists_every_problem_with_its_place_and_mend() {
    let place = Place::with_shop(1);
    place.edit("shop/fleet.json", "\"ceiling\": 200", "\"cieling\": 200");
    place.edit(
        "shop/fleet.json",
        "\"memory_gb\": 4",
        "\"memory_gb\": \"8GB\"",
    );
    let ran = check(&place, &["shop"], 3);
    let said: Vec<&str> = ran
        .err
        .lines()
        .filter(|line| line.starts_with("shop/fleet.json:"))
        .collect();
    assert_eq!(said.len(), 2, "{}", ran.err);
    assert!(
        ran.err.contains("hint: did you mean `ceiling`?") && ran.err.contains("hint: write 8"),
        "{}",
        ran.err
    );
    for line in said {
        let place: Vec<&str> = line.split(':').take(3).collect();
        assert!(
            place[1..]
                .iter()
                .all(|number| number.parse::<u32>().is_ok()),
            "{line}"
        );
    }
    assert!(ran.err.ends_with("error: 2 problems\n"), "{}", ran.err);
}

#[test]
fn validate_looks_at_documents_together() {
    let place = Place::with_shop(1);
    let text = place.read("shop/persona.json").replacen(
        "\"component\": \"web\"",
        "\"component\": \"wbe\"",
        1,
    );
    place.write("shop/persona.json", text);
    let ran = check(&place, &["shop"], 3);
    assert!(ran.err.contains("shop/persona.json:"), "{}", ran.err);
    assert!(
        ran.err
            .contains("`wbe` is not a component of fleet `synthetic-shop`"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("hint: the components are: `web`, "),
        "{}",
        ran.err
    );
}

#[test]
fn validate_looks_at_files_of_one_folder_together() {
    let place = Place::with_shop(1);
    place.write("shop/overrides.json", overrides("chekout"));
    let paths = ["shop/fleet.json", "shop/overrides.json"];
    let ran = check(&place, &paths, 3);
    assert!(
        ran.err.contains(
            "shop/overrides.json:5:20: `chekout` is not a component of fleet `synthetic-shop`\n"
        ),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("hint: did you mean `checkout`?"),
        "{}",
        ran.err
    );
    // Alone it says nothing of a fleet, and of two fleets it is not known which is meant.
    check(&place, &["shop/overrides.json"], 0);
    place.write("shop/other.json", place.read("shop/fleet.json"));
    check(&place, &[&paths[..], &["shop/other.json"]].concat(), 0);
}

#[test]
fn validate_tells_what_is_no_document() {
    let place = Place::with_demand(1);
    std::fs::create_dir(place.path("empty")).expect("a folder");
    assert!(
        check(&place, &["empty"], 3)
            .err
            .contains("fleetcast init empty")
    );
    assert!(
        check(&place, &["gone.json"], 1)
            .err
            .contains("cannot read gone.json")
    );
    place.write("half.json", "{ \"schema\": \"fleet-state/v1\", ");
    assert!(
        check(&place, &["half.json"], 3)
            .err
            .contains("half.json:1:")
    );
    place.write("bytes.json", [0xff, 0xfe, 0x00]);
    check(&place, &["bytes.json"], 3);
    place.write("deep.json", "[".repeat(200_000));
    check(&place, &["deep.json"], 3);
}

#[test]
fn schemas_are_those_of_this_version() {
    let place = Place::new();
    place.check(&["schemas", "out"]);
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
    for name in place.files() {
        let file = name.strip_prefix("out/").expect("in there");
        let kept = std::fs::read_to_string(format!("{repository}/{file}"));
        assert_eq!(
            kept.ok().as_deref(),
            Some(place.read(&name).as_str()),
            "{file}: run `cargo xtask`"
        );
    }
}

#[test]
fn the_example_runs_without_any_file() {
    let place = Place::new();
    let args = [
        "backtest",
        "--example",
        "--policy",
        "hpa:0.6",
        "--format",
        "json",
        "--quiet",
    ];
    let result: serde_json::Value = serde_json::from_str(&place.check(&args)).expect("JSON");
    assert_eq!(result["synthetic"], true, "what is invented says so");
    assert!(place.files().is_empty());
}

/// A pin of a component.
fn overrides(component: &str) -> String {
    format!(
        r#"{{
  "schema": "overrides/v1",
  "overrides": [
    {{
      "component": "{component}",
      "decision": "pin",
      "units": 4,
      "start": "2026-03-02T00:00:00Z",
      "expires": "2026-03-03T00:00:00Z",
      "owner": "ada",
      "reason": "a test"
    }}
  ]
}}"#
    )
}
