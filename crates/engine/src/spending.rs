//! The engine's money: its reservation ledger, and the mode that measured regret allows.

use fleetcast_model::{Mode, ModeChange};
use jiff::Timestamp;

use crate::component::ComponentState;
use crate::engine::Engine;
use crate::regret::DayRegret;
use crate::reservations::Committed;

impl Engine {
    /// Keeps the reservation ledger, where a budget is to be held.
    pub(crate) fn account_spending(&mut self, before: Timestamp) {
        if self.config.fleet.budget.is_none() {
            return;
        }
        let listed = self.components.iter().map(ComponentState::rate).sum();
        let cohorts = self.components.iter().flat_map(|state| &state.cohorts);
        let at_worst = cohorts
            .map(|cohort| self.config.price_at_worst(cohort.offer) * u64::from(cohort.count))
            .sum();
        let states = self.components.iter();
        let in_flight = states.map(|state| state.workflow.reserved()).sum();
        self.reservations
            .account(before, self.now, listed, at_worst, in_flight);
    }

    /// Spent, running at worst and on order at worst stay under the hard cap, at every instant.
    pub(crate) fn assert_under_cap(&self) {
        let cap = self.config.fleet.budget.and_then(|budget| budget.hard_cap);
        let committed = self.committed();
        assert!(
            cap.is_none_or(|cap| committed.total() <= cap),
            "{committed:?} is over the hard cap of {cap:?}"
        );
    }

    /// What is committed: spent, running, and on order.
    pub fn committed(&self) -> Committed {
        self.reservations.committed()
    }

    /// The mode that holds now: the fleet state's, or what it was promoted to; whoever does not lead observes.
    pub fn mode(&self) -> Mode {
        match self.deposed_by {
            Some(_) => Mode::Observe,
            None => self.mode,
        }
    }

    /// The measured regret of the days that count towards the next change of mode, oldest first.
    pub fn regret(&self) -> Vec<DayRegret> {
        let book = self.regret.as_ref();
        book.map_or_else(Vec::new, |book| book.days().copied().collect())
    }

    /// Ends a day of measured regret, and promotes or demotes the mode by the rule that the fleet state holds.
    pub(crate) fn judge_mode(&mut self) -> Option<ModeChange> {
        let change = self.regret.as_mut()?.judge(self.now, self.mode)?;
        self.mode = change.to;
        Some(change)
    }

    /// Whether components spend in order of importance: under a hard cap, and where they share quotas.
    pub(crate) fn is_capped(&self) -> bool {
        let budget = self.config.fleet.budget;
        let capped = budget.is_some_and(|budget| budget.hard_cap.is_some());
        capped || !self.config.fleet.quotas.is_empty()
    }

    /// The components in the order in which they may spend under a hard cap or quotas: the most important first, so that the
    /// least important gives way.
    pub(crate) fn by_importance(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.components.len()).collect();
        let importance = |place: usize| self.config.fleet.components[place].sla.importance;
        order.sort_by_key(|&place| std::cmp::Reverse(importance(place)));
        order
    }
}
