//! The runs of a solution, and values by row and period: each in one piece of memory, since the search copies them at
//! every step.

use std::ops::{Index, IndexMut};

use super::loads::Span;

/// Runs with how many instances each has, sorted; none has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Vec<(Span, u32)>);

impl Runs {
    /// Becomes equal to others, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }

    /// How many instances a run has.
    pub(super) fn count(&self, span: &Span) -> i64 {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(span));
        at.map_or(0, |at| i64::from(self.0[at].1))
    }

    /// Adds so many instances of a run, or takes them away.
    pub(super) fn add(&mut self, span: Span, count: i64) {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(&span));
        let before = at.map_or(0, |at| i64::from(self.0[at].1));
        let after = before + count;
        assert!(after >= 0, "{after} instances of {span:?}");
        let many = u32::try_from(after).unwrap_or(u32::MAX);
        match at {
            Ok(at) if many == 0 => {
                self.0.remove(at);
            }
            Ok(at) => self.0[at].1 = many,
            Err(at) if many > 0 => self.0.insert(at, (span, many)),
            Err(_) => {}
        }
    }

    /// How many different ones there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each run, with how many instances it has.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Span, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Each run.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().map(|(span, _)| *span)
    }

    /// Instances of all runs.
    pub(super) fn instances(&self) -> u64 {
        self.0.iter().map(|(_, count)| u64::from(*count)).sum()
    }
}

/// Values by row and period.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    periods: usize,
    values: Vec<i64>,
}

impl Rows {
    /// So many rows of nothing.
    pub(super) fn new(rows: usize, periods: usize) -> Self {
        Self {
            periods,
            values: vec![0; rows * periods],
        }
    }

    /// Becomes equal to others, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.periods = other.periods;
        self.values.clone_from(&other.values);
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.periods.max(1)
    }

    /// Each row.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[i64]> + Clone {
        self.values.chunks_exact(self.periods.max(1))
    }

    /// A row, if it is there.
    pub(super) fn get_mut(&mut self, row: usize) -> Option<&mut [i64]> {
        self.values.chunks_exact_mut(self.periods.max(1)).nth(row)
    }
}

impl Index<usize> for Rows {
    type Output = [i64];

    fn index(&self, row: usize) -> &[i64] {
        &self.values[row * self.periods..][..self.periods]
    }
}

impl IndexMut<usize> for Rows {
    fn index_mut(&mut self, row: usize) -> &mut [i64] {
        &mut self.values[row * self.periods..][..self.periods]
    }
}
