//! What is unusual about a component's demand, and what follows from it.

use fleetcast_anomaly::{Detector, DetectorKind, Kind, Settings};
use jiff::Timestamp;

/// Demand is watched by five minutes, or by the step where it is longer: a single minute rarely says enough.
const WATCH_SECONDS: u32 = 300;
/// After so many hours an outage is no outage but the new demand, and is learned.
const OUTAGE_HOURS_MAX: i64 = 6;
/// Next to nothing for this share of the blocks of late, or more, is nothing unusual: rare events have such nights.
const LOW_SHARE_MAX: f64 = 0.005;
/// Demand under this share of its mean is next to nothing.
const LOW: f64 = 0.1;
/// Days after which a block counts half for that.
const LOW_HALF_LIFE_DAYS: f64 = 7.0;
/// So long after a surge began nothing is released because of it.
const SURGE_HOLD_SECONDS: i64 = 30 * 60;
/// An alarm's fit comes at most this often: a fit needs rows of the new time.
const REFIT_HOURS: i64 = 6;

/// What the engine does about what it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alert {
    /// What it is, while it lasts.
    pub kind: Option<Kind>,
    /// The forecast's spread does not cover what is going on.
    pub widen: bool,
    /// Demand is above what was expected, and may stay there.
    pub surge: bool,
    /// What is seen is not what people want: nothing in service is released.
    pub outage: bool,
    /// Nothing is learned.
    pub ignore: bool,
    /// A fit is due.
    pub refit: bool,
}

/// Watches the demand of one component.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    detector: Detector,
    block_steps: u32,
    steps: u32,
    sum: f64,
    seen: u32,
    alert: Alert,
    surge_began: Option<Timestamp>,
    outage_began: Option<Timestamp>,
    refit: Option<Timestamp>,
    /// The mean of the blocks of late, and the share of them with next to nothing.
    mean: f64,
    low_share: f64,
    /// How much of both is kept with each block.
    keep: f64,
}

impl Watch {
    pub(crate) fn new(step_seconds: u32) -> Self {
        let step = step_seconds.max(1);
        let block_steps = WATCH_SECONDS.div_ceil(step).max(1);
        let settings = Settings::every_seconds(block_steps * step);
        Self {
            detector: Detector::new(&DetectorKind::Default, &settings),
            block_steps,
            steps: 0,
            sum: 0.0,
            seen: 0,
            alert: Alert::default(),
            surge_began: None,
            outage_began: None,
            refit: None,
            mean: 0.0,
            // Until days have been seen, nothing tells that nights are not empty.
            low_share: 2.0 * LOW_SHARE_MAX,
            keep: libm::exp2(-f64::from(block_steps * step) / (86_400.0 * LOW_HALF_LIFE_DAYS)),
        }
    }

    /// Takes in the demand of the step that began at `at`, without what known events account for.
    pub(crate) fn observe(&mut self, at: Timestamp, demand: Option<f64>) -> Alert {
        if let Some(demand) = demand {
            self.sum += demand;
            self.seen += 1;
        }
        self.steps += 1;
        if self.steps < self.block_steps {
            return Alert {
                refit: false,
                ..self.alert
            };
        }
        let mean = (self.seen > 0).then(|| self.sum / f64::from(self.seen));
        (self.steps, self.sum, self.seen) = (0, 0.0, 0);
        let verdict = self.detector.observe(at.as_second(), mean);
        let response = verdict.response;
        let since = |began: &mut Option<Timestamp>, on: bool| {
            *began = on.then(|| began.unwrap_or(at));
            began.map(|began| at.duration_since(began).as_secs())
        };
        let surge = since(&mut self.surge_began, response.surge);
        // Judged when it begins: afterwards its own blocks would speak against it.
        let lasts = self.outage_began.is_some() && response.outage;
        let rare = lasts || self.low_share < LOW_SHARE_MAX;
        if let Some(mean) = mean.filter(|_| !lasts) {
            let low = f64::from(u8::from(mean < LOW * self.mean));
            self.low_share += (1.0 - self.keep) * (low - self.low_share);
            self.mean = if self.mean > 0.0 {
                self.mean + (1.0 - self.keep) * (mean - self.mean)
            } else {
                mean
            };
        }
        let outage = since(
            &mut self.outage_began,
            response.outage && (rare || mean.is_none()),
        )
        .is_some_and(|seconds| seconds < OUTAGE_HOURS_MAX * 3_600);
        let fresh_surge = surge.is_some_and(|seconds| seconds < SURGE_HOLD_SECONDS);
        let rested = self
            .refit
            .is_none_or(|last| at.duration_since(last).as_hours() >= REFIT_HOURS);
        let refit = response.triggers_refit() && rested;
        if refit {
            self.refit = Some(at);
        }
        self.alert = Alert {
            kind: verdict.kind,
            widen: response.widens_margin() && fresh_surge,
            surge: response.guards_scale_in() && fresh_surge,
            outage: response.guards_scale_in() && outage,
            ignore: response.is_kept_out_of_training() && outage,
            refit,
        };
        self.alert
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The alerts of a week with a season, after which `then` multiplies demand.
    fn alerts(then: impl Fn(i64) -> f64) -> Vec<Alert> {
        let mut watch = Watch::new(60);
        let mut alerts = Vec::new();
        for minute in 0..9 * 1440_i64 {
            let turn = (minute % 1440) as f64 / 1440.0 * std::f64::consts::TAU;
            let noise = ((minute * 7919) % 101) as f64 / 101.0;
            let after = minute - 8 * 1440;
            let factor = if after < 0 { 1.0 } else { then(after) };
            let demand = factor * (100.0 + 40.0 * libm::sin(turn) + 5.0 * noise);
            let at = Timestamp::constant(minute * 60, 0);
            let alert = watch.observe(at, Some(demand));
            if after >= 0 {
                alerts.push(alert);
            }
        }
        alerts
    }

    #[test]
    fn an_outage_is_not_learned_and_releases_nothing_until_it_is_the_new_demand() {
        let alerts = alerts(|_| 0.0);
        assert!(alerts[30].ignore && alerts[30].outage, "{:?}", alerts[30]);
        let late = alerts[10 * 60];
        assert!(!late.ignore && !late.outage, "{late:?}");
    }

    #[test]
    fn a_surge_widens_and_keeps_for_a_while() {
        let alerts = alerts(|minute| if minute < 120 { 4.0 } else { 1.0 });
        assert!(alerts[10].widen && alerts[10].surge, "{:?}", alerts[10]);
        assert!(!alerts[10].ignore);
        assert!(!alerts[100].surge, "{:?}", alerts[100]);
    }

    #[test]
    fn usual_demand_alerts_nobody() {
        let alerts = alerts(|_| 1.0);
        let kept = alerts
            .iter()
            .filter(|alert| alert.surge || alert.outage)
            .count();
        assert!(kept < alerts.len() / 50, "{kept} of {}", alerts.len());
    }
}
