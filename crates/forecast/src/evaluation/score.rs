//! What forecasts lost, summed up over origins.

use serde::{Deserialize, Serialize};

use super::LEVELS;
use crate::QuantileForecast;
use crate::scores::pinball;

/// Places of the levels that scores are made of.
const LOW_95: usize = 0;
const LOW_80: usize = 2;
const MEDIAN: usize = 6;
const HIGH_80: usize = 10;
const HIGH_90: usize = 11;
const HIGH_95: usize = 12;
/// What missing a 95 % interval costs by the unit: 2 ÷ 5 % (Gneiting and Raftery 2007).
const MISS_95: f64 = 40.0;

/// What one forecast lost on the steps that were observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginScore {
    /// The first step that was forecast.
    pub origin: usize,
    /// Steps that were observed.
    pub steps: usize,
    /// Demand of these steps.
    pub demand: f64,
    /// Absolute errors of the medians.
    pub absolute_error: f64,
    /// Relative absolute errors of the medians, 0 to 200 each.
    pub symmetric_error: f64,
    /// Twice the pinball loss, the mean of the levels 10 to 90 %.
    pub loss: f64,
    /// The same of the 95 % level alone.
    pub loss_95: f64,
    /// Steps within the interval of 80 %.
    pub within_80: usize,
    /// Steps within the interval of 95 %.
    pub within_95: usize,
    /// Steps over the level of 95 %.
    pub above_95: usize,
    /// The mean absolute error by the unit of the scale; `None` if the scale is 0.
    pub mase: Option<f64>,
    /// The mean score of the 95 % interval by the unit of the scale.
    pub msis: Option<f64>,
}

impl OriginScore {
    /// Scores the first `horizon` steps of a forecast at [`LEVELS`]; `None` if none was observed.
    /// `scale` is what repeating the last day loses within the history.
    ///
    /// # Panics
    /// Unless the forecast is at [`LEVELS`].
    pub fn new(
        origin: usize,
        forecast: &QuantileForecast,
        actuals: &[Option<f64>],
        horizon: usize,
        scale: Option<f64>,
    ) -> Option<Self> {
        assert_eq!(forecast.levels(), LEVELS, "scores are of fixed levels");
        let mut score = Self {
            origin,
            ..Self::default()
        };
        let mut interval = 0.0;
        let steps = horizon.min(forecast.horizon());
        for (step, actual) in actuals.iter().take(steps).enumerate() {
            let Some(actual) = *actual else { continue };
            let quantiles = forecast.step(step);
            let (low, high) = (quantiles[LOW_95], quantiles[HIGH_95]);
            let error = (actual - quantiles[MEDIAN]).abs();
            let size = actual.abs() + quantiles[MEDIAN].abs();
            score.steps += 1;
            score.demand += actual.abs();
            score.absolute_error += error;
            score.symmetric_error += if size > 0.0 {
                200.0 * error / size
            } else {
                0.0
            };
            let loss = (LOW_80..=HIGH_80)
                .map(|place| 2.0 * pinball(LEVELS[place], quantiles[place], actual))
                .sum::<f64>();
            score.loss += loss / (HIGH_80 - LOW_80 + 1) as f64;
            score.loss_95 += 2.0 * pinball(LEVELS[HIGH_90], quantiles[HIGH_90], actual);
            let within = |low: f64, high: f64| usize::from((low..=high).contains(&actual));
            score.within_80 += within(quantiles[LOW_80], quantiles[HIGH_80]);
            score.within_95 += within(low, high);
            score.above_95 += usize::from(actual > quantiles[HIGH_90]);
            interval += (high - low)
                + MISS_95 * (low - actual).max(0.0)
                + MISS_95 * (actual - high).max(0.0);
        }
        let mean = |sum: f64| Some(sum / score.steps as f64 / scale?);
        (score.mase, score.msis) = (mean(score.absolute_error), mean(interval));
        (score.steps > 0).then_some(score)
    }
}

/// What all forecasts of one series lost together. `None`: there was nothing to divide by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Origins that were scored.
    pub origins: usize,
    /// Absolute errors by the unit of demand.
    pub wape: Option<f64>,
    /// Symmetric relative errors, 0 to 200.
    pub smape: Option<f64>,
    /// The mean over origins.
    pub mase: Option<f64>,
    /// The weighted quantile loss of the levels 10 to 90 %.
    pub wql: Option<f64>,
    /// The same of the 95 % level alone: what one pays who provides for it.
    pub ql95: Option<f64>,
    /// Share of steps within the interval of 80 %.
    pub cov80: Option<f64>,
    /// Share of steps within the interval of 95 %.
    pub cov95: Option<f64>,
    /// Share of steps over the level of 95 %.
    pub above_p95: Option<f64>,
    /// The mean over origins.
    pub msis: Option<f64>,
}

impl Scores {
    /// Sums up the origins of one series.
    pub fn of(origins: &[OriginScore]) -> Self {
        let sum = |part: fn(&OriginScore) -> f64| origins.iter().map(part).sum::<f64>();
        let (steps, demand) = (sum(|one| one.steps as f64), sum(|one| one.demand));
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        Self {
            origins: origins.len(),
            wape: ratio(sum(|one| one.absolute_error), demand),
            smape: ratio(sum(|one| one.symmetric_error), steps),
            mase: mean(origins.iter().map(|one| one.mase)),
            wql: ratio(sum(|one| one.loss), demand),
            ql95: ratio(sum(|one| one.loss_95), demand),
            cov80: ratio(sum(|one| one.within_80 as f64), steps),
            cov95: ratio(sum(|one| one.within_95 as f64), steps),
            above_p95: ratio(sum(|one| one.above_95 as f64), steps),
            msis: mean(origins.iter().map(|one| one.msis)),
        }
    }

    /// The arithmetic means over several series; each counts the same.
    pub fn mean(series: &[Self]) -> Self {
        let over = |part: fn(&Self) -> Option<f64>| mean(series.iter().map(part));
        Self {
            origins: series.iter().map(|one| one.origins).sum(),
            wape: over(|one| one.wape),
            smape: over(|one| one.smape),
            mase: over(|one| one.mase),
            wql: over(|one| one.wql),
            ql95: over(|one| one.ql95),
            cov80: over(|one| one.cov80),
            cov95: over(|one| one.cov95),
            above_p95: over(|one| one.above_p95),
            msis: over(|one| one.msis),
        }
    }
}

/// The mean of what is known, if anything is.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values
        .flatten()
        .fold((0.0, 0_usize), |(sum, count), value| {
            (sum + value, count + 1)
        });
    (count > 0).then(|| sum / count as f64)
}

/// The geometric mean of positive ratios; `None` of nothing.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = ratios
        .into_iter()
        .filter(|ratio| *ratio > 0.0)
        .fold((0.0, 0_usize), |(sum, count), ratio| {
            (sum + libm::log(ratio), count + 1)
        });
    (count > 0).then(|| libm::exp(sum / count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles from 70 to 130 around 100, the same at each step.
    fn forecast(steps: usize) -> QuantileForecast {
        let step = [
            70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 100.0, 105.0, 110.0, 115.0, 120.0, 125.0, 130.0,
        ];
        QuantileForecast::new(&LEVELS, step.repeat(steps))
    }

    #[test]
    fn one_origin_by_hand() {
        let actuals = [Some(100.0), None, Some(150.0), Some(0.0)];
        let score = OriginScore::new(7, &forecast(4), &actuals, 3, Some(10.0)).unwrap();
        assert_eq!((score.origin, score.steps, score.demand), (7, 2, 250.0));
        assert_eq!(score.absolute_error, 50.0);
        assert!((score.symmetric_error - 200.0 * 50.0 / 250.0).abs() < 1e-12);
        // At 100: pinball .1·20+.2·15+.3·10+.4·5 = 10 below and the same above.
        // At 150: Σ level·(150 − quantile) = .1·70+.2·65+.3·60+.4·55+.5·50+.6·45+.7·40+.8·35+.9·30 = 195.
        assert!(
            (score.loss - 2.0 * (20.0 + 195.0) / 9.0).abs() < 1e-9,
            "{}",
            score.loss
        );
        // 2·(.05·25 + .95·25).
        assert!((score.loss_95 - 50.0).abs() < 1e-9);
        assert_eq!(
            (score.within_80, score.within_95, score.above_95),
            (1, 1, 1)
        );
        assert_eq!(score.mase, Some(2.5));
        // (60 + 60 + 40·20) ÷ 2 ÷ 10.
        assert_eq!(score.msis, Some(46.0));
    }

    #[test]
    fn nothing_observed_is_no_score() {
        assert_eq!(
            OriginScore::new(0, &forecast(2), &[None, None], 2, Some(1.0)),
            None
        );
        let flat = OriginScore::new(0, &forecast(2), &[Some(0.0); 2], 2, None).unwrap();
        let scores = Scores::of(&[flat]);
        assert_eq!(
            (scores.wql, scores.mase, scores.cov80),
            (None, None, Some(0.0))
        );
        assert_eq!(Scores::of(&[]), Scores::default());
    }

    #[test]
    fn series_count_the_same() {
        let one = |wql| Scores {
            wql: Some(wql),
            ..Scores::default()
        };
        let both = Scores::mean(&[one(0.2), one(0.4), Scores::default()]);
        assert!((both.wql.unwrap() - 0.3).abs() < 1e-12);
        assert!((geometric_mean([0.5, 2.0, 1.0]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), None);
    }
}
