//! The stated problem: what is needed, what may be rented, and what limits it.

use fleetcast_model::{
    Billing, ComponentIndex, MicroUsd, MicroUsdPerHour, OfferIndex, PurchaseKind, Units,
};
use serde::{Deserialize, Serialize};

/// A fleet's buying problem over a receding horizon. All limits hold in each period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetProblem {
    /// Length of a period.
    pub period_seconds: u32,
    /// Periods of the horizon; the first one begins now.
    pub periods: u32,
    /// What may be rented; components, quotas and plans name them by place.
    pub pools: Vec<Pool>,
    /// The components, in any order.
    pub components: Vec<ComponentProblem>,
    /// Limits that pools and components share.
    pub quotas: Vec<Quota>,
    /// All bills that the plan begins or goes on with, together; `None`: no limit.
    pub budget: Option<MicroUsd>,
}

/// One offer in one zone, bought in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The catalogue's offer.
    pub offer: OfferIndex,
    /// What fails as one: the zone, by a number of the caller's choice.
    pub zone: u16,
    /// How it is bought. Says nothing to the optimiser, but its caller reads it back from a plan.
    pub purchase: PurchaseKind,
    /// Price of one instance, from its order on.
    pub price: MicroUsdPerHour,
    /// How it is billed.
    pub billing: Billing,
    /// Periods from the order to service.
    pub lead_periods: u32,
}

/// A limit that several pools share, for all components together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// What people call it.
    pub name: String,
    /// At most so much of it at once: instances, vCPU, or whatever [`Self::uses`] counts.
    pub limit: u64,
    /// How much one instance of a pool takes; other pools take none.
    pub uses: Vec<(PoolIndex, u32)>,
}

/// A pool's place in [`FleetProblem::pools`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolIndex(pub u32);

/// What one component needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentProblem {
    /// The component.
    pub component: ComponentIndex,
    /// Units that demand takes in each period: a calibrated quantile, rounded up once.
    pub demand: Vec<Units>,
    /// Never fewer units, whatever demand and prices say.
    pub floor: Units,
    /// Never more units, those on their way counted. What stands already may be over it.
    pub ceiling: Units,
    /// What one missing unit costs in one period; `None`: demand is covered whatever it costs, as long as
    /// limits allow.
    pub shortage_price: Option<MicroUsd>,
    /// The share of the demand, in thousandths, that has to be there after the loss of any one zone.
    pub survives_zone_per_mille: u32,
    /// 1 (gives way first) to 10 (last) where money or quota does not suffice.
    pub importance: u8,
    /// Starts, never stops.
    pub stateful: bool,
    /// Started instances run for so many periods at least.
    pub lifetime_periods: u32,
    /// What starting costs beside the bill, for each unit: the wear that keeps a plan from flapping.
    pub start_price: MicroUsd,
    /// The pools that it may use, with the units that one instance provides; each pool at most once.
    pub offers: Vec<(PoolIndex, u32)>,
    /// What is there.
    pub standing: Vec<Standing>,
}

/// Instances that are there already, all alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where; one of the need's offers.
    pub pool: PoolIndex,
    /// How many.
    pub count: u32,
    /// They serve from this period on: 0 if they serve now.
    pub serves_from: u32,
    /// They are paid for, or have to run, until this period begins: 0 if they may go now.
    pub bound_until: u32,
}

/// A problem that cannot be worked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemError {
    /// Periods of no length, or none of them, or too many.
    #[error(
        "{periods} periods of {period_seconds} s are no horizon: state 1 to {} of at least a second",
        FleetProblem::PERIODS_MAX
    )]
    Horizon {
        /// How many.
        periods: u32,
        /// How long.
        period_seconds: u32,
    },
    /// A demand for each period is missing.
    #[error("component {component} states its demand for {stated} of {periods} periods")]
    Demand {
        /// Which component.
        component: u16,
        /// Periods it states.
        stated: usize,
        /// Periods of the horizon.
        periods: u32,
    },
    /// A pool that is not there.
    #[error("{what} names pool {pool}, and there are {pools}")]
    NoPool {
        /// Who names it.
        what: String,
        /// Which one.
        pool: u32,
        /// How many there are.
        pools: usize,
    },
    /// An offer of no units, or stated twice, or not stated though instances of it stand.
    #[error("component {component}: pool {pool} {what}")]
    Offer {
        /// Which component.
        component: u16,
        /// Which pool.
        pool: u32,
        /// What is wrong, in words.
        what: &'static str,
    },
    /// A price of nothing: the optimiser would rent without end.
    #[error("pool {pool} has no price: state what it costs, or leave it out")]
    Free {
        /// Which pool.
        pool: u32,
    },
    /// A number so large that sums of it could overflow.
    #[error("{what} is too large to be meant: {value}, over {limit}")]
    Absurd {
        /// What, in words.
        what: String,
        /// Its value.
        value: u64,
        /// The largest that is taken.
        limit: u64,
    },
}

impl FleetProblem {
    /// Most periods of a horizon: two weeks of quarters of an hour are 1,344.
    pub const PERIODS_MAX: u32 = 2_000;
    /// Most units that a component may need at once.
    pub const UNITS_MAX: u64 = 10_000_000;
    /// The dearest price of an instance hour, of a start and of a shortage: a million dollars.
    pub const PRICE_MAX: u64 = 1_000_000_000_000;

    /// Says what makes it a problem that cannot be worked on.
    pub fn validate(&self) -> Result<(), ProblemError> {
        if self.period_seconds == 0 || !(1..=Self::PERIODS_MAX).contains(&self.periods) {
            return Err(ProblemError::Horizon {
                periods: self.periods,
                period_seconds: self.period_seconds,
            });
        }
        for (pool, k) in self.pools.iter().zip(0..) {
            if pool.price == MicroUsdPerHour::ZERO {
                return Err(ProblemError::Free { pool: k });
            }
            at_most(
                || format!("the price of pool {k}"),
                pool.price.get(),
                Self::PRICE_MAX,
            )?;
        }
        for quota in &self.quotas {
            for (pool, _) in &quota.uses {
                self.pool_of(|| format!("quota `{}`", quota.name), *pool)?;
            }
        }
        self.components
            .iter()
            .try_for_each(|need| self.validate_need(need))
    }

    fn validate_need(&self, need: &ComponentProblem) -> Result<(), ProblemError> {
        let component = need.component.0;
        if need.demand.len() != self.periods as usize {
            return Err(ProblemError::Demand {
                component,
                stated: need.demand.len(),
                periods: self.periods,
            });
        }
        let largest = need.demand.iter().copied().max().unwrap_or_default();
        at_most(
            || format!("the demand of component {component}"),
            largest.max(need.floor).get(),
            Self::UNITS_MAX,
        )?;
        for price in [Some(need.start_price), need.shortage_price]
            .into_iter()
            .flatten()
        {
            at_most(
                || format!("a price of component {component}"),
                price.get(),
                Self::PRICE_MAX,
            )?;
        }
        let wrong = |pool: PoolIndex, what| ProblemError::Offer {
            component,
            pool: pool.0,
            what,
        };
        let mut seen = std::collections::BTreeSet::new();
        for &(pool, units) in &need.offers {
            self.pool_of(|| format!("component {component}"), pool)?;
            if units == 0 {
                return Err(wrong(pool, "holds no unit of it: leave it out"));
            }
            if !seen.insert(pool) {
                return Err(wrong(pool, "is stated twice"));
            }
        }
        for standing in &need.standing {
            if !seen.contains(&standing.pool) {
                return Err(wrong(
                    standing.pool,
                    "has instances, but is not among its offers: state their units",
                ));
            }
        }
        Ok(())
    }

    fn pool_of(&self, what: impl Fn() -> String, pool: PoolIndex) -> Result<(), ProblemError> {
        if (pool.0 as usize) < self.pools.len() {
            return Ok(());
        }
        Err(ProblemError::NoPool {
            what: what(),
            pool: pool.0,
            pools: self.pools.len(),
        })
    }
}

fn at_most(what: impl Fn() -> String, value: u64, limit: u64) -> Result<(), ProblemError> {
    if value <= limit {
        return Ok(());
    }
    Err(ProblemError::Absurd {
        what: what(),
        value,
        limit,
    })
}
