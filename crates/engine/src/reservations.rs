//! The reservation ledger: what this month has cost, and what all that runs or is on order may still cost at worst.
//! The hard cap is held against it before anything is ordered.

use fleetcast_model::{MicroUsd, MicroUsdPerHour};
use jiff::Timestamp;

use crate::changes::PRICED;

/// The reservation ledger of a fleet. It counts from the engine's first look on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reservations {
    /// Spent since the month began.
    spent: MicroUsd,
    /// What everything that is running or ordered costs now.
    rate: MicroUsdPerHour,
    /// What everything that is listed costs at the worst price.
    listed: MicroUsdPerHour,
    /// What is on order and no listing has shown.
    in_flight: MicroUsd,
    /// Micro-dollars × seconds ÷ hours that do not make a micro-dollar yet.
    remainder: u128,
    month: i16,
    started: bool,
}

/// What is committed, by what it is committed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Spent since the month began.
    pub spent: MicroUsd,
    /// What is listed, for two more hours at the worst price.
    pub running: MicroUsd,
    /// What is on order and no listing has shown, for two hours or its minimum bill, at the worst price.
    pub in_flight: MicroUsd,
}

impl Committed {
    /// All of it.
    pub fn total(&self) -> MicroUsd {
        self.spent + self.running + self.in_flight
    }
}

impl Reservations {
    /// Lets time pass until `now`, at the price of what ran; then the newest listing holds: its price, its price at
    /// worst, and what it does not show yet.
    pub(crate) fn account(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        listed: MicroUsdPerHour,
        at_worst: MicroUsdPerHour,
        in_flight: MicroUsd,
    ) {
        let month = now.to_zoned(jiff::tz::TimeZone::UTC).month().into();
        if !self.started {
            // What ran before the first step is charged from the first listing.
            (self.rate, self.started) = (listed, true);
        }
        if month != self.month {
            self.month = month;
            self.spent = MicroUsd::ZERO;
        }
        let seconds = now.duration_since(before).as_secs().max(0).unsigned_abs();
        self.remainder += u128::from(self.rate.get()) * u128::from(seconds);
        self.spent += MicroUsd::new(u64::try_from(self.remainder / 3_600).unwrap_or(u64::MAX));
        self.remainder %= 3_600;
        (self.rate, self.listed, self.in_flight) = (listed, at_worst, in_flight);
    }

    /// Something was ordered: it is paid for from now on, and so much of it is reserved.
    pub(crate) fn order(&mut self, price: MicroUsdPerHour, reserved: MicroUsd) {
        self.rate += price;
        self.in_flight += reserved;
    }

    /// What is committed now.
    pub(crate) fn committed(&self) -> Committed {
        Committed {
            spent: self.spent,
            running: self.listed.for_seconds(PRICED.as_secs().unsigned_abs()),
            in_flight: self.in_flight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_spent_or_runs_or_is_on_order() {
        let at =
            |hours: i64| Timestamp::from_second(1_772_409_600 + hours * 3_600).expect("a moment");
        let price = MicroUsdPerHour::new;
        let mut ledger = Reservations::default();
        ledger.account(at(0), at(1), price(100), price(120), MicroUsd::ZERO);
        ledger.order(price(50), MicroUsd::new(100));
        assert_eq!(ledger.committed().total(), MicroUsd::new(100 + 240 + 100));
        ledger.account(at(1), at(2), price(150), price(200), MicroUsd::new(7));
        let committed = ledger.committed();
        assert_eq!(
            committed,
            Committed {
                spent: MicroUsd::new(100 + 150),
                running: MicroUsd::new(400),
                in_flight: MicroUsd::new(7),
            }
        );
        assert_eq!(committed.total(), MicroUsd::new(657));
    }
}
