use fleetcast_document::{
    DocumentKind, events_to_json, fleet_to_json, offers_to_json, overrides_to_json, parse_events,
    parse_fleet, parse_offers, parse_overrides, parse_persona, parse_predicted, persona_to_json,
    predicted_to_json, schemas,
};
use serde_json::Value;

use crate::{EVENTS, FLEET, OVERRIDES, PERSONA, PREDICTED};

/// Regenerates with `FLEETCAST_UPDATE=1 cargo nextest run -p fleetcast-document`.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may look at the tree that it belongs to"
)]
fn the_published_schemas_are_those_of_the_code() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
    let update = std::env::var("FLEETCAST_UPDATE").is_ok_and(|value| value == "1");
    for (name, text) in schemas() {
        let path = format!("{folder}/{name}");
        if update {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "schemas/{name} is stale: regenerate it with FLEETCAST_UPDATE=1"
        );
    }
}

#[test]
fn every_field_is_described_for_editors() {
    for (name, text) in schemas() {
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        assert_eq!(schema["additionalProperties"], false, "{name}");
        let definitions = schema["$defs"]
            .as_object()
            .into_iter()
            .flat_map(|defs| defs.values());
        for object in definitions.chain([&schema]) {
            for (field, about) in object["properties"].as_object().into_iter().flatten() {
                assert!(
                    about["description"].is_string(),
                    "{name}: {field} has no description in {object:#}"
                );
            }
        }
    }
}

#[test]
fn what_is_written_fits_the_published_schema() {
    let written = [
        (
            DocumentKind::FleetState,
            fleet_to_json(&parse_fleet(FLEET).unwrap()),
        ),
        (
            DocumentKind::Persona,
            persona_to_json(&parse_persona(PERSONA).unwrap()),
        ),
        (
            DocumentKind::Events,
            events_to_json(&parse_events(EVENTS).unwrap()),
        ),
        (
            DocumentKind::Overrides,
            overrides_to_json(&parse_overrides(OVERRIDES).unwrap()),
        ),
        (
            DocumentKind::PredictedFleetState,
            predicted_to_json(&parse_predicted(PREDICTED).unwrap()),
        ),
        (
            DocumentKind::OfferCatalogue,
            offers_to_json(&parse_offers(crate::offers::OFFERS).unwrap()),
        ),
        (
            DocumentKind::ProvisionalFleetState,
            crate::round_trip::provisional_text(),
        ),
    ];
    for (kind, text) in written {
        let file = format!("{}.json", kind.schema_id().replace('/', "-"));
        let (_, schema) = schemas()
            .into_iter()
            .find(|(name, _)| *name == file)
            .unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}\n{text}");
    }
}
