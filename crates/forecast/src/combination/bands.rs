//! Leads told apart: an hour, six hours, a day, more.

use serde::{Deserialize, Serialize};

/// How many bands there are.
pub(super) const BANDS: usize = 4;

/// The bands of leads for days of so many steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bands {
    /// Steps in a day, or what counts as one.
    pub(super) day: usize,
}

/// A lead between the middles of two bands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub(super) below: usize,
    pub(super) above: usize,
    /// How far it lies from the one below towards the one above.
    pub(super) share: f64,
}

impl Bands {
    pub(super) fn new(day: usize) -> Self {
        Self { day: day.max(4) }
    }

    /// The last lead of a band, from 1.
    pub(super) fn bound(self, band: usize) -> usize {
        match band {
            0 => (self.day / 24).max(1),
            1 => (self.day / 4).max(2),
            2 => self.day,
            _ => usize::MAX,
        }
    }

    /// The band of a lead from 1.
    pub(super) fn of(self, lead: usize) -> usize {
        (0..BANDS)
            .find(|&band| lead <= self.bound(band))
            .unwrap_or(BANDS - 1)
    }

    /// The lead in the middle of a band; that of the last one is half a day after its start.
    pub(super) fn middle(self, band: usize) -> f64 {
        if band + 1 < BANDS {
            0.5 * self.bound(band) as f64
        } else {
            1.5 * self.day as f64
        }
    }

    /// Where a lead from 1 lies between the middles of the bands.
    pub(super) fn between(self, lead: usize) -> Between {
        let at = lead as f64;
        let above = (0..BANDS)
            .find(|&band| at <= self.middle(band))
            .unwrap_or(BANDS - 1);
        let below = if at <= self.middle(above) {
            above.saturating_sub(1)
        } else {
            above
        };
        let width = self.middle(above) - self.middle(below);
        let share = if width > 0.0 {
            (at - self.middle(below)) / width
        } else {
            0.0
        };
        Between {
            below,
            above,
            share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_fall_into_bands_and_lie_between_their_middles() {
        let bands = Bands::new(24);
        let found: Vec<usize> = [1, 2, 6, 7, 24, 25, 400].map(|lead| bands.of(lead)).into();
        assert_eq!(found, [0, 1, 1, 2, 2, 3, 3]);
        let at = bands.between(24);
        assert_eq!((at.below, at.above, at.share), (2, 3, 0.5));
        let far = bands.between(400);
        assert_eq!((far.below, far.above, far.share), (3, 3, 0.0));
    }
}
