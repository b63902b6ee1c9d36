//! What the simulated fleet really uses, where that is not what its persona says, and how it is observed.

use fleetcast_capacity::{CapacityModel, LearnedUse, RESOURCES, ResourceAmounts, UseSample};
use fleetcast_engine::{ConfigError, DemandMap, EngineConfig};
use fleetcast_model::{
    Bytes, ComponentIndex, Iops, KilobitsPerSecond, MilliCores, Observation, Persona, ResourceUse,
    Units, UseObserved,
};
use fleetcast_series::Series;
use jiff::{SignedDuration, Timestamp};

use crate::cloud::Serving;
use crate::random::Random;
use crate::world::Simulation;

/// What a fleet really uses, and that it is observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Personas whose profiles are true from a moment on, in order of time; before the first, the engine's own.
    pub truths: Vec<(Timestamp, Persona)>,
    /// Standard deviation of an observation of simulated use, as a share of it.
    pub noise: f64,
    /// Use that was recorded; where there is any it is told, and it is what the fleet is judged by.
    pub recorded: Vec<Vec<Option<RecordedUse>>>,
    /// What the whole recording teaches of each component, known to nobody but the judge: see [`Self::look_back`].
    pub hindsight: Vec<Option<LearnedUse>>,
}

impl Usage {
    /// Learns all of the recording, to judge by it where a step was not recorded, or the fleet was full.
    ///
    /// Done once before many runs; a run on a recording that nobody has looked back on does it by itself.
    pub fn look_back(
        &mut self,
        config: &EngineConfig,
        demand: &[Series],
    ) -> Result<(), ConfigError> {
        if self.recorded.is_empty() {
            return Ok(()); // What is true is stated.
        }
        let map = config.demand_map()?;
        let models = config.capacity_models(&map)?;
        let mut learned: Vec<_> = models
            .iter()
            .map(|model| LearnedUse::new(model, 0.0))
            .collect();
        let mut volumes = map.empty_volumes();
        let steps = self.recorded.iter().map(Vec::len).max().unwrap_or(0);
        let length = SignedDuration::from_secs(i64::from(config.step_seconds));
        for step in 0..steps {
            let asked: Vec<Option<f64>> = demand
                .iter()
                .map(|series| {
                    if step < series.len() {
                        series.get(step)
                    } else {
                        None
                    }
                })
                .collect();
            map.route(&asked, &mut volumes);
            let all = learned.iter_mut().zip(&volumes).zip(&self.recorded);
            for ((learned, volumes), recorded) in all {
                let known: Option<Vec<f64>> = volumes.iter().copied().collect();
                let recorded = recorded.get(step).copied().flatten();
                if let (Some(learned), Some(volumes), Some(recorded)) = (learned, known, recorded) {
                    learned.learn(&UseSample {
                        from: config.start + length * step as i32,
                        seconds: f64::from(config.step_seconds),
                        volumes: &volumes,
                        units: recorded.units,
                        used: recorded.used,
                        cut_off: false,
                    });
                }
            }
        }
        self.hindsight = learned;
        Ok(())
    }
}

/// What a component of a real fleet used in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecordedUse {
    /// Units that were in service, if known.
    pub units: Option<f64>,
    /// Cores, bytes, operations a second, kilobits a second and bytes; `None`: not recorded.
    pub used: [Option<f64>; RESOURCES.len()],
}

/// The truth of a simulation in which use is observed.
#[derive(Clone, Debug)]
pub(crate) struct TrueUse {
    /// By moment: the true models of the components.
    models: Vec<(Timestamp, Vec<CapacityModel>)>,
    /// Of recorded use: what the whole recording teaches of each component.
    hindsight: Vec<Option<LearnedUse>>,
    recorded: Vec<Vec<Option<RecordedUse>>>,
    noise: f64,
    random: Random,
    unit_cores: Vec<f64>,
}

impl TrueUse {
    pub(crate) fn new(
        usage: &Usage,
        config: &EngineConfig,
        map: &DemandMap,
        simulation: &Simulation,
    ) -> Result<Self, ConfigError> {
        let mut usage = std::borrow::Cow::Borrowed(usage);
        if !usage.recorded.is_empty() && usage.hindsight.is_empty() {
            usage.to_mut().look_back(config, &simulation.demand)?;
        }
        let mut models = vec![(Timestamp::MIN, config.capacity_models(map)?)];
        for (from, persona) in &usage.truths {
            let config = EngineConfig {
                persona: Some(persona.clone()),
                ..config.clone()
            };
            models.push((*from, config.capacity_models(map)?));
        }
        let components = &config.fleet.components;
        Ok(Self {
            models,
            hindsight: usage.hindsight.clone(),
            recorded: usage.recorded.clone(),
            noise: usage.noise,
            random: Random::new(simulation.seed, "observed use"),
            unit_cores: components
                .iter()
                .map(|component| component.unit.cpu.as_f64() / 1e3)
                .collect(),
        })
    }

    /// Units that volumes truly need, as a fraction.
    pub(crate) fn load(
        &self,
        component: usize,
        step: usize,
        from: Timestamp,
        volumes: &[f64],
    ) -> f64 {
        match (
            self.recorded_at(component, step),
            self.hindsight.get(component),
        ) {
            (recorded, Some(Some(learned))) => {
                let recorded = recorded.unwrap_or_default();
                let load = learned.load_seen(volumes, &recorded.used, recorded.units);
                load.units
            }
            _ => self.model(component, from).load(volumes).units,
        }
    }

    /// What is observed of a component's use in a step; `None` where nothing is.
    pub(crate) fn observe(
        &mut self,
        component: usize,
        step: usize,
        (from, until): (Timestamp, Timestamp),
        volumes: &[f64],
        serving: Serving,
    ) -> Option<Observation> {
        let told = |units: Option<f64>, used: ResourceUse| {
            Observation::Use(UseObserved {
                component: ComponentIndex(component as u16),
                from,
                until,
                units: units.map(|units| Units::new(units.clamp(0.0, 1e12) as u64)),
                used,
                latency_ms_p95: None,
            })
        };
        if !self.recorded.is_empty() {
            let recorded = self.recorded_at(component, step)?;
            return Some(told(recorded.units, in_integers(&recorded.used)));
        }
        let model = self.model(component, from);
        let truth = model.in_use(volumes)?;
        let latency_ms_p95 = model.latency_ms_p95(volumes, serving.effective);
        // Units that are full use all they have, and no more.
        let cores = truth
            .cores
            .min(serving.effective * self.unit_cores[component]);
        let truth = ResourceAmounts { cores, ..truth };
        let random = &mut self.random;
        let noise = self.noise;
        let mut seen = |amount: f64| Some(amount * (1.0 + noise * random.normal()).max(0.0));
        let used = [
            seen(truth.cores),
            seen(truth.memory_bytes),
            seen(truth.iops),
            seen(truth.kilobits_per_second),
            seen(truth.storage_bytes),
        ];
        let observation = told(Some(serving.ready as f64), in_integers(&used));
        Some(match observation {
            Observation::Use(used) => Observation::Use(UseObserved {
                latency_ms_p95,
                ..used
            }),
            other => other,
        })
    }

    fn model(&self, component: usize, at: Timestamp) -> &CapacityModel {
        let known = self.models.partition_point(|(from, _)| *from <= at);
        &self.models[known.max(1) - 1].1[component]
    }

    fn recorded_at(&self, component: usize, step: usize) -> Option<RecordedUse> {
        self.recorded.get(component)?.get(step).copied().flatten()
    }
}

/// Amounts as they are told, rounded to the nearest.
fn in_integers(used: &[Option<f64>; RESOURCES.len()]) -> ResourceUse {
    let whole = |amount: Option<f64>, times: f64| {
        amount.map(|amount| (amount * times).round().clamp(0.0, 1e18) as u64)
    };
    ResourceUse {
        cpu: whole(used[0], 1e3).map(MilliCores::new),
        memory: whole(used[1], 1.0).map(Bytes::new),
        disk_io: whole(used[2], 1.0).map(Iops::new),
        bandwidth: whole(used[3], 1.0).map(KilobitsPerSecond::new),
        storage: whole(used[4], 1.0).map(Bytes::new),
    }
}
