//! How far a price is to be believed once it is old, and what is said of it.

use fleetcast_model::{Listing, Offer, OfferId, PriceBasis, PurchaseKind};
use jiff::civil::Date;

use super::Catalogue;

/// Spot prices move with supply, Google's at most once in 30 days; three of those are too many to plan with.
pub const SPOT_PRICE_DAYS_MAX: i32 = 90;
/// List prices of a type in a region hardly ever rise; after a year somebody should look again.
pub const LIST_PRICE_DAYS_MAX: i32 = 365;

/// How many days a price is older than it should be to plan with; `None`: it is fresh enough.
pub fn stale_days(listing: &Listing, today: Date) -> Option<i32> {
    let most = match listing.offer.purchase {
        PurchaseKind::Spot if listing.basis != PriceBasis::Bound => SPOT_PRICE_DAYS_MAX,
        _ => LIST_PRICE_DAYS_MAX,
    };
    let age = days_between(listing.as_of, today);
    (age > most).then_some(age)
}

/// Days from one date to a later one; negative if it is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

impl Catalogue {
    /// An offer at the price that is believed on a day: a spot price that is too old gives way to the price
    /// of the same type on demand, which it does not pass, and without that the offer is not bought.
    pub(super) fn believed(
        &self,
        listing: Listing,
        today: Date,
        notes: &mut Notes,
    ) -> Option<Offer> {
        let id = listing.offer.id.clone();
        if let PriceBasis::Converted { currency } = &listing.basis {
            notes.converted.push((id.clone(), currency.clone()));
        }
        if listing.basis == PriceBasis::Bound {
            notes.bound.push(id.clone());
        }
        let Some(age) = stale_days(&listing, today) else {
            return Some(listing.offer);
        };
        if listing.offer.purchase != PurchaseKind::Spot || listing.basis == PriceBasis::Bound {
            notes.old.push((id, age));
            return Some(listing.offer);
        }
        let on_demand = self
            .listings()
            .filter(|other| {
                other.type_id == listing.type_id && other.offer.purchase == PurchaseKind::OnDemand
            })
            .map(|other| other.offer.price)
            .max();
        match on_demand {
            Some(price) => {
                notes.stale_spot.push((id, age));
                Some(Offer {
                    price: price.max(listing.offer.price),
                    ..listing.offer
                })
            }
            None => {
                notes.refused.push((id, age));
                None
            }
        }
    }
}

/// What is to be said of the prices that a fleet is planned with.
#[derive(Debug, Default)]
pub(super) struct Notes {
    bound: Vec<OfferId>,
    converted: Vec<(OfferId, String)>,
    stale_spot: Vec<(OfferId, i32)>,
    refused: Vec<(OfferId, i32)>,
    old: Vec<(OfferId, i32)>,
}

impl Notes {
    /// One sentence for each kind of doubt.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let bound: Vec<String> = self.bound.iter().map(ToString::to_string).collect();
        let aged = |all: &[(OfferId, i32)]| -> Vec<String> {
            all.iter()
                .map(|(id, days)| format!("{id} ({days} days)"))
                .collect()
        };
        let mut say = |names: Vec<String>, about: &str| {
            if !names.is_empty() {
                words.push(format!("{about}: {}", some_of(&names)));
            }
        };
        say(
            bound,
            "no price is known, so these are planned with at the price on demand, which they do not pass",
        );
        let converted = self.converted.iter();
        say(
            converted
                .map(|(id, currency)| format!("{id} ({currency})"))
                .collect(),
            "prices in another currency were converted at the catalogue's rates, rounded up",
        );
        say(
            aged(&self.stale_spot),
            "spot prices that are too old give way to the price on demand",
        );
        say(
            aged(&self.refused),
            "warning: spot prices that are too old, with nothing that bounds them, are not bought at",
        );
        say(
            aged(&self.old),
            "warning: prices older than a year; `fleetcast offers --refresh` takes in newer ones",
        );
        words
    }
}

/// The first few of many names.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
