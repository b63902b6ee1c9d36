use fleetcast_document::{DocumentKind, decode, parse_any, parse_fleet};

use crate::{EVENTS, FLEET, PERSONA, PREDICTED, changed, check};

#[test]
fn problems_are_rendered_with_their_place_the_line_a_mark_and_a_hint() {
    let text = changed(
        FLEET,
        &[
            ("\"memory_gb\": 4", "\"memroy_gb\": 4"),
            ("\"floor\": 3", "\"floor\": 90"),
            ("\"P28D\"", "\"28 days\""),
        ],
    );
    let expected = r#"fleet.json:17:33: `memroy_gb` is not a field of a unit
  17 |       "unit": { "cpu_cores": 2, "memroy_gb": 4, "network_bandwidth_mbps": 500 },
     |                                 ^^^^^^^^^^^
  hint: did you mean `memory_gb`?
fleet.json:27:16: floor is 90, above the ceiling of 60
  27 |       "floor": 90,
     |                ^^
  hint: the floor is at most the ceiling
fleet.json:37:74: "28 days" is not a duration
  37 |         "objective": { "metric": "unserved", "target": "0.5%", "window": "28 days" }
     |                                                                          ^^^^^^^^^
  hint: write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day
"#;
    assert_eq!(
        parse_fleet(&text).unwrap_err().render("fleet.json", &text),
        expected
    );
}

#[test]
fn what_is_not_strict_json_is_explained() {
    let cases = [
        (
            "{ // hello",
            "1:3: a comment; documents are strict JSON; take the comment out",
        ),
        (
            "{\n  \"a\": 1,\n}",
            "2:9: a comma after the last item; take the comma out",
        ),
        (
            "{\"a\": 1 \"b\": 2}",
            "1:8: a comma is missing here; put a `,` between the items",
        ),
        ("{'a': 1}", "1:2: text in single quotes; use double quotes"),
        (
            "{a: 1}",
            "1:2: a word without quotes; put it in double quotes",
        ),
        (
            "{\"a\": NaN}",
            "1:7: NaN and Infinity are not numbers in JSON; leave the member out if its value is not known",
        ),
        (
            "{\"a\": [1",
            "1:7: the list that opens here is not closed; add the missing `]`",
        ),
        (
            "{\"a\": .5}",
            "1:7: a number that starts or ends with its decimal point; write a digit on both sides, such as 0.5",
        ),
        (
            "{} {}",
            "1:4: more text after the end of the document; a file holds one document; take the rest out",
        ),
        ("", "1:1: the document is empty"),
        (
            "[]",
            "1:1: the document is a list; it is an object in `{ }`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(
            parse_fleet(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(
        parse_fleet(&deep).unwrap_err().to_string(),
        "1:65: values are nested more than 64 deep"
    );
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_place() {
    let problems = decode(b"{\n  \"name\": \"caf\xe9\"}").unwrap_err();
    assert_eq!(
        problems.to_string(),
        "2:15: byte 17 is not UTF-8 text; save the file in the UTF-8 encoding"
    );
    assert_eq!(decode("{}".as_bytes()), Ok("{}"));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(parse_fleet(&format!("\u{feff}{FLEET}")), parse_fleet(FLEET));
}

#[test]
fn a_name_that_stands_twice_is_a_problem() {
    check(
        FLEET,
        &[("\"floor\": 3,", "\"floor\": 3,\n      \"floor\": 4,")],
        &["`floor` stands twice in the same object, first on line 27; leave one of them out"],
    );
}

#[test]
fn the_kind_is_told_by_schema_or_members() {
    let kind = |text: &str| parse_any(text).map(|document| document.kind());
    assert_eq!(kind(PREDICTED), Ok(DocumentKind::PredictedFleetState));
    let provisional = crate::round_trip::provisional_text();
    assert_eq!(kind(&provisional), Ok(DocumentKind::ProvisionalFleetState));
    for (text, expected) in [
        (FLEET, DocumentKind::FleetState),
        (PERSONA, DocumentKind::Persona),
        (EVENTS, DocumentKind::Events),
        (&provisional, DocumentKind::ProvisionalFleetState),
    ] {
        let anonymous = text
            .lines()
            .filter(|line| !line.contains("\"schema\": "))
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(kind(&anonymous), Ok(expected));
    }
    assert_eq!(
        parse_any("{}").unwrap_err().to_string(),
        "1:1: it cannot be told what kind of document this is; say so with `schema`, such as \"schema\": \"fleet-state/v1\""
    );
}

#[test]
fn a_wrong_schema_is_named() {
    check(
        FLEET,
        &[("fleet-state/v1\"", "fleet-sate/v1\"")],
        &["schema is \"fleet-sate/v1\", which is not a known one; did you mean `fleet-state/v1`?"],
    );
    check(
        FLEET,
        &[("fleet-state/v1\"", "fleet-state/v2\"")],
        &[
            "schema is \"fleet-state/v2\"; only `fleet-state/v1` can be read; a newer version needs a newer Fleetcast",
        ],
    );
    let problems = parse_fleet(PERSONA).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "2:13: this is a persona document; a fleet-state document is wanted here"
    );
}

#[test]
fn only_the_part_of_a_long_line_around_the_problem_is_shown() {
    let fleet = changed(FLEET, &[("\"floor\": 3", "\"floor\": 0")]);
    let line: String = fleet.lines().map(str::trim_start).collect();
    let rendered = parse_fleet(&line).unwrap_err().render("fleet.json", &line);
    let lines: Vec<&str> = rendered.lines().collect();
    assert!(
        lines[0].ends_with(": floor is 0; a floor is at least 1"),
        "{rendered}"
    );
    assert!(
        lines.iter().all(|line| line.chars().count() < 140),
        "{rendered}"
    );
    let mark = lines[2].find('^').unwrap();
    assert_eq!(&lines[1][mark..mark + 1], "0", "{rendered}");
    // Lines that end as on Windows are shown without their end.
    let windows = fleet.replace('\n', "\r\n");
    let rendered = parse_fleet(&windows)
        .unwrap_err()
        .render("fleet.json", &windows);
    assert!(rendered.starts_with("fleet.json:27:16: "), "{rendered}");
    assert!(!rendered.contains('\r'), "{rendered}");
}

#[test]
fn a_hopeless_document_has_a_short_list() {
    let text = format!(
        "{{ \"components\": [], {} \"a\": 1 }}",
        "\"b\": {}, ".repeat(1_000)
    );
    let problems = parse_fleet(&text).unwrap_err();
    assert_eq!(problems.0.len(), 201);
    assert_eq!(problems.0[200].message, "more problems are not listed");
}
