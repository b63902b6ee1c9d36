//! `fleetcast override`

use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::wire::{Decision, OverrideEntry};
use fleetcast_document::{check_overrides, entries_to_json, overrides_to_json, parse_overrides};
use fleetcast_model::ComponentName;
use jiff::Timestamp;

use super::documents;
use crate::cli::{Decided, OverrideArgs};
use crate::files::{self, BadInput};
use crate::plan::words::override_words;

/// Runs the command.
pub fn run(args: &OverrideArgs) -> Result<ExitCode> {
    let documents = documents::read_folder(&args.folder, None)?;
    // Read again as every document is, so that it is checked by the same rules.
    let text = entries_to_json(&[entry(args)?]);
    let new = parse_overrides(&text).map_err(|problems| {
        BadInput(
            problems
                .render("the override", &text)
                .trim_end()
                .to_string(),
        )
    })?;
    let unknown = check_overrides(&documents.fleet, &new);
    if !unknown.is_empty() {
        let text = unknown.render("the override", &text);
        return Err(BadInput(text.trim_end().to_string()).into());
    }
    let path = args.folder.join(documents::OVERRIDES);
    let schema = path
        .exists()
        .then(|| files::read(&path))
        .transpose()?
        .and_then(|text| documents::schema_hint(&text));
    let mut all = documents.overrides;
    all.extend(new.iter().cloned());
    let json = documents::with_schema(&overrides_to_json(&all), schema.as_deref());
    files::write(&path, &json)?;
    for one in &new {
        outln!("{}: {}", path.display(), override_words(one));
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(args: &OverrideArgs) -> Result<OverrideEntry> {
    let component = ComponentName::new(&args.component)
        .map_err(|error| BadInput(format!("--component: {error}")))?;
    let now = || Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    let start = args.from.unwrap_or_else(now);
    let expires = match (args.until, args.lasts) {
        (Some(until), _) => until,
        (None, lasts) => start + lasts.unwrap_or_default(),
    };
    Ok(OverrideEntry {
        component,
        decision: match args.decision {
            Decided::Pin => Decision::Pin,
            Decided::Floor => Decision::Floor,
            Decided::Ceiling => Decision::Ceiling,
            Decided::Pause => Decision::Pause,
            Decided::Provision => Decision::Provision,
            Decided::Forecast => Decision::Forecast,
        },
        units: args.units,
        volume: args.volume,
        volume_p95: args.volume_p95,
        start,
        expires,
        owner: args.owner.clone(),
        reason: args.reason.clone(),
    })
}
