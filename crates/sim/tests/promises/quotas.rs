//! Quotas hold in every step of every run, the floors come first, and the loss of a zone leaves what is promised.

use fleetcast_engine::Step;
use fleetcast_model::{
    InstanceState, Inventory, Offer, OfferId, OverrideDecision, ProviderKind, Quota, QuotaCount,
    Region, Share, Units, Zone,
};
use proptest::prelude::*;

use crate::support::{
    Choice, Log, Site, cases, choices, listed, ordered_units, orders, own, units_each, usual_choice,
};

/// A quota of all that the site may rent, or of some of its types.
pub fn quota(name: &str, limit: u64, counts: QuotaCount, instance_types: &[&str]) -> Quota {
    Quota {
        name: name.into(),
        provider: ProviderKind::Simulated,
        region: Region::new("here").expect("a name"),
        purchase_kinds: Vec::new(),
        instance_types: instance_types.iter().map(ToString::to_string).collect(),
        limit,
        counts,
    }
}

const ZONES: [&str; 3] = ["a", "b", "c"];

/// The same offers once in each zone, the later zones a little dearer.
pub fn with_zones(site: &mut Site, promise: Option<Share>) {
    let in_zone = |(at, zone): (usize, &&str), offer: &Offer| Offer {
        id: OfferId::new(&format!("{}/{zone}", offer.id)).expect("an id"),
        zone: Some(Zone::new(zone).expect("a zone")),
        price: offer.price + fleetcast_model::MicroUsdPerHour::new(at as u64),
        ..offer.clone()
    };
    let config = &mut site.config;
    let zones = ZONES.iter().enumerate();
    config.offers = (config.offers.iter())
        .flat_map(|offer| zones.clone().map(move |zone| in_zone(zone, offer)))
        .collect();
    for component in &mut config.fleet.components {
        let named = ZONES.iter().map(|zone| Zone::new(zone).expect("a zone"));
        component.placements[0].zones = named.collect();
        component.sla.zone_loss = promise;
    }
}

/// What is listed of a quota, and what a step orders of it.
fn taken(site: &Site, quota: &Quota, inventory: &Inventory, step: &Step) -> (u64, u64) {
    let each = |offer: u16| quota.taken_by(&site.config.offers[usize::from(offer)]);
    let there = inventory.cohorts.iter();
    let there = there.map(|cohort| u64::from(cohort.count) * each(cohort.offer.0));
    let ordered = (0..2).flat_map(|component| orders(step, component));
    let ordered = ordered.map(|order| u64::from(order.instances) * each(order.offer.0));
    (there.sum(), ordered.sum())
}

/// Units of a component in each zone, what is ordered in a step included.
fn by_zone(site: &Site, log: &Log, index: usize, component: usize) -> Vec<u64> {
    let zone_of = |offer: u16| {
        let zone = site.config.offers[usize::from(offer)].zone.as_ref();
        ZONES
            .iter()
            .position(|one| zone.is_some_and(|zone| zone.as_str() == *one))
    };
    let mut zones = vec![0; ZONES.len()];
    for cohort in own(log.inventory(index), component) {
        let counted = !matches!(
            cohort.state,
            InstanceState::Draining | InstanceState::Interrupted
        );
        if let Some(zone) = zone_of(cohort.offer.0).filter(|_| counted) {
            zones[zone] +=
                u64::from(cohort.count) * units_each(&site.config, component, cohort.offer.0);
        }
    }
    for order in orders(&log.steps[index], component) {
        if let Some(zone) = zone_of(order.offer.0) {
            zones[zone] +=
                u64::from(order.instances) * units_each(&site.config, component, order.offer.0);
        }
    }
    zones
}

#[track_caller]
fn check(site: &Site) -> Log {
    let log = site.run();
    for (index, step) in log.steps.iter().enumerate() {
        let inventory = log.inventory(index);
        for quota in &site.config.fleet.quotas {
            let (there, ordered) = taken(site, quota, inventory, step);
            assert!(
                ordered == 0 || there + ordered <= quota.limit,
                "{ordered} more than {there} of {} at step {index}",
                quota.limit
            );
        }
        for report in &step.components {
            let standby = report.standby.map_or(Units::ZERO, |standby| standby.wanted);
            assert_eq!(report.ledger.total(), report.wanted + standby);
        }
        floors_come_first(site, &log, index);
    }
    log
}

/// Where a floor is missing though something would still fit without the other component's orders, those are for its own
/// floor.
fn floors_come_first(site: &Site, log: &Log, index: usize) {
    let step = &log.steps[index];
    let after = |component: usize| {
        let (ready, pending) = listed(&site.config, log.inventory(index), component);
        ready + pending + ordered_units(site, step, component)
    };
    let offers = || 0..site.config.offers.len() as u16;
    let largest = |component: usize| {
        let each = offers().map(|offer| units_each(&site.config, component, offer));
        each.max().unwrap_or(1)
    };
    for (component, report) in step.components.iter().enumerate() {
        let floor = site.config.fleet.components[component].floor.get();
        let bound = (report.limits.as_ref()).is_some_and(|limits| limits.missing > Units::ZERO);
        let other = 1 - component;
        if after(component) >= floor || !bound || orders(step, other).next().is_none() {
            continue;
        }
        let fits = |offer: u16| {
            site.config.fleet.quotas.iter().all(|quota| {
                let each = |offer: u16| quota.taken_by(&site.config.offers[usize::from(offer)]);
                let (there, _) = taken(site, quota, log.inventory(index), step);
                let own = orders(step, component);
                let own: u64 = own
                    .map(|one| u64::from(one.instances) * each(one.offer.0))
                    .sum();
                there + own + each(offer) <= quota.limit
            })
        };
        let others_floor = site.config.fleet.components[other].floor.get();
        assert!(
            !offers().any(fits) || after(other) < others_floor + largest(other),
            "step {index}: component {component} is under its floor and the other one has {}",
            after(other)
        );
    }
}

/// Only decisions that leave the floors where the documents have them.
fn usual_floors(mut choice: Choice) -> Choice {
    choice.overrides.retain(|(_, decision, ..)| {
        matches!(
            decision,
            OverrideDecision::Provision(_) | OverrideDecision::Forecast(_)
        )
    });
    choice
}

proptest! {
    #![proptest_config(cases(24))]
    #[test]
    fn no_order_passes_a_quota_and_floors_come_first(
        choice in choices(),
        limits in proptest::collection::vec((0_u64..160, any::<bool>(), 0_u8..3), 1..3),
        promise in proptest::option::of(0.05..1.0_f64),
    ) {
        let mut site = usual_floors(choice).site(300);
        with_zones(&mut site, promise.and_then(Share::new));
        site.config.fleet.components[1].sla.importance = 9;
        site.config.fleet.quotas = (limits.iter().enumerate())
            .map(|(at, (limit, vcpu, types))| {
                let counts = if *vcpu { QuotaCount::Vcpu } else { QuotaCount::Instances };
                let types: &[&str] = [&[][..], &["u1", "u2"], &["u4*"]][usize::from(*types)];
                quota(&format!("q{at}"), *limit, counts, types)
            })
            .collect();
        check(&site);
    }
}

#[test]
fn the_least_important_component_gives_way_first_and_is_told_why() {
    let mut site = usual_choice().site(600);
    site.config.fleet.components[0].sla.importance = 3;
    site.config.fleet.components[1].sla.importance = 9;
    site.config.fleet.quotas = vec![quota("standard", 40, QuotaCount::Vcpu, &[])];
    let log = check(&site);
    let short = |component: usize| {
        let reports = log.steps.iter().map(|step| &step.components[component]);
        let missing = reports.filter_map(|report| report.limits.as_ref());
        missing
            .filter(|limits| limits.missing > Units::ZERO)
            .count()
    };
    assert!(short(0) > 10, "the quota binds: {} steps", short(0));
    assert!(short(1) < short(0), "{} and {}", short(1), short(0));
    for step in &log.steps {
        let limits = step.components[1].limits.as_ref();
        let waits = limits.is_some_and(|limits| limits.missing > Units::ZERO);
        assert!(!waits || orders(step, 0).next().is_none(), "{:?}", step.now);
    }
    let told = log
        .steps
        .iter()
        .find_map(|step| step.components[0].limits.clone());
    let told = told.expect("a report");
    let bound = &told.quotas[0];
    assert_eq!((bound.name.as_str(), bound.limit), ("standard", 40));
    assert!(bound.enough > 40, "{told:?}");
    let priced = log
        .steps
        .iter()
        .filter_map(|step| step.components[0].limits.as_ref());
    assert!(priced.clone().any(|limits| limits.lift.get() > 0));
}

#[test]
fn the_loss_of_a_zone_leaves_what_is_promised_and_the_extra_has_its_reason() {
    let mut site = usual_choice().site(600);
    let share = Share::new(0.7);
    with_zones(&mut site, share);
    let log = check(&site);
    let mut extra = 0;
    for (index, step) in log.steps.iter().enumerate() {
        for (component, report) in step.components.iter().enumerate() {
            let for_zones = report.ledger.units_for(fleetcast_model::Reason::ZoneLoss);
            extra += for_zones.get();
            // What stood at the beginning lies in one zone; from the first order on it is spread.
            let zones = by_zone(&site, &log, index, component);
            let left = zones.iter().sum::<u64>() - zones.iter().max().expect("zones");
            // What is only kept is not promised.
            let kept = report.ledger.units_for(fleetcast_model::Reason::Hold);
            let bare = (report.wanted - for_zones - kept).get();
            let promised = (bare * 7).div_ceil(10);
            assert!(
                left >= promised,
                "step {index}: {zones:?} leaves {left} of {promised}"
            );
        }
    }
    assert!(extra > 0);
    let without = {
        let mut site = usual_choice().site(600);
        with_zones(&mut site, None);
        site.run()
    };
    let units = |log: &Log| -> u64 {
        let all = log.steps.iter().flat_map(|step| &step.components);
        all.map(|report| report.wanted.get()).sum()
    };
    assert!(
        units(&log) < units(&without) * 13 / 10,
        "three zones need little more"
    );
}

#[test]
fn a_recording_of_a_limited_fleet_is_the_same_twice() {
    let mut site = usual_choice().site(300);
    with_zones(&mut site, Share::new(1.0));
    site.config.fleet.quotas = vec![quota("standard", 60, QuotaCount::Vcpu, &[])];
    assert_eq!(site.run().recording(), site.run().recording());
}
