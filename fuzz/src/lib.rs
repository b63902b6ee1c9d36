//! What must hold whatever the input. `cargo xtask fuzz` looks for inputs where it does not, with libFuzzer; the
//! ordinary tests run all inputs kept in `corpus`, of which some were once a find.

mod anomalies;
mod bytes;
mod csv;
mod documents;
mod models;

/// A target: its name, and what is done with an input. It panics where a promise is broken.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. A folder of `corpus` has the name of each.
pub const TARGETS: [Target; 4] = [
    ("anomalies", anomalies::run),
    ("csv", csv::run),
    ("documents", documents::run),
    ("models", models::run),
];

/// Runs a target on an input.
///
/// # Panics
/// Where a promise is broken, and if there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    target.expect("a target of this name").1(data);
}
