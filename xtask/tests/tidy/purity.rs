//! Pure crates know no clock, no files, no network and no environment.

use std::collections::BTreeSet;

use super::layers::{Package, packages};
use super::{check, files};

const PURE: [&str; 15] = [
    "fleetcast-model",
    "fleetcast-document",
    "fleetcast-series",
    "fleetcast-forecast",
    "fleetcast-experiment",
    "fleetcast-anomaly",
    "fleetcast-neural",
    "fleetcast-capacity",
    "fleetcast-planner",
    "fleetcast-policy",
    "fleetcast-engine",
    "fleetcast-store",
    "fleetcast-provider",
    "fleetcast-sim",
    "fleetcast-report",
];

/// Crates that wait, or that talk to something.
const BANNED_CRATES: [&str; 5] = ["tokio", "reqwest", "axum", "sqlx", "hyper"];

/// What clippy finds too, if it is installed; with the modules as a whole.
const BANNED_WORDS: [&str; 8] = [
    "std::fs",
    "std::env::var",
    "std::net",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "HashMap",
];

fn pure() -> Vec<Package> {
    let mut packages = packages();
    packages.retain(|package| PURE.contains(&package.name.as_str()));
    packages
}

#[test]
fn pure_crates_are_held_to_the_same_rules() {
    let rules: BTreeSet<String> = pure()
        .iter()
        .map(|package| {
            files::text(&package.folder.join("clippy.toml"))
                .unwrap_or_else(|| panic!("`{}` is pure and has no clippy.toml", package.name))
        })
        .collect();
    assert_eq!(
        rules.len(),
        1,
        "the clippy.toml of pure crates differ: copy the right one over the others"
    );
}

#[test]
fn pure_crates_use_nothing_that_waits() {
    let mut problems = Vec::new();
    for package in pure() {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.normal)
        {
            if BANNED_CRATES.contains(&dependency.name.as_str()) {
                problems.push(format!("`{}` uses `{}`", package.name, dependency.name));
            }
        }
    }
    check(problems, "this belongs into a crate of the shell");
}

#[test]
fn pure_crates_read_no_clock_and_no_files() {
    let all = files::all();
    let tests_only = files::tests_only(&all);
    let mut problems = Vec::new();
    for package in pure() {
        let sources = package.folder.join("src");
        let own = |path: &&std::path::PathBuf| {
            path.starts_with(&sources) && files::is_rust(path) && !tests_only.contains(*path)
        };
        for path in all.iter().filter(own) {
            let text = files::text(path).unwrap_or_default();
            for (line, number) in files::without_tests(&text).iter().zip(1..) {
                let code = line.split("//").next().unwrap_or(line);
                for word in BANNED_WORDS.iter().filter(|word| code.contains(**word)) {
                    problems.push(format!("{}:{number}: {word}", files::shown(path)));
                }
            }
        }
    }
    check(
        problems,
        "time, files and settings come into pure crates as values; BTreeMap has an order",
    );
}
