//! Second stage: the distribution of demand when an order placed now would serve.

use fleetcast_forecast::Band;
use fleetcast_forecast::event_book::Uplift;
use fleetcast_forecast::lead::LeadForecast;
use fleetcast_model::{ArrivalForecast, MilliPerMinute, StatedForecast};
use fleetcast_planner::steering::{Band as UnitBand, Deep, Outlook};
use jiff::Timestamp;

use crate::component::Ours;
use crate::stages::observe::Seen;
use crate::watch::Alert;

/// What a surge that the forecast cannot explain adds to its spread, as a standard deviation of the logarithm.
const SURGE_DEVIATION: f64 = 0.1;
/// Documents that change demand by less than this, or a persona of less weight, are not in the way of what data say.
const NEARLY_NOTHING: f64 = 0.05;

/// Demand at arrival, in the component's measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// When an order placed now would serve.
    pub at: Timestamp,
    /// The 5 % quantile.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The level that holds the objective.
    pub level: f64,
    /// The quantile at that level.
    pub bought: f64,
    /// Units to start if they are missing, and to keep if they are there.
    pub band: UnitBand,
    /// Units to have in all, with those that stand by; `None`: no standby.
    pub deep: Option<Deep>,
    /// What the events at arrival multiply demand by; already in the quantiles.
    pub uplift: f64,
    /// The weight of the persona beside the data, 0 to 1.
    pub persona_weight: f64,
    /// Whether a fitted model with fresh data stands behind it.
    pub healthy: bool,
    /// A person said what demand to expect.
    pub stated: bool,
}

/// What the persona expects, in the component's measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// In the step that has just ended.
    pub now: f64,
    /// In the step in which an order placed now would serve.
    pub at_arrival: f64,
}

/// What documents say of the time ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// The persona's expectation, while its word still counts.
    pub expected: Option<Expected>,
    /// What the events that are on now multiply demand by.
    pub uplift_now: f64,
    /// What the events that will be on at arrival multiply demand by.
    pub uplift: Uplift,
    /// When the step whose demand is told began.
    pub began: Timestamp,
    /// Nothing is to be learned from the step that has just ended: an incident was on.
    pub ignored: bool,
}

/// Takes the newest demand into the models and forecasts.
pub fn forecast(
    ours: &mut Ours,
    seen: &Seen,
    per_unit: f64,
    at: Timestamp,
    ahead: &Ahead,
) -> Arrival {
    let Ahead {
        expected, uplift, ..
    } = *ahead;
    let told = seen.known.then_some(seen.measure);
    let demand = match &mut ours.cut_off {
        Some(cut_off) => cut_off.fill_in(told, seen.effective * per_unit),
        None => told,
    };
    // The models learn demand as it would have been without the events that are known: a sale does not spoil
    // the next days, and its end is not taken for a surprise.
    let usual = demand.map(|demand| demand / ahead.uplift_now);
    let watched = ours.watch.as_mut().filter(|_| !ahead.ignored);
    ours.alert = watched.map_or(Alert::default(), |watch| watch.observe(ahead.began, usual));
    if ours.alert.refit {
        ours.forecaster.hasten_fit();
    }
    let teaches = !ahead.ignored && !ours.alert.ignore;
    if teaches {
        ours.forecaster.observe(usual);
    } else {
        ours.forecaster.pass_over();
    }
    if let (Some(expected), Some(demand), true) = (expected, demand, teaches) {
        ours.prior.observe(expected.now, demand);
    }
    ours.accuracy.outcome(ahead.began, demand);
    let mut quantiles = ours.forecaster.forecast();
    // Under a stated objective the level is learned with all surges in it, and the objective decides.
    let learned = ours.objective_stated && ours.forecaster.is_fitted();
    if ours.alert.widen && !learned {
        quantiles.lift(Uplift {
            factor: 1.0,
            deviation: SURGE_DEVIATION,
        });
    }
    // The persona's expectation has the events in it already.
    if uplift != Uplift::NONE {
        quantiles.lift(uplift);
    }
    let persona_weight = expected.map_or(0.0, |expected| {
        blend(ours, &mut quantiles, expected.at_arrival)
    });
    let tail = quantiles.tail_scale();
    ours.steering.account_with(
        ours.step,
        demand,
        seen.ready_then,
        seen.effective,
        tail,
        seen.promoted,
    );
    // What documents say of arrival is not in what is forecast by itself of the steps before it: then that does not count.
    let factors = [ahead.uplift_now - 1.0, uplift.factor - 1.0];
    let said = factors.iter().chain([&uplift.deviation, &persona_weight]);
    let by_data = said.into_iter().all(|said| said.abs() < NEARLY_NOTHING);
    let before = ours.forecaster.before_arrival().filter(|_| by_data);
    let outlook = Outlook {
        arrival: &quantiles,
        before: before.as_ref(),
    };
    ours.steering.steer(ours.step, outlook, seen.known);
    let (band, deep) = ours.steering.bands(outlook);
    let depth = ours.steering.running_depth();
    ours.accuracy.keep(&quantiles);
    if let Some(cut_off) = &mut ours.cut_off {
        cut_off.keep(&quantiles);
    }
    ours.last = quantiles;
    let p50 = quantiles.at(0.5);
    let calibrated = ours.seen_p95.step(demand, Band::point(quantiles.at(0.95)));
    Arrival {
        at,
        p05: quantiles.at(0.05).min(p50),
        p50,
        p95: calibrated.band.upper.max(p50),
        level: 1.0 - libm::exp(-depth),
        bought: quantiles.at_depth(depth),
        band,
        deep,
        uplift: uplift.factor,
        persona_weight,
        healthy: seen.known && ours.forecaster.is_fitted() && !ours.accuracy.is_alarmed(),
        stated: false,
    }
}

/// The demand that a person expects in place of the forecast; `to_volume` turns the component's measure into
/// interactions a minute. The models do not learn from it.
pub fn restate(
    ours: &mut Ours,
    arrival: &Arrival,
    stated: &StatedForecast,
    to_volume: f64,
) -> Arrival {
    let measure = |milli: MilliPerMinute| milli.as_f64() / 1e3 / to_volume;
    let (median, own) = (measure(stated.median), arrival.p50);
    let mut quantiles = ours.last;
    match stated.p95.map(measure) {
        Some(p95) => {
            let spread = quantiles.at(0.95) - own;
            let wider = if spread > 0.0 {
                (p95 - median).max(0.0) / spread
            } else {
                0.0
            };
            quantiles.map(|_, value| (median + (value - own) * wider).max(0.0));
        }
        None if own > 0.0 => quantiles.map(|_, value| value * (median / own)),
        None => quantiles.map(|_, _| median),
    }
    let depth = ours.steering.depth();
    ours.last = quantiles;
    let (band, deep) = ours.steering.bands(Outlook::from(&quantiles));
    Arrival {
        p05: quantiles.at(0.05).min(median),
        p50: median,
        p95: quantiles.at(0.95).max(median),
        bought: quantiles.at_depth(depth),
        band,
        deep,
        stated: true,
        ..*arrival
    }
}

/// A forecast in interactions a minute.
pub fn in_volume(arrival: &Arrival, to_volume: f64) -> ArrivalForecast {
    ArrivalForecast {
        p05: arrival.p05 * to_volume,
        p50: arrival.p50 * to_volume,
        p95: arrival.p95 * to_volume,
        bought_level: arrival.level,
        bought: arrival.bought * to_volume,
        persona_weight: arrival.persona_weight,
    }
}

/// Mixes the persona into the quantiles, as far as history has not overtaken it; returns its weight.
fn blend(ours: &Ours, quantiles: &mut LeadForecast, expected: f64) -> f64 {
    quantiles.map(|level, value| {
        ours.prior
            .blend(expected, level, value, ours.observed, ours.hour_steps)
    });
    ours.persona_weight()
}
