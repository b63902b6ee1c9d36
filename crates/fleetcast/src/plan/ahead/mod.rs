//! Plans beyond the next order: the medium horizon gives a schedule and the quotas to ask for, the long one the
//! commitments to buy and the capacity to reserve before announced events.

mod demand;
mod long;
mod medium;
mod medium_problem;
mod medium_words;

pub use long::{long, long_words};
pub use medium::medium;
pub use medium_words::medium_words;

use fleetcast_engine::Engine;
use fleetcast_model::{MicroUsdPerHour, Offer, Units};

/// The offer whose unit is the cheapest of those that a component may rent on demand.
fn cheapest(engine: &Engine, component: usize) -> Option<&Offer> {
    let config = engine.config();
    let component = &config.fleet.components[component];
    let allowed = config.offers.iter().filter(|offer| component.allows(offer));
    let priced = |offer: &Offer| (offer.price, offer.units_of(&component.unit));
    allowed.min_by(|a, b| MicroUsdPerHour::cmp_by_unit(priced(a), priced(b)))
}

/// Units between floor and ceiling.
fn within(engine: &Engine, component: usize, units: Units) -> Units {
    let component = &engine.config().fleet.components[component];
    units.clamp(component.floor, component.ceiling)
}
