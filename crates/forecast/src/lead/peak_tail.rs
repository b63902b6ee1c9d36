//! How high demand goes at all: the tail of its highest hours, which no deep quantile has to pass.
//!
//! Deep quantiles are linear functions of features, learned from the few rows above them. Where surges come out of
//! nothing but reach much the same height each time, those functions say twice the record hour after hour, and capacity
//! is bought that never served. The heights of the surges tell more of how high the next one goes: above the k-th of the
//! highest hours, a Pareto law with the index of Hill, at the quantile of Weissman. Where heights are heavy-tailed the
//! bound lies so high that it changes nothing.
//!
//! Sources: B. M. Hill, "A simple general approach to inference about the tail of a distribution" (1975); I. Weissman,
//! "Estimation of parameters and large quantiles based on the k largest observations" (1978).

use fleetcast_series::SlidingMaximum;

use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LeadForecast};

/// Highest hours that tell the tail's index; half as many and twice as many are alike.
const PEAKS: usize = 10;
/// Less than two days of hours say nothing of rare ones.
const HOURS_LEAST: f64 = 48.0;
/// A surge in sight makes a quantile deeper than all hours together do: by so much depth at most, 1 in 20 of the time.
const SIGHT: f64 = 3.0;
/// Levels up to .95 have rows enough to speak for themselves.
const BOUNDED_FROM: usize = 6;

/// The highest hours so far, and the bound on each level that follows from them.
#[derive(Clone, Debug)]
pub(super) struct PeakTail {
    hour_steps: u64,
    /// Observed steps of the present hour, and the highest demand in them.
    steps: u64,
    hour: f64,
    hours: f64,
    /// Highest hours, falling; one more than tell the index.
    peaks: Vec<f64>,
    bounds: [f64; LEVEL_COUNT],
    /// The highest demand within an hour.
    lately: SlidingMaximum,
}

impl PeakTail {
    /// Starts without history: nothing is bounded.
    pub(super) fn new(steps_per_day: f64) -> Self {
        let hour_steps = (steps_per_day / 24.0).max(1.0) as u64;
        Self {
            hour_steps,
            steps: 0,
            hour: 0.0,
            hours: 0.0,
            peaks: Vec::with_capacity(PEAKS + 2),
            bounds: [f64::INFINITY; LEVEL_COUNT],
            lately: SlidingMaximum::new(hour_steps),
        }
    }

    /// Adds the demand of an observed step.
    pub(super) fn push(&mut self, demand: f64) {
        self.lately.push(demand);
        self.hour = self.hour.max(demand);
        self.steps += 1;
        if self.steps < self.hour_steps {
            return;
        }
        let place = self.peaks.partition_point(|peak| *peak >= self.hour);
        self.peaks.insert(place, self.hour);
        self.peaks.truncate(PEAKS + 1);
        self.hours += 1.0;
        (self.steps, self.hour) = (0, 0.0);
        if let Some(bounds) = self.estimate() {
            self.bounds = bounds;
        }
    }

    /// Weissman's quantiles at the depths of all levels and what is in sight; `None`: too few hours, or hours of nothing.
    fn estimate(&self) -> Option<[f64; LEVEL_COUNT]> {
        let (threshold, above) = self.peaks.split_last()?;
        if self.hours < HOURS_LEAST || above.len() < PEAKS || *threshold <= 0.0 {
            return None;
        }
        let logs = above.iter().map(|peak| libm::log(peak / threshold));
        let index = logs.sum::<f64>() / PEAKS as f64;
        let reached = libm::log(PEAKS as f64 / self.hours);
        Some(
            LEVEL_DEPTHS
                .map(|depth| threshold * libm::exp(index * (reached + depth + SIGHT).max(0.0))),
        )
    }

    /// Takes deep quantiles down to the bound, but not under what the last hour saw or what less deep ones say.
    pub(super) fn bound(&self, forecast: &mut LeadForecast) {
        let mut least = forecast.quantiles[BOUNDED_FROM - 1].max(self.lately.get());
        let deep = forecast.quantiles.iter_mut().zip(self.bounds);
        for (quantile, bound) in deep.skip(BOUNDED_FROM) {
            *quantile = quantile.min(bound.max(least));
            least = least.max(*quantile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(hours: impl Iterator<Item = f64>) -> PeakTail {
        let mut tail = PeakTail::new(288.0);
        for peak in hours {
            for step in 0..12 {
                tail.push(if step == 5 { peak } else { 1.0 });
            }
        }
        (0..12).for_each(|_| tail.push(1.0));
        tail
    }

    fn wide() -> LeadForecast {
        LeadForecast {
            quantiles: LEVEL_DEPTHS.map(|depth| 30.0 * depth),
        }
    }

    /// Surges of 50 to 60 units each tenth hour.
    fn alike(hours: u64) -> impl Iterator<Item = f64> {
        (0..hours).map(|hour| {
            if hour % 10 == 0 {
                50.0 + (hour * 7 % 11) as f64
            } else {
                2.0
            }
        })
    }

    #[test]
    fn surges_of_one_height_bound_what_is_deep_and_nothing_else() {
        let (mut forecast, before) = (wide(), wide());
        after(alike(700)).bound(&mut forecast);
        assert_eq!(forecast.quantiles[..6], before.quantiles[..6]);
        let deepest = forecast.quantiles[LEVEL_COUNT - 1];
        assert!((60.0..100.0).contains(&deepest), "{deepest}");
        assert!(forecast.quantiles.is_sorted());
    }

    #[test]
    fn surges_of_all_heights_bound_nothing() {
        let heavy = (1..=700).map(|hour| 40.0 * 700.0 / (f64::from(hour * 337 % 701)));
        let mut forecast = wide();
        after(heavy).bound(&mut forecast);
        assert_eq!(forecast.quantiles, wide().quantiles);
    }

    #[test]
    fn a_surge_that_is_on_is_not_held_down() {
        let mut tail = after(alike(700));
        tail.push(500.0);
        let mut forecast = LeadForecast {
            quantiles: LEVEL_DEPTHS.map(|depth| 200.0 * depth),
        };
        tail.bound(&mut forecast);
        assert!(forecast.quantiles[LEVEL_COUNT - 1] >= 500.0);
    }

    #[test]
    fn a_day_of_hours_and_hours_of_nothing_bound_nothing() {
        let mut idle = PeakTail::new(288.0);
        (0..100 * 12).for_each(|_| idle.push(0.0));
        for tail in [after(alike(30)), idle] {
            let mut forecast = wide();
            tail.bound(&mut forecast);
            assert_eq!(forecast.quantiles, wide().quantiles);
        }
    }
}
