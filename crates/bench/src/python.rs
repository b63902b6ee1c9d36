//! Peers that are written in Python: their environments, and what they answer.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// A Python with some peers.
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// The one that is given, or an environment of our own below the target folder, that is set up at the first time.
    pub fn find(given: Option<&Path>, folder: &str, requirements: &str) -> Result<Self> {
        if let Some(program) = given {
            return Ok(Self {
                program: program.to_path_buf(),
            });
        }
        let own = std::env::current_exe().context("cannot tell where this program lies")?;
        // The program lies in target/release.
        let target = own
            .ancestors()
            .nth(2)
            .context("this program lies in no target folder")?;
        let folder = target.join(folder);
        let program = folder.join("bin/python");
        // Written last: an environment that was interrupted is set up again.
        let complete = folder.join("complete.txt");
        if fs::read_to_string(&complete).is_ok_and(|text| text == requirements) {
            return Ok(Self { program });
        }
        eprintln!("setting up the peers in {} …", folder.display());
        succeed(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
        .context("the peers need Python 3 with venv (Debian: apt-get install python3-venv)")?;
        let listed = folder.join("requirements.txt");
        fs::write(&listed, requirements)?;
        let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
        succeed(Command::new(&program).args(pip).arg(&listed))
            .context("the peers could not be installed")?;
        fs::write(&complete, requirements)?;
        Ok(Self { program })
    }

    /// Runs a script on a job and hands over each line of its answer as it comes.
    pub fn run<A: for<'a> Deserialize<'a>>(
        &self,
        script: &str,
        job: &impl Serialize,
        take: impl FnMut(A),
    ) -> Result<()> {
        self.run_with(script, &[], job, take)
    }

    /// The same of a script that imports modules, each of which is a file name and its text.
    pub fn run_with<A: for<'a> Deserialize<'a>>(
        &self,
        script: &str,
        modules: &[(&str, &str)],
        job: &impl Serialize,
        mut take: impl FnMut(A),
    ) -> Result<()> {
        let folder = tempfile::tempdir().context("cannot make a folder for the peers' job")?;
        let (program, input) = (
            folder.path().join("peers.py"),
            folder.path().join("job.json"),
        );
        fs::write(&program, script)?;
        for (name, text) in modules {
            fs::write(folder.path().join(name), text)?;
        }
        fs::write(&input, serde_json::to_string(job)?)?;
        let mut child = Command::new(&self.program)
            .args([&program, &input])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let output = child.stdout.take().context("the peers' output")?;
        for line in BufReader::new(output).lines() {
            let line = line.context("the peers' output")?;
            take(serde_json::from_str(&line).with_context(|| format!("the peers wrote `{line}`"))?);
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("the peers failed: {status}");
        }
        Ok(())
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", command.get_program().display()))?;
    if !status.success() {
        bail!("`{}` failed: {status}", command.get_program().display());
    }
    Ok(())
}
