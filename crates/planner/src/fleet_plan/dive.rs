//! Completes a set of runs by rounding relaxations of what is still missing.

use super::bound::Residual;
use super::loads::{Room, Solution, Span, bound_span};
use super::relax::{Block, ROUGH, Relaxed, relax};
use super::terms::Terms;

/// Runs of at least this fraction are rounded up together with the largest one.
const NEARLY: f64 = 0.95;

/// Completes solutions of one component.
pub(super) struct Dive<'a> {
    pub(super) terms: &'a Terms,
    pub(super) room: &'a Room,
    pub(super) pools: &'a [usize],
}

impl Dive<'_> {
    /// Adds runs until the relaxation of what is missing has none: whole parts first, then the largest fraction. What
    /// is missing is counted anew each time, so that an instance counts for no more than is missing then. `first` is
    /// the relaxation of what is missing now, if it is there already; `known` are runs to look at first.
    pub(super) fn complete(
        &self,
        solution: &mut Solution,
        known: &[Span],
        first: Option<&Relaxed>,
        work: &mut u64,
        work_limit: u64,
    ) {
        let mut share = 1;
        if let Some(first) = first {
            share = self.round(solution, &first.runs);
        }
        let mut before = first.cloned();
        while share > 0 && *work < work_limit {
            let needs = Residual::beside(self.terms, self.room, &solution.loads);
            if needs.is_met() {
                break;
            }
            let left = |place: u32| solution.runs.count(&bound_span(self.terms, place));
            let block = Block {
                terms: self.terms,
                needs: &needs,
                pools: self.pools,
                quotas: (0..self.terms.quotas.len()).collect(),
                standing: (0..self.terms.standing.len() as u32).map(left).collect(),
                known: if before.is_none() { known } else { &[] },
            };
            let from: Vec<&Relaxed> = before.iter().collect();
            let mut relaxed = relax(&[block], &from, &needs.quota, ROUGH, work);
            let Some(relaxed) = relaxed.pop() else {
                break;
            };
            share = self.round(solution, &relaxed.runs);
            before = Some(relaxed);
        }
        solution.penalty = solution.loads.penalty(self.terms);
    }

    /// Takes the whole parts of runs; where there are none, the largest fraction and those that are nearly whole.
    /// Says how many it took.
    fn round(&self, solution: &mut Solution, runs: &[(Span, f64)]) -> i64 {
        let mut taken = 0;
        for (span, count) in runs {
            taken += self.take(solution, span, (count + 1e-6) as i64);
        }
        // A large problem has many fractions: some of them at a time, or it would be relaxed again for each.
        let at_once = 1 + runs.len() as i64 / 24;
        if taken >= at_once {
            return taken;
        }
        let fraction = |count: f64| count + 1e-6 - (count + 1e-6).floor();
        let mut order: Vec<(f64, &Span)> = runs
            .iter()
            .map(|(span, count)| (fraction(*count), span))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        for (fraction, span) in order {
            if taken > 0 && (fraction < NEARLY && taken >= at_once) {
                break;
            }
            taken += self.take(solution, span, 1);
        }
        taken
    }

    /// Takes so many instances of a run, or as many as there is room for.
    fn take(&self, solution: &mut Solution, span: &Span, count: i64) -> i64 {
        let mut count = count.min(self.room.fitting(self.terms, &solution.loads, span));
        if let Some(place) = span.standing {
            let bound = bound_span(self.terms, place);
            count = count.min(solution.runs.count(&bound));
            if count > 0 {
                solution.put(self.terms, bound, -count);
            }
        }
        if count > 0 {
            solution.put(self.terms, *span, count);
        }
        count.max(0)
    }
}
