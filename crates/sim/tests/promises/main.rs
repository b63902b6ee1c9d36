//! What the engine promises wherever it runs, proved in the simulated cloud: it decides by the past alone,
//! equal inputs give equal bytes, limits and budgets hold, and every bill can be worked out by hand.
//!
//! Seeds are fixed: a test that turns red was turned red by a change of the code.

mod causality;
mod changes;
mod cloud;
mod leading;
mod limits;
mod money;
mod objectives;
mod persona;
mod plain;
mod quotas;
mod recordings;
mod repetition;
mod scaling;
mod spot;
mod standby;
mod support;
mod unknown;
mod usage;
