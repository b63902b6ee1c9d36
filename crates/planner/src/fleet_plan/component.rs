//! One component by itself, within the room that others leave it.

use super::bound::{Residual, certify};
use super::loads::{Room, Solution};
use super::relax::relax;
use super::search::Search;
use super::terms::{PoolTerms, Terms};

/// A component's solution, with a bound of its objective.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    pub(super) solution: Solution,
    /// No solution has a smaller objective, whatever room it has.
    pub(super) bound: i64,
    pub(super) work: u64,
}

/// Solves one component: a relaxation for prices and a bound, then the search that they lead.
pub(super) fn solve(terms: &Terms, room: &Room, work_limit: u64) -> Solved {
    let pools = worth_renting(terms);
    let needs = Residual::new(terms, room);
    let mut work = 0;
    let relaxed = relax(terms, &needs, &pools, &mut work, work_limit / 2);
    let bound = certify(terms, &needs, &pools, relaxed.prices.clone());
    let mut search = Search {
        terms,
        room,
        pools: &pools,
        work,
        work_limit: work + work_limit,
    };
    let solution = search.run(&relaxed);
    Solved {
        solution,
        bound,
        work: search.work,
    }
}

/// The pools that no other one makes useless: as many units in the same place, no dearer, no slower, no longer bound,
/// and of no quota that this one does not take from as much.
fn worth_renting(terms: &Terms) -> Vec<usize> {
    let stands = |place: usize| terms.standing.iter().any(|s| s.pool == place);
    let mut kept: Vec<usize> = Vec::new();
    let mut order: Vec<usize> = (0..terms.pools.len()).collect();
    order.sort_by_key(|&place| {
        let pool = &terms.pools[place];
        (pool.first_cost(), pool.again_bill, pool.quotas.len(), place)
    });
    for place in order {
        let pool = &terms.pools[place];
        let useless = kept.iter().any(|&other| beats(&terms.pools[other], pool));
        if !useless || stands(place) {
            kept.push(place);
        }
    }
    kept.sort_unstable();
    kept
}

/// Whether renting `a` is never worse than renting `b`.
fn beats(a: &PoolTerms, b: &PoolTerms) -> bool {
    a.units == b.units
        && a.zone == b.zone
        && a.lead <= b.lead
        && a.first <= b.first
        && b.first.is_multiple_of(a.first)
        && b.again.is_multiple_of(a.again)
        && a.first_cost() + (b.first - a.first).div_ceil(a.again) as i64 * a.again_bill
            <= b.first_cost()
        && (b.again / a.again) as i64 * a.again_bill <= b.again_bill
        && a.quotas.iter().all(|(quota, each)| {
            b.quotas.iter().any(|(other, more)| other == quota && each <= more)
        })
}
