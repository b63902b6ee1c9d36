//! What is put in place of steps that nobody saw, or of which nothing is to be learned.

use super::features::FeatureHistory;

/// For so long demand that is not seen stays what it was …
const CARRIED_MINUTES: f64 = 30.0;
/// … and then counts half as much after each such time: daily courses move over hours.
const CARRIED_HALF_LIFE_MINUTES: f64 = 60.0;
/// Half of how far the level has changed within a week is believed for so long: the later the step, the likelier the
/// change lies before what was there a week earlier.
const LEVEL_HALF_LIFE_DAYS: f64 = 2.5;

/// The time since demand was last seen.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// What was seen last; in an outage, what was usual then.
    last: f64,
    minutes: f64,
    step_minutes: f64,
    /// The level of the day before over that of a week earlier.
    change: f64,
}

impl Gap {
    /// Before anything was seen.
    pub fn new(step_seconds: u32) -> Self {
        Self {
            last: 0.0,
            minutes: 0.0,
            step_minutes: f64::from(step_seconds.max(1)) / 60.0,
            change: 1.0,
        }
    }

    /// What was seen last.
    pub fn last(&self) -> f64 {
        self.last
    }

    /// Demand is seen.
    pub fn end(&mut self, demand: f64) {
        self.last = demand;
        self.minutes = 0.0;
    }

    /// Nothing is to be learned from the step: what it told is not carried on.
    pub fn forget(&mut self, history: &FeatureHistory) {
        self.enter(history);
        self.last = self.usual(history);
    }

    /// What probably was in the next step, which nobody saw: at first what was seen last, later what is usual then.
    pub fn fill(&mut self, history: &FeatureHistory) -> f64 {
        self.enter(history);
        self.minutes += self.step_minutes;
        let carried = (self.minutes - CARRIED_MINUTES).max(0.0) / CARRIED_HALF_LIFE_MINUTES;
        let carried = libm::exp2(-carried);
        carried * self.last + (1.0 - carried) * self.usual(history)
    }

    fn enter(&mut self, history: &FeatureHistory) {
        if self.minutes == 0.0 {
            self.change = history.change_of_level();
        }
    }

    fn usual(&self, history: &FeatureHistory) -> f64 {
        let believed = libm::exp2(-self.minutes / (LEVEL_HALF_LIFE_DAYS * 1440.0));
        let change = libm::pow(self.change, believed);
        history.usual().map_or(self.last, |usual| change * usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand by ten minutes, which doubles `days_before` the gap, of which nothing was seen for `gap` steps.
    fn filled(days_before: u64, gap: u64) -> Vec<f64> {
        let mut history = FeatureHistory::new(600, 1);
        let mut unseen = Gap::new(600);
        for step in 0..16 * 144 {
            let level = if step < (16 - days_before) * 144 {
                50.0
            } else {
                100.0
            };
            let demand =
                level * (1.0 + 0.5 * libm::sin(step as f64 / 144.0 * std::f64::consts::TAU));
            history.push(demand);
            unseen.end(demand);
        }
        let mut fill = |_| {
            let value = unseen.fill(&history);
            history.push(value);
            value
        };
        (0..gap).map(&mut fill).collect()
    }

    #[test]
    fn a_short_gap_carries_on_and_a_long_one_follows_the_days() {
        for days_before in [8, 5, 3, 1] {
            let values = filled(days_before, 30 * 144);
            let last = values[0];
            assert!(values[..3].iter().all(|value| *value == last), "{values:?}");
            for day in 1..30 {
                let today = &values[day * 144..][..144];
                let mean = today.iter().sum::<f64>() / 144.0;
                // Between what was there a week before and the level of now, and never beyond.
                assert!(
                    (48.0..if days_before == 8 { 104.0 } else { 160.0 }).contains(&mean),
                    "day {day}, doubled {days_before} before: {mean}"
                );
                assert!(
                    (today[36] / mean - 1.5).abs() < 0.1,
                    "day {day}: {}",
                    today[36]
                );
                assert!(
                    (today[108] / mean - 0.5).abs() < 0.1,
                    "day {day}: {}",
                    today[108]
                );
            }
        }
    }

    #[test]
    fn before_a_day_was_seen_the_last_demand_is_all_there_is() {
        let mut history = FeatureHistory::new(600, 1);
        let mut gap = Gap::new(600);
        history.push(7.0);
        gap.end(7.0);
        for _ in 0..100 {
            assert!((gap.fill(&history) - 7.0).abs() < 1e-9);
        }
    }
}
