//! Steering: which depth of the forecast to buy so that the objective is held at the least cost.
//!
//! The budget splits into one on/off problem per unit, so one constant price per unserved unit is optimal,
//! and each purchase is the quantile where one more unit is no longer worth that price. The depth
//! −ln(1 − level) is the logarithm of the price. It is learned from shadow fleets, one per depth, and moves
//! as fast as the evidence allows: at once where every hour loses a little, slowly where rare bursts decide.

mod pace;
mod starts;
mod tiers;

use self::pace::{PACE_UNSERVED, PACE_VIOLATION, Pace};
use self::starts::StartLimit;
use super::purchase::{Band, Outlook, Purchase};
use super::shadow::{Memory, Shadow, block_steps};
use super::standby::{Deep, Depths, Family, Promoted, StandbyRules, bands};

/// What is to be held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Share of demand that may go unserved, such as 0.005.
    UnservedShare(f64),
    /// Share of steps in which demand may exceed ready capacity, such as 0.05.
    ViolationShare(f64),
}

impl Goal {
    /// The share, whatever it counts.
    pub fn share(self) -> f64 {
        match self {
            Self::UnservedShare(share) | Self::ViolationShare(share) if share.is_finite() => {
                share.clamp(1e-6, 0.9)
            }
            _ => 0.001,
        }
    }

    /// Loss and base of one step: the quotient of their sums is the share.
    pub fn account(self, demand: f64, served: f64) -> (f64, f64) {
        match self {
            Self::UnservedShare(_) => ((demand - served).max(0.0), demand),
            Self::ViolationShare(_) => (f64::from(u8::from(demand > served)), 1.0),
        }
    }

    /// Loss of one step in whose last part promoted units serve as well. A violation is one, however short.
    fn lost_in_parts(self, demand: f64, served: f64, promoted: f64, part: f64) -> f64 {
        let before = self.account(demand, served).0;
        match self {
            Self::UnservedShare(_) if part > 0.0 => {
                (1.0 - part) * before + part * self.account(demand, served + promoted).0
            }
            _ => before,
        }
    }
}

/// Depth of the first shadow: the .18 quantile; smooth demand under a loose objective buys about the median.
const DEPTH_FIRST: f64 = 0.2;
/// Distance of the shadows: a factor 1.8 in price, within which the logarithm of loss is straight.
const DEPTH_STEP: f64 = 0.6;
/// Number of shadows: the last buys the .9998 quantile, beyond which no history tells.
const SHADOW_COUNT: usize = 15;
/// Depth before anything is known.
const DEPTH_START: f64 = 3.0;
/// The believed loss falls at least this fast with depth (e^−0.9u; an exponential tail falls as e^−u). A burst that
/// no depth would have served makes the measured curve flat; chasing it with depth would buy nothing.
const SLOPE_MINIMUM: f64 = 0.9;
/// And at least as fast as it falls over the first shadows, which lose so often that no burst tells it; up to this.
const SLOPE_MAXIMUM: f64 = 1.6;
/// The last of those shadows.
const BODY_SHADOW: usize = 4;
/// Where the budget is overspent, and the next shadow loses less than this part of the goal, its depth is bought.
const NOTHING: f64 = 0.05;
/// The budget counts as overspent when the goal is under this part of the objective.
const OVERSPENT: f64 = 0.5;
/// The forecast's own belief about its loss counts as half a day of history: until a loss was seen, nothing else tells.
const BELIEF_DAYS: f64 = 0.5;
/// What an exponential tail of scale s loses above its quantile at a depth is s · e^−depth; a burst not seen yet makes it more.
const BELIEF_TAIL: f64 = 0.7;
/// Long memory: its half-life is a third of the history, because early models were poor, and at most three weeks.
const LONG_HISTORY_SHARE: f64 = 1.0 / 3.0;
const LONG_DAYS_MAXIMUM: f64 = 21.0;
/// One hour counts at most this many times the whole budget of the long memory: one burst is no rate.
const BURST_BUDGETS: f64 = 3.0;
/// Equal hours of loss at which recent and long memory count alike.
const EVENTS_FOR_HALF: f64 = 5.0;

/// What steering needs to know.
#[derive(Clone, Copy, Debug)]
pub struct SteeringConfig {
    /// What to hold, with what a unit carries and how it comes and goes.
    pub purchase: Purchase,
    /// Steps a day.
    pub steps_per_day: f64,
    /// Steps by which demand is told late.
    pub delay_steps: usize,
    /// Steps before the objective's budget begins to run.
    pub warm_up_steps: u64,
    /// Most unit starts a day, as a multiple of the mean fleet; near events whose like are known a third more.
    pub starts_per_day: f64,
    /// Whether the depth follows what the shadows lost; without, it is that of the objective's complement.
    pub learn_depth: bool,
    /// Whether the goal follows the budget that is left; without, it is the objective.
    pub keep_budget: bool,
}

/// Another family is gone over to when it would have cost less than this part.
const CHANGE_FOR: f64 = 0.99;

/// Turns the objective and the shadows' history into the depth to buy now.
#[derive(Clone, Debug)]
pub struct Steering {
    config: SteeringConfig,
    pace: Pace,
    shadows: Vec<Shadow>,
    starts: StartLimit,
    /// What each tier of standby is offered at; empty: there is none.
    standby: Vec<StandbyRules>,
    /// The tier that the family in use, or the one before it, keeps its standby in.
    tier: usize,
    /// Families of shadows, each with its belief about how long demand exceeds what runs; `None`: no standby.
    families: Vec<Family>,
    /// The family in use.
    family: usize,
    /// Observed steps.
    steps: f64,
    /// Base, number of steps and forecast tail in the long memory; base in the recent one.
    long_base: f64,
    long_steps: f64,
    long_tail: f64,
    recent_base: f64,
    /// Own account since the warm-up.
    lost: f64,
    base: f64,
    scored_steps: f64,
}

impl Steering {
    /// Starts without history.
    pub fn new(config: SteeringConfig) -> Self {
        let pace = match config.purchase.goal {
            Goal::UnservedShare(_) => PACE_UNSERVED,
            Goal::ViolationShare(_) => PACE_VIOLATION,
        };
        Self {
            config,
            pace,
            shadows: vec![Shadow::new(config.purchase.rules); SHADOW_COUNT],
            starts: StartLimit::new(
                config.purchase.rules,
                config.starts_per_day,
                config.steps_per_day,
            ),
            standby: Vec::new(),
            tier: 0,
            families: vec![Family::default()],
            family: 0,
            steps: 0.0,
            long_base: 0.0,
            long_steps: 0.0,
            long_tail: 0.0,
            recent_base: 0.0,
            lost: 0.0,
            base: 0.0,
            scored_steps: 0.0,
        }
    }

    /// A unit carries so much demand from now on.
    pub fn set_capacity(&mut self, capacity: f64) {
        self.config.purchase.capacity = capacity;
    }

    /// The price of a unit that is missing, as a multiple of that of a running one for the same time: what was learned of
    /// demand that was not foreseen, and at least what the objective itself says. Where demand is foreseen well the learned
    /// price is low, which tells nothing of capacity that is lost.
    pub fn missing_price(&self) -> f64 {
        libm::exp(self.depth()).max(1.0 / self.config.purchase.goal.share())
    }

    /// Accounts for step `now`, in which `ready` units of ours were in service and carried what `effective`
    /// units carry (fewer while they warm up). `tail` is the forecast's tail scale.
    pub fn account(
        &mut self,
        now: u64,
        demand: Option<f64>,
        ready: u64,
        effective: f64,
        tail: f64,
    ) {
        self.account_with(now, demand, ready, effective, tail, Promoted::default());
    }

    /// The same with standby, of which units were promoted in step `now`; `effective` is what its beginning had.
    pub fn account_with(
        &mut self,
        now: u64,
        demand: Option<f64>,
        ready: u64,
        effective: f64,
        tail: f64,
        promoted: Promoted,
    ) {
        let memory = self.memory(now);
        let goal = self.config.purchase.goal;
        let capacity = self.config.purchase.capacity;
        let needed = demand.map_or(0, |demand| whole_units(demand / capacity));
        let pays = !self.standby.is_empty();
        for shadow in &mut self.shadows {
            let served = shadow.enter(now, self.config.delay_steps) as f64 * capacity;
            if let Some(demand) = demand {
                let (units, part) = shadow.promote(now, needed);
                let promoted = units as f64 * capacity;
                shadow.lose(goal.lost_in_parts(demand, served, promoted, part), &memory);
                if pays {
                    shadow.pay(&memory);
                }
            }
            shadow.end(&memory, block_steps(self.config.steps_per_day));
        }
        (self.starts).enter(now, needed, demand.is_some(), self.steps);
        let scored = demand.is_some() && now >= self.config.warm_up_steps;
        self.starts.account(ready, promoted.units, scored);
        let Some(demand) = demand else { return };
        let served = effective * capacity;
        let base = goal.account(demand, served).1;
        let entering = promoted.entering as f64 * capacity;
        let lost = goal.lost_in_parts(demand, served, entering, promoted.part);
        self.long_base = self.long_base * memory.long_decay + base;
        self.long_steps = self.long_steps * memory.long_decay + 1.0;
        self.long_tail = self.long_tail * memory.long_decay + tail;
        self.recent_base = self.recent_base * memory.recent_decay + base;
        self.steps += 1.0;
        if now >= self.config.warm_up_steps {
            self.lost += lost;
            self.base += base;
            self.scored_steps += 1.0;
        }
    }

    /// Looks at the forecast made at the end of step `now`: shadows and probes order, the depth follows the budget.
    pub fn steer(&mut self, now: u64, ahead: Outlook, observed: bool) {
        let purchase = self.config.purchase;
        let reluctance = self.starts.reluctance();
        for (index, shadow) in self.shadows.iter_mut().enumerate() {
            let family = self.families[index / SHADOW_COUNT];
            let standby = self.standby.get(family.tier).zip(family.spell);
            let depth = shadow_depth(index % SHADOW_COUNT);
            let (band, deep) = bands(&purchase, standby, reluctance, ahead, depth);
            shadow.order(now, band, deep, observed);
        }
        let depth = self.depth();
        let standby = self.offered(self.family);
        let standby = standby.as_ref().map(|(rules, spell)| (rules, *spell));
        let seen = (observed, self.steps);
        (self.starts).steer(now, ahead, (&purchase, depth), standby, seen);
        for family in 0..self.families.len() {
            self.aim(family);
        }
        self.choose_family();
    }

    /// Moves the depth of a family towards the one whose shadow lost the goal.
    fn aim(&mut self, family: usize) {
        let certainty = self.certainty(family);
        let aim = self.depth_for(family, self.goal(certainty), certainty);
        let day = self.config.steps_per_day;
        let slow = (self.pace.filter_share * self.steps)
            .clamp(self.pace.filter_days[0] * day, LONG_DAYS_MAXIMUM * day);
        let fast = self.pace.filter_days[1] * day;
        let time = libm::pow(slow, 1.0 - certainty) * libm::pow(fast, certainty);
        let depth = self.families[family].depth.unwrap_or(aim);
        self.families[family].depth = Some(depth + (aim - depth) / time.max(1.0));
    }

    /// The depth to buy now: −ln(1 − level).
    pub fn depth(&self) -> f64 {
        if !self.config.learn_depth {
            return -libm::log(self.config.purchase.goal.share());
        }
        self.families[self.family].depth.unwrap_or(DEPTH_START)
    }

    /// Units to start and to keep now, and units to have in all with those that stand by; `None`: standby does not pay for itself.
    pub fn bands(&self, ahead: Outlook) -> (Band, Option<Deep>) {
        let standby = self.offered(self.family);
        let standby = standby.as_ref().map(|(rules, spell)| (rules, *spell));
        let purchase = &self.config.purchase;
        let reluctance = self.starts.reluctance();
        bands(purchase, standby, reluctance, ahead, self.depth())
    }

    /// How deep what runs is bought: the depth itself, or less where standby catches the rest.
    pub fn running_depth(&self) -> f64 {
        let depth = self.depth();
        let rules = self.config.purchase.rules;
        self.offered(self.family).map_or(depth, |(standby, spell)| {
            Depths::split(depth, &standby, rules, spell).running
        })
    }

    /// What the fleet in use would have paid of late over what it would have paid without standby; `None`
    /// without standby.
    pub fn standby_worth(&self) -> Option<f64> {
        self.standby.first()?;
        let alone = self.cost_at_goal(0);
        (alone > 0.0).then(|| self.cost_at_goal(self.family) / alone)
    }

    /// The share aimed at now, of the objective's kind.
    pub fn goal_share(&self) -> f64 {
        self.goal(self.certainty(self.family))
    }

    fn memory(&self, now: u64) -> Memory {
        let day = self.config.steps_per_day;
        let half_life =
            (LONG_HISTORY_SHARE * self.steps).clamp(0.02 * day, LONG_DAYS_MAXIMUM * day);
        Memory {
            long_decay: libm::exp2(-1.0 / half_life),
            recent_decay: libm::exp2(-1.0 / (self.pace.recent_days * day)),
            burst_limit: BURST_BUDGETS * self.config.purchase.goal.share() * self.long_base,
            block_ends: (now + 1).is_multiple_of(block_steps(day)),
        }
    }

    /// How far the last days alone tell the loss at the depth in use: from 0 (rare bursts) to 1 (many equal losses).
    fn certainty(&self, family: usize) -> f64 {
        let depth = if self.config.learn_depth {
            self.families[family].depth.unwrap_or(DEPTH_START)
        } else {
            self.depth()
        };
        let index = libm::round((depth - DEPTH_FIRST) / DEPTH_STEP)
            .clamp(0.0, (SHADOW_COUNT - 1) as f64) as usize;
        let events = self.shadows[family * SHADOW_COUNT + index].events();
        events / (events + EVENTS_FOR_HALF)
    }

    /// The share to aim at from now on: the budget left over the demand expected in the time ahead.
    fn goal(&self, certainty: f64) -> f64 {
        let share = self.config.purchase.goal.share();
        let elapsed = self.scored_steps;
        if elapsed < 1.0 || !self.config.keep_budget {
            return share;
        }
        let shortest = between(self.pace.horizon_days, certainty) * self.config.steps_per_day;
        let horizon = (self.pace.horizon_share * elapsed).max(shortest);
        let ahead = self.base / elapsed * horizon;
        let left = share * (self.base + ahead) - self.lost;
        let high = between(self.pace.goal_high, certainty);
        let goal = left / ahead.max(1e-300);
        if goal.is_finite() {
            goal.clamp(self.pace.goal_low * share, high * share)
        } else {
            share
        }
    }

    /// The depth whose shadow lost `goal`, between neighbours in the logarithm of loss.
    fn depth_for(&self, family: usize, goal: f64, certainty: f64) -> f64 {
        let slope = self.slope(family);
        let mut ceiling = f64::INFINITY;
        let mut before: Option<(f64, f64)> = None;
        for index in 0..SHADOW_COUNT {
            let depth = shadow_depth(index);
            let loss = self.believed_loss(family, index, certainty).min(ceiling);
            ceiling = loss * libm::exp(-slope * self.step_of(family, index));
            if loss <= goal {
                let Some((shallow, higher)) = before else {
                    return depth;
                };
                if loss < NOTHING * goal && goal < OVERSPENT * self.config.purchase.goal.share() {
                    // Whole units make the loss jump to nothing here: in between there is nothing to hold.
                    return depth;
                }
                let share =
                    libm::log(higher / goal) / libm::log(higher / loss.max(1e-300)).max(1e-12);
                return shallow + (depth - shallow) * share.clamp(0.0, 1.0);
            }
            before = Some((depth, loss));
        }
        shadow_depth(SHADOW_COUNT - 1)
    }

    /// How fast the believed loss of a family falls with depth at least.
    fn slope(&self, family: usize) -> f64 {
        let loss = |index| libm::log(self.believed_loss(family, index, 0.0).max(1e-300));
        let fallen = loss(0) - loss(BODY_SHADOW);
        (fallen / (DEPTH_STEP * BODY_SHADOW as f64)).clamp(SLOPE_MINIMUM, SLOPE_MAXIMUM)
    }

    /// The share a shadow's depth loses: long memory with the forecast's belief, moved towards recent memory by certainty.
    fn believed_loss(&self, family: usize, index: usize, certainty: f64) -> f64 {
        let shadow = &self.shadows[family * SHADOW_COUNT + index];
        let mean_base = self.long_base / self.long_steps.max(1e-9);
        let belief = BELIEF_DAYS * self.config.steps_per_day * mean_base;
        let depth = shadow_depth(index);
        let believed = match self.config.purchase.goal {
            Goal::UnservedShare(_) => {
                self.long_tail / self.long_base.max(1e-300)
                    * self.exceeded(family, depth, BELIEF_TAIL)
            }
            Goal::ViolationShare(_) => self.exceeded(family, depth, 1.0),
        };
        let lost = shadow.long_lost() + belief * believed;
        let long = lost / (self.long_base + belief).max(1e-300);
        if long <= 0.0 {
            return 0.0;
        }
        let weak = 0.1 * belief;
        let recent = (shadow.recent_lost() + weak * long) / (self.recent_base + weak).max(1e-300);
        long * libm::pow((recent / long).max(1e-6), certainty)
    }

    /// The believed part of a tail, falling as e^(−fall · depth), that a family leaves unserved at a depth.
    fn exceeded(&self, family: usize, depth: f64, fall: f64) -> f64 {
        let rules = self.config.purchase.rules;
        let split = self
            .offered(family)
            .map(|(standby, spell)| Depths::split(depth, &standby, rules, spell));
        match split.and_then(|split| Some((split, split.in_all?))) {
            None => libm::exp(-fall * depth),
            Some((split, in_all)) => {
                split.lost_share * libm::exp(-fall * split.running)
                    + (1.0 - split.lost_share) * libm::exp(-fall * in_all)
            }
        }
    }

    /// How far the believed loss falls from a shadow to the next, as a distance in depth without standby.
    fn step_of(&self, family: usize, index: usize) -> f64 {
        if self.families[family].spell.is_none() {
            return DEPTH_STEP;
        }
        let at = |index| self.exceeded(family, shadow_depth(index), 1.0);
        libm::log(at(index) / at(index + 1).max(1e-300)).clamp(0.0, DEPTH_STEP)
    }
}

/// Whole units that a demand needs, at least one.
fn whole_units(units: f64) -> u64 {
    libm::ceil(units).clamp(1.0, 1e12) as u64
}

fn between(range: [f64; 2], share: f64) -> f64 {
    range[0] + (range[1] - range[0]) * share
}

/// The depth of a shadow.
fn shadow_depth(index: usize) -> f64 {
    DEPTH_FIRST + DEPTH_STEP * index as f64
}

#[cfg(test)]
mod tests {
    use fleetcast_forecast::lead::{LEVELS, LeadForecast, depth};

    use super::*;

    fn config(goal: Goal) -> SteeringConfig {
        let rules = super::super::fleet::FleetRules {
            boot_steps: 1,
            drain_steps: 1,
        };
        SteeringConfig {
            purchase: Purchase {
                goal,
                capacity: 1.0,
                rules,
            },
            steps_per_day: 288.0,
            delay_steps: 0,
            warm_up_steps: 288,
            starts_per_day: 4.0,
            learn_depth: true,
            keep_budget: true,
        }
    }

    #[test]
    fn a_spent_budget_lowers_the_goal_and_a_saved_one_raises_it() {
        let mut steering = Steering::new(config(Goal::UnservedShare(0.01)));
        for t in 0..600 {
            steering.account(t, Some(10.0), 10, 10.0, 1.0);
        }
        assert!(steering.goal_share() > 0.01);
        for t in 600..700 {
            steering.account(t, Some(10.0), 1, 1.0, 1.0);
        }
        assert!(steering.goal_share() < 0.01);
    }

    /// Lives through 2,000 steps in which the forecast says 20 and three more for each depth.
    fn lived(share: f64, demand: impl Fn(u64) -> f64) -> Steering {
        let mut steering = Steering::new(config(Goal::UnservedShare(share)));
        let forecast = LeadForecast {
            quantiles: LEVELS.map(|level| 20.0 + 3.0 * depth(level)),
        };
        for t in 0..2000u64 {
            steering.account(t, Some(demand(t)), 40, 40.0, 2.0);
            steering.steer(t, Outlook::from(&forecast), true);
        }
        steering
    }

    /// Anything from 20 to 30, and no more.
    fn bounded(t: u64) -> f64 {
        20.0 + ((t * 7_919) % 101) as f64 / 10.0
    }

    #[test]
    fn a_stricter_objective_buys_deeper() {
        assert!(lived(0.0005, bounded).depth() > lived(0.01, bounded).depth());
    }

    #[test]
    fn loss_is_believed_to_fall_as_fast_as_its_body_and_a_burst_does_not_flatten_it() {
        let smooth = lived(0.01, bounded).slope(0);
        assert!(
            smooth > SLOPE_MINIMUM && smooth <= SLOPE_MAXIMUM,
            "{smooth}"
        );
        // Hours of a burst far above all shadows: all of them lose it alike.
        let on = |t: u64| f64::from(u8::from((1800..1900).contains(&t)));
        let burst = |t: u64| bounded(t) + 2000.0 * on(t);
        assert_eq!(lived(0.01, burst).slope(0), SLOPE_MINIMUM);
    }
}
