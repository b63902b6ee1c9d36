//! Times as people read them, always UTC and always said so.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A moment in full: `Tue 4 Mar 2025 14:05 UTC`.
pub fn moment(t: Timestamp) -> String {
    civil(t).strftime("%a %-d %b %Y %H:%M UTC").to_string()
}

/// A stretch of time, with the day said once where one day holds it.
pub fn stretch(start: Timestamp, end: Timestamp) -> String {
    if civil(start).date() == civil(end).date() {
        let day = civil(start).strftime("%a %-d %b %Y %H:%M");
        return format!("{day}–{} UTC", clock(end));
    }
    format!("{} – {}", moment(start), moment(end))
}

/// A time of day: `14:05`.
pub fn clock(t: Timestamp) -> String {
    civil(t).strftime("%H:%M").to_string()
}

/// A date and time without a zone, for a column whose head names it.
pub fn cell(t: Timestamp) -> String {
    civil(t).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A length of time in its largest units: `7 days`, `2 h 10 min`, `30 s`.
pub fn duration(seconds: u64) -> String {
    let units = [(86_400, " days"), (3600, " h"), (60, " min"), (1, " s")];
    if seconds == 86_400 {
        return "1 day".to_owned();
    }
    let mut parts = Vec::new();
    let mut rest = seconds;
    for (length, unit) in units {
        if rest >= length && parts.len() < 2 {
            let unit = if length == 86_400 && rest / length == 1 {
                " day"
            } else {
                unit
            };
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Where a time axis is marked, with the label of each mark.
///
/// At most `most` marks between two times in seconds since 1970, on round times of UTC.
pub fn ticks(from: i64, to: i64, most: usize) -> Vec<(i64, String)> {
    let most = most.max(2) as i64;
    let steps = [
        60,
        120,
        300,
        600,
        900,
        1800,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        14 * DAY,
    ];
    let span = (to - from).max(1);
    match steps.into_iter().find(|step| span / step < most) {
        Some(step) => even_ticks(from, to, step),
        None => month_ticks(from, to, span, most),
    }
}

fn even_ticks(from: i64, to: i64, step: i64) -> Vec<(i64, String)> {
    // Weeks begin on Mondays; 1970 began on a Thursday.
    let origin = if step >= 7 * DAY { 4 * DAY } else { 0 };
    let first = origin + (from - origin).div_euclid(step) * step;
    let marks = (0..)
        .map(|index| first + index * step)
        .skip_while(|t| *t < from)
        .take_while(|t| *t <= to);
    let label = |t: i64| match t.rem_euclid(DAY) {
        0 => at(t).strftime("%-d %b").to_string(),
        _ => at(t).strftime("%H:%M").to_string(),
    };
    marks.map(|t| (t, label(t))).collect()
}

fn month_ticks(from: i64, to: i64, span: i64, most: i64) -> Vec<(i64, String)> {
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200]
        .into_iter()
        .find(|months| span / (months * 30 * DAY) < most);
    let step = step.unwrap_or(6000);
    let start = at(from);
    let first = i64::from(start.year()) * 12 + i64::from(start.month()) - 1;
    let first = first.div_euclid(step) * step;
    (0..)
        .map_while(|index| {
            let month = first + index * step;
            let year = i16::try_from(month.div_euclid(12)).ok()?;
            let date = Date::new(year, month.rem_euclid(12) as i8 + 1, 1).ok()?;
            let t = Offset::UTC
                .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
                .ok()?
                .as_second();
            let label = if step >= 12 {
                date.strftime("%Y")
            } else {
                date.strftime("%b %Y")
            };
            (t <= to).then(|| (t, label.to_string()))
        })
        .skip_while(|(t, _)| *t < from)
        .collect()
}

fn at(seconds: i64) -> DateTime {
    civil(Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn civil(t: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn labels(from: &str, to: &str) -> Vec<String> {
        ticks(second(from), second(to), 9)
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn axes_are_marked_on_round_times() {
        assert_eq!(
            labels("2025-03-03T22:10:00Z", "2025-03-04T02:10:00Z"),
            [
                "22:30", "23:00", "23:30", "4 Mar", "00:30", "01:00", "01:30", "02:00"
            ]
        );
        assert_eq!(
            labels("2025-03-01T00:00:00Z", "2025-03-22T00:00:00Z"),
            ["3 Mar", "10 Mar", "17 Mar"]
        );
        assert_eq!(
            labels("2025-01-15T00:00:00Z", "2025-07-02T00:00:00Z"),
            [
                "Feb 2025", "Mar 2025", "Apr 2025", "May 2025", "Jun 2025", "Jul 2025"
            ]
        );
        assert!(
            ticks(
                second("1998-01-01T00:00:00Z"),
                second("2026-01-01T00:00:00Z"),
                8
            )
            .len()
                <= 8
        );
    }

    #[test]
    fn lengths_of_time_are_words() {
        assert_eq!(
            [30, 300, 7800, 86_400, 604_800, 0, 90_000].map(duration),
            [
                "30 s",
                "5 min",
                "2 h 10 min",
                "1 day",
                "7 days",
                "0 s",
                "1 day 1 h"
            ]
        );
    }

    #[test]
    fn a_stretch_names_its_day_once() {
        let [start, end] =
            ["2025-03-04T14:05:00Z", "2025-03-04T14:20:00Z"].map(|text| text.parse().unwrap());
        assert_eq!(stretch(start, end), "Tue 4 Mar 2025 14:05–14:20 UTC");
    }
}
