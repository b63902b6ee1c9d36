//! Floors, ceilings and people's decisions hold in every step of every run, whatever demand does.

use std::collections::BTreeSet;

use fleetcast_engine::Step;
use fleetcast_model::{
    Action, InstanceRange, InstanceState, OverrideDecision, Share, Token, Units,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::{
    Choice, Log, Mark, STEP_SECONDS, Shape, Site, calm, cases, choices, listed, minutes, orders,
    own, plain_site, shapes, units_each, usual_choice,
};

/// What holds for one component at one moment, worked out from the documents.
#[derive(Clone, Copy, Debug)]
struct InForce {
    floor: u64,
    ceiling: u64,
    paused: bool,
    /// A person's decision may lower the fleet whatever is known.
    lowered: bool,
}

fn in_force(site: &Site, component: usize, now: Timestamp) -> InForce {
    let fleet = &site.config.fleet;
    let of = &fleet.components[component];
    let on = || {
        let all = site.config.overrides.iter();
        all.filter(|o| o.component == of.name && o.start <= now && now < o.expires)
            .map(|o| o.decision)
    };
    let ceiling = of.ceiling.get();
    let floor = on()
        .filter_map(|decision| match decision {
            OverrideDecision::Floor(units) => Some(units.get().min(ceiling)),
            _ => None,
        })
        .fold(of.floor.get(), u64::max);
    let lower = on()
        .filter_map(|decision| match decision {
            OverrideDecision::Ceiling(units) => Some(units.get().max(floor)),
            _ => None,
        })
        .fold(ceiling, u64::min);
    let pin = on()
        .filter_map(|decision| match decision {
            OverrideDecision::Pin(units) => Some(units.get().min(ceiling)),
            _ => None,
        })
        .next_back();
    InForce {
        floor: pin.unwrap_or(floor),
        ceiling: pin.unwrap_or(lower),
        paused: on().any(|decision| decision == OverrideDecision::Pause),
        lowered: pin.is_some() || lower < ceiling,
    }
}

/// Looks at each step of a run.
fn check(site: &Site) -> Log {
    let log = site.run();
    let mut tokens = BTreeSet::new();
    for (index, step) in log.steps.iter().enumerate() {
        for component in 0..site.config.fleet.components.len() {
            check_component(site, &log, index, component);
        }
        for action in &step.actions {
            if let Action::Order(order) = action {
                assert!(
                    tokens.insert(order.token),
                    "{:?} was used twice",
                    order.token
                );
            }
        }
    }
    log
}

fn check_component(site: &Site, log: &Log, index: usize, component: usize) {
    let step = &log.steps[index];
    let report = &step.components[component];
    let holds = in_force(site, component, step.now);
    let (ready, pending) = listed(&site.config, log.inventory(index), component);
    let have = ready + pending;
    let place = format!(
        "step {index} at {}, component {component}, {holds:?}",
        step.now
    );
    assert_eq!(
        (report.ready.get(), report.pending.get()),
        (ready, pending),
        "{place}"
    );
    let stated = site.config.fleet.components[component].ceiling.get();
    assert!(
        have <= stated,
        "{place}: {have} units under a ceiling of {stated}"
    );
    assert_eq!(report.ledger.total(), report.wanted, "{place}: the ledger");
    let wanted = report.wanted.get();
    assert!(
        (holds.floor.min(holds.ceiling)..=holds.ceiling).contains(&wanted),
        "{place}: {wanted} wanted"
    );
    let size = |offer: u16| units_each(&site.config, component, offer);
    let ordered: u64 = orders(step, component)
        .map(|order| u64::from(order.instances) * size(order.offer.0))
        .sum();
    assert_eq!(report.ordered.get(), ordered, "{place}: ordered");
    assert!(
        ordered == 0 || have + ordered <= holds.ceiling,
        "{place}: {ordered} ordered to {have}"
    );
    let (mut drained, mut cancelled) = (0, 0);
    for range in releases(step) {
        let Some(cohort) = own(log.inventory(index), component).find(|cohort| {
            cohort.token == range.token
                && cohort.first <= range.first
                && range.first < cohort.first + cohort.count
        }) else {
            continue; // Of another component.
        };
        assert!(
            range.first + range.count <= cohort.first + cohort.count,
            "{place}: {range:?} of {cohort:?}"
        );
        let units = u64::from(range.count) * size(cohort.offer.0);
        match cohort.state {
            InstanceState::InService => drained += units,
            InstanceState::Draining => panic!("{place}: {range:?} drains already"),
            _ => cancelled += units,
        }
    }
    assert_eq!(
        (report.drained.get(), report.cancelled.get()),
        (drained, cancelled),
        "{place}"
    );
    let released = drained + cancelled;
    assert!(
        released == 0 || have - released >= holds.floor,
        "{place}: {released} of {have} released"
    );
    assert!(
        ordered == 0 || released == 0,
        "{place}: both directions at once"
    );
    let stateful = site.config.fleet.components[component].stateful;
    assert!(
        !stateful || drained == 0,
        "{place}: a stateful unit was drained"
    );
    assert!(
        !holds.paused || ordered + released == 0,
        "{place}: a pause was broken"
    );
    let ours = site.config.policies[component].to_string() == "fleetcast";
    assert!(
        report.demand.is_some() || holds.lowered || !ours || released == 0,
        "{place}: {released} released on demand that nobody knows"
    );
}

fn releases(step: &Step) -> impl Iterator<Item = &InstanceRange> {
    step.actions.iter().filter_map(|action| match action {
        Action::Release(range) => Some(range),
        _ => None,
    })
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn limits_hold_whatever_the_documents_and_the_demand(choice in choices()) {
        check(&choice.site(500));
    }

    #[test]
    fn the_order_of_overrides_decides_nothing_but_the_last_pin(choice in choices()) {
        let mut choice: Choice = choice;
        choice.overrides.retain(|(_, decision, ..)| !matches!(decision, OverrideDecision::Pin(_)));
        let forward = choice.site(150).run();
        choice.overrides.reverse();
        let backward = choice.site(150).run();
        for (a, b) in forward.steps.iter().zip(&backward.steps) {
            prop_assert_eq!(&a.components, &b.components);
        }
    }

    #[test]
    fn limits_hold_in_the_plain_setting(shape in shapes(), boot in 0_i64..40) {
        check(&plain_site(&shape, 2, "fleetcast", minutes(boot)));
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn what_serves_is_not_given_back_for_what_still_boots(choice in choices()) {
        let log = choice.site(400).run();
        for step in &log.steps {
            for report in &step.components {
                let left = report.ready.saturating_sub(report.drained);
                prop_assert!(
                    report.drained == Units::ZERO || left >= report.wanted,
                    "{}: {} of {} in service drained, {} wanted, {} on their way",
                    step.now, report.drained, report.ready, report.wanted, report.pending
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_fleet_shrinks_no_faster_than_it_may_and_units_live_as_long_as_they_must(
        choice in choices(), percent in 5_u32..60, minutes in 0_i64..45,
    ) {
        let choice = Choice { policy: "fleetcast", ..choice };
        let mut site = choice.site(400);
        for component in &mut site.config.fleet.components {
            component.timing.scale_in_per_hour = Share::new(f64::from(percent) / 100.0);
            component.timing.lifetime = SignedDuration::from_mins(minutes);
        }
        let log = check(&site);
        for (index, step) in log.steps.iter().enumerate() {
            let steps = 3_600 / STEP_SECONDS as usize;
            let hour = &log.steps[(index + 1).saturating_sub(steps)..=index];
            for component in 0..step.components.len() {
                let all = hour.iter().map(|step| &step.components[component]);
                let most = all.clone().map(|report| report.ready.get()).max().unwrap_or(0);
                let now = step.components[component].drained;
                let drained: u64 = all.map(|report| report.drained.get()).sum();
                prop_assert!(
                    now == Units::ZERO || drained <= (most * u64::from(percent)).div_ceil(100),
                    "{}: {drained} of {most} drained within an hour", step.now
                );
            }
            for range in releases(step) {
                let listed = log.inventory(index).cohorts.iter().find(|cohort| cohort.token == range.token);
                let age = listed.map(|cohort| step.now.duration_since(cohort.since));
                prop_assert!(age >= Some(SignedDuration::from_mins(minutes)), "{} {age:?}", step.now);
            }
        }
    }
}

#[test]
fn a_persons_floor_outranks_a_persons_ceiling_whichever_was_said_first() {
    let (low, high) = (
        OverrideDecision::Ceiling(Units::new(10)),
        OverrideDecision::Floor(Units::new(60)),
    );
    for decisions in [[low, high], [high, low]] {
        let mut choice = usual_choice();
        choice.overrides = decisions.map(|decision| (0, decision, 50, 100)).to_vec();
        let log = check(&choice.site(200));
        let wanted = |step: usize| log.steps[step].components[0].wanted.get();
        assert!(
            (49..149).all(|step| wanted(step) == 60),
            "{decisions:?}: {}",
            wanted(60)
        );
    }
}

#[test]
fn a_blackout_of_telemetry_gives_nothing_back() {
    for begin in [100, 230, 400] {
        let blackout = (begin, 60, Mark::Missing);
        let shape = Shape {
            marks: vec![blackout],
            ..calm(6)
        };
        let log = check(&plain_site(&shape, 3, "fleetcast", minutes(10)));
        let during = &log.steps[begin..begin + 60];
        assert!(
            during
                .iter()
                .all(|step| step.components[0].demand.is_none())
        );
        assert!(during.iter().all(|step| releases(step).next().is_none()));
    }
}

#[test]
fn one_unknown_interaction_type_is_enough_to_give_nothing_back() {
    let mut choice = usual_choice();
    choice.views.marks = vec![(250, 100, Mark::Missing)];
    choice.calls.marks.clear();
    let site = choice.site(400);
    let log = check(&site);
    // `api` is called by `web`, whose views are unknown, while its own calls are known.
    for (index, step) in log.steps.iter().enumerate().skip(250).take(100) {
        let own_instances: BTreeSet<Token> =
            own(log.inventory(index), 1).map(|c| c.token).collect();
        assert!(
            releases(step).all(|range| !own_instances.contains(&range.token)),
            "step {index}"
        );
    }
    assert_eq!(log.steps[300].components[1].demand, None);
}

#[test]
fn a_pin_holds_from_its_first_moment_to_its_last() {
    let mut choice = usual_choice();
    choice.overrides = vec![(0, OverrideDecision::Pin(Units::new(33)), 100, 50)];
    let log = check(&choice.site(200));
    let wanted = |step: usize| log.steps[step].components[0].wanted.get();
    // Step 99 is decided at its end, which is when the pin begins; step 149 when it has expired.
    assert!((99..149).all(|step| wanted(step) == 33));
    assert!(wanted(98) != 33 && wanted(149) != 33);
}
