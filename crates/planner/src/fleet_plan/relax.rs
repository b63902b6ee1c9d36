//! The relaxation in fractions of instances: a revised simplex whose columns are runs, found as they are needed.
//!
//! Rows are the demand of each period, the spare of each zone and period, and the number of standing instances, of one
//! component or of several, and the quotas that they share. It starts from missing everything, which is always possible, and takes in the run that earns most for
//! its cost until none earns more than it costs. Its prices are then made exact by `bound`, its runs rounded by
//! `search`.

use super::bound::{Residual, UnitPrices};
use super::loads::Span;
use super::oracle::{Best, Worth};
use super::terms::Terms;

/// Less than this much of its cost is no gain.
const GAIN_MIN: f64 = 1e-5;
/// A pivot smaller than this is no pivot.
const PIVOT_MIN: f64 = 1e-9;

/// So many pivots are made at most, and so many more for each row; a few for each row are enough nearly always.
const PIVOTS_MIN: usize = 100;
const PIVOTS_PER_ROW: usize = 30;

/// A component in a relaxation.
pub(super) struct Block<'a> {
    pub(super) terms: &'a Terms,
    pub(super) needs: &'a Residual,
    pub(super) pools: &'a [usize],
    /// Where its quotas are among those of the relaxation.
    pub(super) quotas: Vec<usize>,
    /// Standing instances of each kind that may still go on.
    pub(super) standing: Vec<i64>,
    /// Runs to look at first.
    pub(super) known: &'a [Span],
}

/// All standing instances of a component.
pub(super) fn all_standing(terms: &Terms) -> Vec<i64> {
    terms.standing.iter().map(|s| i64::from(s.count)).collect()
}

/// Candidates are looked for again when the best one left gains less than this share of what the first one did.
const STALE: f64 = 0.5;
/// How much the prices that runs are looked for at keep of the best ones so far.
const SMOOTHING: f64 = 0.7;
/// It ends when its bound is so near to its cost.
const CLOSE: f64 = 5e-4;
/// Times that quotas which are passed get rows, before all periods of those get them.
const ROUNDS: usize = 3;
/// Right sides are larger by about so much, differently in each row: ties would make the simplex stand still.
const TIES: f64 = 1e-5;

impl Block<'_> {
    /// The most that a unit in a period can be worth: a run of its own would cost that. `None` where there may be
    /// none. The simplex starts from missing everything at this price, which is nearer than that of really missing it.
    fn dearest(&self, needed: i64, t: usize, zone: Option<usize>) -> Option<f64> {
        let pools = self.pools.iter().map(|pool| &self.terms.pools[*pool]);
        let fits = pools.filter(|pool| {
            pool.lead <= t && pool.quotas.is_empty() && zone.is_none_or(|zone| zone != pool.zone)
        });
        let each = fits.map(|pool| {
            let prolonged = if self.terms.stateful {
                self.terms.periods - t
            } else {
                0
            };
            let more = prolonged.div_ceil(pool.again) as i64 * pool.again_bill;
            1.001 * (pool.first_cost() + more) as f64 / pool.units.min(needed).max(1) as f64
        });
        each.min_by(f64::total_cmp)
    }
}

/// What the relaxation found for one component.
pub(super) struct Relaxed {
    /// Prices of units; whole ones.
    pub(super) prices: UnitPrices,
    /// Runs, and how many instances of each.
    pub(super) runs: Vec<(Span, f64)>,
}

/// The rows of one kind: where each period's row is, if it has one.
type Places = Vec<Option<usize>>;

/// The rows of one component.
struct Rows {
    demand: Places,
    spare: Vec<Places>,
    standing: Vec<usize>,
}

struct Simplex<'a> {
    blocks: &'a [Block<'a>],
    of: Vec<Rows>,
    quota: Vec<Places>,
    rows: usize,
    /// Inverse of the basis, row by row.
    inverse: Vec<f64>,
    /// Values of the basic columns.
    values: Vec<f64>,
    costs: Vec<f64>,
    /// What each basic column is; `None` for slack and for what is missing.
    basis: Vec<Option<(usize, Span)>>,
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
    best_bound: f64,
}

struct Column {
    /// The component and its run; `None` for slack and for what is missing.
    span: Option<(usize, Span)>,
    cost: f64,
    entries: Vec<(usize, f64)>,
}

/// Solves the relaxation, or stops after many pivots: the prices are good for a bound all the same. Most quotas bind
/// nowhere: those that are passed without their rows get rows, and it is solved again.
pub(super) fn relax(blocks: &[Block], room: &[Vec<i64>], work: &mut u64) -> Vec<Relaxed> {
    let mut heeded: Vec<Vec<bool>> = room.iter().map(|left| vec![false; left.len()]).collect();
    for _ in 0..ROUNDS {
        let relaxed = solved(blocks, room, &heeded, work);
        let mut passed = false;
        for (quota, taken) in taken(blocks, room, &relaxed).into_iter().enumerate() {
            for (t, taken) in taken.into_iter().enumerate() {
                if taken > room[quota][t] as f64 + 1e-3 && !heeded[quota][t] {
                    heeded[quota][t] = true;
                    passed = true;
                }
            }
        }
        if !passed {
            return relaxed;
        }
    }
    let all: Vec<Vec<bool>> = heeded
        .iter()
        .map(|quota| vec![quota.contains(&true); quota.len()])
        .collect();
    solved(blocks, room, &all, work)
}

/// What the runs take of the quotas.
fn taken(blocks: &[Block], room: &[Vec<i64>], relaxed: &[Relaxed]) -> Vec<Vec<f64>> {
    let mut taken: Vec<Vec<f64>> = room.iter().map(|left| vec![0.0; left.len()]).collect();
    for (block, relaxed) in blocks.iter().zip(relaxed) {
        for (span, count) in &relaxed.runs {
            let from = match span.standing {
                Some(of) => block.terms.standing[of as usize].bound,
                None => span.from as usize,
            };
            for (local, each) in &block.terms.pools[span.pool as usize].quotas {
                let quota = &mut taken[block.quotas[*local]];
                let periods = quota.iter_mut().take(span.until as usize).skip(from);
                periods.for_each(|taken| *taken += count * *each as f64);
            }
        }
    }
    taken
}

fn solved(
    blocks: &[Block],
    room: &[Vec<i64>],
    heeded: &[Vec<bool>],
    work: &mut u64,
) -> Vec<Relaxed> {
    let mut simplex = Simplex::new(blocks, room, heeded);
    let mut candidates: Vec<Column> = simplex.known();
    let mut worth_it = 0.0;
    let mut smoothing = SMOOTHING;
    let block_periods = blocks.first().map_or(0, |block| block.terms.periods);
    for _ in 0..PIVOTS_MIN + PIVOTS_PER_ROW * simplex.rows {
        let mut entering = simplex.best_of(&mut candidates);
        let mut fresh = false;
        while entering.as_ref().is_none_or(|(gain, _)| *gain < worth_it) && !fresh {
            // Prices of now jump about: runs are looked for at prices between them and the best so far, and at those
            // of now when that finds nothing.
            fresh = smoothing == 0.0;
            simplex.ask(smoothing);
            candidates.clear();
            for (place, block) in blocks.iter().enumerate() {
                simplex.columns(place, &mut candidates);
                let terms = block.terms;
                *work += (block.pools.len() * terms.periods * (1 + terms.zones)) as u64;
            }
            simplex.keep_better();
            if simplex.best_bound >= (1.0 - CLOSE) * simplex.objective() {
                return simplex.relaxed();
            }
            entering = simplex.best_of(&mut candidates);
            worth_it = entering.as_ref().map_or(0.0, |(gain, _)| STALE * gain);
            smoothing = if entering.is_none() { 0.0 } else { SMOOTHING };
        }
        let Some((_, column)) = entering else { break };
        let looked_at = candidates.len() * block_periods;
        *work += ((simplex.rows * simplex.rows) / 4 + looked_at + 4 * simplex.rows) as u64;
        if !simplex.pivot(&column) {
            break;
        }
    }
    simplex.relaxed()
}

impl<'a> Simplex<'a> {
    fn new(blocks: &'a [Block<'a>], room: &[Vec<i64>], heeded: &[Vec<bool>]) -> Self {
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
            of.push(Rows {
                demand: places(&needs.demand, &short, &|t| needs.demand[t] > 0),
                spare: (spare.enumerate())
                    .map(|(z, zone)| places(zone, &|t| no_spare(z, zone, t), &|t| zone[t] > 0))
                    .collect(),
                standing: places(&block.standing, &|_| None, &|_| true)
                    .into_iter()
                    .flatten()
                    .collect(),
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
        Self {
            blocks,
            of,
            quota,
            rows,
            inverse,
            values: right.clone(),
            prices: costs.clone(),
            asked: costs.clone(),
            ratio: 1.0,
            best: vec![0.0; rows],
            best_bound: 0.0,
            right,
            dearest: costs.iter().copied().fold(0.0, f64::max),
            costs,
            basis: vec![None; rows],
            at_least,
        }
    }

    fn asked(&self, place: Option<usize>) -> f64 {
        place.map_or(0.0, |row| self.asked[row])
    }

    /// Moves the prices that runs are looked for at between those of now and the best so far.
    fn ask(&mut self, smoothing: f64) {
        for row in 0..self.rows {
            let now = match self.at_least[row] {
                Some(missing) => self.prices[row].clamp(0.0, missing),
                None => self.prices[row].min(0.0),
            };
            self.asked[row] = smoothing * self.best[row] + (1.0 - smoothing) * now;
        }
        self.ratio = 1.0;
    }

    fn objective(&self) -> f64 {
        self.costs
            .iter()
            .zip(&self.values)
            .map(|(cost, value)| cost * value)
            .sum()
    }

    /// Keeps the prices that were asked at if they prove more, once they are small enough to prove anything.
    fn keep_better(&mut self) {
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
    fn columns(&mut self, place: usize, columns: &mut Vec<Column>) {
        let block = &self.blocks[place];
        for &pool in block.pools {
            let best = self.worth(place, pool, 0).best_start();
            if let Some(best) = best.filter(|best| best.earns > 0.0) {
                self.ratio = self.ratio.max(best.earns / (best.takes + best.costs));
                columns.push(self.column(place, pool, None, &best));
            }
        }
        for (standing, number) in block.terms.standing.iter().zip(0..) {
            let worth = self.worth(place, standing.pool, standing.serves_from);
            let best = worth.best_going_on(standing.bound);
            if best.until > best.from {
                columns.push(self.column(place, standing.pool, Some(number), &best));
            }
        }
    }

    /// The runs that are known already.
    fn known(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for (place, block) in self.blocks.iter().enumerate() {
            for span in block.known {
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
                columns.push(self.column(place, span.pool as usize, span.standing, &best));
            }
        }
        columns
    }

    fn worth(&self, place: usize, pool: usize, serves_from: usize) -> Worth<'a, f64> {
        let (block, rows) = (&self.blocks[place], &self.of[place]);
        let pool = &block.terms.pools[pool];
        let units = |needed: i64| pool.units.min(needed) as f64;
        let earns = |t: usize| {
            if t < serves_from {
                return 0.0;
            }
            let mut earned = units(block.needs.demand[t]) * self.asked(rows.demand[t]);
            for (zone, places) in rows.spare.iter().enumerate() {
                if zone != pool.zone {
                    earned += units(block.needs.spare[zone][t]) * self.asked(places[t]);
                }
            }
            earned
        };
        // A quota's price is not over zero in the simplex: being there earns that, which is less than nothing.
        let takes = |t: usize| -> f64 {
            let of = pool.quotas.iter();
            let price = |local: usize| self.asked(self.quota[block.quotas[local]][t]);
            of.map(|(local, each)| -*each as f64 * price(*local)).sum()
        };
        let costs = (pool.first_cost() as f64, pool.again_bill as f64);
        Worth::new(block.terms, pool, costs, earns, takes)
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
        let span = Span {
            from: if standing.is_some() {
                0
            } else {
                best.from as u32
            },
            until: best.until as u32,
            pool: of as u32,
            standing,
        };
        Column {
            span: Some((place, span)),
            cost: best.costs,
            entries,
        }
    }

    /// The candidate, slack or missing unit that gains most for its cost; candidates that gain nothing go.
    fn best_of(&self, candidates: &mut Vec<Column>) -> Option<(f64, Column)> {
        let gain = |column: &Column| {
            let earned: f64 = column
                .entries
                .iter()
                .map(|(row, value)| value * self.prices[*row])
                .sum();
            (earned - column.cost) / (1.0 + column.cost)
        };
        let mut best: Option<(f64, usize)> = None;
        let mut gains = Vec::with_capacity(candidates.len());
        for (place, column) in candidates.iter().enumerate() {
            let gained = gain(column);
            gains.push(gained);
            if gained > GAIN_MIN && best.is_none_or(|(most, _)| gained > most) {
                best = Some((gained, place));
            }
        }
        let mut slack: Option<(f64, Column)> = None;
        for row in 0..self.rows {
            let price = self.prices[row];
            let (gained, value, cost) = match self.at_least[row] {
                Some(missing) if price > missing * (1.0 + GAIN_MIN) => {
                    ((price - missing) / (1.0 + missing), 1.0, missing)
                }
                Some(missing) if price < 0.0 => (-price / (1.0 + missing), -1.0, 0.0),
                None if price > 0.0 => (price / (1.0 + self.dearest), 1.0, 0.0),
                _ => continue,
            };
            if gained > GAIN_MIN && slack.as_ref().is_none_or(|(most, _)| gained > *most) {
                let column = Column {
                    span: None,
                    cost,
                    entries: vec![(row, value)],
                };
                slack = Some((gained, column));
            }
        }
        match (best, slack) {
            (Some((gained, _)), Some((more, column))) if more > gained => Some((more, column)),
            (None, Some(slack)) => Some(slack),
            (Some((gained, place)), _) => Some((gained, candidates.swap_remove(place))),
            (None, None) => {
                candidates.clear();
                None
            }
        }
    }

    /// Takes a column into the basis.
    fn pivot(&mut self, column: &Column) -> bool {
        let rows = self.rows;
        let mut way = vec![0.0; rows];
        for (row, way) in way.iter_mut().enumerate() {
            let line = &self.inverse[row * rows..(row + 1) * rows];
            *way = column
                .entries
                .iter()
                .map(|(at, value)| line[*at] * value)
                .sum();
        }
        let mut leaving: Option<(f64, usize)> = None;
        for row in 0..rows {
            if way[row] > PIVOT_MIN {
                let ratio = self.values[row].max(0.0) / way[row];
                let first = leaving.is_none_or(|(least, at)| {
                    ratio < least - 1e-12 || (ratio <= least + 1e-12 && way[row] > way[at])
                });
                if first {
                    leaving = Some((ratio, row));
                }
            }
        }
        let Some((ratio, leaves)) = leaving else {
            return false;
        };
        let earned: f64 = column
            .entries
            .iter()
            .map(|(row, value)| value * self.prices[*row])
            .sum();
        let pivot = way[leaves];
        let line: Vec<f64> = self.inverse[leaves * rows..(leaves + 1) * rows]
            .iter()
            .map(|value| value / pivot)
            .collect();
        let change = column.cost - earned;
        for (price, value) in self.prices.iter_mut().zip(&line) {
            *price += change * value;
        }
        for (row, factor) in way.iter().copied().enumerate() {
            if row == leaves || factor == 0.0 {
                continue;
            }
            let own = &mut self.inverse[row * rows..(row + 1) * rows];
            for (own, value) in own.iter_mut().zip(&line) {
                *own -= factor * value;
            }
            self.values[row] -= factor * ratio;
        }
        self.inverse[leaves * rows..(leaves + 1) * rows].copy_from_slice(&line);
        self.values[leaves] = ratio;
        self.costs[leaves] = column.cost;
        self.basis[leaves] = column.span;
        true
    }

    fn best_price(&self, place: Option<usize>) -> f64 {
        place.map_or(0.0, |row| self.best[row])
    }

    fn relaxed(self) -> Vec<Relaxed> {
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
            })
            .collect();
        for (of, value) in self.basis.iter().zip(&self.values) {
            if let Some((place, span)) = of
                && *value > 1e-6
            {
                relaxed[*place].runs.push((*span, *value));
            }
        }
        relaxed
    }
}
