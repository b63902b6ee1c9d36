//! What relative scores are relative to.

use crate::QuantileForecast;
use crate::history::interpolated;
use crate::normal::normal_quantile;

/// A seasonal naive forecast whose errors are normal: each step is its value one season before, and
/// the variance grows by that of one season's differences with each season (Hyndman and
/// Athanasopoulos, Forecasting: Principles and Practice, section 5.5). Published relative scores are relative
/// to this one; as a forecast, [`crate::SeasonalNaive`] with its drawn errors is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yardstick {
    /// Steps of the season; 1 repeats the last value.
    pub season: usize,
}

impl Yardstick {
    /// The quantiles of the steps after a history. A history shorter than the season repeats its last
    /// value; without any observation, all is 0.
    pub fn forecast(
        self,
        history: &[Option<f64>],
        horizon: usize,
        levels: &[f64],
    ) -> QuantileForecast {
        let values = interpolated(history);
        let Some(&newest) = values.last() else {
            return QuantileForecast::new(levels, vec![0.0; horizon * levels.len()]);
        };
        let season = if self.season > 0 && values.len() >= self.season {
            self.season
        } else {
            1
        };
        let squares = values
            .iter()
            .zip(&values[season..])
            .map(|(old, new)| (new - old) * (new - old));
        let count = values.len() - season;
        let deviation = if count > 0 {
            (squares.sum::<f64>() / count as f64).sqrt()
        } else {
            0.0
        };
        let last = &values[values.len() - season..];
        let mut quantiles = Vec::with_capacity(horizon * levels.len());
        for step in 0..horizon {
            let center = last.get(step % season).copied().unwrap_or(newest);
            let spread = deviation * ((step / season + 1) as f64).sqrt();
            quantiles.extend(levels.iter().map(|&level| {
                let quantile = center + normal_quantile(level) * spread;
                if spread > 0.0 { quantile } else { center }
            }));
        }
        QuantileForecast::new(levels, quantiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_season_repeats_and_the_spread_grows_with_each() {
        let values = [1.0, 5.0, 2.0, 8.0].map(Some);
        let forecast = Yardstick { season: 2 }.forecast(&values, 3, &[0.5, 0.9]);
        // Differences 1 and 3: deviation √5. statsforecast 2.1.1, SeasonalNaive(2), level 80.
        let close = |a: f64, b: f64| (a - b).abs() < 1e-3;
        for (step, median, upper) in [(0, 2.0, 4.8656), (1, 8.0, 10.8656), (2, 2.0, 6.0526)] {
            let found = forecast.step(step);
            assert!(
                close(found[0], median) && close(found[1], upper),
                "{found:?}"
            );
        }
    }

    #[test]
    fn short_and_empty_histories_have_a_forecast() {
        let one = Yardstick { season: 24 }.forecast(&[Some(3.0)], 2, &[0.1, 0.9]);
        assert_eq!(one.step(1), [3.0, 3.0]);
        let none = Yardstick { season: 24 }.forecast(&[None], 2, &[0.1, 0.9]);
        assert_eq!(none.step(1), [0.0, 0.0]);
    }
}
