//! The search for one component: peel demand off chain by chain, then rebuild a few chains at a time.

use super::chain::{Entry, Prices, Rebuild};
use super::dive::Dive;
use super::loads::{Loads, Room, Solution, Span, bound_span};
use super::relax::Relaxed;
use super::terms::Terms;

/// A rebuild of several chains fills at most so many cells: more is better spent on more rebuilds.
const CELLS_MAX: usize = 400_000;
/// Without a gain for so many rebuilds the search ends.
const PATIENCE: u32 = 500;
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

/// Prices of missing units, a little over those of the relaxation, that lead the peeling.
struct Guide {
    demand: Vec<i64>,
    spare: Vec<Vec<i64>>,
}

impl Guide {
    fn new(terms: &Terms, relaxed: &Relaxed) -> Self {
        let raised = |price: i64| (price + price / 25 + 1).max(0);
        let prices = &relaxed.prices;
        let zone = |zone: &Vec<i64>| {
            zone.iter()
                .map(|p| raised(*p).min(terms.no_spare))
                .collect()
        };
        Self {
            demand: (prices.demand.iter())
                .map(|price| raised(*price).min(terms.short))
                .collect(),
            spare: prices.spare.iter().map(zone).collect(),
        }
    }

    fn prices(&self) -> Prices<'_> {
        Prices {
            demand: &self.demand,
            spare: &self.spare,
            under_floor: 0,
        }
    }
}

/// The prices of missing units that the terms state.
struct Stated {
    demand: Vec<i64>,
    spare: Vec<Vec<i64>>,
}

impl Stated {
    fn new(terms: &Terms) -> Self {
        Self {
            demand: vec![terms.short; terms.periods],
            spare: vec![vec![terms.no_spare; terms.periods]; terms.zones],
        }
    }

    fn prices(&self, terms: &Terms) -> Prices<'_> {
        Prices {
            demand: &self.demand,
            spare: &self.spare,
            under_floor: terms.under_floor,
        }
    }
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

impl<'a> Search<'a> {
    /// The best that is found. Rounding the relaxation down to nothing missing is always done; the rest while there
    /// is work left.
    pub(super) fn run(&mut self, relaxed: &Relaxed, bound: i64) -> Solution {
        let terms = self.terms;
        let guide = Guide::new(terms, relaxed);
        let stated = Stated::new(terms);
        let mut best = Solution::bound_only(terms);
        let dive = self.dive();
        dive.complete(&mut best, &[], Some(relaxed), &mut self.work, u64::MAX);
        self.peel(&mut best, stated.prices(terms));
        best.penalty = best.loads.penalty(terms);
        if self.work < self.work_limit / 2 {
            let mut peeled = Solution::bound_only(terms);
            self.prolong_standing(&mut peeled, &guide.prices());
            self.peel(&mut peeled, guide.prices());
            self.peel(&mut peeled, stated.prices(terms));
            peeled.penalty = peeled.loads.penalty(terms);
            if peeled.objective() < best.objective() {
                best = peeled;
            }
        }
        self.improve(&mut best, &guide, &stated, bound);
        best
    }

    fn dive(&self) -> Dive<'a> {
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
            let Some((_, spans)) = solved.filter(|(_, spans)| !spans.is_empty()) else {
                break;
            };
            let times = self.times(&solution.loads, &spans);
            for span in &spans {
                solution.put(self.terms, *span, times);
            }
        }
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
    fn improve(&mut self, best: &mut Solution, guide: &Guide, stated: &Stated, bound: i64) {
        let terms = self.terms;
        let prices = stated.prices(terms);
        self.sweep(best, prices);
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
            let changed = match draws.below(16) {
                0..11 => self.rebuild(&mut trial, prices, &mut draws),
                11..14 => self.recreate(&mut trial, guide, prices, &mut draws),
                _ => self.dive_again(&mut trial, &mut draws),
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

    /// Takes each run out once and puts the best chain in its place.
    fn sweep(&mut self, best: &mut Solution, prices: Prices) {
        let terms = self.terms;
        let keys: Vec<Span> = best.runs.keys().copied().collect();
        for span in keys {
            if self.work >= self.work_limit || !best.runs.contains_key(&span) {
                continue;
            }
            let mut trial = best.clone();
            trial.put(terms, span, -1);
            let entry = Entry {
                standing: span.standing,
            };
            if let Some(place) = span.standing {
                trial.loads.add(terms, &bound_span(terms, place), 1);
            }
            let mut pools = self.pools.to_vec();
            if !pools.contains(&(span.pool as usize)) {
                pools.push(span.pool as usize);
            }
            let rebuild = beside(terms, self.room, &trial.loads, prices);
            let Some((_, spans)) = rebuild.solve(&pools, &[entry], &mut self.work) else {
                continue;
            };
            self.put_back(&mut trial, &[entry], spans);
            trial.penalty = trial.loads.penalty(terms);
            if trial.objective() < best.objective() {
                *best = trial;
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

    /// Takes what begins or ends in a stretch of time out, or many runs anywhere, and completes it again by rounding
    /// relaxations.
    fn dive_again(&mut self, trial: &mut Solution, draws: &mut Draws) -> bool {
        let terms = self.terms;
        let length = 1 + draws.below(terms.periods.min(12)) as u32;
        let from = draws.below(terms.periods + 1) as u32;
        let stretch = from.saturating_sub(length / 2)..from + length.div_ceil(2);
        let anywhere = draws.below(3) == 0;
        let keys: Vec<(Span, u32)> = trial
            .runs
            .iter()
            .map(|(span, count)| (*span, *count))
            .collect();
        for (span, count) in keys {
            let touched = stretch.contains(&span.from) || stretch.contains(&span.until);
            let taken = if anywhere {
                draws.below(4) == 0
            } else {
                touched && draws.below(4) > 0
            };
            let count = if taken {
                draws.below(count as usize + 1).max(1) as i64
            } else {
                0
            };
            match span.standing {
                _ if count == 0 => {}
                Some(place) => {
                    trial.put(terms, span, -count);
                    trial.put(terms, bound_span(terms, place), count);
                }
                None => trial.put(terms, span, -count),
            }
        }
        let known: Vec<Span> = trial
            .runs
            .keys()
            .filter(|span| span.standing.is_none())
            .copied()
            .collect();
        self.dive()
            .complete(trial, &known, None, &mut self.work, self.work_limit);
        true
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
