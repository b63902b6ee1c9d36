//! Finds what a person meant when a name is not one that is known.

/// How alike two names must be (Jaro-Winkler, 1 is equal) for one to be offered for the other: lets
/// through swapped letters and missing endings, keeps out names that only share a beginning.
const LIKENESS_MIN: f64 = 0.82;

/// The known name that is most like `name`, if any is.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = snake_case(name);
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let likeness = strsim::jaro_winkler(&name, &snake_case(candidate));
        if likeness >= LIKENESS_MIN && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Asks whether the nearest known name was meant, or lists the known ones.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    if let Some(near) = nearest(name, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let list: Vec<String> = known.into_iter().map(|one| format!("`{one}`")).collect();
    match list.len() {
        0 => format!("there are no {what}"),
        1..=20 => format!("{what}: {}", list.join(", ")),
        _ => format!(
            "{what}: {} and {} more",
            list[..20].join(", "),
            list.len() - 20
        ),
    }
}

/// `memoryGb` and `memory-gb` are how other tools would write `memory_gb`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            if out.ends_with(|last: char| last.is_ascii_lowercase())
                && name.contains(char::is_lowercase)
            {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(if matches!(c, '-' | ' ') { '_' } else { c });
        }
    }
    out
}
