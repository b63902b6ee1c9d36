//! What can be rented: the built-in offers with their list prices, and a user's own.

mod age;
mod refresh;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_document::{Offers, Problems, parse_offers};
use fleetcast_model::{
    Fleet, Listing, MicroUsdPerHour, Offer, OfferId, Placement, UnitSize, Unpriced, Zone,
};

pub use age::{LIST_PRICE_DAYS_MAX, SPOT_PRICE_DAYS_MAX, stale_days};
pub use refresh::{PriceChange, PriceQuestion, PriceQuote, PriceSource, Refresh, RefusedQuote};

/// List prices of AWS, Google Cloud and Azure, each with its source and date.
const BUILT_IN: [&str; 3] = [
    include_str!("../../catalogue/aws.json"),
    include_str!("../../catalogue/azure.json"),
    include_str!("../../catalogue/gcp.json"),
];

/// Offers by id. Its JSON form is an `offer-catalogue/v1` document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    listings: BTreeMap<OfferId, Listing>,
    unpriced: Vec<Unpriced>,
}

/// What a fleet may rent, and what people should know of the prices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rentable {
    /// By id; where a placement names zones, one for each of them.
    pub offers: Vec<Offer>,
    /// What was assumed about their prices, in words.
    pub notes: Vec<String>,
}

impl Catalogue {
    /// The built-in offers: real list prices, none of them current for long.
    pub fn built_in() -> Self {
        let mut all = Self::default();
        for text in BUILT_IN {
            let part = Self::parse(text).expect("a test reads the built-in catalogue");
            all.listings.extend(part.listings);
            all.unpriced.extend(part.unpriced);
        }
        all
    }

    /// Reads a catalogue in its JSON form.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        parse_offers(text).map(Self::from)
    }

    /// Puts a user's own offers over these: where they state any for a provider's region, they are all
    /// that there is of it, so that nothing is rented at a list price that the user did not name.
    pub fn with_own(mut self, own: Self) -> Self {
        let stated: BTreeSet<_> = own
            .listings
            .values()
            .map(|listing| (listing.offer.provider, listing.offer.region.clone()))
            .collect();
        self.listings.retain(|_, listing| {
            !stated.contains(&(listing.offer.provider, listing.offer.region.clone()))
        });
        self.listings.extend(own.listings);
        self.unpriced.extend(own.unpriced);
        self
    }

    /// All offers with their sources, by id.
    pub fn listings(&self) -> impl Iterator<Item = &Listing> {
        self.listings.values()
    }

    /// What cannot be bought, because nobody knows a price.
    pub fn unpriced(&self) -> &[Unpriced] {
        &self.unpriced
    }

    /// All offers, by id.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.listings.values().map(|listing| &listing.offer)
    }

    /// The offer of an id.
    pub fn get(&self, id: &OfferId) -> Option<&Offer> {
        self.listings.get(id).map(|listing| &listing.offer)
    }

    /// What a fleet may rent, at prices as they are believed on a day. Where a placement names zones, an
    /// offer of the whole region stands there once for each of them that has it.
    pub fn rentable_by(&self, fleet: &Fleet, today: jiff::civil::Date) -> Rentable {
        let mut found: BTreeMap<OfferId, Listing> = BTreeMap::new();
        for component in &fleet.components {
            for place in &component.placements {
                let allowed = |listing: &&Listing| {
                    component.fits(&listing.offer) && place.allows_anywhere(&listing.offer)
                };
                for listing in self.listings.values().filter(allowed) {
                    for listing in self.placed(listing, place) {
                        found.insert(listing.offer.id.clone(), listing);
                    }
                }
            }
        }
        let mut notes = age::Notes::default();
        let listings = found.into_values();
        let offers = listings
            .filter_map(|listing| self.believed(listing, today, &mut notes))
            .collect();
        Rentable {
            offers,
            notes: notes.words(),
        }
    }

    /// A listing as a placement may rent it: as it stands, or in each of the placement's zones.
    fn placed(&self, listing: &Listing, place: &Placement) -> Vec<Listing> {
        if place.allows(&listing.offer) {
            return vec![listing.clone()];
        }
        if listing.offer.zone.is_some() {
            return Vec::new();
        }
        let zones = place.zones.iter();
        let has_it = |zone: &&Zone| listing.zones.is_empty() || listing.zones.contains(zone);
        let in_zone = |zone: &Zone| {
            let (purchase, term) = (listing.offer.purchase, listing.offer.term_months);
            let id = OfferId::of_type(&listing.type_id, Some(zone), purchase, term).ok()?;
            // A price of its own in that zone stands there by itself.
            (!self.listings.contains_key(&id)).then(|| Listing {
                offer: Offer {
                    id,
                    zone: Some(zone.clone()),
                    ..listing.offer.clone()
                },
                ..listing.clone()
            })
        };
        zones.filter(has_it).filter_map(in_zone).collect()
    }

    /// The offers that a placement allows, by id.
    pub fn allowed_in<'a>(&'a self, placement: &'a Placement) -> impl Iterator<Item = &'a Offer> {
        self.offers().filter(move |offer| placement.allows(offer))
    }

    /// The allowed offer whose price for each unit is least, with how many units one instance
    /// provides; of equals the one with the fewest units, which wastes least, then by id. `None` if
    /// no allowed offer provides a whole unit.
    pub fn cheapest_for(&self, unit: &UnitSize, placement: &Placement) -> Option<(&Offer, u64)> {
        let allowed = self.offers().filter(|offer| placement.allows(offer));
        let sized = allowed
            .map(|offer| (offer, offer.units_of(unit)))
            .filter(|(_, units)| *units > 0);
        sized.min_by(|(a, units_a), (b, units_b)| {
            MicroUsdPerHour::cmp_by_unit((a.price, *units_a), (b.price, *units_b))
                .then(units_a.cmp(units_b))
                .then_with(|| a.id.cmp(&b.id))
        })
    }
}

impl From<Offers> for Catalogue {
    fn from(offers: Offers) -> Self {
        let listings = offers.listings.into_iter();
        Self {
            listings: listings
                .map(|listing| (listing.offer.id.clone(), listing))
                .collect(),
            unpriced: offers.unpriced,
        }
    }
}

impl From<Catalogue> for Offers {
    fn from(catalogue: Catalogue) -> Self {
        Self {
            notes: Vec::new(),
            listings: catalogue.listings.into_values().collect(),
            unpriced: catalogue.unpriced,
        }
    }
}
