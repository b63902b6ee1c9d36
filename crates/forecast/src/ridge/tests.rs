use super::*;
use crate::SeasonSpec;
use crate::testing::{Traffic, traffic};

fn fit(traffic: &Traffic) -> FittedRidge {
    Ridge::default().fit(&traffic.history()).unwrap()
}

/// The mean absolute error relative to the mean demand.
fn error(forecast: &[f64], actual: &[Option<f64>]) -> f64 {
    let pairs = || {
        forecast
            .iter()
            .zip(actual)
            .filter_map(|(f, y)| Some((f, (*y)?)))
    };
    pairs().map(|(f, y)| (f - y).abs()).sum::<f64>() / pairs().map(|(_, y)| y).sum::<f64>()
}

#[test]
fn a_week_of_made_up_traffic_is_foreseen_to_its_noise() {
    let all = traffic(6.0, 24, 100.0, 11);
    let forecast = Ridge::default()
        .fit(&all.history().until(840))
        .unwrap()
        .predict(168)
        .steps;
    // The noise alone costs 4 %.
    let error = error(&forecast, &all.values[840..]);
    assert!(error < 0.06, "{error}");
}

#[test]
fn quantiles_cover_what_comes_from_the_first_day_on() {
    // A week in, its weekend was seen once and the next one looks like a surprise.
    for (weeks, least, name) in [(1.0, 0.6, "one week"), (6.0, 0.75, "six weeks")] {
        let (mut within, mut count) = (0, 0);
        for seed in 0..10 {
            let all = traffic(weeks + 1.0, 24, 100.0, 100 + seed);
            let known = (weeks * 168.0) as usize;
            for origin in (known..known + 120).step_by(24) {
                let quantiles = Ridge::default()
                    .fit(&all.history().until(origin))
                    .unwrap()
                    .quantiles(48, &[0.1, 0.9]);
                for (step, value) in all.values[origin..].iter().take(48).flatten().enumerate() {
                    let [low, high] = [quantiles.step(step)[0], quantiles.step(step)[1]];
                    within += usize::from((low..=high).contains(value));
                    count += 1;
                }
            }
        }
        let share = f64::from(within as u32) / f64::from(count);
        assert!((least..0.9).contains(&share), "{name}: {share}");
    }
}

#[test]
fn short_histories_and_no_season_degrade() {
    let all = traffic(3.0, 24, 100.0, 13);
    for (steps, model) in [
        (504, ModelName::Ridge),
        (48, ModelName::Ridge),
        (30, ModelName::Ridge),
        (10, ModelName::Naive),
        (1, ModelName::Naive),
    ] {
        let fitted = Ridge::default().fit(&all.history().until(steps)).unwrap();
        assert_eq!(fitted.model(), model, "{steps} steps");
        assert_eq!(fitted.paths(60, 3, 1).count(), 3, "{steps} steps");
    }
    let plain = Traffic {
        values: all.values.clone(),
        seasons: SeasonSpec::default(),
    };
    assert_eq!(fit(&plain).model(), ModelName::Ridge);
}

#[test]
fn updates_are_as_good_as_new_features() {
    let all = traffic(6.0, 24, 100.0, 15);
    let mut updated = Ridge::default().fit(&all.history().until(840)).unwrap();
    all.values[840..960]
        .iter()
        .for_each(|&value| updated.update(value));
    let refitted = Ridge::default().fit(&all.history().until(960)).unwrap();
    let next = &all.values[960..1008];
    let (old, new) = (
        error(&updated.predict(48).steps, next),
        error(&refitted.predict(48).steps, next),
    );
    assert!(old < new + 0.01, "{old} {new}");
}

#[test]
fn tracked_quantiles_follow_a_noise_that_grows() {
    let all = traffic(4.0, 24, 100.0, 16);
    let mut fitted = fit(&all);
    let width = |fitted: &FittedRidge| {
        let quantiles = fitted.quantiles(1, &[0.1, 0.9]);
        quantiles.step(0)[1] / quantiles.step(0)[0]
    };
    let before = width(&fitted);
    for (place, value) in all.values.iter().take(168).enumerate() {
        let shaken = if place % 2 == 0 { 1.3 } else { 0.8 };
        fitted.update(value.map(|value| shaken * value));
    }
    assert!(width(&fitted) > 1.1 * before, "{before} {}", width(&fitted));
}

#[test]
fn the_old_is_forgotten_and_the_state_is_stored_whole() {
    let all = traffic(4.0, 12, 100.0, 17);
    let mut fitted = fit(&all);
    for round in 0..6 {
        all.values.iter().for_each(|&value| fitted.update(value));
        fitted.update(None);
        let stored = serde_json::to_string(&fitted).unwrap();
        assert!(stored.len() < 600_000, "{} bytes", stored.len());
        let back: FittedRidge = serde_json::from_str(&stored).unwrap();
        assert_eq!(back, fitted, "round {round}");
        assert!(
            fitted
                .predict(100)
                .steps
                .iter()
                .all(|value| value.is_finite())
        );
    }
}

#[test]
fn paths_hang_together_as_errors_did() {
    // Each day is as busy as it likes: steps of one day go up and down together.
    let mut all = traffic(8.0, 24, 100.0, 18);
    for (at, value) in all.values.iter_mut().enumerate() {
        let day = ((at / 24) * 7919 % 13) as f64 / 13.0;
        *value = value.map(|value| value * (0.7 + 0.6 * day));
    }
    let paths = fit(&all).paths(24, 500, 3);
    let sums = crate::Sample::new(paths.iter().map(|path| path[6..18].iter().sum()).collect());
    let steps: f64 = (6..18)
        .map(|step| paths.at(step).quantile(0.9) - paths.at(step).quantile(0.1))
        .sum();
    let together = (sums.quantile(0.9) - sums.quantile(0.1)) / steps;
    // Independent steps would be near 1 ÷ √12 = 0.29, equal ones 1.
    assert!(together > 0.6, "{together}");
}
