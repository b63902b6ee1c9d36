//! The regression on one scale: one set of weights for each of some leads, errors for each.

use serde::{Deserialize, Serialize};

use super::regression::{FOLDS, Lesson, fit};
use super::scale::{Scale, Scaling};
use super::spread::{Error, Grid, LEVELS, MEDIAN, SLOTS, Spread, slot};
use super::track::{About, Behind, Cycle, Track};
use crate::scores::pinball;

/// Rows for the regression at one lead. More tell nothing new: they overlap.
const ROWS_MAX: usize = 1500;

/// Rows under which a lead is not fitted.
const ROWS_MIN: usize = 8;

/// Days after which a loss weighs half.
const HALF_LIFE_DAYS: f64 = 28.0;

/// Steps after which a row weighs half where there is no day.
const HALF_LIFE_STEPS: f64 = 500.0;

/// The next lead that is fitted lies this much farther; those between are interpolated.
const LEAD_RATIO: f64 = 1.4;

/// Errors a quarter of a day apart are separate, as far as the lead allows.
const SEPARATE_A_DAY: usize = 4;

/// Leads farthest out where there is no season.
const PLAIN_LEAD_MAX: usize = 64;

/// Where in [`LEVELS`] the loss is taken that scales are weighed by: .1 to .95.
const LOSS_LEVELS: [usize; 7] = [4, 5, 7, 8, 9, 12, 13];

/// What quantiles at [`LOSS_LEVELS`] shift demand by.
type Shifts = [f64; LOSS_LEVELS.len()];

/// One way to set up the regression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The scale it is linear on.
    pub scaling: Scaling,
    /// Days after which a row weighs half.
    pub half_life_days: f64,
    /// Whether it looks a week back. One that does not has more to learn from.
    pub weeks: bool,
}

/// One variant's forecaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    scale: Scale,
    track: Track,
    /// The place in the day of the track's first step.
    phase: usize,
    knots: Vec<Knot>,
}

/// What was learned for one lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Knot {
    /// In steps, the next one being 1.
    lead: usize,
    coefficients: Vec<f64>,
    spread: Spread,
    /// The mean pinball loss lately, in the unit of the demand.
    loss: f64,
}

/// A lead that is fitted, and those before and after it that are not of its neighbourhood any more.
struct Near {
    from: usize,
    lead: usize,
    to: usize,
}

/// A lead near the one that is learned.
#[derive(Clone, Copy)]
struct Ahead {
    steps: usize,
    /// How much a row of it weighs.
    weight: f64,
    behind: Behind,
}

/// What all leads are learned from.
struct Past<'a> {
    values: &'a [Option<f64>],
    /// The seasons that it holds, whether or not this variant uses them.
    seasons: Cycle,
    /// What a row weighs by its age in steps.
    by_age: Vec<f64>,
    /// Step after step from the first one that has features, those that are the same whatever the lead.
    present: Vec<f64>,
    /// The time of day, and the stretch of time, of each step.
    slots: Vec<usize>,
    folds: Vec<usize>,
}

/// A lead between knots.
#[derive(Clone, Copy)]
struct Between {
    below: usize,
    above: usize,
    share: f64,
    /// By how much errors grow beyond the last knot.
    growth: f64,
}

impl Member {
    /// `None` if there are too few rows for even one lead.
    pub(super) fn fit(values: &[Option<f64>], seasons: Cycle, variant: Variant) -> Option<Self> {
        let scale = Scale::learn(variant.scaling, values);
        let cycle = Cycle {
            day: seasons.day,
            week: if variant.weeks { seasons.week } else { 0 },
        };
        let mut track = Track::new(cycle);
        for value in values {
            match *value {
                Some(value) => track.push(scale.forth(value)),
                None => track.push_missing(),
            }
        }
        let mut member = Self {
            scale,
            track,
            phase: 0,
            knots: Vec::new(),
        };
        let leads = leads(seasons, values.len());
        let half_life = variant.half_life_days * steps_a_day(cycle);
        let past = Past {
            values,
            seasons,
            by_age: (0..values.len())
                .map(|age| libm::exp2(-(age as f64) / half_life))
                .collect(),
            present: present_features(&member.track),
            slots: (0..values.len()).map(|step| member.slot(step)).collect(),
            folds: (0..values.len())
                .map(|step| step * FOLDS / values.len())
                .collect(),
        };
        let mut lesson = Lesson::new(member.track.features().len());
        for (place, &lead) in leads.iter().enumerate() {
            let from = place
                .checked_sub(1)
                .map_or(lead - 1, |before| leads[before]);
            let to = leads.get(place + 1).copied().unwrap_or(lead + 1);
            match member.fit_knot(&past, &Near { from, lead, to }, &mut lesson) {
                Some(knot) => member.knots.push(knot),
                None => break,
            }
        }
        (!member.knots.is_empty()).then_some(member)
    }

    /// Learns the weights for a lead from those near it, the nearer weighing more.
    fn fit_knot(
        &self,
        past: &Past,
        &Near { from, lead, to }: &Near,
        lesson: &mut Lesson,
    ) -> Option<Knot> {
        let values = past.values;
        let cycle = self.track.cycle();
        let steps = values.len();
        let leads: Vec<Ahead> = (from + 1..to)
            .map(|near| Ahead {
                steps: near,
                weight: if near <= lead {
                    (near - from) as f64 / (lead - from) as f64
                } else {
                    (to - near) as f64 / (to - lead) as f64
                },
                behind: self.track.behind(near),
            })
            .collect();
        let first = cycle.first();
        let origins = (steps - 1).checked_sub(first)?;
        let all = origins * leads.len();
        let count = all.min(ROWS_MAX);
        let prior: Vec<f64> = self
            .track
            .features()
            .iter()
            .map(|(prior, _)| *prior)
            .collect();
        let chosen = |row: usize| {
            let place = (row as u64 * all as u64 / count as u64) as usize;
            let now = first + place / leads.len();
            let ahead = leads[place % leads.len()];
            let target = now + ahead.steps;
            let seen = target < steps && values[target].is_some();
            seen.then_some((now, ahead))
        };
        let mut by_fold: [Vec<(usize, Ahead)>; FOLDS] = Default::default();
        for (now, ahead) in (0..count).filter_map(chosen) {
            by_fold[past.folds[now + ahead.steps - ahead.steps / 2]].push((now, ahead));
        }
        let same = self.track.present();
        lesson.clear();
        let mut places = Vec::with_capacity(count);
        for (fold, rows) in by_fold.into_iter().enumerate() {
            let start = places.len();
            for (now, ahead) in rows {
                let target = now + ahead.steps;
                let change = self.track.at(target) - self.track.base(now);
                lesson.rows.push(change, |features| {
                    let (seasonal, last) = features.split_at_mut(features.len() - same);
                    self.track.fill_seasonal(now, ahead.behind, seasonal);
                    last.copy_from_slice(&past.present[(now - first) * same..][..same]);
                });
                lesson
                    .weights
                    .push(ahead.weight * past.by_age[steps - 1 - target]);
                places.push(target);
            }
            lesson.folds[fold] = start..places.len();
        }
        if places.len() < ROWS_MIN {
            return None;
        }
        let fitted = fit(lesson, &prior);
        let errors: Vec<Error> = (0..places.len())
            .map(|row| Error {
                slot: past.slots[places[row]],
                error: fitted.errors[row],
                weight: lesson.weights[row],
            })
            .collect();
        let independent = (steps - first) as f64 / lead.max(cycle.day / SEPARATE_A_DAY) as f64;
        let spread = Spread::learn(&errors, independent);
        let shifts: Vec<Shifts> = (0..SLOTS).map(|slot| self.shifts(&spread, slot)).collect();
        let (mut loss, mut weights) = (0.0, 0.0);
        // Variants are compared where all of them forecast.
        let compared = past.seasons.first() + lead;
        for (error, &target) in errors.iter().zip(&places) {
            if target < compared {
                continue;
            }
            let actual = self.track.at(target);
            let demand = values[target].map_or(0.0, |value| self.scale.told_apart(value));
            loss += error.weight * self.loss(actual - error.error, &shifts[error.slot], demand);
            weights += error.weight;
        }
        Some(Knot {
            lead,
            coefficients: fitted.coefficients,
            spread,
            loss: if weights > 0.0 { loss / weights } else { 0.0 },
        })
    }

    /// What the quantiles at [`LOSS_LEVELS`] shift the expected demand by at a time of day.
    fn shifts(&self, spread: &Spread, slot: usize) -> Shifts {
        let size = spread.at(slot);
        LOSS_LEVELS.map(|place| self.scale.shift(size * spread.quantiles()[place]))
    }

    fn loss(&self, expected: f64, shifts: &Shifts, actual: f64) -> f64 {
        let expected = self.scale.shift(expected);
        let quantiles = shifts.map(|shift| self.scale.shifted(expected, shift));
        let each = LOSS_LEVELS.iter().zip(quantiles);
        each.map(|(&place, quantile)| pinball(LEVELS[place], quantile, actual))
            .sum()
    }

    fn slot(&self, step: usize) -> usize {
        let day = self.track.cycle().day;
        (self.phase + step)
            .checked_rem(day)
            .map_or(0, |place| slot(place, day))
    }

    /// Takes in the next step and learns from how it was foreseen. Keeps the newest `keep` steps.
    pub(super) fn update(&mut self, value: Option<f64>, keep: usize) {
        let Some(value) = value else {
            self.track.push_missing();
            return self.forget(keep);
        };
        self.track.push(self.scale.forth(value));
        let now = self.track.len() - 1;
        let cycle = self.track.cycle();
        let rate = 1.0 - libm::exp2(-1.0 / (HALF_LIFE_DAYS * steps_a_day(cycle)));
        let slot = self.slot(now);
        let mut features = vec![0.0; self.track.features().len()];
        let mut knots = std::mem::take(&mut self.knots);
        for knot in &mut knots {
            let Some(origin) = now
                .checked_sub(knot.lead)
                .filter(|&origin| origin >= cycle.first())
            else {
                continue;
            };
            self.track.fill(origin, knot.lead, &mut features);
            let expected = self.track.base(origin) + dot(&features, &knot.coefficients);
            let shifts = self.shifts(&knot.spread, slot);
            let loss = self.loss(expected, &shifts, self.scale.told_apart(value));
            knot.loss += rate * (loss - knot.loss);
            knot.spread.track(self.track.at(now) - expected, slot);
        }
        self.knots = knots;
        self.forget(keep);
    }

    /// Forgets what is older than `keep` steps once that is half of all.
    fn forget(&mut self, keep: usize) {
        let steps = self.track.len();
        if steps >= 2 * keep {
            self.track.keep(keep);
            if let Some(day) = Some(self.track.cycle().day).filter(|&day| day > 0) {
                self.phase = (self.phase + steps - keep) % day;
            }
        }
    }

    fn between(&self, lead: usize) -> Between {
        let above = self.knots.partition_point(|knot| knot.lead < lead);
        let last = self.knots.len() - 1;
        if above > last {
            let (end, growth) = (&self.knots[last], self.growth());
            return Between {
                below: last,
                above: last,
                share: 0.0,
                growth: libm::pow(lead as f64 / end.lead as f64, growth),
            };
        }
        let below = if self.knots[above].lead == lead {
            above
        } else {
            above.saturating_sub(1)
        };
        let (from, to) = (self.knots[below].lead, self.knots[above].lead);
        let share = if to > from {
            (lead - from) as f64 / (to - from) as f64
        } else {
            0.0
        };
        Between {
            below,
            above,
            share,
            growth: 1.0,
        }
    }

    /// The power of the lead that errors grew by over the last knots; that of a walk at most.
    fn growth(&self) -> f64 {
        let (first, last) = (
            &self.knots[self.knots.len() / 2],
            &self.knots[self.knots.len() - 1],
        );
        let (near, far) = (first.spread.size(), last.spread.size());
        if last.lead > first.lead && near > 0.0 {
            let power = libm::log(far / near) / libm::log(last.lead as f64 / first.lead as f64);
            power.clamp(0.0, 0.5)
        } else {
            0.5
        }
    }

    /// How much each unit of standard error is at this lead from now.
    fn size(&self, between: Between, slot: usize) -> f64 {
        let at = |knot: usize| self.knots[knot].spread.at(slot);
        between.growth
            * (at(between.below) + between.share * (at(between.above) - at(between.below)))
    }

    /// Calls `each` with the contribution of each feature (value times weight) to the forecast.
    fn contributions(
        &self,
        now: usize,
        lead: usize,
        features: &mut [f64],
        each: &mut dyn FnMut(usize, f64),
    ) {
        let between = self.between(lead);
        self.track.fill(now, lead, features);
        let (below, above) = (
            &self.knots[between.below].coefficients,
            &self.knots[between.above].coefficients,
        );
        for (place, feature) in features.iter().enumerate() {
            let weight = below[place] + between.share * (above[place] - below[place]);
            each(place, weight * feature);
        }
    }

    fn expected(&self, now: usize, lead: usize, features: &mut [f64]) -> f64 {
        let mut sum = self.track.base(now);
        self.contributions(now, lead, features, &mut |_, part| sum += part);
        sum
    }

    /// The quantiles at [`LEVELS`] of the step `lead` (from 1) ahead.
    pub(super) fn grid(&self, lead: usize, features: &mut Vec<f64>) -> Grid {
        let now = self.track.len() - 1;
        features.resize(self.knots[0].coefficients.len(), 0.0);
        let expected = self.expected(now, lead, features);
        let between = self.between(lead);
        let size = self.size(between, self.slot(now + lead));
        let (below, above) = (
            self.knots[between.below].spread.quantiles(),
            self.knots[between.above].spread.quantiles(),
        );
        std::array::from_fn(|place| {
            let quantile = below[place] + between.share * (above[place] - below[place]);
            self.scale.back(expected + size * quantile)
        })
    }

    /// The recent loss around a lead.
    pub(super) fn recent_loss(&self, lead: usize) -> f64 {
        let between = self.between(lead);
        let (below, above) = (&self.knots[between.below], &self.knots[between.above]);
        below.loss + between.share * (above.loss - below.loss)
    }

    /// What the median is made of, each part in demand: level, day, week, deviation.
    pub(super) fn parts(&self, lead: usize) -> [f64; 4] {
        let now = self.track.len() - 1;
        let about = self.track.features();
        let mut sums = [self.track.base(now), 0.0, 0.0, 0.0];
        let mut features = vec![0.0; about.len()];
        self.contributions(now, lead, &mut features, &mut |place, part| {
            let of = match about[place].1 {
                About::Level => 0,
                About::Day => 1,
                About::Week => 2,
                About::Deviation => 3,
            };
            sums[of] += part;
        });
        let between = self.between(lead);
        let median = |knot: usize| self.knots[knot].spread.quantiles()[MEDIAN];
        let shift =
            median(between.below) + between.share * (median(between.above) - median(between.below));
        sums[3] += shift * self.size(between, self.slot(now + lead));
        let (mut scaled, mut before) = (0.0, 0.0);
        sums.map(|part| {
            scaled += part;
            let demand = self.scale.back(scaled);
            let own = demand - before;
            before = demand;
            own
        })
    }

    /// The last steps from which there were as many as `horizon` more, at most half of all, and how
    /// the steps after each of up to `count` of them were off, in their size; origin after origin.
    pub(super) fn past_errors(&self, horizon: usize, count: usize) -> (usize, Vec<f64>) {
        let steps = self.track.len();
        let first = self.track.cycle().first();
        let Some(room) = (steps - 1).checked_sub(first).filter(|&room| room > 0) else {
            return (0, Vec::new());
        };
        let length = horizon.min(room.div_ceil(2));
        let origins = room - length + 1;
        let count = count.min(origins);
        let mut features = vec![0.0; self.knots[0].coefficients.len()];
        let mut errors = Vec::with_capacity(count * length);
        for place in 0..count {
            let now = first + place * origins / count;
            for lead in 1..=length {
                let size = self.size(self.between(lead), self.slot(now + lead));
                let error = self.track.at(now + lead) - self.expected(now, lead, &mut features);
                errors.push(error / size);
            }
        }
        (length, errors)
    }
}

/// From the first step on that has them, the features that are the same whatever the lead.
fn present_features(track: &Track) -> Vec<f64> {
    let first = track.cycle().first();
    let mut present = vec![0.0; track.len().saturating_sub(first) * track.present()];
    let each = present.chunks_mut(track.present());
    for (now, present) in (first..).zip(each) {
        track.fill_present(now, present);
    }
    present
}

/// The steps that half-lives count as a day.
fn steps_a_day(cycle: Cycle) -> f64 {
    if cycle.day > 0 {
        cycle.day as f64
    } else {
        HALF_LIFE_STEPS / HALF_LIFE_DAYS
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The leads that are fitted: 1, 2, 3, then ever sparser, with one, two and seven days among them, as
/// far as half of the history can be foreseen from the other.
fn leads(cycle: Cycle, steps: usize) -> Vec<usize> {
    let room = steps.saturating_sub(cycle.first() + 1) / 2;
    let farthest = match (cycle.week, cycle.day) {
        (0, 0) => PLAIN_LEAD_MAX,
        (0, day) => 2 * day,
        (week, _) => week,
    };
    let must = [cycle.day, 2 * cycle.day, cycle.week];
    let mut leads = Vec::new();
    let mut lead = 1;
    while lead <= farthest.min(room.max(1)) {
        leads.push(lead);
        let next = ((lead as f64 * LEAD_RATIO) as usize).max(lead + 1);
        // Two days on, only the week's end is left.
        let next = if cycle.day > 0 && lead >= 2 * cycle.day {
            farthest.max(lead + 1)
        } else {
            next
        };
        lead = must
            .into_iter()
            .filter(|&must| must > lead && must < next)
            .min()
            .unwrap_or(next);
    }
    leads
}
