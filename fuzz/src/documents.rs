//! Documents: read, or refused with problems that can be shown in their text.

use fleetcast_document::{
    Problems, parse_any, parse_events, parse_fleet, parse_overrides, parse_persona,
    parse_predicted, parse_provisional,
};

/// The document as text; bytes that are none are replaced.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let text = text.as_ref();
    told(text, parse_any(text));
    told(text, parse_events(text));
    told(text, parse_fleet(text));
    told(text, parse_overrides(text));
    told(text, parse_persona(text));
    told(text, parse_predicted(text));
    told(text, parse_provisional(text));
}

fn told<T>(text: &str, parsed: Result<T, Problems>) {
    if let Err(problems) = parsed {
        assert!(!problems.is_empty());
        let shown = problems.render("document.json", text);
        assert!(shown.contains("document.json"), "{shown}");
    }
}
