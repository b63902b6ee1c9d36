//! The simulated cloud: instances that boot, serve, drain and are billed, in virtual time.

mod market;
mod standby;

use std::collections::BTreeSet;

use fleetcast_model::{
    Cohort, ComponentIndex, InstanceRange, InstanceState, Inventory, Offer, OfferIndex, OfferPrice,
    Order, PurchaseKind, Refused, Renewal, StandbyTier, Timing, Token,
};
use jiff::{SignedDuration, Timestamp};

use crate::boot::BootTime;
use crate::random::Random;
use crate::spot_market::SpotMarket;

/// How instances of one component come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifecycle {
    /// From the order until the machine is up.
    pub boot: BootTime,
    /// From then until it is configured and healthy.
    pub configure: SignedDuration,
    /// From leaving service to the end of the bill, while connections drain.
    pub drain: SignedDuration,
    /// From entering service to full capacity.
    pub warm_up: SignedDuration,
    /// How its standby behaves, by tier, the first one to begin with; empty: there is none.
    pub standby: Vec<StandbyLife>,
}

/// How standby instances of one component behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandbyLife {
    /// How it is kept.
    pub tier: StandbyTier,
    /// From a promotion until the instance serves.
    pub promotion: SignedDuration,
    /// Its price, in millionths of a running one's.
    pub price_ppm: u32,
    /// How often a promotion fails: the instance hangs as long as a slow one and is gone. In millionths.
    pub failures_ppm: u32,
    /// How often a promotion takes five times as long. In millionths.
    pub slow_ppm: u32,
}

/// A slow promotion takes so many times as long.
const SLOW_FACTOR: i32 = 5;

impl Lifecycle {
    fn warmth(&self, age: SignedDuration) -> f64 {
        let timing = Timing {
            boot: None,
            drain: self.drain,
            warm_up: self.warm_up,
            ..Timing::default()
        };
        timing.warmth(age)
    }
}

/// Money times time, in micro-dollars × seconds ÷ hours: exact until it is shown.
pub type Bill = u128;

/// The simulated cloud.
#[derive(Clone, Debug)]
pub struct SimCloud {
    offers: Vec<Offer>,
    /// Units that one instance of an offer provides, for each component.
    units_each: Vec<Vec<u32>>,
    lifecycles: Vec<Lifecycle>,
    /// What an order takes before the machine begins to boot; a fixed boot has it in it.
    api_delay: SignedDuration,
    step: SignedDuration,
    instances: Vec<Group>,
    /// Every token that was ever ordered with: what has come and gone is not started again.
    ordered: BTreeSet<Token>,
    random: Random,
    /// What goes wrong with promotions.
    faults: Random,
    /// Minimum bills of instances that ended early, by component, since the last bill.
    topped_up: Vec<Bill>,
    /// Components whose standby is promoted as soon as demand exceeds what serves.
    armed: Vec<bool>,
    /// The tier that the standby of each component is kept in, by its place.
    tiers: Vec<usize>,
    market: SpotMarket,
    /// When each instance of a pool that is taken back goes.
    reclaims: Random,
    /// Until when the market has been looked at.
    market_until: Option<Timestamp>,
    /// Prices that have changed since they were last told.
    repriced: Vec<OfferPrice>,
    refused: Vec<Refused>,
    /// The latest term that anybody has acted under.
    term: u64,
}

/// Instances of one order that share their fate.
#[derive(Clone, Copy, Debug)]
struct Group {
    cohort: Cohort,
    ordered: Timestamp,
    /// When the machine is up; from then on it is configured.
    up: Timestamp,
    healthy: Timestamp,
    /// When one that drains or is taken back is gone, one on order is given up, and a demoted one is standby again.
    gone: Timestamp,
    /// Its promotion fails.
    fails: bool,
}

/// What serves a component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Serving {
    /// Units in service.
    pub ready: u64,
    /// The same, less what is still warming up.
    pub effective: f64,
    /// Units that are paid for in full, whatever they do.
    pub paid: u64,
    /// Units in standby, after promotions.
    pub standby: u64,
    /// What they are paid for, in millionths of a unit.
    pub standby_paid_ppm: u64,
    /// What they cost, in micro-dollars an hour.
    pub standby_rate: u64,
    /// Units promoted at the beginning of this interval.
    pub promoted: u64,
    /// Units that enter service from standby within this interval …
    pub entering: u64,
    /// … and serve this share of it.
    pub entering_part: f64,
}

impl Serving {
    /// Capacity beyond which nothing is served, as (share of the interval, effective units).
    pub fn parts(&self) -> [(f64, f64); 2] {
        [
            (1.0 - self.entering_part, self.effective),
            (self.entering_part, self.effective + self.entering as f64),
        ]
    }
}

impl SimCloud {
    /// A cloud with these offers and nothing running.
    pub fn new(
        offers: Vec<Offer>,
        units_each: Vec<Vec<u32>>,
        lifecycles: Vec<Lifecycle>,
        api_delay: SignedDuration,
        step: SignedDuration,
        random: Random,
    ) -> Self {
        let topped_up = vec![0; lifecycles.len()];
        let armed = vec![false; lifecycles.len()];
        Self {
            offers,
            units_each,
            lifecycles,
            api_delay,
            step,
            instances: Vec::new(),
            ordered: BTreeSet::new(),
            reclaims: random.clone(),
            random,
            faults: Random::new(0, "standby"),
            topped_up,
            tiers: vec![0; armed.len()],
            armed,
            market: SpotMarket::default(),
            market_until: None,
            repriced: Vec::new(),
            refused: Vec::new(),
            term: 0,
        }
    }

    /// Whether an engine may act under this term; from then on none of an earlier one may.
    pub fn fence(&mut self, term: u64) -> bool {
        self.term = self.term.max(term);
        term == self.term
    }

    /// The latest term that anybody has acted under.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Draws what goes wrong with promotions from this.
    #[must_use]
    pub fn with_faults(mut self, faults: Random) -> Self {
        self.faults = faults;
        self
    }

    /// Puts instances into service that have been there all along.
    pub fn start_with(
        &mut self,
        component: ComponentIndex,
        offer: OfferIndex,
        count: u32,
        now: Timestamp,
    ) {
        let token = Token::of(&[b"initial", &component.0.to_le_bytes()]);
        let warm = now - self.lifecycle(component).warm_up;
        let cohort = Cohort {
            token,
            first: 0,
            count,
            component,
            offer,
            state: InstanceState::InService,
            since: warm,
        };
        self.instances.push(Group {
            cohort,
            ordered: now,
            up: now,
            healthy: now,
            gone: Timestamp::MAX,
            fails: false,
        });
    }

    /// Lets time pass: what has booted is configured, what is configured is healthy, what has drained is gone.
    pub fn advance(&mut self, now: Timestamp) {
        self.follow_market(now);
        self.give_up(now);
        self.instances.retain_mut(|group| {
            let cohort = &mut group.cohort;
            if cohort.state == InstanceState::Booting && group.up <= now {
                (cohort.state, cohort.since) = (InstanceState::Configuring, group.up);
            }
            if cohort.state == InstanceState::Configuring && group.healthy <= now {
                (cohort.state, cohort.since) = (InstanceState::Healthy, group.healthy);
            }
            if cohort.state == InstanceState::Preparing && group.healthy <= now {
                (cohort.state, cohort.since) = (InstanceState::Standby, group.healthy);
                group.gone = Timestamp::MAX;
            }
            if cohort.state == InstanceState::Promoting && group.healthy <= now {
                if group.fails {
                    return false;
                }
                (cohort.state, cohort.since) = (InstanceState::InService, group.healthy);
            }
            if cohort.state == InstanceState::Demoting && group.gone <= now {
                (cohort.state, cohort.since) = (InstanceState::Standby, group.gone);
                group.gone = Timestamp::MAX;
            }
            !cohort.state.is_going() || now < group.gone
        });
    }

    /// Ends what was on its way when its lease ran out: nobody waits for it any more.
    fn give_up(&mut self, now: Timestamp) {
        for group in &mut self.instances {
            let cohort = &group.cohort;
            let stands_by = cohort.state == InstanceState::Preparing && group.healthy <= group.gone;
            if cohort.state.is_on_order() && group.gone <= now && !stands_by {
                let offer = &self.offers[usize::from(cohort.offer.0)];
                self.topped_up[usize::from(cohort.component.0)] += top_up(group, offer, group.gone);
                group.cohort.state = InstanceState::Draining;
            }
        }
    }

    /// Goes on waiting for what is on its way from an order.
    pub fn renew(&mut self, renewal: &Renewal, now: Timestamp) {
        let own = (self.instances.iter_mut()).filter(|group| {
            group.cohort.token == renewal.token && group.cohort.state.is_on_order()
        });
        for group in own.filter(|group| group.gone > now) {
            group.gone = group.gone.max(renewal.lease_until);
        }
    }

    /// Lists everything, oldest order first.
    pub fn list(&self, now: Timestamp) -> Inventory {
        Inventory {
            as_of: now,
            complete: true,
            cohorts: self.instances.iter().map(|group| group.cohort).collect(),
        }
    }

    /// Rents instances; each boots in its own time. The same token again: the same instances.
    pub fn order(&mut self, order: &Order, now: Timestamp) {
        if !self.ordered.insert(order.token) {
            return;
        }
        let place = usize::from(order.offer.0);
        let sold_out = self.offers[place].purchase == PurchaseKind::Spot
            && !self.market.has_capacity(place, now);
        // An order that comes when its lease is over is nobody's any more.
        if sold_out || order.lease_until <= now {
            self.refused.push(Refused {
                token: order.token,
                offer: order.offer,
            });
            return;
        }
        let lifecycle = self.lifecycles[usize::from(order.component.0)].clone();
        let around = self.api_delay + lifecycle.configure;
        if let BootTime::Fixed(boot) = lifecycle.boot {
            // A stated boot is the whole time from the order to a healthy unit.
            self.add(order, 0, order.instances, now, boot + lifecycle.configure);
            return;
        }
        // Seen only at the end of a step, so instances that become healthy in the same step stay together.
        let step = self.step.as_millis().max(1);
        let random = &mut self.random;
        let draw = |_| (lifecycle.boot.sample(random) + around).as_millis().max(1);
        let mut steps: Vec<i128> = (0..order.instances)
            .map(draw)
            .map(|time| (time + step - 1) / step)
            .collect();
        steps.sort_unstable();
        let mut first = 0;
        for same in steps.chunk_by(|a, b| a == b) {
            let count = same.len() as u32;
            self.add(order, first, count, now, self.step * same[0] as i32);
            first += count;
        }
    }

    /// Adds instances of an order that are healthy after so long.
    fn add(&mut self, order: &Order, first: u32, count: u32, now: Timestamp, time: SignedDuration) {
        let configure = self.lifecycle(order.component).configure;
        let healthy = now + time;
        let state = match (order.standby, healthy == now) {
            (false, true) => InstanceState::InService,
            (false, false) => InstanceState::Booting,
            (true, true) => InstanceState::Standby,
            (true, false) => InstanceState::Preparing,
        };
        let cohort = Cohort {
            token: order.token,
            first,
            count,
            component: order.component,
            offer: order.offer,
            state,
            since: now,
        };
        self.instances.push(Group {
            cohort,
            ordered: now,
            up: healthy - configure,
            healthy,
            gone: if state.is_on_order() {
                order.lease_until
            } else {
                Timestamp::MAX
            },
            fails: false,
        });
    }

    /// Puts healthy instances into service.
    pub fn register(&mut self, range: &InstanceRange, now: Timestamp) {
        self.split(range, |group| {
            if group.cohort.state == InstanceState::Healthy {
                (group.cohort.state, group.cohort.since) = (InstanceState::InService, now);
                group.gone = Timestamp::MAX;
            }
        });
    }

    /// Gives instances back: those in service drain, the others end now.
    pub fn release(&mut self, range: &InstanceRange, now: Timestamp) {
        let drains: Vec<SignedDuration> = self
            .lifecycles
            .iter()
            .map(|lifecycle| lifecycle.drain)
            .collect();
        self.split(range, |group| {
            if group.cohort.state == InstanceState::Demoting {
                // It has left service already, and now ends with its drain.
                group.cohort.state = InstanceState::Draining;
            }
            if group.cohort.state.is_going() {
                return;
            }
            let serving = group.cohort.state == InstanceState::InService;
            let drain = if serving {
                drains[usize::from(group.cohort.component.0)]
            } else {
                SignedDuration::ZERO
            };
            (group.cohort.state, group.cohort.since) = (InstanceState::Draining, now);
            group.gone = now + drain;
        });
        for group in &self.instances {
            if group.cohort.state == InstanceState::Draining && group.gone <= now {
                let component = usize::from(group.cohort.component.0);
                self.topped_up[component] +=
                    top_up(group, &self.offers[usize::from(group.cohort.offer.0)], now);
            }
        }
        self.instances
            .retain(|group| group.cohort.state != InstanceState::Draining || now < group.gone);
    }

    /// What serves and what is paid for in each component, for an interval that begins now.
    pub fn serving(&self, now: Timestamp, serving: &mut Vec<Serving>) {
        serving.clear();
        serving.resize(self.lifecycles.len(), Serving::default());
        for group in &self.instances {
            let component = usize::from(group.cohort.component.0);
            let units = u64::from(group.cohort.count)
                * u64::from(self.units_each[component][usize::from(group.cohort.offer.0)]);
            let at = &mut serving[component];
            if group.cohort.state == InstanceState::Standby {
                let ppm = self.standby_ppm(component);
                let price = self.offers[usize::from(group.cohort.offer.0)].price.get();
                at.standby += units;
                at.standby_paid_ppm += units * u64::from(ppm);
                let rate = u128::from(price) * u128::from(group.cohort.count);
                at.standby_rate += at_share(rate, u128::from(ppm)) as u64;
                continue;
            }
            at.paid += units;
            let enters = group.healthy.duration_since(now);
            if group.cohort.state == InstanceState::Promoting && enters < self.step {
                // Instances that enter at different moments count as if they entered at the mean one.
                let part = 1.0 - enters.as_secs_f64().max(0.0) / self.step.as_secs_f64();
                let entering = at.entering as f64 * at.entering_part + units as f64 * part;
                at.entering += units;
                at.entering_part = entering / at.entering as f64;
            }
            // What has its notice serves to the end.
            if group.cohort.state == InstanceState::Interrupted {
                at.ready += units;
                at.effective += units as f64;
            }
            if group.cohort.state == InstanceState::InService {
                at.ready += units;
                let age = now.duration_since(group.cohort.since);
                let warmth = self.lifecycles[component].warmth(age);
                at.effective += units as f64 * warmth;
            }
        }
    }

    /// Bills each component for an interval, with what ended early since the last bill.
    pub fn bill(&mut self, from: Timestamp, until: Timestamp, bills: &mut Vec<Bill>) {
        bills.clear();
        bills.append(&mut self.topped_up);
        self.topped_up.resize(self.lifecycles.len(), 0);
        for group in &self.instances {
            let end = group.gone.min(until);
            let seconds = end.duration_since(from).as_secs().max(0).unsigned_abs();
            let offer = &self.offers[usize::from(group.cohort.offer.0)];
            let component = usize::from(group.cohort.component.0);
            let rate = u128::from(offer.price.get()) * u128::from(group.cohort.count);
            let ppm = u128::from(self.standby_ppm(component));
            let bill = match group.cohort.state {
                InstanceState::Standby => at_share(rate * u128::from(seconds), ppm),
                InstanceState::Demoting => {
                    let all = until.duration_since(from).as_secs().max(0).unsigned_abs();
                    rate * u128::from(seconds) + at_share(rate * u128::from(all - seconds), ppm)
                }
                _ => rate * u128::from(seconds),
            };
            bills[component] += bill;
            if group.cohort.state == InstanceState::Draining && group.gone <= until {
                self.topped_up[component] += top_up(group, offer, group.gone);
            }
        }
    }

    /// How a component's standby behaves, as it is kept now.
    fn standby_life(&self, component: usize) -> Option<StandbyLife> {
        let tier = self.tiers[component];
        self.lifecycles[component].standby.get(tier).copied()
    }

    fn standby_ppm(&self, component: usize) -> u32 {
        let life = self.standby_life(component);
        life.map_or(FULL_PPM, |life| life.price_ppm)
    }

    fn units_of(&self, group: &Group) -> u64 {
        let each = self.units_each[usize::from(group.cohort.component.0)]
            [usize::from(group.cohort.offer.0)];
        u64::from(group.cohort.count) * u64::from(each)
    }

    fn lifecycle(&self, component: ComponentIndex) -> &Lifecycle {
        &self.lifecycles[usize::from(component.0)]
    }

    /// Applies a change to some instances of a group, which become a group of their own.
    fn split(&mut self, range: &InstanceRange, change: impl Fn(&mut Group)) {
        let inside = |cohort: &Cohort| {
            cohort.token == range.token
                && range.first >= cohort.first
                && range.first + range.count <= cohort.first + cohort.count
        };
        let Some(at) = self
            .instances
            .iter()
            .position(|group| inside(&group.cohort))
        else {
            return;
        };
        let whole = self.instances[at];
        let end = whole.cohort.first + whole.cohort.count;
        let part = |first: u32, count: u32| Group {
            cohort: Cohort {
                first,
                count,
                ..whole.cohort
            },
            ..whole
        };
        let mut changed = part(range.first, range.count);
        change(&mut changed);
        let before = part(whole.cohort.first, range.first - whole.cohort.first);
        let after = part(range.first + range.count, end - range.first - range.count);
        let parts = [before, changed, after]
            .into_iter()
            .filter(|group| group.cohort.count > 0);
        self.instances.splice(at..=at, parts);
    }
}

/// The full price, in millionths.
const FULL_PPM: u32 = 1_000_000;

/// A part of a bill, rounded up.
fn at_share(bill: Bill, ppm: u128) -> Bill {
    (bill * ppm).div_ceil(u128::from(FULL_PPM))
}

/// What an instance that ends still owes for its minimum and its last started period.
fn top_up(group: &Group, offer: &Offer, end: Timestamp) -> Bill {
    let age = end
        .duration_since(group.ordered)
        .as_secs()
        .max(0)
        .unsigned_abs();
    let billed = offer.billing.billed_seconds(age);
    u128::from(offer.price.get()) * u128::from(billed - age) * u128::from(group.cohort.count)
}
