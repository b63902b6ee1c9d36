//! What one component uses, learned from what it was seen to use.

use fleetcast_model::{Resource, UnitSize, UseDrift};
use jiff::Timestamp;

use super::contention::{Contention, ScaleOutCeiling};
use super::resource::{Kind, Need, Outlook, ResourceUse, Sample};
use crate::model::{CapacityModel, Load, Profiled, RESOURCES, ResourceAmounts};
use crate::staffing::StaffingCurve;

/// Uses of memory, disk, bandwidth and storage stay under what is planned with this many standard deviations of the
/// measured noise: 95 % of the time. CPU has the queueing law's headroom instead.
const HEADROOM_DEVIATIONS: f64 = 1.645;
/// At least this part of a unit is left for requests, however much it uses by itself.
const LEFT_FOR_REQUESTS: f64 = 0.1;
/// A staffing curve is built again when the service time is off by more than this: its shape depends on it slowly.
const CURVE_TOLERANCE: f64 = 0.05;
/// What was learned is said to decide from this part of the estimate on.
const DECIDES: f64 = 0.5;

/// What a component was seen to use in an interval, with the demand of the same interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UseSample<'a> {
    /// When it began.
    pub from: Timestamp,
    /// How long it was.
    pub seconds: f64,
    /// Volumes in interactions a minute, in the order of the component's types.
    pub volumes: &'a [f64],
    /// Units that were in service, if known.
    pub units: Option<f64>,
    /// What was used; `None`: not measured. CPU is busy cores.
    pub used: [Option<f64>; RESOURCES.len()],
    /// Demand was cut off before it came here: a component that calls this one was full.
    pub cut_off: bool,
}

/// What is believed of one resource and one interaction type, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The resource.
    pub resource: Resource,
    /// The type's place.
    pub kind: usize,
    /// Use for each interaction a minute, as it is believed: cores, bytes, operations a second or kilobits a second.
    pub each: f64,
    /// The profile's word on the same.
    pub profile: f64,
    /// The part of the estimate that comes from the data, 0 to 1.
    pub evidence: f64,
    /// Samples that taught it.
    pub samples: u64,
}

/// The capacity model of a component after its use was observed.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedUse {
    unit: UnitSize,
    resources: Vec<ResourceUse>,
    /// The staffing curve of each type, for the service time that was learned.
    curves: Vec<StaffingCurve>,
    contention: Contention,
    drifts: Vec<UseDrift>,
}

/// Drifts kept for people.
const DRIFTS_KEPT: usize = 16;

impl LearnedUse {
    /// Starts from a component's profiles; `None` in the plain setting, where no resource is known. An order placed
    /// now serves after `lead_seconds`.
    pub fn new(model: &CapacityModel, lead_seconds: f64) -> Option<Self> {
        let CapacityModel::Profiled(profiled) = model else {
            return None;
        };
        let of = |resource: Resource| {
            let kind = Kind {
                stock: matches!(resource, Resource::Memory | Resource::Storage),
                slow: resource == Resource::Memory,
                // Observations are integers, of thousandths of a core among others.
                resolution: if resource == Resource::Cpu { 1e-3 } else { 1.0 },
            };
            let unit = unit_amount(&profiled.unit, resource);
            ResourceUse::new(kind, profiled.each(resource), unit, lead_seconds)
        };
        Some(Self {
            unit: profiled.unit,
            resources: RESOURCES.into_iter().map(of).collect(),
            curves: profiled.curves(),
            contention: Contention::new(),
            drifts: Vec::new(),
        })
    }

    /// Learns from what was used; says which resources' use per request has changed.
    pub fn learn(&mut self, sample: &UseSample<'_>) -> Vec<UseDrift> {
        let mut found = Vec::new();
        for (place, resource) in RESOURCES.into_iter().enumerate() {
            let Some(used) = sample.used[place] else {
                continue;
            };
            let is_cpu = resource == Resource::Cpu;
            let relative_work = match sample.units {
                Some(units) if is_cpu => self.contention.relative_work(units),
                _ => 1.0,
            };
            let one = Sample {
                from: sample.from,
                seconds: sample.seconds,
                volumes: sample.volumes,
                units: sample.units,
                used,
                relative_work,
                cut_off: sample.cut_off,
            };
            if let Some(shift) = self.resources[place].learn(&one) {
                if is_cpu {
                    self.contention = Contention::new();
                }
                found.push(UseDrift {
                    resource,
                    since: shift.since,
                    found: sample.from,
                    factor: shift.factor,
                });
            }
            if is_cpu {
                self.learn_contention(sample, used);
            }
        }
        self.refresh_curves();
        self.drifts.extend(&found);
        let surplus = self.drifts.len().saturating_sub(DRIFTS_KEPT);
        self.drifts.drain(..surplus);
        found
    }

    /// Units that these volumes (interactions a minute) need, and what binds.
    pub fn load(&self, volumes: &[f64], outlook: Outlook) -> Load {
        self.load_of(volumes, |place| self.need(place, volumes, outlook))
    }

    /// Units that these volumes needed, given what was used where that is known: what a run is judged by afterwards.
    /// `units` were in service.
    pub fn load_seen(
        &self,
        volumes: &[f64],
        used: &[Option<f64>; RESOURCES.len()],
        units: Option<f64>,
    ) -> Load {
        self.load_of(volumes, |place| {
            let need = self.resources[place].need(volumes, Outlook::Sustained);
            let unit = unit_amount(&self.unit, RESOURCES[place]);
            let seen = used[place].filter(|used| {
                // A fleet that was full tells only what it had.
                unit.zip(units)
                    .is_none_or(|(unit, units)| *used < 0.9 * unit * units)
            });
            Need {
                all: seen.map_or(need.all, |used| {
                    (used - need.each_unit * units.unwrap_or(0.0)).max(0.0)
                }),
                ..need
            }
        })
    }

    fn load_of(&self, volumes: &[f64], need: impl Fn(usize) -> Need) -> Load {
        let mut load = Load {
            units: self.cpu_units(volumes, need(0)),
            binding: Resource::Cpu,
        };
        for (place, resource) in RESOURCES.into_iter().enumerate().skip(1) {
            let Some(unit) = unit_amount(&self.unit, resource) else {
                continue;
            };
            let need = need(place);
            let units = need.all / (unit - need.each_unit).max(LEFT_FOR_REQUESTS * unit);
            if units > load.units {
                load = Load {
                    units,
                    binding: resource,
                };
            }
        }
        load
    }

    /// What these volumes need by resource, what units use by themselves included.
    pub fn amounts(&self, volumes: &[f64], outlook: Outlook) -> ResourceAmounts {
        let units = self.load(volumes, outlook).units;
        let amount = |place: usize| {
            let need = self.need(place, volumes, outlook);
            need.all + need.each_unit * units
        };
        ResourceAmounts {
            cores: self.cpu_units(volumes, self.need(0, volumes, outlook)) * self.unit.cpu.as_f64()
                / 1e3,
            memory_bytes: amount(1),
            iops: amount(2),
            kilobits_per_second: amount(3),
            storage_bytes: amount(4),
        }
    }

    /// The 95 % quantile of the latency in milliseconds with so many units in service; `None` where it grows without
    /// end.
    pub fn latency_ms_p95(&self, volumes: &[f64], units: f64) -> Option<f64> {
        let need = self.need(0, volumes, Outlook::AtArrival);
        let unit = self.unit.cpu.as_f64() / 1e3;
        let cores = units * (unit - need.each_unit).max(LEFT_FOR_REQUESTS * unit)
            / self.contention.relative_work(units);
        self.present(volumes)
            .map(|curve| curve.latency_ms_p95(need.all, cores))
            .try_fold(0.0_f64, |a, b| Some(a.max(b?)))
    }

    /// The units beyond which more units do not help, where the data show them.
    pub fn ceiling(&self) -> Option<ScaleOutCeiling> {
        self.contention.ceiling()
    }

    /// Drifts that were found, oldest first.
    pub fn drifts(&self) -> &[UseDrift] {
        &self.drifts
    }

    /// Whether what was learned decides for a resource at these volumes, rather than the profile.
    pub fn decides(&self, resource: Resource, volumes: &[f64], units: f64) -> bool {
        RESOURCES
            .iter()
            .zip(&self.resources)
            .any(|(one, learned)| *one == resource && learned.evidence(volumes, units) >= DECIDES)
    }

    /// What is believed of each measured resource and type, beside the profile's word.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (resource, learned) in RESOURCES.into_iter().zip(&self.resources) {
            if learned.samples() == 0 {
                continue;
            }
            figures.extend((0..self.curves.len()).map(|kind| Figure {
                resource,
                kind,
                each: learned.each(kind),
                profile: learned.profile_each(kind),
                evidence: learned.evidence_of(kind),
                samples: learned.samples(),
            }));
        }
        figures
    }

    /// What a resource uses whatever is asked: of the whole component, and of each unit.
    pub fn base(&self, resource: Resource) -> (f64, f64) {
        let idle = vec![0.0; self.curves.len()];
        let place = RESOURCES.iter().position(|one| *one == resource);
        place.map_or((0.0, 0.0), |place| {
            let need = self.resources[place].need(&idle, Outlook::Sustained);
            (need.all, need.each_unit)
        })
    }

    /// The time constant with which memory follows the volume, in seconds; 0: at once.
    pub fn memory_follows_seconds(&self) -> f64 {
        self.resources[1].slow_seconds()
    }

    fn cpu_units(&self, volumes: &[f64], need: Need) -> f64 {
        let unit = self.unit.cpu.as_f64() / 1e3;
        let cores = self
            .present(volumes)
            .map(|curve| curve.cores_for(need.all))
            .fold(0.0, f64::max);
        let units = cores / (unit - need.each_unit).max(LEFT_FOR_REQUESTS * unit);
        self.contention.stretch(units).0
    }

    /// A need with its headroom.
    fn need(&self, place: usize, volumes: &[f64], outlook: Outlook) -> Need {
        let resource = &self.resources[place];
        let need = resource.need(volumes, outlook);
        let headroom = if place == 0 {
            1.0
        } else {
            1.0 + HEADROOM_DEVIATIONS * resource.noise()
        };
        Need {
            all: need.all * headroom,
            ..need
        }
    }

    /// The curves of the types that are asked for.
    fn present(&self, volumes: &[f64]) -> impl Iterator<Item = &StaffingCurve> {
        self.curves
            .iter()
            .zip(volumes)
            .filter(|(_, volume)| **volume > 0.0)
            .map(|(curve, _)| curve)
    }

    fn learn_contention(&mut self, sample: &UseSample<'_>, used: f64) {
        let Some(units) = sample.units else { return };
        let cpu = &self.resources[0];
        let unit = self.unit.cpu.as_f64() / 1e3;
        let trusted = cpu.evidence(sample.volumes, units) >= DECIDES;
        if sample.cut_off || used >= 0.9 * unit * units || !trusted {
            return;
        }
        let need = cpu.need(sample.volumes, Outlook::Sustained);
        let (base, each_unit) = self.base(Resource::Cpu);
        let requests = need.all - base;
        if requests > 0.0 {
            let work = used - base - each_unit * units;
            let weight = (sample.seconds / 300.0).clamp(0.01, 1.0);
            let keep = libm::exp2(-sample.seconds.min(3_600.0) / (7.0 * 86_400.0));
            self.contention.learn(units, work / requests, weight, keep);
        }
    }

    fn refresh_curves(&mut self) {
        for (kind, curve) in self.curves.iter_mut().enumerate() {
            let service = self.resources[0].each(kind);
            let off = service / curve.service_minutes();
            if !(1.0 - CURVE_TOLERANCE..=1.0 + CURVE_TOLERANCE).contains(&off) {
                *curve = curve.with_service_minutes(service);
            }
        }
    }
}

/// What one unit has of a resource, if that limits.
fn unit_amount(unit: &UnitSize, resource: Resource) -> Option<f64> {
    let amount = match resource {
        Resource::Cpu => Some(unit.cpu.as_f64() / 1e3),
        Resource::Memory => Some(unit.memory.as_f64()),
        Resource::DiskIo => unit.disk_io.map(|x| x.as_f64()),
        Resource::Bandwidth => unit.bandwidth.map(|x| x.as_f64()),
        Resource::Storage => unit.storage.map(|x| x.as_f64()),
        Resource::Unit => None,
    };
    amount.filter(|amount| *amount > 0.0)
}

impl Profiled {
    /// What the profile says that each interaction a minute takes, by type; of CPU the cores that it keeps busy.
    fn each(&self, resource: Resource) -> Vec<f64> {
        self.classes
            .iter()
            .map(|class| match resource {
                Resource::Cpu => class.curve.service_minutes(),
                Resource::Memory => class.memory_bytes,
                Resource::DiskIo => class.iops,
                Resource::Bandwidth => class.kilobits_per_second,
                Resource::Storage => class.storage_bytes,
                Resource::Unit => 0.0,
            })
            .collect()
    }

    fn curves(&self) -> Vec<StaffingCurve> {
        let classes = self.classes.iter();
        classes.map(|class| class.curve.clone()).collect()
    }
}
