//! Whatever the history: no panic, nothing that is no number, and a forecast or a refusal that names the reason.

use fleetcast_forecast::{Dates, Fit, History, LocalTime, Model, Predict, SeasonSpec};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

const SEASONS: SeasonSpec = SeasonSpec {
    day: 24,
    week: 168,
    year: 0,
};
const LEVELS: [f64; 5] = [0.025, 0.1, 0.5, 0.9, 0.975];

/// Fits every model of the catalogue and looks at all that it says.
fn check(what: &str, values: &[Option<f64>], seasons: SeasonSpec) {
    let history = History::new(values, seasons).expect("what is no demand is refused before");
    for name in Model::names() {
        let model: Model = name.parse().expect("a name of the catalogue");
        match model.fit(&history) {
            Ok(fitted) => sane(what, name, &fitted),
            Err(refusal) => assert!(!refusal.to_string().is_empty(), "{name} on {what}"),
        }
    }
}

fn sane(what: &str, name: &str, fitted: &impl Predict) {
    let horizon = 30;
    let point = fitted.predict(horizon);
    assert_eq!(point.steps.len(), horizon, "{name} on {what}");
    let right = |value: &f64| value.is_finite() && *value >= 0.0;
    assert!(point.steps.iter().all(right), "{name} on {what}: {point:?}");
    let quantiles = fitted.quantiles(horizon, &LEVELS);
    for step in 0..horizon {
        let values = quantiles.step(step);
        assert!(
            values.is_sorted() && values.iter().all(right),
            "{name} on {what}: {values:?}"
        );
    }
    let paths = fitted.paths(horizon, 7, 1);
    assert!(
        paths.iter().flatten().all(right),
        "{name} on {what}: paths of nonsense"
    );
}

fn season(steps: usize) -> impl Iterator<Item = f64> {
    (0..steps).map(|step| 100.0 + 50.0 * libm::sin(step as f64 / 24.0 * std::f64::consts::TAU))
}

#[test]
fn odd_histories_are_forecast_or_refused() {
    let seen = |values: Vec<f64>| values.into_iter().map(Some).collect::<Vec<_>>();
    let mut spike: Vec<f64> = season(500).collect();
    spike[300] = 1e12;
    let mut end_spike: Vec<f64> = season(500).collect();
    end_spike[499] = 1e12;
    let step_change = season(400).enumerate();
    let step_change =
        step_change.map(|(step, value)| if step < 200 { value } else { 20.0 * value });
    let cases = [
        ("nothing", vec![]),
        ("missing only", vec![None; 300]),
        ("one point", seen(vec![5.0])),
        ("two points", seen(vec![5.0, 7.0])),
        ("a constant", seen(vec![42.0; 400])),
        ("zeros", seen(vec![0.0; 400])),
        ("a spike", seen(spike)),
        ("a spike at the end", seen(end_spike)),
        ("the largest demand", seen(vec![1e15; 200])),
        ("less than a season", seen(season(20).collect())),
        ("a change of level", seen(step_change.collect())),
        (
            "every second missing",
            season(400)
                .enumerate()
                .map(|(step, value)| (step % 2 == 0).then_some(value))
                .collect(),
        ),
        (
            "every fifth from half-way on",
            season(400)
                .enumerate()
                .map(|(step, value)| (step < 200 || step % 5 == 0).then_some(value))
                .collect(),
        ),
        (
            "one observation in a desert",
            (0..400).map(|step| (step == 200).then_some(3.0)).collect(),
        ),
        (
            "rare counts",
            (0..600)
                .map(|step| Some(f64::from(u8::from(step % 97 == 0))))
                .collect(),
        ),
    ];
    for (what, values) in &cases {
        check(what, values, SEASONS);
        check(what, values, SeasonSpec::default());
    }
}

#[test]
fn what_is_no_demand_is_refused() {
    for nonsense in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(History::new(&[Some(1.0), Some(nonsense)], SEASONS).is_err());
    }
}

/// Days of 23 and of 25 hours: what people do at nine they do at nine.
#[test]
fn days_that_are_an_hour_shorter_or_longer_keep_their_season() {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    for start in ["2026-03-01T00:00:00Z", "2026-10-01T00:00:00Z"] {
        let start: Timestamp = start.parse().expect("a time");
        let dates = Dates::new(start, SignedDuration::from_hours(1), zone.clone());
        let busy = |step: usize| {
            let hour = dates.civil(step).hour();
            if (9..17).contains(&hour) { 100.0 } else { 10.0 }
        };
        let steps = 24 * 45;
        let values: Vec<Option<f64>> = (0..steps).map(|step| Some(busy(step))).collect();
        let history = History::new(&values, SEASONS)
            .expect("demand")
            .with_dates(&dates);
        for name in ["seasonal-naive-day", "seasonal-naive-week", "combination"] {
            let model: Model = name.parse().expect("a name");
            let fitted = LocalTime { model }.fit(&history).expect("it fits");
            let forecast = fitted.predict(48).steps;
            for (ahead, value) in forecast.iter().enumerate() {
                let expected = busy(steps + ahead);
                assert!(
                    (value - expected).abs() < 15.0,
                    "{name} from {start}, {ahead} ahead: {value} is not {expected}"
                );
            }
        }
    }
}

/// Ten years of minutes are bounded work.
#[test]
fn ten_years_of_minutes_are_forecast() {
    let minutes = 10 * 365 * 1440;
    let values: Vec<Option<f64>> = (0..minutes)
        .map(|minute| {
            let turn = (minute % 1440) as f64 / 1440.0;
            let wave = (turn * std::f64::consts::TAU).abs() % 1.0;
            (minute % 1009 != 0).then_some(50.0 + 20.0 * wave)
        })
        .collect();
    let minutes = SeasonSpec {
        day: 1440,
        week: 10_080,
        year: 0,
    };
    check("ten years of minutes", &values, minutes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_is_forecast_or_refused(
        values in proptest::collection::vec(
            prop_oneof![
                3 => (0.0_f64..1e3).prop_map(Some),
                1 => Just(None),
                1 => Just(Some(0.0)),
                1 => (0.0_f64..15.0).prop_map(|digits| Some(libm::pow(10.0, digits))),
            ],
            0..260,
        ),
        day in 0_usize..40,
        weeks in 0_usize..3,
    ) {
        let seasons = SeasonSpec { day, week: day * 7 * usize::from(weeks > 0), year: 0 };
        check("a random history", &values, seasons);
    }
}
