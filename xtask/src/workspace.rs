//! Where things lie, and how programs are run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The folders of the project.
pub struct Workspace {
    /// Holds the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the folders; cargo says where this crate lies.
    pub fn find() -> Result<Self> {
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("this crate lies in no folder")?;
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = if target.is_absolute() {
            target
        } else {
            env::current_dir()?.join(target)
        };
        Ok(Self {
            root: root.to_path_buf(),
            target,
        })
    }

    /// The cargo that runs this.
    pub fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo)
    }

    /// A program that runs in the root and reads no standard input.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// A path as a person in the root would type it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// Shows a command as it would be typed, and runs it. A failure is an error.
pub fn show_and_run(typed: &str, command: &mut Command) -> Result<()> {
    println!("\n$ {typed}");
    let status = command
        .status()
        .with_context(|| format!("cannot run `{typed}`"))?;
    if !status.success() {
        bail!("`{typed}` failed: {status}");
    }
    Ok(())
}

/// Whether a command can be run at all; it prints nothing.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
