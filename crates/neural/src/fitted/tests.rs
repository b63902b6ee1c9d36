use proptest::prelude::*;

use super::*;
use crate::testing::{Traffic, traffic};
use crate::{Cell, RecurrentSpec};
use fleetcast_forecast::Rng;
use fleetcast_forecast::{Fit, FitError, History, Season, SeasonSpec, SeasonalNaive};

/// Small enough that tests take no time, large enough to learn something.
fn small(cell: Cell) -> RecurrentSpec {
    RecurrentSpec {
        hidden: 12,
        context: 48,
        segment: 6,
        chunk: 24,
        steps: 150,
        batch: 24,
        learning_rate: 1e-2,
        ..RecurrentSpec::new(cell)
    }
}

/// Trained for one step: the arithmetic without the learning.
fn hasty(cell: Cell) -> RecurrentSpec {
    RecurrentSpec {
        steps: 2,
        hidden: 4,
        batch: 4,
        ..small(cell)
    }
}

/// The mean absolute error of forecasts a day ahead from several moments of the last weeks.
fn error(traffic: &Traffic, mut forecast: impl FnMut(&History<'_>) -> Vec<f64>) -> f64 {
    let mut sum = 0.0;
    for back in 1..=20 {
        let now = traffic.values.len() - 24 - 17 * back;
        let steps = forecast(&traffic.history().until(now));
        sum += steps
            .iter()
            .zip(traffic.values[now..].iter().flatten())
            .map(|(f, y)| (f - y).abs())
            .sum::<f64>();
    }
    sum
}

/// The made-up traffic's level wanders: knowing how it was made, 0.6 of the seasonal naive's error could be
/// spared, and by a perfect profile 0.3.
#[test]
fn what_a_profile_cannot_know_is_learned() {
    let all = traffic(10.0, 24, 100.0, 3);
    let naive = error(&all, |history| {
        SeasonalNaive::new(Season::Week)
            .fit(history)
            .unwrap()
            .predict(24)
            .steps
    });
    for cell in [Cell::Gru, Cell::Lstm] {
        let past = all.history().until(7 * 168);
        let train = |steps| {
            let network = RecurrentSpec {
                steps,
                ..small(cell)
            }
            .train(&[past])
            .unwrap();
            error(&all, |history| {
                network.fit(history).unwrap().predict(24).steps
            })
        };
        let (untrained, trained) = (train(0), train(150));
        assert!(
            trained < 0.65 * naive,
            "{cell:?}: {trained} against the naive {naive}"
        );
        assert!(
            trained < 0.85 * untrained,
            "{cell:?}: {trained} against the profile {untrained}"
        );
    }
}

#[test]
fn one_network_learns_from_many_series_and_serves_one_it_has_not_seen() {
    let series: Vec<Traffic> = (0..3)
        .map(|seed| traffic(6.0, 24, 10_f64.powi(seed), seed as u64))
        .collect();
    let histories: Vec<History<'_>> = series.iter().map(Traffic::history).collect();
    let network = small(Cell::Gru).train(&histories).unwrap();
    let other = traffic(10.0, 24, 5000.0, 77);
    let naive = error(&other, |history| {
        SeasonalNaive::new(Season::Week)
            .fit(history)
            .unwrap()
            .predict(24)
            .steps
    });
    let ours = error(&other, |history| {
        network.fit(history).unwrap().predict(24).steps
    });
    assert!(ours < 0.7 * naive, "{ours} against {naive}");
}

#[test]
fn quantiles_hold_about_as_often_as_they_say() {
    let all = traffic(16.0, 24, 100.0, 4);
    let network = small(Cell::Gru)
        .train(&[all.history().until(8 * 168)])
        .unwrap();
    let (mut within, mut count, mut wide, mut paths_under) = (0, 0, 0, 0);
    for now in (8 * 168..16 * 168 - 24).step_by(24) {
        let fitted = network.fit(&all.history().until(now)).unwrap();
        let bands = fitted.quantiles(24, &[0.1, 0.9]);
        let paths = fitted.paths(24, 100, now as u64).quantiles(0.9);
        for (lead, seen) in all.values[now..now + 24].iter().flatten().enumerate() {
            let band = bands.step(lead);
            within += usize::from((band[0]..=band[1]).contains(seen));
            wide += usize::from(band[0] < band[1]);
            paths_under += usize::from(paths[lead] < band[1]);
            count += 1;
        }
    }
    let share = within as f64 / count as f64;
    assert!(
        (0.7..0.9).contains(&share),
        "{share} of {count} lie within the middle 80 %"
    );
    assert_eq!(wide, count);
    // Paths are drawn from the same quantiles.
    let share = paths_under as f64 / count as f64;
    assert!((0.35..0.75).contains(&share), "{share}");
}

#[test]
fn equal_seeds_give_equal_bits_and_others_do_not() {
    let all = traffic(4.0, 24, 100.0, 5);
    for cell in [Cell::Gru, Cell::Lstm] {
        let train = |seed| {
            RecurrentSpec {
                seed,
                ..hasty(cell)
            }
            .train(&[all.history()])
            .unwrap()
        };
        assert_eq!(train(1), train(1));
        assert_ne!(train(1), train(2));
        let fitted = train(1).fit(&all.history()).unwrap();
        let paths = fitted.paths(48, 10, 7);
        assert_eq!(paths, fitted.paths(48, 10, 7));
        assert_ne!(paths, fitted.paths(48, 10, 8));
        let more = fitted.paths(48, 20, 7);
        assert!(paths.iter().zip(more.iter()).all(|(a, b)| a == b));
    }
}

#[test]
fn a_stored_network_forecasts_the_same_and_another_version_is_refused() {
    let all = traffic(4.0, 24, 100.0, 5);
    for cell in [Cell::Gru, Cell::Lstm] {
        let fitted = hasty(cell).fit(&all.history()).unwrap();
        let stored = serde_json::to_string(&fitted).unwrap();
        let back: FittedNetwork = serde_json::from_str(&stored).unwrap();
        assert_eq!(back, fitted);
        assert_eq!(back.predict(60), fitted.predict(60));
        assert_eq!(back.paths(60, 3, 1), fitted.paths(60, 3, 1));
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"hidden\":4", "\"hidden\":5"),
        ] {
            let other = stored.replace(from, to);
            assert_ne!(other, stored);
            assert!(
                serde_json::from_str::<FittedNetwork>(&other).is_err(),
                "{to}"
            );
        }
    }
}

#[test]
fn updates_lead_where_a_new_fit_of_the_same_network_would() {
    let all = traffic(12.0, 24, 100.0, 6);
    let network = hasty(Cell::Gru).train(&[all.history().until(600)]).unwrap();
    let mut updated = network.fit(&all.history().until(600)).unwrap();
    for value in &all.values[600..1500] {
        updated.update(*value);
    }
    updated.update(None);
    // The scale and the usual residual stay as they were when the series was taken in.
    let mut values = all.values[..1500].to_vec();
    values.push(None);
    let fresh = network
        .fit(&History::new(&values, all.seasons).unwrap())
        .unwrap();
    for (updated, fresh) in updated
        .predict(24)
        .steps
        .iter()
        .zip(fresh.predict(24).steps)
    {
        assert!((updated / fresh - 1.0).abs() < 0.05, "{updated} {fresh}");
    }
    assert!(
        updated.series.len() <= 2 * 169 + 1,
        "{} steps are kept",
        updated.series.len()
    );
}

#[test]
fn parts_sum_to_the_forecast() {
    let all = traffic(6.0, 24, 300.0, 5);
    let fitted = hasty(Cell::Lstm).fit(&all.history()).unwrap();
    let parts = fitted.explain(700);
    for (step, (expected, parts)) in fitted.predict(700).steps.iter().zip(&parts).enumerate() {
        assert!(
            (expected - parts.total()).abs() < 1e-9 * expected.max(1.0),
            "{step}: {parts:?}"
        );
    }
    // Low at step 0 of the day, and quiet on days 5 and 6.
    assert!(parts[0].season_day < -30.0, "{:?}", parts[0]);
    assert!(
        parts[5 * 24 + 12].season_week < -30.0,
        "{:?}",
        parts[5 * 24 + 12]
    );
}

#[test]
fn scale_changes_nothing_but_the_scale() {
    let one = traffic(4.0, 24, 1.0, 8);
    let values: Vec<_> = one
        .values
        .iter()
        .map(|value| value.map(|value| 1000.0 * value))
        .collect();
    let large = History::new(&values, one.seasons).unwrap();
    let (one, large) = (
        hasty(Cell::Gru).fit(&one.history()).unwrap(),
        hasty(Cell::Gru).fit(&large).unwrap(),
    );
    for (one, large) in one.predict(48).steps.iter().zip(large.predict(48).steps) {
        assert!((1000.0 * one / large - 1.0).abs() < 1e-4, "{one} {large}");
    }
}

#[test]
fn too_little_history_is_refused_by_name() {
    let fit = |values: &[Option<f64>]| {
        let seasons = SeasonSpec {
            day: 24,
            week: 168,
            year: 0,
        };
        hasty(Cell::Gru)
            .fit(&History::new(values, seasons).unwrap())
            .map(|fitted| fitted.model())
    };
    assert_eq!(fit(&[]), Err(FitError::NoObservation));
    assert_eq!(fit(&[None, None]), Err(FitError::NoObservation));
    let short = FitError::TooShort {
        model: ModelName::Gru,
        needed: 32,
        seen: 2,
    };
    assert_eq!(fit(&[Some(1.0), None, Some(2.0)]), Err(short));
    assert_eq!(fit(&[Some(1.0); 40]), Ok(ModelName::Gru));
    let elsewhere = RecurrentSpec {
        compute: crate::Compute::Cuda(0),
        ..hasty(Cell::Gru)
    };
    let values = [Some(1.0); 40];
    let history = History::new(&values, SeasonSpec::default()).unwrap();
    if !cfg!(feature = "cuda") {
        assert!(matches!(
            elsewhere.fit(&history),
            Err(FitError::Unfit {
                model: ModelName::Gru,
                ..
            })
        ));
    }
}

#[test]
fn ten_years_of_minutes_are_bounded() {
    let values: Vec<_> = (0..5_256_000_u32)
        .map(|step| Some(f64::from(step % 1440 + 1)))
        .collect();
    let seasons = SeasonSpec {
        day: 1440,
        week: 10_080,
        year: 0,
    };
    let fitted = hasty(Cell::Gru)
        .fit(&History::new(&values, seasons).unwrap())
        .unwrap();
    assert!(fitted.series.len() <= 2 * 10_081);
    assert!(
        fitted
            .predict(120)
            .steps
            .iter()
            .all(|step| step.is_finite())
    );
}

/// Histories of every unpleasant kind.
fn nasty() -> impl Strategy<Value = Vec<Option<f64>>> {
    let length = prop_oneof![1..40_usize, 40..700_usize];
    let kind = prop_oneof![
        Just(0_u8),
        Just(1),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(6),
    ];
    (length, kind, any::<u64>()).prop_map(|(length, kind, seed)| {
        let mut rng = Rng::new(seed, 0);
        let spike = rng.below(length);
        (0..length)
            .map(|step| {
                let noise = rng.uniform();
                match kind {
                    0 => Some(7.0),
                    1 => Some(0.0),
                    2 => Some(if step == spike { 1e15 } else { noise }),
                    3 => (noise < 0.5).then_some(noise),
                    4 => Some(if step < spike { 1.0 } else { 1e6 }),
                    5 => Some(if noise < 0.95 { 0.0 } else { 1e12 * noise }),
                    _ => (step <= spike).then_some(1e-300 * noise),
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_makes_a_forecast_that_is_no_demand(values in nasty(), lstm in any::<bool>(), day in 0..30_usize) {
        let spec = hasty(if lstm { Cell::Lstm } else { Cell::Gru });
        let seasons = SeasonSpec { day, week: 7 * day, year: 0 };
        let history = History::new(&values, seasons).unwrap();
        // A network that has learned elsewhere takes what is too short to learn from.
        let other = traffic(2.0, 24, 10.0, 1);
        let fitted = spec.fit(&history).or_else(|_| spec.train(&[other.history()]).unwrap().fit(&history));
        let mut fitted = match fitted {
            Ok(fitted) => fitted,
            Err(error) => {
                prop_assert_eq!(error, FitError::NoObservation);
                return Ok(());
            }
        };
        for value in [None, Some(0.0), Some(1e15), Some(f64::NAN), Some(-1.0)] {
            let sound = |value: &f64| value.is_finite() && *value >= 0.0;
            prop_assert!(fitted.predict(60).steps.iter().all(sound));
            let bands = fitted.quantiles(60, &[0.0, 0.3, 0.999, 1.0]);
            prop_assert!((0..60).all(|lead| bands.step(lead).iter().all(sound)));
            prop_assert!(fitted.paths(60, 3, 1).iter().flatten().all(sound));
            fitted.update(value);
        }
        prop_assert_eq!(fitted.predict(0).steps.len(), 0);
        prop_assert_eq!(fitted.paths(0, 3, 1).count(), 0);
    }
}
