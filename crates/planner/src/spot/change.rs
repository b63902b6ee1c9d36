//! From the fleet that is there to the composition that should be there.

use fleetcast_model::{Cohort, InstanceRange, OfferIndex, Plan, Units};

use crate::plan::{OfferChoice, PlanInput, release_cohorts};
use crate::spot::{Composition, Part};

/// A misfit of less than this part of what is wanted is not worth a change: fleets rise and fall all day.
const SLACK: u64 = 20;

/// A component's problem whose composition has been found.
#[derive(Clone, Debug)]
pub struct ComposedInput<'a> {
    /// The problem; its `wanted` is without the cover.
    pub plan: PlanInput<'a>,
    /// What it should be made of.
    pub composition: &'a Composition,
    /// The domain of each of the problem's offers, in their order; `None`: firm.
    pub domains: &'a [Option<u16>],
    /// Whether spot has just been lost or refused somewhere: what is missing is bought on demand.
    pub falling_back: bool,
    /// Shut pools to ask again, by an order of one instance each.
    pub probes: &'a [OfferIndex],
}

/// Chooses what to order or to release on the way to the composition.
///
/// Nothing firm is given back before what replaces it serves, and nothing is moved for less than a twentieth of
/// the fleet.
pub fn plan_composed(input: &ComposedInput) -> Plan {
    let problem = &input.plan;
    let mut plan = Plan::keep(problem.component, target(input));
    let alive: u64 = problem
        .cohorts
        .iter()
        .map(|c| alive_units(problem, c))
        .sum();
    order(input, alive, &mut plan);
    if plan.orders.is_empty() {
        release(input, alive, &mut plan);
    }
    plan
}

/// Units that should be there: what is wanted and the cover, under the ceiling.
fn target(input: &ComposedInput) -> Units {
    let least = input.plan.wanted.max(input.plan.floor);
    Units::new(input.composition.units())
        .max(least)
        .min(input.plan.ceiling)
}

fn order(input: &ComposedInput, alive: u64, plan: &mut Plan) {
    let problem = &input.plan;
    let mut room = problem.ceiling.get().saturating_sub(alive);
    let mut missing = plan.wanted.get().saturating_sub(alive);
    // Demand that nothing on its way serves is bought where it is sure to be had.
    let unserved = problem
        .wanted
        .max(problem.floor)
        .get()
        .saturating_sub(alive);
    let mut firm_ordered = 0;
    if input.falling_back && unserved > 0 {
        let firm = firm_offer(input);
        firm_ordered = firm.map_or(0, |firm| push(problem, firm, unserved, &mut room, plan));
        missing = missing.saturating_sub(firm_ordered);
    }
    let mut deficits: Vec<(u64, &Part)> = input
        .composition
        .parts
        .iter()
        .map(|part| {
            (
                part.units.saturating_sub(units_of(problem, part.offer)),
                part,
            )
        })
        .filter(|(deficit, part)| *deficit > 0 && !(part.domain.is_none() && firm_ordered > 0))
        .collect();
    deficits.sort_by_key(|(deficit, part)| (std::cmp::Reverse(*deficit), part.offer));
    let rebuild = misfit(input);
    for (deficit, part) in deficits {
        let units = if rebuild {
            deficit
        } else {
            deficit.min(missing)
        };
        if let Some(choice) = choice(problem, part.offer).filter(|_| units > 0) {
            let ordered = push(problem, choice, units, &mut room, plan);
            missing = missing.saturating_sub(ordered);
        }
    }
    for offer in input.probes {
        if let Some(choice) = choice(problem, *offer) {
            push(problem, choice, 1, &mut room, plan);
        }
    }
}

/// Whether the fleet is so far from the composition that parts of it are to be moved: dear firm capacity where
/// spot would do, or a domain too many units of which could be lost at once.
fn misfit(input: &ComposedInput) -> bool {
    let problem = &input.plan;
    let slack = (problem.wanted.get() / SLACK).max(1);
    let (mut firm, mut alive, mut domains) = (0, 0, Vec::<(u16, u64)>::new());
    for cohort in problem.cohorts {
        let units = alive_units(problem, cohort);
        alive += units;
        match domain_of(input, cohort.offer) {
            None => firm += units,
            Some(domain) => match domains.iter_mut().find(|(known, _)| *known == domain) {
                Some((_, sum)) => *sum += units,
                None => domains.push((domain, units)),
            },
        }
    }
    let composition = input.composition;
    let parts = composition.parts.iter();
    let firm_target: u64 = parts
        .filter(|part| part.domain.is_none())
        .map(|part| part.units)
        .sum();
    let largest = domains.iter().map(|(_, units)| *units).max().unwrap_or(0);
    let left_target = composition.units() - composition.largest_domain();
    firm > firm_target + slack || alive - largest + slack < left_target
}

/// Adds an order of whole instances as far as there is room; returns its units.
fn push(
    problem: &PlanInput,
    choice: OfferChoice,
    units: u64,
    room: &mut u64,
    plan: &mut Plan,
) -> u64 {
    let each = u64::from(choice.units_each.max(1));
    let instances = units.div_ceil(each).min(*room / each);
    if instances == 0 || u32::try_from(instances).is_err() {
        return 0;
    }
    *room -= instances * each;
    plan.orders.push(choice.order(instances, problem.ready_by));
    instances * each
}

fn release(input: &ComposedInput, alive: u64, plan: &mut Plan) {
    let problem = &input.plan;
    let mut surplus = alive.saturating_sub(plan.wanted.get());
    let (ready, _) = problem.ready_and_pending();
    let mut spare_ready = ready.saturating_sub(plan.wanted.get());
    // What serves of a part beyond its target; firm capacity first, because it is the dearest.
    let mut offers: Vec<OfferIndex> = problem.offers.iter().map(|choice| choice.offer).collect();
    offers.sort_by_key(|offer| (domain_of(input, *offer).is_some(), *offer));
    for serving in [false, true] {
        for offer in &offers {
            let parts = input.composition.parts.iter();
            let wanted: u64 = parts
                .filter(|part| part.offer == *offer)
                .map(|part| part.units)
                .sum();
            let kept = units_of(problem, *offer) - released_of(problem, plan, *offer);
            let mut most = kept.saturating_sub(wanted).min(surplus);
            if serving {
                most = most.min(spare_ready);
            }
            let own = |cohort: &Cohort| cohort.offer == *offer;
            let freed = release_cohorts(problem, plan, serving, most, own);
            surplus -= freed;
            if serving {
                spare_ready -= freed;
            }
        }
    }
}

/// Units of an offer that a plan gives back already.
fn released_of(problem: &PlanInput, plan: &Plan, offer: OfferIndex) -> u64 {
    let of = |range: &InstanceRange| {
        let own = |cohort: &&Cohort| cohort.has(range);
        problem
            .cohorts
            .iter()
            .find(own)
            .filter(|cohort| cohort.offer == offer)
            .map_or(0, |cohort| {
                u64::from(range.count) * problem.units_each(cohort)
            })
    };
    plan.releases.iter().map(of).sum()
}

/// Units of a cohort that serve or will serve.
fn alive_units(problem: &PlanInput, cohort: &Cohort) -> u64 {
    if cohort.state.is_counted() {
        u64::from(cohort.count) * problem.units_each(cohort)
    } else {
        0
    }
}

/// Units of an offer that serve or will serve.
fn units_of(problem: &PlanInput, offer: OfferIndex) -> u64 {
    let own = problem
        .cohorts
        .iter()
        .filter(|cohort| cohort.offer == offer);
    own.map(|cohort| alive_units(problem, cohort)).sum()
}

fn choice(problem: &PlanInput, offer: OfferIndex) -> Option<OfferChoice> {
    let mut choices = problem.offers.iter();
    choices.find(|choice| choice.offer == offer).copied()
}

/// The cheapest firm offer by the unit.
fn firm_offer(input: &ComposedInput) -> Option<OfferChoice> {
    let problem = &input.plan;
    let firm = problem.offers.iter().zip(input.domains);
    let firm = firm
        .filter(|(_, domain)| domain.is_none())
        .map(|(choice, _)| *choice);
    firm.reduce(|best, choice| {
        let price =
            |a: OfferChoice, b: OfferChoice| u128::from(a.price.get()) * u128::from(b.units_each);
        if price(choice, best) < price(best, choice) {
            choice
        } else {
            best
        }
    })
}

fn domain_of(input: &ComposedInput, offer: OfferIndex) -> Option<u16> {
    let at = input
        .plan
        .offers
        .iter()
        .position(|choice| choice.offer == offer)?;
    input.domains.get(at).copied().flatten()
}
