//! What an engine is started with: a value, stored at the head of every recording.

use fleetcast_capacity::{CapacityError, CapacityModel};
use fleetcast_model::{
    Component, Event, Fleet, InteractionType, MicroUsdPerHour, Objective, Offer, OfferIndex,
    Override, Persona,
};
use fleetcast_policy::PolicySpec;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::demand::DemandMap;
use crate::telemetry::Telemetry;

/// Everything that decides an engine's steps, beside its observations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// The fleet state.
    pub fleet: Fleet,
    /// How the fleet will be used; `None` only in the plain setting.
    pub persona: Option<Persona>,
    /// What is known to come.
    pub events: Vec<Event>,
    /// What people decided.
    pub overrides: Vec<Override>,
    /// The interaction types of the demand observations, in their order.
    pub interaction_types: Vec<InteractionType>,
    /// What may be rented; orders name them by place.
    pub offers: Vec<Offer>,
    /// What an instance of each offer may come to cost at worst, where its price is stale or may rise; empty: the
    /// prices are sure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices_at_worst: Vec<MicroUsdPerHour>,
    /// When the first step ends at the earliest.
    pub start: Timestamp,
    /// Length of a step in seconds.
    pub step_seconds: u32,
    /// From an order to a healthy unit, as it is planned with, in steps, for each component.
    pub boot_steps: Vec<u32>,
    /// The objective's budget runs from so many steps after the start.
    pub warm_up_steps: u64,
    /// Who decides for each component: `fleetcast`, or a policy to compare with.
    pub policies: Vec<PolicySpec>,
    /// In the plain setting: demand that one unit carries, in the demand's own unit.
    pub plain_per_unit: Option<f64>,
    /// The objective that overrides the documents'.
    pub objective: Option<Objective>,
    /// Parts of the judgement that are left out, to measure what they bring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Part>,
    /// Models fitted in one step at most; the others wait for the next one.
    #[serde(default = "fits_per_step")]
    pub fits_per_step: u32,
    /// The term that it leads under; a later one fences the earlier ones off.
    #[serde(default = "first_term")]
    pub term: u64,
    /// How demand becomes known.
    #[serde(default, skip_serializing_if = "Telemetry::is_plain")]
    pub telemetry: Telemetry,
}

fn first_term() -> u64 {
    EngineConfig::FIRST_TERM
}

/// A fit takes some tens of milliseconds: with these a step stays well under a second.
fn fits_per_step() -> u32 {
    EngineConfig::FITS_PER_STEP
}

/// A part of the judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The challenger of the forecast: without it linear quantile regression alone forecasts.
    Challenger,
    /// The fitted forecast: without it the recent level is spread by its own deviations.
    Model,
    /// The level learned from shadow fleets: without it the objective's own complement is bought.
    Calibration,
    /// The budget that is left: without it the goal is always the objective.
    Budget,
    /// What is known of events.
    Events,
    /// Anomalies: what is unusual is an observation like any other.
    Anomalies,
    /// The hedge of spot: the cheapest offer is bought, whatever becomes of it.
    Hedge,
    /// Prices that move: without them all offers keep the price of the documents.
    Prices,
}

/// A configuration that no engine can run with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The fleet has no component.
    #[error("fleet `{0}` has no components")]
    NoComponents(String),
    /// A component's placements allow nothing of the catalogue.
    #[error(
        "no offer of the catalogue fits component `{0}`: look at its unit size, its placements (the built-in catalogue knows AWS us-east-1, GCP us-central1 and Azure eastus) and its allowed offers, or give your own catalogue"
    )]
    NoOffer(String),
    /// No whole number of instances lies between floor and ceiling.
    #[error(
        "no allowed offer of component `{component}` has a whole number of instances between its floor of {floor} and \
         its ceiling of {ceiling} units: allow smaller offers, or raise the ceiling"
    )]
    NothingFits {
        /// The component.
        component: String,
        /// Its floor, in units.
        floor: u64,
        /// Its ceiling, in units.
        ceiling: u64,
    },
    /// The persona lacks a profile.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// There is neither a persona nor a stated capacity of a unit.
    #[error("without a persona the capacity of a unit must be stated")]
    NoCapacity,
    /// Components call each other in a circle.
    #[error("component `{0}` depends on itself, through the components that it calls")]
    Circle(String),
    /// A setting is zero or absurd.
    #[error("{0}")]
    BadSetting(String),
}

impl EngineConfig {
    /// The term of an engine that nobody led before.
    pub const FIRST_TERM: u64 = 1;

    /// The default of [`Self::fits_per_step`].
    pub const FITS_PER_STEP: u32 = 16;

    /// What an instance of an offer may come to cost at worst.
    pub fn price_at_worst(&self, offer: OfferIndex) -> MicroUsdPerHour {
        let place = usize::from(offer.0);
        let stated = self.offers[place].price;
        let worst = self.prices_at_worst.get(place).copied();
        worst.map_or(stated, |worst| worst.max(stated))
    }

    /// The objective that a component is held to.
    pub fn objective_of(&self, component: &Component) -> Option<Objective> {
        self.objective.or(component.sla.objective)
    }

    /// How the volumes of the interaction types reach the components.
    pub fn demand_map(&self) -> Result<DemandMap, ConfigError> {
        DemandMap::new(&self.fleet, &self.interaction_types)
    }

    /// The capacity models of the components, in their order.
    pub fn capacity_models(&self, map: &DemandMap) -> Result<Vec<CapacityModel>, ConfigError> {
        let model =
            |(component, index): (&Component, usize)| match (self.plain_per_unit, &self.persona) {
                (Some(per_unit), _) if per_unit > 0.0 && per_unit.is_finite() => {
                    Ok(CapacityModel::plain(per_unit))
                }
                (Some(per_unit), _) => Err(ConfigError::BadSetting(format!(
                    "a unit that carries {per_unit} is no good: it must be over 0"
                ))),
                (None, Some(persona)) => Ok(CapacityModel::from_persona(
                    component,
                    persona,
                    map.types_of(index),
                )?),
                (None, None) => Err(ConfigError::NoCapacity),
            };
        self.fleet.components.iter().zip(0..).map(model).collect()
    }
}
