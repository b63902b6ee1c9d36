//! Recurrence rules (RFC 5545) read in an IANA time zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span, Timestamp, Zoned};
use rrule::{RRuleSet, RRuleSetIter};

/// What is wrong with a recurrence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The zone is not in the IANA database that is built in.
    #[error("`{0}` is not an IANA time zone")]
    UnknownZone(String),
    /// The rule is not one of RFC 5545, or is one that is not supported.
    #[error("`{rule}` is not a recurrence rule: {reason}")]
    BadRule {
        /// The rule.
        rule: String,
        /// Why not.
        reason: String,
    },
    /// The first start is outside the years 1 to 9999.
    #[error("{0} is no year that recurrences can start in")]
    BadYear(i16),
    /// The rule is well-formed but has no occurrence, such as one on 30 February.
    #[error("`{0}` never occurs")]
    NeverOccurs(String),
}

/// A recurrence rule with its first start and time zone; `PersonaCalendar` says how it is read.
///
/// The expanding library sees civil time only, as if it were UTC: it would leave out times that the
/// clocks skip and end `COUNT` rules late.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    zone: TimeZone,
    start: DateTime,
    /// The rule without `UNTIL`, which is applied here because the expansion has no zone.
    rule: String,
    until: Option<Until>,
    /// After so long in civil time the rule repeats itself, so that an expansion may start late.
    period: Option<SignedDuration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    Moment(Timestamp),
    Civil(DateTime),
}

impl Recurrence {
    /// Reads a rule, with or without the leading `RRULE:`.
    pub(crate) fn new(start: DateTime, time_zone: &str, rule: &str) -> Result<Self, RuleError> {
        let zone = TimeZoneDatabase::bundled()
            .get(time_zone)
            .map_err(|_| RuleError::UnknownZone(time_zone.to_string()))?;
        if !(1..=9999).contains(&start.year()) {
            return Err(RuleError::BadYear(start.year()));
        }
        let bad = |reason: String| RuleError::BadRule {
            rule: rule.to_string(),
            reason,
        };
        let parts = Parts::read(rule).map_err(bad)?;
        let recurrence = Self {
            zone,
            start,
            rule: parts.expanded.join(";"),
            until: parts.until,
            period: parts
                .unit
                .filter(|_| !parts.counted)
                .map(|unit| unit * i32::from(parts.interval)),
        };
        recurrence.set(start).map_err(bad)?;
        if recurrence.starts(None).next(&recurrence).is_none() {
            return Err(RuleError::NeverOccurs(rule.to_string()));
        }
        Ok(recurrence)
    }

    /// Whether an expansion can start late without walking there.
    pub(crate) fn can_skip(&self) -> bool {
        self.period.is_some()
    }

    /// The starts of all occurrences, in civil order; with `from`, possibly without those before.
    pub(crate) fn starts(&self, from: Option<Timestamp>) -> Starts {
        let first = from
            .and_then(|from| self.late_start(from))
            .unwrap_or(self.start);
        let set = self
            .set(first)
            .expect("the rule was expanded from another start before");
        Starts {
            dates: (&set).into_iter(),
            over: false,
        }
    }

    /// A start with the same phase as the first, at least a period and a zone's jump before `from`.
    fn late_start(&self, from: Timestamp) -> Option<DateTime> {
        let period = self.period?;
        let wanted = Offset::UTC
            .to_datetime(from)
            .checked_sub(Span::new().days(3))
            .ok()?;
        let periods = wanted.duration_since(self.start).as_secs() / period.as_secs() - 1;
        let late = period.checked_mul(i32::try_from(periods).ok()?)?;
        (periods > 0)
            .then(|| self.start.checked_add(late).ok())
            .flatten()
    }

    /// The rule in the expanding library's form, which is never told of a zone.
    fn set(&self, start: DateTime) -> Result<RRuleSet, String> {
        let text = format!(
            "DTSTART:{}\nRRULE:{}",
            start.strftime("%Y%m%dT%H%M%SZ"),
            self.rule
        );
        // Its own limit ends a search for an occurrence after 100,000 periods without one.
        text.parse::<RRuleSet>()
            .map(RRuleSet::limit)
            .map_err(|error| error.to_string())
    }
}

/// The starts of a recurrence's occurrences, in civil order.
#[derive(Clone, Debug)]
pub(crate) struct Starts {
    dates: RRuleSetIter,
    over: bool,
}

impl Starts {
    /// The next start. Takes the recurrence that made it, so that both can be kept side by side.
    pub(crate) fn next(&mut self, recurrence: &Recurrence) -> Option<Zoned> {
        while !self.over {
            let Some(date) = self.dates.next() else { break };
            let Ok(floating) = Timestamp::from_second(date.timestamp()) else {
                break;
            };
            let civil = Offset::UTC.to_datetime(floating);
            let Ok(start) = recurrence.zone.to_ambiguous_zoned(civil).compatible() else {
                break;
            };
            match recurrence.until {
                Some(Until::Civil(last)) if civil > last => break,
                // A later civil time can still be an earlier moment, by a zone's jump at most.
                Some(Until::Moment(last)) if start.timestamp() > last => {
                    if start.timestamp().duration_since(last) > SignedDuration::from_hours(25) {
                        break;
                    }
                }
                _ => return Some(start),
            }
        }
        self.over = true;
        None
    }
}

/// The parts of a rule.
struct Parts {
    /// All parts but `UNTIL`, in capitals.
    expanded: Vec<String>,
    until: Option<Until>,
    counted: bool,
    interval: u16,
    /// The length of the frequency's unit, where it has one in civil time.
    unit: Option<SignedDuration>,
}

impl Parts {
    fn read(rule: &str) -> Result<Self, String> {
        let capitals = rule.trim().to_ascii_uppercase();
        let text = capitals.strip_prefix("RRULE:").unwrap_or(&capitals);
        let mut parts = Self {
            expanded: Vec::new(),
            until: None,
            counted: false,
            interval: 1,
            unit: None,
        };
        let mut names: Vec<&str> = Vec::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not `NAME=value`"))?;
            if names.contains(&name) {
                return Err(format!("`{name}` is there twice"));
            }
            names.push(name);
            match name {
                "FREQ" => parts.unit = unit(value)?,
                "UNTIL" => {
                    parts.until = Some(until(value)?);
                    continue;
                }
                "COUNT" => {
                    at_least_one(name, value)?;
                    parts.counted = true;
                }
                "INTERVAL" => parts.interval = at_least_one(name, value)?,
                "BYSECOND" | "BYMINUTE" | "BYHOUR" | "BYDAY" | "BYMONTHDAY" | "BYYEARDAY"
                | "BYWEEKNO" | "BYMONTH" | "BYSETPOS" | "WKST" => {}
                _ => return Err(format!("`{name}` is not a part of one")),
            }
            if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(format!("`{name}` holds a space"));
            }
            parts.expanded.push(part.to_string());
        }
        if !names.contains(&"FREQ") {
            return Err("`FREQ` is missing".to_string());
        }
        if parts.counted && parts.until.is_some() {
            return Err("`COUNT` and `UNTIL` exclude one another".to_string());
        }
        Ok(parts)
    }
}

fn unit(frequency: &str) -> Result<Option<SignedDuration>, String> {
    match frequency {
        "YEARLY" | "MONTHLY" => Ok(None),
        "WEEKLY" => Ok(Some(SignedDuration::from_hours(7 * 24))),
        "DAILY" => Ok(Some(SignedDuration::from_hours(24))),
        "HOURLY" => Ok(Some(SignedDuration::from_hours(1))),
        "MINUTELY" => Ok(Some(SignedDuration::from_mins(1))),
        "SECONDLY" => Err("`FREQ=SECONDLY` is more often than anything is decided".to_string()),
        _ => Err(format!("`{frequency}` is not a frequency")),
    }
}

fn at_least_one(name: &str, value: &str) -> Result<u16, String> {
    match value.parse::<u16>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{name}` is not a whole number from 1 to 65535")),
    }
}

fn until(value: &str) -> Result<Until, String> {
    let bad = |_| format!("`UNTIL={value}` is neither a date nor a date with a time");
    if let Some(utc) = value.strip_suffix('Z') {
        let civil = DateTime::strptime("%Y%m%dT%H%M%S", utc).map_err(bad)?;
        return Offset::UTC
            .to_timestamp(civil)
            .map(Until::Moment)
            .map_err(bad);
    }
    if value.contains('T') {
        return DateTime::strptime("%Y%m%dT%H%M%S", value)
            .map(Until::Civil)
            .map_err(bad);
    }
    let last_second = |date: Date| Until::Civil(date.at(23, 59, 59, 999_999_999));
    Date::strptime("%Y%m%d", value)
        .map(last_second)
        .map_err(bad)
}
