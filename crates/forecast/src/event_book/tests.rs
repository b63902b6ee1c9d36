use fleetcast_model::{EventScope, Share};

use super::*;

const STEP: SignedDuration = SignedDuration::from_mins(5);

fn event(name: &str, kind: EventKind, day: i64, hour: i64, hours: i64) -> Event {
    let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day + hour);
    Event {
        name: name.to_string(),
        kind,
        start,
        end: start + SignedDuration::from_hours(hours),
        confidence: Share::new(0.5).expect("a share"),
        scope: EventScope::default(),
        uplift: None,
    }
}

fn said(factor: Option<f64>) -> Statement {
    Statement {
        factor,
        confidence: 0.5,
    }
}

/// Demand of a day with a season, multiplied by what the events really do.
fn run(book: &mut EventBook, days: std::ops::Range<i64>, events: &[(Event, Statement, f64)]) {
    for step in days.start * 288..days.end * 288 {
        let at = Timestamp::UNIX_EPOCH + STEP * step as i32;
        let turn = (step % 288) as f64 / 288.0;
        let usual = 100.0 + 60.0 * libm::sin(std::f64::consts::TAU * turn);
        let real: f64 = events
            .iter()
            .filter(|(event, ..)| event.start <= at && at < event.end)
            .map(|(.., real)| real)
            .product();
        let known = events
            .iter()
            .map(|(event, statement, _)| (event, *statement));
        book.observe(at, Some(usual * real), known);
    }
}

#[test]
fn a_stated_uplift_counts_until_occurrences_teach_another() {
    let statement = said(Some(2.0));
    let events: Vec<_> = (0..4)
        .map(|week| {
            (
                event("sale", EventKind::Campaign, 8 + 7 * week, 10, 6),
                statement,
                3.0,
            )
        })
        .collect();
    let mut book = EventBook::new(STEP);
    let middle = |event: &Event| event.start + SignedDuration::from_hours(3);
    let (first, last) = (&events[0].0, &events[3].0);
    assert!((book.factor(first, statement, middle(first)) - 2.0).abs() < 1e-9);
    run(&mut book, 0..28, &events);
    let learned = book.uplift(last, statement, last.start - STEP * 100, middle(last));
    assert!((learned.factor - 3.0).abs() < 0.3, "{learned:?}");
    let unsure = Stated::new(statement).uplift().deviation;
    assert!(learned.deviation < 1.6 * unsure, "{learned:?}");
    let unstated = book.factor(last, said(None), middle(last));
    assert!((unstated - 3.0).abs() < 0.4, "{unstated:?}");
}

#[test]
fn look_alikes_are_of_the_same_kind() {
    let sale = event("sale", EventKind::Campaign, 8, 10, 6);
    let mut book = EventBook::new(STEP);
    run(&mut book, 0..10, &[(sale, said(None), 3.0)]);
    let other = event("another sale", EventKind::Campaign, 12, 10, 6);
    let news = event("news", EventKind::News, 12, 10, 6);
    let at = other.start + SignedDuration::from_hours(3);
    let factor = |event: &Event| book.factor(event, said(None), at);
    assert!(factor(&other) > 2.0, "{}", factor(&other));
    assert_eq!(factor(&news), 1.0);
    assert_eq!(book.learned().count(), 1);
}

#[test]
fn the_course_and_the_aftermath_are_learned() {
    let mut book = EventBook::new(STEP);
    // Each event is known for four hours; it is strong in its first two, and half as strong after its end.
    let known: Vec<Event> = (0..5)
        .map(|week| event("match", EventKind::News, 8 + 7 * week, 10, 4))
        .collect();
    for step in 0..43 * 288_i64 {
        let at = Timestamp::UNIX_EPOCH + STEP * step as i32;
        let real = known.iter().map(|event| {
            let hours = at.duration_since(event.start).as_secs_f64() / 3600.0;
            match hours {
                0.0..2.0 => 4.0,
                2.0..4.0 => 1.5,
                4.0..6.0 => 1.2,
                _ => 1.0,
            }
        });
        let demand = 100.0 * real.product::<f64>();
        book.observe(
            at,
            Some(demand),
            known.iter().map(|event| (event, said(None))),
        );
    }
    let next = event("match", EventKind::News, 50, 10, 4);
    let factor = |hours: i64| {
        book.factor(
            &next,
            said(None),
            next.start + SignedDuration::from_hours(hours),
        )
    };
    assert!(
        factor(1) > 3.0 && factor(3) < 2.0,
        "{} {}",
        factor(1),
        factor(3)
    );
    assert!(
        factor(5) > 1.1 && factor(7) < 1.1,
        "{} {}",
        factor(5),
        factor(7)
    );
    assert_eq!((factor(-3), factor(9)), (1.0, 1.0));
    assert!((factor(-1) - 1.0).abs() < 0.05, "{}", factor(-1));
}

#[test]
fn an_incident_is_ignored_and_lifts_nothing() {
    let incident = event("outage", EventKind::Incident, 8, 10, 2);
    let at = incident.start + SignedDuration::from_hours(1);
    assert!(to_be_ignored([&incident], at));
    assert!(!to_be_ignored([&incident], incident.end));
    let book = EventBook::new(STEP);
    assert_eq!(book.factor(&incident, said(Some(0.1)), at), 1.0);
}

#[test]
fn unknown_demand_and_no_history_teach_nothing() {
    let sale = event("sale", EventKind::Campaign, 0, 1, 2);
    let mut book = EventBook::new(STEP);
    for step in 0..288 {
        let at = Timestamp::UNIX_EPOCH + STEP * step;
        book.observe(at, None, [(&sale, said(None))]);
    }
    assert_eq!(book.learned().count(), 0);
    let stored = serde_json::to_string(&book).unwrap();
    assert_eq!(serde_json::from_str::<EventBook>(&stored).unwrap(), book);
}
