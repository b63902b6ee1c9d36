//! Documents in folders: read, checked together, and written at the end of a run.

use std::path::Path;

use anyhow::Result;
use fleetcast_document::{
    DocumentKind, Problems, check_events, check_offers, check_overrides, check_together,
    parse_events, parse_fleet, parse_overrides, parse_persona, predicted_to_json,
    provisional_to_json,
};

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{Event, Offer};
use fleetcast_series::Series;
use fleetcast_sim::Catalogue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::backtest::change::{self, Change};
use crate::backtest::scenario::Documents;
use crate::files::{self, BadInput};
use crate::{outlook, plan};

/// The documents' names within a folder.
pub const FLEET: &str = "fleet.json";
pub const PERSONA: &str = "persona.json";
pub const EVENTS: &str = "events.json";
pub const OVERRIDES: &str = "overrides.json";
pub const OFFERS: &str = "offers.json";
pub const PREDICTED: &str = "predicted-fleet-state.json";
pub const PROVISIONAL: &str = "provisional-fleet-state.json";

/// Reads all documents of a folder, or lists everything that is wrong with them. `own_offers` stands in for
/// the folder's offers.
pub fn read_folder(folder: &Path, own_offers: Option<&Path>) -> Result<Documents> {
    read_changed(folder, own_offers, &[])
}

/// The same with some fields changed.
pub fn read_changed(
    folder: &Path,
    own_offers: Option<&Path>,
    changes: &[Change],
) -> Result<Documents> {
    use DocumentKind::{Events, FleetState, OfferCatalogue, Overrides, Persona};
    let said = &mut Vec::new();
    let fleet = required(folder, (FLEET, FleetState), changes, parse_fleet, said)?;
    let persona = required(folder, (PERSONA, Persona), changes, parse_persona, said)?;
    let events = optional(folder, (EVENTS, Events), changes, parse_events, said)?;
    let overrides = optional(
        folder,
        (OVERRIDES, Overrides),
        changes,
        parse_overrides,
        said,
    )?;
    let offers = match own_offers {
        Some(_) => None,
        None => {
            let offers = (OFFERS, OfferCatalogue);
            optional(folder, offers, changes, Catalogue::parse, said)?
        }
    };
    let catalogue = match (own_offers, offers) {
        (Some(path), _) => catalogue(Some(path))?,
        (None, own) => with_own(own.map(|one| one.document)),
    };
    let rentable: Vec<Offer> = catalogue.offers().cloned().collect();
    if let Some(one) = &fleet {
        said.extend(one.say(check_offers(&one.document, &rentable)));
    }
    if let Some(fleet) = fleet.as_ref().map(|one| &one.document) {
        said.extend(
            persona
                .iter()
                .filter_map(|one| one.say(check_together(fleet, &one.document))),
        );
        said.extend(
            events
                .iter()
                .filter_map(|one| one.say(check_events(fleet, &one.document))),
        );
        said.extend(
            overrides
                .iter()
                .filter_map(|one| one.say(check_overrides(fleet, &one.document))),
        );
    }
    match (fleet, persona) {
        (Some(fleet), Some(persona)) if said.is_empty() => Ok(Documents {
            fleet: fleet.document,
            persona: persona.document,
            events: events.map(|one| one.document).unwrap_or_default(),
            overrides: overrides.map(|one| one.document).unwrap_or_default(),
            catalogue,
        }),
        _ => Err(BadInput(format!("the documents have problems\n{}", said.join("\n"))).into()),
    }
}

/// Reads a persona that lies anywhere.
pub fn read_persona(path: &Path) -> Result<fleetcast_model::Persona> {
    let text = files::read(path)?;
    parse_persona(&text).map_err(|problems| {
        let said = rendered(&problems, &path.display().to_string(), &text);
        BadInput(format!("the persona has problems\n{said}")).into()
    })
}

/// Reads one events document, or lists everything that is wrong with it.
pub fn read_events(path: &Path) -> Result<Vec<Event>> {
    let text = files::read(path)?;
    parse_events(&text).map_err(|problems| {
        let shown = rendered(&problems, &path.display().to_string(), &text);
        BadInput(format!("--events: the document has problems\n{shown}")).into()
    })
}

/// The built-in catalogue, with a user's own offers over it.
pub fn catalogue(own: Option<&Path>) -> Result<Catalogue> {
    let Some(path) = own else {
        return Ok(Catalogue::built_in());
    };
    let text = files::read(path)?;
    let own = Catalogue::parse(&text).map_err(|problems| {
        let said = rendered(&problems, &path.display().to_string(), &text);
        BadInput(format!("the offers have problems\n{said}"))
    })?;
    Ok(with_own(Some(own)))
}

/// The built-in catalogue, with a user's own offers over it.
pub fn with_own(own: Option<Catalogue>) -> Catalogue {
    let built_in = Catalogue::built_in();
    match own {
        Some(own) => built_in.with_own(own),
        None => built_in,
    }
}

/// A document with the text that it was read from, in which later checks show their problems.
struct Read<T> {
    document: T,
    file_name: String,
    text: String,
}

impl<T> Read<T> {
    /// The problems with their source lines, if there are any.
    fn say(&self, problems: Problems) -> Option<String> {
        (!problems.is_empty()).then(|| rendered(&problems, &self.file_name, &self.text))
    }
}

fn rendered(problems: &Problems, file_name: &str, text: &str) -> String {
    problems.render(file_name, text).trim_end().to_string()
}

fn required<T>(
    folder: &Path,
    (name, kind): (&str, DocumentKind),
    changes: &[Change],
    parse: impl Fn(&str) -> Result<T, Problems>,
    said: &mut Vec<String>,
) -> Result<Option<Read<T>>> {
    let path = folder.join(name);
    if !path.exists() {
        let text = format!(
            "{} is missing: `fleetcast init {}` writes one to start from",
            path.display(),
            folder.display()
        );
        return Err(BadInput(text).into());
    }
    let text = change::apply(changes, kind, files::read(&path)?)?;
    let mut file_name = path.display().to_string();
    if change::concerns(changes, kind) {
        file_name.push_str(" with --set");
    }
    match parse(&text) {
        Ok(document) => Ok(Some(Read {
            document,
            file_name,
            text,
        })),
        Err(problems) => {
            said.push(rendered(&problems, &file_name, &text));
            Ok(None)
        }
    }
}

fn optional<T>(
    folder: &Path,
    (name, kind): (&str, DocumentKind),
    changes: &[Change],
    parse: impl Fn(&str) -> Result<T, Problems>,
    said: &mut Vec<String>,
) -> Result<Option<Read<T>>> {
    if !folder.join(name).exists() && !change::concerns(changes, kind) {
        return Ok(None);
    }
    required(folder, (name, kind), changes, parse, said)
}

/// The `$schema` of a document's text, if it names one.
pub fn schema_hint(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.get("$schema")?.as_str().map(str::to_string)
}

/// Puts `$schema` first, so that editors complete the document and show what each field means.
pub fn with_schema(json: &str, schema: Option<&str>) -> String {
    let Some(schema) = schema else {
        return json.to_string();
    };
    let schema = serde_json::Value::from(schema);
    json.replacen("{\n", &format!("{{\n  \"$schema\": {schema},\n"), 1)
}

/// Writes the provisional fleet state of a step.
pub fn write_provisional(folder: &Path, engine: &Engine, step: &Step) -> Result<()> {
    let provisional = plan::provisional(engine, step);
    files::write(
        &folder.join(PROVISIONAL),
        &provisional_to_json(&provisional),
    )
}

/// Writes what a run's end predicts.
pub fn write_predicted(
    folder: &Path,
    engine: &Engine,
    at: Timestamp,
    volumes: &[Series],
    zone: &TimeZone,
) -> Result<()> {
    let predicted = outlook::predicted(engine, at, volumes, zone);
    files::write(&folder.join(PREDICTED), &predicted_to_json(&predicted))
}
