//! The pipeline: each stage takes one type and gives one, and none looks back.

pub mod feedback;
pub mod forecast;
pub mod gate;
pub mod nodes;
pub mod observe;
pub mod plan;
pub mod projection;
pub mod requirement;
pub mod workflow;
