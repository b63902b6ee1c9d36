//! Writes documents: indented, members in the order in which the schema declares them.

use std::io;

use fleetcast_model::{ContentHash, Event, Fleet, Override, Persona};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::canonical::content_hash;
use crate::kind::DocumentKind;
use crate::offers::Offers;
use crate::provisional::ProvisionalFleetState;
use crate::wire::{Confirmation, OverrideEntry, OverridesDocument, PredictedFleetState};
use crate::{event, fleet, offers, persona, provisional};

/// Writes a `fleet-state/v1` document.
pub fn fleet_to_json(fleet: &Fleet) -> String {
    to_json(DocumentKind::FleetState, &fleet::write(fleet))
}

/// Writes a `persona/v1` document.
pub fn persona_to_json(persona: &Persona) -> String {
    to_json(DocumentKind::Persona, &persona::write(persona))
}

/// Writes an `events/v1` document.
pub fn events_to_json(events: &[Event]) -> String {
    to_json(DocumentKind::Events, &event::write_events(events))
}

/// Writes an `overrides/v1` document.
pub fn overrides_to_json(overrides: &[Override]) -> String {
    to_json(
        DocumentKind::Overrides,
        &event::override_document(overrides),
    )
}

/// Writes an `overrides/v1` document of entries that nobody has checked yet.
pub fn entries_to_json(entries: &[OverrideEntry]) -> String {
    let document = OverridesDocument {
        overrides: entries.to_vec(),
    };
    to_json(DocumentKind::Overrides, &document)
}

/// Writes an `offer-catalogue/v1` document.
pub fn offers_to_json(offers: &Offers) -> String {
    to_json(DocumentKind::OfferCatalogue, &offers::write(offers))
}

/// Writes a `predicted-fleet-state/v1` document.
pub fn predicted_to_json(state: &PredictedFleetState) -> String {
    to_json(DocumentKind::PredictedFleetState, state)
}

/// Writes a `provisional-fleet-state/v1` document, with the hash of its changes.
pub fn provisional_to_json(state: &ProvisionalFleetState) -> String {
    to_json(
        DocumentKind::ProvisionalFleetState,
        &provisional::write(state),
    )
}

/// Writes a `confirmation/v1` document.
pub fn confirmation_to_json(confirmation: &Confirmation) -> String {
    to_json(DocumentKind::Confirmation, confirmation)
}

/// The version of a fleet state: the hash of its canonical form, whatever its file looks like.
pub fn fleet_version(fleet: &Fleet) -> ContentHash {
    version(&fleet::write(fleet))
}

/// The version of overrides.
pub fn overrides_version(overrides: &[Override]) -> ContentHash {
    version(&event::override_document(overrides))
}

fn version<T: Serialize>(document: &T) -> ContentHash {
    let value = serde_json::to_value(document);
    content_hash(&value.expect("names are text, so documents are JSON values"))
}

fn to_json<T: Serialize>(kind: DocumentKind, document: &T) -> String {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        schema: &'static str,
        #[serde(flatten)]
        document: &'a T,
    }
    let mut out = Vec::new();
    let mut writer =
        serde_json::Serializer::with_formatter(&mut out, Layout(PrettyFormatter::new()));
    let document = Versioned {
        schema: kind.schema_id(),
        document,
    };
    document
        .serialize(&mut writer)
        .expect("names are text, so documents can be written to memory");
    out.push(b'\n');
    String::from_utf8(out).expect("serde_json writes UTF-8")
}

/// Pretty, and whole numbers without `.0`: people write `4`, not `4.0`.
struct Layout<'a>(PrettyFormatter<'a>);

macro_rules! as_pretty {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $method<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$method(writer $(, $argument)*)
        })*
    };
}

impl Formatter for Layout<'_> {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < 9e15 {
            self.0.write_i64(writer, value as i64)
        } else {
            self.0.write_f64(writer, value)
        }
    }

    as_pretty! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }
}
