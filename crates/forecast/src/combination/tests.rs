use super::evened::even_out;
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
    let found = weights(&[1.1, 1.0, 3.0], 15.0);
    // Trusted four times as much, and e^1.5 times worse.
    assert!(
        (found[0] / found[1] - 4.0 * 0.2231).abs() < 0.001,
        "{found:?}"
    );
    assert!(
        found[2] < 1e-6 && (found.iter().sum::<f64>() - 1.0).abs() < 1e-12,
        "{found:?}"
    );
    assert_eq!(weights(&[0.0, 0.0, 1.0], 15.0), [0.8, 0.2, 0.0]);
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
fn quantiles_are_calibrated_averages_of_the_members_and_paths_have_them() {
    let traffic = traffic(4.0, 24, 100.0, 23);
    let fitted = several().fit(&traffic.history()).unwrap();
    let levels = [0.1, 0.5, 0.9];
    let quantiles = fitted.quantiles(48, &levels);
    let averages = fitted.uncalibrated(48);
    let paths = fitted.paths(48, 2000, 5);
    for lead in [0, 5, 47] {
        let of = |place: usize| -> f64 {
            let members = fitted.members.iter().zip(fitted.weights(lead));
            members
                .map(|(member, (_, weight))| {
                    weight * member.quantiles(48, &LEVELS).step(lead)[place]
                })
                .sum()
        };
        let mut expected: [f64; LEVELS.len()] = std::array::from_fn(of);
        even_out(&mut expected, lead + 1, 24);
        for (place, level) in levels.into_iter().enumerate() {
            let all = LEVELS.iter().position(|known| *known == level);
            let all = all.expect("a level that is kept");
            let (average, expected) = (averages.step(lead)[all], expected[all]);
            assert!(
                (average - expected).abs() < 1e-9 * expected,
                "{lead}: {average} is not {expected}"
            );
            let quantile = quantiles.step(lead)[place];
            assert!(
                (quantile - average).abs() <= if level == 0.5 { 1e-9 } else { 0.1 } * average,
                "{lead}: {quantile} is far from {average}"
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

#[test]
fn intervals_hold_as_often_as_they_promise_and_so_does_the_highest_of_a_day() {
    let all = traffic(40.0, 24, 100.0, 25);
    let levels = [0.1, 0.5, 0.9, 0.95];
    let (mut within, mut under, mut steps, mut days) = (0, 0, 0, 0);
    for origin in (5 * 168..all.values.len() - 24).step_by(211) {
        let history = all.values[origin - 4 * 168..origin].to_vec();
        let history = History::new(&history, all.seasons).unwrap();
        let fitted = Combination::default().fit(&history).unwrap();
        let quantiles = fitted.quantiles(24, &levels);
        let actuals: Vec<f64> = all.values[origin..origin + 24]
            .iter()
            .flatten()
            .copied()
            .collect();
        for (step, actual) in actuals.iter().enumerate() {
            let own = quantiles.step(step);
            within += usize::from((own[0]..=own[2]).contains(actual));
            steps += 1;
        }
        let day = 0..24;
        let highest = &fitted.highest(std::slice::from_ref(&day), &levels)[0];
        assert!(
            highest.is_sorted() && highest[1] >= quantiles.step(12)[1],
            "{highest:?}"
        );
        under += usize::from(actuals.iter().copied().fold(0.0, f64::max) <= highest[3]);
        days += 1;
    }
    let (within, under) = (within as f64 / steps as f64, under as f64 / days as f64);
    assert!((0.75..0.88).contains(&within), "{within}");
    assert!(under > 0.88, "{under} of {days}");
}

#[test]
fn intervals_widen_after_demand_has_become_wilder() {
    let calm = traffic(4.0, 24, 100.0, 26);
    let mut fitted = Combination::default().fit(&calm.history()).unwrap();
    let width = |fitted: &FittedCombination| {
        let quantiles = fitted.quantiles(24, &[0.025, 0.975]);
        (0..24)
            .map(|step| quantiles.step(step)[1] - quantiles.step(step)[0])
            .sum::<f64>()
    };
    let before = width(&fitted);
    let mut rng = crate::Rng::new(7, 0);
    for value in calm.values.iter().take(336) {
        let wild = 1.0 + 0.8 * (rng.uniform() - 0.5);
        fitted.update(value.map(|value| wild * value));
    }
    assert!(width(&fitted) > 1.5 * before, "{before} {}", width(&fitted));
    let [inner, _] = fitted.guaranteed(23);
    assert!(inner.outcomes() > 10 && (inner.mean_error() - 0.2).abs() <= inner.bound());
}

#[test]
fn many_kinds_are_averaged_as_logarithms_and_few_as_they_are() {
    let traffic = traffic(4.0, 24, 100.0, 29);
    let values = traffic.history();
    let values = values.values();
    let apart = |combination: &Combination| {
        let mean = combination.mean_of(values);
        mean.mean(0.5 * mean.term(50.0) + 0.5 * mean.term(150.0))
    };
    assert_eq!(apart(&Combination::default()), 100.0);
    let averaged = apart(&Combination::accurate());
    assert!(averaged < 95.0 && averaged > 86.0, "{averaged}");
}
