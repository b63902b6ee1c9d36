//! The one loop, and what it runs in.

use fleetcast_model::Observation;
use jiff::Timestamp;

use crate::engine::{Engine, Step};

/// What an engine runs in: live, replay or simulation.
#[expect(
    async_fn_in_trait,
    reason = "worlds are driven in place, never spawned"
)]
pub trait World {
    /// Why a world cannot go on.
    type Error;

    /// Waits until `wake_at`, or until there is something to tell before that; puts it into `seen` and
    /// says what time it is. `None` ends the run.
    async fn observe(
        &mut self,
        wake_at: Timestamp,
        seen: &mut Vec<Observation>,
    ) -> Result<Option<Timestamp>, Self::Error>;

    /// Makes a step durable before anything of it is carried out, so that a crash can be replayed.
    async fn record(&mut self, seen: &[Observation], step: &Step) -> Result<(), Self::Error>;

    /// Begins to carry out a step's actions. What comes of them is told by later observations.
    async fn start(&mut self, step: Step) -> Result<(), Self::Error>;
}

/// Runs the engine in a world until the world ends.
pub async fn drive<W: World>(engine: &mut Engine, world: &mut W) -> Result<(), W::Error> {
    let mut seen = Vec::new();
    while let Some(now) = world.observe(engine.wake_at(), &mut seen).await? {
        let step = engine.step(now, &seen);
        world.record(&seen, &step).await?;
        world.start(step).await?;
        seen.clear();
    }
    Ok(())
}
