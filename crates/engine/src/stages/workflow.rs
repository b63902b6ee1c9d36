//! Seventh stage: intents first, then actions. Order, boot, configure, healthy, in service, fleet state.

use fleetcast_model::{
    Action, Arming, Cohort, ComponentIndex, FleetStateUpdate, InstanceRange, InstanceState,
    MicroUsd, OfferIndex, Order, Plan, PlannedOrder, PromoteOn, StandbyPolicy, Token, Units,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An order that no complete listing has shown for so long is taken as never placed.
const GRACE: SignedDuration = SignedDuration::from_mins(15);

/// The journal of one component: what was asked for and is not in the inventory yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkflowState {
    intents: Vec<Intent>,
    /// What the fleet state document says.
    published: Option<(Units, Units)>,
    /// Whether the world promotes standby by itself.
    armed: bool,
    orders: u64,
}

/// An order whose outcome is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Intent {
    token: Token,
    offer: OfferIndex,
    instances: u32,
    units: Units,
    placed: Timestamp,
    standby: bool,
    /// What it may cost at worst.
    reserved: MicroUsd,
}

impl WorkflowState {
    /// Units that were ordered and that no listing has shown yet: they count as on their way.
    pub fn in_flight(&self) -> Units {
        let serving = self.intents.iter().filter(|intent| !intent.standby);
        serving.map(|intent| intent.units).sum()
    }

    /// The same by offer and instances, those for standby among them.
    pub fn unlisted(&self) -> impl Iterator<Item = (OfferIndex, u32)> {
        let intents = self.intents.iter();
        intents.map(|intent| (intent.offer, intent.instances))
    }

    /// The same without those for standby.
    pub fn unlisted_for_service(&self) -> impl Iterator<Item = (OfferIndex, u32)> {
        let serving = self.intents.iter().filter(|intent| !intent.standby);
        serving.map(|intent| (intent.offer, intent.instances))
    }

    /// Whether an order for standby has not been listed yet.
    pub fn standby_in_flight(&self) -> bool {
        self.intents.iter().any(|intent| intent.standby)
    }

    /// Lets the world promote standby by itself, where the policy says so, once.
    pub fn arm(
        &mut self,
        component: ComponentIndex,
        policy: &StandbyPolicy,
        actions: &mut Vec<Action>,
    ) {
        let over_capacity = policy.promote_on == PromoteOn::OverCapacity;
        if self.armed != over_capacity {
            self.armed = over_capacity;
            actions.push(Action::Arm(Arming {
                component,
                over_capacity,
            }));
        }
    }

    /// What those may cost at worst.
    pub fn reserved(&self) -> MicroUsd {
        self.intents.iter().map(|intent| intent.reserved).sum()
    }

    /// Compares the intents with a complete listing: what it shows has been placed.
    pub fn reconcile(&mut self, cohorts: &[Cohort], as_of: Timestamp) {
        self.intents.retain(|intent| {
            let listed = cohorts.iter().any(|cohort| cohort.token == intent.token);
            !listed && as_of.duration_since(intent.placed) < GRACE
        });
    }

    /// Drops an order that the provider refused; whether it was one of ours.
    pub fn forget(&mut self, token: Token) -> bool {
        let before = self.intents.len();
        self.intents.retain(|intent| intent.token != token);
        self.intents.len() < before
    }

    /// Turns a plan that may be carried out into actions; `reserve` says what an order may cost at worst.
    pub fn carry_out(
        &mut self,
        plan: &Plan,
        now: Timestamp,
        reserve: impl Fn(&PlannedOrder) -> MicroUsd,
        actions: &mut Vec<Action>,
    ) {
        let serving = plan.orders.iter().map(|planned| (planned, false));
        let standby = plan.standby.orders.iter().map(|planned| (planned, true));
        for (planned, standby) in serving.chain(standby) {
            self.orders += 1;
            let token = Token::of(&[
                if standby { b"stand" } else { b"order" },
                &plan.component.0.to_le_bytes(),
                &planned.offer.0.to_le_bytes(),
                &planned.instances.to_le_bytes(),
                &now.as_second().to_le_bytes(),
                &self.orders.to_le_bytes(),
            ]);
            self.intents.push(Intent {
                token,
                offer: planned.offer,
                instances: planned.instances,
                units: planned.units,
                placed: now,
                standby,
                reserved: reserve(planned),
            });
            actions.push(Action::Order(Order {
                token,
                component: plan.component,
                offer: planned.offer,
                instances: planned.instances,
                ready_by: planned.ready_by,
                price: planned.price,
                standby,
            }));
        }
        let released = plan.releases.iter().chain(&plan.standby.releases);
        actions.extend(released.map(|range| Action::Release(*range)));
        let demoted = plan.standby.demotions.iter();
        actions.extend(demoted.map(|range| Action::Demote(*range)));
    }

    /// Puts healthy instances into service, except those that are being given back.
    pub fn register(
        &self,
        cohorts: &[Cohort],
        released: &[InstanceRange],
        actions: &mut Vec<Action>,
    ) {
        for cohort in cohorts
            .iter()
            .filter(|cohort| cohort.state == InstanceState::Healthy)
        {
            // Releases take a cohort's newest instances, from its end.
            let own = |range: &&InstanceRange| cohort.has(range);
            let given_back: u32 = released.iter().filter(own).map(|range| range.count).sum();
            let count = cohort.count.saturating_sub(given_back);
            if count > 0 {
                actions.push(Action::Register(InstanceRange {
                    token: cohort.token,
                    first: cohort.first,
                    count,
                }));
            }
        }
    }

    /// Stores what the fleet state counts, when it has changed.
    pub fn publish(
        &mut self,
        component: ComponentIndex,
        current: Units,
        desired: Units,
        actions: &mut Vec<Action>,
    ) {
        if self.published != Some((current, desired)) {
            self.published = Some((current, desired));
            actions.push(Action::UpdateFleetState(FleetStateUpdate {
                component,
                current,
                desired,
            }));
        }
    }
}
