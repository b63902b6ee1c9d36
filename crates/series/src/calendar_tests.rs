use fleetcast_model::{PatternName, PersonaName, Share, WindowLength};
use jiff::{Span, Zoned, civil::DateTime};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn pattern(volume: f64, shape: &[f64], time_window: TimeWindow) -> EngagementPattern {
    EngagementPattern {
        name: PatternName::new("p").expect("a name"),
        time_window,
        interaction_type: InteractionType::Search,
        expected_volume: volume,
        latency_target_ms: 200,
        shape: shape.to_vec(),
        confidence: Share::new(1.0).expect("a share"),
    }
}

fn calendar(patterns: Vec<EngagementPattern>) -> Result<PersonaCalendar, CalendarError> {
    let name = PersonaName::new("persona").expect("a name");
    PersonaCalendar::new(&Persona {
        name,
        engagement_patterns: patterns,
        resource_profiles: Vec::new(),
    })
}

fn recurring(length: &str, start: &str, time_zone: &str, rule: &str) -> TimeWindow {
    TimeWindow::Recurring {
        length: WindowLength(length.parse::<Span>().expect("a duration")),
        start: start.parse::<DateTime>().expect("a civil time"),
        time_zone: time_zone.to_string(),
        rule: rule.to_string(),
    }
}

fn endless(length: &str) -> TimeWindow {
    TimeWindow::Endless(WindowLength(length.parse().expect("a duration")))
}

fn at(zoned: &str) -> Timestamp {
    zoned
        .parse::<Zoned>()
        .map(|zoned| zoned.timestamp())
        .or_else(|_| zoned.parse())
        .expect("a moment")
}

/// Compares the occurrences in a span with what is expected, as `start/end` in UTC.
#[track_caller]
fn check(time_window: TimeWindow, from: &str, to: &str, expected: &[&str]) {
    let mut calendar = calendar(vec![pattern(60.0, &[], time_window)]).expect("a calendar");
    let found: Vec<String> = calendar
        .occurrences(0, at(from), at(to))
        .iter()
        .map(|one| format!("{}/{}", one.start, one.end))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn nine_stays_nine_over_the_spring_change_in_berlin() {
    check(
        recurring("PT8H", "2026-03-02T09:00", "Europe/Berlin", "FREQ=DAILY"),
        "2026-03-28T00:00Z",
        "2026-03-31T00:00Z",
        &[
            "2026-03-28T08:00:00Z/2026-03-28T16:00:00Z",
            "2026-03-29T07:00:00Z/2026-03-29T15:00:00Z",
            "2026-03-30T07:00:00Z/2026-03-30T15:00:00Z",
        ],
    );
}

#[test]
fn nine_stays_nine_over_the_autumn_change_in_new_york() {
    check(
        recurring(
            "PT1H",
            "2026-01-01T09:00",
            "America/New_York",
            "RRULE:FREQ=WEEKLY;BYDAY=SA,SU",
        ),
        "2026-10-31T00:00Z",
        "2026-11-02T00:00Z",
        &[
            "2026-10-31T13:00:00Z/2026-10-31T14:00:00Z",
            "2026-11-01T14:00:00Z/2026-11-01T15:00:00Z",
        ],
    );
}

#[test]
fn a_start_that_the_clocks_skip_is_as_late_as_the_gap() {
    for (zone, day, expected) in [
        (
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-29T01:30:00Z/2026-03-29T02:30:00Z",
        ),
        (
            "America/New_York",
            "2026-03-08",
            "2026-03-08T07:30:00Z/2026-03-08T08:30:00Z",
        ),
    ] {
        let window = recurring("PT1H", "2026-01-01T02:30", zone, "FREQ=DAILY");
        check(
            window,
            &format!("{day}T00:00Z"),
            &format!("{day}T20:00Z"),
            &[expected],
        );
    }
}

#[test]
fn a_start_that_happens_twice_is_the_first() {
    for (zone, day, expected) in [
        (
            "Europe/Berlin",
            "2026-10-25",
            "2026-10-25T00:30:00Z/2026-10-25T01:30:00Z",
        ),
        (
            "America/New_York",
            "2026-11-01",
            "2026-11-01T05:30:00Z/2026-11-01T06:30:00Z",
        ),
    ] {
        let hour = if zone == "Europe/Berlin" { "02" } else { "01" };
        let window = recurring("PT1H", &format!("2026-01-01T{hour}:30"), zone, "FREQ=DAILY");
        check(
            window,
            &format!("{day}T00:00Z"),
            &format!("{day}T20:00Z"),
            &[expected],
        );
    }
}

#[test]
fn days_are_added_in_civil_time_and_hours_in_exact_time() {
    let night = |length| recurring(length, "2026-03-01T12:00", "Europe/Berlin", "FREQ=DAILY");
    let (from, to) = ("2026-03-28T12:00Z", "2026-03-29T09:30Z");
    check(
        night("P1D"),
        from,
        to,
        &["2026-03-28T11:00:00Z/2026-03-29T10:00:00Z"],
    ); // 23 hours.
    check(
        night("PT24H"),
        from,
        to,
        &["2026-03-28T11:00:00Z/2026-03-29T11:00:00Z"],
    );
}

#[test]
fn a_step_that_starts_on_the_change_has_the_rate_of_the_shorter_day() {
    let day = recurring("P1D", "2026-01-01T00:00", "Europe/Berlin", "FREQ=DAILY");
    let mut calendar = calendar(vec![pattern(23.0 * 60.0, &[], day)]).expect("a calendar");
    let change = at("2026-03-29T01:00Z"); // 02:00 becomes 03:00.
    let minute = SignedDuration::from_mins(1);
    assert_eq!(calendar.expected_rate(0, change, change + minute), 1.0);
    assert_eq!(
        calendar.expected_rate(0, change - minute, change + minute),
        1.0
    );
    // Across midnight, from the day of 23 hours to one of 24.
    let midnight = at("2026-03-29T22:00Z");
    assert_eq!(
        calendar.expected_rate(0, midnight, midnight + minute),
        23.0 / 24.0
    );
    let both = calendar.expected_rate(0, midnight - minute, midnight + minute);
    assert!((both - (1.0 + 23.0 / 24.0) / 2.0).abs() < 1e-12, "{both}");
}

#[test]
fn hourly_starts_that_fall_together_in_spring_count_once() {
    check(
        recurring("PT1H", "2026-03-01T00:00", "Europe/Berlin", "FREQ=HOURLY"),
        "2026-03-29T00:00Z",
        "2026-03-29T03:00Z",
        &[
            "2026-03-29T00:00:00Z/2026-03-29T01:00:00Z",
            "2026-03-29T01:00:00Z/2026-03-29T02:00:00Z",
            "2026-03-29T02:00:00Z/2026-03-29T03:00:00Z",
        ],
    );
}

#[test]
fn a_leap_day_recurs_every_four_years_but_not_in_2100() {
    let window = recurring("P1D", "2024-02-29T00:00", "Europe/Berlin", "FREQ=YEARLY");
    check(
        window.clone(),
        "2025-01-01T00:00Z",
        "2030-01-01T00:00Z",
        &["2028-02-28T23:00:00Z/2028-02-29T23:00:00Z"],
    );
    check(
        window,
        "2097-01-01T00:00Z",
        "2105-01-01T00:00Z",
        &["2104-02-28T23:00:00Z/2104-02-29T23:00:00Z"],
    );
}

#[test]
fn months_end_on_their_last_day() {
    check(
        recurring(
            "PT2H",
            "2026-01-31T18:00",
            "UTC",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
        ),
        "2026-02-01T00:00Z",
        "2026-05-01T00:00Z",
        &[
            "2026-02-28T18:00:00Z/2026-02-28T20:00:00Z",
            "2026-03-31T18:00:00Z/2026-03-31T20:00:00Z",
            "2026-04-30T18:00:00Z/2026-04-30T20:00:00Z",
        ],
    );
}

#[test]
fn rules_with_hours_counts_intervals_and_ends_are_followed() {
    let window = |rule| recurring("PT1H", "2026-06-01T08:00", "UTC", rule);
    let (from, to) = ("2026-06-01T00:00Z", "2026-07-01T00:00Z");
    let two = [
        "2026-06-01T08:00:00Z/2026-06-01T09:00:00Z",
        "2026-06-01T20:00:00Z/2026-06-01T21:00:00Z",
    ];
    check(window("FREQ=DAILY;BYHOUR=8,20;COUNT=2"), from, to, &two);
    check(
        window("freq=daily;byhour=8,20;until=20260601"),
        from,
        to,
        &two,
    );
    check(
        window("FREQ=DAILY;BYHOUR=8,20;UNTIL=20260601T200000Z"),
        from,
        to,
        &two,
    );
    check(
        window("FREQ=DAILY;BYHOUR=8,20;UNTIL=20260601T195959Z"),
        from,
        to,
        &two[..1],
    );
    let third_weeks = [
        "2026-06-01T08:00:00Z/2026-06-01T09:00:00Z",
        "2026-06-22T08:00:00Z/2026-06-22T09:00:00Z",
    ];
    check(window("FREQ=WEEKLY;INTERVAL=3"), from, to, &third_weeks);
}

#[test]
fn until_is_a_moment_in_utc_and_a_civil_time_without_a_z() {
    let window = |rule| recurring("PT1H", "2026-06-01T01:00", "Europe/Berlin", rule);
    let (from, to) = ("2026-05-30T00:00Z", "2026-06-05T00:00Z");
    let first = "2026-05-31T23:00:00Z/2026-06-01T00:00:00Z";
    let second = "2026-06-01T23:00:00Z/2026-06-02T00:00:00Z";
    check(
        window("FREQ=DAILY;UNTIL=20260601T225959Z"),
        from,
        to,
        &[first],
    );
    check(
        window("FREQ=DAILY;UNTIL=20260601T230000Z"),
        from,
        to,
        &[first, second],
    );
    check(
        window("FREQ=DAILY;UNTIL=20260602T010000"),
        from,
        to,
        &[first, second],
    );
}

#[test]
fn years_of_weekly_recurrence_keep_their_phase() {
    let window = recurring(
        "PT1H",
        "1999-12-27T10:00",
        "Europe/Berlin",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
    );
    let mut early = calendar(vec![pattern(1.0, &[], window)]).expect("a calendar");
    let all = early.occurrences(0, at("1999-12-27T00:00Z"), at("2031-01-01T00:00Z"));
    assert_eq!(all.len(), 810);
    // An expansion that starts late finds the same.
    let mut late = early.clone();
    late.expected_rate(0, at("1999-01-01T00:00Z"), at("1999-01-01T00:01Z"));
    let found = late.occurrences(0, at("2030-01-01T00:00Z"), at("2031-01-01T00:00Z"));
    assert_eq!(found, all[all.len() - found.len()..]);
    assert_eq!(found.len(), 26);
}

#[test]
fn endless_windows_follow_one_another_from_the_first_monday() {
    check(
        endless("P1W"),
        "2026-03-02T12:00Z",
        "2026-03-09T00:00:01Z",
        &[
            "2026-03-02T00:00:00Z/2026-03-09T00:00:00Z",
            "2026-03-09T00:00:00Z/2026-03-16T00:00:00Z",
        ],
    );
    // A shape is read in each window, also before the anchor and over several windows.
    let mut calendar =
        calendar(vec![pattern(60.0, &[1.0, 3.0], endless("PT2H"))]).expect("a calendar");
    for day in ["1969-12-31", "2026-03-02"] {
        let hour = |hour: &str| at(&format!("{day}T{hour}:00Z"));
        assert_eq!(
            calendar.expected_rate(0, hour("04"), hour("05")),
            0.25,
            "{day}"
        );
        assert_eq!(
            calendar.expected_rate(0, hour("05"), hour("06")),
            0.75,
            "{day}"
        );
        assert_eq!(
            calendar.expected_rate(0, hour("05"), hour("08")),
            (45.0 + 60.0) / 180.0,
            "{day}"
        );
    }
    let sunday = at("2026-03-01T23:00Z");
    assert_eq!(calendar.next_change(sunday), Some(at("2026-03-02T00:00Z")));
}

#[test]
fn overlapping_occurrences_add_and_types_are_told_apart() {
    let daily = recurring("PT36H", "2026-03-01T00:00", "UTC", "FREQ=DAILY");
    let mut view = pattern(144.0, &[], endless("P1D"));
    view.interaction_type = InteractionType::ContentView;
    let mut calendar = calendar(vec![pattern(36.0 * 60.0, &[], daily), view]).expect("a calendar");
    let (from, noon, to) = (
        at("2026-03-05T00:00Z"),
        at("2026-03-05T12:00Z"),
        at("2026-03-06T00:00Z"),
    );
    assert_eq!(calendar.expected_rate(0, from, noon), 2.0);
    assert_eq!(calendar.expected_rate(0, noon, to), 1.0);
    let by_type = calendar.expected_rate_by_type(from, to);
    assert_eq!(by_type[&InteractionType::Search], 1.5);
    assert_eq!(by_type[&InteractionType::ContentView], 0.1);
    assert_eq!(calendar.expected_rate(0, to, from), 0.0);
}

#[test]
fn changes_are_starts_ends_and_boundaries_of_parts() {
    let window = recurring("PT2H", "2026-03-02T09:00", "UTC", "FREQ=DAILY;COUNT=2");
    let mut calendar = calendar(vec![pattern(1.0, &[1.0, 2.0], window)]).expect("a calendar");
    let mut moment = at("2026-03-01T00:00Z");
    let mut seen = Vec::new();
    while let Some(next) = calendar.next_change(moment) {
        seen.push(next.strftime("%dT%H").to_string());
        moment = next;
    }
    assert_eq!(seen, ["02T09", "02T10", "02T11", "03T09", "03T10", "03T11"]);
}

#[test]
fn what_cannot_be_followed_is_refused_with_the_reason() {
    use std::error::Error;
    let reason = |window: TimeWindow| {
        let error = calendar(vec![pattern(1.0, &[], window)]).expect_err("refused");
        error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string)
    };
    let rule = |rule: &str| reason(recurring("PT1H", "2026-03-02T09:00", "UTC", rule));
    assert_eq!(
        rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        "`FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30` never occurs"
    );
    assert_eq!(
        rule("FREQ=DAILY;UNTIL=20260301"),
        "`FREQ=DAILY;UNTIL=20260301` never occurs"
    );
    for (text, part) in [
        ("BYDAY=MO", "`FREQ` is missing"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "exclude one another"),
        ("FREQ=DAILY;INTERVAL=0", "`INTERVAL` is not a whole number"),
        ("FREQ=SECONDLY", "more often than anything"),
        ("FREQ=DAILY;BYEASTER=1", "`BYEASTER` is not a part"),
        ("FREQ=DAILY;FREQ=DAILY", "`FREQ` is there twice"),
        ("FREQ=DAILY\nEXDATE:20260303T090000Z", "is not"),
        ("FREQ=DAILY;BYHOUR=25", "BYHOUR"),
        ("nonsense", "is not `NAME=value`"),
        ("", "`FREQ` is missing"),
    ] {
        assert!(rule(text).contains(part), "{text}: {}", rule(text));
    }
    assert!(
        reason(recurring(
            "PT1H",
            "2026-03-02T09:00",
            "Mars/Base",
            "FREQ=DAILY"
        ))
        .contains("Mars/Base")
    );
    let moment = at("2026-03-02T09:00Z");
    assert!(
        reason(TimeWindow::Once {
            start: moment,
            end: moment
        })
        .contains("without length")
    );
    assert!(reason(endless("PT0S")).contains("without length"));
    let refused = |volume, shape: &[f64]| {
        calendar(vec![pattern(volume, shape, endless("P1D"))]).expect_err("refused")
    };
    assert_eq!(
        refused(f64::NAN, &[]),
        CalendarError::BadVolume {
            pattern: "p".to_string()
        }
    );
    assert_eq!(
        refused(1.0, &[-1.0]),
        CalendarError::BadShape {
            pattern: "p".to_string()
        }
    );
}

/// The promise is below a microsecond for each pattern in a release build; counting the work that
/// is done cannot be flaky where a clock would be.
#[test]
fn asking_minute_by_minute_keeps_few_occurrences() {
    let window = recurring("PT1H", "1990-01-01T00:00", "Europe/Berlin", "FREQ=MINUTELY");
    let mut calendar = calendar(vec![pattern(60.0, &[], window)]).expect("a calendar");
    let minute = SignedDuration::from_mins(1);
    let mut moment = at("2026-03-02T00:00Z");
    for _ in 0..40_000 {
        assert!(
            (calendar.expected_rate(0, moment, moment + minute) - 60.0).abs() < 1e-9,
            "at {moment}"
        );
        moment += minute;
        if moment == at("2026-03-29T00:00Z") {
            break; // On the night of the change the hour's occurrences fall together.
        }
    }
    let Windows::Recurring(expansion) = &calendar.patterns[0].windows else {
        panic!("a recurrence")
    };
    assert!(expansion.kept() < 20_000, "{}", expansion.kept());
}

fn rules() -> impl Strategy<Value = String> {
    let by_day = prop_oneof![Just(""), Just(";BYDAY=MO,WE,FR"), Just(";BYDAY=SU")];
    let by_hour = prop_oneof![Just(""), Just(";BYHOUR=2"), Just(";BYHOUR=1,2,3,22")];
    let frequency = prop_oneof![
        Just("DAILY"),
        Just("WEEKLY"),
        Just("MONTHLY"),
        Just("YEARLY;BYMONTH=3,10")
    ];
    let end = prop_oneof![Just(""), Just(";COUNT=40"), Just(";UNTIL=20260401T000000Z")];
    (frequency, 1_u8..4, by_day, by_hour, end).prop_map(
        |(frequency, interval, by_day, by_hour, end)| {
            format!("FREQ={frequency};INTERVAL={interval}{by_day}{by_hour}{end}")
        },
    )
}

fn lengths() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("PT30M"),
        Just("PT8H"),
        Just("P1D"),
        Just("P1DT3H"),
        Just("P1W"),
        Just("P1M"),
        Just("PT7S")
    ]
}

fn zones() -> impl Strategy<Value = &'static str> {
    let zones = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ];
    prop::sample::select(zones.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn volumes_are_conserved(
        rule in rules(),
        length in lengths(),
        zone in zones(),
        hour in 0_i8..24,
        shape in prop::collection::vec(0.1_f64..9.0, 0..30),
        step_minutes in 7_i64..3_000,
    ) {
        let window = recurring(length, &format!("2026-02-03T{hour:02}:30"), zone, &rule);
        let Ok(mut calendar) = calendar(vec![pattern(1_000.0, &shape, window)]) else {
            return Ok(()); // A rule that ends before it first occurs.
        };
        // From before the first start until after the last end that starts within the year.
        let (from, to) = (at("2026-01-15T00:00Z"), at("2027-02-03T00:00Z"));
        let whole = calendar.occurrences(0, from, to);
        let last_end = whole.iter().map(|one| one.end).max().unwrap_or(to);
        let beyond = calendar.occurrences(0, to, last_end).iter().filter(|one| one.start >= to).count();
        if beyond > 0 {
            return Ok(()); // Others start before the last ends: the span would not hold whole ones.
        }
        let end = last_end.max(to);
        let mut total = 0.0;
        let mut moment = from;
        while moment < end {
            let next = (moment + SignedDuration::from_mins(step_minutes)).min(end);
            total += calendar.expected_rate(0, moment, next) * next.duration_since(moment).as_secs_f64() / 60.0;
            moment = next;
        }
        let expected = 1_000.0 * whole.len() as f64;
        prop_assert!((total - expected).abs() <= 1e-7 * expected.max(1.0), "{} and not {}", total, expected);
    }

    #[test]
    fn the_order_of_questions_changes_no_answer(
        rule in rules(),
        length in lengths(),
        zone in zones(),
        days in prop::collection::vec(-400_i64..9_000, 1..12),
    ) {
        let window = recurring(length, "2025-05-05T02:30", zone, &rule);
        let mut asked = calendar(vec![pattern(1_000.0, &[1.0, 2.0], window)]).expect("a calendar");
        let fresh = asked.clone();
        for day in days {
            let from = at("2026-01-01T00:00Z") + SignedDuration::from_hours(24 * day);
            let to = from + SignedDuration::from_hours(40);
            let mut unasked = fresh.clone();
            prop_assert_eq!(asked.occurrences(0, from, to), unasked.occurrences(0, from, to));
            prop_assert_eq!(asked.next_change(from), unasked.next_change(from));
        }
    }
}
