//! Changes to documents, as people type them: `fleet.components[web].floor=3`.

use anyhow::Result;
use fleetcast_document::{DocumentKind, PathError, set_field};
use serde_json::Value;

use crate::files::BadInput;

/// One field of one document, and what it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    document: DocumentKind,
    path: String,
    value: Value,
    /// As it was typed.
    pub text: String,
}

/// The documents by the words that paths begin with. In lists at the top of a document, the word names the list.
const ROOTS: [(&str, DocumentKind); 5] = [
    ("fleet", DocumentKind::FleetState),
    ("persona", DocumentKind::Persona),
    ("events", DocumentKind::Events),
    ("overrides", DocumentKind::Overrides),
    ("offers", DocumentKind::OfferCatalogue),
];

/// Reads a change. A value that is not JSON is text, so that `mode=auto` needs no quotes.
pub fn parse(text: &str) -> Result<Change, String> {
    let (path, value) = text
        .split_once('=')
        .ok_or("write it as PATH=VALUE, such as fleet.components[web].floor=3")?;
    let (path, value) = (path.trim(), value.trim());
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let root = &path[..end];
    let Some((_, document)) = ROOTS.into_iter().find(|(name, _)| *name == root) else {
        let known = ROOTS.map(|(name, _)| name).join(", ");
        return Err(format!(
            "`{root}` is not a document: a path begins with {known}"
        ));
    };
    let rest = &path[end..];
    let path = match rest.strip_prefix('.') {
        Some(inside) => inside.to_string(),
        // `events[0]` is the first item of the list `events`.
        None if rest.starts_with('[') => format!("{root}{rest}"),
        None => return Err(format!("say which field of `{root}`, as in {root}.name")),
    };
    Ok(Change {
        document,
        path,
        value: serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_string())),
        text: text.to_string(),
    })
}

/// The text of a document with the changes that are for it.
pub fn apply(changes: &[Change], kind: DocumentKind, text: String) -> Result<String> {
    let mut own = changes.iter().filter(|change| change.document == kind);
    own.try_fold(text, |text, change| {
        match set_field(kind, &text, &change.path, change.value.clone()) {
            Ok(changed) => Ok(changed),
            // Its reader says what is wrong, and where.
            Err(PathError::NotJson) => Ok(text),
            Err(error) => Err(BadInput(format!("--set {}: {error}", change.text)).into()),
        }
    })
}

/// Whether any change is for a document of a kind.
pub fn concerns(changes: &[Change], kind: DocumentKind) -> bool {
    changes.iter().any(|change| change.document == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_or_else_text() {
        let value = |text: &str| parse(text).unwrap().value;
        assert_eq!(value("fleet.components[0].floor=3"), 3);
        assert_eq!(value("fleet.mode=auto"), "auto");
        assert_eq!(value("fleet.budget=null"), Value::Null);
        assert_eq!(
            value("fleet.components[0].sla.objective.target=0.5%"),
            "0.5%"
        );
        let event = parse("events[0].uplift=2").unwrap();
        assert_eq!(
            (event.document, event.path.as_str()),
            (DocumentKind::Events, "events[0].uplift")
        );
    }

    #[test]
    fn what_is_no_change_is_told() {
        for (text, why) in [
            ("fleet.mode", "PATH=VALUE"),
            ("flett.mode=auto", "`flett` is not a document"),
            ("fleet=3", "say which field"),
        ] {
            assert!(parse(text).unwrap_err().contains(why), "{text}");
        }
    }
}
