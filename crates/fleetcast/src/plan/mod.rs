//! `fleetcast plan` and `fleetcast apply`: what should be changed now, and carrying it out.
//!
//! `prospect` lets the engine live through the history and asks it for the next decision, under the documents as
//! they are or as a recommendation would have them; `account` turns that decision into a provisional fleet state,
//! `planned` adds what a person needs to decide on it, `limits` what quotas kept from it, `alerts` what is unknown,
//! `standby` what stands by and how, `alternatives` what else could be done; `words` prints one; `carry_out` applies one in the simulated world.

mod account;
pub mod ahead;
pub mod alerts;
mod alternatives;
pub mod carry_out;
mod expected;
pub mod limits;
mod planned;
mod prospect;
pub mod standby;
pub mod words;

pub use account::provisional;
pub use planned::plan;
pub use prospect::{Decision, Prospect, rentable};
