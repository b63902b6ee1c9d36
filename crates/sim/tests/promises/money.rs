//! Every bill can be worked out by hand, and limits on money hold before money is spent.

use std::collections::BTreeMap;

use fleetcast_engine::Step;
use fleetcast_model::{
    Action, Billing, Budget, ContentHash, FreezeWindow, Gate, InstanceState, MicroUsd, Mode,
    Observation, OverrideDecision, Token, Units,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::{
    Choice, Log, START, Shape, Site, cases, choices, listed, minutes, ordered_units, orders, own,
    shapes, units_each, usual_choice,
};

/// One instance's life, from the actions that were asked for.
struct Life {
    ordered: Timestamp,
    offer: usize,
    component: usize,
    /// `None`: it outlived the run.
    end: Option<Timestamp>,
}

/// All instances of a run.
fn lives(site: &Site, log: &Log) -> Vec<Life> {
    let mut lives: BTreeMap<(Token, u32), Life> = BTreeMap::new();
    for cohort in &log.inventory(0).cohorts {
        for id in cohort.first..cohort.first + cohort.count {
            let life = Life {
                ordered: site.config.start,
                offer: usize::from(cohort.offer.0),
                component: usize::from(cohort.component.0),
                end: None,
            };
            lives.insert((cohort.token, id), life);
        }
    }
    for (index, step) in log.steps.iter().enumerate() {
        for action in &step.actions {
            match action {
                Action::Order(order) => {
                    for id in 0..order.instances {
                        let life = Life {
                            ordered: step.now,
                            offer: usize::from(order.offer.0),
                            component: usize::from(order.component.0),
                            end: None,
                        };
                        lives.insert((order.token, id), life);
                    }
                }
                Action::Release(range) => {
                    let cohorts = &log.inventory(index).cohorts;
                    let cohort = cohorts.iter().find(|cohort| {
                        cohort.token == range.token
                            && (cohort.first..cohort.first + cohort.count).contains(&range.first)
                    });
                    let cohort = cohort.expect("what is released is listed");
                    let component = usize::from(cohort.component.0);
                    let drain = match cohort.state {
                        InstanceState::InService => site.simulation.lifecycles[component].drain,
                        _ => SignedDuration::ZERO,
                    };
                    for id in range.first..range.first + range.count {
                        let life = lives.get_mut(&(range.token, id)).expect("it was ordered");
                        assert_eq!(life.end, None, "released twice");
                        life.end = Some(step.now + drain);
                    }
                }
                _ => {}
            }
        }
    }
    lives.into_values().collect()
}

/// Seconds that are billed beyond what was used, of each instance that was ordered and given back within the run.
fn billed_in_vain(site: &Site) -> Vec<u64> {
    let log = site.run();
    let seconds = |life: &Life, end: Timestamp| end.duration_since(life.ordered).as_secs() as u64;
    let ended = lives(site, &log)
        .into_iter()
        .filter(|life| life.ordered > site.config.start);
    ended
        .filter_map(|life| {
            let used = seconds(&life, life.end?);
            let billing = site.config.offers[life.offer].billing;
            Some(billing.billed_seconds(used) - used)
        })
        .collect()
}

#[test]
fn one_offer_by_the_hour_goes_when_its_hour_is_over() {
    let hour = 3_600;
    let site = Choice {
        offers: 0b0001,
        billing: Billing {
            minimum_seconds: hour,
            granularity_seconds: hour,
        },
        ..usual_choice()
    }
    .site(1_440);
    let vain = billed_in_vain(&site);
    assert!(vain.len() > 20, "{vain:?}");
    let step = site.length().as_secs() as u64;
    assert!(vain.iter().all(|seconds| *seconds < step), "{vain:?}");
}

/// Works the bill out again from when each instance was ordered and ended.
fn check(site: &Site) {
    let log = site.run();
    let end = log.steps.last().expect("a step").now;
    let mut expected = vec![0_u128; site.config.fleet.components.len()];
    for life in lives(site, &log) {
        let offer = &site.config.offers[life.offer];
        let seconds = |until: Timestamp| until.duration_since(life.ordered).as_secs() as u64;
        let billed = match life.end {
            // What an instance owes beyond its end is on the bill of the step after.
            Some(gone) if gone <= end - site.length() => {
                let whole = u64::from(offer.billing.granularity_seconds);
                let minimum = u64::from(offer.billing.minimum_seconds);
                (seconds(gone).div_ceil(whole) * whole).max(minimum)
            }
            Some(gone) => seconds(gone.min(end)),
            None => seconds(end),
        };
        expected[life.component] += u128::from(offer.price.get()) * u128::from(billed);
    }
    for (component, expected) in expected.into_iter().enumerate() {
        let billed: u128 = log
            .intervals
            .iter()
            .map(|i| i.components[component].bill)
            .sum();
        assert_eq!(
            billed, expected,
            "component {component} of {:?}",
            site.config.policies
        );
    }
}

/// What has been billed up to a step, in micro-dollars.
fn billed_until(log: &Log, index: usize) -> u64 {
    let all: u128 = log.intervals[..=index]
        .iter()
        .flat_map(|interval| &interval.components)
        .map(|at| at.bill)
        .sum();
    u64::try_from(all / 3_600).expect("an amount of money")
}

/// What a step's orders cost over the two hours that changes are priced for.
fn cost(step: &Step, component: usize) -> u64 {
    orders(step, component)
        .map(|order| 2 * order.price.get() * u64::from(order.instances))
        .sum()
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn every_bill_can_be_worked_out_by_hand(choice in choices()) {
        let choice: Choice = choice;
        check(&choice.site(400));
    }

    #[test]
    fn the_hard_cap_is_never_passed_by_an_order(views in shapes(), cap_cents in 50_u64..2_000) {
        let mut site = Choice { views, ..usual_choice() }.site(300);
        let cap = cap_cents * 10_000;
        site.config.fleet.budget = Some(Budget {
            monthly: MicroUsd::new(cap / 2),
            hard_cap: Some(MicroUsd::new(cap)),
        });
        let log = site.run();
        let price = |offer: u16| site.config.offers[usize::from(offer)].price.get();
        for (index, step) in log.steps.iter().enumerate() {
            let new: u64 = (0..2).map(|component| cost(step, component)).sum();
            let listed = log.inventory(index).cohorts.iter();
            let rate: u64 = listed.map(|c| price(c.offer.0) * u64::from(c.count)).sum();
            // What ran before the engine's first look is on no ledger of its.
            let billed = billed_until(&log, index) - billed_until(&log, 0);
            let committed = billed + 2 * rate + new;
            // The ledger rounds to the micro-dollar, once for each component.
            prop_assert!(new == 0 || committed <= cap + 2, "step {}: {} of {}", index, committed, cap);
        }
    }

    #[test]
    fn nothing_over_the_threshold_is_ordered_without_an_approval(
        views in shapes(), threshold_cents in 1_u64..200, answered in any::<bool>(),
    ) {
        let mut site = Choice { views, ..usual_choice() }.site(300);
        let threshold = threshold_cents * 10_000;
        site.config.fleet.approval_threshold = Some(MicroUsd::new(threshold));
        site.simulation.approval_delay = answered.then_some(minutes(10));
        check_approvals(&site, threshold);
    }

    #[test]
    fn what_is_only_recommended_waits_for_an_approval(views in shapes(), answered in any::<bool>()) {
        let mut site = Choice { views, ..usual_choice() }.site(400);
        site.config.fleet.mode = Mode::Recommend;
        site.simulation.approval_delay = answered.then_some(minutes(10));
        check_approvals(&site, 0);
    }
}

/// Each order over the threshold is covered by an approval of so many units in all, given within the last hour
/// and a bit.
fn check_approvals(site: &Site, threshold: u64) {
    let log = site.run();
    let mut asked: Vec<(ContentHash, usize, u64)> = Vec::new();
    let mut granted: Vec<(usize, u64, Timestamp)> = Vec::new();
    for (index, step) in log.steps.iter().enumerate() {
        for observation in &log.seen[index] {
            if let Observation::Approval(approval) = observation {
                let known = asked
                    .iter()
                    .filter(|(token, ..)| *token == approval.change_set);
                granted.extend(known.map(|(_, component, units)| (*component, *units, step.now)));
            }
        }
        for component in 0..2 {
            let (ready, pending) = listed(&site.config, log.inventory(index), component);
            let all = ready + pending + ordered_units(site, step, component);
            let lasts = SignedDuration::from_mins(60);
            let covered = granted
                .iter()
                .any(|(of, units, at)| *of == component && all <= *units && step.now < *at + lasts);
            let cost = cost(step, component);
            assert!(
                cost <= threshold || covered,
                "step {index}: {cost} over the threshold of {threshold} was spent unasked"
            );
            asked.extend(step.actions.iter().filter_map(|action| match action {
                Action::RequestApproval(request)
                    if usize::from(request.component.0) == component =>
                {
                    Some((
                        request.change_set,
                        component,
                        ready + pending + request.units.get(),
                    ))
                }
                _ => None,
            }));
        }
    }
    let waited = log.steps.iter().flat_map(|step| &step.components);
    let held_back = waited
        .filter(|c| matches!(c.gate, Gate::NeedsApproval { .. }))
        .count();
    assert!(
        held_back == 0 || !asked.is_empty(),
        "held back, and nobody was asked"
    );
}

/// Orders and releases of a step, as units: beyond what the floor asks for.
fn check_untouched(site: &Site, log: &Log, index: usize, floor: u64) {
    let step = &log.steps[index];
    for component in 0..2 {
        let (ready, pending) = listed(&site.config, log.inventory(index), component);
        let missing = floor.saturating_sub(ready + pending);
        let largest = (0..site.config.offers.len() as u16)
            .map(|offer| units_each(&site.config, component, offer))
            .max();
        let ordered = ordered_units(site, step, component);
        let allowed = if missing == 0 {
            0
        } else {
            missing + largest.unwrap_or(1) - 1
        };
        assert!(
            ordered <= allowed,
            "step {index}: {ordered} ordered where the floor misses {missing}"
        );
        let released = step.components[component].cancelled + step.components[component].drained;
        assert_eq!(
            released,
            Units::ZERO,
            "step {index}: something was given back"
        );
    }
}

#[test]
fn who_only_observes_changes_nothing_not_even_for_a_floor() {
    let mut choice = usual_choice();
    choice.overrides = vec![
        (0, OverrideDecision::Floor(Units::new(70)), 100, 100),
        (1, OverrideDecision::Floor(Units::new(70)), 100, 100),
    ];
    let mut site = choice.site(400);
    site.config.fleet.mode = Mode::Observe;
    let log = site.run();
    let changes = |step: &Step| {
        step.components
            .iter()
            .any(|c| c.ordered + c.cancelled + c.drained > Units::ZERO)
    };
    assert!(!log.steps.iter().any(changes), "it changed something");
    let wanted = |step: &Step| step.components[0].wanted;
    let least = log.steps.iter().map(wanted).min();
    assert!(
        log.steps.iter().map(wanted).max() > least,
        "it still says what it would do"
    );
}

#[test]
fn a_freeze_window_holds_everything_but_the_floor() {
    let mut site = usual_choice().site(500);
    let at = |step: i32| START + minutes(5) * step;
    site.config.fleet.freeze_windows = vec![FreezeWindow {
        start: at(60),
        end: at(160),
        reason: "a test".to_string(),
    }];
    let log = site.run();
    let moved = |range: std::ops::Range<usize>| {
        let mut steps = range.map(|index| &log.steps[index]);
        steps.any(|step| {
            step.components
                .iter()
                .any(|c| c.ordered + c.cancelled + c.drained > Units::ZERO)
        })
    };
    // A step is decided at its end: step 59 in the first frozen moment, step 159 in the first after.
    for index in 59..159 {
        check_untouched(&site, &log, index, 2);
    }
    assert!(
        moved(0..59) && moved(159..400),
        "the demand is such that the fleet moves"
    );
}

#[test]
fn the_months_spending_begins_anew_with_the_month() {
    // Two days around the first of April, under a cap that March alone would use up.
    let mut site = Choice {
        views: Shape {
            marks: Vec::new(),
            ..usual_choice().views
        },
        ..usual_choice()
    }
    .site(1);
    let start: Timestamp = "2026-03-31T00:00:00Z".parse().expect("a moment");
    let values = |level: f64| {
        let busy = (0..576).map(|i| Some(level * (1.0 + 0.9 * f64::from(i % 97) / 97.0)));
        crate::support::series(start, busy.collect())
    };
    site.config.start = start;
    site.simulation.demand = vec![values(5_000.0), values(600.0)];
    let free = site.run();
    let first_day = billed_until(&free, 287);
    site.config.fleet.budget = Some(Budget {
        monthly: MicroUsd::new(first_day),
        hard_cap: Some(MicroUsd::new(first_day)),
    });
    let capped = site.run();
    let refused = |range: std::ops::Range<usize>| {
        let steps = &capped.steps[range];
        let gates = steps
            .iter()
            .flat_map(|step| &step.components)
            .map(|c| c.gate);
        gates
            .filter(|gate| matches!(gate, Gate::OverCap { .. }))
            .count()
    };
    assert!(refused(200..287) > 0, "March comes to its cap");
    assert_eq!(refused(288..320), 0, "April begins with nothing spent");
    assert!(own(capped.inventory(300), 0).next().is_some());
}
