//! How fast steering follows what it sees, by what is to be held.

/// How fast steering reacts. Times are in days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Half-life of the recent memory.
    pub(super) recent_days: f64,
    /// The budget that is left is spread over this share of the time since the warm-up …
    pub(super) horizon_share: f64,
    /// … and at least over this, if losses are rare, or if they are many.
    pub(super) horizon_days: [f64; 2],
    /// The goal stays above this many times the objective …
    pub(super) goal_low: f64,
    /// … and below this, if losses are rare, or if they are many.
    pub(super) goal_high: [f64; 2],
    /// The depth follows with this share of the history as time constant, if losses are rare …
    pub(super) filter_share: f64,
    /// … at least this, and with this if they are many.
    pub(super) filter_days: [f64; 2],
}

/// Unserved demand is heavy-tailed: slow, because a wandering price costs more than a missed objective.
pub(super) const PACE_UNSERVED: Pace = Pace {
    recent_days: 1.5,
    horizon_share: 0.2,
    horizon_days: [0.8, 0.4],
    goal_low: 0.3,
    goal_high: [2.5, 3.0],
    filter_share: 0.2,
    filter_days: [0.2, 0.1],
};

/// Steps count alike, whatever is lost in them: the share is known soon and cheap to correct.
pub(super) const PACE_VIOLATION: Pace = Pace {
    recent_days: 2.0,
    horizon_share: 0.05,
    horizon_days: [0.2, 0.1],
    goal_low: 0.1,
    goal_high: [2.5, 6.0],
    filter_share: 0.02,
    filter_days: [0.02, 0.01],
};
