use proptest::prelude::*;

use super::*;
use crate::rng::Rng;
use crate::testing::{air_passengers, traffic};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn noise(steps: usize, seed: u64) -> Vec<Option<f64>> {
    let mut rng = Rng::new(seed, 0);
    (0..steps)
        .map(|_| Some(100.0 + 40.0 * rng.uniform()))
        .collect()
}

#[test]
fn days_and_weeks_are_found_and_said() {
    let report = find_seasons(&traffic(4.0, 24, 100.0, 1).values, HOUR);
    assert_eq!(
        report.seasons,
        SeasonSpec {
            day: 24,
            week: 168,
            year: 0
        }
    );
    let said = report.to_string();
    assert!(said.starts_with("a day's season explains 9"), "{said}");
    assert!(said.contains("of what the day leaves (4 weeks)"), "{said}");
    assert!(
        said.contains("a year's season cannot be told from less than two years"),
        "{said}"
    );
    assert!(said.contains("strongly predictable"), "{said}");
}

#[test]
fn two_periods_are_enough_and_fewer_are_not() {
    for (weeks, day, week) in [
        (2.0, 24, 168),
        (1.9, 24, 0),
        (2.0 / 7.0, 24, 0),
        (1.9 / 7.0, 0, 0),
    ] {
        let found = find_seasons(&traffic(weeks, 24, 1e6, 2).values, HOUR).seasons;
        assert_eq!((found.day, found.week), (day, week), "{weeks} weeks");
    }
}

#[test]
fn minutes_and_days_are_looked_at_as_well() {
    let minute = SignedDuration::from_mins(1);
    let report = find_seasons(&traffic(3.0, 1440, 10.0, 3).values, minute);
    assert_eq!((report.seasons.day, report.seasons.week), (1440, 10_080));
    let days: Vec<Option<f64>> = (0..1100_usize)
        .map(|day| {
            let year = libm::cos(2.0 * std::f64::consts::PI * day as f64 / 365.0);
            let weekend = if day % 7 >= 5 { 0.5 } else { 1.0 };
            Some(
                100.0
                    * weekend
                    * (1.0 + 0.3 * year)
                    * (1.0 + 0.05 * (day * 7919 % 13) as f64 / 13.0),
            )
        })
        .collect();
    let report = find_seasons(&days, SignedDuration::from_hours(24));
    assert_eq!(
        report.seasons,
        SeasonSpec {
            day: 0,
            week: 7,
            year: 365
        },
        "{report}"
    );
}

#[test]
fn neither_noise_nor_trend_nor_a_jump_is_a_season() {
    let line: Vec<Option<f64>> = (0..500).map(|step| Some(1e3 + f64::from(step))).collect();
    let jump: Vec<Option<f64>> = noise(500, 5)
        .into_iter()
        .enumerate()
        .map(|(step, value)| value.map(|value| if step < 300 { value } else { 5.0 * value }))
        .collect();
    for (name, values) in [("noise", noise(500, 4)), ("line", line), ("jump", jump)] {
        let report = find_seasons(&values, HOUR);
        assert_eq!(report.seasons, SeasonSpec::default(), "{name}: {report}");
        let report = find_periods(&values);
        assert_eq!(report.seasons, SeasonSpec::default(), "{name}: {report}");
    }
    let report = find_seasons(&noise(500, 6), HOUR);
    assert!(
        report.to_string().contains("no day's season in 20 days"),
        "{report}"
    );
}

#[test]
fn outliers_gaps_trends_and_jumps_hide_no_season() {
    let mut values = traffic(5.0, 24, 100.0, 7).values;
    for (step, value) in values.iter_mut().enumerate() {
        let jump = if step > 400 { 3.0 } else { 1.0 };
        *value = value.map(|value| jump * value * (1.0 + 0.001 * step as f64));
        if step % 97 == 5 {
            *value = Some(1e9);
        }
        if (200..260).contains(&step) || step % 7 == 1 {
            *value = None;
        }
    }
    let found = find_seasons(&values, HOUR);
    assert_eq!(
        (found.seasons.day, found.seasons.week),
        (24, 168),
        "{found}"
    );
}

#[test]
fn periods_are_found_without_a_calendar() {
    let report = find_periods(&air_passengers().values);
    assert_eq!(
        (report.seasons.day, report.seasons.week),
        (12, 0),
        "{report}"
    );
    let report = find_periods(&traffic(6.0, 20, 100.0, 8).values);
    assert_eq!(
        (report.seasons.day, report.seasons.week),
        (20, 140),
        "{report}"
    );
}

#[test]
fn verdicts_rise_with_the_season() {
    let verdict = |season: f64, seed: u64| {
        let mut rng = Rng::new(seed, 0);
        let value = |step: usize| {
            let turn = libm::sin(2.0 * std::f64::consts::PI * step as f64 / 24.0);
            let noise = rng.uniform();
            Some(100.0 * (1.0 + season * turn) * noise)
        };
        let values: Vec<Option<f64>> = (0..700).map(value).collect();
        find_seasons(&values, HOUR).skill.unwrap().verdict
    };
    assert_eq!(verdict(0.0, 1), Predictability::None);
    assert!(verdict(0.9, 2) >= Predictability::Weak);
    let smooth = find_seasons(&noise(700, 3), HOUR).skill.unwrap();
    assert!(smooth.verdict < Predictability::Strong, "{smooth:?}");
    let flat: Vec<Option<f64>> = vec![Some(7.0); 700];
    let flat = find_seasons(&flat, HOUR);
    assert_eq!(flat.skill.unwrap().verdict, Predictability::Strong);
    assert_eq!(flat.seasons, SeasonSpec::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_demand_gets_a_report(
        mut values in proptest::collection::vec(proptest::option::of(0.0_f64..1e6), 0..400),
        spike in 0_usize..400,
        seconds in 1_i64..200_000,
    ) {
        if let Some(value) = values.get_mut(spike) {
            *value = Some(1e15);
        }
        for report in [find_periods(&values), find_seasons(&values, SignedDuration::from_secs(seconds)),
            find_seasons(&values, HOUR)] {
            for evidence in &report.evidence {
                prop_assert!(evidence.share.is_finite() && evidence.share <= 1.0);
                prop_assert!(!evidence.found || evidence.steps * 2 <= values.len());
            }
            prop_assert!(report.skill.is_none_or(|skill| skill.error.is_finite()));
        }
        let scaled: Vec<Option<f64>> = values.iter().map(|value| value.map(|value| value / 1024.0)).collect();
        prop_assert_eq!(find_seasons(&values, HOUR).seasons, find_seasons(&scaled, HOUR).seasons);
    }
}
