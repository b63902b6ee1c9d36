//! From wanted units to a plan, and the checker of plans
