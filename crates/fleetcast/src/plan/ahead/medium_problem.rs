//! Fourteen days as a problem of the fleet optimiser: what is wanted by the hour, what may be rented, and what limits it.

use fleetcast_engine::Engine;
use fleetcast_model::{
    Component, ComponentIndex, MicroUsdPerHour, Offer, OfferIndex, PurchaseKind, Units,
};
use fleetcast_planner::fleet_plan::{
    ComponentProblem, FleetProblem, Pool, PoolIndex, Quota, Standing,
};
use jiff::SignedDuration;

/// The problem, period by period, of the components that could be forecast.
pub(super) struct MediumProblem {
    pub(super) problem: FleetProblem,
    /// Zones by the numbers of the pools: provider, region and zone, as an offer names them.
    zones: Vec<(String, Option<String>)>,
}

impl MediumProblem {
    pub(super) fn new(period_seconds: u32, periods: u32) -> Self {
        Self {
            problem: FleetProblem {
                period_seconds,
                periods,
                pools: Vec::new(),
                components: Vec::new(),
                quotas: Vec::new(),
                budget: None,
            },
            zones: Vec::new(),
        }
    }

    /// Adds a component with what it wants in each period; `false` if nothing may be rented for it.
    pub(super) fn add(&mut self, engine: &Engine, index: usize, demand: Vec<Units>) -> bool {
        let config = engine.config();
        let component = &config.fleet.components[index];
        let boot = boot(engine, index);
        let lead = lead_periods(boot, self.problem.period_seconds);
        let mut offers = Vec::new();
        for (offer, place) in config.offers.iter().zip(0..) {
            if rented(component, offer) {
                let pool = self.pool(offer, OfferIndex(place), lead);
                let units = u32::try_from(offer.units_of(&component.unit)).unwrap_or(u32::MAX);
                offers.push((pool, units));
            }
        }
        let unit_price = offers.iter().map(|(pool, units)| {
            let price = self.problem.pools[pool.0 as usize].price;
            price.get() / u64::from((*units).max(1))
        });
        let Some(unit_price) = unit_price.min() else {
            return false;
        };
        let standing = engine.cohorts(index).iter().filter_map(|cohort| {
            let pool = offers
                .iter()
                .map(|(pool, _)| *pool)
                .find(|pool| self.problem.pools[pool.0 as usize].offer == cohort.offer);
            pool.filter(|_| cohort.state.is_counted())
                .map(|pool| Standing {
                    pool,
                    count: cohort.count,
                    serves_from: 0,
                    bound_until: 0,
                })
        });
        // What a start costs beside the hours that it serves: the unit is paid for while it boots and while it drains.
        let wear = (boot + component.timing.drain)
            .as_secs()
            .max(0)
            .unsigned_abs();
        let share = component.sla.zone_loss;
        let per_mille = share.map_or(0, |share| share.parts_per_million().div_ceil(1_000));
        let stated = ComponentProblem {
            component: ComponentIndex(index as u16),
            demand,
            floor: component.floor,
            ceiling: component.ceiling,
            shortage_price: None,
            survives_zone_per_mille: per_mille,
            importance: component.sla.importance,
            stateful: component.stateful,
            lifetime_periods: whole_periods(component.timing.lifetime, self.problem.period_seconds),
            start_price: MicroUsdPerHour::new(unit_price).for_seconds(wear),
            standing: standing.collect(),
            offers,
        };
        self.problem.components.push(stated);
        true
    }

    /// States the fleet's quotas, once all components are there.
    pub(super) fn limit(&mut self, engine: &Engine) {
        let config = engine.config();
        let pools = &self.problem.pools;
        let stated = config.fleet.quotas.iter().map(|quota| {
            let takes = |(pool, k): (&Pool, u32)| {
                let each = quota.taken_by(&config.offers[usize::from(pool.offer.0)]);
                let each = u32::try_from(each).unwrap_or(u32::MAX);
                (each > 0).then_some((PoolIndex(k), each))
            };
            Quota {
                name: quota.name.clone(),
                limit: quota.limit,
                uses: pools.iter().zip(0..).filter_map(takes).collect(),
            }
        });
        self.problem.quotas = stated.collect();
    }

    fn pool(&mut self, offer: &Offer, place: OfferIndex, lead_periods: u32) -> PoolIndex {
        let pools = &mut self.problem.pools;
        let same = |pool: &Pool| pool.offer == place && pool.lead_periods == lead_periods;
        let known = pools.iter().position(same);
        let at = known.unwrap_or_else(|| {
            let zone = (
                format!("{} {}", offer.provider, offer.region),
                offer.zone.as_ref().map(ToString::to_string),
            );
            let number = self.zones.iter().position(|known| *known == zone);
            let number = number.unwrap_or_else(|| {
                self.zones.push(zone);
                self.zones.len() - 1
            });
            pools.push(Pool {
                offer: place,
                zone: number as u16,
                purchase: offer.purchase,
                price: offer.price,
                billing: offer.billing,
                lead_periods,
            });
            pools.len() - 1
        });
        PoolIndex(at as u32)
    }
}

/// Whether an offer is rented by the hour: commitments are a matter of the long horizon, standby of the short one.
fn rented(component: &Component, offer: &Offer) -> bool {
    let by_the_hour = matches!(offer.purchase, PurchaseKind::OnDemand | PurchaseKind::Spot);
    by_the_hour && offer.price.get() > 0 && component.allows(offer)
}

/// How long a component's units take to boot, as it is planned with.
pub(super) fn boot(engine: &Engine, index: usize) -> SignedDuration {
    let config = engine.config();
    let seconds = i64::from(config.boot_steps[index]) * i64::from(config.step_seconds);
    SignedDuration::from_secs(seconds)
}

/// Whole periods of a boot, rounded to the nearest: of what is shorter the order is placed so much earlier.
pub(super) fn lead_periods(boot: SignedDuration, period_seconds: u32) -> u32 {
    let period = i64::from(period_seconds.max(1));
    u32::try_from((boot.as_secs() + period / 2) / period).unwrap_or(0)
}

/// Whole periods of a time, rounded up.
fn whole_periods(time: SignedDuration, period_seconds: u32) -> u32 {
    let seconds = time.as_secs().max(0).unsigned_abs();
    u32::try_from(seconds.div_ceil(u64::from(period_seconds.max(1)))).unwrap_or(u32::MAX)
}
