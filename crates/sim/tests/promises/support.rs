//! Sites to run: demand, documents and the log of a run.

use std::f64::consts::TAU;

use fleetcast_engine::{EngineConfig, Step, Telemetry};
use fleetcast_model::{
    Action, Billing, Bytes, Cohort, Component, ComponentIndex, ComponentName, Configuration,
    Dependency, EngagementPattern, Fleet, FleetName, InstanceState, InteractionType, Inventory,
    Iops, KilobitsPerSecond, MicroUsdPerHour, MilliCores, MilliPerMinute, Mode, Objective,
    ObjectiveMetric, Observation, Offer, OfferId, Order, Override, OverrideDecision, PatternName,
    Persona, PersonaName, Placement, ProviderKind, PurchaseKind, Region, ResourceProfile, Share,
    Sla, StatedForecast, TimeWindow, Timing, UnitSize, Units, Variability, WindowLength,
};
use fleetcast_policy::PolicySpec;
use fleetcast_series::{Series, Step as Length};
use fleetcast_sim::{
    BootTime, Interval, Lifecycle, PlainSetting, Random, Recorder, Simulation, Sink, Tally,
    Telling, simulate,
};
use jiff::{SignedDuration, Span, Timestamp, civil::date};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Five minutes: coarse enough for tests to be quick, fine enough for boots to matter.
pub const STEP_SECONDS: u32 = 300;
pub const DAY: usize = 288;
/// Monday 2026-03-02, midnight UTC.
pub const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
/// Everybody who can decide, as typed on the command line.
pub const POLICIES: [&str; 8] = [
    "fleetcast",
    "hpa:0.6",
    "kubernetes-hpa:0.6",
    "target-tracking:0.6",
    "aws-predictive:0.6",
    "react:1.2",
    "max:0.8",
    "static:40",
];

/// Few cases, always the same ones.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_302),
        ..ProptestConfig::default()
    }
}

pub fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub fn policy(text: &str) -> PolicySpec {
    text.parse().expect("a policy")
}

/// Demand with a daily shape, noise, and what goes wrong with it.
#[derive(Clone, Debug)]
pub struct Shape {
    pub level: f64,
    /// 0: flat; 1: falls to nothing at night.
    pub swing: f64,
    pub noise: f64,
    pub seed: u64,
    pub marks: Vec<(usize, usize, Mark)>,
}

/// What a stretch of demand is instead of usual.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    Missing,
    Zero,
    Times(f64),
}

impl Shape {
    pub fn values(&self, steps: usize) -> Vec<Option<f64>> {
        let mut random = Random::new(self.seed, "demand of a test");
        let usual = |i: usize| {
            let wave = libm::sin(TAU * (i as f64 / DAY as f64 - 0.3));
            let noise = 1.0 + self.noise * (random.uniform() - 0.5);
            Some(self.level * (1.0 + self.swing * wave) * noise)
        };
        let mut values: Vec<Option<f64>> = (0..steps).map(usual).collect();
        for (at, length, mark) in &self.marks {
            // Never the first step: the fleet that is there at first is sized for it.
            let at = (*at % steps.max(1)).max(1);
            for value in values.iter_mut().skip(at).take(*length) {
                *value = match mark {
                    Mark::Missing => None,
                    Mark::Zero => Some(0.0),
                    Mark::Times(factor) => value.map(|value| value * factor),
                };
            }
        }
        values
    }
}

/// Calm and wild demand alike: zeros, missing stretches, and spikes of a million times.
pub fn shapes() -> impl Strategy<Value = Shape> {
    let mark = prop_oneof![
        Just(Mark::Missing),
        Just(Mark::Zero),
        Just(Mark::Times(3.0)),
        Just(Mark::Times(1e6)),
    ];
    let marks = prop::collection::vec((1_usize..2_000, 1_usize..60, mark), 0..6);
    (10.0..5_000.0, 0.0..1.0, 0.0..0.6, any::<u64>(), marks).prop_map(
        |(level, swing, noise, seed, marks)| Shape {
            level,
            swing,
            noise,
            seed,
            marks,
        },
    )
}

/// Demand that any policy can live with.
pub fn calm(seed: u64) -> Shape {
    Shape {
        level: 900.0,
        swing: 0.7,
        noise: 0.3,
        seed,
        marks: vec![
            (400, 7, Mark::Missing),
            (500, 12, Mark::Times(2.5)),
            (900, 4, Mark::Zero),
        ],
    }
}

pub fn series(start: Timestamp, values: Vec<Option<f64>>) -> Series {
    let step = Length::from_seconds(STEP_SECONDS).expect("a step");
    Series::from_values(start, step, values)
}

/// A configuration and the world that it is run in.
#[derive(Clone, Debug)]
pub struct Site {
    pub config: EngineConfig,
    pub simulation: Simulation,
}

impl Site {
    pub fn run(&self) -> Log {
        self.run_until(usize::MAX)
    }

    /// Runs up to and including a step.
    pub fn run_until(&self, last: usize) -> Log {
        let config = self.config.clone();
        let log = Log::new(&config, last);
        simulate(config, &self.simulation, log).expect("a good configuration")
    }

    /// The same demand with other values.
    pub fn with_demand(&self, change: impl Fn(&Series) -> Vec<Option<f64>>) -> Self {
        let changed = |old: &Series| Series::from_values(old.start(), old.step(), change(old));
        let mut site = self.clone();
        site.simulation.demand = self.simulation.demand.iter().map(changed).collect();
        site
    }

    pub fn length(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.config.step_seconds))
    }
}

/// Everything of a run.
pub struct Log {
    last: usize,
    config: EngineConfig,
    pub intervals: Vec<Interval>,
    pub seen: Vec<Vec<Observation>>,
    pub steps: Vec<Step>,
    pub tally: Tally,
}

impl Log {
    fn new(config: &EngineConfig, last: usize) -> Self {
        let cheapest = config.fleet.components.iter().map(|_| 1).collect();
        let warm_up = config.warm_up_steps as usize;
        Self {
            last,
            config: config.clone(),
            intervals: Vec::new(),
            seen: Vec::new(),
            steps: Vec::new(),
            tally: Tally::new(warm_up, config.step_seconds, cheapest),
        }
    }

    /// The run's recording, byte for byte.
    pub fn recording(&self) -> Vec<u8> {
        let record = || {
            let mut recorder = Recorder::new(Vec::new(), &self.config)?;
            for (seen, step) in self.seen.iter().zip(&self.steps) {
                recorder.step(seen, step)?;
            }
            recorder.finish()
        };
        record().expect("memory takes everything")
    }

    /// The whole fleet as it was listed for a step.
    pub fn inventory(&self, step: usize) -> &Inventory {
        let found = self.seen[step].iter().find_map(|one| match one {
            Observation::Inventory(inventory) => Some(inventory),
            _ => None,
        });
        found.expect("the simulated cloud lists its fleet in every step")
    }
}

impl Sink for Log {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        self.tally.step(interval, seen, step);
        self.intervals.push(interval.clone());
        self.seen.push(seen.to_vec());
        self.steps.push(step.clone());
    }

    fn go_on(&self) -> bool {
        self.steps.len() <= self.last
    }
}

/// The plain setting on a shape of demand.
pub fn plain_site(shape: &Shape, days: usize, policy_text: &str, boot: SignedDuration) -> Site {
    plain_site_of(
        &series(START, shape.values(days * DAY)),
        40.0,
        policy_text,
        boot,
    )
}

pub fn plain_site_of(
    demand: &Series,
    per_unit: f64,
    policy_text: &str,
    boot: SignedDuration,
) -> Site {
    let setting = PlainSetting {
        per_unit,
        boot,
        drain: minutes(5),
        warm_up: SignedDuration::from_hours(24),
        objective: Some(objective(5)),
        standby: None,
    };
    setting.check().expect("a good setting");
    Site {
        config: setting.engine_config(demand, policy(policy_text)),
        simulation: setting.simulation(demand),
    }
}

pub fn objective(per_mille: u16) -> Objective {
    Objective::over_28_days(ObjectiveMetric::Unserved, Share::per_mille(per_mille))
}

/// What is chosen of a site with documents: a front (`web`) that calls a back (`api`).
#[derive(Clone, Debug)]
pub struct Choice {
    pub policy: &'static str,
    pub floor: u64,
    /// How far the ceiling is above the floor.
    pub room: u64,
    pub stateful: bool,
    pub warm_up_seconds: i64,
    pub drain_seconds: i64,
    pub boot: BootTime,
    pub configure_seconds: i64,
    /// Which of the offers of 1, 2, 4 and 8 units may be rented, as bits; not zero.
    pub offers: u8,
    pub billing: Billing,
    pub confidence: f64,
    pub objective: Option<Objective>,
    /// (component, decision, first step, steps)
    pub overrides: Vec<(usize, OverrideDecision, usize, usize)>,
    pub views: Shape,
    pub calls: Shape,
    pub seed: u64,
}

/// All kinds of documents.
pub fn choices() -> impl Strategy<Value = Choice> {
    let boot = prop_oneof![
        (0_i64..1_500).prop_map(|seconds| BootTime::Fixed(SignedDuration::from_secs(seconds))),
        Just(BootTime::of(ProviderKind::Aws)),
        Just(BootTime::of(ProviderKind::Kubernetes)),
        (60_i64..900, 0.1..0.6).prop_map(|(median, sigma)| BootTime::LogNormal {
            median: SignedDuration::from_secs(median),
            sigma,
        }),
    ];
    let decision = (0..6_u8, 1_u64..40).prop_map(|(kind, units)| match kind {
        0 => OverrideDecision::Pin(Units::new(units)),
        1 => OverrideDecision::Floor(Units::new(units)),
        2 => OverrideDecision::Ceiling(Units::new(units)),
        3 => OverrideDecision::Provision(Units::new(units)),
        4 => OverrideDecision::Forecast(StatedForecast {
            median: MilliPerMinute::new(units * 100_000),
            p95: (units % 2 == 0).then(|| MilliPerMinute::new(units * 150_000)),
        }),
        _ => OverrideDecision::Pause,
    });
    let overrides = prop::collection::vec((0..2_usize, decision, 0..500_usize, 1..100_usize), 0..4);
    let times = (
        prop::sample::select(vec![0_i64, 60, 600]),
        prop::sample::select(vec![0_i64, 60, 900]),
        boot,
        prop::sample::select(vec![0_i64, 15]),
    );
    let offers = (
        1_u8..16,
        prop::sample::select(vec![0_u32, 60, 3_600]),
        prop::sample::select(vec![1_u32, 60, 3_600]),
    );
    let limits = (1_u64..6, 0_u64..80, any::<bool>());
    let beliefs = (0.0..1.0, prop::option::of(Just(objective(5))), overrides);
    let who = prop::sample::select(vec!["fleetcast", "fleetcast", "hpa:0.6", "max:0.8"]);
    (
        who,
        limits,
        times,
        offers,
        beliefs,
        shapes(),
        shapes(),
        any::<u64>(),
    )
        .prop_map(
            |(policy, limits, times, offers, beliefs, views, calls, seed)| Choice {
                policy,
                floor: limits.0,
                room: limits.1,
                stateful: limits.2 && seed % 3 == 0,
                warm_up_seconds: times.0,
                drain_seconds: times.1,
                boot: times.2,
                configure_seconds: times.3,
                offers: offers.0,
                billing: Billing {
                    minimum_seconds: offers.1,
                    granularity_seconds: offers.2,
                },
                confidence: beliefs.0,
                objective: beliefs.1,
                overrides: beliefs.2,
                views,
                calls,
                seed,
            },
        )
}

/// A site without surprises, to change in one point.
pub fn usual_choice() -> Choice {
    Choice {
        policy: "fleetcast",
        floor: 2,
        room: 198,
        stateful: false,
        warm_up_seconds: 0,
        drain_seconds: 60,
        boot: BootTime::of(ProviderKind::Aws),
        configure_seconds: 15,
        offers: 0b0011,
        billing: Billing {
            minimum_seconds: 60,
            granularity_seconds: 1,
        },
        confidence: 0.5,
        objective: Some(objective(5)),
        overrides: Vec::new(),
        views: Shape {
            level: 9_000.0,
            ..calm(1)
        },
        calls: calm(2),
        seed: 1,
    }
}

impl Choice {
    pub fn site(&self, steps: usize) -> Site {
        let boot = self.boot.quantile(0.95).as_secs() + self.configure_seconds + 2;
        let boot_steps = u64::div_ceil(boot as u64, u64::from(STEP_SECONDS)) as u32;
        let config = EngineConfig {
            fleet: self.fleet(),
            persona: Some(persona(self.confidence, self.views.level, &[])),
            events: Vec::new(),
            overrides: self.overrides.iter().map(override_of).collect(),
            interaction_types: vec![InteractionType::ContentView, InteractionType::ApiCall],
            offers: self.offers(),
            prices_at_worst: Vec::new(),
            start: START,
            step_seconds: STEP_SECONDS,
            boot_steps: vec![boot_steps; 2],
            warm_up_steps: 0,
            policies: vec![policy(self.policy); 2],
            plain_per_unit: None,
            objective: None,
            without: Vec::new(),
            fits_per_step: EngineConfig::FITS_PER_STEP,
            term: EngineConfig::FIRST_TERM,
            telemetry: Telemetry::default(),
        };
        let lifecycle = Lifecycle {
            boot: self.boot.clone(),
            configure: SignedDuration::from_secs(self.configure_seconds),
            drain: SignedDuration::from_secs(self.drain_seconds),
            warm_up: SignedDuration::from_secs(self.warm_up_seconds),
            standby: Vec::new(),
        };
        let simulation = Simulation {
            demand: vec![
                series(START, self.views.values(steps)),
                series(START, self.calls.values(steps)),
            ],
            lifecycles: vec![lifecycle; 2],
            api_delay: SignedDuration::from_secs(2),
            approval_delay: Some(minutes(10)),
            spot: None,
            seed: self.seed,
            usage: None,
            telling: Telling::default(),
        };
        Site { config, simulation }
    }

    fn fleet(&self) -> Fleet {
        let calls = Dependency {
            component: name("api"),
            calls_per_interaction: 0.5,
            interaction_type: InteractionType::ApiCall,
        };
        let web = self.component("web", InteractionType::ContentView, vec![calls]);
        let api = self.component("api", InteractionType::ApiCall, Vec::new());
        Fleet {
            name: FleetName::new("test").expect("a name"),
            components: vec![web, api],
            budget: None,
            approval_threshold: None,
            mode: Mode::Auto,
            mode_promotion: None,
            freeze_windows: Vec::new(),
            quotas: Vec::new(),
            telemetry: Default::default(),
        }
    }

    pub fn ceiling_units(&self) -> Units {
        Units::new(self.ceiling())
    }

    /// At least so high that whole instances fit between it and the floor.
    fn ceiling(&self) -> u64 {
        let smallest = 1 << self.offers.trailing_zeros().min(3);
        (self.floor + self.room).max(self.floor.div_ceil(smallest) * smallest)
    }

    fn component(
        &self,
        called: &str,
        serves: InteractionType,
        depends_on: Vec<Dependency>,
    ) -> Component {
        let placement = Placement {
            provider: ProviderKind::Simulated,
            region: Region::new("here").expect("a name"),
            zones: Vec::new(),
            offers: Vec::new(),
            purchase_kinds: vec![PurchaseKind::OnDemand],
        };
        Component {
            name: name(called),
            unit: UnitSize {
                cpu: MilliCores::new(2_000),
                memory: Bytes::new(4_000_000_000),
                disk_io: None,
                bandwidth: None,
                storage: None,
            },
            placements: vec![placement],
            floor: Units::new(self.floor),
            ceiling: Units::new(self.ceiling()),
            desired: None,
            current: None,
            configuration: Configuration::default(),
            sla: Sla {
                latency_ms_p95: Some(300),
                availability: None,
                importance: 5,
                objective: self.objective,
                zone_loss: None,
            },
            serves: vec![serves],
            depends_on,
            stateful: self.stateful,
            standby: None,
            timing: Timing {
                boot: None,
                drain: SignedDuration::from_secs(self.drain_seconds),
                warm_up: SignedDuration::from_secs(self.warm_up_seconds),
                ..Timing::default()
            },
        }
    }

    fn offers(&self) -> Vec<Offer> {
        // Larger instances are a little cheaper for each unit, so that each size is the best for some order.
        let sizes = [(1, 100_000), (2, 190_000), (4, 370_000), (8, 700_000)];
        let chosen = |(i, _): &(usize, _)| self.offers >> i & 1 == 1;
        let offer = |(_, (units, price)): (usize, (u64, u64))| Offer {
            id: OfferId::new(&format!("simulated/here/u{units}")).expect("a name"),
            provider: ProviderKind::Simulated,
            region: Region::new("here").expect("a name"),
            zone: None,
            instance_type: format!("u{units}"),
            purchase: PurchaseKind::OnDemand,
            term_months: None,
            architecture: None,
            cpu: MilliCores::new(units * 2_000),
            memory: Bytes::new(units * 4_000_000_000),
            disk: None,
            disk_io: None,
            bandwidth: None,
            price: MicroUsdPerHour::new(price),
            billing: self.billing,
        };
        sizes
            .into_iter()
            .enumerate()
            .filter(chosen)
            .map(offer)
            .collect()
    }
}

pub fn name(name: &str) -> ComponentName {
    ComponentName::new(name).expect("a name")
}

/// Views by the day with this shape of its hours, and calls without end.
pub fn persona(confidence: f64, views_per_minute: f64, shape: &[f64]) -> Persona {
    let pattern = |called: &str, time_window, kind, per_minute: f64| EngagementPattern {
        name: PatternName::new(called).expect("a name"),
        time_window,
        interaction_type: kind,
        expected_volume: per_minute * 1_440.0,
        latency_target_ms: 300,
        shape: if called == "views" {
            shape.to_vec()
        } else {
            Vec::new()
        },
        confidence: Share::new(confidence).expect("a share"),
    };
    let daily = TimeWindow::Recurring {
        length: WindowLength(Span::new().days(1)),
        start: date(2026, 3, 2).at(0, 0, 0, 0),
        time_zone: "UTC".to_string(),
        rule: "FREQ=DAILY".to_string(),
    };
    let endless = TimeWindow::Endless(WindowLength(Span::new().days(1)));
    let profile = |called: &str, component: &str, per_minute: f64, per_core: f64| ResourceProfile {
        pattern_name: PatternName::new(called).expect("a name"),
        component: Some(name(component)),
        cpu: MilliCores::new((per_minute / per_core * 1e3).ceil() as u64),
        memory: Bytes::new((per_minute / per_core * 1e9).ceil() as u64),
        disk_io: Iops::new(10),
        bandwidth: KilobitsPerSecond::new(10),
        storage: None,
        variability: Variability::default(),
    };
    Persona {
        name: PersonaName::new("test").expect("a name"),
        engagement_patterns: vec![
            pattern(
                "views",
                daily,
                InteractionType::ContentView,
                views_per_minute,
            ),
            pattern("calls", endless, InteractionType::ApiCall, 900.0),
        ],
        resource_profiles: vec![
            profile("views", "web", views_per_minute, 300.0),
            profile("calls", "api", 900.0, 600.0),
        ],
    }
}

fn override_of(
    (component, decision, first, steps): &(usize, OverrideDecision, usize, usize),
) -> Override {
    let at = |step: usize| START + minutes(5) * step as i32;
    Override {
        component: name(["web", "api"][*component]),
        decision: *decision,
        start: at(*first),
        expires: at(first + steps),
        owner: "somebody".to_string(),
        reason: "a test".to_string(),
    }
}

/// Units of one component that serve, and that are on their way.
pub fn listed(config: &EngineConfig, inventory: &Inventory, component: usize) -> (u64, u64) {
    let (mut ready, mut pending) = (0, 0);
    for cohort in own(inventory, component) {
        let units = u64::from(cohort.count) * units_each(config, component, cohort.offer.0);
        match cohort.state {
            InstanceState::InService => ready += units,
            InstanceState::Draining
            | InstanceState::Preparing
            | InstanceState::Standby
            | InstanceState::Demoting => {}
            _ => pending += units,
        }
    }
    (ready, pending)
}

pub fn own(inventory: &Inventory, component: usize) -> impl Iterator<Item = &Cohort> {
    let index = ComponentIndex(component as u16);
    inventory
        .cohorts
        .iter()
        .filter(move |cohort| cohort.component == index)
}

pub fn units_each(config: &EngineConfig, component: usize, offer: u16) -> u64 {
    let size = &config.fleet.components[component].unit;
    config.offers[usize::from(offer)].units_of(size)
}

/// The orders of a step for one component.
pub fn orders(step: &Step, component: usize) -> impl Iterator<Item = &Order> {
    step.actions.iter().filter_map(move |action| match action {
        Action::Order(order) if usize::from(order.component.0) == component => Some(order),
        _ => None,
    })
}

/// Units that a step orders for one component.
pub fn ordered_units(site: &Site, step: &Step, component: usize) -> u64 {
    let each = |offer| units_each(&site.config, component, offer);
    orders(step, component)
        .map(|order| u64::from(order.instances) * each(order.offer.0))
        .sum()
}
