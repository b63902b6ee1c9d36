//! Units of measurement and the calendar's year are no reason to decide otherwise.

use fleetcast_series::Series;
use jiff::SignedDuration;

use crate::support::{DAY, POLICIES, START, calm, minutes, plain_site_of, series};

/// Ten days, long enough for the model to have been fitted often.
fn demand() -> Series {
    series(START, calm(5).values(10 * DAY))
}

/// Cost with demand and capacity in another unit of measurement.
fn cost_in_units_of(factor: f64, policy: &str) -> f64 {
    let values = demand()
        .values()
        .map(|value| value.map(|value| value * factor))
        .collect();
    let site = plain_site_of(&series(START, values), 40.0 * factor, policy, minutes(10));
    site.run().tally.cost_over_need()
}

#[test]
fn the_unit_of_measurement_moves_no_cost() {
    for policy in POLICIES {
        let plain = cost_in_units_of(1.0, policy);
        for factor in [1_000.0, 0.001] {
            let scaled = cost_in_units_of(factor, policy);
            let moved = (scaled / plain - 1.0).abs();
            assert!(
                moved < 0.01,
                "{policy} x {factor}: {scaled} and not {plain}"
            );
        }
    }
}

#[test]
fn another_week_of_the_year_moves_nothing() {
    for policy in POLICIES {
        let run = |start| {
            let site = plain_site_of(
                &series(start, demand().values().collect()),
                40.0,
                policy,
                minutes(10),
            );
            site.run()
        };
        let (now, later) = (
            run(START),
            run(START + SignedDuration::from_hours(3 * 7 * 24)),
        );
        assert_eq!(now.tally, later.tally, "{policy}");
        for (a, b) in now.steps.iter().zip(&later.steps) {
            let (a, b) = (&a.components[0], &b.components[0]);
            assert_eq!(
                (a.wanted, a.ordered, &a.ledger),
                (b.wanted, b.ordered, &b.ledger),
                "{policy}"
            );
        }
    }
}
