//! How demand becomes known: late, or only as far as it was served.

use fleetcast_forecast::lead::LeadForecast;
use serde::{Deserialize, Serialize};

/// How demand is told to the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    /// Steps from the end of a step until its demand is told.
    #[serde(default)]
    pub delay_steps: u32,
    /// Whether only what was served is seen: what the units in service could not carry is not in the figures.
    #[serde(default)]
    pub served_only: bool,
}

impl Telemetry {
    /// Whether demand is told at the end of its step, and in full.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Served demand within this part of the capacity means that the capacity was full.
const FULL: f64 = 1e-6;
/// Steps of the golden ratio spread over the unit interval evenly: each next one falls into the widest gap.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Fills in demand that was cut off at the capacity, from the forecast that was made for its step.
///
/// The models would otherwise learn from what was served that no more was asked for, buy less, and serve less
/// (a spiral). Under the forecast, demand above the capacity has a conditional distribution; its quantiles are
/// taken in turn at evenly spread levels, so that the tail that is learned keeps its shape: its mean alone
/// would leave the deep quantiles too low. That forecast was made a boot ago and knows nothing of a burst that began since:
/// while the capacity stays full, no less is filled in than for the step before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unserved {
    count: u32,
    /// What was filled in for the step before, if that was cut off too.
    before: f64,
}

impl Unserved {
    /// The demand that stands behind what was `served` by a capacity of `carried`.
    pub(crate) fn fill_in(&mut self, served: f64, carried: f64, forecast: &LeadForecast) -> f64 {
        if served < carried * (1.0 - FULL) {
            self.before = 0.0;
            return served;
        }
        self.count = self.count.wrapping_add(1);
        let place = f64::from(self.count) * GOLDEN;
        let share = place - libm::floor(place);
        let deeper = -libm::log((1.0 - share).max(1e-3));
        let drawn = forecast.at_depth(forecast.depth_of(carried) + deeper);
        // What was asked for a step ago is asked for still, as far as anybody can see.
        self.before = drawn.max(served).max(self.before);
        self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponential() -> LeadForecast {
        let mut forecast = LeadForecast::default();
        for (level, quantile) in fleetcast_forecast::lead::LEVELS
            .iter()
            .zip(&mut forecast.quantiles)
        {
            *quantile = fleetcast_forecast::lead::depth(*level);
        }
        forecast
    }

    #[test]
    fn what_was_cut_off_is_filled_in_with_the_tail_of_the_forecast() {
        let mut unserved = Unserved::default();
        let forecast = exponential();
        // Between two of them there was room.
        let mut fill_in = || {
            unserved.fill_in(1.0, 2.0, &forecast);
            unserved.fill_in(2.0, 2.0, &forecast)
        };
        let filled: Vec<f64> = (0..500).map(|_| fill_in()).collect();
        let mean = filled.iter().sum::<f64>() / 500.0;
        assert!((mean - 3.0).abs() < 0.02, "{mean}");
        let above_4 = filled.iter().filter(|demand| **demand > 4.0).count();
        assert!((60..76).contains(&above_4), "{above_4}");
    }

    #[test]
    fn what_was_asked_for_is_asked_for_still_while_the_capacity_is_full() {
        let mut unserved = Unserved::default();
        let forecast = exponential();
        let run: Vec<f64> = (0..9)
            .map(|_| unserved.fill_in(2.0, 2.0, &forecast))
            .collect();
        assert!(run.is_sorted() && run[8] > run[0], "{run:?}");
        // More capacity, and it is full too: no less than before stands behind it.
        let more = unserved.fill_in(2.5, 2.5, &forecast);
        assert!(more >= run[8], "{more} after {run:?}");
        unserved.fill_in(2.4, 2.5, &forecast);
        let afresh: Vec<f64> = (0..9)
            .map(|_| unserved.fill_in(2.0, 2.0, &forecast))
            .collect();
        assert!(afresh.iter().any(|filled| *filled < more), "{afresh:?}");
    }

    #[test]
    fn what_was_served_with_room_to_spare_is_all_there_was() {
        let mut unserved = Unserved::default();
        assert_eq!(unserved.fill_in(1.9, 2.0, &exponential()), 1.9);
    }
}
