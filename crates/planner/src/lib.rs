//! From wanted units to a plan, and the checker of plans. `README.md` states the problem.

mod check;
mod plan;
pub mod steering;

pub use check::{Note, check};
pub use plan::{OfferChoice, PlanInput, plan, units_each};
