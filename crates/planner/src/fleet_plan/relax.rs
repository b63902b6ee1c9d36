//! The relaxation in fractions of instances: a revised simplex whose columns are runs, found as they are needed.
//!
//! Rows are the demand of each period, unless spare asks for as much, the spare of each zone and period, and the number of standing instances, of one
//! component or of several, and the quotas that they share. It starts from missing everything, which is always possible,
//! and takes in the run that earns most for its cost until none earns more than it costs. Its prices are then made exact by `bound`, its runs rounded by
//! `search`.

use super::bound::{Residual, UnitPrices};
use super::loads::Span;
use super::simplex::{Candidates, Simplex};
use super::terms::Terms;

/// So many pivots are made at most, and so many more for each row; a few for each row are enough nearly always.
const PIVOTS_MIN: usize = 100;
const PIVOTS_PER_ROW: usize = 100;

/// A component in a relaxation.
pub(super) struct Block<'a> {
    pub(super) terms: &'a Terms,
    pub(super) needs: &'a Residual,
    pub(super) pools: &'a [usize],
    /// Where its quotas are among those of the relaxation.
    pub(super) quotas: Vec<usize>,
    /// Standing instances of each kind that may still go on.
    pub(super) standing: Vec<i64>,
    /// Runs to look at first.
    pub(super) known: &'a [Span],
}

/// All standing instances of a component.
pub(super) fn all_standing(terms: &Terms) -> Vec<i64> {
    terms.standing.iter().map(|s| i64::from(s.count)).collect()
}

/// Candidates are looked for again when the best one left gains less than this share of what the first one did.
const STALE: f64 = 0.5;
/// How much the prices that runs are looked for at keep of the best ones so far.
const SMOOTHING: f64 = 0.7;
/// It ends when its bound is so near to its cost; where it is to be rounded and proves nothing, earlier.
pub(super) const CLOSE: f64 = 5e-4;
pub(super) const ROUGH: f64 = 3e-3;
/// Times that quotas which are passed get rows, before all periods of those get them.
const ROUNDS: usize = 3;

impl Block<'_> {
    /// The most that a unit in a period can be worth: a run of its own would cost that. `None` where there may be
    /// none. The simplex starts from missing everything at this price, which is nearer than that of really missing it.
    pub(super) fn dearest(&self, needed: i64, t: usize, zone: Option<usize>) -> Option<f64> {
        let pools = self.pools.iter().map(|pool| &self.terms.pools[*pool]);
        let fits = pools.filter(|pool| {
            pool.lead <= t && pool.quotas.is_empty() && zone.is_none_or(|zone| zone != pool.zone)
        });
        let each = fits.map(|pool| {
            let prolonged = if self.terms.stateful {
                self.terms.periods - t
            } else {
                0
            };
            let more = prolonged.div_ceil(pool.again) as i64 * pool.again_bill;
            1.001 * (pool.first_cost() + more) as f64 / pool.units.min(needed).max(1) as f64
        });
        each.min_by(f64::total_cmp)
    }

    /// Whether what is needed without any one zone asks for all of a period's demand as well: the sum of those rows is no
    /// weaker than the demand's own row for any of its sizes, and none of them is cheaper missed than met.
    pub(super) fn spare_suffices(&self, alike: &[(i64, usize)], t: usize) -> bool {
        let demand = i128::from(self.needs.demand[t]);
        let zones = || self.needs.spare.iter().enumerate();
        let spare = || zones().map(|(zone, units)| (zone, i128::from(units[t].max(0))));
        let asked: i128 = spare().map(|(_, units)| units).sum();
        let met = |(zone, units): (usize, &Vec<i64>)| {
            let least = self.dearest(units[t], t, Some(zone));
            units[t] <= 0 || least.is_some_and(|least| least <= self.terms.no_spare as f64)
        };
        let implies = |(units, own): &(i64, usize)| {
            let units = i128::from(*units);
            let others = spare().filter(|(zone, _)| zone != own);
            let counts: i128 = others.map(|(_, spare)| spare.min(units)).sum();
            counts * demand <= asked * units.min(demand)
        };
        // Whether they can be met is asked last: that looks at all pools.
        asked > 0 && alike.iter().all(implies) && zones().all(met)
    }

    /// Units and zones of its pools, each once, and which of them each pool has.
    pub(super) fn alike(&self) -> (Vec<(i64, usize)>, Vec<usize>) {
        let mut alike: Vec<(i64, usize)> = Vec::new();
        let place = |pool: &usize| {
            let pool = &self.terms.pools[*pool];
            let own = (pool.units, pool.zone);
            let found = alike.iter().position(|other| *other == own);
            found.unwrap_or_else(|| {
                alike.push(own);
                alike.len() - 1
            })
        };
        let of = self.pools.iter().map(place).collect();
        (alike, of)
    }
}

/// What the relaxation found for one component.
#[derive(Clone, Debug)]
pub(super) struct Relaxed {
    /// Prices of units; whole ones.
    pub(super) prices: UnitPrices,
    /// Runs, and how many instances of each.
    pub(super) runs: Vec<(Span, f64)>,
    /// Cells that it took.
    pub(super) work: u64,
}

/// Solves the relaxation, or stops after many pivots: the prices are good for a bound all the same. `from` is what a
/// relaxation much like this one found for each block, or nothing: its runs and prices are looked at first.
pub(super) fn relax(
    blocks: &[Block],
    from: &[&Relaxed],
    room: &[Vec<i64>],
    close: f64,
    work: &mut u64,
) -> Vec<Relaxed> {
    let before = *work;
    let mut all = heeding(blocks, from, room, close, work);
    all.iter_mut()
        .for_each(|relaxed| relaxed.work = *work - before);
    all
}

/// Most quotas bind nowhere: those that are passed without their rows get rows, and it is solved again.
fn heeding(
    blocks: &[Block],
    from: &[&Relaxed],
    room: &[Vec<i64>],
    close: f64,
    work: &mut u64,
) -> Vec<Relaxed> {
    let mut before: Vec<Relaxed> = Vec::new();
    let mut heeded: Vec<Vec<bool>> = room.iter().map(|left| vec![false; left.len()]).collect();
    for _ in 0..ROUNDS {
        let known: Vec<&Relaxed> = before.iter().collect();
        let from = if known.is_empty() { from } else { &known };
        let relaxed = solved(blocks, from, room, &heeded, close, work);
        let mut passed = false;
        for (quota, taken) in taken(blocks, room, &relaxed).into_iter().enumerate() {
            for (t, taken) in taken.into_iter().enumerate() {
                if taken > room[quota][t] as f64 + 1e-3 && !heeded[quota][t] {
                    heeded[quota][t] = true;
                    passed = true;
                }
            }
        }
        if !passed {
            return relaxed;
        }
        before = relaxed;
    }
    let all: Vec<Vec<bool>> = heeded
        .iter()
        .map(|quota| vec![quota.contains(&true); quota.len()])
        .collect();
    let known: Vec<&Relaxed> = before.iter().collect();
    solved(blocks, &known, room, &all, close, work)
}

/// What the runs take of the quotas.
fn taken(blocks: &[Block], room: &[Vec<i64>], relaxed: &[Relaxed]) -> Vec<Vec<f64>> {
    let mut taken: Vec<Vec<f64>> = room.iter().map(|left| vec![0.0; left.len()]).collect();
    for (block, relaxed) in blocks.iter().zip(relaxed) {
        for (span, count) in &relaxed.runs {
            let from = match span.standing {
                Some(of) => block.terms.standing[of as usize].bound,
                None => span.from as usize,
            };
            for (local, each) in &block.terms.pools[span.pool as usize].quotas {
                let quota = &mut taken[block.quotas[*local]];
                let periods = quota.iter_mut().take(span.until as usize).skip(from);
                periods.for_each(|taken| *taken += count * *each as f64);
            }
        }
    }
    taken
}

fn solved(
    blocks: &[Block],
    from: &[&Relaxed],
    room: &[Vec<i64>],
    heeded: &[Vec<bool>],
    close: f64,
    work: &mut u64,
) -> Vec<Relaxed> {
    let mut simplex = Simplex::new(blocks, from, room, heeded);
    let mut candidates = Candidates {
        warm: simplex.known(),
        cold: Vec::new(),
    };
    let mut worth_it = 0.0;
    // Prices of another relaxation are asked at as they are.
    let mut smoothing = if from.is_empty() { SMOOTHING } else { 1.0 };
    let block_periods = blocks.first().map_or(0, |block| block.terms.periods);
    for _ in 0..PIVOTS_MIN + PIVOTS_PER_ROW * simplex.rows {
        let mut entering = simplex.best_of(&mut candidates);
        let (mut fresh, mut warmed) = (false, false);
        while entering.as_ref().is_none_or(|(gain, _)| *gain < worth_it) && !fresh {
            let waits = entering.take().map(|(_, column)| column);
            let waits = waits.filter(|column| column.span.is_some());
            candidates.warm.extend(waits);
            if !warmed {
                warmed = true;
                simplex.warm_up(&mut candidates);
                entering = simplex.best_of(&mut candidates);
                continue;
            }
            // Prices of now jump about: runs are looked for at prices between them and the best so far, and at those
            // of now when that finds nothing.
            fresh = smoothing == 0.0;
            simplex.ask(smoothing);
            simplex.forget(&mut candidates);
            for (place, block) in blocks.iter().enumerate() {
                simplex.columns(place, &mut candidates.warm);
                let terms = block.terms;
                *work += (block.pools.len() * terms.periods * (1 + terms.zones)) as u64;
            }
            simplex.keep_better();
            if simplex.best_bound >= (1.0 - close) * simplex.objective() {
                return simplex.relaxed();
            }
            entering = simplex.best_of(&mut candidates);
            worth_it = entering.as_ref().map_or(0.0, |(gain, _)| STALE * gain);
            smoothing = if entering.is_none() { 0.0 } else { SMOOTHING };
        }
        let Some((_, column)) = entering else { break };
        let looked_at = candidates.warm.len() * block_periods;
        *work += ((simplex.rows * simplex.rows) / 4 + looked_at + 4 * simplex.rows) as u64;
        if !simplex.pivot(column, &mut candidates) {
            break;
        }
    }
    simplex.relaxed()
}
