//! Going on under another version of the documents.

use fleetcast_model::{Fleet, MicroUsdPerHour, Override};
use jiff::SignedDuration;

use crate::component::{Brain, offer_choices};
use crate::config::ConfigError;
use crate::engine::Engine;
use crate::hedge::Hedge;
use crate::stages::gate::GateState;

impl Engine {
    /// Goes on under another version of the fleet state and the overrides, with the same components.
    ///
    /// What was learned stays, and what was drained in the last hour counts against `scale_in_per_hour` as before.
    /// What was asked for under the old version is forgotten: approvals, and orders whose outcome is open, so the
    /// next listing must say all that is there. Objectives and times to boot stay as they were learned with; an
    /// engine of its own is needed for others.
    pub fn amend(&mut self, fleet: Fleet, overrides: Vec<Override>) -> Result<(), ConfigError> {
        let same = fleet.components.len() == self.components.len()
            && fleet
                .components
                .iter()
                .zip(&self.config.fleet.components)
                .all(|(new, old)| new.name == old.name);
        if !same {
            return Err(ConfigError::BadSetting(
                "another version of a fleet has the same components in the same order".into(),
            ));
        }
        let step = SignedDuration::from_secs(i64::from(self.config.step_seconds));
        for (component, state) in fleet.components.iter().zip(&mut self.components) {
            let offers = offer_choices(&self.config.offers, component);
            if offers.is_empty() {
                return Err(ConfigError::NoOffer(component.name.to_string()));
            }
            if state.hedge.is_some() {
                let lead = step * i32::try_from(state.lead_steps).unwrap_or(i32::MAX);
                state.hedge =
                    Hedge::new(component, &self.config.offers, &offers, lead).map(Box::new);
            }
            state.offers = offers;
            state.stateful = component.stateful;
            if matches!(state.brain, Brain::Ours(_)) {
                state.scale_in.amend(component.timing.scale_in_per_hour);
            }
            state.cohorts.clear();
            state.kept = None;
            state.gate = GateState::default();
            state.workflow.forget_intents();
        }
        self.mode = fleet.mode;
        self.config.fleet = fleet;
        self.config.overrides = overrides;
        self.state_limits();
        Ok(())
    }

    /// Counts other prices at worst from now on; by offer, empty if the prices are sure.
    pub fn price_at_worst(&mut self, prices: Vec<MicroUsdPerHour>) {
        self.config.prices_at_worst = prices;
    }
}
