//! What the crate promises, tested through what it exports.

mod fleet;
mod limits;
mod offers;
mod paths;
mod persona;
mod robust;
mod round_trip;
mod schemas;
mod targets;
mod text;
mod together;

use fleetcast_document::{Document, Problem, Problems, parse_any};

pub const FLEET: &str = include_str!("../data/fleet.json");
pub const PERSONA: &str = include_str!("../data/persona.json");
pub const EVENTS: &str = include_str!("../data/events.json");
pub const OVERRIDES: &str = include_str!("../data/overrides.json");
/// The example of the brief (`brief/fleet-state-prediction.md`), as it stands there.
pub const PREDICTED: &str = r#"    {
      "timestamp": "2024-10-27T10:00:00Z",
      "resource_requirements": [
        {
          "resource_type": "CPU",
          "quantity": 100,
          "units": "cores"
        },
        {
          "resource_type": "Memory",
          "quantity": 200,
          "units": "GB"
        },
        {
          "resource_type": "Bandwidth",
          "quantity": 10,
          "units": "Gbps"
        }
      ]
    }
"#;

/// Checks what a person reads who has changed a good document in one place or several: messages and
/// hints in the order of the text. Places have their own tests in `text`.
#[track_caller]
pub fn check(good: &str, changes: &[(&str, &str)], expected: &[&str]) {
    let text = changed(good, changes);
    let problems = parse_any(&text).expect_err("the document is expected to have problems");
    let words = |problem: &Problem| match &problem.hint {
        Some(hint) => format!("{}; {hint}", problem.message),
        None => problem.message.clone(),
    };
    let read: Vec<String> = problems.0.iter().map(words).collect();
    assert_eq!(
        read,
        expected,
        "\n{}",
        problems.render("document.json", &text)
    );
}

/// Reads a good document that has been changed so that it is still good.
#[track_caller]
pub fn read(good: &str, changes: &[(&str, &str)]) -> Document {
    let text = changed(good, changes);
    unwrap(parse_any(&text), &text)
}

/// The value, or a failure that shows the problems.
#[track_caller]
pub fn unwrap<T>(result: Result<T, Problems>, text: &str) -> T {
    result.unwrap_or_else(|problems| panic!("\n{}", problems.render("document.json", text)))
}

#[track_caller]
pub fn changed(good: &str, changes: &[(&str, &str)]) -> String {
    let mut text = good.to_string();
    for (from, to) in changes {
        assert!(text.contains(from), "the document has no `{from}`");
        text = text.replacen(from, to, 1);
    }
    text
}
