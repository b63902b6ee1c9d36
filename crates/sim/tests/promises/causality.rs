//! A decision depends on what was known when it was made, and on nothing that came later.

use fleetcast_engine::Telemetry;
use fleetcast_model::{Action, Observation};
use fleetcast_series::Series;
use fleetcast_sim::{Random, Telling};
use proptest::prelude::*;

use crate::support::{
    Choice, POLICIES, Site, calm, cases, choices, minutes, plain_site, shapes, usual_choice,
};

/// What the future is replaced by.
#[derive(Clone, Copy, Debug)]
enum Future {
    Zeros,
    FiveTimes,
    Shuffled,
    Missing,
    CutOff,
}

const FUTURES: [Future; 5] = [
    Future::Zeros,
    Future::FiveTimes,
    Future::Shuffled,
    Future::Missing,
    Future::CutOff,
];

/// Replaces what comes after `last` in every way: all that was recorded up to it stays, byte for byte.
fn check(site: &Site, last: usize) {
    let expected = site.run_until(last).recording();
    for future in FUTURES {
        let other = site.with_demand(|old| replaced(old, last, future));
        let found = other.run_until(last).recording();
        assert!(
            found == expected,
            "{future:?} after step {last} changed what {} decided before",
            site.config.policies[0]
        );
    }
}

fn replaced(old: &Series, last: usize, future: Future) -> Vec<Option<f64>> {
    let mut values: Vec<Option<f64>> = old.values().collect();
    let rest = &mut values[last + 1..];
    match future {
        Future::Zeros => rest.fill(Some(0.0)),
        Future::Missing => rest.fill(None),
        Future::FiveTimes => {
            for value in rest.iter_mut() {
                *value = value.map(|value| value * 5.0);
            }
        }
        Future::Shuffled => {
            let mut random = Random::new(last as u64, "shuffle");
            for i in (1..rest.len()).rev() {
                rest.swap(i, random.below(i as u64 + 1) as usize);
            }
        }
        Future::CutOff => values.truncate(last + 1),
    }
    values
}

#[test]
fn no_policy_sees_the_future() {
    for text in POLICIES {
        let site = plain_site(&calm(3), 3, text, minutes(10));
        // In the first steps, in and after a gap, at a jump, and after a day and two.
        for last in [1, 403, 406, 499, 576, 700] {
            check(&site, last);
        }
    }
}

#[test]
fn no_fit_sees_the_future() {
    let site = plain_site(&calm(4), 4, "fleetcast", minutes(10));
    let base = site.run();
    let fits: Vec<usize> = (0..base.steps.len())
        .filter(|i| {
            base.steps[*i]
                .actions
                .iter()
                .any(|a| matches!(a, Action::Fit(_)))
        })
        .collect();
    assert!(fits.len() >= 5, "fits at {fits:?} only");
    let (first, latest) = (fits[0], fits[fits.len() - 1]);
    for last in [first - 1, first, first + 1, latest - 1, latest, latest + 1] {
        check(&site, last);
    }
}

#[test]
fn documents_do_not_help_to_see_the_future() {
    let site = usual_choice().site(400);
    for last in [0, 60, 350] {
        check(&site, last);
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn nothing_sees_the_future_whatever_the_demand(
        shape in shapes(), text in prop::sample::select(&POLICIES[..]), part in 0.01..0.99, boot in 0_i64..40,
    ) {
        let site = plain_site(&shape, 2, text, minutes(boot));
        check(&site, (part * 575.0) as usize);
    }

    #[test]
    fn nothing_sees_the_future_whatever_the_documents(choice in choices(), part in 0.01..0.99) {
        let choice: Choice = choice;
        check(&choice.site(200), (part * 199.0) as usize);
    }
}

/// In a closed loop what is told is what was served, and late demand is told by so many steps later.
#[test]
fn late_and_cut_off_demand_is_told_as_it_is() {
    let mut site = plain_site(&calm(5), 4, "fleetcast", minutes(5));
    site.config.telemetry = Telemetry {
        delay_steps: 2,
        served_only: true,
    };
    site.simulation.telling = Telling {
        delay_steps: 2,
        retried: Some(1.0 / 3.0),
    };
    let log = site.run();
    assert_eq!(
        log.recording(),
        site.run().recording(),
        "equal inputs give equal bytes"
    );
    let told = |step: usize| {
        log.seen[step].iter().find_map(|one| match one {
            Observation::Demand(demand) => Some(demand.clone()),
            _ => None,
        })
    };
    assert!(told(0).is_none() && told(1).is_none());
    let mut cut_off = 0;
    for step in 2..log.steps.len() {
        let demand = told(step).expect("later steps are told");
        let then = &log.intervals[step - 2];
        assert_eq!(demand.from, then.from);
        let Some(seen) = demand.per_minute[0] else {
            continue;
        };
        let at = &then.components[0];
        let carried = at.serving.effective * 40.0;
        assert!(
            seen.get() <= carried * (1.0 + 1e-9),
            "{seen:?} of {carried}"
        );
        cut_off += usize::from(at.unserved > 0.0);
        if at.unserved > 0.0 {
            assert!((seen.get() / carried - 1.0).abs() < 1e-9);
        }
    }
    assert!(cut_off > 0, "nothing was ever short");
    // It does not spiral: what is not served is not forgotten.
    let share = log.tally.unserved_share();
    assert!(share < 0.05, "{share}");
}
