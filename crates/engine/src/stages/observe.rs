//! First stage: what is known of one component now.

use fleetcast_model::{InstanceState, Inventory, Observation};
use fleetcast_planner::steering::Promoted;
use jiff::{SignedDuration, Timestamp};

use crate::component::ComponentState;
use crate::engine::Engine;

/// What is known of one component now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Whether the demand of the step that has just ended is known.
    pub known: bool,
    /// Demand of that step in interactions a minute, over all types; unknown: the last known one.
    pub volume: f64,
    /// The same as it is forecast: units' worth of it, or the demand itself in the plain setting.
    pub measure: f64,
    /// Units in service.
    pub ready: u64,
    /// Units that were in service in the step that demand is told of.
    pub ready_then: u64,
    /// The same, less what was still warming up: what they carried.
    pub effective: f64,
    /// Units ordered and not in service, or on their way into it from standby.
    pub pending: u64,
    /// Units that stand by.
    pub standby: u64,
    /// Units that boot for standby, or drain towards it.
    pub preparing: u64,
    /// Units that came from standby in the step that has just ended.
    pub promoted: Promoted,
}

impl Seen {
    /// What turns the measure that is forecast into interactions a minute, in the present mix.
    pub fn to_volume(self) -> f64 {
        if self.measure > 0.0 {
            self.volume / self.measure
        } else {
            1.0
        }
    }
}

/// Takes in everything that was told: demand and listings into the components, the rest to whom it is for.
pub fn take_in(engine: &mut Engine, observations: &[Observation]) {
    let now = engine.now();
    let step = SignedDuration::from_secs(i64::from(engine.config().step_seconds));
    let delay_steps = engine.config().telemetry.delay_steps;
    // A step's demand may be told at any moment of the next one.
    let oldest = now
        - step
            * (i32::try_from(delay_steps)
                .unwrap_or(i32::MAX)
                .saturating_add(1));
    for observation in observations {
        match observation {
            // What is late or told twice mends no decision that was made.
            Observation::Demand(demand) if demand.until <= engine.demand_until => {}
            // Nobody knows the future; believed, it would make all that is told until then late.
            Observation::Demand(demand) if demand.until > now => {}
            Observation::Demand(demand) => {
                engine.per_minute.clear();
                engine.per_minute.extend(
                    demand
                        .per_minute
                        .iter()
                        .map(|rate| rate.map(|rate| rate.get())),
                );
                engine.demand_until = demand.until;
                engine.map.route(&engine.per_minute, &mut engine.volumes);
                for (component, volumes) in engine.components.iter_mut().zip(&engine.volumes) {
                    component.take_demand(volumes);
                    // The last known demand, and no knowledge of the present one.
                    component.known &= demand.until >= oldest;
                }
            }
            Observation::Inventory(inventory) if inventory.complete => {
                take_inventory(engine, inventory)
            }
            // Absence means nothing in a listing that did not reach its end.
            Observation::Inventory(_) => {}
            Observation::Fitted(fitted) => {
                if let Some(component) = engine.components.get_mut(usize::from(fitted.component.0))
                {
                    component.take_fit(fitted);
                }
            }
            Observation::Approval(approval) => {
                for component in &mut engine.components {
                    component.gate.answer(approval, now);
                }
            }
            Observation::Refused(refused) => {
                for component in &mut engine.components {
                    if component.workflow.forget(refused.token)
                        && let Some(hedge) = &mut component.hedge
                    {
                        hedge.refused(&component.offers, refused.offer, now);
                    }
                }
            }
            // Learned from once all of the step is in.
            Observation::Use(_) => {}
            Observation::Prices(prices) => engine.take_prices(prices),
            Observation::Fenced(fenced) => engine.take_fenced(fenced),
        }
    }
    crate::usage::take_in(engine, observations);
}

fn take_inventory(engine: &mut Engine, inventory: &Inventory) {
    for (index, component) in engine.components.iter_mut().enumerate() {
        component.cohorts.clear();
        let own = inventory
            .cohorts
            .iter()
            .filter(|cohort| usize::from(cohort.component.0) == index);
        component.cohorts.extend(own.copied());
        if let Some(hedge) = &mut component.hedge {
            hedge.listing(&component.offers, &component.cohorts, inventory.as_of);
        }
        component
            .workflow
            .reconcile(&component.cohorts, inventory.as_of);
    }
}

/// Sums up one component at the end of a step.
pub fn look(component: &ComponentState, began: Timestamp, ended: Timestamp) -> Seen {
    let (mut ready, mut pending, mut effective) = (0, 0, 0.0);
    let (mut standby, mut preparing, mut promoted) = (0, 0, Promoted::default());
    for cohort in &component.cohorts {
        let units = u64::from(cohort.count) * component.units_each(cohort);
        match cohort.state {
            InstanceState::InService => {
                ready += units;
                if cohort.since > began && component.standby.is_some() {
                    // Only standby enters service within a step: what is registered does so at its beginning.
                    let served = ended.duration_since(cohort.since).as_secs_f64();
                    let part = (served / ended.duration_since(began).as_secs_f64()).clamp(0.0, 1.0);
                    let entering = promoted.entering as f64 * promoted.part + units as f64 * part;
                    promoted.units += units;
                    promoted.entering += units;
                    promoted.part = entering / promoted.entering as f64;
                } else {
                    effective +=
                        units as f64 * component.timing.warmth(began.duration_since(cohort.since));
                }
            }
            // It carried its part of the step that has ended, and will carry nothing of the next ones.
            InstanceState::Interrupted => effective += units as f64,
            InstanceState::Draining => {}
            InstanceState::Standby => standby += units,
            InstanceState::Preparing | InstanceState::Demoting => preparing += units,
            InstanceState::Booting
            | InstanceState::Configuring
            | InstanceState::Healthy
            | InstanceState::Promoting => pending += units,
        }
    }
    Seen {
        known: component.known,
        volume: component.volume,
        measure: component.measure,
        ready,
        ready_then: ready,
        effective,
        pending,
        standby,
        preparing,
        promoted,
    }
}
