//! Why a forecast is what it is.

use serde::{Deserialize, Serialize};

/// What one step of a forecast is made of, in the unit of the history; the parts sum to the
/// forecast. Where seasons multiply, a season's part is what it adds to what stands before it in
/// the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The demand of a usual step as of the end of the history.
    pub level: f64,
    /// What the trend adds by then.
    pub trend: f64,
    /// What the time of day adds.
    pub season_day: f64,
    /// What the day of the week adds to that.
    pub season_week: f64,
    /// What the time of the year adds.
    #[serde(default)]
    pub season_year: f64,
    /// What events, holidays and other regressors add.
    #[serde(default)]
    pub events: f64,
    /// What the persona adds where history is too short to know.
    #[serde(default)]
    pub persona: f64,
    /// What calibration adds: nothing to a median, its margin to a higher quantile.
    #[serde(default)]
    pub margin: f64,
    /// The rest: the present deviation from the usual as far as it lasts, and what keeps the
    /// forecast from being negative.
    pub remainder: f64,
}

impl Parts {
    /// The forecast.
    pub fn total(&self) -> f64 {
        self.level
            + self.trend
            + self.season_day
            + self.season_week
            + self.season_year
            + self.events
            + self.persona
            + self.margin
            + self.remainder
    }

    /// The parts of a forecast that must not be negative.
    pub(crate) fn not_negative(mut self) -> Self {
        let total = self.total();
        if total < 0.0 {
            self.remainder -= total;
        }
        self
    }

    /// Adds a share of other parts.
    pub(crate) fn add(&mut self, share: f64, other: &Self) {
        self.level += share * other.level;
        self.trend += share * other.trend;
        self.season_day += share * other.season_day;
        self.season_week += share * other.season_week;
        self.season_year += share * other.season_year;
        self.events += share * other.events;
        self.persona += share * other.persona;
        self.margin += share * other.margin;
        self.remainder += share * other.remainder;
    }
}

/// A fitted model that can say what its forecast is made of.
pub trait Explain {
    /// The parts of each of the next `horizon` steps; they sum to [`crate::Predict::predict`].
    fn explain(&self, horizon: usize) -> Vec<Parts>;
}

#[cfg(test)]
mod tests {
    use crate::testing::traffic;
    use crate::{Combination, Explain, Fit, LevelSeason, Predict, Season, SeasonalNaive, Theta};

    fn check(model: &(impl Predict + Explain)) {
        let forecast = model.predict(700);
        let parts = model.explain(700);
        for (step, (expected, parts)) in forecast.steps.iter().zip(&parts).enumerate() {
            let apart = (expected - parts.total()).abs();
            assert!(
                apart < 1e-9 * expected.max(1.0),
                "{:?} at {step}: {expected} is not {parts:?}",
                model.model()
            );
        }
    }

    #[test]
    fn parts_sum_to_the_forecast() {
        for (weeks, scale) in [(0.2, 1.0), (1.0, 300.0), (4.0, 1.0), (4.0, 0.0)] {
            let traffic = traffic(weeks, 24, scale, 5);
            let history = traffic.history();
            check(&SeasonalNaive::new(Season::Week).fit(&history).unwrap());
            check(&Theta::new(Season::Day).fit(&history).unwrap());
            check(&LevelSeason::default().fit(&history).unwrap());
            check(&Combination::default().fit(&history).unwrap());
        }
    }

    #[test]
    fn night_and_weekend_are_seen_as_such() {
        let traffic = traffic(6.0, 24, 1000.0, 5);
        let parts = LevelSeason::default()
            .fit(&traffic.history())
            .unwrap()
            .explain(168);
        // The made-up traffic has its low at step 0 of the day, and its weekend on days 5 and 6.
        assert!(parts[0].season_day < -100.0, "{:?}", parts[0]);
        assert!(
            parts[5 * 24 + 12].season_week < -100.0,
            "{:?}",
            parts[5 * 24 + 12]
        );
        assert!(parts[24 + 12].season_day > 100.0, "{:?}", parts[24 + 12]);
    }
}
