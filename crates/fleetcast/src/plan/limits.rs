//! What quotas, and the zones that there are, kept from a plan: in figures and in words.

use fleetcast_document::{Money, PlanLimit};
use fleetcast_engine::{Engine, Step};
use fleetcast_model::{ComponentReport, MicroUsd, MicroUsdPerHour, QuotaCount, Units};

/// The limits that bound in a step, by component.
pub fn of_plan(engine: &Engine, step: &Step) -> Vec<PlanLimit> {
    let reports = step.components.iter().enumerate();
    reports
        .flat_map(|(index, report)| of_component(engine, report, index))
        .collect()
}

/// Those of one component.
pub fn of_component(engine: &Engine, report: &ComponentReport, index: usize) -> Vec<PlanLimit> {
    let Some(limits) = &report.limits else {
        return Vec::new();
    };
    let fleet = &engine.config().fleet;
    let component = &fleet.components[index].name;
    let mut told: Vec<PlanLimit> = limits
        .quotas
        .iter()
        .map(|bound| {
            let stated = fleet.quotas.iter().find(|quota| quota.name == bound.name);
            let counts = stated.map_or(QuotaCount::Vcpu, |quota| quota.counts).name();
            let found = format!(
                "quota `{}` ({} of {} {counts} taken)",
                bound.name, bound.taken, bound.limit
            );
            let words = if limits.missing > Units::ZERO {
                format!(
                    "{found} leaves {component} {} units short of what is wanted; with {} {counts} they would cost {} an \
                     hour more",
                    limits.missing,
                    bound.enough,
                    hourly(limits.lift)
                )
            } else if limits.dearer > MicroUsdPerHour::ZERO {
                format!(
                    "{found} makes {component} take other offers, {} an hour dearer; {} {counts} would suffice",
                    hourly(limits.dearer),
                    bound.enough
                )
            } else {
                format!(
                    "{found} makes {component} take other offers; {} {counts} would suffice",
                    bound.enough
                )
            };
            PlanLimit {
                component: component.clone(),
                quota: Some(bound.name.clone()),
                words,
                missing_units: limits.missing.get(),
                enough: Some(bound.enough),
                lift_per_hour: Some(Money::usd(MicroUsd::new(limits.lift.get()))),
            }
        })
        .collect();
    if limits.zone_short > Units::ZERO {
        let why = if limits.quotas.is_empty() {
            "its ceiling or its zones allow no more"
        } else {
            "the quota allows no more"
        };
        told.push(PlanLimit {
            component: component.clone(),
            quota: None,
            words: format!(
                "the loss of a zone would leave {component} {} units fewer than its zone_loss promises: {why}",
                limits.zone_short
            ),
            missing_units: limits.zone_short.get(),
            enough: None,
            lift_per_hour: None,
        });
    }
    told
}

/// An hour's price as money.
fn hourly(price: MicroUsdPerHour) -> MicroUsd {
    MicroUsd::new(price.get())
}
