//! The documents as they stand in JSON: field names, units and defaults.
//!
//! The comments here become the descriptions in the published schemas, so they are written for the
//! people who write documents. A field's `x-noun` and `x-unit` are the words that messages use.

mod common;
mod confirmation;
mod event;
mod fleet;
mod offers;
mod persona;
mod plan;
mod predicted;
mod provisional;

pub use common::*;
pub use confirmation::*;
pub use event::*;
pub use fleet::*;
pub use offers::*;
pub use persona::*;
pub use plan::*;
pub use predicted::*;
pub use provisional::*;
