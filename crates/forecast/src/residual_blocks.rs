//! Past errors, kept in blocks of a day so that paths inherit how errors hang together.

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// Paths that begin with each row in turn: at least so many, and less than twice as many.
const PATHS_IN_TURN: usize = 64;

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
        if self.rows() > 0 {
            self.fill_from(rng.below(self.rows()), rng, passed, steps);
        } else {
            steps.fill(0.0);
        }
    }

    /// Paths that begin with each row equally often and tell as much as several times as many that are drawn
    /// (stratified sampling), if there are no more rows than that.
    pub(crate) fn paths_in_turn(&self) -> Option<usize> {
        let rows = self.rows();
        (1..=2 * PATHS_IN_TURN)
            .contains(&rows)
            .then(|| rows * PATHS_IN_TURN.div_ceil(rows))
    }

    /// The path of this number of those that begin with each row in turn; after its first row it is drawn.
    pub(crate) fn draw_in_turn(&self, path: usize, passed: usize, steps: &mut [f64]) {
        let mut rng = Rng::new(0, path as u64);
        match path.checked_rem(self.rows()) {
            Some(row) => self.fill_from(row, &mut rng, passed, steps),
            None => steps.fill(0.0),
        }
    }

    /// Fills the steps with what is left of a row and with rows drawn at random.
    fn fill_from(&self, first: usize, rng: &mut Rng, passed: usize, steps: &mut [f64]) {
        let (mut row, mut from) = (first, passed % self.block);
        let mut left = steps;
        loop {
            let errors = &self.row(row)[from..];
            let (now, later) = left.split_at_mut(errors.len().min(left.len()));
            now.copy_from_slice(&errors[..now.len()]);
            (left, from) = (later, 0);
            if left.is_empty() {
                return;
            }
            row = rng.below(self.rows());
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
    fn paths_in_turn_begin_with_each_row_equally_often() {
        let errors: Vec<Option<f64>> = (0..60).map(|step| Some(f64::from(step))).collect();
        let blocks = ResidualBlocks::from_rows(&errors, 4, false);
        assert_eq!(blocks.paths_in_turn(), Some(75));
        let mut path = [0.0; 5];
        let mut begun = [0; 15];
        for number in 0..75 {
            blocks.draw_in_turn(number, 1, &mut path);
            let row = path[0] as usize / 4;
            begun[row] += 1;
            let rest = blocks.row(row)[1..].iter();
            assert!(
                rest.eq(&path[..3]) && (path[3] as usize).is_multiple_of(4),
                "{path:?}"
            );
        }
        assert_eq!(begun, [5; 15]);
    }

    #[test]
    fn no_errors_are_no_spread() {
        let mut path = [1.0; 3];
        ResidualBlocks::new(&[], 4).draw(&mut Rng::new(1, 0), &mut path);
        assert_eq!(path, [0.0; 3]);
    }
}
