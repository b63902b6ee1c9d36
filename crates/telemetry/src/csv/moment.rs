//! Timestamps as they are written in files.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// A timestamp as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    /// A moment, in milliseconds since 1970-01-01 UTC.
    Instant { ms: i64 },
    /// What clocks on the wall show; `ms` is the part below a second.
    Local { civil: DateTime, ms: i64 },
}

const NO_TIMESTAMP: &str =
    "is not a timestamp: write `2026-03-29T12:00:00Z`, `2026-03-29 12:00` or Unix seconds";
const NO_SUCH_DATE: &str =
    "is not a date and time that there is: check month, day, hour and minute";
const NO_OFFSET: &str =
    "does not end in an offset such as `Z` or `+02:00`: correct it, or leave it out";
const OUT_OF_RANGE: &str = "is too far from today: check its digits";
const DAY_AS_NUMBER: &str = "looks like a date without hyphens: write it as `2026-03-29`";
const TOO_FINE: &str =
    "looks like microseconds or nanoseconds: divide it, Unix seconds or milliseconds can be read";

/// Unix times from here on are milliseconds: as seconds they would be after the year 5000.
const MILLISECONDS_FROM: f64 = 1e11;
/// Unix times from here on are finer still: as milliseconds they would be after the year 5000.
const MICROSECONDS_FROM: f64 = 1e14;

impl Moment {
    /// Reads RFC 3339 with or without an offset, a date alone, Unix seconds or milliseconds. An error
    /// says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let bytes = text.as_bytes();
        if bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' {
            return parse_civil(bytes);
        }
        if bytes
            .first()
            .is_some_and(|first| first.is_ascii_digit() || *first == b'-')
        {
            return parse_unix(text);
        }
        Err(NO_TIMESTAMP)
    }
}

fn parse_unix(text: &str) -> Result<Moment, &'static str> {
    if text
        .bytes()
        .any(|byte| !byte.is_ascii_digit() && byte != b'.' && byte != b'-')
    {
        return Err(NO_TIMESTAMP);
    }
    if text.len() == 8
        && (text.starts_with("19") || text.starts_with("20"))
        && is_compact_date(text.as_bytes())
    {
        return Err(DAY_AS_NUMBER);
    }
    let number: f64 = text.parse().map_err(|_| NO_TIMESTAMP)?;
    if number.abs() >= MICROSECONDS_FROM {
        return Err(TOO_FINE);
    }
    let ms = if number.abs() >= MILLISECONDS_FROM {
        number
    } else {
        number * 1000.0
    };
    Ok(Moment::Instant {
        ms: ms.floor() as i64,
    })
}

fn is_compact_date(bytes: &[u8]) -> bool {
    let date = (
        digits(&bytes[..4]),
        digits(&bytes[4..6]),
        digits(&bytes[6..8]),
    );
    matches!(date, (Some(year), Some(month), Some(day)) if date_of(year, month, day).is_ok())
}

/// `2026-03-29`, then `T12:00`, then `:00`, then `.000`, then an offset.
fn parse_civil(bytes: &[u8]) -> Result<Moment, &'static str> {
    let number =
        |range: std::ops::Range<usize>| bytes.get(range).and_then(digits).ok_or(NO_TIMESTAMP);
    let date = date_of(number(0..4)?, number(5..7)?, number(8..10)?)?;
    if bytes.len() == 10 {
        return Ok(Moment::Local {
            civil: date.at(0, 0, 0, 0),
            ms: 0,
        });
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') || bytes.get(13) != Some(&b':') {
        return Err(NO_TIMESTAMP);
    }
    let (hour, minute) = (number(11..13)?, number(14..16)?);
    let mut rest = &bytes[16..];
    let mut second = 0;
    if let [b':', tail @ ..] = rest {
        second = tail.get(..2).and_then(digits).ok_or(NO_TIMESTAMP)?;
        rest = &tail[2..];
    }
    let mut ms = 0;
    if let [b'.' | b',', tail @ ..] = rest {
        let places = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if places == 0 {
            return Err(NO_TIMESTAMP);
        }
        ms = (0..3).fold(0, |ms, place| {
            ms * 10
                + tail[..places]
                    .get(place)
                    .map_or(0, |digit| i64::from(digit - b'0'))
        });
        rest = &tail[places..];
    }
    if hour > 23 || minute > 59 || second > 60 {
        return Err(NO_SUCH_DATE);
    }
    // RFC 3339 allows leap seconds; here they are read as the second before.
    let civil = date.at(hour as i8, minute as i8, second.min(59) as i8, 0);
    let offset = match rest.trim_ascii_start() {
        [] => return Ok(Moment::Local { civil, ms }),
        offset => parse_offset(offset)?,
    };
    let instant = offset.to_timestamp(civil).map_err(|_| OUT_OF_RANGE)?;
    Ok(Moment::Instant {
        ms: instant.as_second() * 1000 + ms,
    })
}

fn parse_offset(bytes: &[u8]) -> Result<Offset, &'static str> {
    let (sign, rest) = match bytes {
        [b'Z' | b'z'] | b"UTC" | b"GMT" => return Ok(Offset::UTC),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(NO_OFFSET),
    };
    let (hours, minutes) = match rest {
        [_, _] => (rest, &b"00"[..]),
        [_, _, b':', _, _] => (&rest[..2], &rest[3..]),
        [_, _, _, _] => (&rest[..2], &rest[2..]),
        _ => return Err(NO_OFFSET),
    };
    match (digits(hours), digits(minutes)) {
        (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => {
            Offset::from_seconds(sign * i32::from(hours * 60 + minutes) * 60).map_err(|_| NO_OFFSET)
        }
        _ => Err(NO_OFFSET),
    }
}

fn date_of(year: i16, month: i16, day: i16) -> Result<Date, &'static str> {
    Date::new(year, month as i8, day as i8).map_err(|_| NO_SUCH_DATE)
}

/// Up to four digits as a number.
fn digits(bytes: &[u8]) -> Option<i16> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i16::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match Moment::parse(text) {
            Ok(Moment::Instant { ms }) => {
                jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
            }
            Ok(Moment::Local { civil, ms }) => format!("{civil} + {ms} ms"),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(shown, expected, "of {text}");
    }

    #[test]
    fn reads_moments_with_an_offset() {
        check("2026-03-29T12:00:00Z", "2026-03-29T12:00:00Z");
        check("2026-03-29t12:00:00.25z", "2026-03-29T12:00:00.25Z");
        check("2026-03-29 12:00:00+02:00", "2026-03-29T10:00:00Z");
        check("2026-03-29T12:00-0530", "2026-03-29T17:30:00Z");
        check(
            "2026-03-29 12:00:00.123456789+00",
            "2026-03-29T12:00:00.123Z",
        );
        check("2026-03-29 12:00:00 UTC", "2026-03-29T12:00:00Z");
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z");
        check("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z");
    }

    #[test]
    fn reads_what_clocks_show() {
        check("2026-03-29", "2026-03-29T00:00:00 + 0 ms");
        check("2026-03-29 12:05", "2026-03-29T12:05:00 + 0 ms");
        check("2026-03-29T12:05:06,7", "2026-03-29T12:05:06 + 700 ms");
    }

    #[test]
    fn reads_unix_time() {
        check("1774785600", "2026-03-29T12:00:00Z");
        check("1774785600123", "2026-03-29T12:00:00.123Z");
        check("1774785600.5", "2026-03-29T12:00:00.5Z");
        check("1774785600.123", "2026-03-29T12:00:00.123Z");
        check("0", "1970-01-01T00:00:00Z");
        check("-1.5", "1969-12-31T23:59:58.5Z");
    }

    #[test]
    fn says_what_is_wrong() {
        check("", NO_TIMESTAMP);
        check("yesterday", NO_TIMESTAMP);
        check("03/29/2026 12:00", NO_TIMESTAMP);
        check("29.03.2026", NO_TIMESTAMP);
        check("2026-03-29T12", NO_TIMESTAMP);
        check("2026-03-29T12:5", NO_TIMESTAMP);
        check("2026-03-29T12:00:00.Z", NO_TIMESTAMP);
        check("2026-02-29", NO_SUCH_DATE);
        check("2026-13-01T00:00:00Z", NO_SUCH_DATE);
        check("2026-03-29T24:00:00Z", NO_SUCH_DATE);
        check("2026-03-29T12:00:00 Berlin", NO_OFFSET);
        check("2026-03-29T12:00:00+2", NO_OFFSET);
        check("2026-03-29T12:00:00+25:00", NO_OFFSET);
        check("9999-12-31T23:59:59Z", OUT_OF_RANGE);
        check("20260329", DAY_AS_NUMBER);
        check("1774785600123456", TOO_FINE);
    }
}
