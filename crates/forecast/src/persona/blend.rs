//! A forecast of data and persona together.

use serde::{Deserialize, Serialize};

use super::expectation::Expectation;
use super::windows::CorrectedPersona;
use crate::paths::SamplePaths;
use crate::scores::pinball;
use crate::{
    Fit, FitError, FittedModel, History, Model, ModelName, PointForecast, Predict,
    QuantileForecast, Season,
};

/// Past forecasts that both are judged by, at most; each of a day, or of a third of a shorter history.
const WINDOWS: usize = 4;
/// Levels that they are judged at.
const LEVELS: [f64; 6] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
/// Before they have been judged, data weigh half after so many days at the soonest: with fewer, a model can hardly
/// tell the days from each other.
const DAYS_FOR_HALF: f64 = 4.0;
/// How sharply the weight follows the losses after one day of evidence: a tenth less moves the odds by a third.
const SHARPNESS: f64 = 3.0;
/// The odds are kept within this factor: what looks useless now may be needed after a change.
const ODDS_MAX: f64 = 50.0;

/// A model of the data, and the persona as prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonaBlend {
    /// What forecasts from the data.
    pub model: Model,
    /// What the persona expects; its first step is the first that [`History::new`] was given.
    pub expectation: Expectation,
    /// The first step that is to be forecast, where there is no history at all.
    pub start: usize,
}

/// A fitted [`PersonaBlend`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedPersonaBlend {
    data: Option<FittedModel>,
    persona: CorrectedPersona,
    expectation: Expectation,
    /// The step of the expectation that is forecast first.
    next: usize,
    /// The weight of the data, 0 to 1.
    weight: f64,
}

impl Fit for PersonaBlend {
    type Fitted = FittedPersonaBlend;

    /// Never refuses: without history the persona alone forecasts.
    fn fit(&self, history: &History<'_>) -> Result<FittedPersonaBlend, FitError> {
        let values = history.values();
        let day = history.seasons().steps(Season::Day).unwrap_or(24);
        let step_hours = 24.0 / day as f64;
        let first = history.dropped();
        let mut persona = CorrectedPersona::new(&self.expectation, step_hours);
        let window = if values.len() >= 3 * day {
            day
        } else {
            (values.len() / 3).max(1)
        };
        let origins: Vec<usize> = (1..=WINDOWS)
            .filter_map(|back| values.len().checked_sub(back * window))
            .filter(|&origin| origin >= window.max(4))
            .collect();
        let (mut of_data, mut of_persona, mut judged) = (0.0, 0.0, 0.0);
        for (step, value) in values.iter().enumerate() {
            if origins.contains(&step)
                && let Ok(fitted) = self.model.fit(&history.until(step))
            {
                let quantiles = fitted.quantiles(window, &LEVELS);
                for (ahead, actual) in values[step..(step + window).min(values.len())]
                    .iter()
                    .enumerate()
                {
                    let Some(actual) = *actual else { continue };
                    judged += step_hours / 24.0;
                    for (&level, &quantile) in LEVELS.iter().zip(quantiles.step(ahead)) {
                        let own = persona.quantile(&self.expectation, first + step + ahead, level);
                        of_data += pinball(level, quantile, actual);
                        of_persona += pinball(level, own, actual);
                    }
                }
            }
            persona.observe(&self.expectation, first + step, *value);
        }
        let seen = values.iter().flatten().count() as f64 * step_hours / 24.0;
        let data = self.model.fit(history).ok();
        let weight = if data.is_none() {
            0.0
        } else {
            let before = persona.data_weight(seen).min(seen / (seen + DAYS_FOR_HALF));
            let odds = before / (1.0 - before).max(1e-9);
            let evidence = if of_data > 0.0 && of_persona > 0.0 {
                libm::pow(of_persona / of_data, SHARPNESS * judged.sqrt())
            } else {
                1.0
            };
            let odds = (odds * evidence).clamp(1.0 / ODDS_MAX, ODDS_MAX);
            odds / (1.0 + odds)
        };
        Ok(FittedPersonaBlend {
            data,
            persona,
            expectation: self.expectation.clone(),
            next: if values.is_empty() {
                self.start
            } else {
                first + values.len()
            },
            weight,
        })
    }
}

impl FittedPersonaBlend {
    /// What the data weigh beside the persona, 0 to 1.
    pub fn data_weight(&self) -> f64 {
        self.weight
    }

    /// The persona alone, corrected by what was seen.
    fn persona_at(&self, step: usize, level: f64) -> f64 {
        let value = self
            .persona
            .quantile(&self.expectation, self.next + step, level);
        if value.is_finite() { value } else { 0.0 }
    }
}

impl Predict for FittedPersonaBlend {
    fn model(&self) -> ModelName {
        self.data
            .as_ref()
            .map_or(ModelName::Persona, Predict::model)
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let quantiles = self.quantiles(horizon, &[0.5]);
        PointForecast {
            steps: (0..horizon).map(|step| quantiles.step(step)[0]).collect(),
        }
    }

    /// The data's paths, moved step by step to the quantiles of the blend; without data, paths of the
    /// persona that stay at one level each.
    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let count = count.max(1);
        let levels: Vec<f64> = (0..count)
            .map(|path| (path as f64 + 0.5) / count as f64)
            .collect();
        let blended = self.quantiles(horizon, &levels);
        let mut paths = match &self.data {
            Some(data) => data.paths(horizon, count, seed),
            None => SamplePaths::from_paths(
                &(0..count)
                    .map(|path| vec![path as f64; horizon])
                    .collect::<Vec<_>>(),
            ),
        };
        paths.take_marginals(|step, rank| blended.step(step)[rank]);
        paths
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let data = self
            .data
            .as_ref()
            .filter(|_| self.weight > 0.0)
            .map(|data| data.quantiles(horizon, levels));
        let mut values = Vec::with_capacity(horizon * levels.len());
        for step in 0..horizon {
            for (place, &level) in levels.iter().enumerate() {
                let persona = self.persona_at(step, level);
                values.push(match &data {
                    // Where the persona expects nothing it knows nothing: the data alone speak.
                    Some(data) if self.expectation.at(self.next + step) <= 0.0 => {
                        data.step(step)[place]
                    }
                    Some(data) => {
                        self.weight * data.step(step)[place] + (1.0 - self.weight) * persona
                    }
                    None => persona,
                });
            }
        }
        QuantileForecast::new(levels, values)
    }
}
