//! Checks a fleet and a persona against one another.

use std::collections::BTreeSet;

use fleetcast_model::{Component, ComponentName, Fleet, InteractionType, Persona};

use crate::near::{did_you_mean, nearest};
use crate::problem::Problems;

/// Finds what a persona says of a fleet that the fleet does not have, and the other way round.
///
/// The pointers of the problems are those of the persona's document, so
/// [`Problems::render`] is to be given the persona's file name and text.
pub fn check_together(fleet: &Fleet, persona: &Persona) -> Problems {
    let mut problems = Problems::default();
    check_profiles(fleet, persona, &mut problems);
    for (i, pattern) in persona.engagement_patterns.iter().enumerate() {
        let kind = &pattern.interaction_type;
        if !fleet
            .components
            .iter()
            .any(|component| component.serves.contains(kind))
        {
            let served: BTreeSet<&str> = fleet
                .components
                .iter()
                .flat_map(|one| &one.serves)
                .map(InteractionType::as_str)
                .collect();
            let message = format!("no component of fleet `{}` serves `{kind}`", fleet.name);
            let hint = format!(
                "add \"{kind}\" to the `serves` of a component, or use one that is served: {}",
                served.into_iter().collect::<Vec<_>>().join(", ")
            );
            problems
                .add(
                    &format!("/engagement_patterns/{i}/interaction_type"),
                    message,
                )
                .hint(hint);
        }
    }
    for component in &fleet.components {
        check_component(fleet, persona, component, &mut problems);
    }
    problems
}

/// The component that a profile is for, if that can be told.
fn component_of<'a>(fleet: &'a Fleet, name: Option<&ComponentName>) -> Option<&'a Component> {
    match (name, fleet.components.as_slice()) {
        (Some(name), components) => components.iter().find(|component| component.name == *name),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn check_profiles(fleet: &Fleet, persona: &Persona, problems: &mut Problems) {
    let known = || {
        fleet
            .components
            .iter()
            .map(|component| component.name.as_str())
            .collect::<Vec<_>>()
    };
    let mut seen = BTreeSet::new();
    for (i, profile) in persona.resource_profiles.iter().enumerate() {
        let at = format!("/resource_profiles/{i}");
        let pattern_name = &profile.pattern_name;
        let Some(component) = component_of(fleet, profile.component.as_ref()) else {
            match &profile.component {
                Some(name) => {
                    let message = format!("`{name}` is not a component of fleet `{}`", fleet.name);
                    let hint = did_you_mean(name.as_str(), known(), "the components are");
                    problems.add(&format!("{at}/component"), message).hint(hint);
                }
                None => {
                    let message = format!(
                        "the resource profile of `{pattern_name}` does not say which of the fleet's {} components it is for",
                        fleet.components.len()
                    );
                    problems
                        .add(&at, message)
                        .hint(format!("add `component`: {}", known().join(", ")));
                }
            }
            continue;
        };
        if !seen.insert((pattern_name, &component.name)) {
            let message = format!(
                "pattern `{pattern_name}` has two resource profiles for component `{}`",
                component.name
            );
            problems
                .add(&at, message)
                .hint("a profile is a total; make one of the two");
        }
        let pattern = persona
            .engagement_patterns
            .iter()
            .find(|pattern| pattern.name == *pattern_name);
        if let Some(pattern) = pattern
            && !is_reached(fleet, component, &pattern.interaction_type)
        {
            let kind = &pattern.interaction_type;
            let message = format!(
                "component `{}` does not serve `{kind}`, the interactions of `{pattern_name}`",
                component.name
            );
            let hint = format!(
                "add \"{kind}\" to its `serves`, or name it in the `depends_on` of a component that serves them"
            );
            problems.add(&at, message).hint(hint);
        }
    }
}

/// Whether interactions of a kind come to a component: from users, or through those that call it.
fn is_reached(fleet: &Fleet, component: &Component, kind: &InteractionType) -> bool {
    let mut reached: BTreeSet<&ComponentName> = BTreeSet::new();
    let mut next: Vec<&Component> = fleet
        .components
        .iter()
        .filter(|one| one.serves.contains(kind))
        .collect();
    while let Some(one) = next.pop() {
        if reached.insert(&one.name) {
            let called = one
                .depends_on
                .iter()
                .map(|dependency| &dependency.component);
            next.extend(called.filter_map(|name| component_of(fleet, Some(name))));
        }
    }
    reached.contains(&component.name)
}

fn check_component(
    fleet: &Fleet,
    persona: &Persona,
    component: &Component,
    problems: &mut Problems,
) {
    let own: Vec<_> = persona
        .resource_profiles
        .iter()
        .filter(|profile| {
            component_of(fleet, profile.component.as_ref())
                .is_some_and(|one| one.name == component.name)
        })
        .collect();
    let name = &component.name;
    // A misspelt name was reported; it may be the profile that is missing here.
    let misspelt = persona
        .resource_profiles
        .iter()
        .filter_map(|profile| profile.component.as_ref())
        .any(|one| {
            component_of(fleet, Some(one)).is_none()
                && nearest(one.as_str(), [name.as_str()]).is_some()
        });
    for kind in &component.serves {
        let has_profile = own.iter().any(|profile| {
            let mut patterns = persona.engagement_patterns.iter();
            patterns.any(|pattern| {
                pattern.name == profile.pattern_name && pattern.interaction_type == *kind
            })
        });
        if !has_profile && !misspelt {
            let message = format!(
                "component `{name}` serves `{kind}`, but no resource profile says what that takes"
            );
            let hint = format!(
                "add a resource profile with \"component\": \"{name}\" for a pattern of `{kind}`"
            );
            problems.add("/resource_profiles", message).hint(hint);
        }
    }
    if component.serves.is_empty() && own.is_empty() && !misspelt {
        let message = format!(
            "component `{name}` has no resource profile, so nothing says what its load takes"
        );
        let hint =
            format!("add one with \"component\": \"{name}\" for a pattern of those that call it");
        problems.add("/resource_profiles", message).hint(hint);
    }
}
