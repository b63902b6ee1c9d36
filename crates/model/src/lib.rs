//! Ids, units and the validated domain types of Fleetcast.
//!
//! Everything here is plain data that has already been checked: a value of one of these types is
//! in range, finite and in the unit its name says. Parsing and error messages live at the edges
//! (`fleetcast-document`, `fleetcast-telemetry`); judgement lives in the engine. The crate reads
//! no clock and does no I/O.

mod action;
mod change;
mod content_hash;
mod event;
mod fleet;
mod ids;
mod interaction;
mod listing;
mod observation;
mod offer;
mod persona;
mod plan;
mod quantity;
mod quota;
mod report;

pub use action::*;
pub use change::*;
pub use content_hash::*;
pub use event::*;
pub use fleet::*;
pub use ids::*;
pub use interaction::*;
pub use listing::*;
pub use observation::*;
pub use offer::*;
pub use persona::*;
pub use plan::*;
pub use quantity::*;
pub use quota::*;
pub use report::*;
