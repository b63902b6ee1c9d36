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
const GAIN_MIN: f64 = 1e-7;
/// A pivot smaller than this is no pivot.
const PIVOT_MIN: f64 = 1e-9;

/// So many pivots are made at most, and so many more for each row; a few for each row are enough nearly always.
const PIVOTS_MIN: usize = 200;
const PIVOTS_PER_ROW: usize = 40;

/// A component in a relaxation.
pub(super) struct Block<'a> {
    pub(super) terms: &'a Terms,
    pub(super) needs: &'a Residual,
    pub(super) pools: &'a [usize],
    /// Where its quotas are among those of the relaxation.
    pub(super) quotas: Vec<usize>,
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
}

struct Column {
    /// The component and its run; `None` for slack and for what is missing.
    span: Option<(usize, Span)>,
    cost: f64,
    entries: Vec<(usize, f64)>,
}

/// Solves the relaxation, or stops after many pivots: the prices are good for a bound all the same.
pub(super) fn relax(blocks: &[Block], room: &[Vec<i64>], work: &mut u64) -> Vec<Relaxed> {
    let mut simplex = Simplex::new(blocks, room);
    let mut candidates: Vec<Column> = Vec::new();
    for _ in 0..PIVOTS_MIN + PIVOTS_PER_ROW * simplex.rows {
        let mut entering = simplex.best_of(&mut candidates);
        if entering.is_none() {
            candidates.clear();
            for (place, block) in blocks.iter().enumerate() {
                simplex.columns(place, &mut candidates);
                let terms = block.terms;
                *work += (block.pools.len() * terms.periods * (1 + terms.zones)) as u64;
            }
            entering = simplex.best_of(&mut candidates);
        }
        let Some(column) = entering else { break };
        *work += (simplex.rows * simplex.rows) as u64 / 4 + 1;
        if !simplex.pivot(&column) {
            break;
        }
    }
    simplex.relaxed()
}

impl<'a> Simplex<'a> {
    fn new(blocks: &'a [Block<'a>], room: &[Vec<i64>]) -> Self {
        let mut at_least = Vec::new();
        let mut right = Vec::new();
        let mut places = |needed: &[i64], missing: Option<f64>, all: bool| -> Places {
            let row = |needed: &i64| {
                (all || *needed > 0).then(|| {
                    at_least.push(missing);
                    // A little more, differently in each row: ties would make it stand still.
                    let place = at_least.len();
                    right.push(*needed as f64 + 1e-6 * (1.0 + (place * 37 % 101) as f64 / 101.0));
                    place - 1
                })
            };
            needed.iter().map(row).collect()
        };
        let mut of = Vec::with_capacity(blocks.len());
        // The most that a quota could be asked for: with more room it binds nothing.
        let mut asked = vec![0; room.len()];
        for block in blocks {
            let (terms, needs) = (block.terms, block.needs);
            let no_spare = Some(terms.no_spare as f64);
            let spare = needs.spare.iter();
            let counts: Vec<i64> = terms.standing.iter().map(|s| i64::from(s.count)).collect();
            of.push(Rows {
                demand: places(&needs.demand, Some(terms.short as f64), false),
                spare: spare.map(|zone| places(zone, no_spare, false)).collect(),
                standing: places(&counts, None, true).into_iter().flatten().collect(),
            });
            let most = needs.demand.iter().max().copied().unwrap_or(0);
            for (local, quota) in block.quotas.iter().enumerate() {
                let uses = terms.pools.iter().flat_map(|pool| {
                    let of = pool.quotas.iter().filter(move |(place, _)| *place == local);
                    of.map(|(_, each)| 3 * each * (most / pool.units + 1))
                });
                asked[*quota] += uses.max().unwrap_or(0);
            }
        }
        let quota = room.iter().zip(&asked).map(|(left, asked)| {
            if left.iter().any(|left| left < asked) {
                places(left, None, true)
            } else {
                vec![None; left.len()]
            }
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
            values: right,
            prices: costs.clone(),
            costs,
            basis: vec![None; rows],
            at_least,
        }
    }

    fn price(&self, place: Option<usize>) -> f64 {
        place.map_or(0.0, |row| self.prices[row])
    }

    /// The best run of each pool and of each kind of standing instances at the prices of now.
    fn columns(&self, place: usize, columns: &mut Vec<Column>) {
        let block = &self.blocks[place];
        for &pool in block.pools {
            let best = self.worth(place, pool, 0).best_start();
            if let Some(best) = best.filter(|best| best.earns > best.takes + best.costs) {
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

    fn worth(&self, place: usize, pool: usize, serves_from: usize) -> Worth<'a, f64> {
        let (block, rows) = (&self.blocks[place], &self.of[place]);
        let pool = &block.terms.pools[pool];
        let units = |needed: i64| pool.units.min(needed) as f64;
        let earns = |t: usize| {
            if t < serves_from {
                return 0.0;
            }
            let mut earned = units(block.needs.demand[t]) * self.price(rows.demand[t]);
            for (zone, places) in rows.spare.iter().enumerate() {
                if zone != pool.zone {
                    earned += units(block.needs.spare[zone][t]) * self.price(places[t]);
                }
            }
            earned
        };
        // A quota's price is not over zero in the simplex: being there earns that, which is less than nothing.
        let takes = |t: usize| -> f64 {
            let of = pool.quotas.iter();
            let price = |local: usize| self.price(self.quota[block.quotas[local]][t]);
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
    fn best_of(&self, candidates: &mut Vec<Column>) -> Option<Column> {
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
                Some(_) if price < 0.0 => (-price, -1.0, 0.0),
                None if price > 0.0 => (price, 1.0, 0.0),
                _ => continue,
            };
            let gained = if cost > 0.0 { gained } else { gained * 1e-3 };
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
            (Some((gained, _)), Some((more, column))) if more > gained => Some(column),
            (None, Some((_, column))) => Some(column),
            (Some((_, place)), _) => Some(candidates.swap_remove(place)),
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
        for row in 0..rows {
            if row == leaves || way[row] == 0.0 {
                continue;
            }
            let factor = way[row];
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

    fn relaxed(self) -> Vec<Relaxed> {
        let whole = |places: &Places, sign: f64| -> Vec<i64> {
            places
                .iter()
                .map(|place| (sign * self.price(*place)) as i64)
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
