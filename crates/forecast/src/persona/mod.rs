//! The persona as prior: all there is at first, overtaken as history earns it.

mod blend;
mod expectation;
mod prior;
#[cfg(test)]
mod tests;
mod windows;

pub use blend::{FittedPersonaBlend, PersonaBlend};
pub use expectation::Expectation;
pub use prior::PersonaPrior;
