//! Spot: what a fleet costs, and how often it is short, when pools are taken back as a whole and prices move.
//!
//! The markets are generated with the run lengths and shared reclaims of public availability traces. Nine pools (three
//! types in each of three zones) are listed at 35 to 45 % of the price on demand, which is what list prices of 2026 say for
//! CPU instances, and wander from there. A fleet is *available* in a step if it carries all demand.

use anyhow::Result;
use fleetcast_engine::{EngineConfig, Part, Step};
use fleetcast_model::{MicroUsdPerHour, Observation, Offer, OfferId, PurchaseKind, Units, Zone};
use fleetcast_policy::PolicySpec;
use fleetcast_report::{Column, TextTable};
use fleetcast_series::{Series, Step as SeriesStep};
use fleetcast_sim::{
    Interval, MarketSettings, PlainSetting, PoolPlace, PriceSettings, Simulation, Sink, SpotMarket,
    SpotPrices, Tally, simulate,
};
use jiff::{SignedDuration, Timestamp};

use crate::cli::SpotArgs;
use crate::parallel;
use crate::provisioning::STYLE;

const DAYS: i64 = 30;
const ZONES: u16 = 3;
/// Prices of the three types as shares of on demand, in thousandths.
const PRICES: [u64; 3] = [350, 400, 450];
const ON_DEMAND: u64 = 1_000_000;

/// A way of buying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    OnDemand,
    CheapestSpot,
    /// Hedged, at the prices that were listed in the beginning.
    DeafToPrices,
    Hedged,
}

impl Way {
    const ALL: [Self; 4] = [
        Self::OnDemand,
        Self::CheapestSpot,
        Self::DeafToPrices,
        Self::Hedged,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on demand",
            Self::CheapestSpot => "the cheapest spot pool, unhedged",
            Self::DeafToPrices => "Fleetcast, deaf to prices",
            Self::Hedged => "Fleetcast",
        }
    }
}

/// How demand moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Level,
    Daily,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Job {
    market: &'static str,
    settings: MarketSettings,
    demand: Demand,
    way: Way,
    seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
struct Outcome {
    tally: Tally,
    under_floor: u64,
    lost: u64,
}

/// Runs the benchmark.
pub fn run(args: &SpotArgs) -> Result<()> {
    let mut jobs = Vec::new();
    for (market, settings) in [
        ("CPU", MarketSettings::CPU),
        ("scarce", MarketSettings::SCARCE),
    ] {
        for demand in [Demand::Level, Demand::Daily] {
            for way in Way::ALL {
                jobs.extend((0..args.markets).map(|seed| Job {
                    market,
                    settings,
                    demand,
                    way,
                    seed,
                }));
            }
        }
    }
    let outcomes = parallel::run_all(&jobs, |job| one(args, job))?;
    println!(
        "{} markets of {DAYS} days, {} pools in {ZONES} zones, boot {:#}, {} units at the peak, floor {}\n",
        args.markets,
        PRICES.len() * usize::from(ZONES),
        args.boot,
        args.units,
        floor(args),
    );
    let mut table = TextTable::new(vec![
        Column::words("market"),
        Column::words("demand"),
        Column::words("bought"),
        Column::number("cost ÷\non demand"),
        Column::number("available\n% of steps"),
        Column::number("worst\nmarket %"),
        Column::number("under the\nfloor, steps"),
        Column::number("losses\na day"),
    ]);
    for (place, first) in jobs
        .iter()
        .enumerate()
        .step_by(args.markets.max(1) as usize)
    {
        let own = &outcomes[place..place + args.markets.max(1) as usize];
        let dear = jobs.iter().zip(&outcomes).filter(|(job, _)| {
            job.market == first.market && job.demand == first.demand && job.way == Way::OnDemand
        });
        let on_demand: f64 = dear.map(|(_, outcome)| outcome.tally.cost().as_usd()).sum();
        let cost: f64 = own
            .iter()
            .map(|outcome| outcome.tally.cost().as_usd())
            .sum();
        let available = |outcome: &Outcome| 100.0 * (1.0 - outcome.tally.violation_share());
        let mean = own.iter().map(available).sum::<f64>() / own.len() as f64;
        let worst = own.iter().map(available).fold(f64::MAX, f64::min);
        let lost: u64 = own.iter().map(|outcome| outcome.lost).sum();
        let under: u64 = own.iter().map(|outcome| outcome.under_floor).sum();
        table.row(vec![
            first.market.into(),
            format!("{:?}", first.demand).to_lowercase(),
            first.way.name().into(),
            format!("{:.3}", cost / on_demand),
            format!("{mean:.3}"),
            format!("{worst:.3}"),
            under.to_string(),
            format!("{:.2}", lost as f64 / own.len() as f64 / DAYS as f64),
        ]);
    }
    print!("{}", table.render(STYLE));
    println!(
        "\ngoal: at least 40 % cheaper than on demand at 99 % availability or more, and never under the floor"
    );
    Ok(())
}

fn floor(args: &SpotArgs) -> u64 {
    (args.units / 5).max(1)
}

fn one(args: &SpotArgs, job: &Job) -> Result<Outcome> {
    let demand = demand(args, job)?;
    let setting = PlainSetting {
        per_unit: 1.0,
        boot: args.boot,
        drain: SignedDuration::from_mins(2),
        warm_up: SignedDuration::from_hours(24),
        objective: None,
        standby: None,
    };
    let policy: &str = match job.demand {
        Demand::Level => &format!("static:{}", args.units),
        Demand::Daily => "react:1.1",
    };
    let policy: PolicySpec = policy.parse().map_err(anyhow::Error::msg)?;
    let mut config = setting.engine_config(&demand, policy);
    let mut simulation = setting.simulation(&demand);
    configure(&mut config, &mut simulation, args, job);
    let sink = Watcher {
        outcome: Outcome {
            tally: Tally::new(24 * 60, 60, vec![ON_DEMAND]),
            ..Outcome::default()
        },
        floor: floor(args),
    };
    Ok(simulate(config, &simulation, sink)?.outcome)
}

/// Demand by the minute, in units.
fn demand(args: &SpotArgs, job: &Job) -> Result<Series> {
    let peak = args.units as f64;
    let at = |minute: i64| match job.demand {
        Demand::Level => peak - 0.5,
        Demand::Daily => {
            let turn = minute as f64 / 1_440.0 * std::f64::consts::TAU;
            peak * (0.65 - 0.35 * turn.cos()) - 0.5
        }
    };
    let start = Timestamp::from_second(1_767_225_600)?;
    let values = (0..DAYS * 1_440).map(|minute| Some(at(minute)));
    Ok(Series::from_values(start, SeriesStep::MINUTE, values))
}

/// Firm capacity, nine spot pools, and a market that takes them back.
fn configure(config: &mut EngineConfig, simulation: &mut Simulation, args: &SpotArgs, job: &Job) {
    let firm = config.offers[0].clone();
    let mut places = vec![PoolPlace { region: 0, zone: 0 }];
    for zone in 0..ZONES {
        for (kind, price) in PRICES.iter().enumerate() {
            places.push(PoolPlace { region: 0, zone });
            config.offers.push(spot_offer(&firm, zone, kind, *price));
        }
    }
    let length = SignedDuration::from_hours(DAYS * 24);
    let market = SpotMarket::generate(&job.settings, &places, config.start, length, job.seed);
    let most = vec![MicroUsdPerHour::new(ON_DEMAND); config.offers.len()];
    let prices = SpotPrices::generate(
        &PriceSettings::GRADUAL,
        &config.offers,
        &most,
        config.start,
        length,
        job.seed,
    );
    simulation.spot = Some(if args.still_prices {
        market
    } else {
        market.priced(prices)
    });
    let component = &mut config.fleet.components[0];
    component.floor = Units::new(floor(args));
    if job.way != Way::OnDemand {
        component.placements[0]
            .purchase_kinds
            .push(PurchaseKind::Spot);
    }
    config.without.extend(match job.way {
        Way::CheapestSpot => Some(Part::Hedge),
        Way::DeafToPrices => Some(Part::Prices),
        Way::OnDemand | Way::Hedged => None,
    });
}

fn spot_offer(firm: &Offer, zone: u16, kind: usize, thousandths: u64) -> Offer {
    Offer {
        id: OfferId::new(&format!("spot/zone-{zone}/type-{kind}")).expect("a name"),
        zone: Some(Zone::new(&format!("zone-{zone}")).expect("a name")),
        purchase: PurchaseKind::Spot,
        price: MicroUsdPerHour::new(ON_DEMAND * thousandths / 1_000),
        ..firm.clone()
    }
}

/// A tally, and how often the floor was not there.
struct Watcher {
    outcome: Outcome,
    floor: u64,
}

impl Sink for Watcher {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        self.outcome.tally.step(interval, seen, step);
        self.outcome.under_floor += u64::from(interval.components[0].serving.ready < self.floor);
        self.outcome.lost += u64::from(seen.iter().any(|told| match told {
            Observation::Inventory(inventory) => inventory.cohorts.iter().any(|cohort| {
                cohort.state == fleetcast_model::InstanceState::Interrupted
                    && inventory.as_of.duration_since(cohort.since) <= SignedDuration::from_mins(1)
            }),
            _ => false,
        }));
    }
}
