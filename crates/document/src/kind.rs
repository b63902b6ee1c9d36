//! Which document a JSON value is, and in which version.

use std::fmt;

use serde_json::{Map, Value};

use crate::near::did_you_mean;
use crate::problem::Problems;

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// What a site's fleet is and should be.
    FleetState,
    /// How a fleet will be used.
    Persona,
    /// The resources that the forecast demand will require.
    PredictedFleetState,
    /// A fleet state with the changes that are about to be made to it.
    ProvisionalFleetState,
    /// Things that are known to change demand.
    Events,
    /// People's decisions that win over the engine's.
    Overrides,
    /// What can be rented, and at what price.
    OfferCatalogue,
    /// What came of a plan that was applied.
    Confirmation,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::FleetState,
        Self::Persona,
        Self::PredictedFleetState,
        Self::ProvisionalFleetState,
        Self::Events,
        Self::Overrides,
        Self::OfferCatalogue,
        Self::Confirmation,
    ];

    /// The kind's name in a document's `schema` member, before the version.
    pub fn name(self) -> &'static str {
        match self {
            Self::FleetState => "fleet-state",
            Self::Persona => "persona",
            Self::PredictedFleetState => "predicted-fleet-state",
            Self::ProvisionalFleetState => "provisional-fleet-state",
            Self::Events => "events",
            Self::Overrides => "overrides",
            Self::OfferCatalogue => "offer-catalogue",
            Self::Confirmation => "confirmation",
        }
    }

    /// The `schema` member of a document that is written now.
    pub fn schema_id(self) -> &'static str {
        match self {
            Self::FleetState => "fleet-state/v1",
            Self::Persona => "persona/v1",
            Self::PredictedFleetState => "predicted-fleet-state/v1",
            Self::ProvisionalFleetState => "provisional-fleet-state/v1",
            Self::Events => "events/v1",
            Self::Overrides => "overrides/v1",
            Self::OfferCatalogue => "offer-catalogue/v1",
            Self::Confirmation => "confirmation/v1",
        }
    }

    /// The members by which a document of this kind is known when it does not say its schema.
    fn telling_members(self) -> &'static [&'static str] {
        match self {
            Self::FleetState => &["components"],
            Self::Persona => &["engagement_patterns", "resource_profiles"],
            Self::PredictedFleetState => &["resource_requirements"],
            Self::ProvisionalFleetState => &["provisional_changes"],
            Self::Events => &["events"],
            Self::Overrides => &["overrides"],
            Self::OfferCatalogue => &["offers"],
            Self::Confirmation => &["applied_at"],
        }
    }

    /// Recognises the kind from the `schema` member, or else from the members that are there.
    pub(crate) fn of(value: &Value) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let Value::Object(members) = value else {
            problems.add("", "a document is an object in `{ }`");
            return Err(problems);
        };
        if let Some(schema) = members.get("schema") {
            let Some(named) = schema.as_str().and_then(named) else {
                problems
                    .add("/schema", unknown_schema(schema))
                    .hint(known_schemas(schema));
                return Err(problems);
            };
            return Ok(named);
        }
        // A provisional fleet state has a fleet state's members too, so it is asked for first.
        let tells = |kind: &Self| {
            kind.telling_members()
                .iter()
                .any(|name| members.contains_key(*name))
        };
        let found = std::iter::once(Self::ProvisionalFleetState)
            .chain(Self::ALL)
            .find(tells);
        found.ok_or_else(|| {
            let hint = "say so with `schema`, such as \"schema\": \"fleet-state/v1\"";
            problems
                .add("", "it cannot be told what kind of document this is")
                .hint(hint);
            problems
        })
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Checks the `schema` member of a document that should be of `kind`, takes it and `$schema` out,
/// and brings older versions up to the newest. `Err`: the document is of another kind or version, so
/// that nothing more can be said of it than what has gone into `problems`.
pub(crate) fn upgrade(
    kind: DocumentKind,
    members: &mut Map<String, Value>,
    problems: &mut Problems,
) -> Result<(), ()> {
    if members
        .remove("$schema")
        .is_some_and(|hint| !hint.is_string())
    {
        problems.add(
            "/$schema",
            "$schema is not text; it names the schema that an editor checks against",
        );
    }
    let Some(schema) = members.remove("schema") else {
        return Ok(());
    };
    if schema.as_str() == Some(kind.schema_id()) {
        return Ok(());
    }
    // Version 1 is the only one so far. Its successor adds a step here that turns the members of
    // version 1 into those of version 2, and so on for each version up to the newest.
    match schema.as_str().and_then(named) {
        Some(other) if other != kind => {
            problems.add(
                "/schema",
                format!("this is a {other} document; a {kind} document is wanted here"),
            );
            Err(())
        }
        Some(_) => {
            let message = format!(
                "schema is {schema}; only `{}` can be read",
                kind.schema_id()
            );
            problems
                .add("/schema", message)
                .hint("a newer version needs a newer Fleetcast");
            Err(())
        }
        None => {
            problems
                .add("/schema", unknown_schema(&schema))
                .hint(known_schemas(&schema));
            Ok(())
        }
    }
}

fn named(schema: &str) -> Option<DocumentKind> {
    let (name, _version) = schema.split_once('/')?;
    DocumentKind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
}

fn unknown_schema(schema: &Value) -> String {
    let shown: String = schema.to_string().chars().take(60).collect();
    format!("schema is {shown}, which is not a known one")
}

fn known_schemas(schema: &Value) -> String {
    let known = DocumentKind::ALL.map(DocumentKind::schema_id);
    did_you_mean(
        schema.as_str().unwrap_or_default(),
        known,
        "the known schemas are",
    )
}
