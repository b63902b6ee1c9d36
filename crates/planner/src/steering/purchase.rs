//! What is bought at a price: whole units, from a forecast and the depth of its quantile.

use fleetcast_forecast::lead::LeadForecast;

use super::fleet::FleetRules;
use super::steering::Goal;

/// Units worth starting, and units worth keeping once they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Units to start if they are missing.
    pub needed: u64,
    /// Units to keep if they are there; at least `needed`.
    pub useful: u64,
    /// Decisions a unit outlives the last one it was useful in by, and that one.
    pub hold_decisions: u64,
}

/// What is forecast when something is bought.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// Demand when an order of now would serve.
    pub arrival: &'a LeadForecast,
    /// Demand of the steps before it, where they are foretold by themselves.
    pub before: Option<&'a LeadForecast>,
}

impl<'a> From<&'a LeadForecast> for Outlook<'a> {
    fn from(arrival: &'a LeadForecast) -> Self {
        Self {
            arrival,
            before: None,
        }
    }
}

/// How reluctantly units are removed: 1 costs least, more starts fewer units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reluctance(pub f64);

/// At reluctance 1 a running unit is kept while a level this much deeper wants it (e^1.2: a chance of use
/// 3.3 times smaller than starts a unit). From 0 to 2 the cost is flat within 1 %, while the starts halve.
const KEEP_DEPTH: f64 = 1.2;
/// And by this much where the steps before arrival are foretold as well: what they want is known, and need not be guessed.
const KEEP_DEPTH_FORETOLD: f64 = 0.8;

/// Decisions that a unit of no use is kept where use is foretold: a single low reading gives nothing back.
const FORETOLD_IDLE: f64 = 1.0;

/// Reluctance first deepens what is kept, up to this factor, because that costs least; beyond it, it lengthens the hold.
const KEEP_REACH: f64 = 4.0;

impl Reluctance {
    /// Goes so much of the way to another one; in proportion, as probes are.
    pub fn towards(self, aim: Self, share: f64) -> Self {
        Self(self.0 * libm::pow(aim.0 / self.0, share))
    }

    /// The band at a depth.
    ///
    /// Starting a unit again is paid for a boot and a drain without serving, so (ski rental) it may idle as long.
    ///
    /// Where the steps before arrival are foretold as well, they say what is still of use, and not what was of late: when an event
    /// ends, units go as soon as neither arrival nor a step before it wants them.
    pub fn band(self, ahead: Outlook, depth: f64, purchase: &Purchase) -> Band {
        let needed = purchase.units(ahead.arrival, depth);
        let turn = (purchase.rules.boot_steps + purchase.rules.drain_steps) as f64;
        let longer = (self.0 / KEEP_REACH).max(1.0);
        let (deeper, idle) = match ahead.before {
            Some(_) => (
                KEEP_DEPTH_FORETOLD,
                ((longer - 1.0) * turn).max(FORETOLD_IDLE),
            ),
            None => (KEEP_DEPTH, longer * turn),
        };
        let keep = depth + deeper * self.0.min(KEEP_REACH);
        let worth_keeping = |forecast| purchase.units(forecast, keep);
        let in_time = worth_keeping(ahead.arrival).max(needed);
        let useful = (ahead.before).map_or(in_time, |before| in_time.max(worth_keeping(before)));
        Band {
            needed,
            useful,
            hold_decisions: libm::round(idle) as u64 + 1,
        }
    }
}

/// What turns a quantile of demand into whole units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Purchase {
    /// What is to be held.
    pub goal: Goal,
    /// Demand one unit serves in a step.
    pub capacity: f64,
    /// Boot and drain, in steps.
    pub rules: FleetRules,
}

impl Purchase {
    /// The units worth buying at a depth, at least one.
    pub fn units(&self, forecast: &LeadForecast, depth: f64) -> u64 {
        let units = (forecast.at_depth(depth) / self.capacity).clamp(0.0, 1e12);
        let missing = match self.goal {
            Goal::UnservedShare(_) => {
                let scale = (slope(forecast, depth) / self.capacity).clamp(0.0, 1e6);
                least_part_of_a_unit(scale, depth)
            }
            // A little missing is as bad as much: where the forecast spreads over less than a unit all of the
            // quantile is bought, because half a unit would be more than any depth could make up for.
            Goal::ViolationShare(_) => {
                let spread = SPREADS_IN_A_UNIT * forecast.tail_scale() / self.capacity;
                0.5 * spread.clamp(0.0, 1.0)
            }
        };
        libm::ceil(units - missing).max(1.0) as u64
    }
}

/// Depths that quantiles rise a unit in, up to which rounding to the nearest unit leaves depth its say.
const SPREADS_IN_A_UNIT: f64 = 4.0;

/// How fast quantiles rise with depth just before this one, in units of demand.
fn slope(forecast: &LeadForecast, depth: f64) -> f64 {
    let before = (depth - 1.0).max(0.0);
    (forecast.at_depth(depth) - forecast.at_depth(before)) / (depth - before).max(1e-9)
}

/// The part of its last unit that a quantile must reach into for the unit to be worth its price.
///
/// The unit is bought if the demand it is expected to serve, the integral of P(D > y) over it, is at least the
/// price e^−depth. With an exponential tail of `scale` units, P(D > y) = e^−depth · e^((x − y) ÷ scale) up to 1,
/// the quantile x must lie −scale · ln(scale · (1 − e^(−1 ÷ scale))) into it: half a unit where the forecast is
/// wide, nearly nothing where it is narrow; and where it is narrower than the price, the price itself.
fn least_part_of_a_unit(scale: f64, depth: f64) -> f64 {
    if scale <= 1e-9 {
        return libm::exp(-depth).min(0.5);
    }
    let spread = -scale * libm::log(scale * (1.0 - libm::exp(-1.0 / scale)));
    let part = if spread <= scale * depth {
        spread
    } else {
        libm::exp(-depth) + scale * (depth - 1.0)
    };
    part.clamp(0.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_steps_before_arrival_are_foretold_the_past_keeps_nothing() {
        let rules = FleetRules {
            boot_steps: 5,
            drain_steps: 5,
        };
        let purchase = Purchase {
            goal: Goal::UnservedShare(0.005),
            capacity: 1.0,
            rules,
        };
        let level = |units: f64| LeadForecast {
            quantiles: std::array::from_fn(|place| units + 0.1 * place as f64),
        };
        let (arrival, before) = (level(10.0), level(14.0));
        let bought = |reluctance, arrival, before| {
            Reluctance(reluctance).band(Outlook { arrival, before }, 3.0, &purchase)
        };
        let band = |reluctance, before| bought(reluctance, &arrival, before);
        let by_past = band(1.0, None);
        assert_eq!(by_past.hold_decisions, 11);
        // A step before arrival still wants more than arrival, and is to be served until it has passed.
        let foretold = band(1.0, Some(&before));
        assert_eq!(foretold.needed, by_past.needed);
        assert_eq!(foretold.useful, by_past.useful + 4);
        assert_eq!(foretold.hold_decisions, 2);
        // Where the forecast is wide less is kept beside what is foretold than beside what was of late.
        let steep = LeadForecast {
            quantiles: std::array::from_fn(|place| 10.0 + 2.0 * place as f64),
        };
        let useful = |before| bought(1.0, &steep, before).useful;
        assert!(useful(Some(&steep)) < useful(None));
        // What starts too often is held for longer all the same.
        assert_eq!(band(8.0, Some(&before)).hold_decisions, 11);
    }

    #[test]
    fn reluctance_moves_in_proportion() {
        let half = Reluctance(2.0).towards(Reluctance(8.0), 0.5);
        assert!((half.0 - 4.0).abs() < 1e-12);
        assert_eq!(
            Reluctance(3.0).towards(Reluctance(40.0), 0.0),
            Reluctance(3.0)
        );
    }
}
