use fleetcast_document::{Document, check_offers, parse_any, parse_fleet, parse_offers};
use fleetcast_model::{Offer, PriceBasis, PurchaseKind};

use crate::{FLEET, changed, check};

pub const OFFERS: &str = r#"{
  "schema": "offer-catalogue/v1",
  "notes": ["ours"],
  "offers": [
    {"id": "kubernetes/cluster-a/pod-2x4", "vcpu": 2, "memory_gib": 4, "disk_gb": 20, "price_per_hour": 0.05,
     "currency": "USD", "source": "what a pod's share of a node costs", "as_of": "2026-10-01"},
    {"id": "own/cellar/rack-node", "vcpu": 16, "memory_gb": 64, "architecture": "arm64", "prices": [
      {"purchase": "on_demand", "price_per_hour": 0.4, "currency": "USD", "source": "write-off", "as_of": "2026-10-01"},
      {"purchase": "reserved", "term_months": 12, "price_per_hour": "unknown"}]}
  ]
}"#;

#[test]
fn pods_and_own_machines_are_offers_and_what_is_unknown_is_bounded() {
    let offers = parse_offers(OFFERS).unwrap();
    let read: Vec<(&str, PurchaseKind, u64, &PriceBasis)> = offers
        .listings
        .iter()
        .map(|one| {
            (
                one.offer.id.as_str(),
                one.offer.purchase,
                one.offer.price.get(),
                &one.basis,
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (
                "kubernetes/cluster-a/pod-2x4",
                PurchaseKind::OnDemand,
                50_000,
                &PriceBasis::Stated
            ),
            (
                "own/cellar/rack-node",
                PurchaseKind::OnDemand,
                400_000,
                &PriceBasis::Stated
            ),
            (
                "own/cellar/rack-node:reserved-12m",
                PurchaseKind::Reserved,
                400_000,
                &PriceBasis::Bound
            ),
        ]
    );
    assert!(matches!(parse_any(OFFERS), Ok(Document::Offers(_))));
}

#[test]
fn problems_name_the_place_and_the_mend() {
    check(
        OFFERS,
        &[("\"vcpu\": 2", "\"vcpus\": 2")],
        &["`vcpus` is not a field of an offer; did you mean `vcpu`?"],
    );
    check(
        OFFERS,
        &[
            (
                "\"term_months\": 12",
                "\"term_months\": 12, \"zone\": \"z\"",
            ),
            ("\"arm64\"", "\"arm64\", \"zones\": [\"y\"]"),
        ],
        &["`z` is not among the zones of `own/cellar/rack-node`; its zones are: `y`"],
    );
    check(
        OFFERS,
        &[("\"reserved\"", "\"spot\"")],
        &["spot has no term; leave `term_months` out, or use \"purchase\": \"reserved\""],
    );
}

#[test]
fn a_fleet_that_rents_what_nobody_offers_is_told_where() {
    let fleet = parse_fleet(FLEET).unwrap();
    let ours: Vec<Offer> = parse_offers(OFFERS)
        .unwrap()
        .listings
        .into_iter()
        .map(|one| one.offer)
        .collect();
    let problems = check_offers(&fleet, &ours);
    assert!(!problems.is_empty());
    let words = problems.render("fleet.json", FLEET);
    assert!(words.contains("offers.json"), "{words}");
    let text = changed(OFFERS, &[("kubernetes/cluster-a", "kubernetes/cluster-b")]);
    assert!(parse_offers(&text).is_ok());
}
