//! Standby beside a fleet: units at a share of the price that step in when demand exceeds what runs, and how
//! the price of unserved demand splits between the two.
//!
//! A unit that runs costs 1 a step, one in standby h. Of the demand above the running units, promotion loses the
//! share γ (what comes before the promoted unit serves), and costs κ a unit-step that it serves. At the price p of
//! unserved demand, running x and T units in all cost
//!
//! > x·(1 − h) + h·T + (κ + γ·p)·E\[(min(D, T) − x)⁺\] + p·E\[(D − T)⁺\],
//!
//! so that P(D > x) = (1 − h) ÷ (κ + γ·p) and P(D > T) = h ÷ ((1 − γ)·p − κ): one price decides both. Standby
//! pays for itself where T is deeper than x.

use std::collections::VecDeque;

use fleetcast_series::SlidingMaximum;

use super::fleet::{FleetRules, PlainFleet};
use super::purchase::{Band, Outlook, Purchase, Reluctance};

/// What standby is offered at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandbyRules {
    /// Steps from the beginning of a step with too much demand until promoted units serve.
    pub promotion_steps: f64,
    /// Price of a standby unit, as a share of a running one's; over 0.
    pub price_share: f64,
    /// Units to keep, if somebody fixed them; else as many as pay for themselves.
    pub fixed: Option<u64>,
    /// Units kept in standby beyond what demand asks for, because spot may be taken back together.
    pub correlated_loss: u64,
}

impl StandbyRules {
    /// The part of the step in which they promote that promoted units serve in.
    pub fn part_at_once(&self) -> f64 {
        (1.0 - self.promotion_steps).clamp(0.0, 1.0)
    }

    /// Steps after the one in which they promote, from which on promoted units serve in full.
    fn later_steps(&self) -> u64 {
        libm::ceil(self.promotion_steps).max(1.0) as u64
    }
}

/// How many steps demand stays above the running units once it exceeds them, as a family of shadows believes:
/// the longer, the smaller the part of it that promotion loses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell(pub f64);

/// Standby units that were promoted in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Promoted {
    /// Units that serve at its end and had booted before it began.
    pub units: u64,
    /// Units that began to serve within it …
    pub entering: u64,
    /// … and for which part of it.
    pub part: f64,
}

/// Shadows that believe the same of standby.
#[derive(Clone, Copy, Debug, Default)]
pub struct Family {
    /// Which of the tiers on offer they use.
    pub tier: usize,
    /// How long they believe that demand exceeds what runs; `None`: no standby.
    pub spell: Option<Spell>,
    /// The depth whose shadow lost the goal.
    pub depth: Option<f64>,
}

/// Steps that demand stays above what runs, as the families believe: a lone burst, some steps, a quarter of an
/// hour and more. In between the price decides alike within 1 %.
pub const SPELLS: [f64; 3] = [1.0, 4.0, 16.0];

/// Depths to buy at one price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depths {
    /// Of the units that run.
    pub running: f64,
    /// Of running and standby units together; `None`: standby does not pay for itself.
    pub in_all: Option<f64>,
    /// Share of the demand between the two that promotion loses.
    pub lost_share: f64,
}

impl Depths {
    /// Without standby: all of the price is for running units.
    pub fn alone(depth: f64) -> Self {
        Self {
            running: depth,
            in_all: None,
            lost_share: 1.0,
        }
    }

    /// Splits the price e^depth between running and standby units.
    pub fn split(depth: f64, standby: &StandbyRules, rules: FleetRules, spell: Spell) -> Self {
        let price = libm::exp(depth);
        let share = standby.price_share.clamp(1e-6, 1.0);
        let before = standby.promotion_steps.max(0.0);
        // Of a spell of n steps the first `promotion_steps` are lost, and one drain is paid for.
        let lost_share = (before / spell.0).clamp(0.0, 1.0);
        let promotion = (1.0 - share) * (1.0 + rules.drain_steps as f64 / spell.0);
        let running = libm::log((promotion + lost_share * price) / (1.0 - share).max(1e-6));
        let saved = (1.0 - lost_share) * price - promotion;
        let in_all = libm::log(saved.max(1e-12) / share).min(DEEPEST);
        if in_all <= running || running >= depth {
            return Self::alone(depth);
        }
        Self {
            running,
            in_all: Some(in_all),
            lost_share,
        }
    }
}

/// Depth beyond which no history tells, however cheap standby is.
const DEEPEST: f64 = 10.0;

/// Units that run and stand by together, as wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deep {
    /// How many.
    pub units: u64,
    /// Decisions a standby unit outlives the last one it was wanted in by, and that one.
    pub hold_decisions: u64,
    /// Units that the present demand needs are kept, because it is believed to last.
    pub lasts: bool,
}

/// What to buy at one price: the band of running units, and how many there are to be in all.
pub fn bands(
    purchase: &Purchase,
    standby: Option<(&StandbyRules, Spell)>,
    reluctance: Reluctance,
    ahead: Outlook,
    depth: f64,
) -> (Band, Option<Deep>) {
    let split = standby.map(|(rules, spell)| {
        let depths = Depths::split(depth, rules, purchase.rules, spell);
        (rules, spell, depths)
    });
    let Some((rules, spell, depths)) = split else {
        return (reluctance.band(ahead, depth, purchase), None);
    };
    let Some(in_all) = depths.in_all else {
        return (reluctance.band(ahead, depth, purchase), None);
    };
    // A unit that comes back from standby is paid for a drain, not for a boot.
    let comes_back = Purchase {
        rules: FleetRules {
            boot_steps: 0,
            ..purchase.rules
        },
        ..*purchase
    };
    let band = reluctance.band(ahead, depths.running, &comes_back);
    let deep = Deep {
        units: purchase.units(ahead.arrival, in_all).max(band.needed),
        hold_decisions: idle_decisions(rules, purchase.rules),
        lasts: spell.0 > 1.0,
    };
    (band, Some(deep))
}

/// Decisions that a standby unit may idle: preparing another takes a boot at the full price (ski rental).
pub fn idle_decisions(standby: &StandbyRules, rules: FleetRules) -> u64 {
    let idle = (rules.boot_steps as f64 / standby.price_share.max(1e-3)).min(MOST_IDLE);
    libm::round(idle) as u64 + 1
}

/// Decisions beyond which nothing is held, so that memory stays small.
const MOST_IDLE: f64 = 10_000.0;

/// The standby units of a fleet that is only thought of.
#[derive(Clone, Debug)]
pub struct StandbyFleet {
    rules: StandbyRules,
    units: u64,
    /// (first step in which they stand by, units), ordered or draining.
    preparing: VecDeque<(u64, u64)>,
    demoting: VecDeque<(u64, u64)>,
    /// (first step in which they serve, units).
    promoting: VecDeque<(u64, u64)>,
    hold: SlidingMaximum,
}

impl StandbyFleet {
    /// Starts without any unit.
    pub fn new(rules: StandbyRules) -> Self {
        Self {
            rules,
            units: 0,
            preparing: VecDeque::new(),
            demoting: VecDeque::new(),
            promoting: VecDeque::new(),
            hold: SlidingMaximum::new(1),
        }
    }

    /// Enters step `now`: what has booted or drained stands by.
    pub fn enter(&mut self, now: u64) {
        self.units += due(&mut self.preparing, now) + due(&mut self.demoting, now);
    }

    /// Units that serve in full from step `next` on: they join the fleet before it is ordered for.
    pub fn join(&mut self, next: u64) -> u64 {
        due(&mut self.promoting, next)
    }

    /// Units that can be promoted.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Promotes what a step that needs `needed` units is short of; says how many.
    pub fn promote(&mut self, now: u64, needed: u64, fleet: &PlainFleet) -> u64 {
        let on_their_way = sum(&self.promoting);
        let short = needed.saturating_sub(fleet.ready() + on_their_way);
        let promoted = short.min(self.units);
        if promoted > 0 {
            self.units -= promoted;
            self.promoting
                .push_back((now + self.rules.later_steps(), promoted));
        }
        promoted
    }

    /// Units that are on their way into service.
    pub fn promoting(&self) -> u64 {
        sum(&self.promoting)
    }

    /// So many units stand by beyond what demand asks for.
    pub fn set_correlated_loss(&mut self, units: u64) {
        self.rules.correlated_loss = units;
    }

    /// What it is offered at.
    pub fn rules(&self) -> &StandbyRules {
        &self.rules
    }

    /// What the step is paid for beyond the fleet itself, in units: standby at its share, all else in full.
    pub fn paid(&self) -> f64 {
        let full = sum(&self.preparing) + sum(&self.promoting);
        self.units as f64 * self.rules.price_share + full as f64
    }

    /// Ends step `now`, in which `removed` units left service and `wanted` are to run from now on: those that
    /// standby is short of drain into it, what is still missing is ordered, what is too much is given back.
    pub fn settle(
        &mut self,
        now: u64,
        rules: FleetRules,
        deep: Deep,
        wanted: u64,
        removed: u64,
        observed: bool,
    ) {
        self.hold.set_width(deep.hold_decisions);
        self.hold.push(deep.units as f64);
        let mut target =
            (self.hold.get() as u64).saturating_sub(wanted) + self.rules.correlated_loss;
        if let Some(fixed) = self.rules.fixed {
            target = fixed;
        }
        let have = self.units + sum(&self.preparing) + sum(&self.demoting);
        if target >= have {
            let missing = target - have;
            let demoted = removed.min(missing);
            push(
                &mut self.demoting,
                now + 1 + rules.drain_steps as u64,
                demoted,
            );
            push(
                &mut self.preparing,
                now + 1 + rules.boot_steps as u64,
                missing - demoted,
            );
        } else if observed {
            self.give_back(have - target);
        }
    }

    /// Gives units back: first those that do not stand by yet, then standby itself, then what drains towards it.
    fn give_back(&mut self, mut surplus: u64) {
        surplus -= take(&mut self.preparing, surplus);
        let ready = surplus.min(self.units);
        self.units -= ready;
        take(&mut self.demoting, surplus - ready);
    }
}

fn sum(queue: &VecDeque<(u64, u64)>) -> u64 {
    queue.iter().map(|&(_, units)| units).sum()
}

fn push(queue: &mut VecDeque<(u64, u64)>, from: u64, units: u64) {
    if units > 0 {
        queue.push_back((from, units));
    }
}

/// Takes the units out whose step has come.
fn due(queue: &mut VecDeque<(u64, u64)>, now: u64) -> u64 {
    let mut units = 0;
    while queue.front().is_some_and(|&(from, _)| from <= now) {
        units += queue.pop_front().map_or(0, |(_, units)| units);
    }
    units
}

/// Takes up to so many units out, newest first; says how many.
fn take(queue: &mut VecDeque<(u64, u64)>, most: u64) -> u64 {
    let mut left = most;
    while left > 0 {
        let Some((from, units)) = queue.pop_back() else {
            break;
        };
        let taken = units.min(left);
        push(queue, from, units - taken);
        left -= taken;
    }
    most - left
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: FleetRules = FleetRules {
        boot_steps: 2,
        drain_steps: 1,
    };
    const STANDBY: StandbyRules = StandbyRules {
        promotion_steps: 0.2,
        price_share: 0.1,
        fixed: None,
        correlated_loss: 0,
    };

    #[test]
    fn standby_takes_a_boot_and_a_removed_unit_its_drain() {
        let mut fleet = PlainFleet::new(RULES, 2);
        let mut standby = StandbyFleet::new(STANDBY);
        let deep = |units| Deep {
            units,
            hold_decisions: 1,
            lasts: false,
        };
        standby.settle(0, RULES, deep(5), 2, 0, true);
        standby.enter(1);
        standby.enter(2);
        assert_eq!((standby.units(), standby.paid()), (0, 3.0));
        standby.enter(3);
        assert_eq!((standby.units(), standby.paid()), (3, 3.0 * 0.1));
        assert_eq!(standby.promote(3, 4, &fleet), 2);
        fleet.join(standby.join(4));
        standby.enter(4);
        assert_eq!((fleet.ready(), standby.units()), (4, 1));
        standby.settle(4, RULES, deep(5), 2, 2, true);
        standby.enter(5);
        assert_eq!(standby.units(), 1, "two drain");
        standby.enter(6);
        assert_eq!(standby.units(), 3);
        standby.settle(6, RULES, deep(2), 2, 0, true);
        assert_eq!(standby.units(), 0);
    }

    #[test]
    fn what_promotion_catches_is_bought_as_standby() {
        let depth = libm::log(100.0);
        let found = Depths::split(depth, &STANDBY, RULES, Spell(1.0));
        // κ = .9 · (1 + 1), γ = .2: P(D > x) = .9 ÷ 21.8, P(D > T) = .1 ÷ 78.2.
        assert!((found.running - libm::log(21.8 / 0.9)).abs() < 1e-9);
        assert!((found.in_all.unwrap() - libm::log(78.2 / 0.1)).abs() < 1e-9);
        let useless = StandbyRules {
            promotion_steps: 1.0,
            ..STANDBY
        };
        let alone = Depths::split(depth, &useless, RULES, Spell(1.0));
        assert_eq!(alone, Depths::alone(depth), "promotion comes too late");
        assert!(
            Depths::split(depth, &useless, RULES, Spell(5.0))
                .in_all
                .is_some()
        );
    }
}
