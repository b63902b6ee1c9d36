//! Prices that move while the engine runs.

use fleetcast_model::{MicroUsdPerHour, OfferPrice, PricesObserved};

use crate::config::Part;
use crate::engine::Engine;

impl Engine {
    /// Believes what offers cost now: the next plan, the gate and the ledger go by it.
    ///
    /// A price that is older than the newest one told, or from the future, is not believed, and neither is none at all:
    /// nothing is free.
    pub(crate) fn take_prices(&mut self, told: &PricesObserved) {
        let late = self.prices_as_of.is_some_and(|newest| told.as_of < newest);
        if late || told.as_of > self.now || self.config.without.contains(&Part::Prices) {
            return;
        }
        self.prices_as_of = Some(told.as_of);
        for quoted in &told.prices {
            self.reprice(*quoted);
        }
    }

    fn reprice(&mut self, OfferPrice { offer, price }: OfferPrice) {
        let known = self.config.offers.get_mut(usize::from(offer.0));
        let Some(known) = known.filter(|_| price > MicroUsdPerHour::ZERO) else {
            return;
        };
        known.price = price;
        for state in &mut self.components {
            for choice in state.offers.iter_mut().filter(|own| own.offer == offer) {
                choice.price = price;
            }
            for node in state
                .node_offers
                .iter_mut()
                .filter(|own| own.offer == offer)
            {
                node.price = price;
            }
        }
    }
}
