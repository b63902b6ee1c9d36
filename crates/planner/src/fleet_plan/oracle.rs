//! The best run of one pool at given prices, in whole micro-dollars or in floats.

use std::ops::{Add, Sub};

use super::terms::{PoolTerms, Terms};

/// Numbers that the oracle sums.
pub(super) trait Number:
    Copy + Default + PartialOrd + Add<Output = Self> + Sub<Output = Self>
{
}
impl Number for i64 {}
impl Number for f64 {}

/// What an instance of a pool is worth, summed over the periods before each one.
pub(super) struct Worth<'a, N> {
    periods: usize,
    stateful: bool,
    pool: &'a PoolTerms,
    first_cost: N,
    again_cost: N,
    /// What it earns by serving, and what it takes of quotas by being there; empty: nothing.
    served: &'a [N],
    held: &'a [N],
    /// The most that going on after each period brings, by whole blocks.
    more: &'a mut Vec<N>,
}

/// A run, with what it earns by serving, what it takes of quotas, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Best<N> {
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) earns: N,
    pub(super) takes: N,
    pub(super) costs: N,
}

/// The sums of all values before each place, and of all.
pub(super) fn sums<N: Number>(values: impl Iterator<Item = N>) -> Vec<N> {
    let mut sum = N::default();
    let mut sums = Vec::with_capacity(1 + values.size_hint().0);
    sums.push(sum);
    sums.extend(values.map(|value| {
        sum = sum + value;
        sum
    }));
    sums
}

impl<'a, N: Number> Worth<'a, N> {
    /// The costs of its blocks, and summed over the periods before each one, what it earns by serving in them and what
    /// it takes of quotas by being there; `held` is empty where it takes nothing. `more` is memory for it.
    pub(super) fn new(
        terms: &Terms,
        pool: &'a PoolTerms,
        costs: (N, N),
        served: &'a [N],
        held: &'a [N],
        more: &'a mut Vec<N>,
    ) -> Self {
        more.clear();
        more.resize(terms.periods + 1, N::default());
        let worth = Self {
            periods: terms.periods,
            stateful: terms.stateful,
            pool,
            first_cost: costs.0,
            again_cost: costs.1,
            served,
            held,
            more,
        };
        for t in (0..worth.periods).rev() {
            let end = (t + pool.again).min(worth.periods);
            let gain = worth.between(t, t, end) - worth.again_cost + worth.more[end];
            worth.more[t] = if worth.stateful || gain > N::default() {
                gain
            } else {
                N::default()
            };
        }
        worth
    }

    fn between(&self, there: usize, serves: usize, end: usize) -> N {
        self.served[end] - self.served[serves] - self.takes(there, end)
    }

    fn takes(&self, from: usize, until: usize) -> N {
        if self.held.is_empty() {
            N::default()
        } else {
            self.held[until] - self.held[from]
        }
    }

    /// The most that an instance brings that is there at `from` already and may go.
    pub(super) fn goes_on(&self, from: usize) -> N {
        self.more[from]
    }

    /// The best new run; `None` where none can serve.
    pub(super) fn best_start(&self) -> Option<Best<N>> {
        let mut best: Option<(N, usize)> = None;
        for from in 0..self.periods.saturating_sub(self.pool.lead) {
            let end = (from + self.pool.first).min(self.periods);
            let gain =
                self.between(from, from + self.pool.lead, end) + self.more[end] - self.first_cost;
            if best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, from));
            }
        }
        best.map(|(_, from)| {
            let end = (from + self.pool.first).min(self.periods);
            let (until, costs) = self.prolonged(end, self.first_cost);
            Best {
                from,
                until,
                earns: self.served[until] - self.served[from + self.pool.lead],
                takes: self.takes(from, until),
                costs,
            }
        })
    }

    /// The best run of an instance that is there at `from` already.
    pub(super) fn best_going_on(&self, from: usize) -> Best<N> {
        let (until, costs) = self.prolonged(from, N::default());
        Best {
            from,
            until,
            earns: self.served[until] - self.served[from],
            takes: self.takes(from, until),
            costs,
        }
    }

    /// Where a run ends that is prolonged while that brings something, and what it has cost then.
    fn prolonged(&self, mut end: usize, mut costs: N) -> (usize, N) {
        while end < self.periods && (self.stateful || self.more[end] > N::default()) {
            end = (end + self.pool.again).min(self.periods);
            costs = costs + self.again_cost;
        }
        (end, costs)
    }
}
