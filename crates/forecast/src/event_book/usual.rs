//! What is usual at a time of day, at the present level.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The day is told apart by quarters of an hour, or by steps where they are longer.
const SLOT_SECONDS: i64 = 900;
/// Days that the usual is the mean of: a week of each time of day.
const DAYS: usize = 7;
/// The level is that of the last hours before the event.
const LEVEL_SECONDS: i64 = 3 * 3_600;
/// The level is kept within this factor of the last days'.
const LEVEL_MAX: f64 = 4.0;

/// Means of demand by quarter of an hour over the last days, without events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual {
    slot_seconds: i64,
    slots_per_day: usize,
    /// Slot after slot: its number since 1970, its sum and its count; a ring of a week and a day.
    ring: Vec<Slot>,
    /// What demand is multiplied by beside the usual, as of the last step without an event.
    level: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    number: i64,
    sum: f64,
    count: f64,
}

impl Usual {
    pub(super) fn new(step: SignedDuration) -> Self {
        let slot_seconds = step.as_secs().clamp(SLOT_SECONDS, 86_400);
        let slots_per_day = (86_400 / slot_seconds).max(1) as usize;
        Self {
            slot_seconds,
            slots_per_day,
            ring: vec![Slot::default(); slots_per_day * (DAYS + 1)],
            level: 1.0,
        }
    }

    /// The usual demand of a step that begins at `at`. The level follows demand while `quiet`: while no event
    /// is on. `None` without a day of history.
    pub(super) fn at(&mut self, at: Timestamp, quiet: bool) -> Option<f64> {
        let number = at.as_second().div_euclid(self.slot_seconds);
        if quiet {
            self.level = self.recent_level(number).unwrap_or(self.level);
        }
        Some(self.mean_of_days(number)? * self.level)
    }

    pub(super) fn observe(&mut self, at: Timestamp, demand: Option<f64>) {
        let number = at.as_second().div_euclid(self.slot_seconds);
        let place = self.place(number);
        let slot = &mut self.ring[place];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        if let Some(demand) = demand.filter(|demand| demand.is_finite()) {
            slot.sum += demand;
            slot.count += 1.0;
        }
    }

    fn place(&self, number: i64) -> usize {
        number.rem_euclid(self.ring.len() as i64) as usize
    }

    fn mean(&self, number: i64) -> Option<f64> {
        let slot = self.ring[self.place(number)];
        (slot.number == number && slot.count > 0.0).then(|| slot.sum / slot.count)
    }

    /// The mean of the same time on the days before.
    fn mean_of_days(&self, number: i64) -> Option<f64> {
        let days =
            (1..=DAYS as i64).filter_map(|day| self.mean(number - day * self.slots_per_day as i64));
        let (sum, count) = days.fold((0.0, 0.0), |(sum, count), mean| (sum + mean, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    /// The demand of the last hours beside the usual of the same hours.
    fn recent_level(&self, number: i64) -> Option<f64> {
        let slots = (LEVEL_SECONDS / self.slot_seconds).max(1);
        let pairs = (number - slots..number)
            .filter_map(|past| Some((self.mean(past)?, self.mean_of_days(past)?)));
        let (came, usual) = pairs.fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
        (usual > 0.0).then(|| (came / usual).clamp(1.0 / LEVEL_MAX, LEVEL_MAX))
    }
}
