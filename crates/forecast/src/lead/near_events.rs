//! The steps before arrival while an event is near: from the last minutes, and from what such events have done.
//!
//! Demand falls within minutes when a match ends, so what was of use a while ago tells nothing of what to keep. Here demand
//! of such a step is demand of now, times what starts and ends have done by then ([`crate::event_book::EdgeBook`]), times a
//! correction by how demand has moved over the last minutes, all as logarithms. It is spread by a deviation that grows with how far
//! such events differed, and has the quantiles of past errors, each over its own deviation: a location-scale model, whose
//! errors are pooled.

use std::collections::VecDeque;

use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LEVELS, LeadForecast};
use super::small_ridge::SmallRidge;
use crate::event_book::{EventChange, now_steps};
use crate::weighted::weighted_quantiles;

/// Demand of now is compared with the means of so many minutes.
const MEAN_MINUTES: [f64; 5] = [1.0, 2.0, 5.0, 10.0, 30.0];
/// The means, the doubt, the change that is expected, and the constant.
const LOCATION: usize = MEAN_MINUTES.len() + 3;
/// The doubt, how many occurrences speak, the size of the change, and the constant.
const SCALE: usize = 4;
/// Rows in which nothing depended on anything, beside those that were seen.
const PRIOR_ROWS: f64 = 30.0;
/// Rows count half after so many days.
const HALF_LIFE_DAYS: f64 = 30.0;
/// A correction, and what it is learned from, is a logarithm of at most this, and an error of at most so many times as much.
const LOG_MAX: f64 = 1.0;
const ERROR_TIMES: f64 = 3.0;
/// What is added to an error before its logarithm is taken, what that logarithm is about, and how far from there it may lie.
const ERROR_LEAST: f64 = 0.003;
const ERROR_MIDDLE: f64 = -3.3;
const ERROR_REACH: f64 = 4.0;
/// Logarithms of deviations stay in this range.
const DEVIATION: (f64, f64) = (-5.5, -0.5);
/// So much a minute is in doubt before any occurrence of an event.
const UNKNOWN_A_MINUTE: f64 = 0.01;
/// Errors that it takes before anything is told, and those that are kept.
const LEAST_ERRORS: usize = 240;
const ERRORS_MAX: usize = 8_192;
/// It is fitted again after a quarter more rows, and daily.
const FIT_GROWTH: usize = 4;
/// Errors above a quantile that it takes to tell it; beyond that an exponential tail goes on from the slope since .8.
const LEAST_ABOVE: f64 = 4.0;
const TAIL_FROM: usize = 3;

/// Forecasts one step ahead of the newest while events are near.
#[derive(Clone, Debug)]
pub(super) struct NearEvents {
    /// Steps from the newest observation to the one that is forecast.
    lead: usize,
    lead_minutes: f64,
    /// Steps of the means, and of now.
    means: [usize; MEAN_MINUTES.len()],
    now: usize,
    steps_per_day: f64,
    step: u64,
    recent: VecDeque<f64>,
    /// Steps in a row that were seen.
    seen: usize,
    /// What was said of the steps under way, oldest first.
    waiting: VecDeque<Option<Said>>,
    location: SmallRidge<LOCATION>,
    scale: SmallRidge<SCALE>,
    /// Steps, and errors over their deviation.
    errors: VecDeque<(u64, f64)>,
    /// Quantiles of those, by level; `None` before there are enough.
    spread: Option<[f64; LEVEL_COUNT]>,
    /// Rows so far, and when it was last fitted.
    learned: usize,
    fitted: usize,
    next_fit: usize,
    next_day: u64,
}

/// What was said of a step, as logarithms.
#[derive(Clone, Copy, Debug)]
struct Said {
    now: f64,
    change: f64,
    correction: f64,
    deviation: f64,
    location: [f64; LOCATION],
    scale: [f64; SCALE],
}

impl Said {
    fn occurrences(&self) -> f64 {
        self.scale[1]
    }
}

impl NearEvents {
    /// Starts without experience, for steps of this length; what is forecast is so many ahead.
    pub(super) fn new(step_seconds: u32, lead_steps: usize) -> Self {
        let step_minutes = f64::from(step_seconds.max(1)) / 60.0;
        let steps = |minutes: f64| libm::round(minutes / step_minutes).max(1.0) as usize;
        let lead = lead_steps.max(1);
        Self {
            lead,
            lead_minutes: lead as f64 * step_minutes,
            means: MEAN_MINUTES.map(steps),
            now: now_steps(i64::from(step_seconds.max(1))),
            steps_per_day: 1_440.0 / step_minutes,
            step: 0,
            recent: VecDeque::new(),
            seen: 0,
            waiting: VecDeque::new(),
            location: SmallRidge::new(PRIOR_ROWS),
            scale: SmallRidge::new(PRIOR_ROWS),
            errors: VecDeque::new(),
            spread: None,
            learned: 0,
            fitted: 0,
            next_fit: LEAST_ERRORS,
            next_day: 0,
        }
    }

    /// Takes in the demand of the next step, `seen` or filled in, and what events do until the one that is forecast then.
    pub(super) fn observe(&mut self, demand: f64, seen: bool, change: EventChange) {
        if self.waiting.len() >= self.lead
            && let Some(Some(said)) = self.waiting.pop_front()
            && seen
        {
            self.learn(&said, demand);
        }
        let longest = self.means.iter().copied().max().unwrap_or(1);
        if self.recent.len() >= longest.max(self.now) {
            self.recent.pop_front();
        }
        self.recent.push_back(demand);
        self.seen = if seen { self.seen + 1 } else { 0 };
        if self.step >= self.next_day {
            self.next_day = self.step + libm::ceil(self.steps_per_day) as u64;
            let keep = libm::exp2(-1.0 / HALF_LIFE_DAYS);
            self.location.fade(keep);
            self.scale.fade(keep);
            self.fit();
        }
        self.step += 1;
        // What was filled in says nothing of now.
        let known = self.seen >= self.now;
        let said = known.then(|| self.look(change)).flatten();
        self.waiting.push_back(said);
    }

    /// The step that is so many ahead of the newest; `None` where no event is near, one is near that is the first of its
    /// kind, or too little was learned.
    pub(super) fn forecast(&self) -> Option<LeadForecast> {
        let said = self.waiting.back().copied().flatten()?;
        if said.occurrences() <= 0.0 {
            return None;
        }
        let middle = said.now + said.change + said.correction;
        let quantile = |error: f64| libm::exp(middle + said.deviation * error);
        self.spread.map(|spread| LeadForecast {
            quantiles: spread.map(quantile),
        })
    }

    fn mean(&self, steps: usize) -> f64 {
        let count = steps.min(self.recent.len()).max(1);
        self.recent.iter().rev().take(count).sum::<f64>() / count as f64
    }

    fn look(&self, change: EventChange) -> Option<Said> {
        let occurrences = change.occurrences?;
        let (level, newest) = (self.mean(self.now), self.mean(1));
        if level <= 0.0 || newest <= 0.0 {
            return None;
        }
        let now = libm::log(level);
        let mut location = [1.0; LOCATION];
        for (x, steps) in location.iter_mut().zip(self.means) {
            *x = libm::log(self.mean(steps)) - now;
        }
        location[MEAN_MINUTES.len()] = change.doubt;
        location[MEAN_MINUTES.len() + 1] = change.log_change;
        let scale = [change.doubt, occurrences, change.log_change.abs(), 1.0];
        let size = ERROR_MIDDLE + self.scale.says(&scale);
        let unknown = UNKNOWN_A_MINUTE * self.lead_minutes / (1.0 + occurrences);
        Some(Said {
            now,
            change: change.log_change,
            correction: self.location.says(&location).clamp(-LOG_MAX, LOG_MAX),
            deviation: libm::hypot(libm::exp(size.clamp(DEVIATION.0, DEVIATION.1)), unknown)
                .min(libm::exp(DEVIATION.1)),
            location,
            scale,
        })
    }

    fn learn(&mut self, said: &Said, demand: f64) {
        let expected = said.now + said.change;
        let reach = ERROR_TIMES * LOG_MAX;
        let least = libm::exp(expected - reach);
        let changed = (libm::log(demand.max(least)) - expected).min(reach);
        let outcome = changed.clamp(-LOG_MAX, LOG_MAX);
        self.location.learn(&said.location, outcome);
        let error = changed - said.correction;
        let size = libm::log(error.abs() + ERROR_LEAST) - ERROR_MIDDLE;
        let outcome = size.clamp(-ERROR_REACH, ERROR_REACH);
        self.scale.learn(&said.scale, outcome);
        if self.errors.len() >= ERRORS_MAX {
            self.errors.pop_front();
        }
        self.errors.push_back((self.step, error / said.deviation));
        self.learned += 1;
        if self.learned >= self.next_fit {
            self.fit();
        }
    }

    fn fit(&mut self) {
        if self.learned == self.fitted {
            return;
        }
        self.fitted = self.learned;
        self.next_fit = (self.learned + self.learned / FIT_GROWTH).max(LEAST_ERRORS);
        self.location.fit();
        self.scale.fit();
        if self.errors.len() < LEAST_ERRORS {
            return;
        }
        let weighed = |(step, error): &(u64, f64)| {
            let days = (self.step - step) as f64 / self.steps_per_day;
            (*error, libm::exp2(-days / HALF_LIFE_DAYS))
        };
        self.spread = Some(quantiles(self.errors.iter().map(weighed).collect()));
    }
}

/// Quantiles of errors with weights at the levels of forecasts.
fn quantiles(mut errors: Vec<(f64, f64)>) -> [f64; LEVEL_COUNT] {
    errors.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = errors.iter().map(|(_, weight)| weight).sum();
    let mut found = weighted_quantiles(&errors, &LEVELS.map(|level| level * total));
    let told = |place: &usize| (1.0 - LEVELS[*place]) * total >= LEAST_ABOVE;
    let deepest = (TAIL_FROM + 1..LEVEL_COUNT).rev().find(told);
    let deepest = deepest.unwrap_or(TAIL_FROM + 1);
    let run = LEVEL_DEPTHS[deepest] - LEVEL_DEPTHS[TAIL_FROM];
    let slope = (found[deepest] - found[TAIL_FROM]) / run;
    for place in deepest + 1..LEVEL_COUNT {
        found[place] = found[deepest] + slope * (LEVEL_DEPTHS[place] - LEVEL_DEPTHS[deepest]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 1_440;
    const LEAD: usize = 3;

    /// Demand of a minute without noise: from 10:00 to 12:00 on 200, else 100.
    fn level(minute: u64) -> f64 {
        if (600..720).contains(&(minute % DAY)) {
            200.0
        } else {
            100.0
        }
    }

    /// With noise that is twice as wide while a match is on.
    fn demand(minute: u64) -> f64 {
        let noise = ((minute * 7_919) % 101) as f64 / 1_000.0 - 0.05;
        let level = level(minute);
        level * (1.0 + noise * level / 100.0)
    }

    /// What is known of the change until some minutes later: all of it.
    fn change(minute: u64) -> EventChange {
        if !(540..840).contains(&(minute % DAY)) {
            return EventChange::NONE;
        }
        let now = (0..3).map(|back| level(minute - back)).sum::<f64>() / 3.0;
        EventChange {
            log_change: libm::log(level(minute + LEAD as u64) / now),
            doubt: 0.0,
            occurrences: Some((minute / DAY) as f64),
        }
    }

    fn lived(days: u64) -> NearEvents {
        let mut near = NearEvents::new(60, LEAD);
        for minute in 0..days * DAY {
            near.observe(demand(minute), true, change(minute));
        }
        near
    }

    #[test]
    fn the_end_of_an_event_is_foretold_and_quantiles_hold_what_they_say() {
        let mut near = lived(5);
        let (mut above, mut count) = ([0; 2], 0);
        for minute in 5 * DAY..15 * DAY {
            near.observe(demand(minute), true, change(minute));
            let Some(said) = near.forecast() else {
                continue;
            };
            let comes = demand(minute + LEAD as u64);
            count += 1;
            above[0] += usize::from(comes > said.at(0.5));
            above[1] += usize::from(comes > said.at(0.9));
            // All of now is within the match, and what is forecast is the first minute after it.
            if minute % DAY == 720 - LEAD as u64 {
                assert!((80.0..130.0).contains(&said.at(0.9)), "{said:?}");
            }
            if minute % DAY == 720 - LEAD as u64 - 1 {
                assert!(said.at(0.5) > 170.0, "{said:?}");
            }
        }
        assert_eq!(count, 10 * 300);
        let share = |place: usize| above[place] as f64 / count as f64;
        assert!((0.4..0.6).contains(&share(0)), "{above:?}");
        assert!((0.07..0.13).contains(&share(1)), "{above:?}");
    }

    #[test]
    fn nothing_is_said_away_from_events_of_the_first_of_a_kind_or_of_what_nobody_saw() {
        let known = lived(5);
        let near = change(700);
        let after = |demand: f64, seen: bool, change: EventChange| {
            let mut near = known.clone();
            near.observe(demand, seen, change);
            near.forecast()
        };
        let near = EventChange {
            occurrences: Some(5.0),
            ..near
        };
        assert!(after(100.0, true, near).is_some());
        assert!(after(100.0, true, EventChange::NONE).is_none());
        let first = EventChange {
            occurrences: Some(0.0),
            ..near
        };
        assert!(after(100.0, true, first).is_none());
        assert!(after(0.0, true, near).is_none());
        assert!(after(100.0, false, near).is_none());
        // Two minutes after a gap, one of the three that are now was filled in.
        let mut gap = known.clone();
        for seen in [false, true, true] {
            gap.observe(100.0, seen, near);
        }
        assert!(gap.forecast().is_none());
        gap.observe(100.0, true, near);
        assert!(gap.forecast().is_some());
    }

    #[test]
    fn too_little_says_nothing() {
        // On the first day 160 minutes were near by then, and nothing was known of them.
        let mut young = NearEvents::new(60, LEAD);
        for minute in 0..700 {
            young.observe(demand(minute), true, change(minute));
        }
        let near = EventChange {
            occurrences: Some(1.0),
            ..change(700)
        };
        young.observe(demand(700), true, near);
        assert!(young.forecast().is_none());
    }

    #[test]
    fn a_tail_goes_on_beyond_what_was_seen() {
        let few: Vec<(f64, f64)> = (0..400).map(|n| (f64::from(n) / 400.0, 1.0)).collect();
        let found = quantiles(few);
        assert!(
            (found[1] - 0.5).abs() < 0.01 && (found[4] - 0.9).abs() < 0.01,
            "{found:?}"
        );
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
        assert!(found[LEVEL_COUNT - 1] > 1.0, "{found:?}");
    }
}
