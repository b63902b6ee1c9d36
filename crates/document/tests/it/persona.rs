use fleetcast_document::Document;
use fleetcast_model::{Persona, TimeWindow};

use crate::{PERSONA, check, read};

#[track_caller]
fn window(text: &str) -> TimeWindow {
    let Document::Persona(Persona {
        mut engagement_patterns,
        ..
    }) = read(PERSONA, &[("2026-11-27T08:00:00Z/P1D", text)])
    else {
        panic!("it is a persona")
    };
    engagement_patterns.remove(2).time_window
}

#[test]
fn values_out_of_range_are_explained() {
    check(
        PERSONA,
        &[("\"expected_volume\": 36000", "\"expected_volume\": -3")],
        &["expected_volume is -3; a volume cannot be negative"],
    );
    check(
        PERSONA,
        &[("\"memory_gb\": 12.5", "\"memroy_gb\": 12.5")],
        &["`memroy_gb` is not a field of a resource profile; did you mean `memory_gb`?"],
    );
    check(
        PERSONA,
        &[("\"memory_gb\": 12.5", "\"memory_gb\": \"8GB\"")],
        &["memory_gb is \"8GB\"; it is a number in GB; write 8"],
    );
    check(
        PERSONA,
        &[("[1, 3, 2, 1]", "[1, -3, 2, 1]")],
        &["item 2 of shape is -3; a weight cannot be negative"],
    );
    check(
        PERSONA,
        &[("[1, 3, 2, 1]", "[0, 0]")],
        &[
            "shape has only zeros, so the volume has nowhere to go; leave it out to spread the volume evenly",
        ],
    );
    check(
        PERSONA,
        &[("\"latency_target_ms\": 300", "\"latency_target_ms\": 0")],
        &["latency_target_ms is 0; a latency target is at least 1"],
    );
    check(
        PERSONA,
        &[("\"60%\"", "1.5")],
        &[
            "confidence is 1.5; a share is at most 1; write a number between 0 and 1, or percent such as \"0.5%\"",
        ],
    );
}

#[test]
fn profiles_and_patterns_belong_together() {
    check(
        PERSONA,
        &[(
            "{ \"pattern_name\": \"launch\"",
            "{ \"pattern_name\": \"lunch\"",
        )],
        &["`lunch` is not an engagement pattern of this persona; did you mean `launch`?"],
    );
    check(
        PERSONA,
        &[(
            "\"pattern_name\": \"monday-search\", \"component\"",
            "\"pattern_name\": \"browsing\", \"component\"",
        )],
        &[
            "pattern `monday-search` has no resource profile; add one to `resource_profiles` with \"pattern_name\": \"monday-search\"",
            "pattern `browsing` has two resource profiles for component `web`; a profile is a total; make one of the two",
        ],
    );
    check(
        PERSONA,
        &[
            ("\"name\": \"launch\"", "\"name\": \"browsing\""),
            (
                "\"pattern_name\": \"launch\"",
                "\"pattern_name\": \"browsing\"",
            ),
        ],
        &[
            "pattern `browsing` stands twice; names are unique; the first is pattern 1 of the list",
            "pattern `browsing` has two resource profiles for component `web`; a profile is a total; make one of the two",
        ],
    );
    check(
        PERSONA,
        &[(
            "\"cpu_cores\": 30.75, \"memory_gb\": 50",
            "\"cpu_cores\": 0, \"memory_gb\": 0",
        )],
        &[
            "the resource profile of `launch` has no resources; write what carrying the pattern takes, all units together",
        ],
    );
}

#[test]
fn windows_are_durations_or_intervals() {
    let at = |text: &str| text.parse().unwrap();
    let day = TimeWindow::Once {
        start: at("2026-11-27T08:00:00Z"),
        end: at("2026-11-28T08:00:00Z"),
    };
    assert_eq!(window("2026-11-27T08:00:00Z/P1D"), day);
    assert_eq!(window("2026-11-27T08:00:00Z/2026-11-28T08:00:00Z"), day);
    assert_eq!(window("2026-11-27T09:00:00+01:00/P1D"), day);
    // The day on which summer time begins has 23 hours.
    let short = TimeWindow::Once {
        start: at("2026-03-28T23:00:00Z"),
        end: at("2026-03-29T22:00:00Z"),
    };
    assert_eq!(
        window("2026-03-29T00:00:00+01:00[Europe/Berlin]/P1D"),
        short
    );
    assert!(matches!(window("P1W"), TimeWindow::Endless(_)));
}

#[test]
fn windows_that_make_no_sense_are_explained() {
    let duration =
        "write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day";
    let cases = [
        ("5 minutes", "this is not a duration; ".to_string() + duration),
        ("-PT5M", "this is not a duration; ".to_string() + duration),
        ("P11Y", "a window lasts at most ten years; use a shorter duration".into()),
        ("PT0S", "a window lasts at least a second; write how long it lasts, such as `PT4H`".into()),
        ("2026-11-28T08:00:00Z/2026-11-27T08:00:00Z", "it does not end after its start; write the earlier time first".into()),
        ("R5/2026-11-28T08:00:00Z/P1D", "a repeating interval; use a duration, such as `PT4H`, and a `recurrence`".into()),
        (
            "2026-11-28/P1D",
            "`2026-11-28` is not a time; write a duration such as `PT4H`, or a start and an end such as `2026-11-27T08:00:00Z/2026-11-28T08:00:00Z`".into(),
        ),
        ("9999-11-28T08:00:00Z/P9Y", "it ends after the year 9999; use a shorter duration".into()),
    ];
    for (text, expected) in cases {
        let expected = format!("time_window is \"{text}\": {expected}");
        check(PERSONA, &[("2026-11-27T08:00:00Z/P1D", text)], &[&expected]);
    }
    check(
        PERSONA,
        &[("\"PT4H\"", "\"2026-11-27T08:00:00Z/P1D\"")],
        &[
            "time_window is \"2026-11-27T08:00:00Z/P1D\": an interval occurs once, but there is a `recurrence` too; write a duration, such as `PT4H`, or leave the recurrence out",
        ],
    );
}

#[test]
fn recurrences_are_checked() {
    check(
        PERSONA,
        &[
            ("Europe/Berlin", "Europe/Berlln"),
            ("2026-01-05T09:00:00", "2026-01-05T09:00:00Z"),
            ("FREQ=WEEKLY;BYDAY=MO", "every monday"),
        ],
        &[
            "start is \"2026-01-05T09:00:00Z\", which is not a local time; write it like `2026-01-05T09:00:00`; it is read in `time_zone`",
            "`every monday` is not a recurrence rule; write the value of an RFC 5545 RRULE, such as `FREQ=WEEKLY;BYDAY=MO,TU`",
            "`Europe/Berlln` is not a time zone; did you mean `Europe/Berlin`?",
        ],
    );
    check(
        PERSONA,
        &[(
            "FREQ=WEEKLY;BYDAY=MO",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        )],
        &[
            "`FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30` never occurs; check its days, months and UNTIL against one another",
        ],
    );
    read(
        PERSONA,
        &[(
            "FREQ=WEEKLY;BYDAY=MO",
            "RRULE:FREQ=DAILY;UNTIL=20271231T235959Z",
        )],
    );
    // A start in the hour that summer time skips, and windows longer than the time between them, are fine.
    read(
        PERSONA,
        &[
            ("2026-01-05T09:00:00", "2026-03-29T02:30:00"),
            ("\"PT4H\"", "\"P10D\""),
        ],
    );
}
