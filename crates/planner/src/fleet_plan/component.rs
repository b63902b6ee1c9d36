//! One component by itself, within the room that others leave it.

use super::bound::{Residual, certify, room_price};
use super::guide::Stated;
use super::loads::{Room, Solution, Span};
use super::relax::{Block, CLOSE, Relaxed, all_standing, relax};
use super::search::Search;
use super::terms::{PoolTerms, Terms};

/// Components that share quotas are relaxed together up to so many rows: the work grows with their cube.
const SHARED_ROWS_MAX: usize = 600;

/// The work limit is stated for a component of so many pool-periods, zones counted.
const CELLS_OF_ONE_LIMIT: u64 = 2_000;

/// Each so many doublings beyond it add the proportional work once more.
const DOUBLINGS: u64 = 4;

/// A table fills at most this part of a search's work, and so many cells: more is better spent on more tables.
const TABLE_PART: u64 = 30;
const TABLE_MIN: u64 = 1_000;
const TABLE_MAX: u64 = 100_000;

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

/// What sees each better solution.
type Found<'f> = &'f mut dyn FnMut(&Solution);

/// Solves one component: a first solution, a relaxation for prices and a bound, then the search that they lead.
pub(super) fn solve(terms: &Terms, room: &Room, work_limit: u64) -> Solved {
    let mut solved = first(terms, room, &mut |_| ());
    lead(terms, room, &mut solved, &mut |_| ());
    search_on(terms, room, &mut solved, work_limit, 0, &mut |_| ());
    solved
}

/// A first solution, found without a relaxation.
pub(super) fn first(terms: &Terms, room: &Room, found: Found) -> Solved {
    let pools = worth_renting(terms);
    let mut search = Search::new(terms, room, &pools, (0, None), found);
    let solution = search.first();
    Solved {
        solution,
        bound: 0,
        relaxed: None,
        work: search.work,
    }
}

/// The relaxation: a bound, prices, and a solution by rounding it.
pub(super) fn lead(terms: &Terms, room: &Room, solved: &mut Solved, found: Found) {
    let pools = worth_renting(terms);
    let mut known: Vec<Span> = solved.solution.runs.spans().collect();
    known.retain(|span| span.standing.is_none());
    let Some((relaxed, bound)) = bounded(terms, room, &pools, &known, &mut solved.work) else {
        return;
    };
    solved.bound = bound;
    let mut search = Search::new(terms, room, &pools, (solved.work, None), found);
    let first = solved.solution.clone();
    solved.solution = search.rounded(first, &relaxed);
    solved.work = search.work;
    solved.relaxed = Some(relaxed);
}

/// What no solution has a smaller objective than.
pub(super) fn bound(terms: &Terms, room: &Room, work: &mut u64) -> i64 {
    bounded(terms, room, &worth_renting(terms), &[], work).map_or(0, |(_, bound)| bound)
}

/// The relaxation with its bound; `known` are runs to look at first.
fn bounded(
    terms: &Terms,
    room: &Room,
    pools: &[usize],
    known: &[Span],
    work: &mut u64,
) -> Option<(Relaxed, i64)> {
    let needs = Residual::new(terms, room);
    let block = Block {
        terms,
        needs: &needs,
        pools,
        quotas: (0..terms.quotas.len()).collect(),
        standing: all_standing(terms),
        known,
    };
    let relaxed = relax(&[block], &[], &needs.quota, CLOSE, work);
    let relaxed = relaxed.into_iter().next()?;
    let room_price = room_price(&needs.quota, &relaxed.prices.quota);
    let bound = certify(terms, &needs, pools, relaxed.prices.clone()) - room_price;
    Some((relaxed, bound))
}

/// Searches on, led by the relaxation. Says whether more work may find more.
pub(super) fn search_on(
    terms: &Terms,
    room: &Room,
    solved: &mut Solved,
    work_limit: u64,
    number: u64,
    found: Found,
) -> bool {
    let Some(relaxed) = &solved.relaxed else {
        return false;
    };
    let pools = worth_renting(terms);
    let limits = (solved.work, Some(work_limit));
    let mut search = Search::new(terms, room, &pools, limits, found);
    let gave_up = search.go_on(&mut solved.solution, relaxed, solved.bound, number);
    solved.work = search.work;
    !gave_up
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
    let (limits, found) = ((*work, Some(work_limit)), &mut |_: &Solution| ());
    let mut search = Search::new(terms, room, &pools, limits, found);
    let mut solution = from.clone();
    search.sweep(&mut solution, Stated::new(terms).prices(terms));
    search.go_on(&mut solution, relaxed, 0, 0);
    *work = search.work;
    solution
}

impl<'a, 'f> Search<'a, 'f> {
    /// A search that has done so much work, and may do so much more of the stated work for this component.
    fn new(
        terms: &'a Terms,
        room: &'a Room,
        pools: &'a [usize],
        (work, more): (u64, Option<u64>),
        found: Found<'f>,
    ) -> Self {
        let more = more.map(|more| more * size_factor(terms));
        // Of little work, much goes into many small tables.
        let table_max = |more: u64| (more / TABLE_PART).clamp(TABLE_MIN, TABLE_MAX) as usize;
        Self {
            terms,
            room,
            pools,
            rented: Vec::new(),
            work,
            work_limit: more.map_or(u64::MAX, |more| work + more),
            table_max: more.map_or(0, table_max),
            found,
        }
    }
}

/// A component of many pools and periods may take so many times the stated work: more than in proportion, because the ways to
/// combine them grow faster than they do.
fn size_factor(terms: &Terms) -> u64 {
    let cells = terms.pools.len() * terms.periods * (1 + terms.zones);
    let times = (cells as u64 / CELLS_OF_ONE_LIMIT).max(1);
    times + times * u64::from(times.ilog2()) / DOUBLINGS
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
    let needs: Vec<Residual> = all
        .iter()
        .map(|terms| Residual::new(terms, &Room::open(terms)))
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
    let relaxed = relax(&blocks, &[], room, CLOSE, work);
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
