//! Use that is observed corrects the profiles: the fleet is bought for what requests really take, and deploys are
//! announced.

use fleetcast_engine::{DemandMap, Engine, LearnedView};
use fleetcast_model::{
    Bytes, ComponentIndex, DemandObserved, Dependency, InteractionType, MilliCores, Observation,
    PerMinute, Persona, Resource, ResourceUse, Units, UseDrift, UseObserved,
};
use fleetcast_sim::{SharedFits, Usage, simulate_sharing_fits};
use jiff::Timestamp;

use crate::support::{Choice, DAY, Log, START, Shape, Site, calm, minutes, name, usual_choice};

/// The documents' persona, with each profile's CPU and memory times a factor.
fn times(persona: &Persona, factor: f64) -> Persona {
    let mut changed = persona.clone();
    for profile in &mut changed.resource_profiles {
        profile.cpu = MilliCores::new((profile.cpu.as_f64() * factor) as u64);
        profile.memory = Bytes::new((profile.memory.as_f64() * factor) as u64);
    }
    changed
}

/// A site whose fleet really uses `factor` times what its persona says, from some step on.
fn site(days: usize, factors: &[(usize, f64)]) -> Site {
    let choice = Choice {
        room: 400,
        views: Shape {
            level: 9_000.0,
            marks: Vec::new(),
            ..calm(1)
        },
        ..usual_choice()
    };
    let mut site = choice.site(days * DAY);
    site.config.warm_up_steps = DAY as u64;
    let persona = site.config.persona.clone().expect("a persona");
    let truth = |(step, factor): &(usize, f64)| {
        let from = match step {
            0 => Timestamp::MIN,
            later => START + minutes(5) * *later as i32,
        };
        (from, times(&persona, *factor))
    };
    site.simulation.usage = Some(Usage {
        truths: factors.iter().map(truth).collect(),
        noise: 0.03,
        ..Usage::default()
    });
    site
}

/// Unserved demand of the front as a share, and its mean fleet over the mean need, from a step on.
fn since(log: &Log, step: usize) -> (f64, f64) {
    let web = log.intervals[step..].iter().map(|one| &one.components[0]);
    let (mut unserved, mut volume, mut ready, mut load) = (0.0, 0.0, 0.0, 0.0);
    for one in web {
        unserved += one.unserved;
        volume += one.volume;
        ready += one.serving.ready as f64;
        load += one.load;
    }
    (unserved / volume, ready / load)
}

fn learned(site: &Site, component: usize) -> LearnedView {
    let log = simulate_sharing_fits(
        site.config.clone(),
        &site.simulation,
        Nobody,
        &SharedFits::default(),
    );
    let (_, engine) = log.expect("a good configuration");
    engine
        .explain(component)
        .learned
        .expect("something was learned")
}

struct Nobody;

impl fleetcast_sim::Sink for Nobody {
    fn step(&mut self, _: &fleetcast_sim::Interval, _: &[Observation], _: &fleetcast_engine::Step) {
    }
}

fn drifts(log: &Log) -> Vec<(usize, UseDrift)> {
    let steps = log.steps.iter().enumerate();
    let found = |(step, decided): (usize, &fleetcast_engine::Step)| {
        let all = decided.components.iter().flat_map(|one| &one.use_drifts);
        all.map(|drift| (step, *drift)).collect::<Vec<_>>()
    };
    steps.flat_map(found).collect()
}

#[test]
fn a_profile_that_is_off_is_corrected_and_costs_what_a_right_one_does() {
    let right = since(&site(6, &[]).run(), 2 * DAY);
    for factor in [0.5, 2.0] {
        let log = site(6, &[(0, factor)]).run();
        let found = since(&log, 2 * DAY);
        assert!(
            found.0 < right.0 + 0.004,
            "×{factor}: {found:?}, with a right profile {right:?}"
        );
        assert!(
            found.1 < 1.12 * right.1,
            "×{factor}: {found:?}, with a right profile {right:?}"
        );
        assert_eq!(drifts(&log), []);
    }
}

#[test]
fn what_was_learned_is_told_beside_what_the_persona_says() {
    let view = learned(&site(3, &[(0, 2.0)]), 0);
    let cpu = view
        .figures
        .iter()
        .find(|one| one.resource == Resource::Cpu)
        .expect("CPU was measured");
    let ratio = cpu.each / cpu.profile;
    // The service time, not the cores with their headroom: a little under twice.
    assert!(ratio > 1.9 && ratio < 2.2, "{ratio}");
    assert!(view.decides.contains(&Resource::Cpu));
    assert!(cpu.samples > 600, "{}", cpu.samples);
}

#[test]
fn a_deploy_is_announced_and_bought_for() {
    let deployed = 4 * DAY + 100;
    for factor in [0.6, 1.6] {
        let log = site(6, &[(0, 1.0), (deployed, factor)]).run();
        let found: Vec<_> = drifts(&log)
            .into_iter()
            .filter(|(_, drift)| drift.resource == Resource::Cpu)
            .collect();
        assert!(!found.is_empty());
        for (step, drift) in &found {
            assert!((deployed..deployed + 36).contains(step), "{found:?}");
            // A fleet that is full uses what it has: the first word on a dearer version is too small.
            let (least, most) = if factor < 1.0 {
                (0.5, 0.75)
            } else {
                (1.05, 1.8)
            };
            assert!(least < drift.factor && drift.factor < most, "{found:?}");
        }
        assert!(found[0].0 < deployed + 12, "{found:?}");
        let (unserved, fleet) = since(&log, deployed + 36);
        assert!(unserved < 0.01 && fleet < 1.6, "{unserved} {fleet}");
    }
}

#[test]
fn a_recording_with_use_replays_byte_for_byte() {
    let site = site(2, &[(0, 2.0)]);
    let bytes = site.run().recording();
    assert!(bytes == site.run().recording(), "two runs differ");
    let text = String::from_utf8(bytes.clone()).expect("JSON is text");
    assert!(text.contains("{\"use\":{\"component\":0,"));
    let replay = fleetcast_sim::Replay::open(std::io::BufReader::new(&bytes[..]), |_, _| true);
    let (mut engine, mut world) = replay.expect("a recording");
    let same = fleetcast_sim::run_to_end(fleetcast_engine::drive(&mut engine, &mut world));
    assert_eq!(same.map_err(|error| error.to_string()), Ok(()));
    assert_eq!(world.steps, 2 * DAY as u64);
}

#[test]
fn a_stated_truth_is_what_a_fleet_is_judged_by_whether_or_not_somebody_looks_back() {
    let mut site = site(1, &[(0, 2.0)]);
    let load = |site: &Site| site.run().intervals[100].components[0].load;
    let stated = load(&site);
    let usage = site.simulation.usage.as_mut().expect("use is observed");
    let looked = usage.look_back(&site.config, &site.simulation.demand);
    assert_eq!(looked, Ok(()));
    assert_eq!(load(&site), stated);
}

#[test]
fn without_observed_use_nothing_is_learned_and_nothing_changes() {
    let mut plain = site(2, &[]);
    plain.simulation.usage = None;
    let log = plain.run();
    let text = String::from_utf8(log.recording()).expect("JSON is text");
    assert!(!text.contains("use_drifts") && !text.contains("scale_out_ceiling"));
    let (_, engine) = simulate_sharing_fits(
        plain.config.clone(),
        &plain.simulation,
        Nobody,
        &SharedFits::default(),
    )
    .expect("a good configuration");
    assert_eq!(engine.explain(0).learned, None);
}

/// Front, middle and back: the front calls the middle, both call the back, each as another type.
fn three_levels() -> Site {
    let mut site = usual_choice().site(1);
    let components = &mut site.config.fleet.components;
    let mut back = components[1].clone();
    back.name = name("back");
    back.serves = Vec::new();
    back.depends_on = Vec::new();
    let calls = |each: f64, kind| Dependency {
        component: name("back"),
        calls_per_interaction: each,
        interaction_type: kind,
    };
    components[0]
        .depends_on
        .push(calls(0.25, InteractionType::Search));
    components[1]
        .depends_on
        .push(calls(2.0, InteractionType::Transaction));
    // The one that is called stands first, so that the order of the document does not matter.
    components.insert(0, back);
    site
}

#[test]
fn demand_is_inherited_through_two_levels_and_mixed_types() {
    let site = three_levels();
    let map = DemandMap::new(&site.config.fleet, &site.config.interaction_types).expect("a map");
    let mut volumes = map.empty_volumes();
    // 1,000 views and 40 calls of users a minute.
    map.route(&[Some(1_000.0), Some(40.0)], &mut volumes);
    let of = |component: usize, kind: InteractionType| {
        let place = map.types_of(component).iter().position(|one| *one == kind);
        volumes[component][place.expect("a type")]
    };
    // The middle: 40 from users and 0.5 for each view.
    assert_eq!(of(2, InteractionType::ApiCall), Some(540.0));
    // The back: a quarter of a search for each view, and 2 transactions for each call of the middle.
    assert_eq!(of(0, InteractionType::Search), Some(250.0));
    assert_eq!(of(0, InteractionType::Transaction), Some(1_080.0));
    // What is not known above is not known below.
    map.route(&[Some(1_000.0), None], &mut volumes);
    let back = map.types_of(0).iter();
    let transactions = back
        .clone()
        .position(|one| *one == InteractionType::Transaction);
    let searches = back.clone().position(|one| *one == InteractionType::Search);
    assert_eq!(volumes[0][transactions.expect("a type")], None);
    assert_eq!(volumes[0][searches.expect("a type")], Some(250.0));
    // A front that is full cuts off both others; a middle that is full only the back.
    assert_eq!(map.called_by(&[false, true, false]), [true, false, true]);
    assert_eq!(map.called_by(&[false, false, true]), [true, false, false]);
    assert_eq!(map.called_by(&[true, false, false]), [false; 3]);
}

/// What the back part of a site is believed to use, after the front was as busy as this and the back used this part
/// of what its profile says.
fn believed_of_the_called(busy_front: f64, part: f64) -> f64 {
    let site = usual_choice().site(1);
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    let called = 900.0 + 4_500.0;
    // By the profile 600 calls a minute take a core, headroom included.
    let usual = called / 600.0 * 0.6;
    for step in 0..400 {
        let from = START + minutes(5) * step;
        let until = from + minutes(5);
        let used = |component: u16, cores: f64, units: u64| {
            Observation::Use(UseObserved {
                component: ComponentIndex(component),
                from,
                until,
                units: Some(Units::new(units)),
                used: ResourceUse {
                    cpu: Some(MilliCores::new((cores * 1e3) as u64)),
                    ..ResourceUse::default()
                },
                latency_ms_p95: None,
            })
        };
        let demand = Observation::Demand(DemandObserved {
            from,
            until,
            per_minute: vec![PerMinute::new(9_000.0), PerMinute::new(900.0)],
        });
        engine.step(
            until,
            &[
                demand,
                used(0, 40.0 * busy_front, 20),
                used(1, usual * part, 40),
            ],
        );
    }
    let view = engine.explain(1).learned.expect("something was learned");
    let cpu = view
        .figures
        .iter()
        .find(|one| one.resource == Resource::Cpu);
    cpu.map_or(1.0, |cpu| cpu.each / cpu.profile)
}

#[test]
fn a_called_component_learns_nothing_wrong_from_calls_that_its_caller_could_not_make() {
    let free = believed_of_the_called(0.5, 0.3);
    let cut_off = believed_of_the_called(0.97, 0.3);
    assert!(free < 0.6, "{free}");
    assert!((cut_off - 1.0).abs() < 1e-9, "{cut_off}");
}

#[test]
fn nothing_is_wanted_beyond_the_units_that_help() {
    let site = Choice {
        room: 2_000,
        ..usual_choice()
    }
    .site(1);
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    // A request costs 1 + κ·N(N − 1) times what it costs in a fleet of one: the most is carried by √(1 ÷ κ) = 100 units.
    let coherency = 0.000_1;
    let mut last = None;
    for step in 0..6 * DAY as i32 {
        let from = START + minutes(5) * step;
        let until = from + minutes(5);
        let wave = libm::sin(f64::from(step) * std::f64::consts::TAU / DAY as f64);
        let burst = if step >= 6 * DAY as i32 - 20 {
            30.0
        } else {
            1.0
        };
        let views = 11_000.0 * (1.0 + 0.75 * wave);
        let units = (views / 300.0).ceil();
        let cores = views / 400.0 * (1.0 + coherency * units * (units - 1.0));
        let demand = Observation::Demand(DemandObserved {
            from,
            until,
            per_minute: vec![PerMinute::new(views * burst), PerMinute::new(900.0)],
        });
        let used = Observation::Use(UseObserved {
            component: ComponentIndex(0),
            from,
            until,
            units: Some(Units::new(units as u64)),
            used: ResourceUse {
                cpu: Some(MilliCores::new((cores * 1e3) as u64)),
                ..ResourceUse::default()
            },
            latency_ms_p95: None,
        });
        let told = if burst > 1.0 {
            vec![demand]
        } else {
            vec![demand, used]
        };
        last = Some(engine.step(until, &told));
    }
    let ceiling = engine.explain(0).learned.and_then(|view| view.ceiling);
    let ceiling = ceiling.expect("a ceiling").units;
    assert!(ceiling > 80.0 && ceiling < 125.0, "{ceiling}");
    let report = &last.expect("a step").components[0];
    assert_eq!(report.scale_out_ceiling, Some(report.wanted));
    assert_eq!(report.wanted.as_f64(), ceiling.floor());
    assert_eq!(report.ledger.total(), report.wanted);
}
