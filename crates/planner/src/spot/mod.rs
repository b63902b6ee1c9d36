//! Spot: cheap capacity that is taken back in whole pools.
//!
//! Three rules, after SpotHedge (Mao et al., EuroSys 2025), made to count units and money:
//!
//! 1. *Spread*: spot is split over domains that do not fail together (a zone is one), and a domain that
//!    was just lost or refused an order is left alone for a while ([`PoolBook`]).
//! 2. *Over-provision*: so many extra units that losing any one domain leaves what is wanted, where that
//!    is cheaper than buying firm capacity for the same promise ([`compose`]).
//! 3. *Fall back*: what spot cannot give is bought on demand at once, and given back when spot has returned
//!    and serves ([`plan_composed`]).
//!
//! Whatever is cheapest, losing any two whole domains never leaves less than the floor.

mod change;
mod composition;
mod losses;
mod pool_book;

pub use change::{ComposedInput, plan_composed};
pub use composition::{Composition, HedgePool, HedgeProblem, Part, compose};
pub use losses::{LossTerms, standby_for_losses};
pub use pool_book::{PoolBook, PoolSettings};
