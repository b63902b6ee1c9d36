//! Steering: which level of the forecast to buy, so that the objective is held at the least cost.

mod fleet;
#[expect(
    clippy::module_inception,
    reason = "the concept and its folder share the name"
)]
mod steering;

pub use fleet::{FleetRules, FleetStep, PlainFleet};
pub use steering::{Goal, HeldFleet, Steering, units};

pub(crate) fn knob(_name: &str, default: f64) -> f64 {
    default
}
