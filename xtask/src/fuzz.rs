//! `cargo xtask fuzz`: looks for inputs that break a promise, with cargo-fuzz.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::workspace::{Workspace, show_and_run, works};

/// The targets, as in `fuzz/src/lib.rs`.
const TARGETS: [&str; 4] = ["anomalies", "csv", "documents", "models"];
const SECONDS: u64 = 60;
/// An input that takes longer is a find, in seconds.
const SLOW_SECONDS: u64 = 30;
const USAGE: &str = "usage: cargo xtask fuzz [anomalies|csv|documents|models] [--seconds N]";

/// Runs one target, or all, for some seconds each.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<ExitCode> {
    let (targets, seconds) = read(args)?;
    let bootstrap = prepare(workspace)?;
    for target in targets {
        let grown = workspace.target.join("fuzz-corpus").join(target);
        std::fs::create_dir_all(&grown)?;
        let kept = workspace.root.join("fuzz/corpus").join(target);
        let mut command = fuzz(workspace, bootstrap);
        command
            .args(["run", "--sanitizer", "none", "--release", target])
            .args([&grown, &kept])
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={SLOW_SECONDS}"))
            .args([
                "-max_len=4096",
                "-rss_limit_mb=4096",
                "-print_final_stats=1",
            ]);
        let typed = format!("cargo fuzz run {target} -- -max_total_time={seconds}");
        if show_and_run(&typed, &mut command).is_err() {
            bail!(
                "{target}: a promise was broken, or the target does not build (see above). The input lies in \
                 fuzz/artifacts/{target}: mend the cause, and keep the input in fuzz/corpus/{target}, where the \
                 ordinary tests run it"
            );
        }
    }
    println!("\nno input broke a promise");
    Ok(ExitCode::SUCCESS)
}

fn read(args: &[String]) -> Result<(Vec<&str>, u64)> {
    let mut targets = Vec::new();
    let mut seconds = SECONDS;
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().and_then(|number| number.parse().ok());
            let Some(number) = number.filter(|number| *number > 0) else {
                bail!("--seconds wants a whole number over 0\n{USAGE}");
            };
            seconds = number;
        } else if TARGETS.contains(&word) {
            targets.push(word);
        } else {
            bail!("`{word}` is no target\n{USAGE}");
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    Ok((targets, seconds))
}

/// Sees to it that cargo-fuzz can be run. Whether the compiler must be told to take unstable flags: without a
/// nightly one, the one at hand is.
fn prepare(workspace: &Workspace) -> Result<bool> {
    if !works(Command::new("c++").arg("--version")) {
        bail!("libFuzzer is C++ and there is no C++ compiler: apt-get install g++");
    }
    if !works(fuzz(workspace, false).arg("--version")) {
        println!("cargo-fuzz is not installed: building it below the target folder");
        let root = tools(workspace);
        let mut install = workspace.cargo();
        install
            .args(["install", "cargo-fuzz", "--locked", "--root"])
            .arg(&root);
        let typed = format!("cargo install cargo-fuzz --root {}", workspace.shown(&root));
        if show_and_run(&typed, &mut install).is_err() {
            bail!("cargo-fuzz could not be installed; by hand: cargo install cargo-fuzz");
        }
    }
    let nightly = works(Command::new("cargo").args(["+nightly", "--version"]));
    Ok(!nightly)
}

/// `cargo fuzz`, as installed or as built below the target folder.
fn fuzz(workspace: &Workspace, bootstrap: bool) -> Command {
    let own = tools(workspace).join("bin").join("cargo-fuzz");
    let mut command = workspace.command(if own.is_file() {
        own.into_os_string()
    } else {
        "cargo-fuzz".into()
    });
    command
        .arg("fuzz")
        .current_dir(workspace.root.join("fuzz"))
        // Its builds have flags of their own; beside the others they would be built again and again.
        .env("CARGO_TARGET_DIR", workspace.target.join("fuzz"))
        .env_remove("CARGO");
    if bootstrap {
        command.env("RUSTC_BOOTSTRAP", "1");
    } else {
        command.env("RUSTUP_TOOLCHAIN", "nightly");
    }
    command
}

fn tools(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join("tools/cargo-fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds_are_read() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let args = words("csv --seconds 5");
        assert_eq!(read(&args).expect("right"), (vec!["csv"], 5));
        assert_eq!(read(&[]).expect("right"), (TARGETS.to_vec(), SECONDS));
        for wrong in ["--seconds", "--seconds 0", "circus"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_target_has_its_program() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for target in TARGETS {
            assert!(root.join(format!("fuzz_targets/{target}.rs")).is_file());
            assert!(root.join("corpus").join(target).is_dir());
        }
    }
}
