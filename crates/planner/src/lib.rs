//! From wanted units to a plan, and the checker of plans. `README.md` states the problem.

mod check;
pub mod fleet_plan;
mod mix;
mod plan;
pub mod spot;
mod standby;
pub mod steering;

pub use check::{Note, check};
pub use plan::{OfferChoice, PlanInput, plan, units_each};
pub use standby::{plan_standby, promote, standby_units};
