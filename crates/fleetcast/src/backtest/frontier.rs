//! `fleetcast frontier`: Fleetcast with one objective after another on the same history.

use anyhow::Result;
use fleetcast_model::{Objective, ObjectiveMetric, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{FrontierPeer, FrontierPoint, FrontierResult, Metric, share_interval};
use jiff::SignedDuration;

use super::demand::History;
use super::follow::Paths;
use super::outcome::floors;
use super::runs::{self, Finished, Run};
use super::scenario::Scenario;
use crate::cli::FrontierArgs;
use crate::files::BadInput;

/// Multiples of the present objective that are tried: half a decade of money on both sides of most knees.
const MULTIPLES: [f64; 9] = [0.05, 0.1, 0.2, 0.5, 2.0, 5.0, 10.0, 20.0, 40.0];
/// Stricter than this no history shows anything; looser than this nobody wants it.
const STRICTEST: f64 = 1e-5;
const LOOSEST: f64 = 0.3;
/// Where no objective is stated, as the engine has it.
const DEFAULT_UNSERVED: Share = Share::per_mille(5);
const DAYS_OF_A_MONTH: f64 = 30.0;

/// Runs all objectives, sharing fits, and finds the knee.
pub fn frontier(
    args: &FrontierArgs,
    history: &History,
    scenario: &Scenario,
) -> Result<FrontierResult> {
    let present = present(scenario);
    let floors = floors(&args.backtest, scenario);
    let ours = Run::new(&PolicySpec::new(PolicyKind::Fleetcast, 0.0), &floors);
    let mut all = vec![ours.clone()];
    for target in targets(args, present)? {
        let objective = Some(Objective { target, ..present });
        all.push(Run {
            objective,
            ..ours.clone()
        });
    }
    let peers = args.backtest.policy.iter();
    all.extend(peers.map(|spec| Run::new(spec, &floors)));
    let finished = runs::run_all(scenario, all, Paths::default(), args.backtest.quiet)?;
    let mut result = FrontierResult {
        title: scenario.title.clone(),
        synthetic: history.synthetic,
        demand_source: history.source.clone(),
        first: scenario.config.start,
        last: scenario.config.start
            + SignedDuration::from_secs(i64::from(scenario.config.step_seconds))
                * scenario.steps().saturating_sub(1) as i32,
        scored_days: finished.first().map_or(0.0, |one| one.tally.days()),
        metric: Some(match present.metric {
            ObjectiveMetric::Unserved => Metric::Unserved,
            ObjectiveMetric::Violation => Metric::Violation,
        }),
        points: Vec::new(),
        peers: Vec::new(),
        knee: None,
        verdict: String::new(),
        notes: history.account.clone(),
    };
    for (i, run) in finished.iter().enumerate() {
        if run.run.is_ours() {
            // The documents' own objectives, where the components have different ones.
            let own = scenario.objective().map(|objective| objective.target.get());
            let target = match (&run.run.objective, i) {
                (Some(objective), _) => Some(objective.target.get()),
                (None, _) => own.or((!has_objective(scenario)).then(|| DEFAULT_UNSERVED.get())),
            };
            result.points.push(point(run, target, i == 0));
        } else {
            result.peers.push(peer(run));
        }
    }
    result.notes.extend(scenario.notes.iter().cloned());
    result.settle();
    result.verdict = verdict(&result);
    Ok(result)
}

fn has_objective(scenario: &Scenario) -> bool {
    let components = &scenario.config.fleet.components;
    components
        .iter()
        .any(|component| scenario.config.objective_of(component).is_some())
}

/// The objective around which others are tried: the strictest that a component has.
fn present(scenario: &Scenario) -> Objective {
    let components = scenario.config.fleet.components.iter();
    let stated = components.filter_map(|component| scenario.config.objective_of(component));
    stated
        .min_by(|a, b| a.target.get().total_cmp(&b.target.get()))
        .unwrap_or_else(|| Objective::over_28_days(ObjectiveMetric::Unserved, DEFAULT_UNSERVED))
}

fn targets(args: &FrontierArgs, present: Objective) -> Result<Vec<Share>> {
    let mut targets = args.levels.clone();
    if targets.is_empty() {
        let multiples = MULTIPLES
            .iter()
            .map(|factor| (present.target.get() * factor).clamp(STRICTEST, LOOSEST));
        targets = multiples.filter_map(Share::new).collect();
    }
    targets.sort_by(|a, b| a.get().total_cmp(&b.get()));
    targets.dedup_by(|a, b| a.get() == b.get());
    targets.retain(|target| (target.get() - present.target.get()).abs() > 1e-12);
    if targets.is_empty() {
        let text =
            "--levels names no objective beside the present one: give some, such as 0.1%,1%,5%";
        return Err(BadInput(text.into()).into());
    }
    Ok(targets)
}

/// What so much money for the scored days is in 30 of them.
fn in_a_month(run: &Finished) -> f64 {
    let days = run.tally.days();
    if days > 0.0 {
        run.tally.cost().as_usd() / days * DAYS_OF_A_MONTH
    } else {
        0.0
    }
}

fn point(run: &Finished, target_share: Option<f64>, present: bool) -> FrontierPoint {
    let days: Vec<(f64, f64)> = run
        .daily
        .days()
        .iter()
        .map(|day| (day.violations as f64, day.steps as f64))
        .collect();
    FrontierPoint {
        target_share,
        present,
        cost_usd_month: in_a_month(run),
        breach_share: run.tally.violation_share(),
        breach_interval: share_interval(&days),
        unserved_share: run.tally.unserved_share(),
        starts_per_day_fleets: run.tally.starts_per_day(),
        dominated: false,
    }
}

fn peer(run: &Finished) -> FrontierPeer {
    FrontierPeer {
        label: run.run.spec.label(),
        cost_usd_month: in_a_month(run),
        breach_share: run.tally.violation_share(),
        unserved_share: run.tally.unserved_share(),
    }
}

/// Where the present objective stands against the knee, in money.
fn verdict(result: &FrontierResult) -> String {
    let Some(now) = result.points.iter().find(|point| point.present) else {
        return "Nothing was run.".into();
    };
    let here = format!(
        "The present objective costs {} in 30 days at a breach probability of {}.",
        dollars(now.cost_usd_month),
        percent(now.breach_share)
    );
    let Some(knee) = result.knee else {
        return format!(
            "{here} The frontier has no knee: each halving of the breach probability costs about as much as the one before."
        );
    };
    let at = &result.points[knee.point];
    let slopes = format!(
        "up to there halving the breach probability costs {} in 30 days each time, beyond it {}",
        dollars(knee.usd_month_per_halving_before),
        dollars(knee.usd_month_per_halving_beyond)
    );
    if at.present {
        return format!("{here} It is the knee of the frontier: {slopes}.");
    }
    let saving = now.cost_usd_month - at.cost_usd_month;
    let objective = at.target_share.map_or_else(String::new, |share| {
        format!(" (objective {})", percent(share))
    });
    let way = if saving > 0.0 {
        format!("{} less", dollars(saving))
    } else {
        format!("{} more", dollars(-saving))
    };
    format!(
        "{here} The knee of the frontier{objective} costs {way} at {}: {slopes}.",
        percent(at.breach_share)
    )
}

fn dollars(amount: f64) -> String {
    if amount.abs() >= 100.0 {
        format!("${amount:.0}")
    } else {
        format!("${amount:.2}")
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent >= 1.0 {
        1
    } else if percent >= 0.1 {
        2
    } else {
        3
    };
    format!("{percent:.digits$} %")
}
