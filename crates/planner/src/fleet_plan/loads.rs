//! Runs of one component and what they add up to, period by period.

use super::runs::{Rows, Runs};
use super::terms::{NEVER, Terms};

/// A run within one component's terms; ordered, so that equal sets of runs look equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) until: u32,
    /// Place in [`Terms::pools`].
    pub(super) pool: u32,
    /// Place in [`Terms::standing`]; `None`: new.
    pub(super) standing: Option<u32>,
}

impl Span {
    /// What is billed for one instance.
    pub(super) fn bill(&self, terms: &Terms) -> i64 {
        let pool = &terms.pools[self.pool as usize];
        let blocks = |end: usize| {
            (self.until as usize)
                .saturating_sub(end)
                .div_ceil(pool.again)
        };
        match self.standing {
            Some(place) => {
                let standing = &terms.standing[place as usize];
                standing.forced_bill + blocks(standing.bound) as i64 * pool.again_bill
            }
            None => {
                let end = self.from as usize + pool.first;
                pool.first_bill + blocks(end) as i64 * pool.again_bill
            }
        }
    }

    /// What starting one instance costs.
    pub(super) fn start(&self, terms: &Terms) -> i64 {
        match self.standing {
            Some(_) => 0,
            None => terms.pools[self.pool as usize].start,
        }
    }

    /// The first period in which it serves.
    pub(super) fn serves_from(&self, terms: &Terms) -> usize {
        match self.standing {
            Some(place) => terms.standing[place as usize].serves_from,
            None => self.from as usize + terms.pools[self.pool as usize].lead,
        }
    }
}

/// What a set of runs adds up to in each period.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    /// Units that serve.
    pub(super) serving: Vec<i64>,
    /// Units that are there, serving or not.
    pub(super) there: Vec<i64>,
    /// Units that serve, by zone and period; empty where zones do not matter.
    pub(super) in_zone: Rows,
    /// What is taken of each quota.
    pub(super) quota: Rows,
}

impl Loads {
    pub(super) fn empty(terms: &Terms) -> Self {
        Self {
            serving: vec![0; terms.periods],
            there: vec![0; terms.periods],
            in_zone: Rows::new(terms.zones, terms.periods),
            quota: Rows::new(terms.quotas.len(), terms.periods),
        }
    }

    /// Becomes equal to others, in the memory that it has.
    fn copy_from(&mut self, other: &Self) {
        self.serving.clone_from(&other.serving);
        self.there.clone_from(&other.there);
        self.in_zone.copy_from(&other.in_zone);
        self.quota.copy_from(&other.quota);
    }

    /// Adds so many instances of a run; a negative number takes them away.
    pub(super) fn add(&mut self, terms: &Terms, span: &Span, count: i64) {
        let pool = &terms.pools[span.pool as usize];
        let until = (span.until as usize).min(terms.periods);
        let from = (span.from as usize).min(until);
        let serves = span.serves_from(terms).clamp(from, until);
        let units = pool.units * count;
        let into = |values: &mut [i64], from: usize, add: i64| {
            values[from..until]
                .iter_mut()
                .for_each(|value| *value += add);
        };
        into(&mut self.there, from, units);
        into(&mut self.serving, serves, units);
        if let Some(zone) = self.in_zone.get_mut(pool.zone) {
            into(zone, serves, units);
        }
        for (place, each) in &pool.quotas {
            into(&mut self.quota[*place], from, each * count);
        }
    }

    /// Units that serve without the zone that has the most of them.
    pub(super) fn without_zone(&self, period: usize) -> i64 {
        let most = self.in_zone.iter().map(|zone| zone[period]).max();
        self.serving[period] - most.unwrap_or(0)
    }

    /// Whether nothing is missing.
    pub(super) fn cover(&self, terms: &Terms) -> bool {
        let spared = |zone: &[i64]| {
            let without = self.serving.iter().zip(zone).zip(&terms.spare);
            without.fold(true, |all, ((serving, zone), spare)| {
                all & (serving - zone >= *spare)
            })
        };
        let mut demand = self.serving.iter().zip(&terms.wanted);
        demand.all(|(serving, wanted)| serving >= wanted) && self.in_zone.iter().all(spared)
    }

    /// What all missing units cost.
    pub(super) fn penalty(&self, terms: &Terms) -> i64 {
        let zones = |t: usize| self.in_zone.iter().map(move |zone| zone[t]);
        (0..terms.periods)
            .map(|t| terms.penalty(t, self.serving[t], zones(t)))
            .sum()
    }
}

/// What limits one component: its ceiling, and what others leave of the quotas. What is bound may be over it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// Units that may be there.
    pub(super) units: Vec<i64>,
    /// What may be taken of each of its quotas.
    pub(super) quota: Vec<Vec<i64>>,
}

impl Room {
    /// As if no quota limited anything.
    pub(super) fn open(terms: &Terms) -> Self {
        Self::new(terms, vec![vec![NEVER; terms.periods]; terms.quotas.len()])
    }

    /// Room with so much left of each quota.
    pub(super) fn new(terms: &Terms, mut quota: Vec<Vec<i64>>) -> Self {
        let mut bound = Loads::empty(terms);
        for (span, count) in bound_spans(terms) {
            bound.add(terms, &span, count);
        }
        for (left, bound) in quota.iter_mut().zip(bound.quota.iter()) {
            for (left, bound) in left.iter_mut().zip(bound) {
                *left = (*left).max(*bound);
            }
        }
        let units = bound.there.iter().map(|there| terms.ceiling.max(*there));
        Self {
            units: units.collect(),
            quota,
        }
    }

    /// How many more instances of a run there is room for; of a standing one, after what is bound.
    pub(super) fn fitting(&self, terms: &Terms, loads: &Loads, span: &Span) -> i64 {
        let pool = &terms.pools[span.pool as usize];
        let from = match span.standing {
            Some(place) => terms.standing[place as usize].bound,
            None => span.from as usize,
        };
        let mut times = i64::MAX;
        for t in from..(span.until as usize).min(terms.periods) {
            times = times.min((self.units[t] - loads.there[t]) / pool.units);
            for (place, each) in &pool.quotas {
                times = times.min((self.quota[*place][t] - loads.quota[*place][t]) / each);
            }
        }
        times
    }

    /// Whether runs that add up to this stay within.
    pub(super) fn holds(&self, loads: &Loads) -> bool {
        let within = |loads: &[i64], room: &[i64]| loads.iter().zip(room).all(|(l, r)| l <= r);
        within(&loads.there, &self.units)
            && (loads.quota.iter().zip(&self.quota)).all(|(l, r)| within(l, r))
    }
}

/// What stands, released as soon as it may be.
pub(super) fn bound_spans(terms: &Terms) -> impl Iterator<Item = (Span, i64)> + '_ {
    terms.standing.iter().zip(0..).map(|(standing, place)| {
        let span = Span {
            from: 0,
            until: standing.bound as u32,
            pool: standing.pool as u32,
            standing: Some(place),
        };
        (span, i64::from(standing.count))
    })
}

/// A standing instance, released as soon as it may be.
pub(super) fn bound_span(terms: &Terms, place: u32) -> Span {
    let standing = &terms.standing[place as usize];
    Span {
        from: 0,
        until: standing.bound as u32,
        pool: standing.pool as u32,
        standing: Some(place),
    }
}

/// A set of runs with what it adds up to and costs.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) runs: Runs,
    pub(super) loads: Loads,
    /// Bills and starts, and what the search pays for quotas.
    pub(super) paid: i64,
    /// What missing units cost.
    pub(super) penalty: i64,
}

impl Solution {
    /// Nothing but what is bound.
    pub(super) fn bound_only(terms: &Terms) -> Self {
        let mut solution = Self {
            runs: Runs::default(),
            loads: Loads::empty(terms),
            paid: 0,
            penalty: 0,
        };
        for (span, count) in bound_spans(terms) {
            solution.put(terms, span, count);
        }
        solution.penalty = solution.loads.penalty(terms);
        solution
    }

    /// Becomes equal to another one, in the memory that it has: the search does so at every step.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.runs.copy_from(&other.runs);
        self.loads.copy_from(&other.loads);
        (self.paid, self.penalty) = (other.paid, other.penalty);
    }

    /// Adds so many instances of a run, or takes them away. Leaves the penalty as it was.
    pub(super) fn put(&mut self, terms: &Terms, span: Span, count: i64) {
        self.runs.add(span, count);
        self.loads.add(terms, &span, count);
        let until = (span.until as usize).min(terms.periods);
        let holding = terms.holding(&terms.pools[span.pool as usize], span.from as usize, until);
        self.paid += count * (span.bill(terms) + span.start(terms) + holding);
    }

    /// The same runs under other terms of the same component.
    pub(super) fn under(self, terms: &Terms) -> Self {
        let mut same = Self {
            runs: Runs::default(),
            loads: Loads::empty(terms),
            paid: 0,
            penalty: 0,
        };
        for (span, count) in self.runs.iter() {
            same.put(terms, span, i64::from(count));
        }
        same.penalty = same.loads.penalty(terms);
        same
    }

    pub(super) fn bill(&self, terms: &Terms) -> i64 {
        let each = self.runs.iter();
        each.map(|(span, count)| span.bill(terms) * i64::from(count))
            .sum()
    }

    pub(super) fn objective(&self) -> i64 {
        self.paid + self.penalty
    }
}
