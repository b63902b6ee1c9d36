//! How often forecasts held, and an alarm when they do not hold as often as they promise.

use serde::{Deserialize, Serialize};

/// Hours of a day.
const HOURS: usize = 24;

/// How coverage is watched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageSettings {
    /// Outcomes after which an outcome weighs half.
    pub half_life: f64,
    /// Of so many neighbouring outcomes only one is new information; errors come in runs.
    pub run_length: f64,
    /// How unlikely, by chance alone, an alarm must be.
    pub false_alarm: f64,
}

impl Default for CoverageSettings {
    /// A half-life of 2000 outcomes, runs of 5, one false alarm in 10,000 looks: those who look
    /// every few minutes look often.
    fn default() -> Self {
        Self {
            half_life: 2000.0,
            run_length: 5.0,
            false_alarm: 1e-4,
        }
    }
}

/// What a look at the coverage says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageVerdict {
    /// Demand was above the quantile more often than promised.
    TooLow,
    /// Demand was above the quantile less often than promised.
    TooHigh,
}

/// A level that does not hold as often as it promises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageAlarm {
    /// The level that was promised.
    pub level: f64,
    /// The hour of day that is off; `None` if all hours together are.
    pub hour: Option<u8>,
    /// The share of outcomes at or under the quantile.
    pub covered: f64,
    /// How many outcomes that share is of, older ones counting less.
    pub outcomes: f64,
    /// Which way it is off.
    pub verdict: CoverageVerdict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    outcomes: f64,
    covered: f64,
}

/// Watches the coverage of quantile forecasts, by level and by hour of day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageMonitor {
    settings: CoverageSettings,
    levels: Vec<f64>,
    /// By level, all hours.
    overall: Vec<Cell>,
    /// By level and hour.
    hourly: Vec<Vec<Cell>>,
}

impl CoverageMonitor {
    /// Watches these levels, each between 0 and 1.
    pub fn new(levels: Vec<f64>, settings: CoverageSettings) -> Self {
        let (overall, hourly) = (
            vec![Cell::default(); levels.len()],
            vec![vec![Cell::default(); HOURS]; levels.len()],
        );
        Self {
            settings,
            levels,
            overall,
            hourly,
        }
    }

    /// Takes in an outcome: the hour of day (0 to 23; taken modulo 24) of the demand, its quantiles
    /// forecast in the order of the levels, and what it was.
    ///
    /// # Panics
    /// Unless there is one quantile per level.
    pub fn observe(&mut self, hour: u8, quantiles: &[f64], actual: f64) {
        assert_eq!(
            quantiles.len(),
            self.levels.len(),
            "quantiles for {:?}",
            self.levels
        );
        let keep = libm::exp2(-1.0 / self.settings.half_life);
        for (place, &quantile) in quantiles.iter().enumerate() {
            let covered = f64::from(u8::from(actual <= quantile));
            for cell in [
                &mut self.overall[place],
                &mut self.hourly[place][usize::from(hour) % HOURS],
            ] {
                cell.outcomes = cell.outcomes * keep + 1.0;
                cell.covered = cell.covered * keep + covered;
            }
        }
    }

    /// Each level with the share of recent outcomes at or under its quantile; `None` before the first.
    pub fn coverage(&self) -> impl Iterator<Item = (f64, Option<f64>)> {
        self.levels
            .iter()
            .copied()
            .zip(self.overall.iter().map(|cell| share(*cell)))
    }

    /// The same in one hour of day (taken modulo 24).
    pub fn coverage_at(&self, hour: u8) -> impl Iterator<Item = (f64, Option<f64>)> {
        let cells = self
            .hourly
            .iter()
            .map(move |cells| share(cells[usize::from(hour) % HOURS]));
        self.levels.iter().copied().zip(cells)
    }

    /// The levels that are off by more than chance allows, those over all hours first.
    ///
    /// A share of `c` of `n` outcomes is off from its level `p` if exp(−n·KL(c‖p)) is under the rate
    /// of false alarms (the Chernoff–Hoeffding bound on the binomial tail), where `n` is the number
    /// of outcomes divided by the length of runs; for single hours the rate is shared out over the hours.
    pub fn alarms(&self) -> Vec<CoverageAlarm> {
        let overall = (0..self.levels.len()).filter_map(|place| self.alarm(place));
        let each_hour = self.settings.false_alarm / HOURS as f64;
        let hourly = self.levels.iter().zip(&self.hourly);
        let hourly = hourly.flat_map(|(&level, cells)| {
            (0_u8..)
                .zip(cells)
                .filter_map(move |(hour, &cell)| self.look(level, Some(hour), cell, each_hour))
        });
        overall.chain(hourly).collect()
    }

    /// The alarm over all hours of the level in this place, if it is off. Cheap enough for each step.
    pub fn alarm(&self, place: usize) -> Option<CoverageAlarm> {
        let (level, cell) = (*self.levels.get(place)?, self.overall[place]);
        self.look(level, None, cell, self.settings.false_alarm)
    }

    fn look(&self, level: f64, hour: Option<u8>, cell: Cell, rate: f64) -> Option<CoverageAlarm> {
        let covered = share(cell)?;
        let independent = cell.outcomes / self.settings.run_length.max(1.0);
        let off = libm::exp(-independent * divergence(covered, level)) < rate;
        off.then_some(CoverageAlarm {
            level,
            hour,
            covered,
            outcomes: cell.outcomes,
            verdict: if covered < level {
                CoverageVerdict::TooLow
            } else {
                CoverageVerdict::TooHigh
            },
        })
    }
}

fn share(cell: Cell) -> Option<f64> {
    (cell.outcomes > 0.0).then(|| cell.covered / cell.outcomes)
}

/// The Kullback–Leibler divergence between coins.
fn divergence(seen: f64, promised: f64) -> f64 {
    let part = |seen: f64, promised: f64| {
        if seen <= 0.0 {
            0.0
        } else {
            seen * libm::log(seen / promised)
        }
    };
    part(seen, promised) + part(1.0 - seen, 1.0 - promised)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Alarms after quantiles of uniform demand, forecast as `claim` makes of the level and the hour.
    fn alarms(seed: u64, outcomes: usize, claim: impl Fn(f64, u8) -> f64) -> Vec<CoverageAlarm> {
        let levels = vec![0.5, 0.9, 0.99];
        let mut monitor = CoverageMonitor::new(levels.clone(), CoverageSettings::default());
        let mut rng = Rng::new(seed, 0);
        for step in 0..outcomes {
            let hour = (step / 12 % 24) as u8;
            let quantiles: Vec<f64> = levels.iter().map(|&level| claim(level, hour)).collect();
            monitor.observe(hour, &quantiles, rng.uniform());
        }
        monitor.alarms()
    }

    #[test]
    fn honest_forecasts_raise_no_alarm() {
        for seed in 0..20 {
            assert_eq!(alarms(seed, 4000, |level, _| level), []);
        }
    }

    #[test]
    fn forecasts_that_promise_too_much_raise_one() {
        let found = alarms(1, 1500, |level, _| 0.85 * level);
        assert!(found.iter().any(|it| it.level == 0.9
            && it.hour.is_none()
            && it.verdict == CoverageVerdict::TooLow));
        let found = alarms(1, 1500, |level, _| 0.8 + 0.2 * level);
        assert!(
            found
                .iter()
                .any(|it| it.level == 0.5 && it.verdict == CoverageVerdict::TooHigh),
            "{found:?}"
        );
    }

    #[test]
    fn one_bad_hour_is_named() {
        let found = alarms(
            2,
            12_000,
            |level, hour| if hour == 20 { 0.3 * level } else { level },
        );
        assert!(found.iter().any(|it| it.hour == Some(20)), "{found:?}");
        assert!(
            found.iter().all(|it| it.hour.is_none_or(|hour| hour == 20)),
            "{found:?}"
        );
    }
}
