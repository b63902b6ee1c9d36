//! Any model with known events: divided out of what it sees, multiplied into what it says.
//!
//! A history is whole when a model is fitted to it, so what an event did is judged in hindsight: by the
//! same time of the weeks before and after, at the level around it (`usual`). Each occurrence teaches the
//! [`crate::event_book`], which says what the look-alikes ahead will do and how sure that is.

mod effects;
mod holidays;
mod lift;
#[cfg(test)]
mod tests;
mod usual;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use self::effects::{EventEffects, KnownEvent};
pub use self::holidays::holiday_events;
use self::lift::lifted_paths;
use crate::event_book::Uplift;
use crate::traits::{QUANTILE_PATHS, highest_of};
use crate::{
    Explain, Fit, FitError, History, ModelName, Parts, PointForecast, Predict, QuantileForecast,
    SamplePaths, Update,
};

/// A model that knows events. Without any it is the model itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WithEvents<M> {
    /// The model.
    pub model: M,
    /// The events, past and to come.
    pub events: Vec<KnownEvent>,
}

/// A fitted [`WithEvents`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedWithEvents<F> {
    /// Flat, so that without events it is stored as the model itself is.
    #[serde(flatten)]
    model: F,
    /// `None`: there are no events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effects: Option<EventEffects>,
}

impl<M: Fit> Fit for WithEvents<M> {
    type Fitted = FittedWithEvents<M::Fitted>;

    /// Needs dates if there are events.
    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let Some(dates) = history.dates().filter(|_| !self.events.is_empty()) else {
            return Ok(FittedWithEvents {
                model: self.model.fit(history)?,
                effects: None,
            });
        };
        let (effects, clean) = EventEffects::learn(history.values(), &dates, &self.events);
        // A history that starts with an incident starts later: its steps stay where they are.
        let from = clean.iter().position(Option::is_some).unwrap_or(0);
        let later = dates.from(from);
        let dropped = history.dropped() + from;
        let regressors: Vec<crate::Regressor> = history
            .regressors()
            .iter()
            .map(|regressor| crate::Regressor {
                name: regressor.name.clone(),
                values: regressor.values.get(dropped..).unwrap_or_default().to_vec(),
            })
            .collect();
        let usual = History::new(&clean[from..], history.seasons())
            .map_err(|_| FitError::NoObservation)?
            .with_dates(&later)
            .with_regressors(&regressors);
        Ok(FittedWithEvents {
            model: self.model.fit(&usual)?,
            effects: Some(effects),
        })
    }
}

impl<F> FittedWithEvents<F> {
    /// The model of demand without events.
    pub fn model_without_events(&self) -> &F {
        &self.model
    }

    /// What events do, if there are any.
    pub fn effects(&self) -> Option<&EventEffects> {
        self.effects.as_ref()
    }

    /// Other events from now on. `false`: the model was fitted without any, and knows nothing of them.
    pub fn expect(&mut self, events: Vec<KnownEvent>) -> bool {
        let known = self.effects.as_mut();
        known.map(|effects| effects.expect(events)).is_some()
    }
}

impl<F: Predict> Predict for FittedWithEvents<F> {
    fn model(&self) -> ModelName {
        self.model.model()
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let mut point = self.model.predict(horizon);
        if let Some(effects) = &self.effects {
            for (value, uplift) in point.steps.iter_mut().zip(effects.uplifts(horizon)) {
                *value *= uplift.factor;
            }
        }
        point
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let paths = self.model.paths(horizon, count, seed);
        match &self.effects {
            Some(effects) => lifted_paths(&paths, &effects.uplifts(horizon), seed),
            None => paths,
        }
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let Some(effects) = &self.effects else {
            return self.model.quantiles(horizon, levels);
        };
        let uplifts = effects.uplifts(horizon);
        if uplifts.iter().all(|uplift| *uplift == Uplift::NONE) {
            return self.model.quantiles(horizon, levels);
        }
        // The median is asked for beside the levels: doubt about an event widens both sides of it.
        let mut asked: Vec<f64> = levels.to_vec();
        asked.push(0.5);
        asked.sort_by(f64::total_cmp);
        let middle = asked.iter().position(|level| *level == 0.5).unwrap_or(0);
        let usual = self.model.quantiles(horizon, &asked);
        let mut values = Vec::with_capacity(horizon * levels.len());
        for (step, uplift) in uplifts.iter().enumerate() {
            let of_step = usual.step(step);
            let median = of_step[middle];
            let own = of_step.iter().enumerate();
            values.extend(
                own.filter(|(place, _)| *place != middle)
                    .zip(levels)
                    .map(|((_, value), level)| uplift.lift(*level, *value, median)),
            );
        }
        QuantileForecast::new(levels, values)
    }

    /// Where an event is on, as paths have it.
    fn highest(&self, windows: &[Range<usize>], levels: &[f64]) -> Vec<Vec<f64>> {
        let horizon = windows.iter().map(|window| window.end).max().unwrap_or(0);
        let uplifts = match &self.effects {
            Some(effects) => effects.uplifts(horizon),
            None => Vec::new(),
        };
        let calm = |window: &Range<usize>| {
            let own = uplifts.get(window.clone()).unwrap_or_default();
            own.iter().all(|uplift| *uplift == Uplift::NONE)
        };
        let mut all = self.model.highest(windows, levels);
        if windows.iter().all(calm) {
            return all;
        }
        let lifted = highest_of(&self.paths(horizon, QUANTILE_PATHS, 0), windows, levels);
        for ((own, lifted), window) in all.iter_mut().zip(lifted).zip(windows) {
            if !calm(window) {
                *own = lifted;
            }
        }
        all
    }
}

impl<F: Update> Update for FittedWithEvents<F> {
    fn update(&mut self, value: Option<f64>) {
        let usual = match &mut self.effects {
            Some(effects) => effects.take(value),
            None => value,
        };
        self.model.update(usual);
    }
}

impl<F: Explain> Explain for FittedWithEvents<F> {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let mut all = self.model.explain(horizon);
        if let Some(effects) = &self.effects {
            for (parts, uplift) in all.iter_mut().zip(effects.uplifts(horizon)) {
                parts.events += parts.total() * (uplift.factor - 1.0);
            }
        }
        all
    }
}
