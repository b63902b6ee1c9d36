//! The deterministic engine: `step`, `World`, `drive`.
//!
//! All judgement lives in [`Engine::step`], which reads no clock, draws no entropy, does no I/O and
//! never waits. Everything else is a [`World`] that it runs in: the cloud, a recording or a simulation.
//! Data goes one way through the stages (observe, forecast, requirement, projection, plan, gate,
//! workflow, feedback), one module each; the only way back is an observation.

mod accuracy;
mod amend;
mod burn;
mod changes;
mod component;
mod config;
mod demand;
mod drills;
mod engine;
mod events;
mod explain;
mod fresh;
mod hedge;
mod holds;
mod leading;
mod limits;
mod persona;
mod prices;
mod regret;
mod reservations;
mod scale_in;
mod spending;
mod stages;
mod standby_watch;
mod telemetry;
mod trials;
mod turns;
mod unknown;
mod usage;
mod watch;
mod world;

pub use accuracy::Accuracy;
pub use changes::{APPROVAL_LASTS, PRICED, cost};
pub use component::{FitJob, Ours};
pub use config::{ConfigError, EngineConfig, Part};
pub use demand::{DemandMap, TypeSource};
pub use drills::DrillBook;
pub use engine::{Engine, Step};
pub use explain::{Explained, LearnedView};
pub use regret::DayRegret;
pub use reservations::Committed;
pub use telemetry::Telemetry;
pub use world::{World, drive};
