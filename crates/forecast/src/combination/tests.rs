use super::trust::weights;
use super::*;
use crate::testing::traffic;
use crate::{LevelSeason, SeasonalNaive};

fn several() -> Combination {
    Combination::new(vec![
        Model::Ridge(Ridge::default()),
        Model::Theta(Theta::new(Season::Day)),
        Model::SeasonalNaive(SeasonalNaive::new(Season::Week)),
        Model::LevelSeason(LevelSeason::default()),
    ])
}

#[test]
fn weights_follow_losses() {
    let found = weights(&[1.1, 1.0, 3.0]);
    // Trusted three times as much, and e^1.5 times worse.
    assert!(
        (found[0] / found[1] - 3.0 * 0.2231).abs() < 0.001,
        "{found:?}"
    );
    assert!(
        found[2] < 1e-6 && (found.iter().sum::<f64>() - 1.0).abs() < 1e-12,
        "{found:?}"
    );
    assert_eq!(weights(&[0.0, 0.0, 1.0]), [0.75, 0.25, 0.0]);
}

#[test]
fn loses_little_to_its_best_member_as_far_as_members_are_judged() {
    let all = traffic(6.0, 24, 100.0, 21);
    let history = all.history().until(840);
    let loss = |model: &dyn Fn() -> Vec<f64>| -> f64 {
        let actual = all.values[840..].iter().flatten();
        model().iter().zip(actual).map(|(f, y)| (f - y).abs()).sum()
    };
    let losses: Vec<f64> = several()
        .members
        .iter()
        .map(|member| loss(&|| member.fit(&history).unwrap().predict(48).steps))
        .collect();
    let combined = loss(&|| several().fit(&history).unwrap().predict(48).steps);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(combined < 1.1 * best, "{combined} of {losses:?}");
}

#[test]
fn short_history_leaves_one_model_under_its_own_name() {
    let traffic = traffic(1.0, 24, 100.0, 22);
    for (steps, members) in [(1, 1), (3, 1), (10, 2), (100, 2)] {
        let fitted = Combination::default()
            .fit(&traffic.history().until(steps))
            .unwrap();
        assert_eq!(fitted.weights(0).count(), members, "{steps} steps");
        assert_eq!(fitted.paths(50, 4, 1).count(), 4);
        assert_eq!(fitted.model() == ModelName::Naive, members == 1);
    }
}

#[test]
fn quantiles_are_averages_of_the_members_and_paths_have_them() {
    let traffic = traffic(4.0, 24, 100.0, 23);
    let fitted = several().fit(&traffic.history()).unwrap();
    let levels = [0.1, 0.5, 0.9];
    let quantiles = fitted.quantiles(48, &levels);
    let paths = fitted.paths(48, 2000, 5);
    for lead in [0, 5, 47] {
        for (place, level) in levels.into_iter().enumerate() {
            let expected: f64 = fitted
                .members
                .iter()
                .zip(fitted.weights(lead))
                .map(|(member, (_, weight))| {
                    weight * member.quantiles(48, &levels).step(lead)[place]
                })
                .sum();
            let quantile = quantiles.step(lead)[place];
            assert!(
                (quantile - expected).abs() < 1e-9 * expected,
                "{lead}: {quantile} is not {expected}"
            );
            let drawn = paths.at(lead).quantile(level);
            assert!(
                (drawn - quantile).abs() < 0.03 * quantile,
                "{lead} {level}: {drawn} is not {quantile}"
            );
        }
    }
    let first = fitted.paths(48, 3, 5);
    assert!(
        first
            .iter()
            .zip(paths.iter())
            .all(|(few, many)| few == many)
    );
}

#[test]
fn a_member_that_stops_being_right_loses_its_weight_by_updates() {
    let calm = traffic(4.0, 24, 100.0, 24);
    let mut fitted = Combination::new(vec![
        Model::SeasonalNaive(SeasonalNaive::new(Season::Week)),
        Model::Theta(Theta::new(Season::Day)),
    ])
    .fit(&calm.history())
    .unwrap();
    let weight = |fitted: &FittedCombination| fitted.weights(0).next().unwrap().1;
    let before = weight(&fitted);
    // Demand triples for good: a week later the week before is wrong for a week.
    for value in calm.values.iter().take(120) {
        fitted.update(value.map(|value| 3.0 * value));
    }
    assert!(
        weight(&fitted) < 0.5 * before,
        "{before} {}",
        weight(&fitted)
    );
}
