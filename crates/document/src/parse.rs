//! From text to validated values, with all problems and their places.

use fleetcast_model::{Event, Fleet, Override, Persona};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kind::{DocumentKind, upgrade};
use crate::mend::{mend, whole_numbers};
use crate::offers::Offers;
use crate::problem::Problems;
use crate::provisional::ProvisionalFleetState;
use crate::schema::compiled;
use crate::source::Source;
use crate::wire::{Confirmation, PredictedFleetState};
use crate::{event, fleet, offers, persona, predicted, provisional, structure};

/// Reads a `fleet-state/v1` document.
pub fn parse_fleet(text: &str) -> Result<Fleet, Problems> {
    parse(&Source::parse(text)?, DocumentKind::FleetState, fleet::read)
}

/// Reads a `persona/v1` document.
pub fn parse_persona(text: &str) -> Result<Persona, Problems> {
    parse(&Source::parse(text)?, DocumentKind::Persona, persona::read)
}

/// Reads an `events/v1` document.
pub fn parse_events(text: &str) -> Result<Vec<Event>, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::Events,
        event::read_events,
    )
}

/// Reads an `overrides/v1` document.
pub fn parse_overrides(text: &str) -> Result<Vec<Override>, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::Overrides,
        event::read_overrides,
    )
}

/// Reads a `predicted-fleet-state/v1` document.
pub fn parse_predicted(text: &str) -> Result<PredictedFleetState, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::PredictedFleetState,
        read_predicted,
    )
}

/// Reads a `provisional-fleet-state/v1` document.
pub fn parse_provisional(text: &str) -> Result<ProvisionalFleetState, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::ProvisionalFleetState,
        provisional::read,
    )
}

/// Reads an `offer-catalogue/v1` document.
pub fn parse_offers(text: &str) -> Result<Offers, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::OfferCatalogue,
        offers::read,
    )
}

/// Reads a `confirmation/v1` document.
pub fn parse_confirmation(text: &str) -> Result<Confirmation, Problems> {
    parse(
        &Source::parse(text)?,
        DocumentKind::Confirmation,
        read_confirmation,
    )
}

/// A document of any kind.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a handful of documents is read at a time, and each is taken apart at once"
)]
pub enum Document {
    /// A fleet state.
    Fleet(Fleet),
    /// A persona.
    Persona(Persona),
    /// A predicted fleet state.
    Predicted(PredictedFleetState),
    /// A provisional fleet state.
    Provisional(ProvisionalFleetState),
    /// Events.
    Events(Vec<Event>),
    /// Overrides.
    Overrides(Vec<Override>),
    /// What can be rented.
    Offers(Offers),
    /// A confirmation.
    Confirmation(Confirmation),
}

impl Document {
    /// Its kind.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Fleet(_) => DocumentKind::FleetState,
            Self::Persona(_) => DocumentKind::Persona,
            Self::Predicted(_) => DocumentKind::PredictedFleetState,
            Self::Provisional(_) => DocumentKind::ProvisionalFleetState,
            Self::Events(_) => DocumentKind::Events,
            Self::Overrides(_) => DocumentKind::Overrides,
            Self::Offers(_) => DocumentKind::OfferCatalogue,
            Self::Confirmation(_) => DocumentKind::Confirmation,
        }
    }
}

/// Reads a document of any kind: the one that its `schema` names, or else that its members tell.
pub fn parse_any(text: &str) -> Result<Document, Problems> {
    let source = Source::parse(text)?;
    let kind = DocumentKind::of(source.value()).map_err(|problems| problems.located(&source))?;
    Ok(match kind {
        DocumentKind::FleetState => Document::Fleet(parse(&source, kind, fleet::read)?),
        DocumentKind::Persona => Document::Persona(parse(&source, kind, persona::read)?),
        DocumentKind::PredictedFleetState => {
            Document::Predicted(parse(&source, kind, read_predicted)?)
        }
        DocumentKind::ProvisionalFleetState => {
            Document::Provisional(parse(&source, kind, provisional::read)?)
        }
        DocumentKind::Events => Document::Events(parse(&source, kind, event::read_events)?),
        DocumentKind::Overrides => {
            Document::Overrides(parse(&source, kind, event::read_overrides)?)
        }
        DocumentKind::OfferCatalogue => Document::Offers(parse(&source, kind, offers::read)?),
        DocumentKind::Confirmation => {
            Document::Confirmation(parse(&source, kind, read_confirmation)?)
        }
    })
}

fn read_confirmation(confirmation: &Confirmation, _: &mut Problems) -> Confirmation {
    confirmation.clone()
}

fn read_predicted(state: &PredictedFleetState, problems: &mut Problems) -> PredictedFleetState {
    predicted::check(state, problems);
    state.clone()
}

/// Structure first, then meaning. Where the structure is wrong, meaning is still checked on what was
/// probably meant, so that one reading lists as much as possible.
fn parse<Wire: DeserializeOwned, Out>(
    source: &Source<'_>,
    kind: DocumentKind,
    read: fn(&Wire, &mut Problems) -> Out,
) -> Result<Out, Problems> {
    let mut problems = source.duplicates();
    let mut value = source.value().clone();
    if let Value::Object(members) = &mut value
        && upgrade(kind, members, &mut problems).is_err()
    {
        return Err(problems.located(source));
    }
    let (found, mends) = structure::check(compiled(kind), &value);
    problems.append_new(found);
    mend(&mut value, mends);
    whole_numbers(&mut value);
    let out = match serde_json::from_value(value) {
        Ok(wire) => {
            let mut meaning = Problems::default();
            let out = read(&wire, &mut meaning);
            problems.append_new(meaning);
            Some(out)
        }
        Err(error) => {
            // Only if the schema lets something through that the types do not.
            if problems.is_empty() {
                problems.add("", format!("this is not a {kind} document: {error}"));
            }
            None
        }
    };
    match out {
        Some(out) if problems.is_empty() => Ok(out),
        _ => Err(problems.located(source)),
    }
}
