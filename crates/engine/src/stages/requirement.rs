//! Third stage: from demand to units.

use crate::stages::forecast::Arrival;

/// Units that demand needs, not yet held against floor, ceiling or what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Required {
    /// For the demand of the step that has just ended.
    pub now: u64,
    /// For the median at arrival, as it would be without the events that begin until then.
    pub median_without_events: u64,
    /// For the median at arrival.
    pub median: u64,
    /// For the level that is bought.
    pub bought: u64,
    /// A person said what demand to expect.
    pub stated: bool,
}

impl Required {
    /// No unit at all.
    pub const NOTHING: Self = Self {
        now: 0,
        median_without_events: 0,
        median: 0,
        bought: 0,
        stated: false,
    };
}

/// Turns demand into units.
pub fn require(measure: f64, arrival: &Arrival, per_unit: f64) -> Required {
    let whole = |demand: f64| round_up(demand / per_unit);
    Required {
        now: whole(measure),
        median_without_events: whole(arrival.p50 / arrival.uplift),
        median: whole(arrival.p50),
        bought: arrival.band.needed,
        stated: arrival.stated,
    }
}

/// Rounds up to whole units; nonsense counts as nothing and the floor holds.
pub fn round_up(units: f64) -> u64 {
    if units.is_finite() && units > 0.0 {
        units.ceil().min(1e12) as u64
    } else {
        0
    }
}
