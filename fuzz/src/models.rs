//! Every model by name, on any history: a forecast that is finite, not negative and in order, or a refusal that
//! names the reason.

use fleetcast_forecast::{
    Dates, Explain, Fit, FitError, History, KnownEvent, LocalTime, Model, Predict, SeasonSpec,
    Update, WithEvents,
};
use fleetcast_model::{Event, EventKind, EventScope, Share};
use fleetcast_neural::{Cell, RecurrentSpec};
use fleetcast_series::DemandOf;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::bytes::Bytes;

/// Steps of a history at most: a second or so for the slowest model, seasonal ARIMA.
const STEPS_MAX: usize = 400;
const HORIZON: usize = 30;
const LEVELS: [f64; 5] = [0.025, 0.1, 0.5, 0.9, 0.975];
const DAYS: [usize; 8] = [0, 1, 2, 7, 12, 24, 48, 96];
const STEP_SECONDS: [i64; 6] = [60, 300, 900, 3_600, 86_400, 7 * 86_400];
const ZONES: [&str; 4] = [
    "UTC",
    "Europe/Berlin",
    "America/Santiago",
    "Australia/Lord_Howe",
];
const KINDS: [EventKind; 4] = [
    EventKind::Campaign,
    EventKind::Holiday,
    EventKind::Maintenance,
    EventKind::Incident,
];

/// Model, seasons, dates and events by a byte each, then the history.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let names: Vec<&str> = Model::names().chain(["gru", "lstm"]).collect();
    let name = names[bytes.choice(names.len())];
    let day = DAYS[bytes.choice(DAYS.len())];
    let week = if bytes.choice(2) == 1 { 7 * day } else { 0 };
    let step = SignedDuration::from_secs(STEP_SECONDS[bytes.choice(STEP_SECONDS.len())]);
    let zone = TimeZone::get(ZONES[bytes.choice(ZONES.len())]).expect("a zone");
    // From the spring of 2026 on, so that clocks may change.
    let start = Timestamp::from_second(1_772_409_600 + i64::from(bytes.next()) * 86_400);
    let dates = Dates::new(start.expect("a time"), step, zone);
    let events = events(&mut bytes, &dates);
    let values = bytes.series(STEPS_MAX);
    let seasons = SeasonSpec { day, week, year: 0 };
    let history = match History::new(&values, seasons) {
        Ok(history) => history.with_dates(&dates),
        Err(refusal) => return assert!(!refusal.to_string().is_empty()),
    };
    match name {
        "gru" => check(name, network(Cell::Gru), events, &history),
        "lstm" => check(name, network(Cell::Lstm), events, &history),
        _ => check(
            name,
            name.parse::<Model>().expect("a name"),
            events,
            &history,
        ),
    }
}

/// Up to three events, before, in and after the history.
fn events(bytes: &mut Bytes<'_>, dates: &Dates) -> Vec<KnownEvent> {
    let count = bytes.choice(4);
    let whole = [(DemandOf::default(), 1.0)];
    (0..count)
        .map(|_| {
            let first = 4 * usize::from(bytes.next());
            let start = dates.at(first);
            let length = usize::from(bytes.next()) + 1;
            let stated = bytes.next();
            let event = Event {
                name: "event".into(),
                kind: KINDS[usize::from(stated) % KINDS.len()],
                start,
                end: dates.at(first + length),
                confidence: Share::per_mille(u16::from(stated) * 4),
                scope: EventScope::default(),
                uplift: (stated > 99).then(|| f64::from(stated - 100) / 10.0),
            };
            KnownEvent::of(event, &whole)
        })
        .collect()
}

/// As small as a network can be.
fn network(cell: Cell) -> RecurrentSpec {
    RecurrentSpec {
        hidden: 3,
        context: 24,
        segment: 6,
        chunk: 24,
        steps: 3,
        batch: 4,
        ..RecurrentSpec::new(cell)
    }
}

fn check<M>(name: &str, model: M, events: Vec<KnownEvent>, history: &History<'_>)
where
    M: Fit,
    M::Fitted: Update + Explain,
{
    let whole = WithEvents {
        model: LocalTime { model },
        events,
    };
    match whole.fit(history) {
        Ok(mut fitted) => {
            sane(name, &fitted);
            for value in [Some(1.0), None, Some(0.0), Some(1e6)] {
                fitted.update(value);
            }
            sane(name, &fitted);
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty(), "{name}");
            let seen = history.values().iter().flatten().count();
            assert!(
                refusal != FitError::NoObservation || seen == 0 || !whole.events.is_empty(),
                "{name} sees none of {seen} observations"
            );
        }
    }
}

fn sane(name: &str, fitted: &(impl Predict + Explain)) {
    let right = |value: &f64| value.is_finite() && *value >= 0.0;
    let point = fitted.predict(HORIZON);
    assert_eq!(point.steps.len(), HORIZON, "{name}");
    assert!(point.steps.iter().all(right), "{name}: {point:?}");
    let quantiles = fitted.quantiles(HORIZON, &LEVELS);
    for step in 0..HORIZON {
        let values = quantiles.step(step);
        assert!(
            values.is_sorted() && values.iter().all(right),
            "{name}: {values:?} at {step}"
        );
    }
    let paths = fitted.paths(HORIZON, 5, 1);
    assert!(
        paths.iter().flatten().all(right),
        "{name}: paths of nonsense"
    );
    for (parts, point) in fitted.explain(HORIZON).iter().zip(&point.steps) {
        let total = parts.total();
        let scale = point
            .abs()
            .max(parts.level.abs())
            .max(parts.trend.abs())
            .max(1.0);
        assert!(
            (total - point).abs() <= 1e-6 * scale,
            "{name}: {parts:?} do not sum to {point}"
        );
    }
}
