//! What a catalogue says of an offer: its price, where that was read, when, and how far it is to be believed.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{MicroUsdPerHour, Offer, OfferId, Zone};

/// An offer with where its figures come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// The offer, at the price to plan with.
    pub offer: Offer,
    /// The type without zone and way of buying, such as `aws/us-east-1/m7i.xlarge`.
    pub type_id: OfferId,
    /// Zones of the region that have it; empty: not stated.
    pub zones: Vec<Zone>,
    /// What the price to plan with rests on.
    pub basis: PriceBasis,
    /// Where the price was read, for people.
    pub source: String,
    /// When it was read.
    pub as_of: Date,
}

/// What the price of an offer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// It is stated in US dollars.
    Stated,
    /// It is stated in another currency, and was converted, rounded up.
    Converted {
        /// The ISO 4217 code of that currency.
        currency: String,
    },
    /// It is not known: the price of the same type on demand stands in, which it does not pass.
    Bound,
    /// It was read so long ago that the price of the same type on demand stands in.
    StaleBound {
        /// What was read then.
        read: MicroUsdPerHour,
    },
}

/// A way of buying whose price nobody knows and nothing bounds, so that it cannot be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpriced {
    /// The offer.
    pub id: OfferId,
    /// What is known of it, for people.
    pub source: String,
}
