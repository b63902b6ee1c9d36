//! How good a model is: forecasts from many origins of one series, each from what came before it.
//!
//! The protocol is the one that the peers' published figures were measured by, so that equal input
//! gives comparable figures: at each origin a model is fitted to the last steps before it, filled
//! values included; what was not observed is not scored. The yardstick is a seasonal naive forecast
//! with normal errors, as statistical packages have it.

mod conditional;
mod protocol;
mod rolling;
mod score;
mod yardstick;

pub use conditional::{ConditionalCoverage, Held};
pub use protocol::{Origins, Protocol, TooFewSteps};
pub use rolling::{Rolling, RollingError};
pub use score::{OriginScore, Scores, geometric_mean};
pub use yardstick::Yardstick;

/// The levels at which forecasts are judged and dumped. The middle one is the point forecast.
pub const LEVELS: [f64; 13] = [
    0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975,
];
