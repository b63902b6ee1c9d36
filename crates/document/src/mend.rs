//! Makes of a faulty value what was probably meant. The result is never used, only checked further,
//! so that a document's problems are listed together and not one after another.

use serde_json::{Map, Value};

/// One change to a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mend {
    /// Gives a member of the object at a pointer its right name.
    Rename {
        object: String,
        from: String,
        to: String,
    },
    /// Takes a member out of the object at a pointer.
    Remove { object: String, name: String },
    /// Puts another value where one stands.
    Replace { pointer: String, value: Value },
}

/// Makes the changes that can be made.
pub(crate) fn mend(value: &mut Value, mends: Vec<Mend>) {
    let object =
        |value: &mut Value, pointer: &str, act: &mut dyn FnMut(&mut Map<String, Value>)| {
            if let Some(Value::Object(members)) = value.pointer_mut(pointer) {
                act(members);
            }
        };
    // Names last: the pointers of the other mends use those that stand in the document.
    let (names, values): (Vec<_>, Vec<_>) = mends
        .into_iter()
        .partition(|m| !matches!(m, Mend::Replace { .. }));
    for mend in values.into_iter().chain(names.into_iter().rev()) {
        match mend {
            Mend::Rename {
                object: at,
                from,
                to,
            } => object(value, &at, &mut |members| {
                if let Some(moved) = members.remove(&from) {
                    members.entry(to.clone()).or_insert(moved);
                }
            }),
            Mend::Remove { object: at, name } => {
                object(value, &at, &mut |members| drop(members.remove(&name)))
            }
            Mend::Replace {
                pointer,
                value: right,
            } => {
                if let Some(place) = value.pointer_mut(&pointer) {
                    *place = right;
                }
            }
        }
    }
}

/// Writes whole floats as integers: in JSON `2.0` and `2` are the same number, for serde they are not.
pub(crate) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(f64::NAN);
            if float.fract() == 0.0 && float.abs() < 9e15 {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// What may stand for a text that is not what `noun` says, until the rest of the document is checked. It
/// is chosen so that it starts no problem elsewhere: names stay equal to one another, times are far apart.
pub(crate) fn stand_in(noun: &str, field: &str, text: &str) -> Option<Value> {
    let legal = |c: char| {
        if c.is_ascii_alphanumeric() || "._-/:".contains(c) {
            c
        } else {
            '_'
        }
    };
    Some(Value::from(match noun {
        "a name" => format!("{:.<1.120}", text.chars().map(legal).collect::<String>()),
        "an interaction type" => format!("x-{text}"),
        "a duration" => "P1D".to_string(),
        "a time" if matches!(field, "start" | "order_by") => "0001-01-01T00:00:00Z".to_string(),
        "a time" => "9999-01-01T00:00:00Z".to_string(),
        "a date" => "2000-01-01".to_string(),
        "a currency" => "USD".to_string(),
        "a price for an hour" => "unknown".to_string(),
        "a share" => "50%".to_string(),
        "a content hash" => format!("sha256:{:064}", 0),
        _ => return None,
    }))
}

/// The number that a text such as `8GB` or `500m` states, in the unit that is wanted.
pub(crate) fn leading_quantity(text: &str, unit: Option<&str>) -> Option<serde_json::Number> {
    let text = text.trim();
    let digits = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'.')
        .count();
    let number: f64 = text[..digits].parse().ok()?;
    let suffix = text[digits..].trim();
    let factor = match (unit.unwrap_or_default(), suffix) {
        (_, "") => 1.0,
        ("GB", "GB" | "G" | "gb") => 1.0,
        ("GB", "MB" | "M" | "mb") => 1e-3,
        ("GB", "TB" | "T" | "tb") => 1e3,
        ("GB", "GiB" | "Gi") => 1.073_741_824,
        ("GB", "MiB" | "Mi") => 0.001_048_576,
        ("GB", "TiB" | "Ti") => 1_099.511_627_776,
        ("cores", "cores" | "core" | "vCPU" | "vcpu") => 1.0,
        ("cores", "m") => 1e-3,
        ("Mbps", "Mbps" | "mbps" | "Mbit/s") => 1.0,
        ("Mbps", "Gbps" | "gbps" | "Gbit/s") => 1e3,
        ("ms", "ms") => 1.0,
        ("ms", "s") => 1e3,
        _ => return None,
    };
    let rounded = (number * factor * 1e9).round() / 1e9;
    if rounded.fract() == 0.0 && rounded < 9e15 {
        Some(serde_json::Number::from(rounded as u64))
    } else {
        serde_json::Number::from_f64(rounded)
    }
}
