//! The moves of the search: what is taken out, and how it is put back.

use super::chain::{Entry, Prices, Rebuild};
use super::draws::Draws;
use super::guide::{Guide, Stated};
use super::loads::{Loads, Room, Solution, Span, bound_span};
use super::search::Search;
use super::terms::Terms;

/// More pools than these are not looked at each time.
const MANY_POOLS: usize = 32;
/// No more chains than these are rebuilt together, though few pools would allow it.
const CHAINS_MAX: u32 = 6;
/// As many instances as this at least, and so many more at most, are taken out before a dive, where there are so many.
const DIVE_MIN: usize = 4;
const DIVE_MORE: usize = 20;
/// As many as touched, now and then, where a solution has no more runs than these.
const DIVE_ALL: usize = 60;
/// A new solution is of so many pools at most, and two more.
const ANEW_POOLS: usize = 12;
/// Beyond so many thousandths of the guide's prices, the stated ones come next.
const PER_MILLE_MAX: i64 = 3_000;

impl Search<'_, '_> {
    /// Takes one to three chains out and rebuilds them together, exactly.
    pub(super) fn rebuild(
        &mut self,
        trial: &mut Solution,
        prices: Prices,
        draws: &mut Draws,
    ) -> bool {
        let terms = self.terms;
        let chains = match draws.below(20) {
            0 => self.chains_max(),
            1..5 => 1,
            _ => 2,
        };
        let (mut entries, mut pools) = (Vec::new(), Vec::new());
        // One in three leaves a chain empty: so more runs side by side may take the place of fewer.
        let empty = usize::from(chains > 1 && draws.below(3) == 0);
        for _ in empty..chains {
            entries.push(self.take_chain(trial, &mut pools, draws));
        }
        entries.resize(chains, Entry { standing: None });
        self.add_pools(&mut pools, chains, draws);
        let states = Rebuild::states(terms, &pools);
        if states.pow(chains as u32) * terms.periods > self.table_max * 4 {
            return false;
        }
        let noise = if draws.below(2) == 0 {
            Vec::new()
        } else {
            self.noise(draws)
        };
        let rebuild = Rebuild {
            noise: &noise,
            ..beside(terms, self.room, &trial.loads, prices)
        };
        let solved = rebuild.solve(&pools, &entries, &mut self.work);
        let Some(spans) = solved else {
            return false;
        };
        self.put_back(trial, &entries, &spans);
        true
    }

    /// As many chains as can be rebuilt together over all pools; three at the least, over fewer pools.
    fn chains_max(&self) -> usize {
        let states = Rebuild::states(self.terms, self.pools);
        let fits = |chains: &u32| states.pow(*chains) * self.terms.periods <= 2 * self.table_max;
        (4..=CHAINS_MAX).take_while(fits).last().unwrap_or(3) as usize
    }

    /// Takes some chains out and peels what is then missing off again, one chain at a time: less exact than a
    /// rebuild, and so cheap that it can take more out.
    pub(super) fn recreate(
        &mut self,
        trial: &mut Solution,
        guide: &Guide,
        stated: Prices,
        draws: &mut Draws,
    ) -> bool {
        let terms = self.terms;
        let mut entries = Vec::new();
        if draws.below(3) == 0 {
            let mut pools = Vec::new();
            for _ in 0..2 + draws.below(5) {
                entries.push(self.take_chain(trial, &mut pools, draws));
            }
        } else {
            self.take_around(trial, &mut entries, draws);
        }
        let noise = self.noise(draws);
        let looked_at = self.some_pools(draws).to_vec();
        let mut per_mille = 960 + draws.below(120) as i64;
        let step = [20, 40, 80][draws.below(3)];
        let mut led = guide.raised(terms, per_mille);
        entries.retain(|entry| entry.standing.is_some());
        // Standing instances first; then new chains, led by the guide, and last until nothing is missing.
        let mut last = false;
        loop {
            let prices = if last { stated } else { led.prices() };
            let entry = entries.pop().unwrap_or(Entry { standing: None });
            let mut pools = looked_at.to_vec();
            if let Some(place) = entry.standing {
                let own = terms.standing[place as usize].pool;
                if !pools.contains(&own) {
                    pools.push(own);
                }
            }
            let rebuild = Rebuild {
                noise: &noise,
                ..beside(terms, self.room, &trial.loads, prices)
            };
            let Some(spans) = rebuild.solve(&pools, &[entry], &mut self.work) else {
                return false;
            };
            if spans.is_empty() {
                if last || (entries.is_empty() && trial.loads.cover(terms)) {
                    return true;
                }
                per_mille += per_mille * step / 1_000;
                if per_mille < PER_MILLE_MAX {
                    led = guide.raised(terms, per_mille);
                } else {
                    last = true;
                }
            }
            self.put_back(trial, &[entry], &spans);
        }
    }

    /// Takes what begins or ends in a stretch of time out, or many runs anywhere, and completes it again by rounding
    /// relaxations.
    pub(super) fn dive_again(&mut self, trial: &mut Solution, draws: &mut Draws) -> bool {
        let terms = self.terms;
        let length = 1 + draws.below(terms.periods.min(12)) as u32;
        let from = draws.below(terms.periods + 1) as u32;
        let stretch = from.saturating_sub(length / 2)..from + length.div_ceil(2);
        let anywhere = draws.below(3) == 0;
        let mut most = match draws.below(3) {
            0 if trial.runs.len() <= DIVE_ALL => usize::MAX,
            _ => DIVE_MIN + draws.below(DIVE_MORE),
        };
        let mut keys: Vec<(Span, u32)> = trial.runs.iter().collect();
        let begin = draws.below(keys.len());
        keys.rotate_left(begin);
        for (span, count) in keys {
            let touched = stretch.contains(&span.from) || stretch.contains(&span.until);
            let taken = if anywhere {
                draws.below(4) == 0
            } else {
                touched && draws.below(4) > 0
            };
            let count = if taken {
                draws.below(count as usize + 1).max(1).min(most)
            } else {
                0
            };
            most -= count;
            let count = count as i64;
            self.take_out(trial, span, count);
        }
        let new = |span: &Span| span.standing.is_none();
        let known: Vec<Span> = trial.runs.spans().filter(new).collect();
        self.dive()
            .complete(trial, &known, None, &mut self.work, self.work_limit);
        true
    }

    /// Takes half of all instances out and completes the rest by rounding relaxations.
    pub(super) fn kick(&mut self, trial: &mut Solution, draws: &mut Draws) {
        let all: Vec<(Span, u32)> = trial.runs.iter().collect();
        for (span, count) in all {
            let count = (0..count).filter(|_| draws.below(2) == 0).count() as i64;
            self.take_out(trial, span, count);
        }
        self.dive()
            .complete(trial, &[], None, &mut self.work, self.work_limit);
        trial.penalty = trial.loads.penalty(self.terms);
    }

    /// A new solution, of few pools as far as they suffice.
    pub(super) fn anew(&mut self, guide: &Guide, stated: &Stated, draws: &mut Draws) -> Solution {
        let terms = self.terms;
        let mut fresh = Solution::bound_only(terms);
        let (all, most) = (
            self.pools,
            2 + draws.below(self.pools.len().min(ANEW_POOLS)),
        );
        let mut some: Vec<usize> = (0..most).map(|_| all[draws.below(all.len())]).collect();
        some.sort_unstable();
        some.dedup();
        let raised = guide.raised(terms, 900 + draws.below(200) as i64);
        let mut of_some = Search {
            pools: &some,
            rented: Vec::new(),
            found: &mut |_| (),
            ..*self
        };
        of_some.prolong_standing(&mut fresh, &raised.prices());
        of_some.peel_up(&mut fresh, &raised, stated);
        self.work = of_some.work;
        self.peel_up(&mut fresh, &raised, stated);
        fresh.penalty = fresh.loads.penalty(terms);
        fresh
    }

    /// Takes so many instances out; of what stands, what is not bound.
    fn take_out(&self, trial: &mut Solution, span: Span, count: i64) {
        if count > 0 {
            trial.put(self.terms, span, -count);
            if let Some(place) = span.standing {
                trial.put(self.terms, bound_span(self.terms, place), count);
            }
        }
    }

    pub(super) fn put_back(&self, trial: &mut Solution, entries: &[Entry], spans: &[Span]) {
        for place in entries.iter().filter_map(|entry| entry.standing) {
            trial
                .loads
                .add(self.terms, &bound_span(self.terms, place), -1);
        }
        for span in spans {
            trial.put(self.terms, *span, 1);
        }
    }

    fn noise(&self, draws: &mut Draws) -> Vec<i64> {
        self.terms
            .pools
            .iter()
            .map(|_| draws.below(160) as i64)
            .collect()
    }

    /// Takes a chain of runs that do not overlap out of a solution; of a standing instance, what is not bound.
    fn take_chain(&self, trial: &mut Solution, pools: &mut Vec<usize>, draws: &mut Draws) -> Entry {
        let terms = self.terms;
        let mut taken: Vec<Span> = Vec::new();
        for _ in 0..6 {
            let fits = |span: &Span| {
                taken
                    .iter()
                    .all(|other| span.until <= other.from || other.until <= span.from)
                    && (span.standing.is_none()
                        || taken.iter().all(|other| other.standing.is_none()))
            };
            // A standing instance without any period would fit everywhere: it stands at the horizon's begin.
            let fitting: Vec<Span> = trial.runs.spans().filter(fits).collect();
            if fitting.is_empty() {
                break;
            }
            // One time in seven the chain stays short, or empty: so runs are added beside what was taken.
            let pick = draws.below(fitting.len() + 1 + fitting.len() / 6);
            let Some(span) = fitting.get(pick) else { break };
            trial.put(terms, *span, -1);
            taken.push(*span);
        }
        let mut entry = Entry { standing: None };
        for span in taken {
            if !pools.contains(&(span.pool as usize)) {
                pools.push(span.pool as usize);
            }
            if let Some(place) = span.standing {
                // The bound part stays among the loads, and out of reach of the next chain.
                trial.loads.add(terms, &bound_span(terms, place), 1);
                entry.standing = Some(place);
            }
        }
        entry
    }

    /// Takes some of the instances that are there around one moment out of a solution.
    fn take_around(&self, trial: &mut Solution, entries: &mut Vec<Entry>, draws: &mut Draws) {
        let terms = self.terms;
        let length = 1 + draws.below(1 + terms.periods / 6) as u32;
        let from = draws.below(terms.periods) as u32;
        let share = 1 + draws.below(4);
        let mut most = 2 + draws.below(10);
        let touched: Vec<(Span, u32)> = trial
            .runs
            .iter()
            .filter(|(span, _)| span.from < from + length && span.until > from)
            .collect();
        let begin = draws.below(touched.len());
        for (span, count) in touched[begin..].iter().chain(&touched[..begin]) {
            for _ in 0..*count {
                if most == 0 {
                    return;
                }
                if draws.below(4) >= share {
                    continue;
                }
                most -= 1;
                trial.put(terms, *span, -1);
                if let Some(place) = span.standing {
                    trial.loads.add(terms, &bound_span(terms, place), 1);
                    entries.push(Entry {
                        standing: Some(place),
                    });
                }
            }
        }
    }

    /// All pools; where there are many of them, most of the time those that are rented.
    fn some_pools(&self, draws: &mut Draws) -> &[usize] {
        if self.pools.len() > MANY_POOLS && draws.below(4) > 0 {
            &self.rented
        } else {
            self.pools
        }
    }

    /// Adds pools until the rebuild would fill too many cells.
    fn add_pools(&self, pools: &mut Vec<usize>, chains: usize, draws: &mut Draws) {
        let fits = |pools: &[usize]| {
            let states = Rebuild::states(self.terms, pools);
            states.pow(chains as u32) * self.terms.periods <= self.table_max
        };
        let mut left: Vec<usize> = self
            .some_pools(draws)
            .iter()
            .copied()
            .filter(|p| !pools.contains(p))
            .collect();
        while !left.is_empty() {
            pools.push(left.remove(draws.below(left.len())));
            if !fits(pools) {
                pools.pop();
                break;
            }
        }
        pools.sort_unstable();
    }
}

/// Rebuilds beside what others have.
pub(super) fn beside<'b>(
    terms: &'b Terms,
    room: &'b Room,
    loads: &'b Loads,
    prices: Prices<'b>,
) -> Rebuild<'b> {
    Rebuild {
        terms,
        beside: loads,
        room,
        prices,
        noise: &[],
    }
}
