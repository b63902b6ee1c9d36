//! From runs to the result that every view shows.

use anyhow::Result;
use fleetcast_engine::{Engine, Step};
use fleetcast_model::{Component, ObjectiveMetric};
use fleetcast_policy::PolicyKind;
use fleetcast_report::{BacktestResult, CurvePoint, Metric, ObjectiveView, PolicyResult, verdict};
use fleetcast_series::Series;
use fleetcast_sim::Daily;
use jiff::SignedDuration;

use super::chart;
use super::demand::History;
use super::follow::{Follow, Paths};
use super::runs::{self, Finished, Run};
use super::scenario::{Scenario, mode_name};
use super::standby;
use super::worst::{Frame, worst_moments};
use crate::cli::BacktestArgs;
use crate::files::Whole;
use crate::learned;
use crate::outlook;

/// A result, and where the followed run ended.
pub struct Outcome {
    pub result: BacktestResult,
    /// The followed run day by day.
    pub daily: Daily,
    pub end: Option<End>,
    /// Files of the followed run, to be put in their places.
    pub files: Vec<Whole>,
}

/// Where the followed run ended.
pub struct End {
    pub engine: Engine,
    pub step: Step,
    /// The volumes of each component, in interactions a minute.
    pub volumes: Vec<Series>,
}

/// Runs everything that the command line asks for.
pub fn backtest(
    args: &BacktestArgs,
    history: &History,
    scenario: &Scenario,
    paths: Paths,
) -> Result<Outcome> {
    let floors = floors(args, scenario);
    let mut runs = if args.policy.is_empty() {
        let peaks = runs::peaks(scenario)?;
        runs::plan(scenario, &floors, &peaks, !args.no_curve)
    } else {
        // A policy that is asked for by name has the floor that is asked for with it.
        args.policy
            .iter()
            .map(|spec| Run::new(spec, &floors))
            .collect()
    };
    if let Some(followed) =
        runs.iter()
            .position(Run::is_ours)
            .or(if runs.is_empty() { None } else { Some(0) })
    {
        runs[followed].followed = true;
    }
    let finished = runs::run_all(scenario, runs, paths, args.quiet)?;
    Ok(outcome(history, scenario, finished))
}

/// How often the 95 % quantile of what buying uses held, for each component: overall, by regime and by hour; and who
/// forecasts.
fn coverage_notes(engine: &fleetcast_engine::Engine, scenario: &Scenario) -> Vec<String> {
    let names = scenario.components.iter().enumerate();
    let note = |(place, name): (usize, &String)| {
        let accuracy = engine.accuracy(place)?;
        let (least, most) = accuracy.by_hour()?;
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let [calm, surge] = accuracy.by_regime();
        let in_surge = surge.map_or_else(String::new, |share| {
            format!(", {} within half an hour of a surge", percent(share))
        });
        Some(format!(
            "{name}: demand stayed under the 95 % quantile of what buying uses {} of the time in calm{in_surge}, and {} \
             to {} by hour of day (UTC, of late)",
            calm.map_or_else(|| "none".into(), percent),
            percent(least),
            percent(most)
        ))
    };
    let champion = |(place, name): (usize, &String)| {
        let (champion, rival_loss) = engine.explain(place).champion?;
        Some(format!(
            "{name}: demand at arrival is forecast by {champion}; its challenger lost {:.1} % {} on held-out time",
            (rival_loss - 1.0).abs() * 100.0,
            if rival_loss < 1.0 { "less" } else { "more" }
        ))
    };
    let champions: Vec<String> = names.clone().filter_map(champion).collect();
    names.filter_map(note).chain(champions).collect()
}

/// What each override brought.
fn override_notes(engine: &Engine, scenario: &Scenario) -> Vec<String> {
    let scores = (0..scenario.components.len()).flat_map(|place| engine.override_scores(place));
    scores.map(crate::plan::words::override_score).collect()
}

/// The floors of the autoscalers to compare with.
pub fn floors(args: &BacktestArgs, scenario: &Scenario) -> Vec<u64> {
    let documented = scenario
        .config
        .fleet
        .components
        .iter()
        .map(|component| component.floor.get());
    documented
        .map(|floor| args.floor.unwrap_or(floor).max(floor))
        .collect()
}

fn outcome(history: &History, scenario: &Scenario, mut finished: Vec<Finished>) -> Outcome {
    let oracle = finished
        .iter()
        .map(|run| run.tally.foresight_cost().as_usd())
        .next()
        .filter(|cost| *cost > 0.0);
    let policies: Vec<PolicyResult> = finished
        .iter()
        .filter(|f| !f.run.curve_only)
        .map(|f| policy_result(f, scenario, oracle))
        .collect();
    let curve = finished
        .iter()
        .filter_map(|f| curve_point(f, oracle))
        .collect();
    let objective = scenario.objective().map(|objective| ObjectiveView {
        metric: match objective.metric {
            ObjectiveMetric::Unserved => Metric::Unserved,
            ObjectiveMetric::Violation => Metric::Violation,
        },
        target_share: objective.target.get(),
    });
    let followed = finished.iter().find(|f| f.run.followed);
    let daily = followed.map(|f| f.daily.clone()).unwrap_or_default();
    let scored_steps = finished.first().map_or(0, |f| f.tally.steps);
    let engine = finished.iter_mut().find_map(|f| f.engine.take());
    let follow = finished.iter_mut().find_map(|f| f.follow.take());
    let leads = scenario.leads();
    let ceilings: Vec<u64> = scenario
        .config
        .fleet
        .components
        .iter()
        .map(|component| component.ceiling.get())
        .collect();
    let step = SignedDuration::from_secs(i64::from(scenario.config.step_seconds));
    let frame = Frame {
        start: scenario.config.start,
        step,
        warm_up_steps: scenario.warm_up_steps,
        components: &scenario.components,
        leads: &leads,
        per_unit: scenario.per_unit,
        ceilings: &ceilings,
    };
    let rows = follow
        .as_ref()
        .map(|follow| follow.rows.as_slice())
        .unwrap_or_default();
    let worst = worst_moments(rows, &frame);
    let mut whole = chart::chart(rows, &frame);
    whole.ahead = outlook::fan(
        &chart::fleet_demand(rows, &frame),
        &scenario.config.events,
        &scenario.zone,
    );
    whole.detail = worst
        .iter()
        .map(|(_, component, peak)| chart::detail(rows, *component, *peak, &frame))
        .collect();
    let steps = scenario.steps();
    // Several components have an objective each; of one the verdict itself speaks.
    let judged = judged(&finished, scenario);
    let of_all = objective.as_ref().filter(|_| judged.is_none());
    let mut verdict = verdict(&policies, of_all);
    if let Some(judged) = judged {
        verdict.push_str(&format!(" By component: {judged}."));
    }
    let warnings = follow.as_ref().map(|follow| warnings(follow, scenario));
    let mut notes = history.account.clone();
    notes.extend(scenario.notes.iter().cloned());
    notes.extend(warnings.unwrap_or_default());
    notes.extend(
        engine
            .iter()
            .flat_map(|engine| coverage_notes(engine, scenario)),
    );
    notes.extend(
        engine
            .iter()
            .flat_map(|engine| learned::notes(engine, &scenario.components)),
    );
    notes.extend(standby::notes(&finished, engine.as_ref(), scenario));
    notes.extend(
        engine
            .iter()
            .flat_map(|engine| override_notes(engine, scenario)),
    );
    let mut result = BacktestResult {
        title: scenario.title.clone(),
        synthetic: history.synthetic,
        demand_source: history.source.clone(),
        first: frame.at(0),
        last: frame.at(steps.saturating_sub(1)),
        step_seconds: u64::from(scenario.config.step_seconds),
        steps: steps as u64,
        scored_steps,
        missing_steps: scenario.missing_steps as u64,
        warm_up_seconds: (scenario.warm_up_steps as u64) * u64::from(scenario.config.step_seconds),
        boot_seconds: scenario.boot.as_secs().unsigned_abs(),
        drain_seconds: scenario.drain.as_secs().unsigned_abs(),
        verdict,
        objective,
        components: scenario.components.clone(),
        policies,
        worst: worst.into_iter().map(|(moment, ..)| moment).collect(),
        chart: whole,
        curve,
        notes,
    };
    let volumes = rows
        .iter()
        .map(|rows| chart::volume(rows, &frame))
        .collect();
    let last = follow.as_ref().and_then(|follow| follow.last.as_ref());
    let standby_kept = engine
        .iter()
        .zip(last)
        .flat_map(|(engine, step)| crate::plan::standby::of_step(engine, step));
    result.notes.extend(standby_kept);
    let (step, files) = follow.map_or((None, Vec::new()), |follow| (follow.last, follow.complete));
    let end = engine.zip(step).map(|(engine, step)| End {
        engine,
        step,
        volumes,
    });
    Outcome {
        result,
        daily,
        end,
        files,
    }
}

/// How each component of our run did against its own objective, where there are several.
fn judged(finished: &[Finished], scenario: &Scenario) -> Option<String> {
    let components = &scenario.config.fleet.components;
    let ours = finished
        .iter()
        .find(|run| run.run.is_ours() && !run.run.curve_only)?;
    let word = |(component, (demand, unserved, violations)): (&Component, &(f64, f64, u64))| {
        let objective = scenario.config.objective_of(component)?;
        let share = match objective.metric {
            ObjectiveMetric::Unserved => unserved / demand.max(f64::MIN_POSITIVE),
            ObjectiveMetric::Violation => *violations as f64 / ours.tally.steps.max(1) as f64,
        };
        let kept = if share <= objective.target.get() {
            "kept"
        } else {
            "missed"
        };
        let percent = |share: f64| (share * 1e5).round() / 1e3;
        let (share, target) = (percent(share), percent(objective.target.get()));
        Some(format!(
            "{} {kept} its objective of {target} % ({share} %)",
            component.name
        ))
    };
    let words: Vec<String> = components
        .iter()
        .zip(&ours.tally.by_component)
        .filter_map(word)
        .collect();
    (components.len() > 1 && !words.is_empty()).then(|| words.join(", "))
}

/// A change of mode with the regret that it rests on.
fn mode_note((at, change): &(jiff::Timestamp, fleetcast_model::ModeChange)) -> String {
    let verb = if change.to > change.from {
        "promoted"
    } else {
        "demoted"
    };
    format!(
        "{}: {verb} from mode `{}` to `{}`: a measured regret of {:.1} % over {} days",
        crate::plan::words::moment(*at),
        mode_name(change.from),
        mode_name(change.to),
        change.regret * 100.0,
        change.days
    )
}

/// What the gate held back, with what could be done about it.
fn warnings(follow: &Follow, scenario: &Scenario) -> Vec<String> {
    let fleet = &scenario.config.fleet;
    let mut warnings: Vec<String> = follow.modes.iter().map(mode_note).collect();
    if let (true, Some(threshold)) = (follow.asked > 0, fleet.approval_threshold) {
        warnings.push(format!(
            "warning: {} changes cost more over two hours than the approval threshold of {threshold} and waited \
             for a person; to have them at once raise the threshold, allow cheaper offers, or accept more \
             unserved demand",
            follow.asked
        ));
    }
    if let (true, Some(cap)) = (
        follow.refused > 0,
        fleet.budget.and_then(|budget| budget.hard_cap),
    ) {
        warnings.push(format!(
            "warning: in {} steps the hard cap of {cap} a month refused what was wanted; raise it, allow cheaper \
             offers, or give the less important components a lower ceiling",
            follow.refused
        ));
    }
    let unknown = scenario.components.iter().zip(&follow.unknown);
    warnings.extend(unknown.flat_map(|(name, told)| crate::plan::alerts::notes(name, told)));
    warnings
}

fn policy_result(finished: &Finished, scenario: &Scenario, oracle: Option<f64>) -> PolicyResult {
    let (run, tally) = (&finished.run, &finished.tally);
    let cost_usd = tally.cost().as_usd();
    let step_minutes = f64::from(scenario.config.step_seconds) / 60.0;
    let shown = run
        .specs
        .iter()
        .max_by_key(|spec| spec.floor)
        .filter(|_| run.spec.kind != PolicyKind::Static);
    let spec = shown.unwrap_or(&run.spec);
    let named = !matches!(run.spec.kind, PolicyKind::Fleetcast | PolicyKind::Oracle);
    PolicyResult {
        name: if named {
            spec.to_string()
        } else {
            run.spec.to_string()
        },
        label: if named {
            spec.label()
        } else {
            run.spec.label()
        },
        cost_usd,
        cost_over_oracle: oracle.map(|oracle| cost_usd / oracle),
        cost_over_need: tally.cost_over_need(),
        unserved_share: tally.unserved_share(),
        violation_minutes: tally.steps_in_violation as f64 * step_minutes,
        violation_share: tally.violation_share(),
        scale_actions_per_day: if tally.days() > 0.0 {
            tally.scale_actions as f64 / tally.days()
        } else {
            0.0
        },
        starts_per_day_fleets: tally.starts_per_day(),
        peak_units: tally.peak_ready as f64,
        mean_units: tally.ready as f64 / tally.steps.max(1) as f64,
        standby_cost_usd: (run.is_ours() && scenario.has_standby())
            .then(|| tally.standby_cost().as_usd()),
        is_ours: run.is_ours(),
        hindsight: matches!(run.spec.kind, PolicyKind::Oracle | PolicyKind::Static),
    }
}

fn curve_point(finished: &Finished, oracle: Option<f64>) -> Option<CurvePoint> {
    let run = &finished.run;
    if run.spec.kind == PolicyKind::Oracle || run.without_standby {
        return None;
    }
    let policy = run.spec.to_string().split([':', ',']).next()?.to_string();
    let knob = match run.objective {
        Some(objective) => format!(
            "objective {} %",
            (objective.target.percent() * 1e4).round() / 1e4
        ),
        None => run.spec.label(),
    };
    Some(CurvePoint {
        policy,
        knob,
        cost_over_oracle: finished.tally.cost().as_usd() / oracle?,
        unserved_share: finished.tally.unserved_share(),
    })
}
