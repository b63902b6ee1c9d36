//! Past errors, kept in blocks of a day so that paths inherit how errors hang together.

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// Past errors in rows of one block (a day): row by row, the column being the time of day, counted
/// from the end of the history. Drawing whole rows keeps both that evenings err more than nights and
/// that errors come in runs (seasonal block bootstrap; Politis 2001).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ResidualBlocks {
    block: usize,
    errors: Vec<f64>,
}

impl ResidualBlocks {
    /// Cuts a series of errors, which ends where the history ends, into rows. What is left over at
    /// its start is dropped unless there is no whole row; a missing error is taken from the nearest
    /// row that has one at the same time of day. Errors are centred: forecasts and their paths
    /// must not drift apart.
    pub(crate) fn new(errors: &[Option<f64>], block: usize) -> Self {
        let block = block.clamp(1, errors.len().max(1));
        let rows = errors.len() / block;
        let whole = &errors[errors.len() - rows * block..];
        Self::from_rows(whole, block, true)
    }

    /// Takes errors that already lie in whole rows.
    pub(crate) fn from_rows(whole: &[Option<f64>], block: usize, center: bool) -> Self {
        let rows = whole.len() / block.max(1);
        let (sum, count) = whole
            .iter()
            .flatten()
            .fold((0.0, 0_usize), |(sum, count), error| {
                (sum + error, count + 1)
            });
        let mean = if center && count > 0 {
            sum / count as f64
        } else {
            0.0
        };
        let mut filled = Vec::with_capacity(whole.len());
        for row in 0..rows {
            for column in 0..block {
                let at = |row: usize| whole[row * block + column];
                let nearest = at(row).or_else(|| {
                    (1..rows).find_map(|apart| {
                        let before = row.checked_sub(apart).and_then(at);
                        before.or_else(|| (row + apart < rows).then(|| at(row + apart)).flatten())
                    })
                });
                filled.push(nearest.map_or(0.0, |error| error - mean));
            }
        }
        Self {
            block,
            errors: filled,
        }
    }

    /// The length of a row.
    pub(crate) fn block(&self) -> usize {
        self.block.max(1)
    }

    /// Moves on by one step: each row starts at the next time of day.
    pub(crate) fn turn(&mut self) {
        if self.block > 0 {
            for row in self.errors.chunks_mut(self.block) {
                row.rotate_left(1);
            }
        }
    }

    /// How many rows there are to draw from.
    pub(crate) fn rows(&self) -> usize {
        self.errors.len().checked_div(self.block).unwrap_or(0)
    }

    /// The errors of one row.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.errors[row * self.block..][..self.block]
    }

    /// Fills the steps of a path with errors, row after row drawn at random; zeros if there is none.
    pub(crate) fn draw(&self, rng: &mut Rng, steps: &mut [f64]) {
        self.draw_from(rng, 0, steps);
    }

    /// The same for a path whose first step stands at a place within the row other than its start,
    /// because as many steps have passed since.
    pub(crate) fn draw_from(&self, rng: &mut Rng, passed: usize, steps: &mut [f64]) {
        if self.rows() == 0 {
            steps.fill(0.0);
            return;
        }
        let mut from = passed % self.block;
        let mut left = steps;
        while !left.is_empty() {
            let row = &self.row(rng.below(self.rows()))[from..];
            let (now, later) = left.split_at_mut(row.len().min(left.len()));
            now.copy_from_slice(&row[..now.len()]);
            (left, from) = (later, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_time_of_day_and_gaps_take_the_nearest_row() {
        let errors = [
            None,
            Some(9.0),
            Some(1.0),
            Some(-1.0),
            None,
            Some(-3.0),
            Some(5.0),
            None,
        ];
        let blocks = ResidualBlocks::from_rows(&errors, 2, false);
        assert_eq!(blocks.errors, [1.0, 9.0, 1.0, -1.0, 1.0, -3.0, 5.0, -3.0]);
        let mut path = [0.0; 5];
        blocks.draw(&mut Rng::new(3, 0), &mut path);
        let rows: Vec<&[f64]> = (0..4).map(|row| blocks.row(row)).collect();
        assert!(
            rows.contains(&&path[0..2]) && rows.contains(&&path[2..4]),
            "{path:?}"
        );
    }

    #[test]
    fn no_errors_are_no_spread() {
        let mut path = [1.0; 3];
        ResidualBlocks::new(&[], 4).draw(&mut Rng::new(1, 0), &mut path);
        assert_eq!(path, [0.0; 3]);
    }
}
