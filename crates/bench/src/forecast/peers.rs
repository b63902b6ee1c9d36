//! The peers: what they are asked, and what they forecast.

use std::path::Path;

use anyhow::Result;
use fleetcast_forecast::QuantileForecast;
use fleetcast_forecast::evaluation::LEVELS;
use serde::{Deserialize, Serialize};

use crate::python::Python;

const ROLLING: &str = include_str!("../../peers/rolling.py");
const FIDELITY: &str = include_str!("../../peers/fidelity.py");
const ARIMA: (&str, &str) = ("arima_peers.py", include_str!("../../peers/arima_peers.py"));
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
pub struct Peers(Python);

impl Peers {
    /// The one that is given, or an environment of our own that is set up at the first time.
    pub fn find(given: Option<&Path>) -> Result<Self> {
        Python::find(given, "peers", REQUIREMENTS).map(Self)
    }

    /// Runs a job and hands over each forecast as it comes.
    pub fn forecast(&self, job: &Job<'_>, take: impl FnMut(Answer)) -> Result<()> {
        self.0.run(ROLLING, job, take)
    }

    /// Fits models of stated orders and hands over each forecast as it comes.
    pub fn fidelity<A: for<'a> Deserialize<'a>>(
        &self,
        job: &impl Serialize,
        take: impl FnMut(A),
    ) -> Result<()> {
        self.0.run_with(FIDELITY, &[ARIMA], job, take)
    }
}
