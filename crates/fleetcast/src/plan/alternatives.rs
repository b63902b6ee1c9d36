//! What else could be done: each alternative is the same decision again, under documents that were changed in one
//! point, so it is solved and priced as the plan itself is.

use anyhow::Result;
use fleetcast_document::wire::Fraction;
use fleetcast_document::{GateVerdict, ProvisionalFleetState, Recommendation};
use fleetcast_engine::PRICED;
use fleetcast_model::{
    Component, Fleet, MicroUsd, Mode, Offer, Override, OverrideDecision, Placement, ProviderKind,
    Region, Units,
};
use jiff::SignedDuration;

use super::account::rounded;
use super::planned::{delay, plan_under};
use super::words::shell_word;
use super::{Decision, Prospect};
use crate::files::BadInput;

/// Levels of the forecast that may be bought instead, the safest first.
const LEVELS: [f64; 6] = [0.99, 0.95, 0.9, 0.8, 0.65, 0.5];
/// How much later an order may be placed instead, in minutes.
const DELAYS: [i64; 3] = [15, 30, 60];

/// The documents as an alternative has them.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The fleet state.
    pub fleet: Fleet,
    /// Overrides that hold for a while, beside those that people wrote.
    pub overrides: Vec<Override>,
    /// Orders are placed so much later.
    pub later: SignedDuration,
}

/// A plan under changed documents.
pub struct Solved {
    /// The plan.
    pub state: ProvisionalFleetState,
    /// The decision behind it.
    pub decision: Decision,
}

impl Changed {
    /// Nothing is changed.
    pub fn nothing(prospect: &Prospect) -> Self {
        Self {
            fleet: prospect.fleet(),
            overrides: Vec::new(),
            later: SignedDuration::ZERO,
        }
    }

    /// Solves the problem under these documents.
    pub fn solve(&self, prospect: &Prospect) -> Result<Solved> {
        let mut overrides = prospect.documents.overrides.clone();
        overrides.extend(self.overrides.iter().cloned());
        let (mut state, decision) = plan_under(prospect, self.fleet.clone(), overrides)?;
        if !self.later.is_zero() {
            delay(&mut state, &decision, self.later);
        }
        Ok(Solved { state, decision })
    }
}

/// One thing that can be recommended or accepted.
#[derive(Clone, Debug, PartialEq)]
enum Alternative {
    /// A component gives way: nothing is added to it, or it falls to what the median needs.
    ScaleDown(String),
    /// Any offer where the components are already.
    CheaperOffer,
    /// Also in another region.
    CheaperRegion(ProviderKind, Region),
    /// Orders are placed later.
    StartLater(SignedDuration),
    /// A lower quantile of the forecast is bought.
    LowerQuantile(f64),
    /// The threshold is raised to what the plan costs.
    RaiseThreshold,
    /// The hard cap is raised to what the month would come to.
    RaiseCap,
    /// A quota is raised to what would have sufficed.
    RaiseQuota(String),
}

impl Alternative {
    fn name(&self) -> String {
        match self {
            Self::ScaleDown(component) => format!("scale-down:{component}"),
            Self::CheaperOffer => "cheaper-offer".into(),
            Self::CheaperRegion(provider, region) => format!("cheaper-region:{provider}/{region}"),
            Self::StartLater(later) => format!("start-later:{}m", later.as_mins()),
            Self::LowerQuantile(level) => format!("lower-quantile:{level}"),
            Self::RaiseThreshold => "raise-threshold".into(),
            Self::RaiseCap => "raise-cap".into(),
            Self::RaiseQuota(quota) => format!("raise-quota:{quota}"),
        }
    }
}

/// The alternatives to a plan, worked out, the best first: those that pass the gate before those that do not, then by
/// the share of the cost that they save less the risk that they add.
pub fn recommend(
    prospect: &Prospect,
    accepted: &Changed,
    solved: &Solved,
    command: &str,
    held_back: bool,
) -> Result<Vec<Recommendation>> {
    let (cost, risk) = (net_cost(&solved.state), highest_risk(&solved.decision));
    let mut found = Vec::new();
    let mut all = quotas_to_raise(solved);
    if held_back {
        all.extend(candidates(prospect, accepted, solved)?);
    }
    for alternative in all {
        let mut changed = accepted.clone();
        let what = change(&mut changed, prospect, solved, &alternative)?;
        let other = changed.solve(prospect)?;
        let Some(plan) = &other.state.plan else {
            continue;
        };
        let other_cost = net_cost(&other.state);
        let saves = cost - other_cost;
        let free = matches!(
            alternative,
            Alternative::RaiseThreshold | Alternative::RaiseCap | Alternative::RaiseQuota(_)
        );
        if saves <= 0 && !free {
            continue;
        }
        let other_risk = if changed.later.is_zero() {
            highest_risk(&other.decision)
        } else {
            risk_unchanged(&other.decision)
        };
        let value = saves as f64 / (cost.max(1)) as f64 - (other_risk - risk);
        let passes = plan.gate.verdict <= GateVerdict::Go;
        let name = alternative.name();
        let recommendation = Recommendation {
            command: format!("{command} --accept {}", shell_word(&name)),
            name,
            what,
            units_added: plan.units_added,
            cost: plan.cost.high.clone(),
            saves: fleetcast_document::Money::usd(MicroUsd::new(saves.max(0) as u64)),
            breach_risk: Fraction(rounded(other_risk)),
            breach_risk_planned: Fraction(rounded(risk)),
            verdict: plan.gate.verdict,
        };
        found.push((passes, value, recommendation));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    Ok(found.into_iter().map(|(_, _, one)| one).collect())
}

/// Changes the documents as recommendations say that were accepted by name.
pub fn accept(prospect: &Prospect, names: &[String]) -> Result<Changed> {
    let mut changed = Changed::nothing(prospect);
    for name in names {
        // Each is worked out on top of those before it.
        let solved = changed.solve(prospect)?;
        let alternative = parse(name, prospect, &changed, &solved)?;
        change(&mut changed, prospect, &solved, &alternative)?;
    }
    Ok(changed)
}

fn parse(
    name: &str,
    prospect: &Prospect,
    accepted: &Changed,
    solved: &Solved,
) -> Result<Alternative> {
    let (kind, argument) = name.split_once(':').unwrap_or((name, ""));
    let bad = |why: String| BadInput(format!("--accept {name}: {why}"));
    let all = candidates(prospect, accepted, solved)?;
    let first = |holds: fn(&Alternative) -> bool| all.iter().find(|one| holds(one)).cloned();
    let found = match (kind, argument) {
        ("scale-down", "") => first(|one| matches!(one, Alternative::ScaleDown(_))),
        ("scale-down", component) => {
            let components = &prospect.documents.fleet.components;
            if !components.iter().any(|one| one.name.as_str() == component) {
                let names: Vec<&str> = components.iter().map(|one| one.name.as_str()).collect();
                let why = format!(
                    "the fleet has no component `{component}`; it has {}",
                    names.join(", ")
                );
                return Err(bad(why).into());
            }
            Some(Alternative::ScaleDown(component.into()))
        }
        ("cheaper-offer", "") => Some(Alternative::CheaperOffer),
        ("cheaper-region", "") => first(|one| matches!(one, Alternative::CheaperRegion(..))),
        ("cheaper-region", place) => {
            let offers = solved.decision.engine.config().offers.iter();
            let mut places = offers.map(|offer| (offer.provider, offer.region.clone()));
            let found = places.find(|(provider, region)| format!("{provider}/{region}") == place);
            let (provider, region) = found.ok_or_else(|| {
                bad(
                    "the catalogue has nothing there; write it as `cheaper-region:gcp/us-central1`"
                        .into(),
                )
            })?;
            Some(Alternative::CheaperRegion(provider, region))
        }
        ("start-later", "") => Some(Alternative::StartLater(SignedDuration::from_mins(
            DELAYS[1],
        ))),
        ("start-later", time) => {
            let later: SignedDuration = time
                .parse()
                .map_err(|_| bad("write the time as in `start-later:30m`".into()))?;
            if !(SignedDuration::ZERO..=SignedDuration::from_hours(1)).contains(&later) {
                return Err(
                    bad("a plan holds for an hour: start at most that much later".into()).into(),
                );
            }
            Some(Alternative::StartLater(later))
        }
        ("lower-quantile", "") => first(|one| matches!(one, Alternative::LowerQuantile(_))),
        ("lower-quantile", level) => {
            let level = level
                .parse::<f64>()
                .ok()
                .filter(|level| (0.01..1.0).contains(level));
            let level = level.ok_or_else(|| {
                bad("a level lies between 0.01 and 1, as in `lower-quantile:0.9`".into())
            })?;
            Some(Alternative::LowerQuantile(level))
        }
        ("raise-threshold", "") => Some(Alternative::RaiseThreshold),
        ("raise-cap", "") => Some(Alternative::RaiseCap),
        ("raise-quota", "") => quotas_to_raise(solved).into_iter().next(),
        ("raise-quota", quota) => {
            let mut bound = quotas_to_raise(solved).into_iter();
            bound.find(|one| one.name() == name).or_else(|| {
                let stated = &prospect.documents.fleet.quotas;
                let known = stated.iter().any(|one| one.name == quota);
                known.then(|| Alternative::RaiseQuota(quota.into()))
            })
        }
        _ => {
            let why = "there is no such recommendation: use scale-down:COMPONENT, cheaper-offer, \
                       cheaper-region:PROVIDER/REGION, start-later:TIME, lower-quantile:LEVEL, raise-threshold, raise-cap or \
                       raise-quota:NAME";
            return Err(bad(why.into()).into());
        }
    };
    Ok(found.ok_or_else(|| bad("nothing of the kind would change this plan".into()))?)
}

/// What may be worth working out for a plan.
fn candidates(
    prospect: &Prospect,
    accepted: &Changed,
    solved: &Solved,
) -> Result<Vec<Alternative>> {
    let mut all = Vec::new();
    let growing = growing(solved);
    let most = growing.iter().map(|(_, one)| one.sla.importance).max();
    let components = &prospect.documents.fleet.components;
    let mut lesser: Vec<&Component> = components
        .iter()
        .filter(|one| most.is_some_and(|most| one.sla.importance < most))
        .collect();
    lesser.sort_by_key(|one| one.sla.importance);
    all.extend(
        lesser
            .iter()
            .map(|one| Alternative::ScaleDown(one.name.to_string())),
    );
    all.push(Alternative::CheaperOffer);
    all.extend(cheapest_elsewhere(prospect, accepted, solved)?);
    all.extend(smallest_that_passes(prospect, accepted, solved, |step| {
        DELAYS
            .get(step)
            .map(|minutes| Alternative::StartLater(SignedDuration::from_mins(*minutes)))
    })?);
    let bought = growing.iter().filter_map(|(index, _)| {
        let forecast = solved.decision.step.components[*index].forecast?;
        Some(forecast.bought_level)
    });
    let bought = bought.fold(0.0, f64::max);
    let lower: Vec<f64> = LEVELS.into_iter().filter(|level| *level < bought).collect();
    all.extend(smallest_that_passes(prospect, accepted, solved, |step| {
        lower
            .get(step)
            .map(|level| Alternative::LowerQuantile(*level))
    })?);
    let fleet = &solved.state.fleet;
    if fleet.mode == Mode::Auto && fleet.approval_threshold.is_some() {
        all.push(Alternative::RaiseThreshold);
    }
    let verdict = solved.state.plan.as_ref().map(|plan| plan.gate.verdict);
    if verdict == Some(GateVerdict::OverCap) {
        all.push(Alternative::RaiseCap);
    }
    Ok(all)
}

/// The quotas that bound, each to be raised.
fn quotas_to_raise(solved: &Solved) -> Vec<Alternative> {
    let limits = solved.state.plan.iter().flat_map(|plan| &plan.limits);
    let mut names: Vec<&String> = limits.filter_map(|limit| limit.quota.as_ref()).collect();
    names.sort();
    names.dedup();
    let raise = |name: &&String| Alternative::RaiseQuota(name.to_string());
    names.iter().map(raise).collect()
}

/// The first of a row of ever stronger alternatives that passes the gate, else the last.
fn smallest_that_passes(
    prospect: &Prospect,
    accepted: &Changed,
    solved: &Solved,
    step: impl Fn(usize) -> Option<Alternative>,
) -> Result<Option<Alternative>> {
    let mut last = None;
    for alternative in (0..).map_while(step) {
        let mut changed = accepted.clone();
        change(&mut changed, prospect, solved, &alternative)?;
        let plan = changed.solve(prospect)?.state.plan;
        last = Some(alternative);
        if plan.is_some_and(|plan| plan.gate.verdict <= GateVerdict::Go) {
            break;
        }
    }
    Ok(last)
}

/// The region with the cheapest plan, of those where nothing may be rented yet.
fn cheapest_elsewhere(
    prospect: &Prospect,
    accepted: &Changed,
    solved: &Solved,
) -> Result<Option<Alternative>> {
    let mut places: Vec<(ProviderKind, Region)> = Vec::new();
    for Offer {
        provider, region, ..
    } in &solved.decision.engine.config().offers
    {
        let used = growing(solved).iter().all(|(_, component)| {
            component
                .placements
                .iter()
                .any(|place| place.provider == *provider && place.region == *region)
        });
        if !used && !places.iter().any(|(p, r)| p == provider && r == region) {
            places.push((*provider, region.clone()));
        }
    }
    let mut best: Option<(i128, Alternative)> = None;
    for (provider, region) in places {
        let alternative = Alternative::CheaperRegion(provider, region);
        let mut changed = accepted.clone();
        change(&mut changed, prospect, solved, &alternative)?;
        let cost = net_cost(&changed.solve(prospect)?.state);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, alternative));
        }
    }
    Ok(best.map(|(_, alternative)| alternative))
}

/// Changes the documents; says what it means in words.
fn change(
    changed: &mut Changed,
    prospect: &Prospect,
    solved: &Solved,
    alternative: &Alternative,
) -> Result<String> {
    let step = &solved.decision.step;
    let growing: Vec<(usize, String)> = growing(solved)
        .into_iter()
        .map(|(index, component)| (index, component.name.to_string()))
        .collect();
    let names: Vec<&str> = growing.iter().map(|(_, name)| name.as_str()).collect();
    let names = names.join(", ");
    let cap = |component: &Component, units: Units, reason: String| Override {
        component: component.name.clone(),
        decision: OverrideDecision::Ceiling(units),
        start: prospect.now,
        expires: prospect.now + PRICED,
        owner: "fleetcast plan --accept".into(),
        reason,
    };
    Ok(match alternative {
        Alternative::ScaleDown(name) => {
            let components = changed.fleet.components.iter().enumerate();
            let Some((index, component)) = components
                .clone()
                .find(|(_, component)| component.name.as_str() == name)
            else {
                return Ok(String::new());
            };
            let report = &step.components[index];
            let have = report.ready + report.pending;
            let median = report.forecast.map_or(have, |forecast| {
                solved.decision.engine.units_for(index, forecast.p50)
            });
            let units = have.min(median).max(component.floor);
            let what = format!(
                "keep the less important `{name}` (importance {}) at {units} units for two hours",
                component.sla.importance
            );
            changed.overrides.push(cap(component, units, what.clone()));
            what
        }
        Alternative::CheaperOffer => {
            for (index, _) in &growing {
                for place in &mut changed.fleet.components[*index].placements {
                    place.offers.clear();
                }
            }
            format!("allow {names} any offer of the catalogue where they run now")
        }
        Alternative::CheaperRegion(provider, region) => {
            for (index, _) in &growing {
                let component = &mut changed.fleet.components[*index];
                let kinds = component
                    .placements
                    .first()
                    .map(|place| place.purchase_kinds.clone());
                component.placements.push(Placement {
                    provider: *provider,
                    region: region.clone(),
                    zones: Vec::new(),
                    offers: Vec::new(),
                    purchase_kinds: kinds.unwrap_or_default(),
                });
            }
            format!("allow {names} {provider}/{region} too, if latency and data may go there")
        }
        Alternative::StartLater(later) => {
            changed.later = *later;
            format!("place the orders {} minutes later", later.as_mins())
        }
        Alternative::LowerQuantile(level) => {
            let what = format!(
                "buy the {} % quantile of the forecast for {names} for two hours",
                (level * 1e4).round() / 1e2
            );
            for (index, _) in &growing {
                let component = &changed.fleet.components[*index];
                let Some(units) = solved.decision.engine.units_at_level(*index, *level) else {
                    continue;
                };
                let units = units.max(component.floor);
                if units < step.components[*index].wanted {
                    changed.overrides.push(cap(component, units, what.clone()));
                }
            }
            what
        }
        Alternative::RaiseThreshold => {
            let cost = solved
                .state
                .plan
                .as_ref()
                .map(|plan| plan.cost.high.micro_usd());
            let cost = cents_up(cost.unwrap_or_default());
            // Raised, never lowered: a change that costs less passes as it is.
            let cost = cost.max(changed.fleet.approval_threshold.unwrap_or_default());
            changed.fleet.approval_threshold = Some(cost);
            format!("raise the approval threshold to {cost}")
        }
        Alternative::RaiseCap => {
            let gate = solved.state.plan.as_ref().map(|plan| &plan.gate);
            let committed = gate.and_then(|gate| gate.cost.as_ref());
            let Some(committed) = committed.map(|cost| cents_up(cost.micro_usd())) else {
                return Ok(String::new());
            };
            if let Some(budget) = &mut changed.fleet.budget {
                budget.hard_cap = Some(committed);
            }
            format!("raise the hard cap of the month to {committed}")
        }
        Alternative::RaiseQuota(name) => {
            let limits = solved.state.plan.iter().flat_map(|plan| &plan.limits);
            let bound = limits.filter(|limit| limit.quota.as_deref() == Some(name));
            let enough = bound.filter_map(|limit| limit.enough).max();
            let quota = changed
                .fleet
                .quotas
                .iter_mut()
                .find(|one| one.name == *name);
            let (Some(quota), Some(enough)) = (quota, enough) else {
                return Ok(String::new());
            };
            let before = quota.limit;
            quota.limit = before.max(enough);
            format!(
                "raise quota `{name}` from {before} to {} {}, once {} has granted it",
                quota.limit,
                quota.counts.name(),
                quota.provider
            )
        }
    })
}

/// The components that the plan adds to.
fn growing(solved: &Solved) -> Vec<(usize, &Component)> {
    let changes = &solved.state.provisional_changes;
    let adds = |component: &Component| {
        changes.iter().any(|change| {
            change.component == component.name
                && change.action != fleetcast_model::ChangeAction::Remove
        })
    };
    let components = solved.state.fleet.components.iter().enumerate();
    components
        .filter(|(_, component)| adds(component))
        .collect()
}

/// What a plan costs at most over the priced hours, less what it gives back; may be under nothing.
fn net_cost(state: &ProvisionalFleetState) -> i128 {
    state.plan.as_ref().map_or(0, |plan| {
        i128::from(plan.cost.high.micro_usd().get()) - i128::from(plan.saves.micro_usd().get())
    })
}

/// How likely the component most at risk is to fall short with the plan carried out.
fn highest_risk(decision: &Decision) -> f64 {
    let changes = decision.engine.changes(&decision.step);
    let components = decision.engine.config().fleet.components.iter().enumerate();
    let risk = |(index, component): (usize, &Component)| {
        let report = &decision.step.components[index];
        let mut units = report.ready + report.pending;
        for change in changes
            .iter()
            .filter(|change| change.bound.component == component.name)
        {
            units = match change.bound.action {
                fleetcast_model::ChangeAction::Remove => units.saturating_sub(change.units),
                _ => units + change.units,
            };
        }
        decision.engine.shortfall_risk(index, units.get())
    };
    components.filter_map(risk).fold(0.0, f64::max)
}

/// The same with what is there now: so it is until a later order serves.
fn risk_unchanged(decision: &Decision) -> f64 {
    let reports = decision.step.components.iter().enumerate();
    let risk = |(index, report): (usize, &fleetcast_model::ComponentReport)| {
        let units = report.ready + report.pending;
        decision.engine.shortfall_risk(index, units.get())
    };
    reports.filter_map(risk).fold(0.0, f64::max)
}

fn cents_up(amount: MicroUsd) -> MicroUsd {
    MicroUsd::new(amount.get().div_ceil(10_000) * 10_000)
}
