//! Doing a thing twice is doing it once.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{
    Action, Cohort, DemandObserved, InstanceState, Inventory, Observation, PerMinute,
};
use jiff::Timestamp;

use crate::support::{Shape, Site, calm, minutes, plain_site, usual_choice};

/// A provider without any delay: what is asked for is there when the call returns.
#[derive(Default)]
struct AtOnce {
    cohorts: Vec<Cohort>,
}

impl AtOnce {
    fn carry_out(&mut self, actions: &[Action], now: Timestamp) {
        for action in actions {
            match action {
                Action::Order(order) => self.cohorts.push(Cohort {
                    token: order.token,
                    first: 0,
                    count: order.instances,
                    component: order.component,
                    offer: order.offer,
                    state: InstanceState::Booting,
                    since: now,
                }),
                Action::Release(range) => {
                    let held = self
                        .cohorts
                        .iter_mut()
                        .find(|cohort| cohort.token == range.token);
                    let cohort = held.expect("only what is listed is released");
                    // The newest of a cohort go first, so what is left still begins at its first.
                    assert_eq!(range.first + range.count, cohort.first + cohort.count);
                    cohort.count -= range.count;
                }
                _ => {}
            }
        }
        self.cohorts.retain(|cohort| cohort.count > 0);
    }

    fn serve(&mut self) {
        for cohort in &mut self.cohorts {
            cohort.state = InstanceState::InService;
        }
    }

    fn list(&self, now: Timestamp) -> Observation {
        Observation::Inventory(Inventory {
            as_of: now,
            complete: true,
            cohorts: self.cohorts.clone(),
        })
    }
}

/// Steps through the demand, and decides each step in two ways: the second time with the first plan carried out.
fn check(
    site: &Site,
    ask_again: impl Fn(&Engine, &Engine, &[Observation], &AtOnce, Timestamp) -> Step,
) {
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    let mut provider = AtOnce::default();
    let demand = &site.simulation.demand;
    let mut told: Vec<Observation> = Vec::new();
    for index in 0..demand[0].len() {
        let from = demand[0].timestamp(index);
        let now = from + site.length();
        let per_minute = demand
            .iter()
            .map(|series| series.get(index).and_then(PerMinute::new));
        told.push(Observation::Demand(DemandObserved {
            from,
            until: now,
            per_minute: per_minute.collect(),
        }));
        let before = engine.clone();
        let step = engine.step(now, &[told.clone(), vec![provider.list(now)]].concat());
        provider.carry_out(&step.actions, now);
        let second = ask_again(&before, &engine, &told, &provider, now);
        let moved = second
            .actions
            .iter()
            .find(|action| matches!(action, Action::Order(_) | Action::Release(_)));
        assert_eq!(moved, None, "{} in step {index}", site.config.policies[0]);
        provider.serve();
        told.clear();
        told.extend(step.fits.iter().map(|job| Observation::Fitted(job.run())));
    }
}

/// A day without surprises, decided by everybody whose rule is not a limit of change for each look.
fn check_all(ask_again: impl Fn(&Engine, &Engine, &[Observation], &AtOnce, Timestamp) -> Step) {
    let steady = Shape {
        marks: Vec::new(),
        ..calm(7)
    };
    for text in ["fleetcast", "hpa:0.6", "react:1.2", "max:0.8", "static:40"] {
        check(&plain_site(&steady, 2, text, minutes(10)), &ask_again);
    }
    check(&usual_choice().site(288), &ask_again);
}

#[test]
fn planning_twice_changes_nothing() {
    check_all(|before, _, told, provider, now| {
        let told = [told, &[provider.list(now)]].concat();
        before.clone().step(now, &told)
    });
}

#[test]
fn an_engine_that_is_woken_again_at_once_changes_nothing() {
    check_all(|_, after, _, provider, now| after.clone().step(now, &[provider.list(now)]));
}
