//! What an offer may come to cost at worst: the hard cap is held against it.

use fleetcast_model::{MicroUsdPerHour, Offer, PurchaseKind};

/// A spot price without an on-demand price beside it may rise to so many times what it is.
const SPOT_TIMES: u64 = 4;

/// The worst price of each offer, with what was assumed in words; empty if all prices are sure. Prices that are stale or
/// missing are pessimistic already where the catalogue gave them.
pub fn prices_at_worst(offers: &[Offer]) -> (Vec<MicroUsdPerHour>, Vec<String>) {
    if !offers.iter().any(is_spot) {
        return (Vec::new(), Vec::new());
    }
    let worst = |offer: &Offer| {
        if is_spot(offer) {
            let bound = on_demand(offers, offer).unwrap_or(offer.price * SPOT_TIMES);
            bound.max(offer.price)
        } else {
            offer.price
        }
    };
    let note = "spot prices may rise: the hard cap counts them at the on-demand price";
    (offers.iter().map(worst).collect(), vec![note.into()])
}

fn is_spot(offer: &Offer) -> bool {
    offer.purchase == PurchaseKind::Spot
}

/// The on-demand price of what is bought on the spot market.
fn on_demand(offers: &[Offer], spot: &Offer) -> Option<MicroUsdPerHour> {
    let same = |offer: &&Offer| {
        offer.purchase == PurchaseKind::OnDemand
            && offer.provider == spot.provider
            && offer.region == spot.region
            && offer.instance_type == spot.instance_type
    };
    offers.iter().find(same).map(|offer| offer.price)
}
