//! `cargo xtask test`: sets up and runs every check. All parts run, whichever of them fail.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::tools;
use crate::workspace::{Workspace, show_and_run, works};

/// What came of one part.
struct Part {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed,
    /// Why.
    Skipped(String),
}

/// Runs the parts and sums up.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<ExitCode> {
    let quick = match args {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => bail!("`test` takes --quick only, not `{}`", args.join(" ")),
    };
    let mut parts = Vec::new();
    if !quick {
        let began = Instant::now();
        let outcome = match tools::prometheus(workspace) {
            Ok(()) => Outcome::Passed,
            Err(missing) => Outcome::Skipped(missing),
        };
        parts.push(Part {
            name: "setup",
            took: began.elapsed(),
            outcome,
        });
        parts.push(component(
            workspace,
            "format",
            "rustfmt",
            &["fmt"],
            &["fmt", "--all", "--check"],
        ));
        parts.push(component(
            workspace,
            "lints",
            "clippy",
            &["clippy"],
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ));
    }
    if !quick {
        let words = ["test", "--workspace", "--doc"];
        parts.push(part("doc tests", &words, workspace));
    }
    // Last, so that the runner's own summary stands at the end.
    parts.push(part("tests", &test_words(workspace, quick), workspace));
    Ok(sum_up(&parts))
}

/// The arguments for cargo: with nextest where it is installed, as its tests run side by side.
fn test_words(workspace: &Workspace, quick: bool) -> Vec<&'static str> {
    let mut words = if works(workspace.cargo().args(["nextest", "--version"])) {
        vec!["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        println!(
            "cargo-nextest is not installed: the tests run with `cargo test`, which takes longer\n\
             (to install it: cargo install --locked cargo-nextest)"
        );
        vec!["test", "--workspace", "--no-fail-fast"]
    };
    if quick {
        words.extend(["--lib", "--bins"]);
    } else if words[0] == "test" {
        // Without a target named, `cargo test` would run the doc tests too: they are a part of their own.
        words.extend(["--lib", "--bins", "--tests"]);
    }
    words
}

/// A part that needs a component of the toolchain.
fn component(
    workspace: &Workspace,
    name: &'static str,
    component: &str,
    asks: &[&str],
    words: &[&str],
) -> Part {
    if works(workspace.cargo().args(asks).arg("--version")) {
        return part(name, words, workspace);
    }
    let missing = format!("{component} is not installed: rustup component add {component}");
    println!("\n{name} skipped: {missing}");
    Part {
        name,
        took: Duration::ZERO,
        outcome: Outcome::Skipped(missing),
    }
}

fn part(name: &'static str, words: &[&str], workspace: &Workspace) -> Part {
    let began = Instant::now();
    let mut command: Command = workspace.cargo();
    // With it a test reads 300 MB of history under a 200 MB limit, instead of the 60 MB of a quick run.
    command
        .args(words)
        .env("PATH", tools::path(workspace))
        .env("FLEETCAST_LARGE", "1");
    let typed = format!("cargo {}", words.join(" "));
    let outcome = match show_and_run(&typed, &mut command) {
        Ok(()) => Outcome::Passed,
        Err(error) => {
            eprintln!("error: {error:#}");
            Outcome::Failed
        }
    };
    Part {
        name,
        took: began.elapsed(),
        outcome,
    }
}

fn sum_up(parts: &[Part]) -> ExitCode {
    println!();
    for part in parts {
        let outcome = match &part.outcome {
            Outcome::Passed => "passed".to_string(),
            Outcome::Failed => "FAILED".to_string(),
            Outcome::Skipped(why) => format!("skipped: {why}"),
        };
        let seconds = part.took.as_secs_f64();
        println!("{:<10} {seconds:>7.1} s  {outcome}", part.name);
    }
    let all: Duration = parts.iter().map(|part| part.took).sum();
    println!("{:<10} {:>7.1} s", "all", all.as_secs_f64());
    let failed: Vec<&str> = parts
        .iter()
        .filter(|part| matches!(part.outcome, Outcome::Failed))
        .map(|part| part.name)
        .collect();
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        eprintln!("failed: {}", failed.join(", "));
        ExitCode::FAILURE
    }
}
