//! Carrying a plan out in the simulated world, the only provider that there is.

use fleetcast_document::{ConfirmedChange, Money, ProvisionalChange, ProvisionalFleetState};
use fleetcast_model::{
    ChangeAction, Component, ComponentIndex, Fleet, InstanceState, MicroUsd, Offer, OfferIndex,
    Order, Token, Units,
};
use fleetcast_sim::{Lifecycle, Random, SimCloud, whole_instances};
use jiff::{SignedDuration, Timestamp};

use super::account::place_of;
use crate::backtest::scenario::{API_DELAY, lifecycle};

/// How often the cloud is looked at.
const LOOK: SignedDuration = SignedDuration::from_secs(15);
/// What has not come after so long does not come.
const PATIENCE: SignedDuration = SignedDuration::from_hours(4);

/// What came of a plan.
pub struct CarriedOut {
    /// What came of each change, in the plan's order.
    pub changes: Vec<ConfirmedChange>,
    /// The fleet state afterwards.
    pub fleet: Fleet,
}

impl CarriedOut {
    /// Whether everything came that was asked for.
    pub fn is_complete(&self) -> bool {
        self.changes.iter().all(|change| change.refused.is_none())
    }
}

/// Carries a plan out at a moment, at the prices that hold then. An offer that is gone, or dearer than the plan
/// allows, is not ordered.
pub fn carry_out(state: &ProvisionalFleetState, offers: &[Offer], at: Timestamp) -> CarriedOut {
    let mut world = World::new(&state.fleet, offers, at);
    let mut fleet = state.fleet.clone();
    let mut changes = Vec::new();
    for (number, change) in state.provisional_changes.iter().enumerate() {
        let place = place_of(&fleet, &change.component);
        let done = match place {
            Some(place) => world.change(change, place, number, at),
            None => refused(change, "the fleet has no such component".into()),
        };
        if let Some(component) =
            place.and_then(|place| fleet.components.get_mut(usize::from(place.0)))
        {
            settle(component, change, &done);
        }
        changes.push(done);
    }
    CarriedOut { changes, fleet }
}

/// Counts what was done.
fn settle(component: &mut Component, change: &ProvisionalChange, done: &ConfirmedChange) {
    let current = component.current.unwrap_or_default();
    let units = Units::new(done.units_done);
    component.current = Some(match change.action {
        ChangeAction::Add | ChangeAction::Promote => current + units,
        ChangeAction::Remove => current.saturating_sub(units),
    });
}

/// The simulated cloud with the fleet that runs.
struct World<'a> {
    cloud: SimCloud,
    offers: &'a [Offer],
    lifecycles: Vec<Lifecycle>,
    units: Vec<fleetcast_model::UnitSize>,
    now: Timestamp,
}

impl<'a> World<'a> {
    fn new(fleet: &Fleet, offers: &'a [Offer], at: Timestamp) -> Self {
        let components = &fleet.components;
        let units_each = components
            .iter()
            .map(|component| {
                let each = |offer: &Offer| u32::try_from(offer.units_of(&component.unit));
                offers
                    .iter()
                    .map(|offer| each(offer).unwrap_or(u32::MAX))
                    .collect()
            })
            .collect();
        let lifecycles: Vec<Lifecycle> = components
            .iter()
            .map(|component| lifecycle(component, offers, None, None))
            .collect();
        let mut cloud = SimCloud::new(
            offers.to_vec(),
            units_each,
            lifecycles.clone(),
            API_DELAY,
            LOOK,
            Random::new(0, "boot times"),
        );
        for (index, component) in components.iter().enumerate() {
            let units = component.current.unwrap_or_default();
            if let Some((offer, count)) = whole_instances(offers, component, units, units) {
                cloud.start_with(ComponentIndex(index as u16), offer, count, at);
            }
        }
        Self {
            cloud,
            offers,
            lifecycles,
            units: components.iter().map(|component| component.unit).collect(),
            now: at,
        }
    }

    fn change(
        &mut self,
        change: &ProvisionalChange,
        place: ComponentIndex,
        number: usize,
        at: Timestamp,
    ) -> ConfirmedChange {
        let index = usize::from(place.0);
        if change.action == ChangeAction::Remove {
            let drained = at + self.lifecycles[index].drain;
            return ConfirmedChange {
                instances_done: change.instances,
                units_done: change.units,
                ordered_at: Some(at),
                done_at: Some(drained),
                refused: None,
                ..refused(change, String::new())
            };
        }
        let found = self
            .offers
            .iter()
            .position(|offer| offer.id == change.offer);
        let Some(offer) = found else {
            return refused(
                change,
                format!("`{}` is not in the catalogue any more", change.offer),
            );
        };
        let price = MicroUsd::new(self.offers[offer].price.get());
        let allowed = change.price_per_hour_max.as_ref().map(Money::micro_usd);
        if let Some(allowed) = allowed.filter(|allowed| price > *allowed) {
            let words = format!(
                "`{}` costs ${:.4} an hour now; the plan allows ${:.4}",
                change.offer,
                price.as_usd(),
                allowed.as_usd()
            );
            return refused(change, words);
        }
        let ordered = change.order_by.map_or(at, |by| by.max(at));
        let token = Token::of(&[b"apply", &number.to_le_bytes()]);
        self.cloud.order(
            &Order {
                token,
                component: place,
                offer: OfferIndex(offer as u16),
                instances: u32::try_from(change.instances).unwrap_or(u32::MAX),
                ready_by: change.ready_by,
                price: self.offers[offer].price,
                standby: false,
                lease_until: ordered + PATIENCE,
            },
            ordered,
        );
        let (came, done_at) = self.wait_for(token, ordered);
        let units = came * self.offers[offer].units_of(&self.units[index]);
        ConfirmedChange {
            instances_done: came,
            units_done: units,
            price_per_hour: Some(Money::usd(price)),
            ordered_at: Some(ordered),
            done_at,
            refused: (came < change.instances).then(|| {
                format!(
                    "{} of {} instances came within {PATIENCE:#}",
                    came, change.instances
                )
            }),
            ..refused(change, String::new())
        }
    }

    /// Lets time pass until an order has come: how many instances, and when the last one was healthy.
    fn wait_for(&mut self, token: Token, ordered: Timestamp) -> (u64, Option<Timestamp>) {
        self.now = ordered;
        let mut came = (0, None);
        while self.now <= ordered + PATIENCE {
            self.cloud.advance(self.now);
            let listed = self.cloud.list(self.now).cohorts;
            let own = || listed.iter().filter(|cohort| cohort.token == token);
            let healthy =
                |state| matches!(state, InstanceState::Healthy | InstanceState::InService);
            let done = own().filter(|cohort| healthy(cohort.state));
            came = (
                done.clone().map(|cohort| u64::from(cohort.count)).sum(),
                done.map(|cohort| cohort.since).max(),
            );
            if own().all(|cohort| healthy(cohort.state)) {
                break;
            }
            self.now += LOOK;
        }
        came
    }
}

/// A change of which nothing came.
fn refused(change: &ProvisionalChange, why: String) -> ConfirmedChange {
    ConfirmedChange {
        component: change.component.clone(),
        action: change.action,
        provider: change.provider,
        region: change.region.clone(),
        offer: change.offer.clone(),
        purchase_kind: change.purchase_kind,
        instances_asked: change.instances,
        instances_done: 0,
        units_done: 0,
        price_per_hour: None,
        ordered_at: None,
        done_at: None,
        refused: Some(why),
    }
}
