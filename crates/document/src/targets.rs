//! Checks that overrides and events are for something that the fleet has, and that a fleet rents what
//! there is.

use std::collections::BTreeSet;

use fleetcast_model::{
    ComponentName, Event, Fleet, InteractionType, Offer, OfferId, Override, Placement,
};

use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::together::asked_for;

/// Finds the overrides for components that a fleet does not have: nothing would carry them out.
///
/// The pointers of the problems are those of the overrides' document, so
/// [`Problems::render`] is to be given its file name and text.
pub fn check_overrides(fleet: &Fleet, overrides: &[Override]) -> Problems {
    let mut problems = Problems::default();
    for (i, one) in overrides.iter().enumerate() {
        let at = format!("/overrides/{i}/component");
        check_component(fleet, &one.component, &at, &mut problems);
    }
    problems
}

/// Finds the components and interaction types in the scopes of events that a fleet does not have.
///
/// The pointers of the problems are those of the events' document, so
/// [`Problems::render`] is to be given its file name and text.
pub fn check_events(fleet: &Fleet, events: &[Event]) -> Problems {
    let mut problems = Problems::default();
    let asked: BTreeSet<&str> = asked_for(fleet)
        .into_iter()
        .map(InteractionType::as_str)
        .collect();
    for (i, event) in events.iter().enumerate() {
        let at = format!("/events/{i}/scope");
        for (j, component) in event.scope.components.iter().enumerate() {
            let at = format!("{at}/components/{j}");
            check_component(fleet, component, &at, &mut problems);
        }
        for (j, kind) in event.scope.interaction_types.iter().enumerate() {
            if asked.contains(kind.as_str()) {
                continue;
            }
            let message = format!(
                "no component of fleet `{}` serves `{kind}` or is called with it",
                fleet.name
            );
            let known = asked.iter().copied();
            let hint = did_you_mean(kind.as_str(), known, "the interaction types are");
            problems
                .add(&format!("{at}/interaction_types/{j}"), message)
                .hint(hint);
        }
    }
    problems
}

/// Finds the offers that placements name and no catalogue has, and the placements that leave nothing to rent.
///
/// The pointers of the problems are those of the fleet state's document, so
/// [`Problems::render`] is to be given its file name and text.
pub fn check_offers(fleet: &Fleet, offers: &[Offer]) -> Problems {
    let mut problems = Problems::default();
    for (i, component) in fleet.components.iter().enumerate() {
        for (j, place) in component.placements.iter().enumerate() {
            let at = format!("/components/{i}/placements/{j}");
            let mut named = true;
            for (k, id) in place.offers.iter().enumerate() {
                if !offers.iter().any(|offer| offer.answers_to(id)) {
                    named = false;
                    let message = format!("offer `{id}` is not in the catalogue");
                    problems
                        .add(&format!("{at}/offers/{k}"), message)
                        .hint(offer_hint(id, offers));
                }
            }
            let allowed: Vec<&Offer> = offers
                .iter()
                .filter(|offer| place.allows_anywhere(offer))
                .collect();
            if !named {
                continue;
            }
            if allowed.is_empty() {
                problems
                    .add(
                        &at,
                        format!("there is nothing to rent at {}", whence(place)),
                    )
                    .hint(placement_hint(place, offers));
            } else if !allowed.iter().any(|offer| component.fits(offer)) {
                let message = format!(
                    "no offer at {} holds one unit of `{}`, or runs its image",
                    whence(place),
                    component.name
                );
                problems
                    .add(&at, message)
                    .hint("make the unit smaller, or allow larger offers");
            }
        }
    }
    crate::limits::check_floors(fleet, offers, &mut problems);
    problems
}

fn whence(place: &Placement) -> String {
    let kinds: Vec<String> = place
        .purchase_kinds
        .iter()
        .map(ToString::to_string)
        .collect();
    format!("{} {} ({})", place.provider, place.region, kinds.join(", "))
}

const OWN_OFFERS: &str =
    "offers of your own stand in offers.json beside the fleet state, or in --offers FILE";

fn offer_hint(id: &OfferId, offers: &[Offer]) -> String {
    let known: BTreeSet<&str> = offers.iter().map(|offer| offer.id.as_str()).collect();
    match crate::near::nearest(id.as_str(), known) {
        Some(near) => format!("did you mean `{near}`? {OWN_OFFERS}"),
        None => format!("`fleetcast offers` lists what there is; {OWN_OFFERS}"),
    }
}

fn placement_hint(place: &Placement, offers: &[Offer]) -> String {
    let regions: BTreeSet<&str> = offers
        .iter()
        .filter(|offer| offer.provider == place.provider)
        .map(|offer| offer.region.as_str())
        .collect();
    if regions.contains(place.region.as_str()) {
        return format!("no offer there is bought that way; {OWN_OFFERS}");
    }
    let known = did_you_mean(
        place.region.as_str(),
        regions,
        &format!("regions of {} in the catalogue", place.provider),
    );
    format!("{known}; {OWN_OFFERS}")
}

fn check_component(fleet: &Fleet, name: &ComponentName, at: &str, problems: &mut Problems) {
    let known = fleet.components.iter().map(|one| one.name.as_str());
    if known.clone().any(|one| one == name.as_str()) {
        return;
    }
    let message = format!("`{name}` is not a component of fleet `{}`", fleet.name);
    let hint = did_you_mean(name.as_str(), known, "the components are");
    problems.add(at, message).hint(hint);
}
