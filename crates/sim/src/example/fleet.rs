//! The synthetic shop's fleet.

use std::collections::BTreeMap;

use fleetcast_model::{
    Budget, Bytes, Component, ComponentName, Configuration, Dependency, Fleet, FleetName,
    HealthCheck, InteractionType, MicroUsd, MilliCores, Mode, Objective, ObjectiveMetric, OfferId,
    Placement, ProviderKind, PurchaseKind, Region, Share, Sla, Timing, UnitSize, Units,
};
use jiff::SignedDuration;

/// Pages and search; calls the API.
pub(super) const WEB: &str = "web";
/// Purchases; calls the API more.
pub(super) const CHECKOUT: &str = "checkout";
/// What both call, and customers' programs too.
pub(super) const API: &str = "api";

/// One unit: two cores and 4 GB, what the smallest offers of the built-in catalogue provide.
const UNIT: UnitSize = UnitSize {
    cpu: MilliCores::new(2_000),
    memory: Bytes::new(4_000_000_000),
    disk_io: None,
    bandwidth: None,
    storage: None,
};

pub(super) fn fleet() -> Fleet {
    let web = component(
        WEB,
        Promise {
            latency_ms: 300,
            availability: 0.999,
            importance: 7,
        },
        vec![InteractionType::Search, InteractionType::ContentView],
        vec![calls_api(0.6)],
    );
    let checkout = component(
        CHECKOUT,
        Promise {
            latency_ms: 400,
            availability: 0.9995,
            importance: 9,
        },
        vec![InteractionType::Transaction],
        vec![calls_api(3.0)],
    );
    let api = component(
        API,
        Promise {
            latency_ms: 200,
            availability: 0.9995,
            importance: 8,
        },
        vec![InteractionType::ApiCall],
        Vec::new(),
    );
    Fleet {
        name: FleetName::new("synthetic-shop").expect("a name"),
        components: vec![web, checkout, api],
        budget: Some(Budget {
            monthly: usd(2_500),
            hard_cap: Some(usd(4_000)),
        }),
        approval_threshold: Some(usd(10)),
        mode: Mode::Auto,
        mode_promotion: None,
        freeze_windows: Vec::new(),
        quotas: Vec::new(),
        telemetry: Default::default(),
    }
}

struct Promise {
    latency_ms: u32,
    availability: f64,
    importance: u8,
}

fn component(
    name: &str,
    promise: Promise,
    serves: Vec<InteractionType>,
    depends_on: Vec<Dependency>,
) -> Component {
    let share = |share| Share::new(share).expect("a share");
    Component {
        name: component_name(name),
        unit: UNIT,
        placements: vec![
            placement(
                ProviderKind::Aws,
                "us-east-1",
                &["c7i.large", "c7i.xlarge", "m7i.large"],
            ),
            placement(
                ProviderKind::Gcp,
                "us-central1",
                &["n4-highcpu-2", "c3-highcpu-4"],
            ),
        ],
        floor: Units::new(2),
        ceiling: Units::new(200),
        desired: None,
        current: None,
        configuration: configuration(name),
        sla: Sla {
            latency_ms_p95: Some(promise.latency_ms),
            availability: Some(share(promise.availability)),
            importance: promise.importance,
            objective: Some(Objective::over_28_days(
                ObjectiveMetric::Violation,
                share(0.005),
            )),
            zone_loss: None,
        },
        serves,
        depends_on,
        stateful: false,
        standby: None,
        timing: Timing {
            boot: None,
            drain: SignedDuration::from_secs(60),
            warm_up: SignedDuration::from_secs(60),
            ..Timing::default()
        },
    }
}

fn placement(provider: ProviderKind, region: &str, instance_types: &[&str]) -> Placement {
    let offer = |instance_type| {
        OfferId::new(&format!("{provider}/{region}/{instance_type}")).expect("an id")
    };
    Placement {
        provider,
        region: Region::new(region).expect("a name"),
        zones: Vec::new(),
        offers: instance_types.iter().map(offer).collect(),
        purchase_kinds: vec![PurchaseKind::OnDemand],
    }
}

fn configuration(name: &str) -> Configuration {
    let tag = |key: &str, value: &str| (key.to_string(), value.to_string());
    Configuration {
        image: Some(format!("synthetic-shop-{name}")),
        architecture: None,
        user_data: None,
        tags: BTreeMap::from([tag("component", name), tag("synthetic", "true")]),
        health_check: Some(HealthCheck {
            path: "/healthz".to_string(),
            port: 8080,
        }),
        load_balancer: Some(format!("synthetic-shop-{name}")),
    }
}

fn calls_api(calls_per_interaction: f64) -> Dependency {
    Dependency {
        component: component_name(API),
        calls_per_interaction,
        interaction_type: InteractionType::ApiCall,
    }
}

pub(super) fn component_name(name: &str) -> ComponentName {
    ComponentName::new(name).expect("a name")
}

fn usd(dollars: u64) -> MicroUsd {
    MicroUsd::new(dollars * 1_000_000)
}
