//! `offer-catalogue/v1`: what can be rented, and at what price.

use std::borrow::Cow;

use fleetcast_model::{Architecture, OfferId, PurchaseKind, Zone};
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ArchitectureText, CurrencyCodeText, DateText, NameText, PurchaseText, WordsText};

/// What can be rented, and at what price: machines of a cloud, pods of a cluster, containers or
/// machines of your own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an offer catalogue"))]
pub struct OfferCatalogue {
    /// What people should know of the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What other currencies are worth; needed for each in which a price is stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange_rates: Vec<ExchangeRate>,
    /// The offers, in any order.
    #[schemars(length(min = 1, max = 20_000))]
    pub offers: Vec<OfferEntry>,
}

/// What a currency is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an exchange rate"))]
pub struct ExchangeRate {
    /// The ISO 4217 code of the currency.
    #[schemars(with = "CurrencyCodeText")]
    pub currency: String,
    /// US dollars for one unit of it.
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "an exchange rate"))]
    pub usd: f64,
    /// Where it was read.
    #[schemars(with = "WordsText")]
    pub source: String,
    /// When it was read.
    #[schemars(with = "DateText")]
    pub as_of: Date,
}

/// A type that can be rented in a region, with its prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an offer"))]
pub struct OfferEntry {
    /// Provider, region and type, such as `aws/us-east-1/m7i.xlarge`; the provider is `aws`, `azure`,
    /// `gcp`, `kubernetes` (pods of a cluster), `own` (your machines, containers on them) or `simulated`.
    #[schemars(with = "NameText")]
    pub id: OfferId,
    /// CPU in cores; decimals are allowed.
    #[schemars(range(max = 100_000), extend("exclusiveMinimum" = 0, "x-noun" = "the CPU of an offer", "x-unit" = "cores"))]
    pub vcpu: f64,
    /// Memory in GiB (2³⁰ bytes); this or `memory_gb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "the memory of an offer", "x-unit" = "GiB"))]
    pub memory_gib: Option<f64>,
    /// Memory in GB (10⁹ bytes); this or `memory_gib`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "the memory of an offer", "x-unit" = "GB"))]
    pub memory_gb: Option<f64>,
    /// What it runs: `x86_64` or `arm64`; without it, anything is believed to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ArchitectureText")]
    pub architecture: Option<Architecture>,
    /// Storage in GB (10⁹ bytes); without it, disks are attached in the size that is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "the storage of an offer", "x-unit" = "GB"))]
    pub disk_gb: Option<f64>,
    /// Disk operations in a second; without it they do not limit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "a number of disk operations", "x-unit" = "operations a second"))]
    pub disk_io_ops: Option<f64>,
    /// Bandwidth in Mbps that it can hold; without it, it does not limit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000), extend("exclusiveMinimum" = 0, "x-noun" = "bandwidth", "x-unit" = "Mbps"))]
    pub network_mbps: Option<f64>,
    /// Zones of the region that have it; without them, all are believed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<NameText>")]
    pub zones: Vec<Zone>,
    /// It is billed for so many seconds at least.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31_622_400), extend("x-noun" = "a minimum", "x-unit" = "seconds"))]
    pub billing_minimum_seconds: u32,
    /// It is billed in whole multiples of so many seconds.
    #[serde(default = "default_granularity")]
    #[schemars(range(min = 1, max = 31_622_400), extend("x-noun" = "a granularity", "x-unit" = "seconds"))]
    pub billing_granularity_seconds: u32,
    /// How the price that stands here is bought; further ones stand in `prices`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PurchaseText")]
    pub purchase: Option<PurchaseKind>,
    /// Its price for an hour, or "unknown".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_hour: Option<PriceText>,
    /// The ISO 4217 code of the price's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CurrencyCodeText")]
    pub currency: Option<String>,
    /// Where the price was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "WordsText")]
    pub source: Option<String>,
    /// When it was read, such as 2026-10-09.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DateText")]
    pub as_of: Option<Date>,
    /// Prices by way of buying, and by zone where they differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000))]
    pub prices: Vec<PriceEntry>,
}

fn default_granularity() -> u32 {
    1
}

/// One way of buying an offer, with its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a price"))]
pub struct PriceEntry {
    /// How it is bought: `on_demand`, `spot`, `reserved` or `standby`.
    #[schemars(with = "PurchaseText")]
    pub purchase: PurchaseKind,
    /// The zone that the price is for; without it, the whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NameText")]
    pub zone: Option<Zone>,
    /// For how many months it is committed; for `reserved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 120), extend("x-noun" = "a term", "x-unit" = "months"))]
    pub term_months: Option<u16>,
    /// The price for an hour, or "unknown": then the price on demand stands in, which it does not pass.
    /// A committed price is all that is paid over the term, divided by its hours.
    pub price_per_hour: PriceText,
    /// The ISO 4217 code of the price's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CurrencyCodeText")]
    pub currency: Option<String>,
    /// Where the price was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "WordsText")]
    pub source: Option<String>,
    /// When it was read, such as 2026-10-09.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DateText")]
    pub as_of: Option<Date>,
}

/// A price for an hour, or that nobody knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PriceText {
    /// In the currency that stands beside it.
    Known(f64),
    /// Written "unknown".
    Unknown,
}

const UNKNOWN: &str = "unknown";

impl Serialize for PriceText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(price) => to.serialize_f64(*price),
            Self::Unknown => to.serialize_str(UNKNOWN),
        }
    }
}

impl<'de> Deserialize<'de> for PriceText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Text(String),
        }
        match Either::deserialize(from)? {
            Either::Number(price) => Ok(Self::Known(price)),
            Either::Text(text) if text == UNKNOWN => Ok(Self::Unknown),
            Either::Text(text) => Err(de::Error::custom(format!(
                "`{text}` is neither a number nor `unknown`"
            ))),
        }
    }
}

impl JsonSchema for PriceText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "PricePerHour".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"], "exclusiveMinimum": 0, "maximum": 1_000_000, "pattern": "^unknown$",
            "examples": [0.2016, "unknown"], "x-noun": "a price for an hour",
            "x-type": "a number, or \"unknown\"",
            "x-hint": "write a number of dollars, or \"unknown\"; of what is your own, what an hour of it costs you"
        })
    }
}
