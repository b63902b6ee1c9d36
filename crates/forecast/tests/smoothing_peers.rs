//! Exponential smoothing, Theta and MSTL beside statsforecast, on the fixtures that the scripts in
//! `peers` print.
//!
//! The tolerance is 1 % of the mean of a forecast, for its mean absolute difference. Where the
//! peer's search ended early, both need not agree: then ours must be the better fit.

use fleetcast_forecast::{Ets, Fit, History, Mstl, Predict, Season, SeasonSpec, Theta, ThetaForm};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    series: Vec<Series>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Series {
    name: String,
    day: usize,
    week: usize,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    series: String,
    #[serde(default)]
    form: String,
    #[serde(default)]
    seasonal: bool,
    #[serde(default)]
    found: String,
    #[serde(default)]
    aicc: f64,
    steps: Vec<f64>,
    #[serde(default)]
    high: Vec<f64>,
}

/// Calls `check` with each case, its history, and a name for it.
fn each(json: &str, check: impl Fn(&Case, &History<'_>, &str)) {
    let fixture: Fixture = serde_json::from_str(json).expect("a fixture");
    assert!(!fixture.cases.is_empty());
    for case in &fixture.cases {
        let series = fixture
            .series
            .iter()
            .find(|series| series.name == case.series)
            .expect("its series");
        let values: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
        let seasons = SeasonSpec {
            day: series.day,
            week: series.week,
            year: 0,
        };
        let history = History::new(&values, seasons).expect("demand");
        check(case, &history, &format!("{} of {}", case.form, case.series));
    }
}

/// The mean absolute difference as a share of the mean, or of a tenth of the history's mean if that
/// is larger.
fn apart(ours: &[f64], theirs: &[f64], history: &History<'_>) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let seen: f64 = history.values().iter().flatten().sum();
    let usual = seen / history.values().len() as f64;
    let size: f64 = theirs.iter().map(|step| step.abs()).sum();
    let size = size.max(0.1 * usual * theirs.len() as f64);
    let off = |(ours, theirs): (&f64, &f64)| (ours - theirs.max(0.0)).abs();
    ours.iter().zip(theirs).map(off).sum::<f64>() / size
}

#[test]
fn exponential_smoothing_forecasts_as_statsforecast_does() {
    each(include_str!("fixtures/ets.json"), |case, history, name| {
        let season = case.seasonal.then_some(Season::Day);
        let model = if case.form == "auto" {
            Ets::auto(season)
        } else {
            Ets::with_form(case.form.parse().expect("a form"), season)
        };
        let model = model.with_restarts(0);
        let fitted = model.fit(history).expect(name);
        let (form, aicc) = (fitted.form().expect(name), fitted.aicc().expect(name));
        assert!(
            aicc < case.aicc + 0.5,
            "{name}: {aicc} is over {}",
            case.aicc
        );
        let far = apart(
            &fitted.predict(case.steps.len()).steps,
            &case.steps,
            history,
        );
        let better = aicc < case.aicc - 0.1;
        assert!(
            far < 0.01 || better,
            "{name}: {far} apart, {aicc} {}",
            case.aicc
        );
        assert!(far < 0.02 || case.form == "auto", "{name}: {far} apart");
        assert!(
            form.to_string() == case.found || better,
            "{name}: {form} is not {}",
            case.found
        );
        // The variance of plain forms with added errors is known to both; of seasonal ones,
        // statsforecast takes that of the last step for all.
        if !form.multiplied_errors() && !case.found.ends_with(['A', 'M']) && !better {
            let quantiles = fitted.quantiles(case.high.len(), &[0.9]);
            let high: Vec<f64> = (0..case.high.len())
                .map(|step| quantiles.step(step)[0])
                .collect();
            let far = apart(&high, &case.high, history);
            assert!(far < 0.01, "{name}: 90 % quantiles {far} apart");
        }
    });
}

#[test]
fn theta_forecasts_as_statsforecast_does() {
    each(
        include_str!("fixtures/theta.json"),
        |case, history, name| {
            let form: ThetaForm =
                serde_json::from_value(case.form.clone().into()).expect("the name of a form");
            let model = Theta::new(Season::Day).with_form(form);
            let fitted = model.fit(history).expect(name);
            let far = apart(
                &fitted.predict(case.steps.len()).steps,
                &case.steps,
                history,
            );
            assert!(far < 0.01, "{name}: {far} apart");
        },
    );
}

#[test]
fn mstl_forecasts_as_statsforecast_does() {
    each(include_str!("fixtures/mstl.json"), |case, history, name| {
        let fitted = Mstl::default().fit(history).expect(name);
        let far = apart(
            &fitted.predict(case.steps.len()).steps,
            &case.steps,
            history,
        );
        assert!(far < 0.01, "{name}: {far} apart");
    });
}
