//! Kubernetes' cluster autoscaler, with its default settings.
//!
//! Source: kubernetes/autoscaler, cluster-autoscaler FAQ ("What are the parameters to CA?", "How does
//! scale-down work?", "What are Expanders?").

use std::collections::BTreeMap;

use fleetcast_model::OfferIndex;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::pool::Pool;
use super::{NodeChange, NodeLimits, NodeOffer, NodeView};
use crate::Surroundings;

/// It looks so often (`scan-interval`).
const SCAN_SECONDS: u32 = 10;
/// Under this share of its room a node is not needed (`scale-down-utilization-threshold`).
const UTILISATION: f64 = 0.5;
/// So long a node must not be needed before it goes (`scale-down-unneeded-time`).
const UNNEEDED: SignedDuration = SignedDuration::from_mins(10);
/// So long after a scale-up nothing goes (`scale-down-delay-after-add`).
const DELAY_AFTER_ADD: SignedDuration = SignedDuration::from_mins(10);
/// A node that is not there after so long is given up (`max-node-provision-time`).
const PROVISION_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Empty nodes that go in one scan, and nodes with pods (`max-empty-bulk-delete`, `max-drain-parallelism`).
const EMPTY_AT_ONCE: u32 = 10;
const DRAINED_AT_ONCE: u32 = 1;
/// A group that failed to bring a node is left alone, at first and at most (`initial-` and
/// `max-node-group-backoff-duration`).
const BACKOFF_FIRST: SignedDuration = SignedDuration::from_mins(5);
const BACKOFF_MAX: SignedDuration = SignedDuration::from_mins(30);

/// How it chooses between groups of nodes that would all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expander {
    /// Least CPU and memory left idle.
    LeastWaste,
    /// Least money.
    Price,
}

/// The cluster autoscaler; each offer is a group of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterAutoscaler {
    expander: Expander,
    scans: u32,
    provision_max: SignedDuration,
    added: Option<Timestamp>,
    /// Until when a group is left alone, and for how long the last time.
    backoff: BTreeMap<OfferIndex, (Timestamp, SignedDuration)>,
}

impl ClusterAutoscaler {
    pub(super) fn new(expander: Expander, surroundings: &Surroundings) -> Self {
        let step = i64::from(surroundings.step_seconds);
        let boot = SignedDuration::from_secs(step * i64::from(surroundings.boot_steps));
        Self {
            expander,
            scans: (surroundings.step_seconds / SCAN_SECONDS).max(1),
            // Where machines are known to boot for longer, anybody would set it higher than its default.
            provision_max: PROVISION_MAX.max(boot + boot / 2),
            added: None,
            backoff: BTreeMap::new(),
        }
    }

    pub(super) fn change(
        &mut self,
        pool: &mut Pool,
        view: &NodeView<'_>,
        limits: NodeLimits,
    ) -> NodeChange {
        let mut change = NodeChange {
            releases: self.give_up_late(pool, view.now),
            ..NodeChange::default()
        };
        if !change.releases.is_empty() {
            return change;
        }
        self.mark_unneeded(pool, view.now);
        let short = pool.waiting().saturating_sub(pool.coming());
        if short > 0 {
            change
                .orders
                .extend(self.scale_up(pool, view, limits, short));
            if !change.orders.is_empty() {
                self.added = Some(view.now);
            }
            return change;
        }
        let cooling = self
            .added
            .is_some_and(|added| view.now.duration_since(added) < DELAY_AFTER_ADD);
        if !cooling && pool.waiting() == 0 {
            change.releases = self.scale_down(pool, view.now, limits);
        }
        change
    }

    /// The whole shortage from one group, chosen by the expander.
    fn scale_up(
        &self,
        pool: &Pool,
        view: &NodeView<'_>,
        limits: NodeLimits,
        short: u64,
    ) -> Option<(OfferIndex, u32)> {
        let left = limits.ceiling.saturating_sub(pool.room());
        let open = |offer: &&NodeOffer| {
            self.backoff
                .get(&offer.offer)
                .is_none_or(|(until, _)| *until <= view.now)
        };
        let option = |offer: &NodeOffer| {
            let room = u64::from(offer.room.max(1));
            let count = short.div_ceil(room).min(left / room);
            let covered = (count * room).min(short);
            (count > 0).then(|| (self.badness(offer, count, covered), covered, *offer, count))
        };
        let best = view
            .offers
            .iter()
            .filter(open)
            .filter_map(option)
            .min_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        best.map(|(_, _, offer, count)| (offer.offer, u32::try_from(count).unwrap_or(u32::MAX)))
    }

    fn badness(&self, offer: &NodeOffer, count: u64, pods: u64) -> f64 {
        match self.expander {
            Expander::Price => offer.price.as_f64() * count as f64,
            Expander::LeastWaste => {
                let used = |share: f64| pods as f64 * share / count as f64;
                offer
                    .pod_shares
                    .iter()
                    .map(|share| 1.0 - used(*share))
                    .sum()
            }
        }
    }

    /// Nodes that take too long are cancelled, and their group is left alone for a while.
    fn give_up_late(
        &mut self,
        pool: &mut Pool,
        now: Timestamp,
    ) -> Vec<fleetcast_model::InstanceRange> {
        let mut given_up = Vec::new();
        let late = |nodes: &super::pool::Nodes| {
            !nodes.serving && now.duration_since(nodes.seen) >= self.provision_max
        };
        while let Some(index) = pool.nodes.iter().rposition(late) {
            let (offer, count) = (pool.nodes[index].offer, pool.nodes[index].count);
            given_up.push(pool.take_out(index, count));
            let before = self.backoff.get(&offer).map(|(_, length)| *length);
            let length = before.map_or(BACKOFF_FIRST, |length| (length * 2).min(BACKOFF_MAX));
            self.backoff.insert(offer, (now + length, length));
        }
        given_up
    }

    fn mark_unneeded(&self, pool: &mut Pool, now: Timestamp) {
        for nodes in &mut pool.nodes {
            if nodes.serving && nodes.utilisation() < UTILISATION {
                nodes.unneeded_since.get_or_insert(now);
            } else {
                nodes.unneeded_since = None;
            }
        }
    }

    /// Scan by scan: empty nodes in bulk, or else one whose pods fit elsewhere.
    fn scale_down(
        &self,
        pool: &mut Pool,
        now: Timestamp,
        limits: NodeLimits,
    ) -> Vec<fleetcast_model::InstanceRange> {
        let mut released = Vec::new();
        for _ in 0..self.scans {
            let due = |nodes: &super::pool::Nodes| {
                nodes
                    .unneeded_since
                    .is_some_and(|since| now.duration_since(since) >= UNNEEDED)
                    && nodes.utilisation() < UTILISATION
            };
            // Newest first among equals, and empty ones before all.
            let candidates = pool.nodes.iter().enumerate().rev();
            let best = candidates
                .filter(|(_, nodes)| due(nodes))
                .min_by_key(|(_, nodes)| nodes.pods)
                .map(|(index, nodes)| (index, *nodes));
            let Some((index, nodes)) = best else { break };
            if !limits.may_drain {
                break;
            }
            let count = if nodes.pods == 0 {
                nodes.count.min(EMPTY_AT_ONCE)
            } else {
                let elsewhere = pool.free() - u64::from(nodes.free());
                if elsewhere < u64::from(nodes.pods) {
                    break;
                }
                DRAINED_AT_ONCE
            };
            released.push(pool.take_out(index, count));
        }
        released
    }
}
