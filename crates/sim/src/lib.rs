//! The simulated cloud, the example shop and the simulation and replay worlds
