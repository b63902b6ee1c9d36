//! What ARIMA promises, whatever the history.

use fleetcast_forecast::{
    Arima, ArimaMethod, Explain, Fit, FittedArima, History, Predict, Season, SeasonSpec, Update,
};
use proptest::prelude::*;

const SEASONS: SeasonSpec = SeasonSpec {
    day: 12,
    week: 84,
    year: 0,
};

fn models() -> [Arima; 7] {
    [
        Arima::auto(None),
        Arima::auto(Some(Season::Day)),
        Arima::auto(Some(Season::Year)),
        Arima::with_order((1, 0, 1), (0, 1, 1), Some(Season::Day), false),
        Arima::with_order((2, 1, 1), (1, 0, 1), Some(Season::Day), true),
        Arima::with_order((0, 2, 2), (0, 0, 0), None, true),
        Arima::with_order((3, 0, 0), (0, 0, 0), None, true).by(ArimaMethod::Css),
    ]
}

/// Forecasts, quantiles and paths, all checked to be demand.
fn check(fitted: &FittedArima) -> Vec<f64> {
    let mut all = fitted.predict(60).steps;
    let quantiles = fitted.quantiles(60, &[0.0, 0.05, 0.5, 0.95, 1.0]);
    all.extend((0..60).flat_map(|step| quantiles.step(step).to_vec()));
    all.extend(fitted.paths(60, 10, 3).iter().flatten());
    assert!(
        all.iter().all(|value| value.is_finite() && *value >= 0.0),
        "{}: {all:?}",
        fitted.order()
    );
    for (parts, value) in fitted.explain(60).iter().zip(&all) {
        let size = parts.level.abs() + parts.trend.abs() + parts.remainder.abs() + value;
        assert!(
            (parts.total() - value).abs() <= 1e-9 * size,
            "{parts:?} {value}"
        );
    }
    all
}

fn forecasts(values: &[Option<f64>], seasons: SeasonSpec) -> Vec<Vec<f64>> {
    let history = History::new(values, seasons).expect("generated demand is demand");
    let of = |model: Arima| {
        let Ok(mut fitted) = model.fit(&history) else {
            assert!(history.values().is_empty(), "refused without a reason");
            return Vec::new();
        };
        let stored = serde_json::to_string(&fitted).expect("state is serialisable");
        let restored: FittedArima = serde_json::from_str(&stored).expect("state is readable");
        assert_eq!(restored, fitted);
        let mut all = check(&fitted);
        for value in [Some(0.0), None, values[values.len() - 1]] {
            fitted.update(value);
        }
        all.extend(check(&fitted));
        all
    };
    models().map(of).to_vec()
}

/// Noise with gaps and empty times on a day, with what may go wrong.
fn histories() -> impl Strategy<Value = Vec<Option<f64>>> {
    let step =
        prop_oneof![8 => (0.5_f64..1.5).prop_map(Some), 1 => Just(Some(0.0)), 1 => Just(None)];
    let wrong = prop_oneof![
        Just((0, 0.0)),
        (0_usize..150, Just(1e12)),
        (0_usize..150, Just(1e15)),
    ];
    (
        proptest::collection::vec(step, 1..150),
        0.0_f64..1.0,
        0.01_f64..1000.0,
        wrong,
    )
        .prop_map(|(noise, swing, scale, (place, spike))| {
            let value = |(step, noise): (usize, Option<f64>)| {
                if spike > 0.0 && step == place {
                    return Some(spike);
                }
                let day = if step % 12 < 5 {
                    1.0 - swing
                } else {
                    1.0 + swing
                };
                Some(noise? * day * scale)
            };
            noise.into_iter().enumerate().map(value).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// No panic, nothing negative or infinite: checked within. And a power of two as the unit
    /// changes nothing but the unit, to the last bit.
    #[test]
    fn any_history_is_forecast(values in histories()) {
        let values: Vec<_> = values.into_iter().map(|value| value.map(|value| value.min(1e12))).collect();
        let larger: Vec<_> = values.iter().map(|value| value.map(|value| 512.0 * value)).collect();
        let (one, other) = (forecasts(&values, SEASONS), forecasts(&larger, SEASONS));
        for (one, other) in one.iter().flatten().zip(other.iter().flatten()) {
            prop_assert!((512.0 * one - other).abs() <= 1e-9 * other, "{} {}", 512.0 * one, other);
        }
    }
}

#[test]
fn odd_histories_are_forecast() {
    let spike = |height: f64| {
        let mut values = vec![Some(3.0); 200];
        values[120] = Some(height);
        values
    };
    let step: Vec<_> = (0..200)
        .map(|at| Some(if at < 100 { 5.0 } else { 900.0 }))
        .collect();
    let half: Vec<_> = (0..300)
        .map(|at| (at % 2 == 0).then_some(f64::from(at % 12)))
        .collect();
    let late: Vec<_> = (0..300)
        .map(|at| (at < 40).then_some(f64::from(at % 12)))
        .collect();
    let line: Vec<_> = (0..200).map(|at| Some(0.1 * f64::from(at))).collect();
    for values in [
        vec![Some(1.0)],
        vec![Some(1.0), Some(2.0)],
        vec![Some(7.0); 200],
        vec![Some(0.0); 200],
        spike(1e12),
        spike(1e15),
        step,
        half,
        late,
        line,
    ] {
        forecasts(&values, SEASONS);
    }
}

#[test]
fn what_repeats_or_stays_is_foreseen_exactly() {
    let day: Vec<Option<f64>> = (0..240)
        .map(|at| Some(10.0 + f64::from(at % 12 * 3 % 7)))
        .collect();
    let history = History::new(&day, SEASONS).unwrap();
    let fitted = Arima::auto(Some(Season::Day)).fit(&history).unwrap();
    for (step, value) in fitted.predict(48).steps.into_iter().enumerate() {
        assert!((value - day[step].unwrap()).abs() < 1e-6, "{step}: {value}");
    }
    for constant in [0.0, 0.1, 1e6] {
        let values = vec![Some(constant); 100];
        let history = History::new(&values, SEASONS).unwrap();
        for model in models() {
            let fitted = model.fit(&history).unwrap();
            for value in fitted.predict(48).steps {
                assert!(
                    (value - constant).abs() <= 1e-6 * constant,
                    "{} {value}",
                    fitted.order()
                );
            }
        }
    }
}

#[test]
fn ten_years_of_minutes_are_bounded() {
    let seasons = SeasonSpec {
        day: 1440,
        week: 10_080,
        year: 525_600,
    };
    let values: Vec<Option<f64>> = (0..5_256_000_u32)
        .map(|at| Some(100.0 + f64::from(at % 1440 / 60) + f64::from(at % 101 * 79 % 101) * 0.1))
        .collect();
    let history = History::new(&values, seasons).unwrap();
    let fitted = Arima::with_order((1, 0, 1), (0, 0, 0), None, true)
        .fit(&history)
        .unwrap();
    check(&fitted);
    let automatic = Arima::auto(None).fit(&history).unwrap();
    check(&automatic);
}

#[test]
fn the_unit_matters_little_whatever_it_is() {
    let values: Vec<Option<f64>> = (0..300_u32)
        .map(|at| Some(50.0 + f64::from(at % 12) * 4.0 + f64::from(at * at * 7919 % 101) * 0.1))
        .collect();
    let larger: Vec<Option<f64>> = values
        .iter()
        .map(|value| value.map(|v| 1000.0 * v))
        .collect();
    for (one, other) in forecasts(&values, SEASONS)
        .iter()
        .zip(forecasts(&larger, SEASONS))
    {
        for (one, other) in one.iter().zip(&other).take(60) {
            assert!((1000.0 * one / other - 1.0).abs() < 1e-3, "{one} {other}");
        }
    }
}
