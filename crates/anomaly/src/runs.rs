//! Runs that are longer than any before: dead sensors, and samples that do not come.

use serde::{Deserialize, Serialize};

/// How long something has lasted, and how long it usually does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Runs {
    current: u64,
    /// The longest run that has ended.
    longest: u64,
    ended: u64,
}

/// A run counts as unusual from so many times the longest one before.
const LONGER: u64 = 3;

impl Runs {
    /// Takes whether it goes on.
    pub fn observe(&mut self, goes_on: bool) {
        if goes_on {
            self.current += 1;
        } else {
            self.longest = self.longest.max(self.current);
            self.ended += 1;
            self.current = 0;
        }
    }

    /// Whether the run has lasted for at least so many samples and far longer than any before,
    /// where so many have ended already.
    pub fn is_unusual(&self, length_min: u64, ended_min: u64) -> bool {
        self.current >= length_min.max(LONGER * self.longest) && self.ended >= ended_min
    }
}

/// Whether a sensor gives the same value again and again, where it used not to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dead {
    last: Option<f64>,
    runs: Runs,
}

/// Equal samples that may be chance, and changes that show that the sensor is alive.
const EQUAL_MIN: u64 = 12;
const CHANGES_MIN: u64 = 100;

impl Dead {
    /// Takes a sample; whether the sensor seems dead.
    pub fn observe(&mut self, value: f64) -> bool {
        self.runs.observe(self.last == Some(value));
        self.last = Some(value);
        self.runs.is_unusual(EQUAL_MIN, CHANGES_MIN)
    }
}

/// Whether samples stay away for longer than they used to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Absent(Runs);

/// Missing samples that are no news, and samples that show that they come as a rule.
const MISSING_MIN: u64 = 3;
const SAMPLES_MIN: u64 = 20;

impl Absent {
    /// Takes whether a sample is missing; whether they stay away for unusually long.
    pub fn observe(&mut self, missing: bool) -> bool {
        self.0.observe(missing);
        self.0.is_unusual(MISSING_MIN, SAMPLES_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Noise;

    #[test]
    fn a_sensor_that_stops_is_dead_after_a_while() {
        let mut noise = Noise::new(1);
        let mut dead = Dead::default();
        assert!((0..500).all(|_| !dead.observe(noise.normal())));
        let after = (0..100).position(|_| dead.observe(7.0));
        assert_eq!(after, Some(EQUAL_MIN as usize));
        assert!(!dead.observe(8.0));
    }

    #[test]
    fn a_series_with_long_quiet_stretches_is_not_dead() {
        let mut dead = Dead::default();
        let value = |step: u32| if step % 50 < 40 { 0.0 } else { f64::from(step) };
        assert!((0..5000).all(|step| !dead.observe(value(step))));
        // Nor is one that never changes.
        let mut constant = Dead::default();
        assert!((0..5000).all(|_| !constant.observe(45.0)));
    }

    #[test]
    fn gaps_are_unusual_if_longer_than_before() {
        let mut absent = Absent::default();
        for _ in 0..30 {
            assert!(!absent.observe(false));
        }
        assert!(!absent.observe(true) && !absent.observe(true) && absent.observe(true));
        absent.observe(false);
        // Three were missing before: nine are news, eight are not.
        assert!((0..8).all(|_| !absent.observe(true)));
        assert!(absent.observe(true));
    }
}
