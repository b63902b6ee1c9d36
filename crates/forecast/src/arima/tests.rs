use super::*;
use crate::testing::{Traffic, air_passengers, traffic};
use crate::{Explain, Regressor, SeasonSpec};

/// What statsforecast or statsmodels make of an order; see `peers/arima.py`.
#[derive(Deserialize)]
struct Reference {
    name: String,
    values: Vec<Option<f64>>,
    order: (usize, usize, usize),
    seasonal: (usize, usize, usize),
    season: usize,
    constant: bool,
    regressors: Vec<Vec<f64>>,
    forecast: Vec<f64>,
    deviation: Vec<f64>,
    log_likelihood: Option<f64>,
    variance: Option<f64>,
    /// Degrees of freedom: statsmodels gives the variance without them.
    free: f64,
    reference: String,
}

fn references() -> Vec<Reference> {
    serde_json::from_str(include_str!("../../tests/fixtures/arima.json")).unwrap()
}

/// Point forecasts to 1 %, deviations to 3 %, variances to 2 %, and never less likely by more than a
/// twentieth.
#[test]
fn given_orders_are_fitted_as_the_peers_do() {
    for reference in references() {
        let name = &reference.name;
        let regressors: Vec<Regressor> = reference
            .regressors
            .iter()
            .map(|values| Regressor {
                name: "given".to_string(),
                values: values.clone(),
            })
            .collect();
        let seasons = SeasonSpec {
            day: reference.season,
            week: 0,
            year: 0,
        };
        let history = History::new(&reference.values, seasons)
            .unwrap()
            .with_regressors(&regressors);
        let model = Arima::with_order(
            reference.order,
            reference.seasonal,
            Some(Season::Day),
            reference.constant,
        );
        let fitted = model.fit(&history).unwrap();
        if let Some(expected) = reference.log_likelihood {
            let found = fitted.log_likelihood();
            assert!(
                found > expected - 0.05,
                "{name}: {found} is under {expected}"
            );
        }
        if let Some(expected) = reference.variance {
            let found = fitted.variance();
            assert!(
                (found / expected - 1.0).abs() < 0.02,
                "{name}: {found} is not {expected}"
            );
        }
        let horizon = reference.forecast.len();
        let forecast = fitted.predict(horizon).steps;
        let quantiles = fitted.quantiles(horizon, &[0.5, 0.841_344_746_068_542_9]);
        let seen = reference.values.iter().flatten().count() as f64;
        let lost = fitted.order().lost() as f64;
        let freedom = if reference.reference == "statsmodels" {
            ((seen - lost) / reference.free).sqrt()
        } else {
            1.0
        };
        for (step, (&ours, &theirs)) in forecast.iter().zip(&reference.forecast).enumerate() {
            assert!(
                (ours / theirs - 1.0).abs() < 0.01,
                "{name} at {step}: {ours} is not {theirs}: {:?}",
                fitted.coefficients().collect::<Vec<_>>()
            );
            let [middle, upper] = *quantiles.step(step) else {
                panic!("two levels");
            };
            let (ours, theirs) = (upper - middle, reference.deviation[step] * freedom);
            assert!(
                (ours / theirs - 1.0).abs() < 0.03,
                "{name} at {step}: the deviation {ours} is not {theirs}"
            );
        }
    }
}

#[test]
fn passengers_are_foreseen_by_the_automatic_order() {
    let all = air_passengers();
    let fitted = Arima::auto(Some(Season::Day))
        .fit(&all.history().until(132))
        .unwrap();
    assert_eq!(fitted.order().seasonal_d, 1, "{}", fitted.order());
    let forecast = fitted.predict(12).steps;
    let actual = all.values[132..].iter().flatten();
    let error: f64 = forecast
        .iter()
        .zip(actual)
        .map(|(forecast, actual)| (forecast / actual - 1.0).abs() / 12.0)
        .sum();
    // statsforecast's AutoARIMA errs by 4.2 %.
    assert!(error < 0.05, "{error} by {}", fitted.order());
}

#[test]
fn what_was_expected_changes_nothing_and_what_is_missing_neither() {
    let mut traffic = traffic(3.0, 24, 100.0, 4);
    for gaps in [false, true] {
        if gaps {
            traffic.values[480..484].fill(None);
        }
        let mut fitted = Arima::with_order((1, 0, 1), (0, 1, 1), Some(Season::Day), true)
            .fit(&traffic.history())
            .unwrap();
        let before = fitted.predict(60).steps;
        let deviation = |fitted: &FittedArima, step: usize| {
            let quantiles = fitted.quantiles(step + 1, &[0.5, 0.9]);
            quantiles.step(step)[1] - quantiles.step(step)[0]
        };
        let next = deviation(&fitted, 3);
        fitted.update(Some(before[0]));
        fitted.update(None);
        let after = fitted.predict(58).steps;
        for (step, (before, after)) in before[2..].iter().zip(&after).enumerate() {
            assert!(
                (before - after).abs() < 1e-6,
                "{step}: {after} is not {before}"
            );
        }
        // The first step was seen, the second was not: as two steps ahead of the first.
        assert!(deviation(&fitted, 1) > 0.9 * deviation(&fitted, 0));
        assert!(deviation(&fitted, 1) < next * 1.000_001);
        let late = fitted.paths(30, 3, 1);
        assert_eq!(late.count(), 3);
    }
}

/// Taking in what comes is as fitting later, but for the coefficients, which hardly change.
#[test]
fn updates_keep_up_with_a_refit() {
    let traffic = traffic(6.0, 24, 100.0, 6);
    let model = Arima::with_order((1, 0, 0), (0, 1, 1), Some(Season::Day), false);
    let mut updated = model.fit(&traffic.history().until(960)).unwrap();
    for value in &traffic.values[960..] {
        updated.update(*value);
    }
    let refitted = model.fit(&traffic.history()).unwrap();
    let (updated, refitted) = (updated.predict(48).steps, refitted.predict(48).steps);
    for (step, (updated, refitted)) in updated.iter().zip(&refitted).enumerate() {
        assert!(
            (updated - refitted).abs() < 3.0,
            "{step}: {updated} is not {refitted}"
        );
    }
}

/// Days of a triangle 40 high, on a process around 120.
fn made_up(day: usize, days: usize) -> Traffic {
    let noise = super::testing::simulated(&[0.5], &[], day * days, 9);
    let value = |(step, noise): (usize, Option<f64>)| {
        let turn = 2.0 * (step % day) as f64 / day as f64;
        Some(noise? + 100.0 + 40.0 * (1.0 - (turn - 1.0).abs()))
    };
    Traffic {
        values: noise.into_iter().enumerate().map(value).collect(),
        seasons: SeasonSpec {
            day,
            week: 0,
            year: 0,
        },
    }
}

#[test]
fn paths_spread_as_quantiles_do() {
    // Noise that is the same by day and by night, as the normal distribution has it.
    let mut made = made_up(24, 35);
    for gap in [false, true] {
        if gap {
            let steps = made.values.len();
            made.values[steps - 6..].fill(None);
        }
        let fitted = Arima::with_order((1, 0, 0), (0, 1, 1), Some(Season::Day), false)
            .fit(&made.history())
            .unwrap();
        let paths = fitted.paths(48, 2000, 4);
        let quantiles = fitted.quantiles(48, &[0.1, 0.5, 0.9]);
        for step in [0, 5, 30, 47] {
            let &[low, middle, high] = quantiles.step(step) else {
                panic!("three levels");
            };
            let sample = paths.at(step);
            let width = high - low;
            for (level, expected) in [(0.1, low), (0.5, middle), (0.9, high)] {
                let found = sample.quantile(level);
                assert!(
                    (found - expected).abs() < 0.15 * width,
                    "{step} at {level}: {found} is not {expected} (width {width})"
                );
            }
        }
    }
}

#[test]
fn parts_sum_to_the_forecast_and_say_what_they_are() {
    let traffic = traffic(2.0, 24, 100.0, 5);
    let steps = traffic.values.len();
    let mut values = traffic.values.clone();
    let campaign: Vec<f64> = (0..steps + 72)
        .map(|step| {
            f64::from(u8::from(
                step % 60 < 4 || (steps..steps + 9).contains(&step),
            ))
        })
        .collect();
    for (value, campaign) in values.iter_mut().zip(&campaign) {
        *value = value.map(|value| value + 40.0 * campaign);
    }
    let regressors = [Regressor {
        name: "campaign".to_string(),
        values: campaign,
    }];
    let history = History::new(&values, traffic.seasons)
        .unwrap()
        .with_regressors(&regressors);
    for model in [
        Arima::auto(None),
        Arima::auto(Some(Season::Day)),
        Arima::auto(Some(Season::Week)),
        Arima::with_order((0, 1, 1), (0, 0, 0), None, true),
    ] {
        let fitted = model.fit(&history).unwrap();
        let parts = fitted.explain(72);
        for (step, expected) in fitted.predict(72).steps.into_iter().enumerate() {
            let apart = (parts[step].total() - expected).abs();
            assert!(
                apart < 1e-9 * expected.max(1.0),
                "{step}: {:?}",
                parts[step]
            );
        }
        assert!((30.0..50.0).contains(&parts[2].events), "{:?}", parts[2]);
        assert!(parts[30].events.abs() < 1e-9, "{:?}", parts[30]);
        if model.season == Some(Season::Day) {
            assert!(
                parts[0].season_day < -20.0,
                "{} {:?}",
                fitted.order(),
                parts[0]
            );
            assert!(
                parts[12].season_day > 20.0,
                "{} {:?}",
                fitted.order(),
                parts[12]
            );
        }
    }
}

#[test]
fn a_long_season_is_told_by_waves() {
    let made = made_up(288, 9);
    let history = made.history().until(8 * 288);
    let fitted = Arima::auto(Some(Season::Day)).fit(&history).unwrap();
    assert_eq!(fitted.order().season, 1);
    let forecast = fitted.predict(288).steps;
    let error: f64 = forecast
        .iter()
        .zip(made.values[8 * 288..].iter().flatten())
        .map(|(forecast, actual)| (forecast - actual).abs() / 288.0)
        .sum();
    // The noise alone costs 0.9.
    assert!(error < 1.2, "{error}");
    assert!(fitted.explain(288)[144].season_day > 15.0);
}

#[test]
fn only_the_last_steps_count() {
    let traffic = traffic(16.0, 24, 100.0, 8);
    let mut other = traffic.values.clone();
    let late = other.len() - STEPS_MAX;
    other[..late].fill(Some(1e9));
    let other = Traffic {
        values: other,
        seasons: traffic.seasons,
    };
    let model = Arima::with_order((1, 0, 0), (0, 1, 1), Some(Season::Day), false);
    assert_eq!(
        model.fit(&traffic.history()).unwrap(),
        model.fit(&other.history()).unwrap()
    );
}

#[test]
fn regressors_are_read_from_where_the_window_starts() {
    let steps = STEPS_MAX + 500;
    let mut state = 1_u64;
    let column: Vec<f64> = (0..steps + 10)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 60) as f64
        })
        .collect();
    let mut values: Vec<Option<f64>> = column[..steps]
        .iter()
        .map(|value| Some(50.0 + 3.0 * value))
        .collect();
    values[..7].fill(None);
    let regressors = [Regressor {
        name: "known".to_string(),
        values: column.clone(),
    }];
    let history = History::new(&values, SeasonSpec::default())
        .unwrap()
        .with_regressors(&regressors);
    let forecast = Arima::auto(None).fit(&history).unwrap().predict(10).steps;
    for (found, value) in forecast.iter().zip(&column[steps..]) {
        assert!((found - 50.0 - 3.0 * value).abs() < 1e-3, "{forecast:?}");
    }
}

#[test]
fn short_histories_carry_the_last_value_on() {
    let traffic = traffic(2.0, 24, 100.0, 3);
    for (steps, model) in [
        (1, ModelName::Naive),
        (2, ModelName::Naive),
        (9, ModelName::Naive),
        (300, ModelName::Arima),
    ] {
        let history = traffic.history().until(steps);
        let fitted = Arima::with_order((1, 0, 0), (0, 1, 1), Some(Season::Day), false)
            .fit(&history)
            .unwrap();
        assert_eq!(fitted.model(), model, "{steps} steps");
        if model == ModelName::Naive {
            let last = traffic.values[steps - 1].unwrap();
            assert!(
                fitted
                    .predict(30)
                    .steps
                    .iter()
                    .all(|value| (value - last).abs() < 1e-9)
            );
        }
    }
    let nothing = History::new(&[None], SeasonSpec::default()).unwrap();
    assert_eq!(
        Arima::auto(None).fit(&nothing),
        Err(FitError::NoObservation)
    );
}

#[test]
fn orders_out_of_reach_are_refused_with_the_reason() {
    let traffic = traffic(2.0, 24, 100.0, 3);
    for (plain, seasonal) in [
        ((13, 0, 0), (0, 0, 0)),
        ((0, 3, 0), (0, 0, 0)),
        ((0, 0, 0), (3, 0, 0)),
        ((0, 0, 0), (0, 2, 0)),
    ] {
        let refused = Arima::with_order(plain, seasonal, None, false).fit(&traffic.history());
        assert!(matches!(refused, Err(FitError::Unfit { .. })), "{plain:?}");
    }
}

#[test]
fn every_method_finds_about_the_same() {
    let traffic = traffic(4.0, 24, 100.0, 12);
    let by = |method: Method| {
        Arima::with_order((1, 0, 0), (0, 1, 1), Some(Season::Day), false)
            .by(method)
            .fit(&traffic.history())
            .unwrap()
    };
    let [both, css, ml] = [Method::CssMl, Method::Css, Method::Ml].map(by);
    assert!((both.log_likelihood() - ml.log_likelihood()).abs() < 0.05);
    assert!(css.log_likelihood() <= both.log_likelihood() + 1e-6);
    for (ours, other) in both.predict(24).steps.iter().zip(css.predict(24).steps) {
        assert!((ours / other - 1.0).abs() < 0.1);
    }
}
