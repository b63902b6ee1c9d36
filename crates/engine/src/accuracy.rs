//! How well what buying uses was forecast: kept day by day, and watched.

use std::collections::VecDeque;

use fleetcast_forecast::lead::LeadForecast;
use fleetcast_forecast::{CoverageMonitor, CoverageSettings, CoverageVerdict, ScoreBook};
use jiff::Timestamp;

/// Levels that are scored: the middle, and where buying lands.
const LEVELS: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.995];
/// The level whose coverage decides whether a forecast is to be trusted.
const WATCHED: usize = 1;
/// Days of scores that are kept: a quarter.
const DAYS_KEPT: usize = 92;
/// Demand above its 95 % quantile within so many minutes makes the present a surge.
const SURGE_MINUTES: f64 = 30.0;

/// Scores of one component's forecasts at arrival.
#[derive(Clone, Debug)]
pub struct Accuracy {
    lead_steps: usize,
    surge_steps: u32,
    /// Quantiles of each step under way, oldest first, and whether they were made in a surge.
    waiting: VecDeque<([f64; LEVELS.len()], bool)>,
    /// The day since 1970 and its scores, oldest first.
    days: VecDeque<(i64, ScoreBook)>,
    monitor: CoverageMonitor,
    /// Outcomes, and those at or under the 95 % quantile, of forecasts made in calm times and in surges.
    regimes: [(u64, u64); 2],
    /// Steps since demand was last above its 95 % quantile.
    since_surge: u32,
}

impl Accuracy {
    pub(crate) fn new(lead_steps: usize, step_seconds: u32) -> Self {
        let minutes = f64::from(step_seconds.max(1)) / 60.0;
        Self {
            lead_steps,
            surge_steps: libm::ceil(SURGE_MINUTES / minutes) as u32,
            waiting: VecDeque::new(),
            days: VecDeque::new(),
            monitor: CoverageMonitor::new(LEVELS.to_vec(), CoverageSettings::default()),
            regimes: [(0, 0); 2],
            since_surge: u32::MAX,
        }
    }

    /// Scores the forecast of the step that began at `at`, if there was one; `None` is an unknown demand.
    pub(crate) fn outcome(&mut self, at: Timestamp, demand: Option<f64>) {
        if self.waiting.len() < self.lead_steps {
            return;
        }
        let Some((quantiles, surge)) = self.waiting.pop_front() else {
            return;
        };
        self.since_surge = self.since_surge.saturating_add(1);
        let Some(demand) = demand else { return };
        let seconds = at.as_second();
        let day = seconds.div_euclid(86_400);
        if self.days.back().is_none_or(|(last, _)| *last != day) {
            self.days.push_back((day, ScoreBook::new(LEVELS.to_vec())));
            if self.days.len() > DAYS_KEPT {
                self.days.pop_front();
            }
        }
        if let Some((_, book)) = self.days.back_mut() {
            book.observe(self.lead_steps, &quantiles, demand);
        }
        let hour = (seconds.rem_euclid(86_400) / 3_600) as u8;
        self.monitor.observe(hour, &quantiles, demand);
        let regime = &mut self.regimes[usize::from(surge)];
        regime.0 += 1;
        regime.1 += u64::from(demand <= quantiles[2]);
        if demand > quantiles[2] {
            self.since_surge = 0;
        }
    }

    /// Keeps a forecast until its outcome is known.
    pub(crate) fn keep(&mut self, forecast: &LeadForecast) {
        let surge = self.since_surge < self.surge_steps;
        self.waiting
            .push_back((LEVELS.map(|level| forecast.at(level)), surge));
    }

    /// Whether demand lies above the 90 % quantile more often than chance allows: the forecast is not to be
    /// trusted until it has mended.
    pub fn is_alarmed(&self) -> bool {
        let alarm = self.monitor.alarm(WATCHED);
        alarm.is_some_and(|alarm| alarm.verdict == CoverageVerdict::TooLow)
    }

    /// The scores of each day, by its number since 1970, oldest first; at most a quarter of them.
    pub fn days(&self) -> impl Iterator<Item = (i64, &ScoreBook)> {
        self.days.iter().map(|(day, book)| (*day, book))
    }

    /// The share of outcomes at or under the 95 % quantile of what buying uses, before it is calibrated for people, of
    /// forecasts made in calm times and in surges; `None` of nothing.
    pub fn by_regime(&self) -> [Option<f64>; 2] {
        self.regimes
            .map(|(outcomes, covered)| (outcomes > 0).then(|| covered as f64 / outcomes as f64))
    }

    /// The least and greatest share at or under the 95 % quantile of any hour of day (UTC); `None` before the first outcome.
    pub fn by_hour(&self) -> Option<(f64, f64)> {
        let shares = (0..24).filter_map(|hour| self.monitor.coverage_at(hour).nth(2)?.1);
        shares.fold(None, |range, share| {
            let (least, most) = range.unwrap_or((share, share));
            Some((least.min(share), most.max(share)))
        })
    }

    /// All scores that are kept, put together; `None` before the first.
    pub fn total(&self) -> Option<ScoreBook> {
        let mut days = self.days.iter();
        let mut total = days.next()?.1.clone();
        for (_, book) in days {
            total.merge(book);
        }
        Some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(factor: f64) -> Accuracy {
        let mut accuracy = Accuracy::new(2, 3_600);
        for hour in 0..24 * 100_i64 {
            let at = Timestamp::constant(hour * 3_600, 0);
            // Demand steps through its own quantiles.
            let demand = 100.0 * ((hour * 37 % 100) as f64 + 0.5) / 100.0;
            accuracy.outcome(at, Some(demand));
            let mut forecast = LeadForecast::default();
            for (level, quantile) in fleetcast_forecast::lead::LEVELS
                .iter()
                .zip(&mut forecast.quantiles)
            {
                *quantile = factor * 100.0 * level;
            }
            accuracy.keep(&forecast);
        }
        accuracy
    }

    #[test]
    fn a_forecast_that_is_missed_too_often_is_not_trusted() {
        let (right, low) = (run(1.0), run(0.7));
        assert!(!right.is_alarmed() && low.is_alarmed());
        let (calm, _) = (right.by_regime()[0], right.by_regime()[1]);
        assert!((calm.unwrap() - 0.95).abs() < 0.03, "{calm:?}");
        assert_eq!(right.days().count(), DAYS_KEPT);
        let (least, most) = right.by_hour().unwrap();
        assert!(least <= 0.95 && most >= 0.95);
        assert!(right.total().unwrap().lead(2).unwrap().outcomes > 2_000);
    }
}
