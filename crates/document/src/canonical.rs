//! The canonical form of a JSON value (RFC 8785) and the hash that documents are addressed by.

use std::fmt::Write as _;

use fleetcast_model::ContentHash;
use serde_json::{Number, Value};

/// Writes a value in the one form that all equal values share: RFC 8785, JSON Canonicalization Scheme.
///
/// Numbers are IEEE 754 doubles there, so an integer beyond 2⁵³ is written as the double nearest to it.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// Hashes the canonical form of a value.
pub fn content_hash(value: &Value) -> ContentHash {
    ContentHash::of(canonical(value).as_bytes())
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            // By UTF-16 code units: this is not the order of UTF-8 bytes, which serde_json keeps.
            let mut sorted: Vec<_> = members
                .iter()
                .map(|(name, value)| (utf16(name), name, value))
                .collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (i, (_, name, value)) in sorted.into_iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                write_string(out, name);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// RFC 8785 §3.2.2.2: only what must be escaped is, in the shortest way.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // Writing to a `String` cannot fail.
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// RFC 8785 §3.2.2.3: as ECMAScript's `Number::toString` does (ECMA-262 §6.1.6.1.20).
fn write_number(out: &mut String, number: &Number) {
    let value = number
        .as_f64()
        .expect("without arbitrary precision a JSON number is an integer or a float");
    if value == 0.0 {
        return out.push('0'); // Also for -0.
    }
    if value < 0.0 {
        out.push('-');
    }
    let (digits, point) = shortest(value.abs());
    let count = i32::try_from(digits.len()).expect("a float has at most 17 digits");
    let zeros = |many: i32| {
        "0".repeat(usize::try_from(many).expect("the match arms keep it from being negative"))
    };
    match point {
        _ if (count..=21).contains(&point) => {
            out.push_str(&digits);
            out.push_str(&zeros(point - count));
        }
        1..=21 => {
            let (whole, part) = digits.split_at(usize::try_from(point).expect("it is positive"));
            out.push_str(whole);
            out.push('.');
            out.push_str(part);
        }
        -5..=0 => {
            out.push_str("0.");
            out.push_str(&zeros(-point));
            out.push_str(&digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            out.push_str(first);
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
            // Writing to a `String` cannot fail.
            let _ = write!(out, "e{:+}", point - 1);
        }
    }
}

/// The fewest digits that come back as the same float, and how many of them stand before the point
/// (ECMA-262's n, which is negative if zeros follow the point first).
///
/// They are serde_json's: where two are equally near, it takes the even one as ECMAScript does. The
/// standard library's `{:e}` does not.
fn shortest(value: f64) -> (String, i32) {
    let written = serde_json::to_string(&value).expect("a float can be written");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().expect("an exponent is an integer");
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    let significant = digits.trim_start_matches('0');
    let length =
        |text: &str| i32::try_from(text.len()).expect("a float is written with few digits");
    let point = length(whole) - (length(&digits) - length(significant)) + exponent;
    (significant.trim_end_matches('0').to_string(), point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check_number(bits: u64, expected: &str) {
        let number = Number::from_f64(f64::from_bits(bits)).expect("it is finite");
        assert_eq!(canonical(&Value::Number(number)), expected, "{bits:016x}");
    }

    /// The samples of RFC 8785, Appendix B ("Number Serialization Samples").
    #[test]
    fn numbers_are_written_as_rfc_8785_appendix_b_has_them() {
        check_number(0x0000000000000000, "0");
        check_number(0x8000000000000000, "0");
        check_number(0x0000000000000001, "5e-324");
        check_number(0x8000000000000001, "-5e-324");
        check_number(0x7fefffffffffffff, "1.7976931348623157e+308");
        check_number(0xffefffffffffffff, "-1.7976931348623157e+308");
        check_number(0x4340000000000000, "9007199254740992");
        check_number(0xc340000000000000, "-9007199254740992");
        check_number(0x4430000000000000, "295147905179352830000");
        check_number(0x44b52d02c7e14af5, "9.999999999999997e+22");
        check_number(0x44b52d02c7e14af6, "1e+23");
        check_number(0x44b52d02c7e14af7, "1.0000000000000001e+23");
        check_number(0x444b1ae4d6e2ef4e, "999999999999999700000");
        check_number(0x444b1ae4d6e2ef4f, "999999999999999900000");
        check_number(0x444b1ae4d6e2ef50, "1e+21");
        check_number(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7");
        check_number(0x3eb0c6f7a0b5ed8d, "0.000001");
        check_number(0x41b3de4355555553, "333333333.3333332");
        check_number(0x41b3de4355555554, "333333333.33333325");
        check_number(0x41b3de4355555555, "333333333.3333333");
        check_number(0x41b3de4355555556, "333333333.3333334");
        check_number(0x41b3de4355555557, "333333333.33333343");
        check_number(0xbecbf647612f3696, "-0.0000033333333333333333");
        check_number(0x43143ff3c1cb0959, "1424953923781206.2");
    }

    /// The sample of RFC 8785 §3.2.2, whose result is given in §3.2.3.
    #[test]
    fn values_are_written_as_rfc_8785_section_3_has_them() {
        let value: Value = serde_json::from_str(
            r#"{
                "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        assert_eq!(
            canonical(&value),
            concat!(
                r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
                r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
            )
        );
    }

    /// The sample of RFC 8785 §3.2.3 on the order of members.
    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let written = canonical(&value);
        let order = [
            "Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew",
        ];
        let places: Vec<_> = order
            .iter()
            .map(|word| written.find(word).unwrap())
            .collect();
        assert!(places.is_sorted(), "{written}");
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_doubles() {
        assert_eq!(
            canonical(&json!(9_007_199_254_740_993_u64)),
            "9007199254740992"
        );
        assert_eq!(canonical(&json!(u64::MAX)), "18446744073709552000");
    }

    #[test]
    fn the_hash_does_not_depend_on_order_or_spelling() {
        let one: Value = serde_json::from_str(r#"{"a": 1.0, "b": "\u0041"}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{ "b":"A","a":1 }"#).unwrap();
        assert_eq!(content_hash(&one), content_hash(&other));
        // `printf '{}' | sha256sum`
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(content_hash(&json!({})).to_string(), empty);
        assert_eq!(empty.parse(), Ok(content_hash(&json!({}))));
        assert!("sha256:44".parse::<ContentHash>().is_err());
    }

    proptest! {
        #[test]
        fn canonical_numbers_come_back_as_the_same_float(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let written = canonical(&json!(value));
            prop_assert_eq!(written.parse::<f64>().unwrap(), value);
            let reread: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(canonical(&reread), written);
        }
    }
}
