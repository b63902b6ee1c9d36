//! What the package finds, and what must never happen.

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;

use super::solve::{NOISE_FIRST, first_guess, searched, value};
use super::*;
use crate::testing::{Traffic, traffic};
use crate::{Dates, Explain, Predict, Regressor, SeasonSpec, Update};

/// One series and what the package made of it; written by `peers/prophet_fixture.py`.
#[derive(Deserialize)]
struct Case {
    name: String,
    start: Timestamp,
    step_hours: i64,
    values: Vec<Option<f64>>,
    settings: Stated,
    cap: Option<f64>,
    floor: Option<f64>,
    country: Option<String>,
    window: Option<(String, u8, u8)>,
    regressors: std::collections::BTreeMap<String, Vec<f64>>,
    yhat: Vec<f64>,
    trend: Vec<f64>,
    parts: std::collections::BTreeMap<String, Vec<f64>>,
    width: f64,
    misfit: f64,
}

/// The package's settings by their names there.
#[derive(Deserialize)]
struct Stated {
    #[serde(default)]
    growth: Option<String>,
    seasonality_mode: Option<String>,
    changepoint_prior_scale: Option<f64>,
    n_changepoints: Option<usize>,
}

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

fn fixture() -> Vec<Case> {
    let text = include_str!("../../tests/fixtures/prophet.json");
    serde_json::from_str::<Fixture>(text).unwrap().cases
}

impl Case {
    fn model(&self) -> Prophet {
        let growth = match self.settings.growth.as_deref() {
            Some("flat") => Growth::Flat,
            Some("logistic") => Growth::Logistic {
                capacity: self.cap.unwrap(),
                floor: self.floor.unwrap(),
            },
            _ => Growth::Linear,
        };
        let mut model = Prophet {
            growth,
            ..Prophet::default()
        };
        if self.settings.seasonality_mode.is_some() {
            model.mode = SeasonMode::Multiplied;
        }
        let stated = &self.settings;
        model.changepoint_prior = stated.changepoint_prior_scale.unwrap_or(0.05);
        model.changepoints = stated.n_changepoints.unwrap_or(25);
        model
            .holidays
            .extend(self.country.as_deref().map(HolidayEffect::of));
        if let Some((name, before, after)) = self.window.clone() {
            let dates = (2020..2026).map(|year| date(year, 11, 27)).collect();
            model.holidays.push(HolidayEffect {
                before,
                after,
                ..HolidayEffect::on(HolidayDays::Named { name, dates })
            });
        }
        model
    }

    fn dates(&self) -> Dates {
        let step = SignedDuration::from_hours(self.step_hours);
        Dates::new(self.start, step, TimeZone::UTC)
    }

    fn regressors(&self) -> Vec<Regressor> {
        let regressor = |(name, values): (&String, &Vec<f64>)| Regressor {
            name: name.clone(),
            values: values.clone(),
        };
        self.regressors.iter().map(regressor).collect()
    }
}

/// The greatest distance between two courses, as a share of the mean of a series.
fn apart(ours: &[f64], theirs: &[f64], mean: f64) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let distances = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    distances.fold(0.0, f64::max) / mean
}

#[test]
fn forecasts_components_and_intervals_are_those_of_the_package() {
    for case in fixture() {
        let (dates, regressors) = (case.dates(), case.regressors());
        let history = History::new(&case.values, SeasonSpec::default())
            .unwrap()
            .with_dates(&dates)
            .with_regressors(&regressors);
        let fitted = case.model().fit(&history).unwrap();
        let seen: Vec<f64> = case.values.iter().flatten().copied().collect();
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        let horizon = case.yhat.len();
        let off = apart(&fitted.predict(horizon).steps, &case.yhat, mean);
        assert!(off < 0.005, "{}: forecast {off}", case.name);
        let parts = fitted.explain(horizon);
        let check = |name: &str, of: &dyn Fn(&crate::Parts) -> f64, expected: &[f64]| {
            let ours: Vec<f64> = parts.iter().map(of).collect();
            let off = apart(&ours, expected, mean);
            assert!(off < 0.005, "{}: {name} {off}", case.name);
        };
        check("trend", &|parts| parts.level + parts.trend, &case.trend);
        for (name, expected) in &case.parts {
            match name.as_str() {
                "daily" => check(name, &|parts| parts.season_day, expected),
                "weekly" => check(name, &|parts| parts.season_week, expected),
                "yearly" => check(name, &|parts| parts.season_year, expected),
                _ => check(name, &|parts| parts.events, expected),
            }
        }
        let quantiles = fitted.quantiles(horizon, &[0.1, 0.9]);
        let widths = (0..horizon).map(|step| quantiles.step(step)[1] - quantiles.step(step)[0]);
        let width = widths.sum::<f64>() / horizon as f64;
        assert!(
            (width / case.width - 1.0).abs() < 0.02,
            "{}: 80 % interval {width} and not {}",
            case.name,
            case.width
        );
    }
}

#[test]
fn the_package_finds_no_better() {
    for case in fixture() {
        let (dates, regressors) = (case.dates(), case.regressors());
        let history = History::new(&case.values, SeasonSpec::default())
            .unwrap()
            .with_dates(&dates)
            .with_regressors(&regressors);
        let observed = (0..case.values.len()).filter(|&step| case.values[step].is_some());
        let prepared = case.model().prepare(&history, observed.collect()).unwrap();
        let posterior = &prepared.posterior;
        let ours = value(posterior, &most_probable(posterior));
        assert!(
            ours <= case.misfit + 0.01,
            "{}: package {}, not {ours}",
            case.name,
            case.misfit
        );
    }
}

#[test]
fn l_bfgs_looks_for_the_same() {
    let cases = fixture();
    let wanted = ["hours multiplied", "flat", "logistic", "two days"];
    for case in cases
        .iter()
        .filter(|case| wanted.contains(&case.name.as_str()))
    {
        let dates = case.dates();
        let history = History::new(&case.values, SeasonSpec::default())
            .unwrap()
            .with_dates(&dates);
        let observed = (0..case.values.len()).collect();
        let prepared = case.model().prepare(&history, observed).unwrap();
        let posterior = &prepared.posterior;
        let ours = value(posterior, &most_probable(posterior));
        let start = Solution {
            parameters: first_guess(posterior),
            noise: NOISE_FIRST,
        };
        // Among thousands, 3 is near: it crawls where changepoints say nearly the same.
        let general = value(posterior, &searched(posterior, start));
        assert!(
            ours <= general + 1e-3 && general < ours + 3.0,
            "{}: L-BFGS {general}, ours {ours}",
            case.name
        );
    }
}

fn dates() -> Dates {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    Dates::new(start, SignedDuration::from_hours(1), TimeZone::UTC)
}

#[test]
fn what_is_known_of_the_future_counts() {
    let mut traffic = traffic(6.0, 24, 100.0, 4);
    let switch = |step: usize| f64::from(u8::from(step % 100 < 5));
    for (step, value) in traffic.values.iter_mut().enumerate() {
        *value = value.map(|value| value + 50.0 * switch(step));
    }
    let steps = traffic.values.len();
    let campaign = [Regressor {
        name: "campaign".to_string(),
        values: (0..steps + 200).map(switch).collect(),
    }];
    let history = traffic.history().with_regressors(&campaign);
    let mut fitted = Prophet::default().fit(&history).unwrap();
    for _ in 0..2 {
        for (ahead, parts) in fitted.explain(100).iter().enumerate() {
            let step = fitted_step(&fitted) + ahead;
            let expected = 50.0 * switch(step);
            assert!((parts.events - expected).abs() < 5.0, "{step}: {parts:?}");
        }
        for _ in 0..30 {
            fitted.update(None);
        }
    }
}

fn fitted_step(fitted: &FittedProphet) -> usize {
    let stored = serde_json::to_value(fitted).unwrap();
    usize::try_from(stored["prophet"]["next"].as_u64().unwrap()).unwrap()
}

#[test]
fn missing_steps_at_the_start_change_nothing() {
    let traffic = traffic(4.0, 24, 100.0, 6);
    let regressor = |values| {
        [Regressor {
            name: "wave".to_string(),
            values,
        }]
    };
    let wave: Vec<f64> = (0..800).map(|step| f64::from(step * step % 97)).collect();
    let early = Dates::new(
        dates().at(0) - SignedDuration::from_hours(7),
        SignedDuration::from_hours(1),
        TimeZone::UTC,
    );
    let values = [&[None; 7][..], &traffic.values].concat();
    let (dates, plain) = (dates(), regressor(wave.clone()));
    let shifted = regressor([&[5.0; 7][..], &wave].concat());
    let model = Prophet {
        holidays: vec![HolidayEffect::of("IE")],
        ..Prophet::default()
    };
    let history = traffic.history().with_dates(&dates).with_regressors(&plain);
    let fitted = model.fit(&history).unwrap();
    let history = History::new(&values, traffic.seasons)
        .unwrap()
        .with_dates(&early)
        .with_regressors(&shifted);
    assert_eq!(model.fit(&history).unwrap(), fitted);
}

#[test]
fn the_clock_moves_on_with_each_step() {
    let traffic = traffic(5.0, 24, 100.0, 8);
    let dates = dates();
    let mut fitted = Prophet::default()
        .fit(&traffic.history().with_dates(&dates))
        .unwrap();
    let before = fitted.predict(50).steps;
    let width = |fitted: &FittedProphet| {
        let quantiles = fitted.quantiles(1, &[0.05, 0.95]);
        quantiles.step(0)[1] - quantiles.step(0)[0]
    };
    let near = width(&fitted);
    for step in 0..24 {
        fitted.update((step % 3 == 0).then_some(7.0));
    }
    assert_eq!(fitted.predict(26).steps, before[24..]);
    assert!(width(&fitted) >= near);
}

#[test]
fn quantiles_are_those_of_the_paths() {
    let traffic = traffic(5.0, 24, 100.0, 9);
    let fitted = Prophet::default().fit(&traffic.history()).unwrap();
    let levels = [0.05, 0.5, 0.95];
    let (quantiles, paths) = (fitted.quantiles(300, &levels), fitted.paths(300, 4_000, 1));
    for step in [0, 20, 299] {
        let sample = paths.at(step);
        let width = sample.quantile(0.95) - sample.quantile(0.05);
        for (quantile, level) in quantiles.step(step).iter().zip(levels) {
            let off = (quantile - sample.quantile(level)).abs();
            assert!(off < 0.06 * width, "{step} at {level}: {off} of {width}");
        }
    }
}

#[test]
fn dates_are_asked_for_where_they_are_needed() {
    let traffic = traffic(3.0, 24, 100.0, 3);
    let no_dates = Err(FitError::NoDates(ModelName::Prophet));
    let undated = Traffic {
        seasons: SeasonSpec::default(),
        values: traffic.values.clone(),
    };
    assert_eq!(Prophet::default().fit(&undated.history()), no_dates);
    let with_holidays = |place| Prophet {
        holidays: vec![HolidayEffect::of(place)],
        ..Prophet::default()
    };
    assert_eq!(with_holidays("DE").fit(&traffic.history()), no_dates);
    let dates = dates();
    let dated = traffic.history().with_dates(&dates);
    assert!(with_holidays("DE").fit(&dated).is_ok());
    let refused = with_holidays("Atlantis").fit(&dated);
    assert!(
        matches!(refused, Err(FitError::Unfit { .. })),
        "{refused:?}"
    );
}

#[test]
fn nonsense_is_refused() {
    let traffic = traffic(3.0, 24, 100.0, 3);
    let refuse = |model: Prophet| {
        let refused = model.fit(&traffic.history());
        assert!(
            matches!(refused, Err(FitError::Unfit { .. })),
            "{refused:?}"
        );
    };
    let default = Prophet::default;
    refuse(Prophet {
        changepoint_prior: 0.0,
        ..default()
    });
    refuse(Prophet {
        season_prior: f64::NAN,
        ..default()
    });
    refuse(Prophet {
        changepoint_share: 1.1,
        ..default()
    });
    refuse(Prophet {
        day: SeasonChoice::Order(1_000),
        ..default()
    });
    let growth = Growth::Logistic {
        capacity: 3.0,
        floor: 3.0,
    };
    refuse(Prophet {
        growth,
        ..default()
    });
    let season = CustomSeason {
        period_days: 0.0,
        order: 3,
        prior: 10.0,
        mode: SeasonMode::Added,
    };
    refuse(Prophet {
        seasons: vec![season],
        ..default()
    });
    let regressors = [Regressor {
        name: "broken".to_string(),
        values: vec![f64::NAN],
    }];
    let refused = default().fit(&traffic.history().with_regressors(&regressors));
    assert!(
        matches!(refused, Err(FitError::Unfit { .. })),
        "{refused:?}"
    );
}

#[test]
fn ten_years_of_minutes_are_thinned_evenly() {
    let minutes = 10 * 365 * 1_440;
    let clock = Clock::Steps {
        days: 1.0 / 1_440.0,
    };
    let rows = thinned((0..minutes).collect(), &clock);
    assert!(rows.len() <= OBSERVATIONS_MAX && rows.len() > OBSERVATIONS_MAX * 9 / 10);
    let mut hours = [0_usize; 168];
    for row in &rows {
        hours[row / 60 % 168] += 1;
    }
    let (least, most) = (hours.iter().min().unwrap(), hours.iter().max().unwrap());
    assert!(
        least * 10 > most * 9,
        "{least} to {most} per hour of the week"
    );
    let values: Vec<Option<f64>> = (0..minutes)
        .map(|step| Some(if step % 1_440 < 720 { 10.0 } else { 30.0 }))
        .collect();
    let seasons = SeasonSpec {
        day: 1_440,
        week: 10_080,
        year: 525_960,
    };
    let history = History::new(&values, seasons).unwrap();
    let forecast = Prophet::default()
        .fit(&history)
        .unwrap()
        .predict(1_440)
        .steps;
    assert!((forecast[360] - 10.0).abs() < 3.0 && (forecast[1_080] - 30.0).abs() < 3.0);
}

#[test]
fn a_larger_unit_is_a_larger_forecast() {
    let small = traffic(4.0, 24, 3.0, 5);
    let large = small.map(|value| 1024.0 * value);
    let fit = |traffic: &Traffic| Prophet::default().fit(&traffic.history()).unwrap();
    let (small, large) = (
        fit(&small).predict(200).steps,
        fit(&large).predict(200).steps,
    );
    for (small, large) in small.iter().zip(&large) {
        assert!((large / 1024.0 - small).abs() < 1e-9, "{large} {small}");
    }
}

fn demand() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        6 => (0.0..100.0).prop_map(Some),
        2 => Just(None),
        1 => Just(Some(0.0)),
    ];
    let any = proptest::collection::vec(value, 0..400);
    let shaped = (1..300_usize, 0..9_u8).prop_map(|(steps, kind)| {
        let shape = move |step: usize| match kind {
            0 => Some(0.0),
            1 => Some(42.0),
            2 => Some(if step == steps / 2 { 1e12 } else { 0.0 }),
            3 => Some(if step == steps - 1 { 1e15 } else { 1.0 }),
            4 => Some(if step * 2 < steps { 5.0 } else { 5e6 }),
            5 => step.is_multiple_of(2).then_some(step as f64),
            6 => (step == 0 || step == steps / 3).then_some(9.0),
            7 => Some(1e15),
            _ => Some(1e-300),
        };
        (0..steps).map(shape).collect()
    });
    prop_oneof![any, shaped]
}

fn models() -> impl Strategy<Value = Prophet> {
    let growth = prop_oneof![
        3 => Just(Growth::Linear),
        1 => Just(Growth::Flat),
        1 => Just(Growth::Logistic { capacity: 120.0, floor: 0.0 }),
        1 => Just(Growth::Logistic { capacity: 1e15, floor: 10.0 }),
    ];
    let mode = prop_oneof![Just(SeasonMode::Added), Just(SeasonMode::Multiplied)];
    (growth, mode, 0..30_usize, any::<bool>()).prop_map(|(growth, mode, changepoints, all)| {
        let mut model = Prophet {
            growth,
            mode,
            changepoints,
            ..Prophet::default()
        };
        if all {
            model.day = SeasonChoice::Order(4);
            model.year = SeasonChoice::Order(10);
            model.changepoint_prior = 10.0;
            model.holidays = vec![HolidayEffect {
                before: 1,
                after: 2,
                ..HolidayEffect::of("US")
            }];
            model.seasons = vec![CustomSeason {
                period_days: 30.5,
                order: 2,
                prior: 1.0,
                mode: SeasonMode::Multiplied,
            }];
        }
        model
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_history_gives_a_forecast(values in demand(), model in models(), spend in 0.0..1e15_f64) {
        let dates = dates();
        let regressors = [Regressor { name: "spend".to_string(), values: vec![0.0, 1e-9, 3.0, spend] }];
        let history = History::new(&values, SeasonSpec::default())
            .unwrap()
            .with_dates(&dates)
            .with_regressors(&regressors);
        let mut fitted = match model.fit(&history) {
            Err(error) => {
                prop_assert_eq!(error, FitError::NoObservation);
                prop_assert!(values.iter().all(Option::is_none));
                return Ok(());
            }
            Ok(fitted) => fitted,
        };
        let stored = serde_json::to_string(&fitted).unwrap();
        prop_assert_eq!(&serde_json::from_str::<FittedProphet>(&stored).unwrap(), &fitted);
        prop_assert_eq!(&model.fit(&history).unwrap(), &fitted);
        fitted.update(Some(3.0));
        let forecast = fitted.predict(100).steps;
        let paths = fitted.paths(100, 5, 3);
        let quantiles = fitted.quantiles(100, &[0.025, 0.5, 0.995]);
        let all = forecast.iter().chain(paths.iter().flatten());
        let all = all.chain((0..100).flat_map(|step| quantiles.step(step)));
        for value in all {
            prop_assert!(value.is_finite() && *value >= 0.0, "{}", value);
        }
        for (parts, value) in fitted.explain(100).iter().zip(&forecast) {
            let size = value + parts.level.abs() + parts.trend.abs() + parts.season_year.abs()
                + parts.season_week.abs() + parts.season_day.abs() + parts.events.abs();
            prop_assert!((parts.total() - value).abs() <= 1e-9 * size + 1e-9, "{parts:?} {value}");
        }
        prop_assert!(fitted.paths(0, 5, 3).count() == 0 && fitted.quantiles(0, &[0.5]).horizon() == 0);
    }
}
