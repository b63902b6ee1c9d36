//! The relaxation in fractions of instances: a revised simplex whose columns are runs, found as they are needed.
//!
//! Rows are the demand of each period, the spare of each zone and period, the quotas, and the number of standing
//! instances. It starts from missing everything, which is always possible, and takes in the run that earns most for
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

/// What the relaxation found.
pub(super) struct Relaxed {
    /// Prices of units; whole ones.
    pub(super) prices: UnitPrices,
    /// Runs, and how many instances of each.
    pub(super) runs: Vec<(Span, f64)>,
}

/// The rows of one kind: where each period's row is, if it has one.
type Places = Vec<Option<usize>>;

struct Simplex<'a> {
    terms: &'a Terms,
    needs: &'a Residual,
    demand: Places,
    spare: Vec<Places>,
    quota: Vec<Places>,
    standing: Vec<usize>,
    rows: usize,
    /// Inverse of the basis, row by row.
    inverse: Vec<f64>,
    /// Values of the basic columns.
    values: Vec<f64>,
    costs: Vec<f64>,
    /// What each basic column is; `None` for slack and for what is missing.
    basis: Vec<Option<Span>>,
    prices: Vec<f64>,
    /// Whether a row wants at least its right side, and what missing one costs there; else at most.
    at_least: Vec<Option<f64>>,
}

struct Column {
    span: Option<Span>,
    cost: f64,
    entries: Vec<(usize, f64)>,
}

/// Solves the relaxation, or stops where the work is spent: the prices are good for a bound all the same.
pub(super) fn relax(
    terms: &Terms,
    needs: &Residual,
    pools: &[usize],
    work: &mut u64,
    work_limit: u64,
) -> Relaxed {
    let mut simplex = Simplex::new(terms, needs);
    let mut candidates: Vec<Column> = Vec::new();
    while *work < work_limit {
        let mut entering = simplex.best_of(&mut candidates);
        if entering.is_none() {
            candidates = simplex.columns(pools);
            *work += (pools.len() * terms.periods * (1 + terms.zones)) as u64;
            entering = simplex.best_of(&mut candidates);
        }
        let Some(column) = entering else { break };
        *work += (2 * simplex.rows * simplex.rows) as u64 / 4 + 1;
        if !simplex.pivot(&column) {
            break;
        }
    }
    simplex.relaxed()
}

impl<'a> Simplex<'a> {
    fn new(terms: &'a Terms, needs: &'a Residual) -> Self {
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
        let demand = places(&needs.demand, Some(terms.short as f64), false);
        let no_spare = Some(terms.no_spare as f64);
        let spare = needs.spare.iter().map(|zone| places(zone, no_spare, false)).collect();
        // A quota that all of the demand fits into binds nothing.
        let most = needs.demand.iter().max().copied().unwrap_or(0);
        let binds = |(quota, left): (usize, &Vec<i64>)| {
            let each = terms.pools.iter().flat_map(|pool| {
                let of = pool.quotas.iter().filter(move |(place, _)| *place == quota);
                of.map(|(_, each)| each * most.div_euclid(pool.units).max(1) * 2)
            });
            let most = each.max().unwrap_or(0);
            left.iter().any(|left| *left < most)
        };
        let quota = needs.quota.iter().enumerate().map(|(place, left)| {
            if binds((place, left)) {
                places(left, None, true)
            } else {
                vec![None; terms.periods]
            }
        });
        let quota = quota.collect();
        let counts: Vec<i64> = terms.standing.iter().map(|s| i64::from(s.count)).collect();
        let standing = places(&counts, None, true).into_iter().flatten().collect();
        let rows = at_least.len();
        let mut inverse = vec![0.0; rows * rows];
        for row in 0..rows {
            inverse[row * rows + row] = 1.0;
        }
        let costs: Vec<f64> = at_least.iter().map(|missing| missing.unwrap_or(0.0)).collect();
        Self {
            terms,
            needs,
            demand,
            spare,
            quota,
            standing,
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
    fn columns(&self, pools: &[usize]) -> Vec<Column> {
        let mut columns = Vec::new();
        for &place in pools {
            let worth = self.worth(place, 0);
            if let Some(best) = worth.best_start().filter(|best| best.earns > best.costs) {
                columns.push(self.column(place, None, &best));
            }
        }
        for (standing, place) in self.terms.standing.iter().zip(0..) {
            let worth = self.worth(standing.pool, standing.serves_from);
            let best = worth.best_going_on(standing.bound);
            if best.until > best.from {
                columns.push(self.column(standing.pool, Some(place), &best));
            }
        }
        columns
    }

    fn worth(&self, place: usize, serves_from: usize) -> Worth<'a, f64> {
        let pool = &self.terms.pools[place];
        let units = |needed: i64| pool.units.min(needed) as f64;
        let earns = |t: usize| {
            if t < serves_from {
                return 0.0;
            }
            let mut earned = units(self.needs.demand[t]) * self.price(self.demand[t]);
            for (zone, places) in self.spare.iter().enumerate() {
                if zone != pool.zone {
                    earned += units(self.needs.spare[zone][t]) * self.price(places[t]);
                }
            }
            earned
        };
        // A quota's price is not over zero in the simplex: being there earns that, which is less than nothing.
        let takes = |t: usize| -> f64 {
            let of = pool.quotas.iter();
            of.map(|(quota, each)| -*each as f64 * self.price(self.quota[*quota][t])).sum()
        };
        let costs = (pool.first_cost() as f64, pool.again_bill as f64);
        Worth::new(self.terms, pool, costs, earns, takes)
    }

    fn column(&self, place: usize, standing: Option<u32>, best: &Best<f64>) -> Column {
        let pool = &self.terms.pools[place];
        let serves = match standing {
            Some(of) => best.from.max(self.terms.standing[of as usize].serves_from),
            None => best.from + pool.lead,
        };
        let mut entries = Vec::with_capacity((best.until - best.from) * (1 + self.spare.len()));
        for t in best.from..best.until {
            if t >= serves {
                if let Some(row) = self.demand[t] {
                    entries.push((row, pool.units.min(self.needs.demand[t]) as f64));
                }
                for (zone, places) in self.spare.iter().enumerate() {
                    if let (true, Some(row)) = (zone != pool.zone, places[t]) {
                        entries.push((row, pool.units.min(self.needs.spare[zone][t]) as f64));
                    }
                }
            }
            for (quota, each) in &pool.quotas {
                if let Some(row) = self.quota[*quota][t] {
                    entries.push((row, *each as f64));
                }
            }
        }
        if let Some(of) = standing {
            entries.push((self.standing[of as usize], 1.0));
        }
        Column {
            span: Some(Span {
                from: if standing.is_some() { 0 } else { best.from as u32 },
                until: best.until as u32,
                pool: place as u32,
                standing,
            }),
            cost: best.costs,
            entries,
        }
    }

    /// The candidate, slack or missing unit that gains most for its cost; candidates that gain nothing go.
    fn best_of(&self, candidates: &mut Vec<Column>) -> Option<Column> {
        let gain = |column: &Column| {
            let earned: f64 = column.entries.iter().map(|(row, value)| value * self.prices[*row]).sum();
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
            *way = column.entries.iter().map(|(at, value)| line[*at] * value).sum();
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
        let earned: f64 = column.entries.iter().map(|(row, value)| value * self.prices[*row]).sum();
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

    fn relaxed(self) -> Relaxed {
        let whole = |places: &Places, sign: f64| -> Vec<i64> {
            places.iter().map(|place| (sign * self.price(*place)) as i64).collect()
        };
        let prices = UnitPrices {
            demand: whole(&self.demand, 1.0),
            spare: self.spare.iter().map(|places| whole(places, 1.0)).collect(),
            quota: self.quota.iter().map(|places| whole(places, -1.0)).collect(),
        };
        let runs = self.basis.iter().zip(&self.values);
        let runs = runs.filter_map(|(span, value)| span.map(|span| (span, *value)));
        Relaxed {
            prices,
            runs: runs.filter(|(_, value)| *value > 1e-6).collect(),
        }
    }
}
