//! What a person is asked to approve is what is done: each unit with its reason, each change under its hash.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{
    Action, Budget, Change, ChangeAction, Gate, MicroUsd, MilliPerMinute, Mode, OverrideDecision,
    Reason, Share, StatedForecast, Units, change_set_hash,
};
use proptest::prelude::*;

use crate::support::{
    Choice, Log, Mark, STEP_SECONDS, Shape, Site, cases, choices, listed, minutes, name,
    ordered_units, shapes, usual_choice,
};

/// Runs a site again, step by step, with the engine at hand after each.
fn follow(site: &Site, log: &Log, mut look: impl FnMut(usize, &Engine, &Step)) {
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    for (index, (seen, step)) in log.seen.iter().zip(&log.steps).enumerate() {
        engine.step(step.now, seen);
        look(index, &engine, step);
    }
}

/// Units of the changes of one component, by action.
fn units(changes: &[Change], component: &str, action: ChangeAction) -> Units {
    let own = changes.iter().filter(|change| {
        change.bound.component == name(component) && change.bound.action == action
    });
    own.map(|change| change.units).sum()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn each_unit_of_each_change_has_one_reason(choice in choices(), recommended in any::<bool>()) {
        let mut site = Choice::site(&choice, 300);
        if recommended {
            site.config.fleet.mode = Mode::Recommend;
        }
        let log = site.run();
        follow(&site, &log, |index, engine, step| {
            let changes = engine.changes(step);
            for change in &changes {
                let reasoned: Units = change.reasons.iter().map(|(_, units)| *units).sum();
                assert_eq!(reasoned, change.units, "step {index}: {change:?}");
                let cost = change.cost;
                assert!(cost.low <= cost.expected && cost.expected <= cost.high, "{cost:?}");
            }
            for (component, report) in ["web", "api"].into_iter().zip(&step.components) {
                let planned = report.withheld.as_ref().map_or(report.ordered, |plan| plan.ordered());
                assert_eq!(units(&changes, component, ChangeAction::Add), planned, "step {index}");
                // Units that are wanted have the reason that the ledger gives them.
                let of_ledger: Units = changes
                    .iter()
                    .filter(|change| change.bound.component == name(component))
                    .flat_map(|change| &change.reasons)
                    .filter(|(reason, _)| !matches!(reason, Reason::WholeInstances | Reason::Surplus))
                    .map(|(_, units)| *units)
                    .sum();
                assert!(of_ledger <= report.ledger.total(), "step {index}");
            }
        });
    }

    #[test]
    fn an_approval_of_a_document_is_an_approval_of_the_engines_request(
        views in shapes(), threshold_cents in 1_u64..100,
    ) {
        let mut site = Choice { views, ..usual_choice() }.site(200);
        site.config.fleet.approval_threshold = Some(MicroUsd::new(threshold_cents * 10_000));
        let log = site.run();
        follow(&site, &log, |index, engine, step| {
            let changes = engine.changes(step);
            for (component, report) in ["web", "api"].into_iter().zip(&step.components) {
                let Gate::NeedsApproval { change_set, .. } = report.gate else {
                    continue;
                };
                let own = changes.iter().map(|change| &change.bound);
                let own = own.filter(|bound| bound.component == name(component));
                assert_eq!(change_set, change_set_hash(own), "step {index}");
            }
        });
    }

    #[test]
    fn what_is_committed_at_worst_stays_under_the_hard_cap(
        views in shapes(), cap_cents in 100_u64..2_000, dearer in 1_u64..5, hour in any::<bool>(),
    ) {
        let mut choice = Choice { views, ..usual_choice() };
        choice.billing.minimum_seconds = if hour { 4 * 3_600 } else { 60 };
        let mut site = choice.site(300);
        let cap = MicroUsd::new(cap_cents * 10_000);
        site.config.fleet.budget = Some(Budget { monthly: cap, hard_cap: Some(cap) });
        site.config.prices_at_worst =
            site.config.offers.iter().map(|offer| offer.price * dearer).collect();
        let log = site.run();
        let mut before = MicroUsd::ZERO;
        follow(&site, &log, |index, engine, step| {
            let committed = engine.committed().total();
            let ordered = step.actions.iter().any(|action| matches!(action, Action::Order(_)));
            let floor = (0..2).any(|component| {
                let (ready, pending) = listed(&site.config, log.inventory(index), component);
                ready + pending < 2
            });
            assert!(!ordered || floor || committed <= cap, "step {index}: {committed} of {cap}");
            before = committed;
        });
    }
}

/// A site in which nothing unusual happens.
fn quiet(overrides: Vec<(usize, OverrideDecision, usize, usize)>) -> Site {
    let views = Shape {
        level: 9_000.0,
        swing: 0.0,
        noise: 0.05,
        seed: 3,
        marks: Vec::new(),
    };
    Choice {
        views,
        overrides,
        boot: fleetcast_sim::BootTime::Fixed(minutes(10)),
        ..usual_choice()
    }
    .site(500)
}

#[test]
fn what_a_person_provisions_is_ready_when_the_override_starts_and_goes_when_it_ends() {
    let more = (0, OverrideDecision::Provision(Units::new(20)), 300, 60);
    let (with, without) = (quiet(vec![more]).run(), quiet(Vec::new()).run());
    let site = quiet(Vec::new());
    let ready = |log: &Log, step: usize| listed(&site.config, log.inventory(step), 0).0;
    for step in 302..355 {
        assert!(
            ready(&with, step) >= ready(&without, step) + 15,
            "step {step}: {} beside {}",
            ready(&with, step),
            ready(&without, step)
        );
    }
    assert!(ready(&with, 290) <= ready(&without, 290) + 2);
    assert!(ready(&with, 420) <= ready(&without, 420) + 5);
    let first = with
        .steps
        .iter()
        .position(|step| ordered_units(&site, step, 0) >= 15);
    let reasons = &with.steps[first.expect("it was ordered")].components[0]
        .ledger
        .0;
    assert!(
        reasons.contains(&(Reason::Override, Units::new(20))),
        "{reasons:?}"
    );
}

#[test]
fn a_persons_forecast_is_bought_for_and_scored_when_it_is_over() {
    let stated = StatedForecast {
        median: MilliPerMinute::new(27_000_000),
        p95: None,
    };
    let site = quiet(vec![(0, OverrideDecision::Forecast(stated), 300, 60)]);
    let log = site.run();
    let wanted = |step: usize| log.steps[step].components[0].wanted.get();
    assert!(
        wanted(310) > 2 * wanted(250),
        "{} after {}",
        wanted(310),
        wanted(250)
    );
    assert!(wanted(450) < wanted(310));
    let mut scores = Vec::new();
    follow(&site, &log, |_, engine, _| {
        if scores.is_empty() {
            scores = engine.override_scores(0).to_vec();
        }
    });
    let [score] = scores.as_slice() else {
        panic!("{scores:?}");
    };
    // Nobody came: it cost money and served nobody more.
    assert!(score.cost_with > score.cost_without, "{score:?}");
    assert!(score.unserved_with <= score.unserved_without, "{score:?}");
}

#[test]
fn an_engine_goes_on_under_other_documents_with_what_it_has_learned() {
    let site = quiet(Vec::new());
    let log = site.run();
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    let last = log.steps.len() - 1;
    for (seen, step) in log.seen[..last].iter().zip(&log.steps) {
        engine.step(step.now, seen);
    }
    let decide = |ceiling: Option<u64>| {
        let mut engine = engine.clone();
        let mut fleet = site.config.fleet.clone();
        if let Some(ceiling) = ceiling {
            fleet.components[0].ceiling = Units::new(ceiling);
        }
        engine
            .amend(fleet, Vec::new())
            .expect("the same components");
        engine.step(log.steps[last].now, &log.seen[last])
    };
    let (as_it_was, lower) = (decide(None), decide(Some(5)));
    let report = |step: &Step| step.components[0].clone();
    assert_eq!(
        report(&as_it_was).forecast,
        log.steps[last].components[0].forecast
    );
    assert_eq!(
        report(&as_it_was).wanted,
        log.steps[last].components[0].wanted
    );
    assert_eq!(report(&lower).forecast, report(&as_it_was).forecast);
    assert_eq!(report(&lower).wanted, Units::new(5));
    let mut other = site.config.fleet.clone();
    other.components.pop();
    assert!(engine.amend(other, Vec::new()).is_err());
}

#[test]
fn other_documents_do_not_begin_the_hour_of_a_scale_in_anew() {
    let mut choice = usual_choice();
    choice.views.marks = vec![(250, 100, Mark::Times(0.2))];
    let mut site = choice.site(400);
    for component in &mut site.config.fleet.components {
        component.timing.scale_in_per_hour = Share::new(0.2);
    }
    let log = site.run();
    let hour = 3_600 / STEP_SECONDS as usize;
    let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
    let mut used_up = 0;
    for (index, (seen, step)) in log.seen.iter().zip(&log.steps).enumerate() {
        let mut other = engine.clone();
        let fleet = site.config.fleet.clone();
        other.amend(fleet, Vec::new()).expect("the same components");
        let decided = &other.step(step.now, seen).components[0];
        engine.step(step.now, seen);
        let before = &log.steps[(index + 1).saturating_sub(hour)..index];
        let before = before.iter().map(|step| &step.components[0]);
        let most = before.clone().map(|report| report.ready).max();
        let most = most.unwrap_or_default().max(decided.ready).get();
        let gone: u64 = before.map(|report| report.drained.get()).sum();
        let drained = decided.drained.get();
        assert!(
            drained == 0 || gone + drained <= most.div_ceil(5),
            "step {index}: {drained} after {gone} of {most}"
        );
        used_up += u32::from(gone == most.div_ceil(5) && decided.wanted < decided.ready);
    }
    assert!(used_up > 3, "the fleet never shrank as fast as it may");
}
