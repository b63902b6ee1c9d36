use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::testing::traffic;
use crate::{LowRank, Season, SeasonalNaive};

fn dates(step: SignedDuration, zone: &str) -> Dates {
    // Berlin's clocks leap three weeks later, on 2024-03-31.
    let start: Timestamp = "2024-03-09T23:00:00Z".parse().unwrap();
    Dates::new(start, step, TimeZone::get(zone).unwrap())
}

/// A cheap pair of models; the reconciliation is the same for all.
fn cheap(aggregate: HorizonAggregate) -> Horizons<LowRank, LongTrend> {
    Horizons {
        near: LowRank,
        far: LongTrend,
        aggregate,
    }
}

/// That sums (or means) of shorter steps equal the longer ones, to 1e-9 of them.
fn check_agreement(forecast: &HorizonForecasts, mean: bool) {
    let check = |fine: &HorizonForecast, coarse: &HorizonForecast| {
        let each = (coarse.step.as_secs() / fine.step.as_secs()) as usize;
        let unit = if mean { each as f64 } else { 1.0 };
        let nodes = (fine.points.len() / each).min(coarse.points.len());
        assert!(nodes > 0);
        let equal = |fine: &[f64], coarse: &[f64]| {
            for node in 0..nodes {
                let sum: f64 = fine[node * each..(node + 1) * each].iter().sum();
                let whole = unit * coarse[node];
                assert!(
                    (sum - whole).abs() <= 1e-9 * whole.max(1e-300),
                    "{node}: {sum} {whole}"
                );
            }
        };
        equal(&fine.points, &coarse.points);
        assert_eq!(fine.paths.count(), coarse.paths.count());
        for (fine, coarse) in fine.paths.iter().zip(coarse.paths.iter()) {
            equal(fine, coarse);
        }
    };
    if let Some(short) = &forecast.short {
        check(short, &forecast.medium);
    }
    if let Some(long) = &forecast.long {
        check(&forecast.medium, long);
    }
}

#[test]
fn minutes_quarters_and_days_agree() {
    let traffic = traffic(4.0, 1440, 10.0, 3);
    let dates = dates(SignedDuration::from_mins(1), "UTC");
    let history = traffic.history().with_dates(&dates);
    for aggregate in [HorizonAggregate::Mean, HorizonAggregate::Sum] {
        let fitted = cheap(aggregate).fit(&history).unwrap();
        let forecast = fitted.forecast(60, 1);
        check_agreement(&forecast, aggregate == HorizonAggregate::Mean);
        let (short, long) = (
            forecast.short.as_ref().unwrap(),
            forecast.long.as_ref().unwrap(),
        );
        let steps = [
            short.points.len(),
            forecast.medium.points.len(),
            long.points.len(),
        ];
        assert_eq!(steps, [120, 1344, 396]);
        assert_eq!(short.start, dates.at(4 * 7 * 1440));
        assert_eq!(forecast.notes, [Note::NoYear { days: 28 }]);
        let unit = if aggregate == HorizonAggregate::Mean {
            1.0
        } else {
            1440.0
        };
        assert!(
            (5.0 * unit..20.0 * unit).contains(&long.points[100]),
            "{}",
            long.points[100]
        );
        for quantiles in
            [short, &forecast.medium, long].map(|each| each.quantiles(&[0.1, 0.5, 0.9, 0.99]))
        {
            for step in 0..quantiles.horizon() {
                assert!(quantiles.step(step).is_sorted() && quantiles.step(step)[0] >= 0.0);
            }
        }
        let peaks = forecast.peaks.unwrap();
        for (peaks, quarters) in peaks.iter().zip(forecast.medium.paths.iter()) {
            let highest = quarters[..96].iter().copied().fold(0.0, f64::max);
            assert_eq!(peaks[0], highest);
        }
        // The made-up day is highest at 1.6 times its mean, all year.
        let ratio = peaks.at(300).quantile(0.5) / long.paths.at(300).quantile(0.5) * unit
            / f64::from(if unit > 1.0 { 15 } else { 1 });
        assert!((1.4..2.0).contains(&ratio), "{ratio}");
    }
}

#[test]
fn the_default_agrees_with_its_members() {
    let traffic = traffic(5.0, 96, 100.0, 4);
    let dates = dates(SignedDuration::from_mins(15), "UTC");
    let fitted = Horizons::default()
        .fit(&traffic.history().with_dates(&dates))
        .unwrap();
    let forecast = fitted.forecast(50, 1);
    check_agreement(&forecast, true);
    assert_eq!(
        forecast.notes[0].to_string(),
        "the short horizon has steps of 15m, as the history allows no finer"
    );
    assert_eq!(forecast, fitted.forecast(50, 1));
    let stored = serde_json::to_string(&fitted).unwrap();
    let read: FittedHorizons<crate::FittedCombination, crate::FittedLongTrend> =
        serde_json::from_str(&stored).unwrap();
    assert_eq!(read.forecast(50, 1), forecast);
}

#[test]
fn short_history_and_long_steps_are_said_and_refused_by_name() {
    let days = |count: usize, step| {
        let traffic = traffic(20.0, 24, 100.0, 5);
        let dates = dates(step, "UTC");
        let history = traffic.history().until(count).with_dates(&dates);
        cheap(HorizonAggregate::Mean)
            .fit(&history)
            .map(|fitted| fitted.forecast(5, 1))
    };
    let hour = SignedDuration::from_hours(1);
    let forecast = days(13 * 24, hour).unwrap();
    assert_eq!(forecast.long, None);
    assert!(forecast.notes.contains(&Note::NoLongHorizon { days: 13 }));
    assert!(
        forecast.notes.iter().any(|note| note.to_string()
            == "no long horizon: it needs 14 days of history and there are 13")
    );
    let forecast = days(400, hour * 24).unwrap();
    assert_eq!((forecast.short, forecast.medium.points.len()), (None, 14));
    assert_eq!(forecast.long.unwrap().points.len(), 396);
    let error = days(400, SignedDuration::from_mins(7)).unwrap_err();
    assert_eq!(error.to_string(), "steps of 7m do not divide a day");
    let traffic = traffic(1.0, 24, 1.0, 5);
    assert_eq!(
        cheap(HorizonAggregate::Mean)
            .fit(&traffic.history())
            .unwrap_err(),
        HorizonsError::NoDates
    );
}

#[test]
fn the_medium_horizon_follows_the_clock_over_its_change() {
    // 19 days to Friday 2024-03-29: the clocks leap on the second day ahead.
    let dates = dates(SignedDuration::from_mins(15), "Europe/Berlin");
    let value = |step: usize| {
        let time = dates.civil(step);
        10.0 + 60.0 * f64::from(time.hour()) + f64::from(time.minute())
    };
    let values: Vec<Option<f64>> = (0..96 * 19).map(|step| Some(value(step))).collect();
    let history = History::new(&values, SeasonSpec::default())
        .unwrap()
        .with_dates(&dates);
    let horizons = Horizons {
        near: SeasonalNaive::new(Season::Day),
        far: LongTrend,
        aggregate: HorizonAggregate::Mean,
    };
    let forecast = horizons.fit(&history).unwrap().forecast(5, 1);
    check_agreement(&forecast, true);
    for ahead in 96 * 4..96 * 14 {
        let (said, actual) = (forecast.medium.points[ahead], value(values.len() + ahead));
        assert!(
            (said - actual).abs() < 0.02 * 720.0 + 0.03 * actual,
            "{ahead}: {said} {actual}"
        );
    }
}

#[test]
fn ten_years_of_minutes_are_added_up_and_not_fitted() {
    let values: Vec<Option<f64>> = (0..10 * 365 * 1440_usize)
        .map(|minute| Some((1000 + minute / 1440 % 365 + minute % 1440) as f64))
        .collect();
    let dates = dates(SignedDuration::from_mins(1), "UTC");
    let history = History::new(&values, SeasonSpec::default())
        .unwrap()
        .with_dates(&dates);
    let fitted = cheap(HorizonAggregate::Mean).fit(&history).unwrap();
    assert_eq!(fitted.seasons().seasons.year, 365 * 1440);
    // A state that held ten years would be a hundred megabytes.
    assert!(serde_json::to_string(&fitted).unwrap().len() < 4_000_000);
    check_agreement(&fitted.forecast(10, 1), true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_is_forecast_in_agreement_or_refused(
        mut values in proptest::collection::vec(proptest::option::of(prop_oneof![Just(0.0), 0.0_f64..1e6]), 0..500),
        spike in 0_usize..1000,
        minutes in prop_oneof![Just(1_i64), Just(5), Just(8), Just(60), Just(240), Just(1440)],
    ) {
        if let Some(value) = values.get_mut(spike) {
            *value = Some(1e15);
        }
        let dates = dates(SignedDuration::from_mins(minutes), "Europe/Berlin");
        let history = History::new(&values, SeasonSpec::default()).unwrap().with_dates(&dates);
        let Ok(fitted) = cheap(HorizonAggregate::Mean).fit(&history) else {
            return Ok(());
        };
        let forecast = fitted.forecast(8, 3);
        let sane = |value: &f64| value.is_finite() && *value >= 0.0;
        for each in forecast.short.iter().chain([&forecast.medium]).chain(&forecast.long) {
            prop_assert!(each.points.iter().all(sane) && each.paths.iter().flatten().all(sane));
        }
        check_agreement(&forecast, true);
    }
}
