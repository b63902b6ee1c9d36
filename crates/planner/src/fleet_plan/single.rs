//! The best chain of runs beside all that stays as it is: what `chain` does for several chains, for one of them.
//!
//! What an instance saves in a period depends on its units and its zone alone, as long as it is the only new one there.
//! So its savings are summed once for all pools that are alike, and one pass back through the periods finds the best
//! chain in two steps for each pool and period, whatever the length of the blocks.

use std::ops::Range;

use super::chain::{Entry, Rebuild};
use super::loads::Span;
use super::terms::{NEVER, PoolTerms};

/// What a pool brings, summed over the periods before each one.
struct Line<'a> {
    place: usize,
    pool: &'a PoolTerms,
    /// Place among the sums of savings.
    alike: usize,
    first_cost: i64,
    again_cost: i64,
    /// For each period, the first one from it on in which there is no room; empty: there is room everywhere.
    full_from: Vec<u32>,
}

/// Units and zone, and what an instance of such pools saves in all periods before each one.
struct Alike {
    units: i64,
    zone: usize,
    saved: Vec<i64>,
}

impl Rebuild<'_> {
    /// The best chain of runs. A standing instance comes back with its whole run; its pool must be among these. `None`
    /// where it has to go on and there is no room.
    pub(super) fn solve_one(
        &self,
        pools: &[usize],
        entry: Entry,
        work: &mut u64,
    ) -> Option<Vec<Span>> {
        let (terms, periods) = (self.terms, self.terms.periods);
        let within = self.worth_looking(pools, entry);
        let room = self.room.units[within.start..].iter();
        let left = room
            .zip(&self.beside.there[within.start..])
            .map(|(room, there)| room - there);
        let fits = left.min().unwrap_or(0);
        let mut alike: Vec<Alike> = Vec::new();
        let lines: Vec<Line> = pools
            .iter()
            .map(|place| self.line(*place, &within, fits, &mut alike))
            .collect();
        *work += (within.len() * (2 * lines.len() + alike.len() * (1 + terms.zones))) as u64;
        let width = lines.len();
        // What is the best from each period on: free, and at the end of a block of each pool.
        let mut free = vec![0; periods + 1];
        let mut starts: Vec<Option<u32>> = vec![None; periods + 1];
        let mut at_end = vec![0; (periods + 1) * width];
        let held = !terms.held.is_empty();
        for t in within.clone().rev() {
            let (mut best, mut begins) = (free[t + 1], None);
            let (now, later) = at_end[t * width..].split_at_mut(width);
            for (number, line) in lines.iter().enumerate() {
                let (serves, end) = (t + line.pool.lead, (t + line.pool.first).min(periods));
                if serves >= periods || !line.has_room(t, end) {
                    continue;
                }
                let saved = &alike[line.alike].saved;
                let mut gain = saved[end] - saved[serves.min(end)] - line.first_cost
                    + later[(end - t - 1) * width + number];
                if held {
                    gain -= terms.holding(line.pool, t, end);
                }
                if gain > best {
                    (best, begins) = (gain, Some(number as u32));
                }
            }
            (free[t], starts[t]) = (best, begins);
            let goes = if terms.stateful { -NEVER } else { best };
            for (number, (line, now)) in lines.iter().zip(now).enumerate() {
                let end = (t + line.pool.again).min(periods);
                let mut goes_on = -NEVER;
                if line.has_room(t, end) {
                    let saved = &alike[line.alike].saved;
                    goes_on = saved[end] - saved[t] - line.again_cost
                        + later[(end - t - 1) * width + number];
                    if held {
                        goes_on -= terms.holding(line.pool, t, end);
                    }
                }
                *now = goes.max(goes_on).max(-NEVER);
            }
        }
        let goes_on = |t: usize, number: usize| -> bool {
            let value = at_end[t * width + number];
            within.contains(&t) && (terms.stateful || value > free[t])
        };
        let mut spans = Vec::new();
        let mut t = 0;
        if let Some(place) = entry.standing {
            let standing = &terms.standing[place as usize];
            let number = lines.iter().position(|line| line.place == standing.pool)?;
            t = standing.bound;
            if at_end[t * width + number] <= -NEVER {
                return None;
            }
            while goes_on(t, number) {
                t = (t + lines[number].pool.again).min(periods);
            }
            spans.push(Span {
                from: 0,
                until: t as u32,
                pool: standing.pool as u32,
                standing: Some(place),
            });
        }
        t = t.max(within.start);
        while t < within.end {
            let Some(number) = starts[t].map(|number| number as usize) else {
                t += 1;
                continue;
            };
            let from = t;
            t = (t + lines[number].pool.first).min(periods);
            while goes_on(t, number) {
                t = (t + lines[number].pool.again).min(periods);
            }
            spans.push(Span {
                from: from as u32,
                until: t as u32,
                pool: lines[number].place as u32,
                standing: None,
            });
        }
        Some(spans)
    }

    /// The periods in which something may begin or go on: not long before and not after all that is missing.
    fn worth_looking(&self, pools: &[usize], entry: Entry) -> Range<usize> {
        let (terms, beside) = (self.terms, self.beside);
        let missing = |t: &usize| {
            let serving = beside.serving[*t];
            serving < terms.wanted[*t]
                || beside
                    .in_zone
                    .iter()
                    .any(|zone| serving - zone[*t] < terms.spare[*t])
        };
        let periods = 0..terms.periods;
        let end = match periods.clone().rev().find(missing) {
            _ if terms.stateful => terms.periods,
            Some(last) => last + 1,
            None => return 0..0,
        };
        let first = periods.clone().find(missing).unwrap_or(0);
        let longest = pools.iter().map(|place| terms.pools[*place].first).max();
        let mut begin = first.saturating_sub(longest.unwrap_or(0));
        if let Some(place) = entry.standing {
            begin = begin.min(terms.standing[place as usize].bound);
        }
        begin.min(end)..end
    }

    /// `fits` units fit beside all that is there.
    fn line(
        &self,
        place: usize,
        within: &Range<usize>,
        fits: i64,
        alike: &mut Vec<Alike>,
    ) -> Line<'_> {
        let pool = &self.terms.pools[place];
        let found = alike
            .iter()
            .position(|other| other.units == pool.units && other.zone == pool.zone);
        let found = found.unwrap_or_else(|| {
            alike.push(Alike {
                units: pool.units,
                zone: pool.zone,
                saved: self.saved(pool, within),
            });
            alike.len() - 1
        });
        let noise = self.noise.get(place).copied().unwrap_or(0);
        let dearer = |cost: i64| cost + cost / 1_000 * noise;
        Line {
            place,
            pool,
            alike: found,
            first_cost: dearer(pool.first_cost()),
            again_cost: dearer(pool.again_bill),
            full_from: if pool.quotas.is_empty() && pool.units <= fits {
                Vec::new()
            } else {
                self.full_from(pool, within)
            },
        }
    }

    /// What one more instance of a pool saves in all periods before each one.
    fn saved(&self, pool: &PoolTerms, within: &Range<usize>) -> Vec<i64> {
        let terms = self.terms;
        let (from, until) = (within.start, within.end);
        let fewer = |missing: i64| missing.clamp(0, pool.units);
        let serving = &self.beside.serving[from..until];
        let mut saved = vec![0; terms.periods + 1];
        let each = &mut saved[from + 1..until + 1];
        let of_demand = terms.wanted[from..until]
            .iter()
            .zip(&self.prices.demand[from..until]);
        for ((saved, serving), (wanted, price)) in each.iter_mut().zip(serving).zip(of_demand) {
            *saved = fewer(wanted - serving) * price;
        }
        if self.prices.under_floor > 0 {
            let floor = terms.floor[from..until].iter();
            for ((saved, serving), floor) in each.iter_mut().zip(serving).zip(floor) {
                *saved += fewer(floor - serving) * self.prices.under_floor;
            }
        }
        for (zone, units) in self.beside.in_zone.iter().enumerate() {
            if zone != pool.zone {
                let prices = &self.prices.spare[zone][from..until];
                let of_spare = terms.spare[from..until].iter().zip(prices);
                let without = serving.iter().zip(&units[from..until]);
                for ((saved, without), (spare, price)) in each.iter_mut().zip(without).zip(of_spare)
                {
                    *saved += fewer(spare - (without.0 - without.1)) * price;
                }
            }
        }
        let mut sum = 0;
        for saved in &mut saved[from + 1..] {
            sum += *saved;
            *saved = sum;
        }
        saved
    }

    fn full_from(&self, pool: &PoolTerms, within: &Range<usize>) -> Vec<u32> {
        let full = |t: usize| {
            self.beside.there[t] + pool.units > self.room.units[t]
                || pool.quotas.iter().any(|(quota, each)| {
                    self.beside.quota[*quota][t] + each > self.room.quota[*quota][t]
                })
        };
        // A block that begins within may end later.
        let periods = self.terms.periods;
        if !(within.start..periods).any(full) {
            return Vec::new();
        }
        let mut from = vec![u32::MAX; periods];
        let mut next = u32::MAX;
        for t in (within.start..periods).rev() {
            if full(t) {
                next = t as u32;
            }
            from[t] = next;
        }
        from
    }
}

impl Line<'_> {
    fn has_room(&self, from: usize, until: usize) -> bool {
        self.full_from
            .get(from)
            .is_none_or(|full| *full as usize >= until)
    }
}
