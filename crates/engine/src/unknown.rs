//! Demand that nobody knows: what is there is held for a while, then what was declared applies.

use fleetcast_model::{Component, Fallback, Units, UnknownDemand, UnknownResponse};
use fleetcast_series::SlidingMaximum;
use jiff::{SignedDuration, Timestamp};

use crate::stages::requirement::round_up;

/// Follows for how long the demand of one component has been unknown.
#[derive(Clone, Debug)]
pub(crate) struct UnknownInput {
    step: SignedDuration,
    since: Option<Timestamp>,
    /// The highest of the last day of known demand.
    day: SlidingMaximum,
    peak: f64,
    last: Option<UnknownDemand>,
}

impl UnknownInput {
    /// Nothing is known yet.
    pub(crate) fn new(step_seconds: u32) -> Self {
        Self {
            step: SignedDuration::from_secs(i64::from(step_seconds)),
            since: None,
            day: SlidingMaximum::new(u64::from(86_400 / step_seconds.max(1))),
            peak: 0.0,
            last: None,
        }
    }

    /// Takes the demand that is told at the end of a step, in the component's measure, of which a unit carries so much.
    pub(crate) fn observe(
        &mut self,
        component: &Component,
        now: Timestamp,
        demand: Option<f64>,
        per_unit: f64,
    ) {
        let before = self.last.take();
        if let Some(demand) = demand {
            self.peak = self.day.push(demand);
            self.last = self.since.take().map(|since| UnknownDemand {
                since,
                response: UnknownResponse::KnownAgain,
                alert: true,
            });
            return;
        }
        let since = *self.since.get_or_insert(now - self.step);
        let until = since + component.timing.hold_max;
        let response = if now < until {
            UnknownResponse::Held { until }
        } else {
            let to = component.timing.fallback;
            let units = match to {
                Fallback::Hold => Units::ZERO,
                Fallback::Floor => component.floor,
                Fallback::PeakOfDayBefore => Units::new(round_up(self.peak / per_unit)),
                Fallback::Ceiling => component.ceiling,
            };
            UnknownResponse::FellBack { to, units }
        };
        let same = |before: &UnknownDemand| {
            std::mem::discriminant(&before.response) == std::mem::discriminant(&response)
        };
        self.last = Some(UnknownDemand {
            since,
            response,
            alert: !before.as_ref().is_some_and(same),
        });
    }

    /// What is done now; `None` while demand is known.
    pub(crate) fn now(&self) -> Option<UnknownDemand> {
        self.last
    }

    /// The same when a step is looked at once more: nobody is told twice.
    pub(crate) fn again(&self) -> Option<UnknownDemand> {
        let lasting = |told: &UnknownDemand| told.response != UnknownResponse::KnownAgain;
        let last = self.last.filter(lasting);
        last.map(|told| UnknownDemand {
            alert: false,
            ..told
        })
    }
}
