//! Standby: the rules of the plain setting, worked out again from the decisions, and what it saves.

use fleetcast_engine::Step as Decision;
use fleetcast_model::{Objective, ObjectiveMetric, Observation, Share, StandbyTerms, StandbyTier};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_series::{Series, Step};
use fleetcast_sim::{Interval, PlainSetting, PlainStandby, Sink, StandbyLife, Tally, simulate};
use jiff::{SignedDuration, Timestamp};

const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
const PER_UNIT: f64 = 50.0;

/// A day's course with bursts at moments that nothing tells of.
fn bursty(at: usize, step_seconds: u32) -> f64 {
    let day = 86_400.0 / f64::from(step_seconds);
    let course = 300.0 + 100.0 * libm::sin(at as f64 / day * std::f64::consts::TAU);
    let mixed = |x: u64| (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    let spell = 900 / step_seconds as usize;
    let drawn = mixed(((at / spell) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) % 97;
    course * if drawn < 4 { 3.0 + drawn as f64 } else { 1.0 }
}

fn history(step_seconds: u32, days: usize) -> Series {
    let step = Step::from_seconds(step_seconds).expect("a step");
    let steps = days * 86_400 / step_seconds as usize;
    let values = (0..steps).map(|at| Some(bursty(at, step_seconds)));
    Series::from_values(START, step, values)
}

fn setting(standby: bool) -> PlainSetting {
    let target = Share::per_mille(5);
    PlainSetting {
        per_unit: PER_UNIT,
        boot: SignedDuration::from_mins(5),
        drain: SignedDuration::from_mins(5),
        warm_up: SignedDuration::from_hours(2 * 24),
        objective: Some(Objective::over_28_days(ObjectiveMetric::Unserved, target)),
        standby: standby.then(|| PlainStandby {
            promotion: SignedDuration::from_secs(60),
            price_share: Share::per_mille(100),
        }),
    }
}

/// What a step was like, and what was decided at its end.
#[derive(Clone, Copy, Debug)]
struct Row {
    demand: f64,
    unserved: f64,
    bill: u128,
    ready: u64,
    promoted: u64,
    standby: u64,
    paid: u64,
    wanted: u64,
    standby_wanted: u64,
}

#[derive(Default)]
struct Rows(Vec<Row>);

impl Sink for Rows {
    fn step(&mut self, interval: &Interval, _: &[Observation], step: &Decision) {
        let (at, report) = (&interval.components[0], &step.components[0]);
        let standby_wanted = report.standby.map_or(0, |standby| standby.wanted.get());
        assert_eq!(
            report.ledger.total().get(),
            report.wanted.get() + standby_wanted,
            "the ledger"
        );
        self.0.push(Row {
            demand: at.volume,
            unserved: at.unserved,
            bill: at.bill,
            ready: at.serving.ready,
            promoted: at.serving.promoted,
            standby: at.serving.standby,
            paid: at.serving.paid,
            wanted: report.wanted.get(),
            standby_wanted,
        });
    }
}

fn run<S: Sink>(demand: &Series, setting: &PlainSetting, sink: S) -> S {
    let config = setting.engine_config(demand, PolicySpec::new(PolicyKind::Fleetcast, 0.0));
    simulate(config, &setting.simulation(demand), sink).expect("it runs")
}

/// The rules, as a person would write them down: units by the step in which they serve or are gone.
#[derive(Default)]
struct Rules {
    ready: u64,
    standby: u64,
    booting: Vec<(usize, u64)>,
    preparing: Vec<(usize, u64)>,
    demoting: Vec<(usize, u64)>,
    draining: Vec<(usize, u64)>,
    boot: usize,
    drain: usize,
}

impl Rules {
    fn due(queue: &mut Vec<(usize, u64)>, now: usize) -> u64 {
        let units = queue
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, n)| n)
            .sum();
        queue.retain(|(at, _)| *at > now);
        units
    }

    fn sum(queue: &[(usize, u64)]) -> u64 {
        queue.iter().map(|(_, units)| units).sum()
    }

    fn newest(queue: &mut Vec<(usize, u64)>, mut most: u64) -> u64 {
        let before = most;
        while let Some(last) = queue.last_mut().filter(|_| most > 0) {
            let taken = last.1.min(most);
            last.1 -= taken;
            most -= taken;
            queue.retain(|(_, units)| *units > 0);
        }
        before - most
    }

    /// Ready, promoted, standby and paid units of step `now`.
    fn live(&mut self, now: usize, demand: f64) -> (u64, u64, u64, u64) {
        self.ready += Self::due(&mut self.booting, now);
        self.standby += Self::due(&mut self.preparing, now) + Self::due(&mut self.demoting, now);
        Self::due(&mut self.draining, now);
        let ready = self.ready;
        let need = ((demand / PER_UNIT).ceil() as u64).max(1);
        let promoted = self.standby.min(need.saturating_sub(ready));
        self.standby -= promoted;
        self.ready += promoted;
        let on_the_way = [
            &self.booting,
            &self.preparing,
            &self.demoting,
            &self.draining,
        ];
        let full: u64 = on_the_way.into_iter().map(|queue| Self::sum(queue)).sum();
        (ready, promoted, self.standby, self.ready + full)
    }

    fn decide(&mut self, now: usize, wanted: u64, standby: u64) {
        let total = self.ready + Self::sum(&self.booting);
        let mut removed = 0;
        if wanted > total {
            self.booting.push((now + 1 + self.boot, wanted - total));
        } else {
            let cancelled = Self::newest(&mut self.booting, total - wanted);
            removed = total - wanted - cancelled;
            self.ready -= removed;
        }
        let have = self.standby + Self::sum(&self.preparing) + Self::sum(&self.demoting);
        let demoted = removed.min(standby.saturating_sub(have));
        self.demoting.push((now + 1 + self.drain, demoted));
        self.draining
            .push((now + 1 + self.drain, removed - demoted));
        if standby > have + demoted {
            self.preparing
                .push((now + 1 + self.boot, standby - have - demoted));
        }
        let mut surplus = have.saturating_sub(standby);
        surplus -= Self::newest(&mut self.preparing, surplus);
        let ended = surplus.min(self.standby);
        self.standby -= ended;
        // What drains towards standby ends with its drain instead.
        let mut left = surplus - ended;
        while left > 0
            && let Some((at, units)) = self.demoting.pop()
        {
            let taken = units.min(left);
            left -= taken;
            self.draining.push((at, taken));
            if units > taken {
                self.demoting.push((at, units - taken));
            }
        }
    }
}

#[test]
fn ready_and_the_bill_follow_from_the_decisions_by_the_stated_rules() {
    for step_seconds in [60, 300] {
        let demand = history(step_seconds, 4);
        let rows = run(&demand, &setting(true), Rows::default()).0;
        let steps = 300 / step_seconds as usize;
        let mut rules = Rules {
            ready: (rows[0].demand / PER_UNIT).ceil() as u64,
            boot: steps,
            drain: steps,
            ..Rules::default()
        };
        let part = 1.0 - 60.0 / f64::from(step_seconds);
        for (now, row) in rows.iter().enumerate() {
            let found = rules.live(now, row.demand);
            assert_eq!(
                found,
                (row.ready, row.promoted, row.standby, row.paid),
                "step {now} of {step_seconds} s"
            );
            let (ready, promoted, standby, paid) = found;
            let beyond = |units: u64| (row.demand - units as f64 * PER_UNIT).max(0.0);
            let unserved = (1.0 - part) * beyond(ready) + part * beyond(ready + promoted);
            assert!((row.unserved - unserved).abs() < 1e-6, "step {now}");
            let bill = u128::from(step_seconds)
                * (u128::from(paid) * 1_000_000 + u128::from(standby) * 100_000);
            assert_eq!(row.bill, bill, "step {now}");
            rules.decide(now, row.wanted, row.standby_wanted);
        }
        let promoted: u64 = rows.iter().map(|row| row.promoted).sum();
        assert!(promoted > 20, "{promoted} units were promoted");
    }
}

#[test]
fn where_bursts_come_without_notice_standby_pays_for_itself() {
    for step_seconds in [60, 300] {
        let demand = history(step_seconds, 10);
        let tally = |standby| {
            let warm_up = 2 * 86_400 / step_seconds as usize;
            let tally = Tally::new(warm_up, step_seconds, vec![1_000_000]);
            run(&demand, &setting(standby), tally)
        };
        let (with, without) = (tally(true), tally(false));
        let ratio = with.cost_over_need() / without.cost_over_need();
        assert!(ratio < 0.9, "steps of {step_seconds} s: {ratio}");
        let achieved = with.unserved_share();
        assert!(achieved < 0.0075, "steps of {step_seconds} s: {achieved}");
    }
}

/// The tier in use, its share of the bill and of the demand that was unserved.
#[derive(Default)]
struct Kept {
    tiers: Vec<StandbyTier>,
    bill: u128,
    lost: f64,
    demand: f64,
}

impl Sink for Kept {
    fn step(&mut self, interval: &Interval, _: &[Observation], step: &Decision) {
        let at = &interval.components[0];
        self.tiers
            .extend(step.components[0].standby.map(|standby| standby.tier));
        if interval.index > 4 * 288 {
            self.bill += at.bill;
            self.lost += at.unserved;
            self.demand += at.volume;
        }
    }
}

/// Lives ten days with these tiers: promotion in seconds, price in thousandths.
fn kept(tiers: &[(StandbyTier, i64, u16)]) -> Kept {
    let history = history(300, 10);
    let setting = setting(true);
    let policy = "fleetcast".parse().expect("a policy");
    let mut config = setting.engine_config(&history, policy);
    let mut simulation = setting.simulation(&history);
    let terms = |&(tier, seconds, price): &(StandbyTier, i64, u16)| StandbyTerms {
        tier,
        promotion: SignedDuration::from_secs(seconds),
        price_share: Share::per_mille(price),
    };
    let all: Vec<StandbyTerms> = tiers.iter().map(terms).collect();
    let policy = config.fleet.components[0]
        .standby
        .as_mut()
        .expect("standby");
    *policy = policy.at(all[0]);
    for (place, terms) in policy.others.iter_mut().zip(&all[1..]) {
        *place = Some(*terms);
    }
    let life = simulation.lifecycles[0].standby[0];
    simulation.lifecycles[0].standby = (all.iter())
        .map(|terms| StandbyLife {
            tier: terms.tier,
            promotion: terms.promotion,
            price_ppm: terms.price_share.parts_per_million(),
            ..life
        })
        .collect();
    simulate(config, &simulation, Kept::default()).expect("a good configuration")
}

#[test]
fn the_tier_is_kept_that_costs_least_for_the_same_loss() {
    use StandbyTier::{Hibernated, Running, Stopped};
    // At hardly more than a stopped unit a running one serves at once; then the same at more than what it saves.
    for (dear, best) in [(60, Running), (900, Stopped)] {
        let tiers = [
            (Stopped, 120, 50),
            (Running, 1, dear),
            (Hibernated, 240, 50),
        ];
        let chosen = kept(&tiers);
        let late = &chosen.tiers[chosen.tiers.len() - 288..];
        assert!(
            late.iter().all(|tier| *tier == best),
            "{dear}: {:?}",
            late.last()
        );
        // No dearer than the better one of both alone.
        let alone = |tier: &(StandbyTier, i64, u16)| kept(std::slice::from_ref(tier));
        let own = alone(
            tiers
                .iter()
                .find(|tier| tier.0 == best)
                .expect("it is one of them"),
        );
        assert!(
            chosen.bill < own.bill * 103 / 100,
            "{} over {}",
            chosen.bill,
            own.bill
        );
        assert!(chosen.lost / chosen.demand < own.lost / own.demand + 0.003);
    }
}
