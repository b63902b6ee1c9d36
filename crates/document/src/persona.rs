//! A persona: from JSON's types to the validated ones, and back.

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_model as model;
use fleetcast_model::{Iops, Persona, Variability};

use crate::amount::{cores, gigabytes, iops, megabits, share, to_cores, to_gigabytes, to_megabits};
use crate::near::{did_you_mean, nearest};
use crate::problem::Problems;
use crate::window;
use crate::wire::{EngagementPattern, Fraction, PersonaDocument, ResourceProfile};

/// Turns a document into a persona. What is wrong with it goes into `problems`; then the persona is of no use.
pub(crate) fn read(document: &PersonaDocument, problems: &mut Problems) -> Persona {
    let mut patterns = Vec::new();
    let mut names = BTreeMap::new();
    for (i, pattern) in document.engagement_patterns.iter().enumerate() {
        let at = format!("/engagement_patterns/{i}");
        if let Some(first) = names.insert(&pattern.name, i) {
            let message = format!("pattern `{}` stands twice", pattern.name);
            let hint = format!(
                "names are unique; the first is pattern {} of the list",
                first + 1
            );
            problems.add(&format!("{at}/name"), message).hint(hint);
        }
        patterns.extend(read_pattern(pattern, &at, problems));
    }
    check_profiles(document, problems);
    Persona {
        name: document.name.clone(),
        engagement_patterns: patterns,
        resource_profiles: document
            .resource_profiles
            .iter()
            .map(read_profile)
            .collect(),
    }
}

fn read_pattern(
    pattern: &EngagementPattern,
    at: &str,
    problems: &mut Problems,
) -> Option<model::EngagementPattern> {
    let time_window = window::read(pattern, at, problems);
    let confidence = share(pattern.confidence, &format!("{at}/confidence"), problems);
    if !pattern.shape.is_empty() && pattern.shape.iter().all(|weight| *weight == 0.0) {
        let message = "shape has only zeros, so the volume has nowhere to go";
        problems
            .add(&format!("{at}/shape"), message)
            .hint("leave it out to spread the volume evenly");
    }
    Some(model::EngagementPattern {
        name: pattern.name.clone(),
        time_window: time_window?,
        interaction_type: pattern.interaction_type.clone(),
        expected_volume: pattern.expected_volume,
        latency_target_ms: pattern.latency_target_ms,
        shape: pattern.shape.clone(),
        confidence,
    })
}

fn check_profiles(document: &PersonaDocument, problems: &mut Problems) {
    let known: BTreeSet<&str> = document
        .engagement_patterns
        .iter()
        .map(|pattern| pattern.name.as_str())
        .collect();
    let mut covered = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (i, profile) in document.resource_profiles.iter().enumerate() {
        let name = profile.pattern_name.as_str();
        let at = format!("/resource_profiles/{i}");
        covered.insert(name);
        if !known.contains(name) {
            let message = format!("`{name}` is not an engagement pattern of this persona");
            let hint = did_you_mean(name, known.iter().copied(), "the patterns are");
            problems
                .add(&format!("{at}/pattern_name"), message)
                .hint(hint);
            // Counts for the pattern that was probably meant.
            covered.extend(nearest(name, known.iter().copied()));
        }
        if !seen.insert((name, &profile.component)) {
            let of = profile
                .component
                .as_ref()
                .map_or(String::new(), |one| format!(" for component `{one}`"));
            let message = format!("pattern `{name}` has two resource profiles{of}");
            problems
                .add(&format!("{at}/pattern_name"), message)
                .hint("a profile is a total; make one of the two");
        }
        let resources = [
            profile.cpu_cores,
            profile.memory_gb,
            profile.disk_io_ops,
            profile.network_bandwidth_mbps,
        ];
        if resources
            .iter()
            .chain(&profile.storage_gb)
            .all(|amount| *amount == 0.0)
        {
            let message = format!("the resource profile of `{name}` has no resources");
            problems
                .add(&at, message)
                .hint("write what carrying the pattern takes, all units together");
        }
    }
    for (i, pattern) in document.engagement_patterns.iter().enumerate() {
        let name = pattern.name.as_str();
        if !covered.contains(name) {
            let message = format!("pattern `{name}` has no resource profile");
            let hint = format!("add one to `resource_profiles` with \"pattern_name\": \"{name}\"");
            problems
                .add(&format!("/engagement_patterns/{i}"), message)
                .hint(hint);
        }
    }
}

fn read_profile(profile: &ResourceProfile) -> model::ResourceProfile {
    model::ResourceProfile {
        pattern_name: profile.pattern_name.clone(),
        component: profile.component.clone(),
        cpu: cores(profile.cpu_cores),
        memory: gigabytes(profile.memory_gb),
        disk_io: iops(profile.disk_io_ops),
        bandwidth: megabits(profile.network_bandwidth_mbps),
        storage: profile.storage_gb.map(gigabytes),
        variability: Variability {
            arrivals: profile.arrival_variability,
            services: profile.service_variability,
        },
    }
}

/// Turns a persona into the form in which it is written.
pub(crate) fn write(persona: &Persona) -> PersonaDocument {
    PersonaDocument {
        name: persona.name.clone(),
        engagement_patterns: persona
            .engagement_patterns
            .iter()
            .map(write_pattern)
            .collect(),
        resource_profiles: persona
            .resource_profiles
            .iter()
            .map(write_profile)
            .collect(),
    }
}

fn write_pattern(pattern: &model::EngagementPattern) -> EngagementPattern {
    let (time_window, recurrence) = window::write(&pattern.time_window);
    EngagementPattern {
        name: pattern.name.clone(),
        time_window,
        recurrence,
        interaction_type: pattern.interaction_type.clone(),
        expected_volume: pattern.expected_volume,
        latency_target_ms: pattern.latency_target_ms,
        shape: pattern.shape.clone(),
        confidence: Fraction(pattern.confidence.get()),
    }
}

fn write_profile(profile: &model::ResourceProfile) -> ResourceProfile {
    ResourceProfile {
        pattern_name: profile.pattern_name.clone(),
        component: profile.component.clone(),
        cpu_cores: to_cores(profile.cpu),
        memory_gb: to_gigabytes(profile.memory),
        disk_io_ops: Iops::as_f64(profile.disk_io),
        network_bandwidth_mbps: to_megabits(profile.bandwidth),
        storage_gb: profile.storage.map(to_gigabytes),
        arrival_variability: profile.variability.arrivals,
        service_variability: profile.variability.services,
    }
}
