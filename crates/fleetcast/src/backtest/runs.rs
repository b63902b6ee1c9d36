//! Runs every policy through the same engine and cloud, on as many threads as there are cores.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use fleetcast_engine::{Engine, EngineConfig};
use fleetcast_model::{Mode, Objective, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_sim::{
    ComponentInterval, Daily, Interval, Serving, SharedFits, Tally, simulate, simulate_sharing_fits,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::follow::{Follow, Paths};
use super::scenario::Scenario;

/// One policy with its knobs, for each component.
#[derive(Clone, Debug)]
pub struct Run {
    /// As it was asked for.
    pub spec: PolicySpec,
    /// What each component is run with.
    pub specs: Vec<PolicySpec>,
    /// An objective other than the scenario's, for the cost curve.
    pub objective: Option<Objective>,
    /// For the cost curve only.
    pub curve_only: bool,
    /// Ours without its standby, to know what that brings; neither in the table nor in the curve.
    pub without_standby: bool,
    /// Keep rows and write files.
    pub followed: bool,
}

/// What came of a run.
pub struct Finished {
    pub run: Run,
    pub tally: Tally,
    pub daily: Daily,
    /// Of a followed run.
    pub follow: Option<Follow>,
    /// The engine after the last step of a followed run.
    pub engine: Option<Engine>,
}

impl Run {
    /// A policy with the same knobs for each component, and the floors that the user runs.
    pub fn new(spec: &PolicySpec, floors: &[u64]) -> Self {
        let specs = floors
            .iter()
            .map(|floor| spec.clone().with_floor(spec.floor.max(*floor)))
            .collect();
        Self {
            spec: spec.clone(),
            specs,
            objective: None,
            curve_only: false,
            without_standby: false,
            followed: false,
        }
    }

    /// Whether this is our own product.
    pub fn is_ours(&self) -> bool {
        self.spec.kind == PolicyKind::Fleetcast
    }
}

/// The runs of the table, then those of the curve.
pub fn plan(scenario: &Scenario, floors: &[u64], peaks: &[u64], curve: bool) -> Vec<Run> {
    let named = [
        (PolicyKind::Fleetcast, 0.0),
        (PolicyKind::KubernetesHpa, 0.6),
        (PolicyKind::TargetTracking, 0.6),
        (PolicyKind::AwsPredictive, 0.6),
        (PolicyKind::MaxYesterday, 0.8),
        (PolicyKind::Static, 1.0),
        (PolicyKind::Oracle, 0.0),
    ];
    let mut runs: Vec<Run> = named
        .iter()
        .map(|(kind, knob)| Run::new(&PolicySpec::new(*kind, *knob), floors))
        .collect();
    for run in &mut runs {
        if run.spec.kind == PolicyKind::Static {
            *run = constant(peaks, 1.0);
        }
    }
    if scenario.has_standby() {
        runs.push(Run {
            curve_only: true,
            without_standby: true,
            ..Run::new(&PolicySpec::new(PolicyKind::Fleetcast, 0.0), floors)
        });
    }
    if !curve {
        return runs;
    }
    let ours = scenario.objective();
    for factor in [0.2, 5.0] {
        let metric = ours.map_or(fleetcast_model::ObjectiveMetric::Unserved, |objective| {
            objective.metric
        });
        let target = ours.map_or(0.005, |objective| objective.target.get()) * factor;
        let Some(target) = Share::new(target.min(0.5)) else {
            continue;
        };
        let objective = Some(Objective::over_28_days(metric, target));
        let run = Run::new(&PolicySpec::new(PolicyKind::Fleetcast, 0.0), floors);
        runs.push(Run {
            objective,
            curve_only: true,
            ..run
        });
    }
    let knobs = [
        (PolicyKind::KubernetesHpa, &[0.9, 0.75, 0.45, 0.3][..]),
        (PolicyKind::TargetTracking, &[0.9, 0.75, 0.45, 0.3]),
        (PolicyKind::AwsPredictive, &[0.9, 0.75, 0.45, 0.3]),
        (PolicyKind::MaxYesterday, &[0.95, 0.6, 0.4]),
    ];
    for (kind, knobs) in knobs {
        let run = |knob: &f64| Run {
            curve_only: true,
            ..Run::new(&PolicySpec::new(kind, *knob), floors)
        };
        runs.extend(knobs.iter().map(run));
    }
    runs.extend([0.25, 0.5, 0.75].map(|part| Run {
        curve_only: true,
        ..constant(peaks, part)
    }));
    runs
}

/// A constant fleet that is a part of the highest need of each component.
fn constant(peaks: &[u64], part: f64) -> Run {
    let units =
        |peak: &u64| PolicySpec::new(PolicyKind::Static, (*peak as f64 * part).ceil().max(1.0));
    let specs: Vec<PolicySpec> = peaks.iter().map(units).collect();
    let all = specs.iter().map(|spec| spec.knob).sum();
    let spec = PolicySpec::new(PolicyKind::Static, all);
    Run {
        spec,
        specs,
        objective: None,
        curve_only: false,
        without_standby: false,
        followed: false,
    }
}

/// Runs all of them.
pub fn run_all(
    scenario: &Scenario,
    runs: Vec<Run>,
    outputs: Paths,
    quiet: bool,
) -> Result<Vec<Finished>> {
    let bar = progress_bar((runs.len() * scenario.steps()) as u64, quiet);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Finished>)>> = Mutex::new(Vec::new());
    let fits = SharedFits::default();
    // Our own run takes longest and goes first; the others of ours wait for its fits, so they go last.
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|i| match (runs[*i].is_ours(), runs[*i].curve_only) {
        (true, false) => 0,
        (false, _) => 1,
        (true, true) => 2,
    });
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(runs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = runs[index].clone();
                    let outputs = if run.followed {
                        outputs.clone()
                    } else {
                        Paths::default()
                    };
                    let finished = run_one(scenario, run, outputs, &bar, &fits);
                    lock(&results).push((index, finished));
                }
            });
        }
    });
    bar.finish_and_clear();
    crate::stop::check()?;
    let mut results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, finished)| finished).collect()
}

/// Runs two versions on the same demand, with the fits that they share done once.
pub fn run_both(versions: [(&Scenario, Run); 2], quiet: bool) -> Result<[Finished; 2]> {
    let steps: usize = versions.iter().map(|(scenario, _)| scenario.steps()).sum();
    let bar = progress_bar(steps as u64, quiet);
    let fits = SharedFits::default();
    let [first, second] = versions;
    let one =
        |(scenario, run): (&Scenario, Run)| run_one(scenario, run, Paths::default(), &bar, &fits);
    let (first, second) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| one(second));
        let first = one(first);
        (first, beside.join())
    });
    bar.finish_and_clear();
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok([first?, second?])
}

/// A lock that outlives a panic elsewhere: the panic is reported by its own thread.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run_one(
    scenario: &Scenario,
    run: Run,
    outputs: Paths,
    bar: &ProgressBar,
    fits: &SharedFits,
) -> Result<Finished> {
    let tally = Tally::new(
        scenario.warm_up_steps,
        scenario.config.step_seconds,
        scenario.cheapest.clone(),
    );
    let config = config_of(scenario, &run);
    let outputs = outputs.open(&config)?;
    let mut follow = Follow::new(
        tally,
        Daily::new(scenario.warm_up_steps),
        scenario.leads(),
        scenario.ceilings(),
        run.followed,
        outputs,
        bar.clone(),
    );
    let mut ended = None;
    if run.spec.kind == PolicyKind::Oracle {
        foresee(scenario, &config, &mut follow)?;
    } else {
        let (sink, engine) = simulate_sharing_fits(config, &scenario.simulation, follow, fits)?;
        (follow, ended) = (sink, Some(engine));
    }
    crate::stop::check()?;
    follow.finish()?;
    let tally = follow.tally.clone();
    let daily = follow.daily.clone();
    let follow = run.followed.then_some(follow);
    let engine = ended.filter(|_| run.followed);
    Ok(Finished {
        run,
        tally,
        daily,
        follow,
        engine,
    })
}

/// The configuration that a run is made with. Budget, threshold, freezes and overrides are Fleetcast's: the
/// autoscalers to compare with know none of them.
fn config_of(scenario: &Scenario, run: &Run) -> EngineConfig {
    let mut config = EngineConfig {
        policies: run.specs.clone(),
        objective: run.objective.or(scenario.config.objective),
        ..scenario.config.clone()
    };
    if !run.is_ours() || run.without_standby {
        for component in &mut config.fleet.components {
            component.standby = None;
        }
    }
    if !run.is_ours() {
        config.overrides.clear();
        config.fleet.budget = None;
        config.fleet.approval_threshold = None;
        config.fleet.freeze_windows.clear();
        (config.fleet.mode, config.fleet.mode_promotion) = (Mode::Auto, None);
    }
    config
}

/// Perfect foresight: exactly what is needed serves and is paid for in each step. It is a bound, not a
/// policy: it pays for no boot and no drain.
fn foresee(scenario: &Scenario, config: &EngineConfig, follow: &mut Follow) -> Result<()> {
    struct Needs<'a> {
        cheapest: &'a [u64],
        step_seconds: u64,
        follow: &'a mut Follow,
    }
    impl fleetcast_sim::Sink for Needs<'_> {
        fn step(
            &mut self,
            interval: &Interval,
            seen: &[fleetcast_model::Observation],
            step: &fleetcast_engine::Step,
        ) {
            let mut ideal = interval.clone();
            let mut step = step.clone();
            for ((at, report), cheapest) in ideal
                .components
                .iter_mut()
                .zip(&mut step.components)
                .zip(self.cheapest)
            {
                let bill =
                    u128::from(*cheapest) * u128::from(at.need) * u128::from(self.step_seconds);
                let serving = Serving {
                    ready: at.need,
                    effective: at.need as f64,
                    paid: at.need,
                    ..Serving::default()
                };
                *at = ComponentInterval {
                    serving,
                    bill,
                    unserved: 0.0,
                    violated: false,
                    ..*at
                };
                report.wanted = fleetcast_model::Units::new(at.need);
                (
                    report.pending,
                    report.cancelled,
                    report.ordered,
                    report.drained,
                ) = Default::default();
            }
            self.follow.step(&ideal, seen, &step);
        }
        fn go_on(&self) -> bool {
            self.follow.go_on()
        }
    }
    let constant = vec![PolicySpec::new(PolicyKind::Static, 1.0); config.policies.len()];
    let config = EngineConfig {
        policies: constant,
        ..config.clone()
    };
    let needs = Needs {
        cheapest: &scenario.cheapest,
        step_seconds: u64::from(config.step_seconds),
        follow,
    };
    simulate(config, &scenario.simulation, needs)?;
    Ok(())
}

/// The highest need of each component over the scored steps.
pub fn peaks(scenario: &Scenario) -> Result<Vec<u64>> {
    struct Peaks {
        from: usize,
        peaks: Vec<u64>,
    }
    impl fleetcast_sim::Sink for Peaks {
        fn step(
            &mut self,
            interval: &Interval,
            _: &[fleetcast_model::Observation],
            _: &fleetcast_engine::Step,
        ) {
            if interval.index >= self.from {
                for (peak, at) in self
                    .peaks
                    .iter_mut()
                    .zip(&interval.components)
                    .filter(|(_, at)| at.observed)
                {
                    *peak = at.need.max(*peak);
                }
            }
        }
        fn go_on(&self) -> bool {
            !crate::stop::asked()
        }
    }
    let count = scenario.components.len();
    let constant = vec![PolicySpec::new(PolicyKind::Static, 1.0); count];
    let config = EngineConfig {
        policies: constant,
        ..scenario.config.clone()
    };
    let peaks = simulate(
        config,
        &scenario.simulation,
        Peaks {
            from: scenario.warm_up_steps,
            peaks: vec![1; count],
        },
    )?
    .peaks;
    crate::stop::check()?;
    Ok(peaks)
}

fn progress_bar(steps: u64, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("simulating {wide_bar} {percent} %, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}
