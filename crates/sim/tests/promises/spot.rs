//! Spot: pools are taken back as a whole, and the fleet lives on.

use fleetcast_engine::{Engine, EngineConfig, Part, Step};
use fleetcast_model::{
    InstanceState, MicroUsdPerHour, Objective, ObjectiveMetric, Observation, Offer, OfferId,
    OfferIndex, OfferPrice, PricesObserved, PurchaseKind, Share, Units, Zone,
};
use fleetcast_series::{Series, Step as SeriesStep};
use fleetcast_sim::{
    Interval, Outage, PlainSetting, PlainStandby, PriceCourse, Simulation, Sink, SpotMarket,
    SpotPrices, simulate,
};
use jiff::{SignedDuration, Timestamp};

const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
const WANTED: u64 = 40;
const FLOOR: u64 = 10;

fn minute(minute: i64) -> Timestamp {
    START + SignedDuration::from_mins(minute)
}

fn outage(from: i64, until: i64) -> Outage {
    Outage {
        from: minute(from),
        until: minute(until),
    }
}

/// What served in each minute, what was billed, and the steps as they would be recorded.
#[derive(Default)]
struct Course {
    ready: Vec<u64>,
    bill: u128,
    bytes: Vec<u8>,
    /// Instances in each of the three zones, in each minute.
    zones: Vec<[u64; 3]>,
    /// Instances ordered.
    ordered: Vec<u64>,
}

impl Sink for Course {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        self.ready.push(interval.components[0].serving.ready);
        let mut zones = [0; 3];
        for told in seen {
            if let Observation::Inventory(inventory) = told {
                for cohort in inventory.cohorts.iter().filter(|one| one.offer.0 > 0) {
                    zones[usize::from(cohort.offer.0) - 1] += u64::from(cohort.count);
                }
            }
        }
        self.zones.push(zones);
        self.ordered.push(step.components[0].ordered.get());
        self.bill += interval.components[0].bill;
        self.bytes
            .extend(serde_json::to_vec(step).expect("a step is data"));
    }
}

/// A level demand of forty units for a day, on demand at a dollar and spot at forty cents in three zones, of which
/// these outages take some; the place of a zone's pool in the market is its number.
fn run(outages: [Vec<Outage>; 3]) -> Course {
    let [a, b, c] = outages;
    run_in(SpotMarket::recorded(vec![Vec::new(), a, b, c]), Vec::new())
}

/// The same in a market, by an engine without some of its parts.
fn run_in(market: SpotMarket, without: Vec<Part>) -> Course {
    let (mut config, mut simulation) = site();
    config.without = without;
    simulation.spot = Some(market);
    simulate(config, &simulation, Course::default()).expect("a good configuration")
}

/// A day at a level demand, without any market.
fn site() -> (EngineConfig, Simulation) {
    let values = (0..1_440).map(|_| Some(WANTED as f64 - 0.5));
    let demand = Series::from_values(START, SeriesStep::MINUTE, values);
    let setting = PlainSetting {
        per_unit: 1.0,
        boot: SignedDuration::from_mins(3),
        drain: SignedDuration::from_mins(2),
        warm_up: SignedDuration::ZERO,
        objective: None,
        standby: None,
    };
    let policy = format!("static:{WANTED}").parse().expect("a policy");
    let mut config = setting.engine_config(&demand, policy);
    let firm = config.offers[0].clone();
    for zone in ["a", "b", "c"] {
        config.offers.push(Offer {
            id: OfferId::new(&format!("spot/{zone}")).expect("a name"),
            zone: Some(Zone::new(zone).expect("a name")),
            purchase: PurchaseKind::Spot,
            price: MicroUsdPerHour::new(400_000),
            ..firm.clone()
        });
    }
    let component = &mut config.fleet.components[0];
    component.floor = Units::new(FLOOR);
    component.placements[0]
        .purchase_kinds
        .push(PurchaseKind::Spot);
    let simulation = setting.simulation(&demand);
    (config, simulation)
}

fn on_demand() -> u128 {
    u128::from(WANTED) * 86_400 * 1_000_000
}

#[test]
fn spot_that_nobody_takes_back_is_had_at_its_price() {
    let course = run([Vec::new(), Vec::new(), Vec::new()]);
    assert!(course.ready.iter().all(|ready| *ready >= WANTED));
    assert!(course.bill * 2 < on_demand(), "{}", course.bill);
}

#[test]
fn the_floor_stands_when_any_pool_goes_and_what_is_lost_is_back_soon() {
    for pool in 0..3 {
        let mut outages = [Vec::new(), Vec::new(), Vec::new()];
        outages[pool] = vec![outage(600, 660)];
        let course = run(outages);
        assert!(course.ready.iter().all(|ready| *ready >= FLOOR));
        let short = course.ready.iter().filter(|ready| **ready < WANTED).count();
        assert!(short <= 6, "{short} minutes short after pool {pool} went");
    }
}

#[test]
fn a_fleet_without_any_spot_left_falls_back_on_demand_and_returns() {
    let all = || vec![outage(600, 780)];
    let course = run([all(), all(), all()]);
    assert!(
        course.ready[612..].iter().all(|ready| *ready >= WANTED),
        "on demand serves"
    );
    let three_hours = on_demand() / 8;
    assert!(
        course.bill < on_demand() * 5 / 10 + three_hours,
        "and is given back when spot returns: {}",
        course.bill
    );
}

/// Prices of the three zones' pools that change at these minutes.
fn priced(changes: [&[(i64, u64)]; 3]) -> SpotMarket {
    let course = |changes: &[(i64, u64)]| -> PriceCourse {
        let change = |(at, price): &(i64, u64)| (minute(*at), MicroUsdPerHour::new(*price));
        changes.iter().map(change).collect()
    };
    let courses = changes.into_iter().map(course);
    let prices = SpotPrices::recorded(std::iter::once(PriceCourse::new()).chain(courses).collect());
    SpotMarket::default().priced(prices)
}

#[test]
fn a_pool_whose_price_rises_is_left_and_what_serves_never_falls_short_of_it() {
    let rises: &[(i64, u64)] = &[(300, 1_200_000)];
    let told = run_in(priced([rises, &[], &[]]), Vec::new());
    assert!(told.zones[290][0] > 0, "{:?}", told.zones[290]);
    assert_eq!(told.zones[330][0], 0, "left within half an hour");
    assert!(told.ready.iter().all(|ready| *ready >= WANTED));
    let deaf = run_in(priced([rises, &[], &[]]), vec![Part::Prices]);
    assert_eq!(deaf.zones[1_400][0], deaf.zones[290][0]);
    assert!(
        told.bill * 100 < deaf.bill * 90,
        "{} and {}",
        told.bill,
        deaf.bill
    );
}

#[test]
fn prices_that_cross_and_cross_again_move_nothing() {
    let up_and_down: Vec<(i64, u64)> = (20..140)
        .map(|at| (at * 10, if at % 2 == 0 { 392_000 } else { 408_000 }))
        .collect();
    let other: Vec<(i64, u64)> = (20..140)
        .map(|at| (at * 10, if at % 2 == 0 { 408_000 } else { 392_000 }))
        .collect();
    let course = run_in(priced([&up_and_down, &other, &[]]), Vec::new());
    let moved: u64 = course.ordered[190..].iter().sum();
    assert_eq!(moved, 0);
}

#[test]
fn a_price_that_is_none_or_late_or_from_the_future_is_not_believed() {
    let mut engine = Engine::new(site().0).expect("a good configuration");
    let mut told = |now: i64, as_of: i64, offer: u16, price: u64| {
        let price = OfferPrice {
            offer: OfferIndex(offer),
            price: MicroUsdPerHour::new(price),
        };
        let told = Observation::Prices(PricesObserved {
            as_of: minute(as_of),
            prices: vec![price],
        });
        engine.step(minute(now), &[told]);
        let offers = engine.explain(0).offers;
        let of = |name: &str| {
            let found = offers.iter().find(|(id, ..)| id.as_str() == name);
            found.map(|(_, _, price)| price.get())
        };
        (of("spot/a"), of("spot/b"))
    };
    let listed = Some(400_000);
    assert_eq!(told(1, 1, 1, 300_000), (Some(300_000), listed));
    assert_eq!(told(2, 2, 1, 0), (Some(300_000), listed), "nothing is free");
    assert_eq!(
        told(3, 4, 2, 500_000),
        (Some(300_000), listed),
        "from the future"
    );
    assert_eq!(told(4, 1, 2, 500_000), (Some(300_000), listed), "late");
    assert_eq!(
        told(5, 5, 77, 500_000),
        (Some(300_000), listed),
        "of no offer"
    );
    assert_eq!(told(6, 5, 2, 500_000), (Some(300_000), Some(500_000)));
}

#[test]
fn what_runs_costs_the_price_of_the_moment() {
    let still = run_in(priced([&[], &[], &[]]), Vec::new());
    // By less than what a move would need, in the second half of the day.
    let half: &[(i64, u64)] = &[(720, 420_000)];
    let dearer = run_in(priced([half, half, half]), Vec::new());
    assert_eq!(dearer.zones, still.zones);
    let spot: u64 = (still.zones[719..1_439].iter().flatten()).sum();
    let more = u128::from(spot) * 60 * 20_000;
    assert_eq!(dearer.bill - still.bill, more);
}

#[test]
fn equal_markets_give_equal_bytes() {
    let outages = || [vec![outage(300, 400)], vec![outage(305, 330)], Vec::new()];
    assert_eq!(run(outages()).bytes, run(outages()).bytes);
}

/// What stood by for losses, stood by in all, served and was promoted in each minute.
#[derive(Default)]
struct Standing(Vec<(u64, u64, u64, u64)>);

impl Sink for Standing {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        let report = &step.components[0];
        let standby = report.standby.expect("it has standby");
        let serving = interval.components[0].serving;
        self.0.push((
            standby.for_losses.get(),
            serving.standby,
            serving.ready,
            serving.promoted,
        ));
        assert!(report.wanted + standby.wanted <= report.ledger.total());
        let firm = seen.iter().all(|told| match told {
            Observation::Inventory(inventory) => inventory.cohorts.iter().all(|cohort| {
                let stands_by = matches!(
                    cohort.state,
                    InstanceState::Standby | InstanceState::Preparing | InstanceState::Demoting
                );
                !stands_by || cohort.offer == OfferIndex(0)
            }),
            _ => true,
        });
        assert!(firm, "spot stands by for spot");
    }
}

/// A level demand for two days, on demand and spot at a third of it in so many zones, with standby.
fn with_standby(zones: u16, outages: Vec<Vec<Outage>>) -> Standing {
    let values = (0..2_880).map(|_| Some(WANTED as f64 - 0.5));
    let demand = Series::from_values(START, SeriesStep::MINUTE, values);
    let target = Share::per_mille(5);
    let setting = PlainSetting {
        per_unit: 1.0,
        boot: SignedDuration::from_mins(8),
        drain: SignedDuration::from_mins(2),
        warm_up: SignedDuration::from_hours(12),
        objective: Some(Objective::over_28_days(ObjectiveMetric::Unserved, target)),
        standby: Some(PlainStandby {
            promotion: SignedDuration::from_secs(60),
            price_share: Share::per_mille(100),
        }),
    };
    let policy = "fleetcast".parse().expect("a policy");
    let mut config = setting.engine_config(&demand, policy);
    let firm = config.offers[0].clone();
    for zone in 0..zones {
        config.offers.push(Offer {
            id: OfferId::new(&format!("spot/{zone}")).expect("a name"),
            zone: Some(Zone::new(&format!("z{zone}")).expect("a name")),
            purchase: PurchaseKind::Spot,
            price: MicroUsdPerHour::new(300_000),
            ..firm.clone()
        });
    }
    let component = &mut config.fleet.components[0];
    component.sla.availability = Share::new(0.9);
    component.placements[0]
        .purchase_kinds
        .push(PurchaseKind::Spot);
    let mut simulation = setting.simulation(&demand);
    let all = std::iter::once(Vec::new()).chain(outages).collect();
    simulation.spot = Some(SpotMarket::recorded(all));
    simulate(config, &simulation, Standing::default()).expect("a good configuration")
}

#[test]
fn much_spot_in_one_zone_has_more_standby_than_the_same_in_three() {
    let late = |run: &Standing| run.0[2_400];
    let one = late(&with_standby(1, vec![Vec::new()]));
    let three = late(&with_standby(3, vec![Vec::new(); 3]));
    assert!(one.0 > three.0 && three.0 > 0, "{one:?}, {three:?}");
    assert!(one.1 >= one.0 && three.1 >= three.0, "{one:?}, {three:?}");
}

#[test]
fn what_stands_by_for_losses_serves_when_a_zone_goes() {
    let run = with_standby(1, vec![vec![outage(2_000, 2_100)]]);
    let promoted: u64 = run.0[2_000..2_010].iter().map(|row| row.3).sum();
    assert!(promoted > 0, "{:?}", &run.0[1_998..2_012]);
    // From the second minute after it all serve that a boot would have been waited for.
    let short = |row: &&(u64, u64, u64, u64)| row.2 < WANTED;
    let missed = run.0[2_000..2_020].iter().filter(short).count();
    assert!(missed <= 3, "{:?}", &run.0[1_998..2_020]);
}
