use proptest::prelude::*;

use super::*;
use crate::SeasonSpec;
use crate::testing::{air_passengers, traffic};

fn fit(model: Ets, values: &[Option<f64>], day: usize) -> FittedEts {
    let seasons = SeasonSpec {
        day,
        week: 7 * day,
        year: 0,
    };
    let history = History::new(values, seasons).unwrap();
    model.fit(&history).unwrap()
}

#[test]
fn air_passengers_grow_and_have_a_season_that_grows_with_them() {
    let passengers = air_passengers();
    let fitted = Ets::auto(Some(Season::Day))
        .fit(&passengers.history())
        .unwrap();
    let form = fitted.form().unwrap();
    assert!(form.multiplied_errors(), "{form}");
    assert_eq!(form.season(), Seasonality::Multiplied);
    assert_eq!(fitted.model(), ModelName::Ets);
    // July is higher than December, as ever.
    let year = fitted.predict(12).steps;
    assert!(year[6] > 1.25 * year[11], "{year:?}");
}

#[test]
fn starting_again_finds_what_the_first_search_missed() {
    let passengers = air_passengers();
    let form: Form = "MAdM".parse().unwrap();
    let aicc = |restarts| {
        let model = Ets::with_form(form, Some(Season::Day)).with_restarts(restarts);
        model.fit(&passengers.history()).unwrap().aicc().unwrap()
    };
    assert!(aicc(3) < aicc(0) - 20.0, "{} {}", aicc(3), aicc(0));
}

#[test]
fn taking_in_a_step_is_the_recursion_of_the_fit() {
    let traffic = traffic(3.0, 24, 100.0, 4);
    for form in Form::all() {
        let season = (form.season() != Seasonality::None).then_some(Season::Day);
        let mut fitted = Ets::with_form(form, season)
            .fit(&traffic.history().until(400))
            .unwrap();
        let Kind::Ets(before) = fitted.0.clone() else {
            panic!("{form} was not fitted");
        };
        for value in &traffic.values[400..450] {
            fitted.update(*value);
        }
        let Kind::Ets(after) = &fitted.0 else {
            panic!("{form} became another model");
        };
        // By the equations of the paper, level and season of multiplied errors too.
        let mut state = before.state.clone();
        for value in traffic.values[400..450].iter().flatten() {
            let error = state.error_of(*value);
            assert!(
                (state.with_error(error) - value).abs() < 1e-9 * value,
                "{form}"
            );
            let (alpha, base) = (
                state.smoothing.alpha,
                state.level + state.smoothing.phi * state.growth,
            );
            let expected = match (form.multiplied_errors(), form.season()) {
                (true, Seasonality::Added) => base + alpha * state.expected() * error,
                (true, _) => base * (1.0 + alpha * error),
                (false, _) => base + alpha * error,
            };
            state.see(Some(*value));
            assert!(
                (state.level - expected).abs() < 1e-9 * expected.abs(),
                "{form}"
            );
        }
        assert_eq!(state, after.state, "{form}");
        assert_eq!(after.turned, 50 % 24);
    }
}

#[test]
fn missing_steps_pass_time_and_change_nothing_else() {
    let traffic = traffic(3.0, 24, 100.0, 4);
    let form: Form = "AAdA".parse().unwrap();
    let model = Ets::with_form(form, Some(Season::Day));
    let mut fitted = model.fit(&traffic.history().until(400)).unwrap();
    let ahead = fitted.predict(60).steps;
    (0..10).for_each(|_| fitted.update(None));
    for (late, early) in fitted.predict(50).steps.iter().zip(&ahead[10..]) {
        assert!((late - early).abs() < 1e-9 * early);
    }
    // Of the fit too: a hole does not move it far.
    let mut values = traffic.values[..400].to_vec();
    values[150..170].fill(None);
    values[390..].fill(None);
    let holed = fit(model, &values, 24).predict(50).steps;
    let off: f64 = holed.iter().zip(&ahead).map(|(a, b)| (a - b).abs()).sum();
    assert!(off < 0.1 * ahead.iter().sum::<f64>(), "{off}");
}

#[test]
fn variances_of_added_errors_are_those_of_the_recursion() {
    let traffic = traffic(3.0, 24, 100.0, 4);
    for name in ["ANN", "AAdN", "AAN", "ANA", "AAA"] {
        let form: Form = name.parse().unwrap();
        let fitted = Ets::with_form(form, Some(Season::Day))
            .fit(&traffic.history().until(400))
            .unwrap();
        let Kind::Ets(it) = &fitted.0 else {
            panic!("{name} was not fitted");
        };
        let mut smoothed = it.clone();
        smoothed.variance = 1.0;
        for (step, variance) in smoothed.variances(60).enumerate() {
            // What an error of 1 in each earlier step adds here, by the recursion itself.
            let mut sum = 1.0;
            for at in 0..step {
                let (mut with, mut without) = (smoothed.state.clone(), smoothed.state.clone());
                for passed in 0..step {
                    let error = if passed == at { 1.0 } else { 0.0 };
                    with.see(Some(with.with_error(error)));
                    without.see(None);
                }
                let effect = with.expected() - without.expected();
                sum += effect * effect;
            }
            assert!(
                (variance / sum - 1.0).abs() < 1e-6,
                "{name} at {step}: {variance} {sum}"
            );
        }
    }
}

#[test]
fn paths_lie_around_the_forecast_and_within_the_quantiles() {
    let traffic = traffic(4.0, 24, 100.0, 9);
    for name in ["ANA", "MAdM", "MNM"] {
        let form: Form = name.parse().unwrap();
        let fitted = Ets::with_form(form, Some(Season::Day))
            .fit(&traffic.history())
            .unwrap();
        let (point, paths) = (fitted.predict(72), fitted.paths(72, 400, 4));
        let quantiles = fitted.quantiles(72, &[0.1, 0.9]);
        for step in [0, 20, 71] {
            let sample = paths.at(step);
            let [low, high] = quantiles.step(step) else {
                panic!("two levels");
            };
            let off = (sample.mean() - point.steps[step]).abs();
            assert!(off < 0.2 * (high - low), "{name} {step}: {off}");
            assert!(
                *low < point.steps[step] && point.steps[step] < *high,
                "{name} {step}"
            );
            let widths = (sample.quantile(0.9) - sample.quantile(0.1)) / (high - low);
            assert!((0.4..2.5).contains(&widths), "{name} {step}: {widths}");
        }
        assert_eq!(paths, fitted.paths(72, 400, 4));
    }
}

#[test]
fn a_form_that_does_not_suit_is_refused_with_the_reason() {
    let traffic = traffic(1.0, 24, 100.0, 3).map(|value| (value - 60.0).max(0.0));
    let refused = |form: &str, season| {
        let model = Ets::with_form(form.parse().unwrap(), season);
        matches!(
            model.fit(&traffic.history()),
            Err(FitError::Unfit {
                model: ModelName::Ets,
                ..
            })
        )
    };
    assert!(refused("MNN", None), "zeros");
    assert!(refused("ANA", None), "no season");
    assert!(
        !refused("ANA", Some(Season::Week)),
        "the day's season takes the week's place"
    );
}

#[test]
fn short_histories_degrade_by_name() {
    let traffic = traffic(4.0, 24, 100.0, 3);
    for (steps, model) in [
        (672, ModelName::Ets),
        (40, ModelName::Ets),
        (6, ModelName::Naive),
    ] {
        let fitted = Ets::auto(Some(Season::Week))
            .fit(&traffic.history().until(steps))
            .unwrap();
        assert_eq!(fitted.model(), model, "{steps} steps");
        assert_eq!(fitted.predict(5).steps.len(), 5);
    }
}

/// Ill-natured histories: constant, zero, a spike, a step, gaps, and noise.
fn ill_natured() -> impl Strategy<Value = Vec<Option<f64>>> {
    (
        0_usize..5,
        1_usize..120,
        prop_oneof![Just(1.0), Just(1e-6), Just(1e12), 0.1_f64..1e4],
        proptest::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 120),
        0.0_f64..0.6,
    )
        .prop_map(|(kind, count, size, noise, missing)| {
            let value = |step: usize| match kind {
                0 => 1.0,
                1 => 0.0,
                2 if step == count / 2 => 1e15 / size,
                2 => noise[step].0,
                3 if step < count / 2 => 1e-3,
                3 => 1e3,
                _ => noise[step].0,
            };
            (0..count)
                .map(|step| (noise[step].1 >= missing).then(|| (value(step) * size).min(1e15)))
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whatever_the_history_forecasts_are_demand(values in ill_natured(), form in 0_usize..16) {
        let form = Form::all().nth(form);
        let model = match form {
            Some(form) => Ets::with_form(form, Some(Season::Day)),
            None => Ets::auto(Some(Season::Week)),
        };
        let seasons = SeasonSpec { day: 6, week: 42, year: 0 };
        let history = History::new(&values, seasons).unwrap();
        let mut fitted = match model.fit(&history) {
            Ok(fitted) => fitted,
            Err(error) => {
                prop_assert!(error == FitError::NoObservation || form.is_some(), "{}", error);
                return Ok(());
            }
        };
        for value in [Some(0.0), None, Some(1e15), None, Some(1.0)] {
            let levels = [0.001, 0.5, 0.999];
            let mut all = fitted.predict(100).steps;
            all.extend(fitted.paths(100, 10, 1).iter().flatten());
            let quantiles = fitted.quantiles(100, &levels);
            (0..100).for_each(|step| all.extend(quantiles.step(step)));
            prop_assert!(all.iter().all(|it| it.is_finite() && *it >= 0.0), "{:?}", fitted);
            for (parts, step) in fitted.explain(100).iter().zip(&fitted.predict(100).steps) {
                let size = parts.level.abs() + parts.trend.abs() + parts.season_day.abs() + step;
                prop_assert!((parts.total() - step).abs() <= 1e-9 * size, "{:?} {}", parts, step);
            }
            fitted.update(value);
        }
    }
}
