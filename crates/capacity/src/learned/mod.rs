//! What a component really uses for each interaction, learned on line with the persona's profile as the prior.

mod cholesky;
mod contention;
mod drift;
mod learner;
mod noise;
mod regression;
mod resource;
#[cfg(test)]
mod tests;

pub use contention::{Contention, ScaleOutCeiling};
pub use drift::{DriftDetector, FALSE_ALARM_DAYS, Shift};
pub use learner::{Figure, LearnedUse, UseSample};
pub use resource::Outlook;
