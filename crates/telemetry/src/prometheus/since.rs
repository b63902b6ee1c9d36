//! How long ago, as people write it.

use jiff::SignedDuration;

/// The text does not say how long ago.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a length of time: write a number and w, d, h, m or s, such as `30d`, `12h` or `1d12h`"
)]
pub struct BadSince(String);

const UNITS: [(char, i64); 5] = [
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

/// Reads a length of time such as `30d`, `12h`, `90m` or `1d12h`: whole numbers, each unit at most once
/// and from large to small, as Prometheus writes them. A day is 24 hours.
pub fn since(text: &str) -> Result<SignedDuration, BadSince> {
    let bad = || BadSince(text.to_string());
    let mut units = UNITS.iter();
    let mut rest = text.trim();
    let mut seconds = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: i64 = rest[..end].parse().map_err(|_| bad())?;
        let letter = rest[end..].chars().next().ok_or_else(bad)?;
        let (_, size) = units.find(|(unit, _)| *unit == letter).ok_or_else(bad)?;
        seconds = number
            .checked_mul(*size)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(bad)?;
        rest = &rest[end + letter.len_utf8()..];
    }
    if seconds == 0 {
        Err(bad())
    } else {
        Ok(SignedDuration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_s: Option<i64>) {
        assert_eq!(
            since(text).ok().map(|length| length.as_secs()),
            expected_s,
            "of {text}"
        );
    }

    #[test]
    fn reads_numbers_with_units() {
        check("30d", Some(30 * 86_400));
        check("12h", Some(12 * 3_600));
        check("90m", Some(90 * 60));
        check(" 1w2d3h4m5s ", Some(((9 * 24 + 3) * 60 + 4) * 60 + 5));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "0d",
            "d",
            "30",
            "30 d",
            "-1d",
            "1.5h",
            "1h1d",
            "1h1h",
            "1y",
            "3µ",
            "9999999999999999999d",
            "999999999999999999w",
        ] {
            check(text, None);
        }
        let expected = "`30` is not a length of time: write a number and w, d, h, m or s, such as `30d`, `12h` or `1d12h`";
        assert_eq!(since("30").unwrap_err().to_string(), expected);
    }
}
