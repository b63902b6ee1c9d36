//! The documents' JSON Schemas, generated from the wire types.

use std::sync::OnceLock;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::kind::DocumentKind;
use crate::wire::{
    Confirmation, EventsDocument, FleetState, IsoDuration, OfferCatalogue, OverridesDocument,
    PersonaDocument, PredictedFleetState, ProvisionalDocument,
};

/// The schema of each kind of document: file name, and JSON text as it is published in `schemas/`.
pub fn schemas() -> Vec<(String, String)> {
    let file = |kind: DocumentKind| {
        let name = format!("{}.json", kind.schema_id().replace('/', "-"));
        let text =
            serde_json::to_string_pretty(&published(kind)).expect("JSON values can be written");
        (name, text + "\n")
    };
    DocumentKind::ALL.into_iter().map(file).collect()
}

/// A schema and what checks values against it.
pub(crate) struct Compiled {
    pub schema: Value,
    pub validator: Validator,
}

/// The schema of a kind, built once.
pub(crate) fn compiled(kind: DocumentKind) -> &'static Compiled {
    static BUILT: [OnceLock<Compiled>; DocumentKind::ALL.len()] =
        [const { OnceLock::new() }; DocumentKind::ALL.len()];
    BUILT[kind as usize].get_or_init(|| {
        let schema = bare(kind);
        let validator = jsonschema::options()
            .with_format("date-time", |text: &str| {
                text.parse::<jiff::Timestamp>().is_ok()
            })
            .with_format("date", |text: &str| {
                text.parse::<jiff::civil::Date>().is_ok()
            })
            .with_format("duration", |text: &str| text.parse::<IsoDuration>().is_ok())
            .should_validate_formats(true)
            .build(&schema)
            .expect("the schema is generated, and a test builds all of them");
        Compiled { schema, validator }
    })
}

/// The schema with what editors want to know beside it.
fn published(kind: DocumentKind) -> Value {
    let mut schema = bare(kind);
    schema["$id"] = json!(kind.schema_id());
    schema["properties"]["schema"] = json!({ "type": "string", "const": kind.schema_id(), "description": "The kind of document and its version." });
    schema["properties"]["$schema"] = json!({ "type": "string", "description": "Where editors find this schema; not part of the document." });
    // The order of serde_json's objects depends on features that other crates turn on.
    schema.sort_all_objects();
    schema
}

fn bare(kind: DocumentKind) -> Value {
    let mut schema = match kind {
        DocumentKind::FleetState => generate::<FleetState>(),
        DocumentKind::Persona => generate::<PersonaDocument>(),
        DocumentKind::PredictedFleetState => generate::<PredictedFleetState>(),
        DocumentKind::ProvisionalFleetState => generate::<ProvisionalDocument>(),
        DocumentKind::Events => generate::<EventsDocument>(),
        DocumentKind::Overrides => generate::<OverridesDocument>(),
        DocumentKind::OfferCatalogue => generate::<OfferCatalogue>(),
        DocumentKind::Confirmation => generate::<Confirmation>(),
    }
    .to_value();
    tidy(&mut schema);
    schema["title"] = json!(kind.schema_id());
    schema
}

fn generate<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// Turns what Rust's types say into what documents mean: no unknown members, and a value that is not
/// known is left out rather than `null`.
fn tidy(schema: &mut Value) {
    let Value::Object(keywords) = schema else {
        return;
    };
    without_null(keywords);
    if keywords.get("default").is_some_and(Value::is_null) {
        keywords.remove("default");
    }
    let of_rust =
        |format: &str| ["double", "uint8", "uint16", "uint32", "uint64"].contains(&format);
    if keywords
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(of_rust)
    {
        keywords.remove("format");
    }
    if let Some(Value::String(description)) = keywords.get_mut("description") {
        *description = unwrapped(description);
    }
    if keywords.contains_key("properties") {
        keywords.insert("additionalProperties".into(), json!(false));
    }
    for (keyword, inner) in keywords.iter_mut() {
        match (keyword.as_str(), inner) {
            ("properties" | "$defs", Value::Object(named)) => named.values_mut().for_each(tidy),
            ("items" | "additionalProperties", inner) => tidy(inner),
            _ => {}
        }
    }
}

fn without_null(keywords: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = keywords.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            keywords["type"] = only.clone();
        }
    }
    if let Some(Value::Array(values)) = keywords.get_mut("enum") {
        values.retain(|one| !one.is_null());
    }
    if let Some(Value::Array(choices)) = keywords.get_mut("anyOf") {
        choices.retain(|one| one["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            keywords.remove("anyOf");
            for (keyword, value) in only {
                keywords.entry(keyword).or_insert(value);
            }
        }
    }
}

/// Joins the lines of a comment that were only broken to fit the source's width.
fn unwrapped(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect::<Vec<_>>()
        .join("\n\n")
}
