//! How high demand goes at all: the tail of its peaks, which no deep quantile has to pass.
//!
//! Deep quantiles are linear functions of features, learned from the few rows above them. Where surges come out of
//! nothing but reach much the same height each time, those functions say twice the record hour after hour, and capacity
//! is bought that never served. The heights of the peaks tell more of how high the next one goes: over the highest of the last
//! weeks lies a Pareto law with the index of Hill, at the quantile of Weissman. Where heights are heavy-tailed the bound
//! lies so high that it changes nothing.
//!
//! Sources: B. M. Hill, "A simple general approach to inference about the tail of a distribution" (1975); I. Weissman,
//! "Estimation of parameters and large quantiles based on the k largest observations" (1978).

use std::collections::VecDeque;

use fleetcast_series::SlidingMaximum;

use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LeadForecast};
use super::rows::WINDOW_DAYS;

/// Peaks that tell the tail's index.
const PEAKS: usize = 5;
/// Hours of a week: less does not tell how high one goes.
const HOURS_LEAST: usize = 168;
/// What is known at a moment makes a demand up to e³ = 20 times as likely as it is at all moments together: a bound lies so
/// much deeper than the quantile that it bounds.
const SIGHT: f64 = 3.0;
/// Levels up to .95 have rows enough to speak for themselves.
const BOUNDED_FROM: usize = 6;

/// The highest demand of each hour, and the tail that its peaks have.
#[derive(Clone, Debug)]
pub(super) struct PeakTail {
    hour_steps: u64,
    /// Observed steps of the present hour.
    steps: u64,
    /// Of the hours in the window, oldest first.
    hours: VecDeque<f64>,
    hours_most: usize,
    tail: Option<Tail>,
    /// The highest demand within an hour.
    lately: SlidingMaximum,
}

/// A Pareto law over the highest peaks.
#[derive(Clone, Copy, Debug)]
struct Tail {
    /// What no quantile has to pass, by level.
    bounds: [f64; LEVEL_COUNT],
    /// By what factor quantiles rise from the level before.
    rises: [f64; LEVEL_COUNT],
}

impl PeakTail {
    /// Starts without history: nothing is bounded.
    pub(super) fn new(steps_per_day: f64) -> Self {
        let hour_steps = (steps_per_day / 24.0).max(1.0) as u64;
        let hours_per_day = steps_per_day / hour_steps as f64;
        Self {
            hour_steps,
            steps: 0,
            hours: VecDeque::new(),
            hours_most: libm::ceil(WINDOW_DAYS * hours_per_day) as usize,
            tail: None,
            lately: SlidingMaximum::new(hour_steps),
        }
    }

    /// Adds the demand of an observed step.
    pub(super) fn push(&mut self, demand: f64) {
        let hour = self.lately.push(demand);
        self.steps += 1;
        if self.steps < self.hour_steps {
            return;
        }
        self.hours.push_back(hour);
        self.steps = 0;
        if self.hours.len() > self.hours_most {
            self.hours.pop_front();
        }
        self.tail = self.estimate();
    }

    /// `None`: too few hours or peaks, or peaks of nothing.
    fn estimate(&self) -> Option<Tail> {
        let mut peaks = self.peaks();
        if self.hours.len() < HOURS_LEAST || peaks.len() <= PEAKS {
            return None;
        }
        let (above, threshold, _) = peaks.select_nth_unstable_by(PEAKS, |a, b| b.total_cmp(a));
        let threshold = *threshold;
        if threshold <= 0.0 {
            return None;
        }
        let logs = above.iter().map(|peak| libm::log(peak / threshold));
        let index = logs.sum::<f64>() / PEAKS as f64;
        let reached = libm::log(PEAKS as f64 / self.hours.len() as f64);
        let bound = |depth: f64| threshold * libm::exp(index * (reached + depth + SIGHT).max(0.0));
        let rise = |level: usize| {
            let before = level.saturating_sub(1);
            libm::exp(index * (LEVEL_DEPTHS[level] - LEVEL_DEPTHS[before]))
        };
        Some(Tail {
            bounds: LEVEL_DEPTHS.map(bound),
            rises: std::array::from_fn(rise),
        })
    }

    /// Hours that no neighbour is higher than: a surge of many hours is one.
    fn peaks(&self) -> Vec<f64> {
        let at = |place: Option<usize>| place.and_then(|place| self.hours.get(place));
        let is_peak = |(place, hour): &(usize, &f64)| {
            at(place.checked_sub(1)).is_none_or(|before| before <= hour)
                && at(Some(place + 1)).is_none_or(|after| after < hour)
        };
        let peaks = self.hours.iter().enumerate().filter(is_peak);
        peaks.map(|(_, hour)| *hour).collect()
    }

    /// Takes quantiles over .95 down to the bound, but not under what the last hour saw, and lets them go on from what less
    /// deep ones say as the tail does.
    pub(super) fn bound(&self, forecast: &mut LeadForecast) {
        let Some(tail) = self.tail else {
            return;
        };
        let mut least = forecast.quantiles[BOUNDED_FROM - 1].max(self.lately.get());
        let deep = forecast.quantiles.iter_mut().zip(&tail.bounds);
        for ((quantile, bound), rise) in deep.zip(&tail.rises).skip(BOUNDED_FROM) {
            least *= rise;
            *quantile = quantile.min(bound.max(least));
            least = least.max(*quantile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After hours with these peaks, by steps of five minutes.
    fn after(hours: impl Iterator<Item = f64>) -> PeakTail {
        let mut tail = PeakTail::new(288.0);
        for peak in hours {
            for step in 0..12 {
                tail.push(if step == 5 { peak } else { peak.min(1.0) });
            }
        }
        (0..12).for_each(|_| tail.push(0.5));
        tail
    }

    /// Quantiles of 11 to 228.
    fn wide() -> LeadForecast {
        LeadForecast {
            quantiles: LEVEL_DEPTHS.map(|depth| 30.0 * depth),
        }
    }

    fn bounded(tail: &PeakTail, mut forecast: LeadForecast) -> LeadForecast {
        tail.bound(&mut forecast);
        assert!(forecast.quantiles.is_sorted(), "{forecast:?}");
        forecast
    }

    fn deepest(tail: &PeakTail) -> f64 {
        bounded(tail, wide()).quantiles[LEVEL_COUNT - 1]
    }

    /// Surges of 50 to 60 units each tenth hour.
    fn alike(hours: u64) -> impl Iterator<Item = f64> {
        (0..hours).map(|hour| match hour % 10 {
            0 => 50.0 + (hour * 7 % 11) as f64,
            _ => 2.0,
        })
    }

    #[test]
    fn surges_of_one_height_bound_what_is_deep_and_nothing_else() {
        let low = LeadForecast {
            quantiles: LEVEL_DEPTHS
                .map(|depth| 10.0 * depth.min(3.0) + 80.0 * (depth - 3.0).max(0.0)),
        };
        let forecast = bounded(&after(alike(700)), low);
        assert_eq!(forecast.quantiles[..6], low.quantiles[..6]);
        let deepest = forecast.quantiles[LEVEL_COUNT - 1];
        assert!((60.0..75.0).contains(&deepest), "{deepest}");
    }

    #[test]
    fn surges_of_all_heights_bound_nothing() {
        let heavy = (1..=500).map(|hour| 40.0 * 700.0 / f64::from(hour * 337 % 701));
        assert_eq!(bounded(&after(heavy), wide()).quantiles, wide().quantiles);
    }

    #[test]
    fn a_surge_of_many_hours_is_one() {
        let hours = |hour: u64| match hour {
            300..340 => 100.0 - (hour as f64 - 320.0).abs() * 0.01,
            _ => 10.0 + (hour * 7 % 11) as f64,
        };
        // One peak of 100 over others of 20: nobody knows how high the next one goes.
        assert!(deepest(&after((0..400).map(hours))) > 150.0);
    }

    #[test]
    fn what_is_weeks_ago_is_forgotten() {
        let grown = alike(700).chain(alike(600).map(|peak| 10.0 * peak));
        assert_eq!(deepest(&after(grown)), wide().quantiles[LEVEL_COUNT - 1]);
        let shrunk = alike(700).map(|peak| 10.0 * peak).chain(alike(600));
        assert!(deepest(&after(shrunk)) < 120.0);
    }

    #[test]
    fn a_surge_that_is_on_is_not_held_down_and_may_go_on() {
        let mut tail = after(alike(700));
        tail.push(500.0);
        let forecast = bounded(
            &tail,
            LeadForecast {
                quantiles: LEVEL_DEPTHS.map(|depth| 200.0 * depth),
            },
        );
        let quantiles = &forecast.quantiles[BOUNDED_FROM - 1..];
        assert!(quantiles[1] >= 500.0);
        assert!(
            quantiles.windows(2).all(|pair| pair[1] > pair[0]),
            "{quantiles:?}"
        );
    }

    #[test]
    fn a_few_days_and_hours_of_nothing_bound_nothing() {
        for tail in [after(alike(160)), after((0..400).map(|_| 0.0))] {
            let mut idle = tail;
            (0..24).for_each(|_| idle.push(0.0));
            assert_eq!(bounded(&idle, wide()).quantiles, wide().quantiles);
        }
    }

    #[test]
    fn steps_longer_than_an_hour_are_blocks_by_themselves() {
        let mut tail = PeakTail::new(4.0);
        for step in 0..400 {
            tail.push(if step % 5 == 0 {
                50.0 + f64::from(step % 11)
            } else {
                2.0
            });
        }
        assert_eq!(tail.hours.len(), 84, "three weeks of six hours");
        assert!(
            tail.tail.is_none(),
            "84 blocks are fewer than a week of hours"
        );
    }
}
