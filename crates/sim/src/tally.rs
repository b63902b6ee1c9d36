//! The figures of one run, over the steps that are scored.

use fleetcast_engine::Step;
use fleetcast_model::{MicroUsd, Observation};

use crate::cloud::Bill;
use crate::world::{ComponentInterval, Interval, Sink};

/// Sums up one run. Steps of the warm-up, and those whose demand nobody observed, are not scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    warm_up_steps: usize,
    /// Price of the cheapest unit of each component, in micro-dollars an hour: what foresight would pay.
    cheapest: Vec<u64>,
    step_seconds: u64,
    /// Steps scored.
    pub steps: u64,
    /// What was paid.
    pub bill: Bill,
    /// Unit-steps paid for in full.
    pub paid: u64,
    /// What standby units are paid for beside them, in millionths of a unit-step.
    pub standby_paid_ppm: u64,
    /// The part of the bill that is for units in standby.
    pub standby_bill: Bill,
    /// Unit-steps in standby.
    pub standby: u64,
    /// Units promoted from standby.
    pub promoted: u64,
    /// Unit-steps needed.
    pub need: u64,
    /// What perfect foresight would have paid.
    pub foresight: Bill,
    /// Demand, summed over the steps.
    pub demand: f64,
    /// Demand that found no capacity in time.
    pub unserved: f64,
    /// For each component: demand, unserved demand, and steps in violation.
    pub by_component: Vec<(f64, f64, u64)>,
    /// Steps with at least one component that missed it.
    pub steps_in_violation: u64,
    /// Units that began to serve.
    pub starts: u64,
    /// Sum of units in service.
    pub ready: u64,
    /// Steps in which something was ordered or given back.
    pub scale_actions: u64,
    /// Most units in service at once.
    pub peak_ready: u64,
    before: Option<Vec<u64>>,
}

impl Tally {
    /// Starts at nothing.
    pub fn new(warm_up_steps: usize, step_seconds: u32, cheapest: Vec<u64>) -> Self {
        Self {
            warm_up_steps,
            cheapest,
            step_seconds: u64::from(step_seconds),
            ..Self::default()
        }
    }

    /// Adds an interval; `scaled` says whether something was ordered or given back at its end.
    pub fn add(&mut self, interval: &Interval, scaled: bool) {
        if interval.index < self.warm_up_steps || !interval.components.iter().all(|c| c.observed) {
            return;
        }
        self.steps += 1;
        self.scale_actions += u64::from(scaled);
        let mut all_ready = 0;
        let mut violated = false;
        self.by_component.resize(self.cheapest.len(), (0.0, 0.0, 0));
        let by_component = self.by_component.iter_mut();
        for ((at, cheapest), own) in interval
            .components
            .iter()
            .zip(&self.cheapest)
            .zip(by_component)
        {
            own.0 += at.volume;
            own.1 += at.unserved;
            own.2 += u64::from(at.violated);
            self.bill += at.bill;
            self.paid += at.serving.paid;
            self.standby_paid_ppm += at.serving.standby_paid_ppm;
            self.standby += at.serving.standby;
            self.standby_bill +=
                u128::from(at.serving.standby_rate) * u128::from(self.step_seconds);
            self.promoted += at.serving.promoted;
            self.need += at.need;
            self.foresight +=
                u128::from(*cheapest) * u128::from(at.need) * u128::from(self.step_seconds);
            self.demand += at.volume;
            self.unserved += at.unserved;
            violated |= at.violated;
            all_ready += at.serving.ready;
        }
        self.steps_in_violation += u64::from(violated);
        self.ready += all_ready;
        self.peak_ready = self.peak_ready.max(all_ready);
        // A promoted unit has been started before: what is counted are boots.
        let ready = |c: &ComponentInterval| c.serving.ready;
        if let Some(before) = &mut self.before {
            for (before, at) in before.iter_mut().zip(&interval.components) {
                self.starts += ready(at).saturating_sub(*before);
                *before = ready(at) + at.serving.promoted;
            }
        } else {
            self.before = Some(interval.components.iter().map(ready).collect());
        }
    }

    /// What was paid, rounded to the micro-dollar.
    pub fn cost(&self) -> MicroUsd {
        micro_usd(self.bill)
    }

    /// The part of it that is for units in standby.
    pub fn standby_cost(&self) -> MicroUsd {
        micro_usd(self.standby_bill)
    }

    /// What perfect foresight would have paid.
    pub fn foresight_cost(&self) -> MicroUsd {
        micro_usd(self.foresight)
    }

    /// Paid unit-steps ÷ needed unit-steps: the headline's cost.
    pub fn cost_over_need(&self) -> f64 {
        (self.paid as f64 + self.standby_paid_ppm as f64 / 1e6) / self.need.max(1) as f64
    }

    /// Share of the demand that found no capacity in time.
    pub fn unserved_share(&self) -> f64 {
        if self.demand > 0.0 {
            self.unserved / self.demand
        } else {
            0.0
        }
    }

    /// Share of the steps in which at least one component missed its latency target.
    pub fn violation_share(&self) -> f64 {
        self.steps_in_violation as f64 / self.steps.max(1) as f64
    }

    /// Scored days.
    pub fn days(&self) -> f64 {
        self.steps as f64 * self.step_seconds as f64 / 86_400.0
    }

    /// Unit starts a day, in multiples of the mean fleet.
    pub fn starts_per_day(&self) -> f64 {
        let mean = self.ready as f64 / self.steps.max(1) as f64;
        if mean > 0.0 && self.steps > 0 {
            self.starts as f64 / self.days() / mean
        } else {
            0.0
        }
    }
}

impl Sink for Tally {
    fn step(&mut self, interval: &Interval, _seen: &[Observation], step: &Step) {
        let scaled = step
            .components
            .iter()
            .any(|c| c.ordered.get() + c.cancelled.get() + c.drained.get() > 0);
        self.add(interval, scaled);
    }
}

fn micro_usd(bill: Bill) -> MicroUsd {
    MicroUsd::new(u64::try_from((bill + 1_800) / 3_600).unwrap_or(u64::MAX))
}
