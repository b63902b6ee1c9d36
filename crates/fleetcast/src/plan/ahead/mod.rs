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
use fleetcast_model::{Offer, Units};

/// The offer whose unit is the cheapest of those that a component may rent on demand.
fn cheapest(engine: &Engine, component: usize) -> Option<&Offer> {
    let config = engine.config();
    let component = &config.fleet.components[component];
    let allowed = config.offers.iter().filter(|offer| component.allows(offer));
    // Crosswise, so that no rounding comes between.
    allowed.min_by(|a, b| {
        let (units_a, units_b) = (a.units_of(&component.unit), b.units_of(&component.unit));
        let price_a = u128::from(a.price.get()) * u128::from(units_b);
        let price_b = u128::from(b.price.get()) * u128::from(units_a);
        price_a.cmp(&price_b)
    })
}

/// Units between floor and ceiling.
fn within(engine: &Engine, component: usize, units: Units) -> Units {
    let component = &engine.config().fleet.components[component];
    units.clamp(component.floor, component.ceiling)
}
