//! A dead engine leaves a fleet that runs and does not grow, of two engines one acts, and none flaps.

use std::convert::Infallible;

use fleetcast_engine::{Engine, Step, World};
use fleetcast_model::{Action, Cohort, InstanceState, Observation, Order, Renewal, Token, Units};
use fleetcast_sim::{BootTime, Interval, Sim, Sink, run_to_end};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::{Choice, STEP_SECONDS, Site, cases, choices, minutes, usual_choice};

/// An order that nobody renews is given up after so long.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
const STEP: SignedDuration = SignedDuration::from_secs(STEP_SECONDS as i64);

struct Nobody;

impl Sink for Nobody {
    fn step(&mut self, _: &Interval, _: &[Observation], _: &Step) {}
}

/// A world, told step by step.
struct Told<'a>(Sim<'a, Nobody>);

impl<'a> Told<'a> {
    fn new(site: &'a Site) -> Self {
        Self(Sim::new(&site.config, &site.simulation, Nobody).expect("a good configuration"))
    }

    fn look(&mut self, wake_at: Timestamp) -> Option<(Timestamp, Vec<Observation>)> {
        let mut seen = Vec::new();
        let told: Result<_, Infallible> = run_to_end(self.0.observe(wake_at, &mut seen));
        told.expect("nothing fails").map(|now| (now, seen))
    }

    fn start(&mut self, step: Step) {
        let started: Result<(), Infallible> = run_to_end(self.0.start(step));
        started.expect("nothing fails");
    }
}

fn listed(seen: &[Observation]) -> Vec<Cohort> {
    let found = seen.iter().find_map(|one| match one {
        Observation::Inventory(inventory) => Some(inventory.cohorts.clone()),
        _ => None,
    });
    found.expect("the simulated cloud lists its fleet in every step")
}

fn count(cohorts: &[Cohort], of: impl Fn(InstanceState) -> bool) -> u64 {
    let own = cohorts.iter().filter(|cohort| of(cohort.state));
    own.map(|cohort| u64::from(cohort.count)).sum()
}

/// Whether an action touches the cloud.
fn touches(action: &Action) -> bool {
    !matches!(action, Action::Fit(_) | Action::UpdateFleetState(_))
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn when_the_engine_dies_what_serves_goes_on_and_nothing_grows(
        choice in choices(), last in 20_usize..200, boot in 1_i64..90,
    ) {
        let boot = BootTime::Fixed(minutes(boot));
        let choice = Choice { boot, ..choice };
        let site = choice.site(260);
        let mut world = Told::new(&site);
        let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
        let mut wake_at = engine.wake_at();
        let mut died = None;
        let mut index = 0;
        while let Some((now, seen)) = world.look(wake_at) {
            let cohorts = listed(&seen);
            let serves = count(&cohorts, |state| state == InstanceState::InService);
            if index < last {
                let step = engine.step(now, &seen);
                wake_at = step.wake_at;
                world.start(step);
            } else {
                wake_at = now + STEP;
                let (at, before) = *died.get_or_insert((now, serves));
                prop_assert_eq!(serves, before, "what serves goes on");
                if now.duration_since(at) >= LEASE {
                    let coming = count(&cohorts, InstanceState::is_on_order);
                    prop_assert_eq!(coming, 0, "{}", now);
                }
            }
            index += 1;
        }
        prop_assert!(died.is_some());
    }

    #[test]
    fn while_the_engine_lives_whatever_boots_for_hours_is_waited_for(choice in choices()) {
        let boot = BootTime::Fixed(minutes(100));
        let log = Choice { boot, overrides: Vec::new(), ..choice }.site(300).run();
        for (index, step) in log.steps.iter().enumerate().skip(1) {
            // What was on its way and is not listed any more was given back.
            let before = &log.inventory(index - 1).cohorts;
            let after = &log.inventory(index).cohorts;
            for cohort in before.iter().filter(|cohort| cohort.state.is_on_order()) {
                let here = |token: Token| after.iter().any(|other| other.token == token);
                if !here(cohort.token) {
                    let released = log.steps[index - 1].actions.iter().any(|action| {
                        matches!(action, Action::Release(range) if range.token == cohort.token)
                    });
                    prop_assert!(released, "{} lapsed before {}", cohort.token, step.now);
                }
            }
            for action in &step.actions {
                if let Action::Order(Order { lease_until, .. }) | Action::Renew(Renewal { lease_until, .. }) = action {
                    prop_assert_eq!(*lease_until, step.now + LEASE);
                }
            }
        }
    }

    #[test]
    fn of_two_engines_that_believe_they_lead_one_acts(
        choice in choices(), takes_over in 20_usize..150, turns in any::<u64>(),
    ) {
        let site = choice.site(200);
        let run = |with_old: bool| {
            let mut world = Told::new(&site);
            let mut old = Engine::new(site.config.clone()).expect("a good configuration");
            let mut new: Option<Engine> = None;
            let mut lists = Vec::new();
            let mut wake_at = old.wake_at();
            let mut index = 0;
            while let Some((now, seen)) = world.look(wake_at) {
                lists.push(listed(&seen));
                let theirs: Vec<Observation> =
                    seen.iter().filter(|one| !matches!(one, Observation::Fenced(_))).cloned().collect();
                let mut steps = Vec::new();
                if with_old || new.is_none() {
                    // It is told that it leads no more, or is not, as when the answer is lost.
                    let heard = if turns & 2 == 0 { &seen } else { &theirs };
                    let step = old.step(now, heard);
                    assert!(old.deposed_by().is_none() || !step.actions.iter().any(touches));
                    steps.push(step);
                }
                if let Some(new) = &mut new {
                    let step = new.step(now, &theirs);
                    assert_eq!(step.term, 2);
                    let place = if turns >> (index % 64) & 1 == 0 { steps.len() } else { 0 };
                    steps.insert(place, step);
                }
                wake_at = now + STEP;
                for step in steps {
                    world.start(step);
                }
                index += 1;
                if index == takes_over {
                    let mut leader = old.clone();
                    leader.lead(2);
                    world.0.fence(2);
                    new = Some(leader);
                }
            }
            (lists, old.deposed_by())
        };
        let (alone, _) = run(false);
        let (beside_another, deposed) = run(true);
        prop_assert!(alone == beside_another, "the old one acted");
        prop_assert_eq!(deposed, (turns & 2 == 0).then_some(2));
    }

    #[test]
    fn a_component_changes_its_direction_no_more_often_than_it_may(choice in choices(), most in 3_u32..9) {
        let mut choice = Choice { policy: "fleetcast", overrides: Vec::new(), ..choice };
        choice.views.noise = 1.5;
        let mut site = choice.site(400);
        for component in &mut site.config.fleet.components {
            component.timing.direction_changes_per_hour = most;
        }
        let log = site.run();
        for place in 0..2 {
            let mut grew = None;
            let mut changes: Vec<Timestamp> = Vec::new();
            for step in &log.steps {
                let report = &step.components[place];
                let (grows, shrinks) = (
                    report.ordered > Units::ZERO,
                    report.cancelled + report.drained > Units::ZERO,
                );
                prop_assert!(!(grows && shrinks));
                if (grows || shrinks) && grew.replace(grows) == Some(!grows) {
                    changes.push(step.now);
                }
                let hour = changes.iter().rev().take_while(|at| step.now.duration_since(**at).as_hours() < 1);
                prop_assert!(hour.count() <= most as usize, "{} {changes:?}", step.now);
            }
        }
    }
}

#[test]
fn a_message_of_a_dead_engine_that_comes_late_starts_nothing() {
    let site = usual_choice().site(40);
    let mut world = Told::new(&site);
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    let (now, seen) = world.look(engine.wake_at()).expect("a step");
    let mut step = engine.step(now, &seen);
    let order = |token: u64, lease_until: Timestamp| {
        Action::Order(Order {
            token: Token(token),
            component: fleetcast_model::ComponentIndex(0),
            offer: fleetcast_model::OfferIndex(0),
            instances: 5,
            ready_by: now,
            price: site.config.offers[0].price,
            standby: false,
            lease_until,
        })
    };
    step.actions = vec![order(1, now), order(2, now + minutes(6))];
    world.start(step);
    let (later, seen) = world.look(now + STEP).expect("a step");
    let tokens = |seen: &[Observation]| -> Vec<u64> {
        let all = listed(seen);
        let orders = all
            .iter()
            .map(|cohort| cohort.token.0)
            .filter(|token| *token < 9);
        orders.collect()
    };
    assert!(tokens(&seen).iter().all(|token| *token == 2) && !tokens(&seen).is_empty());
    // Healthy, and nobody has put it into service.
    let (_, seen) = world.look(later + STEP).expect("a step");
    assert!(tokens(&seen).is_empty());
}
