use fleetcast_document::{check_offers, fleet_to_json, parse_fleet, parse_offers, warn_of_limits};
use fleetcast_model::{Fleet, Offer, PurchaseKind, QuotaCount, Share};

use crate::{FLEET, changed, check, unwrap};

const OFFERS: &str = r#"{
  "schema": "offer-catalogue/v1",
  "offers": [
    {"id": "aws/eu-central-1/m7i.large", "vcpu": 2, "memory_gib": 8, "price_per_hour": 0.1, "currency": "USD",
     "source": "list", "as_of": "2026-10-01"},
    {"id": "aws/eu-central-1/c7i.xlarge", "vcpu": 4, "memory_gib": 8, "price_per_hour": 0.17, "currency": "USD",
     "source": "list", "as_of": "2026-10-01"},
    {"id": "kubernetes/office/pod-2x4", "vcpu": 2, "memory_gib": 4, "price_per_hour": 0.05, "currency": "USD",
     "source": "ours", "as_of": "2026-10-01"}
  ]
}"#;

const QUOTA: &str = r#""quotas": [
    { "name": "standard", "provider": "aws", "region": "eu-central-1", "purchase_kinds": ["on_demand"],
      "instance_types": ["m7i.*", "c7i.xlarge"], "limit": 64 }
  ],
  "freeze_windows""#;

fn offers() -> Vec<Offer> {
    let offers = unwrap(parse_offers(OFFERS), OFFERS);
    offers.listings.into_iter().map(|one| one.offer).collect()
}

fn with(quota: &str) -> (Fleet, String) {
    let text = changed(FLEET, &[("\"freeze_windows\"", quota)]);
    (unwrap(parse_fleet(&text), &text), text)
}

#[test]
fn a_quota_counts_what_it_names_and_nothing_else() {
    let (fleet, _) = with(QUOTA);
    let quota = &fleet.quotas[0];
    assert_eq!((quota.limit, quota.counts), (64, QuotaCount::Vcpu));
    let takes: Vec<u64> = offers().iter().map(|offer| quota.taken_by(offer)).collect();
    assert_eq!(takes, [2, 4, 0]);
    let spot = Offer {
        purchase: PurchaseKind::Spot,
        ..offers()[0].clone()
    };
    assert_eq!(quota.taken_by(&spot), 0);
    let (fleet, _) =
        with(&QUOTA.replace("\"limit\": 64", "\"limit\": 9, \"counts\": \"instances\""));
    assert_eq!(fleet.quotas[0].taken_by(&offers()[1]), 1);
}

#[test]
fn quotas_and_zone_loss_come_back_as_they_were_written() {
    let zone_loss = (
        "\"importance\": 9,",
        "\"importance\": 9, \"zone_loss\": \"70%\",",
    );
    let text = changed(FLEET, &[("\"freeze_windows\"", QUOTA), zone_loss]);
    let fleet = unwrap(parse_fleet(&text), &text);
    assert_eq!(fleet.components[0].sla.zone_loss, Share::new(0.7));
    let written = fleet_to_json(&fleet);
    assert_eq!(unwrap(parse_fleet(&written), &written), fleet);
}

#[test]
fn demand_that_is_told_too_late_is_refused() {
    let with = |telemetry| [("\"freeze_windows\"", telemetry)];
    check(
        FLEET,
        &with("\"telemetry\": { \"delay\": \"PT2H\" },\n  \"freeze_windows\""),
        &[
            "delay is PT2H; it is at most PT1H; by demand that is told later nothing is provisioned in time",
        ],
    );
    let hour =
        "\"telemetry\": { \"delay\": \"PT1H\", \"served_only\": true },\n  \"freeze_windows\"";
    let text = changed(FLEET, &with(hour));
    assert!(unwrap(parse_fleet(&text), &text).telemetry.served_only);
}

#[test]
fn bad_quotas_are_explained() {
    let twice = QUOTA.replace(
        "\"limit\": 64 }",
        "\"limit\": 64 },\n    { \"name\": \"standard\", \"provider\": \"aws\", \"region\": \"eu-central-1\", \"limit\": 9 }",
    );
    let message =
        "quota `standard` stands twice; names are unique: plans say by them which quota to raise";
    check(FLEET, &[("\"freeze_windows\"", &twice)], &[message]);
    let negative = QUOTA.replace("64", "-1");
    let message = "limit is -1; a limit cannot be negative";
    check(FLEET, &[("\"freeze_windows\"", &negative)], &[message]);
    let said = |quota: &str| {
        let text = changed(FLEET, &[("\"freeze_windows\"", quota)]);
        let problems = parse_fleet(&text).expect_err("it is bad");
        problems.render("fleet.json", &text)
    };
    let cores = said(&QUOTA.replace("\"limit\": 64", "\"limit\": 64, \"counts\": \"vcpus\""));
    assert!(
        cores.contains("counts is \"vcpus\", which is not what a quota counts"),
        "{cores}"
    );
    let pattern = said(&QUOTA.replace("m7i.*", "m*.large"));
    assert!(
        pattern.contains("write a type as `m7i.large`, or how it begins as `m7i.*`"),
        "{pattern}"
    );
}

#[test]
fn a_promise_for_the_loss_of_a_zone_needs_zones() {
    let promise = |share: &'static str| ("\"importance\": 9,", share);
    check(
        FLEET,
        &[promise("\"importance\": 9, \"zone_loss\": 0,")],
        &[
            "zone_loss of 0 % promises nothing; leave it out, or say what share of the units must still be there, such as \
           \"70%\"",
        ],
    );
    let full = promise("\"importance\": 9, \"zone_loss\": 1,");
    check(
        FLEET,
        &[
            ("\"eu-central-1a\", \"eu-central-1b\"", "\"eu-central-1a\""),
            full,
        ],
        &[
            "`web` has a zone_loss and a single zone: after its loss nothing is left; name at least two zones in its \
           placements, or leave `zone_loss` out",
        ],
    );
    check(
        FLEET,
        &[
            ("\"zones\": [\"eu-central-1a\", \"eu-central-1b\"],", ""),
            full,
        ],
        &[
            "`web` has a zone_loss, and this placement leaves the zones in eu-central-1 to the provider: nobody can tell \
           what the loss of one would leave; list its `zones`, or leave `zone_loss` out",
        ],
    );
}

#[test]
fn floors_that_no_quota_holds_are_found_and_those_that_may_go_elsewhere_are_not() {
    let floors = |quota: &str, changes: &[(&str, &str)]| {
        let text = changed(FLEET, &[&[("\"freeze_windows\"", quota)], changes].concat());
        let fleet = unwrap(parse_fleet(&text), &text);
        let problems = check_offers(&fleet, &offers());
        let words = problems.0.iter().map(|one| one.message.clone());
        words.collect::<Vec<String>>()
    };
    let own = [(
        "\"purchase_kinds\": [\"on_demand\", \"spot\"]",
        "\"purchase_kinds\": [\"on_demand\"]",
    )];
    let tight = QUOTA.replace("64", "5");
    assert_eq!(
        floors(&tight, &own),
        ["the floor of `web` takes at least 6 vCPU, over the 5 of quota `standard`"]
    );
    let elsewhere = tight.replace("\"m7i.*\", ", "");
    assert_eq!(
        floors(&elsewhere, &own),
        [""; 0],
        "its offer does not count"
    );
    assert_eq!(floors(QUOTA, &own), [""; 0]);
}

#[test]
fn a_quota_that_limits_nothing_is_warned_of() {
    let warned = |quota: &str| {
        let (fleet, text) = with(quota);
        warn_of_limits(&fleet, &offers()).render("fleet.json", &text)
    };
    assert_eq!(warned(QUOTA), "");
    let typo = warned(&QUOTA.replace(
        "\"region\": \"eu-central-1\"",
        "\"region\": \"eu-centrl-1\"",
    ));
    assert!(
        typo.contains("warning: quota `standard` limits nothing"),
        "{typo}"
    );
    assert!(typo.contains("did you mean `eu-central-1`?"), "{typo}");
    let family = warned(&QUOTA.replace("\"m7i.*\", \"c7i.xlarge\"", "\"p5.*\""));
    assert!(family.contains("look at its `purchase_kinds`"), "{family}");
}
