//! The whole fleet: each component alone, and where money or quota does not suffice, by importance.

use fleetcast_model::MicroUsd;

use super::answer::{Binding, Cost, FleetPlan, Missing};
use super::budget::within;
use super::component::{Solved, bound, first, lead, search_on, share, solve};
use super::loads::{Loads, Room, Solution, bound_spans};
use super::problem::{ComponentProblem, FleetProblem, ProblemError};
use super::terms::Terms;
use super::watch::Watch;

/// Where prices of quotas lead, each search may take this part of the work limit: there are many of them.
const LED_SHARE: u64 = 4;

/// A floor alone is searched for with this part of the work limit.
const FLOOR_SHARE: u64 = 16;
/// The parts of the work limit that the searches for one component may take, one after another; after so many of them
/// those that share quotas are put together for the first time.
const SHARES: [u64; 10] = [1_024, 512, 256, 128, 64, 32, 16, 8, 4, 2];
const SHARES_SOON: usize = 3;

/// How much work a plan may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkLimit {
    /// Cells of tables that are filled for each component, at most, and a little over: for one of up to 2,000
    /// pool-periods with each of its zones, and somewhat more than in proportion for larger ones.
    pub cells_per_component: u64,
}

impl Default for WorkLimit {
    /// Up to a tenth of a second for a component of some offers and tens of periods.
    fn default() -> Self {
        Self {
            cells_per_component: 8_000_000,
        }
    }
}

/// Plans a fleet: covers each demand at the least cost that is found, and says how much less it could be.
///
/// Where not everything can be covered, the least important component gives way first; among equals the one that
/// is listed last. A `previous` plan that is still good and not dearer than what is found is kept as it is, so that
/// planning twice changes nothing.
pub fn plan_fleet(
    problem: &FleetProblem,
    previous: Option<&FleetPlan>,
    limit: WorkLimit,
) -> Result<FleetPlan, ProblemError> {
    plan_fleet_telling(problem, previous, limit, None)
}

/// The same, and tells the cost of each better plan as it is found: of plans in which nothing is missing but what has
/// a price.
pub fn plan_fleet_telling(
    problem: &FleetProblem,
    previous: Option<&FleetPlan>,
    limit: WorkLimit,
    tell: Option<&mut dyn FnMut(MicroUsd)>,
) -> Result<FleetPlan, ProblemError> {
    problem.validate()?;
    let found = Planner::new(problem, limit, tell).plan();
    let keep = previous.filter(|previous| {
        previous.cost.total() <= found.cost.total()
            && missing(problem, previous) <= missing(problem, &found)
            && super::check::check_fleet(problem, previous).is_empty()
    });
    Ok(keep.cloned().unwrap_or(found))
}

/// Places in what is missing: each importance has one for its floors, before all others, and two for all else.
const RANKS: usize = 3 * 256;

fn floor_rank(need: &ComponentProblem) -> usize {
    255 - usize::from(need.importance)
}

fn own_rank(need: &ComponentProblem) -> usize {
    256 + 2 * (255 - usize::from(need.importance))
}

/// What is missing of the floors, the most important first, then what is missing without a price.
fn missing(problem: &FleetProblem, plan: &FleetPlan) -> Vec<u64> {
    let mut by_importance = vec![0; RANKS];
    for (need, part) in problem.components.iter().zip(&plan.parts) {
        by_importance[floor_rank(need)] += part.missing_of_floor(need);
        let rank = own_rank(need);
        if need.shortage_price.is_none() {
            by_importance[rank] += part.unmet_unit_periods(Missing::Demand);
        }
        by_importance[rank + 1] += part.unmet_unit_periods(Missing::ZoneSpare);
    }
    by_importance
}

/// Plans one problem.
pub(super) struct Planner<'a, 'w> {
    pub(super) problem: &'a FleetProblem,
    pub(super) limit: WorkLimit,
    pub(super) terms: Vec<Terms>,
    /// Places of components, the most important first.
    order: Vec<usize>,
    pub(super) work: u64,
    pub(super) watch: Watch<'w>,
}

/// What all components together leave of the quotas, and of the money.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) quota: Vec<Vec<i64>>,
    pub(super) money: i64,
}

/// A solution for each component, what they leave, and what cut them short.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) solutions: Vec<Solution>,
    pub(super) left: Left,
    cut: Vec<Option<Binding>>,
}

impl<'a, 'w> Planner<'a, 'w> {
    fn new(
        problem: &'a FleetProblem,
        limit: WorkLimit,
        tell: Option<&'w mut dyn FnMut(MicroUsd)>,
    ) -> Self {
        let mut order: Vec<usize> = (0..problem.components.len()).collect();
        order.sort_by_key(|&place| (u8::MAX - problem.components[place].importance, place));
        let terms = problem
            .components
            .iter()
            .map(|need| Terms::new(problem, need));
        let terms: Vec<Terms> = terms.collect();
        Self {
            problem,
            limit,
            watch: Watch::new(problem, &terms, tell),
            terms,
            order,
            work: 0,
        }
    }

    fn plan(mut self) -> FleetPlan {
        let (rooms, mut alone) = self.led();
        let mut bound: i64 = alone.iter().map(|solved| solved.bound).sum();
        let mut open: Vec<usize> = (0..alone.len()).collect();
        let (soon, late) = SHARES.split_at(SHARES_SOON);
        self.search_alone(&mut alone, &rooms, &mut open, soon);
        let mut prices = None;
        // Where quotas bind, a plan of the whole fleet is put together soon, with little work.
        let whole = self.limit;
        self.limit.cells_per_component = whole.cells_per_component / soon[soon.len() - 1];
        let early = (!self.shared_quotas(&alone).is_empty())
            .then(|| self.together(&alone, &mut prices, &mut bound));
        self.limit = whole;
        self.search_alone(&mut alone, &rooms, &mut open, late);
        self.work += alone.iter().map(|solved| solved.work).sum::<u64>();
        let chosen = self.together(&alone, &mut prices, &mut bound);
        let early = early.filter(|early| self.rank(early) < self.rank(&chosen));
        let chosen = early.unwrap_or(chosen);
        let of_served = self.bound_of_served(&rooms, &alone, &chosen.solutions);
        let Chosen {
            solutions,
            left,
            cut,
        } = chosen;
        let mut plan = FleetPlan {
            parts: Vec::with_capacity(alone.len()),
            cost: Cost::default(),
            lower_bound: MicroUsd::ZERO,
            work: 0,
        };
        let mut unpriced = 0;
        for (place, solution) in solutions.into_iter().enumerate() {
            let part = self.part(place, &solution, &alone[place], &left, cut[place]);
            unpriced += solution.penalty - part.cost.shortage.get() as i64;
            plan.cost += part.cost;
            plan.parts.push(part);
        }
        let bound = (bound - unpriced).max(of_served).max(0);
        plan.lower_bound = MicroUsd::new(bound.unsigned_abs());
        plan.work = self.work;
        plan
    }

    /// What no plan costs less than that has as much of what is missing in this one.
    fn bound_of_served(&mut self, rooms: &[Room], alone: &[Solved], solutions: &[Solution]) -> i64 {
        let mut sum = 0;
        for (place, solution) in solutions.iter().enumerate() {
            let terms = &self.terms[place];
            let served = terms.of_served(&solution.loads);
            let whole = served.wanted == terms.wanted
                && served.spare == terms.spare
                && served.floor == terms.floor;
            sum += if whole {
                alone[place].bound
            } else {
                bound(&served, &rooms[place], &mut self.work)
            };
        }
        sum
    }

    /// Puts the solutions of all components together, by importance, and where they pass quotas together, by prices of
    /// those: `prices` are filled at the first time, and a better bound that comes with them.
    fn together(
        &mut self,
        alone: &[Solved],
        prices: &mut Option<Vec<Vec<i64>>>,
        bound: &mut i64,
    ) -> Chosen {
        let mut chosen = self.by_importance(alone, self.limit.cells_per_component);
        self.watch.see_all(&self.terms, &chosen.solutions);
        let shared = self.shared_quotas(alone);
        if shared.is_empty() {
            return chosen;
        }
        let takes = |place: &usize| {
            let mut quotas = self.terms[*place].quotas.iter();
            quotas.any(|quota| shared.contains(quota))
        };
        let touched: Vec<usize> = (0..self.terms.len()).filter(takes).collect();
        if prices.is_none() {
            let all: Vec<&Terms> = touched.iter().map(|place| &self.terms[*place]).collect();
            let quotas: Vec<usize> = (0..self.problem.quotas.len()).collect();
            let left = self.all_left();
            let room: Vec<Vec<i64>> = left
                .quota
                .iter()
                .map(|quota| quota.iter().map(|left| (*left).max(0)).collect())
                .collect();
            if let Some((found, together)) = share(&all, &quotas, &room, &mut self.work) {
                let others = (0..alone.len()).filter(|place| !touched.contains(place));
                let others: i64 = others.map(|place| alone[place].bound).sum();
                *bound = (*bound).max(together + others);
                *prices = Some(found);
            }
        }
        if let Some(prices) = prices {
            for percent in [100, 60] {
                let led = self.led_by(alone, prices, percent);
                if self.rank(&led) < self.rank(&chosen) {
                    chosen = led;
                    self.watch.see_all(&self.terms, &chosen.solutions);
                }
            }
            self.exchange(&mut chosen, alone, &touched, prices);
        }
        chosen
    }

    /// Serves components in order of importance, each in the room that is left; where that leaves something of a floor
    /// missing, the floors of all come first.
    fn by_importance(&mut self, alone: &[Solved], each: u64) -> Chosen {
        let plain = self.in_turn(alone, each, None);
        if self.floors_hold(&plain) {
            return plain;
        }
        let held: Vec<Vec<Vec<i64>>> = self.terms.iter().map(|terms| terms.held.clone()).collect();
        let floors = self.floors(each);
        for (terms, held) in self.terms.iter_mut().zip(held) {
            terms.held = held;
        }
        let kept = self.in_turn(alone, each, Some(&floors));
        if self.rank(&kept) < self.rank(&plain) {
            kept
        } else {
            plain
        }
    }

    fn floors_hold(&self, chosen: &Chosen) -> bool {
        let holds = |(terms, solution): (&Terms, &Solution)| {
            let mut floor = terms.floor.iter().zip(&solution.loads.serving);
            floor.all(|(floor, serving)| floor <= serving)
        };
        self.terms.iter().zip(&chosen.solutions).all(holds)
    }

    /// The floors alone, in order of importance. What a quota limits is dear to them, so that they take of it what they
    /// cannot have elsewhere.
    fn floors(&mut self, each: u64) -> Vec<Solution> {
        let mut left = self.all_left();
        let mut floors: Vec<Solution> = self.terms.iter().map(Solution::bound_only).collect();
        for place in self.order.clone() {
            let pools = self.terms[place].pools.iter();
            let dearest = pools.map(|pool| pool.first_cost() + pool.again_bill).max();
            let dear = vec![dearest.unwrap_or(0); self.problem.periods as usize];
            self.hold(place, &vec![dear; self.problem.quotas.len()], 100);
            self.take_bound(place, &mut left, 1);
            let room = self.room(place, &left);
            let terms = self.terms[place].of_floor();
            let solved = solve(&terms, &room, each / FLOOR_SHARE);
            self.work += solved.work;
            let mut floor = solved.solution.under(&self.terms[place]);
            if floor.bill(&terms) > left.money {
                let money = left.money;
                floor = within(
                    &terms,
                    &room,
                    money,
                    &floor,
                    &mut self.work,
                    each / FLOOR_SHARE,
                );
                floor = floor.under(&self.terms[place]);
            }
            take(&self.terms[place], &floor, &mut left, 1);
            floors[place] = floor;
        }
        floors
    }

    /// Serves components in order of importance, each in the room that is left beside the floors of those after it.
    fn in_turn(&mut self, alone: &[Solved], each: u64, floors: Option<&[Solution]>) -> Chosen {
        let mut chosen = Chosen {
            solutions: self.terms.iter().map(Solution::bound_only).collect(),
            left: self.all_left(),
            cut: vec![None; alone.len()],
        };
        for (place, floor) in floors.into_iter().flatten().enumerate() {
            self.take_bound(place, &mut chosen.left, 1);
            take(&self.terms[place], floor, &mut chosen.left, 1);
        }
        for place in self.order.clone() {
            let terms = &self.terms[place];
            let floor = floors.map(|floors| floors[place].clone().under(terms));
            match &floor {
                Some(floor) => take(terms, floor, &mut chosen.left, -1),
                None => self.take_bound(place, &mut chosen.left, 1),
            }
            let room = self.room(place, &chosen.left);
            let mut solution = alone[place].solution.clone().under(terms);
            if !room.holds(&solution.loads) || !terms.held.is_empty() {
                let solved = solve(terms, &room, each);
                self.work += solved.work;
                solution = solved.solution;
            }
            if solution.bill(terms) > chosen.left.money {
                chosen.cut[place] = Some(Binding::Budget);
                let money = chosen.left.money;
                solution = within(terms, &room, money, &solution, &mut self.work, each);
            }
            let floor = floor.filter(|floor| floor.objective() < solution.objective());
            let solution = floor.unwrap_or(solution);
            take(terms, &solution, &mut chosen.left, 1);
            chosen.solutions[place] = solution;
        }
        chosen
    }

    /// The same with prices on the quotas, so that nobody takes what another one would pay more for; after that each
    /// once more, without them, in what is left.
    fn led_by(&mut self, alone: &[Solved], prices: &[Vec<i64>], percent: i64) -> Chosen {
        for place in 0..self.terms.len() {
            self.hold(place, prices, percent);
        }
        let each = self.limit.cells_per_component / LED_SHARE;
        let mut chosen = self.by_importance(alone, each);
        for terms in &mut self.terms {
            terms.held.clear();
        }
        for place in self.order.clone() {
            let terms = &self.terms[place];
            let solution = chosen.solutions[place].clone().under(terms);
            take(terms, &solution, &mut chosen.left, -1);
            let room = self.room(place, &chosen.left);
            let solved = solve(terms, &room, each);
            self.work += solved.work;
            let fits = solved.solution.bill(terms) <= chosen.left.money;
            chosen.solutions[place] = if fits && solved.solution.objective() < solution.objective()
            {
                solved.solution
            } else {
                solution
            };
            take(terms, &chosen.solutions[place], &mut chosen.left, 1);
        }
        chosen
    }

    /// Lets a component pay so many percent of these prices for what it takes of the quotas.
    pub(super) fn hold(&mut self, place: usize, prices: &[Vec<i64>], percent: i64) {
        let terms = &mut self.terms[place];
        let sums = |quota: &usize| {
            let mut sums = vec![0];
            for price in &prices[*quota] {
                sums.push(sums.last().copied().unwrap_or(0) + price * percent / 100);
            }
            sums
        };
        terms.held = terms.quotas.iter().map(sums).collect();
    }

    /// What is missing of the floors, the most important first, then of all else, and then the cost.
    pub(super) fn rank(&self, chosen: &Chosen) -> (Vec<i64>, i64) {
        let mut missing = vec![0; RANKS];
        let mut cost = 0;
        for ((terms, stated), solution) in self
            .terms
            .iter()
            .zip(&self.problem.components)
            .zip(&chosen.solutions)
        {
            let own = own_rank(stated);
            let mut priced = 0;
            for t in 0..terms.periods {
                let serving = solution.loads.serving[t];
                missing[floor_rank(stated)] += (terms.floor[t] - serving).max(0);
                let short = terms.short_of(&solution.loads, t);
                if terms.priced {
                    priced += short * terms.short;
                } else {
                    missing[own] += short;
                }
                missing[own + 1] += terms.bare_of(&solution.loads, t);
            }
            cost += solution.paid + priced;
        }
        (missing, cost)
    }

    /// Quotas that the components, each alone, would pass together.
    fn shared_quotas(&self, alone: &[Solved]) -> Vec<usize> {
        let mut left = self.all_left();
        for (place, solved) in alone.iter().enumerate() {
            self.take_bound(place, &mut left, 1);
            take(&self.terms[place], &solved.solution, &mut left, 1);
        }
        let passed = |quota: &usize| left.quota[*quota].iter().any(|left| *left < 0);
        (0..self.problem.quotas.len()).filter(passed).collect()
    }

    /// Solves each component as if it had all quotas and all money to itself: a first solution of each, then its
    /// relaxation.
    fn led(&mut self) -> (Vec<Room>, Vec<Solved>) {
        let alone = |place: usize| {
            let mut left = self.all_left();
            self.take_bound(place, &mut left, 1);
            self.room(place, &left)
        };
        let rooms: Vec<Room> = (0..self.terms.len()).map(alone).collect();
        let (terms, watch) = (&self.terms, &mut self.watch);
        let mut found: Vec<Solved> = Vec::with_capacity(rooms.len());
        for (place, room) in rooms.iter().enumerate() {
            let see = &mut |found: &Solution| watch.see(place, &terms[place], found);
            found.push(first(&terms[place], room, see));
        }
        for (place, solved) in found.iter_mut().enumerate() {
            let see = &mut |found: &Solution| watch.see(place, &terms[place], found);
            lead(&terms[place], &rooms[place], solved, see);
        }
        (rooms, found)
    }

    /// Searches on for each component that is `open`, with more and more work, so that a good plan of the whole fleet
    /// is there soon.
    fn search_alone(
        &mut self,
        alone: &mut [Solved],
        rooms: &[Room],
        open: &mut Vec<usize>,
        shares: &[u64],
    ) {
        let (terms, watch) = (&self.terms, &mut self.watch);
        for share in shares {
            let limit = self.limit.cells_per_component / share;
            open.retain(|&place| {
                let see = &mut |found: &Solution| watch.see(place, &terms[place], found);
                let (terms, room) = (&terms[place], &rooms[place]);
                search_on(terms, room, &mut alone[place], limit, *share, see)
            });
        }
    }

    /// Quotas and money without what is bound or has to go on.
    fn all_left(&self) -> Left {
        let limit = |value: u64| {
            i64::try_from(value)
                .unwrap_or(i64::MAX / 4)
                .min(i64::MAX / 4)
        };
        let quotas = self.problem.quotas.iter();
        let mut left = Left {
            quota: quotas
                .map(|quota| vec![limit(quota.limit); self.problem.periods as usize])
                .collect(),
            money: self
                .problem
                .budget
                .map_or(i64::MAX / 4, |budget| limit(budget.get())),
        };
        for place in 0..self.terms.len() {
            self.take_bound(place, &mut left, -1);
        }
        left
    }

    /// Takes what a component has bound, or with 1 gives it back, so that it may plan with it.
    fn take_bound(&self, place: usize, left: &mut Left, by: i64) {
        let terms = &self.terms[place];
        if terms.standing.is_empty() {
            return;
        }
        let mut bound = Loads::empty(terms);
        for (span, count) in bound_spans(terms) {
            bound.add(terms, &span, count);
            left.money += by * count * span.bill(terms);
        }
        for (quota, used) in terms.quotas.iter().zip(bound.quota.iter()) {
            let left = &mut left.quota[*quota];
            left.iter_mut()
                .zip(used)
                .for_each(|(left, used)| *left += by * used);
        }
    }

    pub(super) fn room(&self, place: usize, left: &Left) -> Room {
        let terms = &self.terms[place];
        let quotas = terms.quotas.iter().map(|quota| left.quota[*quota].clone());
        Room::new(terms, quotas.collect())
    }
}

/// Takes what a solution uses; with -1, gives it back.
pub(super) fn take(terms: &Terms, solution: &Solution, left: &mut Left, by: i64) {
    left.money -= by * solution.bill(terms);
    for (quota, used) in terms.quotas.iter().zip(solution.loads.quota.iter()) {
        let left = &mut left.quota[*quota];
        left.iter_mut()
            .zip(used)
            .for_each(|(left, used)| *left -= by * used);
    }
}
