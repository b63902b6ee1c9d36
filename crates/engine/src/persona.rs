//! What the persona expects.

use fleetcast_model::InteractionType;
use fleetcast_series::PersonaCalendar;
use jiff::Timestamp;

use crate::config::{ConfigError, EngineConfig};
use crate::demand::DemandMap;

/// The volumes of all components in an interval.
#[derive(Clone, Debug)]
struct Known {
    interval: Option<(Timestamp, Timestamp)>,
    volumes: Vec<Vec<Option<f64>>>,
}

/// The persona's expectation of each component's volumes.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    calendar: PersonaCalendar,
    interaction_types: Vec<InteractionType>,
    /// The two intervals asked for last, now and at arrival, and the volumes of all components in them.
    known: [Known; 2],
    /// Which of them is replaced next.
    oldest: usize,
    flat: Vec<f64>,
}

impl Expectation {
    /// Prepares the persona's calendar; `None` without a persona.
    pub(crate) fn new(config: &EngineConfig) -> Result<Option<Self>, ConfigError> {
        let Some(persona) = config
            .persona
            .as_ref()
            .filter(|_| config.plain_per_unit.is_none())
        else {
            return Ok(None);
        };
        let calendar = PersonaCalendar::new(persona)
            .map_err(|error| ConfigError::BadSetting(error.to_string()))?;
        let interaction_types = config.interaction_types.clone();
        let empty = Known {
            interval: None,
            volumes: config.demand_map()?.empty_volumes(),
        };
        Ok(Some(Self {
            calendar,
            interaction_types,
            known: [empty.clone(), empty],
            oldest: 0,
            flat: Vec::new(),
        }))
    }

    /// The volumes that a component is expected to be asked for, in interactions a minute by type.
    pub(crate) fn volumes(
        &mut self,
        map: &DemandMap,
        component: usize,
        from: Timestamp,
        to: Timestamp,
    ) -> &[f64] {
        let interval = Some((from, to));
        let found = self
            .known
            .iter()
            .position(|known| known.interval == interval);
        let slot = found.unwrap_or(self.oldest);
        if found.is_none() {
            self.oldest = 1 - slot;
            let by_type = self.calendar.expected_rate_by_type(from, to);
            let rates: Vec<Option<f64>> = self
                .interaction_types
                .iter()
                .map(|kind| Some(by_type.get(kind).copied().unwrap_or(0.0)))
                .collect();
            let known = &mut self.known[slot];
            map.route(&rates, &mut known.volumes);
            known.interval = interval;
        }
        self.flat.clear();
        self.flat.extend(
            self.known[slot].volumes[component]
                .iter()
                .map(|volume| volume.unwrap_or(0.0)),
        );
        &self.flat
    }
}
