//! Public holidays as events whose effect is learned.

use fleetcast_model::{Event, EventKind, EventScope, Share};
use fleetcast_series::Holidays;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::KnownEvent;
use crate::event_book::Statement;

/// The holidays from one day to another as events, from midnight to midnight by the clock on the wall. Nothing is
/// stated of what they do: each teaches the next, most of all the one of the same name.
pub fn holiday_events(
    holidays: &Holidays,
    from: Date,
    to: Date,
    zone: &TimeZone,
) -> Vec<KnownEvent> {
    let mut events: Vec<KnownEvent> = Vec::new();
    let mut last: Option<Date> = None;
    for (day, name) in holidays.between(from, to) {
        // A day with two holidays is one day off.
        if last == Some(day) {
            continue;
        }
        last = Some(day);
        let midnight = |day: Date| day.to_zoned(zone.clone()).ok();
        let next = day.checked_add(1.day()).ok();
        let (Some(start), Some(end)) = (midnight(day), next.and_then(midnight)) else {
            continue;
        };
        events.push(KnownEvent {
            event: Event {
                name: name.to_string(),
                kind: EventKind::Holiday,
                start: start.timestamp(),
                end: end.timestamp(),
                confidence: Share::per_mille(1_000),
                scope: EventScope::default(),
                uplift: None,
            },
            statement: Statement {
                factor: None,
                confidence: 1.0,
            },
        });
    }
    events
}
