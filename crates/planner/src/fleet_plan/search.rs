//! The search for one component: peel demand off chain by chain, then rebuild a few chains at a time.

use super::chain::{Entry, Prices, Rebuild};
use super::loads::{Loads, Room, Solution, Span};
use super::relax::Relaxed;
use super::terms::Terms;

/// A rebuild of several chains fills at most so many cells: more is better spent on more rebuilds.
const CELLS_MAX: usize = 400_000;
/// Without a gain for so many rebuilds the search ends.
const PATIENCE: u32 = 800;
/// Within this part of the bound it ends too.
const ENOUGH: i64 = 2_000;
/// At first, what is so much dearer than the best is gone on with.
const SLACK: f64 = 0.02;

/// Draws places. One generator for a search, with the same seed each time: equal problems, equal plans.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// A place below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % limit.max(1) as u64) as usize
    }
}

/// Prices of a missing unit, by period, that lead the peeling.
#[derive(Clone, Debug)]
pub(super) struct Guide {
    pub(super) demand: Vec<i64>,
    pub(super) spare: Vec<Vec<i64>>,
}

/// The search for one component.
pub(super) struct Search<'a> {
    pub(super) terms: &'a Terms,
    pub(super) room: &'a Room,
    /// The pools worth looking at.
    pub(super) pools: &'a [usize],
    pub(super) work: u64,
    pub(super) work_limit: u64,
}

impl Search<'_> {
    /// The best that is found.
    pub(super) fn run(&mut self, relaxed: &Relaxed, bound: i64) -> Solution {
        let terms = self.terms;
        let from = self.work;
        let mut best: Option<(Solution, Guide)> = None;
        for (percent, rounded) in [(100, true), (104, false), (125, true)] {
            let raised = |price: i64| (price.saturating_mul(percent) / 100 + 1).max(0);
            let prices = &relaxed.prices;
            let guide = Guide {
                demand: prices
                    .demand
                    .iter()
                    .map(|price| raised(*price).min(terms.short))
                    .collect(),
                spare: (prices.spare.iter())
                    .map(|zone| {
                        zone.iter()
                            .map(|price| raised(*price).min(terms.no_spare))
                            .collect()
                    })
                    .collect(),
            };
            let seeds: &[(Span, f64)] = if rounded { &relaxed.runs } else { &[] };
            let peeled = self.peel(&guide, seeds);
            if best
                .as_ref()
                .is_none_or(|(best, _)| peeled.objective() < best.objective())
            {
                best = Some((peeled, guide));
            }
            if self.work > from + (self.work_limit - from) / 2 {
                break;
            }
        }
        let Some((mut best, guide)) = best else {
            return Solution::bound_only(terms);
        };
        self.improve(&mut best, &guide, bound);
        best
    }

    /// Takes demand off, one chain at a time, each as often as it fits: first led by the guide's prices, then
    /// until nothing that can be had is missing.
    fn peel(&mut self, guide: &Guide, seeds: &[(Span, f64)]) -> Solution {
        let terms = self.terms;
        let mut solution = Solution::bound_only(terms);
        for (span, count) in seeds {
            let whole = self
                .fitting(&solution.loads, span)
                .min((count + 1e-6) as i64);
            if whole <= 0 {
                continue;
            }
            if let Some(place) = span.standing {
                solution.put(terms, bound_span(terms, place), -whole);
            }
            solution.put(terms, *span, whole);
        }
        let (short, no_spare) = (
            vec![terms.short; terms.periods],
            vec![vec![terms.no_spare; terms.periods]; terms.zones],
        );
        let led = Prices {
            demand: &guide.demand,
            spare: &guide.spare,
            under_floor: 0,
        };
        let stated = Prices {
            demand: &short,
            spare: &no_spare,
            under_floor: terms.under_floor,
        };
        self.prolong_standing(&mut solution, &led);
        for prices in [led, stated] {
            while self.work < self.work_limit {
                let rebuild = beside(self.terms, self.room, &solution.loads, prices);
                let empty = [Entry { standing: None }];
                let Some((_, spans)) = rebuild.solve(self.pools, &empty, &mut self.work) else {
                    break;
                };
                if spans.is_empty() {
                    break;
                }
                let times = self.times(&solution.loads, &spans);
                for span in &spans {
                    solution.put(terms, *span, times);
                }
            }
        }
        solution.penalty = solution.loads.penalty(terms);
        solution
    }

    /// Lets standing instances go on while they are worth it.
    fn prolong_standing(&mut self, solution: &mut Solution, prices: &Prices) {
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
            let mut left = solution.runs.get(&bound).copied().map_or(0, i64::from);
            while left > 0 && self.work < self.work_limit {
                let rebuild = beside(self.terms, self.room, &solution.loads, *prices);
                let pools = [standing.pool];
                let Some((_, spans)) = rebuild.solve(&pools, &entry, &mut self.work) else {
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

    /// How many instances of a run there is room for, beside what is bound of it.
    fn fitting(&self, loads: &Loads, span: &Span) -> i64 {
        let pool = &self.terms.pools[span.pool as usize];
        let from = match span.standing {
            Some(place) => self.terms.standing[place as usize].bound,
            None => span.from as usize,
        };
        let mut times = i64::MAX;
        for t in from..(span.until as usize).min(self.terms.periods) {
            times = times.min((self.room.units[t] - loads.there[t]) / pool.units);
            for (place, each) in &pool.quotas {
                times = times.min((self.room.quota[*place][t] - loads.quota[*place][t]) / each);
            }
        }
        times
    }

    /// How often these runs, of one chain, can be added before they cover more than what is missing somewhere.
    fn times(&self, loads: &Loads, spans: &[Span]) -> i64 {
        let terms = self.terms;
        let mut times = i64::MAX;
        for span in spans {
            times = times.min(self.fitting(loads, span));
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
    fn improve(&mut self, best: &mut Solution, guide: &Guide, bound: i64) {
        let terms = self.terms;
        let (short, no_spare) = (
            vec![terms.short; terms.periods],
            vec![vec![terms.no_spare; terms.periods]; terms.zones],
        );
        let prices = Prices {
            demand: &short,
            spare: &no_spare,
            under_floor: terms.under_floor,
        };
        let mut draws = Draws::new();
        let mut current = best.clone();
        let mut idle = 0;
        let from = self.work;
        let enough = bound + bound / ENOUGH;
        while idle < PATIENCE && self.work < self.work_limit && best.objective() > enough {
            idle += 1;
            // How much dearer than the best may be gone on with: less and less.
            let left =
                (self.work_limit - self.work) as f64 / (self.work_limit - from).max(1) as f64;
            let slack = (best.paid as f64 * SLACK * left) as i64;
            let mut trial = current.clone();
            let changed = if draws.below(2) == 0 {
                self.rebuild(&mut trial, prices, &mut draws)
            } else {
                self.recreate(&mut trial, guide, prices, &mut draws)
            };
            if !changed {
                continue;
            }
            trial.penalty = trial.loads.penalty(terms);
            if trial.objective() <= best.objective() + slack {
                current = trial;
            }
            if current.objective() < best.objective() {
                idle = 0;
                best.clone_from(&current);
            }
        }
    }

    /// Takes one to three chains out and rebuilds them together, exactly.
    fn rebuild(&mut self, trial: &mut Solution, prices: Prices, draws: &mut Draws) -> bool {
        let terms = self.terms;
        let chains = [1, 2, 2, 2, 3][draws.below(5)];
        let (mut entries, mut pools) = (Vec::new(), Vec::new());
        for _ in 0..chains {
            entries.push(self.take_chain(trial, &mut pools, draws));
        }
        self.add_pools(&mut pools, chains, draws);
        let states = Rebuild::states(terms, &pools);
        if states.pow(chains as u32) * terms.periods > CELLS_MAX * 4 {
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
        let Some((_, spans)) = solved else {
            return false;
        };
        self.put_back(trial, &entries, spans);
        true
    }

    /// Takes some chains out and peels what is then missing off again, one chain at a time: less exact than a
    /// rebuild, and so cheap that it can take more out.
    fn recreate(
        &mut self,
        trial: &mut Solution,
        guide: &Guide,
        stated: Prices,
        draws: &mut Draws,
    ) -> bool {
        let terms = self.terms;
        let (mut entries, mut pools) = (Vec::new(), Vec::new());
        for _ in 0..2 + draws.below(5) {
            entries.push(self.take_chain(trial, &mut pools, draws));
        }
        let noise = self.noise(draws);
        let percent = 90 + draws.below(40) as i64;
        let led = |price: &i64| price.saturating_mul(percent) / 100 + 1;
        let demand: Vec<i64> = guide
            .demand
            .iter()
            .map(|p| led(p).min(terms.short))
            .collect();
        let spare: Vec<Vec<i64>> = (guide.spare.iter())
            .map(|zone| zone.iter().map(|p| led(p).min(terms.no_spare)).collect())
            .collect();
        let led = Prices {
            demand: &demand,
            spare: &spare,
            under_floor: 0,
        };
        entries.retain(|entry| entry.standing.is_some());
        let mut prices = led;
        // Standing instances first; then new chains, led by the guide, and last until nothing is missing.
        loop {
            let entry = entries.pop().unwrap_or(Entry { standing: None });
            let mut pools = self.pools.to_vec();
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
            let Some((_, spans)) = rebuild.solve(&pools, &[entry], &mut self.work) else {
                return false;
            };
            if spans.is_empty() {
                if prices.under_floor == stated.under_floor
                    && std::ptr::eq(prices.demand, stated.demand)
                {
                    return true;
                }
                prices = stated;
            }
            self.put_back(trial, &[entry], spans);
        }
    }

    fn put_back(&self, trial: &mut Solution, entries: &[Entry], spans: Vec<Span>) {
        for place in entries.iter().filter_map(|entry| entry.standing) {
            trial
                .loads
                .add(self.terms, &bound_span(self.terms, place), -1);
        }
        for span in spans {
            trial.put(self.terms, span, 1);
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
            let fitting: Vec<Span> = trial
                .runs
                .keys()
                .filter(|span| fits(span))
                .copied()
                .collect();
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

    /// Adds pools until the rebuild would fill too many cells.
    fn add_pools(&self, pools: &mut Vec<usize>, chains: usize, draws: &mut Draws) {
        let fits = |pools: &[usize]| {
            let states = Rebuild::states(self.terms, pools);
            states.pow(chains as u32) * self.terms.periods <= CELLS_MAX
        };
        let mut left: Vec<usize> = self
            .pools
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

fn beside<'b>(
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

fn bound_span(terms: &Terms, place: u32) -> Span {
    let standing = &terms.standing[place as usize];
    Span {
        from: 0,
        until: standing.bound as u32,
        pool: standing.pool as u32,
        standing: Some(place),
    }
}
