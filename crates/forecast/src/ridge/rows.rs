//! Rows of a regression, laid out for their two costs: products of all pairs of columns, and forecasts of all rows.
//!
//! Both are compiled for what the processor has. Each sum is added up row by row, or column by column, on all of them, so
//! that all give the same result to the last bit.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};

/// Columns that are multiplied with as many others together: their sums stay in a processor's registers.
const TILE: usize = 4;

/// The targets' column; the features' come after it.
const TARGET: usize = 0;

/// Targets and features, by column and again by four columns.
pub(super) struct Rows {
    columns: Vec<Vec<f64>>,
    tiles: Vec<Vec<Tile>>,
    row: Vec<Tile>,
}

/// A row's values in four columns; the last ones are filled up with zeros.
type Tile = [f64; TILE];

impl Rows {
    /// None yet, of so many features.
    pub(super) fn new(features: usize) -> Self {
        let columns = 1 + features;
        let tiles = columns.div_ceil(TILE);
        Self {
            columns: vec![Vec::new(); columns],
            tiles: vec![Vec::new(); tiles],
            row: vec![Tile::default(); tiles],
        }
    }

    /// Forgets all rows, and keeps their room.
    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Vec::clear);
        self.tiles.iter_mut().for_each(Vec::clear);
    }

    /// Features of a row.
    pub(super) fn features(&self) -> usize {
        self.columns.len() - 1
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.columns[TARGET].len()
    }

    /// Adds a row whose features `fill` puts in.
    pub(super) fn push(&mut self, target: f64, fill: impl FnOnce(&mut [f64])) {
        let features = self.features();
        let row = self.row.as_flattened_mut();
        row[TARGET] = target;
        fill(&mut row[TARGET + 1..][..features]);
        for (column, &value) in self.columns.iter_mut().zip(row.iter()) {
            column.push(value);
        }
        for (tiles, &tile) in self.tiles.iter_mut().zip(&self.row) {
            tiles.push(tile);
        }
    }

    /// Puts these targets in place of those that were.
    pub(super) fn aim_at(&mut self, targets: Vec<f64>) {
        assert_eq!(targets.len(), self.len(), "targets of other rows");
        for (tile, &target) in self.tiles[TARGET / TILE].iter_mut().zip(&targets) {
            tile[TARGET % TILE] = target;
        }
        self.columns[TARGET] = targets;
    }

    /// How far the targets of these rows are off what these weights of the features forecast.
    pub(super) fn errors(&self, rows: Range<usize>, weights: &[f64]) -> Vec<f64> {
        Arch::new().dispatch(Errors {
            columns: &self.columns,
            rows,
            weights,
        })
    }

    /// Sums of products over these rows, each with its weight.
    pub(super) fn sums(&self, rows: Range<usize>, weights: &[f64]) -> Sums {
        Arch::new().dispatch(Products {
            columns: self.columns.len(),
            tiles: &self.tiles,
            rows,
            weights,
        })
    }
}

/// The work of [`Rows::errors`], compiled for what processors have.
struct Errors<'a> {
    columns: &'a [Vec<f64>],
    rows: Range<usize>,
    weights: &'a [f64],
}

impl NullaryFnOnce for Errors<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn call(self) -> Vec<f64> {
        let mut forecasts = vec![0.0; self.rows.len()];
        for (column, weight) in self.columns[TARGET + 1..].iter().zip(self.weights) {
            for (forecast, feature) in forecasts.iter_mut().zip(&column[self.rows.clone()]) {
                *forecast += feature * weight;
            }
        }
        let targets = &self.columns[TARGET][self.rows];
        for (forecast, target) in forecasts.iter_mut().zip(targets) {
            *forecast = target - *forecast;
        }
        forecasts
    }
}

/// The work of [`Rows::sums`], the same.
struct Products<'a> {
    columns: usize,
    tiles: &'a [Vec<Tile>],
    rows: Range<usize>,
    weights: &'a [f64],
}

impl NullaryFnOnce for Products<'_> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let columns = self.columns;
        let plain: Vec<&[Tile]> = (self.tiles.iter())
            .map(|tiles| &tiles[self.rows.clone()])
            .collect();
        let mut weighted: Vec<Vec<Tile>> = plain.iter().map(|tiles| tiles.to_vec()).collect();
        for tiles in &mut weighted {
            for (tile, weight) in tiles.iter_mut().zip(self.weights) {
                for value in tile {
                    *value *= weight;
                }
            }
        }
        let mut products = vec![0.0; columns * columns];
        for (left, weighted) in weighted.iter().enumerate() {
            for (right, plain) in plain[..=left].iter().enumerate() {
                let tile = products_of(weighted, plain);
                for (row, tile) in (left * TILE..columns).zip(tile) {
                    let own = &mut products[row * columns..(row + 1) * columns];
                    let own = own[right * TILE..].iter_mut();
                    own.zip(tile).for_each(|(own, sum)| *own = sum);
                }
            }
        }
        Sums { columns, products }
    }
}

/// The sums of products of each of four columns on the left with each of four on the right.
#[inline(always)]
fn products_of(left: &[Tile], right: &[Tile]) -> [Tile; TILE] {
    let mut sums = [Tile::default(); TILE];
    for (left, right) in left.iter().zip(right) {
        for (sums, left) in sums.iter_mut().zip(left) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// Sums of products of all columns, the targets' first: the lower triangle is filled.
#[derive(Clone)]
pub(super) struct Sums {
    columns: usize,
    products: Vec<f64>,
}

impl Sums {
    /// The sums of all of these; `None` of none.
    pub(super) fn of<'a>(mut each: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let mut all = each.next()?.clone();
        for other in each {
            let pairs = all.products.iter_mut().zip(&other.products);
            pairs.for_each(|(all, other)| *all += other);
        }
        Some(all)
    }

    /// Of two features.
    fn product(&self, row: usize, column: usize) -> f64 {
        self.products[(TARGET + 1 + row) * self.columns + TARGET + 1 + column]
    }

    /// Of a feature and the target.
    fn target(&self, row: usize) -> f64 {
        self.products[(TARGET + 1 + row) * self.columns + TARGET]
    }

    /// The weights of the features with this penalty on each, by Cholesky; a direction without data stays at 0.
    pub(super) fn solve(&self, penalty: f64) -> Vec<f64> {
        let width = self.columns - 1;
        let largest = (0..width)
            .map(|place| self.product(place, place))
            .fold(0.0, f64::max);
        // A penalty of rounding size at least, so that copies of a feature do no harm.
        let penalty = penalty + 1e-9 * largest;
        let mut factor = vec![0.0; width * width];
        let mut solution = vec![0.0; width];
        for row in 0..width {
            for column in 0..=row {
                let mut value = self.product(row, column);
                for place in 0..column {
                    value -= factor[row * width + place] * factor[column * width + place];
                }
                factor[row * width + column] = if row == column {
                    (value + penalty).max(penalty).sqrt()
                } else {
                    divided(value, factor[column * width + column])
                };
            }
            let mut value = self.target(row);
            for place in 0..row {
                value -= factor[row * width + place] * solution[place];
            }
            solution[row] = divided(value, factor[row * width + row]);
        }
        for row in (0..width).rev() {
            let mut value = solution[row];
            for place in row + 1..width {
                value -= factor[place * width + row] * solution[place];
            }
            solution[row] = divided(value, factor[row * width + row]);
        }
        solution
    }
}

fn divided(value: f64, by: f64) -> f64 {
    if by > 0.0 { value / by } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows of so many features, their values from a few numbers that repeat out of step.
    fn rows(features: usize, count: usize, numbers: &[f64]) -> Rows {
        let mut rows = Rows::new(features);
        for at in 0..count {
            let number = |place: usize| numbers[(at * (features + 2) + place) % numbers.len()];
            rows.push(number(0), |all| {
                for (place, feature) in all.iter_mut().enumerate() {
                    *feature = number(place + 1);
                }
            });
        }
        rows
    }

    proptest! {
        #[test]
        fn sums_and_errors_are_those_of_each_row(
            features in 1_usize..12,
            count in 1_usize..40,
            numbers in prop::collection::vec(-3.0..3.0, 17),
        ) {
            let rows = rows(features, count, &numbers);
            let weights: Vec<f64> = (0..count).map(|at| (at + 1) as f64).collect();
            let some = count / 3..count;
            let sums = rows.sums(some.clone(), &weights[some.clone()]);
            for row in 0..features {
                let of = |other: &[f64]| -> f64 {
                    some.clone().map(|at| weights[at] * rows.columns[1 + row][at] * other[at]).sum()
                };
                prop_assert!((sums.target(row) - of(&rows.columns[TARGET])).abs() < 1e-6);
                for column in 0..=row {
                    let expected = of(&rows.columns[1 + column]);
                    prop_assert!((sums.product(row, column) - expected).abs() < 1e-6);
                }
            }
            let by = &numbers[..features];
            for (at, error) in some.clone().zip(rows.errors(some.clone(), by)) {
                let forecast: f64 = (0..features).map(|place| rows.columns[1 + place][at] * by[place]).sum();
                prop_assert!((rows.columns[TARGET][at] - forecast - error).abs() < 1e-9);
            }
        }

        #[test]
        fn a_processor_that_can_do_more_finds_the_same(numbers in prop::collection::vec(-3.0..3.0, 23)) {
            let rows = rows(9, 70, &numbers);
            let weights: Vec<f64> = (0..70).map(|at| 1.0 / (at + 1) as f64).collect();
            let plain = Products { columns: 10, tiles: &rows.tiles, rows: 0..70, weights: &weights };
            prop_assert_eq!(plain.call().products, rows.sums(0..70, &weights).products);
            let plain = Errors { columns: &rows.columns, rows: 0..70, weights: &weights[..9] };
            prop_assert_eq!(plain.call(), rows.errors(0..70, &weights[..9]));
        }
    }

    #[test]
    fn new_targets_take_the_place_of_the_old_ones() {
        let mut rows = rows(2, 3, &[1.0, 2.0, 5.0]);
        rows.aim_at(vec![7.0, 8.0, 9.0]);
        assert_eq!(rows.errors(0..3, &[0.0, 0.0]), [7.0, 8.0, 9.0]);
        let sums = rows.sums(0..1, &[2.0]);
        assert_eq!(sums.target(0), 2.0 * 7.0 * 2.0);
    }
}
