//! From what clocks on the wall show to moments.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

const SKIPPED_HOUR: &str = "was never shown by clocks, which went forward over it: check the time zone, or write timestamps with an offset";
const OUT_OF_RANGE: &str = "is too far from today: check its digits";

/// Reads the local timestamps of one series, in the order of its rows.
///
/// When clocks go back, they show an hour twice. The rows of that hour are taken in order of
/// appearance: the first pass until a row no longer comes after the one before it, then the second
/// pass. A file that runs backwards is noticed by the row before the hour. Rows in no order cannot be
/// told apart; they need offsets.
#[derive(Debug, Default)]
pub(super) struct LocalClock {
    /// The second of the last row outside of such an hour.
    previous: Option<i64>,
    repeated: Option<RepeatedHour>,
}

#[derive(Debug)]
struct RepeatedHour {
    backwards: bool,
    second_pass: bool,
    last: DateTime,
}

impl LocalClock {
    /// The moment in seconds since 1970-01-01 UTC.
    pub fn read(&mut self, civil: DateTime, zone: &TimeZone) -> Result<i64, &'static str> {
        let (before, after) = match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                let second = offset
                    .to_timestamp(civil)
                    .map_err(|_| OUT_OF_RANGE)?
                    .as_second();
                *self = Self {
                    previous: Some(second),
                    repeated: None,
                };
                return Ok(second);
            }
            AmbiguousOffset::Gap { .. } => return Err(SKIPPED_HOUR),
            AmbiguousOffset::Fold { before, after } => (before, after),
        };
        let earlier = before
            .to_timestamp(civil)
            .map_err(|_| OUT_OF_RANGE)?
            .as_second();
        let later = after
            .to_timestamp(civil)
            .map_err(|_| OUT_OF_RANGE)?
            .as_second();
        let hour = match &mut self.repeated {
            Some(hour) => {
                hour.second_pass |= if hour.backwards {
                    civil >= hour.last
                } else {
                    civil <= hour.last
                };
                hour.last = civil;
                hour
            }
            first => first.insert(RepeatedHour {
                backwards: self.previous.is_some_and(|previous| previous > later),
                second_pass: false,
                last: civil,
            }),
        };
        Ok(if hour.second_pass == hour.backwards {
            earlier
        } else {
            later
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, rows: &[&str], expected: &[&str]) {
        let zone = TimeZone::get(zone).unwrap();
        let mut clock = LocalClock::default();
        let found = rows
            .iter()
            .map(|row| match clock.read(row.parse().unwrap(), &zone) {
                Ok(second) => jiff::Timestamp::from_second(second)
                    .unwrap()
                    .strftime("%H:%MZ")
                    .to_string(),
                Err(problem) => problem.to_string(),
            });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_repeated_hour_is_kept_twice() {
        let half_hours = [
            "2026-10-25T01:30",
            "2026-10-25T02:00",
            "2026-10-25T02:30",
            "2026-10-25T02:00",
            "2026-10-25T02:30",
            "2026-10-25T03:00",
        ];
        check(
            "Europe/Berlin",
            &half_hours,
            &["23:30Z", "00:00Z", "00:30Z", "01:00Z", "01:30Z", "02:00Z"],
        );
        let hours = [
            "2026-10-25T01:00",
            "2026-10-25T02:00",
            "2026-10-25T02:00",
            "2026-10-25T03:00",
        ];
        check(
            "Europe/Berlin",
            &hours,
            &["23:00Z", "00:00Z", "01:00Z", "02:00Z"],
        );
    }

    #[test]
    fn the_repeated_hour_is_kept_twice_backwards() {
        let rows = [
            "2026-10-25T03:00",
            "2026-10-25T02:30",
            "2026-10-25T02:00",
            "2026-10-25T02:30",
            "2026-10-25T02:00",
            "2026-10-25T01:30",
        ];
        check(
            "Europe/Berlin",
            &rows,
            &["02:00Z", "01:30Z", "01:00Z", "00:30Z", "00:00Z", "23:30Z"],
        );
    }

    #[test]
    fn the_skipped_hour_is_an_error() {
        let rows = [
            "2026-03-29T01:59",
            "2026-03-29T02:00",
            "2026-03-29T02:59",
            "2026-03-29T03:00",
        ];
        check(
            "Europe/Berlin",
            &rows,
            &["00:59Z", SKIPPED_HOUR, SKIPPED_HOUR, "01:00Z"],
        );
        check("UTC", &rows[1..2], &["02:00Z"]);
    }
}
