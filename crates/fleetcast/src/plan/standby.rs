//! How much stands by, how it is kept, and why, in words.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{ComponentReport, StandbyReport, StandbyTerms, StandbyTier, Units};

/// The standby of a step, by component.
pub fn of_step(engine: &Engine, step: &Step) -> Vec<String> {
    let reports = step.components.iter().enumerate();
    reports
        .flat_map(|(index, report)| of_component(engine, report, index))
        .collect()
}

/// That of one component: what is for the loss of spot, and why it is kept in its tier where there was a choice.
pub fn of_component(engine: &Engine, report: &ComponentReport, index: usize) -> Vec<String> {
    let Some(standby) = &report.standby else {
        return Vec::new();
    };
    let name = &engine.config().fleet.components[index].name;
    let losses = (standby.for_losses > Units::ZERO).then(|| {
        format!(
            "{} of the {} units of {name} that stand by are for spot that may be lost at once",
            standby.for_losses, standby.wanted
        )
    });
    let tiers = engine.standby_tiers(index);
    losses
        .into_iter()
        .chain(tier(name.as_str(), standby, &tiers))
        .collect()
}

/// Why standby is kept as it is; nothing where there was no choice.
fn tier(
    name: &str,
    standby: &StandbyReport,
    tiers: &[(StandbyTerms, Option<f64>)],
) -> Option<String> {
    let own = |of: StandbyTier| tiers.iter().find(|(terms, _)| terms.tier == of);
    let (terms, cost) = own(standby.tier).filter(|_| tiers.len() > 1)?;
    let others: Vec<String> = (tiers.iter())
        .filter(|(terms, _)| terms.tier != standby.tier)
        .map(|(terms, cost)| format!("{} {}", terms.tier.name(), times(*cost)))
        .collect();
    Some(format!(
        "what stands by for {name} is kept {} (serves after {:#}, at {:.0} % of the price): with as much unserved the fleet \
         would have cost {} one without standby, {}",
        terms.tier.name(),
        terms.promotion,
        terms.price_share.percent(),
        times(*cost),
        others.join(", ")
    ))
}

fn times(cost: Option<f64>) -> String {
    cost.map_or_else(
        || "(never pays) as much as".into(),
        |cost| format!("{cost:.3} times"),
    )
}
