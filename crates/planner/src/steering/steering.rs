//! Steering: which depth of the forecast to buy, learned from shadow fleets that each bought one depth all along.

use super::fleet::{FleetRules, PlainFleet};
use fleetcast_forecast::lead::LeadForecast;
use fleetcast_forecast::lead::SlidingMaximum;

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
            Self::UnservedShare(share) | Self::ViolationShare(share) => share.clamp(1e-6, 0.9),
        }
    }

    /// Loss and base of one step: their sums' quotient is the share.
    pub fn account(self, demand: f64, served: f64) -> (f64, f64) {
        match self {
            Self::UnservedShare(_) => ((demand - served).max(0.0), demand),
            Self::ViolationShare(_) => (f64::from(u8::from(demand > served)), 1.0),
        }
    }
}

/// Depths of the shadow fleets, −ln(1 − level): from the .18 to the .9998 quantile in equal steps.
const DEPTH_FIRST: f64 = 0.2;
const DEPTH_STEP: f64 = 0.6;
/// Number of shadow fleets.
pub const SHADOW_COUNT: usize = 15;

/// A fleet that keeps units for a while after they were last wanted.
#[derive(Clone, Debug)]
pub struct HeldFleet {
    /// The fleet.
    pub fleet: PlainFleet,
    hold: SlidingMaximum,
}

impl HeldFleet {
    /// `hold_steps`: decisions a unit outlives the last one that wanted it by.
    pub fn new(rules: FleetRules, ready: u64, hold_steps: u64) -> Self {
        Self {
            fleet: PlainFleet::new(rules, ready),
            hold: SlidingMaximum::new(hold_steps),
        }
    }

    /// Orders `needed` units at the end of step `now`; says how many are wanted after the hold.
    pub fn order(&mut self, now: u64, needed: u64, useful: u64, observed: bool) -> u64 {
        self.hold.push(useful.max(needed) as f64);
        let total = self.fleet.total();
        let kept = if observed {
            (self.hold.get() as u64).min(total)
        } else {
            total
        };
        let wanted = needed.max(kept);
        self.fleet.order(now, wanted);
        wanted
    }
}

/// The hold for a fleet: a unit removed too early is paid for a boot and a drain without serving.
pub fn hold_steps(rules: FleetRules) -> u64 {
    let factor = std::env::var("HOLD")
        .ok()
        .and_then(|x| x.parse().ok())
        .unwrap_or(1.0);
    libm::round(factor * (rules.boot_steps + rules.drain_steps) as f64) as u64 + 1
}

/// A fleet that buys one depth: what this depth costs and leaves unserved, as it would have happened.
#[derive(Clone, Debug)]
struct Shadow {
    held: HeldFleet,
    lost: f64,
}

/// Turns the objective and the shadows' history into the depth to buy now.
#[derive(Clone, Debug)]
pub struct Steering {
    objective: Goal,
    capacity: f64,
    steps_per_day: f64,
    warm_up_steps: u64,
    shadows: Vec<Shadow>,
    /// Observed steps, and the decayed sum of their bases.
    steps: f64,
    base: f64,
    weight: f64,
    /// Decayed sum of the forecasts' own tail scale: demand lost per e^-depth.
    tail: f64,
    /// Own account since the warm-up.
    own_lost: f64,
    own_base: f64,
    scored_steps: f64,
    depth: Option<f64>,
    hold_steps: u64,
    knobs: Knobs,
}

#[derive(Clone, Debug)]
struct Knobs {
    half_fraction: f64,
    half_max: f64,
    prior_days: f64,
    prior_loss: f64,
    filter_fraction: f64,
    filter_min: f64,
    horizon: f64,
    horizon_min: f64,
    low: f64,
    high: f64,
    slope: f64,
}

impl Steering {
    /// `warm_up_steps` is when the objective's budget begins to run.
    pub fn new(
        objective: Goal,
        capacity: f64,
        rules: FleetRules,
        steps_per_day: f64,
        warm_up_steps: u64,
    ) -> Self {
        let hold_steps = hold_steps(rules);
        let shadow = Shadow {
            held: HeldFleet::new(rules, 1, hold_steps),
            lost: 0.0,
        };
        let knob = super::knob;
        let knobs = Knobs {
            half_fraction: knob("HF", 0.33),
            half_max: knob("HM", 21.0),
            prior_days: knob("PD", 1.0),
            prior_loss: knob("PL", 1.0),
            filter_fraction: knob("FF", 0.1),
            filter_min: knob("FM", 0.1),
            horizon: knob("HZ", 0.5),
            horizon_min: knob("HZM", 2.0),
            low: knob("LO", 0.4),
            high: knob("HI", 1.5),
            slope: knob("SL", 0.8),
        };
        Self {
            objective,
            capacity,
            steps_per_day,
            warm_up_steps,
            shadows: vec![shadow; SHADOW_COUNT],
            steps: 0.0,
            base: 0.0,
            weight: 0.0,
            tail: 0.0,
            own_lost: 0.0,
            own_base: 0.0,
            scored_steps: 0.0,
            depth: None,
            hold_steps,
            knobs,
        }
    }

    /// Accounts for step `now`, in which `ready` units of ours served.
    pub fn account(&mut self, now: u64, demand: Option<f64>, ready: u64, tail: f64) {
        // Old evidence fades with a half-life that grows with the history: early models were poor.
        let half_life = (self.knobs.half_fraction * self.steps).clamp(
            0.02 * self.steps_per_day,
            self.knobs.half_max * self.steps_per_day,
        );
        let decay = if demand.is_some() {
            libm::exp2(-1.0 / half_life)
        } else {
            1.0
        };
        for shadow in &mut self.shadows {
            let step = shadow.held.fleet.enter(now);
            if let Some(demand) = demand {
                let (lost, _) = self
                    .objective
                    .account(demand, step.ready as f64 * self.capacity);
                shadow.lost = shadow.lost * decay + lost;
            }
        }
        if let Some(demand) = demand {
            let (lost, base) = self.objective.account(demand, ready as f64 * self.capacity);
            self.base = self.base * decay + base;
            self.weight = self.weight * decay + 1.0;
            self.tail = self.tail * decay + tail;
            self.steps += 1.0;
            if now >= self.warm_up_steps {
                self.own_lost += lost;
                self.own_base += base;
                self.scored_steps += 1.0;
            }
        }
    }

    /// The depth to buy now.
    pub fn depth(&self) -> f64 {
        self.depth.unwrap_or(3.0)
    }

    /// Steps a unit is kept after it was last wanted.
    pub fn hold_steps(&self) -> u64 {
        self.hold_steps
    }

    /// Looks at the forecast made at the end of step `now`: the shadows order, the depth follows the budget.
    pub fn steer(&mut self, now: u64, forecast: &LeadForecast, observed: bool) {
        for (index, shadow) in self.shadows.iter_mut().enumerate() {
            let (needed, useful) = band(forecast, shadow_depth(index), self.capacity);
            shadow.held.order(now, needed, useful, observed);
        }
        let aim = self.depth_for(self.goal());
        let time = (self.knobs.filter_fraction * self.steps)
            .max(self.knobs.filter_min * self.steps_per_day)
            .max(1.0);
        let depth = self.depth.unwrap_or(aim);
        self.depth = Some(depth + (aim - depth) / time);
    }

    /// The share to aim at from now on: the budget left over the demand expected in the time ahead.
    fn goal(&self) -> f64 {
        let share = self.objective.share();
        let elapsed = self.scored_steps;
        if elapsed < 1.0 {
            return share;
        }
        let horizon =
            (self.knobs.horizon * elapsed).max(self.knobs.horizon_min * self.steps_per_day);
        let ahead = self.own_base / elapsed * horizon;
        let left = share * (self.own_base + ahead) - self.own_lost;
        (left / ahead.max(1e-300)).clamp(self.knobs.low * share, self.knobs.high * share)
    }

    /// The depth whose shadows lost `goal`, between neighbours in the logarithm of loss.
    fn depth_for(&self, goal: f64) -> f64 {
        let prior = self.knobs.prior_days * self.steps_per_day;
        let prior_loss = match self.objective {
            Goal::UnservedShare(_) => self.knobs.prior_loss * self.tail / self.base.max(1e-300),
            Goal::ViolationShare(_) => 1.0,
        };
        let mean_base = self.base / self.weight.max(1e-9);
        let mut upper = f64::INFINITY;
        let mut before: Option<(f64, f64)> = None;
        for (index, shadow) in self.shadows.iter().enumerate() {
            let depth = shadow_depth(index);
            let lost = shadow.lost + prior * mean_base * prior_loss * libm::exp(-depth);
            let loss = (lost / (self.base + prior * mean_base).max(1e-300)).min(upper);
            upper = loss * libm::exp(-self.knobs.slope * DEPTH_STEP);
            if loss <= goal {
                return match before {
                    None => depth,
                    Some((shallow, higher)) => {
                        let share = libm::log(higher / goal)
                            / libm::log(higher / loss.max(1e-300)).max(1e-12);
                        shallow + (depth - shallow) * share.clamp(0.0, 1.0)
                    }
                };
            }
            before = Some((depth, loss));
        }
        shadow_depth(SHADOW_COUNT - 1)
    }
}

/// The depth of a shadow.
fn shadow_depth(index: usize) -> f64 {
    DEPTH_FIRST + DEPTH_STEP * index as f64
}

/// The units worth buying for `demand` at the price level: the last one where half its capacity is used.
pub fn units(demand: f64, capacity: f64) -> u64 {
    libm::round((demand / capacity).clamp(0.0, 1e12)).max(1.0) as u64
}

/// Units worth starting and units worth keeping at a depth.
pub fn band(forecast: &LeadForecast, depth: f64, capacity: f64) -> (u64, u64) {
    use std::sync::OnceLock;
    static BAND: OnceLock<(f64, f64, f64)> = OnceLock::new();
    let (start, keep, offset) = *BAND.get_or_init(|| {
        (
            super::knob("START", 0.0),
            super::knob("KEEP", 1.0),
            super::knob("OFFSET", 0.0),
        )
    });
    let needed = units(
        forecast.at_depth(depth - start) - offset * capacity,
        capacity,
    );
    (
        needed,
        units(
            forecast.at_depth(depth + keep) + offset * capacity,
            capacity,
        ),
    )
}
