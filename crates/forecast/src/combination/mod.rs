//! Several models, weighted by what they recently lost.
//!
//! Each member is fitted to all but the last days, forecasts them four times a day while it is updated along, and
//! is weighted by its pinball loss there, separately for leads of an hour, six hours, a day and more. Later updates go
//! on judging. Quantiles are averaged, not probabilities (Vincent 1912), which stays sharp where members agree on the
//! spread and differ in place; then they are moved so that they hold as often as they promise (see `calibration.rs`).

mod bands;
mod calibration;
mod evened;
mod log_mean;
mod trust;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use self::calibration::score_of;
use self::log_mean::LogMean;
use self::trust::Trust;
use crate::normal::normal_quantile;
use crate::traits::QUANTILE_PATHS;
use crate::{
    Arima, Explain, Fit, FitError, FittedModel, History, LevelTracker, LowRank, Model, ModelName,
    Mstl, Parts, PointForecast, Predict, Prophet, QuantileForecast, Ridge, SamplePaths, Season,
    Theta, Update,
};

/// Days that members are judged by before the first update, and at most this share of the history:
/// a member that lacks more is another member.
const JUDGED_DAYS: usize = 7;
const JUDGED_SHARE: usize = 4;

/// Levels that paths are read at; between them, straight lines.
const LEVELS: [f64; 19] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975,
    0.99, 0.995, 0.999,
];

/// Members that forecast together. Those that short history degrades to the same model count once.
/// A member that cannot be fitted is left out; if none can, the first one's reason is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    members: Vec<Model>,
    #[serde(default = "chosen")]
    sharpness: f64,
}

/// How sharply weights follow losses where a few members are to be chosen between: one that loses a tenth more than the
/// best weighs a quarter as much. Losses are out of sample over days, so a tenth is more than luck.
const CHOSEN: f64 = 15.0;

/// Where many members of different kinds are to be averaged: nine tenths as much. The errors of different kinds hang
/// together less, so that also a member that loses more brings the mean nearer (Bates and Granger 1969).
const AVERAGED: f64 = 1.0;

fn chosen() -> f64 {
    CHOSEN
}

impl Combination {
    /// Puts members together; without any, it is the default.
    pub fn new(members: Vec<Model>) -> Self {
        if members.is_empty() {
            Self::default()
        } else {
            Self {
                members,
                sharpness: CHOSEN,
            }
        }
    }

    /// Where a few members are chosen between, the mean is near to one of them whatever it is a mean of.
    fn mean_of(&self, values: &[Option<f64>]) -> LogMean {
        if self.sharpness < CHOSEN {
            LogMean::of(values)
        } else {
            LogMean::default()
        }
    }

    /// More variants of the regression, and models of every other kind beside it, averaged rather than chosen: slower,
    /// more accurate a day and two ahead.
    pub fn accurate() -> Self {
        Self {
            members: vec![
                Model::Ridge(Ridge::accurate()),
                Model::Theta(Theta::new(Season::Day)),
                Model::Theta(Theta::new(Season::Week)),
                Model::LowRank(LowRank),
                Model::Prophet(Prophet::default()),
                Model::MstlArima(Mstl::new(Arima::auto(None))),
            ],
            sharpness: AVERAGED,
        }
    }
}

impl Default for Combination {
    /// The regression, and Theta, which adapts faster at short leads.
    fn default() -> Self {
        Self {
            members: vec![
                Model::Ridge(Ridge::default()),
                Model::Theta(Theta::new(Season::Day)),
            ],
            sharpness: CHOSEN,
        }
    }
}

/// A fitted [`Combination`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedCombination {
    members: Vec<FittedModel>,
    trust: Trust,
}

impl Fit for Combination {
    type Fitted = FittedCombination;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let mut members: Vec<(&Model, FittedModel)> = Vec::new();
        let mut refused = None;
        for member in &self.members {
            match member.fit(history) {
                Ok(fitted)
                    if members
                        .iter()
                        .all(|(_, other)| other.model() != fitted.model()) =>
                {
                    members.push((member, fitted));
                }
                Ok(_) => (),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        if members.is_empty() {
            return Err(refused.unwrap_or(FitError::NoObservation));
        }
        let steps = history.values().len();
        let day = history.seasons().steps(Season::Day).unwrap_or(24);
        let mean = self.mean_of(history.values());
        let mut trust = Trust::new(day, members.len(), self.sharpness, steps, mean);
        let judged = (JUDGED_DAYS * day).min(steps / JUDGED_SHARE);
        if judged > 0 {
            let before = history.until(steps - judged);
            let earlier: Result<Vec<FittedModel>, FitError> = members
                .iter()
                .map(|(member, _)| member.fit(&before))
                .collect();
            // Members that cannot be fitted to less are trusted alike until they have been seen to forecast.
            if let Ok(mut earlier) = earlier {
                for &value in &history.values()[steps - judged..] {
                    trust.judge(&earlier, value);
                    earlier.iter_mut().for_each(|member| member.update(value));
                }
            }
        }
        trust.slow_down();
        Ok(FittedCombination {
            members: members.into_iter().map(|(_, fitted)| fitted).collect(),
            trust,
        })
    }
}

impl FittedCombination {
    /// Each member's model and its weight for a lead in steps from 0.
    pub fn weights(&self, lead: usize) -> impl Iterator<Item = (ModelName, f64)> {
        let weights = self.trust.weights(lead + 1);
        self.members.iter().map(Predict::model).zip(weights)
    }

    /// The trackers whose long-run share of misses is guaranteed whatever demand does, of the intervals of 80 and of
    /// 95 % at the far end of the band of leads (an hour, six, a day, two days) that a lead from 0 falls into. They count
    /// the outcomes after the fit.
    pub fn guaranteed(&self, lead: usize) -> [&LevelTracker; 2] {
        let calibration = self.trust.calibration();
        calibration.shadows(calibration.bands().of(lead + 1))
    }

    /// The weights of each lead of a horizon, one row per lead.
    fn all_weights(&self, horizon: usize) -> Vec<Vec<f64>> {
        (1..=horizon).map(|lead| self.trust.weights(lead)).collect()
    }

    /// Calls `add` with each member that weighs anything within the horizon, and its place.
    fn each(&self, weights: &[Vec<f64>], mut add: impl FnMut(usize, &FittedModel)) {
        for (place, member) in self.members.iter().enumerate() {
            if weights.iter().any(|weights| weights[place] > 0.0) {
                add(place, member);
            }
        }
    }

    /// The averages of the members' quantiles at [`LEVELS`], evened out.
    fn uncalibrated(&self, horizon: usize) -> QuantileForecast {
        let mut values = vec![0.0; horizon * LEVELS.len()];
        let weights = self.all_weights(horizon);
        let mean = self.trust.mean();
        self.each(&weights, |place, member| {
            let forecast = member.quantiles(horizon, &LEVELS);
            for (lead, values) in values.chunks_mut(LEVELS.len()).enumerate() {
                for (value, quantile) in values.iter_mut().zip(forecast.step(lead)) {
                    *value += weights[lead][place] * mean.term(*quantile);
                }
            }
        });
        for (lead, values) in values.chunks_mut(LEVELS.len()).enumerate() {
            self.trust.combine(values, lead + 1);
        }
        QuantileForecast::new(&LEVELS, values)
    }

    /// The member that weighs most over these leads.
    fn heaviest(&self, weights: &[Vec<f64>]) -> usize {
        let weight = |place: usize| weights.iter().map(|weights| weights[place]).sum::<f64>();
        (0..self.members.len())
            .reduce(|best, next| {
                if weight(next) > weight(best) {
                    next
                } else {
                    best
                }
            })
            .unwrap_or(0)
    }
}

impl Predict for FittedCombination {
    fn model(&self) -> ModelName {
        match self.members.as_slice() {
            [only] => only.model(),
            _ => ModelName::Combination,
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let mut steps = vec![0.0; horizon];
        let weights = self.all_weights(horizon);
        self.each(&weights, |place, member| {
            let forecast = member.predict(horizon).steps;
            for (lead, step) in steps.iter_mut().enumerate() {
                *step += weights[lead][place] * forecast[lead];
            }
        });
        PointForecast { steps }
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let raw = self.uncalibrated(horizon);
        let known = LEVELS.map(normal_quantile);
        let wanted: Vec<f64> = levels.iter().map(|&level| normal_quantile(level)).collect();
        let exchanges: Vec<Vec<f64>> = self
            .trust
            .calibration()
            .exchanges()
            .iter()
            .map(|exchange| wanted.iter().map(|&score| exchange.at(score)).collect())
            .collect();
        let bands = self.trust.calibration().bands();
        let mut values = Vec::with_capacity(horizon * levels.len());
        for lead in 1..=horizon {
            let at = bands.between(lead);
            let (below, above) = (&exchanges[at.below], &exchanges[at.above]);
            let quantiles = raw.step(lead - 1);
            for (below, above) in below.iter().zip(above) {
                let score = below + at.share * (above - below);
                values.push(at_score(quantiles, &known, score));
            }
        }
        QuantileForecast::new(levels, values)
    }

    /// Read from paths, and corrected by how the highest of past windows of about that length lay among what was
    /// forecast for them.
    fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
        let horizon = windows.iter().map(|window| window.end).max().unwrap_or(0);
        let paths = self.paths(horizon, QUANTILE_PATHS, 0);
        let raw = self.uncalibrated(horizon);
        let known = LEVELS.map(normal_quantile);
        let of = |window: &Range<usize>| {
            let highest: [f64; LEVELS.len()] = std::array::from_fn(|place| {
                let each = window.clone().map(|step| raw.step(step)[place]);
                each.fold(0.0, f64::max)
            });
            let drawn = paths.maximum_over(window.clone());
            let drawn: Vec<f64> = drawn
                .values()
                .iter()
                .map(|&value| score_of(value, &highest, &known))
                .collect();
            let scores = self
                .trust
                .calibration()
                .highest(window.len(), &drawn, levels);
            let value = |score| at_score(&highest, &known, score).max(0.0);
            scores.into_iter().map(value).collect()
        };
        windows.iter().map(of).collect()
    }

    /// Paths of the heaviest member, each value moved from its own quantile to the same quantile of
    /// all: its dependence between steps, everyone's marginals (empirical copula coupling; Schefzik,
    /// Thorarinsdottir and Gneiting 2013).
    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let weights = self.all_weights(horizon);
        let template = &self.members[self.heaviest(&weights)];
        let mut paths = template.paths(horizon, count, seed);
        if horizon == 0 {
            return paths;
        }
        let own = template.quantiles(horizon, &LEVELS);
        let all = self.quantiles(horizon, &LEVELS);
        for path in paths.values_mut().chunks_mut(horizon) {
            for (lead, value) in path.iter_mut().enumerate() {
                *value = moved(*value, own.step(lead), all.step(lead));
            }
        }
        paths
    }
}

/// The value at a normal score of quantiles at known scores, by straight lines that go on beyond the ends.
fn at_score(quantiles: &[f64], known: &[f64], score: f64) -> f64 {
    let above = known
        .partition_point(|&other| other < score)
        .clamp(1, known.len() - 1);
    let share = (score - known[above - 1]) / (known[above] - known[above - 1]);
    quantiles[above - 1] + share * (quantiles[above] - quantiles[above - 1])
}

/// The value that lies in `to` where `value` lies in `from`.
fn moved(value: f64, from: &[f64], to: &[f64]) -> f64 {
    let last = from.len() - 1;
    if value <= from[0] {
        return (to[0] + value - from[0]).max(0.0);
    }
    if value >= from[last] {
        return to[last] + value - from[last];
    }
    let above = from.partition_point(|&quantile| quantile < value);
    let width = from[above] - from[above - 1];
    let share = if width > 0.0 {
        (value - from[above - 1]) / width
    } else {
        1.0
    };
    to[above - 1] + share * (to[above] - to[above - 1])
}

impl Update for FittedCombination {
    /// Members are updated, and judged by what they forecast; their weights move on.
    fn update(&mut self, value: Option<f64>) {
        self.trust.judge(&self.members, value);
        self.members
            .iter_mut()
            .for_each(|member| member.update(value));
    }
}

impl Explain for FittedCombination {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let mut all = vec![Parts::default(); horizon];
        let weights = self.all_weights(horizon);
        self.each(&weights, |place, member| {
            for (lead, parts) in member.explain(horizon).iter().enumerate() {
                all[lead].add(weights[lead][place], parts);
            }
        });
        all
    }
}

#[cfg(test)]
mod tests;
