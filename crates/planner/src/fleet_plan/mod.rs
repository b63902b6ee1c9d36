//! The optimiser: what to rent for a whole fleet over a receding horizon, at the least cost. `README.md` states the
//! problem as mathematics.
//!
//! **To state a problem**, list the pools (an offer in a zone, bought in one way, with its price, bill and lead time),
//! the quotas that they share, and for each component its demand in units by period, its floor, ceiling and importance,
//! the pools that it may use with the units that one instance provides, and what stands already. Then
//! [`plan_fleet`] gives a [`FleetPlan`]; [`check_fleet`] judges one.
//!
//! **To read a plan**, take from each [`Part`] what is to be ordered now ([`Part::orders_now`]) and given back now
//! ([`Part::releases_now`]); later periods are planned again when they come. [`FleetPlan::cost`] is exact,
//! [`FleetPlan::lower_bound`] is what no plan undercuts, [`Part::unmet`] says what is missing and which limit binds,
//! [`Part::lifts`] what it would cost without the limit.
//!
//! **To price an alternative**, change the problem (another demand, fewer pools, a smaller budget, a component's
//! demand put at its floor) and plan again: the difference of the two costs is the price. A problem is a plain value,
//! and a plan a pure function of it.
//!
//! ```
//! # use fleetcast_model::*;
//! # use fleetcast_planner::fleet_plan::*;
//! let pool = |offer, price| Pool {
//!     offer: OfferIndex(offer),
//!     zone: 0,
//!     purchase: PurchaseKind::OnDemand,
//!     price: MicroUsdPerHour::new(price),
//!     billing: Billing { minimum_seconds: 60, granularity_seconds: 1 },
//!     lead_periods: 0,
//! };
//! let problem = FleetProblem {
//!     period_seconds: 3_600,
//!     periods: 2,
//!     pools: vec![pool(0, 100_000), pool(1, 350_000)],
//!     components: vec![ComponentProblem {
//!         component: ComponentIndex(0),
//!         demand: vec![Units::new(5), Units::new(9)],
//!         floor: Units::new(1),
//!         ceiling: Units::new(20),
//!         shortage_price: None,
//!         survives_zone_per_mille: 0,
//!         importance: 5,
//!         stateful: false,
//!         lifetime_periods: 0,
//!         start_price: MicroUsd::ZERO,
//!         offers: vec![(PoolIndex(0), 1), (PoolIndex(1), 4)],
//!         standing: vec![],
//!     }],
//!     quotas: vec![],
//!     budget: None,
//! };
//! let plan = plan_fleet(&problem, None, WorkLimit::default())?;
//! assert_eq!(check_fleet(&problem, &plan), vec![]);
//! // One of four units and one of one; then one more of four.
//! assert_eq!(plan.cost.total(), MicroUsd::new(450_000 + 800_000));
//! # Ok::<(), ProblemError>(())
//! ```

mod answer;
mod bound;
mod budget;
mod chain;
mod check;
mod component;
mod dive;
mod draws;
mod exchange;
mod fleet;
mod guide;
mod loads;
mod moves;
mod oracle;
mod part;
mod problem;
mod relax;
mod runs;
mod search;
mod simplex;
mod single;
mod terms;
#[cfg(test)]
mod tests;
mod watch;
mod weights;

pub use answer::{Binding, Cost, FleetPlan, Lift, Missing, Origin, Part, Run, Unmet};
pub use check::check_fleet;
pub use fleet::{WorkLimit, plan_fleet, plan_fleet_telling};
pub use problem::{ComponentProblem, FleetProblem, Pool, PoolIndex, ProblemError, Quota, Standing};
