use super::*;
use crate::SeasonSpec;
use crate::testing::{Traffic, traffic};

fn fit(traffic: &Traffic) -> FittedLevelSeason {
    LevelSeason::default().fit(&traffic.history()).unwrap()
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
    let history = all.history().until(840);
    let forecast = LevelSeason::default()
        .fit(&history)
        .unwrap()
        .predict(168)
        .steps;
    // The noise alone costs 4 %.
    let error = error(&forecast, &all.values[840..]);
    assert!(error < 0.06, "{error}");
}

#[test]
fn surges_and_gaps_move_the_forecast_little() {
    let clean = traffic(5.0, 24, 100.0, 12);
    let mut dirty = Traffic {
        values: clean.values.clone(),
        seasons: clean.seasons,
    };
    for (at, value) in dirty.values.iter_mut().enumerate() {
        match at % 97 {
            0 => *value = value.map(|value| 20.0 * value),
            1..10 => *value = None,
            _ => (),
        }
    }
    let (clean, dirty) = (
        fit(&clean).predict(168).steps,
        fit(&dirty).predict(168).steps,
    );
    let clean: Vec<Option<f64>> = clean.into_iter().map(Some).collect();
    assert!(error(&dirty, &clean) < 0.08, "{}", error(&dirty, &clean));
}

#[test]
fn short_histories_degrade_by_name() {
    let traffic = traffic(3.0, 24, 100.0, 13);
    for (steps, model) in [
        (504, ModelName::LevelSeasonWeek),
        (335, ModelName::LevelSeasonDay),
        (48, ModelName::LevelSeasonDay),
        (47, ModelName::Naive),
        (1, ModelName::Naive),
    ] {
        let fitted = LevelSeason::default()
            .fit(&traffic.history().until(steps))
            .unwrap();
        assert_eq!(fitted.model(), model, "{steps} steps");
        assert!(
            fitted
                .paths(60, 3, 1)
                .iter()
                .flatten()
                .all(|value| value.is_finite()),
            "{steps} steps"
        );
    }
}

#[test]
fn a_present_surge_lasts_as_long_as_surges_do() {
    // Deviations halve every 4 steps.
    let mut traffic = traffic(6.0, 24, 100.0, 14);
    let mut surge = 0.0;
    for (at, value) in traffic.values.iter_mut().enumerate() {
        surge *= 0.84;
        if at % 31 == 30 || at == 1006 {
            surge += 0.8;
        }
        *value = value.map(|value| value * (1.0 + surge));
    }
    let surged = fit(&traffic).explain(24);
    assert!(surged[0].remainder > 10.0, "{:?}", surged[0]);
    assert!(
        surged[12].remainder < 0.5 * surged[0].remainder,
        "{:?}",
        surged[12]
    );
}

#[test]
fn quantiles_of_paths_cover_what_came() {
    let all = traffic(10.0, 24, 100.0, 15);
    let (mut within, mut count) = (0, 0);
    for origin in (6 * 168..9 * 168).step_by(36) {
        let paths = LevelSeason::default()
            .fit(&all.history().until(origin))
            .unwrap()
            .paths(48, 200, 1);
        let (low, high) = (paths.quantiles(0.1), paths.quantiles(0.9));
        for (ahead, value) in all.values[origin..origin + 48].iter().flatten().enumerate() {
            within += usize::from((low[ahead]..=high[ahead]).contains(value));
            count += 1;
        }
    }
    let share = within as f64 / count as f64;
    assert!((0.72..0.92).contains(&share), "{share}");
}

#[test]
fn nothing_but_zeros_is_forecast_as_zero() {
    let zeros = Traffic {
        values: vec![Some(0.0); 100],
        seasons: SeasonSpec {
            day: 10,
            week: 70,
            year: 0,
        },
    };
    assert_eq!(fit(&zeros).predict(30).steps, [0.0; 30]);
    let constant = zeros.map(|_| 0.3);
    assert!(
        fit(&constant)
            .predict(30)
            .steps
            .iter()
            .all(|value| (value - 0.3).abs() < 1e-9)
    );
}
