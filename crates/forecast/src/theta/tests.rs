use super::*;
use crate::SeasonSpec;
use crate::testing::{Traffic, air_passengers, traffic};

/// Compares with statsforecast 2.1.1, `DynamicOptimizedTheta`, to 1 %.
fn check(model: Theta, traffic: &Traffic, name: ModelName, expected: &[f64]) {
    let fitted = model.fit(&traffic.history()).unwrap();
    assert_eq!(fitted.model(), name);
    let forecast = fitted.predict(expected.len()).steps;
    for (step, (ours, theirs)) in forecast.iter().zip(expected).enumerate() {
        assert!(
            (ours / theirs - 1.0).abs() < 0.01,
            "step {step}: {forecast:?} is not {expected:?}"
        );
    }
}

/// Made up: trend, a season of 8 steps, noise.
fn own() -> Traffic {
    let values = [
        45.8, 53.2, 57.2, 56.6, 52.6, 48.6, 48.0, 42.9, 50.3, 57.7, 61.7, 61.1, 57.1, 44.0, 43.4,
        47.4, 54.8, 62.2, 66.2, 65.6, 52.5, 48.5, 47.9, 51.9, 59.3, 66.7, 61.6, 61.0, 57.0, 53.0,
        52.4, 56.4, 63.8, 62.1, 66.1, 65.5, 61.5, 57.5, 56.9, 51.8, 59.2, 66.6, 70.6, 70.0, 66.0,
        62.0, 52.3, 56.3, 63.7, 71.1, 75.1, 74.5, 61.4, 57.4, 56.8, 60.8, 68.2, 75.6, 79.6, 69.9,
        65.9, 61.9, 61.3, 65.3,
    ];
    Traffic {
        values: values.map(Some).to_vec(),
        seasons: SeasonSpec {
            day: 8,
            week: 0,
            year: 0,
        },
    }
}

#[test]
fn air_passengers_as_statsforecast_has_them() {
    let expected = [
        442.9272, 432.2984, 495.4825, 482.5753, 487.866, 556.1216, 616.223, 616.1097, 538.4027,
        470.4105, 410.999, 463.4772,
    ];
    check(
        Theta::new(Season::Day),
        &air_passengers(),
        ModelName::ThetaDay,
        &expected,
    );
}

#[test]
fn own_series_as_statsforecast_has_it() {
    let multiplied = [
        69.835, 77.0243, 80.159, 78.0201, 70.8549, 64.0563, 61.7047, 63.1776, 72.1484, 79.5625,
        82.7867, 80.5645, 73.1537, 66.1239, 63.6863, 65.1962,
    ];
    check(
        Theta::new(Season::Day),
        &own(),
        ModelName::ThetaDay,
        &multiplied,
    );
    let added = [
        69.2249, 75.3429, 78.0603, 76.0957, 69.9992, 64.552, 62.5041, 63.8369, 71.2502, 77.3629,
        80.075, 78.1052, 72.0035, 66.5512, 64.4983, 65.8261,
    ];
    check(
        Theta::additive(Season::Day),
        &own(),
        ModelName::ThetaDay,
        &added,
    );
}

#[test]
fn zeros_make_the_season_additive_as_in_statsforecast() {
    let with_zeros = own().map(|value| (value - 50.0).max(0.0));
    let expected = [
        18.1565, 24.2149, 26.8904, 24.9349, 18.6044, 14.3938, 12.5306, 13.648,
    ];
    check(
        Theta::new(Season::Day),
        &with_zeros,
        ModelName::ThetaDay,
        &expected,
    );
}

#[test]
fn without_a_season_as_statsforecast_has_it() {
    let mut passengers = air_passengers();
    passengers.seasons.day = 0;
    let expected = [432.2609, 432.925, 433.5862, 434.2445, 434.8998, 435.5522];
    check(
        Theta::new(Season::Day),
        &passengers,
        ModelName::Theta,
        &expected,
    );
}

#[test]
fn short_histories_degrade_by_name() {
    let traffic = traffic(4.0, 24, 100.0, 3);
    for (steps, model) in [
        (672, ModelName::ThetaWeek),
        (335, ModelName::ThetaDay),
        (40, ModelName::Theta),
        (4, ModelName::Theta),
        (3, ModelName::Naive),
    ] {
        let fitted = Theta::new(Season::Week)
            .fit(&traffic.history().until(steps))
            .unwrap();
        assert_eq!(fitted.model(), model, "{steps} steps");
        assert!(
            fitted
                .paths(50, 3, 1)
                .iter()
                .flatten()
                .all(|value| value.is_finite())
        );
    }
}

#[test]
fn steps_missing_at_the_end_are_forecast_and_not_bridged() {
    let mut traffic = traffic(3.0, 24, 100.0, 3);
    let all = Theta::new(Season::Day)
        .fit(&traffic.history().until(480))
        .unwrap()
        .predict(48)
        .steps;
    traffic.values[480..].fill(None);
    let late = Theta::new(Season::Day)
        .fit(&traffic.history().until(490))
        .unwrap();
    assert_eq!(late.predict(38).steps, all[10..]);
    assert_eq!(late.paths(38, 5, 1).horizon(), 38);
}

#[test]
fn taking_in_steps_is_as_good_as_fitting_with_the_same_parameters() {
    let traffic = traffic(4.0, 24, 100.0, 3);
    for form in [
        ThetaForm::Standard,
        ThetaForm::Optimised,
        ThetaForm::Dynamic,
        ThetaForm::DynamicOptimised,
    ] {
        let mut fitted = Theta::new(Season::Day)
            .with_form(form)
            .fit(&traffic.history().until(480))
            .unwrap();
        let Kind::Theta(before) = fitted.0.clone() else {
            panic!("{form:?} was not fitted");
        };
        // Steps as forecast change nothing but the time.
        let ahead = fitted.predict(100).steps;
        let mut same = fitted.clone();
        ahead[..30].iter().for_each(|step| same.update(Some(*step)));
        for (late, early) in same.predict(70).steps.iter().zip(&ahead[30..]) {
            assert!(
                (late / early - 1.0).abs() < 1e-9,
                "{form:?}: {late} {early}"
            );
        }
        // Missing steps are forecast, and the season goes on below them.
        let values = [Some(90.0), None, None, Some(120.0), None];
        values.iter().for_each(|value| fitted.update(*value));
        let Kind::Theta(after) = &fitted.0 else {
            panic!("{form:?} became another model");
        };
        assert_eq!((after.ahead, after.turned), (1, 4));
        assert_eq!(after.season[0], before.season[4]);
        assert!(
            fitted
                .paths(30, 3, 1)
                .iter()
                .flatten()
                .all(|it| it.is_finite())
        );
    }
}

#[test]
fn a_level_that_rises_is_followed() {
    let traffic = traffic(4.0, 24, 100.0, 3);
    let mut fitted = Theta::new(Season::Day)
        .fit(&traffic.history().until(480))
        .unwrap();
    let before: f64 = fitted.predict(24).steps.iter().sum();
    for value in traffic.values[480..576].iter().flatten() {
        fitted.update(Some(3.0 * value));
    }
    let after: f64 = fitted.predict(24).steps.iter().sum();
    assert!(after > 1.8 * before, "{before} {after}");
}

#[test]
fn paths_lie_around_the_forecast() {
    let traffic = traffic(4.0, 24, 100.0, 9);
    let fitted = Theta::new(Season::Week).fit(&traffic.history()).unwrap();
    let (point, paths) = (fitted.predict(72), fitted.paths(72, 300, 4));
    for step in [0, 20, 71] {
        let sample = paths.at(step);
        assert!(
            (sample.mean() / point.steps[step] - 1.0).abs() < 0.1,
            "{step}"
        );
        assert!(
            sample.quantile(0.1) < point.steps[step] && point.steps[step] < sample.quantile(0.9),
            "{step}"
        );
    }
}
