//! The plain setting: one component, one kind of unit at one dollar an hour, a stated capacity, fixed boot
//! and drain. It needs no document, and its figures are comparable between products.

use fleetcast_engine::{EngineConfig, Telemetry};
use fleetcast_model::{
    Billing, Bytes, Component, ComponentName, Configuration, Fleet, FleetName, InteractionType,
    MicroUsdPerHour, MilliCores, Mode, Objective, Offer, OfferId, Placement, PromoteOn,
    ProviderKind, PurchaseKind, Region, Share, Sla, StandbyPolicy, StandbyTier, Timing, UnitSize,
    Units,
};
use fleetcast_policy::PolicySpec;
use fleetcast_series::Series;
use jiff::SignedDuration;

use crate::boot::BootTime;
use crate::cloud::{Lifecycle, StandbyLife};
use crate::world::{Simulation, Telling};

/// The settings of the plain setting.
#[derive(Clone, Debug, PartialEq)]
pub struct PlainSetting {
    /// Demand that one unit carries in a step, in the demand's own unit.
    pub per_unit: f64,
    /// From an order to a healthy unit; rounds up to whole steps.
    pub boot: SignedDuration,
    /// From leaving service to the end of the bill; rounds up to whole steps.
    pub drain: SignedDuration,
    /// The objective's budget, and the score, run from its end.
    pub warm_up: SignedDuration,
    /// What is to be held.
    pub objective: Option<Objective>,
    /// What standby units are offered at; `None`: there are none.
    pub standby: Option<PlainStandby>,
}

/// What standby units are offered at in the plain setting.
///
/// In a step whose demand exceeds what runs, as many as are missing promote, serve the part of the step after
/// `promotion`, and are paid for in full from this step on, until they are removed. A new one takes a boot, in which
/// it is paid for in full (the stricter reading: a machine that boots is a machine that runs); a removed unit
/// drains, paid for in full, and may stand by again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlainStandby {
    /// From the beginning of a step with too much demand until promoted units serve.
    pub promotion: SignedDuration,
    /// Price of a standby unit as a share of a running one's.
    pub price_share: Share,
}

/// A plain setting that cannot be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlainError {
    /// The capacity is zero, negative or no number.
    #[error("a unit must carry something: the capacity is {0}")]
    Capacity(f64),
    /// A time is negative or longer than a year.
    #[error("{what} of {value:#} is no good: use 0 to 365 days")]
    Time {
        /// Which one.
        what: &'static str,
        /// What was given.
        value: SignedDuration,
    },
}

impl PlainSetting {
    /// Checks the numbers.
    pub fn check(&self) -> Result<(), PlainError> {
        if !(self.per_unit.is_finite() && self.per_unit > 0.0) {
            return Err(PlainError::Capacity(self.per_unit));
        }
        let year = SignedDuration::from_hours(365 * 24);
        for (what, value) in [
            ("a boot", self.boot),
            ("a drain", self.drain),
            ("a warm-up", self.warm_up),
        ] {
            if value.is_negative() || value > year {
                return Err(PlainError::Time { what, value });
            }
        }
        if let Some(standby) = &self.standby {
            let value = standby.promotion;
            if value.is_negative() || value > year {
                let what = "a promotion";
                return Err(PlainError::Time { what, value });
            }
        }
        Ok(())
    }

    /// The engine's configuration for one policy on this demand.
    pub fn engine_config(&self, demand: &Series, policy: PolicySpec) -> EngineConfig {
        let step_seconds = demand.step().seconds();
        EngineConfig {
            fleet: plain_fleet(
                self.objective,
                whole_steps(self.drain, step_seconds),
                self.standby.map(|standby| StandbyPolicy {
                    promotion: standby.promotion,
                    price_share: standby.price_share,
                    units: None,
                    tier: StandbyTier::Stopped,
                    promote_on: PromoteOn::OverCapacity,
                    // A drill would run units that nobody asked for: the plain setting has none.
                    drill_every: None,
                    others: [None; 2],
                }),
            ),
            persona: None,
            events: Vec::new(),
            overrides: Vec::new(),
            interaction_types: vec![plain_type()],
            offers: vec![plain_offer()],
            prices_at_worst: Vec::new(),
            start: demand.start(),
            step_seconds,
            boot_steps: vec![steps(self.boot, step_seconds)],
            warm_up_steps: u64::from(steps(self.warm_up, step_seconds)),
            policies: vec![policy],
            plain_per_unit: Some(self.per_unit),
            objective: None,
            without: Vec::new(),
            fits_per_step: EngineConfig::FITS_PER_STEP,
            term: EngineConfig::FIRST_TERM,
            telemetry: Telemetry::default(),
        }
    }

    /// The simulation for this demand.
    pub fn simulation(&self, demand: &Series) -> Simulation {
        let step_seconds = demand.step().seconds();
        let lifecycle = Lifecycle {
            boot: BootTime::Fixed(whole_steps(self.boot, step_seconds)),
            configure: SignedDuration::ZERO,
            drain: whole_steps(self.drain, step_seconds),
            warm_up: SignedDuration::ZERO,
            standby: Vec::from_iter(self.standby.map(|standby| StandbyLife {
                tier: StandbyTier::Stopped,
                promotion: standby.promotion,
                price_ppm: standby.price_share.parts_per_million(),
                failures_ppm: 0,
                slow_ppm: 0,
            })),
        };
        Simulation {
            demand: vec![demand.clone()],
            lifecycles: vec![lifecycle],
            api_delay: SignedDuration::ZERO,
            approval_delay: None,
            spot: None,
            seed: 0,
            usage: None,
            telling: Telling::default(),
        }
    }
}

/// Whole steps that cover a time.
fn steps(time: SignedDuration, step_seconds: u32) -> u32 {
    let seconds = time.as_secs().max(0).unsigned_abs();
    u32::try_from(seconds.div_ceil(u64::from(step_seconds))).unwrap_or(u32::MAX)
}

fn whole_steps(time: SignedDuration, step_seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(steps(time, step_seconds)) * i64::from(step_seconds))
}

/// The names below are constants, and the plain setting's first run in any test would show a bad one.
fn plain_type() -> InteractionType {
    InteractionType::Custom("x-demand".into())
}

fn plain_offer() -> Offer {
    Offer {
        id: OfferId::new("plain/unit").expect("a name"),
        provider: ProviderKind::Simulated,
        region: Region::new("plain").expect("a name"),
        zone: None,
        instance_type: "unit".into(),
        purchase: PurchaseKind::OnDemand,
        term_months: None,
        architecture: None,
        cpu: MilliCores::new(1_000),
        memory: Bytes::new(1_000_000_000),
        disk: None,
        disk_io: None,
        bandwidth: None,
        price: MicroUsdPerHour::new(1_000_000),
        billing: Billing {
            minimum_seconds: 0,
            granularity_seconds: 1,
        },
    }
}

fn plain_fleet(
    objective: Option<Objective>,
    drain: SignedDuration,
    standby: Option<StandbyPolicy>,
) -> Fleet {
    let placement = Placement {
        provider: ProviderKind::Simulated,
        region: Region::new("plain").expect("a name"),
        zones: Vec::new(),
        offers: Vec::new(),
        purchase_kinds: vec![PurchaseKind::OnDemand],
    };
    let unit = UnitSize {
        cpu: MilliCores::new(1_000),
        memory: Bytes::new(1_000_000_000),
        disk_io: None,
        bandwidth: None,
        storage: None,
    };
    let component = Component {
        name: ComponentName::new("plain").expect("a name"),
        unit,
        placements: vec![placement],
        floor: Units::new(1),
        ceiling: Units::new(4_000_000_000),
        desired: None,
        current: None,
        configuration: Configuration::default(),
        sla: Sla {
            latency_ms_p95: None,
            availability: None,
            importance: 5,
            objective,
            zone_loss: None,
        },
        serves: vec![plain_type()],
        depends_on: Vec::new(),
        stateful: false,
        standby,
        timing: Timing {
            boot: None,
            drain,
            warm_up: SignedDuration::ZERO,
            ..Timing::default()
        },
    };
    Fleet {
        name: FleetName::new("plain").expect("a name"),
        components: vec![component],
        budget: None,
        approval_threshold: None,
        mode: Mode::Auto,
        mode_promotion: None,
        freeze_windows: Vec::new(),
        quotas: Vec::new(),
        telemetry: Default::default(),
    }
}
