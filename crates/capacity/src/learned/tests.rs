//! What learning from use promises, on made-up use with known truth.

use fleetcast_model::{Bytes, Iops, KilobitsPerSecond, MilliCores, Resource, UnitSize, UseDrift};
use jiff::Timestamp;

use super::*;
use crate::model::{CapacityModel, Class, Profiled};
use crate::staffing::StaffingCurve;
use fleetcast_model::Variability;

/// Seeded draws for tests.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn uniform(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }
}

const UNIT_CORES: f64 = 4.0;
const CORES_MAX: f64 = 400.0;
/// CPU seconds of a search and of a view by the profile.
const PROFILE_SECONDS: [f64; 2] = [0.9, 0.1];

/// A component that serves searches and views.
fn profiled(seconds: [f64; 2]) -> CapacityModel {
    let curve =
        StaffingCurve::from_profile(16.0, 1_000.0, 400.0, CORES_MAX, Variability::default());
    let class = |seconds: f64, memory: f64| Class {
        curve: curve.with_service_minutes(seconds / 60.0),
        memory_bytes: memory,
        iops: 0.5,
        kilobits_per_second: 0.0,
        storage_bytes: 0.0,
    };
    CapacityModel::Profiled(Profiled {
        unit: UnitSize {
            cpu: MilliCores::new((UNIT_CORES * 1e3) as u64),
            memory: Bytes::new(16_000_000_000),
            disk_io: Some(Iops::new(10_000)),
            bandwidth: Some(KilobitsPerSecond::new(1_000_000)),
            storage: None,
        },
        classes: vec![class(seconds[0], 4e6), class(seconds[1], 1e6)],
    })
}

/// A site by the minute: its volumes follow the day, and their mix changes over it.
struct Site {
    draws: Draws,
    minute: i64,
    noise: f64,
}

impl Site {
    fn new(seed: u64, noise: f64) -> Self {
        Self {
            draws: Draws::new(seed),
            minute: 9 * 60,
            noise,
        }
    }

    fn volumes_at(minute: i64) -> [f64; 2] {
        let day = std::f64::consts::TAU * minute as f64 / 1_440.0;
        let searches = 900.0 * (1.0 - 0.7 * libm::cos(day));
        let views = 6_000.0 * (1.0 - 0.5 * libm::cos(day - 0.8));
        [searches, views]
    }

    /// The next minute's volumes, and noise to multiply a use by.
    fn next(&mut self) -> ([f64; 2], f64) {
        self.minute += 1;
        let noise = 1.0 + self.noise * self.draws.normal();
        (Self::volumes_at(self.minute), noise.max(0.0))
    }
}

/// Lets a component be watched for so many minutes: `used` says what it uses of CPU, in cores, and memory.
fn watch(
    learned: &mut LearnedUse,
    site: &mut Site,
    minutes: usize,
    mut used: impl FnMut([f64; 2]) -> (f64, Option<f64>),
) -> Vec<UseDrift> {
    let mut found = Vec::new();
    for _ in 0..minutes {
        let (volumes, noise) = site.next();
        let (cores, memory) = used(volumes);
        found.extend(learned.learn(&UseSample {
            from: Timestamp::from_second(site.minute * 60).unwrap(),
            seconds: 60.0,
            volumes: &volumes,
            units: Some(60.0),
            used: [Some(cores * noise), memory, None, None, None],
            cut_off: false,
        }));
    }
    found
}

fn cores(seconds: [f64; 2], volumes: [f64; 2]) -> f64 {
    (seconds[0] * volumes[0] + seconds[1] * volumes[1]) / 60.0
}

fn learner() -> LearnedUse {
    LearnedUse::new(&profiled(PROFILE_SECONDS), 300.0).unwrap()
}

/// The units that a model with these true seconds needs, beside what was learned.
fn error_of(learned: &LearnedUse, truth: [f64; 2], minute: i64) -> f64 {
    let volumes = Site::volumes_at(minute);
    let found = learned.load(&volumes, Outlook::AtArrival).units;
    found / profiled(truth).load(&volumes).units - 1.0
}

#[test]
fn a_profile_that_is_off_by_half_or_double_is_corrected_within_the_hour() {
    for factor in [0.5, 2.0] {
        let truth = PROFILE_SECONDS.map(|seconds| seconds * factor);
        let mut learned = learner();
        let mut site = Site::new(1, 0.03);
        let first = error_of(&learned, truth, site.minute);
        watch(&mut learned, &mut site, 60, |v| (cores(truth, v), None));
        let hour = error_of(&learned, truth, site.minute);
        assert!(hour.abs() < 0.05, "×{factor}: {first} became {hour}");
        watch(&mut learned, &mut site, 1_380, |v| (cores(truth, v), None));
        for hour in [3, 9, 15, 21] {
            let day = error_of(&learned, truth, hour * 60);
            assert!(day.abs() < 0.02, "×{factor}, at {hour}: {day}");
        }
    }
}

#[test]
fn types_are_told_apart_once_their_mix_has_changed() {
    let truth = [1.8, 0.1];
    let mut learned = learner();
    let mut site = Site::new(2, 0.03);
    let drifts = watch(&mut learned, &mut site, 3 * 1_440, |v| {
        (cores(truth, v), None)
    });
    let each: Vec<f64> = learned
        .figures()
        .iter()
        .map(|one| one.each * 60.0)
        .collect();
    assert!(
        (each[0] - 1.8).abs() < 0.06 && (each[1] - 0.1).abs() < 0.01,
        "{each:?}"
    );
    assert_eq!(drifts, []);
}

#[test]
fn a_right_profile_is_left_alone_and_so_is_one_without_samples() {
    let volumes = Site::volumes_at(720);
    let model = profiled(PROFILE_SECONDS);
    let mut learned = learner();
    let same = learned.load(&volumes, Outlook::AtArrival);
    assert!((same.units / model.load(&volumes).units - 1.0).abs() < 1e-9);
    assert!(!learned.decides(Resource::Cpu, &volumes, 60.0));
    let mut site = Site::new(3, 0.05);
    for _ in 0..8 {
        watch(&mut learned, &mut site, 180, |v| {
            (cores(PROFILE_SECONDS, v), None)
        });
        assert!(error_of(&learned, PROFILE_SECONDS, 720).abs() < 0.04);
    }
    assert!(learned.decides(Resource::Cpu, &volumes, 60.0));
}

#[test]
fn a_few_wild_samples_do_not_swing_the_requirement() {
    let mut learned = learner();
    let mut site = Site::new(4, 0.0);
    watch(&mut learned, &mut site, 1, |v| {
        (3.0 * cores(PROFILE_SECONDS, v), None)
    });
    let after_one = error_of(&learned, PROFILE_SECONDS, site.minute);
    assert!(
        after_one < 0.7,
        "one sample of three times the use: {after_one}"
    );
    watch(&mut learned, &mut site, 240, |v| {
        (cores(PROFILE_SECONDS, v), None)
    });
    watch(&mut learned, &mut site, 3, |v| {
        (8.0 * cores(PROFILE_SECONDS, v).min(20.0), None)
    });
    let after = error_of(&learned, PROFILE_SECONDS, site.minute);
    assert!(after.abs() < 0.03, "{after}");
}

#[test]
fn a_full_fleet_teaches_that_more_is_needed_and_never_that_less_would_do() {
    // The profile says half of the truth, and the fleet is only as large as the profile asks.
    let truth = PROFILE_SECONDS.map(|seconds| seconds * 2.0);
    let mut learned = learner();
    let mut site = Site::new(5, 0.02);
    let full = 60.0 * UNIT_CORES;
    watch(&mut learned, &mut site, 120, |v| {
        ((3.0 * cores(truth, v)).min(0.97 * full), None)
    });
    let up = error_of(&learned, PROFILE_SECONDS, site.minute);
    assert!(up > 0.5, "{up}");
    // And one that says twice the truth is not corrected downwards by a fleet that has nothing left.
    let mut learned = learner();
    for minute in 0..120 {
        let volumes = Site::volumes_at(720);
        let there = 0.5 * cores(PROFILE_SECONDS, volumes);
        learned.learn(&UseSample {
            from: Timestamp::from_second(minute * 60).unwrap(),
            seconds: 60.0,
            volumes: &volumes,
            units: Some(there / UNIT_CORES),
            used: [Some(there), None, None, None, None],
            cut_off: false,
        });
    }
    assert!(error_of(&learned, PROFILE_SECONDS, 720).abs() < 1e-9);
}

#[test]
fn demand_that_was_cut_off_upstream_teaches_nothing_wrong() {
    let mut learned = learner();
    for minute in 0..600 {
        let volumes = Site::volumes_at(minute);
        let drifts = learned.learn(&UseSample {
            from: Timestamp::from_second(minute * 60).unwrap(),
            seconds: 60.0,
            volumes: &volumes,
            units: Some(60.0),
            used: [
                Some(0.4 * cores(PROFILE_SECONDS, volumes)),
                None,
                None,
                None,
                None,
            ],
            cut_off: true,
        });
        assert_eq!(drifts, []);
    }
    assert!(error_of(&learned, PROFILE_SECONDS, 720).abs() < 1e-9);
}

#[test]
fn a_deploy_is_announced_with_its_size_and_learned_within_hours() {
    for factor in [0.6, 1.5] {
        let after = PROFILE_SECONDS.map(|seconds| seconds * factor);
        let mut learned = learner();
        let mut site = Site::new(6, 0.03);
        let quiet = watch(&mut learned, &mut site, 4 * 1_440, |v| {
            (cores(PROFILE_SECONDS, v), None)
        });
        assert_eq!(quiet, []);
        let deployed = site.minute;
        let found = watch(&mut learned, &mut site, 60, |v| (cores(after, v), None));
        let [drift] = found[..] else {
            panic!("×{factor}: {found:?}");
        };
        assert_eq!(drift.resource, Resource::Cpu);
        assert!((drift.factor / factor - 1.0).abs() < 0.12, "{drift:?}");
        let since = drift.since.as_second() / 60 - deployed;
        let found_after = drift.found.as_second() / 60 - deployed;
        assert!(
            (-10..=15).contains(&since) && found_after <= 30,
            "{since} {found_after}"
        );
        let hour = error_of(&learned, after, site.minute);
        assert!(hour.abs() < 0.05, "×{factor}: {hour}");
        watch(&mut learned, &mut site, 240, |v| (cores(after, v), None));
        let later = error_of(&learned, after, site.minute);
        assert!(later.abs() < 0.03, "×{factor}: {later}");
    }
}

#[test]
fn memory_that_follows_slowly_is_found_to_do_so() {
    let mut learned = learner();
    let mut site = Site::new(7, 0.02);
    let mut average = 0.0;
    let gigabytes = |volumes: [f64; 2]| 20e9 + 20e6 * volumes[0] + 6e6 * volumes[1];
    watch(&mut learned, &mut site, 5 * 1_440, |v| {
        let now = gigabytes(v);
        average += (now - average) / if average == 0.0 { 1.0 } else { 180.0 };
        (cores(PROFILE_SECONDS, v), Some(average))
    });
    assert_eq!(learned.memory_follows_seconds(), 10_800.0);
    // A burst asks for little more memory at arrival, and for all of it where it lasts.
    let volumes = Site::volumes_at(site.minute);
    let burst = volumes.map(|volume| volume * 3.0);
    let amount = |volumes: &[f64], outlook| learned.amounts(volumes, outlook).memory_bytes;
    let now = amount(&volumes, Outlook::AtArrival);
    assert!(amount(&burst, Outlook::AtArrival) < 1.15 * now);
    assert!(amount(&burst, Outlook::Sustained) > 2.0 * now);
}

#[test]
fn memory_that_each_unit_takes_by_itself_leaves_less_of_a_unit() {
    let mut learned = learner();
    let mut draws = Draws::new(8);
    for minute in 0..5 * 1_440_i64 {
        let volumes = Site::volumes_at(minute);
        // The fleet's size is not bound to the volume, so that both can be told apart.
        let units = 40.0 + (20.0 * libm::sin(minute as f64 / 300.0)).round();
        let memory = 6e9 * units + 30e6 * volumes[0] + 8e6 * volumes[1];
        learned.learn(&UseSample {
            from: Timestamp::from_second(minute * 60).unwrap(),
            seconds: 60.0,
            volumes: &volumes,
            units: Some(units),
            used: [
                None,
                Some(memory * (1.0 + 0.01 * draws.normal())),
                None,
                None,
                None,
            ],
            cut_off: false,
        });
    }
    let (_, each) = learned.base(Resource::Memory);
    assert!((each / 6e9 - 1.0).abs() < 0.1, "{each}");
    let volumes = Site::volumes_at(720);
    let exact = (30e6 * volumes[0] + 8e6 * volumes[1]) / 10e9;
    let load = learned.load(&volumes, Outlook::Sustained);
    // Noise of 1 % has its headroom of 1.6 %.
    assert!(
        load.units / exact > 0.95 && load.units / exact < 1.1,
        "{load:?} of {exact}"
    );
}

#[test]
fn growing_work_per_request_in_growing_fleets_gives_a_ceiling() {
    let mut learned = learner();
    let mut draws = Draws::new(9);
    let (contention, coherency) = (0.001, 0.000_08);
    for minute in 0..7 * 1_440_i64 {
        let volumes = Site::volumes_at(minute);
        let units = (cores(PROFILE_SECONDS, volumes) * 2.5).ceil();
        let work = 1.0 + contention * (units - 1.0) + coherency * units * (units - 1.0);
        let used = cores(PROFILE_SECONDS, volumes) * work * (1.0 + 0.02 * draws.normal());
        learned.learn(&UseSample {
            from: Timestamp::from_second(minute * 60).unwrap(),
            seconds: 60.0,
            volumes: &volumes,
            units: Some(units),
            used: [Some(used), None, None, None, None],
            cut_off: false,
        });
    }
    // √((1 − 0.001) ÷ 0.00008) = 111.7
    let ceiling = learned.ceiling().expect("a ceiling");
    assert!(ceiling.units > 80.0 && ceiling.units < 150.0, "{ceiling:?}");
    let huge = Site::volumes_at(720).map(|volume| volume * 20.0);
    assert!(learned.load(&huge, Outlook::Sustained).units <= ceiling.units + 1e-9);
}

#[test]
fn nonsense_is_not_learned() {
    let mut learned = learner();
    let before = learned.clone();
    for used in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        learned.learn(&UseSample {
            from: Timestamp::UNIX_EPOCH,
            seconds: 60.0,
            volumes: &[100.0, 100.0],
            units: Some(3.0),
            used: [Some(used), None, None, None, None],
            cut_off: false,
        });
    }
    assert_eq!(learned, before);
    assert_eq!(LearnedUse::new(&CapacityModel::plain(10.0), 300.0), None);
}
