//! The limit of unit starts: how reluctant removal has to be so that the fleet does not come and go with noise.

use super::super::fleet::FleetRules;
use super::super::purchase::{Outlook, Purchase, Reluctance};
use super::super::shadow::Probe;
use super::super::standby::{Spell, StandbyRules, bands};

/// Removal reluctances that are probed, to know what each would start.
const PROBES: [f64; 5] = [1.0, 2.0, 5.0, 14.0, 40.0];
/// Starts too many or too few so far are made up for over half the time since the warm-up …
const HORIZON_SHARE: f64 = 0.5;
/// … by aiming at this many times the limit at least and at most. Of those too many little is made up for: a day that may
/// start few units costs more than the one before it has saved.
const CORRECTION: [f64; 2] = [0.95, 1.15];
/// The reluctance rises, and falls, with these shares of the history as time constants: one that jumps costs more than one that
/// lasts, and one that is not needed any more costs most.
const RISES: f64 = 0.05;
const FALLS: f64 = 0.02;
/// What a start near events whose like are known counts for.
const FORETOLD_START: f64 = 0.75;
/// Half-life of the probes' memory in days, at most: two weeks hold each weekday twice.
const MEMORY_DAYS_MAXIMUM: f64 = 14.0;

/// Finds the reluctance that keeps unit starts within a limit.
///
/// Near events whose like are known starts count for less: what is started there is meant, and foretold. They do count, or a calendar that
/// is never empty would be a fleet without a limit.
#[derive(Clone, Debug)]
pub(super) struct StartLimit {
    steps_per_day: f64,
    /// Most starts a step, as a share of the mean fleet.
    limit: f64,
    probes: Vec<Probe>,
    reluctance: Reluctance,
    /// Such an event was near when this was last asked.
    foretold: bool,
    /// Own account since the warm-up.
    steps: f64,
    starts: f64,
    ready: f64,
    ready_before: u64,
}

impl StartLimit {
    /// Starts without history; the limit is a multiple of the mean fleet a day.
    pub(super) fn new(rules: FleetRules, starts_per_day: f64, steps_per_day: f64) -> Self {
        Self {
            steps_per_day,
            limit: starts_per_day / steps_per_day,
            probes: vec![Probe::new(rules); PROBES.len()],
            reluctance: Reluctance(1.0),
            foretold: false,
            steps: 0.0,
            starts: 0.0,
            ready: 0.0,
            ready_before: 1,
        }
    }

    /// The reluctance to remove units with now.
    pub(super) fn reluctance(&self) -> Reluctance {
        self.reluctance
    }

    /// Every probe is like this one, at its own reluctance.
    pub(super) fn probe_with(&mut self, probe: Probe) {
        self.probes.fill(probe);
    }

    /// So many units stand by beyond what demand asks for.
    pub(super) fn set_correlated_loss(&mut self, units: u64) {
        for probe in &mut self.probes {
            probe.set_correlated_loss(units);
        }
    }

    /// What a start counts for now.
    fn start_counts(&self) -> f64 {
        if self.foretold { FORETOLD_START } else { 1.0 }
    }

    /// Lives through step `now`, which needs so many units, after so many observed ones.
    pub(super) fn enter(&mut self, now: u64, needed: u64, observed: bool, steps: f64) {
        let day = self.steps_per_day;
        let half_life = (0.3 * steps).clamp(0.25 * day, MEMORY_DAYS_MAXIMUM * day);
        let decay = libm::exp2(-1.0 / half_life);
        let counted = observed.then_some(self.start_counts());
        for probe in &mut self.probes {
            probe.enter(now, decay, counted);
            probe.promote(now, needed);
        }
    }

    /// Accounts for our own fleet: units in service, and those of them that were promoted, which have booted before.
    pub(super) fn account(&mut self, ready: u64, promoted: u64, scored: bool) {
        let before = std::mem::replace(&mut self.ready_before, ready) + promoted;
        if scored {
            self.steps += 1.0;
            self.starts += self.start_counts() * ready.saturating_sub(before) as f64;
            self.ready += ready as f64;
        }
    }

    /// Looks at the forecast made at the end of step `now`, the number of observed ones: probes order at this depth, and the
    /// reluctance follows what they start.
    pub(super) fn steer(
        &mut self,
        now: u64,
        ahead: Outlook,
        (purchase, depth): (&Purchase, f64),
        standby: Option<(&StandbyRules, Spell)>,
        (observed, steps): (bool, f64),
    ) {
        self.foretold = ahead.before.is_some();
        for (probe, reluctance) in self.probes.iter_mut().zip(PROBES) {
            let (band, deep) = bands(purchase, standby, Reluctance(reluctance), ahead, depth);
            probe.order(now, band, deep, observed);
        }
        let aim = self.reluctance_for(self.goal());
        let share = if aim.0 > self.reluctance.0 {
            RISES
        } else {
            FALLS
        };
        let longest = MEMORY_DAYS_MAXIMUM * self.steps_per_day;
        let time = (share * steps).clamp(1.0, longest.max(1.0));
        self.reluctance = self.reluctance.towards(aim, 1.0 / time);
    }

    /// Unit starts a step to aim at, as a share of the mean fleet: the limit, corrected for what was started so far.
    fn goal(&self) -> f64 {
        if self.steps < 1.0 {
            return self.limit;
        }
        let rate = self.starts / self.ready.max(1.0);
        let horizon = (HORIZON_SHARE * self.steps).max(self.steps_per_day);
        let correction = 1.0 + (1.0 - rate / self.limit.max(1e-12)) * self.steps / horizon;
        self.limit * correction.clamp(CORRECTION[0], CORRECTION[1])
    }

    /// The least reluctance whose probe kept unit starts within `limit` a step.
    fn reluctance_for(&self, limit: f64) -> Reluctance {
        let mut before: Option<(f64, f64)> = None;
        for (probe, reluctance) in self.probes.iter().zip(PROBES) {
            let rate = probe.start_rate();
            if rate <= limit {
                return match before {
                    Some((looser, higher)) if higher > rate => {
                        let share = libm::log(higher / limit) / libm::log(higher / rate);
                        Reluctance(looser * libm::pow(reluctance / looser, share.clamp(0.0, 1.0)))
                    }
                    _ => Reluctance(reluctance),
                };
            }
            before = Some((reluctance, rate));
        }
        Reluctance(PROBES[PROBES.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_forecast::lead::LeadForecast;

    use super::super::super::steering::Goal;
    use super::*;

    const DAY: f64 = 288.0;
    const RULES: FleetRules = FleetRules {
        boot_steps: 1,
        drain_steps: 1,
    };

    fn level(units: f64) -> LeadForecast {
        LeadForecast {
            quantiles: std::array::from_fn(|place| units + 0.01 * place as f64),
        }
    }

    /// Lives through so many steps of a fleet of ours and of a forecast, where events are near or not.
    fn live(
        limit: &mut StartLimit,
        steps: std::ops::Range<u64>,
        ready: impl Fn(u64) -> u64,
        wanted: impl Fn(u64) -> f64,
        near: bool,
    ) {
        let purchase = Purchase {
            goal: Goal::UnservedShare(0.01),
            capacity: 1.0,
            rules: RULES,
        };
        for t in steps {
            limit.enter(t, 1, true, t as f64);
            limit.account(ready(t), 0, true);
            let forecast = level(wanted(t));
            let ahead = Outlook {
                arrival: &forecast,
                before: near.then_some(&forecast),
            };
            limit.steer(t, ahead, (&purchase, 2.0), None, (true, t as f64));
        }
    }

    /// Dips that a reluctance of 14 outlasts.
    fn restless(t: u64) -> f64 {
        if t % 48 < 41 { 20.0 } else { 5.0 }
    }

    #[test]
    fn starts_too_few_are_made_up_for_and_those_too_many_hardly() {
        let goal = |ready: fn(u64) -> u64| {
            let mut limit = StartLimit::new(RULES, 4.0, DAY);
            live(&mut limit, 0..2000, ready, |_| 5.0, false);
            limit.goal() * DAY / 4.0
        };
        assert!((goal(|_| 10) - CORRECTION[1]).abs() < 1e-9);
        let often = goal(|t| if t % 2 == 0 { 20 } else { 10 });
        assert!((often - CORRECTION[0]).abs() < 1e-9);
    }

    #[test]
    fn what_is_started_for_events_that_are_known_counts_for_less() {
        let ready = |t: u64| if t.is_multiple_of(60) { 12 } else { 10 };
        let lived = |near| {
            let mut limit = StartLimit::new(RULES, 1.0, DAY);
            live(&mut limit, 0..2000, ready, restless, near);
            limit
        };
        let (noise, foretold) = (lived(false), lived(true));
        // All but the first, before which nothing was told.
        let first = 11.0;
        assert_eq!(
            foretold.starts - first,
            FORETOLD_START * (noise.starts - first)
        );
        assert_eq!(foretold.ready, noise.ready);
        assert!(foretold.goal() > noise.goal());
        // Many are limited all the same.
        assert!(foretold.reluctance.0 > 2.0);
    }

    #[test]
    fn reluctance_falls_faster_than_it_rises() {
        let mut limit = StartLimit::new(RULES, 1.0, DAY);
        live(&mut limit, 0..4000, |_| 10, restless, false);
        let (from, mut lower) = (limit.reluctance.0, limit.clone());
        lower.limit = 100.0;
        live(&mut lower, 4000..4010, |_| 10, restless, false);
        let fallen = libm::log(from / lower.reluctance.0) / libm::log(from);
        let mut higher = limit;
        higher.limit = 1e-6;
        live(&mut higher, 4000..4010, |_| 10, restless, false);
        let highest = PROBES[PROBES.len() - 1];
        let risen = libm::log(higher.reluctance.0 / from) / libm::log(highest / from);
        assert!(fallen > 2.0 * risen && risen > 0.0, "{fallen} and {risen}");
    }
}
