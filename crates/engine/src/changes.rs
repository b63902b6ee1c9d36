//! The changes of a step as people approve them: place, count, price, cost, and the reason of each unit.

use fleetcast_model::{
    Action, Change, ChangeAction, ChangeBound, Cohort, Component, ComponentIndex, CostBounds,
    InstanceRange, InstanceState, Ledger, MicroUsd, Offer, OfferIndex, Plan, PlannedOrder,
    PurchaseKind, Reason, Units,
};
use jiff::{SignedDuration, Timestamp};

use crate::engine::{Engine, Step};

/// A change is priced over so long: the short horizon, which is as long as its forecast reaches.
pub const PRICED: SignedDuration = SignedDuration::from_hours(2);
/// An approval, and so what it is asked for, lasts so long.
pub const APPROVAL_LASTS: SignedDuration = SignedDuration::from_hours(1);

impl Engine {
    /// The changes that the last step makes, or asks leave to make, by component.
    ///
    /// The reasons of each change sum to its units, and so do the totals: the capacity ledger.
    pub fn changes(&self, step: &Step) -> Vec<Change> {
        let count = self.config.fleet.components.len();
        let changes: Vec<Change> = (0..count)
            .flat_map(|index| self.changes_of(step, index))
            .collect();
        for change in &changes {
            let reasoned: Units = change.reasons.iter().map(|(_, units)| *units).sum();
            assert_eq!(
                reasoned, change.units,
                "each unit has one reason: {change:?}"
            );
        }
        changes
    }

    fn changes_of(&self, step: &Step, index: usize) -> Vec<Change> {
        let report = &step.components[index];
        let component = &self.config.fleet.components[index];
        let cohorts = self.cohorts(index);
        // What was held back at the gate is what a person has to decide on; it holds what the floor needs.
        let plan = match &report.withheld {
            Some(plan) => plan.clone(),
            None => self.carried_out(step, index),
        };
        let promoted = step.actions.iter().filter_map(|action| match action {
            Action::Promote(range) => Some((range, ChangeAction::Promote)),
            _ => None,
        });
        let mut reached =
            (report.ready + report.pending).saturating_sub(plan.cancelled + plan.drained);
        let boot = i64::from(self.config.boot_steps[index]) * i64::from(self.config.step_seconds);
        let least = boot + component.timing.drain.as_secs();
        let change = |(bound, place): (ChangeBound, OfferIndex)| {
            let offer = &self.config.offers[usize::from(place.0)];
            let units = Units::new(bound.instances_max * offer.units_of(&component.unit));
            let standby = bound.purchase == PurchaseKind::Standby;
            let (mut costs, mut saves) = (CostBounds::default(), MicroUsd::ZERO);
            let reasons = match bound.action {
                ChangeAction::Add => {
                    let price = bound.price_max.unwrap_or(offer.price);
                    let offer = Offer {
                        price,
                        ..offer.clone()
                    };
                    let high = cost(&offer, bound.instances_max, PRICED.as_secs());
                    let low = cost(&offer, bound.instances_max, least).min(high);
                    costs = CostBounds {
                        low,
                        expected: high,
                        high,
                    };
                    if standby {
                        vec![(Reason::Standby, units)]
                    } else {
                        let from = reached;
                        reached += units;
                        topmost(&report.ledger, from, units)
                    }
                }
                ChangeAction::Remove => {
                    saves = cost(offer, bound.instances_max, PRICED.as_secs());
                    vec![(Reason::Surplus, units)]
                }
                ChangeAction::Promote => vec![(Reason::Standby, units)],
            };
            Change {
                order_by: step.now,
                bound,
                units,
                cost: costs,
                saves,
                reasons,
            }
        };
        let mut all = placed(component, &self.config.offers, cohorts, &plan, step.now);
        all.extend(promoted.filter_map(|(range, action)| {
            released(
                component,
                &self.config.offers,
                cohorts,
                range,
                action,
                step.now,
            )
        }));
        all.into_iter().map(change).collect()
    }

    /// The plan that a step's actions carry out for one component.
    fn carried_out(&self, step: &Step, index: usize) -> Plan {
        let place = ComponentIndex(index as u16);
        let report = &step.components[index];
        let unit = &self.config.fleet.components[index].unit;
        let mut plan = Plan {
            cancelled: report.cancelled,
            drained: report.drained,
            ..Plan::keep(place, report.wanted)
        };
        for action in &step.actions {
            match action {
                Action::Order(order) if order.component == place => {
                    let each = self.config.offers[usize::from(order.offer.0)].units_of(unit);
                    let orders = if order.standby {
                        &mut plan.standby.orders
                    } else {
                        &mut plan.orders
                    };
                    orders.push(PlannedOrder {
                        offer: order.offer,
                        instances: order.instances,
                        units: Units::new(u64::from(order.instances) * each),
                        price: order.price,
                        ready_by: order.ready_by,
                    });
                }
                Action::Release(range) => match cohort_of(self.cohorts(index), range) {
                    Some(cohort) if stands_by(cohort) => plan.standby.releases.push(*range),
                    Some(_) => plan.releases.push(*range),
                    None => {}
                },
                Action::Demote(range) if cohort_of(self.cohorts(index), range).is_some() => {
                    plan.standby.demotions.push(*range);
                }
                _ => {}
            }
        }
        plan
    }
}

/// What a plan may do and cost at most: what is ordered, then what is given back or goes into standby, each in the
/// plan's order.
pub(crate) fn bounds(
    component: &Component,
    offers: &[Offer],
    cohorts: &[Cohort],
    plan: &Plan,
    now: Timestamp,
) -> Vec<ChangeBound> {
    let placed = placed(component, offers, cohorts, plan, now);
    placed.into_iter().map(|(bound, _)| bound).collect()
}

/// The same, each with its offer.
fn placed(
    component: &Component,
    offers: &[Offer],
    cohorts: &[Cohort],
    plan: &Plan,
    now: Timestamp,
) -> Vec<(ChangeBound, OfferIndex)> {
    let order = |order: &PlannedOrder| {
        let offer = &offers[usize::from(order.offer.0)];
        let added = bound(component, offer, ChangeAction::Add, order.instances, now);
        ChangeBound {
            price_max: Some(order.price),
            ready_by: order.ready_by,
            ..added
        }
    };
    let serving = plan.orders.iter().map(|one| (order(one), one.offer));
    let standby = plan.standby.orders.iter().map(|one| {
        let purchase = PurchaseKind::Standby;
        let bound = order(one);
        (ChangeBound { purchase, ..bound }, one.offer)
    });
    let standby_change = &plan.standby;
    let given_back = plan.releases.iter().chain(&standby_change.demotions);
    let removed = given_back
        .chain(&standby_change.releases)
        .filter_map(|range| released(component, offers, cohorts, range, ChangeAction::Remove, now));
    serving.chain(standby).chain(removed).collect()
}

/// Instances that are there and change, with their offer; `None` if no listing shows them.
fn released(
    component: &Component,
    offers: &[Offer],
    cohorts: &[Cohort],
    range: &InstanceRange,
    action: ChangeAction,
    now: Timestamp,
) -> Option<(ChangeBound, OfferIndex)> {
    let cohort = cohort_of(cohorts, range)?;
    let offer = &offers[usize::from(cohort.offer.0)];
    let changed = bound(component, offer, action, range.count, now);
    let purchase = if stands_by(cohort) {
        PurchaseKind::Standby
    } else {
        changed.purchase
    };
    Some((
        ChangeBound {
            purchase,
            ..changed
        },
        cohort.offer,
    ))
}

fn bound(
    component: &Component,
    offer: &Offer,
    action: ChangeAction,
    instances: u32,
    now: Timestamp,
) -> ChangeBound {
    ChangeBound {
        component: component.name.clone(),
        action,
        provider: offer.provider,
        region: offer.region.clone(),
        zone: offer.zone.clone(),
        offer: offer.id.clone(),
        purchase: offer.purchase,
        instances_max: u64::from(instances),
        price_max: None,
        ready_by: now,
        expires: Some(now + APPROVAL_LASTS),
    }
}

fn stands_by(cohort: &Cohort) -> bool {
    cohort.state == InstanceState::Standby
}

/// What so many instances cost for so many seconds, with the offer's minimum and granularity.
pub fn cost(offer: &Offer, instances: u64, seconds: i64) -> MicroUsd {
    offer.price.for_seconds(billed_seconds(offer, seconds)) * instances
}

/// The seconds that are billed for so many of use.
pub(crate) fn billed_seconds(offer: &Offer, seconds: i64) -> u64 {
    offer.billing.billed_seconds(seconds.max(0).unsigned_abs())
}

fn cohort_of<'a>(cohorts: &'a [Cohort], range: &InstanceRange) -> Option<&'a Cohort> {
    cohorts.iter().find(|cohort| cohort.has(range))
}

/// The reasons of `count` units of a ledger from the unit `from` on; what lies beyond the ledger came with whole
/// instances.
fn topmost(ledger: &Ledger, from: Units, count: Units) -> Vec<(Reason, Units)> {
    let (from, mut left) = (from.get(), count.get());
    let mut reasons: Vec<(Reason, Units)> = Vec::new();
    let mut begins = 0;
    let serving = ledger
        .0
        .iter()
        .filter(|(reason, _)| *reason != Reason::Standby);
    for (reason, units) in serving {
        let ends = begins + units.get();
        let part = ends.saturating_sub(begins.max(from)).min(left);
        if part > 0 {
            reasons.push((*reason, Units::new(part)));
            left -= part;
        }
        begins = ends;
    }
    if left > 0 {
        reasons.push((Reason::WholeInstances, Units::new(left)));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_new_units_are_those_above_what_is_there() {
        let mut ledger = Ledger::default();
        ledger.add(Reason::Floor, 2);
        ledger.add(Reason::Baseline, 5);
        ledger.add(Reason::Uncertainty, 3);
        let reasons = |from, count| topmost(&ledger, Units::new(from), Units::new(count));
        let units = Units::new;
        assert_eq!(
            reasons(6, 3),
            [
                (Reason::Baseline, units(1)),
                (Reason::Uncertainty, units(2))
            ]
        );
        assert_eq!(
            reasons(9, 3),
            [
                (Reason::Uncertainty, units(1)),
                (Reason::WholeInstances, units(2))
            ]
        );
        assert_eq!(reasons(20, 1), [(Reason::WholeInstances, units(1))]);
    }
}
