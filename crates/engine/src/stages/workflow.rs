//! Seventh stage: intents first, then actions. Order, boot, configure, healthy, in service, fleet state.

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_model::{
    Action, Arming, Cohort, ComponentIndex, FleetStateUpdate, InstanceRange, InstanceState,
    MicroUsd, OfferIndex, Order, Plan, PlannedOrder, PromoteOn, Renewal, StandbyPolicy,
    StandbyTier, Token, Units,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An order that no complete listing has shown for so long is taken as never placed.
const GRACE: SignedDuration = SignedDuration::from_mins(15);

/// What an order brings is given up so long after it was placed or last renewed, if it neither serves nor stands by
/// then: no sooner than the engine takes an order that nobody sees for lost, and not because of two late steps.
pub fn lease(step_seconds: i64) -> SignedDuration {
    GRACE.max(SignedDuration::from_secs(3 * step_seconds))
}

/// The journal of one component: what was asked for and is not in the inventory yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkflowState {
    intents: Vec<Intent>,
    /// What the fleet state document says.
    published: Option<(Units, Units)>,
    /// Whether the world promotes standby by itself.
    armed: bool,
    /// How standby is kept, where the world was told.
    tier: Option<StandbyTier>,
    orders: u64,
    /// Until when what is on its way of an order is waited for.
    leases: Vec<(Token, Timestamp)>,
    /// When the order of what stands was placed, where this engine placed it.
    placed: BTreeMap<Token, Timestamp>,
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

    /// When orders were placed, by their tokens: what this engine ordered and still stands is among them.
    pub fn placed(&self) -> &BTreeMap<Token, Timestamp> {
        &self.placed
    }

    /// Tells the world, once, whether it promotes standby by itself, and how it is kept where that may change.
    pub fn arm(
        &mut self,
        component: ComponentIndex,
        policy: &StandbyPolicy,
        actions: &mut Vec<Action>,
    ) {
        let over_capacity = policy.promote_on == PromoteOn::OverCapacity;
        let tier = policy.tier;
        let other_tier = self.tier.replace(tier).is_some_and(|told| told != tier);
        if self.armed != over_capacity || other_tier {
            self.armed = over_capacity;
            actions.push(Action::Arm(Arming {
                component,
                over_capacity,
                tier,
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
        // Now and then is enough: what is gone is not asked for.
        if self.placed.len() > 2 * (cohorts.len() + self.intents.len()) + 16 {
            let there: BTreeSet<Token> = cohorts.iter().map(|cohort| cohort.token).collect();
            let asked: BTreeSet<Token> = self.intents.iter().map(|intent| intent.token).collect();
            let stands = |token: &Token| there.contains(token) || asked.contains(token);
            self.placed.retain(|token, _| stands(token));
        }
    }

    /// Forgets all that was asked for; when what stands was ordered stays known.
    pub fn forget_intents(&mut self) {
        *self = Self {
            placed: std::mem::take(&mut self.placed),
            ..Self::default()
        };
    }

    /// Drops an order that the provider refused; whether it was one of ours.
    pub fn forget(&mut self, token: Token) -> bool {
        self.placed.remove(&token);
        let before = self.intents.len();
        self.intents.retain(|intent| intent.token != token);
        self.intents.len() < before
    }

    /// Goes on waiting for what is on its way and is not given back, before the second half of its lease is over.
    pub fn renew(
        &mut self,
        cohorts: &[Cohort],
        plan: &Plan,
        now: Timestamp,
        lease: SignedDuration,
        actions: &mut Vec<Action>,
    ) {
        let (intents, leases) = (&self.intents, &mut self.leases);
        let on_order = |token: Token| {
            let own = cohorts.iter().filter(move |cohort| cohort.token == token);
            own.filter(|cohort| cohort.state.is_on_order())
        };
        leases.retain(|(token, _)| {
            let unlisted = intents.iter().any(|intent| intent.token == *token);
            unlisted || on_order(*token).next().is_some()
        });
        let given_back: Vec<&InstanceRange> =
            plan.releases.iter().chain(&plan.standby.releases).collect();
        for cohort in cohorts.iter().filter(|cohort| cohort.state.is_on_order()) {
            let own = |range: &&&InstanceRange| cohort.has(range);
            let gone: u32 = given_back.iter().filter(own).map(|range| range.count).sum();
            let held = leases.iter().find(|(token, _)| *token == cohort.token);
            let left = held.map(|(_, until)| until.duration_since(now));
            if gone >= cohort.count || left.is_some_and(|left| left * 2 > lease) {
                continue;
            }
            let lease_until = now + lease;
            leases.retain(|(token, _)| *token != cohort.token);
            leases.push((cohort.token, lease_until));
            actions.push(Action::Renew(Renewal {
                token: cohort.token,
                lease_until,
            }));
        }
    }

    /// Turns a plan that may be carried out into actions; `reserve` says what an order may cost at worst, `lease` for
    /// how long what is on its way is waited for.
    pub fn carry_out(
        &mut self,
        plan: &Plan,
        now: Timestamp,
        lease: SignedDuration,
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
            let lease_until = now + lease;
            assert!(lease_until > now, "an order without a lease never ends");
            self.leases.push((token, lease_until));
            self.placed.insert(token, now);
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
                lease_until,
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
