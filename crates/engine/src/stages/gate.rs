//! Sixth stage: may this be done? Cost threshold, hard cap, mode and freeze windows.

use fleetcast_model::{
    Approval, ApprovalRequest, Fleet, Gate, MicroUsd, MicroUsdPerHour, Mode, Plan, Token, Units,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A change is priced over so many hours: the short horizon, which is as long as its forecast reaches.
const PRICED_HOURS: u64 = 2;
/// An approval that is not used up is forgotten after so long.
const APPROVAL_LASTS: SignedDuration = SignedDuration::from_hours(1);
/// The same approval is asked for again after so long.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(30);

/// What the gate remembers of one component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateState {
    asked: Option<Asked>,
    /// Up to so many units in all are approved, until then.
    approved: Option<(Units, Timestamp)>,
}

/// An approval that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    change_set: Token,
    units_in_all: Units,
    at: Timestamp,
}

/// What the gate has to know of the fleet's spending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Spent since the month began.
    pub this_month: MicroUsd,
    /// What everything that is running or ordered costs.
    pub rate: MicroUsdPerHour,
}

/// The answer, and whether a person has to be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What the gate says.
    pub gate: Gate,
    /// Ask for this approval.
    pub ask: bool,
}

impl Passed {
    /// The request for approval, if a person has to be asked now.
    pub fn request(&self, plan: &Plan) -> Option<ApprovalRequest> {
        let Gate::NeedsApproval {
            cost,
            threshold,
            change_set,
        } = self.gate
        else {
            return None;
        };
        self.ask.then(|| ApprovalRequest {
            change_set,
            component: plan.component,
            units: plan.orders.iter().map(|order| order.units).sum(),
            cost,
            threshold,
        })
    }
}

/// What a plan's orders cost over the priced hours.
pub fn cost(plan: &Plan) -> MicroUsd {
    plan.orders
        .iter()
        .map(|order| order.price.for_seconds(PRICED_HOURS * 3_600) * u64::from(order.instances))
        .sum()
}

impl GateState {
    /// Judges a plan; `have` are the units that are there or ordered.
    pub fn judge(
        &mut self,
        fleet: &Fleet,
        plan: &Plan,
        have: Units,
        spending: &Spending,
        now: Timestamp,
    ) -> Passed {
        let pass = |gate| Passed { gate, ask: false };
        if plan.is_empty() {
            return pass(Gate::Nothing);
        }
        let frozen = fleet
            .freeze_windows
            .iter()
            .any(|window| window.start <= now && now < window.end);
        if fleet.mode == Mode::Observe || frozen {
            return pass(Gate::Withheld);
        }
        if plan.orders.is_empty() {
            return pass(Gate::Go);
        }
        let cost = cost(plan);
        if let Some(cap) = fleet.budget.and_then(|budget| budget.hard_cap) {
            let committed =
                spending.this_month + spending.rate.for_seconds(PRICED_HOURS * 3_600) + cost;
            if committed > cap {
                return pass(Gate::OverCap {
                    cost: committed,
                    cap,
                });
            }
        }
        let threshold = match fleet.mode {
            Mode::Recommend => MicroUsd::ZERO,
            Mode::Observe | Mode::Auto => {
                fleet.approval_threshold.unwrap_or(MicroUsd::new(u64::MAX))
            }
        };
        let units_in_all = have + plan.orders.iter().map(|order| order.units).sum();
        let covered = self
            .approved
            .is_some_and(|(units, until)| units_in_all <= units && now < until);
        if cost <= threshold || covered {
            return pass(Gate::Go);
        }
        let change_set = plan.change_set();
        let waiting = self.asked.is_some_and(|asked| {
            units_in_all <= asked.units_in_all && now.duration_since(asked.at) < ASK_AGAIN
        });
        if !waiting {
            self.asked = Some(Asked {
                change_set,
                units_in_all,
                at: now,
            });
        }
        Passed {
            gate: Gate::NeedsApproval {
                cost,
                threshold,
                change_set,
            },
            ask: !waiting,
        }
    }

    /// Takes a person's answer.
    pub fn answer(&mut self, approval: &Approval) {
        if let Some(asked) = self
            .asked
            .filter(|asked| asked.change_set == approval.change_set)
        {
            self.asked = None;
            if approval.granted {
                self.approved = Some((asked.units_in_all, asked.at + APPROVAL_LASTS));
            }
        }
    }
}
