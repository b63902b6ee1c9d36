//! One series, forecast from many origins.

use super::{LEVELS, OriginScore, Protocol, TooFewSteps, Yardstick};
use crate::{
    Dates, Fit, FitError, History, HistoryError, Predict, QuantileForecast, Season, SeasonSpec,
};

/// A recorded series that models are judged on.
#[derive(Clone, Copy, Debug)]
pub struct Rolling<'a> {
    /// What models are fitted to: filled values included, where the recording has them.
    pub values: &'a [Option<f64>],
    /// What forecasts are scored against: `None` where nothing was observed.
    pub observed: &'a [Option<f64>],
    /// When the steps were, if that is known.
    pub dates: Option<&'a Dates>,
    /// The lengths of the seasons.
    pub seasons: SeasonSpec,
    /// Origins, horizon and window.
    pub protocol: Protocol,
}

/// Why there is no forecast from an origin.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RollingError {
    /// The series is none.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The model refuses it.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl<'a> Rolling<'a> {
    /// The origins, rising.
    pub fn origins(&self) -> Result<Vec<usize>, TooFewSteps> {
        self.protocol
            .origins(self.values.len().min(self.observed.len()))
    }

    /// What a model may see at an origin.
    pub fn window(&self, origin: usize) -> &'a [Option<f64>] {
        &self.values[origin.saturating_sub(self.protocol.window)..origin]
    }

    /// Fits a model to what comes before an origin and forecasts one horizon at [`LEVELS`].
    pub fn forecast<M: Fit>(
        &self,
        model: &M,
        origin: usize,
    ) -> Result<QuantileForecast, RollingError> {
        let start = origin.saturating_sub(self.protocol.window);
        let dates = self.dates.map(|dates| dates.from(start));
        let mut history = History::new(self.window(origin), self.seasons)?;
        if let Some(dates) = &dates {
            history = history.with_dates(dates);
        }
        Ok(model
            .fit(&history)?
            .quantiles(self.protocol.horizon, &LEVELS))
    }

    /// The season of the yardstick: a week where even the first window holds two, else a day, else
    /// one step.
    pub fn yardstick(&self) -> Yardstick {
        let fits = |&steps: &usize| self.protocol.first.min(self.protocol.window) >= 2 * steps;
        let season = self.seasons.steps(Season::Week).filter(fits);
        let season = season.or(self.seasons.steps(Season::Day));
        Yardstick {
            season: season.unwrap_or(1),
        }
    }

    /// The yardstick's forecast from an origin.
    pub fn yardstick_forecast(&self, origin: usize) -> QuantileForecast {
        self.yardstick()
            .forecast(self.window(origin), self.protocol.horizon, &LEVELS)
    }

    /// Scores the first `horizon` steps of a forecast; `None` if none of them was observed.
    pub fn score(
        &self,
        origin: usize,
        forecast: &QuantileForecast,
        horizon: usize,
    ) -> Option<OriginScore> {
        let actuals = self.observed.get(origin..)?;
        OriginScore::new(origin, forecast, actuals, horizon, self.scale(origin))
    }

    /// What repeating the last day loses within the window, by the step; `None` if nothing.
    fn scale(&self, origin: usize) -> Option<f64> {
        let window = self.window(origin);
        let later = window.get(self.seasons.day.max(1)..)?;
        let (sum, count) = window
            .iter()
            .zip(later)
            .filter_map(|(&old, &new)| Some((new? - old?).abs()))
            .fold((0.0, 0_usize), |(sum, count), change| {
                (sum + change, count + 1)
            });
        (sum > 0.0).then(|| sum / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Origins, Scores};
    use super::*;
    use crate::testing::traffic;
    use crate::{Model, SeasonalNaive};

    #[test]
    fn a_forecast_knows_its_window_and_nothing_else() {
        let traffic = traffic(6.0, 24, 100.0, 5);
        let rolling = Rolling {
            values: &traffic.values,
            observed: &traffic.values,
            dates: None,
            seasons: traffic.seasons,
            protocol: Protocol {
                horizon: 24,
                window: 400,
                first: 336,
                first_share: 0.4,
                origins: Origins::Spread(3),
            },
        };
        let model = Model::SeasonalNaive(SeasonalNaive::new(Season::Week));
        let origins = rolling.origins().unwrap();
        assert_eq!(origins, [403, 694, 984]);
        let before = rolling.forecast(&model, 694).unwrap();
        let mut elsewhere = traffic.values.clone();
        for (step, value) in elsewhere.iter_mut().enumerate() {
            if !(294..694).contains(&step) {
                *value = Some(1e6);
            }
        }
        let changed = Rolling {
            values: &elsewhere,
            ..rolling
        };
        assert_eq!(changed.forecast(&model, 694).unwrap(), before);
        assert_eq!(rolling.yardstick().season, 168);
        // A regular week repeats: errors are small beside those of repeating a day.
        let score = rolling.score(694, &before, 24).unwrap();
        assert_eq!(score.steps, 24);
        assert!(Scores::of(&[score]).mase.unwrap() < 0.7, "{score:?}");
    }
}
