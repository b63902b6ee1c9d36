//! ARIMA beside the peers: many series, many orders, all that `peers/arima_orders.py` prints.
//!
//! The reference of a fit is the likelier of statsforecast's and statsmodels'. A forecast is the same if its mean
//! absolute difference over 24 steps is 1 % of the reference's mean at most; demand under 0 counts as 0 on both sides.

use fleetcast_forecast::{Arima, Fit, FittedArima, History, Predict, Season, SeasonSpec};
use serde::Deserialize;

/// The difference up to which forecasts are the same, as a share of the reference's mean.
const TOLERANCE: f64 = 0.01;
/// The share of all fits that must be the same.
const GOAL: f64 = 0.95;
/// Likelihoods up to this far apart are of one maximum.
const SAME_LIKELIHOOD: f64 = 0.1;

#[derive(Deserialize)]
struct Fixture {
    series: Vec<Series>,
    fits: Vec<Reference>,
}

#[derive(Deserialize)]
struct Series {
    name: String,
    season: usize,
    values: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Reference {
    series: String,
    order: (usize, usize, usize),
    seasonal: (usize, usize, usize),
    constant: bool,
    log_likelihood: f64,
    forecast: Vec<f64>,
}

impl Reference {
    fn fit(&self, series: &Series) -> FittedArima {
        let seasons = SeasonSpec {
            day: if series.season > 1 { series.season } else { 0 },
            week: 0,
            year: 0,
        };
        let history = History::new(&series.values, seasons).expect("demand");
        Arima::with_order(self.order, self.seasonal, Some(Season::Day), self.constant)
            .fit(&history)
            .expect("an order that can be fitted")
    }

    /// How far a forecast is from this one's, as a share of the mean.
    fn apart(&self, ours: &[f64]) -> f64 {
        assert_eq!(ours.len(), self.forecast.len());
        let theirs = || self.forecast.iter().map(|value| value.max(0.0));
        let off: f64 = ours.iter().zip(theirs()).map(|(a, b)| (a - b).abs()).sum();
        off / theirs().sum::<f64>().max(1e-9)
    }
}

#[test]
fn forecasts_of_the_same_order_are_those_of_the_likelier_peer() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("fixtures/arima_orders.json")).expect("a fixture");
    let count = fixture.fits.len();
    assert!(count >= 300, "{count} fits are no broad set");
    let (mut same, mut less_likely, mut more_likely) = (0, 0, 0);
    let mut report = String::new();
    for reference in &fixture.fits {
        let mut all = fixture.series.iter();
        let series = all
            .find(|one| one.name == reference.series)
            .expect("its series");
        let fitted = reference.fit(series);
        let apart = reference.apart(&fitted.predict(reference.forecast.len()).steps);
        let ahead = fitted.log_likelihood() - reference.log_likelihood;
        same += usize::from(apart <= TOLERANCE);
        less_likely += usize::from(ahead < -SAME_LIKELIHOOD);
        more_likely += usize::from(ahead > SAME_LIKELIHOOD);
        if apart > TOLERANCE || ahead.abs() > SAME_LIKELIHOOD {
            report += &format!(
                "\n{} of {}: {apart:.4} apart, log likelihood {ahead:+.3}",
                fitted.order(),
                series.name
            );
        }
    }
    println!(
        "{same} of {count} fits within 1 %, {less_likely} less and {more_likely} more likely{report}"
    );
    let share = same as f64 / count as f64;
    assert!(
        share >= GOAL,
        "{share:.3} of {count} fits are within 1 %:{report}"
    );
    // A search of ours that ends early is a fault of ours.
    assert!(
        less_likely * 100 <= count,
        "{less_likely} are less likely than the peer's:{report}"
    );
}
