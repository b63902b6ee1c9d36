//! Exact rebuilding of a few chains of runs beside all that stays as it is.
//!
//! A chain is one place in which at most one instance runs at a time. The state of a chain in a period is idle,
//! or a pool and the place within its paid block; the states of `m` chains are all combinations, and one pass over
//! the periods finds the cheapest runs of all of them together. Steps are taken chain by chain, so a period costs
//! `m·Nᵐ` cells and not `N²ᵐ`.

use std::ops::Range;

use super::loads::{Loads, Room, Span};
use super::terms::Terms;
use super::weights::Weights;

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
pub(super) struct Node {
    pub(super) units_there: i64,
    pub(super) units: i64,
    pub(super) zone: usize,
    /// Place among the candidates; the idle state has none.
    candidate: usize,
}

/// The states of one chain over some candidate pools.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// What states are to a period, and for each state, which of these it is: ages within a block are all alike.
    pub(super) kinds: Vec<Node>,
    kind_of: Vec<u32>,
    /// States of one kind beside each other.
    pub(super) stretches: Vec<(Range<usize>, usize)>,
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
    first_cost: f64,
    again_cost: f64,
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
            let (first, again) = (nodes.len(), nodes.len() + pool.first - 1);
            nodes.extend((0..pool.first - 1).map(|age| node(age >= pool.lead)));
            nodes.extend((0..pool.again - 1).map(|_| node(true)));
            let end = nodes.len();
            nodes.push(node(true));
            candidates.push(Candidate {
                pool: place,
                end,
                first: if pool.first == 1 { end } else { first },
                again,
                first_len: pool.first,
                again_len: pool.again,
                // What boots beyond the horizon is never started.
                first_cost: if pool.lead < terms.periods {
                    dearer(pool.first_cost()) as f64
                } else {
                    f64::INFINITY
                },
                again_cost: dearer(pool.again_bill) as f64,
            });
        }
        let mut kinds: Vec<Node> = Vec::new();
        let mut kind_of = Vec::with_capacity(nodes.len());
        for node in &nodes {
            // A candidate has two kinds at most: booting, and serving.
            let lately = kinds.len().saturating_sub(2);
            let of = kinds[lately..]
                .iter()
                .position(|kind| kind.candidate == node.candidate && kind.units == node.units);
            let of = of.map_or(kinds.len(), |of| lately + of);
            if of == kinds.len() {
                kinds.push(*node);
            }
            kind_of.push(of as u32);
        }
        let stretches = (kind_of.chunk_by(|a, b| a == b))
            .scan(0, |begin, alike| {
                let from = std::mem::replace(begin, *begin + alike.len());
                Some((from..*begin, alike[0] as usize))
            })
            .collect();
        Self {
            nodes,
            kinds,
            kind_of,
            stretches,
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

    /// The costs of being in each state of a chain, one period later, for as many combinations of the other chains'
    /// states as there are lanes: a row for each state. `spare` is two rows.
    fn step(&self, stateful: bool, cells: &mut [f64], spare: &mut [f64]) {
        let lanes = spare.len() / 2;
        if lanes == 1 {
            return self.step_line(stateful, cells);
        }
        let row = |state: usize| state * lanes..(state + 1) * lanes;
        let (free, end) = spare.split_at_mut(lanes);
        free.copy_from_slice(&cells[row(IDLE)]);
        if !stateful {
            for c in &self.candidates {
                lower(free, &cells[row(c.end)], 0.0);
            }
        }
        for c in &self.candidates {
            end.fill(f64::INFINITY);
            if c.first_len == 1 {
                lower(end, free, c.first_cost);
            } else {
                let last = c.first + c.first_len - 2;
                lower(end, &cells[row(last)], 0.0);
                cells.copy_within(c.first * lanes..last * lanes, (c.first + 1) * lanes);
                raise(&mut cells[row(c.first)], free, c.first_cost);
            }
            if c.again_len == 1 {
                lower(end, &cells[row(c.end)], c.again_cost);
            } else {
                let last = c.again + c.again_len - 2;
                lower(end, &cells[row(last)], 0.0);
                cells.copy_within(c.again * lanes..last * lanes, (c.again + 1) * lanes);
                let (before, ended) = cells.split_at_mut(c.end * lanes);
                raise(&mut before[row(c.again)], &ended[..lanes], c.again_cost);
            }
            cells[row(c.end)].copy_from_slice(end);
        }
        cells[row(IDLE)].copy_from_slice(free);
    }

    /// The same for one lane, without rows: both must agree, and [`Self::before`] with them.
    fn step_line(&self, stateful: bool, cells: &mut [f64]) {
        let mut free = cells[IDLE];
        if !stateful {
            for c in &self.candidates {
                free = least(free, cells[c.end]);
            }
        }
        for c in &self.candidates {
            let starts = free + c.first_cost;
            let goes_on = cells[c.end] + c.again_cost;
            let through = |cells: &mut [f64], begin: usize, blocks: usize, enters: f64| {
                if blocks == 1 {
                    return enters;
                }
                let ages = &mut cells[begin..begin + blocks - 1];
                let leaves = ages[blocks - 2];
                for age in (1..ages.len()).rev() {
                    ages[age] = ages[age - 1];
                }
                ages[0] = enters;
                leaves
            };
            let first = through(cells, c.first, c.first_len, starts);
            let again = through(cells, c.again, c.again_len, goes_on);
            cells[c.end] = least(first, again);
        }
        cells[IDLE] = free;
    }

    /// The states that one may come from, with what that costs; idle first, so that ties keep things simple.
    fn before(&self, stateful: bool, node: usize, into: &mut Vec<(usize, f64)>) {
        into.clear();
        let free = |into: &mut Vec<(usize, f64)>, cost: f64| {
            into.push((IDLE, cost));
            if !stateful {
                into.extend(self.candidates.iter().map(|c| (c.end, cost)));
            }
        };
        if node == IDLE {
            return free(into, 0.0);
        }
        let c = &self.candidates[self.nodes[node].candidate];
        if node == c.end {
            if c.again_len == 1 {
                into.push((c.end, c.again_cost));
            } else {
                into.push((c.again + c.again_len - 2, 0.0));
            }
            if c.first_len == 1 {
                free(into, c.first_cost);
            } else {
                into.push((c.first + c.first_len - 2, 0.0));
            }
        } else if c.first_len > 1 && node == c.first {
            free(into, c.first_cost);
        } else if c.again_len > 1 && node == c.again {
            into.push((c.end, c.again_cost));
        } else {
            into.push((node - 1, 0.0));
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
        let mut weights = Weights::new(self, &graph, chains);
        // A row of states for each combination, period after period.
        let mut table = Vec::with_capacity(all * periods);
        let mut spare = vec![0.0; 2 * strides.first().copied().unwrap_or(1)];
        for t in 0..periods {
            if t == 0 {
                table.resize(all, f64::INFINITY);
                table[0] = 0.0;
            } else {
                table.extend_from_within((t - 1) * all..);
            }
            let now = &mut table[t * all..];
            for (&lanes, (begins_at, with)) in strides.iter().zip(&begins) {
                if t < *begins_at {
                    continue;
                }
                for cells in now.chunks_exact_mut(states * lanes) {
                    if let (true, Some(candidate)) = (t == *begins_at, *with) {
                        let end = graph.candidates[candidate].end;
                        let (idle, ended) = cells.split_at_mut(end * lanes);
                        idle[..lanes].swap_with_slice(&mut ended[..lanes]);
                    }
                    graph.step(self.terms.stateful, cells, &mut spare[..2 * lanes]);
                }
            }
            weights.weigh(self, &graph, t);
            weights.add(&graph, &heads, now);
        }
        let last = table[all * (periods - 1)..].iter().enumerate();
        let (at, cost) = last.min_by(|a, b| a.1.total_cmp(b.1))?;
        if cost.is_infinite() {
            return None;
        }
        let paths = self.walk_back(&graph, &begins, &strides, &table, at);
        Some(self.spans(&graph, &begins, entries, &paths))
    }

    pub(super) fn holding(&self, graph: &Graph, node: &Node, t: usize) -> i64 {
        match graph.candidates.get(node.candidate) {
            Some(candidate) if !self.terms.held.is_empty() => {
                self.terms
                    .holding(&self.terms.pools[candidate.pool], t, t + 1)
            }
            _ => 0,
        }
    }

    /// What an instance in this state takes of the quotas.
    pub(super) fn quotas(&self, graph: &Graph, node: &Node) -> &[(usize, i64)] {
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
        table: &[f64],
        mut at: usize,
    ) -> Vec<Vec<usize>> {
        let (chains, periods) = (begins.len(), self.terms.periods);
        let states = graph.nodes.len();
        let all = states.pow(chains as u32);
        let mut paths = vec![vec![IDLE; periods]; chains];
        let mut sources: Vec<Vec<(usize, f64)>> = vec![Vec::new(); chains];
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
                    _ if t < begins_at => *into = vec![(IDLE, 0.0)],
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
fn cheapest(before: &[f64], strides: &[usize], sources: &[Vec<(usize, f64)>]) -> usize {
    let Some((last, heads)) = sources.split_last() else {
        return 0;
    };
    let mut picks = vec![0; heads.len()];
    let mut best = (f64::INFINITY, 0);
    loop {
        let (mut at, mut cost) = (0, 0.0);
        for ((pick, sources), stride) in picks.iter().zip(heads).zip(strides) {
            let (from, more) = sources[*pick];
            at += from * stride;
            cost += more;
        }
        for (from, more) in last {
            let sum = before[at + from] + (cost + more);
            if sum < best.0 {
                best = (sum, at + from);
            }
        }
        let more = |chain: &usize| picks[*chain] + 1 < heads[*chain].len();
        let Some(turn) = (0..picks.len()).rev().find(more) else {
            return best.1;
        };
        picks[turn] += 1;
        picks[turn + 1..].fill(0);
    }
}

fn least(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// Lowers each cost to the other one and so much more, where that is less.
fn lower(costs: &mut [f64], others: &[f64], more: f64) {
    for (cost, other) in costs.iter_mut().zip(others) {
        *cost = least(*cost, other + more);
    }
}

/// Each cost becomes the other one and so much more.
fn raise(costs: &mut [f64], others: &[f64], more: f64) {
    for (cost, other) in costs.iter_mut().zip(others) {
        *cost = other + more;
    }
}
