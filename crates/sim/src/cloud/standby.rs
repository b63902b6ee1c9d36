//! Standby in the simulated cloud: arming, promotion, demotion, and what goes wrong with them.

use fleetcast_model::{Arming, Cohort, ComponentIndex, InstanceRange, InstanceState};
use jiff::{SignedDuration, Timestamp};

use super::{FULL_PPM, Group, SLOW_FACTOR, SimCloud, StandbyLife};
use crate::random::Random;

impl SimCloud {
    /// Arms or disarms the rule that promotes standby by itself, and keeps what stands by in the asked tier.
    pub fn arm(&mut self, arming: &Arming) {
        let component = usize::from(arming.component.0);
        self.armed[component] = arming.over_capacity;
        let mut lives = self.lifecycles[component].standby.iter();
        if let Some(tier) = lives.position(|life| life.tier == arming.tier) {
            self.tiers[component] = tier;
        }
    }

    /// Whether the rule is armed for any component.
    pub fn is_armed(&self) -> bool {
        self.armed.contains(&true)
    }

    /// Brings standby instances into service; others stay as they are. Some are slow, and some fail.
    pub fn promote(&mut self, range: &InstanceRange, now: Timestamp) {
        let holds = |cohort: &Cohort| cohort.state == InstanceState::Standby && cohort.has(range);
        let component = self.instances.iter().find(|group| holds(&group.cohort));
        let component = component.map(|group| usize::from(group.cohort.component.0));
        let Some(life) = component.and_then(|component| self.standby_life(component)) else {
            return;
        };
        let fates: Vec<Fate> = (0..range.count)
            .map(|_| Fate::draw(&life, &mut self.faults))
            .collect();
        let mut first = range.first;
        for same in fates.chunk_by(|a, b| a == b) {
            let count = same.len() as u32;
            let part = InstanceRange {
                first,
                count,
                ..*range
            };
            first += count;
            self.split(&part, |group| {
                if group.cohort.state == InstanceState::Standby {
                    (group.cohort.state, group.cohort.since) = (InstanceState::Promoting, now);
                    group.healthy = now + same[0].time(&life);
                    group.fails = same[0] == Fate::Fails;
                }
            });
        }
        self.advance(now);
    }

    /// Takes instances out of service; once they have drained they are standby.
    pub fn demote(&mut self, range: &InstanceRange, now: Timestamp) {
        let drains: Vec<SignedDuration> = self.lifecycles.iter().map(|l| l.drain).collect();
        self.split(range, |group| {
            if group.cohort.state == InstanceState::InService {
                (group.cohort.state, group.cohort.since) = (InstanceState::Demoting, now);
                group.gone = now + drains[usize::from(group.cohort.component.0)];
            }
        });
        self.advance(now);
    }

    /// Promotes what an interval that begins now and needs so many units of a component is short of, where that
    /// is armed: instances that have been in standby longest first. Says how many units it promoted.
    pub fn promote_armed(&mut self, component: ComponentIndex, need: u64, now: Timestamp) -> u64 {
        if !self.armed[usize::from(component.0)] {
            return 0;
        }
        let own = |group: &&Group| group.cohort.component == component;
        let there = |group: &Group| match group.cohort.state {
            InstanceState::InService | InstanceState::Promoting => self.units_of(group),
            _ => 0,
        };
        let mut short =
            need.saturating_sub(self.instances.iter().filter(own).map(there).sum::<u64>());
        let mut promoted = 0;
        let mut standby: Vec<Group> = (self.instances.iter().filter(own))
            .filter(|group| group.cohort.state == InstanceState::Standby)
            .copied()
            .collect();
        standby.sort_by_key(|group| group.cohort.since);
        for group in standby {
            let each = self.units_of(&group) / u64::from(group.cohort.count.max(1));
            let count = short
                .div_ceil(each.max(1))
                .min(u64::from(group.cohort.count));
            if count == 0 {
                continue;
            }
            let range = InstanceRange {
                token: group.cohort.token,
                first: group.cohort.first,
                count: count as u32,
            };
            self.promote(&range, now);
            short = short.saturating_sub(count * each);
            promoted += count * each;
        }
        promoted
    }
}

/// What comes of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    InTime,
    Slow,
    Fails,
}

impl Fate {
    fn draw(life: &StandbyLife, faults: &mut Random) -> Self {
        if life.failures_ppm == 0 && life.slow_ppm == 0 {
            return Self::InTime;
        }
        let drawn = (faults.uniform() * f64::from(FULL_PPM)) as u32;
        if drawn < life.failures_ppm {
            Self::Fails
        } else if drawn < life.failures_ppm.saturating_add(life.slow_ppm) {
            Self::Slow
        } else {
            Self::InTime
        }
    }

    fn time(self, life: &StandbyLife) -> SignedDuration {
        match self {
            Self::InTime => life.promotion,
            Self::Slow | Self::Fails => life.promotion * SLOW_FACTOR,
        }
    }
}
