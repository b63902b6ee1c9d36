//! From volume and latency target to units of a component.
//!
//! A persona's profile says what carries a pattern's volume at its latency target. CPU follows the
//! queueing law (exact Erlang C with the Allen–Cunneen correction), so a large pool needs less headroom
//! for each core than a small one; memory, disk and bandwidth follow the volume. The resource that asks
//! for the most units binds, and is named.

mod erlang;
mod model;
mod staffing;

pub use erlang::{wait_exceeds, wait_probability};
pub use model::{CapacityError, CapacityModel, Load, ResourceAmounts};
pub use staffing::StaffingCurve;
