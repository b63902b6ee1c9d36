//! The search for one component: peel demand off chain by chain, then rebuild a few chains at a time.

use std::collections::BTreeSet;

use super::chain::{Entry, Prices};
use super::dive::Dive;
use super::draws::Draws;
use super::guide::{Guide, Stated};
use super::loads::{Loads, Room, Solution, Span, bound_span};
use super::moves::beside;
use super::relax::Relaxed;
use super::terms::Terms;

/// Without a gain for so many rebuilds, and so many more for each instance, the search ends.
const PATIENCE: u64 = 1_200;
const PATIENCE_PER_INSTANCE: u64 = 10;
/// After so many without a gain, and so many more for each instance, it goes on from the best with half of it new, or
/// from a new solution of few pools.
const KICK_AFTER: u64 = 75;
const KICK_AFTER_PER_INSTANCE: u64 = 2;
/// Rounding the relaxation may take so many times the work of the relaxation itself; what is missing then is peeled off.
const DIVE_WORK: u64 = 40;
/// What is missing at some prices is taken at the next higher ones, in thousandths of the relaxation's.
const RISING: [i64; 12] = [
    1_003, 1_010, 1_020, 1_040, 1_070, 1_110, 1_170, 1_250, 1_400, 1_700, 2_500, 5_000,
];
/// Within this part of the bound it ends too.
const ENOUGH: i64 = 2_000;
/// At first, what is dearer than the best by so much of what an instance costs is gone on with.
const SLACK: f64 = 0.01;

/// The search for one component.
pub(super) struct Search<'a, 'f> {
    pub(super) terms: &'a Terms,
    pub(super) room: &'a Room,
    /// The pools worth looking at.
    pub(super) pools: &'a [usize],
    /// Those of them that the relaxation or the first solution rents: most moves look at no others.
    pub(super) rented: Vec<usize>,
    pub(super) work: u64,
    pub(super) work_limit: u64,
    /// A rebuild of several chains fills at most so many cells.
    pub(super) table_max: usize,
    /// Sees each solution that is better than all before.
    pub(super) found: &'f mut dyn FnMut(&Solution),
}

impl<'a> Search<'a, '_> {
    /// A first solution without any relaxation: peeled at prices that are guessed, and each run tried anew. What is
    /// easy is solved here, and the relaxation begins with its runs.
    pub(super) fn first(&mut self) -> Solution {
        let terms = self.terms;
        let (guide, stated) = (Guide::guessed(terms, self.pools), Stated::new(terms));
        let mut best = Solution::bound_only(terms);
        self.prolong_standing(&mut best, &guide.prices());
        self.peel_up(&mut best, &guide, &stated);
        best.penalty = best.loads.penalty(terms);
        (self.found)(&best);
        self.sweep(&mut best, stated.prices(terms));
        best
    }

    /// The better one of a first solution and the relaxation rounded down to nothing missing.
    pub(super) fn rounded(&mut self, first: Solution, relaxed: &Relaxed) -> Solution {
        let terms = self.terms;
        let (guide, stated) = (Guide::new(terms, relaxed), Stated::new(terms));
        let mut best = first;
        let mut rounded = Solution::bound_only(terms);
        let dive = self.dive();
        let dive_limit = self.work + DIVE_WORK * relaxed.work;
        dive.complete(&mut rounded, &[], Some(relaxed), &mut self.work, dive_limit);
        self.peel_up(&mut rounded, &guide, &stated);
        rounded.penalty = rounded.loads.penalty(terms);
        if rounded.objective() < best.objective() {
            best = rounded;
            (self.found)(&best);
        }
        self.sweep(&mut best, stated.prices(terms));
        best
    }

    /// Searches on from a solution; `number` seeds its draws. Says whether it gave up before its work was done.
    pub(super) fn go_on(
        &mut self,
        best: &mut Solution,
        relaxed: &Relaxed,
        bound: i64,
        number: u64,
    ) -> bool {
        let all = relaxed.runs.iter().map(|(span, _)| span.pool as usize);
        let all: BTreeSet<usize> = all.chain(rented(best)).collect();
        self.rented = all.into_iter().collect();
        let (guide, stated) = (Guide::new(self.terms, relaxed), Stated::new(self.terms));
        self.improve(best, &guide, &stated, bound, number);
        self.work < self.work_limit
    }

    pub(super) fn dive(&self) -> Dive<'a> {
        Dive {
            terms: self.terms,
            room: self.room,
            pools: self.pools,
        }
    }

    /// Takes demand off, one chain at a time, each as often as it fits, while that is worth it at these prices.
    fn peel(&mut self, solution: &mut Solution, prices: Prices) {
        loop {
            let rebuild = beside(self.terms, self.room, &solution.loads, prices);
            let empty = [Entry { standing: None }];
            let solved = rebuild.solve(self.pools, &empty, &mut self.work);
            let Some(spans) = solved.filter(|spans| !spans.is_empty()) else {
                break;
            };
            let times = self.times(&solution.loads, &spans);
            for span in &spans {
                solution.put(self.terms, *span, times);
            }
        }
    }

    /// Peels at the relaxation's prices, and what is missing then at higher and higher ones.
    pub(super) fn peel_up(&mut self, solution: &mut Solution, guide: &Guide, stated: &Stated) {
        for per_mille in RISING {
            if solution.loads.cover(self.terms) {
                return;
            }
            let raised = guide.raised(self.terms, per_mille);
            self.peel(solution, raised.prices());
        }
        self.peel(solution, stated.prices(self.terms));
    }

    /// Lets standing instances go on while they are worth it.
    pub(super) fn prolong_standing(&mut self, solution: &mut Solution, prices: &Prices) {
        for (standing, place) in self.terms.standing.iter().zip(0..) {
            let entry = [Entry {
                standing: Some(place),
            }];
            let bound = Span {
                from: 0,
                until: standing.bound as u32,
                pool: standing.pool as u32,
                standing: Some(place),
            };
            let mut left = solution.runs.count(&bound);
            while left > 0 && self.work < self.work_limit {
                let rebuild = beside(self.terms, self.room, &solution.loads, *prices);
                let pools = [standing.pool];
                let Some(spans) = rebuild.solve(&pools, &entry, &mut self.work) else {
                    break;
                };
                let kept: Vec<Span> = spans
                    .into_iter()
                    .filter(|span| span.standing.is_some() && span.until > bound.until)
                    .collect();
                let Some(span) = kept.first() else { break };
                let times = self.times(&solution.loads, &kept).min(left);
                solution.put(self.terms, bound, -times);
                solution.put(self.terms, *span, times);
                left -= times;
            }
        }
    }

    /// How often these runs, of one chain, can be added before they cover more than what is missing somewhere.
    fn times(&self, loads: &Loads, spans: &[Span]) -> i64 {
        let terms = self.terms;
        let mut times = i64::MAX;
        for span in spans {
            times = times.min(self.room.fitting(terms, loads, span));
            let pool = &terms.pools[span.pool as usize];
            let from = match span.standing {
                Some(place) => terms.standing[place as usize].bound,
                None => span.from as usize,
            };
            for t in from..(span.until as usize).min(terms.periods) {
                if t < span.serves_from(terms) {
                    continue;
                }
                let mut missing = terms.wanted[t] - loads.serving[t];
                for (zone, units) in loads.in_zone.iter().enumerate() {
                    if zone != pool.zone {
                        missing = missing.max(terms.spare[t] - (loads.serving[t] - units[t]));
                    }
                }
                if missing > 0 {
                    times = times.min(missing / pool.units);
                }
            }
        }
        times.max(1)
    }

    /// Takes a few chains out and rebuilds them exactly beside all others, over and over. Half of the rebuilds see
    /// prices that are a little off, and what they find is gone on with while it is not much dearer than the best: so
    /// the search leaves what no single rebuild betters.
    fn improve(
        &mut self,
        best: &mut Solution,
        guide: &Guide,
        stated: &Stated,
        bound: i64,
        number: u64,
    ) {
        let terms = self.terms;
        let prices = stated.prices(terms);
        let mut draws = Draws::new(number);
        let (mut current, mut trial) = (best.clone(), best.clone());
        let (mut idle, mut kicks) = (0, 0);
        let from = self.work;
        let enough = bound + bound / ENOUGH;
        let instances = best.runs.instances().max(1);
        let patience = PATIENCE + PATIENCE_PER_INSTANCE * instances;
        let kick_after = KICK_AFTER + KICK_AFTER_PER_INSTANCE * instances;
        while idle < patience && self.work < self.work_limit && best.objective() > enough {
            idle += 1;
            // How much dearer than the best may be gone on with: less and less.
            let left =
                (self.work_limit - self.work) as f64 / (self.work_limit - from).max(1) as f64;
            let slack = (best.paid as f64 / instances as f64 * SLACK * left) as i64;
            if idle % kick_after == 0 {
                kicks += 1;
                if kicks % 2 == 0 {
                    current = self.anew(guide, stated, &mut draws);
                } else {
                    current.copy_from(best);
                    self.kick(&mut current, &mut draws);
                }
            }
            trial.copy_from(&current);
            let changed = match draws.below(16) {
                0..14 => {
                    self.rebuild(&mut trial, prices, &mut draws) || {
                        // No table holds what was taken, or nothing was found.
                        trial.copy_from(&current);
                        self.recreate(&mut trial, guide, prices, &mut draws)
                    }
                }
                14 => self.recreate(&mut trial, guide, prices, &mut draws),
                _ => self.dive_again(&mut trial, &mut draws),
            };
            if !changed {
                continue;
            }
            trial.penalty = trial.loads.penalty(terms);
            if trial.objective() <= current.objective().max(best.objective() + slack) {
                std::mem::swap(&mut current, &mut trial);
            }
            if current.objective() < best.objective() {
                idle = 0;
                best.copy_from(&current);
                (self.found)(best);
            }
        }
    }

    /// Takes each run out once and puts the best chain in its place.
    pub(super) fn sweep(&mut self, best: &mut Solution, prices: Prices) {
        let terms = self.terms;
        let keys: Vec<Span> = best.runs.spans().collect();
        for span in keys {
            if self.work >= self.work_limit || best.runs.count(&span) == 0 {
                continue;
            }
            let before = (best.objective(), best.penalty);
            best.put(terms, span, -1);
            let entry = Entry {
                standing: span.standing,
            };
            if let Some(place) = span.standing {
                best.loads.add(terms, &bound_span(terms, place), 1);
            }
            let mut pools = self.pools.to_vec();
            if !pools.contains(&(span.pool as usize)) {
                pools.push(span.pool as usize);
            }
            let rebuild = beside(terms, self.room, &best.loads, prices);
            let solved = rebuild.solve(&pools, &[entry], &mut self.work);
            let spans = solved.unwrap_or_else(|| vec![span]);
            self.put_back(best, &[entry], &spans);
            best.penalty = best.loads.penalty(terms);
            if best.objective() >= before.0 {
                for other in spans {
                    best.put(terms, other, -1);
                }
                best.put(terms, span, 1);
                best.penalty = before.1;
            } else {
                (self.found)(best);
            }
        }
    }
}

/// The pools that a solution rents.
fn rented(solution: &Solution) -> impl Iterator<Item = usize> + '_ {
    solution.runs.spans().map(|span| span.pool as usize)
}
