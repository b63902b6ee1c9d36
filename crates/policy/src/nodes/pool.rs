//! Nodes with the pods on them.

use fleetcast_model::{InstanceRange, InstanceState, OfferIndex, Token};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NodeView;

/// Nodes of one order that are alike, by what is on them too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nodes {
    pub token: Token,
    pub first: u32,
    pub count: u32,
    pub offer: OfferIndex,
    /// Pods that each has room for.
    pub room: u32,
    /// Pods on each.
    pub pods: u32,
    pub serving: bool,
    /// When it was ordered, as far as is known.
    pub seen: Timestamp,
    /// Since when it is hardly used; kept by whoever asks.
    pub unneeded_since: Option<Timestamp>,
}

impl Nodes {
    pub fn free(&self) -> u32 {
        self.room - self.pods
    }

    /// The share of its room that is taken.
    pub fn utilisation(&self) -> f64 {
        f64::from(self.pods) / f64::from(self.room)
    }

    /// The last so many of them, by id.
    pub fn last(&self, count: u32) -> InstanceRange {
        let count = count.min(self.count);
        InstanceRange {
            token: self.token,
            first: self.first + self.count - count,
            count,
        }
    }
}

/// All nodes, oldest order first, and the pods that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    pub nodes: Vec<Nodes>,
    wanted: u64,
    looked: bool,
}

impl Pool {
    /// Whether no nodes were looked at yet.
    pub fn is_new(&self) -> bool {
        !self.looked
    }

    /// Takes the listing over. What was known of a node stays with it; draining ones are gone.
    pub fn see(&mut self, view: &NodeView<'_>) {
        self.looked = true;
        let mut now = Vec::with_capacity(self.nodes.len());
        for cohort in view.cohorts {
            let serving = match cohort.state {
                InstanceState::InService => true,
                InstanceState::Booting | InstanceState::Configuring | InstanceState::Healthy => {
                    false
                }
                // On its way out, or kept out of service.
                _ => continue,
            };
            let offer = view.offers.iter().find(|one| one.offer == cohort.offer);
            let fresh = Nodes {
                token: cohort.token,
                first: cohort.first,
                count: cohort.count,
                offer: cohort.offer,
                room: offer.map_or(1, |one| one.room.max(1)),
                pods: 0,
                serving,
                seen: cohort.since.min(view.now),
                unneeded_since: None,
            };
            self.overlay(fresh, &mut now);
        }
        self.nodes = now;
        self.settle();
    }

    /// Adds the nodes of a cohort, in pieces with what was known of each.
    fn overlay(&self, fresh: Nodes, now: &mut Vec<Nodes>) {
        let end = fresh.first + fresh.count;
        let mut at = fresh.first;
        let mut known: Vec<&Nodes> = self
            .nodes
            .iter()
            .filter(|nodes| nodes.token == fresh.token)
            .collect();
        known.sort_by_key(|nodes| nodes.first);
        let mut add = |first: u32, until: u32, like: Nodes| {
            if until > first {
                now.push(Nodes {
                    first,
                    count: until - first,
                    ..like
                });
            }
        };
        for nodes in known {
            let (first, until) = (nodes.first.max(at), (nodes.first + nodes.count).min(end));
            if until <= first {
                continue;
            }
            add(at, first, fresh);
            let kept = Nodes {
                pods: if fresh.serving { nodes.pods } else { 0 },
                seen: nodes.seen,
                unneeded_since: nodes.unneeded_since,
                ..fresh
            };
            add(first, until, kept);
            at = until;
        }
        add(at, end, fresh);
    }

    /// Sets how many pods should run; those that found no node wait.
    pub fn want(&mut self, pods: u64) {
        self.wanted = pods;
        self.settle();
    }

    pub fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Pods that have a node.
    pub fn placed(&self) -> u64 {
        self.nodes
            .iter()
            .map(|nodes| u64::from(nodes.count) * u64::from(nodes.pods))
            .sum()
    }

    /// Pods without a node.
    pub fn waiting(&self) -> u64 {
        self.wanted.saturating_sub(self.placed())
    }

    /// Pods that all nodes together have room for, on their way or not.
    pub fn room(&self) -> u64 {
        self.room_of(|_| true)
    }

    /// Pods that nodes on their way will have room for.
    pub fn coming(&self) -> u64 {
        self.room_of(|nodes| !nodes.serving)
    }

    fn room_of(&self, which: impl Fn(&Nodes) -> bool) -> u64 {
        self.nodes
            .iter()
            .filter(|nodes| which(nodes))
            .map(|nodes| u64::from(nodes.count) * u64::from(nodes.room))
            .sum()
    }

    /// Room that is free on nodes that serve.
    pub fn free(&self) -> u64 {
        self.nodes
            .iter()
            .filter(|nodes| nodes.serving)
            .map(|nodes| u64::from(nodes.count) * u64::from(nodes.free()))
            .sum()
    }

    /// Nodes that serve.
    pub fn serving(&self) -> u64 {
        self.nodes
            .iter()
            .filter(|nodes| nodes.serving)
            .map(|nodes| u64::from(nodes.count))
            .sum()
    }

    /// Takes the last nodes of a group out; the pods on them look for other nodes.
    pub fn take_out(&mut self, index: usize, count: u32) -> InstanceRange {
        let range = self.nodes[index].last(count);
        self.take_out_all(vec![(index, count)]);
        range
    }

    /// The same of several groups at once, by their places now.
    pub fn take_out_all(&mut self, mut parts: Vec<(usize, u32)>) -> Vec<InstanceRange> {
        // From the last on, so that the places of the others stay.
        parts.sort_by_key(|part| std::cmp::Reverse(part.0));
        let mut ranges = Vec::with_capacity(parts.len());
        for (index, count) in parts {
            let range = self.nodes[index].last(count);
            self.nodes[index].count -= range.count;
            if self.nodes[index].count == 0 {
                self.nodes.remove(index);
            }
            ranges.push(range);
        }
        self.settle();
        ranges
    }

    /// Waiting pods go where least is taken, as the scheduler spreads them; pods too many are taken from where
    /// most is taken, as a replica set gives them up.
    fn settle(&mut self) {
        let mut waiting = self.waiting();
        while waiting > 0 {
            let best = self
                .nodes
                .iter()
                .enumerate()
                .filter(|(_, nodes)| nodes.serving && nodes.free() > 0)
                .min_by(|a, b| a.1.utilisation().total_cmp(&b.1.utilisation()));
            let Some((index, _)) = best else { break };
            let count = waiting.min(u64::from(self.nodes[index].count)) as u32;
            self.nudge(index, count, |pods| pods + 1);
            waiting -= u64::from(count);
        }
        let mut excess = self.placed().saturating_sub(self.wanted);
        while excess > 0 {
            let best = self
                .nodes
                .iter()
                .enumerate()
                .filter(|(_, nodes)| nodes.pods > 0)
                .max_by(|a, b| a.1.utilisation().total_cmp(&b.1.utilisation()));
            let Some((index, _)) = best else { break };
            let count = excess.min(u64::from(self.nodes[index].count)) as u32;
            self.nudge(index, count, |pods| pods - 1);
            excess -= u64::from(count);
        }
    }

    /// Changes the pods on the last nodes of a group, which become a group of their own.
    fn nudge(&mut self, index: usize, count: u32, change: impl Fn(u32) -> u32) {
        let whole = self.nodes[index];
        let changed = Nodes {
            first: whole.first + whole.count - count,
            count,
            pods: change(whole.pods),
            ..whole
        };
        if count == whole.count {
            self.nodes[index] = changed;
        } else {
            self.nodes[index].count -= count;
            self.nodes.insert(index + 1, changed);
        }
        self.join(index);
    }

    /// Neighbours that are alike again are one group, so that groups stay few.
    fn join(&mut self, around: usize) {
        let mut at = around.saturating_sub(1);
        while at + 1 < self.nodes.len() && at <= around + 1 {
            let (a, b) = (self.nodes[at], self.nodes[at + 1]);
            let alike = a.token == b.token
                && a.first + a.count == b.first
                && (a.pods, a.serving, a.seen, a.unneeded_since)
                    == (b.pods, b.serving, b.seen, b.unneeded_since);
            if alike {
                self.nodes[at].count += b.count;
                self.nodes.remove(at + 1);
            } else {
                at += 1;
            }
        }
    }
}
