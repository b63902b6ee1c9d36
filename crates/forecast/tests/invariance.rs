//! What every model promises, whatever the history.

use fleetcast_forecast::{
    Combination, Ets, Explain, Fit, FitError, History, LevelSeason, Mode, Mstl, Predict, Ridge,
    Season, SeasonSpec, SeasonalNaive, Theta, Update,
};
use proptest::prelude::*;

const SEASONS: SeasonSpec = SeasonSpec {
    day: 12,
    week: 84,
    year: 0,
};

/// Forecast, and quantiles of each step and of the maximum, end to end; `None` without data.
fn forecasts(values: &[Option<f64>]) -> Option<Vec<(&'static str, Vec<f64>)>> {
    fn of<M: Fit>(
        name: &'static str,
        model: &M,
        history: &History<'_>,
    ) -> Option<(&'static str, Vec<f64>)>
    where
        M::Fitted: Explain + serde::Serialize + serde::de::DeserializeOwned,
    {
        let fitted = match model.fit(history) {
            Ok(fitted) => fitted,
            Err(FitError::NoObservation) => return None,
            Err(error) => panic!("{error}"),
        };
        let paths = fitted.paths(100, 20, 7);
        let mut all = fitted.predict(100).steps;
        all.extend(paths.quantiles(0.9));
        all.push(paths.maximum_over(0..100).quantile(0.95));
        assert!(
            all.iter().all(|value| value.is_finite() && *value >= 0.0),
            "{name}: {all:?}"
        );
        let stored = serde_json::to_string(&fitted).expect("state is serialisable");
        let restored: M::Fitted = serde_json::from_str(&stored).expect("state can be read back");
        assert_eq!(restored.model(), fitted.model());
        assert!(fitted.explain(100).iter().zip(&all).all(|(parts, value)| {
            (parts.total() - value).abs()
                <= 1e-9 * (value.abs() + parts.level.abs() + parts.trend.abs()) + 1e-9
        }));
        Some((name, all))
    }
    let history = History::new(values, SEASONS).expect("generated demand is demand");
    Some(vec![
        of("naive day", &SeasonalNaive::new(Season::Day), &history)?,
        of("naive week", &SeasonalNaive::new(Season::Week), &history)?,
        of("theta day", &Theta::new(Season::Day), &history)?,
        of("theta week", &Theta::new(Season::Week), &history)?,
        of(
            "ets",
            &Ets::auto(Some(Season::Day)).with_restarts(0),
            &history,
        )?,
        of("mstl", &Mstl::default(), &history)?,
        of(
            "level times season",
            &LevelSeason {
                mode: Mode::Multiplied,
            },
            &history,
        )?,
        of(
            "level plus season",
            &LevelSeason { mode: Mode::Added },
            &history,
        )?,
        of("level and season", &LevelSeason::default(), &history)?,
        of("ridge", &Ridge::default(), &history)?,
        of("combination", &Combination::default(), &history)?,
    ])
}

/// A history with a day, a week, noise, gaps and empty times.
fn histories() -> impl Strategy<Value = Vec<Option<f64>>> {
    let step =
        prop_oneof![8 => (0.5_f64..1.5).prop_map(Some), 1 => Just(Some(0.0)), 1 => Just(None)];
    (
        proptest::collection::vec(step, 0..400),
        0.0_f64..1.0,
        0.0_f64..1000.0,
    )
        .prop_map(|(noise, swing, scale)| {
            let value = |(step, noise): (usize, Option<f64>)| {
                let night = if step % 12 < 5 {
                    1.0 - swing
                } else {
                    1.0 + swing
                };
                let weekend = if step / 12 % 7 >= 5 { 0.5 } else { 1.0 };
                Some(noise? * night * weekend * scale)
            };
            noise.into_iter().enumerate().map(value).collect()
        })
}

fn scaled(values: &[Option<f64>], factor: f64) -> Vec<Option<f64>> {
    values
        .iter()
        .map(|value| value.map(|value| factor * value))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// No panic, nothing negative or infinite: checked within. And a power of two as the unit
    /// changes nothing but the unit, to the last bit.
    #[test]
    fn the_unit_does_not_matter(values in histories()) {
        let (one, other) = (forecasts(&values), forecasts(&scaled(&values, 1024.0)));
        prop_assert_eq!(one.is_none(), other.is_none());
        for ((name, one), (_, other)) in one.into_iter().flatten().zip(other.into_iter().flatten()) {
            for (one, other) in one.iter().zip(&other) {
                prop_assert!((1024.0 * one - other).abs() <= 1e-9 * other, "{}: {} {}", name, 1024.0 * one, other);
            }
        }
    }

    #[test]
    fn whole_weeks_without_data_before_the_first_change_nothing(values in histories(), weeks in 1_usize..4) {
        let mut later = vec![None; weeks * SEASONS.week];
        later.extend_from_slice(&values);
        prop_assert_eq!(forecasts(&later), forecasts(&values));
    }
}

/// Made-up traffic of whole weeks, with all weeks alike.
fn alike(weeks: usize) -> Vec<Option<f64>> {
    let value = |step: usize| {
        100.0 + 40.0 * ((step % 12) as f64 - 5.5) + if step / 12 % 7 >= 5 { -30.0 } else { 200.0 }
    };
    (0..weeks * SEASONS.week)
        .map(|step| Some(value(step).max(0.0)))
        .collect()
}

#[test]
fn a_factor_that_is_no_power_of_two_scales_the_forecast() {
    let one = forecasts(&alike(4)).unwrap();
    let other = forecasts(&scaled(&alike(4), 0.37)).unwrap();
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        for (one, other) in one.iter().zip(other) {
            assert!(
                (0.37 * one - other).abs() <= 1e-4 * (1.0 + other),
                "{name}: {} {other}",
                0.37 * one
            );
        }
    }
}

#[test]
fn weeks_that_are_alike_are_foreseen_exactly() {
    let expected: Vec<f64> = alike(2).into_iter().flatten().take(100).collect();
    for (name, forecast) in forecasts(&alike(5)).unwrap() {
        if matches!(name, "naive week" | "level plus season" | "combination") {
            for (step, (forecast, expected)) in forecast.iter().zip(&expected).enumerate() {
                assert!(
                    (forecast - expected).abs() < 1.0,
                    "{name} at {step}: {forecast} is not {expected}"
                );
            }
        }
    }
}

#[test]
fn a_constant_stays() {
    for steps in [1, 3, 5, 30, 100, 300] {
        for constant in [0.0, 0.1, 250.0] {
            for (name, forecast) in forecasts(&vec![Some(constant); steps]).unwrap() {
                let same = |value: &f64| (value - constant).abs() <= 1e-6 * (1.0 + constant);
                assert!(
                    forecast.iter().all(same),
                    "{name} of {steps} steps of {constant}: {forecast:?}"
                );
            }
        }
    }
}

#[test]
fn nothing_seen_is_an_error_and_not_a_forecast() {
    assert!(forecasts(&[]).is_none());
    assert!(forecasts(&[None, None]).is_none());
}

proptest! {
    /// Whatever is seen and whatever comes, updates keep forecasts finite and the state whole.
    #[test]
    fn updates_never_break_a_forecast(
        seen in proptest::collection::vec(
            proptest::option::weighted(0.8, prop_oneof![Just(0.0), 0.0..100.0, Just(1e12), Just(1e15)]),
            1..220,
        ),
        coming in proptest::collection::vec(
            proptest::option::weighted(0.8, prop_oneof![Just(0.0), 0.0..1e5, Just(1e15)]),
            1..40,
        ),
    ) {
        let history = History::new(&seen, SEASONS).expect("generated demand is demand");
        if let Ok(mut fitted) = Combination::default().fit(&history) {
            for value in coming {
                fitted.update(value);
            }
            let quantiles = fitted.quantiles(200, &[0.01, 0.5, 0.999]);
            for step in 0..200 {
                prop_assert!(quantiles.step(step).iter().all(|value| value.is_finite() && *value >= 0.0));
            }
            let paths = fitted.paths(200, 5, 1);
            prop_assert!(paths.iter().flatten().all(|value| value.is_finite() && *value >= 0.0));
        }
    }
}
