//! The simplex of the relaxation: its rows, its basis, and the runs that may enter it.

mod pivot;

use std::collections::BTreeSet;

use super::bound::UnitPrices;
use super::loads::Span;
use super::oracle::{Best, Worth, sums};
use super::relax::{Block, Relaxed};
use super::terms::PoolTerms;

/// Less than this much of its cost is no gain.
const GAIN_MIN: f64 = 1e-5;
/// Of more candidates than these, those are left out that lose more than this part of their cost.
const FEW_CANDIDATES: usize = 64;
const CANDIDATES_PER_ROW: usize = 3;
const FAR: f64 = 0.05;
/// Right sides are larger by about so much, differently in each row: ties would make the simplex stand still.
const TIES: f64 = 1e-5;

/// The rows of one kind: where each period's row is, if it has one.
type Places = Vec<Option<usize>>;

/// The rows of one component.
struct Rows {
    demand: Places,
    spare: Vec<Places>,
    standing: Vec<usize>,
    /// Units and zones of its pools, each once, and for each of its pools, which of these it has: what serves earns the
    /// same in all pools that are alike.
    alike: Vec<(i64, usize)>,
    alike_of: Vec<usize>,
}

impl Column {
    /// What it gains at these prices, for its cost.
    fn gain(&self, prices: &[f64]) -> f64 {
        (self.earned(prices) - self.cost) / (1.0 + self.cost)
    }

    fn earned(&self, prices: &[f64]) -> f64 {
        let each = self.entries.iter();
        each.map(|(row, value)| value * prices[*row]).sum()
    }
}

/// The run that an oracle found.
fn span(of: usize, standing: Option<u32>, best: &Best<f64>) -> Span {
    Span {
        from: if standing.is_some() {
            0
        } else {
            best.from as u32
        },
        until: best.until as u32,
        pool: of as u32,
        standing,
    }
}

/// A relaxation on the way to its optimum.
pub(super) struct Simplex<'a> {
    blocks: &'a [Block<'a>],
    from: &'a [&'a Relaxed],
    of: Vec<Rows>,
    quota: Vec<Places>,
    pub(super) rows: usize,
    /// Inverse of the basis, column by column.
    inverse: Vec<f64>,
    /// How the values of the basic columns change with the column that enters.
    way: Vec<f64>,
    /// Values of the basic columns.
    values: Vec<f64>,
    costs: Vec<f64>,
    basis: Vec<Basic>,
    /// The runs that are basic or candidates.
    known: BTreeSet<(usize, Span)>,
    prices: Vec<f64>,
    /// Whether a row wants at least its right side, and what missing one costs there; else at most.
    at_least: Vec<Option<f64>>,
    /// The largest of these prices.
    dearest: f64,
    right: Vec<f64>,
    /// The prices that runs are looked for at, and how much more than it costs the best run earns at them.
    asked: Vec<f64>,
    ratio: f64,
    /// The prices that prove the best bound so far, and that bound.
    best: Vec<f64>,
    pub(super) best_bound: f64,
    memory: Memory,
}

/// Memory for what runs are worth.
#[derive(Default)]
struct Memory {
    /// What pools earn by serving, those that are alike together, and what standing instances earn.
    alike: Vec<Vec<f64>>,
    standing: Vec<f64>,
    more: Vec<f64>,
}

/// What a basic column is.
enum Basic {
    Run(Column),
    /// What is missing of a row, or there too much, or its slack.
    Of(usize),
}

/// Runs that may enter: those that gained something when last looked at, and the others.
pub(super) struct Candidates {
    pub(super) warm: Vec<Column>,
    pub(super) cold: Vec<Column>,
}

/// A run, a slack or a missing unit, as the rows see it.
pub(super) struct Column {
    /// The component and its run; `None` for slack and for what is missing.
    pub(super) span: Option<(usize, Span)>,
    cost: f64,
    entries: Vec<(usize, f64)>,
}

impl<'a> Simplex<'a> {
    /// `from` is what a relaxation much like this one found for each block, or nothing.
    pub(super) fn new(
        blocks: &'a [Block<'a>],
        from: &'a [&'a Relaxed],
        room: &[Vec<i64>],
        heeded: &[Vec<bool>],
    ) -> Self {
        let mut at_least = Vec::new();
        let mut right = Vec::new();
        type Missing<'m> = &'m dyn Fn(usize) -> Option<f64>;
        let mut places =
            |needed: &[i64], missing: Missing, wanted: &dyn Fn(usize) -> bool| -> Places {
                let row = |(t, needed): (usize, &i64)| {
                    wanted(t).then(|| {
                        at_least.push(missing(t));
                        let place = at_least.len();
                        let more = 1.0 + (place as f64 * 0.618_034).fract();
                        right.push(*needed as f64 * (1.0 + TIES * more) + TIES * more);
                        place - 1
                    })
                };
                needed.iter().enumerate().map(row).collect()
            };
        let mut of = Vec::with_capacity(blocks.len());
        for block in blocks {
            let (terms, needs) = (block.terms, block.needs);
            let no_spare = |zone: usize, needed: &[i64], t: usize| {
                let least = block.dearest(needed[t], t, Some(zone));
                Some(least.map_or(terms.no_spare as f64, |least| {
                    least.min(terms.no_spare as f64)
                }))
            };
            let short = |t: usize| {
                let least = block.dearest(needs.demand[t], t, None);
                Some(least.map_or(terms.short as f64, |least| least.min(terms.short as f64)))
            };
            let spare = needs.spare.iter();
            let (alike, alike_of) = block.alike();
            of.push(Rows {
                demand: places(&needs.demand, &short, &|t| {
                    needs.demand[t] > 0 && !block.spare_suffices(&alike, t)
                }),
                spare: (spare.enumerate())
                    .map(|(z, zone)| places(zone, &|t| no_spare(z, zone, t), &|t| zone[t] > 0))
                    .collect(),
                standing: places(&block.standing, &|_| None, &|_| true)
                    .into_iter()
                    .flatten()
                    .collect(),
                alike,
                alike_of,
            });
        }
        let quota = room.iter().zip(heeded).map(|(left, heeded)| {
            let wanted = |t: usize| heeded[t];
            places(left, &|_| None, &wanted)
        });
        let quota = quota.collect();
        let rows = at_least.len();
        let mut inverse = vec![0.0; rows * rows];
        for row in 0..rows {
            inverse[row * rows + row] = 1.0;
        }
        let costs: Vec<f64> = at_least
            .iter()
            .map(|missing| missing.unwrap_or(0.0))
            .collect();
        let mut simplex = Self {
            blocks,
            from,
            of,
            quota,
            rows,
            inverse,
            way: vec![0.0; rows],
            values: right.clone(),
            prices: costs.clone(),
            asked: costs.clone(),
            ratio: 1.0,
            best: vec![0.0; rows],
            best_bound: 0.0,
            memory: Memory::default(),
            right,
            dearest: costs.iter().copied().fold(0.0, f64::max),
            costs,
            basis: (0..rows).map(Basic::Of).collect(),
            known: BTreeSet::new(),
            at_least,
        };
        simplex.begin_at(from);
        simplex
    }

    /// Lets the best prices so far be those of the other relaxation.
    fn begin_at(&mut self, from: &[&Relaxed]) {
        let (best, quota) = (&mut self.best, &self.quota);
        let mut at = |places: &Places, prices: &[i64], sign: f64| {
            for (place, price) in places.iter().zip(prices) {
                if let Some(row) = place {
                    best[*row] = sign * *price as f64;
                }
            }
        };
        for ((block, rows), from) in self.blocks.iter().zip(&self.of).zip(from) {
            at(&rows.demand, &from.prices.demand, 1.0);
            for (places, prices) in rows.spare.iter().zip(&from.prices.spare) {
                at(places, prices, 1.0);
            }
            for (place, prices) in block.quotas.iter().zip(&from.prices.quota) {
                at(&quota[*place], prices, -1.0);
            }
        }
    }

    fn asked(&self, place: Option<usize>) -> f64 {
        place.map_or(0.0, |row| self.asked[row])
    }

    /// Moves the prices that runs are looked for at between those of now and the best so far.
    pub(super) fn ask(&mut self, smoothing: f64) {
        for row in 0..self.rows {
            let now = match self.at_least[row] {
                Some(missing) => self.prices[row].clamp(0.0, missing),
                None => self.prices[row].min(0.0),
            };
            self.asked[row] = smoothing * self.best[row] + (1.0 - smoothing) * now;
        }
        self.ratio = 1.0;
    }

    pub(super) fn objective(&self) -> f64 {
        self.costs
            .iter()
            .zip(&self.values)
            .map(|(cost, value)| cost * value)
            .sum()
    }

    /// Keeps the prices that were asked at if they prove more, once they are small enough to prove anything.
    pub(super) fn keep_better(&mut self) {
        let worth: f64 = self
            .asked
            .iter()
            .zip(&self.right)
            .map(|(price, right)| price * right)
            .sum();
        let bound = worth / self.ratio;
        if bound > self.best_bound {
            self.best_bound = bound;
            self.best = self.asked.iter().map(|price| price / self.ratio).collect();
        }
    }

    /// The best run of each pool and of each kind of standing instances at the prices of now.
    pub(super) fn columns(&mut self, place: usize, columns: &mut Vec<Column>) {
        let block = &self.blocks[place];
        let mut memory = std::mem::take(&mut self.memory);
        let alike = &self.of[place].alike;
        memory.alike.resize_with(alike.len(), Vec::new);
        for ((units, zone), served) in alike.iter().zip(&mut memory.alike) {
            self.served(place, *units, *zone, 0, served);
        }
        for (number, &pool) in block.pools.iter().enumerate() {
            let served = &memory.alike[self.of[place].alike_of[number]];
            let held = self.held(place, pool);
            let worth = self.worth(place, pool, served, &held, &mut memory.more);
            if let Some(best) = worth.best_start().filter(|best| best.earns > 0.0) {
                self.ratio = self.ratio.max(best.earns / (best.takes + best.costs));
                self.consider(columns, place, pool, None, &best);
            }
        }
        for (standing, number) in block.terms.standing.iter().zip(0..) {
            let pool = &block.terms.pools[standing.pool];
            let served = &mut memory.standing;
            self.served(place, pool.units, pool.zone, standing.serves_from, served);
            let held = self.held(place, standing.pool);
            let worth = self.worth(place, standing.pool, served, &held, &mut memory.more);
            let best = worth.best_going_on(standing.bound);
            if best.until > best.from {
                self.consider(columns, place, standing.pool, Some(number), &best);
            }
        }
        self.memory = memory;
    }

    /// Takes a run among the candidates, if it is not there.
    fn consider(
        &mut self,
        columns: &mut Vec<Column>,
        place: usize,
        of: usize,
        standing: Option<u32>,
        best: &Best<f64>,
    ) {
        let span = span(of, standing, best);
        if self.known.insert((place, span)) {
            columns.push(self.column(place, of, standing, best));
        }
    }

    /// Leaves out candidates that are far from being worth their cost, when there are many.
    pub(super) fn forget(&mut self, candidates: &mut Candidates) {
        let candidates = &mut candidates.cold;
        if candidates.len() < FEW_CANDIDATES + CANDIDATES_PER_ROW * self.rows {
            return;
        }
        let known = &mut self.known;
        let prices = &self.prices;
        candidates.retain(|column| {
            let keep = column.gain(prices) > -FAR;
            if let (false, Some(span)) = (keep, column.span) {
                known.remove(&span);
            }
            keep
        });
    }

    /// The runs that are known already.
    pub(super) fn known(&mut self) -> Vec<Column> {
        let mut columns = Vec::new();
        let blocks = self.blocks;
        for (place, block) in blocks.iter().enumerate() {
            let before = self.from.get(place);
            let before = before.into_iter().flat_map(|from| &from.runs);
            let before = before.map(|(span, _)| span);
            for span in block.known.iter().chain(before) {
                let from = match span.standing {
                    Some(of) => block.terms.standing[of as usize].bound,
                    None => span.from as usize,
                };
                let best = Best {
                    from,
                    until: span.until as usize,
                    earns: 0.0,
                    takes: 0.0,
                    costs: (span.bill(block.terms) + span.start(block.terms)) as f64,
                };
                self.consider(
                    &mut columns,
                    place,
                    span.pool as usize,
                    span.standing,
                    &best,
                );
            }
        }
        columns
    }

    /// What so many units in a zone earn by serving, summed over the periods before each one.
    fn served(
        &self,
        place: usize,
        units: i64,
        zone: usize,
        serves_from: usize,
        sums: &mut Vec<f64>,
    ) {
        let (block, rows) = (&self.blocks[place], &self.of[place]);
        sums.clear();
        sums.resize(1 + block.terms.periods, 0.0);
        let earned = &mut sums[1..];
        let mut add = |needed: &[i64], places: &Places| {
            let each = earned.iter_mut().zip(needed).zip(places);
            for ((earned, needed), place) in each.skip(serves_from) {
                *earned += units.min(*needed) as f64 * self.asked(*place);
            }
        };
        add(&block.needs.demand, &rows.demand);
        for (other, places) in rows.spare.iter().enumerate() {
            if other != zone {
                add(&block.needs.spare[other], places);
            }
        }
        let mut sum = 0.0;
        for sum_before in sums {
            sum += *sum_before;
            *sum_before = sum;
        }
    }

    /// What an instance takes of the quotas by being there, summed over the periods before each one; empty: nothing. A
    /// quota's price is not over zero in the simplex: being there earns that, which is less than nothing.
    fn held(&self, place: usize, pool: usize) -> Vec<f64> {
        let block = &self.blocks[place];
        let of = &block.terms.pools[pool].quotas;
        if of.is_empty() {
            return Vec::new();
        }
        let price = |local: usize, t: usize| self.asked(self.quota[block.quotas[local]][t]);
        let takes = |t: usize| -> f64 {
            of.iter()
                .map(|(local, each)| -*each as f64 * price(*local, t))
                .sum()
        };
        sums((0..block.terms.periods).map(takes))
    }

    fn worth<'w>(
        &self,
        place: usize,
        pool: usize,
        served: &'w [f64],
        held: &'w [f64],
        more: &'w mut Vec<f64>,
    ) -> Worth<'w, f64>
    where
        'a: 'w,
    {
        let block = &self.blocks[place];
        let pool: &'a PoolTerms = &block.terms.pools[pool];
        let costs = (pool.first_cost() as f64, pool.again_bill as f64);
        Worth::new(block.terms, pool, costs, served, held, more)
    }

    fn column(&self, place: usize, of: usize, standing: Option<u32>, best: &Best<f64>) -> Column {
        let (block, rows) = (&self.blocks[place], &self.of[place]);
        let pool = &block.terms.pools[of];
        let serves = match standing {
            Some(of) => best.from.max(block.terms.standing[of as usize].serves_from),
            None => best.from + pool.lead,
        };
        let mut entries = Vec::with_capacity((best.until - best.from) * (1 + rows.spare.len()));
        for t in best.from..best.until {
            if t >= serves {
                if let Some(row) = rows.demand[t] {
                    entries.push((row, pool.units.min(block.needs.demand[t]) as f64));
                }
                for (zone, places) in rows.spare.iter().enumerate() {
                    if let (true, Some(row)) = (zone != pool.zone, places[t]) {
                        entries.push((row, pool.units.min(block.needs.spare[zone][t]) as f64));
                    }
                }
            }
            for (local, each) in &pool.quotas {
                if let Some(row) = self.quota[block.quotas[*local]][t] {
                    entries.push((row, *each as f64));
                }
            }
        }
        if let Some(of) = standing {
            entries.push((rows.standing[of as usize], 1.0));
        }
        Column {
            span: Some((place, span(of, standing, best))),
            cost: best.costs,
            entries,
        }
    }

    /// The warm candidate, slack or missing unit that gains most for its cost; candidates that gain nothing cool down.
    pub(super) fn best_of(&self, candidates: &mut Candidates) -> Option<(f64, Column)> {
        let Candidates { warm, cold } = candidates;
        let mut best: Option<(f64, usize)> = None;
        let mut place = 0;
        while place < warm.len() {
            let gained = warm[place].gain(&self.prices);
            if gained <= GAIN_MIN {
                cold.push(warm.swap_remove(place));
                continue;
            }
            if best.is_none_or(|(most, _)| gained > most) {
                best = Some((gained, place));
            }
            place += 1;
        }
        let most = best.map_or(GAIN_MIN, |(gained, _)| gained);
        let mut slack: Option<(f64, (usize, f64, f64))> = None;
        for (row, (price, at_least)) in self.prices.iter().zip(&self.at_least).enumerate() {
            let (gained, value, cost) = match *at_least {
                Some(missing) if *price > missing * (1.0 + GAIN_MIN) => {
                    ((price - missing) / (1.0 + missing), 1.0, missing)
                }
                Some(missing) if *price < 0.0 => (-price / (1.0 + missing), -1.0, 0.0),
                None if *price > 0.0 => (price / (1.0 + self.dearest), 1.0, 0.0),
                _ => continue,
            };
            if gained > slack.map_or(most, |(gained, _)| gained) {
                slack = Some((gained, (row, value, cost)));
            }
        }
        if let Some((gained, (row, value, cost))) = slack {
            let column = Column {
                span: None,
                cost,
                entries: vec![(row, value)],
            };
            return Some((gained, column));
        }
        best.map(|(gained, place)| (gained, warm.swap_remove(place)))
    }

    /// Looks among the cold candidates for those that gain something now.
    pub(super) fn warm_up(&self, candidates: &mut Candidates) {
        let Candidates { warm, cold } = candidates;
        let mut place = 0;
        while place < cold.len() {
            if cold[place].gain(&self.prices) > GAIN_MIN {
                warm.push(cold.swap_remove(place));
            } else {
                place += 1;
            }
        }
    }

    fn best_price(&self, place: Option<usize>) -> f64 {
        place.map_or(0.0, |row| self.best[row])
    }

    pub(super) fn relaxed(self) -> Vec<Relaxed> {
        let whole = |places: &Places, sign: f64| -> Vec<i64> {
            places
                .iter()
                .map(|place| (sign * self.best_price(*place)) as i64)
                .collect()
        };
        let quota: Vec<Vec<i64>> = self
            .quota
            .iter()
            .map(|places| whole(places, -1.0))
            .collect();
        let mut relaxed: Vec<Relaxed> = (self.blocks.iter().zip(&self.of))
            .map(|(block, rows)| Relaxed {
                prices: UnitPrices {
                    demand: whole(&rows.demand, 1.0),
                    spare: rows.spare.iter().map(|places| whole(places, 1.0)).collect(),
                    quota: block
                        .quotas
                        .iter()
                        .map(|place| quota[*place].clone())
                        .collect(),
                },
                runs: Vec::new(),
                work: 0,
            })
            .collect();
        for (of, value) in self.basis.iter().zip(&self.values) {
            if let Basic::Run(column) = of
                && let Some((place, span)) = column.span
                && *value > 1e-6
            {
                relaxed[place].runs.push((span, *value));
            }
        }
        relaxed
    }
}
