//! A provisional fleet state: a fleet with the changes that are about to be made to it.

use std::collections::BTreeMap;

use fleetcast_model::{ChangeBound, ContentHash, Fleet, MicroUsd, MicroUsdPerHour};

use crate::amount::money;
use crate::fleet;
use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::wire::{
    ChangeAction, ChangeCause, ChangeReason, CostRange, PlanAccount, ProvisionalChange,
    ProvisionalDocument,
};

/// A fleet with the changes that are about to be made to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvisionalFleetState {
    /// The fleet as it is before the changes.
    pub fleet: Fleet,
    /// The changes, in the order in which they were decided.
    pub provisional_changes: Vec<ProvisionalChange>,
    /// How the changes came about, if they were planned and not written by hand.
    pub plan: Option<PlanAccount>,
}

impl ProvisionalFleetState {
    /// What an approval of the changes binds to.
    pub fn change_set_hash(&self) -> ContentHash {
        change_set_hash(&self.provisional_changes)
    }
}

/// Hashes what changes may do and cost at most: component, action, place, offer, purchase kind, count,
/// price, ready-by and expiry. Costs, reasons, SLAs and `order_by` are left out, and so is the order of
/// the changes, so that a later plan with other forecasts but the same changes has the same hash. The
/// changes of one component alone have the hash that the engine asks approval of.
pub fn change_set_hash<'a>(
    changes: impl IntoIterator<Item = &'a ProvisionalChange>,
) -> ContentHash {
    let bounds: Vec<ChangeBound> = changes.into_iter().map(bound).collect();
    fleetcast_model::change_set_hash(&bounds)
}

fn bound(change: &ProvisionalChange) -> ChangeBound {
    let price = change.price_per_hour_max.as_ref();
    ChangeBound {
        component: change.component.clone(),
        action: change.action,
        provider: change.provider,
        region: change.region.clone(),
        zone: change.zone.clone(),
        offer: change.offer.clone(),
        purchase: change.purchase_kind,
        instances_max: change.instances,
        price_max: price.map(|price| MicroUsdPerHour::new(money(price).get())),
        ready_by: change.ready_by,
        expires: change.expires,
    }
}

/// Turns a document into a provisional fleet state. What is wrong with it goes into `problems`.
pub(crate) fn read(
    document: &ProvisionalDocument,
    problems: &mut Problems,
) -> ProvisionalFleetState {
    let fleet = fleet::read(&document.fleet, problems);
    let known: Vec<&str> = fleet
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    for (i, change) in document.provisional_changes.iter().enumerate() {
        let at = format!("/provisional_changes/{i}");
        if !known.contains(&change.component.as_str()) {
            let message = format!("`{}` is not a component of this fleet", change.component);
            let hint = did_you_mean(
                change.component.as_str(),
                known.iter().copied(),
                "the components are",
            );
            problems.add(&format!("{at}/component"), message).hint(hint);
        }
        check_change(change, &at, problems);
    }
    let right = change_set_hash(&document.provisional_changes);
    if document
        .change_set_hash
        .is_some_and(|stated| stated != right)
    {
        let message = "change_set_hash is not the hash of these provisional_changes";
        let hint = format!("an approval of it does not cover them; their hash is `{right}`");
        problems.add("/change_set_hash", message).hint(hint);
    }
    if let Some(plan) = &document.plan {
        check_totals(plan, &document.provisional_changes, problems);
    }
    ProvisionalFleetState {
        fleet,
        provisional_changes: document.provisional_changes.clone(),
        plan: document.plan.clone(),
    }
}

/// The plan's totals are those of its changes, reason by reason.
fn check_totals(plan: &PlanAccount, changes: &[ProvisionalChange], problems: &mut Problems) {
    let units = |action: fn(ChangeAction) -> bool| {
        let all = changes.iter().filter(|change| action(change.action));
        all.fold(0_u64, |sum, change| sum.saturating_add(change.units))
    };
    let added = units(|action| action != ChangeAction::Remove);
    let removed = units(|action| action == ChangeAction::Remove);
    for (field, stated, right) in [
        ("units_added", plan.units_added, added),
        ("units_removed", plan.units_removed, removed),
    ] {
        if stated != right {
            let message = format!("{field} is {stated}; the changes come to {right}");
            problems.add(&format!("/plan/{field}"), message);
        }
    }
    let of_changes = total_of_reasons(changes.iter().flat_map(|change| &change.reasons));
    if total_of_reasons(&plan.reasons) != of_changes {
        problems
            .add("/plan/reasons", "the reasons are not those of the changes")
            .hint("each reason has the units of all changes together");
    }
}

/// The units of each reason.
fn total_of_reasons<'a>(
    reasons: impl IntoIterator<Item = &'a ChangeCause>,
) -> BTreeMap<ChangeReason, u64> {
    let mut totals = BTreeMap::new();
    for cause in reasons {
        let total: &mut u64 = totals.entry(cause.reason).or_default();
        *total = total.saturating_add(cause.units);
    }
    totals
}

fn check_change(change: &ProvisionalChange, at: &str, problems: &mut Problems) {
    if let Some(order_by) = change
        .order_by
        .filter(|order_by| *order_by > change.ready_by)
    {
        let message = format!("order_by is {order_by}, after ready_by {}", change.ready_by);
        problems
            .add(&format!("{at}/order_by"), message)
            .hint("what must be ready must be ordered before");
    }
    if let Some(CostRange {
        expected,
        low,
        high,
    }) = &change.cost
    {
        let (expected, low, high): (MicroUsd, _, _) = (money(expected), money(low), money(high));
        if !(low..=high).contains(&expected) {
            let message = format!(
                "the expected cost of {expected} is not between {low} (low) and {high} (high)"
            );
            problems.add(&format!("{at}/cost"), message);
        }
    }
    let reasoned = change
        .reasons
        .iter()
        .fold(0_u64, |sum, one| sum.saturating_add(one.units));
    if !change.reasons.is_empty() && reasoned != change.units {
        let message = format!(
            "the reasons account for {reasoned} units, the change has {}",
            change.units
        );
        problems
            .add(&format!("{at}/reasons"), message)
            .hint("each unit has one reason");
    }
}

/// Turns a provisional fleet state into the form in which it is written.
pub(crate) fn write(state: &ProvisionalFleetState) -> ProvisionalDocument {
    ProvisionalDocument {
        fleet: fleet::write(&state.fleet),
        provisional_changes: state.provisional_changes.clone(),
        change_set_hash: Some(state.change_set_hash()),
        plan: state.plan.clone(),
    }
}
