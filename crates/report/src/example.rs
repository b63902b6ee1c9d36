//! A made-up backtest for the tests and the preview: three weeks of a shop with a flash crowd.

use jiff::{SignedDuration, Timestamp};

use crate::result::*;
use crate::verdict::verdict;

const UNIT: f64 = 310.0;
/// Flash crowds by day and hour of the day, the worst first.
const CROWDS: [(i64, f64); 10] = [
    (16, 13.0),
    (8, 14.05),
    (10, 8.4),
    (12, 19.7),
    (13, 10.2),
    (15, 20.0),
    (17, 9.1),
    (18, 12.0),
    (19, 18.3),
    (20, 15.5),
];

/// Three weeks in buckets of `minutes`.
pub fn result(minutes: usize) -> BacktestResult {
    let first: Timestamp = "2025-03-03T00:00:00Z".parse().unwrap();
    let objective = Some(ObjectiveView {
        metric: Metric::Unserved,
        target_share: 0.005,
    });
    let policies = policies();
    let worst = CROWDS.iter().enumerate().map(|(rank, (day, hour))| {
        let start = first + SignedDuration::from_secs(day * 86_400 + (hour * 3600.0) as i64);
        let peak = point(first, start + SignedDuration::from_mins(4), 1);
        WorstMoment {
            start,
            end: start + SignedDuration::from_mins(12),
            component: "web".to_owned(),
            demand: peak.demand_max.unwrap(),
            capacity: peak.ready_min,
            unserved_share_of_all: 0.21 / (1.0 + rank as f64),
            reason:
                "a flash crowd without warning: demand rose 38 % within 4 minutes, less than a boot"
                    .to_owned(),
            ordered_at: start - SignedDuration::from_mins(6),
            forecast_p50: peak.p50,
            forecast_p95: peak.p95,
        }
    });
    let worst: Vec<_> = worst.collect();
    let window = |moment: &WorstMoment| ChartData {
        step_label: "1 min".to_owned(),
        demand_unit: "interactions/min".to_owned(),
        points: (-120..120)
            .map(|minute| point(first, moment.start + SignedDuration::from_mins(minute), 1))
            .collect(),
        ..ChartData::default()
    };
    let end = first + SignedDuration::from_hours(21 * 24);
    let fan = |index: i64| {
        let p50 = level(first, end + SignedDuration::from_mins(15 * index));
        let spread = 0.05 + 0.002 * index as f64;
        FanPoint {
            t: end + SignedDuration::from_mins(15 * index),
            p05: p50 * (1.0 - spread),
            p50,
            p95: p50 * (1.0 + 1.4 * spread),
        }
    };
    BacktestResult {
        title: "Shop checkout, three weeks".to_owned(),
        synthetic: true,
        demand_source: "generated: shop, seed 7".to_owned(),
        first,
        last: end - SignedDuration::from_mins(1),
        step_seconds: 60,
        steps: 30_240,
        scored_steps: 20_101,
        missing_steps: 59,
        warm_up_seconds: 604_800,
        boot_seconds: 300,
        drain_seconds: 300,
        objective,
        components: vec!["web".to_owned()],
        verdict: verdict(&policies, objective.as_ref()),
        policies,
        chart: ChartData {
            step_label: format!("{minutes} min"),
            demand_unit: "interactions/min".to_owned(),
            points: (0..30_240 / minutes as i64)
                .map(|index| {
                    point(
                        first,
                        first + SignedDuration::from_mins(index * minutes as i64),
                        minutes as i64,
                    )
                })
                .collect(),
            detail: worst.iter().map(window).collect(),
            ahead: (0..96).map(fan).collect(),
        },
        worst,
        curve: curve(),
        notes: vec![
            "The demand was made up; it shows how the report looks and proves nothing.".to_owned(),
        ],
    }
}

/// One bucket, nothing observed, nothing finite.
pub fn degenerate() -> BacktestResult {
    let unknown = PolicyResult {
        name: "fleetcast".to_owned(),
        label: "Fleetcast".to_owned(),
        cost_usd: f64::NAN,
        cost_over_need: f64::INFINITY,
        unserved_share: f64::NAN,
        violation_minutes: f64::NAN,
        peak_units: f64::NEG_INFINITY,
        is_ours: true,
        ..PolicyResult::default()
    };
    let point = ChartPoint {
        ready_min: f64::NAN,
        ready_max: f64::INFINITY,
        p50: Some(f64::NAN),
        unserved: f64::NAN,
        ..ChartPoint::default()
    };
    let moment = WorstMoment {
        demand: f64::NAN,
        capacity: f64::INFINITY,
        ..WorstMoment::default()
    };
    let nowhere = CurvePoint {
        policy: "hpa".to_owned(),
        cost_over_oracle: f64::NAN,
        unserved_share: 0.0,
        ..CurvePoint::default()
    };
    let fan = FanPoint {
        p05: f64::NAN,
        p50: f64::NAN,
        p95: f64::NAN,
        ..FanPoint::default()
    };
    BacktestResult {
        policies: vec![unknown],
        chart: ChartData {
            points: vec![point],
            detail: vec![ChartData::default()],
            ahead: vec![fan],
            ..ChartData::default()
        },
        worst: vec![moment],
        curve: vec![nowhere],
        objective: Some(ObjectiveView {
            metric: Metric::Unserved,
            target_share: 0.0,
        }),
        ..BacktestResult::default()
    }
}

fn policies() -> Vec<PolicyResult> {
    let policy =
        |name: &str, label: &str, cost_usd: f64, unserved_share, minutes: f64, actions, starts| {
            PolicyResult {
                name: name.to_owned(),
                label: label.to_owned(),
                cost_usd,
                cost_over_oracle: Some(cost_usd / 1010.0),
                cost_over_need: cost_usd / 980.0,
                unserved_share,
                violation_minutes: minutes,
                violation_share: minutes / 20_101.0,
                scale_actions_per_day: actions,
                starts_per_day_fleets: starts,
                peak_units: 46.0,
                mean_units: cost_usd / 44.0,
                standby_cost_usd: None,
                is_ours: name == "fleetcast",
                hindsight: name == "oracle",
            }
        };
    vec![
        policy("fleetcast", "Fleetcast", 1234.0, 0.0048, 412.0, 61.3, 1.94),
        policy(
            "hpa:0.6,min=12",
            "Kubernetes HPA at 60 %, floor 12",
            1890.0,
            0.0061,
            655.0,
            143.8,
            6.2,
        ),
        policy(
            "yesterday",
            "Same time yesterday",
            1602.0,
            0.0192,
            1730.0,
            52.0,
            1.71,
        ),
        policy(
            "static:44",
            "Static, 44 units",
            3960.0,
            0.000034,
            4.0,
            0.0,
            0.0,
        ),
        policy("oracle", "Perfect foresight", 1010.0, 0.0, 0.0, 58.9, 1.88),
    ]
}

fn curve() -> Vec<CurvePoint> {
    let line = |policy: &str, scale: f64, steep: i32| {
        let policy = policy.to_owned();
        (0..9).map(move |index| CurvePoint {
            policy: policy.clone(),
            knob: format!("target {} %", 40 + 5 * index),
            cost_over_oracle: 1.0 + scale * 0.72_f64.powi(index) * f64::from(steep),
            unserved_share: 0.0001 * 1.9_f64.powi(index),
        })
    };
    line("fleetcast", 0.9, 1)
        .chain(line("hpa", 1.1, 2))
        .chain(line("yesterday", 1.3, 2))
        .chain(line("static", 1.1, 4))
        .collect()
}

/// Expected demand: a day and a week, made of parabolas (the pure crates have no `sin`).
fn level(first: Timestamp, t: Timestamp) -> f64 {
    let hours = (t - first).total(jiff::Unit::Hour).unwrap();
    let day = (hours / 24.0).floor();
    let hour = hours - 24.0 * day;
    let sun = (1.0 - ((hour - 15.0) / 11.0).powi(2)).max(0.0);
    let weekend = if day.rem_euclid(7.0) >= 5.0 { 0.7 } else { 1.0 };
    2_200.0 + 7_800.0 * sun * sun * weekend
}

fn point(first: Timestamp, t: Timestamp, minutes: i64) -> ChartPoint {
    let minute = (t - first).total(jiff::Unit::Minute).unwrap();
    let noise = ((minute * 7919.0).rem_euclid(1000.0) / 1000.0 - 0.5) * 0.10;
    let mean = level(first, t);
    let crowd = CROWDS.iter().enumerate().map(|(rank, (day, hour))| {
        let since = minute - (*day as f64 * 24.0 + hour) * 60.0;
        if (0.0..40.0).contains(&since) {
            (0.6 - 0.03 * rank as f64) * (1.0 - since / 40.0)
        } else {
            0.0
        }
    });
    let demand = mean * (1.0 + noise) * (1.0 + crowd.sum::<f64>());
    let missing = (14_000.0..14_060.0).contains(&minute);
    let seen = |value: f64| (!missing).then_some(value);
    let known = minute > 2_880.0;
    let ready = (mean * 1.16 / UNIT).ceil() * UNIT;
    let width = if minutes > 1 { 0.05 } else { 0.0 };
    ChartPoint {
        t,
        demand_min: seen(demand * (1.0 - width)),
        demand_mean: seen(demand),
        demand_max: seen(demand * (1.0 + width)),
        p05: known.then_some(mean * 0.9),
        p50: known.then_some(mean * 1.01),
        p95: known.then_some(mean * 1.12),
        ready_min: ready,
        ready_max: ready + if minutes > 1 { UNIT } else { 0.0 },
        need: seen((demand / UNIT).ceil() * UNIT),
        unserved: seen((demand - ready).max(0.0)).unwrap_or(0.0),
    }
}
