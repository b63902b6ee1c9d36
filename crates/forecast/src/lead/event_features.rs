//! What known events add to the features: present only where there are events.

use super::features::{FEATURE_COUNT, FeatureVector, MEAN_5_MINUTES, MEAN_15_MINUTES, NEWEST};
use crate::event_book::EventChange;

/// Number of features of events, padded to a whole vector register.
pub const EVENT_FEATURES: usize = 8;
/// All features.
pub(super) const ALL_FEATURES: usize = FEATURE_COUNT + EVENT_FEATURES;

/// The features of events at one step, in units of demand. All zero: no event is near.
pub type EventVector = [f64; EVENT_FEATURES];

/// Events are near in few rows, so what is learned of them is pulled more strongly to what is thought before: as
/// strongly as by this many times the rows.
pub(super) const EVENT_STRICTNESS: f64 = 5.0;
/// A movement of demand while an event is near, beside its doubt.
const MOVEMENT: f64 = 5.0;

/// The features as they are once demand has changed as is expected until arrival: what spreads with the level of
/// demand spreads with the level of then.
pub(super) fn at_arrival(demand: &FeatureVector, change: EventChange) -> FeatureVector {
    let factor = libm::exp(change.log_change);
    demand.map(|x| x * factor)
}

/// What is to be corrected of the change that is expected until arrival; the room for what events do otherwise; and how
/// demand moves now, which says more while an event is near than on other days: it has begun, or it is over, a little
/// early or late.
pub(super) fn event_features(demand: &FeatureVector, change: EventChange) -> EventVector {
    let mut x = [0.0; EVENT_FEATURES];
    if change == EventChange::NONE {
        return x;
    }
    let now = demand[MEAN_5_MINUTES];
    x[0] = now * libm::expm1(change.log_change);
    x[1] = now * change.doubt;
    x[2] = MOVEMENT * change.doubt * (demand[NEWEST] - now);
    x[3] = MOVEMENT * change.doubt * (now - demand[MEAN_15_MINUTES]);
    x
}
