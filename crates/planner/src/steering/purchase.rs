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

/// How reluctantly units are removed: 1 costs least, more starts fewer units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reluctance(pub f64);

/// At reluctance 1 a running unit is kept while a level this much deeper wants it (e^1.2: a chance of use
/// 3.3 times smaller than starts a unit). From 0 to 2 the cost is flat within 1 %, while the starts halve.
const KEEP_DEPTH: f64 = 1.2;

/// Reluctance first deepens what is kept, up to this factor, because that costs least; beyond it, it lengthens the hold.
const KEEP_REACH: f64 = 4.0;

impl Reluctance {
    /// The band at a depth.
    ///
    /// Starting a unit again is paid for a boot and a drain without serving, so (ski rental) it may idle as long.
    pub fn band(self, forecast: &LeadForecast, depth: f64, purchase: &Purchase) -> Band {
        let units = |depth| purchase.units(forecast, depth);
        let needed = units(depth);
        let useful = units(depth + KEEP_DEPTH * self.0.min(KEEP_REACH)).max(needed);
        let rules = purchase.rules;
        let idle = (self.0 / KEEP_REACH).max(1.0) * (rules.boot_steps + rules.drain_steps) as f64;
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
