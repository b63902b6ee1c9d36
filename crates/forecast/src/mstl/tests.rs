use super::*;
use crate::testing::{Traffic, air_passengers, traffic};

fn fit(traffic: &Traffic) -> FittedMstl<crate::FittedEts> {
    Mstl::default().fit(&traffic.history()).unwrap()
}

#[test]
fn seasons_are_those_of_statsmodels() {
    // statsforecast 2.1.1, mstl(AirPassengers, 12): seasons and trend, with statsmodels 0.15.0's STL.
    let passengers: Vec<f64> = air_passengers().values.into_iter().flatten().collect();
    let parts = decompose(&passengers, &[12]);
    for (step, season, trend) in GOLDEN {
        let ours = (parts.seasons[0][step], parts.trend[step]);
        assert!((ours.0 - season).abs() < 1e-6, "{step}: {ours:?} {season}");
        assert!((ours.1 - trend).abs() < 1e-6, "{step}: {ours:?} {trend}");
    }
}

const GOLDEN: [(usize, f64, f64); 4] = [
    (0, -16.520518686, 122.887635150),
    (6, 40.643866670, 126.940818999),
    (70, -53.977518205, 254.861850624),
    (143, -44.788086256, 497.063564626),
];

#[test]
fn seasons_and_remainder_sum_to_the_values_and_the_trend_follows_them() {
    let traffic = traffic(4.0, 24, 100.0, 2);
    let values: Vec<f64> = traffic.values.iter().flatten().copied().collect();
    let parts = decompose(&values, &[24, 168]);
    assert!(parts.seasons[1].iter().sum::<f64>().abs() < 0.01 * values.iter().sum::<f64>());
    let left: f64 = (0..values.len())
        .map(|at| (values[at] - parts.trend[at] - parts.season_at(at)).abs())
        .sum();
    assert!(left < 0.08 * values.iter().sum::<f64>(), "{left}");
}

#[test]
fn a_week_ahead_is_forecast_better_than_by_the_day_alone() {
    let traffic = traffic(6.0, 24, 100.0, 21);
    let history = traffic.history();
    let loss = |forecast: Vec<f64>| -> f64 {
        let actual = traffic.values[840..].iter().flatten();
        forecast
            .iter()
            .zip(actual)
            .map(|(a, b)| (a - b).abs())
            .sum()
    };
    let both = Mstl::default().fit(&history.until(840)).unwrap();
    let ets = Ets::auto(Some(Season::Day))
        .fit(&history.until(840))
        .unwrap();
    let (both, ets) = (loss(both.predict(168).steps), loss(ets.predict(168).steps));
    assert!(both < 0.5 * ets, "{both} {ets}");
}

#[test]
fn taking_in_steps_keeps_the_season_in_step() {
    let traffic = traffic(6.0, 24, 100.0, 5);
    let mut fitted = Mstl::default().fit(&traffic.history().until(800)).unwrap();
    let far = fitted.predict(208).steps[40..].to_vec();
    for (at, value) in traffic.values[800..840].iter().enumerate() {
        fitted.update((at % 5 != 0).then_some(*value).flatten());
    }
    let near = fitted.predict(168).steps;
    // The level moves with the noise; the shape stays.
    for (step, (near, far)) in near.iter().zip(&far).enumerate() {
        assert!(
            (near - far).abs() < 0.15 * far + 5.0,
            "{step}: {near} {far}"
        );
    }
}

#[test]
fn missing_steps_are_filled_by_what_is_usual_then() {
    let whole = traffic(5.0, 24, 100.0, 6);
    let mut holed = traffic(5.0, 24, 100.0, 6);
    // The peaks of two days: straight lines would cut them off.
    for day in [20, 22] {
        holed.values[24 * day + 6..24 * day + 20].fill(None);
    }
    let (whole, holed) = (
        fit(&whole).predict(168).steps,
        fit(&holed).predict(168).steps,
    );
    let off: f64 = whole.iter().zip(&holed).map(|(a, b)| (a - b).abs()).sum();
    assert!(off < 0.03 * whole.iter().sum::<f64>(), "{off}");
}

#[test]
fn what_is_left_may_be_negative() {
    // Opened two weeks ago: before, nothing less the season of an open day is under 0.
    let mut opened = traffic(4.0, 24, 100.0, 7);
    opened.values[..336].fill(Some(0.0));
    let fitted = fit(&opened);
    assert!(fitted.raised > 0.0);
    assert!(!fitted.remainder().form().unwrap().multiplied_errors());
    let forecast = fitted.predict(168).steps;
    let (sum, last): (f64, f64) = (
        forecast.iter().sum(),
        opened.values[504..].iter().flatten().sum(),
    );
    assert!((sum / last - 1.0).abs() < 0.2, "{sum} {last}");
    let parts = fitted.explain(168);
    for (parts, step) in parts.iter().zip(&forecast) {
        assert!((parts.total() - step).abs() < 1e-9 * (parts.level.abs() + 100.0));
    }
}

#[test]
fn short_histories_leave_the_remainder_alone() {
    let traffic = traffic(4.0, 24, 100.0, 3);
    for (steps, name) in [
        (672, ModelName::Mstl),
        (48, ModelName::Mstl),
        (47, ModelName::Ets),
        (3, ModelName::Naive),
    ] {
        let fitted = Mstl::default()
            .fit(&traffic.history().until(steps))
            .unwrap();
        assert_eq!(fitted.model(), name, "{steps}");
    }
}

#[test]
fn large_and_small_and_broken_histories_are_forecast() {
    let seasons = SeasonSpec {
        day: 24,
        week: 168,
        year: 0,
    };
    let spike = |at: usize, size: f64| {
        let mut values = traffic(3.0, 24, 100.0, 3).values;
        values[at] = Some(size);
        values
    };
    let mut half = traffic(3.0, 24, 100.0, 3).values;
    half.iter_mut().step_by(2).for_each(|value| *value = None);
    let mut late = vec![Some(1.0)];
    late.resize(400, None);
    let years = (0..200_000).map(|at| Some(f64::from(at % 1440))).collect();
    for values in [
        vec![Some(0.0); 400],
        vec![Some(1e15); 400],
        spike(200, 1e12),
        spike(503, 1e15),
        half,
        late,
        years,
        (0..400)
            .map(|at| Some(if at < 200 { 1.0 } else { 1e6 }))
            .collect(),
    ] {
        let history = History::new(&values, seasons).unwrap();
        let mut fitted = Mstl::default().fit(&history).unwrap();
        fitted.update(Some(1e15));
        fitted.update(None);
        let mut all = fitted.predict(50).steps;
        all.extend(fitted.paths(50, 10, 1).iter().flatten());
        let quantiles = fitted.quantiles(50, &[0.01, 0.99]);
        (0..50).for_each(|step| all.extend(quantiles.step(step)));
        assert!(all.iter().all(|it| it.is_finite() && *it >= 0.0), "{all:?}");
    }
}
