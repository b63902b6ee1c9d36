//! No text makes the crate panic.

use fleetcast_document::{
    canonical, parse_any, parse_events, parse_fleet, parse_overrides, parse_persona,
};
use fleetcast_document::{parse_predicted, parse_provisional};
use proptest::prelude::*;

use crate::{EVENTS, FLEET, OVERRIDES, PERSONA, PREDICTED};

fn parse_all(text: &str) {
    let mut problems = Vec::new();
    problems.extend(parse_fleet(text).err());
    problems.extend(parse_persona(text).err());
    problems.extend(parse_events(text).err());
    problems.extend(parse_overrides(text).err());
    problems.extend(parse_predicted(text).err());
    problems.extend(parse_provisional(text).err());
    problems.extend(parse_any(text).err());
    for one in problems {
        assert!(!one.is_empty(), "an error without a problem");
        assert!(
            one.0
                .iter()
                .all(|problem| problem.line > 0 && problem.column > 0),
            "{one:?}"
        );
        one.render("x.json", text);
    }
    if let Ok(value) = serde_json::from_str(text) {
        canonical(&value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|[\\[\\]{}\",:0-9a-z \\\\\\n\\u{feff}é]{0,60}") {
        parse_all(&text);
    }

    #[test]
    fn a_document_with_a_piece_replaced_is_read_or_refused(
        which in 0..5_usize,
        place in 0.0..1.0_f64,
        length in 0..12_usize,
        piece in prop_oneof![
            Just(String::new()), Just("null".into()), Just("-1".into()), Just("1e400".into()), Just("\"\"".into()),
            Just("{}".into()), Just("[]".into()), Just("9999999999999999999999".into()), Just("\"P9999999Y\"".into()),
            Just("\"FREQ=DAILY;COUNT=0\"".into()), Just("\\ud800".into()), Just("0.5".into()), "\\PC{0,4}",
        ],
    ) {
        let text = [FLEET, PERSONA, EVENTS, OVERRIDES, PREDICTED][which];
        // Values are what is replaced most: the pieces fit after a colon.
        let colons: Vec<usize> = text.match_indices(": ").map(|(i, _)| i + 2).collect();
        let start = colons[(place * colons.len() as f64) as usize];
        let rest = &text[start..];
        let end = rest.find([',', '\n']).map_or(text.len(), |i| start + i);
        let end = if length < 6 { end } else { (start + length).min(text.len()) };
        if text.is_char_boundary(end) {
            parse_all(&format!("{}{piece}{}", &text[..start], &text[end..]));
        }
    }

    #[test]
    fn any_rule_and_window_are_read_or_refused(
        rule in "(FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY|SECONDLY))(;(BYDAY|BYMONTH|BYMONTHDAY|BYYEARDAY|BYWEEKNO|BYHOUR|BYSETPOS|COUNT|INTERVAL|UNTIL|WKST)=[-0-9A-Z,]{0,5}){0,3}",
        window in "P[0-9]{0,9}[YMWD]?(T[0-9]{1,9}[HMS])?|[-0-9:TZ/]{0,30}",
    ) {
        let text = PERSONA.replace("FREQ=WEEKLY;BYDAY=MO", &rule).replace("PT4H", &window);
        let _ = parse_persona(&text);
    }
}

#[test]
fn deep_large_and_odd_texts_are_refused_in_words() {
    let deep = "[".repeat(100_000);
    let large = format!("\"{}\"", "a".repeat(17 << 20));
    for text in [
        deep.as_str(),
        &large,
        "",
        " ",
        "\u{feff}",
        "\u{feff}{",
        "{\"a\":\"\u{0}\"}",
        "nul",
        "\"\\ud800\"",
        "1e999",
    ] {
        let problems = parse_fleet(text).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
    }
}
