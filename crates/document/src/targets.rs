//! Checks that overrides and events are for something that the fleet has.

use std::collections::BTreeSet;

use fleetcast_model::{ComponentName, Event, Fleet, InteractionType, Override};

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

fn check_component(fleet: &Fleet, name: &ComponentName, at: &str, problems: &mut Problems) {
    let known = fleet.components.iter().map(|one| one.name.as_str());
    if known.clone().any(|one| one == name.as_str()) {
        return;
    }
    let message = format!("`{name}` is not a component of fleet `{}`", fleet.name);
    let hint = did_you_mean(name.as_str(), known, "the components are");
    problems.add(at, message).hint(hint);
}
