use fleetcast_model::{
    Billing, Bytes, MicroUsdPerHour, MilliCores, OfferId, Placement, ProviderKind, PurchaseKind,
    Region, UnitSize, Zone,
};
use jiff::civil::{Date, date};

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
    for listing in catalogue.listings() {
        let offer = &listing.offer;
        assert!(!listing.source.is_empty(), "{}", offer.id);
        assert!(listing.as_of.year() >= 2024, "{}", offer.id);
        assert!(offer.architecture.is_some(), "{}", offer.id);
        assert_eq!(
            listing.type_id.as_str(),
            format!(
                "{}/{}/{}",
                offer.provider, offer.region, offer.instance_type
            )
        );
        let per_core = offer.price.as_f64() / offer.cpu.as_f64();
        let least = match offer.purchase {
            PurchaseKind::Spot => 5.0,
            _ => 30.0,
        };
        assert!(
            (least..65.0).contains(&per_core),
            "{}: {per_core} micro-dollars for a milli-core",
            offer.id
        );
    }
    assert!(catalogue.unpriced().is_empty());
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
            &placement(ProviderKind::Aws, "eu-north-1", &[])
        ),
        None
    );
    let spot = Placement {
        purchase_kinds: vec![PurchaseKind::Spot],
        ..anywhere
    };
    assert_eq!(
        cheapest(unit(2_000, 4), &spot),
        Some(("c7i.xlarge".to_string(), 2)),
        "the only one of its kind whose spot price is known there, but for one of twice the memory"
    );
}

fn catalogue(offers: &str) -> Catalogue {
    let text = format!(r#"{{"schema": "offer-catalogue/v1", "offers": [{offers}]}}"#);
    Catalogue::parse(&text)
        .unwrap_or_else(|problems| panic!("{}", problems.render("offers.json", &text)))
}

fn rentable(catalogue: &Catalogue, place: Placement, today: Date) -> Rentable {
    let mut fleet = crate::example::shop().fleet;
    fleet.components.truncate(1);
    fleet.components[0].placements = vec![place];
    catalogue.rentable_by(&fleet, today)
}

const ZONED: &str = r#"{"id": "aws/here/large", "vcpu": 2, "memory_gb": 8, "zones": ["here-a", "here-b"], "prices": [
    {"purchase": "on_demand", "price_per_hour": 0.1, "currency": "USD", "source": "list", "as_of": "2026-01-01"},
    {"purchase": "spot", "price_per_hour": "unknown"},
    {"purchase": "spot", "zone": "here-b", "price_per_hour": 0.04, "currency": "USD", "source": "seen", "as_of": "2026-01-01"}]}"#;

#[test]
fn zones_that_a_placement_names_are_named_in_what_it_rents() {
    let catalogue = catalogue(ZONED);
    let today = date(2026, 2, 1);
    let mut place = placement(ProviderKind::Aws, "here", &["aws/here/large"]);
    place.purchase_kinds = vec![PurchaseKind::OnDemand, PurchaseKind::Spot];
    let ids = |rentable: &Rentable| -> Vec<String> {
        rentable
            .offers
            .iter()
            .map(|offer| offer.id.to_string())
            .collect()
    };
    let anywhere = rentable(&catalogue, place.clone(), today);
    assert_eq!(
        ids(&anywhere),
        [
            "aws/here/large",
            "aws/here/large/here-b:spot",
            "aws/here/large:spot"
        ]
    );
    place.zones = ["here-a", "here-b", "here-c"]
        .map(|zone| Zone::new(zone).expect("a name"))
        .into();
    let zoned = rentable(&catalogue, place.clone(), today);
    assert_eq!(
        ids(&zoned),
        [
            "aws/here/large/here-a",
            "aws/here/large/here-a:spot",
            "aws/here/large/here-b",
            "aws/here/large/here-b:spot"
        ]
    );
    let prices: Vec<u64> = zoned.offers.iter().map(|offer| offer.price.get()).collect();
    assert_eq!(
        prices,
        [100_000, 100_000, 100_000, 40_000],
        "what is not known costs what it may at most"
    );
    assert!(zoned.offers.iter().all(|offer| place.allows(offer)));
    assert!(
        zoned.notes[0].contains("no price is known"),
        "{:?}",
        zoned.notes
    );
}

#[test]
fn old_prices_are_bounded_or_pointed_out() {
    let catalogue = catalogue(ZONED);
    let mut place = placement(ProviderKind::Aws, "here", &[]);
    place.purchase_kinds = vec![PurchaseKind::OnDemand, PurchaseKind::Spot];
    let spot = |rentable: &Rentable| {
        let offer = rentable.offers.iter().find(|offer| offer.zone.is_some());
        offer.map(|offer| offer.price.get())
    };
    assert_eq!(
        spot(&rentable(&catalogue, place.clone(), date(2026, 4, 1))),
        Some(40_000)
    );
    let later = rentable(&catalogue, place.clone(), date(2026, 4, 2));
    assert_eq!(spot(&later), Some(100_000));
    assert!(
        later
            .notes
            .iter()
            .any(|note| note.contains("too old give way")),
        "{:?}",
        later.notes
    );
    let much_later = rentable(&catalogue, place, date(2027, 4, 2));
    assert!(
        much_later
            .notes
            .iter()
            .any(|note| note.contains("older than a year")),
        "{:?}",
        much_later.notes
    );
}

#[test]
fn own_offers_are_all_there_is_of_their_region() {
    let own = catalogue(
        r#"{"id": "aws/us-east-1/ours", "vcpu": 4, "memory_gb": 8, "price_per_hour": 0.2, "currency": "USD",
        "source": "our contract", "as_of": "2026-01-01"}"#,
    );
    let all = Catalogue::built_in().with_own(own);
    let there = |region: &str| {
        all.offers()
            .filter(|offer| offer.region.as_str() == region)
            .count()
    };
    assert_eq!(there("us-east-1"), 1);
    assert!(there("us-central1") > 1 && there("us-west-2") > 1);
}

#[test]
fn newer_prices_come_in_and_unbelievable_ones_do_not() {
    let mut known = catalogue(ZONED);
    let newer = ZONED.replace("2026-01-01", "2026-03-01");
    let quotes = |text: &str| {
        let question = PriceQuestion::default();
        match crate::run_to_end(catalogue(text).quotes(&question)) {
            Ok(quotes) => quotes,
            Err(never) => match never {},
        }
    };
    let done = known.refresh(&quotes(
        &newer.replace("0.04", "0.05").replace("0.1,", "0.2,"),
    ));
    assert_eq!(
        (done.changed.len(), done.confirmed, done.refused.len()),
        (2, 0, 0)
    );
    let price = |id: &str| {
        known
            .get(&OfferId::new(id).expect("an id"))
            .map(|offer| offer.price.get())
    };
    assert_eq!(price("aws/here/large"), Some(200_000));
    assert_eq!(
        price("aws/here/large:spot"),
        Some(200_000),
        "the bound moves with what bounds it"
    );
    let mut again = known.clone();
    let old = again.refresh(&quotes(ZONED));
    assert_eq!(
        (&again, old.refused.len()),
        (&known, 2),
        "older prices change nothing"
    );
    let absurd = again.refresh(&quotes(
        &newer.replace("2026-03", "2026-04").replace("0.1,", "19,"),
    ));
    assert!(absurd.refused[0].reason.contains("by hand"), "{absurd:?}");
    let written = fleetcast_document::offers_to_json(&known.clone().into());
    assert_eq!(
        Catalogue::parse(&written).expect("what is written is read"),
        known
    );
}

fn refused(offer: &str) -> String {
    let text = format!(r#"{{"schema": "offer-catalogue/v1", "offers": [{offer}]}}"#);
    let problems = Catalogue::parse(&text).expect_err("refused");
    problems.render("offers.json", &text)
}

#[test]
fn a_users_mistakes_are_named_with_their_mend() {
    let good = r#"{"id": "kubernetes/site/node", "vcpu": 2, "memory_gb": 4, "price_per_hour": 0.05, "currency": "USD",
        "source": "our bill", "as_of": "2026-10-01"}"#;
    assert_eq!(catalogue(good).offers().count(), 1);
    for (from, to, reason) in [
        (
            "kubernetes/site/node",
            "node",
            "`node` is not `provider/region/type`",
        ),
        ("kubernetes/site", "ibm/site", "`ibm` is not a provider"),
        (
            "0.05",
            "0",
            "price_per_hour is 0; a price for an hour is more than 0",
        ),
        ("0.05", "\"free\"", "\"free\" is not a price for an hour"),
        (
            "USD",
            "EUR",
            "the price is in `EUR`, and nothing says what that is worth",
        ),
        (
            "\"currency\": \"USD\",",
            "",
            "`currency` is missing beside a price",
        ),
        (
            "\"price_per_hour\": 0.05,",
            "",
            "offer `kubernetes/site/node` has no price",
        ),
        (
            "\"vcpu\": 2",
            "\"vcpu\": -2",
            "vcpu is -2; the CPU of an offer is more than 0",
        ),
        ("\"memory_gb\": 4, ", "", "add `memory_gib`"),
        ("our bill", " ", "source is empty"),
        ("vcpu", "vcpus", "`vcpus` is not a field of an offer"),
        ("2026-10-01", "October", "\"October\" is not a date"),
    ] {
        let found = refused(&good.replacen(from, to, 1));
        assert!(found.contains(reason), "{found}");
    }
    assert!(refused(&format!("{good}, {good}")).contains("stands twice"));
    assert!(refused("").contains("offers is empty"));
    let unknown = catalogue(&good.replace("0.05", "\"unknown\""));
    assert_eq!((unknown.offers().count(), unknown.unpriced().len()), (0, 1));
}

#[test]
fn another_currency_is_converted_upwards_where_its_rate_is_stated() {
    let text = r#"{"schema": "offer-catalogue/v1",
        "exchange_rates": [{"currency": "EUR", "usd": 1.16, "source": "the bank", "as_of": "2026-10-01"}],
        "offers": [{"id": "own/cellar/node", "vcpu": 2, "memory_gb": 4, "price_per_hour": 0.0333333, "currency": "EUR",
        "source": "power and write-off", "as_of": "2026-10-01"}]}"#;
    let catalogue = Catalogue::parse(text).expect("a catalogue");
    assert_eq!(
        catalogue.offers().next().map(|offer| offer.price.get()),
        Some(38_667)
    );
}
