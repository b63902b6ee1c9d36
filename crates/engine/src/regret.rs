//! Measured regret: what following the engine would have cost, day by day, beside perfect foresight or a reactive
//! autoscaler, by fleets that are only thought of; and the rule by which a mode is promoted on it.

use std::collections::VecDeque;

use fleetcast_model::{MicroUsdPerHour, Mode, ModeChange, ModePromotion, RegretBaseline};
use fleetcast_planner::steering::{FleetRules, PlainFleet};
use fleetcast_policy::{Policy, PolicyKind, PolicySpec, Surroundings, View};
use jiff::Timestamp;

/// The utilisation that the reactive autoscaler aims at: what horizontal autoscalers are usually run with.
const REACTIVE_UTILISATION: f64 = 0.6;
/// A day of which less than this share of the steps was observed says nothing.
const OBSERVED_MIN: f64 = 0.5;
const DAY_SECONDS: i64 = 86_400;

/// One day's regret of a whole fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayRegret {
    /// Days since 1970 (UTC).
    pub day: i64,
    /// What following the engine would have cost in dollars, with what it would have left unserved priced.
    pub ours_usd: f64,
    /// The same of the baseline.
    pub baseline_usd: f64,
}

impl DayRegret {
    /// How much more following the engine would have cost, as a share; negative if less.
    pub fn regret(&self) -> f64 {
        self.ours_usd / self.baseline_usd.max(1e-9) - 1.0
    }
}

/// Keeps the regret of a fleet, and promotes its mode by its owner's rule.
#[derive(Clone, Debug)]
pub(crate) struct RegretBook {
    rule: ModePromotion,
    /// The mode of the document, under which no demotion goes.
    least: Mode,
    pairs: Vec<Pair>,
    day: Option<i64>,
    today: DayRegret,
    steps: u64,
    observed: u64,
    /// Whole days since the last change of mode, oldest first.
    days: VecDeque<DayRegret>,
}

/// One component's fleets.
#[derive(Clone, Debug)]
struct Pair {
    ours: PlainFleet,
    /// `None`: perfect foresight, which needs no fleet.
    reactive: Option<(PlainFleet, Policy)>,
    terms: PairTerms,
}

/// How one component's fleets are priced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PairTerms {
    pub rules: FleetRules,
    pub unit_price: MicroUsdPerHour,
    pub step_seconds: u32,
    /// The price of a unit that is missing for a step, in units that are there: one over the share that may be
    /// missed, which is what the objective says that it is worth.
    pub missing_price: f64,
}

impl RegretBook {
    pub(crate) fn new(rule: ModePromotion, least: Mode, terms: Vec<PairTerms>) -> Self {
        let pair = |terms: PairTerms| {
            let surroundings = Surroundings {
                step_seconds: terms.step_seconds,
                boot_steps: terms.rules.boot_steps as u32,
                delay_steps: 0,
            };
            let reactive = match rule.against {
                RegretBaseline::Reactive => {
                    PolicySpec::new(PolicyKind::KubernetesHpa, REACTIVE_UTILISATION)
                        .build(&surroundings)
                        .map(|policy| (PlainFleet::new(terms.rules, 1), policy))
                }
                RegretBaseline::Foresight => None,
            };
            Pair {
                ours: PlainFleet::new(terms.rules, 1),
                reactive,
                terms,
            }
        };
        Self {
            rule,
            least,
            pairs: terms.into_iter().map(pair).collect(),
            day: None,
            today: DayRegret {
                day: 0,
                ours_usd: 0.0,
                baseline_usd: 0.0,
            },
            steps: 0,
            observed: 0,
            days: VecDeque::new(),
        }
    }

    /// Accounts one step of a component: the units that its demand needed, as a fraction (`None`: unknown), and what
    /// is wanted from now on.
    pub(crate) fn step(&mut self, component: usize, number: u64, need: Option<f64>, wanted: u64) {
        let pair = &mut self.pairs[component];
        let terms = pair.terms;
        let usd = terms.unit_price.as_f64() / 1e6 * f64::from(terms.step_seconds) / 3_600.0;
        let ours = pair.ours.enter(number);
        let cost = |paid: f64, ready: f64| {
            let missing = need.map_or(0.0, |need| (need - ready).max(0.0));
            (paid + terms.missing_price * missing) * usd
        };
        self.today.ours_usd += cost(ours.paid as f64, ours.ready as f64);
        pair.ours.order(number, wanted);
        self.today.baseline_usd += match &mut pair.reactive {
            None => need.map_or(ours.paid as f64, |need| need.ceil().max(1.0)) * usd,
            Some((fleet, policy)) => {
                let there = fleet.enter(number);
                let wanted = policy.wanted(&View {
                    step: number,
                    demand: need.unwrap_or(0.0),
                    per_unit: 1.0,
                    ready: there.ready,
                    total: there.total,
                });
                if need.is_some() {
                    fleet.order(number, wanted);
                }
                cost(there.paid as f64, there.ready as f64)
            }
        };
        self.steps += 1;
        self.observed += u64::from(need.is_some());
    }

    /// Ends a day if one has ended, and says whether the mode changes by the rule.
    pub(crate) fn judge(&mut self, now: Timestamp, mode: Mode) -> Option<ModeChange> {
        let day = now.as_second().div_euclid(DAY_SECONDS);
        let ended = self.day.replace(day).filter(|before| *before != day)?;
        let enough = self.observed as f64 >= OBSERVED_MIN * self.steps as f64 && self.steps > 0;
        let today = DayRegret {
            day: ended,
            ..self.today
        };
        (self.today.ours_usd, self.today.baseline_usd) = (0.0, 0.0);
        (self.steps, self.observed) = (0, 0);
        if enough {
            self.days.push_back(today);
        }
        let wanted = self.wanted_days();
        while self.days.len() > wanted {
            self.days.pop_front();
        }
        let mean = self.mean()?;
        let held = self
            .days
            .iter()
            .all(|day| day.regret() <= self.rule.regret_max);
        let to = if self.days.len() >= wanted && held && mode < self.rule.up_to {
            up(mode)
        } else if mean > self.rule.regret_max && mode > self.least {
            down(mode)
        } else {
            return None;
        };
        let days = self.days.len() as u32;
        self.days.clear();
        Some(ModeChange {
            from: mode,
            to,
            regret: mean,
            days,
        })
    }

    /// The days that count now, oldest first.
    pub(crate) fn days(&self) -> impl Iterator<Item = &DayRegret> {
        self.days.iter()
    }

    /// The mean regret of the days that count, each weighed by its cost; `None` without a day.
    fn mean(&self) -> Option<f64> {
        let sum = |part: fn(&DayRegret) -> f64| self.days.iter().map(part).sum::<f64>();
        let baseline = sum(|day| day.baseline_usd);
        (!self.days.is_empty()).then(|| sum(|day| day.ours_usd) / baseline.max(1e-9) - 1.0)
    }

    fn wanted_days(&self) -> usize {
        let days = self.rule.after.as_secs().div_euclid(DAY_SECONDS);
        usize::try_from(days).unwrap_or(1).max(1)
    }
}

fn up(mode: Mode) -> Mode {
    match mode {
        Mode::Observe => Mode::Recommend,
        Mode::Recommend | Mode::Auto => Mode::Auto,
    }
}

fn down(mode: Mode) -> Mode {
    match mode {
        Mode::Auto => Mode::Recommend,
        Mode::Recommend | Mode::Observe => Mode::Observe,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn book(regret_max: f64) -> RegretBook {
        let rule = ModePromotion {
            after: SignedDuration::from_hours(48),
            regret_max,
            against: RegretBaseline::Foresight,
            up_to: Mode::Auto,
        };
        let terms = PairTerms {
            rules: FleetRules {
                boot_steps: 0,
                drain_steps: 0,
            },
            unit_price: MicroUsdPerHour::new(1_000_000),
            step_seconds: 3_600,
            missing_price: 100.0,
        };
        RegretBook::new(rule, Mode::Observe, vec![terms])
    }

    /// Runs days of a steady demand of ten units with so many wanted; gives the modes that it goes through.
    fn modes(book: &mut RegretBook, days: &[u64]) -> Vec<Mode> {
        let (mut mode, mut modes, mut number) = (Mode::Observe, Vec::new(), 0);
        for wanted in days {
            for _ in 0..24 {
                book.step(0, number, Some(10.0), *wanted);
                number += 1;
                let now = Timestamp::from_second(number as i64 * 3_600).expect("a moment");
                if let Some(change) = book.judge(now, mode) {
                    assert_eq!(change.from, mode);
                    mode = change.to;
                    modes.push(mode);
                }
            }
        }
        modes
    }

    #[test]
    fn a_mode_is_promoted_after_good_days_alone_and_falls_when_they_end() {
        // The first day begins with a fleet of one unit and is bad.
        let good = [11; 6];
        assert_eq!(modes(&mut book(0.2), &good), [Mode::Recommend, Mode::Auto]);
        assert_eq!(modes(&mut book(0.05), &good), []);
        let ends = [11, 11, 11, 20, 20];
        assert_eq!(
            modes(&mut book(0.2), &ends),
            [Mode::Recommend, Mode::Observe]
        );
    }
}
