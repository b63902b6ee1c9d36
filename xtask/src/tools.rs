//! Programs that tests need beside the toolchain.
//!
//! They are unpacked below cargo's target folder and found through the PATH of the tests. Nothing is
//! installed into the system, so no root is needed, and no service starts.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, works};

const PROMETHEUS: [&str; 2] = ["prometheus", "promtool"];

/// Sees to it that `prometheus` and `promtool` can be run, or says what is missing.
pub fn prometheus(workspace: &Workspace) -> Result<(), String> {
    let present = || {
        PROMETHEUS.iter().all(|program| {
            let mut command = workspace.command(program);
            works(command.arg("--version").env("PATH", path(workspace)))
        })
    };
    if present() {
        return Ok(());
    }
    let by_hand = "the test against a real Prometheus does nothing without it: \
                   apt-get install prometheus, or https://prometheus.io/download/";
    println!("\nprometheus is not installed: unpacking Debian's package below the target folder");
    if let Err(why) = unpack(workspace, "prometheus") {
        let missing = format!("prometheus could not be fetched ({why}); {by_hand}");
        println!("{missing}");
        return Err(missing);
    }
    if present() {
        Ok(())
    } else {
        Err(format!("Debian's prometheus does not run here; {by_hand}"))
    }
}

/// The PATH with the unpacked programs at its end: what the system has comes first.
pub fn path(workspace: &Workspace) -> OsString {
    let before = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&before).chain([tools(workspace).join("usr/bin")]);
    env::join_paths(folders).unwrap_or(before)
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

/// Fetches a package of the distribution, with apt's lists and cache in a folder of our own.
fn unpack(workspace: &Workspace, package: &str) -> Result<(), String> {
    let apt = workspace.target.join("apt");
    // What an interrupted run left might not unpack.
    let _ = fs::remove_dir_all(&apt);
    for folder in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(folder)).map_err(|error| error.to_string())?;
    }
    let result = fetch(workspace, &apt, package);
    let _ = fs::remove_dir_all(&apt);
    result
}

fn fetch(workspace: &Workspace, apt: &Path, package: &str) -> Result<(), String> {
    let own = [
        format!("Dir::State::Lists={}", apt.join("lists").display()),
        format!("Dir::Cache={}", apt.join("cache").display()),
        // The user that apt downloads as could not write here.
        "APT::Sandbox::User=".to_string(),
        "Acquire::Retries=2".to_string(),
        "Acquire::Languages=none".to_string(),
    ];
    let apt_get = |word: &str| {
        let mut command = Command::new("apt-get");
        command.arg("-q");
        for option in &own {
            command.args(["-o", option]);
        }
        command.arg(word).current_dir(apt);
        command
    };
    quiet(&mut apt_get("update"))?;
    quiet(apt_get("download").arg(package))?;
    let archive = fs::read_dir(apt)
        .map_err(|error| error.to_string())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or("apt-get left no package")?;
    fs::create_dir_all(tools(workspace)).map_err(|error| error.to_string())?;
    quiet(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&archive)
            .arg(tools(workspace)),
    )
}

/// Runs a command whose output only matters if it fails.
fn quiet(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(std::process::Stdio::null())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .map_err(|error| format!("`{name}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text
        .lines()
        .find(|line| line.starts_with("E:"))
        .unwrap_or(text.trim());
    Err(format!("`{name}`: {line}"))
}
