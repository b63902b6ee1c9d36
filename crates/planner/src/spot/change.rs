//! From the fleet that is there to the composition that should be there.

use fleetcast_model::{Cohort, InstanceRange, OfferIndex, Plan, Units};

use crate::plan::{OfferChoice, PlanInput, release_cohorts};
use crate::spot::{Composition, Part};

/// A misfit of less than this part of what is wanted is not worth a change: fleets rise and fall all day.
const SLACK: u64 = 20;
/// Whole parts of a fleet are moved for the sake of prices where a unit costs so many hundredths more than it would.
const DEARER_PERCENT: u128 = 10;

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
/// spot would do, a domain too many units of which could be lost at once, or prices that have moved apart.
fn misfit(input: &ComposedInput) -> bool {
    let problem = &input.plan;
    let slack = (problem.wanted.get() / SLACK).max(1);
    let (mut firm, mut alive, mut domains) = (0, 0, Vec::<(u16, u64)>::new());
    let (mut priced, mut price) = (0_u128, 0_u128);
    for cohort in problem.cohorts {
        let units = alive_units(problem, cohort);
        alive += units;
        if let Some(choice) = choice(problem, cohort.offer).filter(|_| units > 0) {
            priced += u128::from(units);
            price += u128::from(choice.price.get()) * u128::from(cohort.count);
        }
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
    let best = u128::from(composition.price.get()) * priced * (100 + DEARER_PERCENT);
    let dear = price * u128::from(composition.units()) * 100 > best;
    firm > firm_target + slack || alive - largest + slack < left_target || dear
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
    // What serves of a part beyond its target, the dearest unit first; among equals firm capacity.
    let mut choices: Vec<OfferChoice> = problem.offers.to_vec();
    choices.sort_by(|a, b| {
        let spot = |choice: &OfferChoice| domain_of(input, choice.offer).is_some();
        b.cmp_price(a)
            .then((spot(a), a.offer).cmp(&(spot(b), b.offer)))
    });
    let offers: Vec<OfferIndex> = choices.iter().map(|choice| choice.offer).collect();
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
    let firm = firm.filter(|(_, domain)| domain.is_none());
    let firm = firm.map(|(choice, _)| *choice);
    firm.min_by(OfferChoice::cmp_price)
}

fn domain_of(input: &ComposedInput, offer: OfferIndex) -> Option<u16> {
    let at = input
        .plan
        .offers
        .iter()
        .position(|choice| choice.offer == offer)?;
    input.domains.get(at).copied().flatten()
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{Billing, ComponentIndex, InstanceState, MicroUsdPerHour, Token};
    use jiff::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_772_409_600, 0);

    fn choice(offer: u16, price: u64) -> OfferChoice {
        OfferChoice {
            offer: OfferIndex(offer),
            units_each: 1,
            price: MicroUsdPerHour::new(price),
            lifetime_seconds: 0,
            billing: Billing {
                minimum_seconds: 0,
                granularity_seconds: 1,
            },
        }
    }

    fn serving(offer: u16, count: u32) -> Cohort {
        Cohort {
            token: Token::of(&[&offer.to_le_bytes()]),
            first: 0,
            count,
            component: ComponentIndex(0),
            offer: OfferIndex(offer),
            state: InstanceState::InService,
            since: NOW,
        }
    }

    /// Plans for forty units that are all of offer 1 so far, and should be of offer 2: spot at these prices in two zones.
    fn moved(first: u64, second: u64, cohorts: &[Cohort]) -> Plan {
        let offers = [choice(0, 1_000), choice(1, first), choice(2, second)];
        let composition = Composition {
            parts: vec![Part {
                offer: OfferIndex(2),
                instances: 40,
                units: 40,
                domain: Some(1),
            }],
            price: MicroUsdPerHour::new(40 * second),
            ..Composition::default()
        };
        plan_composed(&ComposedInput {
            plan: PlanInput {
                component: ComponentIndex(0),
                now: NOW,
                ready_by: NOW,
                floor: Units::ZERO,
                ceiling: Units::new(1_000),
                wanted: Units::new(40),
                cohorts,
                offers: &offers,
                drain_most: Units::new(1_000),
                bills: None,
            },
            composition: &composition,
            domains: &[None, Some(0), Some(1)],
            falling_back: false,
            probes: &[],
        })
    }

    #[test]
    fn a_fleet_moves_for_prices_that_save_more_than_a_tenth() {
        let there = [serving(1, 40)];
        assert_eq!(moved(440, 400, &there).ordered(), Units::ZERO);
        assert_eq!(moved(441, 400, &there).ordered(), Units::new(40));
    }

    #[test]
    fn what_moves_is_ordered_once_and_the_dearest_leaves_when_the_new_serves() {
        let pending = Cohort {
            state: InstanceState::Booting,
            ..serving(2, 40)
        };
        let waits = moved(500, 400, &[serving(1, 40), pending]);
        assert!(waits.is_empty(), "{waits:?}");
        // More firm than the composition has, though a unit of it is cheaper than the spot that is left.
        let there = [serving(0, 1), serving(1, 40), serving(2, 40)];
        let plan = moved(1_200, 400, &there);
        assert_eq!(
            (plan.ordered(), plan.drained),
            (Units::ZERO, Units::new(41))
        );
        assert_eq!(plan.releases[0].token, there[1].token);
    }
}
