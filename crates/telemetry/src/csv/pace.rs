//! Rows that must be equally far apart.

use fleetcast_series::Step;

use super::error::CsvError;

/// How rows of one series have followed each other so far.
pub(super) struct Pace {
    /// As given, or as the first two rows have it.
    step_ms: Option<i64>,
    before_ms: Option<i64>,
}

impl Pace {
    pub fn new(step: Option<Step>) -> Self {
        Self {
            step_ms: step.map(|step| i64::from(step.seconds()) * 1000),
            before_ms: None,
        }
    }

    /// Takes the next row, which must come one step after the last.
    pub fn follow(&mut self, line: u64, at_ms: i64) -> Result<(), CsvError> {
        if let Some(before) = self.before_ms {
            let apart = at_ms - before;
            let step = self.step_ms.unwrap_or(apart);
            if apart != step || apart <= 0 {
                return Err(CsvError::irregular(line, at_ms, apart, step));
            }
            self.step_ms = Some(step);
        }
        self.before_ms = Some(at_ms);
        Ok(())
    }
}
