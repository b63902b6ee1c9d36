//! From volumes and latency targets to units of a component.
//!
//! A persona's profile says what carries a pattern's volume at its latency target. CPU follows the
//! queueing law (exact Erlang C with the Allen–Cunneen correction), so a large pool needs less headroom
//! for each core than a small one; memory, disk and bandwidth follow the volume. The resource that asks
//! for the most units binds, and is named.
//!
//! Where use is observed, the profile is only where learning begins: [`LearnedUse`] finds what each interaction
//! really takes, notices when that changes, and knows when more units would not help.

mod erlang;
mod learned;
mod model;
mod staffing;

pub use erlang::{wait_exceeds, wait_probability, wait_quantile};
pub use learned::{
    Contention, DriftDetector, FALSE_ALARM_DAYS, Figure, LearnedUse, Outlook, ScaleOutCeiling,
    Shift, UseSample,
};
pub use model::{CapacityError, CapacityModel, Load, RESOURCES, ResourceAmounts};
pub use staffing::StaffingCurve;
