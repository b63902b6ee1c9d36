//! Recurrent networks (GRU and LSTM) that forecast the quantiles of demand, trained on the fleet's own
//! series.
//!
//! One network serves all series: it sees each of them in units of its own seasonal profile, so what it
//! learns is how deviations from the usual go on, and that is much the same for large and small.
//! [`RecurrentSpec::train`] trains on many histories, [`TrainedNetwork::fit`] puts the network to work on
//! one; `RecurrentSpec` fits itself to a single history in one go, as any model does.
//!
//! | part | what it does |
//! |---|---|
//! | `series` | logarithm, seasonal profile, and residuals of a history; grows step by step |
//! | `window` | what the network reads and must hit, as of one moment |
//! | `network` | the cells and the quantile head, on burn's tensors |
//! | `train` | pinball loss, Adam, a counted number of steps |
//! | `judge` | what was held out decides when to stop, how far to trust, and how wide to be |
//! | `fitted` | quantiles, sample paths, parts and updates |
//!
//! The encoder reads the last steps in segments (SegRNN: Lin, Lin, Wu, Zhao, Zou and Huang 2023), the
//! decoder answers every lead at once from what is known of it beforehand (MQ-RNN: Wen, Torkkola,
//! Narayanaswamy and Madeka 2017), and both work on what the seasonal profile leaves over (ES-RNN: Smyl
//! 2020). The cells are those of Cho et al. 2014 and of Hochreiter and Schmidhuber 1997 with the forget
//! gate of Gers, Schmidhuber and Cummins 2000.
//!
//! Training runs on the processor unless the crate is built with the feature `cuda` or `wgpu` *and* the
//! specification asks for that device ([`Compute`]). Work is limited by counting steps. Equal
//! histories, specification and seed give equal weights, bit for bit, on the same kind of machine;
//! processors that multiply matrices with other instructions may differ in the last bits.
//!
//! Known quirks. Regressors are not read. The clocks of the series are aligned by their
//! [`fleetcast_forecast::Dates`] if there are any, and else taken to start together; a change to or from summer
//! time is not followed until the profile has learned it. Leads beyond [`RecurrentSpec::chunk`] are answered as
//! that lead is, so their spread no longer grows. Of more than [`HISTORY_MAX`] steps only the last count.

mod compute;
mod fitted;
mod judge;
mod network;
mod optimizer;
mod quantiles;
mod series;
mod spec;
#[cfg(test)]
mod testing;
mod train;
mod trained;
mod window;

pub use compute::Compute;
pub use fitted::FittedNetwork;
pub use series::HISTORY_MAX;
pub use spec::{Cell, RecurrentSpec};
pub use trained::TrainedNetwork;
