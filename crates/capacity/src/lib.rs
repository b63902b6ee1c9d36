//! From volume and latency target to units of a component
