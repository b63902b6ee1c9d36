//! Exact rebuilding of a few chains of runs beside all that stays as it is.
//!
//! A chain is one place in which at most one instance runs at a time. The state of a chain in a period is idle,
//! or a pool and the place within its paid block; the states of `m` chains are all combinations, and one pass over
//! the periods finds the cheapest runs of all of them together. Steps are taken chain by chain, so a period costs
//! `m·Nᵐ` cells and not `N²ᵐ`.

use super::loads::{Loads, Room, Span};
use super::terms::{NEVER, Terms};

/// Where a chain begins: empty, or with a standing instance that may go or stay from a period on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Place in [`Terms::standing`].
    pub(super) standing: Option<u32>,
}

/// What missing units cost in the search; the terms' own prices, or others that lead it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices<'a> {
    /// Of a missing unit of demand, by period.
    pub(super) demand: &'a [i64],
    /// Of a missing unit of spare without a zone, by zone and period.
    pub(super) spare: &'a [Vec<i64>],
    /// More for each unit under the floor.
    pub(super) under_floor: i64,
}

/// Rebuilds chains beside a background.
pub(super) struct Rebuild<'a> {
    pub(super) terms: &'a Terms,
    /// All that stays, the bound part of standing instances too.
    pub(super) beside: &'a Loads,
    pub(super) room: &'a Room,
    pub(super) prices: Prices<'a>,
    /// So many thousandths are added to what each pool costs, by its place in the terms; empty: none.
    pub(super) noise: &'a [i64],
}

/// A state of one chain.
#[derive(Clone, Copy, Debug)]
struct Node {
    units_there: i64,
    units: i64,
    zone: usize,
    /// Place among the candidates; the idle state has none.
    candidate: usize,
}

/// The states of one chain over some candidate pools.
struct Graph {
    nodes: Vec<Node>,
    /// What states are to a period, and for each state, which of these it is: ages within a block are all alike.
    kinds: Vec<Node>,
    kind_of: Vec<u32>,
    candidates: Vec<Candidate>,
}

struct Candidate {
    /// Place in the terms.
    pool: usize,
    /// The state of the last period of any block, and those of the first one's first period and of a later one's.
    end: usize,
    first: usize,
    again: usize,
    first_len: usize,
    again_len: usize,
    first_cost: i64,
    again_cost: i64,
}

const IDLE: usize = 0;

impl Graph {
    fn new(terms: &Terms, pools: &[usize], noise: &[i64]) -> Self {
        let idle = Node {
            units_there: 0,
            units: 0,
            zone: usize::MAX,
            candidate: usize::MAX,
        };
        let mut nodes = vec![idle];
        let mut candidates = Vec::with_capacity(pools.len());
        for (candidate, &place) in pools.iter().enumerate() {
            let pool = &terms.pools[place];
            let dearer = |cost: i64| cost + cost / 1_000 * noise.get(place).copied().unwrap_or(0);
            let node = |serves: bool| Node {
                units_there: pool.units,
                units: if serves { pool.units } else { 0 },
                zone: pool.zone,
                candidate,
            };
            let end = nodes.len();
            nodes.push(node(true));
            let first = if pool.first == 1 { end } else { nodes.len() };
            nodes.extend((0..pool.first - 1).map(|age| node(age >= pool.lead)));
            let again = if pool.again == 1 { end } else { nodes.len() };
            nodes.extend((0..pool.again - 1).map(|_| node(true)));
            candidates.push(Candidate {
                pool: place,
                end,
                first,
                again,
                first_len: pool.first,
                again_len: pool.again,
                // What boots beyond the horizon is never started.
                first_cost: if pool.lead < terms.periods {
                    dearer(pool.first_cost())
                } else {
                    NEVER
                },
                again_cost: dearer(pool.again_bill),
            });
        }
        let mut kinds: Vec<Node> = Vec::new();
        let mut kind_of = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let of = kinds
                .iter()
                .rposition(|kind| kind.candidate == node.candidate && kind.units == node.units);
            let of = of.unwrap_or_else(|| {
                kinds.push(*node);
                kinds.len() - 1
            });
            kind_of.push(of as u32);
        }
        Self {
            nodes,
            kinds,
            kind_of,
            candidates,
        }
    }

    /// For each combination of states of so many chains, the combination of their kinds.
    fn kinds_of(&self, chains: usize) -> Vec<u32> {
        let kinds = self.kinds.len() as u32;
        let mut all = vec![0];
        for _ in 0..chains {
            let longer = all
                .iter()
                .flat_map(|before| self.kind_of.iter().map(move |kind| before * kinds + kind));
            all = longer.collect();
        }
        all
    }

    /// The costs of being in each state, from those a period before.
    fn step(&self, stateful: bool, before: &[i64], after: &mut [i64]) {
        after.fill(NEVER);
        let mut free = before[IDLE];
        if !stateful {
            for candidate in &self.candidates {
                free = free.min(before[candidate.end]);
            }
        }
        after[IDLE] = free;
        for c in &self.candidates {
            let mut end = NEVER;
            if c.first_len == 1 {
                end = free + c.first_cost;
            } else {
                after[c.first] = free + c.first_cost;
                for age in 1..c.first_len - 1 {
                    after[c.first + age] = before[c.first + age - 1];
                }
                end = end.min(before[c.first + c.first_len - 2]);
            }
            let prolonged = before[c.end] + c.again_cost;
            if c.again_len == 1 {
                end = end.min(prolonged);
            } else {
                after[c.again] = prolonged;
                for age in 1..c.again_len - 1 {
                    after[c.again + age] = before[c.again + age - 1];
                }
                end = end.min(before[c.again + c.again_len - 2]);
            }
            after[c.end] = end;
        }
        for value in after.iter_mut() {
            *value = (*value).min(NEVER);
        }
    }

    /// The states that one may come from, with what that costs; idle first, so that ties keep things simple.
    fn before(&self, stateful: bool, node: usize, into: &mut Vec<(usize, i64)>) {
        into.clear();
        let free = |into: &mut Vec<(usize, i64)>, cost: i64| {
            into.push((IDLE, cost));
            if !stateful {
                into.extend(self.candidates.iter().map(|c| (c.end, cost)));
            }
        };
        if node == IDLE {
            return free(into, 0);
        }
        let c = &self.candidates[self.nodes[node].candidate];
        if node == c.end {
            if c.again_len == 1 {
                into.push((c.end, c.again_cost));
            } else {
                into.push((c.again + c.again_len - 2, 0));
            }
            if c.first_len == 1 {
                free(into, c.first_cost);
            } else {
                into.push((c.first + c.first_len - 2, 0));
            }
        } else if c.first_len > 1 && node == c.first {
            free(into, c.first_cost);
        } else if c.again_len > 1 && node == c.again {
            into.push((c.end, c.again_cost));
        } else {
            into.push((node - 1, 0));
        }
    }
}

impl Rebuild<'_> {
    /// States of one chain over these pools.
    pub(super) fn states(terms: &Terms, pools: &[usize]) -> usize {
        let of = |pool: &usize| terms.pools[*pool].first + terms.pools[*pool].again - 1;
        1 + pools.iter().map(of).sum::<usize>()
    }

    /// The cheapest runs of the chains, with what is then missing. Standing instances come back with their whole run. The pools of standing entries must be among the candidates.
    pub(super) fn solve(
        &self,
        pools: &[usize],
        entries: &[Entry],
        work: &mut u64,
    ) -> Option<Vec<Span>> {
        match entries {
            [entry] => self.solve_one(pools, *entry, work),
            _ => self.by_table(pools, entries, work),
        }
    }

    /// The same by a table over all combinations of states, for any number of chains.
    pub(super) fn by_table(
        &self,
        pools: &[usize],
        entries: &[Entry],
        work: &mut u64,
    ) -> Option<Vec<Span>> {
        let graph = Graph::new(self.terms, pools, self.noise);
        let (states, chains) = (graph.nodes.len(), entries.len());
        let all = states.pow(chains as u32);
        let periods = self.terms.periods;
        *work += (all * chains * periods) as u64;
        let bound = |entry: &Entry| {
            let standing = entry
                .standing
                .map(|place| &self.terms.standing[place as usize]);
            standing.map_or((0, None), |s| {
                let at = graph.candidates.iter().position(|c| c.pool == s.pool);
                (s.bound, at)
            })
        };
        let begins: Vec<(usize, Option<usize>)> = entries.iter().map(bound).collect();
        let strides: Vec<usize> = (0..chains)
            .map(|chain| states.pow((chains - 1 - chain) as u32))
            .collect();
        let heads = graph.kinds_of(chains - 1);
        let mut now = vec![NEVER; all];
        now[0] = 0;
        let mut table = Vec::with_capacity(all * periods);
        let (mut line, mut next) = (vec![NEVER; states], vec![NEVER; states]);
        for t in 0..periods {
            for (chain, &stride) in strides.iter().enumerate() {
                let (begins_at, with) = begins[chain];
                if t < begins_at {
                    continue;
                }
                for start in 0..all / states {
                    let at = start / stride * stride * states + start % stride;
                    let mut any = false;
                    for state in 0..states {
                        line[state] = now[at + state * stride];
                        any |= line[state] < NEVER;
                    }
                    if !any {
                        continue;
                    }
                    if let (true, Some(candidate)) = (t == begins_at, with) {
                        let end = graph.candidates[candidate].end;
                        line.swap(IDLE, end);
                    }
                    graph.step(self.terms.stateful, &line, &mut next);
                    for state in 0..states {
                        now[at + state * stride] = next[state];
                    }
                }
            }
            self.weigh(&graph, t, chains, &heads, &mut now);
            table.extend_from_slice(&now);
        }
        let (at, cost) = (0..all)
            .map(|at| (at, now[at]))
            .min_by_key(|(at, cost)| (*cost, *at))?;
        if cost >= NEVER {
            return None;
        }
        let paths = self.walk_back(&graph, &begins, &strides, &table, at);
        Some(self.spans(&graph, &begins, entries, &paths))
    }

    /// Adds what missing units cost, and forbids what passes a limit. `heads` are the kinds of the states of all chains
    /// but the last one, as [`Graph::kinds_of`] has them.
    fn weigh(&self, graph: &Graph, t: usize, chains: usize, heads: &[u32], now: &mut [i64]) {
        let costs = self.costs_of_kinds(graph, t, chains);
        let (states, kinds) = (graph.nodes.len(), graph.kinds.len());
        for (line, head) in now.chunks_exact_mut(states).zip(heads) {
            let costs = &costs[*head as usize * kinds..][..kinds];
            for (value, kind) in line.iter_mut().zip(&graph.kind_of) {
                *value = (*value + costs[*kind as usize]).min(NEVER);
            }
        }
    }

    /// What each combination of kinds of states costs in a period.
    fn costs_of_kinds(&self, graph: &Graph, t: usize, chains: usize) -> Vec<i64> {
        let kinds = graph.kinds.len();
        let serving = self.beside.serving[t];
        let room = self.room.units[t] - self.beside.there[t];
        let demand = self.prices.demand[t];
        let wanted_spare = self.terms.spare[t];
        let (wanted, floor) = (self.terms.wanted[t], self.terms.floor[t]);
        let quota_room: Vec<i64> = (self.room.quota.iter().zip(self.beside.quota.iter()))
            .map(|(room, used)| room[t] - used[t])
            .collect();
        let mut head = vec![0; chains.saturating_sub(1)];
        let mut quota_left = quota_room.clone();
        let mut zone_units = vec![0; self.beside.in_zone.len()];
        let mut costs = vec![NEVER; kinds.pow(chains as u32)];
        for (outer, line) in costs.chunks_exact_mut(kinds).enumerate() {
            let mut rest = outer;
            for place in head.iter_mut().rev() {
                *place = rest % kinds;
                rest /= kinds;
            }
            quota_left.copy_from_slice(&quota_room);
            for (units, zone) in zone_units.iter_mut().zip(self.beside.in_zone.iter()) {
                *units = zone[t];
            }
            let (mut units, mut held, mut holding, mut fits) = (0, 0, 0, true);
            for &kind in &head {
                let node = &graph.kinds[kind];
                units += node.units;
                held += node.units_there;
                holding += self.holding(graph, node, t);
                if let Some(zone) = zone_units.get_mut(node.zone) {
                    *zone += node.units;
                }
                for (place, each) in self.quotas(graph, node) {
                    quota_left[*place] -= each;
                    fits &= quota_left[*place] >= 0;
                }
            }
            if !fits || held > 0 && held > room {
                continue;
            }
            for (node, cost) in graph.kinds.iter().zip(line) {
                let fits = node.units_there == 0
                    || held + node.units_there <= room
                        && (self.quotas(graph, node).iter())
                            .all(|(place, each)| quota_left[*place] >= *each);
                if !fits {
                    continue;
                }
                let all = serving + units + node.units;
                *cost =
                    (wanted - all).max(0) * demand + (floor - all).max(0) * self.prices.under_floor;
                for (zone, (units, price)) in zone_units.iter().zip(self.prices.spare).enumerate() {
                    let own = if zone == node.zone { node.units } else { 0 };
                    *cost += (wanted_spare - (all - units - own)).max(0) * price[t];
                }
                *cost = (*cost + holding + self.holding(graph, node, t)).min(NEVER);
            }
        }
        costs
    }

    fn holding(&self, graph: &Graph, node: &Node, t: usize) -> i64 {
        match graph.candidates.get(node.candidate) {
            Some(candidate) if !self.terms.held.is_empty() => {
                self.terms
                    .holding(&self.terms.pools[candidate.pool], t, t + 1)
            }
            _ => 0,
        }
    }

    /// What an instance in this state takes of the quotas.
    fn quotas(&self, graph: &Graph, node: &Node) -> &[(usize, i64)] {
        match graph.candidates.get(node.candidate) {
            Some(candidate) => &self.terms.pools[candidate.pool].quotas,
            None => &[],
        }
    }

    /// The states of each chain in each period on the cheapest way.
    fn walk_back(
        &self,
        graph: &Graph,
        begins: &[(usize, Option<usize>)],
        strides: &[usize],
        table: &[i64],
        mut at: usize,
    ) -> Vec<Vec<usize>> {
        let (chains, periods) = (begins.len(), self.terms.periods);
        let states = graph.nodes.len();
        let all = states.pow(chains as u32);
        let mut paths = vec![vec![IDLE; periods]; chains];
        let mut sources: Vec<Vec<(usize, i64)>> = vec![Vec::new(); chains];
        for t in (0..periods).rev() {
            for chain in 0..chains {
                paths[chain][t] = at / strides[chain] % states;
            }
            if t == 0 {
                break;
            }
            for (chain, into) in sources.iter_mut().enumerate() {
                let (begins_at, with) = begins[chain];
                let node = paths[chain][t];
                match with {
                    _ if t < begins_at => *into = vec![(IDLE, 0)],
                    Some(candidate) if t == begins_at => {
                        // What was locked is at the end of a block: only that leads on.
                        graph.before(self.terms.stateful, node, into);
                        let end = graph.candidates[candidate].end;
                        into.retain(|(from, _)| *from == end);
                        into.iter_mut().for_each(|(from, _)| *from = IDLE);
                    }
                    _ => graph.before(self.terms.stateful, node, into),
                }
            }
            let before = &table[(t - 1) * all..t * all];
            at = cheapest(before, strides, &sources);
        }
        paths
    }

    /// The runs on the chains' ways.
    fn spans(
        &self,
        graph: &Graph,
        begins: &[(usize, Option<usize>)],
        entries: &[Entry],
        paths: &[Vec<usize>],
    ) -> Vec<Span> {
        let mut spans = Vec::new();
        for ((path, entry), (begins_at, with)) in paths.iter().zip(entries).zip(begins) {
            let mut open = entry.standing.map(|place| Span {
                from: 0,
                until: *begins_at as u32,
                pool: self.terms.standing[place as usize].pool as u32,
                standing: Some(place),
            });
            let mut previous = with.map_or(IDLE, |candidate| graph.candidates[candidate].end);
            for (t, &node) in path.iter().enumerate().skip(*begins_at) {
                if node == IDLE {
                    spans.extend(open.take());
                } else {
                    let c = &graph.candidates[graph.nodes[node].candidate];
                    let prolonged = node == c.again && previous == c.end;
                    if node == c.first && !prolonged {
                        spans.extend(open.take());
                        open = Some(Span {
                            from: t as u32,
                            until: t as u32,
                            pool: c.pool as u32,
                            standing: None,
                        });
                    }
                    if let Some(span) = &mut open {
                        span.until = t as u32 + 1;
                    }
                }
                previous = node;
            }
            spans.extend(open);
        }
        spans
    }
}

/// The cheapest combination of sources; the first of equals.
fn cheapest(before: &[i64], strides: &[usize], sources: &[Vec<(usize, i64)>]) -> usize {
    let mut picks = vec![0; sources.len()];
    let mut best = (i64::MAX, 0);
    loop {
        let (mut at, mut cost) = (0, 0);
        for (chain, &pick) in picks.iter().enumerate() {
            let (from, more) = sources[chain][pick];
            at += from * strides[chain];
            cost += more;
        }
        if before[at] + cost < best.0 {
            best = (before[at] + cost, at);
        }
        let Some(turn) = (0..picks.len())
            .rev()
            .find(|&c| picks[c] + 1 < sources[c].len())
        else {
            return best.1;
        };
        picks[turn] += 1;
        picks[turn + 1..].fill(0);
    }
}
