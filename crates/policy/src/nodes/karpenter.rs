//! Karpenter: the cheapest nodes that fit the waiting pods, and consolidation.
//!
//! Source: karpenter.sh, "Scheduling" and "Disruption"; kubernetes-sigs/karpenter, designs on consolidation and
//! its Balanced policy (savings and disruption as shares of the pool's, approved from 1 ÷ k on).

use fleetcast_model::{InstanceRange, MicroUsdPerHour, OfferIndex};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::pool::{Nodes, Pool};
use super::{NodeChange, NodeLimits, NodeOffer, NodeView};
use crate::Surroundings;

/// Consolidation looks every 10 s and waits 15 s before it does what it found.
const ROUND_SECONDS: u32 = 25;
/// The share of nodes that may be disrupted at once (the default budget).
const BUDGET: f64 = 0.1;
/// Most nodes that one consolidation looks at.
const CANDIDATES_MAX: u32 = 100;
/// Balanced: a change must save at least 1 ÷ k times what it disrupts, both as shares of the pool's.
const BALANCE: f64 = 2.0;
/// A replacement that is not there after so long is given up, and what it was to replace stays.
const REPLACEMENT_MAX: SignedDuration = SignedDuration::from_mins(30);

/// Karpenter, for one pool of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Karpenter {
    rounds: u32,
    replacing: Option<Replacing>,
}

/// Nodes that go as soon as what replaces them serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Replacing {
    old: Vec<InstanceRange>,
    began: Timestamp,
}

/// What one consolidation would do.
struct Consolidation {
    /// Groups with numbers of nodes to give up.
    parts: Vec<(usize, u32)>,
    replacement: Option<OfferIndex>,
}

impl Karpenter {
    pub(super) fn new(surroundings: &Surroundings) -> Self {
        Self {
            rounds: (surroundings.step_seconds / ROUND_SECONDS).max(1),
            replacing: None,
        }
    }

    pub(super) fn change(
        &mut self,
        pool: &mut Pool,
        view: &NodeView<'_>,
        limits: NodeLimits,
    ) -> NodeChange {
        let mut change = NodeChange::default();
        let short = pool.waiting().saturating_sub(pool.coming());
        if short > 0 {
            change.orders = pack(pool, view, limits, short);
            return change;
        }
        if pool.waiting() > 0 || !limits.may_drain {
            return change;
        }
        if let Some(replacing) = &self.replacing {
            if pool.coming() > 0 && view.now.duration_since(replacing.began) < REPLACEMENT_MAX {
                return change;
            }
            let old = std::mem::take(&mut self.replacing);
            for range in old.map(|one| one.old).unwrap_or_default() {
                change.releases.extend(retire(pool, range));
            }
            return change;
        }
        if pool.coming() > 0 {
            return change;
        }
        for _ in 0..self.rounds {
            let Some(found) = consolidate(pool, view, limits) else {
                break;
            };
            if let Some(offer) = found.replacement {
                if change.releases.is_empty() {
                    let old = found.parts.iter();
                    self.replacing = Some(Replacing {
                        old: old.map(|(i, count)| pool.nodes[*i].last(*count)).collect(),
                        began: view.now,
                    });
                    change.orders.push((offer, 1));
                }
                break;
            }
            change.releases.extend(pool.take_out_all(found.parts));
        }
        change
    }
}

/// Gives nodes up whose replacement serves, as far as their pods still fit elsewhere.
fn retire(pool: &mut Pool, range: InstanceRange) -> Option<InstanceRange> {
    let inside = |nodes: &Nodes| {
        nodes.token == range.token
            && nodes.first <= range.first
            && range.first < nodes.first + nodes.count
    };
    let index = pool.nodes.iter().position(inside)?;
    let nodes = pool.nodes[index];
    let count = (nodes.first + nodes.count - range.first).min(range.count);
    let elsewhere = pool.free() - u64::from(count) * u64::from(nodes.free());
    let fits = elsewhere >= u64::from(count) * u64::from(nodes.pods);
    // Only the last nodes of a group can go; others were split off since.
    (fits && count > 0 && nodes.serving).then(|| pool.take_out(index, count))
}

/// Packs waiting pods into as few nodes as offers allow, each the cheapest that fits its pods.
fn pack(
    pool: &Pool,
    view: &NodeView<'_>,
    limits: NodeLimits,
    mut short: u64,
) -> Vec<(OfferIndex, u32)> {
    let mut left = limits.ceiling.saturating_sub(pool.room());
    let mut orders: Vec<(OfferIndex, u32)> = Vec::new();
    while short > 0 && left > 0 {
        let fitting = || {
            view.offers
                .iter()
                .filter(|offer| u64::from(offer.room) <= left)
        };
        let Some(largest) = fitting().map(|offer| offer.room).max() else {
            break;
        };
        let pods = short.min(u64::from(largest));
        let Some(best) = cheapest(fitting(), pods) else {
            break;
        };
        let room = u64::from(best.room);
        // All the nodes that would be filled alike at once.
        let count = (short / pods).min(left / room).max(1);
        orders.push((best.offer, u32::try_from(count).unwrap_or(u32::MAX)));
        short = short.saturating_sub(count * pods);
        left = left.saturating_sub(count * room);
    }
    orders
}

fn cheapest<'a>(offers: impl Iterator<Item = &'a NodeOffer>, pods: u64) -> Option<&'a NodeOffer> {
    offers
        .filter(|offer| u64::from(offer.room) >= pods)
        .min_by_key(|offer| (offer.price, offer.room, offer.offer))
}

/// The first consolidation that the Balanced policy approves: empty nodes, then several nodes for one or none,
/// then one node for a cheaper one or none.
fn consolidate(pool: &Pool, view: &NodeView<'_>, limits: NodeLimits) -> Option<Consolidation> {
    let nodes = pool.serving();
    let budget = ((nodes as f64 * BUDGET).ceil() as u32).max(1);
    let mut candidates: Vec<usize> = (0..pool.nodes.len())
        .filter(|index| pool.nodes[*index].serving)
        .collect();
    // Fewest pods first: least is disrupted; newest first among equals.
    candidates.sort_by_key(|index| (pool.nodes[*index].pods, std::cmp::Reverse(*index)));
    let empty: Vec<(usize, u32)> = take(&candidates, budget, |index| {
        let nodes = &pool.nodes[index];
        if nodes.pods == 0 { nodes.count } else { 0 }
    });
    if !empty.is_empty() {
        return Some(Consolidation {
            parts: empty,
            replacement: None,
        });
    }
    let most = budget.min(CANDIDATES_MAX);
    let several = (2..=most).rev().find_map(|count| {
        let parts = take(&candidates, count, |index| pool.nodes[index].count);
        let whole = parts.iter().map(|(_, count)| count).sum::<u32>() == count;
        whole.then(|| approved(pool, view, limits, parts)).flatten()
    });
    several.or_else(|| {
        candidates
            .iter()
            .find_map(|index| approved(pool, view, limits, vec![(*index, 1)]))
    })
}

/// The first so many nodes of the groups, in their order.
fn take(groups: &[usize], most: u32, of: impl Fn(usize) -> u32) -> Vec<(usize, u32)> {
    let mut left = most;
    let mut parts = Vec::new();
    for index in groups {
        let count = of(*index).min(left);
        if count > 0 {
            parts.push((*index, count));
            left -= count;
        }
    }
    parts
}

/// Works out what giving these nodes up takes and saves; `None` if it does not fit, save, or pay.
fn approved(
    pool: &Pool,
    view: &NodeView<'_>,
    limits: NodeLimits,
    parts: Vec<(usize, u32)>,
) -> Option<Consolidation> {
    let price = |offer: OfferIndex| {
        let found = view.offers.iter().find(|one| one.offer == offer);
        found
            .map_or(MicroUsdPerHour::ZERO, |one| one.price)
            .as_f64()
    };
    let disruption = |nodes: &Nodes, count: u32| f64::from(count) * (1.0 + f64::from(nodes.pods));
    let sum = |part: fn(&Nodes) -> u32| -> u64 {
        parts
            .iter()
            .map(|(index, count)| u64::from(*count) * u64::from(part(&pool.nodes[*index])))
            .sum()
    };
    let pods = sum(|nodes| nodes.pods);
    let elsewhere = pool.free() - sum(Nodes::free);
    let homeless = pods.saturating_sub(elsewhere);
    let cost: f64 = parts
        .iter()
        .map(|(index, count)| price(pool.nodes[*index].offer) * f64::from(*count))
        .sum();
    let replacement = if homeless == 0 {
        None
    } else {
        let left = limits.ceiling.saturating_sub(pool.room());
        let fitting = view.offers.iter().filter(|one| u64::from(one.room) <= left);
        let best = cheapest(fitting, homeless)?;
        (best.price.as_f64() < cost).then_some(())?;
        Some(best)
    };
    let savings = cost - replacement.map_or(0.0, |one| one.price.as_f64());
    let all = pool.nodes.iter().filter(|nodes| nodes.serving);
    let pool_cost: f64 = all
        .clone()
        .map(|nodes| price(nodes.offer) * f64::from(nodes.count))
        .sum();
    let pool_disruption: f64 = all.map(|nodes| disruption(nodes, nodes.count)).sum();
    let disrupted: f64 = parts
        .iter()
        .map(|(index, count)| disruption(&pool.nodes[*index], *count))
        .sum();
    let score = (savings / pool_cost) / (disrupted / pool_disruption);
    (savings > 0.0 && score >= 1.0 / BALANCE).then_some(Consolidation {
        parts,
        replacement: replacement.map(|one| one.offer),
    })
}
