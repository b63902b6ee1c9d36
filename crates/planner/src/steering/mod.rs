//! Steering: which level of the forecast to buy, so that the objective is held at the least cost.

mod fleet;
mod purchase;
mod shadow;
mod standby;
#[expect(
    clippy::module_inception,
    reason = "the concept and its folder share the name"
)]
mod steering;

pub use fleet::{FleetRules, FleetStep, PlainFleet};
pub use purchase::{Band, Outlook, Purchase, Reluctance};
pub use shadow::HeldFleet;
pub use standby::{Deep, Depths, Promoted, Spell, StandbyFleet, StandbyRules};
pub use steering::{Goal, Steering, SteeringConfig};
