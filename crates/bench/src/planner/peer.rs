//! HiGHS: what it is asked, what it found, and where that is kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fleetcast_model::ContentHash;
use fleetcast_planner::fleet_plan::FleetProblem;
use serde::{Deserialize, Serialize};

use super::args::PlannerArgs;
use super::instances::Instance;
use crate::python::Python;

const SCRIPT: &str = include_str!("../../peers/planner.py");
const REQUIREMENTS: &str = include_str!("../../peers/requirements-planner.txt");
/// HiGHS ends within this share of its bound.
pub const GAP: f64 = 0.001;

#[derive(Serialize)]
struct Job<'a> {
    gap: f64,
    seconds: f64,
    tight: bool,
    problems: Vec<Stated<'a>>,
}

#[derive(Serialize)]
struct Stated<'a> {
    name: &'a str,
    problem: &'a FleetProblem,
}

/// What HiGHS found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Answer {
    name: String,
    #[serde(default)]
    pub status: String,
    pub objective: Option<f64>,
    pub bound: Option<f64>,
    /// CPU seconds that it took.
    #[serde(default)]
    pub seconds: f64,
    /// The same, with what it took to build its model.
    #[serde(default)]
    pub with_building: f64,
    /// When each better solution was found, and what it costs.
    #[serde(default)]
    pub found: Vec<(f64, f64)>,
    pub error: Option<String>,
    /// Its limit of CPU seconds, in answers that are kept.
    #[serde(default)]
    limit: f64,
}

impl Answer {
    /// Whether its solution is within the gap of its bound.
    pub fn is_solved(&self) -> bool {
        self.status == "Optimal"
    }
}

/// How HiGHS is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Within so many CPU seconds.
    pub seconds: f64,
    /// Whether its program is made tighter than it is stated, which takes seconds and brings its bound nearer.
    pub tight: bool,
}

/// Runs HiGHS, or reads what it found before.
pub struct Peer {
    python: Python,
    kept: Option<PathBuf>,
}

impl Peer {
    /// `None` where it is not wanted.
    pub fn find(args: &PlannerArgs) -> Result<Option<Self>> {
        if args.without_peer {
            return Ok(None);
        }
        let python = Python::find(args.python.as_deref(), "peers-planner", REQUIREMENTS)?;
        if let Some(folder) = &args.peer_answers {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(Some(Self {
            python,
            kept: args.peer_answers.clone(),
        }))
    }

    /// An answer for each instance, each within so many CPU seconds.
    pub fn solve(&self, all: &[Instance], asked: Asked) -> Result<Vec<Option<Answer>>> {
        let Asked { seconds, tight } = asked;
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(all.len());
        for instance in all {
            answers.push(self.known(instance, asked)?);
        }
        let missing: Vec<usize> = (0..all.len()).filter(|at| answers[*at].is_none()).collect();
        if missing.is_empty() {
            return Ok(answers);
        }
        let job = Job {
            gap: GAP,
            seconds,
            tight,
            problems: missing
                .iter()
                .map(|at| Stated {
                    name: &all[*at].name,
                    problem: &all[*at].problem,
                })
                .collect(),
        };
        let mut number = 0;
        let mut failed = None;
        self.python.run(SCRIPT, &job, |mut answer: Answer| {
            let at = missing[number];
            number += 1;
            eprint!("\rHiGHS {number}/{} ", missing.len());
            answer.limit = seconds;
            if let Err(error) = self.keep(&all[at], tight, &answer) {
                failed.get_or_insert(error);
            }
            answers[at] = Some(answer);
        })?;
        eprintln!();
        failed.map_or(Ok(answers), Err)
    }

    /// What it found before: with as much time, or in less than this.
    fn known(&self, instance: &Instance, asked: Asked) -> Result<Option<Answer>> {
        let Some(path) = self.path(instance, asked.tight)? else {
            return Ok(None);
        };
        let Ok(text) = fs::read_to_string(&path) else {
            return Ok(None);
        };
        let answer: Answer = serde_json::from_str(&text)
            .with_context(|| format!("{} is no answer of HiGHS: remove it", path.display()))?;
        let solved = answer.is_solved() && answer.seconds <= asked.seconds;
        let holds = answer.limit == asked.seconds || solved;
        Ok(holds.then_some(answer))
    }

    fn keep(&self, instance: &Instance, tight: bool, answer: &Answer) -> Result<()> {
        if let Some(path) = self.path(instance, tight)? {
            write(&path, &serde_json::to_string(answer)?)?;
        }
        Ok(())
    }

    /// Where its answer for an instance is kept: the name says the problem and its program, the gap and HiGHS' version.
    fn path(&self, instance: &Instance, tight: bool) -> Result<Option<PathBuf>> {
        let Some(folder) = &self.kept else {
            return Ok(None);
        };
        let problem = serde_json::to_string(&instance.problem)?;
        let program = if tight { "\ntight" } else { "" };
        let asked = format!("{REQUIREMENTS}\n{GAP}\n{problem}{program}");
        let hash = ContentHash::of(asked.as_bytes()).to_string();
        let digits = hash.trim_start_matches("sha256:");
        Ok(Some(folder.join(format!("{}.json", &digits[..32]))))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
