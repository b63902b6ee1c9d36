//! An offer catalogue: from JSON's types to the validated ones, and back.

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_model as model;
use fleetcast_model::{
    Billing, Listing, MicroUsdPerHour, Offer, OfferId, PriceBasis, ProviderKind, PurchaseKind,
    Region, Unpriced, Zone,
};

use crate::amount::{cores, gigabytes, iops, megabits, to_cores, to_gigabytes, to_megabits};
use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::wire::{ExchangeRate, OfferCatalogue, OfferEntry, PriceEntry, PriceText};

/// What a catalogue says, in the order in which it says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    /// What people should know of the figures.
    pub notes: Vec<String>,
    /// What can be bought.
    pub listings: Vec<Listing>,
    /// What cannot, because nobody knows a price.
    pub unpriced: Vec<Unpriced>,
}

const GIB_PER_GB: f64 = 1.073_741_824;
const DOLLAR: &str = "USD";
/// The most that an hour of anything costs, in dollars: beyond it a number is a mistake.
const USD_MAX: f64 = 1e6;

/// Turns a document into offers. What is wrong with it goes into `problems`.
pub(crate) fn read(document: &OfferCatalogue, problems: &mut Problems) -> Offers {
    let rates = read_rates(&document.exchange_rates, problems);
    let mut offers = Offers {
        notes: document.notes.clone(),
        ..Offers::default()
    };
    let mut seen = BTreeSet::new();
    for (i, entry) in document.offers.iter().enumerate() {
        let at = format!("/offers/{i}");
        read_entry(entry, &at, &rates, &mut seen, &mut offers, problems);
    }
    offers
}

fn read_rates<'a>(rates: &'a [ExchangeRate], problems: &mut Problems) -> BTreeMap<&'a str, f64> {
    let mut known = BTreeMap::new();
    for (i, rate) in rates.iter().enumerate() {
        if known.insert(rate.currency.as_str(), rate.usd).is_some() {
            let message = format!("the rate of `{}` stands twice", rate.currency);
            problems
                .add(&format!("/exchange_rates/{i}/currency"), message)
                .hint("leave one of them out");
        }
    }
    known
}

/// One price of an entry, with where it stands.
struct Quote<'a> {
    at: String,
    entry: std::borrow::Cow<'a, PriceEntry>,
}

fn read_entry(
    entry: &OfferEntry,
    at: &str,
    rates: &BTreeMap<&str, f64>,
    seen: &mut BTreeSet<OfferId>,
    offers: &mut Offers,
    problems: &mut Problems,
) {
    let place = read_place(entry, at, problems);
    let memory = match (entry.memory_gib, entry.memory_gb) {
        (Some(gib), None) => gigabytes(gib * GIB_PER_GB),
        (None, Some(gb)) => gigabytes(gb),
        (found, _) => {
            let message = format!("the memory of `{}` is not stated once", entry.id);
            let hint = if found.is_some() {
                "leave out one of `memory_gib` and `memory_gb`"
            } else {
                "add `memory_gib` (2³⁰ bytes) or `memory_gb` (10⁹ bytes)"
            };
            problems.add(at, message).hint(hint);
            return;
        }
    };
    let Some((provider, region, instance_type)) = place else {
        return;
    };
    let quotes = quotes(entry, at);
    if quotes.is_empty() {
        let message = format!("offer `{}` has no price", entry.id);
        let hint = "add `price_per_hour` with `currency`, `source` and `as_of`; \"unknown\" if nobody knows it";
        problems.add(at, message).hint(hint);
        return;
    }
    let offer = |quote: &PriceEntry, id: OfferId, price: MicroUsdPerHour| Offer {
        id,
        provider,
        region: region.clone(),
        zone: quote.zone.clone(),
        instance_type: instance_type.clone(),
        purchase: quote.purchase,
        term_months: quote.term_months,
        architecture: entry.architecture,
        cpu: cores(entry.vcpu),
        memory,
        disk: entry.disk_gb.map(gigabytes),
        disk_io: entry.disk_io_ops.map(iops),
        bandwidth: entry.network_mbps.map(megabits),
        price,
        billing: Billing {
            minimum_seconds: entry.billing_minimum_seconds,
            granularity_seconds: entry.billing_granularity_seconds,
        },
    };
    let mut read = Vec::new();
    for Quote { at, entry: quote } in &quotes {
        let Some(id) = offer_id(&entry.id, quote, at, problems) else {
            continue;
        };
        if !seen.insert(id.clone()) {
            let message = format!("offer `{id}` stands twice");
            problems.add(at, message).hint("leave one of them out");
        }
        check_zone(entry, quote, at, problems);
        read.push((quote, id, price(quote, at, rates, problems)));
    }
    // The dearest on demand bounds what is not known: zones may differ.
    let on_demand = read
        .iter()
        .filter(|(quote, ..)| quote.purchase == PurchaseKind::OnDemand)
        .filter_map(|(quote, _, known)| {
            known
                .as_ref()
                .map(|(price, _)| (*price, quote.source.clone(), quote.as_of))
        })
        .max_by_key(|(price, ..)| *price);
    for (quote, id, known) in read {
        let (price, basis, source, as_of) = match (known, &on_demand) {
            (Some((price, basis)), _) => (price, basis, quote.source.clone(), quote.as_of),
            (None, Some((bound, source, as_of))) => {
                let source = source.as_deref().unwrap_or_default();
                let says = quote.source.as_deref().unwrap_or("price unknown");
                let source = format!("{says}; on demand: {source}");
                (*bound, PriceBasis::Bound, Some(source), *as_of)
            }
            (None, None) => {
                let source = quote.source.clone();
                offers.unpriced.push(Unpriced {
                    id,
                    source: source.unwrap_or_else(|| "no price is known".into()),
                });
                continue;
            }
        };
        offers.listings.push(Listing {
            offer: offer(quote, id, price),
            type_id: entry.id.clone(),
            zones: entry.zones.clone(),
            basis,
            source: source.unwrap_or_default(),
            as_of: as_of.unwrap_or_default(),
        });
    }
}

/// All prices of an entry: the one that stands in it, then those of its list.
fn quotes<'a>(entry: &'a OfferEntry, at: &str) -> Vec<Quote<'a>> {
    let own = entry.price_per_hour.map(|price_per_hour| Quote {
        at: at.to_string(),
        entry: std::borrow::Cow::Owned(PriceEntry {
            purchase: entry.purchase.unwrap_or(PurchaseKind::OnDemand),
            zone: None,
            term_months: None,
            price_per_hour,
            currency: entry.currency.clone(),
            source: entry.source.clone(),
            as_of: entry.as_of,
        }),
    });
    let listed = entry.prices.iter().enumerate().map(|(i, price)| Quote {
        at: format!("{at}/prices/{i}"),
        entry: std::borrow::Cow::Borrowed(price),
    });
    own.into_iter().chain(listed).collect()
}

fn read_place(
    entry: &OfferEntry,
    at: &str,
    problems: &mut Problems,
) -> Option<(ProviderKind, Region, String)> {
    let at = format!("{at}/id");
    let parts: Vec<&str> = entry.id.as_str().split('/').collect();
    let [provider, region, instance_type] = parts[..] else {
        let message = format!("the id `{}` is not `provider/region/type`", entry.id);
        problems
            .add(&at, message)
            .hint("write it as in `aws/us-east-1/m7i.xlarge`, `kubernetes/my-cluster/pod-2x4` or `own/cellar/node`");
        return None;
    };
    let kind = serde_json::from_value::<ProviderKind>(provider.into());
    let Ok(kind) = kind else {
        let known = ["aws", "azure", "gcp", "kubernetes", "own", "simulated"];
        let hint = did_you_mean(provider, known, "the providers are");
        problems
            .add(&at, format!("`{provider}` is not a provider"))
            .hint(hint);
        return None;
    };
    let region = Region::new(region).ok();
    if region.is_none() || instance_type.is_empty() || instance_type.contains(':') {
        let message = format!("the id `{}` lacks a region or a type", entry.id);
        problems
            .add(&at, message)
            .hint("write it as in `aws/us-east-1/m7i.xlarge`; ways of buying stand in `prices`");
        return None;
    }
    region.map(|region| (kind, region, instance_type.to_string()))
}

/// The id of a type bought in one way: the type's own on demand in the whole region.
fn offer_id(
    type_id: &OfferId,
    quote: &PriceEntry,
    at: &str,
    problems: &mut Problems,
) -> Option<OfferId> {
    if quote.term_months.is_some() && quote.purchase != PurchaseKind::Reserved {
        let message = format!("{} has no term", quote.purchase);
        problems
            .add(&format!("{at}/term_months"), message)
            .hint("leave `term_months` out, or use \"purchase\": \"reserved\"");
    }
    OfferId::of_type(
        type_id,
        quote.zone.as_ref(),
        quote.purchase,
        quote.term_months,
    )
    .map_err(|error| problems.add(at, error.to_string()))
    .ok()
}

fn check_zone(entry: &OfferEntry, quote: &PriceEntry, at: &str, problems: &mut Problems) {
    let Some(zone) = &quote.zone else { return };
    if !entry.zones.is_empty() && !entry.zones.contains(zone) {
        let message = format!("`{zone}` is not among the zones of `{}`", entry.id);
        let known = entry.zones.iter().map(Zone::as_str);
        problems
            .add(&format!("{at}/zone"), message)
            .hint(did_you_mean(zone.as_str(), known, "its zones are"));
    }
}

/// A price in dollars and what it rests on; `None` if nobody knows it, or it is no good.
fn price(
    quote: &PriceEntry,
    at: &str,
    rates: &BTreeMap<&str, f64>,
    problems: &mut Problems,
) -> Option<(MicroUsdPerHour, PriceBasis)> {
    let PriceText::Known(amount) = quote.price_per_hour else {
        return None;
    };
    for (name, missing, hint) in [
        (
            "currency",
            quote.currency.is_none(),
            "add \"currency\": \"USD\"",
        ),
        (
            "source",
            quote.source.is_none(),
            "say where the price was read",
        ),
        (
            "as_of",
            quote.as_of.is_none(),
            "say when it was read, as in \"2026-10-09\"",
        ),
    ] {
        if missing {
            let message = format!("`{name}` is missing beside a price");
            problems.add(at, message).hint(hint);
        }
    }
    let currency = quote.currency.as_deref().unwrap_or(DOLLAR);
    let (micro, basis) = if currency == DOLLAR {
        ((amount * 1e6).round(), PriceBasis::Stated)
    } else if let Some(rate) = rates.get(currency) {
        let basis = PriceBasis::Converted {
            currency: currency.to_string(),
        };
        // Up, so that nothing is planned with at less than it costs.
        ((amount * rate * 1e6).ceil(), basis)
    } else {
        let message = format!("the price is in `{currency}`, and nothing says what that is worth");
        problems.add(&format!("{at}/currency"), message).hint(
            "convert it to USD, or add the rate to `exchange_rates`: {\"currency\": …, \"usd\": …, \"source\": …, \"as_of\": …}",
        );
        return None;
    };
    if !(1.0..=USD_MAX * 1e6).contains(&micro) {
        let message = format!(
            "price_per_hour is {amount} {currency}; a price is from $0.000001 to $1,000,000"
        );
        problems.add(&format!("{at}/price_per_hour"), message);
        return None;
    }
    Some((MicroUsdPerHour::new(micro as u64), basis))
}

/// Turns offers into the form in which they are written: one entry for each type, with all its prices.
pub(crate) fn write(offers: &Offers) -> OfferCatalogue {
    let mut entries: Vec<OfferEntry> = Vec::new();
    let mut places: BTreeMap<&OfferId, usize> = BTreeMap::new();
    for listing in &offers.listings {
        let place = *places.entry(&listing.type_id).or_insert_with(|| {
            entries.push(write_entry(listing));
            entries.len() - 1
        });
        entries[place].prices.push(write_price(listing));
    }
    OfferCatalogue {
        notes: offers.notes.clone(),
        exchange_rates: Vec::new(),
        offers: entries,
    }
}

fn write_entry(listing: &Listing) -> OfferEntry {
    let offer = &listing.offer;
    OfferEntry {
        id: listing.type_id.clone(),
        vcpu: to_cores(offer.cpu),
        memory_gib: None,
        memory_gb: Some(to_gigabytes(offer.memory)),
        architecture: offer.architecture,
        disk_gb: offer.disk.map(to_gigabytes),
        disk_io_ops: offer.disk_io.map(model::Iops::as_f64),
        network_mbps: offer.bandwidth.map(to_megabits),
        zones: listing.zones.clone(),
        billing_minimum_seconds: offer.billing.minimum_seconds,
        billing_granularity_seconds: offer.billing.granularity_seconds,
        purchase: None,
        price_per_hour: None,
        currency: None,
        source: None,
        as_of: None,
        prices: Vec::new(),
    }
}

fn write_price(listing: &Listing) -> PriceEntry {
    let offer = &listing.offer;
    let known = listing.basis != PriceBasis::Bound;
    let price = match listing.basis {
        PriceBasis::StaleBound { read } => read,
        _ => offer.price,
    };
    PriceEntry {
        purchase: offer.purchase,
        zone: offer.zone.clone(),
        term_months: offer.term_months,
        price_per_hour: if known {
            PriceText::Known(price.as_f64() / 1e6)
        } else {
            PriceText::Unknown
        },
        currency: known.then(|| DOLLAR.to_string()),
        source: known.then(|| listing.source.clone()),
        as_of: known.then_some(listing.as_of),
    }
}
