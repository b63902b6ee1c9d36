//! What was there before, will be there again.

use serde::{Deserialize, Serialize};

use crate::history::interpolated;
use crate::residual_blocks::ResidualBlocks;
use crate::{
    Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict, SamplePaths, Season,
    Update,
};

/// Repeats the last season. Too little history for a week: the last day; for a day: the last value.
///
/// Paths are walks of whole seasons: each step is its own value one season before, plus an error
/// made one season ahead in the past, drawn in blocks of a day. So the spread grows from season to
/// season as the errors of the model do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeasonalNaive {
    season: Season,
}

impl SeasonalNaive {
    /// Repeats the last season of this kind.
    pub fn new(season: Season) -> Self {
        Self { season }
    }
}

/// A fitted [`SeasonalNaive`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedSeasonalNaive {
    model: ModelName,
    /// The season that repeats, its first step being the first one forecast.
    last: Vec<f64>,
    errors: ResidualBlocks,
    /// Steps taken in since the fit, within a block of errors.
    turned: usize,
}

impl Fit for SeasonalNaive {
    type Fitted = FittedSeasonalNaive;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let values = history.values();
        if values.is_empty() {
            return Err(FitError::NoObservation);
        }
        let day = history.seen_twice(Season::Day);
        let week = history
            .seen_twice(Season::Week)
            .filter(|_| self.season == Season::Week);
        let (model, steps) = match (week, day) {
            (Some(week), _) => (ModelName::SeasonalNaiveWeek, week),
            (None, Some(day)) => (ModelName::SeasonalNaiveDay, day),
            (None, None) => (ModelName::Naive, 1),
        };
        let block = if model == ModelName::Naive {
            1
        } else {
            day.unwrap_or(steps)
        };
        let errors: Vec<Option<f64>> = values
            .iter()
            .zip(&values[steps.min(values.len())..])
            .map(|(&old, &new)| Some(new? - old?))
            .collect();
        Ok(FittedSeasonalNaive {
            model,
            last: last_season(values, steps, day),
            errors: ResidualBlocks::new(&errors, block),
            turned: 0,
        })
    }
}

/// The newest observation at each place of the season; where there never was one, of the same time
/// of day; where there was none either, what lies between its neighbours.
fn last_season(values: &[Option<f64>], steps: usize, day: Option<usize>) -> Vec<f64> {
    let newest = |ahead: usize, steps: usize| {
        let first = (values.len() + ahead) % steps;
        values
            .get(first..)?
            .iter()
            .step_by(steps)
            .rev()
            .find_map(|value| *value)
    };
    let mut bridged = Vec::new();
    (0..steps)
        .map(|ahead| {
            newest(ahead, steps)
                .or_else(|| newest(ahead, day?))
                .unwrap_or_else(|| {
                    if bridged.is_empty() {
                        bridged = interpolated(values);
                    }
                    bridged[(values.len() + ahead)
                        .saturating_sub(steps)
                        .min(values.len() - 1)]
                })
        })
        .collect()
}

impl Predict for FittedSeasonalNaive {
    fn model(&self) -> ModelName {
        self.model
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        PointForecast {
            steps: self.last.iter().copied().cycle().take(horizon).collect(),
        }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let season = self.last.len();
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            self.errors.draw_from(rng, self.turned, path);
            for step in 0..path.len() {
                path[step] += if step < season {
                    self.last[step]
                } else {
                    path[step - season]
                };
            }
        })
    }
}

impl Update for FittedSeasonalNaive {
    /// The observation takes the place of the one a season before; where it is missing, that one stays.
    /// The errors that paths draw stay those of the fit.
    fn update(&mut self, value: Option<f64>) {
        self.last.rotate_left(1);
        if let (Some(value), Some(newest)) = (value, self.last.last_mut()) {
            *newest = value;
        }
        self.turned = (self.turned + 1) % self.errors.block();
    }
}

impl Explain for FittedSeasonalNaive {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let level = self.last.iter().sum::<f64>() / self.last.len() as f64;
        let parts = |&value: &f64| {
            let rest = value - level;
            let (season_day, season_week) = if self.model == ModelName::SeasonalNaiveWeek {
                (0.0, rest)
            } else {
                (rest, 0.0)
            };
            Parts {
                level,
                season_day,
                season_week,
                ..Parts::default()
            }
        };
        self.last.iter().cycle().take(horizon).map(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeasonSpec;
    use crate::testing::{AIR_PASSENGERS, air_passengers, traffic};

    fn fit(values: &[Option<f64>], season: Season) -> FittedSeasonalNaive {
        let history = History::new(
            values,
            SeasonSpec {
                day: 4,
                week: 28,
                year: 0,
            },
        )
        .unwrap();
        SeasonalNaive::new(season).fit(&history).unwrap()
    }

    #[test]
    fn the_last_season_repeats() {
        let passengers = air_passengers();
        let fitted = SeasonalNaive::new(Season::Day)
            .fit(&passengers.history())
            .unwrap();
        // statsforecast 2.1.1, SeasonalNaive(season_length=12): the last twelve months, again and again.
        let expected: Vec<f64> = AIR_PASSENGERS[132..]
            .iter()
            .cycle()
            .take(20)
            .map(|&value| f64::from(value))
            .collect();
        assert_eq!(fitted.predict(20).steps, expected);
    }

    #[test]
    fn short_history_degrades_by_name() {
        let values: Vec<Option<f64>> = (0..60).map(|step| Some(f64::from(step % 28))).collect();
        for (steps, model) in [
            (60, ModelName::SeasonalNaiveWeek),
            (55, ModelName::SeasonalNaiveDay),
            (8, ModelName::SeasonalNaiveDay),
            (7, ModelName::Naive),
            (1, ModelName::Naive),
        ] {
            let fitted = fit(&values[..steps], Season::Week);
            assert_eq!(fitted.model(), model, "{steps} steps");
            assert_eq!(fitted.paths(40, 3, 1).count(), 3);
        }
        let none = History::new(&[None, None], SeasonSpec::default()).unwrap();
        assert_eq!(
            SeasonalNaive::new(Season::Day).fit(&none),
            Err(FitError::NoObservation)
        );
    }

    #[test]
    fn missing_steps_are_taken_from_a_season_before() {
        let mut values: Vec<Option<f64>> = (0..12).map(|step| Some(f64::from(step))).collect();
        values[9] = None;
        values[11] = None;
        values[7] = None;
        assert_eq!(
            fit(&values, Season::Day).predict(4).steps,
            [8.0, 5.0, 10.0, 3.0]
        );
    }

    #[test]
    fn taking_in_steps_is_as_good_as_fitting_with_them() {
        let mut traffic = traffic(4.0, 24, 100.0, 8);
        traffic.values[500] = None;
        let all = traffic.history();
        let mut fitted = SeasonalNaive::new(Season::Week)
            .fit(&all.until(490))
            .unwrap();
        for value in &traffic.values[490..600] {
            fitted.update(*value);
        }
        let refitted = SeasonalNaive::new(Season::Week)
            .fit(&all.until(600))
            .unwrap();
        assert_eq!(fitted.predict(400), refitted.predict(400));
        // Its errors are older, but still those of the same time of day.
        let spread = |it: &FittedSeasonalNaive, step| {
            let sample = it.paths(24, 400, 1).at(step);
            sample.quantile(0.9) - sample.quantile(0.1)
        };
        for step in 0..24 {
            let (kept, fresh) = (spread(&fitted, step), spread(&refitted, step));
            assert!(
                (0.4..2.5).contains(&(kept / fresh)),
                "{step}: {kept} {fresh}"
            );
        }
    }

    #[test]
    fn paths_spread_around_the_forecast_and_wider_with_each_season() {
        let traffic = traffic(8.0, 24, 100.0, 1);
        let fitted = SeasonalNaive::new(Season::Week)
            .fit(&traffic.history())
            .unwrap();
        let (point, paths) = (fitted.predict(336), fitted.paths(336, 400, 7));
        let width = |step: usize| paths.at(step).quantile(0.9) - paths.at(step).quantile(0.1);
        let (near, far): (f64, f64) = ((0..168).map(width).sum(), (168..336).map(width).sum());
        assert!(far > 1.2 * near, "{near} {far}");
        for step in [3, 50, 100] {
            assert!(
                (paths.at(step).mean() / point.steps[step] - 1.0).abs() < 0.1,
                "{step}"
            );
        }
        assert_eq!(paths, fitted.paths(336, 400, 7));
    }
}
