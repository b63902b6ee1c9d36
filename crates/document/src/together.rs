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
    check_patterns(fleet, persona, &mut problems);
    for component in &fleet.components {
        check_component(fleet, persona, component, &mut problems);
    }
    problems
}

/// The interaction types that a component is asked for: those of the users that it serves, and those
/// as which the calls of other components count there.
pub(crate) fn asked_of<'a>(
    fleet: &'a Fleet,
    component: &'a Component,
) -> BTreeSet<&'a InteractionType> {
    let calls = fleet
        .components
        .iter()
        .flat_map(|caller| &caller.depends_on)
        .filter(|dependency| dependency.component == component.name)
        .map(|dependency| &dependency.interaction_type);
    component.serves.iter().chain(calls).collect()
}

/// The interaction types that any component is asked for.
pub(crate) fn asked_for(fleet: &Fleet) -> BTreeSet<&InteractionType> {
    let components = fleet.components.iter();
    components.flat_map(|one| asked_of(fleet, one)).collect()
}

/// A pattern may be of a type that components only call one another with: it then says, with its
/// profiles, what such a call takes.
fn check_patterns(fleet: &Fleet, persona: &Persona, problems: &mut Problems) {
    let asked = asked_for(fleet);
    for (i, pattern) in persona.engagement_patterns.iter().enumerate() {
        let kind = &pattern.interaction_type;
        if asked.contains(kind) {
            continue;
        }
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
        let at = format!("/engagement_patterns/{i}/interaction_type");
        problems.add(&at, message).hint(hint);
    }
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
            && !asked_of(fleet, component).contains(&pattern.interaction_type)
        {
            let kind = &pattern.interaction_type;
            let message = format!(
                "component `{}` is not asked for `{kind}`, the interactions of `{pattern_name}`",
                component.name
            );
            let hint = format!(
                "add \"{kind}\" to its `serves`, or name it in the `depends_on` of another component with \"interaction_type\": \"{kind}\""
            );
            problems.add(&at, message).hint(hint);
        }
    }
}

/// Each interaction type that a component is asked for needs a profile of a pattern that has a volume,
/// because the need of one interaction is the profile divided by the volume.
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
    for kind in asked_of(fleet, component) {
        let mut without_volume = None;
        let mut is_said = false;
        for (i, pattern) in persona.engagement_patterns.iter().enumerate() {
            let has_profile = || own.iter().any(|one| one.pattern_name == pattern.name);
            if pattern.interaction_type != *kind || !has_profile() {
                continue;
            }
            if pattern.expected_volume > 0.0 {
                is_said = true;
            } else if without_volume.is_none() {
                without_volume = Some((i, &pattern.name));
            }
        }
        match without_volume {
            _ if is_said => {}
            Some((i, pattern)) => {
                let at = format!("/engagement_patterns/{i}/expected_volume");
                let message = format!(
                    "the volume of pattern `{pattern}` is 0, so nothing says what one `{kind}` needs"
                );
                let hint = "state a volume: the interactions that its resource profiles carry";
                // Once, though it may be missing for several components.
                if problems.0.iter().all(|problem| problem.pointer != at) {
                    problems.add(&at, message).hint(hint);
                }
            }
            None if !misspelt => {
                let message = format!(
                    "component `{name}` {} `{kind}`, but no resource profile says what that takes",
                    how_asked(fleet, component, kind)
                );
                let hint = format!(
                    "add a resource profile with \"component\": \"{name}\" for a pattern of `{kind}`"
                );
                problems.add("/resource_profiles", message).hint(hint);
            }
            None => {}
        }
    }
}

fn how_asked(fleet: &Fleet, component: &Component, kind: &InteractionType) -> String {
    if component.serves.contains(kind) {
        return "serves".into();
    }
    let calls = |caller: &&Component| {
        caller
            .depends_on
            .iter()
            .any(|one| one.component == component.name && one.interaction_type == *kind)
    };
    match fleet.components.iter().find(calls) {
        Some(caller) => format!("is called by `{}` with", caller.name),
        None => "is called with".into(),
    }
}
