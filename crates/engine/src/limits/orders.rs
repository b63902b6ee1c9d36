//! One component's orders and releases under what the quotas leave and the zones need.

use fleetcast_model::{
    Cohort, InstanceState, LimitsReport, MicroUsdPerHour, OfferIndex, Plan, PlannedOrder,
    QuotaBound, Units,
};
use fleetcast_planner::{
    LimitedInput, OfferChoice, PlanInput, limited_mix, may_leave, release_spread,
};

use super::{Limits, Own};
use crate::stages::projection::Projection;

impl Limits {
    /// Brings a component's plan under the quotas, and its orders and releases into the zones that keep the promise.
    pub(crate) fn heed(
        &mut self,
        input: &PlanInput,
        domains: Option<&[Option<u16>]>,
        projection: &Projection,
        plan: &mut Plan,
    ) {
        let index = usize::from(input.component.0);
        let own = &self.components[index];
        let spare = projection.spare.get();
        let mut standing = self.standing(own, input.offers, input.cohorts);
        if spare > 0 && !plan.releases.is_empty() {
            match domains {
                None => {
                    let zone_of = |offer| self.local_zone(own, offer);
                    release_spread(input, zone_of, &standing, spare, plan);
                }
                Some(_) => self.keep_what_zones_need(own, input, projection, &standing, plan),
            }
        }
        let have: u64 = standing.iter().sum();
        let too_few = spare > 0 && have < projection.wanted.get();
        let mut report = LimitsReport::default();
        if !plan.orders.is_empty() || too_few && plan.releases.is_empty() {
            self.order(input, domains, projection, &standing, plan, &mut report);
        }
        let own = &self.components[index];
        for order in &plan.orders {
            standing[self.local_zone(own, order.offer)] += order.units.get();
        }
        if plan.releases.is_empty() && spare > 0 {
            let worst = standing.iter().copied().max().unwrap_or(0);
            let left: u64 = standing.iter().sum::<u64>() - worst;
            report.zone_short = Units::new(spare.saturating_sub(left));
        }
        for bound in &report.quotas {
            let named = self
                .quotas
                .iter()
                .position(|quota| quota.name == bound.name);
            if let Some(quota) = named {
                self.beyond[quota] = bound.enough - bound.limit;
            }
        }
        let own = &mut self.components[index];
        if own.report.is_none() && report != LimitsReport::default() {
            own.report = Some(report);
        }
    }

    /// Replaces a plan's firm orders by the cheapest that fit; what is hedged as spot stays, as far as it fits.
    fn order(
        &self,
        input: &PlanInput,
        domains: Option<&[Option<u16>]>,
        projection: &Projection,
        standing: &[u64],
        plan: &mut Plan,
        report: &mut LimitsReport,
    ) {
        let index = usize::from(input.component.0);
        let own = &self.components[index];
        let left = self.left_for(index);
        let spare = projection.spare.get();
        let asked = self.taken_by(&plan.orders);
        let fits = asked.iter().zip(&left).all(|(asked, left)| asked <= left);
        if fits && spare == 0 {
            return;
        }
        let is_firm = |place: usize| domains.is_none_or(|domains| domains[place].is_none());
        let place_of = |offer: OfferIndex| {
            let mut offers = input.offers.iter();
            offers.position(|choice| choice.offer == offer)
        };
        let (firm, spot): (Vec<PlannedOrder>, Vec<PlannedOrder>) = plan
            .orders
            .iter()
            .copied()
            .partition(|order| place_of(order.offer).is_none_or(is_firm));
        let units =
            |orders: &[PlannedOrder]| -> u64 { orders.iter().map(|order| order.units.get()).sum() };
        let have: u64 = standing.iter().sum();
        let bare = projection.wanted.saturating_sub(projection.zone).get();
        // Without quotas first, then with them: the difference is what they bring.
        let solve = |room: &[u64]| {
            let mut room = room.to_vec();
            let mut kept = spot.clone();
            self.cut_to(&mut room, &mut kept);
            let wanted = match domains {
                None => bare.max(input.floor.get()),
                // On the way to another composition there are more than wanted for a while.
                Some(_) => {
                    let asked = have + units(&spot) + units(&firm);
                    bare.min(asked).max(have + units(&kept) + units(&firm))
                }
            };
            let mut there = standing.to_vec();
            for order in &kept {
                there[self.local_zone(own, order.offer)] += order.units.get();
            }
            let places: Vec<usize> = (0..input.offers.len())
                .filter(|place| is_firm(*place))
                .collect();
            let chosen = self.firm_orders(input, own, &places, &there, (wanted, spare), &room);
            kept.extend(chosen);
            kept
        };
        let free = if spare == 0 {
            plan.orders.clone()
        } else {
            solve(&vec![u64::MAX; left.len()])
        };
        let asked = self.taken_by(&free);
        let fits = asked.iter().zip(&left).all(|(asked, left)| asked <= left);
        if fits {
            plan.orders = free;
            return;
        }
        plan.orders = solve(&left);
        let got = self.taken_by(&plan.orders);
        let bound = (0..self.quotas.len()).filter(|quota| asked[*quota] > left[*quota]);
        report.quotas = bound
            .map(|quota| QuotaBound {
                name: self.quotas[quota].name.clone(),
                limit: self.quotas[quota].limit,
                taken: self.taken[quota] + got[quota],
                enough: self.quotas[quota].limit + self.beyond[quota] + asked[quota] - left[quota],
            })
            .collect();
        let wanted = projection.wanted.min(projection.ceiling).get();
        report.missing = Units::new(wanted.saturating_sub(have + units(&plan.orders)));
        let (cheap, dear) = (price_of(&free), price_of(&plan.orders));
        report.lift = cheap.saturating_sub(dear);
        report.dearer = dear.saturating_sub(cheap);
    }

    /// The cheapest orders of these offers that bring what stands to what is wanted; at least the floor's, if they can.
    fn firm_orders(
        &self,
        input: &PlanInput,
        own: &Own,
        places: &[usize],
        standing: &[u64],
        (wanted, spare): (u64, u64),
        left: &[u64],
    ) -> Vec<PlannedOrder> {
        let offers: Vec<OfferChoice> = places.iter().map(|place| input.offers[*place]).collect();
        let takes = self.takes_of(&offers);
        let zone_of: Vec<usize> =
            (offers.iter().map(|offer| self.local_zone(own, offer.offer))).collect();
        let problem = LimitedInput {
            offers: &offers,
            zone_of: &zone_of,
            zones: own.zones.len(),
            standing,
            wanted,
            spare,
            ceiling: input.ceiling.get(),
            takes: &takes,
            left,
        };
        let mut mix = limited_mix(&problem);
        let have: u64 = standing.iter().sum();
        let floor = input.floor.min(input.ceiling).get();
        if have + mix.units < floor && !own.floor_mix.is_empty() {
            // What was claimed for the floor, and then as much more as fits beside it.
            let (mut there, mut room) = (standing.to_vec(), left.to_vec());
            let mut counts = vec![0; offers.len()];
            for (place, count) in &own.floor_mix {
                let Some(at) = places.iter().position(|own| own == place) else {
                    continue;
                };
                let most = takes[at]
                    .iter()
                    .map(|(quota, each)| room[*quota] / each.max(&1))
                    .min();
                let count = most.map_or(*count, |most| most.min(*count));
                takes[at]
                    .iter()
                    .for_each(|(quota, each)| room[*quota] -= each * count);
                there[zone_of[at]] += count * u64::from(offers[at].units_each);
                counts[at] += count;
            }
            let rest = limited_mix(&LimitedInput {
                standing: &there,
                left: &room,
                ..problem
            });
            let units = there.iter().sum::<u64>() + rest.units - have;
            if units > mix.units {
                rest.instances
                    .iter()
                    .for_each(|(at, count)| counts[*at] += count);
                mix.instances = counts
                    .into_iter()
                    .enumerate()
                    .filter(|(_, count)| *count > 0)
                    .collect();
            }
        }
        let orders = mix.instances.iter();
        orders
            .map(|(at, instances)| offers[*at].order(*instances, input.ready_by))
            .collect()
    }

    /// Brings a plan's orders for standby under what its other orders leave of the quotas.
    pub(crate) fn heed_standby(
        &self,
        input: &PlanInput,
        may_stand_by: impl Fn(OfferIndex) -> bool,
        plan: &mut Plan,
    ) {
        let index = usize::from(input.component.0);
        let asked = plan.standby.ordered().get();
        let mut left = self.left_for(index);
        let serving = self.taken_by(&plan.orders);
        left.iter_mut()
            .zip(serving)
            .for_each(|(left, taken)| *left = left.saturating_sub(taken));
        let standby = self.taken_by(&plan.standby.orders);
        if asked == 0 || standby.iter().zip(&left).all(|(asked, left)| asked <= left) {
            return;
        }
        let places: Vec<usize> = (0..input.offers.len())
            .filter(|place| may_stand_by(input.offers[*place].offer))
            .collect();
        let capped = PlanInput {
            floor: Units::ZERO,
            ceiling: Units::new(asked),
            ..input.clone()
        };
        let anywhere = Own {
            zones: vec![0],
            ..Own::default()
        };
        plan.standby.orders =
            self.firm_orders(&capped, &anywhere, &places, &[0], (asked, 0), &left);
    }

    /// Shortens a plan's releases so that as many units stay as are wanted and the loss of a zone leaves what is promised.
    fn keep_what_zones_need(
        &self,
        own: &Own,
        input: &PlanInput,
        projection: &Projection,
        standing: &[u64],
        plan: &mut Plan,
    ) {
        let mut standing = standing.to_vec();
        let (spare, wanted) = (projection.spare.get(), projection.wanted.get());
        let (mut cancelled, mut drained) = (0, 0);
        plan.releases.retain_mut(|range| {
            let of = |cohort: &&Cohort| cohort.has(range);
            let Some(cohort) = input.cohorts.iter().find(of) else {
                return false;
            };
            let (each, zone) = (
                input.units_each(cohort).max(1),
                self.local_zone(own, cohort.offer),
            );
            let have: u64 = standing.iter().sum();
            let may_go = may_leave(&standing, zone, spare);
            let most = have.saturating_sub(wanted).min(may_go) / each;
            let count = u64::from(range.count).min(most) as u32;
            range.first += range.count - count;
            range.count = count;
            let units = each * u64::from(count);
            standing[zone] -= units;
            if cohort.state == InstanceState::InService {
                drained += units;
            } else {
                cancelled += units;
            }
            count > 0
        });
        (plan.cancelled, plan.drained) = (Units::new(cancelled), Units::new(drained));
    }
}

fn price_of(orders: &[PlannedOrder]) -> MicroUsdPerHour {
    let price = |order: &PlannedOrder| order.price * u64::from(order.instances);
    orders.iter().map(price).sum()
}
