//! Judges a plan against the problem it was made for, in tests, in simulation and before execution.

use std::fmt;

use fleetcast_model::{InstanceRange, Plan};

use crate::plan::{PlanInput, choice_of};

/// What is wrong with a plan: it must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub String);

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lists what is wrong with a plan; nothing for a good one.
pub fn check(input: &PlanInput, plan: &Plan) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut demand = |holds: bool, text: &dyn Fn() -> String| {
        if !holds {
            notes.push(Note(text()));
        }
    };
    let (ready, pending) = input.ready_and_pending();
    let have = ready + pending;
    let ordered: u64 = plan.orders.iter().map(|order| order.units.get()).sum();
    let released = (plan.cancelled + plan.drained).get();
    demand(plan.orders.is_empty() || plan.releases.is_empty(), &|| {
        "orders and releases in one plan".into()
    });
    demand(released <= have, &|| {
        format!("releases {released} of {have} units")
    });
    let after = (have + ordered).saturating_sub(released);
    demand(ordered == 0 || after <= input.ceiling.get(), &|| {
        format!("{after} units are over the ceiling of {}", input.ceiling)
    });
    let floor = input.floor.min(input.ceiling).get();
    demand(released == 0 || after >= floor, &|| {
        format!("{after} units are under the floor of {floor}")
    });
    demand(plan.drained <= input.drain_most, &|| {
        format!(
            "drains {} units where {} may go",
            plan.drained, input.drain_most
        )
    });
    let drained = plan.drained.get();
    demand(
        drained == 0 || ready - drained.min(ready) >= plan.wanted.get(),
        &|| {
            format!(
                "drains {drained} of {ready} serving units with {} wanted",
                plan.wanted
            )
        },
    );
    // What is still on its way may never come: what serves holds the floor by itself.
    demand(drained == 0 || ready - drained.min(ready) >= floor, &|| {
        format!("leaves fewer than {floor} of {ready} serving units by draining {drained}")
    });
    let too_young = |range: &InstanceRange| {
        let mut own = (input.cohorts.iter()).filter(|cohort| cohort.has(range));
        own.any(|cohort| {
            let choice = choice_of(input.offers, cohort.offer);
            choice.is_some_and(|choice| !choice.has_lived(cohort, input.now))
        })
    };
    for range in &plan.releases {
        demand(!too_young(range), &|| {
            format!("releases instances {range:?} before their lifetime is over")
        });
    }
    let standby = &plan.standby;
    let released = plan.releases.iter().chain(&standby.demotions);
    for range in released.chain(&standby.releases) {
        let known = input.cohorts.iter().any(|cohort| {
            cohort.token == range.token
                && !cohort.state.is_going()
                && range.first >= cohort.first
                && range.first + range.count <= cohort.first + cohort.count
        });
        demand(known, &|| {
            format!("releases instances {range:?} that are not listed")
        });
    }
    notes
}
