//! What can be rented: the built-in offers with their list prices, and a user's own.

use std::collections::BTreeMap;

use fleetcast_model::{
    Billing, Bytes, KilobitsPerSecond, MicroUsdPerHour, MilliCores, Offer, OfferId, Placement,
    ProviderKind, PurchaseKind, Region, UnitSize,
};
use jiff::civil::Date;
use serde::Deserialize;

/// On-demand list prices of AWS, Google Cloud and Azure, each with its source and date.
const BUILT_IN: &str = include_str!("../data/offers.json");

const GIB: f64 = 1_073_741_824.0;
const GB: f64 = 1e9;

/// Why a catalogue cannot be used: its author must change it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not JSON of the form that a catalogue has.
    #[error("the catalogue cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// It is of another version.
    #[error("the catalogue's schema is `{0}`: use `offer-catalogue/v1`")]
    OtherSchema(String),
    /// It holds nothing.
    #[error("the catalogue has no offers")]
    Empty,
    /// One of its offers is not usable.
    #[error("offer {number} (`{id}`): {reason}")]
    BadOffer {
        /// Its place in the list, from 1.
        number: usize,
        /// Its id as it stands there.
        id: String,
        /// What is wrong.
        reason: String,
    },
}

/// An offer with where its figures come from.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueEntry {
    /// The offer.
    pub offer: Offer,
    /// Where its price was read, for people.
    pub source: String,
    /// When it was read.
    pub as_of: Date,
}

/// Offers by id.
///
/// Its JSON form is `{"schema": "offer-catalogue/v1", "offers": [...]}` with, for each offer: `id`
/// (`provider/region/type`, as in `aws/us-east-1/m7i.xlarge`), `vcpu`, `memory_gib` (2³⁰ bytes) or
/// `memory_gb` (10⁹ bytes), `price_per_hour` with `currency` `USD`, `source` and `as_of`; and if
/// known `network_mbps`, `purchase` (default `on_demand`), `billing_minimum_seconds` (default 0) and
/// `billing_granularity_seconds` (default 1). Unknown fields are errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    entries: BTreeMap<OfferId, CatalogueEntry>,
}

impl Catalogue {
    /// The built-in offers: real list prices, none of them current for long.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the built-in catalogue")
    }

    /// Reads a catalogue in its JSON form.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let document: Document = serde_json::from_str(text).map_err(CatalogueError::Malformed)?;
        if document.schema != "offer-catalogue/v1" {
            return Err(CatalogueError::OtherSchema(document.schema));
        }
        if document.offers.is_empty() {
            return Err(CatalogueError::Empty);
        }
        let mut entries = BTreeMap::new();
        for (index, raw) in document.offers.into_iter().enumerate() {
            let bad = |reason: String| CatalogueError::BadOffer {
                number: index + 1,
                id: raw.id.clone(),
                reason,
            };
            let entry = read(&raw).map_err(bad)?;
            if entries.contains_key(&entry.offer.id) {
                return Err(bad("is there twice".to_string()));
            }
            entries.insert(entry.offer.id.clone(), entry);
        }
        Ok(Self { entries })
    }

    /// All offers with their sources, by id.
    pub fn entries(&self) -> impl Iterator<Item = &CatalogueEntry> {
        self.entries.values()
    }

    /// All offers, by id.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.entries.values().map(|entry| &entry.offer)
    }

    /// The offer of an id.
    pub fn get(&self, id: &OfferId) -> Option<&Offer> {
        self.entries.get(id).map(|entry| &entry.offer)
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
            // Integers, multiplied crosswise: quotients could tie or order wrongly by rounding.
            let price_a = u128::from(a.price.get()) * u128::from(*units_b);
            let price_b = u128::from(b.price.get()) * u128::from(*units_a);
            price_a
                .cmp(&price_b)
                .then(units_a.cmp(units_b))
                .then_with(|| a.id.cmp(&b.id))
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    #[serde(default, rename = "notes")]
    _notes: Vec<String>,
    offers: Vec<RawOffer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffer {
    id: String,
    vcpu: f64,
    memory_gib: Option<f64>,
    memory_gb: Option<f64>,
    network_mbps: Option<f64>,
    price_per_hour: f64,
    currency: String,
    purchase: Option<PurchaseKind>,
    #[serde(default)]
    billing_minimum_seconds: u32,
    billing_granularity_seconds: Option<u32>,
    source: String,
    as_of: String,
}

fn read(raw: &RawOffer) -> Result<CatalogueEntry, String> {
    let id = OfferId::new(&raw.id).map_err(|error| error.to_string())?;
    let parts: Vec<&str> = raw.id.split('/').collect();
    let [provider, region, instance_type] = parts[..] else {
        return Err(
            "the id is not `provider/region/type`, as in `aws/us-east-1/m7i.xlarge`".to_string(),
        );
    };
    let provider = provider_named(provider)?;
    let region = Region::new(region).map_err(|_| "the id has no region".to_string())?;
    if instance_type.is_empty() {
        return Err("the id has no type".to_string());
    }
    if raw.currency != "USD" {
        return Err(format!(
            "the price is in `{}`: convert it to USD",
            raw.currency
        ));
    }
    let memory = match (raw.memory_gib, raw.memory_gb) {
        (Some(gib), None) => gib * GIB,
        (None, Some(gb)) => gb * GB,
        _ => return Err("one of `memory_gib` and `memory_gb` is needed".to_string()),
    };
    let granularity = raw.billing_granularity_seconds.unwrap_or(1);
    if granularity == 0 {
        return Err("`billing_granularity_seconds` is zero".to_string());
    }
    if raw.source.trim().is_empty() {
        return Err("`source` is empty: say where the price was read".to_string());
    }
    let as_of = raw
        .as_of
        .parse()
        .map_err(|_| format!("`as_of` is `{}`, not a date as `2026-10-09`", raw.as_of))?;
    let network = raw
        .network_mbps
        .map(|mbps| positive("network_mbps", mbps * 1e3))
        .transpose()?;
    let offer = Offer {
        id,
        provider,
        region,
        instance_type: instance_type.to_string(),
        purchase: raw.purchase.unwrap_or(PurchaseKind::OnDemand),
        cpu: MilliCores::new(positive("vcpu", raw.vcpu * 1e3)?),
        memory: Bytes::new(positive("memory", memory)?),
        disk_io: None,
        bandwidth: network.map(KilobitsPerSecond::new),
        price: MicroUsdPerHour::new(positive("price_per_hour", raw.price_per_hour * 1e6)?),
        billing: Billing {
            minimum_seconds: raw.billing_minimum_seconds,
            granularity_seconds: granularity,
        },
    };
    Ok(CatalogueEntry {
        offer,
        source: raw.source.clone(),
        as_of,
    })
}

fn provider_named(name: &str) -> Result<ProviderKind, String> {
    let all = [
        ProviderKind::Aws,
        ProviderKind::Azure,
        ProviderKind::Gcp,
        ProviderKind::Kubernetes,
        ProviderKind::Simulated,
    ];
    let found = all
        .into_iter()
        .find(|provider| provider.to_string() == name);
    found.ok_or_else(|| {
        format!("`{name}` is not a provider: use aws, azure, gcp, kubernetes or simulated")
    })
}

/// Rounds a figure in its smallest unit to the nearest whole one; it must be at least one.
fn positive(name: &str, value: f64) -> Result<u64, String> {
    let rounded = value.round();
    if (1.0..=1e17).contains(&rounded) {
        Ok(rounded as u64)
    } else {
        Err(format!("`{name}` is not above zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(provider: ProviderKind, region: &str, offers: &[&str]) -> Placement {
        Placement {
            provider,
            region: Region::new(region).expect("a region"),
            zones: Vec::new(),
            offers: offers
                .iter()
                .map(|id| OfferId::new(id).expect("an id"))
                .collect(),
            purchase_kinds: vec![PurchaseKind::OnDemand],
        }
    }

    fn unit(milli_cores: u64, gb: u64) -> UnitSize {
        UnitSize {
            cpu: MilliCores::new(milli_cores),
            memory: Bytes::new(gb * 1_000_000_000),
            disk_io: None,
            bandwidth: None,
            storage: None,
        }
    }

    #[test]
    fn the_built_in_offers_are_of_three_clouds_and_say_where_they_come_from() {
        let catalogue = Catalogue::built_in();
        for provider in [ProviderKind::Aws, ProviderKind::Gcp, ProviderKind::Azure] {
            assert!(
                catalogue
                    .offers()
                    .filter(|offer| offer.provider == provider)
                    .count()
                    >= 4,
                "{provider}"
            );
        }
        for CatalogueEntry {
            offer,
            source,
            as_of,
        } in catalogue.entries()
        {
            assert!(!source.is_empty() && as_of.year() == 2026, "{}", offer.id);
            assert_eq!(
                offer.id.as_str(),
                format!(
                    "{}/{}/{}",
                    offer.provider, offer.region, offer.instance_type
                )
            );
            let per_core = offer.price.as_f64() / offer.cpu.as_f64();
            assert!(
                (30.0..60.0).contains(&per_core),
                "{}: {per_core} micro-dollars for a milli-core",
                offer.id
            );
        }
    }

    #[test]
    fn a_built_in_offer_has_the_vendors_figures() {
        let catalogue = Catalogue::built_in();
        let offer = catalogue
            .get(&OfferId::new("aws/us-east-1/m7i.xlarge").expect("an id"))
            .expect("is there");
        assert_eq!(offer.price, MicroUsdPerHour::new(201_600));
        assert_eq!(offer.cpu, MilliCores::new(4_000));
        assert_eq!(offer.memory, Bytes::new(16 * 1_073_741_824));
        assert_eq!(
            offer.billing,
            Billing {
                minimum_seconds: 60,
                granularity_seconds: 1
            }
        );
    }

    #[test]
    fn the_cheapest_is_by_price_of_a_unit() {
        let catalogue = Catalogue::built_in();
        let cheapest = |unit: UnitSize, placement: &Placement| {
            catalogue
                .cheapest_for(&unit, placement)
                .map(|(offer, units)| (offer.instance_type.clone(), units))
        };
        let anywhere = placement(ProviderKind::Aws, "us-east-1", &[]);
        assert_eq!(
            cheapest(unit(2_000, 4), &anywhere),
            Some(("c7g.large".to_string(), 1))
        );
        assert_eq!(
            cheapest(unit(2_000, 8), &anywhere),
            Some(("m7g.large".to_string(), 1))
        );
        // Four half-size units on one instance, where only that is allowed.
        let one = placement(
            ProviderKind::Aws,
            "us-east-1",
            &["aws/us-east-1/m7i.xlarge"],
        );
        assert_eq!(
            cheapest(unit(1_000, 4), &one),
            Some(("m7i.xlarge".to_string(), 4))
        );
        assert_eq!(cheapest(unit(64_000, 4), &anywhere), None);
        assert_eq!(
            cheapest(
                unit(2_000, 4),
                &placement(ProviderKind::Aws, "eu-west-1", &[])
            ),
            None
        );
        let spot = Placement {
            purchase_kinds: vec![PurchaseKind::Spot],
            ..anywhere
        };
        assert_eq!(cheapest(unit(2_000, 4), &spot), None);
    }

    fn refused(offer: &str) -> String {
        use std::error::Error;
        let text = format!(r#"{{"schema": "offer-catalogue/v1", "offers": [{offer}]}}"#);
        let error = Catalogue::parse(&text).expect_err("refused");
        error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string)
    }

    #[test]
    fn a_users_mistakes_are_named() {
        let good = r#"{"id": "kubernetes/site/node", "vcpu": 2, "memory_gb": 4, "price_per_hour": 0.05,
            "currency": "USD", "source": "our bill", "as_of": "2026-10-01"}"#;
        let parsed = Catalogue::parse(&format!(
            r#"{{"schema": "offer-catalogue/v1", "offers": [{good}]}}"#
        ));
        assert_eq!(parsed.expect("a catalogue").offers().count(), 1);
        for (from, to, reason) in [
            (
                "kubernetes/site/node",
                "node",
                "offer 1 (`node`): the id is not `provider/region/type`",
            ),
            ("kubernetes/site", "ibm/site", "`ibm` is not a provider"),
            ("0.05", "0", "`price_per_hour` is not above zero"),
            ("USD", "EUR", "convert it to USD"),
            ("\"vcpu\": 2", "\"vcpu\": -2", "`vcpu` is not above zero"),
            (
                "\"memory_gb\": 4, ",
                "",
                "one of `memory_gib` and `memory_gb`",
            ),
            ("our bill", " ", "`source` is empty"),
            ("vcpu", "vcpus", "unknown field `vcpus`"),
            ("2026-10-01", "October", "`as_of` is `October`"),
        ] {
            let found = refused(&good.replacen(from, to, 1));
            assert!(found.contains(reason), "{found}");
        }
        assert!(refused(&format!("{good}, {good}")).contains("is there twice"));
        assert!(refused("").contains("no offers"));
        let other = Catalogue::parse(r#"{"schema": "v2", "offers": []}"#).expect_err("refused");
        assert!(other.to_string().contains("offer-catalogue/v1"));
    }
}
