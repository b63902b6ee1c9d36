use fleetcast_document::{check_together, parse_fleet, parse_persona};

use crate::{FLEET, PERSONA, changed, unwrap};

#[track_caller]
fn check(fleet_changes: &[(&str, &str)], persona_changes: &[(&str, &str)], expected: &[&str]) {
    let (fleet, persona) = (
        changed(FLEET, fleet_changes),
        changed(PERSONA, persona_changes),
    );
    let problems = check_together(
        &unwrap(parse_fleet(&fleet), &fleet),
        &unwrap(parse_persona(&persona), &persona),
    );
    let rendered = problems.render("persona.json", &persona);
    let heads: Vec<&str> = rendered
        .lines()
        .filter(|line| line.starts_with("persona") || line.contains("hint"))
        .collect();
    assert_eq!(heads, expected, "\n{rendered}");
}

#[test]
fn a_fleet_and_its_persona_hang_together() {
    check(&[], &[], &[]);
    check(
        &[],
        &[("\"component\": \"stock\"", "\"component\": \"stocks\"")],
        &[
            "persona.json:40:48: `stocks` is not a component of fleet `book-shop`",
            "  hint: did you mean `stock`?",
        ],
    );
}

#[test]
fn a_profile_says_its_component_where_there_are_several() {
    check(
        &[],
        &[(
            "\"pattern_name\": \"launch\", \"component\": \"web\",",
            "\"pattern_name\": \"launch\",",
        )],
        &[
            "persona.json:42:5: the resource profile of `launch` does not say which of the fleet's 2 components it is for",
            "  hint: add `component`: web, stock",
        ],
    );
}

#[test]
fn what_is_served_is_expected_and_what_is_expected_is_served() {
    check(
        &[("\"content_view\"]", "\"x-wishlist\"]")],
        &[],
        &[
            "persona.json:8:27: no component of fleet `book-shop` serves `content_view`",
            "  hint: add \"content_view\" to the `serves` of a component, or use one that is served: search, x-wishlist",
            "persona.json:31:24: component `web` serves `x-wishlist`, but no resource profile says what that takes",
            "  hint: add a resource profile with \"component\": \"web\" for a pattern of `x-wishlist`",
            "persona.json:32:5: component `web` does not serve `content_view`, the interactions of `browsing`",
            "  hint: add \"content_view\" to its `serves`, or name it in the `depends_on` of a component that serves them",
            "persona.json:40:5: component `stock` does not serve `content_view`, the interactions of `browsing`",
            "  hint: add \"content_view\" to its `serves`, or name it in the `depends_on` of a component that serves them",
        ],
    );
}
