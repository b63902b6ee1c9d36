//! Keeps the workspace tidy: layers, purity, sizes, words that must not stand in sources, links.

mod files;
mod layers;
mod links;
mod purity;
mod sources;

/// Fails with all problems at once.
fn check(problems: Vec<String>, how_to_mend: &str) {
    assert!(
        problems.is_empty(),
        "{}\n{how_to_mend}",
        problems.join("\n")
    );
}
