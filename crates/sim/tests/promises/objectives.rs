//! A stated objective is held, by small fleets as by large ones, and known events are not counted twice.

use fleetcast_model::{Event, EventKind, EventScope, Objective, ObjectiveMetric, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_series::{Series, Step};
use fleetcast_sim::{PlainSetting, Tally, simulate};
use jiff::{SignedDuration, Timestamp};

const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
const DAY: usize = 288;

/// Ten days of a smooth day by five minutes, between 250 and 750.
fn smooth(at: usize) -> f64 {
    500.0 + 250.0 * libm::sin(at as f64 / DAY as f64 * std::f64::consts::TAU)
}

fn history(demand: impl Fn(usize) -> f64) -> Series {
    let step = Step::from_seconds(300).expect("a step");
    Series::from_values(START, step, (0..10 * DAY).map(|at| Some(demand(at))))
}

fn setting(per_unit: f64, share: f64) -> PlainSetting {
    let target = Share::new(share).expect("a share");
    PlainSetting {
        per_unit,
        boot: SignedDuration::from_mins(5),
        drain: SignedDuration::from_mins(5),
        warm_up: SignedDuration::from_hours(4 * 24),
        objective: Some(Objective::over_28_days(ObjectiveMetric::Unserved, target)),
        standby: None,
    }
}

fn run(demand: &Series, setting: &PlainSetting, events: Vec<Event>) -> Tally {
    let mut config = setting.engine_config(demand, PolicySpec::new(PolicyKind::Fleetcast, 0.0));
    config.events = events;
    let warm_up = config.warm_up_steps as usize;
    let tally = Tally::new(warm_up, config.step_seconds, vec![1_000_000]);
    simulate(config, &setting.simulation(demand), tally).expect("it runs")
}

#[test]
fn fleets_of_any_size_hold_what_was_stated() {
    let demand = history(smooth);
    for per_unit in [400.0, 200.0, 100.0, 50.0, 20.0] {
        for share in [0.005, 0.001] {
            let achieved = run(&demand, &setting(per_unit, share), Vec::new()).unserved_share();
            assert!(
                achieved < 1.5 * share,
                "units of {per_unit}: {achieved} of {share} was left unserved"
            );
        }
    }
}

#[test]
fn a_demand_that_never_changes_is_served() {
    let demand = history(|_| 1_000.0);
    for per_unit in [400.0, 300.0] {
        let tally = run(&demand, &setting(per_unit, 0.005), Vec::new());
        let achieved = tally.unserved_share();
        assert!(achieved < 0.0075, "units of {per_unit}: {achieved}");
        assert!(tally.cost_over_need() < 1.01, "units of {per_unit}");
    }
}

/// A sale that doubles demand from 18:00 to 20:00 each evening.
fn with_sale(at: usize) -> f64 {
    let hour = (at % DAY) / 12;
    smooth(at) * if (18..20).contains(&hour) { 2.0 } else { 1.0 }
}

fn sales() -> Vec<Event> {
    let sale = |day: i64| {
        let start = START + SignedDuration::from_hours(24 * day + 18);
        Event {
            name: format!("sale {day}"),
            kind: EventKind::Campaign,
            start,
            end: start + SignedDuration::from_hours(2),
            confidence: Share::new(1.0).expect("a share"),
            scope: EventScope::default(),
            uplift: Some(2.0),
        }
    };
    (0..10).map(sale).collect()
}

#[test]
fn an_event_that_recurs_counts_once() {
    let demand = history(with_sale);
    let setting = setting(20.0, 0.005);
    let known = run(&demand, &setting, sales());
    assert!(
        known.unserved_share() < 0.0075,
        "{}",
        known.unserved_share()
    );
    // Counted twice, it would be bought twice over for two hours of each day.
    assert!(known.cost_over_need() < 1.04, "{}", known.cost_over_need());
}

#[test]
fn an_event_that_comes_once_is_there_in_time() {
    let once = |at: usize| {
        if (8 * DAY..9 * DAY).contains(&at) {
            with_sale(at)
        } else {
            smooth(at)
        }
    };
    let demand = history(once);
    let setting = setting(20.0, 0.001);
    let (known, unknown) = (
        run(&demand, &setting, vec![sales().remove(8)]),
        run(&demand, &setting, Vec::new()),
    );
    assert!(
        known.unserved < 0.5 * unknown.unserved,
        "{} known, {} unknown",
        known.unserved,
        unknown.unserved
    );
}

/// Flash sales of two hours that treble demand, at another time each day, with nothing stated of them.
#[test]
fn what_events_do_is_learned_from_those_before() {
    let hour_of = |day: usize| 2 + (7 * day) % 19;
    let demand = history(|at| {
        let (day, hour) = (at / DAY, (at % DAY) / 12);
        let on = (hour_of(day)..hour_of(day) + 2).contains(&hour);
        smooth(at) * if on { 3.0 } else { 1.0 }
    });
    let flash = |mut sale: Event| {
        let day = sale.start.duration_since(START).as_hours() / 24;
        sale.start = START + SignedDuration::from_hours(24 * day + hour_of(day as usize) as i64);
        sale.end = sale.start + SignedDuration::from_hours(2);
        sale.uplift = None;
        sale
    };
    let setting = setting(20.0, 0.005);
    let known = run(&demand, &setting, sales().into_iter().map(flash).collect());
    let unknown = run(&demand, &setting, Vec::new());
    assert!(
        known.unserved < unknown.unserved && known.cost_over_need() < unknown.cost_over_need(),
        "{} at {} known, {} at {} unknown",
        known.unserved_share(),
        known.cost_over_need(),
        unknown.unserved_share(),
        unknown.cost_over_need()
    );
}
