//! Who leads. Two engines that believe they do must not both act on an instance: each step carries its engine's term,
//! and a world that has seen a later term carries nothing out.

use fleetcast_model::{Action, Fenced};

use crate::engine::Engine;

impl Engine {
    /// Leads from now on, under a term that nobody has led under before. The world fences the earlier terms off before
    /// it takes the first listing that this engine is told: what the one before began is seen in it, or never begins.
    pub fn lead(&mut self, term: u64) {
        self.config.term = term;
        self.deposed_by = None;
    }

    /// The term that another engine leads under, if this one has been told that it leads no more.
    pub fn deposed_by(&self) -> Option<u64> {
        self.deposed_by
    }

    pub(crate) fn take_fenced(&mut self, fenced: &Fenced) {
        if fenced.term > self.config.term {
            self.deposed_by = Some(fenced.term);
        }
    }

    /// Who leads no more goes on watching and learning, to lead again, and touches nothing.
    pub(crate) fn keep_hands_off(&self, actions: &mut Vec<Action>) {
        if self.deposed_by.is_some() {
            actions.retain(|action| matches!(action, Action::Fit(_)));
        }
    }
}
