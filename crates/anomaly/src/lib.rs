//! Anomalies in a stream of samples: one pass, causal, with a false-alarm budget.
//!
//! A [`Detector`] takes one sample after the other and gives a [`Verdict`] on each, which depends on
//! nothing that comes later. It needs no season and no fit beforehand, memory that does not grow with
//! the stream, and some ten microseconds a sample.
//!
//! Two questions are asked of a detector, and they want different scores:
//! - *Is this abnormal now?* The **state** stays high as long as the series is away from where it
//!   belongs. Guards and training ask this.
//! - *Has something begun?* The **onset** is high once, when a sample is rarer than the false-alarm
//!   budget allows, and then rests ([`Settings::quiet_rows`]). People who are called ask this.
//!
//! [`Verdict::score`] answers both in one number: from 0.5 on it is an onset, below 0.5 it is the
//! state. Where samples follow an alarm they keep their high state, so that sorting by score puts
//! alarms first, then what belongs to them, then the rest.
//!
//! # How the default detector decides
//!
//! 1. **Where does the sample belong?** Three baselines ([`baselines`]): the median of the last week;
//!    the median of the last day with a profile of the day; the same with what the day of the week
//!    adds. All learn robustly, so an anomaly hardly moves them. Residuals are divided by their
//!    median size over the last week, and weighted by how well each baseline has fitted: that is the
//!    state. A series without seasons is left to the first baseline by these weights.
//! 2. **Has the like been seen?** The last 2, 10 and 50 samples are compared with all such stretches
//!    among the last 600 ([`novelty`]); the distance to the nearest one is large for shapes that are
//!    new, even where no single value is (after the conformal detector of Burnaev and Ishimtsev
//!    2016, with a plain Euclidean distance).
//! 3. **How rare is that?** Each of these six numbers has its own [`Tail`]: the share of all earlier
//!    samples that were as extreme, continued by a generalised Pareto distribution (SPOT: Siffer et
//!    al., KDD 2017; with moving baselines taken off first this is their DSPOT).
//! 4. **Fusion.** The rarest of the six counts. Their sum or mean is worse: an anomaly mostly shows in
//!    one of them, and the others only add noise.
//! 5. **Budget.** A sample is an onset if it is rarer than the budget ([`Settings::threshold`]) and the last alarm
//!    is over, or it is ten times rarer than that alarm was.
//!
//! Dead sensors, outages, missing samples and shifts of level are told apart by [`Kind`], and what an
//! autoscaler does about each is in [`Response`].
//!
//! Other detectors by name are in [`DetectorKind`]: the residuals of any model of
//! `fleetcast-forecast`, through the same tails and the same budget.

pub mod baselines;
mod catalog;
mod default_detector;
mod detector;
mod follow;
mod gate;
mod gpd;
mod judge;
pub mod novelty;
mod outages;
mod residual;
mod runs;
mod settings;
mod shift;
mod sorted_window;
mod tail;
#[cfg(test)]
mod testing;
mod verdict;

pub use catalog::{DetectorKind, UnknownDetector};
pub use detector::Detector;
pub use follow::{Chunk, Follow, NextStep, Stepwise};
pub use outages::{OutageRule, outages};
pub use residual::{Refits, ResidualDetector};
pub use settings::Settings;
pub use tail::Tail;
pub use verdict::{Kind, Response, Verdict};
