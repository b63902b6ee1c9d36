//! A crate uses only crates in rows above its own, in development too.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{check, files};

/// The rows, from the top. A name that ends in `-*` stands for all with that beginning.
const ROWS: [&[&str]; 14] = [
    &["fleetcast-model"],
    &["fleetcast-document"],
    &["fleetcast-series"],
    &["fleetcast-forecast", "fleetcast-experiment"],
    &["fleetcast-anomaly", "fleetcast-neural"],
    &["fleetcast-capacity", "fleetcast-planner"],
    &["fleetcast-policy"],
    &["fleetcast-engine"],
    &["fleetcast-store", "fleetcast-provider"],
    &["fleetcast-sim"],
    &["fleetcast-report"],
    &[
        "fleetcast-telemetry",
        "fleetcast-source-*",
        "fleetcast-store-*",
        "fleetcast-provider-*",
    ],
    &["fleetcast-live", "fleetcast-server"],
    &["fleetcast", "fleetcast-bench", "xtask"],
];

/// One crate of the workspace.
pub struct Package {
    pub name: String,
    pub folder: PathBuf,
    pub description: Option<String>,
    pub license: Option<String>,
    pub dependencies: Vec<Dependency>,
}

pub struct Dependency {
    pub name: String,
    /// Of the workspace.
    pub own: bool,
    /// Compiled into what users run.
    pub normal: bool,
}

/// The crates of the workspace, as cargo sees them.
pub fn packages() -> Vec<Package> {
    let metadata: Value = serde_json::from_str(&metadata()).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().map(str::to_string);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let dependency = |value: &Value| Dependency {
        name: text(&value["name"]).unwrap_or_default(),
        own: value["path"].is_string(),
        normal: value["kind"].is_null(),
    };
    let package = |value: &Value| Package {
        name: text(&value["name"]).unwrap_or_default(),
        folder: PathBuf::from(text(&value["manifest_path"]).unwrap_or_default())
            .parent()
            .expect("a manifest lies in a folder")
            .to_path_buf(),
        description: text(&value["description"]),
        license: text(&value["license"]),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(dependency)
            .collect(),
    };
    let packages: Vec<Package> = list(&metadata["packages"]).iter().map(package).collect();
    assert!(
        packages.len() > 5,
        "cargo lists only {} crates",
        packages.len()
    );
    packages
}

fn metadata() -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ask = |offline: &[&str]| {
        Command::new(&cargo)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .args(offline)
            .current_dir(files::root())
            .output()
            .expect("cargo runs")
    };
    let mut output = ask(&["--offline"]);
    if !output.status.success() {
        output = ask(&[]);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {message}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn row(name: &str) -> Option<usize> {
    let matches = |pattern: &str| {
        pattern
            .strip_suffix('*')
            .map_or(pattern == name, |start| name.starts_with(start))
    };
    ROWS.iter()
        .position(|row| row.iter().any(|pattern| matches(pattern)))
}

#[test]
fn crates_use_only_what_stands_above_them() {
    let mut problems = Vec::new();
    for package in packages() {
        let Some(own) = row(&package.name) else {
            problems.push(format!("`{}` has no row", package.name));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.own)
        {
            if row(&dependency.name).is_none_or(|other| other >= own) {
                problems.push(format!(
                    "`{}` must not use `{}`",
                    package.name, dependency.name
                ));
            }
        }
    }
    check(
        problems,
        "a crate uses only crates in rows above its own: see ROWS in xtask/tests/tidy/layers.rs",
    );
}

#[test]
fn crates_say_what_they_are() {
    let mut problems = Vec::new();
    for package in packages() {
        if package
            .description
            .is_none_or(|text| text.trim().is_empty())
        {
            problems.push(format!("`{}` has no description", package.name));
        }
        if package.license.is_none() {
            problems.push(format!("`{}` has no licence", package.name));
        }
        let manifest = files::text(&package.folder.join("Cargo.toml")).unwrap_or_default();
        if !manifest.contains("[lints]\nworkspace = true") {
            problems.push(format!(
                "`{}` does not take the workspace's lints",
                package.name
            ));
        }
    }
    let workspace = files::text(&files::root().join("Cargo.toml")).unwrap_or_default();
    if !workspace.contains("unsafe_code = \"forbid\"") {
        problems.push("the workspace does not forbid unsafe code".into());
    }
    check(problems, "look at the Cargo.toml of another crate");
}
