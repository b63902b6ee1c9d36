use fleetcast_document::{DocumentKind, parse_events, parse_fleet, set_field};
use serde_json::{Value, json};

use crate::{EVENTS, FLEET};

#[track_caller]
fn refused(path: &str) -> String {
    set_field(DocumentKind::FleetState, FLEET, path, json!(1))
        .expect_err("the path leads nowhere")
        .to_string()
}

fn component(at: usize) -> String {
    let fleet: Value = serde_json::from_str(FLEET).unwrap();
    fleet["components"][at]["name"]
        .as_str()
        .unwrap()
        .to_string()
}

#[test]
fn a_field_is_changed_by_its_path_and_nothing_else_is() {
    let name = component(0);
    let before = parse_fleet(FLEET).unwrap();
    let path = format!("components[{name}].floor");
    let text = set_field(DocumentKind::FleetState, FLEET, &path, json!(2)).unwrap();
    let mut expected = before.clone();
    expected.components[0].floor = fleetcast_model::Units::new(2);
    assert_eq!(parse_fleet(&text), Ok(expected));
    let same = set_field(
        DocumentKind::FleetState,
        FLEET,
        "components[0].floor",
        json!(2),
    );
    assert_eq!(same, Ok(text));
}

#[test]
fn what_is_not_there_is_made_and_null_takes_out() {
    let path = "components[0].sla.objective";
    let objective = json!({"metric": "unserved", "target": "1%"});
    let text = set_field(DocumentKind::FleetState, FLEET, path, objective).unwrap();
    let target = |text: &str| {
        let fleet = parse_fleet(text).unwrap();
        fleet.components[0]
            .sla
            .objective
            .map(|objective| objective.target.get())
    };
    assert_eq!(target(&text), Some(0.01));
    let without = set_field(DocumentKind::FleetState, &text, path, Value::Null).unwrap();
    assert_eq!(target(&without), None);
    let events = set_field(DocumentKind::Events, EVENTS, "events[0].uplift", json!(3)).unwrap();
    assert_eq!(parse_events(&events).unwrap()[0].uplift, Some(3.0));
}

#[test]
fn paths_that_lead_nowhere_name_the_nearest_that_leads_somewhere() {
    let name = component(0);
    let check = |path: &str, expected: &str| {
        let found = refused(path);
        assert!(found.contains(expected), "{found}");
    };
    check("components[0].flor", "did you mean `components[0].floor`?");
    check(
        "components[0].latency_ms_p95",
        "did you mean `components[0].sla.latency_ms_p95`?",
    );
    check("component[0].floor", "did you mean `components`?");
    check("components[99].floor", "from [0] to");
    check(
        &format!("components[{name}x].floor"),
        &format!("did you mean `{name}`?"),
    );
    check("components[0", "a `]` is missing");
    check("components[0]floor", "a `.` is missing after `]`");
    check("", "it is empty");
    check("name[0].x", "`name` is not a list");
}
