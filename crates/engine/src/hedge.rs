//! What the engine knows of a component's spot pools, and the composition that follows from it.

use fleetcast_model::{
    Cohort, Component, InstanceRange, Offer, OfferIndex, PlannedOrder, ProviderKind, PurchaseKind,
    Region, Token, Zone,
};
use fleetcast_planner::OfferChoice;
use fleetcast_planner::spot::{
    Composition, HedgePool, HedgeProblem, LossTerms, Part, PoolBook, PoolSettings, compose,
    standby_for_losses,
};
use jiff::{SignedDuration, Timestamp};

/// Where no availability is promised, lost spot may leave a component short for so much of the time.
const SHORT_SHARE: f64 = 0.01;
/// After a pool that was counted on has failed, what is missing is bought on demand for so long.
const FALL_BACK: SignedDuration = SignedDuration::from_mins(15);
/// Other pools are chosen where they save more than this.
const SAVING_PERCENT: u64 = 3;

/// The spot pools of one component.
#[derive(Clone, Debug)]
pub(crate) struct Hedge {
    book: PoolBook,
    /// Of each of the component's offers, in their order: the domain that fails together; `None`: firm.
    domains: Vec<Option<u16>>,
    short_share_max: f64,
    replace_hours: f64,
    /// Spot instances of the last listing that were not on their way out, less what was given back since.
    alive: Vec<Alive>,
    listed: Option<Timestamp>,
    /// The last composition, and of what problem.
    composed: Option<(Key, Composition)>,
}

/// Instances of one order that were alive.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Alive {
    token: Token,
    offer: OfferIndex,
    count: u32,
}

/// What a composition depends on: units wanted, floor, ceiling, and the pools.
type Key = (u64, u64, u64, Vec<HedgePool>);

impl Hedge {
    /// Prepares the hedge of a component; `None` if it may buy no spot, or nothing firm to fall back on.
    pub(crate) fn new(
        component: &Component,
        all: &[Offer],
        offers: &[OfferChoice],
        lead: SignedDuration,
    ) -> Option<Self> {
        let offer = |choice: &OfferChoice| &all[usize::from(choice.offer.0)];
        let mut places: Vec<Place> = Vec::new();
        let mut domain = |choice: &OfferChoice| {
            let offer = offer(choice);
            (offer.purchase == PurchaseKind::Spot).then(|| {
                let place = Place::of(offer);
                let known = places.iter().position(|known| *known == place);
                known.unwrap_or_else(|| {
                    places.push(place);
                    places.len() - 1
                }) as u16
            })
        };
        let domains: Vec<Option<u16>> = offers.iter().map(&mut domain).collect();
        let firm = domains.iter().any(Option::is_none);
        let spot = domains.iter().any(Option::is_some);
        let notice = offers
            .iter()
            .map(&offer)
            .filter(|offer| offer.purchase == PurchaseKind::Spot)
            .map(|offer| offer.provider.spot_notice())
            .min()
            .unwrap_or_default();
        let promised = component.sla.availability.map(|share| 1.0 - share.get());
        (firm && spot).then(|| Self {
            book: PoolBook::new(offers.len(), PoolSettings::default()),
            domains,
            short_share_max: promised.unwrap_or(SHORT_SHARE),
            // Replaced from the notice on, so that only what a boot takes longer is short.
            replace_hours: (lead - notice).as_secs_f64().max(0.0) / 3_600.0,
            alive: Vec::new(),
            listed: None,
            composed: None,
        })
    }

    /// The domain of each of the component's offers.
    pub(crate) fn domains(&self) -> &[Option<u16>] {
        &self.domains
    }

    /// Whether what is missing is to be bought on demand.
    pub(crate) fn is_falling_back(&self, now: Timestamp) -> bool {
        self.book.failed_within(FALL_BACK, now)
    }

    /// Learns from a complete listing which pools gave, and which were lost.
    pub(crate) fn listing(&mut self, offers: &[OfferChoice], cohorts: &[Cohort], as_of: Timestamp) {
        let time = self
            .listed
            .replace(as_of)
            .map_or(SignedDuration::ZERO, |before| {
                as_of.duration_since(before).max(SignedDuration::ZERO)
            });
        let mut now_alive: Vec<Alive> = Vec::new();
        for cohort in cohorts {
            if cohort.state.is_leaving() || self.pool_of(offers, cohort.offer).is_none() {
                continue;
            }
            match now_alive
                .iter_mut()
                .find(|known| known.token == cohort.token)
            {
                Some(known) => known.count += cohort.count,
                None => now_alive.push(Alive {
                    token: cohort.token,
                    offer: cohort.offer,
                    count: cohort.count,
                }),
            }
        }
        let before = std::mem::replace(&mut self.alive, now_alive);
        for (pool, choice) in offers.iter().enumerate() {
            if self.domains[pool].is_none() {
                continue;
            }
            let own = |alive: &&Alive| alive.offer == choice.offer;
            let count = |token: Token, list: &[Alive]| {
                let found = list.iter().find(|alive| alive.token == token);
                found.map_or(0, |alive| alive.count)
            };
            if before.iter().any(|alive| own(&alive)) {
                self.book.ran(pool, time);
            }
            let lost = before
                .iter()
                .filter(own)
                .any(|alive| count(alive.token, &self.alive) < alive.count);
            // What a listing shows for the first time was granted: the pool gives.
            let gave = self
                .alive
                .iter()
                .filter(own)
                .any(|alive| count(alive.token, &before) == 0);
            if lost {
                self.book.lost(pool, as_of);
            } else if gave {
                self.book.gave(pool);
            }
        }
    }

    /// A provider refused an order of an offer.
    pub(crate) fn refused(&mut self, offers: &[OfferChoice], offer: OfferIndex, now: Timestamp) {
        if let Some(pool) = self.pool_of(offers, offer) {
            self.book.refused(pool, now);
        }
    }

    /// What we give back ourselves is not lost.
    pub(crate) fn released(&mut self, ranges: &[InstanceRange]) {
        for range in ranges {
            let own = self
                .alive
                .iter_mut()
                .find(|alive| alive.token == range.token);
            if let Some(alive) = own {
                alive.count = alive.count.saturating_sub(range.count);
            }
        }
    }

    /// The cheapest composition for so many units that keeps its promises.
    pub(crate) fn compose(
        &mut self,
        offers: &[OfferChoice],
        wanted: u64,
        floor: u64,
        ceiling: u64,
    ) -> Composition {
        let pools = offers.iter().zip(&self.domains).enumerate();
        let pools: Vec<HedgePool> = pools
            .map(|(pool, (choice, domain))| HedgePool {
                offer: choice.offer,
                units_each: choice.units_each,
                price: choice.price,
                domain: *domain,
                open: self.book.is_open(pool),
                loss_per_hour: two_digits(self.book.loss_per_hour(pool)),
            })
            .collect();
        let key = (wanted, floor, ceiling, pools);
        if let Some((known, composition)) = &self.composed
            && *known == key
        {
            return composition.clone();
        }
        let mut composition = compose(&self.problem(&key));
        if let Some((_, before)) = &self.composed
            && let Some(kept) = self.with_the_pools_of(before, &key, &composition)
        {
            composition = kept;
        }
        self.composed = Some((key, composition.clone()));
        composition
    }

    /// The cheapest composition of the pools that the one before was made of, if another has pools that it had not and saves
    /// too little by them: prices that cross and cross again would make the fleet follow them to and fro.
    fn with_the_pools_of(
        &self,
        before: &Composition,
        (wanted, floor, ceiling, pools): &Key,
        found: &Composition,
    ) -> Option<Composition> {
        let had = |offer: OfferIndex| before.parts.iter().any(|part| part.offer == offer);
        let new = |part: &Part| part.domain.is_some() && !had(part.offer);
        if !found.parts.iter().any(new) {
            return None;
        }
        let known = |pool: &&HedgePool| pool.domain.is_none() || had(pool.offer);
        let pools: Vec<HedgePool> = pools.iter().filter(known).copied().collect();
        let key = (*wanted, *floor, *ceiling, pools);
        let kept = compose(&self.problem(&key));
        let with_saving = u128::from(found.price.get()) * (100 + u128::from(SAVING_PERCENT));
        (u128::from(kept.price.get()) * 100 <= with_saving).then_some(kept)
    }

    /// Units that pay for themselves in standby for what the last composition may lose at once.
    pub(crate) fn standby_for_losses(&self, terms: &LossTerms) -> u64 {
        self.composed.as_ref().map_or(0, |(key, composition)| {
            standby_for_losses(&self.problem(key), composition, terms)
        })
    }

    /// Whether what is rented so is never taken back.
    pub(crate) fn is_firm(&self, offers: &[OfferChoice], offer: OfferIndex) -> bool {
        self.pool_of(offers, offer).is_none()
    }

    fn problem<'a>(&self, (wanted, floor, ceiling, pools): &'a Key) -> HedgeProblem<'a> {
        HedgeProblem {
            wanted: *wanted,
            floor: *floor,
            ceiling: *ceiling,
            replace_hours: self.replace_hours,
            short_share_max: self.short_share_max,
            pools,
        }
    }

    /// Shut pools that may be asked again now.
    pub(crate) fn probes(&self, offers: &[OfferChoice], now: Timestamp) -> Vec<OfferIndex> {
        let due = |pool: &usize| self.domains[*pool].is_some() && self.book.may_probe(*pool, now);
        (0..offers.len())
            .filter(due)
            .take(self.book.probes_left(now))
            .map(|pool| offers[pool].offer)
            .collect()
    }

    /// Remembers which shut pools are asked by what is ordered now.
    pub(crate) fn ordered(
        &mut self,
        offers: &[OfferChoice],
        orders: &[PlannedOrder],
        now: Timestamp,
    ) {
        for order in orders {
            let pool = self.pool_of(offers, order.offer);
            if let Some(pool) = pool.filter(|pool| self.book.may_probe(*pool, now)) {
                self.book.probed(pool, now);
            }
        }
    }

    fn pool_of(&self, offers: &[OfferChoice], offer: OfferIndex) -> Option<usize> {
        let pool = offers.iter().position(|choice| choice.offer == offer)?;
        self.domains.get(pool).copied().flatten().map(|_| pool)
    }
}

/// What spot fails together with: a zone, or a region where no zone is stated.
#[derive(Clone, Debug, PartialEq)]
struct Place(ProviderKind, Region, Option<Zone>);

impl Place {
    fn of(offer: &Offer) -> Self {
        Self(offer.provider, offer.region.clone(), offer.zone.clone())
    }
}

/// Rounds to two digits, so that a rate that hardly moves does not ask for a new composition at each step.
fn two_digits(rate: f64) -> f64 {
    if rate <= 0.0 {
        return 0.0;
    }
    let scale = libm::exp10(1.0 - libm::floor(libm::log10(rate)));
    libm::round(rate * scale) / scale
}
