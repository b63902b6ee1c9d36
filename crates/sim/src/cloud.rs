//! The simulated cloud: instances that boot, serve, drain and are billed, in virtual time.

use std::collections::BTreeSet;

use fleetcast_model::{
    Cohort, ComponentIndex, InstanceRange, InstanceState, Inventory, Offer, OfferIndex, Order,
    Timing, Token,
};
use jiff::{SignedDuration, Timestamp};

use crate::boot::BootTime;
use crate::random::Random;

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
}

impl Lifecycle {
    fn warmth(&self, age: SignedDuration) -> f64 {
        let timing = Timing {
            boot: None,
            drain: self.drain,
            warm_up: self.warm_up,
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
    /// Minimum bills of instances that ended early, by component, since the last bill.
    topped_up: Vec<Bill>,
}

/// Instances of one order that share their fate.
#[derive(Clone, Copy, Debug)]
struct Group {
    cohort: Cohort,
    ordered: Timestamp,
    /// When the machine is up; from then on it is configured.
    up: Timestamp,
    healthy: Timestamp,
    /// When a draining one is gone.
    gone: Timestamp,
}

/// What serves a component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Serving {
    /// Units in service.
    pub ready: u64,
    /// The same, less what is still warming up.
    pub effective: f64,
    /// Units that are paid for, whatever they do.
    pub paid: u64,
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
        Self {
            offers,
            units_each,
            lifecycles,
            api_delay,
            step,
            instances: Vec::new(),
            ordered: BTreeSet::new(),
            random,
            topped_up,
        }
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
        });
    }

    /// Lets time pass: what has booted is configured, what is configured is healthy, what has drained is gone.
    pub fn advance(&mut self, now: Timestamp) {
        self.instances.retain_mut(|group| {
            let cohort = &mut group.cohort;
            if cohort.state == InstanceState::Booting && group.up <= now {
                (cohort.state, cohort.since) = (InstanceState::Configuring, group.up);
            }
            if cohort.state == InstanceState::Configuring && group.healthy <= now {
                (cohort.state, cohort.since) = (InstanceState::Healthy, group.healthy);
            }
            cohort.state != InstanceState::Draining || now < group.gone
        });
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
        let state = if healthy == now {
            InstanceState::InService
        } else {
            InstanceState::Booting
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
            gone: Timestamp::MAX,
        });
    }

    /// Puts healthy instances into service.
    pub fn register(&mut self, range: &InstanceRange, now: Timestamp) {
        self.split(range, |group| {
            if group.cohort.state == InstanceState::Healthy {
                (group.cohort.state, group.cohort.since) = (InstanceState::InService, now);
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
            if group.cohort.state == InstanceState::Draining {
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
            at.paid += units;
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
            let bill = u128::from(offer.price.get())
                * u128::from(seconds)
                * u128::from(group.cohort.count);
            let component = usize::from(group.cohort.component.0);
            bills[component] += bill;
            if group.cohort.state == InstanceState::Draining && group.gone <= until {
                self.topped_up[component] += top_up(group, offer, group.gone);
            }
        }
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

/// What an instance that ends still owes for its minimum and its last started period.
fn top_up(group: &Group, offer: &Offer, end: Timestamp) -> Bill {
    let age = end
        .duration_since(group.ordered)
        .as_secs()
        .max(0)
        .unsigned_abs();
    let granularity = u64::from(offer.billing.granularity_seconds.max(1));
    let billed = age
        .div_ceil(granularity)
        .saturating_mul(granularity)
        .max(u64::from(offer.billing.minimum_seconds));
    u128::from(offer.price.get()) * u128::from(billed - age) * u128::from(group.cohort.count)
}
