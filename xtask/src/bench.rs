//! `cargo xtask bench`: builds the benchmarks optimised and runs them.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Runs a benchmark; its own `--help` says what it takes.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<ExitCode> {
    // The whole program is measured too, as it is shipped.
    let mut packages = vec!["--package", "fleetcast-bench"];
    if args.first().is_some_and(|name| name == "engine") {
        packages.extend(["--package", "fleetcast"]);
    }
    let built = workspace
        .cargo()
        .args(["build", "--quiet", "--release"])
        .args(packages)
        .status()
        .context("cannot run cargo")?;
    if !built.success() {
        bail!("the benchmarks do not build");
    }
    let program = format!("release/fleetcast-bench{}", std::env::consts::EXE_SUFFIX);
    let status = workspace
        .command(workspace.target.join(program))
        .args(args)
        .current_dir(std::env::current_dir()?)
        .status()
        .context("cannot run the benchmarks")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
