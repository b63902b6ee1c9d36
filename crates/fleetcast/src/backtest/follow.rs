//! Follows one run: its tally, what the charts need, the steps file and the recording.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;

use flate2::{Compression, write::GzEncoder};
use fleetcast_engine::{EngineConfig, Step};
use fleetcast_model::{Action, Gate, ModeChange, Observation, UnknownDemand};
use fleetcast_report::{StepRow, write_header, write_row};
use fleetcast_sim::{ComponentInterval, Daily, Interval, Recorder, Sink, Tally};
use indicatif::ProgressBar;

use crate::files::Whole;
use crate::stop;

/// One step of one component, as the charts need it. In the demand's unit; `load`, `ready`, `need` in units.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    pub observed: bool,
    pub volume: f32,
    pub load: f32,
    pub need: f32,
    pub ready: f32,
    pub unserved: f32,
    /// What was believed when the units that serve now had to be ordered.
    pub belief: Option<Belief>,
}

/// What was believed of a step when its units had to be ordered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Belief {
    pub p05: f32,
    pub p50: f32,
    pub p95: f32,
    pub bought: f32,
    pub level: f32,
    /// Units wanted for it.
    pub wanted: f32,
    /// Demand of the step that had just ended; `NaN`-free: unknown is `None`.
    pub demand_then: Option<f32>,
    /// Whether the gate held the change back.
    pub withheld: bool,
}

/// Where a followed run is to write to, if anywhere.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The file of a row for each step.
    pub steps: Option<PathBuf>,
    /// The file of the recording.
    pub recording: Option<PathBuf>,
}

impl Paths {
    /// Begins the files. The recording's head is the configuration that is really run.
    pub fn open(&self, config: &EngineConfig) -> anyhow::Result<Outputs> {
        let steps = self.steps.as_deref().map(Whole::create).transpose()?;
        let recorder = self.recording.as_deref().map(|path| {
            let file = GzEncoder::new(Whole::create(path)?, Compression::fast());
            Recorder::new(file, config).context("cannot write the recording")
        });
        Ok(Outputs {
            steps,
            recorder: recorder.transpose()?,
        })
    }
}

/// The open files of a followed run.
#[derive(Default)]
pub struct Outputs {
    pub steps: Option<Whole>,
    pub recorder: Option<Recorder<GzEncoder<Whole>>>,
}

/// Follows one run.
pub struct Follow {
    pub tally: Tally,
    /// The same day by day.
    pub daily: Daily,
    /// Rows of each component, oldest first; empty if nobody asked for them.
    pub rows: Vec<Vec<Row>>,
    keep_rows: bool,
    beliefs: Vec<VecDeque<Belief>>,
    leads: Vec<usize>,
    outputs: Outputs,
    text: String,
    failed: Option<io::Error>,
    progress: ProgressBar,
    steps: u64,
    /// The last step.
    pub last: Option<Step>,
    /// Changes that a person had to be asked about, and steps in which the hard cap refused one.
    pub asked: u64,
    pub refused: u64,
    /// When the mode was promoted or demoted.
    pub modes: Vec<(jiff::Timestamp, ModeChange)>,
    /// For each component: when its demand became unknown, fell back and was known again.
    pub unknown: Vec<Vec<(jiff::Timestamp, UnknownDemand)>>,
    /// Steps in which a component needed more than its ceiling.
    pub at_ceiling: u64,
    ceilings: Vec<u64>,
    /// Files that are complete and not in their places yet.
    pub complete: Vec<Whole>,
}

/// Steps between two looks at Ctrl-C and the progress bar.
const LOOK_EVERY: u64 = 4096;

impl Follow {
    /// Follows a run of components with these lead times (in steps).
    pub fn new(
        tally: Tally,
        daily: Daily,
        leads: Vec<usize>,
        ceilings: Vec<u64>,
        keep_rows: bool,
        outputs: Outputs,
        progress: ProgressBar,
    ) -> Self {
        let mut text = String::new();
        if outputs.steps.is_some() {
            write_header(&mut text);
        }
        Self {
            tally,
            daily,
            rows: vec![Vec::new(); leads.len()],
            keep_rows,
            beliefs: vec![VecDeque::new(); leads.len()],
            leads,
            outputs,
            text,
            failed: None,
            progress,
            steps: 0,
            last: None,
            asked: 0,
            refused: 0,
            modes: Vec::new(),
            unknown: Vec::new(),
            at_ceiling: 0,
            ceilings,
            complete: Vec::new(),
        }
    }

    /// Completes the files, which stand under other names until they are put in place.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        self.progress.inc(self.steps % LOOK_EVERY);
        if let Some(error) = self.failed.take() {
            return Err(anyhow::Error::new(error).context("cannot write the run's files"));
        }
        if let Some(mut steps) = self.outputs.steps.take() {
            steps.write_all(self.text.as_bytes())?;
            self.complete.push(steps);
        }
        if let Some(recorder) = self.outputs.recorder.take() {
            self.complete.push(recorder.finish()?.finish()?);
        }
        Ok(())
    }

    fn write(
        &mut self,
        interval: &Interval,
        seen: &[Observation],
        step: &Step,
        beliefs: &[Option<Belief>],
    ) -> io::Result<()> {
        if let Some(recorder) = &mut self.outputs.recorder {
            recorder.step(seen, step)?;
        }
        if let Some(steps) = &mut self.outputs.steps {
            write_row(&mut self.text, &step_row(interval, step, beliefs));
            if self.text.len() > 1 << 16 {
                steps.write_all(self.text.as_bytes())?;
                self.text.clear();
            }
        }
        Ok(())
    }
}

impl Sink for Follow {
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step) {
        self.tally.step(interval, seen, step);
        self.daily.add(interval);
        let asks = |action: &&Action| matches!(action, Action::RequestApproval(_));
        self.asked += step.actions.iter().filter(asks).count() as u64;
        let capped = step
            .components
            .iter()
            .any(|c| matches!(c.gate, Gate::OverCap { .. }));
        self.modes
            .extend(step.mode.map(|change| (step.now, change)));
        self.refused += u64::from(capped);
        self.unknown.resize(step.components.len(), Vec::new());
        for (told, report) in self.unknown.iter_mut().zip(&step.components) {
            let alert = report.unknown.filter(|unknown| unknown.alert);
            told.extend(alert.map(|unknown| (step.now, unknown)));
        }
        let over = |(at, ceiling): (&ComponentInterval, &u64)| at.need > *ceiling;
        let at_ceiling = interval.components.iter().zip(&self.ceilings).any(over);
        self.at_ceiling += u64::from(at_ceiling);
        let mut beliefs = Vec::with_capacity(self.leads.len());
        for (index, (at, report)) in interval.components.iter().zip(&step.components).enumerate() {
            let waiting = &mut self.beliefs[index];
            let belief = if waiting.len() >= self.leads[index] {
                waiting.pop_front()
            } else {
                None
            };
            let forecast = report.forecast.unwrap_or_default();
            waiting.push_back(Belief {
                p05: forecast.p05 as f32,
                p50: forecast.p50 as f32,
                p95: forecast.p95 as f32,
                bought: forecast.bought as f32,
                level: forecast.bought_level as f32,
                wanted: report.wanted.as_f64() as f32,
                demand_then: report.demand.map(|demand| demand as f32),
                withheld: !matches!(report.gate, Gate::Go | Gate::Nothing),
            });
            let believed = belief.filter(|_| report.forecast.is_some());
            beliefs.push(believed);
            if self.keep_rows {
                self.rows[index].push(Row {
                    observed: at.observed,
                    volume: at.volume as f32,
                    load: at.load as f32,
                    need: at.need as f32,
                    ready: at.serving.effective as f32,
                    unserved: at.unserved as f32,
                    belief: believed,
                });
            }
        }
        if let Err(error) = self.write(interval, seen, step, &beliefs) {
            self.failed = Some(error);
        }
        self.steps += 1;
        if self.steps.is_multiple_of(LOOK_EVERY) {
            self.progress.inc(LOOK_EVERY);
        }
        if self.keep_rows {
            self.last = Some(Step {
                fits: Vec::new(),
                ..step.clone()
            });
        }
    }

    fn go_on(&self) -> bool {
        self.failed.is_none() && (!self.steps.is_multiple_of(64) || !stop::asked())
    }
}

/// One row of the steps file: the sums over the components.
fn step_row(interval: &Interval, step: &Step, beliefs: &[Option<Belief>]) -> StepRow {
    let mut row = StepRow {
        timestamp: interval.from,
        ..StepRow::default()
    };
    let mut bill = 0;
    for (at, report) in interval.components.iter().zip(&step.components) {
        row.demand = Some(row.demand.unwrap_or(0.0) + at.volume);
        row.wanted += report.wanted.get();
        row.ready += at.serving.ready;
        row.pending += report.pending.get();
        row.cancelled += report.cancelled.get();
        row.standby += at.serving.standby;
        row.promoted += at.serving.promoted;
        row.paid += at.serving.paid;
        row.standby_wanted += report.standby.map_or(0, |standby| standby.wanted.get());
        row.unserved += at.unserved;
        bill += at.bill;
    }
    let sum = |part: fn(&Belief) -> f32| {
        beliefs
            .iter()
            .map(|belief| belief.as_ref().map(|b| f64::from(part(b))))
            .sum::<Option<f64>>()
    };
    row.forecast_p50 = sum(|belief| belief.p50);
    row.forecast_p95 = sum(|belief| belief.p95);
    row.cost_usd = bill as f64 / 3.6e9;
    row
}
