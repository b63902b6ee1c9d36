//! Overrides on trial: two fleets that are only thought of, one that follows the person and one that does not, say
//! what the decision brought in money and in demand served.

use fleetcast_model::{Component, MicroUsd, MicroUsdPerHour, Override, OverrideScore, Units};
use fleetcast_planner::steering::{Band, FleetRules, HeldFleet, PlainFleet};

use crate::stages::observe::Seen;
use crate::stages::projection::{self, Deciders, Holds, Projection};
use crate::stages::requirement::Required;

/// The overrides of one component that are on trial, and those that have been judged.
#[derive(Clone, Debug)]
pub(crate) struct Trials {
    rules: FleetRules,
    unit_price: MicroUsdPerHour,
    step_seconds: u32,
    running: Vec<Trial>,
    /// Judged, in the order in which they ended.
    pub done: Vec<OverrideScore>,
}

/// One override on trial.
#[derive(Clone, Debug)]
struct Trial {
    index: usize,
    decided: Override,
    with: PlainFleet,
    without: HeldFleet,
    account: Account,
    /// Steps for which it is still judged after its end: what was ordered last has to serve, and to drain.
    left: Option<usize>,
}

/// Sums over a trial: unit-steps paid, and demand unserved, with the override and without.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    paid: [u64; 2],
    unserved: [f64; 2],
}

/// What a step is judged by.
pub(crate) struct Trialled<'a> {
    pub component: &'a Component,
    pub deciders: &'a Deciders<'a>,
    pub seen: &'a Seen,
    pub holds: Holds,
    /// Units beyond which more do not help.
    pub most: Option<Units>,
    /// What is wanted, with all overrides.
    pub projection: &'a Projection,
    pub required: &'a Required,
    /// What the engine's own forecast requires.
    pub own: &'a Required,
    /// What its own forecast would start and keep.
    pub useful: Band,
    /// What a unit carries.
    pub per_unit: f64,
}

impl Trials {
    pub(crate) fn new(rules: FleetRules, unit_price: MicroUsdPerHour, step_seconds: u32) -> Self {
        Self {
            rules,
            unit_price,
            step_seconds,
            running: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Takes one step: what has just been served is accounted, then both fleets order.
    pub(crate) fn step(&mut self, step: &Trialled, number: u64) {
        let Trialled {
            component,
            deciders,
            seen,
            ..
        } = *step;
        let (per_unit, volume) = (step.per_unit, seen.to_volume());
        for trial in &mut self.running {
            trial.account(number, seen, per_unit, volume);
        }
        for (index, decided) in deciders.of(component) {
            if self.running.iter().all(|trial| trial.index != index) {
                let ready = seen.ready + seen.pending;
                self.running.push(Trial {
                    index,
                    decided: decided.clone(),
                    with: PlainFleet::new(self.rules, ready),
                    without: HeldFleet::new(self.rules, ready),
                    account: Account::default(),
                    left: None,
                });
            }
        }
        let after = self.rules.boot_steps + self.rules.drain_steps + 1;
        for trial in &mut self.running {
            trial.order(step, number);
            let on = deciders
                .of(component)
                .any(|(index, _)| index == trial.index);
            trial.left = match trial.left {
                _ if on => None,
                None => Some(after),
                Some(left) => Some(left.saturating_sub(1)),
            };
        }
        let over = |trial: &Trial| trial.left == Some(0);
        let (price, seconds) = (self.unit_price, u64::from(self.step_seconds));
        for trial in self.running.extract_if(.., |trial| over(trial)) {
            self.done.push(trial.score(price, seconds));
        }
    }
}

impl Trial {
    fn account(&mut self, number: u64, seen: &Seen, per_unit: f64, to_volume: f64) {
        let served = [self.with.enter(number), self.without.fleet.enter(number)];
        for (place, served) in served.into_iter().enumerate() {
            self.account.paid[place] += served.paid;
            if seen.known {
                let carried = served.ready as f64 * per_unit;
                self.account.unserved[place] += (seen.measure - carried).max(0.0) * to_volume;
            }
        }
    }

    fn order(&mut self, step: &Trialled, number: u64) {
        if !step.projection.paused {
            self.with.order(number, step.projection.wanted.get());
        }
        let deciders = Deciders {
            without: Some(self.index),
            ..*step.deciders
        };
        // Another person's forecast still counts.
        let stated = deciders.forecast(step.component).is_some();
        let required = if stated { step.required } else { step.own };
        let holds = Holds {
            hold: 0,
            ..step.holds
        };
        let wanted = projection::project(
            step.component,
            &deciders,
            &Seen {
                ready: 0,
                pending: 0,
                ..*step.seen
            },
            required,
            holds,
            step.most,
        );
        let needed = wanted.wanted.get();
        let band = Band {
            needed,
            useful: step.useful.useful.min(wanted.ceiling.get()).max(needed),
            ..step.useful
        };
        if !wanted.paused {
            self.without.order(number, band, step.seen.known);
        }
    }

    fn score(&self, price: MicroUsdPerHour, step_seconds: u64) -> OverrideScore {
        let cost = |paid: u64| -> MicroUsd { (price * paid).for_seconds(step_seconds) };
        let minutes = step_seconds as f64 / 60.0;
        OverrideScore {
            decided: self.decided.clone(),
            cost_with: cost(self.account.paid[0]),
            cost_without: cost(self.account.paid[1]),
            unserved_with: self.account.unserved[0] * minutes,
            unserved_without: self.account.unserved[1] * minutes,
        }
    }
}
