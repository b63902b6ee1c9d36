//! Demand that nobody knows holds a fleet for as long as its documents say; then what they declare applies.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{
    Fallback, Observation, OverrideDecision, Reason, Share, Units, UnknownDemand, UnknownResponse,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::{
    Choice, Log, Mark, STEP_SECONDS, Shape, cases, choices, minutes, usual_choice,
};

const STEP: SignedDuration = SignedDuration::from_secs(STEP_SECONDS as i64);

fn fallbacks() -> impl Strategy<Value = Fallback> {
    prop::sample::select(vec![
        Fallback::Hold,
        Fallback::Floor,
        Fallback::PeakOfDayBefore,
        Fallback::Ceiling,
    ])
}

fn run(choice: &Choice, hold_max: SignedDuration, fallback: Fallback) -> Log {
    let mut site = choice.site(500);
    for component in &mut site.config.fleet.components {
        (component.timing.hold_max, component.timing.fallback) = (hold_max, fallback);
    }
    site.run()
}

/// Checks one component of a step whose demand is unknown since a moment.
fn judge(
    choice: &Choice,
    step: &Step,
    place: usize,
    (since, hold_max): (Timestamp, SignedDuration),
    fallback: Fallback,
    first: bool,
) {
    let report = &step.components[place];
    let unknown = report.unknown.expect("it is told");
    assert_eq!(unknown.since, since, "{}", step.now);
    let late = step.now.duration_since(since) >= hold_max;
    let turns = (step.now - STEP).duration_since(since) < hold_max;
    let total = report.ready + report.pending;
    let ceiling = choice.ceiling_units();
    match unknown.response {
        UnknownResponse::Held { until } => {
            assert!(!late && until == since + hold_max, "{unknown:?}");
            assert_eq!(unknown.alert, first, "{}", step.now);
        }
        UnknownResponse::FellBack { to, units } => {
            assert!(late && to == fallback, "{unknown:?} at {}", step.now);
            assert_eq!(unknown.alert, first || turns, "{}", step.now);
            assert!(report.wanted >= units.min(ceiling), "{report:?}");
            if to == Fallback::Ceiling {
                assert_eq!(report.wanted, ceiling);
            }
        }
        UnknownResponse::KnownAgain => panic!("{unknown:?} while unknown"),
    }
    if late && fallback == Fallback::Floor {
        assert_eq!(report.wanted.get(), choice.floor, "{report:?}");
    } else {
        assert!(report.wanted >= total.min(ceiling), "{report:?}");
        assert_eq!(
            (report.drained, report.cancelled),
            (Units::ZERO, Units::ZERO)
        );
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn unknown_demand_is_held_for_as_long_as_it_may_be_and_then_falls_back(
        choice in choices(), quarters in 0_i64..9, fallback in fallbacks(), lasts in 1_usize..60,
    ) {
        let mut choice = Choice { policy: "fleetcast", overrides: Vec::new(), ..choice };
        choice.views.marks.push((120, lasts, Mark::Missing));
        let hold_max = minutes(15) * quarters as i32;
        let log = run(&choice, hold_max, fallback);
        for place in 0..2 {
            let mut since = None;
            for step in &log.steps {
                let report = &step.components[place];
                if report.demand.is_none() {
                    let first = since.is_none();
                    let since = *since.get_or_insert(step.now - STEP);
                    judge(&choice, step, place, (since, hold_max), fallback, first);
                } else if let Some(since) = since.take() {
                    let over = UnknownDemand {
                        since,
                        response: UnknownResponse::KnownAgain,
                        alert: true,
                    };
                    prop_assert_eq!(report.unknown, Some(over));
                } else {
                    prop_assert_eq!(report.unknown, None);
                }
            }
        }
    }
}

#[test]
fn the_peak_of_the_day_before_is_what_its_highest_demand_needs() {
    let mut choice = usual_choice();
    choice.views = Shape {
        swing: 0.8,
        noise: 0.0,
        // From two in the morning, when next to nothing runs.
        marks: vec![(288 + 24, 60, Mark::Missing)],
        ..choice.views
    };
    let log = run(&choice, minutes(15), Fallback::PeakOfDayBefore);
    let web = |index: usize| &log.steps[index].components[0];
    let peak = (24..312).map(|index| web(index).needed_now).max();
    let low = web(311).wanted;
    assert!(
        low.get() * 2 < peak.unwrap_or_default().get(),
        "{low} at night"
    );
    // Held for three steps of five minutes, the first of which shows that it is unknown.
    assert_eq!(web(313).wanted.max(low), web(313).wanted);
    assert!(web(313).wanted < peak.unwrap_or_default());
    let response = web(314).unknown.map(|unknown| unknown.response);
    let units = peak.unwrap_or_default();
    let fell = UnknownResponse::FellBack {
        to: Fallback::PeakOfDayBefore,
        units,
    };
    assert_eq!(response, Some(fell));
    assert!((314..372).all(|index| web(index).wanted >= units));
}

#[test]
fn the_floor_is_reached_no_faster_than_a_fleet_may_shrink() {
    let mut choice = usual_choice();
    choice.views.marks = vec![(250, 100, Mark::Missing)];
    let mut site = choice.site(350);
    for component in &mut site.config.fleet.components {
        component.timing.fallback = Fallback::Floor;
        component.timing.scale_in_per_hour = Share::new(0.25);
    }
    let log = site.run();
    let ready = |index: usize| log.steps[index].components[0].ready.get();
    let (before, hour, late) = (ready(252), ready(252 + 12), ready(348));
    assert!(
        hour >= before * 3 / 4 - 1 && hour < before,
        "{before}, then {hour}"
    );
    assert!(late < hour, "{late}");
}

#[test]
fn what_a_person_provisions_is_added_once_however_long_demand_is_unknown() {
    let mut choice = usual_choice();
    choice.views.marks = vec![(250, 60, Mark::Missing)];
    choice.overrides = vec![(0, OverrideDecision::Provision(Units::new(3)), 200, 100)];
    let log = choice.site(310).run();
    let web = |index: usize| &log.steps[index].components[0];
    let before = web(250).wanted;
    assert_eq!(
        web(250).ledger.units_for(Reason::Override),
        Units::new(3),
        "{:?}",
        web(250)
    );
    for index in 251..300 {
        assert!(web(index).demand.is_none());
        assert!(
            web(index).wanted < before + before,
            "step {index}: {:?}",
            web(index).ledger
        );
    }
}

#[test]
fn demand_from_the_future_or_of_long_ago_is_unknown() {
    let mut choice = usual_choice();
    (choice.views.marks, choice.calls.marks) = (Vec::new(), Vec::new());
    let site = choice.site(60);
    let log = site.run();
    for shift in [minutes(1), minutes(-6)] {
        let mut engine = Engine::new(site.config.clone()).expect("a good configuration");
        for (index, (seen, step)) in log.seen.iter().zip(&log.steps).enumerate() {
            let mut seen = seen.clone();
            for one in &mut seen {
                if let Observation::Demand(demand) = one
                    && (20..30).contains(&index)
                {
                    demand.from += shift;
                    demand.until += shift;
                }
            }
            let report = &engine.step(step.now, &seen).components[0];
            let known = !(20..30).contains(&index);
            assert_eq!(report.demand.is_some(), known, "step {index}, {shift:#}");
            assert_eq!(report.unknown.is_some(), !known || index == 30);
            assert!(known || report.drained == Units::ZERO);
        }
    }
}
