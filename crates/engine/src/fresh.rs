//! When demand has been known for long enough that something may be scaled in: a start or a gap makes a fleet look
//! idle that is not.

/// Counts the steps of known demand that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FreshDemand {
    most: u32,
    missing: u32,
}

impl FreshDemand {
    /// At the start so many steps are missing; after a gap as many as it had, and no more than these.
    pub(crate) fn new(steps: u32) -> Self {
        Self {
            most: steps,
            missing: steps,
        }
    }

    /// Takes the step that has just ended; says whether demand is known, and has been for long enough.
    pub(crate) fn observe(&mut self, known: bool) -> bool {
        if !known {
            self.missing = (self.missing + 1).min(self.most);
            return false;
        }
        let enough = self.missing == 0;
        self.missing = self.missing.saturating_sub(1);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_takes_a_whole_window_and_a_gap_as_long_as_it_was() {
        let mut fresh = FreshDemand::new(3);
        let mut told = |known: &[bool]| -> Vec<bool> {
            known.iter().map(|known| fresh.observe(*known)).collect()
        };
        assert_eq!(told(&[true; 4]), [false, false, false, true]);
        assert_eq!(told(&[false, true, true]), [false, false, true]);
        assert_eq!(told(&[false; 9]), [false; 9]);
        assert_eq!(told(&[true; 4]), [false, false, false, true]);
    }
}
