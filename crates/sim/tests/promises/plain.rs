//! The plain setting is `$FLEETCAST_SHARED/peers/fleet.py`: written down again here, on its own, and its figures on two open traces.

use std::path::PathBuf;

use fleetcast_series::{Series, Step as Length};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::{
    POLICIES, START, STEP_SECONDS, Shape, Site, cases, minutes, plain_site_of, series, shapes,
};

/// `fleet.py`: demand with its last known value where it is missing, and the rules in steps.
struct Reference {
    demand: Vec<f64>,
    per_unit: f64,
    boot: usize,
    drain: usize,
    /// Steps of five minutes and of fifteen, and of a day.
    five: usize,
    fifteen: usize,
    day: usize,
}

/// What a step had in service and paid for, in units.
type Step = (u64, u64);

impl Reference {
    /// `Trace.run`.
    fn run(&self, mut policy: impl FnMut(usize, u64, u64) -> u64, hold: usize) -> Vec<Step> {
        let need = (self.demand[0] / self.per_unit).ceil() as u64;
        let (mut ready, mut pending) = (need.max(1), Vec::<(usize, u64)>::new());
        let steps = self.demand.len();
        let mut draining = vec![0_u64; steps + self.drain + 1];
        let (mut history, mut out) = (Vec::new(), Vec::new());
        for t in 0..steps {
            while pending.first().is_some_and(|(serves, _)| *serves <= t) {
                ready += pending.remove(0).1;
            }
            let total = ready + pending.iter().map(|(_, units)| units).sum::<u64>();
            out.push((ready, total + draining[t]));
            let want = policy(t, ready, total).max(1);
            history.push(want);
            let lately = &history[history.len().saturating_sub(hold.max(1))..];
            let down = lately.iter().copied().max().unwrap_or(want);
            if want > total {
                pending.push((t + 1 + self.boot, want - total));
            } else if down < total {
                let mut cut = total - down;
                while cut > 0 && !pending.is_empty() {
                    let (serves, units) = pending.pop().unwrap_or_default();
                    if units > cut {
                        pending.push((serves, units - cut));
                    }
                    cut -= units.min(cut);
                }
                ready -= cut;
                draining[t + 1..t + 1 + self.drain]
                    .iter_mut()
                    .for_each(|units| *units += cut);
            }
        }
        out
    }

    fn hpa(&self, t: usize, ready: u64, total: u64, target: f64) -> u64 {
        let used = self.demand[t] / (ready as f64 * self.per_unit);
        if (used / target - 1.0).abs() <= 0.1 {
            total
        } else {
            (ready as f64 * used / target).ceil() as u64
        }
    }

    fn highest(&self, from: usize, until: usize) -> f64 {
        self.demand[from..until].iter().copied().fold(0.0, f64::max)
    }

    /// The policies that `fleet.py` has; `None`: another one.
    fn policy(&self, text: &str) -> Option<Vec<Step>> {
        let units = |value: f64| value.ceil() as u64;
        Some(match text {
            "hpa:0.6" => self.run(|t, ready, total| self.hpa(t, ready, total, 0.6), self.five),
            "react:1.2" => {
                let recent =
                    |t: usize| self.highest((t + 1).saturating_sub(self.boot.max(1)), t + 1);
                self.run(|t, _, _| units(1.2 * recent(t) / self.per_unit), self.five)
            }
            "max:0.8" => {
                let ahead = self.boot + self.fifteen;
                let past = |t: usize| match t.checked_sub(self.day) {
                    Some(then) => {
                        units(self.highest(then, then + ahead + 1) / (self.per_unit * 0.8))
                    }
                    None => 1,
                };
                self.run(
                    |t, ready, total| self.hpa(t, ready, total, 0.8).max(past(t)),
                    self.five,
                )
            }
            "static:40" => self.run(|_, _, _| 40, 1),
            _ => return None,
        })
    }
}

/// What serves and what is paid for is the reference's in every step: for its policies by their rules, for
/// everybody by the units that were wanted.
fn check(demand: &Series, per_unit: f64, text: &str, boot: SignedDuration, drain: SignedDuration) {
    let mut site = plain_site_of(demand, per_unit, text, boot);
    site.simulation.lifecycles[0].drain = whole_steps(drain);
    site.config.fleet.components[0].timing.drain = whole_steps(drain);
    let log = site.run();
    let reference = reference(&site, per_unit, boot, drain);
    let found: Vec<Step> = log
        .intervals
        .iter()
        .map(|interval| interval.components[0].serving)
        .map(|serving| (serving.ready, serving.paid))
        .collect();
    let wanted = |t: usize| log.steps[t].components[0].wanted.get();
    assert_same(&found, &reference.run(|t, _, _| wanted(t), 1), text);
    if let Some(by_rule) = reference.policy(text) {
        assert_same(&found, &by_rule, text);
    }
    let step = u128::from(STEP_SECONDS);
    for interval in &log.intervals {
        let at = &interval.components[0];
        assert_eq!(
            at.bill,
            u128::from(at.serving.paid) * 1_000_000 * step,
            "{text}"
        );
    }
}

#[track_caller]
fn assert_same(found: &[Step], expected: &[Step], text: &str) {
    let differs = (0..expected.len()).find(|t| found.get(*t) != expected.get(*t));
    if let Some(t) = differs {
        panic!(
            "{text}: step {t} has {:?} and not {:?}",
            found.get(t),
            expected[t]
        );
    }
    assert_eq!(found.len(), expected.len());
}

fn reference(site: &Site, per_unit: f64, boot: SignedDuration, drain: SignedDuration) -> Reference {
    let demand = &site.simulation.demand[0];
    let seconds = i64::from(site.config.step_seconds);
    let steps = |time: SignedDuration| ((time.as_secs() + seconds - 1) / seconds) as usize;
    let (filled, _) = demand.filled_forward().expect("some demand is known");
    Reference {
        demand: filled,
        per_unit,
        boot: steps(boot),
        drain: steps(drain),
        five: steps(minutes(5)),
        fifteen: steps(minutes(15)),
        day: steps(minutes(1_440)),
    }
}

fn whole_steps(time: SignedDuration) -> SignedDuration {
    let step = i64::from(STEP_SECONDS);
    SignedDuration::from_secs((time.as_secs() + step - 1) / step * step)
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_fleet_is_that_of_the_benchmark_in_every_step(
        shape in shapes(), text in prop::sample::select(&POLICIES[..]), boot in 0_i64..45, drain in 0_i64..20,
    ) {
        let shape: Shape = shape;
        // The plain fleet's ceiling is four thousand million units: spikes stay below it.
        let values = shape.values(600).into_iter().map(|value| value.map(|value| value.min(1e9)));
        let demand = series(START, values.collect());
        check(&demand, 40.0, text, minutes(boot), minutes(drain));
    }
}

/// Cost, unserved demand in percent and starts a day, as `fleet.py` prints them.
type Figures = (&'static str, f64, f64, f64);

/// Made by these lines (Python 3, numpy, pandas) in the folder `peers`:
///
/// ```text
/// import fleet, numpy as np
/// for n in ["ms_mongo_machine_1min", "aws_elb_requests_5min"]:
///     t = fleet.Trace(f"../data/traces/open/{n}.csv"); k = np.full(len(t.d), 40.0); print(n, repr(float(t.c)))
///     for p in [fleet.hpa(t, .6), fleet.hpa(t, .8, 12), fleet.react(t, 1.2), fleet.hpa_or_yesterday(t, .8)]:
///         r, paid = t.run(p, t.boot); print(*t.score(r, paid), t.starts_per_day(r))
///     print(*t.score(k, k), t.starts_per_day(k))
/// ```
const TRACES: [(&str, u32, f64, [Figures; 5]); 2] = [
    (
        "ms_mongo_machine_1min",
        60,
        41.91025,
        [
            ("hpa:0.6", 1.7959, 0.0626, 4.9523),
            ("hpa:0.8,min=12", 1.3506, 0.1574, 4.9808),
            ("react:1.2", 1.3381, 0.1542, 7.0329),
            ("max:0.8", 1.5445, 0.0397, 4.6992),
            ("static:40", 2.1219, 0.1856, 0.0000),
        ],
    ),
    (
        "aws_elb_requests_5min",
        300,
        6.284500000000003,
        [
            ("hpa:0.6", 1.9705, 40.9644, 83.0550),
            ("hpa:0.8,min=12", 1.7822, 21.1524, 20.2808),
            ("react:1.2", 1.3749, 50.9476, 75.7862),
            ("max:0.8", 2.8699, 8.2989, 19.2321),
            ("static:40", 4.1071, 0.8307, 0.0000),
        ],
    ),
];

#[test]
fn figures_on_open_traces_are_those_of_the_benchmark() {
    for (name, step_seconds, per_unit, figures) in TRACES {
        let Some(demand) = open_trace(name, step_seconds) else {
            println!("skipped: no open traces here; FLEETCAST_SHARED names their folder");
            return;
        };
        for (text, cost, unserved, starts) in figures {
            let mut site = plain_site_of(&demand, per_unit, text, minutes(5));
            site.config.warm_up_steps = 7 * 86_400 / u64::from(step_seconds);
            let tally = site.run().tally;
            let found = [
                tally.cost_over_need(),
                100.0 * tally.unserved_share(),
                tally.starts_per_day(),
            ];
            let found = found.map(|figure| format!("{figure:.4}"));
            let expected = [cost, unserved, starts].map(|figure| format!("{figure:.4}"));
            assert_eq!(found, expected, "{text} on {name}");
        }
    }
}

/// A trace with its gaps; `None` where the shared folder is not at hand.
#[expect(
    clippy::disallowed_methods,
    reason = "the crate does no I/O, its test reads a trace"
)]
fn open_trace(name: &str, step_seconds: u32) -> Option<Series> {
    let shared = std::env::var_os("FLEETCAST_SHARED").map(PathBuf::from);
    let shared = shared
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")));
    let path = shared.join(format!("data/traces/open/{name}.csv"));
    let text = std::fs::read_to_string(path).ok()?;
    let rows = text.lines().skip(1).map(|line| {
        let (at, value) = line.split_once(',').expect("two columns");
        let at: Timestamp = at.parse().expect("a moment");
        (at, value.parse::<f64>().expect("a number"))
    });
    let mut values: Vec<Option<f64>> = Vec::new();
    let mut start = None;
    for (at, value) in rows {
        let first = *start.get_or_insert(at);
        let index = (at.duration_since(first).as_secs() / i64::from(step_seconds)) as usize;
        values.resize(index, None);
        values.push(Some(value));
    }
    Some(Series::from_values(
        start?,
        Length::from_seconds(step_seconds)?,
        values,
    ))
}
