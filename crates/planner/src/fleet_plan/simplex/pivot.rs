//! Pivots with long steps: what is missing in a row turns into what is there too much, and the other way round, on the
//! way of the column that enters, as long as that column still gains. Without that, each such turn is a pivot of its own.

use super::{Basic, Candidates, Column, GAIN_MIN, Simplex};

/// A pivot smaller than this is no pivot.
const PIVOT_MIN: f64 = 1e-9;
/// Ratios are equal within this; of equal ones, the larger pivot is the better one.
const EQUAL: f64 = 1e-12;

impl Simplex<'_> {
    /// Takes a column into the basis. The one that leaves it is a candidate again.
    pub(in crate::fleet_plan) fn pivot(
        &mut self,
        column: Column,
        candidates: &mut Candidates,
    ) -> bool {
        let rows = self.rows;
        self.way.fill(0.0);
        for (at, value) in &column.entries {
            let line = &self.inverse[at * rows..(at + 1) * rows];
            for (way, inverse) in self.way.iter_mut().zip(line) {
                *way += value * inverse;
            }
        }
        let mut change = column.cost - column.earned(&self.prices);
        let (ratio, leaves) = loop {
            let Some((ratio, leaves)) = self.first_to_leave() else {
                return false;
            };
            // What was missing may be there in plenty, and the other way round, while the column still gains.
            let missing = match self.basis[leaves] {
                Basic::Of(row) => self.at_least[row],
                Basic::Run(_) => None,
            };
            let Some(missing) = missing else {
                break (ratio, leaves);
            };
            let then = change + self.way[leaves] * missing;
            if then >= -GAIN_MIN * (1.0 + column.cost) {
                break (ratio, leaves);
            }
            self.turn(leaves, missing);
            change = then;
        };
        let way = &self.way;
        let per_pivot = 1.0 / way[leaves];
        for (line, price) in self.inverse.chunks_exact_mut(rows).zip(&mut self.prices) {
            if line[leaves] == 0.0 {
                continue;
            }
            let own = line[leaves] * per_pivot;
            *price += change * own;
            for (inverse, way) in line.iter_mut().zip(way) {
                *inverse -= way * own;
            }
            line[leaves] = own;
        }
        for (value, way) in self.values.iter_mut().zip(way) {
            *value -= way * ratio;
        }
        self.values[leaves] = ratio;
        self.costs[leaves] = column.cost;
        let enters = match (column.span, &column.entries[..]) {
            (None, [(row, _)]) => Basic::Of(*row),
            _ => Basic::Run(column),
        };
        if let Basic::Run(left) = std::mem::replace(&mut self.basis[leaves], enters) {
            candidates.cold.push(left);
        }
        true
    }

    /// The basic column that is the first to reach nothing on the way, and after how much of the one that enters.
    fn first_to_leave(&self) -> Option<(f64, usize)> {
        let (mut ratio, mut leaves, mut way_there) = (f64::INFINITY, None, 0.0);
        for (row, (value, way)) in self.values.iter().zip(&self.way).enumerate() {
            if *way <= PIVOT_MIN {
                continue;
            }
            let value = value.max(0.0);
            // Compared without a division, which takes longer than all else here.
            let equal = value <= (ratio + EQUAL) * way && *way > way_there;
            if value < (ratio - EQUAL) * way || equal {
                (ratio, leaves, way_there) = (value / way, Some(row), *way);
            }
        }
        leaves.map(|row| (ratio, row))
    }

    /// Lets what is missing in a basic place become what is there too much, or the other way round: one column is the
    /// other's negative, and costs nothing where that one has its price.
    fn turn(&mut self, place: usize, missing: f64) {
        let lines = self.inverse.chunks_exact_mut(self.rows);
        for (line, price) in lines.zip(&mut self.prices) {
            *price -= missing * line[place];
            line[place] = -line[place];
        }
        self.way[place] = -self.way[place];
        self.values[place] = -self.values[place];
        self.costs[place] = missing - self.costs[place];
    }
}
