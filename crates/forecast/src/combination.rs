//! Several models, weighted by what they recently lost.
//!
//! Each member forecasts the last days of the history from before them; its pinball loss there sets
//! its weight, ∝ exp(−η · (loss ÷ least loss − 1)), separately for leads of up to an hour, a quarter
//! of a day, a day, and more (exponential weights: Vovk 1990, here on relative losses, so that the
//! unit does not matter). Quantiles are averaged, not probabilities (Vincent 1912), which stays sharp
//! where members agree on the spread and differ in place.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::scores::pinball;
use crate::{
    Explain, Fit, FitError, FittedModel, History, LevelSeason, Model, ModelName, Parts,
    PointForecast, Predict, SamplePaths, Season, SeasonalNaive, Theta,
};

/// How sharply weights follow losses: a member that loses a quarter more than the best weighs half
/// as much. Sharper, the luck of a few windows decides: 8 with four windows lost more over
/// the whole horizon on 12 of the 14 open evaluation series.
const ETA: f64 = 3.0;

/// Past forecasts that members are judged by: six days of them.
const WINDOWS: usize = 8;

/// Levels the loss is taken at. Buying lives in the upper tail.
const LEVELS: [f64; 4] = [0.1, 0.5, 0.9, 0.95];

/// Paths drawn for judging.
const PATHS: usize = 40;

/// Bands of leads that have their own weights.
const BANDS: usize = 4;

/// Members that forecast together. Those that short history degrades to the same model count once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    members: Vec<Model>,
}

impl Combination {
    /// Puts members together; without any, it is the default.
    pub fn new(members: Vec<Model>) -> Self {
        if members.is_empty() {
            Self::default()
        } else {
            Self { members }
        }
    }
}

impl Default for Combination {
    /// Both seasonal naives, Theta with either season, and level–season.
    fn default() -> Self {
        Self {
            members: vec![
                Model::SeasonalNaive(SeasonalNaive::new(Season::Day)),
                Model::SeasonalNaive(SeasonalNaive::new(Season::Week)),
                Model::Theta(Theta::new(Season::Day)),
                Model::Theta(Theta::new(Season::Week)),
                Model::LevelSeason(LevelSeason::default()),
            ],
        }
    }
}

/// A fitted [`Combination`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedCombination {
    members: Vec<FittedModel>,
    /// The first lead of each band but the first.
    bounds: [usize; BANDS - 1],
    /// By band and member; each band sums to 1.
    weights: [Vec<f64>; BANDS],
}

impl Fit for Combination {
    type Fitted = FittedCombination;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let mut members: Vec<(&Model, FittedModel)> = Vec::new();
        for member in &self.members {
            let fitted = member.fit(history)?;
            if members
                .iter()
                .all(|(_, other)| other.model() != fitted.model())
            {
                members.push((member, fitted));
            }
        }
        let steps = history.values().len();
        let day = history.seasons().steps(Season::Day).unwrap_or(24);
        let bounds = [(day / 24).max(1), (day / 4).max(2), day.max(3)];
        // Weights that vary by lead need days to learn them from.
        let window = if steps >= 3 * day {
            day
        } else {
            (steps / 4).max(1)
        };
        let mut losses = [const { Vec::new() }; BANDS];
        losses
            .iter_mut()
            .for_each(|losses| losses.resize(members.len(), 0.0));
        for back in 0..WINDOWS {
            // Three quarters of a day apart, so that they start at different times of day.
            let origin = steps
                .checked_sub(window + back * (3 * window).div_ceil(4))
                .filter(|&origin| origin >= 2);
            let Some(origin) = origin else { break };
            if members.len() < 2 {
                break;
            }
            let ahead = &history.values()[origin..steps.min(origin + 2 * window)];
            for (place, (member, _)) in members.iter().enumerate() {
                let paths =
                    member
                        .fit(&history.until(origin))?
                        .paths(ahead.len(), PATHS, origin as u64);
                for (lead, actual) in ahead.iter().enumerate() {
                    if let Some(actual) = *actual {
                        let sample = paths.at(lead);
                        let loss: f64 = LEVELS
                            .iter()
                            .map(|&level| pinball(level, sample.quantile(level), actual))
                            .sum();
                        losses[band(&bounds, lead)][place] += loss;
                    }
                }
            }
        }
        let over_all: Vec<f64> = (0..members.len())
            .map(|place| losses.iter().map(|band| band[place]).sum())
            .collect();
        let weights = losses.map(|losses| {
            let seen = losses.iter().any(|&loss| loss > 0.0);
            weights(if seen { &losses } else { &over_all })
        });
        Ok(FittedCombination {
            members: members.into_iter().map(|(_, fitted)| fitted).collect(),
            bounds,
            weights,
        })
    }
}

/// The band that a lead belongs to.
fn band(bounds: &[usize], lead: usize) -> usize {
    bounds.iter().filter(|&&bound| lead >= bound).count()
}

/// The weights that members earn by their losses.
fn weights(losses: &[f64]) -> Vec<f64> {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |&loss: &f64| {
        if loss <= least {
            1.0
        } else if least > 0.0 {
            libm::exp(-ETA * (loss / least - 1.0))
        } else {
            0.0
        }
    };
    let raw: Vec<f64> = losses.iter().map(weight).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}

impl FittedCombination {
    /// Each member's model and its weight for a lead in steps from 0.
    pub fn weights(&self, lead: usize) -> impl Iterator<Item = (ModelName, f64)> {
        let weights = &self.weights[band(&self.bounds, lead)];
        self.members
            .iter()
            .map(Predict::model)
            .zip(weights.iter().copied())
    }

    /// The leads of each band within a horizon.
    fn bands(&self, horizon: usize) -> impl Iterator<Item = (Range<usize>, &Vec<f64>)> {
        let bound = move |band: usize| match band {
            0 => 0,
            BANDS => horizon,
            _ => self.bounds[band - 1].min(horizon),
        };
        self.weights
            .iter()
            .enumerate()
            .map(move |(band, weights)| (bound(band)..bound(band + 1), weights))
    }

    /// The member that weighs most, over all bands.
    fn heaviest(&self) -> usize {
        let weight = |place: usize| {
            self.weights
                .iter()
                .map(|weights| weights[place])
                .sum::<f64>()
        };
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
        for (place, member) in self.members.iter().enumerate() {
            let forecast = member.predict(horizon).steps;
            for (leads, weights) in self.bands(horizon) {
                for lead in leads {
                    steps[lead] += weights[place] * forecast[lead];
                }
            }
        }
        PointForecast { steps }
    }

    /// Averages the members' quantiles step by step, and hands them to paths in the order in which
    /// the paths of the heaviest member stand there: its dependence between steps (empirical copula
    /// coupling; Schefzik, Thorarinsdottir and Gneiting 2013).
    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let mut members: Vec<SamplePaths> = self
            .members
            .iter()
            .map(|member| member.paths(horizon, count, seed))
            .collect();
        if members.len() == 1 {
            return members.remove(0);
        }
        let mut mixed = members[self.heaviest()].clone();
        let count = mixed.count();
        let mut order: Vec<usize> = Vec::with_capacity(count);
        for (leads, weights) in self.bands(horizon) {
            for lead in leads {
                let place = |path: usize| path * horizon + lead;
                order.clear();
                order.extend(0..count);
                let template = mixed.values_mut();
                order.sort_unstable_by(|&a, &b| {
                    template[place(a)]
                        .total_cmp(&template[place(b)])
                        .then(a.cmp(&b))
                });
                let samples: Vec<_> = members.iter().map(|paths| paths.at(lead)).collect();
                for (rank, &path) in order.iter().enumerate() {
                    template[place(path)] = samples
                        .iter()
                        .zip(weights)
                        .map(|(sample, weight)| weight * sample.values()[rank])
                        .sum();
                }
            }
        }
        mixed
    }
}

impl Explain for FittedCombination {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let mut all = vec![Parts::default(); horizon];
        for (place, member) in self.members.iter().enumerate() {
            let parts = member.explain(horizon);
            for (leads, weights) in self.bands(horizon) {
                for lead in leads {
                    all[lead].add(weights[place], &parts[lead]);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;

    #[test]
    fn weights_follow_losses() {
        let weights = weights(&[1.0, 1.1, 3.0]);
        assert!(
            (weights[1] / weights[0] - 0.741).abs() < 0.001,
            "{weights:?}"
        );
        assert!(
            weights[2] < 0.002 && (weights.iter().sum::<f64>() - 1.0).abs() < 1e-12,
            "{weights:?}"
        );
        assert_eq!(super::weights(&[0.0, 0.0, 1.0]), [0.5, 0.5, 0.0]);
    }

    #[test]
    fn loses_little_to_its_best_member() {
        let all = traffic(6.0, 24, 100.0, 21);
        let history = all.history().until(840);
        let loss = |member: &dyn Fn() -> Vec<f64>| -> f64 {
            let forecast = member();
            forecast
                .iter()
                .zip(all.values[840..].iter().flatten())
                .map(|(f, y)| (f - y).abs())
                .sum()
        };
        let members = Combination::default().members;
        let losses: Vec<f64> = members
            .iter()
            .map(|member| loss(&|| member.fit(&history).unwrap().predict(168).steps))
            .collect();
        let combined = loss(&|| {
            Combination::default()
                .fit(&history)
                .unwrap()
                .predict(168)
                .steps
        });
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(combined < 1.1 * best, "{combined} of {losses:?}");
    }

    #[test]
    fn short_history_leaves_one_model_under_its_own_name() {
        let traffic = traffic(1.0, 24, 100.0, 22);
        for (steps, members) in [(1, 1), (3, 1), (10, 2), (100, 3)] {
            let fitted = Combination::default()
                .fit(&traffic.history().until(steps))
                .unwrap();
            assert_eq!(fitted.weights(0).count(), members, "{steps} steps");
            assert_eq!(fitted.paths(50, 4, 1).count(), 4);
            assert_eq!(fitted.model() == ModelName::Naive, members == 1);
        }
    }

    #[test]
    fn quantiles_are_averages_of_the_members() {
        let traffic = traffic(4.0, 24, 100.0, 23);
        let fitted = Combination::default().fit(&traffic.history()).unwrap();
        let paths = fitted.paths(48, 101, 5);
        for lead in [0, 5, 47] {
            let expected: f64 = fitted
                .members
                .iter()
                .zip(fitted.weights(lead))
                .map(|(member, (_, weight))| {
                    weight * member.paths(48, 101, 5).at(lead).quantile(0.9)
                })
                .sum();
            let quantile = paths.at(lead).quantile(0.9);
            assert!(
                (quantile - expected).abs() < 1e-9 * expected,
                "{lead}: {quantile} is not {expected}"
            );
        }
    }
}
