//! What components were seen to use, learned from: the capacity that decides is what was found, not what a profile
//! says.
//!
//! Demand goes on being forecast in the profile's units, so that learning never looks like a change of demand; what
//! one real unit carries of it is what changes.

use fleetcast_capacity::{LearnedUse, Outlook, RESOURCES, UseSample};
use fleetcast_model::{Observation, ResourceUse, UseObserved};

use crate::component::{Brain, ComponentState};
use crate::engine::Engine;

/// From this part of its CPU on a component is full, and those that it calls are asked for less than it was.
const FULL: f64 = 0.9;
/// A unit carries at least and at most so many times what its profile says: beyond that the use is in another unit.
const CARRIES: (f64, f64) = (1e-3, 1e3);
/// The volumes at which a unit's capacity is asked for are the present ones times what is bought over what is there,
/// at most so much.
const BOUGHT_MAX: f64 = 3.0;

/// Learns from the uses that were told, once the demand and the listing of the same step are in.
pub(crate) fn take_in(engine: &mut Engine, observations: &[Observation]) {
    let told: Vec<&UseObserved> = observations
        .iter()
        .filter_map(|observation| match observation {
            // What is late or early has no demand to be compared with.
            Observation::Use(used) if used.until == engine.demand_until => Some(used),
            _ => None,
        })
        .collect();
    if told.is_empty() {
        return;
    }
    let full: Vec<bool> = engine
        .components
        .iter()
        .zip(0..)
        .map(|(component, index)| {
            let own = told
                .iter()
                .find(|used| usize::from(used.component.0) == index);
            is_full(engine, index, component, own.copied())
        })
        .collect();
    let cut_off = engine.map.called_by(&full);
    for used in told {
        let index = usize::from(used.component.0);
        let lead = engine.step_seconds()
            * f64::from(engine.config.boot_steps.get(index).copied().unwrap_or(0) + 1);
        if let Some(component) = engine.components.get_mut(index) {
            component.take_use(used, lead, cut_off[index]);
        }
    }
}

/// Whether a component had more to do than it could, by its use or, where that was not told, by its demand.
fn is_full(
    engine: &Engine,
    index: usize,
    component: &ComponentState,
    used: Option<&UseObserved>,
) -> bool {
    let busy = used.and_then(|used| Some((used.used.cpu?, used)));
    match busy {
        Some((cpu, used)) => {
            let unit = engine.config.fleet.components[index].unit.cpu.as_f64();
            let units = used.units;
            units.is_some_and(|units| cpu.as_f64() >= FULL * unit * units.as_f64())
        }
        None => component.measure > component.per_unit * component.listed_units(),
    }
}

impl ComponentState {
    /// Learns from a use of the step that has just ended.
    fn take_use(&mut self, observed: &UseObserved, lead_seconds: f64, cut_off: bool) {
        if !self.known {
            return;
        }
        if self.learned.is_none() {
            self.learned = LearnedUse::new(&self.capacity, lead_seconds).map(Box::new);
        }
        let unit_cpu = self.unit_cpu;
        let Some(learned) = &mut self.learned else {
            return; // The plain setting knows no resources.
        };
        let used = amounts(&observed.used);
        self.latency_ms_p95 = observed.latency_ms_p95;
        self.busy_units = used[0].map(|cores| cores * 1e3 / unit_cpu);
        let sample = UseSample {
            from: observed.from,
            seconds: observed.until.duration_since(observed.from).as_secs_f64(),
            volumes: &self.volumes,
            units: observed.units.map(fleetcast_model::Units::as_f64),
            used,
            cut_off,
        };
        self.use_drifts.extend(learned.learn(&sample));
        self.settle();
    }

    /// What one unit carries now, by what was learned; nothing changes where nothing was.
    pub(crate) fn settle(&mut self) {
        let Some(learned) = &self.learned else { return };
        let bought = match &self.brain {
            Brain::Ours(ours) => ours.last.at_depth(ours.steering.depth()),
            Brain::Peer(_) => self.measure,
        };
        let times = (bought / self.measure.max(f64::MIN_POSITIVE)).clamp(1.0, BOUGHT_MAX);
        let volumes: Vec<f64> = self.volumes.iter().map(|volume| volume * times).collect();
        let by_profile = self.capacity.load(&volumes).units;
        let load = learned.load(&volumes, Outlook::AtArrival);
        let carries = by_profile / load.units;
        // Nothing asked, or nothing needed: what was known stays.
        if by_profile > 0.0 && load.units > 0.0 && carries.is_finite() {
            self.per_unit = carries.clamp(CARRIES.0, CARRIES.1);
            self.binding = load.binding;
        }
        if let Brain::Ours(ours) = &mut self.brain {
            ours.steering.set_capacity(self.per_unit);
        }
    }

    fn listed_units(&self) -> f64 {
        let serving = self
            .cohorts
            .iter()
            .filter(|cohort| cohort.state == fleetcast_model::InstanceState::InService);
        serving
            .map(|cohort| u64::from(cohort.count) * self.units_each(cohort))
            .sum::<u64>() as f64
    }
}

/// Amounts in the units that capacity is reckoned in.
fn amounts(used: &ResourceUse) -> [Option<f64>; RESOURCES.len()] {
    [
        used.cpu.map(|cpu| cpu.as_f64() / 1e3),
        used.memory.map(|memory| memory.as_f64()),
        used.disk_io.map(|iops| iops.as_f64()),
        used.bandwidth.map(|bandwidth| bandwidth.as_f64()),
        used.storage.map(|storage| storage.as_f64()),
    ]
}
