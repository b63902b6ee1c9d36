//! Champion and challenger: which of two forecasters is bought from, judged by check loss on time that neither was
//! fitted to.
//!
//! Both are fitted and both forecast all along, so the one that lost stays one fit away and may win again. The
//! challenger must be better by more than chance would make it: a change of forecaster moves every quantile, and
//! what the shadow fleets have learned of the price with it.

use std::collections::VecDeque;

use super::distribution::{LEVEL_COUNT, LEVELS, LeadForecast};

/// Who forecasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contender {
    /// Quantile regression on the features.
    #[default]
    Linear,
    /// The mean of its quantiles and those of the regression on square roots, whose errors differ.
    Blend,
}

impl Contender {
    /// A name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear quantile regression",
            Self::Blend => "linear and root quantile regression, averaged",
        }
    }

    /// The other one.
    pub fn rival(self) -> Self {
        match self {
            Self::Linear => Self::Blend,
            Self::Blend => Self::Linear,
        }
    }
}

/// A change of champion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Succession {
    /// Who forecasts from now on.
    pub champion: Contender,
    /// Its check loss on held-out time over that of the one before: under 1.
    pub loss_ratio: f64,
}

/// Levels that are judged, from .8 on: buying lands there.
const JUDGED_FROM: usize = 3;
/// A challenger must lose this part of what the champion loses, at most.
const MARGIN: f64 = 0.99;
/// Losses count half after so many days.
const HALF_LIFE_DAYS: f64 = 7.0;
/// Nobody is judged on less than this.
const LEAST_DAYS: f64 = 2.0;

/// Forecasts under way, and what each contender has lost.
#[derive(Clone, Debug)]
pub(super) struct Contest {
    champion: Contender,
    lead_steps: usize,
    keep: f64,
    least: u64,
    waiting: VecDeque<Option<[LeadForecast; 2]>>,
    losses: [[f64; LEVEL_COUNT]; 2],
    judged: u64,
}

impl Contest {
    pub(super) fn new(lead_steps: usize, steps_per_day: f64) -> Self {
        Self {
            champion: Contender::default(),
            lead_steps: lead_steps.max(1),
            keep: libm::exp2(-1.0 / (HALF_LIFE_DAYS * steps_per_day)),
            least: libm::ceil(LEAST_DAYS * steps_per_day) as u64,
            waiting: VecDeque::new(),
            losses: [[0.0; LEVEL_COUNT]; 2],
            judged: 0,
        }
    }

    pub(super) fn champion(&self) -> Contender {
        self.champion
    }

    /// Keeps what both say of the step that is `lead_steps` ahead; `None` where one of them is not fitted yet.
    pub(super) fn keep(&mut self, forecasts: Option<[LeadForecast; 2]>) {
        self.waiting.push_back(forecasts);
    }

    /// Scores what was said of the step that has just ended; `None`: nobody knows its demand.
    pub(super) fn outcome(&mut self, demand: Option<f64>) {
        if self.waiting.len() < self.lead_steps {
            return;
        }
        let Some((forecasts, demand)) = self.waiting.pop_front().flatten().zip(demand) else {
            return;
        };
        for (losses, forecast) in self.losses.iter_mut().zip(&forecasts) {
            for ((loss, quantile), level) in losses.iter_mut().zip(forecast.quantiles).zip(LEVELS) {
                let missing = demand - quantile;
                *loss = *loss * self.keep + (level * missing).max((level - 1.0) * missing);
            }
        }
        self.judged += 1;
    }

    /// The loss of a contender over that of the other, the geometric mean over the judged levels; 1 while too
    /// little was judged.
    pub(super) fn loss_ratio(&self, of: Contender) -> f64 {
        if self.judged < self.least {
            return 1.0;
        }
        let (own, other) = (&self.losses[of as usize], &self.losses[of.rival() as usize]);
        let pairs = own.iter().zip(other).skip(JUDGED_FROM);
        let logs = pairs.map(|(own, other)| libm::log((own + 1e-300) / (other + 1e-300)));
        libm::exp(logs.sum::<f64>() / (LEVEL_COUNT - JUDGED_FROM) as f64)
    }

    /// Lets the challenger take over if it has earned it.
    pub(super) fn judge(&mut self) -> Option<Succession> {
        let rival = self.champion.rival();
        let loss_ratio = self.loss_ratio(rival);
        (loss_ratio < MARGIN).then(|| {
            self.champion = rival;
            Succession {
                champion: rival,
                loss_ratio,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(factor: f64) -> LeadForecast {
        LeadForecast {
            quantiles: LEVELS.map(|level| factor * 100.0 * level),
        }
    }

    /// Demand runs through its own quantiles, so a factor of 1 is right.
    fn contest(steps: usize, factors: [f64; 2]) -> Contest {
        let mut contest = Contest::new(2, 24.0);
        for step in 0..steps {
            contest.keep(Some(factors.map(forecast)));
            contest.outcome(Some(((step * 37) % 100) as f64 + 0.5));
        }
        contest
    }

    #[test]
    fn a_better_challenger_takes_over_and_a_worse_one_does_not() {
        let mut better = contest(200, [1.3, 1.0]);
        let change = better.judge().expect("a succession");
        assert_eq!(change.champion, Contender::Blend);
        assert!(change.loss_ratio < MARGIN && better.judge().is_none());
        assert!(contest(200, [1.0, 1.3]).judge().is_none());
        assert!(contest(200, [1.0, 1.0]).judge().is_none());
    }

    #[test]
    fn nobody_is_judged_on_a_day() {
        assert!(contest(24, [1.3, 1.0]).judge().is_none());
    }

    #[test]
    fn the_one_that_lost_may_win_again() {
        let mut contest = contest(200, [1.3, 1.0]);
        contest.judge();
        for step in 0..600 {
            contest.keep(Some([forecast(1.0), forecast(1.3)]));
            contest.outcome(Some(((step * 37) % 100) as f64 + 0.5));
        }
        assert_eq!(
            contest.judge().map(|change| change.champion),
            Some(Contender::Linear)
        );
    }

    #[test]
    fn forecasts_are_scored_with_the_demand_of_their_step() {
        let mut contest = Contest::new(3, 1.0);
        for step in 0..20 {
            // The first contender knows what comes three steps later.
            let exact = LeadForecast {
                quantiles: [f64::from(step + 3); LEVEL_COUNT],
            };
            contest.keep(Some([exact, forecast(1.0)]));
            contest.outcome((step > 0).then(|| f64::from(step + 1)));
        }
        assert!(
            contest.losses[0].iter().all(|loss| *loss == 0.0),
            "{:?}",
            contest.losses[0]
        );
    }
}
