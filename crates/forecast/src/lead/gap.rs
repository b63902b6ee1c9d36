//! What is put in place of steps that nobody saw, or of which nothing is to be learned.

use super::features::FeatureHistory;

/// For so long demand that is not seen stays what it was …
const CARRIED_MINUTES: f64 = 30.0;
/// … and then counts half as much after each such time: daily courses move over hours.
const CARRIED_HALF_LIFE_MINUTES: f64 = 60.0;
/// How far the level has changed within a week, as a logarithm, counts half as much after each such time in a gap: the
/// later the step, the likelier the change lies before what was there a week earlier.
const LEVEL_HALF_LIFE_DAYS: f64 = 2.5;
const MINUTES_PER_DAY: f64 = 1440.0;

/// The time since demand was last seen.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    seen: f64,
    /// What is carried on at first; `None` in an outage, where what is usual takes its place at once.
    carried: Option<f64>,
    minutes: f64,
    step_minutes: f64,
    /// The level of the day before over that of a week earlier, and whether there was a week to tell it from.
    change: f64,
    had_week: bool,
}

impl Gap {
    /// Before anything was seen.
    pub fn new(step_seconds: u32) -> Self {
        Self {
            seen: 0.0,
            carried: None,
            minutes: 0.0,
            step_minutes: f64::from(step_seconds.max(1)) / 60.0,
            change: 1.0,
            had_week: false,
        }
    }

    /// What was seen last and could be learned from.
    pub fn seen(&self) -> f64 {
        self.seen
    }

    /// Demand is seen.
    pub fn end(&mut self, demand: f64) {
        self.seen = demand;
        self.carried = Some(demand);
        self.minutes = 0.0;
    }

    /// Nothing is to be learned from the next step, nor from what came last before it: an outage has begun by then.
    pub fn forget(&mut self) {
        self.carried = None;
    }

    /// What probably was in the next step, which nobody saw or nothing is to be learned from: at first what was seen
    /// last, later what is usual then. On the first day nothing is usual yet, and what was seen last is all there is.
    pub fn fill(&mut self, history: &FeatureHistory) -> f64 {
        if self.minutes == 0.0 || self.had_week != history.has_week() {
            self.change = history.change_of_level();
            self.had_week = history.has_week();
        }
        self.minutes += self.step_minutes;
        let Some(usual) = history.usual() else {
            return self.seen;
        };
        let usual = libm::pow(self.change, self.believed()) * usual;
        let Some(carried) = self.carried else {
            return usual;
        };
        let past = (self.minutes - CARRIED_MINUTES).max(0.0);
        let share = libm::exp2(-past / CARRIED_HALF_LIFE_MINUTES);
        share * carried + (1.0 - share) * usual
    }

    /// The part of the change of level that counts. After a week it is in what was put there.
    fn believed(&self) -> f64 {
        let days = self.minutes / MINUTES_PER_DAY;
        if days < 7.0 {
            libm::exp2(-days / LEVEL_HALF_LIFE_DAYS)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand by ten minutes, which changes from one level to another some days before the gap.
    struct Seen {
        days: u64,
        from: f64,
        to: f64,
        days_before: u64,
    }

    impl Seen {
        /// What is put in place of so many steps after it.
        fn filled(&self, steps: u64) -> Vec<f64> {
            let mut history = FeatureHistory::new(600, 1);
            let mut gap = Gap::new(600);
            for step in 0..self.days * 144 {
                let level = if step < (self.days - self.days_before) * 144 {
                    self.from
                } else {
                    self.to
                };
                let phase = step as f64 / 144.0 * std::f64::consts::TAU;
                let demand = level * (1.0 + 0.5 * libm::sin(phase));
                history.push(demand);
                gap.end(demand);
            }
            (0..steps)
                .map(|_| {
                    let value = gap.fill(&history);
                    history.push(value);
                    value
                })
                .collect()
        }
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn a_short_gap_carries_on_and_a_long_one_follows_the_days() {
        for (from, to, days_before) in [(50.0, 100.0, 8), (50.0, 100.0, 3), (100.0, 50.0, 1)] {
            let days = 16;
            let values = Seen {
                days,
                from,
                to,
                days_before,
            }
            .filled(30 * 144);
            let last = values[0];
            assert!(values[..3].iter().all(|value| *value == last), "{values:?}");
            for today in values.chunks_exact(144).skip(1) {
                let mean = mean(today);
                assert!(
                    (today[36] / mean - 1.5).abs() < 0.15,
                    "{} of {mean}",
                    today[36]
                );
                assert!(
                    (today[108] / mean - 0.5).abs() < 0.15,
                    "{} of {mean}",
                    today[108]
                );
            }
        }
    }

    #[test]
    fn a_new_level_is_believed_at_first_and_never_twice() {
        for (from, to) in [(50.0, 100.0), (100.0, 50.0)] {
            for days_before in 1..=8 {
                let values = Seen {
                    days: 16,
                    from,
                    to,
                    days_before,
                }
                .filled(21 * 144);
                let day = |day: usize| mean(&values[day * 144..][..144]);
                // More than half of the change, as logarithms, counts on the day after the first.
                let first = libm::log(day(1) / from) / libm::log(to / from);
                assert!(
                    first > 0.55,
                    "{from} to {to}, {days_before} before: {first}"
                );
                for late in 7..14 {
                    let again = day(late + 7) / day(late);
                    assert!((again - 1.0).abs() < 0.05, "day {late}: {again}");
                }
            }
        }
    }

    #[test]
    fn a_gap_that_lasts_into_the_second_week_keeps_its_level() {
        let seen = Seen {
            days: 7,
            from: 50.0,
            to: 100.0,
            days_before: 2,
        };
        let values = seen.filled(3 * 144);
        for day in 0..3 {
            let mean = mean(&values[day * 144..][..144]);
            assert!((65.0..115.0).contains(&mean), "day {day}: {mean}");
        }
    }

    #[test]
    fn before_a_day_was_seen_the_last_demand_is_all_there_is() {
        let mut history = FeatureHistory::new(600, 1);
        let mut gap = Gap::new(600);
        history.push(7.0);
        gap.end(7.0);
        for _ in 0..100 {
            assert_eq!(gap.fill(&history), 7.0);
        }
    }
}
