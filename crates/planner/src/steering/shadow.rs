//! Fleets that are only thought of: each buys at one depth, or with one reluctance, all along, and so
//! tells what that would have cost and left unserved, integer rounding, boots and drains included.

use std::collections::VecDeque;

use fleetcast_series::SlidingMaximum;

use super::fleet::{FleetRules, PlainFleet};
use super::purchase::Band;
use super::standby::{Deep, StandbyFleet, StandbyRules};

/// A fleet that keeps units for a while after they were last useful.
#[derive(Clone, Debug)]
pub struct HeldFleet {
    /// The fleet.
    pub fleet: PlainFleet,
    hold: SlidingMaximum,
    standby: Option<(FleetRules, StandbyFleet)>,
    /// Units that the last step needed, and those of them that are kept because demand lasts.
    needed: u64,
    lasting: u64,
}

impl HeldFleet {
    /// Starts with `ready` serving units.
    pub fn new(rules: FleetRules, ready: u64) -> Self {
        Self {
            fleet: PlainFleet::new(rules, ready),
            hold: SlidingMaximum::new(1),
            standby: None,
            needed: 0,
            lasting: 0,
        }
    }

    /// Starts with standby beside it, of no unit yet.
    pub fn with_standby(rules: FleetRules, ready: u64, standby: StandbyRules) -> Self {
        Self {
            standby: Some((rules, StandbyFleet::new(standby))),
            ..Self::new(rules, ready)
        }
    }

    /// So many units stand by beyond what demand asks for.
    pub fn set_correlated_loss(&mut self, units: u64) {
        if let Some((_, standby)) = &mut self.standby {
            standby.set_correlated_loss(units);
        }
    }

    /// Enters step `now`; says how many units serve.
    pub fn enter(&mut self, now: u64) -> u64 {
        if let Some((_, standby)) = &mut self.standby {
            standby.enter(now);
        }
        self.fleet.enter(now).ready
    }

    /// Lives through step `now`, which needs so many units: says how many standby units promote, and the part of
    /// the step that they serve.
    pub fn promote(&mut self, now: u64, needed: u64) -> (u64, f64) {
        let Some((_, standby)) = &mut self.standby else {
            return (0, 0.0);
        };
        self.needed = needed;
        let promoted = standby.promote(now, needed, &self.fleet);
        (promoted, standby.rules().part_at_once())
    }

    /// What the present step is paid for, in units.
    pub fn paid(&self) -> f64 {
        let beside = self
            .standby
            .as_ref()
            .map_or(0.0, |(_, standby)| standby.paid());
        self.fleet.paid() as f64 + beside
    }

    /// Orders at the end of step `now`, running units and standby.
    pub fn order_with_standby(&mut self, now: u64, band: Band, deep: Option<Deep>, observed: bool) {
        let Some((rules, standby)) = &mut self.standby else {
            self.order(now, band, observed);
            return;
        };
        let rules = *rules;
        self.fleet.join(standby.join(now + 1));
        let ready = self.fleet.ready();
        self.lasting = deep.filter(|deep| deep.lasts).map_or(0, |_| self.needed);
        let wanted = self.order(now, band, observed);
        let removed = ready - self.fleet.ready();
        let deep = deep.unwrap_or(Deep {
            units: 0,
            hold_decisions: 1,
            lasts: false,
        });
        if let Some((_, standby)) = &mut self.standby {
            standby.settle(now, rules, deep, wanted, removed, observed);
        }
    }

    /// Orders at the end of step `now`; says how many units are wanted after the hold. An unobserved step removes none.
    pub fn order(&mut self, now: u64, band: Band, observed: bool) -> u64 {
        self.hold.set_width(band.hold_decisions);
        self.hold.push(band.useful.max(band.needed) as f64);
        let total = self.fleet.total();
        // A unit that does not serve yet costs no drain to cancel: it is kept only while it is useful.
        let kept = if observed {
            (self.hold.get() as u64)
                .min(total)
                .min(self.fleet.ready().max(band.useful))
        } else {
            total
        };
        let wanted = band.needed.max(kept).max(self.lasting.min(total));
        let promoting = self
            .standby
            .as_ref()
            .map_or(0, |(_, standby)| standby.promoting());
        self.fleet.order(now, wanted.saturating_sub(promoting));
        wanted
    }
}

/// Hours of loss are counted as one event.
const BLOCKS_PER_DAY: f64 = 24.0;

/// How fast the two memories of a shadow fade, and how much one hour may count.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Factor of the long memory per step.
    pub long_decay: f64,
    /// Factor of the recent memory per step.
    pub recent_decay: f64,
    /// Most loss of one hour that enters the long memory.
    pub burst_limit: f64,
    /// Whether an hour ends with this step.
    pub block_ends: bool,
}

/// Steps in the blocks that count as one event.
pub fn block_steps(steps_per_day: f64) -> u64 {
    libm::ceil(steps_per_day / BLOCKS_PER_DAY).max(1.0) as u64
}

/// A fleet that buys one depth: what this depth leaves unserved, as it would have happened.
#[derive(Clone, Debug)]
pub struct Shadow {
    held: HeldFleet,
    /// Units that served in the steps whose demand is not told yet, oldest first.
    served: VecDeque<u64>,
    long_lost: f64,
    long_paid: f64,
    recent_lost: f64,
    block_lost: f64,
    blocks: f64,
    blocks_squared: f64,
}

impl Shadow {
    /// Starts with one unit.
    pub fn new(rules: FleetRules) -> Self {
        Self {
            held: HeldFleet::new(rules, 1),
            served: VecDeque::new(),
            long_lost: 0.0,
            long_paid: 0.0,
            recent_lost: 0.0,
            block_lost: 0.0,
            blocks: 0.0,
            blocks_squared: 0.0,
        }
    }

    /// Starts with one unit, and standby of no unit yet.
    pub fn with_standby(rules: FleetRules, standby: StandbyRules) -> Self {
        Self {
            held: HeldFleet::with_standby(rules, 1, standby),
            ..Self::new(rules)
        }
    }

    /// So many units stand by beyond what demand asks for.
    pub fn set_correlated_loss(&mut self, units: u64) {
        self.held.set_correlated_loss(units);
    }

    /// Enters step `now`; says how many units served in the step whose demand is told in it, `late` steps before.
    pub fn enter(&mut self, now: u64, late: usize) -> u64 {
        let ready = self.held.enter(now);
        self.served.push_back(ready);
        if self.served.len() > late {
            self.served.pop_front().unwrap_or(ready)
        } else {
            ready
        }
    }

    /// Standby units that promote in step `now`, which needs so many units, and the part of it that they serve.
    pub fn promote(&mut self, now: u64, needed: u64) -> (u64, f64) {
        self.held.promote(now, needed)
    }

    /// Adds what the step is paid for.
    pub fn pay(&mut self, memory: &Memory) {
        self.long_paid = self.long_paid * memory.long_decay + self.held.paid();
    }

    /// What was paid in the long memory, in unit-steps.
    pub fn long_paid(&self) -> f64 {
        self.long_paid
    }

    /// Adds the loss of an observed step.
    pub fn lose(&mut self, lost: f64, memory: &Memory) {
        let counted = (self.block_lost + lost).min(memory.burst_limit)
            - self.block_lost.min(memory.burst_limit);
        self.long_lost = self.long_lost * memory.long_decay + counted;
        self.recent_lost = self.recent_lost * memory.recent_decay + lost;
        self.block_lost += lost;
    }

    /// Ends a step, observed or not.
    pub fn end(&mut self, memory: &Memory, steps: u64) {
        if memory.block_ends {
            let decay = libm::pow(memory.recent_decay, steps as f64);
            self.blocks = self.blocks * decay + self.block_lost;
            self.blocks_squared = self.blocks_squared * decay + self.block_lost * self.block_lost;
            self.block_lost = 0.0;
        }
    }

    /// Orders at the end of step `now`.
    pub fn order(&mut self, now: u64, band: Band, deep: Option<Deep>, observed: bool) {
        self.held.order_with_standby(now, band, deep, observed);
    }

    /// Loss in the long memory, bursts limited.
    pub fn long_lost(&self) -> f64 {
        self.long_lost
    }

    /// Loss of the recent days.
    pub fn recent_lost(&self) -> f64 {
        self.recent_lost
    }

    /// Effective number of equal hours the recent loss is made of.
    pub fn events(&self) -> f64 {
        if self.blocks_squared > 0.0 {
            self.blocks * self.blocks / self.blocks_squared
        } else {
            0.0
        }
    }
}

/// A fleet at the depth in use with another reluctance: how many units it starts.
#[derive(Clone, Debug)]
pub struct Probe {
    held: HeldFleet,
    starts: f64,
    ready: f64,
    ready_before: u64,
}

impl Probe {
    /// Starts with one unit.
    pub fn new(rules: FleetRules) -> Self {
        Self {
            held: HeldFleet::new(rules, 1),
            starts: 0.0,
            ready: 0.0,
            ready_before: 1,
        }
    }

    /// Starts with one unit, and standby of no unit yet.
    pub fn with_standby(rules: FleetRules, standby: StandbyRules) -> Self {
        Self {
            held: HeldFleet::with_standby(rules, 1, standby),
            ..Self::new(rules)
        }
    }

    /// So many units stand by beyond what demand asks for.
    pub fn set_correlated_loss(&mut self, units: u64) {
        self.held.set_correlated_loss(units);
    }

    /// Promotes what a step that needs so many units is short of: no start, it has booted before.
    pub fn promote(&mut self, now: u64, needed: u64) {
        self.ready_before += self.held.promote(now, needed).0;
    }

    /// Enters step `now`, in which a start counts for so much; earlier ones fade by `decay`. An unobserved step (`None`) says nothing
    /// of how many units are started: none is removed in it.
    pub fn enter(&mut self, now: u64, decay: f64, counted: Option<f64>) {
        let ready = self.held.enter(now);
        let before = std::mem::replace(&mut self.ready_before, ready);
        if let Some(counted) = counted {
            self.starts = self.starts * decay + counted * ready.saturating_sub(before) as f64;
            self.ready = self.ready * decay + ready as f64;
        }
    }

    /// Orders at the end of step `now`.
    pub fn order(&mut self, now: u64, band: Band, deep: Option<Deep>, observed: bool) {
        self.held.order_with_standby(now, band, deep, observed);
    }

    /// Unit starts per step, as a share of the mean fleet; positive.
    pub fn start_rate(&self) -> f64 {
        (self.starts / self.ready.max(1.0)).max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_dip_removes_nothing() {
        let rules = FleetRules {
            boot_steps: 2,
            drain_steps: 1,
        };
        let mut held = HeldFleet::new(rules, 5);
        let band = |units| Band {
            needed: units,
            useful: units,
            hold_decisions: 4,
        };
        let wanted: Vec<u64> = [5, 1, 1, 1, 1]
            .iter()
            .enumerate()
            .map(|(t, &n)| held.order(t as u64, band(n), true))
            .collect();
        assert_eq!(wanted, vec![5, 5, 5, 5, 1]);
    }

    #[test]
    fn a_starting_unit_is_cancelled_as_soon_as_it_is_useless() {
        let mut held = HeldFleet::new(
            FleetRules {
                boot_steps: 3,
                drain_steps: 3,
            },
            2,
        );
        assert_eq!(
            held.order(
                0,
                Band {
                    needed: 5,
                    useful: 5,
                    hold_decisions: 7
                },
                true
            ),
            5
        );
        assert_eq!(
            held.order(
                1,
                Band {
                    needed: 1,
                    useful: 3,
                    hold_decisions: 7
                },
                true
            ),
            3
        );
        assert_eq!(
            held.order(
                2,
                Band {
                    needed: 1,
                    useful: 1,
                    hold_decisions: 7
                },
                true
            ),
            2
        );
    }

    #[test]
    fn an_unobserved_step_removes_nothing() {
        let mut held = HeldFleet::new(
            FleetRules {
                boot_steps: 0,
                drain_steps: 0,
            },
            5,
        );
        assert_eq!(
            held.order(
                0,
                Band {
                    needed: 1,
                    useful: 1,
                    hold_decisions: 1
                },
                false
            ),
            5
        );
        assert_eq!(
            held.order(
                1,
                Band {
                    needed: 1,
                    useful: 1,
                    hold_decisions: 1
                },
                true
            ),
            1
        );
    }

    #[test]
    fn days_without_sight_do_not_make_a_fleet_look_calm() {
        let rules = FleetRules {
            boot_steps: 1,
            drain_steps: 1,
        };
        let mut probe = Probe::new(rules);
        let mut live = |step: u64, observed| {
            let units = if observed && step % 8 < 4 { 10 } else { 1 };
            let band = Band {
                needed: units,
                useful: units,
                hold_decisions: 1,
            };
            probe.enter(step, 0.99, observed.then_some(1.0));
            probe.order(step, band, None, observed);
            probe.start_rate()
        };
        let seen: f64 = (0..200).map(|step| live(step, true)).last().unwrap();
        let unseen: f64 = (200..1200).map(|step| live(step, false)).last().unwrap();
        assert!(seen > 0.1, "{seen}");
        assert_eq!(unseen, seen);
    }
}
