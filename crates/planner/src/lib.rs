//! From wanted units to a plan, and the checker of plans. `README.md` states the problem.

mod bills;
mod check;
pub mod fleet_plan;
mod limited;
mod mix;
mod plan;
pub mod spot;
mod spread;
mod standby;
pub mod steering;

pub use bills::Bills;
pub use check::{Note, check};
pub use limited::{LimitedInput, LimitedMix, limited_mix};
pub use plan::{OfferChoice, PlanInput, plan, units_each, units_of};
pub use spread::{may_leave, release_spread, with_spare, zone_target};
pub use standby::{plan_standby, promote, standby_units};
