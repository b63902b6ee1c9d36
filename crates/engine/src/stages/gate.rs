//! Sixth stage: may this be done? Cost threshold, hard cap, mode and freeze windows.

use fleetcast_model::{
    Approval, ApprovalRequest, ContentHash, Fleet, Gate, MicroUsd, MicroUsdPerHour, Mode, Plan,
    PlannedOrder, Units,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::changes::{self, APPROVAL_LASTS, PRICED};
use crate::config::EngineConfig;
use crate::reservations::Committed;

/// The same approval is asked for again after so long.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(30);

/// What the gate remembers of one component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateState {
    /// Requests that are not answered yet, oldest first: a rising fleet asks for more before the first answer.
    asked: Vec<Asked>,
    /// Changes that were approved, and those that were refused, until they are forgotten.
    approved: Vec<Answered>,
    refused: Vec<Answered>,
}

/// An approval that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    change_set: ContentHash,
    bound: Bound,
    at: Timestamp,
}

/// A change that was answered, and until when the answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Answered {
    bound: Bound,
    until: Timestamp,
}

/// What a change may come to: an approval covers every later change within it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bound {
    /// Units there are in all after it.
    units_in_all: Units,
    /// The dearest price of an instance.
    price_max: MicroUsdPerHour,
}

impl Bound {
    fn of(plan: &Plan, have: Units) -> Self {
        let orders = plan.orders.iter().chain(&plan.standby.orders);
        let prices = orders.map(|order| order.price);
        Self {
            units_in_all: have + plan.ordered() + plan.standby.ordered(),
            price_max: prices.max().unwrap_or_default(),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        other.units_in_all <= self.units_in_all && other.price_max <= self.price_max
    }
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
            units: plan.ordered() + plan.standby.ordered(),
            cost,
            threshold,
        })
    }
}

/// Whether a freeze window is open.
pub fn frozen(fleet: &Fleet, now: Timestamp) -> bool {
    let mut windows = fleet.freeze_windows.iter();
    windows.any(|window| window.start <= now && now < window.end)
}

/// What the gate is asked.
pub struct Question<'a> {
    /// The fleet state (threshold, cap, freeze windows), and what may be rented at which price.
    pub config: &'a EngineConfig,
    /// The mode that holds now.
    pub mode: Mode,
    /// The plan to judge.
    pub plan: &'a Plan,
    /// Units that are there or ordered.
    pub have: Units,
    /// The reservation ledger.
    pub committed: Committed,
    /// When.
    pub now: Timestamp,
    /// The hash of the plan's change set; worked out only where somebody has to be asked.
    pub change_set: &'a dyn Fn() -> ContentHash,
}

/// What an order costs at most over the priced hours, or for its minimum bill, at its price.
fn cost(config: &EngineConfig, order: &PlannedOrder, price: MicroUsdPerHour) -> MicroUsd {
    let offer = &config.offers[usize::from(order.offer.0)];
    let seconds = changes::billed_seconds(offer, PRICED.as_secs());
    price.for_seconds(seconds) * u64::from(order.instances)
}

/// The same at the worst price that it may come to.
pub fn worst_cost(config: &EngineConfig, order: &PlannedOrder) -> MicroUsd {
    let worst = config.price_at_worst(order.offer).max(order.price);
    cost(config, order, worst)
}

impl GateState {
    /// Judges a plan.
    pub fn judge(&mut self, question: &Question) -> Passed {
        let Question {
            config,
            mode,
            plan,
            have,
            committed,
            now,
            ..
        } = *question;
        let fleet = &config.fleet;
        let pass = |gate| Passed { gate, ask: false };
        if plan.is_empty() {
            return pass(Gate::Nothing);
        }
        if mode == Mode::Observe || frozen(fleet, now) {
            return pass(Gate::Withheld);
        }
        if plan.orders.is_empty() && plan.standby.orders.is_empty() {
            return pass(Gate::Go);
        }
        let orders = plan.all_orders();
        if let Some(cap) = fleet.budget.and_then(|budget| budget.hard_cap) {
            let worst: MicroUsd = orders.clone().map(|order| worst_cost(config, order)).sum();
            let cost = committed.total() + worst;
            if cost > cap {
                return pass(Gate::OverCap { cost, cap });
            }
        }
        let cost = orders.map(|order| cost(config, order, order.price)).sum();
        let threshold = match mode {
            Mode::Recommend => MicroUsd::ZERO,
            Mode::Observe | Mode::Auto => {
                fleet.approval_threshold.unwrap_or(MicroUsd::new(u64::MAX))
            }
        };
        let bound = Bound::of(plan, have);
        let covered = |answers: &[Answered]| {
            answers
                .iter()
                .any(|answer| now < answer.until && answer.bound.covers(&bound))
        };
        if cost <= threshold || covered(&self.approved) {
            return pass(Gate::Go);
        }
        let change_set = (question.change_set)();
        // What was refused is not asked again for a while, and neither is more of it.
        let refused = self
            .refused
            .iter()
            .any(|answer| now < answer.until && bound.covers(&answer.bound));
        self.asked
            .retain(|asked| now.duration_since(asked.at) < ASK_AGAIN);
        let waiting = self.asked.iter().any(|asked| asked.bound.covers(&bound));
        let ask = !(waiting || refused);
        if ask {
            self.asked.push(Asked {
                change_set,
                bound,
                at: now,
            });
        }
        let gate = Gate::NeedsApproval {
            cost,
            threshold,
            change_set,
        };
        Passed { gate, ask }
    }

    /// Takes a person's answer.
    pub fn answer(&mut self, approval: &Approval, now: Timestamp) {
        let of_it = |asked: &Asked| asked.change_set == approval.change_set;
        let Some(at) = self.asked.iter().position(of_it) else {
            return;
        };
        let asked = self.asked.remove(at);
        let answers = if approval.granted {
            &mut self.approved
        } else {
            &mut self.refused
        };
        answers.retain(|answer| now < answer.until);
        answers.push(Answered {
            bound: asked.bound,
            until: now + APPROVAL_LASTS,
        });
    }
}
