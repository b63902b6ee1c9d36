//! Checks of a predicted fleet state.

use std::collections::BTreeSet;

use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::structure::short;
use crate::wire::{PredictedFleetState, ResourceRequirement};

/// Finds what is wrong with a predicted fleet state beyond its structure.
pub(crate) fn check(state: &PredictedFleetState, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (i, requirement) in state.resource_requirements.iter().enumerate() {
        let at = format!("/resource_requirements/{i}");
        if !seen.insert((
            requirement.resource_type,
            requirement.horizon,
            &requirement.component,
        )) {
            let message = "the same resource is required twice for one component and horizon";
            problems
                .add(&at, message)
                .hint("make one requirement of the two, or say what they are for");
        }
        if requirement.in_base_units().is_none() {
            let known = requirement
                .resource_type
                .units()
                .iter()
                .map(|(name, _)| *name);
            let message = format!(
                "`{}` is not a unit of {}",
                short(&requirement.units),
                requirement.resource_type.name()
            );
            let hint = did_you_mean(&requirement.units, known, "write one of");
            problems.add(&format!("{at}/units"), message).hint(hint);
        }
        check_quantiles(requirement, &at, problems);
    }
}

fn check_quantiles(requirement: &ResourceRequirement, at: &str, problems: &mut Problems) {
    for (i, pair) in requirement.quantiles.windows(2).enumerate() {
        let at = format!("{at}/quantiles/{}", i + 1);
        if pair[1].level <= pair[0].level {
            let message = format!(
                "level is {}, not above the {} before it",
                pair[1].level, pair[0].level
            );
            problems
                .add(&format!("{at}/level"), message)
                .hint("sort the quantiles by rising level");
        } else if pair[1].quantity < pair[0].quantity {
            let message = format!(
                "quantity is {}, below the {} of a lower level",
                pair[1].quantity, pair[0].quantity
            );
            problems
                .add(&format!("{at}/quantity"), message)
                .hint("a higher level never needs less");
        }
    }
}
