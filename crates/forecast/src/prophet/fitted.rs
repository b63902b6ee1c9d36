//! A Prophet that has learned.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::effects::Effect;
use super::settings::SeasonMode;
use super::trend::Trend;
use crate::normal::normal_quantile;
use crate::rng::Rng;
use crate::{
    Explain, ModelName, Parts, PointForecast, Predict, QuantileForecast, SamplePaths, Season,
    Update,
};

/// A fitted [`super::Prophet`].
///
/// It has no state but the clock: [`Update::update`] moves on a step and learns nothing from the
/// value. What was seen since the fit counts only after another fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedProphet(Kind);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Prophet(Box<State>),
    /// Too little was seen: the last value.
    Naive(f64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) clock: Clock,
    /// Steps from the first observation to the last: one unit of the trend's time.
    pub(super) span: f64,
    /// The step that is forecast next, counted from the first of the history.
    pub(super) next: usize,
    /// The largest observation over the floor.
    pub(super) scale: f64,
    pub(super) floor: f64,
    pub(super) trend: Trend,
    pub(super) effects: Vec<Effect>,
    /// The standard deviation of the noise, in shares of the scale.
    pub(super) noise: f64,
}

/// Draws of the future that quantiles are read from; as the noise is spread evenly over them, more
/// change little.
const DRAWS: usize = 400;

/// A step to come.
struct Ahead {
    time: f64,
    /// What multiplies the trend.
    factor: f64,
    /// What is added to it.
    added: f64,
}

impl FittedProphet {
    pub(super) fn new(state: State) -> Self {
        Self(Kind::Prophet(Box::new(state)))
    }

    pub(super) fn naive(value: f64) -> Self {
        Self(Kind::Naive(value))
    }
}

impl State {
    fn time(&self, step: usize) -> f64 {
        step as f64 / self.span
    }

    fn ahead(&self, horizon: usize) -> Vec<Ahead> {
        let moments = self.clock.moments(self.next..self.next + horizon);
        let ahead = moments.map(|moment| {
            let (mut factor, mut added) = (1.0, 0.0);
            for effect in &self.effects {
                match effect.mode {
                    SeasonMode::Multiplied => factor += effect.at(&moment),
                    SeasonMode::Added => added += effect.at(&moment),
                }
            }
            Ahead {
                time: self.time(moment.step),
                factor,
                added,
            }
        });
        ahead.collect()
    }

    /// The demand of a step if the trend has bent by this.
    fn demand(&self, ahead: &Ahead, bend: f64) -> f64 {
        let trend = self.trend.at(ahead.time, bend);
        self.floor + self.scale * (trend * ahead.factor + ahead.added)
    }
}

impl Predict for FittedProphet {
    fn model(&self) -> ModelName {
        match self.0 {
            Kind::Prophet(_) => ModelName::Prophet,
            Kind::Naive(_) => ModelName::Naive,
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        let steps = match &self.0 {
            Kind::Naive(value) => vec![*value; horizon],
            Kind::Prophet(state) => state
                .ahead(horizon)
                .iter()
                .map(|ahead| state.demand(ahead, 0.0).max(0.0))
                .collect(),
        };
        PointForecast { steps }
    }

    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let state = match &self.0 {
            Kind::Naive(value) => {
                return SamplePaths::draw(horizon, count, seed, |_, path| path.fill(*value));
            }
            Kind::Prophet(state) => state,
        };
        let ahead = state.ahead(horizon);
        let times: Vec<f64> = ahead.iter().map(|ahead| ahead.time).collect();
        let noise = state.scale * state.noise;
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            state.trend.draw_bends(rng, &times, path);
            for (value, ahead) in path.iter_mut().zip(&ahead) {
                *value = state.demand(ahead, *value) + noise * normal(rng);
            }
        })
    }

    /// As of many paths, but with the noise of each step spread evenly over them: less chance in the
    /// quantiles for the same work.
    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let state = match &self.0 {
            Kind::Naive(value) => {
                return QuantileForecast::new(levels, vec![*value; horizon * levels.len()]);
            }
            Kind::Prophet(state) => state,
        };
        let ahead = state.ahead(horizon);
        let times: Vec<f64> = ahead.iter().map(|ahead| ahead.time).collect();
        let mut bends = vec![0.0; DRAWS * horizon];
        for (draw, bends) in bends.chunks_mut(horizon.max(1)).enumerate() {
            state
                .trend
                .draw_bends(&mut Rng::new(0, draw as u64), &times, bends);
        }
        let mut strata: Vec<f64> = (0..DRAWS)
            .map(|stratum| {
                let level = (stratum as f64 + 0.5) / DRAWS as f64;
                state.scale * state.noise * normal_quantile(level)
            })
            .collect();
        let mut rng = Rng::new(0, DRAWS as u64);
        let mut values = Vec::with_capacity(horizon * levels.len());
        for (step, ahead) in ahead.iter().enumerate() {
            for place in (1..DRAWS).rev() {
                strata.swap(place, rng.below(place + 1));
            }
            let mut sample: Vec<f64> = strata
                .iter()
                .zip(bends[step..].iter().step_by(horizon))
                .map(|(noise, &bend)| state.demand(ahead, bend) + noise)
                .collect();
            sample.sort_unstable_by(f64::total_cmp);
            values.extend(levels.iter().map(|&level| middle_quantile(&sample, level)));
        }
        QuantileForecast::new(levels, values)
    }
}

/// A standard normal draw.
fn normal(rng: &mut Rng) -> f64 {
    // Never 0, where the quantile is not finite.
    normal_quantile(rng.uniform() + f64::EPSILON / 4.0)
}

/// The quantile of a sorted sample whose values stand for the middles of equal strata (type 5 of Hyndman and
/// Fan 1996).
fn middle_quantile(sorted: &[f64], level: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = (level * sorted.len() as f64 - 0.5).clamp(0.0, last as f64);
    let below = (place as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

impl Update for FittedProphet {
    fn update(&mut self, value: Option<f64>) {
        match &mut self.0 {
            Kind::Naive(last) => *last = value.unwrap_or(*last),
            Kind::Prophet(state) => {
                state.next += 1;
                let next = state.next;
                for effect in &mut state.effects {
                    effect.forget_before(next);
                }
            }
        }
    }
}

impl Explain for FittedProphet {
    /// The level is the trend at the end of the history; events are holidays and regressors. A season of another
    /// length counts as the shortest of day, week and year that holds it.
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let state = match &self.0 {
            Kind::Naive(value) => {
                let parts = Parts {
                    level: *value,
                    ..Parts::default()
                };
                return vec![parts; horizon];
            }
            Kind::Prophet(state) => state,
        };
        let usual = |step| state.floor + state.scale * state.trend.at(state.time(step), 0.0);
        let level = usual(state.next - 1);
        let moments = state.clock.moments(state.next..state.next + horizon);
        let parts = moments.map(|moment| {
            let trend = usual(moment.step);
            let mut parts = Parts {
                level,
                trend: trend - level,
                ..Parts::default()
            };
            for effect in &state.effects {
                let amount = effect.at(&moment)
                    * match effect.mode {
                        SeasonMode::Added => state.scale,
                        SeasonMode::Multiplied => trend - state.floor,
                    };
                *match effect.season() {
                    Some(Season::Day) => &mut parts.season_day,
                    Some(Season::Week) => &mut parts.season_week,
                    Some(Season::Year) => &mut parts.season_year,
                    None => &mut parts.events,
                } += amount;
            }
            parts.not_negative()
        });
        parts.collect()
    }
}
