use fleetcast_document::{check_together, parse_fleet, parse_persona};

use crate::{FLEET, PERSONA, changed, unwrap};

const CALLS_VIEWS: &str = "\"interaction_type\": \"content_view\"";

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
        &[
            (
                "[\"search\", \"content_view\"]",
                "[\"search\", \"x-wishlist\"]",
            ),
            (
                "\"interaction_type\": \"content_view\"",
                "\"interaction_type\": \"search\"",
            ),
        ],
        &[],
        &[
            "persona.json:8:27: no component of fleet `book-shop` serves `content_view`",
            "  hint: add \"content_view\" to the `serves` of a component, or use one that is served: search, x-wishlist",
            "persona.json:31:24: component `web` serves `x-wishlist`, but no resource profile says what that takes",
            "  hint: add a resource profile with \"component\": \"web\" for a pattern of `x-wishlist`",
            "persona.json:31:24: component `stock` is called by `web` with `search`, but no resource profile says what that takes",
            "  hint: add a resource profile with \"component\": \"stock\" for a pattern of `search`",
            "persona.json:32:5: component `web` is not asked for `content_view`, the interactions of `browsing`",
            "  hint: add \"content_view\" to its `serves`, or name it in the `depends_on` of another component with \"interaction_type\": \"content_view\"",
            "persona.json:40:5: component `stock` is not asked for `content_view`, the interactions of `browsing`",
            "  hint: add \"content_view\" to its `serves`, or name it in the `depends_on` of another component with \"interaction_type\": \"content_view\"",
        ],
    );
}

#[test]
fn a_component_that_is_called_needs_a_profile_of_the_calls() {
    check(
        &[(CALLS_VIEWS, "\"interaction_type\": \"api_call\"")],
        &[],
        &[
            "persona.json:31:24: component `stock` is called by `web` with `api_call`, but no resource profile says what that takes",
            "  hint: add a resource profile with \"component\": \"stock\" for a pattern of `api_call`",
            "persona.json:40:5: component `stock` is not asked for `content_view`, the interactions of `browsing`",
            "  hint: add \"content_view\" to its `serves`, or name it in the `depends_on` of another component with \"interaction_type\": \"content_view\"",
        ],
    );
    // The type may be one that no user's interaction has: a pattern of it says what a call takes.
    let pattern = "{ \"name\": \"calls\", \"time_window\": \"PT1H\", \"interaction_type\": \"api_call\", \"expected_volume\": 1000, \"latency_target_ms\": 50 },";
    check(
        &[(CALLS_VIEWS, "\"interaction_type\": \"api_call\"")],
        &[
            (
                "\"engagement_patterns\": [",
                &format!("\"engagement_patterns\": [{pattern}"),
            ),
            (
                "\"pattern_name\": \"browsing\", \"component\": \"stock\"",
                "\"pattern_name\": \"calls\", \"component\": \"stock\"",
            ),
        ],
        &[],
    );
}

#[test]
fn a_pattern_without_volume_says_nothing_of_one_interaction() {
    check(
        &[],
        &[("\"expected_volume\": 36000", "\"expected_volume\": 0")],
        &[
            "persona.json:9:26: the volume of pattern `browsing` is 0, so nothing says what one `content_view` needs",
            "  hint: state a volume: the interactions that its resource profiles carry",
        ],
    );
    // Another pattern of the type says it.
    check(
        &[],
        &[("\"expected_volume\": 900000", "\"expected_volume\": 0")],
        &[],
    );
}

#[test]
fn a_call_that_nothing_sizes_is_told_by_the_volume_of_its_pattern_too() {
    check(
        &[(CALLS_VIEWS, "\"interaction_type\": \"search\"")],
        &[
            (
                "\"pattern_name\": \"browsing\", \"component\": \"stock\"",
                "\"pattern_name\": \"launch\", \"component\": \"stock\"",
            ),
            ("\"expected_volume\": 900000", "\"expected_volume\": 0"),
        ],
        &[
            "persona.json:26:26: the volume of pattern `launch` is 0, so nothing says what one `search` needs",
            "  hint: state a volume: the interactions that its resource profiles carry",
        ],
    );
}
