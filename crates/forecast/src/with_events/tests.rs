use fleetcast_model::{Event, EventKind, EventScope, Share};
use fleetcast_series::Holidays;
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::event_book::Statement;
use crate::{Dates, LocalTime, Model, SeasonSpec};

const DAY: usize = 24;
const SEASONS: SeasonSpec = SeasonSpec {
    day: DAY,
    week: 7 * DAY,
    year: 0,
};

fn dates() -> Dates {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    Dates::new(start, SignedDuration::from_hours(1), TimeZone::UTC)
}

/// A sale of six hours from a step on.
fn sale(step: usize, stated: Option<f64>) -> KnownEvent {
    of_kind(EventKind::Campaign, step, 6, stated)
}

fn of_kind(kind: EventKind, step: usize, hours: usize, stated: Option<f64>) -> KnownEvent {
    KnownEvent {
        event: Event {
            name: "sale".into(),
            kind,
            start: dates().at(step),
            end: dates().at(step + hours),
            confidence: Share::new(0.5).unwrap(),
            scope: EventScope::default(),
            uplift: stated,
        },
        statement: Statement {
            factor: stated,
            confidence: 0.5,
        },
    }
}

/// Days with a wave, quieter at the week's end.
fn usual(step: usize) -> f64 {
    let turn = (step % DAY) as f64 / DAY as f64;
    let wave = 100.0 + 60.0 * libm::sin(turn * std::f64::consts::TAU);
    wave * if step / DAY % 7 >= 5 { 0.4 } else { 1.0 }
}

/// What came: the usual, times a factor while an event is on.
fn came(steps: usize, events: &[KnownEvent], factor: f64) -> Vec<Option<f64>> {
    let on = |step: usize| {
        let at = dates().at(step);
        events
            .iter()
            .any(|known| known.event.start <= at && at < known.event.end)
    };
    (0..steps)
        .map(|step| Some(usual(step) * if on(step) { factor } else { 1.0 }))
        .collect()
}

fn fitted(
    name: &str,
    values: &[Option<f64>],
    events: Vec<KnownEvent>,
) -> FittedWithEvents<crate::FittedLocalTime<crate::FittedModel>> {
    let dates = dates();
    let history = History::new(values, SEASONS).unwrap().with_dates(&dates);
    let model: Model = name.parse().unwrap();
    let known = WithEvents {
        model: LocalTime { model },
        events,
    };
    known.fit(&history).unwrap()
}

#[test]
fn every_model_learns_what_a_sale_does_and_expects_it_of_the_next_one() {
    // Sales on days of all kinds; the next one begins in ten hours.
    let mut events: Vec<KnownEvent> = (0..4)
        .map(|sale_of| sale(DAY * (10 + 6 * sale_of) + 12, None))
        .collect();
    let steps = DAY * 35;
    let values = came(steps, &events, 2.5);
    events.push(sale(steps + 10, None));
    for name in [
        "seasonal-naive-week",
        "combination",
        "mstl",
        "ridge",
        "low-rank",
    ] {
        let known = fitted(name, &values, events.clone());
        let with = known.predict(30).steps;
        for (ahead, said) in with.iter().enumerate() {
            let on = (10..16).contains(&ahead);
            let expected = usual(steps + ahead) * if on { 2.5 } else { 1.0 };
            let miss = said / expected;
            assert!(
                (0.75..1.35).contains(&miss),
                "{name} {ahead} ahead: {said} is not {expected}"
            );
        }
        // The parts sum to the forecast, and the event has its own.
        let parts = known.explain(30);
        assert!(
            (parts[12].total() - with[12]).abs() < 1e-6 * with[12],
            "{name}"
        );
        assert!(parts[12].events > 0.4 * with[12], "{name}: {:?}", parts[12]);
        let quantiles = known.quantiles(30, &[0.05, 0.5, 0.95]);
        assert!(
            quantiles.step(12)[2] > with[12] && quantiles.step(12)[0] < with[12],
            "{name}"
        );
        assert_eq!(known.paths(30, 5, 1).horizon(), 30);
    }
}

#[test]
fn a_stated_uplift_counts_where_nothing_was_learned() {
    let steps = DAY * 21;
    let values = came(steps, &[], 1.0);
    let known = fitted(
        "seasonal-naive-week",
        &values,
        vec![sale(steps + 5, Some(3.0))],
    );
    let ahead = known.predict(12).steps;
    assert!((ahead[4] / usual(steps + 4) - 1.0).abs() < 1e-6);
    assert!((ahead[7] / usual(steps + 7) - 3.0).abs() < 1e-6);
    // Nothing stated and nothing learned: nothing is expected.
    let known = fitted("seasonal-naive-week", &values, vec![sale(steps + 5, None)]);
    assert!((known.predict(12).steps[7] / usual(steps + 7) - 1.0).abs() < 1e-6);
}

#[test]
fn an_incident_teaches_nothing() {
    let outage = of_kind(EventKind::Incident, DAY * 20 + 9, 5, None);
    let steps = DAY * 21;
    let values = came(steps, std::slice::from_ref(&outage), 0.0);
    let known = fitted("seasonal-naive-day", &values, vec![outage.clone()]);
    let plain = fitted("seasonal-naive-day", &values, Vec::new());
    assert!(plain.predict(24).steps[10] < 1.0);
    assert!(
        known.predict(24).steps[10] > 30.0,
        "{:?}",
        known.predict(24)
    );
    let (_, clean) = EventEffects::learn(&values, &dates(), &[outage]);
    assert_eq!(clean.iter().filter(|value| value.is_none()).count(), 5);
}

#[test]
fn without_events_nothing_changes() {
    let values = came(DAY * 28, &[], 1.0);
    let dates = dates();
    let history = History::new(&values, SEASONS).unwrap().with_dates(&dates);
    let model: Model = "combination".parse().unwrap();
    let plain = LocalTime { model }.fit(&history).unwrap();
    let known = fitted("combination", &values, Vec::new());
    assert_eq!(plain.predict(48), known.predict(48));
    assert_eq!(
        plain.quantiles(48, &[0.1, 0.9]),
        known.quantiles(48, &[0.1, 0.9])
    );
    assert_eq!(plain.paths(48, 9, 3), known.paths(48, 9, 3));
    assert_eq!(plain.explain(48), known.explain(48));
}

#[test]
fn an_event_that_passes_after_the_fit_is_learned_too() {
    let first = DAY * 28 + 12;
    let events = vec![sale(first, None), sale(first + DAY * 7, None)];
    let all = came(DAY * 36, &events, 2.0);
    let mut known = fitted("seasonal-naive-week", &all[..DAY * 28], events);
    for value in &all[DAY * 28..DAY * 35] {
        known.update(*value);
    }
    let ahead = known.predict(24).steps;
    let ratio = ahead[14] / usual(DAY * 35 + 14);
    assert!((1.6..2.2).contains(&ratio), "{ratio}");
    assert!((ahead[3] / usual(DAY * 35 + 3) - 1.0).abs() < 0.05);
    let learned: usize = known
        .effects()
        .unwrap()
        .learned()
        .map(|(_, of)| of.len())
        .sum();
    assert_eq!(learned, 1);
}

#[test]
fn holidays_of_a_country_are_learned_by_any_model() {
    let germany = Holidays::of("DE").unwrap();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let start = date(2024, 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
    let dates = Dates::new(start, SignedDuration::from_hours(24), zone.clone());
    // A shop that is closed on Sundays nearly, and on holidays.
    let day_of = |step: usize| dates.at(step).to_zoned(TimeZone::UTC).date();
    let value = |step: usize| {
        let day = dates.civil(step).date();
        let quiet = day_of(step).weekday() == jiff::civil::Weekday::Saturday;
        if germany.on(day).is_some() {
            25.0
        } else if quiet {
            40.0
        } else {
            100.0
        }
    };
    // Until just before the first of May of the year after next.
    let steps = 850;
    let values: Vec<Option<f64>> = (0..steps).map(|step| Some(value(step))).collect();
    let events = holiday_events(&germany, date(2023, 12, 1), date(2027, 1, 1), &zone);
    assert!(events.len() > 25, "{}", events.len());
    let spec = SeasonSpec {
        day: 0,
        week: 7,
        year: 0,
    };
    let history = History::new(&values, spec).unwrap().with_dates(&dates);
    let model = LocalTime {
        model: "theta".parse::<Model>().unwrap(),
    };
    let known = WithEvents { model, events }.fit(&history).unwrap();
    let ahead = known.predict(30).steps;
    let holidays: Vec<usize> = (0..30)
        .filter(|&ahead| germany.on(dates.civil(steps + ahead).date()).is_some())
        .collect();
    assert!(!holidays.is_empty());
    for step in holidays {
        assert!(
            ahead[step] < 50.0,
            "{} on {}",
            ahead[step],
            dates.civil(steps + step)
        );
    }
}
