//! Numbers as people read them: thousands apart, significant digits, a dash for the unknown.

/// What stands where no number is known.
pub const UNKNOWN: &str = "–";

/// A number with thousands separators and exactly `decimals` decimals.
pub fn grouped(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::with_capacity(text.len() + whole.len() / 3 + 1);
    if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        out.push('-');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

/// A number with about `digits` significant digits, never rounding the whole part.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if magnitude < -9 {
        return format!("{value:.0e}");
    }
    grouped(value, (digits - 1 - magnitude).max(0) as usize)
}

/// A quantity such as demand: whole above a hundred, three digits below.
pub fn quantity(value: f64) -> String {
    if value.abs() >= 100.0 {
        grouped(value, 0)
    } else {
        trimmed(significant(value, 3))
    }
}

/// US dollars: whole from a thousand on, cents below.
pub fn usd(value: f64) -> String {
    let text = usd_number(value, value);
    match text.strip_prefix('-') {
        Some(rest) => format!("-${rest}"),
        None if text == UNKNOWN => text,
        None => format!("${text}"),
    }
}

/// Dollars without the sign, as precise as the `largest` of their column needs.
pub fn usd_number(value: f64, largest: f64) -> String {
    match largest.abs() {
        _ if value != 0.0 && value.abs() < 0.005 => significant(value, 2),
        largest if largest >= 1000.0 => grouped(value, 0),
        _ => grouped(value, 2),
    }
}

/// A share as a percentage without its sign: `0.48`, `0.0034`, `12.3`.
pub fn percent_number(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        size if size >= 10.0 => grouped(percent, 1),
        size if size >= 0.095 => grouped(percent, 2),
        _ => significant(percent, 2),
    }
}

/// A share as a percentage: `0.48 %`.
pub fn percent(share: f64) -> String {
    with_unit(percent_number(share), " %")
}

/// A share that somebody chose, as short as it was chosen: `0.5 %`.
pub fn target(share: f64) -> String {
    with_unit(trimmed(percent_number(share)), " %")
}

/// A factor: `1.94`.
pub fn ratio(value: Option<f64>) -> String {
    match value {
        Some(value) if value.abs() >= 1000.0 => grouped(value, 0),
        Some(value) => grouped(value, 2),
        None => UNKNOWN.to_owned(),
    }
}

/// A number that may be unknown.
pub fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), show)
}

fn with_unit(number: String, unit: &str) -> String {
    if number == UNKNOWN {
        number
    } else {
        number + unit
    }
}

fn trimmed(number: String) -> String {
    if number.contains('.') && !number.contains('e') {
        number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_keep_significant_digits() {
        let shown = [0.000034, 0.0048, 0.005, 0.0000999, 0.12345, 0.0, 1.0, -0.0].map(percent);
        assert_eq!(
            shown,
            [
                "0.0034 %", "0.48 %", "0.50 %", "0.0100 %", "12.3 %", "0 %", "100.0 %", "0 %"
            ]
        );
        assert_eq!(target(0.005), "0.5 %");
        assert_eq!(target(0.1), "10 %");
    }

    #[test]
    fn money_is_grouped_and_signed() {
        assert_eq!(
            [1_234_567.8, 12.5, 0.0034, 0.0, -1500.0].map(usd),
            ["$1,234,568", "$12.50", "$0.0034", "$0.00", "-$1,500"]
        );
    }

    #[test]
    fn the_unknown_is_a_dash() {
        assert_eq!([f64::NAN, f64::INFINITY].map(usd), [UNKNOWN; 2]);
        assert_eq!([f64::NAN, f64::NEG_INFINITY].map(percent), [UNKNOWN; 2]);
        assert_eq!(quantity(f64::NAN), UNKNOWN);
        assert_eq!(ratio(Some(f64::NAN)), UNKNOWN);
        assert_eq!(grouped(-0.001, 0), "0");
        assert_eq!(quantity(1e300), "1.00e300");
    }
}
