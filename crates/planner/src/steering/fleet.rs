//! The plain setting of the headline benchmark: how a fleet turns wanted units into ready and paid ones.
//!
//! The rules, which `$FLEETCAST_SHARED/peers/fleet.py` has as a program: one kind of unit; an order placed at the end of step `t`
//! serves from `t + 1 + boot`; a removed unit stops serving at `t + 1` and is paid while it drains.

use std::collections::VecDeque;

/// The rules of one fleet, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetRules {
    /// Steps between the step after an order and the first step it serves.
    pub boot_steps: usize,
    /// Steps a removed unit is still paid for.
    pub drain_steps: usize,
}

/// A fleet in the plain setting: units that serve, start and drain.
#[derive(Clone, Debug)]
pub struct PlainFleet {
    rules: FleetRules,
    ready: u64,
    pending: VecDeque<(u64, u64)>,
    pending_units: u64,
    draining: VecDeque<(u64, u64)>,
}

/// What one step of a fleet serves with and costs, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetStep {
    /// Units that serve.
    pub ready: u64,
    /// Units that serve or start.
    pub total: u64,
    /// Units that are paid for: total and draining.
    pub paid: u64,
}

impl PlainFleet {
    /// Starts with `ready` serving units (at least one).
    pub fn new(rules: FleetRules, ready: u64) -> Self {
        Self {
            rules,
            ready: ready.max(1),
            pending: VecDeque::new(),
            pending_units: 0,
            draining: VecDeque::new(),
        }
    }

    /// Enters step `now`: orders that are due begin to serve.
    pub fn enter(&mut self, now: u64) -> FleetStep {
        while let Some(&(serves_from, units)) = self.pending.front() {
            if serves_from > now {
                break;
            }
            self.pending.pop_front();
            self.pending_units -= units;
            self.ready += units;
        }
        while self.draining.front().is_some_and(|&(last, _)| last < now) {
            self.draining.pop_front();
        }
        FleetStep {
            ready: self.ready,
            total: self.total(),
            paid: self.paid(),
        }
    }

    /// Units that serve or start.
    pub fn total(&self) -> u64 {
        self.ready + self.pending_units
    }

    /// Units that serve.
    pub fn ready(&self) -> u64 {
        self.ready
    }

    /// Takes in units that serve from the next step on, without an order.
    pub fn join(&mut self, units: u64) {
        self.ready += units;
    }

    /// Units that the present step is paid for: total and draining.
    pub fn paid(&self) -> u64 {
        self.total() + self.draining.iter().map(|&(_, units)| units).sum::<u64>()
    }

    /// Ends step `now`: orders what is missing, or cancels the newest orders and then removes running units.
    pub fn order(&mut self, now: u64, wanted: u64) {
        let wanted = wanted.max(1);
        let total = self.total();
        if wanted > total {
            self.pending
                .push_back((now + 1 + self.rules.boot_steps as u64, wanted - total));
            self.pending_units += wanted - total;
        } else if wanted < total {
            self.remove(now, total - wanted);
        }
    }

    fn remove(&mut self, now: u64, mut cut: u64) {
        while cut > 0 {
            let Some((serves_from, units)) = self.pending.pop_back() else {
                break;
            };
            let cancelled = units.min(cut);
            if units > cancelled {
                self.pending.push_back((serves_from, units - cancelled));
            }
            self.pending_units -= cancelled;
            cut -= cancelled;
        }
        if cut > 0 {
            self.ready -= cut;
            if self.rules.drain_steps > 0 {
                self.draining
                    .push_back((now + self.rules.drain_steps as u64, cut));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_serves_after_its_boot_and_a_removed_unit_is_paid_while_it_drains() {
        let mut fleet = PlainFleet::new(
            FleetRules {
                boot_steps: 2,
                drain_steps: 1,
            },
            1,
        );
        fleet.enter(0);
        fleet.order(0, 3);
        assert_eq!(
            fleet.enter(1),
            FleetStep {
                ready: 1,
                total: 3,
                paid: 3
            }
        );
        fleet.order(1, 2);
        assert_eq!(
            fleet.enter(2),
            FleetStep {
                ready: 1,
                total: 2,
                paid: 2
            }
        );
        fleet.order(2, 2);
        assert_eq!(
            fleet.enter(3),
            FleetStep {
                ready: 2,
                total: 2,
                paid: 2
            }
        );
        fleet.order(3, 1);
        assert_eq!(
            fleet.enter(4),
            FleetStep {
                ready: 1,
                total: 1,
                paid: 2
            }
        );
        fleet.order(4, 0);
        assert_eq!(
            fleet.enter(5),
            FleetStep {
                ready: 1,
                total: 1,
                paid: 1
            }
        );
    }
}
