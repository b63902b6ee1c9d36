//! Doing a thing twice is doing it once.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{
    Action, Budget, Cohort, DemandObserved, InstanceState, Inventory, MicroUsd, Observation,
    PerMinute, QuotaCount, Share,
};
use jiff::Timestamp;

use proptest::prelude::*;

use crate::quotas::{quota, with_zones};
use crate::support::{
    Choice, Shape, Site, calm, cases, choices, minutes, plain_site, usual_choice,
};

/// A provider without any delay: what is asked for is there when the call returns. What is given back takes of quotas and
/// money until the next step: gone at once, it would make room for what the first look had to leave out.
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
                    let held = self.cohorts.iter_mut().find(|cohort| cohort.has(range));
                    let cohort = held.expect("only what is listed is released");
                    // The newest of a cohort go first, so what is left still begins at its first.
                    assert_eq!(range.first + range.count, cohort.first + cohort.count);
                    cohort.count -= range.count;
                    let leaving = Cohort {
                        first: range.first,
                        count: range.count,
                        state: InstanceState::Draining,
                        since: now,
                        ..*cohort
                    };
                    self.cohorts.push(leaving);
                }
                _ => {}
            }
        }
        self.cohorts.retain(|cohort| cohort.count > 0);
    }

    /// The next step: what was asked for serves, and what was given back is gone.
    fn go_on(&mut self) {
        self.cohorts
            .retain(|cohort| cohort.state != InstanceState::Draining);
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
        provider.go_on();
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

/// What a fleet may have, chosen at random.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    zone_loss: Option<u32>,
    importance: (u8, u8),
    hard_cap: Option<u64>,
    vcpu_quota: Option<u64>,
}

/// A promise on zones, a hard cap, or a quota.
fn bounds() -> impl Strategy<Value = Bounds> {
    let bound = prop_oneof![
        (20_u32..90).prop_map(|percent| (Some(percent), None, None)),
        (1_u64..400).prop_map(|dollars| (None, Some(dollars), None)),
        (0_u64..160).prop_map(|vcpu| (None, None, Some(vcpu))),
    ];
    (bound, (1_u8..11, 1_u8..11)).prop_map(|((zone_loss, hard_cap, vcpu_quota), importance)| {
        Bounds {
            zone_loss,
            hard_cap,
            vcpu_quota,
            importance,
        }
    })
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn planning_twice_changes_nothing_under_a_promise_on_zones_a_hard_cap_or_a_quota(
        choice in choices(), bounds in bounds(), again in any::<bool>(),
    ) {
        let choice = Choice { policy: "fleetcast", ..choice };
        let mut site = choice.site(100);
        let share = bounds.zone_loss.and_then(|percent| Share::new(f64::from(percent) / 100.0));
        if share.is_some() {
            with_zones(&mut site, share);
        }
        let fleet = &mut site.config.fleet;
        fleet.components[0].sla.importance = bounds.importance.0;
        fleet.components[1].sla.importance = bounds.importance.1;
        fleet.budget = bounds.hard_cap.map(|dollars| Budget {
            monthly: MicroUsd::new(dollars * 1_000_000),
            hard_cap: Some(MicroUsd::new(dollars * 1_000_000)),
        });
        let limit = bounds.vcpu_quota;
        fleet.quotas = limit.map(|limit| quota("vcpu", limit, QuotaCount::Vcpu, &[])).into_iter().collect();
        check(&site, |before, after, told, provider, now| {
            if again {
                after.clone().step(now, &[provider.list(now)])
            } else {
                before.clone().step(now, &[told, &[provider.list(now)]].concat())
            }
        });
    }
}

#[test]
fn an_engine_that_is_woken_again_at_once_changes_nothing() {
    check_all(|_, after, _, provider, now| after.clone().step(now, &[provider.list(now)]));
}
