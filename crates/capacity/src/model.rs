//! What a component's volume needs, in units.

use fleetcast_model::{Component, InteractionType, Persona, Resource, UnitSize};

use crate::staffing::StaffingCurve;

/// A persona does not say what a component needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapacityError {
    /// No profile of the persona is for this interaction type on this component.
    #[error(
        "no resource profile says what `{interaction_type}` needs of component `{component}`: add one for a pattern of that type"
    )]
    NoProfile {
        /// The component.
        component: String,
        /// The interaction type that it serves.
        interaction_type: String,
    },
}

/// Turns a component's volumes into the units that carry them.
#[derive(Clone, Debug, PartialEq)]
pub enum CapacityModel {
    /// A unit carries so much demand: the plain setting.
    Plain {
        /// Demand that one unit carries, in the unit of the demand.
        per_unit: f64,
    },
    /// By the profiles of a persona.
    Profiled(Profiled),
}

/// A component's profiles, one class of work for each interaction type it serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiled {
    pub(crate) unit: UnitSize,
    pub(crate) classes: Vec<Class>,
}

/// What one interaction type needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    pub(crate) curve: StaffingCurve,
    /// For each interaction a minute.
    pub(crate) memory_bytes: f64,
    pub(crate) iops: f64,
    pub(crate) kilobits_per_second: f64,
    pub(crate) storage_bytes: f64,
}

/// The resources that units have, in the order in which arrays hold them.
pub const RESOURCES: [Resource; 5] = [
    Resource::Cpu,
    Resource::Memory,
    Resource::DiskIo,
    Resource::Bandwidth,
    Resource::Storage,
];

/// Units that a volume needs, as a fraction, and what limits them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Units, not yet rounded up.
    pub units: f64,
    /// The resource that asks for the most.
    pub binding: Resource,
}

/// What a volume needs, by resource.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResourceAmounts {
    /// CPU cores, at the latency target.
    pub cores: f64,
    /// Memory in bytes.
    pub memory_bytes: f64,
    /// Disk operations a second.
    pub iops: f64,
    /// Bandwidth in kilobits a second.
    pub kilobits_per_second: f64,
    /// Storage in bytes.
    pub storage_bytes: f64,
}

impl CapacityModel {
    /// A unit carries `per_unit` of demand.
    pub fn plain(per_unit: f64) -> Self {
        Self::Plain { per_unit }
    }

    /// Reads the profiles that `persona` has for `component`; `types` are the interaction types it is
    /// asked for, in the order in which volumes will be given.
    pub fn from_persona(
        component: &Component,
        persona: &Persona,
        types: &[InteractionType],
    ) -> Result<Self, CapacityError> {
        let cores_max = component.ceiling.as_f64() * component.unit.cpu.as_f64() / 1e3;
        let classes = types
            .iter()
            .map(|kind| class_of(component, persona, kind, cores_max));
        Ok(Self::Profiled(Profiled {
            unit: component.unit,
            classes: classes.collect::<Result<_, _>>()?,
        }))
    }

    /// Units that these volumes (interactions a minute, in the order of the types) need.
    pub fn load(&self, per_minute: &[f64]) -> Load {
        match self {
            Self::Plain { per_unit } => Load {
                units: per_minute.iter().sum::<f64>() / per_unit,
                binding: Resource::Unit,
            },
            Self::Profiled(profiled) => profiled.load(&profiled.amounts(per_minute)),
        }
    }

    /// CPU that these volumes keep busy, in units' worth of it: what an autoscaler on utilisation sees.
    /// In the plain setting a unit that carries all it can is fully busy.
    pub fn busy_units(&self, per_minute: &[f64]) -> f64 {
        match self {
            Self::Plain { per_unit } => per_minute.iter().sum::<f64>() / per_unit,
            Self::Profiled(profiled) => {
                profiled.erlangs(per_minute) * 1e3 / profiled.unit.cpu.as_f64()
            }
        }
    }

    /// What these volumes need, by resource; `None` in the plain setting, which knows none.
    pub fn amounts(&self, per_minute: &[f64]) -> Option<ResourceAmounts> {
        match self {
            Self::Plain { .. } => None,
            Self::Profiled(profiled) => Some(profiled.amounts(per_minute)),
        }
    }

    /// What these volumes keep in use, by resource, with as many units as they need: cores that are busy, and not
    /// those that the latency target asks for; `None` in the plain setting.
    pub fn in_use(&self, per_minute: &[f64]) -> Option<ResourceAmounts> {
        match self {
            Self::Plain { .. } => None,
            Self::Profiled(profiled) => Some(ResourceAmounts {
                cores: profiled.erlangs(per_minute),
                ..profiled.amounts(per_minute)
            }),
        }
    }

    /// The 95 % quantile of the latency in milliseconds with so many units in service; `None` when it is
    /// not known or grows without end.
    pub fn latency_ms_p95(&self, per_minute: &[f64], units: f64) -> Option<f64> {
        let Self::Profiled(profiled) = self else {
            return None;
        };
        let erlangs = profiled.erlangs(per_minute);
        let cores = units * profiled.unit.cpu.as_f64() / 1e3;
        let worst = profiled
            .classes
            .iter()
            .zip(per_minute)
            .filter(|(_, volume)| **volume > 0.0);
        worst
            .map(|(class, _)| class.curve.latency_ms_p95(erlangs, cores))
            .try_fold(0.0_f64, |a, b| Some(a.max(b?)))
    }
}

impl Profiled {
    fn erlangs(&self, per_minute: &[f64]) -> f64 {
        self.classes
            .iter()
            .zip(per_minute)
            .map(|(class, volume)| class.curve.erlangs(*volume))
            .sum()
    }

    /// All classes share the cores; the strictest class that is present says how many.
    fn amounts(&self, per_minute: &[f64]) -> ResourceAmounts {
        let erlangs = self.erlangs(per_minute);
        let mut all = ResourceAmounts::default();
        for (class, volume) in self
            .classes
            .iter()
            .zip(per_minute)
            .filter(|(_, volume)| **volume > 0.0)
        {
            all.cores = all.cores.max(class.curve.cores_for(erlangs));
            all.memory_bytes += class.memory_bytes * volume;
            all.iops += class.iops * volume;
            all.kilobits_per_second += class.kilobits_per_second * volume;
            all.storage_bytes += class.storage_bytes * volume;
        }
        all
    }

    fn load(&self, need: &ResourceAmounts) -> Load {
        let unit = &self.unit;
        let mut load = Load {
            units: need.cores * 1e3 / unit.cpu.as_f64(),
            binding: Resource::Cpu,
        };
        let mut consider = |resource, need: f64, have: Option<f64>| {
            if let Some(units) = have.filter(|have| *have > 0.0).map(|have| need / have)
                && units > load.units
            {
                load = Load {
                    units,
                    binding: resource,
                };
            }
        };
        consider(
            Resource::Memory,
            need.memory_bytes,
            Some(unit.memory.as_f64()),
        );
        consider(
            Resource::DiskIo,
            need.iops,
            unit.disk_io.map(|x| x.as_f64()),
        );
        consider(
            Resource::Bandwidth,
            need.kilobits_per_second,
            unit.bandwidth.map(|x| x.as_f64()),
        );
        consider(
            Resource::Storage,
            need.storage_bytes,
            unit.storage.map(|x| x.as_f64()),
        );
        load
    }
}

/// The most demanding profile of this type on this component, for each interaction.
fn class_of(
    component: &Component,
    persona: &Persona,
    kind: &InteractionType,
    cores_max: f64,
) -> Result<Class, CapacityError> {
    let mut class: Option<(Class, f64)> = None;
    for profile in &persona.resource_profiles {
        if profile
            .component
            .as_ref()
            .is_some_and(|name| *name != component.name)
        {
            continue;
        }
        let pattern = persona
            .engagement_patterns
            .iter()
            .find(|p| p.name == profile.pattern_name && p.interaction_type == *kind);
        let Some(pattern) = pattern else { continue };
        let minutes = window_minutes(&pattern.time_window);
        let per_minute = pattern.expected_volume / minutes;
        if per_minute <= 0.0 {
            continue;
        }
        let latency = component
            .sla
            .latency_ms_p95
            .map_or(pattern.latency_target_ms, |sla| {
                sla.min(pattern.latency_target_ms)
            });
        let cores = profile.cpu.as_f64() / 1e3;
        let cores_each = cores / per_minute;
        let curve = || {
            StaffingCurve::from_profile(
                cores,
                per_minute,
                f64::from(latency),
                cores_max,
                profile.variability,
            )
        };
        let (memory, iops) = (
            profile.memory.as_f64() / per_minute,
            profile.disk_io.as_f64() / per_minute,
        );
        let bandwidth = profile.bandwidth.as_f64() / per_minute;
        let storage = profile.storage.map_or(0.0, |x| x.as_f64()) / per_minute;
        match &mut class {
            None => {
                let new = Class {
                    curve: curve(),
                    memory_bytes: memory,
                    iops,
                    kilobits_per_second: bandwidth,
                    storage_bytes: storage,
                };
                class = Some((new, cores_each));
            }
            Some((class, dearest)) => {
                if cores_each > *dearest {
                    (class.curve, *dearest) = (curve(), cores_each);
                }
                class.memory_bytes = class.memory_bytes.max(memory);
                class.iops = class.iops.max(iops);
                class.kilobits_per_second = class.kilobits_per_second.max(bandwidth);
                class.storage_bytes = class.storage_bytes.max(storage);
            }
        }
    }
    class
        .map(|(class, _)| class)
        .ok_or_else(|| CapacityError::NoProfile {
            component: component.name.to_string(),
            interaction_type: kind.to_string(),
        })
}

/// Length of one occurrence, in minutes; not zero.
fn window_minutes(window: &fleetcast_model::TimeWindow) -> f64 {
    use fleetcast_model::TimeWindow::{Endless, Once, Recurring};
    let seconds = match window {
        Endless(length) | Recurring { length, .. } => length.nominal().as_secs(),
        Once { start, end } => end.duration_since(*start).as_secs(),
    };
    (seconds as f64 / 60.0).max(1.0 / 60.0)
}
