//! What would have been usual at a step, in hindsight: the same time of other weeks at the level around it.

use std::ops::Range;

use jiff::SignedDuration;

/// Weeks looked at on either side.
const WEEKS: i64 = 4;
/// Days looked at on either side where no week has the step.
const DAYS: i64 = 7;
/// With fewer weeks than this, days are looked at too.
const WEEKS_LEAST: usize = 2;
/// The level of another week is taken for this one's within this factor.
const LEVEL_MAX: f64 = 4.0;
/// The level is compared over as long before and after as the span itself, at least this many seconds.
const AROUND_SECONDS: i64 = 86_400;
/// And over at most this many steps on either side: a day of minutes.
const AROUND_STEPS_MAX: usize = 1_440;

/// The history that the usual is read from.
pub(super) struct Past<'a> {
    /// Demand without events as far as they are known; `None` where missing, or where an event is whose
    /// effect is not known yet.
    pub(super) clean: &'a [Option<f64>],
    pub(super) step: SignedDuration,
}

impl Past<'_> {
    /// The usual of each step of a span; `None` where nothing tells it.
    pub(super) fn usual(&self, span: Range<usize>) -> Vec<Option<f64>> {
        let seconds = self.step.as_secs().max(1);
        let mut sums = vec![(0.0, 0_usize); span.len()];
        let mut weeks = 0;
        for (unit, count) in [(7 * 86_400, WEEKS), (86_400, DAYS)] {
            // Steps that do not divide a week or a day have no same time in it.
            if unit % seconds != 0 || (unit == 86_400 && weeks >= WEEKS_LEAST) {
                continue;
            }
            for turn in (1..=count).flat_map(|turn| [-turn, turn]) {
                let lag = turn * (unit / seconds);
                // A week has been seen, on a day, already.
                let seen = unit == 86_400 && turn.abs() == 7;
                if !seen && self.add(&span, lag, &mut sums) {
                    weeks += usize::from(unit != 86_400);
                }
            }
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
        sums.into_iter().map(mean).collect()
    }

    /// Adds the steps that lie `lag` later, at the level of the span's surroundings. `false`: they tell nothing.
    fn add(&self, span: &Range<usize>, lag: i64, sums: &mut [(f64, usize)]) -> bool {
        let Some(level) = self.level(span, lag) else {
            return false;
        };
        let mut any = false;
        for (sum, step) in sums.iter_mut().zip(span.clone()) {
            if let Some(value) = self.at(step as i64 + lag) {
                sum.0 += value * level;
                sum.1 += 1;
                any = true;
            }
        }
        any
    }

    /// How high demand around the span is beside that `lag` later.
    fn level(&self, span: &Range<usize>, lag: i64) -> Option<f64> {
        let day = usize::try_from(AROUND_SECONDS / self.step.as_secs().max(1)).unwrap_or(1);
        let reach = span.len().max(day).clamp(2, AROUND_STEPS_MAX);
        let before = span.start.saturating_sub(reach)..span.start;
        let after = span.end..(span.end + reach).min(self.clean.len());
        let (mut here, mut there) = (0.0, 0.0);
        for step in before.chain(after) {
            if let (Some(own), Some(other)) = (self.at(step as i64), self.at(step as i64 + lag)) {
                here += own;
                there += other;
            }
        }
        (there > 0.0).then(|| (here / there).clamp(1.0 / LEVEL_MAX, LEVEL_MAX))
    }

    fn at(&self, step: i64) -> Option<f64> {
        let step = usize::try_from(step).ok()?;
        self.clean.get(step).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_is_that_of_the_same_weekday_at_the_present_level() {
        let week = |hour: usize| if hour / 24 % 7 >= 5 { 20.0 } else { 100.0 };
        // From the third week's end on everything has doubled.
        let value = |hour: usize| week(hour) * if hour >= 24 * 19 { 2.0 } else { 1.0 };
        let mut clean: Vec<Option<f64>> = (0..24 * 42).map(|hour| Some(value(hour))).collect();
        let span = 24 * 28..24 * 29;
        clean[span.clone()].fill(None);
        let past = Past {
            clean: &clean,
            step: SignedDuration::from_hours(1),
        };
        for (usual, hour) in past.usual(span.clone()).into_iter().zip(span) {
            let usual = usual.expect("six weeks tell");
            assert!((usual - value(hour)).abs() < 1e-9, "{usual} at {hour}");
        }
    }

    #[test]
    fn without_another_day_nothing_is_usual() {
        let past = Past {
            clean: &[Some(1.0); 20],
            step: SignedDuration::from_hours(1),
        };
        assert!(past.usual(5..8).iter().all(Option::is_none));
    }
}
