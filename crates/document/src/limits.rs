//! Limits that components share, and what the loss of a zone may leave: read, checked and written.

use std::collections::BTreeSet;

use fleetcast_model as model;
use fleetcast_model::{Component, Fleet, Offer, Quota};

use crate::amount::share;
use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::wire;

pub(crate) fn read_quotas(quotas: &[wire::Quota], problems: &mut Problems) -> Vec<Quota> {
    let mut seen = BTreeSet::new();
    for (i, quota) in quotas.iter().enumerate() {
        if !seen.insert(&quota.name) {
            let message = format!("quota `{}` stands twice", quota.name);
            problems
                .add(&format!("/quotas/{i}/name"), message)
                .hint("names are unique: plans say by them which quota to raise");
        }
    }
    let read = |quota: &wire::Quota| Quota {
        name: quota.name.clone(),
        provider: quota.provider,
        region: quota.region.clone(),
        purchase_kinds: quota.purchase_kinds.clone(),
        instance_types: quota.instance_types.clone(),
        limit: quota.limit,
        counts: quota.counts,
    };
    quotas.iter().map(read).collect()
}

pub(crate) fn write_quota(quota: &Quota) -> wire::Quota {
    wire::Quota {
        name: quota.name.clone(),
        provider: quota.provider,
        region: quota.region.clone(),
        purchase_kinds: quota.purchase_kinds.clone(),
        instance_types: quota.instance_types.clone(),
        limit: quota.limit,
        counts: quota.counts,
    }
}

/// The share that the loss of a zone must leave; the zones must be known for that, and there must be two.
pub(crate) fn read_zone_loss(
    component: &wire::Component,
    at: &str,
    problems: &mut Problems,
) -> Option<model::Share> {
    let stated = component.sla.zone_loss?;
    let field = format!("{at}/sla/zone_loss");
    let kept = share(stated, &field, problems);
    if stated.0 == 0.0 {
        problems
            .add(&field, "zone_loss of 0 % promises nothing")
            .hint(
                "leave it out, or say what share of the units must still be there, such as \"70%\"",
            );
    }
    let placements = &component.placements;
    if let Some(i) = placements.iter().position(|place| place.zones.is_empty()) {
        let place = &placements[i];
        let message = format!(
            "`{}` has a zone_loss, and this placement leaves the zones in {} to the provider: nobody can tell what the \
             loss of one would leave",
            component.name, place.region
        );
        problems
            .add(&format!("{at}/placements/{i}"), message)
            .hint("list its `zones`, or leave `zone_loss` out");
        return Some(kept);
    }
    let zones: BTreeSet<String> = placements
        .iter()
        .flat_map(|place| {
            let of = move |zone| format!("{} {} {zone}", place.provider, place.region);
            place.zones.iter().map(of)
        })
        .collect();
    if zones.len() < 2 {
        let message = format!(
            "`{}` has a zone_loss and a single zone: after its loss nothing is left",
            component.name
        );
        problems
            .add(&field, message)
            .hint("name at least two zones in its placements, or leave `zone_loss` out");
    }
    Some(kept)
}

/// Finds quotas that the floors alone are sure to pass: those of components that may rent nothing outside of them.
pub(crate) fn check_floors(fleet: &Fleet, offers: &[Offer], problems: &mut Problems) {
    for (i, quota) in fleet.quotas.iter().enumerate() {
        let takes: Vec<(&Component, u64)> = fleet
            .components
            .iter()
            .filter_map(|component| Some((component, floor_takes(quota, component, offers)?)))
            .collect();
        let all: u64 = takes.iter().map(|(_, takes)| takes).sum();
        if all <= quota.limit {
            continue;
        }
        let names: Vec<String> = takes
            .iter()
            .map(|(component, _)| format!("`{}`", component.name))
            .collect();
        let (floors, take) = if takes.len() == 1 {
            ("floor", "takes")
        } else {
            ("floors", "take")
        };
        let message = format!(
            "the {floors} of {} {take} at least {all} {}, over the {} of quota `{}`",
            names.join(", "),
            quota.counts.name(),
            quota.limit,
            quota.name
        );
        problems.add(&format!("/quotas/{i}/limit"), message).hint(
            "ask for a higher quota, lower a floor, or allow offers or regions outside of it",
        );
    }
}

/// The least of a quota that a component's floor takes; `None` if it may rent outside of it, or nothing at all.
fn floor_takes(quota: &Quota, component: &Component, offers: &[Offer]) -> Option<u64> {
    let place = |offer: &Offer| {
        let mut places = component.placements.iter();
        component.fits(offer) && places.any(|place| place.allows_anywhere(offer))
    };
    let takes = |offer: &Offer| match quota.taken_by(offer) {
        0 => None,
        each => {
            let units = offer.units_of(&component.unit).max(1);
            // As if instances came in parts: a mix of sizes takes no less.
            let all = u128::from(component.floor.get()) * u128::from(each);
            Some(all.div_ceil(u128::from(units)) as u64)
        }
    };
    let allowed = offers.iter().filter(|offer| place(offer));
    let takes: Option<Vec<u64>> = allowed.map(takes).collect();
    takes?.into_iter().min()
}

/// What is likely not meant, though it can be planned with: quotas that nothing counts towards.
///
/// The pointers are those of the fleet state's document.
pub fn warn_of_limits(fleet: &Fleet, offers: &[Offer]) -> Problems {
    let mut warnings = Problems::default();
    for (i, quota) in fleet.quotas.iter().enumerate() {
        if offers.iter().any(|offer| quota.covers(offer)) {
            continue;
        }
        let at = format!("/quotas/{i}");
        let there = |offer: &&Offer| offer.provider == quota.provider;
        let regions: BTreeSet<&str> = offers
            .iter()
            .filter(there)
            .map(|offer| offer.region.as_str())
            .collect();
        let message = format!(
            "warning: quota `{}` limits nothing: no offer of the catalogue counts towards it",
            quota.name
        );
        if regions.contains(quota.region.as_str()) {
            let hint = "look at its `purchase_kinds` and `instance_types`; `fleetcast offers` lists what there is";
            warnings.add(&at, message).hint(hint);
        } else {
            let known = format!("regions of {} in the catalogue", quota.provider);
            let hint = did_you_mean(quota.region.as_str(), regions, &known);
            warnings.add(&format!("{at}/region"), message).hint(hint);
        }
    }
    warnings
}
