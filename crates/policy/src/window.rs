//! Holds capacity back from scale-in.

use fleetcast_series::SlidingMaximum;
use serde::{Deserialize, Serialize};

/// Holds capacity back from scale-in: gives way only to the highest that was wanted lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScaleInWindow(SlidingMaximum);

impl ScaleInWindow {
    pub(crate) fn new(steps: usize) -> Self {
        Self(SlidingMaximum::new(steps as u64))
    }

    /// What is wanted after the window, given what is wanted now and how many units there are.
    pub(crate) fn apply(&mut self, wanted: u64, total: u64) -> u64 {
        let highest = self.0.push(wanted as f64) as u64;
        if wanted > total {
            wanted
        } else {
            highest.min(total)
        }
    }
}
