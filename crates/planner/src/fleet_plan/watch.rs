//! Tells a caller what the cheapest plan so far costs, as often as a cheaper one is found.

use fleetcast_model::MicroUsd;

use super::loads::{Loads, Solution, bound_spans};
use super::problem::FleetProblem;
use super::terms::Terms;

/// Puts the solutions of components together as they are found.
pub(super) struct Watch<'w> {
    tell: Option<&'w mut dyn FnMut(MicroUsd)>,
    /// What may be taken of each quota in each period, and of money.
    quota: Vec<Vec<i64>>,
    money: i64,
    /// The best of each component, where nothing is missing that has no price.
    seen: Vec<Option<Seen>>,
    told: i64,
}

/// What a component's solution costs and takes.
struct Seen {
    cost: i64,
    bill: i64,
    quota: Vec<(usize, Vec<i64>)>,
}

impl<'w> Watch<'w> {
    pub(super) fn new(
        problem: &FleetProblem,
        all: &[Terms],
        tell: Option<&'w mut dyn FnMut(MicroUsd)>,
    ) -> Self {
        let limit = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        let mut watch = Self {
            tell,
            quota: Vec::new(),
            money: problem.budget.map_or(i64::MAX, |money| limit(money.get())),
            seen: Vec::new(),
            told: i64::MAX,
        };
        if watch.tell.is_none() {
            return watch;
        }
        watch.seen.resize_with(all.len(), || None);
        let mut bound = vec![vec![0; problem.periods as usize]; problem.quotas.len()];
        for terms in all {
            let mut loads = Loads::empty(terms);
            for (span, count) in bound_spans(terms) {
                loads.add(terms, &span, count);
            }
            for (place, used) in terms.quotas.iter().zip(loads.quota.iter()) {
                add(&mut bound[*place], used);
            }
        }
        for (quota, bound) in problem.quotas.iter().zip(bound) {
            let most = bound.into_iter().map(|bound| bound.max(limit(quota.limit)));
            watch.quota.push(most.collect());
        }
        watch
    }

    /// Sees a component's solution.
    pub(super) fn see(&mut self, place: usize, terms: &Terms, solution: &Solution) {
        if self.tell.is_some() {
            self.seen[place] = Seen::of(terms, solution);
            self.tell_better();
        }
    }

    /// Sees a solution of each component.
    pub(super) fn see_all(&mut self, all: &[Terms], solutions: &[Solution]) {
        if self.tell.is_some() {
            let each = all.iter().zip(solutions);
            self.seen = each.map(|(terms, found)| Seen::of(terms, found)).collect();
            self.tell_better();
        }
    }

    fn tell_better(&mut self) {
        let mut sums: Vec<Vec<i64>> = self.quota.iter().map(|of| vec![0; of.len()]).collect();
        let (mut cost, mut bill) = (0, 0);
        for seen in &self.seen {
            let Some(seen) = seen else { return };
            cost += seen.cost;
            bill += seen.bill;
            for (place, used) in &seen.quota {
                add(&mut sums[*place], used);
            }
        }
        let mut fits = sums.iter().flatten().zip(self.quota.iter().flatten());
        if cost >= self.told || bill > self.money || !fits.all(|(used, most)| used <= most) {
            return;
        }
        self.told = cost;
        if let Some(tell) = &mut self.tell {
            tell(MicroUsd::new(cost.unsigned_abs()));
        }
    }
}

impl Seen {
    /// `None` where something is missing that has no price.
    fn of(terms: &Terms, solution: &Solution) -> Option<Self> {
        let mut cost = solution.paid;
        for t in 0..terms.periods {
            let short = terms.short_of(&solution.loads, t);
            let bare = terms.bare_of(&solution.loads, t) > 0;
            let under_floor = terms.floor[t] > solution.loads.serving[t];
            if bare || under_floor || (short > 0 && !terms.priced) {
                return None;
            }
            cost += short * terms.short;
        }
        Some(Self {
            cost,
            bill: solution.bill(terms),
            quota: (terms.quotas.iter().copied())
                .zip(solution.loads.quota.iter().map(<[i64]>::to_vec))
                .collect(),
        })
    }
}

fn add(sums: &mut [i64], more: &[i64]) {
    sums.iter_mut()
        .zip(more)
        .for_each(|(sum, more)| *sum += more);
}
