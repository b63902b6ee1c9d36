//! What a period costs for each combination of what several chains are to it.

use super::chain::{Graph, Rebuild};

/// What each combination of kinds of states costs in a period; infinite where it passes a limit.
pub(super) struct Weights {
    costs: Vec<f64>,
    /// All chains but the last one, and what they leave of quotas and have in zones.
    heads: usize,
    quota_left: Vec<i64>,
    zone_units: Vec<i64>,
    /// What being there costs beside bills, by kind; nothing most of the time.
    holding: Vec<i64>,
}

impl Weights {
    pub(super) fn new(rebuild: &Rebuild, graph: &Graph, chains: usize) -> Self {
        Self {
            costs: vec![0.0; graph.kinds.len().pow(chains as u32)],
            heads: chains.saturating_sub(1),
            quota_left: vec![0; rebuild.beside.quota.len()],
            zone_units: vec![0; rebuild.beside.in_zone.len()],
            holding: vec![0; graph.kinds.len()],
        }
    }

    /// Works the costs of a period out.
    pub(super) fn weigh(&mut self, rebuild: &Rebuild, graph: &Graph, t: usize) {
        let kinds = graph.kinds.len();
        let (terms, beside, prices) = (rebuild.terms, rebuild.beside, &rebuild.prices);
        let serving = beside.serving[t];
        let room = rebuild.room.units[t] - beside.there[t];
        let demand = prices.demand[t];
        let wanted_spare = terms.spare[t];
        let (wanted, floor) = (terms.wanted[t], terms.floor[t]);
        if !terms.held.is_empty() {
            for (holding, kind) in self.holding.iter_mut().zip(&graph.kinds) {
                *holding = rebuild.holding(graph, kind, t);
            }
        }
        self.costs.fill(f64::INFINITY);
        for (outer, line) in self.costs.chunks_exact_mut(kinds).enumerate() {
            let left = rebuild.room.quota.iter().zip(beside.quota.iter());
            for (left, (room, used)) in self.quota_left.iter_mut().zip(left) {
                *left = room[t] - used[t];
            }
            for (units, zone) in self.zone_units.iter_mut().zip(beside.in_zone.iter()) {
                *units = zone[t];
            }
            let (mut units, mut held, mut holding, mut fits) = (0, 0, 0, true);
            let mut rest = outer;
            for _ in 0..self.heads {
                let kind = rest % kinds;
                rest /= kinds;
                let node = &graph.kinds[kind];
                units += node.units;
                held += node.units_there;
                holding += self.holding[kind];
                if let Some(zone) = self.zone_units.get_mut(node.zone) {
                    *zone += node.units;
                }
                for (place, each) in rebuild.quotas(graph, node) {
                    self.quota_left[*place] -= each;
                    fits &= self.quota_left[*place] >= 0;
                }
            }
            if !fits || held > 0 && held > room {
                continue;
            }
            for ((node, own_holding), cost) in graph.kinds.iter().zip(&self.holding).zip(line) {
                let quotas_fit = || {
                    (rebuild.quotas(graph, node).iter())
                        .all(|(place, each)| self.quota_left[*place] >= *each)
                };
                let fits = node.units_there == 0
                    || held + node.units_there <= room
                        && (self.quota_left.is_empty() || quotas_fit());
                if !fits {
                    continue;
                }
                let all = serving + units + node.units;
                let mut sum =
                    (wanted - all).max(0) * demand + (floor - all).max(0) * prices.under_floor;
                for (zone, (units, price)) in self.zone_units.iter().zip(prices.spare).enumerate() {
                    let own = if zone == node.zone { node.units } else { 0 };
                    sum += (wanted_spare - (all - units - own)).max(0) * price[t];
                }
                *cost = (sum + holding + own_holding) as f64;
            }
        }
    }

    /// Adds the costs of the period to those of all combinations of states. `heads` are the kinds of the states of all
    /// chains but the last one, as [`Graph::kinds_of`] has them.
    pub(super) fn add(&self, graph: &Graph, heads: &[u32], now: &mut [f64]) {
        let (states, kinds) = (graph.nodes.len(), graph.kinds.len());
        if kinds == states {
            let all = now.iter_mut().zip(&self.costs);
            return all.for_each(|(cost, more)| *cost += more);
        }
        for (line, head) in now.chunks_exact_mut(states).zip(heads) {
            let costs = &self.costs[*head as usize * kinds..][..kinds];
            for (stretch, kind) in &graph.stretches {
                for cost in &mut line[stretch.clone()] {
                    *cost += costs[*kind];
                }
            }
        }
    }
}
