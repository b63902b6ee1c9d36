//! What a component keeps beside what its forecast requires, and what stands by for it.

use fleetcast_model::{StandbyPolicy, Units};
use fleetcast_planner::spot::LossTerms;

use crate::component::{Ours, standby_rules};
use crate::hedge::Hedge;
use crate::stages::forecast::Arrival;
use crate::stages::observe::Seen;
use crate::stages::projection::{Holds, Standby};
use crate::stages::requirement::{Required, round_up};

impl Ours {
    /// Units that are kept, or wanted whatever the forecast says, without those that people provision on top.
    pub(crate) fn holds(
        &mut self,
        seen: &Seen,
        required: &Required,
        arrival: &Arrival,
        per_unit: f64,
        provisioned: Units,
    ) -> Holds {
        let band = arrival.band;
        self.hold.set_width(band.hold_decisions);
        let lately = self.hold.push(band.useful.max(required.bought) as f64) as u64;
        let recent = self.recent.push(seen.measure);
        let trusted = arrival.healthy && self.objective_stated;
        let reactive = if trusted {
            0
        } else {
            round_up(recent / per_unit)
        };
        let lasting = arrival
            .deep
            .filter(|deep| deep.lasts)
            .map_or(0, |_| required.now);
        Holds {
            may_shrink: self.fresh.observe(seen.known),
            // What does not serve yet costs no drain to cancel: it is kept only while it is useful.
            hold: if self.alert.outage || self.alert.surge && !trusted {
                seen.ready.saturating_sub(provisioned.get())
            } else {
                lately.min(seen.ready.max(band.useful)).max(lasting)
            },
            reactive,
            unknown: self.unknown.now(),
            standby: None,
        }
    }

    /// How many units stand by for spot that may be lost at once: as many as pay for themselves, and those that did of
    /// late, because preparing another costs a boot.
    pub(crate) fn standby_for_losses(
        &mut self,
        hedge: &Hedge,
        policy: &StandbyPolicy,
        step_seconds: u32,
    ) -> u64 {
        let rules = standby_rules(policy, step_seconds);
        let units = hedge.standby_for_losses(&LossTerms {
            promotion_hours: rules.promotion_steps * f64::from(step_seconds) / 3_600.0,
            missing_price: self.steering.missing_price(),
            price_share: rules.price_share,
        });
        let width = self.steering.standby_idle_decisions(&rules);
        self.losses.set_width(width);
        let held = self.losses.push(units as f64) as u64;
        self.steering.set_correlated_loss(held);
        held
    }

    /// How many units should stand by, if this component has standby at all.
    pub(crate) fn standby(&mut self, policy: &StandbyPolicy, arrival: &Arrival) -> Standby {
        // Without a worthwhile depth what was wanted lately runs out of its hold.
        let (units, width) = arrival
            .deep
            .map_or((0, None), |deep| (deep.units, Some(deep.hold_decisions)));
        if let Some(width) = width {
            self.deep.set_width(width);
        }
        let lately = self.deep.push(units as f64) as u64;
        match policy.units {
            Some(fixed) => Standby::Fixed(fixed.get()),
            None => Standby::InAll(lately),
        }
    }
}
