//! How newer prices come into a catalogue.

use std::collections::BTreeMap;
use std::convert::Infallible;

use fleetcast_model::{
    Listing, MicroUsdPerHour, Offer, OfferId, PriceBasis, ProviderKind, PurchaseKind, Region, Zone,
};
use jiff::civil::Date;

use super::Catalogue;

/// What prices are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceQuestion {
    /// Of this provider; `None`: of all that the source knows.
    pub provider: Option<ProviderKind>,
    /// In this region; `None`: in all.
    pub region: Option<Region>,
}

/// A price that a source states.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceQuote {
    /// The type, such as `aws/us-east-1/m7i.xlarge`.
    pub type_id: OfferId,
    /// The zone that it holds in; `None`: the whole region.
    pub zone: Option<Zone>,
    /// How it is bought.
    pub purchase: PurchaseKind,
    /// For how many months it is committed.
    pub term_months: Option<u16>,
    /// The price.
    pub price: MicroUsdPerHour,
    /// When it was stated.
    pub as_of: Date,
    /// By whom, for people.
    pub source: String,
}

/// Where prices come from: a provider's price list, or a file. Implementations translate; they never
/// decide what is believed.
#[expect(
    async_fn_in_trait,
    reason = "implementations are named types, never trait objects, and run where they are awaited"
)]
pub trait PriceSource {
    /// Why nothing could be read.
    type Error;
    /// Asks for prices; all that are known, or an error, never a part of them.
    async fn quotes(&self, asked: &PriceQuestion) -> Result<Vec<PriceQuote>, Self::Error>;
}

/// What newer prices did to a catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refresh {
    /// Prices that are others now.
    pub changed: Vec<PriceChange>,
    /// Prices that were confirmed.
    pub confirmed: usize,
    /// Prices that were not taken over.
    pub refused: Vec<RefusedQuote>,
}

/// A price that is another one now.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceChange {
    /// The offer.
    pub id: OfferId,
    /// What it cost; `None`: it was not known.
    pub before: Option<MicroUsdPerHour>,
    /// What it costs.
    pub now: MicroUsdPerHour,
}

/// A price that was not taken over.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedQuote {
    /// The type that it is for.
    pub type_id: OfferId,
    /// Why not, in words.
    pub reason: String,
}

/// A price that changes by more than so many times is a mistake until a person has looked at it.
const CHANGE_MAX: u64 = 5;

impl Catalogue {
    /// Takes in prices that are newer than those that are there. What is of an unknown type, older, free, or
    /// changed beyond belief is refused, and what is not asked about stays.
    pub fn refresh(&mut self, quotes: &[PriceQuote]) -> Refresh {
        let mut done = Refresh::default();
        for quote in quotes {
            match self.take_in(quote) {
                Ok(Some(change)) => done.changed.push(change),
                Ok(None) => done.confirmed += 1,
                Err(reason) => done.refused.push(RefusedQuote {
                    type_id: quote.type_id.clone(),
                    reason,
                }),
            }
        }
        self.bind_unknown();
        done
    }

    fn take_in(&mut self, quote: &PriceQuote) -> Result<Option<PriceChange>, String> {
        if quote.price == MicroUsdPerHour::ZERO {
            return Err("a price of zero".into());
        }
        let Some(sibling) = self
            .listings()
            .find(|listing| listing.type_id == quote.type_id)
            .cloned()
        else {
            return Err("not in the catalogue: a price does not say how large it is".into());
        };
        let id = quote.id().map_err(|error| error.to_string())?;
        let known = self
            .listings
            .get(&id)
            .filter(|listing| listing.basis != PriceBasis::Bound);
        let before = known.map(|listing| listing.offer.price);
        if let Some(listing) = known
            && listing.as_of > quote.as_of
        {
            return Err(format!(
                "of {}, and that of {} is known",
                quote.as_of, listing.as_of
            ));
        }
        if let Some(before) = before {
            let (low, high) = (before.min(quote.price), before.max(quote.price));
            if high > low * CHANGE_MAX {
                return Err(format!(
                    "it would go from {} to {} dollars an hour, more than {CHANGE_MAX} times; if that is right, write it into the catalogue by hand",
                    before.as_f64() / 1e6,
                    quote.price.as_f64() / 1e6
                ));
            }
        }
        let listing = Listing {
            offer: Offer {
                id: id.clone(),
                zone: quote.zone.clone(),
                purchase: quote.purchase,
                term_months: quote.term_months,
                price: quote.price,
                ..sibling.offer.clone()
            },
            basis: PriceBasis::Stated,
            source: quote.source.clone(),
            as_of: quote.as_of,
            ..sibling
        };
        self.unpriced.retain(|one| one.id != id);
        self.listings.insert(id.clone(), listing);
        let changed = before != Some(quote.price);
        Ok(changed.then_some(PriceChange {
            id,
            before,
            now: quote.price,
        }))
    }

    /// What is not known is bounded by the dearest price on demand as it is now.
    fn bind_unknown(&mut self) {
        let mut bounds: BTreeMap<OfferId, Listing> = BTreeMap::new();
        for listing in self.listings() {
            let dearer = bounds
                .get(&listing.type_id)
                .is_none_or(|known| known.offer.price < listing.offer.price);
            if listing.offer.purchase == PurchaseKind::OnDemand && dearer {
                bounds.insert(listing.type_id.clone(), listing.clone());
            }
        }
        for listing in self.listings.values_mut() {
            if listing.basis == PriceBasis::Bound
                && let Some(bound) = bounds.get(&listing.type_id)
            {
                listing.offer.price = bound.offer.price;
                listing.source = format!("price unknown; on demand: {}", bound.source);
                listing.as_of = bound.as_of;
            }
        }
    }
}

impl PriceQuote {
    /// The id of the offer that it is a price of.
    fn id(&self) -> Result<OfferId, fleetcast_model::BadName> {
        OfferId::of_type(
            &self.type_id,
            self.zone.as_ref(),
            self.purchase,
            self.term_months,
        )
    }
}

/// A catalogue is a source for another one: a newer file refreshes an older.
impl PriceSource for Catalogue {
    type Error = Infallible;

    async fn quotes(&self, asked: &PriceQuestion) -> Result<Vec<PriceQuote>, Infallible> {
        let wanted = |listing: &&Listing| {
            let offer = &listing.offer;
            listing.basis != PriceBasis::Bound
                && asked.provider.is_none_or(|kind| kind == offer.provider)
                && asked
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == offer.region)
        };
        let quote = |listing: &Listing| PriceQuote {
            type_id: listing.type_id.clone(),
            zone: listing.offer.zone.clone(),
            purchase: listing.offer.purchase,
            term_months: listing.offer.term_months,
            price: listing.offer.price,
            as_of: listing.as_of,
            source: listing.source.clone(),
        };
        Ok(self.listings().filter(wanted).map(quote).collect())
    }
}
