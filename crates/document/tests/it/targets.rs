use fleetcast_document::{
    check_events, check_overrides, parse_events, parse_fleet, parse_overrides,
};

use crate::{EVENTS, FLEET, OVERRIDES, changed, unwrap};

#[test]
fn an_override_is_for_a_component_that_the_fleet_has() {
    let fleet = unwrap(parse_fleet(FLEET), FLEET);
    let check = |changes: &[(&str, &str)]| {
        let text = changed(OVERRIDES, changes);
        check_overrides(&fleet, &unwrap(parse_overrides(&text), &text))
            .render("overrides.json", &text)
    };
    assert_eq!(check(&[]), "");
    assert_eq!(
        check(&[
            ("\"component\": \"web\"", "\"component\": \"stok\""),
            ("\"component\": \"stock\"", "\"component\": \"database\"")
        ]),
        r#"overrides.json:5:20: `stok` is not a component of fleet `book-shop`
  5 |       "component": "stok",
    |                    ^^^^^^
  hint: did you mean `stock`?
overrides.json:14:20: `database` is not a component of fleet `book-shop`
  14 |       "component": "database",
     |                    ^^^^^^^^^^
  hint: the components are: `web`, `stock`
"#
    );
}

#[test]
fn an_event_is_about_what_the_fleet_has() {
    let fleet = unwrap(parse_fleet(FLEET), FLEET);
    let check = |changes: &[(&str, &str)]| {
        let text = changed(EVENTS, changes);
        check_events(&fleet, &unwrap(parse_events(&text), &text)).render("events.json", &text)
    };
    assert_eq!(check(&[("\"x-wishlist\"", "\"search\"")]), "");
    let scope = "\"scope\": { \"components\": [\"web\"], \"interaction_types\": [\"x-wishlist\"]";
    let wrong = "\"scope\": {\n\"components\": [\"web\", \"stocks\"],\n\"interaction_types\": [\"search\", \"x-wishlist\"]";
    assert_eq!(
        check(&[(scope, wrong)]),
        r#"events.json:11:23: `stocks` is not a component of fleet `book-shop`
  11 | "components": ["web", "stocks"],
     |                       ^^^^^^^^
  hint: did you mean `stock`?
events.json:12:33: no component of fleet `book-shop` serves `x-wishlist` or is called with it
  12 | "interaction_types": ["search", "x-wishlist"], "regions": ["eu-central-1"] },
     |                                 ^^^^^^^^^^^^
  hint: the interaction types are: `content_view`, `search`
"#
    );
}
