//! The figures of a run day by day, so that two runs can be compared pairwise.

use crate::cloud::Bill;
use crate::world::Interval;

const DAY_SECONDS: i64 = 86_400;

/// What one day of a run came to, over the steps of it that are scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// Days since 1970-01-01, UTC.
    pub number: i64,
    /// Steps scored.
    pub steps: u64,
    /// What was paid.
    pub bill: Bill,
    /// Demand, summed over the steps.
    pub demand: f64,
    /// Demand that found no capacity in time.
    pub unserved: f64,
    /// Steps with at least one component that missed its target.
    pub violations: u64,
    /// Units that began to serve.
    pub starts: u64,
}

/// Sums up a run day by day. Steps of the warm-up, and those whose demand nobody observed, are not scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Daily {
    warm_up_steps: usize,
    days: Vec<Day>,
    ready_before: Option<Vec<u64>>,
}

impl Daily {
    /// Starts at nothing.
    pub fn new(warm_up_steps: usize) -> Self {
        Self {
            warm_up_steps,
            ..Self::default()
        }
    }

    /// The days that have any scored step, in their order.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Adds an interval.
    pub fn add(&mut self, interval: &Interval) {
        let components = &interval.components;
        if interval.index < self.warm_up_steps || !components.iter().all(|at| at.observed) {
            return;
        }
        let number = interval.from.as_second().div_euclid(DAY_SECONDS);
        if self.days.last().is_none_or(|day| day.number != number) {
            self.days.push(Day {
                number,
                ..Day::default()
            });
        }
        let started: u64 = match &self.ready_before {
            None => 0,
            Some(before) => components
                .iter()
                .zip(before)
                .map(|(at, before)| at.serving.ready.saturating_sub(*before))
                .sum(),
        };
        let Some(day) = self.days.last_mut() else {
            return;
        };
        day.steps += 1;
        day.starts += started;
        day.violations += u64::from(components.iter().any(|at| at.violated));
        for at in components {
            day.bill += at.bill;
            day.demand += at.volume;
            day.unserved += at.unserved;
        }
        let ready = components.iter().map(|at| at.serving.ready);
        let before = self.ready_before.get_or_insert_default();
        before.clear();
        before.extend(ready);
    }
}
