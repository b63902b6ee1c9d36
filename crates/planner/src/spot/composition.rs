//! What a component should be made of: how much firm capacity, how much spot, and where.

use std::cmp::Ordering;

use fleetcast_model::{MicroUsdPerHour, OfferIndex};

/// Firm capacity is tried in steps of this part of what is wanted.
const FIRM_STEPS: u64 = 8;
/// Cover against the loss of a domain is tried in steps of this part of a domain's share.
const COVER_STEPS: u64 = 4;
/// More domains than these are not spread over: the cover that one more saves is under a percent.
const DOMAINS_MAX: usize = 12;
/// Probability that, when one domain is lost, another goes before the first is replaced, beside what its own rate
/// of losses says. Zones of a region share reclaims: correlation of availability .14 between regions, .43 within
/// one (public spot traces), over runs of hours; within minutes it is far less.
const LOST_TOGETHER: f64 = 0.03;

/// An offer that may be bought, as the hedge sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgePool {
    /// Which offer.
    pub offer: OfferIndex,
    /// Units that one instance provides; not zero.
    pub units_each: u32,
    /// Price of one instance.
    pub price: MicroUsdPerHour,
    /// For spot: pools of one domain are taken back together. Firm capacity has none.
    pub domain: Option<u16>,
    /// Whether new instances can be had; firm capacity always can.
    pub open: bool,
    /// Losses of the pool in an hour.
    pub loss_per_hour: f64,
}

impl HedgePool {
    /// Compares what a unit costs.
    fn cmp_price(&self, other: &Self) -> Ordering {
        let priced = |pool: &Self| (pool.price, u64::from(pool.units_each));
        MicroUsdPerHour::cmp_by_unit(priced(self), priced(other))
    }
}

/// What is to be composed.
#[derive(Clone, Debug, PartialEq)]
pub struct HedgeProblem<'a> {
    /// Units wanted.
    pub wanted: u64,
    /// Units that the loss of any two whole domains must leave.
    pub floor: u64,
    /// Units never exceeded.
    pub ceiling: u64,
    /// Hours from the end of what was lost until it is replaced.
    pub replace_hours: f64,
    /// Share of the time in which lost spot may leave less than is wanted.
    pub short_share_max: f64,
    /// What may be bought; at least one firm pool.
    pub pools: &'a [HedgePool],
}

/// Units to have of one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The offer.
    pub offer: OfferIndex,
    /// Whole instances.
    pub instances: u64,
    /// The units that they provide.
    pub units: u64,
    /// The domain that it can be lost with; `None`: firm.
    pub domain: Option<u16>,
}

/// What a component should be made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Composition {
    /// The parts: firm capacity first, then spot by domain.
    pub parts: Vec<Part>,
    /// Units beyond what is wanted that cover the loss of a domain; whole instances may add some.
    pub cover: u64,
    /// Price of all of it.
    pub price: MicroUsdPerHour,
    /// Share of the time in which lost spot is expected to leave less than is wanted.
    pub short_share: f64,
}

impl Composition {
    /// Units of all parts.
    pub fn units(&self) -> u64 {
        self.parts.iter().map(|part| part.units).sum()
    }

    /// Units of the domain that holds the most.
    pub fn largest_domain(&self) -> u64 {
        self.domains().first().copied().unwrap_or(0)
    }

    /// Units of the two domains that hold the most: a reclaim of the region takes several zones.
    pub fn largest_two_domains(&self) -> u64 {
        self.domains().iter().take(2).sum()
    }

    /// Units of each domain, the largest first.
    fn domains(&self) -> Vec<u64> {
        let spot = self.parts.iter().filter(|part| part.domain.is_some());
        let mut units: Vec<u64> = spot.map(|part| part.units).collect();
        units.sort_unstable_by(|a, b| b.cmp(a));
        units
    }
}

/// Finds the cheapest composition that keeps the promises; all firm where spot keeps none of them.
///
/// Tries every number of domains, cheapest first, with firm capacity in eighths of what is wanted and cover
/// in quarters of a domain's share: some hundred candidates, whatever the size of the fleet.
///
/// # Panics
///
/// If there is no firm pool.
pub fn compose(problem: &HedgeProblem) -> Composition {
    let firm = cheapest(problem.pools.iter().filter(|pool| pool.domain.is_none()))
        .expect("a composition needs a firm pool to fall back on");
    let domains = open_domains(problem, &firm);
    let all_firm = candidate(problem, &firm, &[], problem.wanted, 0);
    let mut best = all_firm;
    for count in 1..=domains.len() {
        let used = &domains[..count];
        for eighths in 0..FIRM_STEPS {
            let base = (problem.wanted * eighths).div_ceil(FIRM_STEPS);
            let spot = problem.wanted - base;
            if spot == 0 {
                continue;
            }
            for quarters in 0..=COVER_STEPS {
                let many = count as u64;
                // With `many` domains and a full cover each holds spot ÷ (many − 1): any one may go.
                let cover = if many > 1 {
                    (spot * quarters).div_ceil(COVER_STEPS * (many - 1))
                } else {
                    0
                };
                let tried = candidate(problem, &firm, used, base, cover);
                if keeps_promises(problem, &tried) && tried.price < best.price {
                    best = tried;
                }
            }
        }
    }
    best
}

fn keeps_promises(problem: &HedgeProblem, tried: &Composition) -> bool {
    let left = tried.units() - tried.largest_two_domains();
    tried.units() <= problem.ceiling.max(problem.wanted)
        && left >= problem.floor.min(problem.wanted)
        && tried.short_share <= problem.short_share_max
}

/// The open domains, each with its cheapest pool, the cheapest domain first; those that cost less than firm
/// capacity only.
fn open_domains(problem: &HedgeProblem, firm: &HedgePool) -> Vec<HedgePool> {
    let mut domains: Vec<HedgePool> = Vec::new();
    let spot = problem.pools.iter().filter(|pool| {
        pool.domain.is_some() && pool.open && pool.units_each > 0 && dearer(firm, pool)
    });
    for pool in spot {
        match domains.iter_mut().find(|known| known.domain == pool.domain) {
            Some(known) if dearer(known, pool) => *known = *pool,
            Some(_) => {}
            None => domains.push(*pool),
        }
    }
    domains.sort_by(|a, b| {
        a.cmp_price(b)
            .then(a.loss_per_hour.total_cmp(&b.loss_per_hour))
            .then(a.offer.cmp(&b.offer))
    });
    domains.truncate(DOMAINS_MAX);
    domains
}

/// Whether a unit of `a` costs more than one of `b`.
fn dearer(a: &HedgePool, b: &HedgePool) -> bool {
    a.cmp_price(b).is_gt()
}

fn cheapest<'a>(pools: impl Iterator<Item = &'a HedgePool>) -> Option<HedgePool> {
    let usable = pools.filter(|pool| pool.units_each > 0);
    usable
        .copied()
        .reduce(|best, pool| if dearer(&best, &pool) { pool } else { best })
}

/// `base` units firm, the rest of what is wanted and `cover` units spread evenly over the domains.
fn candidate(
    problem: &HedgeProblem,
    firm: &HedgePool,
    domains: &[HedgePool],
    base: u64,
    cover: u64,
) -> Composition {
    let base = if domains.is_empty() {
        problem.wanted
    } else {
        base
    };
    let mut composition = Composition {
        cover,
        ..Composition::default()
    };
    let mut add = |pool: &HedgePool, units: u64| {
        let instances = units.div_ceil(u64::from(pool.units_each));
        if instances > 0 {
            composition.price += pool.price * instances;
            composition.parts.push(Part {
                offer: pool.offer,
                instances,
                units: instances * u64::from(pool.units_each),
                domain: pool.domain,
            });
        }
    };
    add(firm, base);
    let mut left = problem.wanted - base + cover;
    for (i, pool) in domains.iter().enumerate() {
        // What whole instances of the domains before provide beyond their share, the others need not.
        let share = left.div_ceil((domains.len() - i) as u64);
        add(pool, share);
        left = left.saturating_sub(share.next_multiple_of(u64::from(pool.units_each)));
    }
    let lost = domains_lost(problem, &composition);
    composition.short_share = short_share(&lost, composition.units(), problem.wanted);
    composition
}

/// Of each domain that a composition has something of: its units, and the share of the time in which they are lost and
/// not replaced.
pub(super) fn domains_lost(problem: &HedgeProblem, composition: &Composition) -> Vec<(u64, f64)> {
    let parts = composition.parts.iter();
    let spot = parts.filter(|part| part.domain.is_some());
    let lost = spot.map(|part| {
        let pool = problem.pools.iter().find(|pool| pool.offer == part.offer);
        let rate = pool.map_or(0.0, |pool| pool.loss_per_hour);
        (part.units, rate * problem.replace_hours)
    });
    lost.collect()
}

/// Share of the time in which fewer than `wanted` of `total` units serve, because one domain was lost, or two before the
/// first was replaced.
pub(super) fn short_share(lost: &[(u64, f64)], total: u64, wanted: u64) -> f64 {
    let mut short = 0.0;
    for (i, (units, time)) in lost.iter().enumerate() {
        if total - units < wanted {
            short += time;
            continue;
        }
        let others = lost.iter().enumerate().filter(|(j, _)| *j != i);
        let both: f64 = others
            .filter(|(_, (more, _))| (total - units).saturating_sub(*more) < wanted)
            .map(|(_, (_, other))| LOST_TOGETHER + other)
            .sum();
        short += time * both.min(1.0);
    }
    short.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn firm(price: u64) -> HedgePool {
        HedgePool {
            offer: OfferIndex(0),
            units_each: 1,
            price: MicroUsdPerHour::new(price),
            domain: None,
            open: true,
            loss_per_hour: 0.0,
        }
    }

    fn spot(offer: u16, domain: u16, price: u64) -> HedgePool {
        HedgePool {
            offer: OfferIndex(offer),
            price: MicroUsdPerHour::new(price),
            domain: Some(domain),
            loss_per_hour: 0.1,
            ..firm(price)
        }
    }

    fn problem(wanted: u64, pools: &[HedgePool]) -> HedgeProblem<'_> {
        HedgeProblem {
            wanted,
            floor: 2,
            ceiling: 1_000_000,
            replace_hours: 0.1,
            short_share_max: 0.01,
            pools,
        }
    }

    #[test]
    fn spreads_over_domains_with_enough_extra_that_any_one_may_go() {
        let pools = [firm(100), spot(1, 0, 30), spot(2, 1, 31), spot(3, 2, 32)];
        let strict = HedgeProblem {
            short_share_max: 0.005,
            ..problem(60, &pools)
        };
        let composed = compose(&strict);
        assert!(
            composed.units() - composed.largest_domain() >= 60,
            "{composed:?}"
        );
        assert!(
            composed.price.get() < 60 * 60,
            "forty per cent cheaper: {composed:?}"
        );
    }

    #[test]
    fn the_floor_is_never_left_to_one_domain() {
        let pools = [firm(100), spot(1, 0, 30)];
        let composed = compose(&HedgeProblem {
            floor: 10,
            short_share_max: 1.0,
            ..problem(60, &pools)
        });
        assert!(
            composed.units() - composed.largest_domain() >= 10,
            "{composed:?}"
        );
    }

    #[test]
    fn buys_firm_capacity_where_spot_is_no_cheaper_or_shut() {
        let shut = HedgePool {
            open: false,
            ..spot(2, 1, 10)
        };
        let pools = [firm(100), spot(1, 0, 100), shut];
        let composed = compose(&problem(60, &pools));
        assert_eq!(composed.parts.len(), 1);
        assert_eq!(
            (composed.parts[0].offer, composed.parts[0].units),
            (OfferIndex(0), 60)
        );
    }

    #[test]
    fn a_domain_that_is_often_lost_needs_cover_that_a_quiet_one_does_not() {
        let quiet = |offer, domain| HedgePool {
            loss_per_hour: 0.001,
            ..spot(offer, domain, 30)
        };
        let calm = [firm(100), quiet(1, 0), quiet(2, 1), quiet(3, 2)];
        let rough = [firm(100), spot(1, 0, 30), spot(2, 1, 30), spot(3, 2, 30)];
        assert!(compose(&problem(60, &calm)).cover < compose(&problem(60, &rough)).cover);
    }

    proptest! {
        #[test]
        fn promises_are_kept_and_it_is_never_dearer_than_firm(
            wanted in 1_u64..500,
            floor in 0_u64..100,
            pools in proptest::collection::vec((0_u16..5, 1_u32..9, 1_u64..150, 0.0_f64..1.0, any::<bool>()), 0..9),
        ) {
            let mut all = vec![firm(100)];
            all.extend(pools.iter().enumerate().map(|(i, (domain, each, price, loss, open))| HedgePool {
                units_each: *each,
                price: MicroUsdPerHour::new(price * u64::from(*each)),
                open: *open,
                loss_per_hour: *loss,
                ..spot(i as u16 + 1, *domain, 1)
            }));
            let problem = HedgeProblem { floor, ..problem(wanted, &all) };
            let composed = compose(&problem);
            prop_assert!(composed.units() >= wanted);
            prop_assert!(composed.units() - composed.largest_two_domains() >= floor.min(wanted));
            prop_assert!(composed.price.get() <= wanted * 100);
            prop_assert!(composed.short_share <= problem.short_share_max);
            prop_assert_eq!(&compose(&problem), &composed);
        }
    }
}
