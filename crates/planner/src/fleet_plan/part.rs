//! What a plan says of a component: its runs, what is missing and which limit binds, and what lifting that brings.

use fleetcast_model::{MicroUsd, Units};

use super::answer::{Binding, Cost, Lift, Missing, Origin, Part, Run, Unmet};
use super::component::Solved;
use super::fleet::{Left, Planner};
use super::loads::{Loads, Solution};
use super::problem::PoolIndex;
use super::terms::Terms;

impl Planner<'_, '_> {
    /// What the plan says of a component.
    pub(super) fn part(
        &self,
        place: usize,
        solution: &Solution,
        alone: &Solved,
        left: &Left,
        cut: Option<Binding>,
    ) -> Part {
        let (terms, need) = (&self.terms[place], &self.problem.components[place]);
        let runs = solution.runs.iter().map(|(span, count)| Run {
            from: span.from,
            until: span.until,
            pool: PoolIndex(terms.pools[span.pool as usize].pool),
            origin: span.standing.map_or(Origin::New, Origin::Standing),
            count,
        });
        let mut runs: Vec<Run> = runs.collect();
        runs.sort_unstable();
        let mut unmet = Vec::new();
        for t in 0..terms.periods {
            for what in [Missing::Demand, Missing::ZoneSpare] {
                let units = missing(terms, &solution.loads, t, what);
                if units == 0 {
                    continue;
                }
                unmet.push(Unmet {
                    period: t as u32,
                    units: Units::new(units.unsigned_abs()),
                    what,
                    binding: self.binding(place, solution, alone, left, cut, (t, what)),
                });
            }
        }
        let mut part = Part {
            component: need.component,
            runs,
            unmet,
            lifts: Vec::new(),
            cost: cost(terms, solution),
        };
        part.lifts = lifts(terms, &part, alone);
        part
    }

    /// Why units are missing in a period.
    fn binding(
        &self,
        place: usize,
        solution: &Solution,
        alone: &Solved,
        left: &Left,
        cut: Option<Binding>,
        (t, what): (usize, Missing),
    ) -> Binding {
        let terms = &self.terms[place];
        let missing = |solution: &Solution| missing(terms, &solution.loads, t, what);
        if terms.pools.is_empty() {
            return Binding::NoOffer;
        }
        let soonest = terms.pools.iter().map(|pool| pool.lead).min();
        if soonest.is_some_and(|lead| lead > t) {
            return Binding::Lead;
        }
        // Alone it would be there: it is what others have.
        if let Some(cut) = cut
            && missing(&alone.solution) < missing(solution)
        {
            return cut;
        }
        let quota = terms.quotas.iter().enumerate().find(|(local, quota)| {
            let uses = terms.pools.iter().flat_map(|pool| &pool.quotas);
            let least = uses
                .filter(|(of, _)| of == local)
                .map(|(_, each)| *each)
                .min();
            least.is_some_and(|least| left.quota[**quota][t] < least)
        });
        let least = terms.pools.iter().map(|pool| pool.units).min().unwrap_or(1);
        if solution.loads.there[t] + least > terms.ceiling {
            return Binding::Ceiling;
        }
        if let Some((_, quota)) = quota {
            return Binding::Quota(*quota as u32);
        }
        match what {
            Missing::ZoneSpare if terms.zones < 2 => Binding::Zones,
            Missing::Demand if terms.priced => Binding::Price,
            _ => cut.unwrap_or(Binding::Ceiling),
        }
    }
}

/// Units that are missing of something in a period.
fn missing(terms: &Terms, loads: &Loads, period: usize, what: Missing) -> i64 {
    match what {
        Missing::Demand => terms.short_of(loads, period),
        Missing::ZoneSpare => terms.bare_of(loads, period),
    }
}

/// What lifting limits would bring back, where the component alone shows it.
fn lifts(terms: &Terms, part: &Part, alone: &Solved) -> Vec<Lift> {
    let limits = part.unmet.iter().map(|unmet| unmet.binding);
    let binding = limits
        .into_iter()
        .find(|b| matches!(b, Binding::Budget | Binding::Quota(_)));
    let Some(binding) = binding else {
        return Vec::new();
    };
    let free = cost(terms, &alone.solution);
    let short = |t: usize| terms.short_of(&alone.solution.loads, t).unsigned_abs();
    let back = part
        .unmet_unit_periods(Missing::Demand)
        .saturating_sub((0..terms.periods).map(short).sum());
    vec![Lift {
        binding,
        unit_periods: back,
        price: free.total().saturating_sub(part.cost.total()),
        saving: part.cost.total().saturating_sub(free.total()),
    }]
}

fn cost(terms: &Terms, solution: &Solution) -> Cost {
    let money = |value: i64| MicroUsd::new(value.unsigned_abs());
    let bill = solution.bill(terms);
    let short = |t: usize| terms.short_of(&solution.loads, t) * terms.short;
    Cost {
        bill: money(bill),
        starts: money(solution.paid - bill),
        shortage: if terms.priced {
            money((0..terms.periods).map(short).sum())
        } else {
            MicroUsd::ZERO
        },
    }
}
