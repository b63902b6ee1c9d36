//! The simulated cloud, the example shop, and the simulation and replay worlds.
//!
//! Virtual time only: the same seed gives the same bytes.

mod boot;
mod catalogue;
mod cloud;
mod daily;
pub mod example;
mod fits;
mod plain;
mod random;
mod recording;
mod spot_market;
mod spot_prices;
mod stated;
mod tally;
mod usage;
mod world;

pub use boot::BootTime;
pub use catalogue::{
    Catalogue, LIST_PRICE_DAYS_MAX, PriceChange, PriceQuestion, PriceQuote, PriceSource, Refresh,
    RefusedQuote, Rentable, SPOT_PRICE_DAYS_MAX, stale_days,
};
pub use cloud::{Bill, Lifecycle, Serving, SimCloud, StandbyLife};
pub use daily::{Daily, Day};
pub use fits::SharedFits;
pub use plain::{PlainError, PlainSetting, PlainStandby};
pub use random::Random;
pub use recording::{FORMAT, Recorder, Replay, ReplayError};
pub use spot_market::{MarketSettings, Outage, PoolPlace, SpotMarket};
pub use spot_prices::{PriceCourse, PriceSettings, SpotPrices};
pub use stated::whole_instances;
pub use tally::Tally;
pub use usage::{RecordedUse, Usage};
pub use world::{
    ComponentInterval, Interval, Sim, Simulation, Sink, Telling, run_to_end, simulate,
    simulate_sharing_fits,
};
