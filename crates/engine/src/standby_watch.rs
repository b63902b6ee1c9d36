//! Standby beside the plan.

use fleetcast_model::{Action, Drill, Mode};
use jiff::Timestamp;

use crate::burn::BurnWatch;
use crate::engine::{Engine, Step};
use crate::stages::gate;
use crate::stages::observe::Seen;
use crate::stages::requirement;

impl Engine {
    /// Standby beside the plan: promotes it while the budget burns, and follows the drill under way.
    pub(crate) fn follow_standby(
        &mut self,
        index: usize,
        now: Timestamp,
        seen: &Seen,
        between: bool,
        step: &mut Step,
    ) -> Option<Drill> {
        let began = now - self.step_length();
        let acts = self.mode() != Mode::Observe && !gate::frozen(&self.config.fleet, now);
        let state = &mut self.components[index];
        let policy = state.standby?;
        state.drills.note_promotions(&state.cohorts, began);
        if let Some(burn) = state.burn.as_mut().filter(|_| seen.known && !between) {
            burn.observe(seen.measure, seen.effective * state.per_unit);
        }
        if !acts {
            return None;
        }
        if state.burn.as_ref().is_some_and(BurnWatch::burning) {
            let needed = requirement::round_up(seen.measure / state.per_unit);
            let missing = needed.saturating_sub(seen.ready + seen.pending);
            let promoted = fleetcast_planner::promote(&state.cohorts, &state.offers, missing);
            step.actions
                .extend(promoted.into_iter().map(Action::Promote));
        }
        state
            .drills
            .follow(&policy, &state.cohorts, now, &mut step.actions)
    }
}
