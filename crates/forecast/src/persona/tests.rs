use fleetcast_model::Share;

use super::*;
use crate::testing::traffic;
use crate::{Fit, History, Model, Predict, pinball};

fn expectation(values: Vec<f64>) -> Expectation {
    let windows = (0..values.len()).map(|step| step as u32 % 24).collect();
    Expectation {
        values,
        windows,
        confidence: Share::new(0.5).expect("a share"),
    }
}

fn blend(expectation: &Expectation, start: usize) -> PersonaBlend {
    PersonaBlend {
        model: Model::default(),
        expectation: expectation.clone(),
        start,
    }
}

/// The loss of the next day after so many days of history; the persona expects `wrong` times the truth.
fn loss(days: usize, wrong: impl Fn(usize) -> f64, alone: bool) -> f64 {
    let traffic = traffic(5.0, 24, 100.0, 9);
    let origin = 24 * 28;
    let truth: Vec<f64> = traffic.values.iter().flatten().copied().collect();
    let expected = truth
        .iter()
        .enumerate()
        .map(|(step, value)| value * wrong(step));
    let expectation = expectation(expected.skip(origin - 24 * days).collect());
    let seen = &traffic.values[origin - 24 * days..origin];
    let history = History::new(seen, traffic.seasons).expect("made-up traffic is demand");
    let levels = [0.1, 0.5, 0.9];
    let quantiles = if alone {
        Model::default()
            .fit(&history)
            .unwrap()
            .quantiles(24, &levels)
    } else {
        let fitted = blend(&expectation, 24 * days).fit(&history).unwrap();
        fitted.quantiles(24, &levels)
    };
    let score = |(step, actual): (usize, &f64)| {
        let each = levels.iter().zip(quantiles.step(step));
        each.map(|(&level, &quantile)| pinball(level, quantile, *actual))
            .sum::<f64>()
    };
    truth[origin..origin + 24]
        .iter()
        .enumerate()
        .map(score)
        .sum()
}

#[test]
fn a_good_persona_helps_while_history_is_short() {
    for days in [1, 3] {
        let (both, data) = (loss(days, |_| 1.0, false), loss(days, |_| 1.0, true));
        assert!(both < 0.8 * data, "{days} days: {both} beside {data}");
    }
}

#[test]
fn a_poor_persona_is_overtaken() {
    let upside_down = |step: usize| if step % 24 < 12 { 4.0 } else { 0.25 };
    let (both, data) = (loss(14, upside_down, false), loss(14, upside_down, true));
    assert!(both < 1.1 * data, "{both} beside {data}");
}

#[test]
fn without_history_the_persona_forecasts() {
    let expectation = expectation((0..48).map(|step| 10.0 + f64::from(step)).collect());
    let history = History::new(&[], traffic(1.0, 24, 1.0, 1).seasons).unwrap();
    let fitted = blend(&expectation, 24).fit(&history).unwrap();
    assert_eq!(fitted.model(), crate::ModelName::Persona);
    let forecast = fitted.predict(3);
    assert!(
        (forecast.steps[0] / 34.0 - 1.0).abs() < 0.05,
        "{forecast:?}"
    );
    let paths = fitted.paths(3, 100, 1);
    assert!(paths.at(0).quantile(0.9) > paths.at(0).quantile(0.1));
}

#[test]
fn a_blend_survives_being_stored() {
    let expectation = expectation(vec![5.0; 96]);
    let traffic = traffic(0.3, 24, 5.0, 2);
    let fitted = blend(&expectation, 0).fit(&traffic.history()).unwrap();
    let stored = serde_json::to_string(&fitted).unwrap();
    assert_eq!(
        serde_json::from_str::<FittedPersonaBlend>(&stored).unwrap(),
        fitted
    );
}
