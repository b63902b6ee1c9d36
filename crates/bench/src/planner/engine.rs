//! The engine's own orders where offers are mixed or billed by the hour, beside the cheapest cover of the same units in hindsight.
//!
//! The engine lives through each recording with several catalogues. The optimiser is then given the units that the engine
//! wanted, period by period, and every price and bill: so the difference of the two bills is the mix and its timing, and
//! not the forecast.

use anyhow::{Result, bail};
use fleetcast_engine::Step;
use fleetcast_model::{
    Billing, Bytes, ComponentIndex, MicroUsd, MicroUsdPerHour, MilliCores, Objective,
    ObjectiveMetric, Observation, Offer, OfferId, OfferIndex, PurchaseKind, Share, Units,
};
use fleetcast_planner::fleet_plan::{
    ComponentProblem, FleetPlan, FleetProblem, Pool, PoolIndex, WorkLimit, check_fleet, plan_fleet,
};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{Column, TextTable};
use fleetcast_series::{Aggregate, Step as SeriesStep};
use fleetcast_sim::{Interval, Sink, simulate};
use jiff::SignedDuration;
use serde::Serialize;

use super::args::PlannerArgs;
use crate::cli::TraceArgs;
use crate::provisioning::STYLE;
use crate::traces::Trace;
use crate::{parallel, traces};

/// Periods that are compared: three days, from the middle of what comes after the warm-up.
const PERIODS: usize = 864;
/// All recordings are taken by so many seconds, the optimiser's period: both sides then decide at the same moments.
const PERIOD_SECONDS: u32 = 300;
/// The optimiser's work for one comparison.
const WORK: WorkLimit = WorkLimit {
    cells_per_component: 20_000_000,
};
const UNSERVED: Share = Share::per_mille(5);

/// One offer: units, price of an instance, and how it is billed.
type Stated = (u32, u64, Billing);

/// Billed by the second, a minute at least.
const BY_THE_SECOND: Billing = Billing {
    minimum_seconds: 60,
    granularity_seconds: 1,
};
/// Billed by whole hours.
const BY_THE_HOUR: Billing = Billing {
    minimum_seconds: 3_600,
    granularity_seconds: 3_600,
};
/// Billed by the second, an hour at least.
const AN_HOUR_AT_LEAST: Billing = Billing {
    minimum_seconds: 3_600,
    granularity_seconds: 1,
};

/// Catalogues in which the mix matters, and two in which there is none.
fn catalogues() -> Vec<(&'static str, Vec<Stated>)> {
    let sizes = |prices: [u64; 4], billing: Billing| -> Vec<Stated> {
        [1, 2, 4, 8]
            .into_iter()
            .zip(prices)
            .map(|(units, price)| (units, price * 1_000, billing))
            .collect()
    };
    let falling = [100, 190, 350, 640];
    let dearer = falling.map(|price| price * 13 / 10);
    vec![
        (
            "one offer",
            sizes([100, 0, 0, 0], BY_THE_SECOND)[..1].to_vec(),
        ),
        ("one by the hour", vec![(1, 100_000, BY_THE_HOUR)]),
        ("linear sizes", sizes([100, 200, 400, 800], BY_THE_SECOND)),
        ("falling sizes", sizes(falling, BY_THE_SECOND)),
        (
            "hour or second",
            vec![(1, 100_000, BY_THE_HOUR), (1, 130_000, BY_THE_SECOND)],
        ),
        (
            "hour at least, or second",
            vec![(1, 100_000, AN_HOUR_AT_LEAST), (1, 130_000, BY_THE_SECOND)],
        ),
        (
            "both",
            [sizes(falling, BY_THE_HOUR), sizes(dearer, BY_THE_SECOND)].concat(),
        ),
    ]
}

/// One recording with one catalogue.
#[derive(Serialize)]
struct Line {
    trace: String,
    catalogue: &'static str,
    unserved_share: f64,
    mean_wanted: f64,
    /// Units that were there beyond those that were wanted, as a share of these.
    idle_share: f64,
    bill: f64,
    hindsight: f64,
    /// What the optimiser's plan costs more than its lower bound, as a share.
    over_bound: f64,
    /// Units wanted at each step from the first one on, where JSON is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wanted: Vec<u64>,
    /// The first step that is compared.
    from: usize,
}

/// What the engine wanted and paid.
#[derive(Default)]
struct Witness {
    from: usize,
    until: usize,
    wanted: Vec<u64>,
    bill: u128,
    paid: u64,
    demand: f64,
    unserved: f64,
}

impl Sink for Witness {
    fn step(&mut self, interval: &Interval, _: &[Observation], step: &Step) {
        let at = &interval.components[0];
        if (self.from..self.until).contains(&interval.index) {
            self.bill += at.bill;
            self.paid += at.serving.paid;
            self.demand += at.volume;
            self.unserved += at.unserved;
        }
        self.wanted.push(step.components[0].wanted.get());
    }
    fn go_on(&self) -> bool {
        self.wanted.len() < self.until
    }
}

/// Prints the table.
pub fn run(args: &PlannerArgs, only: &str) -> Result<()> {
    let traces = recordings(args, only)?;
    let catalogues = catalogues();
    let jobs: Vec<(&Trace, usize)> = (0..catalogues.len())
        .flat_map(|place| traces.iter().map(move |trace| (trace, place)))
        .collect();
    let lines = parallel::run_all(&jobs, |(trace, place)| {
        let (name, offers) = &catalogues[*place];
        compare(args, trace, name, offers)
    })?;
    if args.json {
        for line in &lines {
            println!("{}", serde_json::to_string(line)?);
        }
        return Ok(());
    }
    print(&lines);
    Ok(())
}

/// The recordings by the optimiser's period. Draining is free: the optimiser knows no drain.
fn recordings(args: &PlannerArgs, only: &str) -> Result<Vec<Trace>> {
    let settings = TraceArgs {
        drain: SignedDuration::ZERO,
        ..TraceArgs::of(args.traces.clone(), only.to_string())
    };
    let period = SignedDuration::from_secs(i64::from(PERIOD_SECONDS));
    let Some(period) = SeriesStep::from_duration(period) else {
        bail!("{PERIOD_SECONDS} s are no step");
    };
    let by_period = |trace: Trace| {
        let demand = trace.demand.aggregate(period, Aggregate::Mean).ok()?;
        Trace::new(trace.name, None, demand, &settings)
    };
    Ok(traces::read(&settings)?
        .into_iter()
        .filter_map(by_period)
        .collect())
}

fn compare(
    args: &PlannerArgs,
    trace: &Trace,
    catalogue: &'static str,
    offers: &[Stated],
) -> Result<Line> {
    let objective = Objective::over_28_days(ObjectiveMetric::Unserved, UNSERVED);
    let policy = PolicySpec::new(PolicyKind::Fleetcast, 0.0);
    let mut config = trace
        .setting(Some(objective))
        .engine_config(&trace.demand, policy);
    let unit = config.offers[0].clone();
    config.offers = offers
        .iter()
        .enumerate()
        .map(|(place, stated)| offer(&unit, place, stated))
        .collect();
    let scored = trace.steps() - trace.warm_up_steps;
    let from = trace.warm_up_steps + scored.saturating_sub(PERIODS) / 2;
    let witness = Witness {
        from,
        until: (from + PERIODS).min(trace.steps()),
        ..Witness::default()
    };
    let witness = simulate(config, &trace.simulation, witness)?;
    // What is ordered at the end of a step is paid for from the next one on.
    let wanted = &witness.wanted[from - 1..witness.until - 1];
    let problem = problem(offers, wanted);
    let plan = plan_fleet(&problem, None, WORK)?;
    let notes = check_fleet(&problem, &plan);
    if !notes.is_empty() {
        bail!("the plan is wrong: {notes:?}");
    }
    let all: u64 = wanted.iter().sum();
    Ok(Line {
        trace: trace.name.clone(),
        catalogue,
        unserved_share: witness.unserved / witness.demand.max(f64::MIN_POSITIVE),
        mean_wanted: all as f64 / wanted.len() as f64,
        idle_share: witness.paid as f64 / all as f64 - 1.0,
        bill: witness.bill as f64 / 3.6e9,
        hindsight: bill_within(&problem, &plan) / 1e6,
        over_bound: plan.cost.total().as_f64() / plan.lower_bound.as_f64() - 1.0,
        from,
        wanted: if args.json {
            witness.wanted
        } else {
            Vec::new()
        },
    })
}

/// An offer of so many of the plain setting's units.
fn offer(unit: &Offer, place: usize, (units, price, billing): &Stated) -> Offer {
    let units = u64::from(*units);
    Offer {
        id: OfferId::new(&format!("plain/{place}")).expect("a name"),
        instance_type: format!("units-{units}"),
        purchase: PurchaseKind::OnDemand,
        cpu: MilliCores::new(unit.cpu.get() * units),
        memory: Bytes::new(unit.memory.get() * units),
        price: MicroUsdPerHour::new(*price),
        billing: *billing,
        ..unit.clone()
    }
}

fn problem(offers: &[Stated], wanted: &[u64]) -> FleetProblem {
    let pool = |(place, (_, price, billing)): (usize, &Stated)| Pool {
        offer: OfferIndex(place as u16),
        zone: 0,
        purchase: PurchaseKind::OnDemand,
        price: MicroUsdPerHour::new(*price),
        billing: *billing,
        lead_periods: 0,
    };
    let each = offers.iter().enumerate();
    FleetProblem {
        period_seconds: PERIOD_SECONDS,
        periods: wanted.len() as u32,
        pools: offers.iter().enumerate().map(pool).collect(),
        components: vec![ComponentProblem {
            component: ComponentIndex(0),
            demand: wanted.iter().map(|units| Units::new(*units)).collect(),
            floor: Units::new(1),
            ceiling: Units::new(1_000_000),
            shortage_price: None,
            survives_zone_per_mille: 0,
            importance: 5,
            stateful: false,
            lifetime_periods: 0,
            start_price: MicroUsd::ZERO,
            offers: each
                .map(|(k, (units, ..))| (PoolIndex(k as u32), *units))
                .collect(),
            standing: Vec::new(),
        }],
        quotas: Vec::new(),
        budget: None,
    }
}

/// What a plan is billed within the horizon, as the engine's fleet is: the rest of a minimum or of a granule when an
/// instance ends, and nothing that comes after.
fn bill_within(problem: &FleetProblem, plan: &FleetPlan) -> f64 {
    let bill = |run: &fleetcast_planner::fleet_plan::Run| {
        let pool = &problem.pools[run.pool.0 as usize];
        let age = u64::from((run.until - run.from) * problem.period_seconds);
        let billed = if run.until == problem.periods {
            age
        } else {
            pool.billing.billed_seconds(age)
        };
        pool.price.as_f64() * billed as f64 / 3_600.0 * f64::from(run.count)
    };
    plan.parts
        .iter()
        .flat_map(|part| &part.runs)
        .map(bill)
        .sum()
}

fn print(lines: &[Line]) {
    println!(
        "engine at {} % unserved, boot 5 min, no drain, P99 = 40 units, {PERIODS} periods of {PERIOD_SECONDS} s; hindsight: the \
         optimiser on the same wanted units",
        UNSERVED.get() * 100.0
    );
    for own in lines.chunk_by(|a, b| a.catalogue == b.catalogue) {
        let mut table = TextTable::new(vec![
            Column::words(own[0].catalogue),
            Column::number("units\nwanted"),
            Column::number("unserved\n%"),
            Column::number("there beyond\nwanted %"),
            Column::number("engine\nUSD"),
            Column::number("hindsight\nUSD"),
            Column::number("over\nhindsight %"),
            Column::number("hindsight over\nits bound %"),
        ]);
        for line in own {
            table.row(vec![
                line.trace.clone(),
                format!("{:.1}", line.mean_wanted),
                format!("{:.3}", line.unserved_share * 100.0),
                format!("{:.1}", line.idle_share * 100.0),
                format!("{:.2}", line.bill),
                format!("{:.2}", line.hindsight),
                format!("{:.1}", (line.bill / line.hindsight - 1.0) * 100.0),
                format!("{:.2}", line.over_bound * 100.0),
            ]);
        }
        let logs: f64 = own
            .iter()
            .map(|line| (line.bill / line.hindsight).ln())
            .sum();
        print!("{}", table.render(STYLE));
        println!(
            "geometric mean over hindsight: {:.1} %\n",
            ((logs / own.len() as f64).exp() - 1.0) * 100.0
        );
    }
}
