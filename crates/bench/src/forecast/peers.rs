//! The peers: their environment, and what they forecast.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use fleetcast_forecast::QuantileForecast;
use fleetcast_forecast::evaluation::LEVELS;
use serde::{Deserialize, Serialize};

const ROLLING: &str = include_str!("../../peers/rolling.py");
const FIDELITY: &str = include_str!("../../peers/fidelity.py");
const REQUIREMENTS: &str = include_str!("../../peers/requirements.txt");

/// Says how to get the peers.
pub const HINT: &str = "the peers beside ours in the same run: --peers (sets up statsforecast and prophet in a Python \
                        environment below the target folder)";

/// What the peers are to forecast.
#[derive(Debug, Serialize)]
pub struct Job<'a> {
    pub models: &'a [&'a str],
    pub horizon: usize,
    pub window: usize,
    pub day: usize,
    pub week: usize,
    pub series: Vec<JobSeries>,
}

/// One series of a job.
#[derive(Debug, Serialize)]
pub struct JobSeries {
    pub name: String,
    /// When its first step begins; without it, models with calendars cannot run.
    pub start: Option<String>,
    pub step_seconds: u32,
    pub values: Vec<f64>,
    pub origins: Vec<usize>,
}

/// What a peer forecast from one origin.
#[derive(Debug, Deserialize)]
pub struct Answer {
    pub model: String,
    pub series: String,
    pub origin: usize,
    #[serde(default)]
    pub cpu_seconds: f64,
    #[serde(default)]
    quantiles: Vec<Vec<f64>>,
    /// Why there is no forecast.
    pub error: Option<String>,
}

impl Answer {
    /// The forecast, or why there is none.
    pub fn forecast(&self) -> Result<QuantileForecast, String> {
        if let Some(why) = &self.error {
            return Err(why.clone());
        }
        let whole = self
            .quantiles
            .iter()
            .all(|step| step.len() == LEVELS.len() && step.iter().all(|value| value.is_finite()));
        if self.quantiles.is_empty() || !whole {
            return Err("the forecast is not whole".into());
        }
        Ok(QuantileForecast::new(&LEVELS, self.quantiles.concat()))
    }
}

/// A Python with the peers.
pub struct Peers {
    python: PathBuf,
}

impl Peers {
    /// The one that is given, or an environment of our own that is set up at the first time.
    pub fn find(given: Option<&Path>) -> Result<Self> {
        if let Some(python) = given {
            return Ok(Self {
                python: python.to_path_buf(),
            });
        }
        let own = std::env::current_exe().context("cannot tell where this program lies")?;
        // The program lies in target/release.
        let target = own
            .ancestors()
            .nth(2)
            .context("this program lies in no target folder")?;
        let folder = target.join("peers");
        let python = folder.join("bin/python");
        // Written last: an environment that was interrupted is set up again.
        let complete = folder.join("complete.txt");
        if fs::read_to_string(&complete).is_ok_and(|text| text == REQUIREMENTS) {
            return Ok(Self { python });
        }
        eprintln!("setting up the peers in {} …", folder.display());
        succeed(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
        .context("the peers need Python 3 with venv (Debian: apt-get install python3-venv)")?;
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
        succeed(Command::new(&python).args(pip).arg(&requirements))
            .context("the peers could not be installed")?;
        fs::write(&complete, REQUIREMENTS)?;
        Ok(Self { python })
    }

    /// Runs a job and hands over each forecast as it comes.
    pub fn forecast(&self, job: &Job<'_>, take: impl FnMut(Answer)) -> Result<()> {
        self.run(ROLLING, job, take)
    }

    /// Fits models of stated orders and hands over each forecast as it comes.
    pub fn fidelity<A: for<'a> Deserialize<'a>>(
        &self,
        job: &impl Serialize,
        take: impl FnMut(A),
    ) -> Result<()> {
        self.run(FIDELITY, job, take)
    }

    fn run<A: for<'a> Deserialize<'a>>(
        &self,
        script: &str,
        job: &impl Serialize,
        mut take: impl FnMut(A),
    ) -> Result<()> {
        let folder = tempfile::tempdir().context("cannot make a folder for the peers' job")?;
        let (program, input) = (
            folder.path().join("peers.py"),
            folder.path().join("job.json"),
        );
        fs::write(&program, script)?;
        fs::write(&input, serde_json::to_string(job)?)?;
        let mut child = Command::new(&self.python)
            .args([&program, &input])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.python.display()))?;
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
