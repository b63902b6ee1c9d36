//! One component by itself, within the room that others leave it.

use super::bound::{Residual, certify, room_price};
use super::loads::{Room, Solution};
use super::relax::{Block, CLOSE, Relaxed, all_standing, relax};
use super::search::Search;
use super::terms::{PoolTerms, Terms};

/// Components that share quotas are relaxed together up to so many rows: the work grows with their cube.
const SHARED_ROWS_MAX: usize = 600;

/// The work limit is stated for a component of so many pool-periods, zones counted.
const CELLS_OF_ONE_LIMIT: u64 = 2_000;

/// A component's solution, with a bound of its objective.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    pub(super) solution: Solution,
    /// No solution has a smaller objective, whatever room it has.
    pub(super) bound: i64,
    /// Of the whole demand.
    pub(super) relaxed: Option<Relaxed>,
    pub(super) work: u64,
}

/// Solves one component: a relaxation for prices and a bound, then the search that they lead.
pub(super) fn solve(terms: &Terms, room: &Room, work_limit: u64) -> Solved {
    let pools = worth_renting(terms);
    let needs = Residual::new(terms, room);
    let mut work = 0;
    let block = Block {
        terms,
        needs: &needs,
        pools: &pools,
        quotas: (0..terms.quotas.len()).collect(),
        standing: all_standing(terms),
        known: &[],
    };
    let relaxed = relax(&[block], &needs.quota, CLOSE, &mut work);
    let Some(relaxed) = relaxed.into_iter().next() else {
        return Solved {
            solution: Solution::bound_only(terms),
            bound: 0,
            relaxed: None,
            work,
        };
    };
    let prices = relaxed.prices.clone();
    let bound =
        certify(terms, &needs, &pools, prices) - room_price(&needs.quota, &relaxed.prices.quota);
    let mut search = Search {
        terms,
        room,
        pools: &pools,
        rented: Vec::new(),
        work,
        work_limit: work + work_limit * size_factor(terms),
    };
    let solution = search.run(&relaxed, bound);
    let work = search.work;
    Solved {
        solution,
        bound,
        relaxed: Some(relaxed),
        work,
    }
}

/// Searches on from a solution that fits in the room. What is found is never worse.
pub(super) fn improve(
    terms: &Terms,
    room: &Room,
    from: &Solution,
    relaxed: &Relaxed,
    work_limit: u64,
    work: &mut u64,
) -> Solution {
    let pools = worth_renting(terms);
    let mut search = Search {
        terms,
        room,
        pools: &pools,
        rented: Vec::new(),
        work: *work,
        work_limit: *work + work_limit * size_factor(terms),
    };
    let solution = search.go_on(from, relaxed);
    *work = search.work;
    solution
}

/// A component of many pools and periods may take so many times the stated work.
fn size_factor(terms: &Terms) -> u64 {
    let cells = terms.pools.len() * terms.periods * (1 + terms.zones);
    (cells as u64 / CELLS_OF_ONE_LIMIT).max(1)
}

/// Prices of the quotas that several components share, and a bound of all their objectives together. `room` is left
/// of the quotas in `shared` beside what is bound.
pub(super) fn share(
    all: &[&Terms],
    shared: &[usize],
    room: &[Vec<i64>],
    work: &mut u64,
) -> Option<(Vec<Vec<i64>>, i64)> {
    let pools: Vec<Vec<usize>> = all.iter().map(|terms| worth_renting(terms)).collect();
    let open = |terms: &Terms| vec![vec![super::terms::NEVER; terms.periods]; terms.quotas.len()];
    let needs: Vec<Residual> = all
        .iter()
        .map(|terms| Residual::new(terms, &Room::new(terms, open(terms))))
        .collect();
    let rows = |needs: &Residual| {
        let all = needs.demand.iter().chain(needs.spare.iter().flatten());
        all.filter(|units| **units > 0).count()
    };
    if needs.iter().map(rows).sum::<usize>() > SHARED_ROWS_MAX {
        return None;
    }
    let place = |quota: &usize| shared.binary_search(quota).unwrap_or_default();
    let blocks: Vec<Block> = (all.iter().zip(&needs).zip(&pools))
        .map(|((terms, needs), pools)| Block {
            terms,
            needs,
            pools,
            quotas: terms.quotas.iter().map(place).collect(),
            standing: all_standing(terms),
            known: &[],
        })
        .collect();
    let relaxed = relax(&blocks, room, CLOSE, work);
    let mut prices = vec![vec![0; room.first().map_or(0, Vec::len)]; shared.len()];
    let mut bound = 0;
    for (block, relaxed) in blocks.iter().zip(relaxed) {
        for (quota, price) in block.quotas.iter().zip(&relaxed.prices.quota) {
            prices[*quota].clone_from(price);
        }
        bound += certify(block.terms, block.needs, block.pools, relaxed.prices);
    }
    bound -= room_price(room, &prices);
    Some((prices, bound))
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
            b.quotas
                .iter()
                .any(|(other, more)| other == quota && each <= more)
        })
}
