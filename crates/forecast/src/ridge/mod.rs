//! Direct regression on seasonal profiles.
//!
//! For each of some leads, one robust Bayesian regression foretells a step from what was there at the same time
//! yesterday, on the last seven days, last week and in the last four weeks, relative to the last
//! week's mean, and from how far the last steps were off those same profiles: over one step, an
//! hour, three, six, a day. Weights start from equal trust in the profiles and move as data say. That
//! one regression learns what exponential smoothing, seasonal naive and Theta assume: how
//! fast deviations fade, how much a week is like the last one. Errors come from stretches of time that the weights had
//! not seen, by time of day, so quantiles are honest on the first day; each new step then moves
//! them (see `spread.rs`). The same is done on several scales, from logarithm to none, and the quantiles
//! averaged (Vincent 1912) by weights that follow their recent loss.
//!
//! The idea of direct, horizon-wise regression is old (Chevillon 2007 reviews it); that a day's and a week's lags with
//! shrinkage beat elaborate models on load is known from electricity prices (Lago, Marcjasz, De
//! Schutter and Weron 2021).

mod member;
mod regression;
mod rows;
mod scale;
mod spread;
#[cfg(test)]
mod tests;
mod track;

use serde::{Deserialize, Serialize};

use self::member::Member;
pub use self::member::Variant;
pub use self::scale::Scaling;
use self::spread::{Grid, LEVELS, MEDIAN, at_level, score, scores};
use self::track::Cycle;
use crate::rng::Rng;
use crate::{
    Explain, Fit, FitError, FittedSeasonalNaive, History, ModelName, Parts, PointForecast, Predict,
    QuantileForecast, SamplePaths, Season, SeasonalNaive, Update,
};

/// How sharply weights follow losses. The variants see the same and err alike, and their losses are means over weeks, so a
/// twentieth more is telling: it makes a twentieth of the weight.
const ETA: f64 = 60.0;

/// Newest steps used: eight weeks of a day with a week, else as many days, and no more than this.
const DAYS_MAX: usize = 56;
const STEPS_MAX: usize = 100_000;
const PLAIN_STEPS_MAX: usize = 2_000;

/// Steps that a fit needs where there is no season.
const PLAIN_STEPS_MIN: usize = 16;

/// Courses of past errors that paths take their order from, and steps in all of them together.
const COURSES_MAX: usize = 100;
const COURSE_STEPS_MAX: usize = 200_000;

/// Robust regression on seasonal profiles, on several scales.
///
/// Uses at most the newest eight weeks (and 100,000 steps). With less than two weeks the week is left out, with less than two
/// days (or no season) only the last steps are looked at, and under sixteen the last value takes its
/// place. Missing steps are bridged by what was usual, and are no target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    variants: Vec<Variant>,
}

impl Default for Ridge {
    /// From a logarithm in which an empty hour is ten times less than the median, to none at all, with
    /// and without weeks.
    fn default() -> Self {
        Self::new(grid(&[28.0]))
    }
}

impl Ridge {
    /// Of these variants; without any, it is the default.
    pub fn new(variants: Vec<Variant>) -> Self {
        if variants.is_empty() {
            Self::default()
        } else {
            Self { variants }
        }
    }

    /// With longer and shorter memories beside the default one: a little more accurate, three times as slow.
    pub fn accurate() -> Self {
        Self::new(grid(&[28.0, 10.0, 80.0]))
    }
}

/// Each scale with each memory, with weeks and without.
fn grid(half_lives_days: &[f64]) -> Vec<Variant> {
    let mut variants = Vec::new();
    for &half_life_days in half_lives_days {
        for scaling in [Scaling::Log(0.1), Scaling::Log(1.0), Scaling::Linear] {
            for weeks in [true, false] {
                variants.push(Variant {
                    scaling,
                    half_life_days,
                    weeks,
                });
            }
        }
    }
    variants
}

/// A fitted [`Ridge`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedRidge(Kind);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Regression(Box<State>),
    Simple(FittedSeasonalNaive),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    members: Vec<Member>,
    /// Newest steps that are kept.
    keep: usize,
}

impl Fit for Ridge {
    type Fitted = FittedRidge;

    fn fit(&self, history: &History<'_>) -> Result<Self::Fitted, FitError> {
        let cycle = cycle(history);
        let keep = match cycle.day {
            0 => PLAIN_STEPS_MAX,
            day => (DAYS_MAX * day)
                .min(STEPS_MAX)
                .max(2 * cycle.week)
                .max(2 * day),
        };
        let values = history.values();
        let values = &values[values.len().saturating_sub(keep)..];
        let seen = values.iter().flatten().count();
        let members: Option<Vec<Member>> = if seen < PLAIN_STEPS_MIN {
            None
        } else {
            let distinct = |variant: &&Variant| cycle.week > 0 || variant.weeks;
            self.variants
                .iter()
                .filter(distinct)
                .map(|&variant| Member::fit(values, cycle, variant))
                .collect::<Option<Vec<_>>>()
                .filter(|members| !members.is_empty())
        };
        Ok(FittedRidge(match members {
            Some(members) => Kind::Regression(Box::new(State { members, keep })),
            None => Kind::Simple(SeasonalNaive::new(Season::Week).fit(history)?),
        }))
    }
}

/// The seasons that the history holds twice.
fn cycle(history: &History<'_>) -> Cycle {
    let week = history.seen_twice(Season::Week);
    match (history.seen_twice(Season::Day), week) {
        (Some(day), week) => Cycle {
            day,
            week: week.unwrap_or(0),
        },
        (None, Some(week)) => Cycle { day: week, week: 0 },
        (None, None) => Cycle::default(),
    }
}

impl State {
    /// The weight of each scale at a lead from 1.
    fn weights(&self, lead: usize) -> Vec<f64> {
        let losses: Vec<f64> = self
            .members
            .iter()
            .map(|member| member.recent_loss(lead))
            .collect();
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let raw: Vec<f64> = losses
            .iter()
            .map(|&loss| {
                if loss <= least {
                    1.0
                } else if least > 0.0 {
                    libm::exp(-ETA * (loss / least - 1.0))
                } else {
                    0.0
                }
            })
            .collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|weight| weight / sum).collect()
    }

    fn grid(&self, lead: usize, features: &mut Vec<f64>) -> Grid {
        let mut mixed = [0.0; LEVELS.len()];
        for (member, weight) in self.members.iter().zip(self.weights(lead)) {
            let own = member.grid(lead, features);
            mixed
                .iter_mut()
                .zip(own)
                .for_each(|(mixed, own)| *mixed += weight * own);
        }
        mixed
    }

    fn grids(&self, horizon: usize) -> Vec<Grid> {
        let mut features = Vec::new();
        (1..=horizon)
            .map(|lead| self.grid(lead, &mut features))
            .collect()
    }

    /// For each step, the normal score of each of some past courses of errors among all of them there;
    /// course after course.
    fn past_ranks(&self, horizon: usize) -> (usize, Vec<f64>) {
        let count = (COURSE_STEPS_MAX / horizon.max(1)).clamp(10, COURSES_MAX);
        let (length, errors) = self.members[0].past_errors(horizon, count);
        let count = errors.len().checked_div(length).unwrap_or(0);
        let mut ranks = vec![0.0; errors.len()];
        let mut order: Vec<usize> = Vec::with_capacity(count);
        for step in 0..length {
            order.clear();
            order.extend(0..count);
            order.sort_unstable_by(|&a, &b| {
                errors[a * length + step]
                    .total_cmp(&errors[b * length + step])
                    .then(a.cmp(&b))
            });
            for (rank, &course) in order.iter().enumerate() {
                ranks[course * length + step] = rank as f64;
            }
        }
        (length, ranks)
    }
}

impl Predict for FittedRidge {
    fn model(&self) -> ModelName {
        match &self.0 {
            Kind::Regression(_) => ModelName::Ridge,
            Kind::Simple(naive) => naive.model(),
        }
    }

    fn predict(&self, horizon: usize) -> PointForecast {
        match &self.0 {
            Kind::Regression(state) => PointForecast {
                steps: state
                    .grids(horizon)
                    .iter()
                    .map(|grid| grid[MEDIAN])
                    .collect(),
            },
            Kind::Simple(naive) => naive.predict(horizon),
        }
    }

    /// Paths have the quantiles of [`Self::quantiles`] at each step, and go up and down together as
    /// past courses of errors did (the "Schaake shuffle": Clark, Gangopadhyay, Hay, Rajagopalan and Wilby 2004).
    fn paths(&self, horizon: usize, count: usize, seed: u64) -> SamplePaths {
        let state = match &self.0 {
            Kind::Regression(state) => state,
            Kind::Simple(naive) => return naive.paths(horizon, count, seed),
        };
        let (grids, scores) = (state.grids(horizon), scores());
        let (length, ranks) = state.past_ranks(horizon);
        let courses = ranks.len().checked_div(length).unwrap_or(0);
        SamplePaths::draw(horizon, count, seed, |rng, path| {
            if courses == 0 {
                path.iter_mut()
                    .zip(&grids)
                    .for_each(|(value, grid)| *value = grid[MEDIAN]);
                return;
            }
            let mut course = rng.below(courses);
            let mut within = uniform(rng);
            for (step, value) in path.iter_mut().enumerate() {
                if step > 0 && step % length == 0 {
                    course = rng.below(courses);
                    within = uniform(rng);
                }
                let level = (ranks[course * length + step % length] + within) / courses as f64;
                *value = at_level(&grids[step], &scores, score(level));
            }
        })
    }

    fn quantiles(&self, horizon: usize, levels: &[f64]) -> QuantileForecast {
        let state = match &self.0 {
            Kind::Regression(state) => state,
            Kind::Simple(naive) => return naive.quantiles(horizon, levels),
        };
        let known = scores();
        let wanted: Vec<f64> = levels.iter().map(|&level| score(level)).collect();
        let values = state
            .grids(horizon)
            .iter()
            .flat_map(|grid| {
                wanted
                    .iter()
                    .map(|&score| at_level(grid, &known, score))
                    .collect::<Vec<_>>()
            })
            .collect();
        QuantileForecast::new(levels, values)
    }
}

/// A number over 0 and under 1.
fn uniform(rng: &mut Rng) -> f64 {
    (rng.below(1 << 24) as f64 + 0.5) / f64::from(1 << 24)
}

impl Update for FittedRidge {
    /// The weights stay; profiles, deviations, the quantiles of errors and the trust in each scale move on.
    fn update(&mut self, value: Option<f64>) {
        match &mut self.0 {
            Kind::Regression(state) => {
                let keep = state.keep;
                state
                    .members
                    .iter_mut()
                    .for_each(|member| member.update(value, keep));
            }
            Kind::Simple(naive) => naive.update(value),
        }
    }
}

impl Explain for FittedRidge {
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let state = match &self.0 {
            Kind::Regression(state) => state,
            Kind::Simple(naive) => return naive.explain(horizon),
        };
        (1..=horizon)
            .map(|lead| {
                let mut all = Parts::default();
                for (member, weight) in state.members.iter().zip(state.weights(lead)) {
                    let [level, season_day, season_week, remainder] = member.parts(lead);
                    let parts = Parts {
                        level,
                        season_day,
                        season_week,
                        remainder,
                        ..Parts::default()
                    };
                    all.add(weight, &parts);
                }
                all
            })
            .collect()
    }
}
