//! The documents' JSON form: schemas, source spans, canonical hash.
//!
//! Text goes in, values of `fleetcast-model` come out, or [`Problems`]: all that is wrong with the
//! document, each with its place, what is wrong in words for its author, and how to mend it.
//! Reading takes these steps, and none of them stops at the first problem:
//!
//! 1. strict JSON with the place of each value, within limits on size and depth (`source`);
//! 2. kind and version from the `schema` member, older versions upgraded (`kind`);
//! 3. structure: the value against the schema generated from the [`wire`] types (`schema`, `structure`);
//! 4. meaning: references, ranges that hang together, windows and rules (`fleet`, `persona`, …).
//!
//! Nothing here reads a file, a clock or the machine's time zones.

mod amount;
mod canonical;
mod event;
mod fleet;
mod json;
mod kind;
mod limits;
mod mend;
mod near;
mod offers;
mod parse;
mod path;
mod persona;
mod predicted;
mod problem;
mod provisional;
mod schema;
mod source;
mod standby;
mod structure;
mod targets;
mod together;
mod window;
pub mod wire;

pub use canonical::{canonical, content_hash};
pub use event::{read_entries, write_overrides};
pub use fleetcast_model::{BadContentHash, ContentHash};
pub use json::{
    confirmation_to_json, entries_to_json, events_to_json, fleet_to_json, fleet_version,
    offers_to_json, overrides_to_json, overrides_version, persona_to_json, predicted_to_json,
    provisional_to_json,
};
pub use kind::DocumentKind;
pub use limits::warn_of_limits;
pub use offers::Offers;
pub use parse::{
    Document, parse_any, parse_confirmation, parse_events, parse_fleet, parse_offers,
    parse_overrides, parse_persona, parse_predicted, parse_provisional,
};
pub use path::{PathError, set_field};
pub use problem::{Problem, Problems};
pub use provisional::{ProvisionalFleetState, change_set_hash};
pub use schema::schemas;
pub use source::decode;
pub use targets::{check_events, check_offers, check_overrides};
pub use together::check_together;
pub use wire::{
    ChangeAction, ChangeCause, ChangeReason, Confirmation, ConfirmedChange, CostRange, GateAccount,
    GateVerdict, Horizon, Money, PlanAccount, PlanLimit, PredictedFleetState, ProvisionalChange,
    Quantile, Recommendation, Refusal, ResourceRequirement, ResourceType, ServedSla,
};
