//! When an engagement pattern occurs: durations, intervals and recurrences.

use std::sync::OnceLock;

use fleetcast_model::{TimeWindow, WindowLength};
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

use crate::amount::DAYS_MAX;
use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::structure::short;
use crate::wire::{EngagementPattern, Recurrence, parse_span};

/// The time zones that come with the program: those of the machine are not the same everywhere.
fn zones() -> &'static TimeZoneDatabase {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    ZONES.get_or_init(TimeZoneDatabase::bundled)
}

/// Reads `time_window` and `recurrence` of the pattern at `at`. `None`: they went into `problems`.
pub(crate) fn read(
    pattern: &EngagementPattern,
    at: &str,
    problems: &mut Problems,
) -> Option<TimeWindow> {
    let window_at = format!("{at}/time_window");
    let text = pattern.time_window.trim();
    let recurrence = pattern.recurrence.as_ref();
    let found = match (split_interval(text), recurrence) {
        (None, None) => length(text).map(|length| Some(TimeWindow::Endless(length))),
        (None, Some(recurrence)) => {
            let recurrence = read_recurrence(recurrence, &format!("{at}/recurrence"), problems);
            length(text).map(|length| {
                recurrence.map(|(start, time_zone, rule)| TimeWindow::Recurring {
                    length,
                    start,
                    time_zone,
                    rule,
                })
            })
        }
        (Some((repeat, _)), _) if repeat.starts_with('R') => Err(Wrong::new(
            "a repeating interval",
            "use a duration, such as `PT4H`, and a `recurrence`",
        )),
        (Some(_), Some(_)) => Err(Wrong::new(
            "an interval occurs once, but there is a `recurrence` too",
            "write a duration, such as `PT4H`, or leave the recurrence out",
        )),
        (Some((start, end)), None) => interval(start, end).map(Some),
    };
    found.unwrap_or_else(|wrong| {
        problems
            .add(
                &window_at,
                format!("time_window is \"{}\": {}", short(text), wrong.what),
            )
            .hint(wrong.hint);
        None
    })
}

/// The two sides of an interval. A zone in brackets may hold a `/` of its own.
fn split_interval(text: &str) -> Option<(&str, &str)> {
    let zone_end = text
        .split_once('/')
        .filter(|(before, _)| before.contains('['))
        .and_then(|_| text.find(']'));
    let from = zone_end.unwrap_or(0);
    let slash = from + text[from..].find('/')?;
    Some((&text[..slash], &text[slash + 1..]))
}

/// What is wrong with a time window, and how to mend it.
struct Wrong {
    what: String,
    hint: String,
}

impl Wrong {
    fn new(what: &str, hint: &str) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

fn length(text: &str) -> Result<WindowLength, Wrong> {
    let span = parse_span(text).map_err(|hint| Wrong::new("this is not a duration", hint))?;
    let length = WindowLength(span);
    if length.nominal().is_zero() {
        return Err(Wrong::new(
            "a window lasts at least a second",
            "write how long it lasts, such as `PT4H`",
        ));
    }
    if length.nominal().as_hours() > DAYS_MAX * 24 {
        return Err(Wrong::new(
            "a window lasts at most ten years",
            "use a shorter duration",
        ));
    }
    Ok(length)
}

fn interval(start: &str, end: &str) -> Result<TimeWindow, Wrong> {
    let start = moment(start)?;
    let end = if end.starts_with('P') {
        let too_late = |_| Wrong::new("it ends after the year 9999", "use a shorter duration");
        start.checked_add(length(end)?.0).map_err(too_late)?
    } else {
        moment(end)?
    };
    let (start, end) = (start.timestamp(), end.timestamp());
    if end <= start {
        return Err(Wrong::new(
            "it does not end after its start",
            "write the earlier time first",
        ));
    }
    Ok(TimeWindow::Once { start, end })
}

/// A moment with an offset, and with a zone if it is stated as RFC 9557 does: `…[Europe/Berlin]`.
fn moment(text: &str) -> Result<Zoned, Wrong> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    if let Ok(zoned) = PARSER.parse_zoned_with(zones(), text) {
        return Ok(zoned);
    }
    let plain = text
        .parse::<Timestamp>()
        .ok()
        .filter(|_| !text.contains('['));
    plain
        .map(|moment| moment.to_zoned(TimeZone::UTC))
        .ok_or_else(|| Wrong {
            what: format!("`{}` is not a time", short(text)),
            hint: "write a duration such as `PT4H`, or a start and an end such as \
               `2026-11-27T08:00:00Z/2026-11-28T08:00:00Z`"
                .into(),
        })
}

fn read_recurrence(
    recurrence: &Recurrence,
    at: &str,
    problems: &mut Problems,
) -> Option<(DateTime, String, String)> {
    let start = local_start(&recurrence.start, &format!("{at}/start"), problems);
    let zone = zone(&recurrence.time_zone, &format!("{at}/time_zone"), problems);
    let rule_at = format!("{at}/rrule");
    let text = recurrence.rrule.trim();
    let rule = text.strip_prefix("RRULE:").unwrap_or(text);
    // Where start or zone are wrong, the rule is still checked, from any start.
    let first = start.unwrap_or(DateTime::constant(2026, 1, 1, 0, 0, 0, 0));
    let first = first.to_zoned(zone.clone().unwrap_or(TimeZone::UTC)).ok()?;
    if let Err((message, hint)) = check_rule(rule, first.timestamp()) {
        problems.add(&rule_at, message).hint(hint);
        return None;
    }
    Some((start?, zone?.iana_name()?.to_string(), rule.to_string()))
}

fn local_start(text: &str, at: &str, problems: &mut Problems) -> Option<DateTime> {
    let hint = "write it like `2026-01-05T09:00:00`; it is read in `time_zone`";
    let has_zone = text.ends_with('Z') || text.contains('[') || text.parse::<Timestamp>().is_ok();
    match text.parse::<DateTime>() {
        Ok(start) if !has_zone => Some(start),
        Ok(_) => {
            problems
                .add(
                    at,
                    format!("start is \"{}\"; a local time has no offset", short(text)),
                )
                .hint(hint);
            None
        }
        Err(_) => {
            problems
                .add(
                    at,
                    format!("start is \"{}\", which is not a local time", short(text)),
                )
                .hint(hint);
            None
        }
    }
}

fn zone(name: &str, at: &str, problems: &mut Problems) -> Option<TimeZone> {
    if let Ok(zone) = zones().get(name) {
        return Some(zone);
    }
    let known: Vec<String> = zones()
        .available()
        .map(|zone| zone.as_str().to_string())
        .collect();
    let near = did_you_mean(name, known.iter().map(String::as_str), "");
    let hint = if near.starts_with("did") {
        near
    } else {
        "write an IANA name, such as `Europe/Berlin` or `UTC`".into()
    };
    problems
        .add(at, format!("`{}` is not a time zone", short(name)))
        .hint(hint);
    None
}

/// Checks an RFC 5545 rule. It is read from the first start in UTC: `UNTIL` is in UTC for local starts
/// too (§3.3.10), and in UTC no start falls into a gap between winter and summer time.
fn check_rule(rule: &str, first: Timestamp) -> Result<(), (String, String)> {
    let shown = short(rule);
    let legal = |c: char| c.is_ascii_alphanumeric() || "=;,+-:/".contains(c);
    let hint = "write the value of an RFC 5545 RRULE, such as `FREQ=WEEKLY;BYDAY=MO,TU`";
    if !rule.chars().all(legal) || !rule.to_ascii_uppercase().contains("FREQ=") {
        return Err((format!("`{shown}` is not a recurrence rule"), hint.into()));
    }
    let start = first.strftime("%Y%m%dT%H%M%SZ");
    let wrong = |error: rrule::RRuleError| {
        let why = error.to_string();
        let until = why.contains("UNTIL") || why.contains("until");
        let hint = if until {
            "write UNTIL in UTC and after the start, such as `UNTIL=20271231T235959Z`"
        } else {
            hint
        };
        (
            format!("`{shown}` is not a recurrence rule: {why}"),
            hint.to_string(),
        )
    };
    let set: rrule::RRuleSet = format!("DTSTART:{start}\nRRULE:{rule}")
        .parse()
        .map_err(wrong)?;
    if set.all(1).dates.is_empty() {
        let hint = "check its days, months and UNTIL against one another";
        return Err((format!("`{shown}` never occurs"), hint.into()));
    }
    Ok(())
}

/// Writes a window as `time_window` and `recurrence`.
pub(crate) fn write(window: &TimeWindow) -> (String, Option<Recurrence>) {
    match window {
        TimeWindow::Endless(length) => (length.0.to_string(), None),
        TimeWindow::Once { start, end } => (format!("{start}/{end}"), None),
        TimeWindow::Recurring {
            length,
            start,
            time_zone,
            rule,
        } => {
            let recurrence = Recurrence {
                start: start.to_string(),
                rrule: rule.clone(),
                time_zone: time_zone.clone(),
            };
            (length.0.to_string(), Some(recurrence))
        }
    }
}
