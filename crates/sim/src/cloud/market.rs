//! The market of the simulated cloud: spot pools that are taken back, and prices that move.

use fleetcast_model::{InstanceState, OfferIndex, OfferPrice, PurchaseKind, Refused};
use jiff::Timestamp;

use super::SimCloud;
use crate::random::Random;
use crate::spot_market::SpotMarket;

impl SimCloud {
    /// Spot offers are to be had, and taken back, as this market says; its pools are the offers by place.
    pub fn with_market(mut self, market: SpotMarket, reclaims: Random) -> Self {
        (self.market, self.reclaims) = (market, reclaims);
        self
    }

    /// Prices that have changed since this was last asked.
    pub fn take_prices(&mut self) -> Vec<OfferPrice> {
        std::mem::take(&mut self.repriced)
    }

    /// Orders that were refused since this was last asked.
    pub fn take_refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }

    /// Takes back what the market has lost since it was last looked at, and lets prices move.
    pub(super) fn follow_market(&mut self, now: Timestamp) {
        let before = self.market_until.replace(now);
        self.take_back(before.unwrap_or(now), now);
        self.reprice(before.unwrap_or(Timestamp::MIN), now);
    }

    /// Takes back the spot pools that the market has lost until now: what serves gets its notice, the rest ends.
    fn take_back(&mut self, after: Timestamp, now: Timestamp) {
        for group in &mut self.instances {
            let place = usize::from(group.cohort.offer.0);
            if self.offers[place].purchase != PurchaseKind::Spot || group.cohort.state.is_going() {
                continue;
            }
            let Some(outage) = self.market.begun(place, after, now) else {
                continue;
            };
            group.gone = if group.cohort.state == InstanceState::InService {
                SpotMarket::taken(&mut self.reclaims, outage)
            } else {
                outage.from
            };
            (group.cohort.state, group.cohort.since) = (InstanceState::Interrupted, outage.from);
        }
    }

    /// What has moved since the market was last looked at costs its new price from now on.
    fn reprice(&mut self, after: Timestamp, now: Timestamp) {
        for (place, price) in self.market.prices().changed(after, now) {
            self.offers[place].price = price;
            self.repriced.push(OfferPrice {
                offer: OfferIndex(place as u16),
                price,
            });
        }
    }
}
