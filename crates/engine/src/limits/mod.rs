//! What limits orders beside ceilings and money: quotas, which all components share, and what the loss of a zone has to leave.
//!
//! In each step the floors that are missing claim their part of the quotas first; then the components plan in order of
//! importance, each in what the others leave and have not claimed. A fleet with neither quotas nor promises on zones has none
//! of this.

mod claims;
mod orders;

use fleetcast_model::{
    Cohort, Component, LimitsReport, Offer, OfferIndex, Plan, PlannedOrder, Quota, Units,
};
use fleetcast_planner::{OfferChoice, units_of, zone_target};

use crate::component::{Brain, ComponentState};
use crate::config::EngineConfig;
use crate::engine::Engine;
use crate::stages::projection::Projection;

/// The limits of a fleet, and what is taken of them in the step under way.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    quotas: Vec<Quota>,
    /// What one instance of each offer of the catalogue takes: places of quotas, and how much.
    takes: Vec<Vec<(usize, u64)>>,
    /// Where each offer of the catalogue lies: a number for each zone.
    zone_of: Vec<u16>,
    components: Vec<Own>,
    /// What is there, on its way, and ordered in this step.
    taken: Vec<u64>,
    /// What was asked for in this step beyond the limits.
    beyond: Vec<u64>,
}

/// One component's side of it.
#[derive(Clone, Debug, Default)]
struct Own {
    /// The share of what is wanted that the loss of a zone has to leave, in millionths; 0: none is promised.
    zone_loss_ppm: u64,
    /// The zones in which it may rent, by their numbers; one for all where nothing is promised.
    zones: Vec<u16>,
    /// What it is to have for its floor, by place of its offers, and what that takes.
    floor_mix: Vec<(usize, u64)>,
    claim: Vec<u64>,
    report: Option<LimitsReport>,
}

impl Engine {
    /// Prepares the limits of the fleet as the documents state it; none where none are stated.
    pub(crate) fn state_limits(&mut self) {
        self.limits = Limits::new(&self.config, &self.components).map(Box::new);
    }

    /// Counts what is taken of the quotas at the beginning of a step, and lets the floors claim theirs.
    pub(crate) fn begin_limits(&mut self) {
        let Some(mut limits) = self.limits.take() else {
            return;
        };
        limits.count(&self.components);
        limits.claim(self);
        self.limits = Some(limits);
    }

    /// Adds to what is wanted the units without which the loss of a zone would leave less than is promised.
    pub(crate) fn spread_over_zones(&self, index: usize, projection: Projection) -> Projection {
        match &self.limits {
            Some(limits) => limits.spread(index, &self.components[index], projection),
            None => projection,
        }
    }

    /// What limits kept from a component in this step.
    pub(crate) fn take_limits_report(&mut self, index: usize) -> Option<LimitsReport> {
        self.limits.as_mut()?.components[index].report.take()
    }
}

impl Limits {
    fn new(config: &EngineConfig, states: &[ComponentState]) -> Option<Self> {
        let fleet = &config.fleet;
        let promised = |component: &Component| component.sla.zone_loss.is_some();
        if fleet.quotas.is_empty() && !fleet.components.iter().any(promised) {
            return None;
        }
        let takes = |offer: &Offer| {
            let takes = fleet.quotas.iter().map(|quota| quota.taken_by(offer));
            takes.enumerate().filter(|(_, each)| *each > 0).collect()
        };
        let mut places = Vec::new();
        let mut zone_of = |offer: &Offer| {
            let place = (offer.provider, offer.region.clone(), offer.zone.clone());
            let known = places.iter().position(|known| *known == place);
            known.unwrap_or_else(|| {
                places.push(place);
                places.len() - 1
            }) as u16
        };
        let zone_of: Vec<u16> = config.offers.iter().map(&mut zone_of).collect();
        let own = |(component, state): (&Component, &ComponentState)| {
            let ours = matches!(state.brain, Brain::Ours(_));
            let promise = component.sla.zone_loss.filter(|_| ours);
            let mut zones = vec![0];
            if promise.is_some() {
                let all = state.offers.iter();
                zones = all
                    .map(|choice| zone_of[usize::from(choice.offer.0)])
                    .collect();
                zones.sort_unstable();
                zones.dedup();
            }
            Own {
                zone_loss_ppm: promise.map_or(0, |share| u64::from(share.parts_per_million())),
                zones,
                claim: vec![0; fleet.quotas.len()],
                ..Own::default()
            }
        };
        Some(Self {
            quotas: fleet.quotas.clone(),
            takes: config.offers.iter().map(takes).collect(),
            components: fleet.components.iter().zip(states).map(own).collect(),
            zone_of,
            taken: vec![0; fleet.quotas.len()],
            beyond: vec![0; fleet.quotas.len()],
        })
    }

    fn count(&mut self, states: &[ComponentState]) {
        self.taken.fill(0);
        self.beyond.fill(0);
        for state in states {
            let listed = state
                .cohorts
                .iter()
                .map(|cohort| (cohort.offer, cohort.count));
            for (offer, count) in listed.chain(state.workflow.unlisted()) {
                for (quota, each) in &self.takes[usize::from(offer.0)] {
                    self.taken[*quota] += each * u64::from(count);
                }
            }
        }
    }

    fn spread(
        &self,
        index: usize,
        state: &ComponentState,
        mut projection: Projection,
    ) -> Projection {
        let own = &self.components[index];
        if own.zone_loss_ppm == 0 || projection.paused {
            return projection;
        }
        let bare = projection.wanted.saturating_sub(projection.cover);
        let bare = bare.saturating_sub(projection.kept).get();
        let spare = (bare * own.zone_loss_ppm).div_ceil(1_000_000);
        let mut standing = self.standing(own, &state.offers, &state.cohorts);
        for (offer, count) in state.workflow.unlisted_for_service() {
            let units = units_of(&state.offers, offer) * u64::from(count);
            standing[self.local_zone(own, offer)] += units;
        }
        let largest = (state
            .cohorts
            .iter()
            .filter(|cohort| cohort.state.is_counted()))
        .map(|cohort| state.units_each(cohort))
        .max()
        .unwrap_or(1);
        let wanted = projection.wanted.get();
        let target = zone_target(wanted, spare, &standing, own.zones.len(), largest);
        projection.spread(Units::new(target.saturating_sub(wanted)), Units::new(spare));
        projection
    }

    /// Cuts from a plan what would pass a quota: the last word on every plan, and the only one on those of policies that
    /// scale nodes.
    pub(crate) fn cut(&self, index: usize, plan: &mut Plan) {
        let mut left = self.left_for(index);
        self.cut_to(&mut left, &mut plan.orders);
        self.cut_to(&mut left, &mut plan.standby.orders);
    }

    /// Counts what a plan orders as taken, or what was held back at the gate: it may be approved before the next step.
    pub(crate) fn take(&mut self, index: usize, plan: &Plan, withheld: Option<&Plan>) {
        let all = |plan: &Plan| {
            let orders: Vec<PlannedOrder> = plan.all_orders().copied().collect();
            self.taken_by(&orders)
        };
        let ordered = all(plan);
        for ((quota, taken), ordered) in self.quotas.iter().zip(&self.taken).zip(&ordered) {
            assert!(
                *ordered == 0 || taken + ordered <= quota.limit,
                "an order of {ordered} passes quota `{}`: {taken} of {} are taken",
                quota.name,
                quota.limit
            );
        }
        let held = withheld.map_or_else(|| vec![0; ordered.len()], all);
        let most = ordered.into_iter().zip(held).map(|(a, b)| a.max(b));
        self.taken
            .iter_mut()
            .zip(most)
            .for_each(|(taken, more)| *taken += more);
        self.components[index].claim.fill(0);
    }

    /// What is left of each quota.
    fn left(&self) -> Vec<u64> {
        let left = self.quotas.iter().zip(&self.taken);
        left.map(|(quota, taken)| quota.limit.saturating_sub(*taken))
            .collect()
    }

    /// The same for one component: what others claim for their floors is theirs.
    fn left_for(&self, index: usize) -> Vec<u64> {
        let mut left = self.left();
        for (other, own) in self.components.iter().enumerate() {
            if other != index {
                left.iter_mut()
                    .zip(&own.claim)
                    .for_each(|(left, claim)| *left = left.saturating_sub(*claim));
            }
        }
        left
    }

    fn taken_by(&self, orders: &[PlannedOrder]) -> Vec<u64> {
        let mut taken = vec![0; self.quotas.len()];
        for order in orders {
            for (quota, each) in &self.takes[usize::from(order.offer.0)] {
                taken[*quota] += each * u64::from(order.instances);
            }
        }
        taken
    }

    /// Cuts orders to whole instances that fit, and takes them from what is left.
    fn cut_to(&self, left: &mut [u64], orders: &mut Vec<PlannedOrder>) {
        orders.retain_mut(|order| {
            let takes = &self.takes[usize::from(order.offer.0)];
            let most = takes.iter().map(|(quota, each)| left[*quota] / each).min();
            let each = order.units.get() / u64::from(order.instances.max(1));
            order.instances = most.map_or(order.instances, |most| {
                u64::from(order.instances).min(most) as u32
            });
            order.units = Units::new(each * u64::from(order.instances));
            for (quota, each) in takes {
                left[*quota] -= each * u64::from(order.instances);
            }
            order.instances > 0
        });
    }

    fn takes_of(&self, offers: &[OfferChoice]) -> Vec<Vec<(usize, u64)>> {
        let takes = |choice: &OfferChoice| self.takes[usize::from(choice.offer.0)].clone();
        offers.iter().map(takes).collect()
    }

    /// Units that are there or on their way into service, by zone; last those where the component may no longer rent.
    fn standing(&self, own: &Own, offers: &[OfferChoice], cohorts: &[Cohort]) -> Vec<u64> {
        let mut standing = vec![0; own.zones.len() + 1];
        for cohort in cohorts.iter().filter(|cohort| cohort.state.is_counted()) {
            let units = fleetcast_planner::units_each(offers, cohort) * u64::from(cohort.count);
            standing[self.local_zone(own, cohort.offer)] += units;
        }
        standing
    }

    /// The place of an offer's zone among a component's.
    fn local_zone(&self, own: &Own, offer: OfferIndex) -> usize {
        if own.zone_loss_ppm == 0 {
            return 0;
        }
        let zone = self.zone_of[usize::from(offer.0)];
        own.zones
            .iter()
            .position(|own| *own == zone)
            .unwrap_or(own.zones.len())
    }
}
