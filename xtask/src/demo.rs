//! `cargo xtask demo`: from nothing to a report, with the commands that a user would type.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, show_and_run};

/// A minute of the synthetic history in which demand runs ahead of every forecast.
const NEWS_FLASH: &str = "2026-04-02T09:46:00Z";

/// Builds the program and runs it.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    show_and_run(
        "cargo build --release --package fleetcast",
        workspace
            .cargo()
            .args(["build", "--release", "--package", "fleetcast"]),
    )?;
    let program = workspace
        .target
        .join("release")
        .join(format!("fleetcast{}", std::env::consts::EXE_SUFFIX));
    let folder = workspace.target.join("demo");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let at = |name: &str| workspace.shown(&folder.join(name));
    let (shop, history, report, recording) = (
        at("shop"),
        at("history.csv.gz"),
        at("report"),
        at("recording"),
    );
    println!(
        "\nA shop that does not exist, with demand that was made up: every figure below is synthetic.\n\
         `fleetcast` is {}; `cargo install --path crates/fleetcast` puts it on your PATH.",
        workspace.shown(&program)
    );
    let commands: [&[&str]; 6] = [
        &["init", &shop, "--force"],
        &["validate", &shop],
        &["example", &history],
        &[
            "backtest", &shop, "--demand", &history, "--report", &report, "--record", &recording,
        ],
        &["why", &recording, "--at", NEWS_FLASH],
        &["replay", &recording],
    ];
    for args in commands {
        let typed = format!("fleetcast {}", args.join(" "));
        show_and_run(&typed, workspace.command(&program).args(args))?;
    }
    println!(
        "\nThe report of this synthetic history: {}\n\
         \n\
         Next, with your own history (CSV with `timestamp,value`, a row for each minute or five):\n\
         \x20 fleetcast backtest --demand your.csv --capacity-per-unit C   no documents: C is what one unit carries in a step\n\
         \x20 fleetcast forecast your.csv --explain                         what comes, and why\n\
         \x20 fleetcast init my-fleet                                      documents to describe your fleet and its users with\n\
         \x20 fleetcast validate my-fleet\n\
         \x20 fleetcast backtest my-fleet --demand your.csv",
        folder.join("report").join("report.html").display()
    );
    Ok(ExitCode::SUCCESS)
}
