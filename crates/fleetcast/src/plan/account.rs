//! From a decision to a provisional fleet state: changes, totals, verdict, and what refusing it would mean.

use std::collections::BTreeMap;

use fleetcast_document::wire::Fraction;
use fleetcast_document::{
    ChangeCause, ChangeReason, CostRange, GateAccount, GateVerdict, Money, ProvisionalChange,
    ProvisionalFleetState, Refusal, ServedSla,
};
use fleetcast_engine::{Engine, Step};
use fleetcast_model::{
    Change, ChangeAction, ComponentIndex, Fleet, Gate, MicroUsd, Mode, Reason, Units,
};

/// The fleet state with the changes that a step makes to it, or asks leave to make.
pub fn provisional(engine: &Engine, step: &Step) -> ProvisionalFleetState {
    let mut fleet = engine.config().fleet.clone();
    for (component, report) in fleet.components.iter_mut().zip(&step.components) {
        component.current = Some(report.ready);
        component.desired = Some(report.wanted.clamp(component.floor, component.ceiling));
    }
    let changes = engine.changes(step);
    ProvisionalFleetState {
        provisional_changes: changes
            .iter()
            .map(|change| document_change(engine, change))
            .collect(),
        fleet,
        plan: None,
    }
}

/// A change as documents write it.
fn document_change(engine: &Engine, change: &Change) -> ProvisionalChange {
    let config = engine.config();
    let bound = &change.bound;
    let components = &config.fleet.components;
    let component = components.iter().find(|one| one.name == bound.component);
    let served = |component: &fleetcast_model::Component| ServedSla {
        importance: component.sla.importance,
        latency_ms_p95: component.sla.latency_ms_p95,
        target: config
            .objective_of(component)
            .map(|objective| Fraction(objective.target.get())),
    };
    let cost = change.cost;
    ProvisionalChange {
        component: bound.component.clone(),
        action: bound.action,
        provider: bound.provider,
        region: bound.region.clone(),
        zone: bound.zone.clone(),
        offer: bound.offer.clone(),
        purchase_kind: bound.purchase,
        instances: bound.instances_max,
        units: change.units.get(),
        price_per_hour_max: bound
            .price_max
            .map(|price| Money::usd(MicroUsd::new(price.get()))),
        ready_by: bound.ready_by,
        order_by: Some(change.order_by),
        expires: bound.expires,
        cost: (bound.action != ChangeAction::Remove).then(|| CostRange {
            expected: Money::usd(cost.expected),
            low: Money::usd(cost.low),
            high: Money::usd(cost.high),
        }),
        sla: component.map(served),
        reasons: change
            .reasons
            .iter()
            .map(|(reason, units)| ChangeCause {
                reason: cause(*reason),
                name: None,
                units: units.get(),
            })
            .collect(),
    }
}

/// The sum of the changes' costs.
pub fn total_cost(changes: &[ProvisionalChange]) -> CostRange {
    let sum = |pick: fn(&CostRange) -> &Money| {
        let costs = changes.iter().filter_map(|change| change.cost.as_ref());
        Money::usd(costs.map(|cost| pick(cost).micro_usd()).sum())
    };
    CostRange {
        expected: sum(|cost| &cost.expected),
        low: sum(|cost| &cost.low),
        high: sum(|cost| &cost.high),
    }
}

/// The units of each reason over all changes.
pub fn total_reasons(changes: &[ProvisionalChange]) -> Vec<ChangeCause> {
    let mut totals: BTreeMap<ChangeReason, u64> = BTreeMap::new();
    for cause in changes.iter().flat_map(|change| &change.reasons) {
        *totals.entry(cause.reason).or_default() += cause.units;
    }
    let total = |(reason, units)| ChangeCause {
        reason,
        name: None,
        units,
    };
    totals.into_iter().map(total).collect()
}

/// Units that the changes add, and that they give back.
pub fn total_units(changes: &[ProvisionalChange]) -> (u64, u64) {
    let (mut added, mut removed) = (0, 0);
    for change in changes {
        match change.action {
            ChangeAction::Remove => removed += change.units,
            ChangeAction::Add | ChangeAction::Promote => added += change.units,
        }
    }
    (added, removed)
}

/// What the gate says of all changes together: the strictest word on any component, and the whole cost against the
/// threshold.
pub fn verdict(fleet: &Fleet, step: &Step, changes: &[ProvisionalChange]) -> GateAccount {
    let gates = step.components.iter().map(|report| report.gate);
    let strictest = gates.max_by_key(strictness);
    let cost = total_cost(changes).high.micro_usd();
    let threshold = match fleet.mode {
        Mode::Recommend => Some(MicroUsd::ZERO),
        Mode::Observe | Mode::Auto => fleet.approval_threshold,
    };
    let said =
        |verdict, words: String, cost: Option<MicroUsd>, limit: Option<MicroUsd>| GateAccount {
            verdict,
            words,
            cost: cost.map(Money::usd),
            limit: limit.map(Money::usd),
        };
    if changes.is_empty() {
        return said(GateVerdict::Nothing, "nothing to change".into(), None, None);
    }
    match strictest {
        Some(Gate::OverCap { cost, cap }) => {
            let words =
                format!("refused: the month would come to {cost}, over the hard cap of {cap}");
            return said(GateVerdict::OverCap, words, Some(cost), Some(cap));
        }
        Some(Gate::Withheld) => {
            let frozen = fleet
                .freeze_windows
                .iter()
                .find(|window| window.start <= step.now && step.now < window.end);
            let words = match frozen {
                Some(window) => format!(
                    "withheld: nothing is changed until {} ({})",
                    window.end, window.reason
                ),
                None => "withheld: in mode `observe` nothing is changed".into(),
            };
            return said(GateVerdict::Withheld, words, Some(cost), None);
        }
        _ => {}
    }
    match threshold {
        Some(threshold) if cost > threshold => {
            let words = if fleet.mode == Mode::Recommend {
                format!(
                    "needs an approval: in mode `recommend` everything that is ordered does ({cost} over two hours)"
                )
            } else {
                format!(
                    "needs an approval: {cost} over two hours is over the threshold of {threshold}"
                )
            };
            said(
                GateVerdict::NeedsApproval,
                words,
                Some(cost),
                Some(threshold),
            )
        }
        Some(threshold) => {
            let words =
                format!("passed: {cost} over two hours is within the threshold of {threshold}");
            said(GateVerdict::Go, words, Some(cost), Some(threshold))
        }
        None => {
            let words = format!("passed: {cost} over two hours, and no threshold is set");
            said(GateVerdict::Go, words, Some(cost), None)
        }
    }
}

fn strictness(gate: &Gate) -> u8 {
    match gate {
        Gate::Nothing => 0,
        Gate::Go => 1,
        Gate::NeedsApproval { .. } => 2,
        Gate::Withheld => 3,
        Gate::OverCap { .. } => 4,
    }
}

/// What refusing the changes would mean for each component that gets more.
pub fn if_refused(engine: &Engine, step: &Step, changes: &[ProvisionalChange]) -> Vec<Refusal> {
    let components = engine.config().fleet.components.iter().enumerate();
    let refusal = |(index, component): (usize, &fleetcast_model::Component)| {
        let own = changes.iter().filter(|change| {
            change.component == component.name && change.action == ChangeAction::Add
        });
        let added: u64 = own.map(|change| change.units).sum();
        let report = &step.components[index];
        let have = report.ready + report.pending;
        let risk = |units: Units| engine.shortfall_risk(index, units.get());
        (added > 0).then(|| {
            Some(Refusal {
                component: component.name.clone(),
                units: have.get(),
                breach_risk: Fraction(rounded(risk(have)?)),
                breach_risk_planned: Fraction(rounded(risk(have + Units::new(added))?)),
            })
        })?
    };
    components.filter_map(refusal).collect()
}

/// To four significant digits: what a person reads, and the same on every machine.
pub fn rounded(share: f64) -> f64 {
    format!("{share:.3e}").parse().unwrap_or(share)
}

/// The place of a component by its name.
pub fn place_of(fleet: &Fleet, name: &fleetcast_model::ComponentName) -> Option<ComponentIndex> {
    let at = fleet.components.iter().position(|one| one.name == *name)?;
    Some(ComponentIndex(at as u16))
}

fn cause(reason: Reason) -> ChangeReason {
    match reason {
        Reason::Floor => ChangeReason::Floor,
        Reason::Baseline => ChangeReason::Baseline,
        Reason::Forecast => ChangeReason::Forecast,
        Reason::Event => ChangeReason::Event,
        Reason::Uncertainty => ChangeReason::Uncertainty,
        Reason::Reactive => ChangeReason::Reactive,
        Reason::Hold => ChangeReason::Hold,
        Reason::Fallback => ChangeReason::Fallback,
        Reason::SpotRisk => ChangeReason::SpotRisk,
        Reason::ZoneLoss => ChangeReason::ZoneLoss,
        Reason::Override => ChangeReason::Override,
        Reason::Policy => ChangeReason::Policy,
        Reason::Standby => ChangeReason::Standby,
        Reason::WholeInstances => ChangeReason::WholeInstances,
        Reason::Surplus => ChangeReason::Surplus,
    }
}
