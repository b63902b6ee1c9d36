use proptest::prelude::*;

use super::*;
use crate::SeasonSpec;
use crate::testing::{Traffic, traffic};

fn fit(traffic: &Traffic) -> FittedLowRank {
    LowRank.fit(&traffic.history()).unwrap()
}

/// The mean absolute error relative to the mean demand.
fn error(forecast: &[f64], actual: &[Option<f64>]) -> f64 {
    let pairs = || forecast.iter().zip(actual.iter().flatten());
    pairs()
        .map(|(forecast, actual)| (forecast - actual).abs())
        .sum::<f64>()
        / pairs().map(|(_, actual)| actual).sum::<f64>()
}

#[test]
fn a_week_of_made_up_traffic_is_foreseen_to_its_noise() {
    let all = traffic(6.0, 24, 100.0, 11);
    let fitted = LowRank.fit(&all.history().until(840)).unwrap();
    assert_eq!(fitted.model(), ModelName::LowRank);
    // The noise alone costs 4 %.
    let error = error(&fitted.predict(168).steps, &all.values[840..]);
    assert!(error < 0.07, "{error}");
}

#[test]
fn parts_sum_to_the_forecast() {
    for (weeks, scale) in [(0.4, 1.0), (1.0, 300.0), (4.0, 1e6), (4.0, 0.0)] {
        let mut fitted = fit(&traffic(weeks, 24, scale, 5));
        for updates in 0..3 {
            let forecast = fitted.predict(100).steps;
            for (step, (said, parts)) in forecast.iter().zip(fitted.explain(100)).enumerate() {
                let apart = (said - parts.total()).abs();
                assert!(
                    apart < 1e-9 * said.max(1.0),
                    "{updates} at {step}: {said} {parts:?}"
                );
            }
            fitted.update(Some(scale));
        }
    }
}

#[test]
fn quantiles_hold_what_they_promise() {
    let all = traffic(9.0, 24, 100.0, 12);
    let (mut inside, mut steps) = (0, 0);
    for day in 35..60 {
        let fitted = LowRank.fit(&all.history().until(24 * day)).unwrap();
        let said = fitted.quantiles(48, &[0.1, 0.9]);
        for (ahead, actual) in all.values[24 * day..24 * day + 48]
            .iter()
            .flatten()
            .enumerate()
        {
            inside += usize::from((said.step(ahead)[0]..=said.step(ahead)[1]).contains(actual));
            steps += 1;
        }
    }
    let share = inside as f64 / steps as f64;
    assert!((0.72..0.9).contains(&share), "{share}");
}

#[test]
fn updates_follow_as_a_new_fit_would() {
    let all = traffic(6.0, 24, 100.0, 13);
    let mut fitted = LowRank.fit(&all.history().until(700)).unwrap();
    for (step, value) in all.values[700..840].iter().enumerate() {
        let missing = step % 11 == 3;
        fitted.update(value.filter(|_| !missing));
    }
    let again = LowRank.fit(&all.history().until(840)).unwrap();
    let (updated, anew) = (
        error(&fitted.predict(100).steps, &all.values[840..]),
        error(&again.predict(100).steps, &all.values[840..]),
    );
    assert!(updated < 1.25 * anew, "{updated} {anew}");
}

#[test]
fn a_level_without_a_season_stays() {
    let values: Vec<Option<f64>> = (0..300)
        .map(|step| Some(f64::from(50 + step * 37 % 11)))
        .collect();
    let spec = SeasonSpec {
        day: 24,
        week: 168,
        year: 0,
    };
    let fitted = LowRank.fit(&History::new(&values, spec).unwrap()).unwrap();
    let Kind::LowRank(state) = &fitted.0 else {
        panic!("{fitted:?}")
    };
    assert_eq!(state.steps(), 1);
    let forecast = fitted.predict(500).steps;
    assert!(
        forecast.iter().all(|said| (50.0..61.0).contains(said)),
        "{forecast:?}"
    );
}

#[test]
fn a_surge_today_lasts_for_hours_and_not_for_days() {
    // Deviations that fade with a half-life of four hours.
    let mut all = traffic(6.0, 24, 100.0, 14);
    let mut deviation = 0.0;
    for (step, value) in all.values.iter_mut().enumerate() {
        deviation = 0.84 * deviation + if step * 7919 % 31 == 0 { 0.5 } else { 0.0 };
        *value = value.map(|value| value * (1.0 + deviation));
    }
    let usual = fit(&all).predict(48).steps;
    let count = all.values.len();
    for value in &mut all.values[count - 2..] {
        *value = value.map(|value| 1.8 * value);
    }
    let surged = fit(&all).predict(48).steps;
    assert!(surged[0] > 1.2 * usual[0], "{} {}", surged[0], usual[0]);
    assert!(
        surged[40] < 1.15 * usual[40],
        "{} {}",
        surged[40],
        usual[40]
    );
}

fn nasty() -> impl Strategy<Value = Vec<Option<f64>>> {
    let any = proptest::collection::vec(proptest::option::of(0.0_f64..1e6), 0..300);
    let constant = (0_usize..300, prop_oneof![Just(0.0), Just(1e15), Just(7.0)])
        .prop_map(|(count, value)| vec![Some(value); count]);
    let spike = (1_usize..300, prop_oneof![Just(1e12), Just(1e15)]).prop_map(|(count, value)| {
        let mut values = vec![Some(3.0); count];
        values[count / 2] = Some(value);
        values
    });
    let step = (2_usize..300).prop_map(|count| {
        let value = |at| if at < count / 2 { 5.0 } else { 5e6 };
        (0..count).map(|at| Some(value(at))).collect()
    });
    prop_oneof![any, constant, spike, step]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_demand_gets_a_forecast_or_a_refusal(
        values in nasty(),
        day in prop_oneof![Just(0_usize), Just(2), Just(12), Just(24), Just(1000)],
    ) {
        let history = History::new(&values, SeasonSpec { day, week: 7 * day, year: 0 }).unwrap();
        let Ok(mut fitted) = LowRank.fit(&history) else {
            prop_assert!(history.values().is_empty());
            return Ok(());
        };
        for value in [None, Some(0.0), Some(1e15), Some(3.0)] {
            let sane = |value: &f64| value.is_finite() && *value >= 0.0;
            prop_assert!(fitted.predict(60).steps.iter().all(sane));
            prop_assert!(fitted.paths(60, 5, 1).iter().flatten().all(sane));
            prop_assert_eq!(fitted.explain(60).len(), 60);
            fitted.update(value);
        }
    }

    #[test]
    fn thousandfold_demand_is_forecast_thousandfold(seed in 0_u64..50, weeks in 0.5_f64..4.0) {
        let plain = traffic(weeks, 24, 100.0, seed);
        let scaled = plain.map(|value| 1000.0 * value);
        for (one, other) in fit(&plain).predict(48).steps.iter().zip(fit(&scaled).predict(48).steps) {
            prop_assert!((1000.0 * one - other).abs() <= 1e-6 * other, "{} {}", one, other);
        }
    }
}
